//! The session in virtual time against a small server, made of a link and a function from frames to frames. What is
//! durable is kept apart from what a restart forgets.

mod beside;
mod contact;
mod delivered;
mod faults;
mod hostile;
mod items;
mod later;
mod looking;
mod promises;
mod states;
mod storing;

use std::collections::{BTreeMap, HashMap};

use ring::{digest, hmac};

use super::*;
use crate::base::model::SendState;
use crate::client::session::{KeyChange, LoginOutcome, NewAccount, Pushed};
use crate::protocol::link::{Identity, Link as Carrier, PeerId};
use crate::protocol::wire::frame::{AccountSettings, Device, Key, Past};

/// Another device of the same account.
const OTHER: Device = Key([200; 16]);
const RTT: Duration = Duration::from_millis(40);

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn password() -> Password {
    Password::parse("secret").expect("valid")
}

fn new_account(confirm: Password) -> NewAccount {
    NewAccount { account: account("a"), password: password(), confirm, name: String::new() }
}

/// What the small server never forgets.
#[derive(Default)]
struct Durable {
    tokens: HashMap<Device, Key<32>>,
    /// The text of each sent message and the row it got, by device and counter.
    sent: BTreeMap<(Device, u64), (String, u64)>,
    /// The texts that were accepted, in order.
    texts: Vec<String>,
    /// The messages for the client, by row.
    mailbox: BTreeMap<u64, String>,
    rows: u64,
    passwords: usize,
    resumed: usize,
    acknowledged: u64,
    settings: AccountSettings,
    /// What devices have said of whether somebody is there.
    here: Vec<bool>,
}

/// One connection of the small server.
struct Seat {
    peer: PeerId,
    device: Option<Device>,
    /// The newest row pushed on it.
    pushed: u64,
}

/// A script that may answer instead of the small server.
type Script<'a> = Box<dyn FnMut(&FromClient) -> Option<Vec<FromServer>> + 'a>;

/// The writes of the client's disk.
#[derive(Default)]
struct Writes {
    /// The longest that one may take, in milliseconds.
    longest: u64,
    /// The writes under way, in order.
    under_way: VecDeque<(Instant, StoreToken, Pushed, String)>,
}

struct World<'a> {
    start: Instant,
    now: Instant,
    session: Session,
    identity: Identity,
    server: Carrier,
    /// Whether the server is down.
    down: bool,
    seats: Vec<Seat>,
    durable: Durable,
    script: Script<'a>,
    client_at: SocketAddr,
    /// The percentage of datagrams that are lost.
    loss: u64,
    dice: Dice,
    flying: Vec<(Instant, bool, SocketAddr, Vec<u8>)>,
    /// The client's disk: messages with their rows.
    disk: Vec<(u64, String)>,
    disk_works: bool,
    writes: Writes,
    kept: DeviceState,
    events: Vec<(Duration, Event)>,
    datagrams: usize,
    idle_wakes: usize,
}

impl<'a> World<'a> {
    fn new(seed: u64) -> Self {
        Self::scripted(seed, |_| None)
    }

    fn scripted(seed: u64, script: impl FnMut(&FromClient) -> Option<Vec<FromServer>> + 'a) -> Self {
        let now = Instant::now();
        let identity = Identity::generate().expect("random bytes");
        Self {
            start: now,
            now,
            session: Session::new(Self::config(seed, Vec::new())),
            server: Carrier::server(&identity, None).expect("an identity"),
            identity,
            down: false,
            seats: Vec::new(),
            durable: Durable::default(),
            script: Box::new(script),
            client_at: at(5_000),
            loss: 0,
            dice: Dice::new(seed + 1),
            flying: Vec::new(),
            disk: Vec::new(),
            disk_works: true,
            writes: Writes::default(),
            kept: DeviceState {
                device: Key([1; 16]),
                token: None,
                cursor: None,
                newest: 0,
                delivered: 0,
                items: 0,
                made: None,
            },
            events: Vec::new(),
            datagrams: 0,
            idle_wakes: 0,
        }
    }

    fn config(seed: u64, pins: Vec<Vec<u8>>) -> Config {
        let carrier_seed = Some([u8::try_from(seed % 251).expect("small"); 32]);
        Config { server: at(1), pins, damaged: None, if_free: false, last_token: 0, seed, carrier_seed }
    }

