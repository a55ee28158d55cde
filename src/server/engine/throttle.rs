//! How fast an address is served. A client that waits for each answer always gets one, if not always at once: a request
//! that comes too early waits in its lane. Lanes are bounded, so the rest of a flood is dropped.
//!
//! The plain dialect has no proof that a source address is genuine: a reply holds nothing that could not be known
//! otherwise, and a sender can keep any pace without reading replies. So the bytes that may go to one address, beyond a
//! multiple of what came from it, always have a limit, and a forged address cannot make the server send more.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use super::lanes::Queued;
use super::{Engine, Now};
use crate::server::limits::{Buckets, Rate};

/// Requests of one address and port.
const REQUESTS: Rate = Rate { per_second: 5_000.0, burst: 4_000.0 };
/// Bytes that may be sent to one IP address (of IPv6, to one /64) beyond what [`FREE`] allows.
const BYTES: Rate = Rate { per_second: 131_072.0, burst: 262_144.0 };
/// How many times the bytes that came in may go out without being counted; QUIC allows the same.
const FREE: f64 = 3.0;

/// The budgets, and the addresses that wait for them.
#[derive(Debug)]
pub(super) struct Throttle {
    requests: Buckets<SocketAddr>,
    bytes: Buckets<IpAddr>,
    due: BTreeSet<(Instant, SocketAddr)>,
    waiting: HashMap<SocketAddr, Instant>,
}

impl Default for Throttle {
    fn default() -> Self {
        let (requests, bytes) = (Buckets::new(REQUESTS, 65_536), Buckets::new(BYTES, 65_536));
        Self { requests, bytes, due: BTreeSet::new(), waiting: HashMap::new() }
    }
}

/// When a request may be handled.
enum Admission {
    Now,
    At(Instant),
    /// Not at all, since there are too many addresses.
    Never,
}

impl Throttle {
    /// Returns when a request of this length may be handled; if that is now, it is counted.
    fn take(&mut self, from: SocketAddr, now: Instant, bytes: usize) -> Admission {
        let network = network(from);
        let ready = network.map_or(Some(now), |network| self.bytes.ready(network, 0.0, now));
        match ready {
            None => return Admission::Never,
            Some(at) if at > now => {
                return self
                    .requests
                    .ready(from, 1.0, now)
                    .map_or(Admission::Never, |request| Admission::At(request.max(at)));
            }
            Some(_) => {}
        }
        match self.requests.take_or_when(from, now) {
            Ok(()) => {
                if let Some(network) = network {
                    self.bytes.change(&network, FREE * count(bytes));
                }
                Admission::Now
            }
            Err(Some(at)) => Admission::At(at),
            Err(None) => Admission::Never,
        }
    }

    fn sent(&mut self, to: SocketAddr, bytes: usize) {
        if let Some(network) = network(to) {
            self.bytes.change(&network, -count(bytes));
        }
    }

    fn wait(&mut self, from: SocketAddr, at: Instant) {
        self.wait_no_more(from);
        self.due.insert((at, from));
        self.waiting.insert(from, at);
    }

    fn wait_no_more(&mut self, from: SocketAddr) {
        if let Some(at) = self.waiting.remove(&from) {
            self.due.remove(&(at, from));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }
}

/// Converts a number of bytes into tokens.
pub(super) fn count(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::from(u32::MAX), f64::from)
}

/// Returns the network whose budget counts; `None` for loopback addresses, which cannot be forged from outside.
pub(super) fn network(address: SocketAddr) -> Option<IpAddr> {
    match address.ip().to_canonical() {
        ip if ip.is_loopback() => None,
        ip @ IpAddr::V4(_) => Some(ip),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
    }
}

impl Engine {
    /// Handles a request, or lets it wait until its address may be served.
    pub(super) fn paced(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        match self.throttle.take(from, now.instant, bytes.len()) {
            Admission::Now => self.begin(now, from, bytes),
            Admission::At(at) => {
                self.lanes.hold(from);
                self.lanes.put_back(from, Queued::Datagram(bytes.to_vec()));
                self.throttle.wait(from, at);
            }
            Admission::Never => {}
        }
    }

    /// Releases an address's lane and handles what waits in it. Called when the request that held it is answered, or
    /// when its time has come.
    pub(super) fn free(&mut self, from: SocketAddr, now: Now) {
        self.throttle.wait_no_more(from);
        while let Some(queued) = self.lanes.next(from) {
            match queued {
                Queued::Datagram(bytes) => self.paced(now, from, &bytes),
                Queued::Again(bytes) => self.begin(now, from, &bytes),
                Queued::LoginAttempt(tried) => self.check(from, tried, true),
            }
            if self.lanes.is_held(from) {
                return;
            }
        }
    }

    /// Lets the first entry of an address's lane wait until `at`.
    pub(super) fn wait_for_turn(&mut self, from: SocketAddr, at: Instant) {
        self.throttle.wait(from, at);
    }

    /// Counts a reply that is being sent.
    pub(super) fn count_out(&mut self, to: SocketAddr, bytes: usize) {
        self.throttle.sent(to, bytes);
    }

    /// Handles the lanes whose time has come.
    pub(super) fn look_at_waiting(&mut self, now: Now) {
        while let Some((at, from)) = self.throttle.due.first().copied()
            && at <= now.instant
        {
            self.free(from, now);
        }
    }
}
