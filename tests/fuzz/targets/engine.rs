//! The server's rules under any conversation: a script of datagrams from four addresses, with some time
//! between them. Store and hasher are in memory; they may answer late, and the disk may be full. In the
//! end everybody logs in and reads, and nothing may be left that the store has.
#![no_main]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hongyan::server::engine::{Effect, Engine, Now};
use hongyan::server::hasher::{Hashed, Job, Outcome};
use hongyan::server::store::{Done, PersonRecord, Op, Snapshot, PersonKey, UnreadMessage, Read, Write};
use hongyan::server::{OnSecondLogin, Quotas};
use hongyan::protocol::wire::frame::AccountSettings;
use hongyan::protocol::wire::looks_like_reply;
use libfuzzer_sys::fuzz_target;

/// Unread messages that a mailbox may hold.
const MAILBOX: usize = 8;

struct World {
    engine: Engine,
    start: Instant,
    ms: u64,
    names: Vec<(String, Hashed)>,
    sessions: HashMap<i64, (SocketAddr, i64)>,
    /// Receiver, message, taken.
    messages: Vec<(i64, UnreadMessage, bool)>,
    /// What the workers have not done yet.
    work: VecDeque<Effect>,
    held: bool,
    disk_full: bool,
    /// Requests of each address that may still be answered.
    open: HashMap<SocketAddr, usize>,
    last: Vec<u8>,
}

impl World {
    fn new(choice: OnSecondLogin) -> Self {
        let quotas = Quotas { accounts: 4, ..Quotas::default() };
        let start = Instant::now();
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let mut engine = Engine::new(choice, quotas, local_time, Snapshot::default(), Now { instant: start, unix: 0 });
        engine.set_room(1);
        Self {
            engine,
            start,
            ms: 0,
            names: Vec::new(),
            sessions: HashMap::new(),
            messages: Vec::new(),
            work: VecDeque::new(),
            held: false,
            disk_full: false,
            open: HashMap::new(),
            last: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        let unix = i64::try_from(self.ms / 1_000).unwrap_or(0);
        Now { instant: self.start + Duration::from_millis(self.ms), unix }
    }

    fn pass(&mut self, ms: u64) {
        self.ms += ms;
        self.engine.handle_timeout(self.now());
        self.drain();
    }

    fn ask(&mut self, port: u16, datagram: &[u8]) {
        let from = SocketAddr::from(([127, 0, 0, 1], port));
        *self.open.entry(from).or_default() += 1;
        self.engine.datagram(self.now(), from, datagram);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                let Effect::Reply { to, bytes } = effect else {
                    self.work.push_back(effect);
                    continue;
                };
                assert!(looks_like_reply(&bytes), "only replies are sent");
                assert!(bytes.len() <= 1_024, "others read with such a buffer");
                let open = self.open.entry(to).or_default();
                *open = open.checked_sub(1).expect("one reply to a request");
                self.last = bytes;
            }
            match self.work.pop_front() {
                Some(work) if !self.held => self.work(work),
                Some(work) => return self.work.push_front(work),
                None => return,
            }
        }
    }

    fn work(&mut self, work: Effect) {
        let now = self.now();
        match work {
            Effect::Store(op) => {
                if let Some(done) = self.store(op) {
                    self.engine.stored(now, done);
                }
            }
            Effect::Hash(Job::New { job, password }) => {
                let hashed = Hashed { salt: Vec::new(), hash: password.reveal().as_bytes().to_vec() };
                self.engine.hashed(now, Outcome::New { job, hashed: Some(hashed) });
            }
            Effect::Hash(Job::Check { job, password, against }) => {
                let right = password.reveal().as_bytes() == against.hash;
                self.engine.hashed(now, Outcome::Checked { job, right });
            }
            // No device ever connects here.
            Effect::Reply { .. } | Effect::Frame { .. } | Effect::Close { .. } => unreachable!("sent at once"),
            Effect::Administered { .. } => unreachable!("there is no operator"),
        }
    }

    fn person(&self, sought: &PersonKey, since: i64) -> Option<PersonRecord> {
        let heard = |id: &i64| self.sessions.get(id).copied().filter(|(_, at)| *at >= since);
        let ((name, hashed), id) = self.names.iter().zip(1_i64..).find(|((name, _), id)| match sought {
            PersonKey::Name(of) => of == name,
            PersonKey::Address(address) => heard(id).is_some_and(|(at, _)| at == *address),
        })?;
        let mut unread = HashMap::new();
        for (_, message, _) in self.messages.iter().filter(|(to, _, taken)| *to == id && !taken) {
            *unread.entry(message.sender.clone()).or_default() += 1;
        }
        let settings = AccountSettings::default();
        Some(PersonRecord { id, name: name.clone(), hashed: hashed.clone(), settings, status: Default::default(), made: 0, unread, session: heard(&id) })
    }

    fn store(&mut self, op: Op) -> Option<Done> {
        Some(match op {
            Op::Write(Write::Register { job, .. } | Write::Message { job, .. }) if self.disk_full => Done::Failed { job },
            Op::Write(Write::Session { job, .. } | Write::EndSession { job, .. } | Write::Password { job, .. }) if self.disk_full => {
                Done::Failed { job }
            }
            Op::Write(Write::Register { job, name, hashed, at, .. }) => {
                assert!(!self.names.iter().any(|(known, _)| *known == name), "registered twice");
                self.names.push((name, hashed));
                Done::Registered { job, account: i64::try_from(self.names.len()).ok(), at }
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
                let place = usize::try_from(account - 1).expect("an account");
                self.names[place].1 = hashed;
                self.sessions.retain(|of, (address, _)| *of != account || Some(*address) == from);
                Done::Ok { job }
            }
            Op::Read(Read::Person { job, sought, since }) => {
                Done::Person { job, person: self.person(&sought, since).map(Box::new) }
            }
            Op::Write(Write::Message { job, message }) => {
                let mut rows = Vec::new();
                for receiver in message.receivers {
                    let unread = self.messages.iter().filter(|(to, _, taken)| *to == receiver && !taken);
                    let public = unread.clone().filter(|(_, message, _)| message.writer.is_some()).count();
                    if unread.count() >= MAILBOX || message.writer.is_some() && public >= MAILBOX.div_ceil(10) {
                        rows.push(0);
                        continue;
                    }
                    let row = i64::try_from(self.messages.len()).unwrap_or(0) + 1;
                    rows.push(row);
                    let (sender, writer, text) = (message.sender.clone(), message.writer.clone(), message.text.clone());
                    let unread = UnreadMessage { row, sender, writer, sent: 0, text };
                    self.messages.push((receiver, unread, false));
                }
                if rows.iter().all(|row| *row == 0) {
                    return Some(Done::Full { job });
                }
                Done::Kept { job, rows, own: None, sent: message.sent, again: false, online: Some(message.online) }
            }
            // No device ever connects here.
            Op::Write(Write::Import { .. } | Write::Delete { .. } | Write::Name { .. }) => unreachable!("there is no operator"),
            Op::Write(Write::Enter { .. } | Write::Forget { .. }) | Op::Read(Read::Again { .. }) => return None,
            Op::Read(Read::After { .. }) | Op::Write(Write::Allow { .. } | Write::TakenTo { .. }) | Op::Read(Read::History { .. } | Read::Delivered { .. }) => return None,
            Op::Read(Read::Items { .. } | Read::Cards { .. } | Read::Find { .. }) => return None,
            Op::Write(Write::SetItem { .. } | Write::Befriend { .. } | Write::AnswerFriend { .. } | Write::Unfriend { .. }) => return None,
            Op::Read(Read::Offer { job, account, from }) => {
                let mut unread = self.messages.iter().filter(|(to, _, taken)| *to == account && !taken);
                let found = unread.find(|(_, m, _)| from.as_ref().is_none_or(|from| *from == m.sender));
                Done::Offered { job, message: found.map(|(_, m, _)| m.clone()) }
            }
            Op::Write(Write::Taken { message, .. }) => {
                let row = usize::try_from(message - 1).ok().and_then(|row| self.messages.get_mut(row));
                let (.., taken) = row.expect("a message there is");
                assert!(!std::mem::replace(taken, true), "taken twice");
                return None;
            }
            Op::Write(Write::Seen { sessions }) => {
                for (account, at) in sessions {
                    self.sessions.entry(account).and_modify(|(_, since)| *since = at);
                }
                return None;
            }
            Op::Write(Write::Handed { .. }) | Op::Read(Read::Accounts { .. }) => return None,
        })
    }
}

