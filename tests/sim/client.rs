//! A client's machine: a session as it is, of either dialect, and a model of its history. What was committed
//! there survives the program's end; what was only given to it does not. A cut of the power takes back the last
//! commits too, all of what each did, since the client's database does not wait for the disk. A full disk
//! refuses every commit.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hongyan::base::model::{Account, MessageId, MessageText, Password, SendState};
use hongyan::base::timer::Dice;
use hongyan::client::history::ItemPage;
use hongyan::client::session::{
    Config, ConnectionState, DeviceState, Dialect, Event, KnownServer, LoginOutcome, Polling, Pushed, RegisterOutcome,
    Session, StoreToken,
};
use hongyan::protocol::wire::frame::{Device, Key};
use hongyan::protocol::wire::item::Item;
use hongyan::protocol::wire::reply::{LoggedIn, Registered};

use crate::lists::Lists;
use crate::world::TELLS;

/// Where everybody calls.
pub const SERVER: ([u8; 4], u16) = ([10, 9, 9, 9], 9_000);

/// A client's database.
#[derive(Debug, Clone)]
pub struct Disk {
    pub kept: DeviceState,
    /// Others' messages: row at the server (0 in the plain dialect, which has none), sender, text.
    pub messages: Vec<(u64, String, String)>,
    /// One's own.
    pub outgoing: BTreeMap<i64, (Account, String, SendState)>,
    /// Their rows at the server.
    rows: BTreeMap<i64, u64>,
    /// What other devices of the account have sent: as which row, to whom, text.
    mirrored: Vec<(u64, Account, String)>,
    /// Of what was sent to somebody which rows were delivered: the first, and the last.
    delivered: BTreeMap<(Account, u64), u64>,
    pins: Vec<Vec<u8>>,
    pub lists: Lists,
}

/// Messages: to whom, and what.
pub type Said = BTreeSet<(Account, String)>;

#[derive(Debug, Clone)]
enum Op {
    Received { token: StoreToken, pushed: Option<Pushed>, from: String, text: String },
    Own { token: StoreToken, pushed: Pushed, to: Account, text: String, accepted: Option<u64> },
    Accepted { id: MessageId, row: u64, state: SendState },
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    Outgoing { to: Account, text: String },
    State { id: MessageId, state: SendState },
    Refused { id: MessageId, state: SendState },
    Begin(u64),
    Token(Option<Key<32>>),
    Rename,
    Pin(Vec<u8>),
    Outbox,
    Items(ItemPage),
    ItemSet { number: u64, taken: bool },
    Change(Item),
}

/// What the simulator has seen of a client, by which the promises are judged.
#[derive(Debug, Default)]
pub struct Noted {
    /// Something of its own was answered, and that could not be written down.
    pub forgot: bool,
    pub registered: bool,
    pub logins: usize,
    pub kicks: usize,
    pub taken_over: usize,
    /// Every message that reached the screen, with the time.
    pub shown: Vec<(Instant, String)>,
    /// Messages to the lobby that were put back, as the server had not shown that it has one.
    pub no_room: BTreeSet<i64>,
    /// When each message of its own was answered.
    pub answered: Vec<(Instant, String)>,
    /// Texts that were ever on its disk, of others.
    pub had: BTreeSet<String>,
    /// What it shows as delivered may have changed.
    pub news: bool,
    /// Of these it was looked whether it is so.
    pub looked_at: Said,
    /// Events, for a developer who looks at one seed.
    pub told: Vec<String>,
}

