//! The table of jobs that the store and the hasher have been given.
//!
//! ```text
//! request, frame, order ─ ask_store / ask_hasher ─▶ Effect::Store, Effect::Hash, with a number
//!                              │ PendingJob, under the number   │
//! reply, frames, answer ◀─ Engine::came ◀─ JobResult ◀─ stored, hashed, not_hashed
//! ```
//!
//! An entry holds what waits for the job: a plain request (`requests`), a device's frame (`secure::waiting`), an
//! operator's order (`administering`), or the look-up of a person (`finding`). Each kind has to say, in a `match` that
//! the compiler checks, which accounts it concerns ([`PendingJob::needs`]) and what its answer or its failure leads to.
//! What is the same for all jobs of a kind is done here: holding a lane and releasing it, counting a device's jobs,
//! answering an operator.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::administering::PendingOrder;
use super::finding::LookupWaiter;
use super::requests::{NextStep, PendingRequest};
use super::{Effect, Engine, Now, secure};
use crate::protocol::link::PeerId;
use crate::server::hasher::{Hashed, Job, Outcome};
use crate::server::store::{AccountId, Done, Op, PersonKey};

/// What waits for an answer of the store or the hasher.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the largest is the commonest")]
pub(super) enum PendingJob {
    /// A plain request; its lane is held until the answer comes.
    Request(SocketAddr, PendingRequest),
    /// A device's frame; it counts as one of the device's open jobs.
    Frame(PeerId, secure::PendingFrame),
    /// An operator's order and its ticket.
    Order(u64, PendingOrder),
    /// The look-up of a person, with all who wait for it.
    Person(PersonKey, Vec<LookupWaiter>),
}

/// The result of a job.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(super) enum JobResult {
    /// The store has finished; failures are [`JobResult::Failed`].
    Stored(Done),
    /// A new password has been hashed.
    Hashed(Hashed),
    /// A password has been checked; true if it is right.
    Checked(bool),
    /// Nothing was stored, read, hashed or checked.
    Failed,
}

impl PendingJob {
    /// Adds the accounts that must stay in memory until the job is done.
    fn needs(&self, needed: &mut HashSet<AccountId>) {
        match self {
            Self::Request(_, waiting) => waiting.needs(needed),
            Self::Frame(_, waiting) => waiting.needs(needed),
            Self::Order(_, ordered) => ordered.needs(needed),
            // A person who is being looked up is not in memory.
            Self::Person(..) => {}
        }
    }
}

/// All jobs that wait for an answer, by number. The answer bears the same number.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    last: u64,
    asked: HashMap<u64, PendingJob>,
}

impl Jobs {
    /// Enters a job and returns its number, which no other job has had.
    pub(super) fn note(&mut self, asked: PendingJob) -> u64 {
        self.last += 1;
        self.asked.insert(self.last, asked);
        self.last
    }

    /// Removes a job whose answer has come, and returns what waited for it.
    pub(super) fn take(&mut self, job: u64) -> Option<PendingJob> {
        self.asked.remove(&job)
    }

    /// Returns how many jobs wait for an answer.
    pub(super) fn waiting(&self) -> usize {
        self.asked.len()
    }

    /// Lets one more wait for the look-up of a person that has this number.
    pub(super) fn join(&mut self, job: u64, seeker: LookupWaiter) {
        if let Some(PendingJob::Person(_, seekers)) = self.asked.get_mut(&job) {
            seekers.push(seeker);
        }
    }

    /// Adds the accounts that must stay in memory for any job.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        self.asked.values().for_each(|asked| asked.needs(needed));
    }

    /// Returns the operators' orders that wait. Searches all jobs, so it is only for what operators do.
    pub(super) fn orders(&mut self) -> impl Iterator<Item = &mut PendingOrder> {
        self.asked.values_mut().filter_map(|asked| match asked {
            PendingJob::Order(_, ordered) => Some(ordered),
            PendingJob::Request(..) | PendingJob::Frame(..) | PendingJob::Person(..) => None,
        })
    }
}

