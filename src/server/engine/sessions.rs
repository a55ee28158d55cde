//! People and their plain sessions: logins with the right password, takeovers, going offline, and presence.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::jobs::PendingJob;
use super::requests::PendingRequest;
use super::{Effect, Engine, NOTED, Now, PRESENCE, SESSION};
use crate::protocol::link::PeerId;
use crate::protocol::wire::Reply;
use crate::protocol::wire::frame::AccountSettings;
use crate::protocol::wire::reply::LoggedIn;
use crate::protocol::wire::status::Status;
use crate::server::OnSecondLogin;
use crate::server::hasher::Hashed;
use crate::server::store::{AccountId, MessageRow, Op, Write};

#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) hashed: Hashed,
    pub(super) unread: HashMap<String, u64>,
    /// The plain client that is logged in as this person.
    pub(super) session: Option<Session>,
    /// The connections of their devices, in the order in which they came; empty while there is a `session`.
    pub(super) devices: Vec<PeerId>,
    pub(super) settings: AccountSettings,
    /// How they have chosen to be shown to others.
    pub(super) status: Status,
    /// When the account was made, in seconds since 1970; this tells it from an earlier account of the same name.
    pub(super) made: i64,
    /// The number of the present password, which no other password in memory has had: the result of a check against an
    /// older password no longer counts.
    pub(super) nth: u64,
    /// When this person was last used, by the count of [`Accounts::needed`](super::accounts::Accounts::needed).
    pub(super) used: u64,
}

impl Person {
    pub(super) fn new(name: String, hashed: Hashed, made: i64) -> Self {
        Self {
            name,
            hashed,
            unread: HashMap::new(),
            session: None,
            devices: Vec::new(),
            settings: AccountSettings::default(),
            status: Status::default(),
            made,
            nth: 0,
            used: 0,
        }
    }

    /// Sets a new password and returns the old one.
    pub(super) fn renew(&mut self, hashed: Hashed) -> Hashed {
        self.nth = self.nth.wrapping_add(1);
        std::mem::replace(&mut self.hashed, hashed)
    }

    /// Raises the unread count of this sender's messages by one.
    pub(super) fn get(&mut self, sender: &str) {
        match self.unread.get_mut(sender) {
            Some(count) => *count += 1,
            None => {
                self.unread.insert(sender.to_owned(), 1);
            }
        }
    }

    /// Lowers the unread count of this sender's messages by `taken`.
    pub(super) fn take(&mut self, sender: &str, taken: u64) {
        if let Some(count) = self.unread.get_mut(sender) {
            *count = count.saturating_sub(taken);
            if *count == 0 {
                self.unread.remove(sender);
            }
        }
    }

    pub(super) fn unread_total(&self) -> u64 {
        self.unread.values().sum()
    }
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) address: SocketAddr,
    pub(super) seen: Instant,
    /// When the store was last told that the session is alive, in seconds since 1970.
    pub(super) noted: i64,
    /// The row and the sender of the message handed out last, until the next request confirms it.
    pub(super) offered: Option<(MessageRow, String)>,
}

impl Engine {
    /// Returns since when nobody has been present; `None` while somebody is. For a server that ends when nobody uses
    /// it. Looks at every session, so it is not called for every datagram; [`Engine::nobody`] is cheap.
    pub fn idle_since(&mut self, now: Now) -> Option<Instant> {
        if self.devices.accounts().next().is_some() {
            self.addresses.last_present = now.instant;
            return None;
        }
        let sessions = self.addresses.sessions.values().filter_map(|id| self.accounts.people.get(id)?.session.as_ref());
        match sessions.map(|s| s.seen + PRESENCE).max() {
            Some(end) if end > now.instant => {
                self.addresses.last_present = now.instant;
                None
            }
            Some(end) => Some(end.max(self.addresses.last_present)),
            None => Some(self.addresses.last_present),
        }
    }

    /// Returns whether there is no session and no device at all.
    #[must_use]
    pub fn nobody(&self) -> bool {
        self.addresses.sessions.is_empty() && self.devices.accounts().next().is_none()
    }

    /// Called when the server ends: stores when each session was last heard from, and which messages were handed out
    /// but not confirmed.
    pub fn end(&mut self, now: Now) {
        let sessions = self.accounts.people.values_mut().filter_map(|person| person.session.as_mut());
        let offered: Vec<_> = sessions.filter_map(|session| session.offered.take()).collect();
        offered.into_iter().for_each(|offered| self.handed(Some(offered)));
        let sessions = self.accounts.people.iter().filter_map(|(id, person)| {
            let silent = now.instant.saturating_duration_since(person.session.as_ref()?.seen).as_secs();
            Some((*id, now.unix.saturating_sub(i64::try_from(silent).unwrap_or(0))))
        });
        let sessions: Vec<_> = sessions.collect();
        if !sessions.is_empty() {
            self.effects.push_back(Effect::Store(Op::Write(Write::Seen { sessions })));
        }
    }

