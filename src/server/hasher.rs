//! argon2id on one worker thread with one memory block, allocated for the first job of a burst and
//! freed when idle: the default allocates 19 MiB for each hash, and glibc keeps it.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::base::model::Password;

/// A stored password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// Random, 16 bytes.
    pub salt: Vec<u8>,
    /// argon2id, 32 bytes, parameters [`MEMORY_KIB`], 2 passes, 1 lane.
    pub hash: Vec<u8>,
}

/// argon2id's memory, in KiB.
pub const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Jobs that may wait; more are refused, so that a flood of logins is bounded.
pub const MOST_JOBS: usize = 256;
const IDLE: Duration = Duration::from_secs(10);

/// What is to be hashed, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Job {
    /// A new password.
    New { job: u64, password: Password },
    /// Is this the password?
    Check { job: u64, password: Password, against: Hashed },
}

/// What came out; `job` is the one given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Outcome {
    /// Answer to [`Job::New`]; `None` when the system gave no random bytes.
    New { job: u64, hashed: Option<Hashed> },
    /// Answer to [`Job::Check`].
    Checked { job: u64, right: bool },
}

/// Hashes here and now; for administration, where nobody waits. A password is kept in Unicode NFC.
#[must_use]
pub fn hash(password: &Password) -> Option<Hashed> {
    new_hash(password, &mut Vec::new())
}

/// All of these, as many at once as there are processors, four at most; in their order.
#[must_use]
pub fn hash_all(passwords: &[Password]) -> Option<Vec<Hashed>> {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
    let share = passwords.len().div_ceil(workers).max(1);
    let each = |part: &[Password]| {
        let mut memory = Vec::new();
        part.iter().map(|password| new_hash(password, &mut memory)).collect::<Option<Vec<_>>>()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = passwords.chunks(share).map(|part| scope.spawn(move || each(part))).collect();
        let parts = parts.into_iter().map(|part| part.join().ok().flatten());
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    })
}

fn new_hash(password: &Password, memory: &mut Vec<Block>) -> Option<Hashed> {
    let mut salt = vec![0; 16];
    getrandom::fill(&mut salt).ok()?;
    let composed = password.composed();
    let hash = derive(composed.as_ref().unwrap_or(password), &salt, memory)?;
    Some(Hashed { salt, hash })
}

/// Whether this is the password: as it was typed, or with its letters put together (Unicode NFC), since keyboards
/// differ in that. Both are looked at whatever the first says, so the time tells nothing but what was typed. As it was
/// typed comes first for passwords that were kept so before.
fn is_right(password: &Password, against: &Hashed, memory: &mut Vec<Block>) -> bool {
    let forms = std::iter::once(password.clone()).chain(password.composed());
    forms.fold(false, |right, form| {
        right | derive(&form, &against.salt, memory).is_some_and(|hash| same(&hash, &against.hash))
    })
}

fn derive(password: &Password, salt: &[u8], memory: &mut Vec<Block>) -> Option<Vec<u8>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
    memory.resize(params.block_count(), Block::default());
    let mut hash = vec![0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.reveal().as_bytes(), salt, &mut hash, memory)
        .ok()?;
    Some(hash)
}

/// Starts the worker; it ends when `jobs` is closed. `done` is called with each outcome.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    jobs: Receiver<Job>,
    done: Sender<Outcome>,
    wake: impl Fn() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("hasher".into()).spawn(move || {
        let mut memory = Vec::new();
        loop {
            let job = match jobs.recv_timeout(IDLE) {
                Ok(job) => job,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    memory = Vec::new();
                    match jobs.recv() {
                        Ok(job) => job,
                        Err(_) => return,
                    }
                }
            };
            let outcome = match job {
                Job::New { job, password } => Outcome::New { job, hashed: new_hash(&password, &mut memory) },
                Job::Check { job, password, against } => {
                    Outcome::Checked { job, right: is_right(&password, &against, &mut memory) }
                }
            };
            if done.send(outcome).is_err() {
                return;
            }
            wake();
        }
    })
}

/// Without an early exit, so that the time tells nothing.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests;
