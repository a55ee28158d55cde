//! Which reply belongs to which request, as far as that can be told: replies carry no number, and requests sent by hand
//! use the same socket as the client's own. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::client::session::Cause;
use crate::probe::hand::{Arrived, Expectation, PATIENCE, Trial};
use crate::protocol::wire::{looks_like_reply, show};

/// The most requests without an answer that are remembered; more are only outstanding if sent by hand.
const ASKED: usize = 8;
/// The most requests sent by hand that are remembered.
const TRIALS: usize = 1_000;
/// How long an answer may still come, or a second one to a request that was sent twice.
const LATE: Duration = Duration::from_secs(10);
/// The same for a login: a server may delay the answer to a wrong password by a minute.
const HELD_BACK: Duration = Duration::from_secs(65);

type Operation = [u8; 2];

/// Requests and the replies to them.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    asked: VecDeque<UnansweredRequest>,
    /// Requests that were sent twice or given up: one more reply to each may come until this time.
    late: VecDeque<(Option<Operation>, Instant)>,
    /// What is expected of requests sent by hand that still wait for their turn.
    said: VecDeque<(Vec<u8>, Expectation)>,
    trials: VecDeque<ManualRequest>,
    /// How many requests sent by hand were forgotten.
    forgotten: usize,
}

/// A request that may still be answered.
#[derive(Debug)]
struct UnansweredRequest {
    /// The operation of the reply; `None` if only `00:00` or `07:01` can answer.
    operation: Option<Operation>,
    at: Instant,
    until: Instant,
    /// The number of the trial, if it was sent by hand.
    trial: Option<usize>,
    /// Whether it was sent more than once, so that an answer may belong to either.
    twice: bool,
}

/// A request that was sent by hand.
#[derive(Debug)]
struct ManualRequest {
    trial: Trial,
    at: Instant,
    unix_ms: i64,
    came: Option<Arrived>,
}

impl Pairing {
    /// Notes what is expected of a request that will be sent by hand, next or after others.
    pub fn expect(&mut self, bytes: &[u8], expectation: Expectation) {
        if self.said.len() == TRIALS {
            self.said.pop_front();
        }
        self.said.push_back((Trial::new(bytes, &expectation).sent().to_vec(), expectation));
    }

    /// Returns the requests sent by hand, oldest first: number, time, request, and what arrived.
    pub fn trials(&self, now: Instant) -> impl DoubleEndedIterator<Item = (usize, i64, &Trial, Arrived)> {
        self.trials.iter().enumerate().map(move |(i, made)| {
            let number = self.forgotten + 1 + i;
            let waited = now.saturating_duration_since(made.at);
            let none = if waited < PATIENCE { Arrived::NotYet } else { Arrived::Nothing };
            (number, made.unix_ms, &made.trial, made.came.clone().unwrap_or(none))
        })
    }

    /// Notes a request that was sent. If it repeats an earlier one, returns how long that has been unanswered.
    pub fn sent(&mut self, now: Instant, unix_ms: i64, bytes: &[u8], cause: Cause) -> Option<Duration> {
        self.forget(now);
        let own = operation(bytes).filter(|_| !looks_like_reply(bytes));
        let since = |asked: &UnansweredRequest| now.saturating_duration_since(asked.at);
        let mut waited = None;
        let mut until = now + LATE;
        let mut trial = None;
        match cause {
            Cause::Secure => return None,
            Cause::ByHand => {
                let number = self.make(now, unix_ms, bytes);
                trial = Some(number);
                // Even a request that expects no answer may be answered, and late.
                if own.is_none() && self.made(number).is_some_and(|made| made.trial.expects_silence()) {
                    until = now + PATIENCE;
                }
            }
            Cause::Again(_) => {
                if let Some(asked) = self.asked.iter_mut().find(|a| a.trial.is_none() && a.operation == own) {
                    waited = Some(since(asked));
                    (asked.at, asked.until, asked.twice) = (now, until, true);
                    return waited;
                }
            }
            Cause::Fence => waited = self.asked.iter().rfind(|a| a.trial.is_none()).map(since),
            // The session has one request outstanding, so what came before is settled or given up.
            Cause::First => {
                let given_up = self.asked.iter().filter(|a| a.trial.is_none());
                self.late.extend(given_up.map(|a| (a.operation, a.until)));
                self.asked.retain(|a| a.trial.is_some());
            }
        }
        if own == Some(*b"02") {
            until = now + HELD_BACK;
        }
        let mut twice = matches!(cause, Cause::Again(_));
        for other in self.asked.iter_mut().filter(|a| own.is_some() && a.operation == own) {
            (other.twice, twice) = (true, true);
        }
        if self.asked.len() == ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(UnansweredRequest { operation: own, at: now, until, trial, twice });
        waited
    }