    /// Returns the account whose session this address is. The request that asks also confirms the message handed out
    /// last.
    pub(super) fn session(&mut self, now: Now, from: SocketAddr) -> Option<AccountId> {
        let account = self.addresses.whose(from)?;
        let person = self.accounts.people.get_mut(&account)?;
        let session = person.session.as_mut()?;
        if now.instant.saturating_duration_since(session.seen) > SESSION {
            self.end_session(account);
            return None;
        }
        session.seen = now.instant;
        if now.unix - session.noted >= NOTED {
            session.noted = now.unix;
            self.effects.push_back(Effect::Store(Op::Write(Write::Seen { sessions: vec![(account, now.unix)] })));
        }
        if let Some((message, sender)) = session.offered.take() {
            self.accounts.took(account, &sender, 1);
            self.effects.push_back(Effect::Store(Op::Write(Write::Taken { message, at: now.unix })));
        }
        Some(account)
    }

    /// Logs a client in whose password was right.
    pub(super) fn admit(&mut self, now: Now, from: SocketAddr, account: AccountId) {
        let Some(person) = self.accounts.people.get_mut(&account) else { return self.free(from, now) };
        let device = !person.devices.is_empty();
        let fresh = person.session.as_mut().filter(|s| now.instant.saturating_duration_since(s.seen) <= PRESENCE);
        let reply = match fresh {
            Some(session) if session.address == from => {
                session.seen = now.instant;
                self.reply(from, &Reply::Login(LoggedIn::AlreadyLoggedIn));
                return self.free(from, now);
            }
            Some(_) if self.on_second_login == OnSecondLogin::Arm => return self.arm(now, from, account),
            None if device && self.on_second_login == OnSecondLogin::Arm => return self.arm(now, from, account),
            Some(_) => LoggedIn::AlreadyLoggedIn,
            None if device && self.on_second_login == OnSecondLogin::Rebind => LoggedIn::AlreadyLoggedIn,
            None => LoggedIn::Done,
        };
        // An address has one session: a login to another account ends the first.
        let end = self.addresses.whose(from).filter(|other| *other != account);
        // Bound before it is stored, so that a simultaneous login from elsewhere finds the session.
        self.bind(now, from, account);
        self.kick_all(now, account, from);
        self.devices.somebody_moved(now);
        let write = |job| Write::Session { job, account, address: from, end, at: now.unix };
        self.ask_store(PendingJob::Request(from, PendingRequest::Login { reply }), |job| Op::Write(write(job)));
    }

    /// Answers `02:04`, and for a while lets this address end the other session.
    fn arm(&mut self, now: Now, from: SocketAddr, account: AccountId) {
        self.addresses.arm(now.instant, from, account);
        self.reply(from, &Reply::Login(LoggedIn::AlreadyLoggedIn));
        self.free(from, now);
    }

    fn bind(&mut self, now: Now, from: SocketAddr, account: AccountId) {
        if let Some(other) = self.addresses.whose(from).filter(|other| *other != account) {
            self.end_session(other);
        }
        // Logging in again from the same address, a client goes on in its charset.
        let charset = self.addresses.charset(from);
        self.end_session(account);
        self.addresses.bind(from, account);
        self.addresses.note_charset(from, charset);
        if let Some(person) = self.accounts.people.get_mut(&account) {
            person.session = Some(Session { address: from, seen: now.instant, noted: now.unix, offered: None });
        }
    }

    pub(super) fn end_session(&mut self, account: AccountId) {
        if let Some(session) = self.accounts.people.get_mut(&account).and_then(|p| p.session.take()) {
            self.handed(session.offered);
            self.addresses.leave(session.address);
        }
    }

    /// Notes that a message was handed out without being confirmed, so that our own client recognises it when it comes
    /// again.
    pub(super) fn handed(&mut self, offered: Option<(MessageRow, String)>) {
        self.effects.extend(offered.map(|(message, _)| Effect::Store(Op::Write(Write::Handed { message }))));
    }

    pub(super) fn offline(&mut self, now: Now, from: SocketAddr) {
        let own = self.session(now, from);
        let armed = self.addresses.take_armed(now.instant, from);
        // The session that the address was armed against may have ended meanwhile.
        let armed = armed.filter(|account| {
            self.accounts.people.get(account).is_some_and(|p| p.session.is_some() || !p.devices.is_empty())
        });
        let Some(account) = armed.or(own) else {
            self.reply(from, &Reply::Offline { was_online: false });
            return;
        };
        self.addresses.last_present = now.instant;
        self.end_session(account);
        self.kick_all(now, account, from);
        self.devices.somebody_moved(now);
        let write = |job| Write::EndSession { job, account };
        self.ask_store(PendingJob::Request(from, PendingRequest::Offline), |job| Op::Write(write(job)));
    }

    /// Returns whether somebody is online, whoever may know it. What others are told is [`Engine::visible`].
    pub(super) fn present(&self, now: Now, account: AccountId) -> bool {
        self.accounts.people.get(&account).is_some_and(|person| {
            let heard = |s: &Session| now.instant.saturating_duration_since(s.seen) <= PRESENCE;
            !person.devices.is_empty() || person.session.as_ref().is_some_and(heard)
        })
    }

    /// Returns whether somebody is online for others: who is invisible is offline to them by every means.
    pub(super) fn visible(&self, now: Now, account: AccountId) -> bool {
        let hides = self.accounts.people.get(&account).is_some_and(|person| person.status.hides());
        !hides && self.present(now, account)
    }
}
