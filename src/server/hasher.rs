//! Hashes passwords with argon2id on one thread with one block of memory, which is allocated for the first job of a
//! burst and freed when idle. By default 19 MiB would be allocated for each hash, and glibc does not return them.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::base::model::Password;

/// A password as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The salt: 16 random bytes.
    pub salt: Vec<u8>,
    /// The hash: argon2id, 32 bytes, with [`MEMORY_KIB`], 2 passes and 1 lane.
    pub hash: Vec<u8>,
}

/// The memory that argon2id uses, in KiB.
pub const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// The most jobs that may wait; more are refused, so that a flood of logins is bounded.
pub const MOST_JOBS: usize = 256;
const IDLE: Duration = Duration::from_secs(10);

/// A job for the hasher; `job` is the number that comes back with the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Job {
    /// Hashes a new password.
    New { job: u64, password: Password },
    /// Checks a password against a hash.
    Check { job: u64, password: Password, against: Hashed },
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Outcome {
    /// The answer to [`Job::New`]; `None` if the system gave no random bytes.
    New { job: u64, hashed: Option<Hashed> },
    /// The answer to [`Job::Check`].
    Checked { job: u64, right: bool },
}

/// Hashes a password on the calling thread, for operators' commands; `None` if the system gave no random bytes.
/// Passwords are hashed in Unicode NFC.
#[must_use]
pub fn hash(password: &Password) -> Option<Hashed> {
    new_hash(password, &mut Vec::new())
}

/// Hashes passwords on as many threads as there are processors, four at most. Returns the hashes in the same order.
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

/// Returns whether this is the password, either as it was typed or with its letters composed (Unicode NFC), since
/// keyboards differ in that. Both forms are always checked, so that the time tells nothing but what was typed. The
/// typed form is checked for passwords that were stored before composing was introduced.
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

/// Starts the thread, which ends when `jobs` is closed. Results go to `done`, and `wake` is called after each.
///
/// # Errors
/// If the system cannot start a thread.
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

/// Compares without an early exit, so that the time tells nothing.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests;
