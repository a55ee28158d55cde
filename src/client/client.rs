//! Session, socket and history behind one inbox: the owner calls [`Client::pump`] when the bell has rung, then
//! [`Client::poll_event`] until it returns `None`. Nothing here blocks. A face (windows or terminal) sees only values,
//! never a socket or a database.
//!
//! Its parts:
//!
//! - `account`: the account that is open, and what is on its way between session and disk.
//! - `event`: the events for a face.
//! - `results`: what follows from events of the session and results of the history.
//! - `asks`: what a face asks of history, server and protocol window.
//! - `figures`: the figures of the connection, in either dialect, as values and in words.
//! - `names`: who people are that no list tells of.
//! - `local`: folders, ports and keys of each server.
//! - `staying`: staying logged in on this device.
//! - `rescue`: saving what can be read of a damaged history.

mod account;
mod asks;
mod event;
mod figures;
mod local;
mod names;
mod rescue;
mod results;
mod staying;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::client::diagnosis::reachable;
use crate::client::history::{HistoryError, Op, Rescued, Write};
use crate::client::net::{Bell, Now, Socket, Timer};
use crate::client::session::{self, ConnectionState, Dialect, NewAccount, Polling, Session};
use crate::client::tap::Tap;
use crate::probe::hand::Expectation;
use crate::protocol::link;
use account::{Credential, OpenAccount};
pub use event::{Event, lost};
pub use figures::{Connection, Encrypted};
use local::{changes_passwords, file_name, folder, is_foreign, keep_consent, open_socket, plain_allowed, remembered};
pub use local::{known, used_before};

/// The most inputs that one turn of [`Client::pump`] handles, so that the windows stay responsive.
const TURN: usize = 64;
/// How many messages [`Client::earlier`] requests; this project's server sends no more in one answer.
const EARLIER: u32 = 40;
/// The longest that one turn of [`Client::pump`] may take.
const TURN_TIME: Duration = Duration::from_millis(4);

/// How late a deadline may be handled because what has arrived is handled first.
const LATE: Duration = Duration::from_millis(100);

/// How long after the first change a face gives a draft to [`Client::set_draft`]; nothing waits while nobody types.
pub const DRAFT_SOON: Duration = Duration::from_millis(700);

/// The configuration of a client.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's address.
    pub server: SocketAddr,
    /// The server's name and port, if it was given by name: what is known about it is kept if the name leads to another
    /// address.
    pub name: Option<String>,
    /// The local address to bind to, if it matters.
    pub bind: Option<SocketAddr>,
    /// The folder of histories, with one file for each server and account.
    pub data: PathBuf,
    /// How unread messages are polled.
    pub polling: Polling,
    /// The dialects that may be spoken.
    pub dialect: Dialect,
    /// Whether passwords may be sent to this server in the plain dialect, which everybody on the way can read.
    pub allow_plain: bool,
}

/// Why the client could not open its socket or an account.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket could not be opened, or a thread not started.
    #[error("{}", t!("error.network", error = crate::base::trouble::words(.0)))]
    Network(#[from] io::Error),
    /// The account's history cannot be opened.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Another program on this machine has the account open; it was asked to show itself.
    #[error("{}", t!("error.already_open"))]
    AlreadyOpen,
    /// The account's damaged history is being rescued at this moment.
    #[error("{}", t!("error.rescuing"))]
    Rescuing,
}

/// The client. See the module for how it is driven.
pub struct Client {
    session: Session,
    /// `None` after [`Client::use_server`] failed.
    socket: Option<Socket>,
    /// Why nothing could be sent lately; reported once.
    trouble: Option<io::ErrorKind>,
    /// The last error and its time, in milliseconds since 1970.
    last_error: Option<(i64, String)>,
    timer: Timer,
    account: Option<OpenAccount>,
    /// Whether the token that lets this device log in without a password is to be kept on disk.
    staying: bool,
    /// Whether the server is known to be this project's server.
    ours: bool,
    /// Whether the server is known to be another program, without requests 10 and 11.
    foreign: bool,
    /// Whether a server of another program changes passwords, as far as it has shown.
    changes_passwords: Option<bool>,
    silent: bool,
    not_storing: bool,
    config: Config,
    bell: Bell,
    events: VecDeque<Event>,
    /// Receives the result of a rescue under way, and the account that it is for.
    rescuing: Option<(Account, crossbeam_channel::Receiver<Result<Rescued, String>>)>,
    tap: Tap,
    handled: u64,
    /// Whether the person at this device is away.
    away: bool,
}

