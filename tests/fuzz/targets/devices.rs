//! The server's rules for devices under any sequence of what they can do: coming in by password or token,
//! sending, acknowledging, asking what was delivered, reading back, staying beside each other, setting items, making
//! friends, saying who they are, looking for people, leaving, being cut off; with time, late workers and a full disk.
//! The store is in memory. In the end a new device of each account is sent everything, in order, once.
#![no_main]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hongyan::protocol::link::PeerId;
use hongyan::server::engine::{Effect, Engine, Now};
use hongyan::server::hasher::{Hashed, Job, Outcome};
use hongyan::server::store::{
    Change, Delivery, Done, Found, ItemPage, Op, Outcome as Became, OwnCopy, PersonKey, PersonRecord, Read, SentMessage, Snapshot, StoredMessage, Write,
};
use hongyan::server::{OnSecondLogin, Quotas};
use hongyan::protocol::wire::frame::{AccountSettings, FromClient, FromServer, Key, Secret};
use hongyan::protocol::wire::item::{Card, Item, Profile};
use libfuzzer_sys::fuzz_target;
use ring::{digest, hmac};

const NAMES: [&str; 3] = ["a", "b", "c"];
/// Messages a device may have that it has not acknowledged.
const WINDOW: usize = 64;

type Who = (i64, Key<16>);

#[derive(Default)]
struct Connection {
    /// Asked to come in, not answered yet.
    asked: HashMap<u64, Who>,
    who: Option<Who>,
    /// The newest row that was pushed since the login.
    pushed: Option<u64>,
    unacknowledged: VecDeque<u64>,
    /// Messages that may still be answered.
    open: Vec<u64>,
    /// What was delivered is asked for, and not answered.
    asks: bool,
}

/// Unread messages that a mailbox may hold.
const MAILBOX: usize = 80;

/// A message of a mailbox.
struct Row {
    receiver: i64,
    sender: String,
    text: String,
    taken: bool,
    /// One of its owner's own.
    own: Option<SentMessage>,
}

struct World {
    engine: Engine,
    start: Instant,
    ms: u64,
    /// By row, from 1 on.
    messages: Vec<Row>,
    /// After which row a device began.
    starts: HashMap<Who, i64>,
    sent: HashMap<(Who, u64), ([u8; 32], i64)>,
    /// By writer and receiver.
    delivered: BTreeMap<(i64, i64), Delivery>,
    version: i64,
    settings: HashMap<i64, AccountSettings>,
    tokens: HashMap<Who, [u8; 32]>,
    accepted: HashMap<(Who, u64), u64>,
    connections: HashMap<u64, Connection>,
    peers: [u64; 5],
    next_peer: u64,
    next_id: u64,
    work: VecDeque<Effect>,
    held: bool,
    disk_full: bool,
    /// What was pushed to whom since it was last emptied.
    log: Vec<(u64, u64)>,
    /// The version of each account's items.
    items: HashMap<i64, i64>,
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("32 bytes")
}

/// Whose name this is; nobody's: 0.
fn account(name: &str) -> i64 {
    NAMES.iter().zip(1..).find(|(known, _)| **known == name).map_or(0, |(_, id)| id)
}

fn card(account: &str) -> Card {
    Card { account: account.into(), profile: Profile { name: "x".repeat(32), ..Profile::default() } }
}

/// Whose number this is.
fn name(account: i64) -> &'static str {
    usize::try_from(account - 1).ok().and_then(|place| NAMES.get(place)).copied().unwrap_or_default()
}

impl World {
    fn person(&self, sought: &PersonKey) -> Option<PersonRecord> {
        let PersonKey::Name(name) = sought else { return None };
        let id = Some(account(name)).filter(|id| *id > 0)?;
        let mut unread = HashMap::new();
        for message in self.messages.iter().filter(|m| m.receiver == id && !m.taken) {
            *unread.entry(message.sender.clone()).or_default() += 1;
        }
        let hashed = Hashed { salt: Vec::new(), hash: name.as_bytes().to_vec() };
        let settings = self.settings.get(&id).copied().unwrap_or_default();
        Some(PersonRecord { id, name: name.clone(), hashed, settings, made: 0, unread, session: None })
    }

