//! Traffic as values, for the wire view: the last datagrams, passwords starred before they are kept.
//! What was sent by hand is kept with what came to it. Pure: the client says what went out and came in,
//! and when.
//!
//! Its part:
//!
//! - `pairing`: which reply belongs to which request, where that can be told; what was sent by hand.

mod pairing;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pairing::Pairing;

use crate::client::session::{Cause, Framed};
use crate::probe::hand::{Came, Expectation, Trial};
use crate::protocol::link;
use crate::protocol::wire::show;

/// Datagrams that are kept for whoever opens the view later.
pub const KEPT: usize = 256;

/// Which way a datagram went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the server, and why.
    Out(Cause),
    /// From the server.
    In,
    /// A frame of the secure dialect, as the server will read it.
    Said,
    /// A frame of the secure dialect, as the server wrote it.
    Heard,
}

/// One datagram, or one frame that went through the encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Milliseconds since 1970.
    pub unix_ms: i64,
    /// Which way.
    pub way: Way,
    /// Its bytes, with passwords and what else lets somebody in starred.
    pub bytes: Vec<u8>,
    /// Of an answer: the time since its request, if that is certain. Of a request that goes out since
    /// an earlier one is not answered: how long that has been waited for.
    pub after: Option<Duration>,
}

/// The last datagrams. The client owns it; a face reads it when its wire view opens.
#[derive(Debug, Default)]
pub struct Tap {
    ring: VecDeque<Record>,
    pairing: Pairing,
    live: bool,
}

impl Tap {
    /// Whether each datagram is to be handed on at once.
    pub fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// What was seen lately, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.ring.iter().cloned().collect()
    }

    /// A datagram went out. The record, for a view that is open.
    pub fn sent(&mut self, now: Instant, unix_ms: i64, bytes: &[u8], cause: Cause) -> Option<Record> {
        let after = self.pairing.sent(now, unix_ms, bytes, cause);
        self.keep(Record { unix_ms, way: Way::Out(cause), bytes: show::starred(bytes), after })
    }

    /// A datagram came in. The record, for a view that is open.
    pub fn received(&mut self, now: Instant, unix_ms: i64, bytes: &[u8]) -> Option<Record> {
        if link::is_packet(bytes) {
            return self.keep(Record { unix_ms, way: Way::In, bytes: bytes.to_vec(), after: None });
        }
        let after = self.pairing.received(now, bytes);
        // A server that sends back what it gets must not bring a password into a record.
        self.keep(Record { unix_ms, way: Way::In, bytes: show::starred(bytes), after })
    }

    /// Somebody is about to send this by hand, and expects something of it.
    pub fn expect(&mut self, bytes: &[u8], expectation: Expectation) {
        self.pairing.expect(bytes, expectation);
    }

    /// What was sent by hand, from the oldest on: number, when, the request, what came to it.
    pub fn trials(&self, now: Instant) -> impl DoubleEndedIterator<Item = (usize, i64, &Trial, Came)> {
        self.pairing.trials(now)
    }

    /// Another server is spoken to from now on; what was sent to the one before has no answer here.
    pub fn begin_anew(&mut self) {
        self.pairing = Pairing::default();
    }

    /// A frame went through, its secrets starred already. The record, for a view that is open.
    pub fn framed(&mut self, unix_ms: i64, frame: Framed) -> Option<Record> {
        let (way, bytes) = match frame {
            Framed::Said(bytes) => (Way::Said, bytes),
            Framed::Heard(bytes) => (Way::Heard, bytes),
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
mod tests {
    use super::*;

    #[test]
    fn passwords_are_in_no_record() {
        let mut tap = Tap::default();
        let now = Instant::now();
        assert_eq!(tap.sent(now, 1, b"02#a#secret#", Cause::First), None, "nobody looks");
        tap.set_live(true);
        for echo in [&b"02#a#secret#"[..], b"01#a#secret#secret", b"02#a#secret"] {
            let record = tap.received(now, 2, echo).expect("somebody looks");
            assert!(!record.bytes.windows(6).any(|w| w == b"secret"), "{}", echo.escape_ascii());
        }
        tap.sent(now, 3, b"02#a#secret#", Cause::ByHand);
        assert!(tap.records().iter().all(|r| !r.bytes.windows(6).any(|w| w == b"secret")));
        for i in 0..1000 {
            tap.received(now, i, b"x");
        }
        assert_eq!(tap.records().len(), KEPT);
    }

    /// `>` goes out, `<` comes in, at so many milliseconds; what stands behind it is what is shown.
    #[test]
    fn answers_are_timed_where_that_is_certain() {
        use Cause::{Again, ByHand, Fence, First};
        type Step = (u64, Option<Cause>, &'static [u8], Option<u64>);
        let tables: [(&str, &[Step]); 6] = [
            (
                "simple",
                &[(0, Some(First), b"02#a#b#", None), (12, None, b"02:01", Some(12)), (13, None, b"02:01", None)],
            ),
            (
                "sent twice: of which is it?",
                &[(0, Some(First), b"08#", None), (300, Some(Again(2)), b"08#", Some(300)), (301, None, b"08:0", None)],
            ),
            (
                "the fence tells how long 03 has been waited for",
                &[
                    (0, Some(First), b"03#b#x#", None),
                    (1000, Some(Fence), b"08#", Some(1000)),
                    (1010, None, b"03:01", Some(1010)),
                    (1020, None, b"08:0", Some(20)),
                ],
            ),
            (
                "by hand beside the session",
                &[
                    (0, Some(First), b"08#", None),
                    (1, Some(ByHand), b"99#", None),
                    (2, None, b"08:0", Some(2)),
                    (5, None, b"00:00", Some(4)),
                ],
            ),
            (
                "the same by hand: of which is it?",
                &[(0, Some(ByHand), b"08#", None), (9, Some(First), b"08#", None), (10, None, b"08:0", None)],
            ),
            (
                "given up",
                &[(0, Some(First), b"01#a#", None), (9, Some(First), b"08#", None), (10, None, b"07:01", Some(1))],
            ),
        ];
        for (name, steps) in tables {
            let (mut tap, start) = (Tap::default(), Instant::now());
            tap.set_live(true);
            for (ms, cause, bytes, shown) in steps {
                let now = start + Duration::from_millis(*ms);
                let record = match cause {
                    Some(cause) => tap.sent(now, 0, bytes, *cause),
                    None => tap.received(now, 0, bytes),
                };
                let after = record.and_then(|r| r.after).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
                assert_eq!(after, *shown, "{name}: {} at {ms} ms", bytes.escape_ascii());
            }
        }
    }

    /// `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --lib tap -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stdout, reason = "the figure is what it is for")]
    fn what_it_costs_while_nobody_looks() {
        let (mut tap, start, rounds) = (Tap::default(), Instant::now(), 1_000_000_u32);
        for i in 0..rounds {
            tap.sent(start, i64::from(i), b"08#", Cause::First);
            tap.received(start, i64::from(i), b"08:0");
        }
        println!("{:?} a datagram", start.elapsed() / (2 * rounds));
    }
}
