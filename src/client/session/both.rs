//! One session for both dialects: what is wanted (`wishes`) waits until it is known which one is spoken (`choice`),
//! and then goes on to that one's session.
//!
//! Its parts: `asking` (questions whose answer depends on the dialect alone) and `figures` (what can be read of the
//! connection and of the server's keys).

mod figures;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use super::Dialect;
use super::choice::{Choice, Known, Step};
use super::finding::{Finding, Speaks};
use super::wishes::{Waiting, Wish, Wishes};
use super::{
    AccountChange, Beyond, Cause, Event, Kept, Link, LoginOutcome, PasswordOutcome, Polling, Receiver, RegisterOutcome,
    StoreToken, Transmit, plain, secure,
};
use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::protocol::link;
use crate::protocol::wire::frame::Device;
use crate::protocol::wire::{Learned, Reply};

/// How a session begins.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server is.
    pub server: SocketAddr,
    /// How unread messages are asked for in the plain dialect.
    pub polling: Polling,
    /// Which dialects.
    pub dialect: Dialect,
    /// What is known of the server.
    pub known: Known,
    /// Its owner agreed that a password goes to this server in the plain dialect.
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
    choice: Choice,
    plain: plain::Session,
    secure: Option<Box<secure::Session>>,
    wishes: Wishes,
    /// The plain dialect is closed to the account.
    encrypted_only: bool,
    /// See [`Session::log_in_if_free`].
    if_free: bool,
    /// Of the secure sessions that were left, the last [`StoreToken`].
    last_token: u64,
    /// See [`Session::set_handed`].
    handed: Option<plain::Handed>,
    /// The connection line that was told last.
    shown: Link,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Session {
    /// A session that has not logged in, and sends nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let Config { server, polling, dialect, known, allow_plain, seed, carrier_seed } = config;
        let mut plain = plain::Session::new(polling);
        if dialect == Dialect::Plain || known.fragile {
            plain.keep_to_the_course();
        }
        if known.fragile && !known.secure_only {
            plain.is_fragile();
        }
        if known.foreign && !known.secure_only {
            plain.is_foreign();
        }
        Self {
            server,
            seed,
            carrier_seed,
            choice: Choice::new(dialect, known, allow_plain, seed),
            plain,
            secure: None,
            wishes: Wishes::default(),
            encrypted_only: false,
            if_free: false,
            last_token: 0,
            handed: None,
            shown: Link::Offline,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What is spoken, once that is known.
    #[must_use]
    pub fn speaks(&self) -> Option<Speaks> {
        self.choice.speaks()
    }

    fn spoken(&mut self) -> Option<&mut secure::Session> {
        self.secure.as_deref_mut().filter(|_| self.choice.speaks() == Some(Speaks::Secure))
    }

    /// The next datagram for the server; call until `None` after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let own = self.transmits.pop_front().or_else(|| self.choice.poll_transmit());
        own.or_else(|| self.plain.poll_transmit()).or_else(|| self.secure.as_mut()?.poll_transmit())
    }

    /// The next event; call until `None` after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let secure = |session: &mut Self| session.secure.as_mut()?.poll_event();
            let event = self.events.pop_front().or_else(|| self.plain.poll_event()).or_else(|| secure(self))?;
            match &event {
                Event::Link(link) if self.shown == *link => continue,
                Event::Link(link) => self.shown = *link,
                Event::Pin(key) => self.choice.pin(key.clone()),
                // Somebody is asked what then; and whoever gave up is told nothing more.
                Event::Registered(RegisterOutcome::NoAnswer | RegisterOutcome::Unheard)
                    if self.is_doubting() || !self.wishes.is_registering() =>
                {
                    continue;
                }
                Event::LoggedIn(LoginOutcome::NoAnswer | LoginOutcome::Unheard) if self.is_doubting() => continue,
                Event::Registered(_) => self.wishes.registered(),
                Event::LoggedIn(outcome) => self.wishes.set_online(*outcome == LoginOutcome::Done),
                Event::Kicked { .. } => self.wishes.set_online(false),
                Event::Extensions(known) => self.choice.set_foreign(!known),
                Event::EndedAt(Beyond::Who) => self.choice.set_fragile(),
                _ => {}
            }
            return Some(event);
        }
    }

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let secure = self.secure.as_ref().and_then(|s| s.poll_timeout());
        [self.choice.poll_timeout(), self.plain.poll_timeout(), secure].into_iter().flatten().min()
    }

    /// The connection line.
    #[must_use]
    pub fn link(&self) -> Link {
        match (&self.secure, self.speaks()) {
            (Some(secure), Some(Speaks::Secure)) => secure.link(),
            _ if self.choice.is_settled() => self.plain.link(),
            _ => self.shown,
        }
    }

    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, account: Account, password: Password, confirm: Password) {
        self.wishes.add(Wish::Register { account, password, confirm });
        self.ask(now);
    }

    /// Logs in; answered by [`Event::LoggedIn`].
    pub fn login(&mut self, now: Instant, account: Account, password: Password, kept: Kept) {
        self.begin(now, Wish::Login { account, password, kept });
    }

    /// Whether the plain dialect is known to be closed to the account that logs in next.
    pub fn set_encrypted_only(&mut self, only: bool) {
        self.encrypted_only = only;
    }

    /// What this account was handed last in the plain dialect and may not have confirmed, before the next login.
    pub fn set_handed(&mut self, handed: Option<plain::Handed>) {
        self.handed = handed;
    }

    /// Logs in by the token of before, which only the secure dialect knows; answered by [`Event::LoggedIn`].
    pub fn resume(&mut self, now: Instant, account: Account, kept: Kept) {
        self.begin(now, Wish::Resume { account, kept });
    }

    fn begin(&mut self, now: Instant, wish: Wish) {
        self.wishes.add(wish);
        self.choice.doubt_old_answer(now);
        self.log_in(now);
    }

    fn log_in(&mut self, now: Instant) {
        if self.speaks().is_none() {
            self.show(Link::LoggingIn);
        }
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        let step = self.choice.ask(now);
        self.follow(now, step);
    }

    /// Somebody agreed to go on in the plain dialect, after [`Event::PlainOnly`]. For a server that spoke the
    /// other this is good only while it asks, and until that is spoken again.
    pub fn allow_plain(&mut self, now: Instant) {
        if self.choice.allow_plain() {
            self.wishes.begin_again();
            let secure = self.secure.take();
            let step = self.choice.speak_plain(now, secure.is_some());
            if let Some(mut secure) = secure {
                self.last_token = secure.last_token();
                // What that one has not settled goes on waiting; what may have arrived is said so.
                for (id, to, text, again) in secure.take_outbox() {
                    self.wishes.wait(Waiting { id, to: to.into(), text, again });
                }
                // Nobody listens to that one any more.
                self.events.push_back(Event::Silent(None));
                self.show(Link::LoggingIn);
            }
            self.follow(now, step);
        }
    }

    /// Whether something waits for [`Session::allow_plain`].
    #[must_use]
    pub fn is_doubting(&self) -> bool {
        self.choice.is_doubting()
    }

    /// Nobody agreed: what waits for that is forgotten. Whoever was online securely goes on trying to be.
    pub fn refuse_plain(&mut self) {
        if self.choice.refuse_plain() {
            self.wishes.registered();
            if self.speaks().is_none() {
                self.wishes.drop_open();
                self.wishes.set_online(false);
                self.show(Link::Offline);
            }
        }
    }

    fn follow(&mut self, now: Instant, step: Step) {
        self.plain.expect_late(&self.choice.take_left_over());
        match step {
            Step::Wait => {}
            Step::Speak { speaks, anew } => {
                if anew {
                    self.events.push_back(Event::Speaks(speaks));
                }
                self.hand_on(now, speaks);
            }
            Step::Consent(_) if !self.wishes.any() => self.refuse_plain(),
            Step::Consent(why) => self.events.push_back(Event::PlainOnly(why)),
            Step::NoAnswer => self.no_answer(),
        }
    }

    fn hand_on(&mut self, now: Instant, speaks: Speaks) {
        for wish in self.wishes.take() {
            match speaks {
                Speaks::Plain => self.wish_plainly(now, wish),
                Speaks::Secure => self.wish_securely(now, wish),
            }
        }
        for Waiting { id, to, text, again } in self.wishes.take_messages() {
            if again { self.send_again(now, id, to, text) } else { self.send(now, id, to, text) }
        }
    }

    fn wish_plainly(&mut self, now: Instant, wish: Wish) {
        match wish {
            Wish::Register { account, password, confirm } => self.plain.register(now, account, password, confirm),
            // It would be refused there, and everybody on the way could read the password.
            Wish::Login { .. } | Wish::Resume { .. } if self.encrypted_only => {
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::EncryptedOnly));
            }
            Wish::Login { account, password, .. } => {
                self.plain.login(now, account, password);
                if let Some(handed) = self.handed.take() {
                    self.plain.set_handed(handed);
                }
            }
            Wish::Resume { .. } => {
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::PasswordNeeded));
            }
        }
    }

    fn wish_securely(&mut self, now: Instant, wish: Wish) {
        let Self { server, if_free, last_token, seed, carrier_seed, .. } = *self;
        let known = self.choice.known();
        let fresh = || {
            let (pins, damaged) = (known.pins.clone(), known.damaged.clone());
            let config = secure::Config { server, pins, damaged, if_free, last_token, seed, carrier_seed };
            Box::new(secure::Session::new(config))
        };
        let secure = self.secure.get_or_insert_with(fresh);
        match wish {
            Wish::Register { account, password, confirm } => secure.register(now, account, password, &confirm),
            Wish::Login { account, password, kept } => secure.login(now, account, password, kept),
            Wish::Resume { account, kept } => secure.resume(now, account, kept),
        }
    }

    /// From here on a login ends nobody else's: it is refused with `AlreadyLoggedIn`, as one in the plain dialect
    /// always is, until [`Session::take_over`]. For programs that nobody sits at.
    pub fn log_in_if_free(&mut self) {
        self.set_if_free(true);
    }

    fn set_if_free(&mut self, if_free: bool) {
        self.if_free = if_free;
        if let Some(secure) = &mut self.secure {
            secure.set_if_free(if_free);
        }
    }

    /// Ends the account's other session and logs in again, after
    /// `LoginOutcome::Refused(AlreadyLoggedIn)` or [`Event::Kicked`].
    pub fn take_over(&mut self, now: Instant) {
        self.wishes.set_online(true);
        self.set_if_free(false);
        match self.spoken() {
            Some(secure) => secure.go_online(now),
            None => self.plain.take_over(now),
        }
    }

    /// Sends a message that is stored already; answered by [`Event::Outgoing`]. One that waits already
    /// goes once.
    pub fn send(&mut self, now: Instant, id: MessageId, to: impl Into<Receiver>, text: MessageText) {
        let to = to.into();
        if let Some(secure) = self.spoken() {
            secure.send(now, id, to, text);
        } else if self.choice.is_settled() {
            self.plain.send(now, id, to.account, text);
        } else {
            self.wishes.wait(Waiting { id, to, text, again: false });
            self.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
    }

    /// The same with one that may have been sent already in the secure dialect, before the program
    /// ended. There it arrives once; in the plain dialect only its writer sends it again.
    pub fn send_again(&mut self, now: Instant, id: MessageId, to: impl Into<Receiver>, text: MessageText) {
        let to = to.into();
        if let Some(secure) = self.spoken() {
            secure.send_again(now, id, to, text);
        } else if self.choice.is_settled() {
            self.events.push_back(Event::Outgoing { id, state: SendState::MaybeSent });
        } else {
            self.wishes.wait(Waiting { id, to, text, again: true });
        }
    }

    /// Goes offline; answered by [`Event::WentOffline`] within 1 s, whatever the server does.
    pub fn go_offline(&mut self, now: Instant) {
        let asking = self.choice.let_go(false);
        self.wishes.drop_open();
        self.wishes.set_online(false);
        match self.spoken() {
            Some(secure) => secure.go_offline(now),
            None if asking => {
                self.show(Link::Offline);
                self.events.push_back(Event::WentOffline(Some(false)));
            }
            None => self.plain.go_offline(now),
        }
    }

    /// The same, and this device needs the password from now on; in the plain dialect it does anyway.
    pub fn forget_device(&mut self, now: Instant) {
        match self.spoken() {
            Some(secure) => secure.forget_device(now),
            None => self.go_offline(now),
        }
    }

    /// Lets go of the login and its messages without a word to the server; nothing is sent by itself
    /// before the next login.
    pub fn forget(&mut self) {
        let asking = self.wishes.forget_login();
        self.choice.let_go(asking);
        self.plain.forget();
        if let Some(secure) = &mut self.secure {
            secure.forget();
        }
        self.show(Link::Offline);
    }

    /// Logs in again as at the last login.
    pub fn go_online(&mut self, now: Instant) {
        self.wishes.set_online(true);
        if let Some(secure) = self.spoken() {
            secure.go_online(now);
        } else if self.choice.is_settled() {
            self.plain.go_online(now);
        } else if self.wishes.log_in_again() {
            self.log_in(now);
        }
    }

    /// Changes the password of whoever is logged in, in the plain dialect; answered by [`Event::PasswordChanged`].
    pub fn change_password(&mut self, now: Instant, old: Password, new: Password, confirm: Password) {
        match self.spoken() {
            Some(_) => self.events.push_back(Event::PasswordChanged(PasswordOutcome::Encrypted)),
            None => self.plain.change_password(now, old, new, confirm),
        }
    }

    /// See [`plain::Session::ask_who`]; in the secure dialect it is known anyway.
    pub fn ask_who(&mut self, now: Instant) {
        if self.spoken().is_none() {
            self.plain.ask_who(now);
        }
    }

    /// F5: asks at once, and reconnects at once.
    pub fn fetch_now(&mut self, now: Instant) {
        self.choice.ask_now(now);
        match self.spoken() {
            Some(secure) => secure.fetch_now(now),
            None => self.plain.fetch_now(now),
        }
    }

    /// How unread messages are asked for from now on, in the plain dialect.
    pub fn set_polling(&mut self, now: Instant, polling: Polling) {
        self.plain.set_polling(now, polling);
    }

    /// Which chat windows are open, and whether one is visible.
    pub fn set_open_chats(&mut self, now: Instant, chats: Vec<Account>, visible: bool) {
        self.plain.set_open_chats(now, chats, visible);
    }

    /// A datagram typed by hand. In the secure dialect it stands beside everything: what is answered is
    /// seen in the protocol window and means nothing.
    pub fn by_hand(&mut self, now: Instant, bytes: Vec<u8>) {
        if self.spoken().is_some() {
            self.transmits.push_back(Transmit { bytes, cause: Cause::ByHand });
        } else {
            self.plain.by_hand(now, bytes);
        }
    }

    /// The message of this token is on disk, or could not be stored.
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        match token {
            StoreToken::Plain(_) => self.plain.handle_stored(now, token, stored),
            // Without that session the message is the server's still, and comes again with the next one.
            StoreToken::Secure(_) => {
                if let Some(secure) = &mut self.secure {
                    secure.handle_stored(now, token, stored);
                }
            }
        }
    }

    /// That this message is [`SendState::Sending`] is on disk, or could not be stored.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        match self.spoken() {
            Some(secure) => secure.handle_noted(now, id, noted),
            None => self.plain.handle_noted(now, id, noted),
        }
    }

    /// See [`secure::Session::handle_delivered`].
    pub fn handle_delivered(&mut self, now: Instant, version: Option<u64>) {
        if let Some(secure) = &mut self.secure {
            secure.handle_delivered(now, version);
        }
    }

    /// See [`secure::Session::set_device`].
    pub fn set_device(&mut self, now: Instant, device: Option<Device>) {
        if let Some(secure) = &mut self.secure {
            secure.set_device(now, device);
        }
    }

    /// See [`secure::Session::trust`].
    pub fn trust(&mut self, key: Vec<u8>) {
        if let Some(secure) = &mut self.secure {
            secure.trust(key);
        }
    }

    /// See [`secure::Session::history`]; in the plain dialect there is none.
    pub fn history(&mut self, now: Instant, peer: Account, before: Option<u64>, count: u32) {
        match self.spoken() {
            Some(secure) => secure.history(now, peer, before, count),
            None => self.events.push_back(Event::History { peer, messages: Vec::new(), more: false }),
        }
    }

    /// See [`secure::Session::account_settings`] and, with a change, [`secure::Session::set_account`]; in the plain
    /// dialect there are none.
    pub fn account(&mut self, now: Instant, change: Option<AccountChange>) {
        match (self.spoken(), change) {
            (Some(secure), None) => secure.account_settings(now),
            (Some(secure), Some(change)) => secure.set_account(now, change),
            (None, _) => self.events.push_back(Event::AccountSettings(None)),
        }
    }

    /// A datagram from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(secure) = self.secure.as_mut().filter(|_| link::is_packet(bytes)) {
            secure.handle_datagram(now, bytes);
            return self.diagnose(now);
        }
        self.plain.expect_late(&self.choice.take_left_over());
        if self.choice.is_asking() && !self.choice.is_hushed() {
            let reply = Reply::decode(bytes, &mut Learned::default());
            // It may answer what was asked in plain, or by hand: then it says nothing of the dialect, which is asked
            // for again, nor is it taken for that answer.
            if Finding::would_mean(&reply) && self.plain.is_unclear(now, &reply) {
                return;
            }
        }
        if let Some(step) = self.choice.handle_text(now, bytes) {
            return self.follow(now, step);
        }
        if self.choice.believes_text() {
            self.plain.handle_datagram(now, bytes);
        }
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(step) = self.choice.handle_timeout(now) {
            self.follow(now, step);
        }
        if self.plain.poll_timeout().is_some_and(|at| at <= now) {
            self.plain.handle_timeout(now);
        }
        if let Some(secure) = self.secure.as_mut().filter(|s| s.poll_timeout().is_some_and(|at| at <= now)) {
            secure.handle_timeout(now);
        }
        self.diagnose(now);
    }

    fn diagnose(&mut self, now: Instant) {
        if let Some(out_of_reach) = self.spoken().map(|secure| secure.is_out_of_reach()) {
            self.choice.diagnose(now, out_of_reach);
        }
    }

    fn no_answer(&mut self) {
        self.show(Link::Offline);
        for wish in self.wishes.take() {
            self.events.push_back(match wish {
                Wish::Register { .. } => Event::Registered(RegisterOutcome::Unheard),
                Wish::Login { .. } | Wish::Resume { .. } => Event::LoggedIn(LoginOutcome::Unheard),
            });
        }
    }

    fn show(&mut self, link: Link) {
        self.events.push_back(Event::Link(link));
    }
}

mod asking;
#[cfg(test)]
mod pairs_tests;
#[cfg(test)]
mod tests;
