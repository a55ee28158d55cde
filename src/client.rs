//! Session, socket and history behind one inbox: the owner calls [`Client::pump`] when the bell has
//! rung, then [`Client::poll_event`] until `None`. Nothing here blocks. A face (windows, a terminal)
//! sees values only, and never a socket or a database.

mod asks;
mod figures;
mod local;
mod notice;
mod results;
mod staying;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rust_i18n::t;

use crate::history::{Conversation, Done, History, HistoryError, MoreStrangers, Op, Row, RowMeta};
use crate::link;
use crate::model::{Account, MessageId, MessageText, Password, SendState};
use crate::net::{Bell, Doorbell, Now, Socket, Timer, doorbell};
use crate::probe::hand::Expectation;
use crate::session::{
    self, Dialect, KeyChange, Known, Link, LoginOutcome, Polling, RegisterOutcome, Session, Speaks, StoreToken,
};
use crate::tap::{Record, Tap};
use crate::wire::frame::{AccountSettings, Past};
pub use figures::{Connection, Encrypted};
pub use local::known;
use local::{file_name, keep_consent, known_keys, open_socket, plain_allowed, reachable};

/// Inputs of one turn at most, so that the windows stay quick.
const TURN: usize = 64;
/// How often a flood of messages has the list read.
const LIST: Duration = Duration::from_millis(100);
/// Messages that [`Client::earlier`] asks for; ours gives no more at once.
const EARLIER: u32 = 40;
/// A turn's time at most.
const TURN_TIME: Duration = Duration::from_millis(4);

/// A deadline waits for what has arrived so long at most.
const LATE: Duration = Duration::from_millis(100);

/// How a client runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub server: SocketAddr,
    /// The local address, if it matters.
    pub bind: Option<SocketAddr>,
    /// Where histories lie: one file a server and account.
    pub data: PathBuf,
    /// How unread messages are asked for.
    pub polling: Polling,
    /// Which dialects are spoken.
    pub dialect: Dialect,
    /// Passwords may go to this server in the plain dialect, where everybody on the way can read them.
    pub allow_plain: bool,
}

/// Why something could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket or a thread.
    #[error("{}", t!("error.network", error = .0))]
    Network(#[from] io::Error),
    /// The account's history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Another program of this machine has it; it was asked to show itself.
    #[error("{}", t!("error.already_open"))]
    AlreadyOpen,
}

/// What a face shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection line.
    Link(Link),
    /// Answer to [`Client::register`].
    Registered(RegisterOutcome),
    /// Answer to [`Client::login`] and [`Client::take_over`].
    LoggedIn(LoginOutcome),
    /// Answer to [`Client::go_offline`].
    WentOffline(Option<bool>),
    /// The whole list, after each change of it.
    Conversations(Vec<Conversation>),
    /// After [`Event::Conversations`], when it changed: strangers that are not in the list one by one.
    MoreStrangers(MoreStrangers),
    /// A new message in this conversation, one's own or theirs, on disk.
    Message { peer: Account, row: Row },
    /// One's own message came further.
    Outgoing { id: MessageId, state: SendState },
    /// Answer to [`Client::index`].
    Index { peer: Account, rows: Vec<RowMeta> },
    /// Answer to [`Client::page`].
    Page { peer: Account, first: u32, rows: Vec<Row> },
    /// Answer to [`Client::last`].
    Last { peer: Account, rows: Vec<Row> },
    /// Answer to [`Client::search`].
    Found { text: String, rows: Vec<(Account, Row)> },
    /// Everybody who is online, on servers that say.
    Online(Vec<Account>),
    /// Somebody is online who was not.
    CameOnline(Account),
    /// Somebody is not online any more.
    WentAway(Account),
    /// Somebody opened this account once more: the windows are to be shown.
    Raise,
    /// Answer to [`Client::import_contacts`].
    Imported(Result<usize, String>),
    /// Answer to [`Client::export_contacts`].
    Exported(Result<(), String>),
    /// Whether the server says who is online and has a lobby.
    Extensions(bool),
    /// The server's count fell by itself: the plain protocol may have lost so many messages.
    MaybeLost(u64),
    /// The system sends nothing to the server, for this reason; said once until something is sent again.
    NetworkTrouble(String),
    /// The server did not understand these bytes of ours.
    NotUnderstood(Vec<u8>),
    /// The disk refused a message of one's own; it is not sent, and the text is given back.
    NotKept { peer: Account, text: String },
    /// The disk refused something else.
    DiskTrouble(String),
    /// A datagram, while [`Client::set_tap`] is on.
    Tap(Record),
    /// What the server speaks.
    Speaks(Speaks),
    /// It speaks the plain dialect alone, in which everybody on the way can read the password:
    /// [`Client::allow_plain`] goes on all the same, [`Client::go_offline`] gives up. With `was_secure` it
    /// spoke the secure one before, so this may be somebody else.
    PlainOnly { was_secure: bool },
    /// The server's key, seen for the first time and kept.
    Pinned(Vec<u8>),
    /// Another key than the known ones; nothing was sent. [`Client::trust`] takes it all the same.
    KeyChanged(KeyChange),
    /// Another device took this account's place, then (in seconds since 1970). [`Client::take_over`] takes
    /// it back.
    Kicked { address: String, at: i64 },
    /// This login has ended another one, which was there.
    TookPlace { address: String },
    /// Answer to [`Client::past`], oldest first.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// Answer to [`Client::account_settings`] and [`Client::set_account`]; none if the server has none for this
    /// account, as in the plain dialect, or could not store the change.
    AccountSettings(Option<AccountSettings>),
}

