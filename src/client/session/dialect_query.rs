//! Which dialect a server speaks, asked in text that every server can read: `10#Q1#nonce#`. Ours answers
//! `10:01:Q1:nonce`. Only a text that is something else means the plain dialect; silence means nothing.
//!
//! Source: the secure dialect, "Finding each other". Not every server answers what it does not know, so
//! after three silent `10#` an `08#` goes along, to which everybody has an answer. On a bad network the
//! answer to that may come where the one to `10#` was lost, so it must happen several times.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Cause, Transmit};
use crate::base::timer::Dice;
use crate::protocol::wire::{Charset, Learned, Reply, Request};

/// The interval between requests.
const AGAIN: Duration = Duration::from_millis(300);
const MOST: Duration = Duration::from_secs(2);
/// How many `10#` go alone, before an `08#` goes beside them.
const ALONE: u8 = 3;
/// How many questions go out at even distances; after them they go out later and later.
const QUICK: u8 = 12;
/// How many times an `08#` is answered and the `10#` beside it is not, before the server counts as one that
/// does not know it: at 30 % loss each way one in 50,000 of ours would.
const DEAF: u8 = 8;
/// Padding of the request in bytes, so that the answer is not longer than the request.
const PADDING: usize = 16;

/// The dialect that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpokenDialect {
    /// The plain dialect, which every server speaks.
    Plain,
    /// The secure dialect, as every server of ours does.
    Secure,
}

/// The question which dialect a server speaks: sends `10#` and `08#` until an answer tells.
#[derive(Debug)]
pub struct DialectQuery {
    nonce: String,
    began: Instant,
    tries: u8,
    next: Instant,
    step: Duration,
    deaf: u8,
    /// What may still be answered, in the order it was sent.
    unanswered: VecDeque<(Request, Instant)>,
    transmits: VecDeque<Transmit>,
}

impl DialectQuery {
    /// Begins to ask: the first `10#` is due at once.
    #[must_use]
    pub fn new(now: Instant, dice: &mut Dice) -> Self {
        let nonce = format!("{:016x}", dice.roll());
        let (unanswered, transmits) = (VecDeque::new(), VecDeque::new());
        let mut finding = Self { nonce, began: now, tries: 0, next: now, step: AGAIN, deaf: 0, unanswered, transmits };
        finding.ask(now);
        finding
    }

    /// When the query began.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.began
    }

    fn ask(&mut self, now: Instant) {
        self.tries = self.tries.saturating_add(1);
        let cause = if self.tries == 1 { Cause::First } else { Cause::Again(self.tries) };
        let hello = Request::Hello { nonce: self.nonce.clone(), padding: PADDING };
        self.say(now, hello, cause);
        if self.tries > ALONE {
            self.say(now, Request::CountAll, Cause::Fence);
        }
        if self.tries > QUICK {
            self.step = (self.step * 3 / 2).min(MOST);
        }
        self.next = now + self.step;
    }

    fn say(&mut self, now: Instant, request: Request, cause: Cause) {
        self.transmits.push_back(Transmit { bytes: request.encode(Charset::default()), cause });
        self.unanswered.push_back((request, now));
    }

    /// The datagrams that may still be answered, and when they were sent.
    pub fn unanswered(&self) -> impl Iterator<Item = (Vec<u8>, Instant)> {
        self.unanswered.iter().map(|(request, sent)| (request.encode(Charset::default()), *sent))
    }

    /// Whether such a text would say something; it must be certain then that it answers nothing else.
    #[must_use]
    pub fn would_mean(reply: &Reply) -> bool {
        matches!(reply, Reply::NotUnderstood | Reply::Other(_) | Reply::NotLoggedIn | Reply::CountAll(_))
    }

    /// The first of its kind is answered; of a server that answers in order no answer to what was sent before it
    /// can still come.
    fn settle(&mut self, counting: bool) {
        let at = self.unanswered.iter().position(|(request, _)| (*request == Request::CountAll) == counting);
        self.unanswered.drain(..at.map_or(0, |at| at + 1));
    }

    /// The next datagram for the server.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`DialectQuery::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// Sends the next request; the owner calls it when the time of [`DialectQuery::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next <= now {
            self.ask(now);
        }
    }

    /// Sends the next request at once; a face calls it for F5.
    pub fn ask_now(&mut self, now: Instant) {
        self.step = AGAIN;
        self.ask(now);
    }

    /// A text from the server: what it speaks, if that says it.
    pub fn handle_text(&mut self, now: Instant, bytes: &[u8]) -> Option<SpokenDialect> {
        let reply = Reply::decode(bytes, &mut Learned::default());
        match reply {
            Reply::Hello { nonce } => (nonce == self.nonce).then_some(SpokenDialect::Secure),
            // Whatever else it says to `10#`.
            Reply::NotUnderstood | Reply::Other(_) => {
                self.settle(false);
                Some(SpokenDialect::Plain)
            }
            Reply::CountAll(_) | Reply::NotLoggedIn if self.tries > ALONE => {
                self.deaf += 1;
                self.settle(true);
                if self.deaf >= DEAF {
                    return Some(SpokenDialect::Plain);
                }
                // It is there, and no answer to what was sent before this one can still come.
                self.ask(now);
                None
            }
            Reply::NotLoggedIn => {
                self.settle(false);
                Some(SpokenDialect::Plain)
            }
            // Left over from before, at the same port.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
