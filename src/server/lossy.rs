//! A simulated bad network, for testing clients: `--lossy`.

use std::time::{Duration, Instant};

use crate::protocol::link::Endpoints;

/// How many percent of datagrams are lost, doubled and reordered, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lossy {
    /// Percentage that is lost.
    pub drop: u8,
    /// Percentage that is doubled.
    pub duplicate: u8,
    /// Percentage that changes places with the next datagram, or comes 50 ms late.
    pub reorder: u8,
    /// The seed: the same seed and traffic give the same faults.
    pub seed: u64,
}

pub(super) type Datagram = (Endpoints, Vec<u8>);

/// How long a datagram waits at most to change places; real networks do not hold anything for seconds.
const HELD: Duration = Duration::from_millis(50);

/// The simulated network in both directions.
pub(super) struct LossyNetwork {
    faults: Lossy,
    state: u64,
    held_in: Option<DelayedDatagram>,
    held_out: Option<DelayedDatagram>,
}

struct DelayedDatagram {
    until: Instant,
    datagram: Datagram,
}

impl LossyNetwork {
    pub(super) fn new(faults: Lossy) -> Self {
        Self { faults, state: faults.seed | 1, held_in: None, held_out: None }
    }

    fn is_one_of(&mut self, percent: u8) -> bool {
        // xorshift64, which is repeatable from the seed; nothing more is needed.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) % 100 < u64::from(percent)
    }

    pub(super) fn passes_in(&mut self, now: Instant, from: Endpoints, bytes: &[u8]) -> Vec<Datagram> {
        let held = self.held_in.take();
        let (passed, held) = self.pass(now, (from, bytes.to_vec()), held);
        self.held_in = held;
        passed
    }

    pub(super) fn passes_out(&mut self, now: Instant, to: Endpoints, bytes: &[u8]) -> Vec<Datagram> {
        let held = self.held_out.take();
        let (passed, held) = self.pass(now, (to, bytes.to_vec()), held);
        self.held_out = held;
        passed
    }

    /// Returns what passes now, and what waits for the next datagram.
    fn pass(
        &mut self,
        now: Instant,
        datagram: Datagram,
        held: Option<DelayedDatagram>,
    ) -> (Vec<Datagram>, Option<DelayedDatagram>) {
        let Lossy { drop, duplicate, reorder, .. } = self.faults;
        // All three are drawn each time, so that one decision does not depend on when datagrams come.
        let (dropped, doubled, late) = (self.is_one_of(drop), self.is_one_of(duplicate), self.is_one_of(reorder));
        let before = match held {
            None if late && !dropped => return (Vec::new(), Some(DelayedDatagram { until: now + HELD, datagram })),
            held => held.map(|held| held.datagram),
        };
        let copies = match (dropped, doubled) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        };
        let mut passed = vec![datagram; copies];
        passed.extend(before);
        (passed, None)
    }

    /// Returns when [`LossyNetwork::late_in`] or [`LossyNetwork::late_out`] will have something.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [&self.held_in, &self.held_out].into_iter().flatten().map(|held| held.until).min()
    }

    pub(super) fn late_in(&mut self, now: Instant) -> Option<Datagram> {
        self.held_in.take_if(|held| held.until <= now).map(|held| held.datagram)
    }

    pub(super) fn late_out(&mut self, now: Instant) -> Option<Datagram> {
        self.held_out.take_if(|held| held.until <= now).map(|held| held.datagram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Endpoints {
        Endpoints::from(std::net::SocketAddr::from(([127, 0, 0, 1], port)))
    }

    #[test]
    fn what_changes_places_waits_for_the_next_one_but_not_for_long() {
        let start = Instant::now();
        let mut network = LossyNetwork::new(Lossy { drop: 0, duplicate: 0, reorder: 100, seed: 1 });
        assert_eq!(network.passes_in(start, at(1), b"1"), []);
        assert_eq!(network.passes_out(start, at(2), b"a"), [], "each way on its own");
        assert_eq!(network.passes_in(start, at(1), b"2"), [(at(1), b"2".to_vec()), (at(1), b"1".to_vec())]);
        assert_eq!((network.poll_timeout(), network.late_out(start)), (Some(start + HELD), None));
        assert_eq!(network.late_out(start + HELD), Some((at(2), b"a".to_vec())));
        assert_eq!((network.poll_timeout(), network.late_in(start + HELD)), (None, None));
    }

    #[test]
    fn so_many_are_dropped_and_doubled() {
        let start = Instant::now();
        let mut network = LossyNetwork::new(Lossy { drop: 30, duplicate: 10, reorder: 25, seed: 1 });
        let passed: usize = (0..100_000).map(|_| network.passes_in(start, at(1), b"x").len()).sum();
        let passed = passed + usize::from(network.late_in(start + HELD).is_some());
        // Delayed datagrams are not doubled.
        assert!((71_000..77_000).contains(&passed), "{passed}");
    }
}
