//! Group commit: operations that are asked for at the same time share one sync of the disk. What arrives during a
//! commit is the next one anyway. But where many ask at once and ask again as soon as they are answered, the first of
//! them would start a commit that the others just miss, and each burst would cost two. So a commit waits until about as
//! many have asked as the last one answered, as long as they keep coming, and only for a small part of the time a
//! commit takes. Somebody who asks alone never waits.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::op::WriteFailure;
use super::{BatchResults, Op};

/// The most operations in one transaction.
const MOST: usize = 1_024;
/// While fewer have asked than the last commit answered, the next one is awaited for this fraction of that commit's
/// duration.
const PART: u32 = 8;
/// More than that are awaited for this fraction of it, if any come at all.
const SMALL_PART: u32 = 64;
/// A commit begins after this fraction of the last one's duration, even if more keep coming.
const ALL: u32 = 2;
/// The longest wait for the next operation, however slow the disk is.
const LONGEST: Duration = Duration::from_millis(1);
/// After this pause those who asked before the last commit are no longer expected.
const PAUSE: Duration = Duration::from_millis(20);

/// Decides which operations are committed together. The store's thread has one.
#[derive(Debug)]
pub(super) struct Group {
    /// The clock; replaced in tests.
    now: fn() -> Instant,
    /// How many the last commit answered.
    last: usize,
    /// How long the last commit took.
    took: Duration,
    /// When the last commit was done.
    at: Option<Instant>,
}

/// Counts the operations that somebody waits for to be on disk. Nobody waits for the marks of taken messages.
fn askers(ops: &[Op]) -> usize {
    ops.iter().filter(|op| matches!(op, Op::Write(write) if matches!(write.unstored(), WriteFailure::Told(_)))).count()
}

impl Group {
    /// Starts without a commit to compare with.
    pub(super) fn new(now: fn() -> Instant) -> Self {
        Self { now, last: 0, took: Duration::ZERO, at: None }
    }

    /// Adds to `batch` what `ops` holds now, and what arrives within the wait.
    pub(super) fn collect(&self, batch: &mut Vec<Op>, ops: &Receiver<Vec<Op>>) {
        let mut asked = askers(batch);
        let mut by = None;
        while batch.len() < MOST {
            let more = match ops.try_recv() {
                Ok(more) => Some(more),
                Err(_) if asked == 0 => None,
                Err(_) => self.wait(asked, &mut by, ops),
            };
            let Some(more) = more else { return };
            asked += askers(&more);
            batch.extend(more);
        }
    }

    /// Waits for the next operations, if more are expected. `by` is when the wait as a whole ends; the first call sets
    /// it.
    fn wait(&self, asked: usize, by: &mut Option<Instant>, ops: &Receiver<Vec<Op>>) -> Option<Vec<Op>> {
        if self.last < 2 {
            return None;
        }
        let now = (self.now)();
        if self.is_over(now) {
            return None;
        }
        let by = *by.get_or_insert(now + (self.took / ALL).min(8 * LONGEST));
        let left = by.saturating_duration_since(now);
        if asked < self.last {
            return ops.recv_timeout((self.took / PART).min(LONGEST).min(left)).ok();
        }
        // The system's timers are too coarse for so short a wait.
        let end = now + (self.took / SMALL_PART).min(LONGEST / 16).min(left);
        while (self.now)() < end {
            if let Ok(more) = ops.try_recv() {
                return Some(more);
            }
            thread::yield_now();
        }
        None
    }

    /// Returns whether there is time for other work: at most one is expected to ask again.
    pub(super) fn is_quiet(&self) -> bool {
        self.last < 2 || self.is_over((self.now)())
    }

    /// Returns whether the last commit that answered anybody was so long ago that they are no longer expected.
    fn is_over(&self, now: Instant) -> bool {
        self.at.is_none_or(|at| now.saturating_duration_since(at) > PAUSE)
    }

