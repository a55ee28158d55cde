//! How much of an address's traffic is shown: everything, until it is more than anybody could read. Pure.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The most addresses that are counted at one time; beyond that, quiet ones are forgotten.
const ADDRESSES: usize = 4_096;
/// How many requests are shown in a window.
const SHOWN: u32 = 200;
/// How many of them may be the same as the one before.
const SAME: u32 = 20;
/// How long the first window lasts; each is twice as long as the one before while more requests come than are shown.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(64);

/// What was not shown in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HiddenCount {
    pub(super) peer: SocketAddr,
    pub(super) requests: u64,
    pub(super) answered: u64,
    /// How many requests a second, on average, came in the window but were not shown.
    pub(super) per_second: u64,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    last: Instant,
    long: Duration,
    shown: u32,
    same: u32,
    hash: u64,
    requests: u64,
    answered: u64,
}

/// The windows of all addresses.
#[derive(Debug, Default)]
pub(super) struct Flood(HashMap<SocketAddr, Window>);

impl Flood {
    /// Returns whether this request is shown, and what was not shown in a window that has just ended.
    pub(super) fn request(&mut self, at: Instant, peer: SocketAddr, hash: u64) -> (bool, Option<HiddenCount>) {
        if self.0.len() >= ADDRESSES && !self.0.contains_key(&peer) {
            self.0.retain(|_, window| window.requests > 0);
            if self.0.len() >= ADDRESSES {
                return (true, None);
            }
        }
        let new = Window { since: at, last: at, long: FIRST, shown: 0, same: 0, hash: 0, requests: 0, answered: 0 };
        let window = self.0.entry(peer).or_insert(new);
        let mut hidden = None;
        if at.saturating_duration_since(window.since) >= window.long {
            hidden = window.close(peer);
            window.long = if hidden.is_some() { (window.long * 2).min(LONGEST) } else { FIRST };
            (window.since, window.shown, window.same) = (at, 0, 0);
        }
        window.last = at;
        window.same = if window.hash == hash { window.same + 1 } else { 0 };
        window.hash = hash;
        let shown = window.shown < SHOWN && window.same < SAME;
        if shown {
            window.shown += 1
        } else {
            window.requests += 1
        }
        (shown, hidden)
    }

    /// Counts the reply to a request that was not shown.
    pub(super) fn answered(&mut self, peer: SocketAddr) {
        if let Some(window) = self.0.get_mut(&peer) {
            window.answered += 1;
        }
    }

    /// Returns whether there are counts that were not printed yet.
    pub(super) fn has_hidden(&self) -> bool {
        self.0.values().any(|window| window.requests > 0)
    }

    /// Returns all counts that were not printed yet; called when nothing has come for a while.
    pub(super) fn close(&mut self) -> Vec<HiddenCount> {
        let hidden = self.0.iter_mut().filter_map(|(peer, window)| window.close(*peer)).collect();
        self.0.clear();
        hidden
    }
}

impl Window {
    fn close(&mut self, peer: SocketAddr) -> Option<HiddenCount> {
        let (requests, answered) = (std::mem::take(&mut self.requests), std::mem::take(&mut self.answered));
        let ms = self.last.saturating_duration_since(self.since).as_millis().max(1) as u64;
        let per_second = (requests + u64::from(self.shown)).saturating_mul(1_000) / ms;
        (requests > 0).then_some(HiddenCount { peer, requests, answered, per_second })
    }
}
