//! Traffic as values, for the wire view: the last datagrams, passwords starred before they are kept.
//! Pure: the client says what went out and came in, and when.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::session::Cause;
use crate::wire::show;

/// Datagrams that are kept for whoever opens the view later.
pub const KEPT: usize = 256;

/// Which way a datagram went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the server, and why.
    Out(Cause),
    /// From the server; the time since the request it answers, where that was sent once.
    In(Option<Duration>),
}

/// One datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Milliseconds since 1970.
    pub unix_ms: i64,
    /// Which way.
    pub way: Way,
    /// Its bytes, with the passwords of 01 and 02 starred.
    pub bytes: Vec<u8>,
}

/// The last datagrams. The client owns it; a face reads it when its wire view opens.
#[derive(Debug, Default)]
pub struct Tap {
    ring: VecDeque<Record>,
    sent: Option<(Instant, [u8; 2])>,
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
        let first = !matches!(cause, Cause::Again(_));
        self.sent = operation(bytes).filter(|_| first).map(|operation| (now, operation));
        self.keep(Record { unix_ms, way: Way::Out(cause), bytes: show::starred(bytes) })
    }

    /// A datagram came in. The record, for a view that is open.
    pub fn received(&mut self, now: Instant, unix_ms: i64, bytes: &[u8]) -> Option<Record> {
        let of = operation(bytes);
        // 00:00 and 07:01 answer any request.
        let any = matches!(of.as_ref(), Some(b"00" | b"07"));
        let rtt = self.sent.take_if(|(_, sent)| any || of == Some(*sent));
        let rtt = rtt.map(|(at, _)| now.saturating_duration_since(at));
        self.keep(Record { unix_ms, way: Way::In(rtt), bytes: bytes.to_vec() })
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

fn operation(bytes: &[u8]) -> Option<[u8; 2]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_starred_and_answers_are_timed() {
        let mut tap = Tap::default();
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        assert_eq!(tap.sent(start, 1, b"02#a#secret#", Cause::First), None, "nobody looks");
        tap.set_live(true);
        let came = tap.received(later(12), 13, b"02:01").expect("somebody looks");
        assert_eq!(came.way, Way::In(Some(Duration::from_millis(12))));
        tap.sent(later(20), 20, b"08#", Cause::First);
        tap.sent(later(30), 30, b"08#", Cause::Again(2));
        assert_eq!(tap.received(later(31), 31, b"08:0").map(|r| r.way), Some(Way::In(None)), "of which?");
        assert_eq!(tap.records()[0].bytes, b"02#a#******#");
        for i in 0..1000 {
            tap.received(start, i, b"x");
        }
        assert_eq!(tap.records().len(), KEPT);
    }
}