struct Kept {
    to: Account,
    text: MessageText,
    unix_ms: i64,
}

/// A message on its way to the disk; one of one's own from another device too.
struct Incoming {
    row: Row,
    /// Whose conversation it belongs to.
    from: Account,
    /// The server keeps it until it is on disk here.
    kept: bool,
}

/// The client. See the module for how it is driven.
pub struct Client {
    session: Session,
    /// `None` after [`Client::use_server`] failed.
    socket: Option<Socket>,
    /// Why nothing could be sent lately; said once.
    trouble: Option<io::ErrorKind>,
    /// What went wrong last, and when.
    last_error: Option<(i64, String)>,
    timer: Timer,
    // Before the history: once that is free, another program writes a door of its own.
    door: Option<Doorbell>,
    history: Option<History>,
    /// Whose history that is.
    account: Option<Account>,
    /// To log in with as soon as the history is open; without a password, by the token in it.
    opening: Option<Option<Password>>,
    /// What lets this device in without a password is to be kept on disk.
    staying: bool,
    online: Option<Vec<Account>>,
    /// The list is not read again before this, and is read then if something has come since.
    list_at: Option<Instant>,
    list_due: bool,
    /// The server is known as ours.
    ours: bool,
    config: Config,
    bell: Bell,
    next_request: u64,
    keeping: HashMap<u64, Kept>,
    incoming: HashMap<StoreToken, Incoming>,
    unsent: HashMap<MessageId, SendState>,
    blocked: Vec<Account>,
    more_strangers: MoreStrangers,
    events: VecDeque<Event>,
    tap: Tap,
    handled: u64,
    /// Results of the history that did not fit into the last turn.
    results: VecDeque<Done>,
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
        let session = session_of(&config)?;
        Ok(Self {
            session,
            socket,
            trouble: None,
            last_error: None,
            timer: Timer::start(bell.clone())?,
            history: None,
            account: None,
            opening: None,
            staying: false,
            more_strangers: MoreStrangers::default(),
            door: None,
            online: None,
            list_at: None,
            list_due: false,
            ours: false,
            config,
            bell,
            next_request: 0,
            keeping: HashMap::new(),
            incoming: HashMap::new(),
            unsent: HashMap::new(),
            blocked: Vec::new(),
            events: VecDeque::new(),
            tap: Tap::default(),
            handled: 0,
            results: VecDeque::new(),
        })
    }

    /// Talks to another server from now on, with a socket of its own; whoever was logged in is not any more.
    ///
    /// # Errors
    /// As of [`Client::open`]; then nothing can be sent before this has succeeded.
    pub fn use_server(&mut self, server: SocketAddr) -> Result<(), ClientError> {
        self.close_account();
        self.ours = false;
        self.trouble = None;
        self.config.server = reachable(server);
        self.session = session_of(&self.config)?;
        self.tap.begin_anew();
        // The old one first: the local port may be the same.
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
        if self.door.as_ref().is_some_and(Doorbell::rung) {
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
        // Whatever goes on arriving, a deadline is kept, if not to the moment: what arrived may meet it.
        let now = clock();
        if self.session.poll_timeout().is_some_and(|at| at + LATE <= now.instant) {
            self.deadline(now);
        }
        self.set_timer();
        true
    }

    /// One input: results of the history first, since they let the session go on.
    fn input(&mut self, now: Now) -> bool {
        if self.results.is_empty()
            && let Some(batch) = self.history.as_ref().and_then(History::done)
        {
            self.results.extend(batch);
        }
        if let Some(done) = self.results.pop_front() {
            self.stored(now, done);
        } else if let Some(arrival) = self.socket.as_ref().and_then(Socket::arrival) {
            let record = self.tap.received(arrival.at.instant, arrival.at.unix_ms, &arrival.bytes);
            self.events.extend(record.map(Event::Tap));
            trace("in ", &arrival.bytes);
            self.session.handle_datagram(arrival.at.instant, &arrival.bytes);
        } else if self.timer.due() {
            self.deadline(now);
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
        if self.list_due {
            self.list(now);
        }
    }

    /// Reads the list after a message has come; of a flood that costs more than the messages, so every
    /// [`LIST`] at most.
    fn list(&mut self, now: Now) {
        self.list_due = self.list_at.is_some_and(|at| now.instant < at);
        if !self.list_due {
            self.list_at = Some(now.instant + LIST);
            self.conversations();
        }
    }

    /// Deadlines of the session, and of the list.
    fn set_timer(&mut self) {
        let list = self.list_at.filter(|_| self.list_due);
        self.timer.set([self.session.poll_timeout(), list].into_iter().flatten().min());
    }

    /// The next event; call until `None` after [`Client::pump`] and after each command.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Registers an account.
    pub fn register(&mut self, now: Now, account: Account, password: Password, confirm: Password) {
        self.session.register(now.instant, account, password, confirm);
        self.after(now);
    }

    /// Opens the account's history on its thread, and logs in when that is done; a damaged or newer
    /// one is [`Event::DiskTrouble`], and nothing is sent.
    ///
    /// # Errors
    /// The account is open in another process, or its folder cannot be used.
    pub fn login(&mut self, now: Now, account: Account, password: Password) -> Result<(), ClientError> {
        self.log_in(now, account, Some(password))
    }

    /// The same without a password, by what the server gave this device at the last login: where
    /// [`Client::can_resume`]. Where that does not do, the answer is [`LoginOutcome::PasswordNeeded`].
    ///
    /// # Errors
    /// As [`Client::login`].
    pub fn resume(&mut self, now: Now, account: Account) -> Result<(), ClientError> {
        self.staying = true;
        self.log_in(now, account, None)
    }

    fn log_in(&mut self, now: Now, account: Account, password: Option<Password>) -> Result<(), ClientError> {
        self.open_history(account)?;
        if let Some(history) = &self.history {
            history.submit(Op::Outbox);
        }
        self.opening = Some(password);
        self.after(now);
        Ok(())
    }

    /// Passwords may go to this server in the plain dialect, now and later: after [`Event::PlainOnly`], when
    /// somebody agreed to that. For a server that was spoken to securely it counts this once.
    pub fn allow_plain(&mut self, now: Now) {
        if self.session.pins().is_empty() {
            keep_consent(&self.config);
        }
        self.session.allow_plain(now.instant);
        self.after(now);
    }

    /// Nobody agreed: what waits for [`Client::allow_plain`] is forgotten, without a word to the server.
    pub fn give_up(&mut self) {
        self.session.give_up();
    }

    /// The server may show this key from now on: after [`Event::KeyChanged`], when its words were
    /// compared. Then log in again.
    pub fn trust(&mut self, now: Now, key: Vec<u8>) {
        self.session.trust(key);
        self.after(now);
    }

    /// Opens the account's history on its thread to be read, and asks for the list; nothing is sent.
    ///
    /// # Errors
    /// As [`Client::login`].
    pub fn open_history(&mut self, account: Account) -> Result<(), ClientError> {
        self.close_account();
        let path = self.history_path(&account);
        let history = match History::open(&path, self.bell.clone()) {
            Err(HistoryError::Locked) if doorbell::ring(&path).is_ok() => return Err(ClientError::AlreadyOpen),
            history => history?,
        };
        self.door = match Doorbell::open(&path, self.bell.clone()) {
            Ok(door) => Some(door),
            Err(error) => {
                log::warn!("a second window of this account will not bring this one to the front: {error}");
                None
            }
        };
        history.submit(Op::Conversations);
        self.history = Some(history);
        self.account = Some(account);
        Ok(())
    }

    /// Closes the account's history and frees it for another window, after [`Client::go_offline`].
    pub fn close_account(&mut self) {
        // Without a history nothing may be taken, nor anybody's message go into another's.
        self.session.forget();
        self.door = None;
        self.online = None;
        (self.list_at, self.list_due) = (None, false);
        self.history = None;
        self.account = None;
        self.opening = None;
        self.results.clear();
        self.blocked.clear();
        self.more_strangers = MoreStrangers::default();
        self.unsent.clear();
        self.keeping.clear();
        self.incoming.clear();
    }

    /// The file of an account's history on this server.
    #[must_use]
    pub fn history_path(&self, account: &Account) -> PathBuf {
        let server = self.config.server.to_string();
        let file = format!("{}.sqlite", file_name(account.as_str()));
        self.config.data.join(file_name(&server)).join(file)
    }

    /// Ends the account's other session and logs in.
    pub fn take_over(&mut self, now: Now) {
        self.session.take_over(now.instant);
        self.after(now);
    }

    /// Goes offline; what is not sent stays in the outbox.
    pub fn go_offline(&mut self, now: Now) {
        self.opening = None;
        self.session.go_offline(now.instant);
        self.after(now);
    }

    /// Logs in again.
    pub fn go_online(&mut self, now: Now) {
        // Without a history nothing could be kept.
        if self.history.is_some() {
            self.session.go_online(now.instant);
        }
        self.after(now);
    }

    /// Asks at once, and reconnects at once.
    pub fn fetch_now(&mut self, now: Now) {
        self.session.fetch_now(now.instant);
        self.after(now);
    }

    /// Which chats are open, and whether one can be seen.
    pub fn set_open_chats(&mut self, now: Now, chats: Vec<Account>, visible: bool) {
        self.session.set_open_chats(now.instant, chats, visible);
        self.after(now);
    }

    /// How unread messages are asked for from now on.
    pub fn set_polling(&mut self, now: Now, polling: Polling) {
        self.config.polling = polling;
        self.session.set_polling(now.instant, polling);
        self.after(now);
    }

    /// A datagram typed by hand, and what is expected of it.
    pub fn by_hand(&mut self, now: Now, bytes: Vec<u8>, expectation: Expectation) {
        self.tap.expect(&bytes, expectation);
        self.session.by_hand(now.instant, bytes);
        self.after(now);
    }

    /// Sends a text of any length: on disk first, then on the wire. False when it is blank or nobody
    /// is logged in; then nothing happened.
    pub fn send_message(&mut self, now: Now, to: &Account, text: &str) -> bool {
        let Some(history) = &self.history else { return false };
        let parts = MessageText::split(text);
        for text in &parts {
            self.next_request += 1;
            let kept = Kept { to: to.clone(), text: text.clone(), unix_ms: now.unix_ms };
            self.keeping.insert(self.next_request, kept);
            let (to, text) = (to.clone(), text.as_str().to_owned());
            history.submit(Op::Outgoing { request: self.next_request, to, text, unix_ms: now.unix_ms });
        }
        !parts.is_empty()
    }

    /// Sends a message that failed, or may have, once more under its old row.
    pub fn resend(&mut self, now: Now, id: MessageId, to: Account, text: MessageText) {
        self.unsent.insert(id, SendState::Waiting);
        self.session.send(now.instant, id, to, text);
        self.after(now);
    }

    /// Messages of one's own that are not settled; asked before leaving.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.unsent.len() + self.keeping.len()
    }

    /// The connection line.
    #[must_use]
    pub fn link(&self) -> Link {
        self.session.link()
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
    }

    fn transmit(&mut self, now: Now, bytes: &[u8]) {
        let sent = self.socket.as_ref().map_or(Err(io::ErrorKind::NotConnected.into()), |socket| socket.send(bytes));
        let trouble = sent.as_ref().err().map(io::Error::kind);
        if let Err(error) = sent
            && self.trouble != trouble
        {
            log::warn!("nothing can be sent to {}: {error}", self.config.server);
            self.last_error = Some((now.unix_ms, error.to_string()));
            self.events.push_back(Event::NetworkTrouble(error.to_string()));
        }
        self.trouble = trouble;
    }
}

/// A session for this server, with what is known of it.
fn session_of(config: &Config) -> Result<Session, ClientError> {
    let pins = known_keys(config);
    Ok(Session::new(session::Config {
        server: config.server,
        polling: config.polling,
        dialect: config.dialect,
        known: Known { secure_only: !pins.is_empty(), pins },
        allow_plain: plain_allowed(config),
        seed: getrandom::u64().map_err(io::Error::other)?,
        carrier_seed: None,
    }))
}

fn trace(way: &str, bytes: &[u8]) {
    if link::first_byte(bytes) {
        log::trace!("{way} {} bytes of the secure dialect", bytes.len());
    } else {
        log::trace!("{way} {}", crate::wire::show::starred(bytes).escape_ascii());
    }
}
