//! The order of an address's requests: while one is being stored or hashed, later ones wait in the address's lane. So
//! replies leave in the order of the requests, and no address delays another.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use super::login_attempts::LoginAttempt;
use crate::server::store::AccountId;

/// The most requests that wait in a lane.
pub(super) const LANE: usize = 16;

/// An entry of a lane.
#[derive(Debug)]
pub(super) enum Queued {
    Datagram(Vec<u8>),
    /// A request that was begun and then waited for a person to be looked up; its turn has already been counted.
    Again(Vec<u8>),
    /// A login that has waited, outside the lane, for its password to be checked.
    LoginAttempt(LoginAttempt),
}

#[derive(Debug, Default)]
struct Lane {
    busy: bool,
    /// The request 01 or 02 whose password is being hashed: a repetition of it is a retransmission, which is not hashed
    /// again.
    hashing: Vec<u8>,
    queue: VecDeque<Queued>,
}

/// The lanes that are in use, by address.
#[derive(Debug, Default)]
pub(super) struct Lanes(HashMap<SocketAddr, Lane>);

impl Lanes {
    /// Returns whether a datagram may be handled now. Else it is queued, if there is room and it does not repeat the
    /// request being hashed.
    pub(super) fn pass(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let Some(lane) = self.0.get_mut(&from).filter(|lane| lane.busy) else { return true };
        let again = lane.hashing == bytes && !bytes.is_empty();
        if lane.queue.len() < LANE && !again {
            lane.queue.push_back(Queued::Datagram(bytes.to_vec()));
        }
        false
    }

    /// Returns a login that has waited outside the lane if it may be handled now; else it becomes the first in its
    /// lane.
    pub(super) fn pass_try(&mut self, from: SocketAddr, tried: LoginAttempt) -> Option<LoginAttempt> {
        match self.0.get_mut(&from) {
            Some(lane) if lane.busy => {
                lane.queue.push_front(Queued::LoginAttempt(tried));
                None
            }
            _ => Some(tried),
        }
    }

    /// Puts an entry before all others of the lane.
    pub(super) fn put_back(&mut self, from: SocketAddr, queued: Queued) {
        self.0.entry(from).or_default().queue.push_front(queued);
    }

    /// Holds the lane: what comes from this address waits until [`Lanes::next`].
    pub(super) fn hold(&mut self, from: SocketAddr) {
        self.0.entry(from).or_default().busy = true;
    }

    pub(super) fn is_held(&self, from: SocketAddr) -> bool {
        self.0.get(&from).is_some_and(|lane| lane.busy)
    }

    /// Notes that the lane is held for the hash of this request.
    pub(super) fn hashing(&mut self, from: SocketAddr, request: &[u8]) {
        if let Some(lane) = self.0.get_mut(&from).filter(|lane| lane.busy) {
            lane.hashing = request.to_vec();
        }
    }

    /// Returns the request whose password was being hashed, and forgets it.
    pub(super) fn take_hashed(&mut self, from: SocketAddr) -> Vec<u8> {
        self.0.get_mut(&from).map(|lane| std::mem::take(&mut lane.hashing)).unwrap_or_default()
    }

    /// Drops the request that was to be begun again, because the look-up has failed.
    pub(super) fn drop_again(&mut self, from: SocketAddr) {
        if let Some(lane) = self.0.get_mut(&from) {
            lane.queue.retain(|queued| !matches!(queued, Queued::Again(_)));
        }
    }

    /// Adds the accounts whose passwords wait in a lane to be checked.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        let queued = self.0.values().flat_map(|lane| &lane.queue);
        needed.extend(queued.filter_map(|queued| match queued {
            Queued::LoginAttempt(tried) => Some(tried.account),
            Queued::Datagram(_) | Queued::Again(_) => None,
        }));
    }

    /// Returns the first entry of a lane, for tests.
    #[cfg(test)]
    pub(super) fn first(&self, from: SocketAddr) -> Option<&Queued> {
        self.0.get(&from)?.queue.front()
    }

    /// Releases the lane and returns its next entry, which is to be handled now.
    pub(super) fn next(&mut self, from: SocketAddr) -> Option<Queued> {
        let lane = self.0.get_mut(&from)?;
        lane.busy = false;
        lane.hashing.clear();
        let next = lane.queue.pop_front();
        if next.is_none() {
            self.0.remove(&from);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn rest(lanes: &mut Lanes) -> Vec<Vec<u8>> {
        let bytes = |queued| match queued {
            Queued::Datagram(bytes) => bytes,
            Queued::Again(_) | Queued::LoginAttempt(_) => panic!("a datagram"),
        };
        std::iter::from_fn(|| lanes.next(at(1)).map(bytes)).collect()
    }

    #[test]
    fn what_comes_meanwhile_waits_in_its_order_and_holds_up_nobody_else() {
        let mut lanes = Lanes::default();
        assert!(lanes.pass(at(1), b"03#b#1#"));
        lanes.hold(at(1));
        assert!(!lanes.pass(at(1), b"03#b#2#") && !lanes.pass(at(1), b"08#") && lanes.pass(at(2), b"08#"));
        assert!(lanes.is_held(at(1)) && !lanes.is_held(at(2)));
        assert_eq!(rest(&mut lanes), [b"03#b#2#".to_vec(), b"08#".to_vec()]);
        assert!(lanes.pass(at(1), b"08#") && lanes.0.is_empty());
    }

    #[test]
    fn what_is_being_hashed_waits_only_once_and_too_many_do_not() {
        let mut lanes = Lanes::default();
        lanes.hold(at(1));
        lanes.hashing(at(1), b"02#a#x#");
        for n in 0..2 * LANE {
            assert!(!lanes.pass(at(1), b"02#a#x#") && !lanes.pass(at(1), n.to_string().as_bytes()));
        }
        assert_eq!(lanes.take_hashed(at(1)), b"02#a#x#");
        assert_eq!(rest(&mut lanes).len(), LANE);
    }
}