    fn new() -> Self {
        let start = Instant::now();
        let quotas = Quotas::default();
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let snapshot = Snapshot { accounts: NAMES.len(), ..Snapshot::default() };
        let mut engine = Engine::new(OnSecondLogin::Arm, quotas, local_time, snapshot, Now { instant: start, unix: 0 });
        engine.set_room(1);
        Self {
            engine,
            start,
            ms: 0,
            messages: Vec::new(),
            starts: HashMap::new(),
            sent: HashMap::new(),
            delivered: BTreeMap::new(),
            version: 0,
            settings: HashMap::new(),
            tokens: HashMap::new(),
            accepted: HashMap::new(),
            connections: HashMap::new(),
            peers: [0; 5],
            next_peer: 0,
            next_id: 10,
            work: VecDeque::new(),
            held: false,
            disk_full: false,
            log: Vec::new(),
            items: HashMap::new(),
        }
    }

    fn now(&self) -> Now {
        Now { instant: self.start + Duration::from_millis(self.ms), unix: i64::try_from(self.ms / 1_000).unwrap_or(0) }
    }

    fn pass(&mut self, ms: u64) {
        self.ms += ms;
        self.engine.handle_timeout(self.now());
        self.drain();
    }

    fn lose(&mut self, slot: usize) {
        let peer = std::mem::take(&mut self.peers[slot]);
        if self.connections.remove(&peer).is_some() {
            self.engine.lost(self.now(), PeerId(peer));
        }
        self.drain();
    }

    fn exported(peer: u64) -> [u8; 32] {
        sha256(&peer.to_be_bytes())
    }

    fn connect(&mut self, slot: usize) {
        self.lose(slot);
        self.next_peer += 1;
        let peer = self.next_peer;
        self.peers[slot] = peer;
        self.connections.insert(peer, Connection::default());
        let address = SocketAddr::from(([10, 0, 0, u8::try_from(slot).unwrap_or(9)], 5_000));
        let token = sha256(&[b"token".as_slice(), &peer.to_be_bytes()].concat());
        self.engine.connected(PeerId(peer), address, Self::exported(peer), token);
        self.drain();
    }

    fn say(&mut self, slot: usize, frame: &FromClient) {
        let peer = self.peers[slot];
        if self.connections.contains_key(&peer) {
            self.engine.frame(self.now(), PeerId(peer), &frame.encode());
            self.drain();
        }
    }

    fn come_in(&mut self, slot: usize, who: Who, by_token: bool, right: bool, cursor: Option<u64>) {
        let Some(name) = usize::try_from(who.0 - 1).ok().and_then(|i| NAMES.get(i)) else { return };
        let peer = self.peers[slot];
        let Some(connection) = self.connections.get_mut(&peer) else { return };
        self.next_id += 1;
        let id = self.next_id;
        connection.asked.insert(id, who);
        let account = (*name).to_owned();
        let frame = if by_token {
            let hash = self.tokens.get(&who).copied().unwrap_or_default();
            let key = hmac::Key::new(hmac::HMAC_SHA256, &hash);
            let mut proof: [u8; 32] = hmac::sign(&key, &Self::exported(peer)).as_ref().try_into().expect("32 bytes");
            proof[0] ^= u8::from(!right);
            FromClient::Resume { id, account, device: who.1, proof: Key(proof), cursor }
        } else {
            let password = Secret(if right { account.clone() } else { "wrong".into() });
            FromClient::Login { id, account, password, device: who.1, cursor, made: None }
        };
        self.say(slot, &frame);
    }