impl Client {
    /// Opens the socket and starts the threads. `waker` is called on any thread when
    /// [`Client::pump`] should be.
    ///
    /// # Errors
    /// A local address in use, no threads.
    pub fn open(mut config: Config, waker: impl Fn() + Send + Sync + 'static) -> Result<Self, ClientError> {
        let bell = Bell::new(waker);
        config.server = reachable(config.server);
        let socket = Some(open_socket(&config, &bell)?);
        let (session, foreign) = (session_of(&config)?, is_foreign(&config));
        let changes_passwords = changes_passwords(&config);
        Ok(Self {
            session,
            socket,
            trouble: None,
            last_error: None,
            timer: Timer::start(bell.clone())?,
            account: None,
            staying: false,
            ours: false,
            foreign,
            changes_passwords,
            silent: false,
            not_storing: false,
            config,
            bell,
            events: VecDeque::new(),
            rescuing: None,
            tap: Tap::default(),
            handled: 0,
            away: false,
        })
    }

    /// Switches to another server with a new socket; the current login ends without a word to the old server.
    ///
    /// # Errors
    /// The errors of [`Client::open`]; then nothing can be sent until a later call succeeds.
    pub fn use_server(&mut self, server: SocketAddr, name: Option<String>) -> Result<(), ClientError> {
        self.close_account();
        self.ours = false;
        self.trouble = None;
        (self.config.server, self.config.name) = (reachable(server), name);
        self.foreign = is_foreign(&self.config);
        self.changes_passwords = changes_passwords(&self.config);
        self.session = session_of(&self.config)?;
        self.tap.begin_anew();
        // The old one is closed first, since the local port may be the same.
        self.socket = None;
        self.socket = Some(open_socket(&self.config, &self.bell)?);
        Ok(())
    }

    /// Handles what has arrived, for at most one turn; true when there is more, and the caller
    /// should call again soon without blocking its own loop. `clock` is read at the turn's beginning
    /// and after each input.
    pub fn pump(&mut self, clock: impl Fn() -> Now) -> bool {
        self.bell.answer();
        let begun = clock();
        if self.account.as_ref().is_some_and(OpenAccount::rung) {
            self.events.push_back(Event::Raise);
        }
        for _ in 0..TURN {
            let now = clock();
            if now.instant.saturating_duration_since(begun.instant) > TURN_TIME {
                break;
            }
            if !self.input(now) {
                self.set_timer();
                return false;
            }
            self.drain(now);
        }
        // Whatever keeps arriving, deadlines are kept, if a little late: what has arrived may meet them.
        let now = clock();
        if self.session.poll_timeout().is_some_and(|at| at + LATE <= now.instant) {
            self.deadline(now);
        }
        self.set_timer();
        true
    }

    /// Handles one input. Results of the history come first, because the session waits for them. False if there was
    /// none.
    fn input(&mut self, now: Now) -> bool {
        if let Some(done) = self.account.as_mut().and_then(OpenAccount::done) {
            self.stored(now, done);
        } else if let Some(arrival) = self.socket.as_ref().and_then(Socket::arrival) {
            let record = self.tap.received(arrival.at.instant, arrival.at.unix_ms, &arrival.bytes);
            self.events.extend(record.map(Event::Tap));
            trace("in ", &arrival.bytes);
            self.note_nothing_waits(arrival.at, &arrival.bytes);
            self.session.handle_datagram(arrival.at.instant, &arrival.bytes);
        } else if self.timer.due() {
            self.deadline(now);
        } else if self.rescued() {
            // It has become an event.
        } else {
            return false;
        }
        self.handled += 1;
        true
    }

    fn deadline(&mut self, now: Now) {
        if self.session.poll_timeout().is_some_and(|at| at <= now.instant) {
            self.session.handle_timeout(now.instant);
            self.drain(now);
        }
        if let Some(account) = &mut self.account {
            account.list_if_due(now.instant);
        }
    }

    /// Sets the timer to the next deadline of the session or the contact list.
    fn set_timer(&mut self) {
        let list = self.account.as_ref().and_then(OpenAccount::list_at);
        self.timer.set([self.session.poll_timeout(), list].into_iter().flatten().min());
    }

    /// Returns the next event; called until it returns `None`, after [`Client::pump`] and after each command.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Registers an account.
    pub fn register(&mut self, now: Now, account: Account, password: Password, confirm: Password) {
        self.register_as(now, NewAccount { account, password, confirm, name: String::new() });
    }

    /// Registers an account with a name that others are shown.
    pub fn register_as(&mut self, now: Now, new: NewAccount) {
        self.session.register_as(now.instant, new);
        self.after(now);
    }

    /// Opens the account's history on its thread, and logs in when that is done; a damaged or newer
    /// one is [`Event::Damaged`] or [`Event::NotOpened`], and nothing is sent.
    ///
    /// # Errors
    /// The account is open in another process, or its folder cannot be used.
    pub fn login(&mut self, now: Now, account: Account, password: Password) -> Result<(), ClientError> {
        self.log_in(now, account, Credential::Password(password))
    }