impl Engine {
    /// Gives the store a job; `op` makes the operation from the job's number, which is returned.
    pub(super) fn ask_store(&mut self, asked: PendingJob, op: impl FnOnce(u64) -> Op) -> u64 {
        let job = self.asks(asked);
        self.effects.push_back(Effect::Store(op(job)));
        job
    }

    /// Gives the hasher a job; `hash` makes it from the job's number.
    pub(super) fn ask_hasher(&mut self, asked: PendingJob, hash: impl FnOnce(u64) -> Job) {
        let job = self.asks(asked);
        self.effects.push_back(Effect::Hash(hash(job)));
    }

    fn asks(&mut self, asked: PendingJob) -> u64 {
        match &asked {
            PendingJob::Request(from, _) => self.lanes.hold(*from),
            PendingJob::Frame(peer, waiting) => self.devices.ask(*peer, waiting),
            PendingJob::Order(..) | PendingJob::Person(..) => {}
        }
        self.jobs.note(asked)
    }

    /// Handles the result of an operation of [`Effect::Store`], which the store gives after its commit.
    pub fn stored(&mut self, now: Now, done: Done) {
        match done {
            Done::Took { account, senders, delivered } => {
                senders.iter().for_each(|(of, n)| self.accounts.took(account, of, *n));
                delivered.into_iter().for_each(|delivery| self.delivered(delivery));
            }
            Done::Failed { job } => self.came(now, job, JobResult::Failed),
            done => self.came(now, done.job(), JobResult::Stored(done)),
        }
        self.make_room(now);
    }

    /// Handles the result of a job of [`Effect::Hash`].
    pub fn hashed(&mut self, now: Now, outcome: Outcome) {
        match outcome {
            Outcome::New { job, hashed: Some(hashed) } => self.came(now, job, JobResult::Hashed(hashed)),
            Outcome::New { job, hashed: None } => {
                log::error!("no random bytes for a salt: a new password was not stored");
                self.came(now, job, JobResult::Failed);
            }
            Outcome::Checked { job, right } => self.came(now, job, JobResult::Checked(right)),
        }
    }

    /// Handles a job of [`Effect::Hash`] that the hasher has refused because its queue is full.
    pub fn not_hashed(&mut self, now: Now, job: u64) {
        self.came(now, job, JobResult::Failed);
    }

    /// Hands the result of a job to what waited for it; no job has the number 0.
    fn came(&mut self, now: Now, job: u64, came: JobResult) {
        let Some(asked) = self.jobs.take(job) else { return };
        match asked {
            PendingJob::Request(from, waiting) => match self.request_came(now, from, waiting, came) {
                NextStep::Reply(reply) => {
                    self.reply(from, &reply);
                    self.free(from, now);
                }
                NextStep::Nothing => self.free(from, now),
                NextStep::Later => {}
            },
            PendingJob::Frame(peer, waiting) => {
                self.devices.ask_no_more(peer, &waiting);
                self.frame_came(now, peer, waiting, came);
            }
            PendingJob::Order(ticket, ordered) => {
                let answer = self.order_came(now, ordered, came);
                self.tell(ticket, answer);
            }
            PendingJob::Person(sought, seekers) => self.person_came(now, sought, seekers, came),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_a_number_of_its_own_and_is_answered_once() {
        let mut jobs = Jobs::default();
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        let request = jobs.note(PendingJob::Request(from, PendingRequest::Offline));
        let device = jobs.note(PendingJob::Frame(PeerId(7), secure::PendingFrame::History { id: 9 }));
        let order = jobs.note(PendingJob::Order(5, PendingOrder::SecureOnly { account: 1, on: true }));
        assert_eq!([request, device, order], [1, 2, 3]);
        assert_eq!((jobs.orders().count(), jobs.waiting()), (1, 3));
        let mut needed = HashSet::new();
        jobs.needs(&mut needed);
        assert_eq!(needed, HashSet::from([1]));
        assert!(matches!(jobs.take(request), Some(PendingJob::Request(of, PendingRequest::Offline)) if of == from));
        let ordered = jobs.take(order);
        assert!(matches!(ordered, Some(PendingJob::Order(5, PendingOrder::SecureOnly { account: 1, on: true }))));
        assert!(jobs.take(request).is_none() && jobs.take(order).is_none() && jobs.waiting() == 1);
    }
}