    fn drain(&mut self) {
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                match effect {
                    Effect::Frame { peer, frame } => self.frame(peer.0, frame),
                    Effect::Close { peer, .. } => {
                        self.connections.remove(&peer.0);
                        self.engine.lost(self.now(), peer);
                    }
                    effect => self.work.push_back(effect),
                }
            }
            match self.work.pop_front() {
                Some(work) if !self.held => self.work(work),
                Some(work) => return self.work.push_front(work),
                None => return,
            }
        }
    }

    fn frame(&mut self, peer: u64, frame: FromServer) {
        assert!(frame.encode().len() <= hongyan::protocol::link::MAX_FRAME, "it fits");
        let Some(connection) = self.connections.get_mut(&peer) else { return };
        match frame {
            FromServer::LoggedIn { id, .. } => {
                connection.who = connection.asked.remove(&id);
                assert!(connection.who.is_some(), "somebody has asked");
                connection.pushed = None;
                connection.asks = false;
                connection.unacknowledged.clear();
            }
            FromServer::Error { id, .. } => drop(connection.asked.remove(&id)),
            FromServer::LoggedOut { .. } | FromServer::Kicked { .. } => (connection.who, connection.asks) = (None, false),
            FromServer::Accepted { counter, row, .. } => {
                let at =
                    connection.open.iter().position(|open| *open == counter).expect("it was sent, and answered once");
                connection.open.swap_remove(at);
                if let Some(who) = connection.who {
                    assert_eq!(*self.accepted.entry((who, counter)).or_insert(row), row, "the same as the first time");
                }
            }
            FromServer::Refused { counter, .. } => {
                let at =
                    connection.open.iter().position(|open| *open == counter).expect("it was sent, and answered once");
                connection.open.swap_remove(at);
            }
            FromServer::Message { row, after, from, text, .. } => self.pushed(peer, row, after, (from, text, None)),
            FromServer::Own { row, after, to, text, device, counter, accepted, .. } => {
                let accepted = i64::try_from(accepted).unwrap_or(0);
                let own = Some(SentMessage { to, device, counter, accepted });
                let sender = self.messages.get(usize::try_from(row - 1).unwrap_or(usize::MAX));
                let sender = sender.map(|message| message.sender.clone()).unwrap_or_default();
                self.pushed(peer, row, after, (sender, text, own));
            }
            FromServer::Delivered { rows, .. } => {
                let (author, _) = connection.who.expect("to a device that is in");
                assert!(std::mem::take(&mut connection.asks), "it was asked, and is answered once");
                for (to, [first, last]) in rows {
                    let receiver = account(&to);
                    let of_it = |(i, m): &(usize, &Row)| {
                        (first..=last).contains(&(*i as u64 + 1))
                            && (account(&m.sender), m.receiver) == (author, receiver)
                            && m.own.is_none()
                    };
                    assert!(self.messages.iter().enumerate().filter(of_it).all(|(_, m)| m.taken), "{first} to {last}");
                }
            }
            _ => {}
        }
    }

    fn pushed(&mut self, peer: u64, row: u64, after: u64, said: (String, String, Option<SentMessage>)) {
        let Some(connection) = self.connections.get_mut(&peer) else { return };
        let (account, device) = connection.who.expect("to a device that is in");
        let for_it = |m: &Row| m.receiver == account && m.own.as_ref().is_none_or(|own| own.device != device);
        if let Some(last) = connection.pushed.replace(row) {
            assert!(row > last && after == last, "{row} after {after}, and before it {last}");
        }
        connection.unacknowledged.push_back(row);
        assert!(connection.unacknowledged.len() <= WINDOW, "no more than it may have");
        let index = usize::try_from(row - 1).unwrap_or(usize::MAX);
        let stored = self.messages.get(index).filter(|m| for_it(m));
        let stored = stored.map(|m| (m.sender.clone(), m.text.clone(), m.own.clone()));
        assert_eq!(stored, Some(said), "as it is on disk, for whom it is");
        let between = usize::try_from(after).unwrap_or(0)..index;
        let left_out = self.messages.get(between).unwrap_or_default().iter().any(for_it);
        assert!(!left_out || after == 0, "something lies between");
        self.log.push((peer, row));
    }

    fn work(&mut self, work: Effect) {
        let now = self.now();
        match work {
            Effect::Store(op) => {
                if let Some(done) = self.store(op) {
                    self.engine.stored(now, done);
                }
            }
            Effect::Hash(Job::New { job, .. }) => self.engine.not_hashed(now, job),
            Effect::Hash(Job::Check { job, password, against }) => {
                let right = password.reveal().as_bytes() == against.hash;
                self.engine.hashed(now, Outcome::Checked { job, right });
            }
            _ => {}
        }
    }

    fn store(&mut self, op: Op) -> Option<Done> {
        let number = |row: usize| i64::try_from(row + 1).unwrap_or(0);
        let before = |sent: &HashMap<_, ([u8; 32], i64)>, key: &_, hash: [u8; 32], job| {
            sent.get(key).map(|(known, row)| match *known == hash {
                true => Done::Kept { job, rows: vec![*row], own: None, sent: 0, again: true, online: None },
                false => Done::Conflict { job },
            })
        };
        Some(match op {
            Op::Write(Write::Message { job, .. } | Write::Enter { job, .. } | Write::Allow { job, .. }) if self.disk_full => {
                Done::Failed { job }
            }
            Op::Write(Write::TakenTo { .. }) if self.disk_full => return None,
            Op::Write(Write::Message { job, message }) => {
                let key = message.key.as_ref().expect("of a device");
                let name = ((key.account, key.device), key.counter);
                if let Some(done) = before(&self.sent, &name, key.hash, job) {
                    return Some(done);
                }
                let unread = self.messages.iter().filter(|row| message.receivers.contains(&row.receiver) && !row.taken);
                if message.writer.is_none() && unread.count() >= MAILBOX {
                    return Some(Done::Full { job });
                }
                if key.after.is_some_and(|after| !self.sent.contains_key(&(name.0, after))) {
                    return Some(Done::OutOfTurn { job });
                }
                let mut rows = Vec::new();
                for receiver in message.receivers {
                    rows.push(number(self.messages.len()));
                    let (sender, text) = (message.sender.clone(), message.text.clone());
                    self.messages.push(Row { receiver, sender, text, taken: false, own: None });
                }
                self.sent.insert(name, (key.hash, rows.first().copied().unwrap_or(0)));
                let own = message.own.map(|OwnCopy { writer: sender, to, text }| {
                    let accepted = rows.first().copied().unwrap_or(0);
                    let own = Some(SentMessage { to, device: key.device, counter: key.counter, accepted });
                    let row = number(self.messages.len());
                    self.messages.push(Row { receiver: key.account, sender, text, taken: true, own });
                    row
                });
                Done::Kept { job, rows, own, sent: message.sent, again: false, online: Some(message.online) }
            }
            Op::Read(Read::Again { job, key }) => {
                let name = ((key.account, key.device), key.counter);
                before(&self.sent, &name, key.hash, job).unwrap_or(Done::Ok { job })
            }
            Op::Write(Write::Enter { job, account, device, token, cursor, .. }) => {
                if let Some(token) = token {
                    self.tokens.insert((account, device), token);
                }
                let token = self.tokens.get(&(account, device)).copied();
                let own = |((who, counter), _): (&(Who, u64), _)| (*who == (account, device)).then_some(*counter);
                let highest = self.sent.iter().filter_map(own).max().unwrap_or(0);
                let mine = self.messages.iter().enumerate().filter(|(_, m)| m.receiver == account);
                let newest = mine.clone().next_back().map_or(0, |(i, _)| number(i));
                let first = mine.clone().find(|(_, m)| !m.taken).map_or(newest, |(i, _)| number(i) - 1);
                let start = match cursor {
                    Some(cursor) => i64::try_from(cursor).unwrap_or(i64::MAX).min(newest),
                    None => match token {
                        Some(_) => *self.starts.entry((account, device)).or_insert(first),
                        None => first,
                    },
                };
                Done::Entered { job, token, highest, start }
            }
            Op::Read(Read::After { job, account, device, after, count }) => {
                let for_it = |m: &Row| m.receiver == account && m.own.as_ref().is_none_or(|own| own.device != device);
                let mine = self.messages.iter().enumerate().filter(|(i, m)| for_it(m) && number(*i) > after);
                let count = usize::try_from(count).unwrap_or(0);
                let stored = |(i, m): (usize, &Row)| {
                    let (sender, text, own) = (m.sender.clone(), m.text.clone(), m.own.clone());
                    StoredMessage { row: number(i), sender, writer: None, sent: 0, text, plain: false, own, online: None, delivered: false, made: None }
                };
                let more = mine.clone().nth(count).is_some();
                Done::Messages { job, messages: mine.take(count).map(stored).collect(), more }
            }
            Op::Read(Read::History { job, .. }) => Done::Messages { job, messages: Vec::new(), more: false },
            Op::Write(Write::TakenTo { account: receiver, row, .. }) => {
                let rows = usize::try_from(row).unwrap_or(0);
                let mut senders = HashMap::new();
                let mut delivered = BTreeMap::new();
                let mine = |(_, m): &(usize, &mut Row)| m.receiver == receiver && !m.taken;
                for (i, message) in self.messages.iter_mut().enumerate().take(rows).filter(mine) {
                    message.taken = true;
                    *senders.entry(message.sender.clone()).or_insert(0) += 1;
                    let author = account(&message.sender);
                    if author > 0 {
                        self.version += 1;
                        let (last, version) = (number(i), self.version);
                        let new = Delivery { author, receiver, first: last, last, version };
                        let known = self.delivered.entry((author, receiver)).or_insert(new);
                        (known.last, known.version) = (last, version);
                        delivered.insert(author, *known);
                    }
                }
                Done::Took { account: receiver, senders, delivered: delivered.into_values().collect() }
            }
            Op::Write(Write::Forget { account, device }) => {
                self.tokens.remove(&(account, device));
                self.starts.remove(&(account, device));
                return None;
            }
            Op::Read(Read::Delivered { job, .. }) if self.disk_full => Done::Failed { job },
            Op::Read(Read::Delivered { job, account, after, count }) => {
                let new = self.delivered.values().filter(|d| d.author == account && d.version > after);
                let mut delivered: Vec<_> = new.map(|d| (*d, name(d.receiver).to_owned())).collect();
                delivered.sort_by_key(|(d, _)| d.version);
                delivered.truncate(count as usize);
                Done::Delivered { job, delivered }
            }
            Op::Write(Write::Import { .. } | Write::Delete { .. } | Write::Name { .. }) => unreachable!("there is no operator"),
            Op::Write(Write::Allow { job, account, change }) => {
                let settings = self.settings.entry(account).or_default();
                match change {
                    Change::Beside(on) => settings.beside = on,
                    Change::SecureOnly(on) => settings.secure_only = on,
                }
                Done::Ok { job }
            }
            Op::Write(Write::Session { job, .. } | Write::EndSession { job, .. } | Write::Password { job, .. } | Write::Register { job, .. }) => Done::Failed { job },
            Op::Read(Read::Offer { job, .. } | Read::Accounts { job, .. }) => Done::Failed { job },
            Op::Read(Read::Items { job, .. } | Read::Cards { job, .. } | Read::Find { job, .. }) if self.disk_full => Done::Failed { job },
            Op::Read(Read::Items { job, account, after }) => {
                let version = self.items.get(&account).copied().unwrap_or_default();
                let items = (after < version).then(|| Item { kind: "muted".into(), key: "a".into(), value: Some(true.into()) });
                Done::Items { job, page: ItemPage { version, items: items.into_iter().collect(), anew: after > version, ..ItemPage::default() } }
            }
            Op::Read(Read::Cards { job, accounts }) => {
                assert!(accounts.len() <= 50, "no more than may be asked about");
                Done::Cards { job, cards: accounts.iter().filter(|name| account(name) > 0).map(|name| card(name)).collect() }
            }
            // Read piece by piece: at every other time.
            Op::Read(Read::Find { job, text }) => {
                assert!(!text.is_empty(), "somebody is looked for");
                let found = (job % 2 == 0).then(|| Found { people: NAMES.map(card).to_vec(), more: true });
                Done::Found { job, found }
            }
            Op::Write(Write::SetItem { job, .. } | Write::Befriend { job, .. } | Write::AnswerFriend { job, .. } | Write::Unfriend { job, .. })
                if self.disk_full =>
            {
                Done::Failed { job }
            }
            Op::Write(Write::SetItem { job, account, .. }) => {
                // All the others are friends, and hear of it.
                let lists: Vec<i64> = (1..=3).rev().collect();
                assert!(lists.contains(&account));
                self.changed(job, lists)
            }
            Op::Write(Write::Befriend { job, asked }) => self.changed(job, vec![asked.who.id, asked.other.id]),
            Op::Write(Write::AnswerFriend { job, who, other, .. } | Write::Unfriend { job, who, other }) => {
                self.changed(job, vec![who.id, other.id])
            }
            Op::Read(Read::Person { job, sought, .. }) => Done::Person { job, person: self.person(&sought).map(Box::new) },
            Op::Write(Write::Handed { .. } | Write::Taken { .. } | Write::Seen { .. }) => return None,
        })
    }

    fn changed(&mut self, job: u64, lists: Vec<i64>) -> Done {
        lists.iter().for_each(|of| *self.items.entry(*of).or_default() += 1);
        Done::Changed { job, outcome: Became::Done, lists, delivered: Vec::new() }
    }

    fn acknowledge(&mut self, slot: usize, cursor: u64) {
        if let Some(connection) = self.connections.get_mut(&self.peers[slot]).filter(|c| c.who.is_some()) {
            connection.unacknowledged.retain(|row| *row > cursor);
        }
        self.say(slot, &FromClient::Ack { cursor });
    }
}

