//! Datagrams as values, for the protocol window: the latest ones, with passwords starred before they are kept. Requests
//! sent by hand are kept with their replies. Pure: the client says what was sent and received, and when.
//!
//! Its part:
//!
//! - `pairing`: which reply belongs to which request, if that can be told; also requests sent by hand.

mod pairing;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pairing::Pairing;

use crate::client::session::{Cause, TappedFrame};
use crate::probe::hand::{Arrived, Expectation, Trial};
use crate::protocol::link;
use crate::protocol::wire::show;

/// How many datagrams are kept for a protocol window that is opened later.
pub const KEPT: usize = 256;

/// The direction of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server, with the cause.
    Out(Cause),
    /// From the server.
    In,
    /// To the server, as a frame of the secure dialect, as the server reads it.
    Said,
    /// From the server, as a frame of the secure dialect, as the server wrote it.
    Heard,
}

/// A datagram, or a decrypted frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it was sent or received, in milliseconds since 1970.
    pub unix_ms: i64,
    /// The direction.
    pub way: Direction,
    /// The bytes, with passwords, tokens and proofs starred.
    pub bytes: Vec<u8>,
    /// For a reply, the time since its request, if the pairing is certain; for a repeated request, how long the
    /// earlier one has been unanswered.
    pub after: Option<Duration>,
}

/// The latest datagrams. The client owns it; a face reads it when its protocol window opens.
#[derive(Debug, Default)]
pub struct Tap {
    ring: VecDeque<Record>,
    pairing: Pairing,
    live: bool,
}

impl Tap {
    /// Sets whether each datagram is to be passed on at once.
    pub fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// Returns the latest datagrams, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.ring.iter().cloned().collect()
    }

    /// Notes a datagram that was sent. Returns its record if a protocol window is open.
    pub fn sent(&mut self, now: Instant, unix_ms: i64, bytes: &[u8], cause: Cause) -> Option<Record> {
        let after = self.pairing.sent(now, unix_ms, bytes, cause);
        self.keep(Record { unix_ms, way: Direction::Out(cause), bytes: show::starred(bytes), after })
    }

    /// Notes a datagram that was received. Returns its record if a protocol window is open.
    pub fn received(&mut self, now: Instant, unix_ms: i64, bytes: &[u8]) -> Option<Record> {
        if link::is_packet(bytes) {
            return self.keep(Record { unix_ms, way: Direction::In, bytes: bytes.to_vec(), after: None });
        }
        let after = self.pairing.received(now, bytes);
        // A server that sends back what it gets must not bring a password into a record.
        self.keep(Record { unix_ms, way: Direction::In, bytes: show::starred(bytes), after })
    }

    /// Notes what is expected of a request that is about to be sent by hand.
    pub fn expect(&mut self, bytes: &[u8], expectation: Expectation) {
        self.pairing.expect(bytes, expectation);
    }

    /// Returns the requests sent by hand, oldest first: number, time (milliseconds since 1970), request, and what
    /// arrived.
    pub fn trials(&self, now: Instant) -> impl DoubleEndedIterator<Item = (usize, i64, &Trial, Arrived)> {
        self.pairing.trials(now)
    }

    /// Called when another server is used from now on: requests to the last one get no answer any more.
    pub fn begin_anew(&mut self) {
        self.pairing = Pairing::default();
    }

    /// Notes a frame, whose secrets are already starred. Returns its record if a protocol window is open.
    pub fn framed(&mut self, unix_ms: i64, frame: TappedFrame) -> Option<Record> {
        let (way, bytes) = match frame {
            TappedFrame::Said(bytes) => (Direction::Said, bytes),
            TappedFrame::Heard(bytes) => (Direction::Heard, bytes),
        };
        self.keep(Record { unix_ms, way, bytes, after: None })
    }

    fn keep(&mut self, record: Record) -> Option<Record> {
        if self.ring.len() == KEPT {
            self.ring.pop_front();
        }
        let live = self.live.then(|| record.clone());
        self.ring.push_back(record);
        live
    }
}

#[cfg(test)]
mod tests;