    /// Logs in without a password, by the token that the server gave this device at the last login; only if
    /// [`Client::can_resume`]. If the server does not accept the token, the answer is
    /// [`session::LoginOutcome::PasswordNeeded`].
    ///
    /// # Errors
    /// The errors of [`Client::login`].
    pub fn resume(&mut self, now: Now, account: Account) -> Result<(), ClientError> {
        self.staying = true;
        self.log_in(now, account, Credential::Token)
    }

    fn log_in(&mut self, now: Now, account: Account, credential: Credential) -> Result<(), ClientError> {
        self.open_history(account)?;
        self.submit(Op::Write(Write::Outbox));
        if let Some(account) = &mut self.account {
            account.opening = Some(credential);
        }
        self.after(now);
        Ok(())
    }

    /// Allows passwords to be sent to this server in the plain dialect, now and later; called after
    /// [`Event::PlainOnly`], when the person has agreed. For a server that encrypted before, this counts in this run
    /// only, and until it encrypts again.
    pub fn allow_plain(&mut self, now: Now) {
        if !self.session.was_ever_secure() {
            keep_consent(&self.config);
        }
        self.session.allow_plain(now.instant);
        self.after(now);
    }

    /// Changes the password of the logged-in account in the plain dialect; answered by [`Event::PasswordChanged`].
    pub fn change_password(&mut self, now: Now, old: Password, new: Password, confirm: Password) {
        self.session.change_password(now.instant, old, new, confirm);
        self.after(now);
    }

    /// Returns whether the server changes passwords in the plain dialect: ours does, and others may have shown it, now
    /// or before. `None` if that is unknown; then asking is harmless, and tells.
    #[must_use]
    pub fn changes_passwords(&self) -> Option<bool> {
        if self.ours { Some(true) } else { self.changes_passwords }
    }

    /// Asks a server in the plain dialect who is online, even one that is not asked automatically; answered by
    /// [`Event::Online`], or by [`Event::Extensions`] if it does not say.
    pub fn ask_who(&mut self, now: Now) {
        self.session.ask_who(now.instant);
        self.after(now);
    }