fuzz_target!(|script: &[u8]| {
    let mut world = World::new();
    for slot in 0..3 {
        world.connect(slot);
        let account = i64::try_from(slot + 1).unwrap_or(1);
        world.come_in(slot, (account, Key([0; 16])), false, true, None);
    }
    for step in script.chunks_exact(4).take(400) {
        let [what, slot, x, y] = *step else { continue };
        let slot = usize::from(slot) % world.peers.len();
        let peer = world.peers[slot];
        let who = (i64::from(x % 3) + 1, Key([y % 2; 16]));
        match what % 19 {
            0 => world.connect(slot),
            1 | 2 => {
                let cursor = (x & 0x80 != 0).then_some(u64::from(y));
                world.come_in(slot, who, what % 19 == 2, x & 0x40 == 0, cursor);
            }
            3..=5 => {
                let to = ["a", "b", "c", "@lobby", "nobody"][usize::from(x) % 5].to_owned();
                let (counter, text) = (u64::from(y), (x >> 6).to_string());
                let after = (x & 0x20 != 0).then(|| counter.saturating_sub(1));
                if let Some(connection) = world.connections.get_mut(&peer) {
                    connection.open.push(counter);
                }
                world.say(slot, &FromClient::Send { counter, to, text, after, made: None });
            }
            6 | 7 => {
                let newest = world.connections.get(&peer).and_then(|c| c.pushed).unwrap_or(0);
                world.acknowledge(slot, if x & 1 == 0 { newest } else { u64::from(y) });
            }
            8 => {
                let peer = NAMES[usize::from(x) % 3].to_owned();
                world.say(slot, &FromClient::History { id: 2, peer, before: Some(u64::from(y)), count: 5 });
            }
            9 => world.say(slot, &FromClient::Logout { id: 3, forget: x & 1 == 0 }),
            10 => world.lose(slot),
            11 => world.say(slot, &FromClient::SetDevices { id: 4, beside: x & 3 != 0 }),
            12 => world.say(slot, &FromClient::SetSecureOnly { id: 4, on: x & 1 == 0 }),
            13 => {
                if let Some(connection) = world.connections.get_mut(&peer) {
                    connection.asks = connection.who.is_some();
                }
                world.say(slot, &FromClient::Delivered { version: u64::from(y) });
            }
            14 => {
                let name = ["x", "@y", "", "王"][usize::from(x) % 4];
                let value = Some(serde_json::json!({"name": name}));
                let kind = ["profile", "muted", "friend", "status"][usize::from(y) % 4].to_owned();
                let value = if kind == "status" { Some(serde_json::json!({"state": ["busy", "invisible", "x"][usize::from(x) % 3]})) } else { value };
                let key = if y % 4 == 0 || y % 4 == 3 { String::new() } else { "a".into() };
                world.say(slot, &FromClient::Set { id: 5, item: Item { kind, key, value } });
            }
            15 => {
                let accounts = vec![["a", "b", "@lobby", "nobody", ""][usize::from(x) % 5].to_owned(); usize::from(y) % 60];
                world.say(slot, &FromClient::People { id: 6, accounts });
            }
            16 => world.say(slot, &FromClient::Find { id: 7, text: ["a", "", " ", "王x"][usize::from(x) % 4].repeat(usize::from(y) % 70) }),
            18 => world.say(slot, &FromClient::Here { away: x & 1 == 0 }),
            17 => {
                let account = ["a", "b", "c", "nobody"][usize::from(x) % 4].to_owned();
                match y % 4 {
                    0 => world.say(slot, &FromClient::Befriend { id: 8, account, text: String::new(), answer: None }),
                    1 => world.say(slot, &FromClient::AnswerFriend { id: 8, account, accept: x & 4 == 0 }),
                    2 => world.say(slot, &FromClient::Unfriend { id: 8, account }),
                    _ => world.say(slot, &FromClient::Items { version: u64::from(x % 8) }),
                }
            }
            _ => {
                (world.held, world.disk_full) = (x & 3 == 3, x & 0x0c == 0x0c);
                world.pass(1 << (y % 18));
            }
        }
    }
    (world.held, world.disk_full) = (false, false);
    world.pass(1);
    for slot in 0..world.peers.len() {
        world.lose(slot);
    }
    // However often wrong passwords were tried, from here nobody has.
    for (account, _) in (1..).zip(NAMES) {
        world.connect(4);
        world.pass(200_000);
        world.log.clear();
        world.come_in(4, (account, Key([9; 16])), false, true, Some(0));
        let mine = world.messages.iter().filter(|m| m.receiver == account).count();
        for _ in 0..mine {
            let newest = world.log.last().map_or(0, |(_, row)| *row);
            world.acknowledge(4, newest);
        }
        assert_eq!(world.log.len(), mine, "everything, once");
        assert!(world.messages.iter().all(|m| m.receiver != account || m.taken), "and it is taken");
        world.lose(4);
    }
    assert_eq!(world.engine.poll_timeout(), None);
});
