//! The network: each datagram may be lost, doubled or late. Every way has dice of its own, so that what
//! happens on one does not depend on the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hongyan::base::timer::Dice;

/// What may happen to a datagram, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    pub loss: u64,
    pub double: u64,
    pub late: u64,
}

impl Faults {
    pub const NONE: Self = Self { loss: 0, double: 0, late: 0 };
    pub const BAD: Self = Self { loss: 30, double: 10, late: 25 };
}

/// Between one client and the server.
#[derive(Debug)]
struct Direction {
    dice: [Dice; 2],
    sent: [u64; 2],
    cut: bool,
    /// Nothing is doubled on it.
    single: bool,
}

/// On its way: when it arrives, and then by way, direction and number, so that the order is always the same.
pub type Flight = (Instant, usize, bool, u64, SocketAddr, Vec<u8>);

#[derive(Debug)]
pub struct Network {
    pub faults: Faults,
    /// Both ways together.
    pub rtt: Duration,
    ways: Vec<Direction>,
    flying: BinaryHeap<Reverse<Flight>>,
    /// All that was sent to the server, if it is to be kept: by whom, from where, what.
    pub record: Option<Vec<(usize, SocketAddr, Vec<u8>)>>,
    pub datagrams: u64,
}

impl Network {
    pub fn new(seed: u64, clients: usize) -> Self {
        let way = |client: u64| {
            let dice = [1, 2].map(|direction| Dice::new(seed * 1_000_003 + client * 2 + direction));
            Direction { dice, sent: [0; 2], cut: false, single: false }
        };
        Self {
            faults: Faults::NONE,
            rtt: Duration::from_millis(40),
            ways: (0..clients as u64).map(way).collect(),
            flying: BinaryHeap::new(),
            record: None,
            datagrams: 0,
        }
    }

    pub fn cut(&mut self, client: usize, cut: bool) {
        self.ways[client].cut = cut;
    }

    /// From now on nothing is doubled between this client and the server. A doubled `09#` takes a message from the
    /// server whose answer may be lost, and the plain dialect has no number by which that would show.
    pub fn never_double(&mut self, client: usize) {
        self.ways[client].single = true;
    }

    /// A datagram of `client`, or for it. `at` is the client's address.
    pub fn fly(&mut self, now: Instant, client: usize, by_server: bool, at: SocketAddr, bytes: Vec<u8>) {
        self.datagrams += 1;
        if let Some(record) = self.record.as_mut().filter(|_| !by_server) {
            record.push((client, at, bytes.clone()));
        }
        let (faults, rtt) = (self.faults, self.rtt);
        let way = &mut self.ways[client];
        let direction = usize::from(by_server);
        let dice = &mut way.dice[direction];
        let mut percent = || dice.roll() % 100;
        let (lost, double) = (percent() < faults.loss, percent() < faults.double);
        let late = [percent(), percent()].map(|roll| if roll < faults.late { rtt / 2 } else { Duration::ZERO });
        let jitter = Duration::from_micros(percent() * 10);
        if lost || way.cut {
            return;
        }
        for late in late.into_iter().take(1 + usize::from(double && !way.single)) {
            way.sent[direction] += 1;
            let arrives = now + rtt / 2 + late + jitter;
            self.flying.push(Reverse((arrives, client, by_server, way.sent[direction], at, bytes.clone())));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.flying.peek().map(|Reverse(flight)| flight.0)
    }

    pub fn arrive(&mut self) -> Option<Flight> {
        self.flying.pop().map(|Reverse(flight)| flight)
    }
}