    /// Returns whether the server is known, in the plain dialect, to be another program than ours, without a lobby.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign && self.session.speaks() != Some(crate::client::session::SpokenDialect::Secure)
    }

    /// Whether a request waits for [`Client::allow_plain`].
    #[must_use]
    pub fn is_doubting(&self) -> bool {
        self.session.is_doubting()
    }

    /// Drops the requests that wait for [`Client::allow_plain`]; nothing is sent. A face calls it when the person
    /// declines.
    pub fn refuse_plain(&mut self) {
        self.session.refuse_plain();
    }

    /// Accepts this key of the server from now on; called after [`Event::KeyChanged`], when its words were compared.
    /// Then log in again.
    pub fn trust(&mut self, now: Now, key: Vec<u8>) {
        self.session.trust(key);
        self.after(now);
    }

    /// Opens the account's history for reading on its thread, and asks for the list; sends nothing.
    ///
    /// # Errors
    /// The errors of [`Client::login`].
    pub fn open_history(&mut self, account: Account) -> Result<(), ClientError> {
        self.close_account();
        if self.rescuing.as_ref().is_some_and(|(rescued, _)| *rescued == account) {
            return Err(ClientError::Rescuing);
        }
        let path = self.history_path(&account);
        self.account = Some(OpenAccount::open(account, &path, &self.bell)?);
        Ok(())
    }

    /// Closes the account's history and frees it for another window, after [`Client::go_offline`].
    pub fn close_account(&mut self) {
        // Without a history nothing may be taken, and no message may get into another account's history.
        self.session.forget();
        self.silent = false;
        self.not_storing = false;
        self.account = None;
    }

    /// Returns the path of an account's history on this server.
    #[must_use]
    pub fn history_path(&self, account: &Account) -> PathBuf {
        folder(&self.config).join(format!("{}.sqlite", file_name(account.as_str())))
    }

    /// Makes later logins end no other session of the account, until [`Client::take_over`]; for unattended programs.
    pub fn log_in_if_free(&mut self) {
        self.session.log_in_if_free();
    }

    /// Ends the account's other session and logs in.
    pub fn take_over(&mut self, now: Now) {
        self.session.take_over(now.instant);
        self.after(now);
    }

    /// Goes offline; unsent messages stay in the outbox.
    pub fn go_offline(&mut self, now: Now) {
        self.log_in_no_more();
        self.session.go_offline(now.instant);
        self.after(now);
    }

    /// Goes online again with the account of the last login.
    pub fn go_online(&mut self, now: Now) {
        // Without a history nothing could be stored.
        if self.account.is_some() {
            self.session.go_online(now.instant);
        }
        self.after(now);
    }

    /// Asks for messages at once, and reconnects at once.
    pub fn fetch_now(&mut self, now: Now) {
        self.session.fetch_now(now.instant);
        self.after(now);
    }

    /// Tells the session which chats are open and whether one is visible; polling depends on it.
    pub fn set_open_chats(&mut self, now: Now, chats: Vec<Account>, visible: bool) {
        self.session.set_open_chats(now.instant, chats, visible);
        self.after(now);
    }

    /// Sets how unread messages are polled from now on.
    pub fn set_polling(&mut self, now: Now, polling: Polling) {
        self.config.polling = polling;
        self.session.set_polling(now.instant, polling);
        self.after(now);
    }

    /// Sends a datagram typed by hand, and notes what is expected of it.
    pub fn by_hand(&mut self, now: Now, bytes: Vec<u8>, expectation: Expectation) {
        self.tap.expect(&bytes, expectation);
        self.session.by_hand(now.instant, bytes);
        self.after(now);
    }

    /// Sends a text of any length: it is stored on disk first, then sent. Returns false, and does nothing, if the text
    /// is blank or nobody is logged in.
    pub fn send_message(&mut self, now: Now, to: &Account, text: &str) -> bool {
        let Some(account) = &mut self.account else { return false };
        let parts = MessageText::split(text);
        let any = !parts.is_empty();
        parts.into_iter().for_each(|part| account.keep(to, part, now.unix_ms));
        any
    }

    /// Sends a message that failed, or may have failed, once more under its old row. One that was written to an account
    /// that no longer exists ([`SendState::MadeAnew`]) goes to the account that has the name now.
    pub fn resend(&self, id: MessageId, to: Account, text: MessageText) {
        self.submit(Op::Write(Write::Resend { id, to, text }));
    }

    /// Returns how many sent messages are not answered yet; a face asks before it closes.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.account.as_ref().map_or(0, OpenAccount::unsent)
    }

    /// Returns whether the server has not answered for 3 s while somebody is logged in; then nothing known about others
    /// is certain, and messages wait.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Returns whether messages wait here because the server cannot store them now, for example because its disk is
    /// full.
    #[must_use]
    pub fn is_not_storing(&self) -> bool {
        self.not_storing
    }

    /// Returns the connection's state.
    #[must_use]
    pub fn link(&self) -> ConnectionState {
        self.session.link()
    }

    fn submit(&self, op: Op) {
        if let Some(account) = &self.account {
            account.submit(op);
        }
    }

    fn came_further(&mut self, id: MessageId, state: SendState) {
        if let Some(account) = &mut self.account {
            account.came_further(id, state);
        }
    }

    fn log_in_no_more(&mut self) {
        if let Some(account) = &mut self.account {
            account.opening = None;
        }
    }

    fn after(&mut self, now: Now) {
        self.drain(now);
        self.set_timer();
    }

    fn drain(&mut self, now: Now) {
        while let Some(frame) = self.session.poll_framed() {
            let record = self.tap.framed(now.unix_ms, frame);
            self.events.extend(record.map(Event::Tap));
        }
        while let Some(transmit) = self.session.poll_transmit() {
            self.transmit(now, &transmit.bytes);
            let record = self.tap.sent(now.instant, now.unix_ms, &transmit.bytes, transmit.cause);
            self.events.extend(record.map(Event::Tap));
            trace("out", &transmit.bytes);
        }
        while let Some(event) = self.session.poll_event() {
            self.session_event(now, event);
        }
        if let Some(why) = self.session.trouble() {
            self.last_error = Some((now.unix_ms, why.sentence().into_owned()));
        }
    }

    fn transmit(&mut self, now: Now, bytes: &[u8]) {
        let sent = self.socket.as_ref().map_or(Err(io::ErrorKind::NotConnected.into()), |socket| socket.send(bytes));
        let trouble = sent.as_ref().err().map(io::Error::kind);
        if let Err(error) = sent
            && self.trouble != trouble
        {
            log::warn!("nothing can be sent to {}: {error}", self.config.server);
            let why = crate::base::trouble::words(&error);
            self.last_error = Some((now.unix_ms, why.clone()));
            self.events.push_back(Event::NetworkTrouble(why));
        }
        self.trouble = trouble;
    }
}

/// Creates a session for the configured server, with what is remembered of that server.
fn session_of(config: &Config) -> Result<Session, ClientError> {
    Ok(Session::new(session::Config {
        server: config.server,
        polling: config.polling,
        dialect: config.dialect,
        known: remembered(config),
        allow_plain: plain_allowed(config),
        seed: getrandom::u64().map_err(io::Error::other)?,
        carrier_seed: None,
    }))
}

fn trace(way: &str, bytes: &[u8]) {
    if link::is_packet(bytes) {
        log::trace!("{way} {} bytes of the secure dialect", bytes.len());
    } else {
        log::trace!("{way} {}", crate::protocol::wire::show::starred(bytes).escape_ascii());
    }
}