    /// Notes a datagram that was received. Returns the time since its request, if the pairing is certain.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) -> Option<Duration> {
        self.forget(now);
        // A server may send back a password.
        let shown = show::starred(bytes);
        let of = operation(bytes);
        // 00:00 and 07:01 answer any request; among several it is the oldest, unless its answer was lost.
        let any = matches!(of.as_ref(), Some(b"00" | b"07"));
        let fits = |operation: Option<Operation>| any || of.is_some() && operation == of;
        let Some(asked) = self.asked.iter().position(|a| fits(a.operation)).and_then(|i| self.asked.remove(i)) else {
            // It may be the answer of a server that does not know the protocol well.
            if let (1, Some(number)) = (self.asked.len(), self.asked.front().and_then(|a| a.trial)) {
                self.came(number, Arrived::Perhaps(shown));
            }
            return None;
        };
        let overdue = asked.trial.is_some() && self.late.iter().any(|(operation, _)| fits(*operation));
        let certain = !(asked.twice || any && !self.asked.is_empty() || overdue);
        if asked.twice {
            self.late.push_back((asked.operation, asked.until));
        }
        let after = now.saturating_duration_since(asked.at);
        if certain {
            asked.trial.into_iter().for_each(|number| self.came(number, Arrived::Reply(shown.clone(), after)));
            return Some(after);
        }
        let others = self.asked.iter().filter(|a| fits(a.operation)).filter_map(|a| a.trial);
        for number in asked.trial.into_iter().chain(others).collect::<Vec<_>>() {
            self.came(number, Arrived::Perhaps(shown.clone()));
        }
        None
    }

    fn forget(&mut self, now: Instant) {
        self.asked.retain(|asked| asked.until > now);
        self.late.retain(|(_, until)| *until > now);
        let more = self.late.len().saturating_sub(ASKED);
        self.late.drain(..more);
    }

    /// Notes a request sent by hand, and returns its number.
    fn make(&mut self, now: Instant, unix_ms: i64, bytes: &[u8]) -> usize {
        let starred = Trial::new(bytes, &Expectation::Text);
        let said = self.said.iter().position(|(sent, _)| sent == starred.sent());
        let said = said.and_then(|i| self.said.remove(i));
        let trial = said.map_or(starred, |(_, expectation)| Trial::new(bytes, &expectation));
        if self.trials.len() == TRIALS {
            self.trials.pop_front();
            self.forgotten += 1;
        }
        self.trials.push_back(ManualRequest { trial, at: now, unix_ms, came: None });
        self.forgotten + self.trials.len()
    }

    fn made(&mut self, number: usize) -> Option<&mut ManualRequest> {
        self.trials.get_mut(number.checked_sub(self.forgotten + 1)?)
    }

    fn came(&mut self, number: usize, came: Arrived) {
        if let Some(made) = self.made(number) {
            made.came = Some(came);
        }
    }
}

fn operation(bytes: &[u8]) -> Option<Operation> {
    bytes.first_chunk().copied().filter(|digits: &Operation| digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests;
