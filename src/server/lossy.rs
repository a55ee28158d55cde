//! A bad network, for trying clients: `--lossy`.

use std::net::SocketAddr;

/// Percentages of datagrams dropped, doubled and swapped with the next, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lossy {
    /// Percent dropped.
    pub drop: u8,
    /// Percent doubled.
    pub duplicate: u8,
    /// Percent that change places with the next one.
    pub reorder: u8,
    /// The same seed and traffic give the same faults.
    pub seed: u64,
}

pub(super) type Datagram = (SocketAddr, Vec<u8>);

/// A bad network in both directions.
pub(super) struct Network {
    faults: Lossy,
    state: u64,
    held_in: Option<Datagram>,
    held_out: Option<Datagram>,
}

impl Network {
    pub(super) fn new(faults: Lossy) -> Self {
        Self { faults, state: faults.seed | 1, held_in: None, held_out: None }
    }

    fn percent(&mut self) -> u8 {
        // xorshift64: repeatable from the seed, which is all that is asked of it.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        u8::try_from((self.state >> 32) % 100).unwrap_or(0)
    }

    pub(super) fn passes_in(&mut self, from: SocketAddr, bytes: &[u8]) -> Vec<Datagram> {
        let mut held = self.held_in.take();
        let passed = self.pass((from, bytes.to_vec()), &mut held);
        self.held_in = held;
        passed
    }

    pub(super) fn passes_out(&mut self, to: SocketAddr, bytes: &[u8]) -> Vec<Datagram> {
        let mut held = self.held_out.take();
        let passed = self.pass((to, bytes.to_vec()), &mut held);
        self.held_out = held;
        passed
    }

    fn pass(&mut self, datagram: Datagram, held: &mut Option<Datagram>) -> Vec<Datagram> {
        if self.percent() < self.faults.drop {
            return held.take().into_iter().collect();
        }
        let copies = if self.percent() < self.faults.duplicate { 2 } else { 1 };
        if held.is_none() && self.percent() < self.faults.reorder {
            *held = Some(datagram);
            return Vec::new();
        }
        let mut passed = vec![datagram; copies];
        passed.extend(held.take());
        passed
    }
}
