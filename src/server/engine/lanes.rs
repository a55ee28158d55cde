//! The order of one address's requests: while one is being stored or hashed, its later ones wait in its lane. So
//! replies leave in the order of their requests, and each address holds up only itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use super::login_attempts::LoginAttempt;
use crate::server::store::AccountId;

/// Requests of one address that may wait.
pub(super) const LANE: usize = 16;

/// What waits in a lane.
#[derive(Debug)]
pub(super) enum Queued {
    Datagram(Vec<u8>),
    /// One that was begun, and has waited for somebody to be found; its turn was counted.
    Again(Vec<u8>),
    /// A login that has waited for its turn apart.
    LoginAttempt(LoginAttempt),
}

#[derive(Debug, Default)]
struct Lane {
    busy: bool,
    /// The 01 or 02 being hashed: the same again is a retransmission and is not hashed twice.
    hashing: Vec<u8>,
    queue: VecDeque<Queued>,
}

/// The lanes that are in use.
#[derive(Debug, Default)]
pub(super) struct Lanes(HashMap<SocketAddr, Lane>);

impl Lanes {
    /// Whether a datagram may be looked at now. Else it waits, if there is room and it is not the one being hashed.
    pub(super) fn pass(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let Some(lane) = self.0.get_mut(&from).filter(|lane| lane.busy) else { return true };
        let again = lane.hashing == bytes && !bytes.is_empty();
        if lane.queue.len() < LANE && !again {
            lane.queue.push_back(Queued::Datagram(bytes.to_vec()));
        }
        false
    }

    /// A login that has waited apart: back if it may be looked at now, else it is the next.
    pub(super) fn pass_try(&mut self, from: SocketAddr, tried: LoginAttempt) -> Option<LoginAttempt> {
        match self.0.get_mut(&from) {
            Some(lane) if lane.busy => {
                lane.queue.push_front(Queued::LoginAttempt(tried));
                None
            }
            _ => Some(tried),
        }
    }

    /// It waits before everything else from there.
    pub(super) fn put_back(&mut self, from: SocketAddr, queued: Queued) {
        self.0.entry(from).or_default().queue.push_front(queued);
    }

    /// What comes from this address waits from now on.
    pub(super) fn hold(&mut self, from: SocketAddr) {
        self.0.entry(from).or_default().busy = true;
    }

    pub(super) fn is_held(&self, from: SocketAddr) -> bool {
        self.0.get(&from).is_some_and(|lane| lane.busy)
    }

    /// What the lane is held for is this request's hash.
    pub(super) fn hashing(&mut self, from: SocketAddr, request: &[u8]) {
        if let Some(lane) = self.0.get_mut(&from).filter(|lane| lane.busy) {
            lane.hashing = request.to_vec();
        }
    }

    /// It is hashed; which one it was.
    pub(super) fn take_hashed(&mut self, from: SocketAddr) -> Vec<u8> {
        self.0.get_mut(&from).map(|lane| std::mem::take(&mut lane.hashing)).unwrap_or_default()
    }

    /// The request that was to be begun again is not.
    pub(super) fn drop_again(&mut self, from: SocketAddr) {
        if let Some(lane) = self.0.get_mut(&from) {
            lane.queue.retain(|queued| !matches!(queued, Queued::Again(_)));
        }
    }

    /// Whose passwords wait here.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        let queued = self.0.values().flat_map(|lane| &lane.queue);
        needed.extend(queued.filter_map(|queued| match queued {
            Queued::LoginAttempt(tried) => Some(tried.account),
            Queued::Datagram(_) | Queued::Again(_) => None,
        }));
    }

    /// What waits next, for tests.
    #[cfg(test)]
    pub(super) fn first(&self, from: SocketAddr) -> Option<&Queued> {
        self.0.get(&from)?.queue.front()
    }

    /// The request that this lane was held for is answered: the next one, to be looked at now.
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
