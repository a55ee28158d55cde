//! A network in memory with a virtual clock, and our engine behind it with a store of its own.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hongyan::probe::{Datagram, SocketIndex, Transport};
use hongyan::protocol::wire::frame::AccountSettings;
use hongyan::server::engine::{Effect, Engine, Now};
use hongyan::server::hasher::{Hashed, Job, Outcome};
use hongyan::server::store::{AccountId, Done, Op, PersonKey, PersonRecord, Read, Snapshot, UnreadMessage, Write};
use hongyan::server::{OnSecondLogin, Quotas};

/// What a server sends: to whom, from another address than its own if so, how much later, what.
pub struct Sent {
    pub to: SocketAddr,
    pub from: Option<SocketAddr>,
    pub later: Duration,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn new(to: SocketAddr, bytes: impl Into<Vec<u8>>) -> Self {
        Self { to, from: None, later: Duration::ZERO, bytes: bytes.into() }
    }
}

/// A server: datagrams in, datagrams out.
pub trait Machine {
    fn datagram(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) -> Vec<Sent>;
}

/// Percent lost, doubled and delayed in each direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub delayed: u64,
}

/// Each way takes a millisecond.
const WAY: Duration = Duration::from_millis(1);

pub struct Memory<M> {
    machine: M,
    faults: Faults,
    random: u64,
    now: Duration,
    ports: HashMap<SocketIndex, u16>,
    next_port: u16,
    /// When, and what: to the server from a port, or to a port.
    on_the_way: Vec<(Duration, u64, Move)>,
    count: u64,
    arrived: HashMap<u16, VecDeque<Datagram>>,
}

enum Move {
    In(SocketAddr, Vec<u8>),
    Out(u16, Datagram),
}

pub fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl<M: Machine> Memory<M> {
    pub fn new(machine: M, faults: Faults, seed: u64) -> Self {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let (ports, arrived) = (HashMap::new(), HashMap::new());
        let (now, next_port) = (Duration::ZERO, 10_000);
        Self { machine, faults, random, now, ports, next_port, on_the_way: Vec::new(), count: 0, arrived }
    }

    fn percent(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) % 100
    }

    fn pass(&mut self, begin: Duration, make: impl Fn() -> Move) {
        if self.percent() < self.faults.lost {
            return;
        }
        let copies = if self.percent() < self.faults.doubled { 2 } else { 1 };
        for _ in 0..copies {
            let late = if self.percent() < self.faults.delayed { WAY * 30 } else { Duration::ZERO };
            self.count += 1;
            self.on_the_way.push((begin + WAY + late, self.count, make()));
        }
    }

    /// The next thing that happens, if it does until `end`.
    fn turn(&mut self, end: Duration) -> bool {
        let next = self.on_the_way.iter().enumerate().min_by_key(|(_, (at, n, _))| (*at, *n));
        let Some((place, (when, ..))) = next else { return false };
        if *when > end {
            return false;
        }
        let (when, _, what) = self.on_the_way.swap_remove(place);
        self.now = self.now.max(when);
        match what {
            Move::In(from, bytes) => {
                for sent in self.machine.datagram(self.now, from, &bytes) {
                    let begin = self.now + sent.later;
                    self.pass(begin, || {
                        Move::Out(sent.to.port(), Datagram { bytes: sent.bytes.clone(), from: sent.from })
                    });
                }
            }
            Move::Out(port, datagram) => self.arrived.entry(port).or_default().push_back(datagram),
        }
        true
    }
}

impl<M: Machine> Transport for Memory<M> {
    fn open(&mut self, desk: SocketIndex) -> io::Result<()> {
        self.next_port += 1;
        self.ports.insert(desk, self.next_port);
        Ok(())
    }

    fn send(&mut self, desk: SocketIndex, bytes: &[u8]) -> io::Result<()> {
        let from = at(self.ports[&desk]);
        self.pass(self.now, || Move::In(from, bytes.to_vec()));
        Ok(())
    }

    fn receive(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<Option<Datagram>> {
        let (port, end) = (self.ports[&desk], self.now + wait);
        loop {
            if let Some(datagram) = self.arrived.get_mut(&port).and_then(VecDeque::pop_front) {
                return Ok(Some(datagram));
            }
            if !self.turn(end) {
                self.now = end;
                return Ok(None);
            }
        }
    }

    fn now(&self) -> Duration {
        self.now
    }
}

/// Our engine, with a store and a hasher that answer at once.
pub struct Ours {
    engine: Engine,
    start: Instant,
    accounts: Vec<(String, Hashed)>,
    sessions: HashMap<AccountId, (SocketAddr, i64)>,
    messages: Vec<(AccountId, UnreadMessage, bool)>,
    passwords: HashMap<Vec<u8>, String>,
}

impl Ours {
    pub fn new(on_second_login: OnSecondLogin) -> Self {
        let start = Instant::now();
        let now = Now { instant: start, unix: 0 };
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let mut engine = Engine::new(on_second_login, Quotas::default(), local_time, Snapshot::default(), now);
        engine.set_room(2);
        let (accounts, sessions, passwords) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { engine, start, accounts, sessions, messages: Vec::new(), passwords }
    }