    /// Makes a world with a session that is logged in, without the events of that.
    fn online(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.log_in();
        world
    }

    fn log_in(&mut self) {
        self.session.login(self.now, account("a"), password(), self.kept);
        self.until(secs(10), |w| w.has(&Event::LoggedIn(LoginOutcome::Done)));
        assert!(self.has(&Event::LoggedIn(LoginOutcome::Done)), "{:?}", self.events);
        self.run(ms(300));
        self.events.clear();
    }

    fn time(&self) -> Duration {
        self.now - self.start
    }

    fn percent(&mut self) -> u64 {
        self.dice.roll() % 100
    }

    fn fly(&mut self, by_server: bool, to: SocketAddr, bytes: Vec<u8>) {
        self.datagrams += 1;
        if self.percent() < self.loss || self.down {
            return;
        }
        let late = if self.percent() < self.loss { RTT / 2 } else { Duration::ZERO };
        self.flying.push((self.now + RTT / 2 + late, by_server, to, bytes));
    }

    /// Does what the client does with its disk at an event.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Received { token, text, pushed: Some(pushed), .. } | Event::Own { token, text, pushed, .. } => {
                let time = ms(self.dice.roll() % (self.writes.longest + 1));
                let last = self.writes.under_way.back().map_or(self.now, |(at, ..)| *at);
                self.writes.under_way.push_back(((self.now + time).max(last), *token, *pushed, text.clone()));
                self.write();
            }
            Event::Outgoing { id, state: SendState::Sending } | Event::Refused { id, .. } => {
                self.session.handle_noted(self.now, *id, self.disk_works);
            }
            Event::Token(token) => self.kept.token = *token,
            Event::Begins(row) if self.disk_works => self.kept.cursor = self.kept.cursor.or(Some(*row)),
            Event::NameTaken => {
                let Key([first, ..]) = self.kept.device;
                (self.kept.device, self.kept.token) = (Key([first + 1; 16]), None);
                self.session.set_device(self.now, Some(self.kept.device));
            }
            _ => {}
        }
    }

    /// Completes the writes that are due.
    fn write(&mut self) {
        while self.writes.under_way.front().is_some_and(|(at, ..)| *at <= self.now)
            && let Some((_, token, pushed, text)) = self.writes.under_way.pop_front()
        {
            let stored = self.disk_works && self.kept.cursor == pushed.after;
            if stored {
                self.disk.push((pushed.row, text));
                self.kept.cursor = Some(pushed.row);
            }
            self.session.handle_stored(self.now, token, stored);
        }
    }

    fn drain(&mut self) {
        loop {
            if let Some(event) = self.session.poll_event() {
                self.note(&event);
                self.events.push((self.time(), event));
            } else if let Some(transmit) = self.session.poll_transmit() {
                assert_eq!(transmit.cause, Cause::Secure);
                self.fly(false, at(1), transmit.bytes);
            } else if let Some(transmit) = self.server.poll_transmit() {
                self.fly(true, transmit.to, transmit.bytes);
            } else if let Some(event) = self.server.poll_event() {
                self.serve(event);
            } else {
                return;
            }
        }
    }

    fn serve(&mut self, event: link::Event) {
        match event {
            link::Event::Connected { peer, .. } => self.seats.push(Seat { peer, device: None, pushed: 0 }),
            link::Event::Lost { peer, .. } => self.seats.retain(|seat| seat.peer != peer),
            link::Event::Frame { peer, bytes } => {
                let frame = FromClient::decode(&bytes).expect("a frame");
                let answers = match (self.script)(&frame) {
                    Some(answers) => answers,
                    None => self.answer(peer, frame),
                };
                for answer in answers {
                    self.server.send(self.now, peer, &answer.encode());
                }
                self.push();
            }
        }
    }

    fn answer(&mut self, peer: PeerId, frame: FromClient) -> Vec<FromServer> {
        let Some(at) = self.seats.iter().position(|seat| seat.peer == peer) else { return Vec::new() };
        let durable = &mut self.durable;
        match frame {
            FromClient::Register { id, .. } => vec![FromServer::Registered { id }],
            FromClient::Login { id, password, device, cursor, .. } => {
                durable.passwords += 1;
                if password.0 != "secret" {
                    return vec![FromServer::Error { id, code: Code::WrongPassword, reason: None, wait: None }];
                }
                let token = Key([u8::try_from(durable.passwords % 250).expect("small"); 32]);
                durable.tokens.insert(device, token);
                self.seat(at, id, device, cursor, Some(token))
            }
            FromClient::Resume { id, device, proof, cursor, .. } => {
                let material = self.server.export(peer, b"hongyan login").expect("connected");
                let right = durable.tokens.get(&device).is_some_and(|token| {
                    let hash = digest::digest(&digest::SHA256, &token.0);
                    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, hash.as_ref()), &material, &proof.0).is_ok()
                });
                if !right {
                    return vec![FromServer::Error { id, code: Code::BadToken, reason: None, wait: None }];
                }
                durable.resumed += 1;
                self.seat(at, id, device, cursor, None)
            }
            FromClient::Logout { id, .. } => {
                self.seats[at].device = None;
                vec![FromServer::LoggedOut { id }]
            }
            FromClient::Send { counter, to, text, .. } => vec![self.sent(at, counter, &to, text)],
            FromClient::Ack { cursor } => {
                assert!(self.disk.iter().any(|(row, _)| *row == cursor), "acknowledged and not on disk");
                durable.acknowledged = durable.acknowledged.max(cursor);
                self.server.hurry(self.now, peer, false);
                Vec::new()
            }
            FromClient::History { id, .. } => {
                let past = Past {
                    row: 1,
                    from: "b".into(),
                    writer: None,
                    at: 5,
                    text: "old".into(),
                    online: None,
                    delivered: false,
                };
                vec![FromServer::History { id, messages: vec![past], more: true }]
            }
            FromClient::LookUp { id, account } if account == "b" => {
                vec![FromServer::Account { id, account, made: 3 }]
            }
            FromClient::LookUp { id, .. } => {
                vec![FromServer::Error { id, code: Code::NoAccount, reason: None, wait: None }]
            }
            FromClient::IfFree
            | FromClient::Delivered { .. }
            | FromClient::Items { .. }
            | FromClient::Set { .. }
            | FromClient::People { .. }
            | FromClient::Find { .. }
            | FromClient::Befriend { .. }
            | FromClient::AnswerFriend { .. }
            | FromClient::Unfriend { .. } => Vec::new(),
            FromClient::Here { away } => {
                durable.here.push(away);
                Vec::new()
            }
            FromClient::Ping { id } => vec![FromServer::Pong { id, at: None }],
            FromClient::AccountSettings { id } => vec![FromServer::AccountSettings { id, settings: durable.settings }],
            FromClient::SetDevices { id, beside } => {
                durable.settings.beside = beside;
                vec![FromServer::AccountSettings { id, settings: durable.settings }]
            }
            FromClient::SetSecureOnly { id, on } => {
                durable.settings.secure_only = on;
                vec![FromServer::AccountSettings { id, settings: durable.settings }]
            }
            FromClient::Unknown => Vec::new(),
        }
    }

    /// Returns the answer to a message; a repetition gets the same answer.
    fn sent(&mut self, at: usize, counter: u64, to: &str, text: String) -> FromServer {
        let refused = |code| FromServer::Refused { counter, code, wait: None, reason: None, made: None };
        let accepted = |row, online| FromServer::Accepted { counter, row, at: 0, online, made: None };
        let Some(device) = self.seats[at].device else { return refused(Code::NotLoggedIn) };
        let durable = &mut self.durable;
        let body = format!("{to} {text}");
        if let Some((kept, row)) = durable.sent.get(&(device, counter)) {
            return if *kept == body { accepted(*row, true) } else { refused(Code::IdConflict) };
        }
        durable.rows += 3;
        durable.sent.insert((device, counter), (body, durable.rows));
        durable.texts.push(text);
        accepted(durable.rows, to != "away")
    }

    fn seat(
        &mut self,
        at: usize,
        id: u64,
        device: Device,
        cursor: Option<u64>,
        token: Option<Key<32>>,
    ) -> Vec<FromServer> {
        let own = |counter: &(Device, u64)| (counter.0 == device).then_some(counter.1);
        let highest = self.durable.sent.keys().filter_map(own).max().unwrap_or(0);
        for seat in self.seats.iter_mut().filter(|seat| seat.device == Some(device)) {
            seat.device = None;
        }
        // What a device says that it has need not be acknowledged once more.
        self.durable.acknowledged = self.durable.acknowledged.max(cursor.unwrap_or(0));
        self.seats[at].device = Some(device);
        self.seats[at].pushed = cursor.unwrap_or(0);
        let list = ["a", "b"].map(String::from);
        vec![
            FromServer::LoggedIn { id, token, highest, ended: None, start: cursor.is_none().then_some(0), made: None },
            FromServer::Presence { first: true, online: list[..1].to_vec(), states: BTreeMap::new() },
            FromServer::Presence { first: false, online: list[1..].to_vec(), states: BTreeMap::new() },
        ]
    }

    /// Puts a message for the client into its mailbox.
    fn post(&mut self, text: &str) {
        self.durable.rows += 2;
        self.durable.mailbox.insert(self.durable.rows, text.to_owned());
        self.push();
    }

    fn push(&mut self) {
        for seat in self.seats.iter_mut().filter(|seat| seat.device.is_some()) {
            for (row, text) in self.durable.mailbox.range(seat.pushed + 1..) {
                let after = self.durable.mailbox.range(..row).next_back().map_or(0, |(row, _)| *row);
                let (from, text) = ("b".to_owned(), text.clone());
                // What begins so was sent by another device of the same account.
                let frame = match text.starts_with("own ") {
                    true => FromServer::Own {
                        row: *row,
                        after,
                        to: from,
                        at: 7,
                        text,
                        device: OTHER,
                        counter: *row,
                        accepted: 1,
                        online: Some(true),
                    },
                    false => FromServer::Message {
                        row: *row,
                        after,
                        from,
                        writer: None,
                        at: 7,
                        text,
                        plain: None,
                        made: None,
                    },
                };
                if !self.server.send(self.now, seat.peer, &frame.encode()) {
                    break;
                }
                self.server.hurry(self.now, seat.peer, true);
                seat.pushed = *row;
            }
        }
    }

    fn restart_server(&mut self) {
        self.server = Carrier::server(&self.identity, None).expect("an identity");
        self.seats.clear();
    }

    fn restart_client(&mut self, seed: u64) {
        let pins = self.session.pins().to_vec();
        // As after a kill: what was not written is not there.
        self.writes.under_way.clear();
        self.session = Session::new(Self::config(seed, pins));
    }

    fn run(&mut self, time: Duration) {
        self.until(time, |_| false);
    }

    /// Runs until `enough`, but no longer than `time`; returns whether it was enough.
    fn until(&mut self, time: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        for _ in 0..1_000_000 {
            self.drain();
            if enough(self) {
                return true;
            }
            self.flying.sort_by_key(|(at, ..)| *at);
            let arrival = self.flying.first().map(|(at, ..)| *at);
            let written = self.writes.under_way.front().map(|(at, ..)| *at);
            let due = [arrival, written, self.session.poll_timeout(), self.server.poll_timeout()];
            let due = due.into_iter().flatten().min();
            let Some(next) = due.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            if written == Some(next) {
                self.write();
                continue;
            }
            if arrival == Some(next) {
                let (_, by_server, to, bytes) = self.flying.remove(0);
                if !by_server {
                    self.server.handle_datagram(self.now, self.client_at, &bytes);
                } else if to == self.client_at {
                    self.session.handle_datagram(self.now, &bytes);
                }
                continue;
            }
            self.server.handle_timeout(self.now);
            if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
                let before = (self.datagrams, self.events.len());
                self.session.handle_timeout(self.now);
                self.drain();
                self.idle_wakes += usize::from(before == (self.datagrams, self.events.len()));
            }
        }
        panic!("it never comes to rest: {:?}", self.events.last());
    }

    fn send(&mut self, id: i64, to: &str) {
        let text = MessageText::parse(&id.to_string()).expect("valid");
        self.kept.newest = self.kept.newest.max(id);
        self.session.send(self.now, MessageId(id), account(to), text);
    }

    fn has(&self, event: &Event) -> bool {
        self.events.iter().any(|(_, e)| e == event)
    }

    fn state(&self, id: i64) -> Option<SendState> {
        self.events.iter().rev().find_map(|(_, e)| match e {
            Event::Outgoing { id: i, state }
            | Event::Accepted { id: i, state, .. }
            | Event::Refused { id: i, state }
                if *i == MessageId(id) =>
            {
                Some(*state)
            }
            _ => None,
        })
    }

    fn texts(&self) -> Vec<&str> {
        self.disk.iter().map(|(_, text)| text.as_str()).collect()
    }
}
