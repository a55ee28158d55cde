//! Finds out which dialect a server speaks, with a text that every server can read: `10#Q1#nonce#`. A Hongyan server
//! answers `10:01:Q1:nonce`. Only another answer means the plain dialect; silence means nothing.
//! Source: the secure dialect, "Finding each other". Not every server answers an unknown request, so after three
//! unanswered `10#` an `08#` is sent with each, which every server answers. On a bad network the answer to `08#` may
//! arrive while the one to `10#` is lost, so this must happen several times.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Cause, Transmit};
use crate::base::timer::Dice;
use crate::protocol::wire::{Charset, Learned, Reply, Request};

/// The interval between requests.
const AGAIN: Duration = Duration::from_millis(300);
const MOST: Duration = Duration::from_secs(2);
/// The number of `10#` that are sent alone, before an `08#` is sent with each.
const ALONE: u8 = 3;
/// The number of questions at equal intervals; after these, each interval is longer.
const QUICK: u8 = 12;
/// How many times an `08#` is answered and the `10#` sent with it is not, before the server counts as one that does not
/// know `10#`. At 30 % loss each way, one in 50,000 Hongyan servers would be mistaken for one.
const DEAF: u8 = 8;
/// Padding of the request in bytes, so that the answer is not longer than the request.
const PADDING: usize = 16;

/// The dialect that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpokenDialect {
    /// The plain dialect, which every server speaks.
    Plain,
    /// The secure dialect, which every Hongyan server speaks.
    Secure,
}

/// The query for a server's dialect: sends `10#` and `08#` until an answer tells it.
#[derive(Debug)]
pub struct DialectQuery {
    nonce: String,
    began: Instant,
    tries: u8,
    next: Instant,
    step: Duration,
    deaf: u8,
    /// The requests that may still be answered, in the order they were sent.
    unanswered: VecDeque<(Request, Instant)>,
    transmits: VecDeque<Transmit>,
}

impl DialectQuery {
    /// Begins a query; the first `10#` is due at once.
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

    /// Returns the datagrams that may still be answered, and when they were sent.
    pub fn unanswered(&self) -> impl Iterator<Item = (Vec<u8>, Instant)> {
        self.unanswered.iter().map(|(request, sent)| (request.encode(Charset::default()), *sent))
    }

    /// Returns whether such a text would tell the dialect, if it is certain that it answers no other request.
    #[must_use]
    pub fn would_mean(reply: &Reply) -> bool {
        matches!(reply, Reply::NotUnderstood | Reply::Other(_) | Reply::NotLoggedIn | Reply::CountAll(_))
    }

    /// Notes that the first request of its kind is answered. A server answers in order, so no answer to an earlier
    /// request can still come.
    fn settle(&mut self, counting: bool) {
        let at = self.unanswered.iter().position(|(request, _)| (*request == Request::CountAll) == counting);
        self.unanswered.drain(..at.map_or(0, |at| at + 1));
    }

    /// Returns the next datagram for the server.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Returns when [`DialectQuery::handle_timeout`] is to be called next.
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

    /// Takes in a text from the server, and returns the dialect if the text tells it.
    pub fn handle_text(&mut self, now: Instant, bytes: &[u8]) -> Option<SpokenDialect> {
        let reply = Reply::decode(bytes, &mut Learned::default());
        match reply {
            Reply::Hello { nonce } => (nonce == self.nonce).then_some(SpokenDialect::Secure),
            // Any other answer to `10#`.
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
                // The server is there, and no answer to an earlier request can still come.
                self.ask(now);
                None
            }
            Reply::NotLoggedIn => {
                self.settle(false);
                Some(SpokenDialect::Plain)
            }
            // This answers a request of an earlier session at the same port.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