    fn person(&self, sought: &PersonKey) -> Option<PersonRecord> {
        let with_number = self.accounts.iter().zip(1..);
        let ((name, hashed), id) = with_number.into_iter().find(|((name, _), id)| match sought {
            PersonKey::Name(of) => of == name,
            PersonKey::Address(address) => self.sessions.get(id).is_some_and(|(at, _)| at == address),
        })?;
        let mut unread = HashMap::new();
        for (_, message, _) in self.messages.iter().filter(|(to, _, taken)| *to == id && !taken) {
            *unread.entry(message.sender.clone()).or_default() += 1;
        }
        let (name, hashed, settings) = (name.clone(), hashed.clone(), AccountSettings::default());
        Some(PersonRecord {
            id,
            name,
            hashed,
            settings,
            status: Default::default(),
            made: 0,
            unread,
            session: self.sessions.get(&id).copied(),
        })
    }

    fn hash(&mut self, now: Now, job: Job) {
        let outcome = match job {
            Job::New { job, password } => {
                let salt = self.passwords.len().to_le_bytes().to_vec();
                self.passwords.insert(salt.clone(), password.reveal().to_owned());
                Outcome::New { job, hashed: Some(Hashed { salt, hash: Vec::new() }) }
            }
            Job::Check { job, password, against } => {
                let right = self.passwords.get(&against.salt).is_some_and(|p| p == password.reveal());
                Outcome::Checked { job, right }
            }
        };
        self.engine.hashed(now, outcome);
    }

    fn store(&mut self, now: Now, op: Op) {
        let done = match op {
            Op::Read(Read::Offer { job, account, from }) => {
                let wanted = |(to, m, taken): &&(AccountId, UnreadMessage, bool)| {
                    !taken && *to == account && from.as_ref().is_none_or(|f| *f == m.sender)
                };
                Done::Offered { job, message: self.messages.iter().find(wanted).map(|(_, m, _)| m.clone()) }
            }
            Op::Write(Write::Taken { message, .. }) => {
                self.messages[usize::try_from(message).expect("a row") - 1].2 = true;
                return;
            }
            Op::Write(Write::Seen { sessions }) => {
                for (account, at) in sessions {
                    self.sessions.entry(account).and_modify(|(_, since)| *since = at);
                }
                return;
            }
            Op::Write(Write::Handed { .. }) => return,
            Op::Read(Read::Person { job, sought, .. }) => {
                Done::Person { job, person: self.person(&sought).map(Box::new) }
            }
            Op::Write(Write::Register { job, name, hashed, at, .. }) => {
                self.accounts.push((name, hashed));
                Done::Registered { job, account: AccountId::try_from(self.accounts.len()).ok(), at }
            }
            Op::Write(Write::Session { job, account, address, end, at }) => {
                end.map(|end| self.sessions.remove(&end));
                self.sessions.insert(account, (address, at));
                Done::Ok { job }
            }
            Op::Write(Write::EndSession { job, account }) => {
                self.sessions.remove(&account);
                Done::Ok { job }
            }
            Op::Write(Write::Password { job, account, hashed, from }) => {
                let place = usize::try_from(account).expect("a row") - 1;
                self.accounts[place].1 = hashed;
                self.sessions.retain(|of, (address, _)| *of != account || Some(*address) == from);
                Done::Ok { job }
            }
            Op::Write(Write::Message { job, message }) => {
                let mut rows = Vec::new();
                for receiver in message.receivers {
                    let row = i64::try_from(self.messages.len()).expect("few") + 1;
                    rows.push(row);
                    let (sender, text) = (message.sender.clone(), message.text.clone());
                    let writer = message.writer.clone();
                    self.messages.push((receiver, UnreadMessage { row, sender, writer, sent: 0, text }, false));
                }
                Done::Kept { job, rows, own: None, sent: message.sent, again: false, online: Some(message.online) }
            }
            other => panic!("there is no device and no operator: {other:?}"),
        };
        self.engine.stored(now, done);
    }
}

impl Machine for Ours {
    fn datagram(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) -> Vec<Sent> {
        let now = Now { instant: self.start + now, unix: i64::try_from(now.as_secs()).expect("not so long") };
        self.engine.handle_timeout(now);
        self.engine.datagram(now, from, bytes);
        let mut sent = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Reply { to, bytes } => sent.push(Sent::new(to, bytes)),
                Effect::Store(op) => self.store(now, op),
                Effect::Hash(job) => self.hash(now, job),
                Effect::Frame { .. } | Effect::Close { .. } => panic!("there is no device"),
                Effect::Administered { .. } => panic!("there is no operator"),
            }
        }
        sent
    }
}