fuzz_target!(|script: &[u8]| {
    let Some((choice, script)) = script.split_first() else { return };
    let mut world = World::new(if choice % 2 == 1 { OnSecondLogin::Rebind } else { OnSecondLogin::Arm });
    for (port, datagram) in [(1, "01#a#x#x#"), (2, "01#b#x#x#"), (1, "02#a#x#"), (2, "02#b#x#")] {
        world.ask(port, datagram.as_bytes());
    }
    // No datagram holds 0xff: it is no byte of UTF-8 or GB18030.
    for line in script.split(|b| *b == 0xff).take(64) {
        let [who, how, datagram @ ..] = line else { continue };
        (world.held, world.disk_full) = (how & 0x40 != 0, how & 0x80 != 0);
        world.pass(1 << (how % 32).min(18));
        world.ask(u16::from(who % 4) + 1, datagram);
        let _ = (world.engine.poll_timeout(), world.engine.idle_since(world.now()));
    }
    // Wrong tries may stand in line, and each is held back a minute at most.
    (world.held, world.disk_full) = (false, false);
    for _ in 0..40 {
        world.pass(60_000);
    }
    assert_eq!(world.engine.poll_timeout(), None);
    // A reader gets everything, and a message that was handed out is never asked for again.
    for (port, login) in [(5, "02#a#x#"), (6, "02#b#x#")] {
        world.ask(port, login.as_bytes());
        assert_eq!(world.last, b"02:01");
        for _ in 0..40 {
            world.ask(port, b"09#");
        }
        assert_eq!(world.last, b"09:01");
        world.ask(port, b"08#");
        assert_eq!(world.last, b"08:0");
    }
    let left = world.messages.iter().filter(|(to, _, taken)| *to <= 2 && !taken).count();
    assert_eq!(left, 0, "messages nobody is told of");
});
