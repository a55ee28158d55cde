//! One session for both dialects: requests (`pending`) wait until it is known which dialect is spoken (`choice`), and
//! then go to that dialect's session.
//!
//! Its parts: `state` (the dialect that is spoken, and its session), `going` (from one dialect to the other), `telling`
//! (events, and what follows from them), `asking` (questions whose answer depends on the dialect alone) and `figures`
//! (what can be read about the connection and the server's keys).

mod asking;
mod figures;
mod going;
mod state;
mod telling;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use self::going::plain_session;
use self::state::State;
use super::Dialect;
use super::choice::{DialectChoice, KnownServer, Step};
use super::dialect_query::{DialectQuery, SpokenDialect};
use super::pending::{Pending, PendingMessage, PendingRequest};
use super::{
    Cause, ConnectionState, DeviceState, Event, ExtensionRequest, LoginOutcome, NewAccount, PasswordOutcome, Polling,
    Recipient, RegisterOutcome, StoreToken, Transmit, plain, secure,
};
use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::protocol::link;
use crate::protocol::wire::frame::Device;
use crate::protocol::wire::item::Item;
use crate::protocol::wire::{Learned, Reply};

/// The configuration of a session.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's address.
    pub server: SocketAddr,
    /// How unread messages are asked for in the plain dialect.
    pub polling: Polling,
    /// Which dialects may be spoken.
    pub dialect: Dialect,
    /// What is remembered of the server.
    pub known: KnownServer,
    /// Whether the user agreed that a password is sent to this server in the plain dialect.
    pub allow_plain: bool,
    /// Spreads deadlines, and makes questions that nobody else can answer.
    pub seed: u64,
    /// Makes the carrier's own choices repeatable, for tests.
    pub carrier_seed: Option<[u8; 32]>,
}

/// The client's session. See the module for how it is driven.
#[derive(Debug)]
pub struct Session {
    server: SocketAddr,
    seed: u64,
    carrier_seed: Option<[u8; 32]>,
    choice: DialectChoice,
    state: State,
    wishes: Pending,
    /// Whether the account's owner has forbidden the plain dialect.
    encrypted_only: bool,
    /// Whether a login must not end another session, set by [`Session::log_in_if_free`].
    if_free: bool,
    /// The last [`StoreToken`] of the secure sessions that have ended.
    last_token: u64,
    /// The last delivery in the plain dialect, set by [`Session::set_handed`].
    handed: Option<plain::LastDelivery>,
    /// The connection's state in the last [`Event::ConnectionState`].
    shown: ConnectionState,
    events: VecDeque<Event>,
}

