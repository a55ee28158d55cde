//! The threads that work for the server's own, and what is on its way to them and back.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::base::timer_thread;
use crate::server::hasher::{self, Job, Outcome};
use crate::server::store::{self, BatchResults, Op, Store};

/// A thread that should be there is not; its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadEnded(pub(super) &'static str);

/// Store, hasher and timer. Fields end in the order in which they stand: channels before threads.
pub(super) struct Workers {
    ops: Option<Sender<Vec<Op>>>,
    /// What is to be stored next, together.
    storing: Vec<Op>,
    done: Receiver<BatchResults>,
    jobs: Option<Sender<Job>>,
    outcomes: Receiver<Outcome>,
    deadlines: Option<Sender<Instant>>,
    deadline: Option<Instant>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them; `wake` is called when there is something to be fetched; `now` is the clock.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        store: Store,
        wake: impl Fn() + Clone + Send + 'static,
        now: fn() -> Instant,
    ) -> io::Result<Self> {
        let (ops, ops_in) = crossbeam_channel::unbounded();
        let (done_out, done) = crossbeam_channel::unbounded();
        let store = store::start(store, ops_in, done_out, wake.clone(), now)?;
        let (jobs, jobs_in) = crossbeam_channel::bounded(hasher::MOST_JOBS);
        let (outcomes_out, outcomes) = crossbeam_channel::unbounded();
        let hasher = hasher::start(jobs_in, outcomes_out, wake.clone())?;
        let (deadlines, deadlines_in) = crossbeam_channel::unbounded();
        let timer =
            thread::Builder::new().name("timer".into()).spawn(move || timer_thread::run(&deadlines_in, wake))?;
        Ok(Self {
            ops: Some(ops),
            storing: Vec::new(),
            done,
            jobs: Some(jobs),
            outcomes,
            deadlines: Some(deadlines),
            deadline: None,
            threads: vec![store, hasher, timer],
        })
    }

    /// To be stored with all that comes until [`Workers::store`].
    pub(super) fn store_later(&mut self, op: Op) {
        self.storing.push(op);
    }

    /// How much is to be stored.
    pub(super) fn to_store(&self) -> usize {
        self.storing.len()
    }

    /// Gives the store what is to be stored.
    ///
    /// # Errors
    /// Its thread is gone.
    pub(super) fn store(&mut self) -> Result<(), ThreadEnded> {
        if self.storing.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.storing);
        match self.ops.as_ref().map(|ops| ops.send(batch)) {
            Some(Err(_)) => Err(ThreadEnded("store")),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// What is stored by now.
    pub(super) fn stored(&self) -> Option<BatchResults> {
        self.done.try_recv().ok()
    }

    /// What is stored by then; waits for it.
    pub(super) fn stored_by(&self, by: Instant) -> Option<BatchResults> {
        self.done.recv_deadline(by).ok()
    }

    /// Gives the hasher a password; false if it has too much to do.
    ///
    /// # Errors
    /// Its thread is gone.
    pub(super) fn hash(&self, job: Job) -> Result<bool, ThreadEnded> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Err(TrySendError::Disconnected(_))) => Err(ThreadEnded("hasher")),
            Some(Err(TrySendError::Full(_))) => Ok(false),
            Some(Ok(())) | None => Ok(true),
        }
    }

    /// What is hashed by now.
    pub(super) fn hashed(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }

    /// Has the server woken then. The timer thread is told only when the deadline moves earlier; a wake-up too early is
    /// cheap.
    pub(super) fn wake_at(&mut self, now: Instant, at: Instant) {
        if self.deadline.is_none_or(|told| at < told || told <= now) {
            self.deadline = Some(at);
            if let Some(deadlines) = &self.deadlines {
                let _ = deadlines.send(at);
            }
        }
    }

    /// Whether the deadline of before has come; it is over then. `now` is asked only where there is one.
    pub(super) fn is_due(&mut self, now: impl FnOnce() -> Instant) -> bool {
        let Some(at) = self.deadline else { return false };
        let due = now() >= at;
        if due {
            self.deadline = None;
        }
        due
    }

    /// Closed channels end them; what was given to the store is committed first.
    pub(super) fn close(&mut self) {
        (self.ops, self.jobs, self.deadlines) = (None, None, None);
    }

    /// Waits until they have ended. What is committed at the last moment can still be fetched.
    pub(super) fn join(&mut self) {
        // Nobody waits for the passwords still to be looked at, and each takes its time.
        self.outcomes = crossbeam_channel::never();
        for worker in self.threads.drain(..) {
            let name = worker.thread().name().map(str::to_owned).unwrap_or_default();
            if worker.join().is_err() {
                log::error!("the {name} thread panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests;