#[derive(Debug)]
pub struct Client {
    pub account: Account,
    pub dialect: Dialect,
    pub address: SocketAddr,
    pub session: Option<Session>,
    pub disk: Disk,
    /// As it would be after a cut of the power.
    synced: Disk,
    waiting: Vec<Op>,
    committing: Option<(Instant, Vec<Op>)>,
    dice: Dice,
    devices: u8,
    /// The longest a commit takes.
    pub slowest_commit: Duration,
    /// Nothing can be committed.
    pub full: bool,
    /// Its person logs in then.
    pub login_at: Option<Instant>,
    /// The machine sleeps: nothing runs.
    pub asleep: bool,
    /// How long after it was kicked it logs in again.
    pub takes_back: Option<Duration>,
    pub connection: ConnectionState,
    pub datagrams: Vec<Vec<u8>>,
    pub noted: Noted,
}

fn password() -> Password {
    Password::parse("secret").expect("valid")
}

impl Client {
    pub fn new(seed: u64, index: usize, account: &str) -> Self {
        let mut dice = Dice::new(seed * 1_000 + index as u64 + 29);
        let first = u8::try_from(index % 200).expect("small");
        let device = Key([first, u8::try_from(index / 200).expect("small"), 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let kept = DeviceState { device, token: None, cursor: None, newest: 0, delivered: 0, items: 0, made: None };
        let disk = Disk {
            kept,
            messages: Vec::new(),
            outgoing: BTreeMap::new(),
            pins: Vec::new(),
            rows: BTreeMap::new(),
            mirrored: Vec::new(),
            delivered: BTreeMap::new(),
            lists: Lists::default(),
        };
        let port = 5_000 + u16::try_from(dice.roll() % 10_000).expect("small");
        Self {
            account: Account::person(account).expect("valid"),
            dialect: Dialect::Auto,
            address: SocketAddr::from(([10, u8::try_from(1 + index / 200).expect("small"), first, 1], port)),
            session: None,
            synced: disk.clone(),
            disk,
            waiting: Vec::new(),
            committing: None,
            dice,
            devices: 1,
            slowest_commit: Duration::from_millis(10),
            full: false,
            login_at: None,
            asleep: false,
            takes_back: None,
            connection: ConnectionState::Offline,
            datagrams: Vec::new(),
            noted: Noted::default(),
        }
    }

    /// The program begins, and logs in or registers.
    pub fn start(&mut self, now: Instant) {
        let byte = u8::try_from(self.dice.roll() % 256).expect("a byte");
        let pins = self.disk.pins.clone();
        let config = Config {
            server: SocketAddr::from(SERVER),
            polling: Polling::Adaptive,
            dialect: self.dialect,
            known: KnownServer { secure_only: !pins.is_empty(), pins, ..KnownServer::default() },
            allow_plain: self.dialect == Dialect::Plain,
            seed: self.dice.roll(),
            carrier_seed: Some([byte; 32]),
        };
        self.session = Some(Session::new(config));
        self.noted.forgot = false;
        if self.noted.registered { self.log_in(now, false) } else { self.register(now) }
    }

    fn register(&mut self, now: Instant) {
        let account = self.account.clone();
        if let Some(session) = &mut self.session {
            session.register(now, account, password(), password());
        }
        self.drain(now);
    }

    fn log_in(&mut self, now: Instant, by_password: bool) {
        let (account, kept) = (self.account.clone(), self.disk.kept);
        self.login_at = None;
        let Some(session) = &mut self.session else { return };
        if by_password || kept.token.is_none() || self.dialect == Dialect::Plain {
            session.login(now, account, password(), kept);
        } else {
            session.resume(now, account, kept);
        }
        self.submit(now, Op::Outbox);
        self.drain(now);
    }

    /// As kill -9.
    pub fn crash(&mut self) {
        self.session = None;
        self.waiting.clear();
        self.committing = None;
        self.login_at = None;
        self.datagrams.clear();
        self.connection = ConnectionState::Offline;
    }

    /// The last commits are gone too.
    pub fn lose_power(&mut self) {
        self.crash();
        self.disk = self.synced.clone();
    }

    pub fn write(&mut self, now: Instant, to: &Account, text: String) {
        self.submit(now, Op::Outgoing { to: to.clone(), text });
    }

    /// Its person changes a list.
    pub fn change(&mut self, now: Instant, item: Item) {
        self.submit(now, Op::Change(item));
    }

    pub fn with(&mut self, now: Instant, act: impl FnOnce(&mut Session)) {
        if let Some(session) = &mut self.session {
            act(session);
            self.drain(now);
        }
    }

    fn submit(&mut self, now: Instant, op: Op) {
        self.waiting.push(op);
        self.commit_on(now);
    }

    fn commit_on(&mut self, now: Instant) {
        if self.committing.is_none() && !self.waiting.is_empty() {
            let span = u64::try_from(self.slowest_commit.as_micros()).expect("short").max(1);
            let at = now + Duration::from_micros(self.dice.roll() % span);
            self.committing = Some((at, std::mem::take(&mut self.waiting)));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        let committed = self.committing.as_ref().map(|(at, _)| *at);
        let session = self.session.as_ref().filter(|_| !self.asleep).and_then(Session::poll_timeout);
        [committed, session, self.login_at].into_iter().flatten().min()
    }

    pub fn datagram(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(session) = self.session.as_mut().filter(|_| !self.asleep) {
            session.handle_datagram(now, bytes);
            self.drain(now);
        }
    }

    /// Whatever is due.
    pub fn turn(&mut self, now: Instant) {
        if let Some((_, batch)) = self.committing.take_if(|(at, _)| *at <= now) {
            if self.dice.roll().is_multiple_of(8) {
                self.synced = self.disk.clone();
            }
            let new = self.disk.kept;
            let refused = batch.iter().any(|op| matches!(op, Op::Refused { .. }));
            let apply = if self.full { Self::refuse } else { Self::apply };
            let done: Vec<Done> = batch.into_iter().filter_map(|op| apply(self, op)).collect();
            // The client waits until these are on disk: without them it would be sent nothing again, or would send
            // again under another name.
            let named = new.cursor.is_none() && self.disk.kept.cursor.is_some() || new.device != self.disk.kept.device;
            if (named || refused) && !self.full {
                self.synced = self.disk.clone();
            }
            for done in done {
                self.committed(now, done);
            }
            self.commit_on(now);
        }
        if self.login_at.is_some_and(|at| at <= now) && self.session.is_some() {
            self.login_at = None;
            let link = self.session.as_ref().map(Session::link);
            match &mut self.session {
                _ if !self.noted.registered => self.register(now),
                Some(session) if link == Some(ConnectionState::LoggedOut) => session.go_online(now),
                // It has gone on by itself.
                _ if self.dialect == Dialect::Plain && link != Some(ConnectionState::Offline) => {}
                _ => self.log_in(now, true),
            }
        }
        if let Some(session) = self.session.as_mut().filter(|_| !self.asleep)
            && session.poll_timeout().is_some_and(|at| at <= now)
        {
            session.handle_timeout(now);
        }
        self.drain(now);
    }

    /// What the disk does not take.
    fn refuse(&mut self, op: Op) -> Option<Done> {
        Some(match op {
            Op::Received { token, .. } | Op::Own { token, .. } => Done::Stored(token, false),
            // Its writer keeps the text.
            Op::Outgoing { .. } | Op::Begin(_) | Op::Token(_) | Op::Pin(_) => return None,
            Op::State { id, state: SendState::Sending } | Op::Refused { id, .. } => Done::Noted(id, false),
            Op::Delivered { .. } => Done::Delivered(None),
            Op::State { .. } | Op::Accepted { .. } => {
                self.noted.forgot = true;
                return None;
            }
            Op::Rename => Done::Renamed(None),
            Op::Outbox => Done::Outbox,
            Op::Items(_) => Done::Items(None),
            // The change stays, and is sent once more; or it was never made.
            Op::ItemSet { .. } | Op::Change(_) => Done::Changes,
        })
    }

    fn apply(&mut self, op: Op) -> Option<Done> {
        self.noted.news |= matches!(op, Op::Own { .. } | Op::Accepted { .. } | Op::Delivered { .. });
        let disk = &mut self.disk;
        Some(match op {
            Op::Received { token, pushed, from, text } => self.received(token, pushed, from, text),
            Op::Own { token, pushed, to, text, accepted } => self.own(token, pushed, to, text, accepted),
            Op::Outgoing { to, text } => {
                disk.kept.newest += 1;
                let id = disk.kept.newest;
                disk.outgoing.insert(id, (to, text, SendState::Waiting));
                Done::Outgoing(id)
            }
            Op::State { id, state } => {
                if let Some((.., known)) = disk.outgoing.get_mut(&id.0) {
                    *known = state;
                }
                if state != SendState::Sending {
                    return None;
                }
                Done::Noted(id, true)
            }
            Op::Accepted { id, row, state } => {
                if let Some((.., known)) = disk.outgoing.get_mut(&id.0) {
                    *known = state;
                    disk.rows.insert(id.0, row);
                }
                return None;
            }
            Op::Delivered { version, rows } => {
                for (to, first, last) in rows {
                    let known = disk.delivered.entry((to, first)).or_insert(last);
                    *known = last.max(*known);
                }
                disk.kept.delivered = version;
                Done::Delivered(Some(version))
            }
            Op::Refused { id, state } => {
                if let Some((.., known)) = disk.outgoing.get_mut(&id.0) {
                    *known = state;
                }
                Done::Noted(id, true)
            }
            Op::Begin(row) => {
                disk.kept.cursor = disk.kept.cursor.or(Some(row));
                return None;
            }
            Op::Token(token) => {
                disk.kept.token = token;
                return None;
            }
            Op::Rename => {
                self.devices += 1;
                let Key(mut name) = disk.kept.device;
                name[3] = self.devices;
                (disk.kept.device, disk.kept.token) = (Key(name), None);
                Done::Renamed(Some(disk.kept.device))
            }
            Op::Pin(pin) => {
                disk.pins.push(pin);
                return None;
            }
            Op::Outbox => {
                // As the history does when it is opened: only its writer sends again what may have been sent so.
                let plain = self.dialect == Dialect::Plain;
                for (.., state) in disk.outgoing.values_mut().filter(|(.., s)| plain && *s == SendState::Sending) {
                    *state = SendState::MaybeSent;
                }
                Done::Outbox
            }
            Op::Items(page) => {
                disk.kept.items = disk.lists.take(page);
                Done::Items(Some(disk.kept.items))
            }
            Op::ItemSet { number, taken } => {
                disk.lists.set(number, taken);
                Done::Changes
            }
            Op::Change(item) => {
                disk.lists.change(item);
                Done::Changes
            }
        })
    }

    /// What came from somebody: pushed only in its turn, else at once.
    fn received(&mut self, token: StoreToken, pushed: Option<Pushed>, from: String, text: String) -> Done {
        let kept = &mut self.disk.kept;
        let stored = pushed.as_ref().is_none_or(|pushed| kept.cursor == pushed.after);
        if stored {
            let row = pushed.map_or(0, |pushed| pushed.row);
            if row > 0 {
                kept.cursor = Some(row);
            }
            kept.newest += 1;
            self.noted.had.insert(text.clone());
            self.disk.messages.push((row, from, text));
        }
        Done::Stored(token, stored)
    }

    /// One of its own, as the server has it.
    fn own(&mut self, token: StoreToken, pushed: Pushed, to: Account, text: String, accepted: Option<u64>) -> Done {
        let disk = &mut self.disk;
        let stored = disk.kept.cursor == pushed.after;
        if stored {
            disk.kept.cursor = Some(pushed.row);
            // By itself, under another name, as long as it has not forgotten that.
            if !disk.outgoing.values().any(|(receiver, mine, _)| *receiver == to && *mine == text) {
                disk.kept.newest += 1;
                disk.mirrored.extend(accepted.map(|accepted| (accepted, to, text.clone())));
                disk.messages.push((pushed.row, self.account.as_str().to_owned(), text));
            }
        }
        Done::Stored(token, stored)
    }

    fn committed(&mut self, now: Instant, done: Done) {
        let Some(session) = &mut self.session else { return };
        let text = |text: &str| MessageText::parse(text).expect("valid");
        match done {
            Done::Stored(token, stored) => session.handle_stored(now, token, stored),
            Done::Noted(id, noted) => session.handle_noted(now, id, noted),
            Done::Delivered(version) => session.handle_delivered(now, version),
            Done::Items(version) => {
                session.handle_items(now, version);
                // Whichever session there was when they were made.
                session.set_items(now, self.disk.lists.changes());
            }
            Done::Changes => session.set_items(now, self.disk.lists.changes()),
            Done::Renamed(device) => session.set_device(now, device),
            Done::Outgoing(id) => {
                let (to, body, _) = &self.disk.outgoing[&id];
                session.send(now, MessageId(id), to.clone(), text(body));
            }
            Done::Outbox => {
                session.set_items(now, self.disk.lists.changes());
                for (id, (to, body, state)) in &self.disk.outgoing {
                    match state {
                        SendState::Waiting => session.send(now, MessageId(*id), to.clone(), text(body)),
                        SendState::Sending => session.send_again(now, MessageId(*id), to.clone(), text(body)),
                        _ => {}
                    }
                }
            }
        }
        self.drain(now);
    }

    fn drain(&mut self, now: Instant) {
        while let Some(event) = self.session.as_mut().and_then(Session::poll_event) {
            self.event(now, event);
        }
        while let Some(transmit) = self.session.as_mut().and_then(Session::poll_transmit) {
            self.datagrams.push(transmit.bytes);
        }
    }

    fn note_answered(&mut self, now: Instant, id: MessageId, state: SendState) {
        if matches!(state, SendState::Sent | SendState::Kept | SendState::OfflineOrUnknown) {
            let text = self.disk.outgoing.get(&id.0).map(|(_, text, _)| text.clone());
            self.noted.answered.extend(text.map(|text| (now, text)));
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        if TELLS.load(Ordering::Relaxed) {
            self.noted.told.push(format!("{event:?}"));
        }
        match event {
            Event::Received { token, from, text, pushed, .. } => {
                self.noted.shown.push((now, text.clone()));
                self.submit(now, Op::Received { token, pushed, from: from.as_str().to_owned(), text });
            }
            Event::Own { token, to, text, pushed, by } => {
                self.submit(now, Op::Own { token, pushed, to, text, accepted: by.accepted });
            }
            Event::Delivered { version, rows } => self.submit(now, Op::Delivered { version, rows }),
            Event::Items { version, anew, items, more, digest } => {
                self.submit(now, Op::Items(ItemPage { version, anew, items, more, digest }));
            }
            Event::ItemSet { number, refused } => {
                self.submit(now, Op::ItemSet { number, taken: refused.is_none() });
            }
            Event::Accepted { id, row, state } => {
                self.note_answered(now, id, state);
                self.submit(now, Op::Accepted { id, row, state });
            }
            Event::Outgoing { id, state } => {
                self.note_answered(now, id, state);
                self.submit(now, Op::State { id, state });
            }
            Event::Refused { id, state } => self.submit(now, Op::Refused { id, state }),
            // As the client does: it was not sent, and its writer is told so. The server has a lobby, so nothing else
            // is certain.
            Event::NoRoom { id, sure } => {
                assert!(!sure, "a server of ours is said to have no lobby");
                self.noted.no_room.insert(id.0);
                self.submit(now, Op::State { id, state: SendState::Failed });
            }
            Event::Begins(row) => self.submit(now, Op::Begin(row)),
            Event::Token(token) => self.submit(now, Op::Token(token)),
            Event::NameTaken => self.submit(now, Op::Rename),
            Event::Pin(pin) => self.submit(now, Op::Pin(pin)),
            Event::Registered(RegisterOutcome::Answered {
                reply: Registered::Done | Registered::AccountExists,
                ..
            }) => {
                self.noted.registered = true;
                self.log_in(now, true);
            }
            Event::Registered(_) => self.login_at = Some(now + Duration::from_secs(1)),
            Event::LoggedIn(LoginOutcome::Done) => self.noted.logins += 1,
            // A takeover whose `06#` was lost, or came late, is begun anew by its person.
            Event::LoggedIn(
                LoginOutcome::NoAnswer | LoginOutcome::Unheard | LoginOutcome::PasswordNeeded | LoginOutcome::NotTaken,
            ) => {
                self.login_at = Some(now + Duration::from_secs(1));
            }
            // The user takes over the other session, which is this client's own at another address.
            Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn)) => {
                if let Some(session) = &mut self.session {
                    session.take_over(now);
                }
            }
            Event::LoggedIn(outcome) => {
                // Its registration never came through.
                assert!(self.noted.logins == 0, "{}: {outcome:?}", self.account);
                self.noted.registered = false;
                self.login_at = Some(now + Duration::from_secs(1));
            }
            Event::Kicked { .. } => {
                self.noted.kicks += 1;
                self.login_at = self.takes_back.map(|after| now + after);
            }
            Event::TookPlace { .. } => self.noted.taken_over += 1,
            Event::ConnectionState(link) => {
                self.connection = link;
                if link == ConnectionState::LoggedOut && self.dialect == Dialect::Plain {
                    self.login_at = Some(now + Duration::from_secs(1));
                }
            }
            // Nobody agrees to that.
            Event::PlainOnly { .. } => {
                if let Some(session) = &mut self.session {
                    session.refuse_plain();
                }
                self.login_at = Some(now + Duration::from_secs(1));
            }
            _ => {}
        }
    }

    pub fn is_online(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|s| matches!(s.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting))
    }

    /// Whether the handshake is over.
    pub fn is_connected(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.figures().is_some())
    }

