//! How quickly one address is served. Whoever waits for each answer is served always, if not always at once: a request that
//! comes too early waits in its lane. What comes while others wait there is bounded, so a flood is dropped.
//!
//! Nothing in the plain dialect shows that an address is the sender's own: answers hold nothing that could not be known
//! elsewhere, and any pace can be kept without reading them. So what may go out to one address in answers that are longer
//! than their requests is bounded for good, and whoever logs in from a made-up one can make us send no more.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use super::lanes::Queued;
use super::{Engine, Now};
use crate::server::limits::{Buckets, Rate};

/// Requests of one address and port.
const REQUESTS: Rate = Rate { per_second: 5_000.0, burst: 4_000.0 };
/// Bytes to one IP address (of IPv6 one network of 64 bits) beyond [`FREE`].
const BYTES: Rate = Rate { per_second: 131_072.0, burst: 262_144.0 };
/// How many times the bytes that came in may go out uncounted, as QUIC allows too.
const FREE: f64 = 3.0;

/// Budgets, and who waits for them.
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

/// When a request is looked at.
enum Admission {
    Now,
    At(Instant),
    /// There are too many addresses.
    Never,
}

impl Throttle {
    /// Whether a request of this length from there may be looked at, which is counted then; else when.
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

/// As buckets count it.
pub(super) fn count(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::from(u32::MAX), f64::from)
}

/// Whose traffic it is; nobody makes up this machine's own addresses.
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
    /// Looks at a request, or lets it wait until its address may be served.
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

    /// The request that kept this address's lane busy is answered, or its time has come: on with the next.
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

    /// What waits first in this address's lane is looked at then.
    pub(super) fn wait_for_turn(&mut self, from: SocketAddr, at: Instant) {
        self.throttle.wait(from, at);
    }

    /// An answer goes out.
    pub(super) fn count_out(&mut self, to: SocketAddr, bytes: usize) {
        self.throttle.sent(to, bytes);
    }

    /// Those whose time has come.
    pub(super) fn look_at_waiting(&mut self, now: Now) {
        while let Some((at, from)) = self.throttle.due.first().copied()
            && at <= now.instant
        {
            self.free(from, now);
        }
    }
}