    /// Commits a batch and remembers what that took.
    pub(super) fn commit(&mut self, batch: &[Op], run: impl FnOnce(&[Op]) -> BatchResults) -> BatchResults {
        let begun = (self.now)();
        let results = run(batch);
        let done = (self.now)();
        // Writes that nobody waits for say nothing about those who ask.
        let asked = askers(batch);
        if asked > 0 {
            (self.last, self.took, self.at) = (asked, done.saturating_duration_since(begun), Some(done));
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::{Read, Write};

    /// An operation that somebody waits for.
    fn asks() -> Vec<Op> {
        vec![Op::Write(Write::EndSession { job: 1, account: 1 })]
    }

    /// Operations of a mailbox being emptied, message by message, for which nobody waits.
    fn empties() -> Vec<Op> {
        let offer = Op::Read(Read::Offer { job: 1, account: 1, from: None });
        vec![Op::Write(Write::Taken { message: 1, at: 0 }), offer]
    }

    /// Far longer than the thread of the test needs.
    const SLOW: Duration = Duration::from_secs(60);

    fn after(last: usize) -> Group {
        Group { last, took: SLOW, at: Some(Instant::now()), ..Group::new(Instant::now) }
    }

    #[test]
    fn one_who_asks_alone_waits_for_nobody() {
        let (give, ops) = crossbeam_channel::unbounded();
        let mut group = after(0);
        group.commit(&asks(), |_| BatchResults::default());
        assert_eq!(group.last, 1);
        group.took = SLOW;
        let mut by = None;
        assert!(group.wait(1, &mut by, &ops).is_none() && by.is_none(), "it did not wait");
        // What is there already is taken along.
        (0..3).for_each(|_| give.send(asks()).expect("open"));
        let mut batch = asks();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), 4);
    }

    #[test]
    fn one_who_empties_a_mailbox_waits_for_nobody() {
        let mut group = after(0);
        group.commit(&[empties(), empties()].concat(), |_| BatchResults::default());
        assert!(group.last == 0 && group.is_quiet());
        // Nor while many write; and these are expected as before.
        let (_also, more) = crossbeam_channel::unbounded();
        let (mut group, mut batch) = (Group { now: || panic!("nothing is waited for"), ..after(64) }, empties());
        group.collect(&mut batch, &more);
        assert_eq!(batch.len(), 2);
        group.now = Instant::now;
        group.commit(&batch, |_| BatchResults::default());
        assert!(group.last == 64 && group.took == SLOW && !group.is_quiet());
    }

    #[test]
    fn after_a_pause_nobody_is_waited_for() {
        let (_give, ops) = crossbeam_channel::unbounded();
        let mut group = after(64);
        group.at = Instant::now().checked_sub(PAUSE * 2);
        let mut by = None;
        assert!(group.wait(1, &mut by, &ops).is_none() && by.is_none());
    }

    #[test]
    fn whoever_asked_together_is_waited_for_together() {
        let (give, ops) = crossbeam_channel::unbounded();
        // Operations that come a moment later share the commit; it may take a few tries if the machine is busy.
        let together = (0..1_000).any(|_| {
            let (group, mut batch) = (after(3), asks());
            thread::scope(|scope| {
                scope.spawn(|| {
                    give.send(asks()).expect("open");
                    give.send(asks()).expect("open");
                });
                group.collect(&mut batch, &ops);
            });
            // What came too late is the next one's.
            let late = ops.try_iter().count();
            assert_eq!(batch.len() + late, 3);
            late == 0
        });
        assert!(together);
        // Nobody came, and was waited for all the same.
        let (group, begun, mut batch) = (after(3), Instant::now(), asks());
        group.collect(&mut batch, &ops);
        assert!(batch.len() == 1 && begun.elapsed() >= LONGEST);
    }

    #[test]
    fn whatever_comes_a_commit_begins_in_the_end() {
        let (give, ops) = crossbeam_channel::unbounded();
        (0..2 * MOST).for_each(|_| give.send(asks()).expect("open"));
        let group = after(MOST * 2);
        let mut batch = asks();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), MOST);
        // What is closed is waited for no longer.
        drop(give);
        let mut batch = asks();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), MOST);
        let mut batch = asks();
        group.collect(&mut batch, &ops);
        assert_eq!(batch.len(), 3);
    }
}
