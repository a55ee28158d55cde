//! Group commit: what is asked for at the same time is synced to the disk once. Whatever arrives during one commit is the
//! next one by itself. But where many ask at once, the first of them would start a commit that the others have
//! just missed, and each burst would cost two. So, where the last commit was of several, the next one waits for as long as
//! more keep coming, for a small part of what a commit takes; one who asks alone waits for nobody.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::{Op, Results};

/// How many operations one transaction takes at most.
const MOST: usize = 1_024;
/// A commit waits for the next operation for this part of what the last commit took, and eight times as long in all.
const PART: u32 = 32;
/// It waits for no longer in all, however slow the disk is.
const LONGEST: Duration = Duration::from_millis(1);

/// Collects what is committed together. The store's thread has one.
#[derive(Debug)]
pub(super) struct Group {
    /// The clock.
    now: fn() -> Instant,
    /// Operations of the last commit.
    last: usize,
    /// What it took.
    took: Duration,
}

impl Group {
    /// Nothing was committed yet.
    pub(super) fn new(now: fn() -> Instant) -> Self {
        Self { now, last: 0, took: Duration::ZERO }
    }

    /// Adds to `batch` what `ops` has now, and what follows at once.
    pub(super) fn collect(&self, batch: &mut Vec<Op>, ops: &Receiver<Vec<Op>>) {
        let gap = if self.last > 1 { (self.took / PART).min(LONGEST / 8) } else { Duration::ZERO };
        let by = (self.now)() + 8 * gap;
        while batch.len() < MOST {
            let more = match gap {
                Duration::ZERO => ops.try_recv().ok(),
                gap => ops.recv_timeout(gap.min(by.saturating_duration_since((self.now)()))).ok(),
            };
            let Some(more) = more else { return };
            batch.extend(more);
        }
    }

    /// Commits a batch and remembers what that took.
    pub(super) fn commit(&mut self, batch: &[Op], run: impl FnOnce(&[Op]) -> Results) -> Results {
        let begun = (self.now)();
        let results = run(batch);
        (self.last, self.took) = (batch.len(), (self.now)().saturating_duration_since(begun));
        results
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::server::store::Read;

    fn asked() -> Vec<Op> {
        vec![Op::Read(Read::Offer { job: 1, account: 1, from: None })]
    }

    /// Far more than the thread beside it needs.
    const SLOW: Duration = Duration::from_secs(60);

    #[test]
    fn one_who_asks_alone_waits_for_nobody() {
        let (give, ops) = crossbeam_channel::unbounded();
        let group = Group { last: 1, took: SLOW, ..Group::new(Instant::now) };
        let mut batch = asked();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), 1);
        // What is there already is taken along.
        (0..3).for_each(|_| give.send(asked()).expect("open"));
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), 4);
    }

    #[test]
    fn who_asks_at_the_same_time_shares_the_commit() {
        let (give, ops) = crossbeam_channel::unbounded();
        let mut group = Group::new(Instant::now);
        let two = [asked(), asked()].concat();
        group.commit(&two, |_| {
            thread::sleep(LONGEST * 4);
            Results::default()
        });
        assert!(group.last == 2 && group.took >= LONGEST * 4, "{group:?}");
        // Nobody came, and was waited for all the same.
        let (begun, mut batch) = (Instant::now(), asked());
        group.collect(&mut batch, &ops);
        assert!(batch.len() == 1 && begun.elapsed() >= LONGEST / 8);
        // Who comes meanwhile is taken along, so it may take a few tries where the machine does much else.
        let together = (0..1_000).any(|_| {
            let mut batch = asked();
            thread::scope(|scope| {
                scope.spawn(|| give.send(asked()));
                group.collect(&mut batch, &ops);
            });
            // What came too late is the next one's.
            let late = ops.try_recv().is_ok();
            assert_eq!(batch.len() + usize::from(late), 2);
            !late
        });
        assert!(together);
    }

    #[test]
    fn whatever_comes_a_commit_begins_in_the_end() {
        let (give, ops) = crossbeam_channel::unbounded();
        (0..2 * MOST).for_each(|_| give.send(asked()).expect("open"));
        let group = Group { last: 2, took: SLOW, ..Group::new(Instant::now) };
        let mut batch = asked();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), MOST);
        // What is closed is waited for no longer.
        drop(give);
        let mut batch = asked();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), MOST);
        let mut batch = asked();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), 3);
    }
}