impl Session {
    /// Makes a session that has not logged in and sends nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let Config { server, polling, dialect, known, allow_plain, seed, carrier_seed } = config;
        let choice = DialectChoice::new(dialect, known, allow_plain, seed);
        let mut session = Self {
            server,
            seed,
            carrier_seed,
            state: State::Sought(Box::new(plain_session(&choice, plain::Leftovers::new(polling)))),
            choice,
            wishes: Pending::default(),
            encrypted_only: false,
            if_free: false,
            last_token: 0,
            handed: None,
            shown: ConnectionState::Offline,
            events: VecDeque::new(),
        };
        session.listen();
        session
    }

    /// Returns the dialect that is spoken, once it is known.
    #[must_use]
    pub fn speaks(&self) -> Option<SpokenDialect> {
        self.state.speaks()
    }

    /// Returns the next datagram for the server; called until it returns `None`, after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.choice.poll_transmit().or_else(|| self.state.poll_transmit())
    }

    /// Returns the next event; called until it returns `None`, after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        debug_assert_eq!(self.state.poll_event(), None, "nobody listened after a call");
        self.events.pop_front()
    }

    /// Returns when [`Session::handle_timeout`] is to be called; `None` if there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.choice.poll_timeout().into_iter().chain(self.state.poll_timeout()).min()
    }

    /// Returns the connection's state.
    #[must_use]
    pub fn link(&self) -> ConnectionState {
        match &self.state {
            State::Sought(_) => self.shown,
            State::Plain(plain) => plain.link(),
            State::Secure(secure) => secure.session.link(),
        }
    }

    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, account: Account, password: Password, confirm: Password) {
        self.register_as(now, NewAccount { account, password, confirm, name: String::new() });
    }

    /// Registers with a name that others are shown; answered by [`Event::Registered`].
    pub fn register_as(&mut self, now: Instant, new: NewAccount) {
        self.wishes.add(PendingRequest::Register(new));
        self.ask(now);
    }

    /// Logs in; answered by [`Event::LoggedIn`].
    pub fn login(&mut self, now: Instant, account: Account, password: Password, kept: DeviceState) {
        self.begin(now, PendingRequest::Login { account, password, kept });
    }

    /// Sets whether the account that logs in next is known to allow only the secure dialect.
    pub fn set_encrypted_only(&mut self, only: bool) {
        self.encrypted_only = only;
    }

    /// Sets the message that this account was handed last in the plain dialect and may not have confirmed; called
    /// before the next login.
    pub fn set_handed(&mut self, handed: Option<plain::LastDelivery>) {
        self.handed = handed;
    }

    /// Logs in by the token of an earlier login, which only the secure dialect has; answered by [`Event::LoggedIn`].
    pub fn resume(&mut self, now: Instant, account: Account, kept: DeviceState) {
        self.begin(now, PendingRequest::Resume { account, kept });
    }

    /// Consents to the plain dialect, after [`Event::PlainOnly`]. For a server that encrypted before, this is only
    /// valid while it is asked for, and until the server encrypts again.
    pub fn allow_plain(&mut self, now: Instant) {
        if self.choice.allow_plain() {
            self.go_over(now);
        }
    }

    /// Returns whether a request waits for [`Session::allow_plain`].
    #[must_use]
    pub fn is_doubting(&self) -> bool {
        self.choice.is_doubting()
    }

    /// Drops the requests that wait for [`Session::allow_plain`], because the user declined. A session that was
    /// online in the secure dialect goes on reconnecting.
    pub fn refuse_plain(&mut self) {
        if self.choice.refuse_plain() {
            self.wishes.registered();
            if self.speaks().is_none() {
                self.wishes.drop_open();
                self.wishes.set_online(false);
                self.show(ConnectionState::Offline);
            }
        }
    }

    /// Makes later logins end no other session of the account, until [`Session::take_over`]: they are refused with
    /// `AlreadyLoggedIn` instead, as every login in the plain dialect is. For unattended programs.
    pub fn log_in_if_free(&mut self) {
        self.set_if_free(true);
    }

    fn set_if_free(&mut self, if_free: bool) {
        self.if_free = if_free;
        if let Some(secure) = self.state.secure_mut() {
            secure.set_if_free(if_free);
        }
    }

    /// Ends the account's other session and logs in again, after
    /// `LoginOutcome::Refused(AlreadyLoggedIn)` or [`Event::Kicked`].
    pub fn take_over(&mut self, now: Instant) {
        self.set_if_free(false);
        match &mut self.state {
            State::Plain(plain) => {
                self.wishes.set_online(true);
                plain.take_over(now);
                self.listen();
            }
            // No other session is in the way, or no longer.
            State::Sought(_) | State::Secure(_) => self.go_online(now),
        }
    }

    /// Sends a message that is already stored; answered by [`Event::Outgoing`]. A message that already waits is not
    /// sent twice.
    pub fn send(&mut self, now: Instant, id: MessageId, to: impl Into<Recipient>, text: MessageText) {
        let to = to.into();
        match &mut self.state {
            State::Sought(_) => {
                self.wishes.wait(PendingMessage { id, to, text, again: false });
                self.tell(Event::Outgoing { id, state: SendState::Waiting });
            }
            State::Plain(plain) => plain.send(now, id, to.account, text),
            State::Secure(secure) => secure.session.send(now, id, to, text),
        }
        self.listen();
    }

    /// Sends a message that may have been sent in the secure dialect before the program last ended. In that dialect
    /// it arrives once; in the plain dialect only its writer can send it again.
    pub fn send_again(&mut self, now: Instant, id: MessageId, to: impl Into<Recipient>, text: MessageText) {
        let to = to.into();
        match &mut self.state {
            State::Sought(_) => self.wishes.wait(PendingMessage { id, to, text, again: true }),
            State::Plain(_) => self.tell(Event::Outgoing { id, state: SendState::MaybeSent }),
            State::Secure(secure) => secure.session.send_again(now, id, to, text),
        }
        self.listen();
    }

    /// Goes offline; answered by [`Event::WentOffline`] within 1 s, whatever the server does.
    pub fn go_offline(&mut self, now: Instant) {
        self.choice.let_go(false);
        self.wishes.drop_open();
        self.wishes.set_online(false);
        match &mut self.state {
            State::Sought(_) => {
                self.show(ConnectionState::Offline);
                self.tell(Event::WentOffline(Some(false)));
            }
            State::Plain(plain) => plain.go_offline(now),
            State::Secure(secure) => secure.session.go_offline(now),
        }
        self.listen();
    }

    /// Goes offline and gives up the token, so that this device needs the password at the next login; answered by
    /// [`Event::WentOffline`].
    pub fn forget_device(&mut self, now: Instant) {
        let Some(secure) = self.state.secure_mut() else { return self.go_offline(now) };
        secure.forget_device(now);
        self.listen();
    }

    /// Forgets the login and its messages without telling the server. Nothing is sent automatically before the next
    /// login.
    pub fn forget(&mut self) {
        let asking = self.wishes.forget_login();
        self.choice.let_go(asking);
        match &mut self.state {
            State::Sought(plain) | State::Plain(plain) => plain.forget(),
            State::Secure(secure) => secure.session.forget(),
        }
        self.listen();
        self.show(ConnectionState::Offline);
    }

    /// Goes online again with the last login.
    pub fn go_online(&mut self, now: Instant) {
        self.wishes.set_online(true);
        match &mut self.state {
            State::Sought(_) => {
                if self.wishes.log_in_again() {
                    self.log_in(now);
                }
            }
            State::Plain(plain) => plain.go_online(now),
            State::Secure(secure) => secure.session.go_online(now),
        }
        self.listen();
    }

    /// Changes the password of the logged-in account in the plain dialect; answered by [`Event::PasswordChanged`].
    pub fn change_password(&mut self, now: Instant, old: Password, new: Password, confirm: Password) {
        match self.state.text_mut() {
            Some(plain) => plain.change_password(now, old, new, confirm),
            None => self.tell(Event::PasswordChanged(PasswordOutcome::Encrypted)),
        }
        self.listen();
    }

    /// Asks who is online; see [`plain::Session::ask_who`]. The secure dialect reports it unasked.
    pub fn ask_who(&mut self, now: Instant) {
        if let Some(plain) = self.state.text_mut() {
            plain.ask_who(now);
        }
        self.listen();
    }

    /// Polls or reconnects at once; a face calls it for F5.
    pub fn fetch_now(&mut self, now: Instant) {
        self.choice.ask_now(now);
        match &mut self.state {
            State::Sought(plain) | State::Plain(plain) => plain.fetch_now(now),
            State::Secure(secure) => secure.session.fetch_now(now),
        }
        self.listen();
    }

    /// Sets how unread messages are polled from now on, in the plain dialect.
    pub fn set_polling(&mut self, now: Instant, polling: Polling) {
        self.state.set_polling(now, polling);
        self.listen();
    }

    /// Sets which chats are open and whether one is visible; polling depends on it.
    pub fn set_open_chats(&mut self, now: Instant, chats: Vec<Account>, visible: bool) {
        self.state.set_open_chats(now, chats, visible);
        self.listen();
    }

    /// Sends a datagram typed by hand. While the secure dialect is spoken it is independent of everything else: an
    /// answer is shown in the protocol window and has no effect.
    pub fn by_hand(&mut self, now: Instant, bytes: Vec<u8>) {
        match &mut self.state {
            State::Sought(plain) | State::Plain(plain) => plain.by_hand(now, bytes),
            State::Secure(secure) => secure.typed.push_back(Transmit { bytes, cause: Cause::ByHand }),
        }
        self.listen();
    }

    /// Called when the message of this token is on disk (`stored`) or could not be stored. If the session that received
    /// it has ended, the server still has the message, and it comes again with the next session.
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        match (token, &mut self.state) {
            (StoreToken::Plain(_), State::Sought(plain) | State::Plain(plain)) => {
                plain.handle_stored(now, token, stored);
            }
            (StoreToken::Secure(_), State::Secure(secure)) => secure.session.handle_stored(now, token, stored),
            (StoreToken::Plain(_), State::Secure(_)) | (StoreToken::Secure(_), State::Sought(_) | State::Plain(_)) => {}
        }
        self.listen();
    }

    /// Called when the note that this message is [`SendState::Sending`] is on disk (`noted`) or could not be stored.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        match &mut self.state {
            State::Sought(plain) | State::Plain(plain) => plain.handle_noted(now, id, noted),
            State::Secure(secure) => secure.session.handle_noted(now, id, noted),
        }
        self.listen();
    }

    /// Tells the secure session the version of stored delivery receipts; see [`secure::Session::handle_delivered`].
    pub fn handle_delivered(&mut self, now: Instant, version: Option<u64>) {
        if let Some(secure) = self.state.secure_mut() {
            secure.handle_delivered(now, version);
        }
        self.listen();
    }

    /// Tells the secure session the version of stored items; see [`secure::Session::handle_items`].
    pub fn handle_items(&mut self, now: Instant, version: Option<u64>) {
        if let Some(secure) = self.state.secure_mut() {
            secure.handle_items(now, version);
        }
        self.listen();
    }

    /// Gives the secure session the changes of items that the server has not taken; see
    /// [`secure::Session::set_items`].
    pub fn set_items(&mut self, now: Instant, changes: Vec<(u64, Item)>) {
        if let Some(secure) = self.state.secure_mut() {
            secure.set_items(now, changes);
        }
        self.listen();
    }

    /// Gives the secure session this device's new name; see [`secure::Session::set_device`].
    pub fn set_device(&mut self, now: Instant, device: Option<Device>) {
        if let Some(secure) = self.state.secure_mut() {
            secure.set_device(now, device);
        }
        self.listen();
    }

    /// Accepts a key of the server; see [`secure::Session::trust`].
    pub fn trust(&mut self, key: Vec<u8>) {
        if let Some(secure) = self.state.secure_mut() {
            secure.trust(key);
        }
        self.listen();
    }

    /// Handles a datagram from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(secure) = self.state.secure_mut().filter(|_| link::is_packet(bytes)) {
            secure.handle_datagram(now, bytes);
            self.listen();
            return self.diagnose(now);
        }
        self.state.expect_late(&self.choice.take_left_over());
        if self.choice.is_asking() {
            let reply = Reply::decode(bytes, &mut Learned::default());
            // It may answer what was asked in plain or by hand; then it says nothing about the dialect, which is asked
            // for again.
            if DialectQuery::would_mean(&reply) && self.state.is_unclear(now, &reply) {
                return;
            }
        }
        if let Some(step) = self.choice.handle_text(now, bytes) {
            return self.follow(now, step);
        }
        if let Some(plain) = self.state.text_mut().filter(|_| self.choice.believes_text()) {
            plain.handle_datagram(now, bytes);
        }
        self.listen();
    }

    /// Handles the deadline of [`Session::poll_timeout`]; the owner calls it when that time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(step) = self.choice.handle_timeout(now) {
            self.follow(now, step);
        }
        self.state.handle_timeout(now);
        self.listen();
        self.diagnose(now);
    }
}

#[cfg(test)]
mod pairs_tests;
#[cfg(test)]
mod tests;
