//! Where plain clients are: which address is whose, how each is written to, and which may end a session elsewhere.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::protocol::wire::Charset;
use crate::server::limits::RecentMap;
use crate::server::store::AccountId;

/// How long after a right login the new address may end the old session, where takeovers are armed.
pub const ARMED: Duration = Duration::from_secs(30);
/// Most addresses without a session that are remembered.
const MOST: usize = 65_536;

/// Half of the addresses of which it is remembered that they are nobody's session.
const NOBODY: usize = 8_192;

/// All addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Whose sessions they are.
    pub(super) sessions: HashMap<SocketAddr, AccountId>,
    pub(super) charsets: HashMap<SocketAddr, Charset>,
    armed: HashMap<SocketAddr, (AccountId, Instant)>,
    /// Addresses of which it is known that they are nobody's session.
    nobody: RecentMap<SocketAddr, ()>,
    /// When somebody was here last.
    pub(super) last_present: Instant,
}

impl Addresses {
    /// Nobody is anywhere.
    pub(super) fn new(now: Instant) -> Self {
        let (sessions, charsets, armed) = (HashMap::new(), HashMap::new(), HashMap::new());
        let nobody = RecentMap::new(NOBODY);
        Self { sessions, charsets, armed, nobody, last_present: now }
    }

    /// Whose session this address is.
    pub(super) fn whose(&self, address: SocketAddr) -> Option<AccountId> {
        self.sessions.get(&address).copied()
    }

    /// Whether the store may have a session of this address that is not here.
    pub(super) fn is_unknown(&self, address: SocketAddr) -> bool {
        !self.sessions.contains_key(&address) && self.nobody.of(&address).is_none()
    }

    /// The store has none either.
    pub(super) fn nobody_is_at(&mut self, address: SocketAddr) {
        self.nobody.note(address, ());
    }

    /// A session of before is here again.
    pub(super) fn restore(&mut self, address: SocketAddr, account: AccountId) {
        self.sessions.insert(address, account);
    }

    /// A session is not here any more, and goes on when it is heard of, in its charset.
    pub(super) fn forget(&mut self, address: SocketAddr) {
        self.sessions.remove(&address);
        if self.charsets.len() >= MOST {
            self.charsets.remove(&address);
        }
    }

    /// How this address writes.
    pub(super) fn charset(&self, of: SocketAddr) -> Charset {
        self.charsets.get(&of).copied().unwrap_or_default()
    }

    /// Its request was read so.
    pub(super) fn note_charset(&mut self, of: SocketAddr, charset: Charset) {
        let room = || self.sessions.contains_key(&of) || self.charsets.len() < MOST;
        if charset != self.charset(of) && room() {
            self.charsets.insert(of, charset);
        }
    }

    /// An address is an account's session from now on. Logging in again from the same address, a client goes on in its
    /// charset.
    pub(super) fn bind(&mut self, address: SocketAddr, account: AccountId) {
        self.armed.remove(&address);
        self.nobody.forget(&address);
        self.sessions.insert(address, account);
    }

    /// An address is nobody's session any more, whatever the disk still says.
    pub(super) fn leave(&mut self, address: SocketAddr) {
        self.nobody_is_at(address);
        self.sessions.remove(&address);
        self.charsets.remove(&address);
    }

    /// For a while this address may end the account's session elsewhere.
    pub(super) fn arm(&mut self, now: Instant, address: SocketAddr, account: AccountId) {
        self.armed.retain(|_, (_, until)| *until > now);
        if self.armed.len() < MOST {
            self.armed.insert(address, (account, now + ARMED));
        }
    }

    /// Whose session this address may end now; it may do so once.
    pub(super) fn take_armed(&mut self, now: Instant, address: SocketAddr) -> Option<AccountId> {
        self.armed.remove(&address).filter(|(_, until)| *until > now).map(|(account, _)| account)
    }

    /// Nobody may end this account's session any more.
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
