//! Answers that may still come to requests nobody waits for any more: requests that were given up, sent more than once,
//! or sent before this session. Replies carry no number; so a reply that may belong to one of these does not count as
//! the answer to the present request, which is sent again if it was after all.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::LoggedIn;

/// How long after it was sent last a request that was given up may still be answered.
pub(super) const LATE: Duration = Duration::from_secs(10);
/// How much longer the answer to a wrong password may take, which a server may delay by a minute.
const HELD_BACK: Duration = Duration::from_secs(55);
/// Servers answer in order, apart from a rare swap on the way. After this many answers to later requests, an answer was
/// lost or never given.
const PASSED: u8 = 3;
/// The most requests that are remembered.
const MOST: usize = 64;

/// The request that is outstanding now, reduced to what decides whether a reply is its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct AwaitedRequest {
    /// A hash of the request's bytes.
    pub mark: u64,
    /// Its operation, if it has one.
    pub operation: Option<u8>,
    /// Whether it asks something that only an answer to itself can tell, even if the same bytes were sent before.
    pub exact: bool,
}

/// Requests that may still be answered.
#[derive(Debug, Default)]
pub(super) struct LateAnswers {
    asked: VecDeque<LateRequest>,
}

#[derive(Debug)]
struct LateRequest {
    operation: Option<u8>,
    /// A hash of the request's bytes, which may hold a password and are not kept.
    mark: u64,
    until: Instant,
    /// How many answers to later requests have come.
    passed: u8,
    /// Whether a login has followed it.
    before_login: bool,
}

impl LateAnswers {
    /// Takes note that `copies` copies of this request may still be answered, until `until`.
    pub fn expect(&mut self, operation: Option<u8>, mark: u64, until: Instant, copies: usize) {
        for _ in 0..copies.min(MOST) {
            if self.asked.len() == MOST {
                self.asked.pop_front();
            }
            self.asked.push_back(LateRequest { operation, mark, until, passed: 0, before_login: false });
        }
    }

    /// Returns the operation of the earlier request that this reply answers; `None` if it answers the present one or
    /// none.
    pub fn claims(&mut self, now: Instant, reply: &Reply, waited: Option<AwaitedRequest>) -> Option<Option<u8>> {
        self.asked.retain(|asked| asked.until + HELD_BACK > now);
        let at = self.asked.iter().position(|asked| asked.may_get(now, reply))?;
        let asked = self.asked.remove(at)?;
        if asked.until <= now {
            // A delayed answer comes once for all copies.
            self.asked.retain(|other| other.mark != asked.mark);
        }
        match waited.filter(|waited| can_answer(waited.operation, reply)) {
            // The answer to one copy is as good as that to another.
            Some(waited) if waited.mark == asked.mark && !waited.exact => None,
            _ => Some(asked.operation),
        }
    }

    /// Returns whether a reply may answer an earlier request, while another part of the program asks the server too.
    pub fn is_unclear(&mut self, now: Instant, reply: &Reply) -> bool {
        // Earlier questions of this kind tell the same.
        self.forget(10);
        self.claims(now, reply, None).is_some()
    }

    /// Takes note of datagrams that were sent for something else at these times and may still be answered.
    pub fn expect_sent(&mut self, datagrams: &[(Vec<u8>, Instant)]) {
        for (bytes, sent) in datagrams {
            self.expect(operation_of(bytes), mark(bytes), *sent + LATE, 1);
        }
    }

    /// Forgets requests of this operation, because their answers are waited for again.
    fn forget(&mut self, operation: u8) {
        self.asked.retain(|asked| asked.operation != Some(operation));
    }

    /// Notes that a login has succeeded, so that `07:01` now means something else.
    pub fn logged_in(&mut self) {
        self.asked.iter_mut().for_each(|asked| asked.before_login = true);
    }

    /// Notes that a request was answered; `in_order` if the server answers in the order of requests.
    pub fn passed(&mut self, in_order: bool) {
        for asked in &mut self.asked {
            asked.passed = asked.passed.saturating_add(if in_order { PASSED } else { 1 });
        }
    }
}

impl LateRequest {
    fn may_get(&self, now: Instant, reply: &Reply) -> bool {
        can_answer(self.operation, reply)
            && match reply {
                // A message is kept, whatever request it answers.
                Reply::Take(Some(_)) | Reply::TakeAll(Some(_)) => false,
                // The fence decides about these.
                Reply::Send(_) => false,
                // Whichever request it answers, the same session has ended.
                Reply::NotLoggedIn if self.operation != Some(10) && !self.before_login => false,
                // A delayed answer does not come in order.
                Reply::Login(LoggedIn::WrongPassword) => now < self.until + HELD_BACK,
                _ => now < self.until && self.passed < PASSED,
            }
    }
}

/// Returns the operation: the two digits at the beginning.
pub(super) fn operation_of(bytes: &[u8]) -> Option<u8> {
    bytes.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
}

/// Returns whether a reply can be the answer to a request of this operation.
pub(super) fn can_answer(operation: Option<u8>, reply: &Reply) -> bool {
    match reply {
        Reply::NotUnderstood => true,
        Reply::NotLoggedIn => !matches!(operation, Some(1 | 2)),
        // A code that the protocol does not know is an answer too; if it counted as silence, the request would be
        // repeated.
        Reply::Other(bytes) => operation.is_some_and(|n| bytes.starts_with(format!("{n:02}:").as_bytes())),
        reply => operation.is_some() && reply.operation() == operation,
    }
}

/// Returns a hash that tells requests apart without keeping their bytes.
pub(super) fn mark(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
