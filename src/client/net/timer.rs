//! The timer thread: sleeps until the deadline it was told, says so once, and sleeps again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};

use super::Bell;
use crate::base::timer_thread;

/// The owner's end of the timer thread. Dropping it ends the thread.
#[derive(Debug)]
pub struct Timer {
    // Before the thread: the channel must be closed when the thread is joined.
    deadlines: Option<Sender<Instant>>,
    due: Receiver<()>,
    told: Option<Instant>,
    rung: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// Starts the thread; `bell` rings when a deadline has come.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(bell: Bell) -> io::Result<Self> {
        let (deadlines, told) = crossbeam_channel::unbounded();
        // One mark is enough: a deadline says "look", not how often.
        let (mark, due) = crossbeam_channel::bounded(1);
        let rung = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&rung);
        let ring = move || {
            let _ = mark.try_send(());
            count.fetch_add(1, Ordering::Relaxed);
            bell.ring();
        };
        let thread = thread::Builder::new().name("timer".into()).spawn(move || timer_thread::run(&told, ring))?;
        Ok(Self { deadlines: Some(deadlines), due, told: None, rung, thread: Some(thread) })
    }

    /// Deadlines that have come so far.
    #[must_use]
    pub fn rung(&self) -> u64 {
        self.rung.load(Ordering::Relaxed)
    }

    /// Says when to ring. The thread is told only when that moves earlier; a ring too early is cheap
    /// for a loop that compares with its own deadline.
    pub fn set(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.told.is_none_or(|told| deadline < told)
            && let Some(deadlines) = &self.deadlines
        {
            self.told = Some(deadline);
            let _ = deadlines.send(deadline);
        }
    }

    /// Whether a deadline has come since the last call; then [`Timer::set`] must be called again.
    pub fn due(&mut self) -> bool {
        let due = self.due.try_recv().is_ok();
        if due {
            self.told = None;
        }
        due
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.deadlines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_earlier_deadline_counts_and_each_rings_once() {
        let (rang, rings) = crossbeam_channel::unbounded();
        let bell = Bell::new(move || rang.send(Instant::now()).unwrap_or(()));
        let mut timer = Timer::start(bell.clone()).expect("a thread");
        let start = Instant::now();
        timer.set(Some(start + Duration::from_secs(60)));
        timer.set(Some(start + Duration::from_millis(30)));
        let at = rings.recv_timeout(Duration::from_secs(10)).expect("it rang");
        assert!(at >= start + Duration::from_millis(30) && at < start + Duration::from_secs(30));
        bell.answer();
        assert!(timer.due() && !timer.due());
        assert!(rings.try_recv().is_err());
        timer.set(Some(start));
        assert!(rings.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn no_deadline_is_forgotten_however_they_cross() {
        let (rang, rings) = crossbeam_channel::unbounded();
        let bell = Bell::new(move || rang.send(()).unwrap_or(()));
        let mut timer = Timer::start(bell.clone()).expect("a thread");
        // Later, earlier and past ones, told just when others come.
        for n in 0..3_000_u64 {
            let micros = |n: u64| Duration::from_micros(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54);
            let mut deadline = Instant::now() + micros(n);
            timer.set(Some(deadline));
            if n % 3 == 0 {
                deadline = deadline.min(Instant::now() + micros(n + 7));
                timer.set(Some(deadline));
            }
            loop {
                bell.answer();
                if timer.due() && Instant::now() >= deadline {
                    break;
                }
                timer.set(Some(deadline));
                assert!(rings.recv_timeout(Duration::from_secs(10)).is_ok(), "round {n}");
            }
        }
    }
}