    /// Messages that are neither answered nor given up.
    pub fn unsettled(&self) -> usize {
        let open = |state: &SendState| matches!(state, SendState::Waiting | SendState::Sending);
        self.disk.outgoing.values().filter(|(.., state)| open(state)).count()
    }

    /// What it shows as delivered of what its account has sent, and what it shows as on the server: to whom, and what.
    pub fn sent(&self) -> (Said, Said) {
        let own = self.disk.outgoing.iter().filter_map(|(id, (to, text, state))| {
            let there = matches!(state, SendState::Sent | SendState::Kept);
            there.then(|| (self.disk.rows.get(id).copied(), to, text))
        });
        let mirrored = self.disk.mirrored.iter().map(|(row, to, text)| (Some(*row), to, text));
        let (mut delivered, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for (row, to, text) in own.chain(mirrored).filter(|(_, to, _)| !to.is_room()) {
            let mut ranges = self.disk.delivered.iter().filter(|((account, _), _)| account == to);
            let is_in = row.is_some_and(|row| ranges.any(|((_, first), last)| (*first..=*last).contains(&row)));
            if is_in { &mut delivered } else { &mut kept }.insert((to.clone(), text.clone()));
        }
        (delivered, kept)
    }

    /// How often this device took another name.
    pub fn renames(&self) -> usize {
        usize::from(self.devices) - 1
    }

    pub fn is_idle(&self) -> bool {
        self.committing.is_none() && self.waiting.is_empty()
    }
}

/// What a commit tells.
enum Done {
    Stored(StoreToken, bool),
    Noted(MessageId, bool),
    Outgoing(i64),
    Renamed(Option<Device>),
    Delivered(Option<u64>),
    Outbox,
    Items(Option<u64>),
    Changes,
}
