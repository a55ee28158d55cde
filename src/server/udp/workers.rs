//! The threads that work for the server's thread, and the channels to and from them.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::base::timer_thread;
use crate::server::hasher::{self, Job, Outcome};
use crate::server::store::{self, BatchResults, Op, Store};

/// The name of a thread that has ended although the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadEnded(pub(super) &'static str);

/// The store, the hasher and the timer. Fields are dropped in their order: channels before threads.
pub(super) struct Workers {
    ops: Option<Sender<Vec<Op>>>,
    /// The operations that go to the store together next.
    storing: Vec<Op>,
    done: Receiver<BatchResults>,
    jobs: Option<Sender<Job>>,
    outcomes: Receiver<Outcome>,
    deadlines: Option<Sender<Instant>>,
    deadline: Option<Instant>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads. They call `wake` when a result is ready; `now` is the clock.
    ///
    /// # Errors
    /// If the system cannot start a thread.
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

    /// Adds an operation to those that [`Workers::store`] hands over next.
    pub(super) fn store_later(&mut self, op: Op) {
        self.storing.push(op);
    }

    /// Returns how many operations wait to be handed over.
    pub(super) fn to_store(&self) -> usize {
        self.storing.len()
    }

    /// Hands the waiting operations to the store as one batch.
    ///
    /// # Errors
    /// If the store's thread has ended.
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

    /// Returns the results of a batch that is done; `None` if there is none.
    pub(super) fn stored(&self) -> Option<BatchResults> {
        self.done.try_recv().ok()
    }

    /// Waits until `by` at most for the results of a batch.
    pub(super) fn stored_by(&self, by: Instant) -> Option<BatchResults> {
        self.done.recv_deadline(by).ok()
    }

    /// Gives the hasher a job; returns false if its queue is full.
    ///
    /// # Errors
    /// If the hasher's thread has ended.
    pub(super) fn hash(&self, job: Job) -> Result<bool, ThreadEnded> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Err(TrySendError::Disconnected(_))) => Err(ThreadEnded("hasher")),
            Some(Err(TrySendError::Full(_))) => Ok(false),
            Some(Ok(())) | None => Ok(true),
        }
    }

    /// Returns the result of a hash that is done; `None` if there is none.
    pub(super) fn hashed(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }

    /// Asks the timer to wake the server at this time. The timer thread is told only if that is earlier than before; a
    /// wake-up too early does no harm.
    pub(super) fn wake_at(&mut self, now: Instant, at: Instant) {
        if self.deadline.is_none_or(|told| at < told || told <= now) {
            self.deadline = Some(at);
            if let Some(deadlines) = &self.deadlines {
                let _ = deadlines.send(at);
            }
        }
    }

    /// Returns whether the last deadline has come, and clears it if so. `now` is only called if there is one.
    pub(super) fn is_due(&mut self, now: impl FnOnce() -> Instant) -> bool {
        let Some(at) = self.deadline else { return false };
        let due = now() >= at;
        if due {
            self.deadline = None;
        }
        due
    }

    /// Closes the channels, which ends the threads; what was given to the store is committed first.
    pub(super) fn close(&mut self) {
        (self.ops, self.jobs, self.deadlines) = (None, None, None);
    }

    /// Waits until the threads have ended. Results of the last commits can still be fetched.
    pub(super) fn join(&mut self) {
        // Nobody waits for the passwords that are still to be hashed, each of which takes a while.
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
