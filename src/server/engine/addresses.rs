//! The addresses of plain clients: whose session each is, which charset it uses, and which may end a session elsewhere.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::protocol::wire::Charset;
use crate::server::limits::RecentMap;
use crate::server::store::AccountId;

/// With `--on-second-login arm`: how long after a login with the right password the new address may end the old
/// session.
pub const ARMED: Duration = Duration::from_secs(30);
/// The most addresses without a session whose charset is remembered, and the most that may be armed.
const MOST: usize = 65_536;

/// Half of the number of addresses that are remembered as having no session in the store.
const NOBODY: usize = 8_192;

/// What the server knows about the addresses of plain clients.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The account whose session each address is.
    pub(super) sessions: HashMap<SocketAddr, AccountId>,
    pub(super) charsets: HashMap<SocketAddr, Charset>,
    armed: HashMap<SocketAddr, (AccountId, Instant)>,
    /// Addresses of which the store has said that it has no session.
    nobody: RecentMap<SocketAddr, ()>,
    /// When somebody was last online.
    pub(super) last_present: Instant,
}

impl Addresses {
    /// Starts without any sessions.
    pub(super) fn new(now: Instant) -> Self {
        let (sessions, charsets, armed) = (HashMap::new(), HashMap::new(), HashMap::new());
        let nobody = RecentMap::new(NOBODY);
        Self { sessions, charsets, armed, nobody, last_present: now }
    }

    /// Returns the account whose session this address is.
    pub(super) fn whose(&self, address: SocketAddr) -> Option<AccountId> {
        self.sessions.get(&address).copied()
    }

    /// Returns whether the store has to be asked for a session of this address.
    pub(super) fn is_unknown(&self, address: SocketAddr) -> bool {
        !self.sessions.contains_key(&address) && self.nobody.of(&address).is_none()
    }

    /// Notes that this address is no session, in memory or in the store.
    pub(super) fn nobody_is_at(&mut self, address: SocketAddr) {
        self.nobody.note(address, ());
    }

    /// Enters a session that was read from the store.
    pub(super) fn restore(&mut self, address: SocketAddr, account: AccountId) {
        self.sessions.insert(address, account);
    }

    /// Removes a session from memory; it stays in the store and is read again with the next request. The charset stays,
    /// as long as there is room.
    pub(super) fn forget(&mut self, address: SocketAddr) {
        self.sessions.remove(&address);
        if self.charsets.len() >= MOST {
            self.charsets.remove(&address);
        }
    }

    /// Returns the charset in which this address is written to: that of its last request, UTF-8 until then.
    pub(super) fn charset(&self, of: SocketAddr) -> Charset {
        self.charsets.get(&of).copied().unwrap_or_default()
    }

    /// Notes the charset in which a request of this address was read.
    pub(super) fn note_charset(&mut self, of: SocketAddr, charset: Charset) {
        let room = || self.sessions.contains_key(&of) || self.charsets.len() < MOST;
        if charset != self.charset(of) && room() {
            self.charsets.insert(of, charset);
        }
    }

    /// Makes an address the session of an account. If the same client logs in again, it keeps its charset.
    pub(super) fn bind(&mut self, address: SocketAddr, account: AccountId) {
        self.armed.remove(&address);
        self.nobody.forget(&address);
        self.sessions.insert(address, account);
    }

    /// Ends the session of an address at once; the store follows later.
    pub(super) fn leave(&mut self, address: SocketAddr) {
        self.nobody_is_at(address);
        self.sessions.remove(&address);
        self.charsets.remove(&address);
    }

    /// Arms an address: for [`ARMED`] it may end the account's session elsewhere.
    pub(super) fn arm(&mut self, now: Instant, address: SocketAddr, account: AccountId) {
        self.armed.retain(|_, (_, until)| *until > now);
        if self.armed.len() < MOST {
            self.armed.insert(address, (account, now + ARMED));
        }
    }

    /// Returns the account whose session this address may end now, if it is armed, and disarms it.
    pub(super) fn take_armed(&mut self, now: Instant, address: SocketAddr) -> Option<AccountId> {
        self.armed.remove(&address).filter(|(_, until)| *until > now).map(|(account, _)| account)
    }

    /// Disarms all addresses that might end this account's session.
    pub(super) fn disarm(&mut self, account: AccountId) {
        self.armed.retain(|_, (armed, _)| *armed != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn who_is_armed_may_end_a_session_once_and_in_time() {
        let now = Instant::now();
        let mut addresses = Addresses::new(now);
        for port in 1..=4 {
            addresses.arm(now, address(port), 7);
        }
        assert_eq!(addresses.take_armed(now + ARMED, address(1)), None, "too late");
        let soon = now + ARMED - Duration::from_secs(1);
        assert_eq!((addresses.take_armed(soon, address(2)), addresses.take_armed(soon, address(2))), (Some(7), None));
        addresses.bind(address(3), 7);
        assert_eq!(addresses.take_armed(soon, address(3)), None, "it is the session itself");
        addresses.disarm(7);
        assert_eq!(addresses.take_armed(soon, address(4)), None);
    }

    #[test]
    fn a_charset_is_an_addresss_until_its_session_ends() {
        let mut addresses = Addresses::new(Instant::now());
        addresses.bind(address(1), 7);
        addresses.note_charset(address(1), Charset::Gb18030);
        assert_eq!((addresses.whose(address(1)), addresses.charset(address(1))), (Some(7), Charset::Gb18030));
        addresses.leave(address(1));
        assert_eq!((addresses.whose(address(1)), addresses.charset(address(1))), (None, Charset::default()));
    }
}
