mod finding;
mod floods;
mod login_attempts;
mod passwords;

use std::collections::HashMap;

use super::lanes::Queued;
use super::*;
use crate::protocol::wire::frame::AccountSettings;
use crate::server::hasher::{Hashed, Outcome};
use crate::server::store::{
    AccountId, Done, MessageRow, NewMessage, PersonKey, PersonRecord, Read, UnreadMessage, Write,
};

/// An engine with a store and a hasher that answer at once, in memory.
struct World {
    engine: Engine,
    start: Instant,
    ms: u64,
    accounts: Vec<(String, Hashed)>,
    sessions: HashMap<AccountId, (SocketAddr, i64)>,
    messages: Vec<(AccountId, UnreadMessage, bool)>,
    passwords: HashMap<Vec<u8>, String>,
    /// While true, the store and the hasher do not answer.
    held: bool,
    ops: Vec<Op>,
    jobs: Vec<Job>,
    disk_full: bool,
    /// How many unread messages a mailbox may hold.
    mailbox: usize,
    /// While true, look-ups are answered only together with everything else that is held.
    late: bool,
    /// While true, look-ups fail.
    unreadable: bool,
    /// How many look-ups there were.
    looks: usize,
}

impl World {
    fn new(on_second_login: OnSecondLogin) -> Self {
        let start = Instant::now();
        let now = Now { instant: start, unix: 0 };
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let mut engine = Engine::new(
            on_second_login,
            Quotas { accounts: 5, ..Quotas::default() },
            local_time,
            Snapshot::default(),
            now,
        );
        // People who are not needed are looked up each time.
        engine.set_room(2);
        Self {
            engine,
            start,
            ms: 0,
            accounts: Vec::new(),
            sessions: HashMap::new(),
            messages: Vec::new(),
            passwords: HashMap::new(),
            held: false,
            ops: Vec::new(),
            jobs: Vec::new(),
            disk_full: false,
            mailbox: 3,
            late: false,
            unreadable: false,
            looks: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            instant: self.start + Duration::from_millis(self.ms),
            unix: i64::try_from(self.ms / 1_000).expect("short"),
        }
    }

    fn wait(&mut self, duration: Duration) {
        self.ms += duration.as_millis() as u64;
    }

    /// Sends from `port`, and returns all replies with the ports they went to.
    fn send(&mut self, port: u16, request: &[u8]) -> Vec<(u16, String)> {
        let now = self.now();
        self.engine.datagram(now, at(port), request);
        self.drain()
    }

    /// Lets time pass, and returns the replies that were due.
    fn later(&mut self, duration: Duration) -> Vec<(u16, String)> {
        self.wait(duration);
        let now = self.now();
        self.engine.handle_timeout(now);
        self.drain()
    }

    /// Lets time pass, and counts the bytes that go out to an address.
    fn later_bytes(&mut self, duration: Duration, to: std::net::IpAddr) -> usize {
        self.wait(duration);
        let now = self.now();
        self.engine.handle_timeout(now);
        let mut sent = 0;
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Reply { to: at, bytes } if at.ip() == to => sent += bytes.len(),
                Effect::Store(op) => self.store(op),
                _ => {}
            }
        }
        sent
    }

    fn release(&mut self) -> Vec<(u16, String)> {
        self.held = false;
        for job in std::mem::take(&mut self.jobs) {
            self.hash(job);
        }
        for op in std::mem::take(&mut self.ops) {
            self.store(op);
        }
        self.drain()
    }

    fn drain(&mut self) -> Vec<(u16, String)> {
        let mut replies = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Reply { to, bytes } => replies.push((to.port(), Charset::Utf8.decode(&bytes).0)),
                Effect::Store(op @ Op::Read(Read::Person { .. })) if !self.late => self.store(op),
                Effect::Store(op) if self.held => self.ops.push(op),
                Effect::Hash(job) if self.held => self.jobs.push(job),
                Effect::Store(op) => self.store(op),
                Effect::Hash(job) => self.hash(job),
                Effect::Frame { .. } | Effect::Close { .. } => panic!("there is no device"),
                Effect::Administered { .. } => panic!("there is no operator"),
            }
        }
        replies
    }

    fn hash(&mut self, job: Job) {
        let now = self.now();
        match job {
            Job::New { job, password } => {
                let salt = vec![self.passwords.len() as u8];
                self.passwords.insert(salt.clone(), password.reveal().to_owned());
                self.engine.hashed(now, Outcome::New { job, hashed: Some(Hashed { salt, hash: Vec::new() }) });
            }
            Job::Check { job, password, against } => {
                let right = self.passwords.get(&against.salt).is_some_and(|p| p == password.reveal());
                self.engine.hashed(now, Outcome::Checked { job, right });
            }
        }
    }

    fn store(&mut self, op: Op) {
        let now = self.now();
        let done = match op {
            Op::Read(Read::Offer { job, account, from }) => {
                let message = self
                    .messages
                    .iter()
                    .find(|(to, m, taken)| !taken && *to == account && from.as_ref().is_none_or(|f| *f == m.sender))
                    .map(|(_, m, _)| m.clone());
                Done::Offered { job, message }
            }
            Op::Write(Write::Taken { message, .. }) => {
                if let Some(row) = self.messages.get_mut(message as usize - 1) {
                    row.2 = true;
                }
                return;
            }
            Op::Write(Write::Seen { sessions }) => {
                for (account, at) in sessions {
                    self.sessions.entry(account).and_modify(|(_, since)| *since = at);
                }
                return;
            }
            Op::Write(Write::Handed { .. }) => return,
            Op::Read(Read::Person { job, .. }) if self.unreadable => Done::Failed { job },
            Op::Read(Read::Person { job, sought, since }) => {
                self.looks += 1;
                Done::Person { job, person: self.person(&sought, since).map(Box::new) }
            }
            Op::Write(
                Write::Register { job, .. }
                | Write::Session { job, .. }
                | Write::EndSession { job, .. }
                | Write::Password { job, .. }
                | Write::Message { job, .. },
            ) if self.disk_full => Done::Failed { job },
            Op::Write(Write::Register { job, name, hashed, at, .. }) => {
                self.accounts.push((name, hashed));
                Done::Registered { job, account: Some(self.accounts.len() as AccountId), at }
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
                self.accounts[account as usize - 1].1 = hashed;
                self.sessions.retain(|of, (address, _)| *of != account || Some(*address) == from);
                Done::Ok { job }
            }
            Op::Write(Write::Message { job, message }) => self.keep(job, message),
            other => panic!("there is no device and no operator: {other:?}"),
        };
        self.engine.stored(now, done);
    }

    fn keep(&mut self, job: u64, message: NewMessage) -> Done {
        let mut rows = Vec::new();
        let lobby = message.writer.is_some();
        for receiver in message.receivers {
            let unread = self.messages.iter().filter(|(to, _, taken)| *to == receiver && !taken);
            let public = unread.clone().filter(|(_, message, _)| message.writer.is_some()).count();
            if unread.count() >= self.mailbox || lobby && public >= self.mailbox.div_ceil(10) {
                rows.push(0);
                continue;
            }
            let row = self.messages.len() as MessageRow + 1;
            rows.push(row);
            let (sender, writer, text) = (message.sender.clone(), message.writer.clone(), message.text.clone());
            let unread = UnreadMessage { row, sender, writer, sent: 0, text };
            self.messages.push((receiver, unread, false));
        }
        if rows.iter().all(|row| *row == 0) {
            Done::Full { job }
        } else {
            Done::Kept { job, rows, own: None, sent: message.sent, again: false, online: Some(message.online) }
        }
    }

    fn person(&self, sought: &PersonKey, since: i64) -> Option<PersonRecord> {
        let heard = |id: &AccountId| self.sessions.get(id).copied().filter(|(_, at)| *at >= since);
        let ids = 1..=self.accounts.len() as AccountId;
        let id = ids.into_iter().find(|id| match sought {
            PersonKey::Name(name) => self.accounts[*id as usize - 1].0 == *name,
            PersonKey::Address(address) => heard(id).is_some_and(|(at, _)| at == *address),
        })?;
        let (name, hashed) = self.accounts[id as usize - 1].clone();
        let mut unread = HashMap::new();
        for (_, message, _) in self.messages.iter().filter(|(to, _, taken)| *to == id && !taken) {
            *unread.entry(message.sender.clone()).or_default() += 1;
        }
        Some(PersonRecord {
            id,
            name,
            hashed,
            settings: AccountSettings::default(),
            status: Default::default(),
            made: 0,
            unread,
            session: heard(&id),
        })
    }

    /// The script's lines are `port request => replies…`, each reply `port:reply` unless from `port`.
    #[track_caller]
    fn script(&mut self, script: &[(u16, &str, &[&str])]) {
        for (i, (port, request, expected)) in script.iter().enumerate() {
            let got = self.send(*port, request.as_bytes());
            let expected: Vec<(u16, String)> = expected.iter().map(|r| (*port, (*r).to_owned())).collect();
            assert_eq!(got, expected, "line {i}: {port} {request}");
        }
    }

    fn with_two() -> Self {
        let mut world = Self::new(OnSecondLogin::Arm);
        world.script(&[
            (1, "01#a#x#x#", &["01:01"]),
            (1, "01#b#y#y#", &["01:01"]),
            (1, "02#a#x#", &["02:01"]),
            (2, "02#b#y#", &["02:01"]),
        ]);
        world
    }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn the_table_of_the_protocol() {
    let mut world = World::new(OnSecondLogin::Arm);
    world.script(&[
        (1, "01#a#x#y#", &["01:02"]),
        (1, "01#a#x#x#", &["01:01"]),
        (1, "01#a#x#x#", &["01:03"]),
        (1, "01#a#x#y#", &["01:02"]),
        (1, "01#@lobby#x#x#", &["00:00"]),
        (1, "03#a#hi#", &["07:01"]),
        (1, "04#a#", &["07:01"]),
        (1, "05#a#", &["07:01"]),
        (1, "08#", &["07:01"]),
        (1, "06#", &["06:02"]),
        (1, "02#z#x#", &["02:03"]),
        (1, "02#a#z#", &["02:02"]),
        (1, "02#a#x#", &["02:01"]),
        (1, "02#a#x#", &["02:04"]),
        (1, "03#nobody#hi#", &["03:02"]),
        (1, "08#", &["08:0"]),
        (1, "09##", &["09:01"]),
        (1, "05#a#", &["05:01"]),
        (1, "04#", &["04:0"]),
        (1, "05#", &["05:01"]),
        (1, "06#20170000000", &["00:00"]),
        (1, "99#xyz#", &["00:00"]),
        (1, "00:00", &[]),
        (1, "x", &[]),
        (1, "06#", &["06:01"]),
        (1, "06#", &["06:02"]),
    ]);
}

#[test]
fn messages_wait_for_their_receiver_in_order_and_are_confirmed_by_the_next_request() {
    let mut world = World::with_two();
    world.script(&[
        (1, "03#b#1: #one#", &["03:01"]),
        (2, "06#", &["06:01"]),
        (1, "03#b#two#", &["03:02"]),
        (2, "02#b#y#", &["02:01"]),
        (2, "08#", &["08:2"]),
        (2, "04#a#", &["04:2"]),
        (2, "09#", &["09:a:2026-11-21 12:04:58:1: #one"]),
        (2, "05#a#", &["05:a:2026-11-21 12:04:58:two"]),
        // Logging in again instead of asking on: the answer was lost, the message is offered again.
        (2, "02#b#y#", &["02:04"]),
        (2, "08#", &["08:1"]),
        (2, "09#", &["09:a:2026-11-21 12:04:58:two"]),
        (2, "08#", &["08:0"]),
        (2, "09#", &["09:01"]),
    ]);
}

#[test]
fn a_mailbox_has_a_quota() {
    let mut world = World::with_two();
    for expected in ["03:01", "03:01", "03:01", "03:02"] {
        world.script(&[(1, "03#b#hi#", &[expected])]);
    }
}

#[test]
fn the_lobby_fills_nobodys_mailbox() {
    let mut world = World::with_two();
    world.script(&[
        (1, "03#@lobby#1#", &["03:01"]),
        (1, "03#@lobby#2#", &["03:02"]),
        (1, "03#b#hi#", &["03:01"]),
        (2, "05#@lobby#", &["05:@lobby:2026-11-21 12:04:58:[a] 1"]),
        (2, "08#", &["08:1"]),
        (1, "03#@lobby#3#", &["03:01"]),
    ]);
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_disk_and_order_is_kept() {
    let mut world = World::with_two();
    world.held = true;
    world.script(&[(1, "03#b#hi#", &[]), (1, "08#", &[]), (2, "08#", &["08:0"])]);
    let replies: Vec<String> = world.release().into_iter().map(|(_, reply)| reply).collect();
    assert_eq!(replies, ["03:01", "08:0"]);
    world.disk_full = true;
    world.script(&[(1, "03#b#lost#", &[]), (1, "08#", &["08:0"]), (2, "08#", &["08:1"])]);
}

#[test]
fn a_retransmitted_login_is_not_hashed_twice() {
    let mut world = World::with_two();
    world.held = true;
    world.script(&[(3, "02#b#y#", &[]), (3, "02#b#y#", &[]), (3, "08#", &[])]);
    assert_eq!(world.jobs.len(), 1);
    let replies: Vec<String> = world.release().into_iter().map(|(_, reply)| reply).collect();
    assert_eq!(replies, ["02:04", "07:01"]);
}

#[test]
fn a_second_login_arms_the_new_address() {
    let mut world = World::with_two();
    world.script(&[
        (3, "02#a#x#", &["02:04"]),
        (1, "08#", &["08:0"]),
        (3, "08#", &["07:01"]),
        (3, "06#", &["06:01"]),
        (1, "08#", &["07:01"]),
        (3, "02#a#x#", &["02:01"]),
    ]);
    // Armed for 30 s only.
    world.script(&[(4, "02#a#x#", &["02:04"])]);
    world.wait(Duration::from_secs(31));
    world.script(&[(4, "06#", &["06:02"]), (3, "08#", &["08:0"])]);
}

#[test]
fn rebind_moves_the_session_at_once() {
    let mut world = World::new(OnSecondLogin::Rebind);
    world.script(&[
        (1, "01#a#x#x#", &["01:01"]),
        (1, "02#a#x#", &["02:01"]),
        (3, "02#a#x#", &["02:04"]),
        (3, "08#", &["08:0"]),
        (1, "03#a#hi#", &["07:01"]),
    ]);
}

#[test]
fn presence_ends_before_the_session_does() {
    let mut world = World::with_two();
    world.wait(PRESENCE + Duration::from_secs(1));
    world.script(&[(1, "03#b#hi#", &["03:02"]), (2, "08#", &["08:1"]), (1, "03#b#hi#", &["03:01"])]);
    world.wait(PRESENCE + Duration::from_secs(1));
    world.script(&[(5, "02#a#x#", &["02:01"]), (1, "03#b#hi#", &["07:01"])]);
    world.wait(SESSION + Duration::from_secs(1));
    world.script(&[(5, "03#b#hi#", &["07:01"])]);
}

#[test]
fn one_session_an_address() {
    let mut world = World::with_two();
    world.script(&[(1, "06#", &["06:01"]), (2, "02#a#x#", &["02:01"]), (2, "03#b#hi#", &["03:02"])]);
}

#[test]
fn of_two_first_logins_at_once_one_is_first() {
    // Whichever password is looked at first, whichever session is on disk first, and on a full disk too.
    for case in 0..16 {
        let [rebind, first, stored, disk_full] = [1, 2, 4, 8].map(|bit| case & bit != 0);
        let mut world = World::new(if rebind { OnSecondLogin::Rebind } else { OnSecondLogin::Arm });
        world.script(&[(1, "01#a#x#x#", &["01:01"])]);
        (world.held, world.disk_full) = (true, disk_full);
        world.script(&[(1, "02#a#x#", &[]), (2, "02#a#x#", &[])]);
        if first {
            world.jobs.reverse();
        }
        for job in std::mem::take(&mut world.jobs) {
            world.hash(job);
        }
        let mut replies = world.drain();
        if stored {
            world.ops.reverse();
        }
        replies.extend(world.release());
        let (first, second) = if first { (2, 1) } else { (1, 2) };
        replies.sort();
        let mut expected = [(first, "02:01".to_owned()), (second, "02:04".to_owned())];
        expected.sort();
        assert_eq!(replies, expected, "case {case}");
        let (served, other) = if rebind { (second, first) } else { (first, second) };
        world.script(&[(served, "08#", &["08:0"]), (other, "08#", &["07:01"])]);
    }
}

#[test]
fn a_full_disk_keeps_nobody_from_reading() {
    let mut world = World::with_two();
    world.script(&[(1, "03#b#hi#", &["03:01"])]);
    world.disk_full = true;
    world.script(&[
        (1, "03#b#lost#", &[]),
        (1, "01#c#x#x#", &[]),
        (2, "06#", &["06:01"]),
        (3, "02#b#y#", &["02:01"]),
        (3, "09#", &["09:a:2026-11-21 12:04:58:hi"]),
        (3, "09#", &["09:01"]),
    ]);
    world.disk_full = false;
    world.script(&[(1, "01#c#x#x#", &["01:01"]), (1, "03#b#again#", &["03:01"])]);
}

#[test]
fn the_lobby_and_who_is_online() {
    let mut world = World::with_two();
    world.script(&[
        (1, "11#0#", &["11:2:0:a:b"]),
        (1, "11#1#", &["11:2:1:b"]),
        (1, "03#@lobby#大家好#", &["03:01"]),
        (2, "09#", &["09:@lobby:2026-11-21 12:04:58:[a] 大家好"]),
        (2, "06#", &["06:01"]),
        (1, "03#@lobby#anyone?#", &["03:02"]),
        (1, "08#", &["08:0"]),
    ]);
}

#[test]
fn gbk_stays_with_its_address_and_is_read_by_others() {
    let mut world = World::with_two();
    let gbk = |text: &str| Charset::Gb18030.encode(text);
    let now = world.now();
    world.engine.datagram(now, at(1), &gbk("03#b#你好#"));
    assert_eq!(world.drain(), [(1, "03:01".to_owned())]);
    world.script(&[(2, "09#", &["09:a:2026-11-21 12:04:58:你好"]), (2, "03#a#谢谢#", &["03:01"])]);
    world.engine.datagram(now, at(1), b"09#");
    let Some(Effect::Store(op)) = world.engine.poll_effect() else { panic!("an offer first") };
    world.store(op);
    assert_eq!(
        world.engine.poll_effect(),
        Some(Effect::Reply { to: at(1), bytes: gbk("09:b:2026-11-21 12:04:58:谢谢") })
    );
}

#[test]
fn no_reply_is_longer_than_others_read() {
    let mut world = World::with_two();
    let now = world.now();
    world.engine.datagram(now, at(2), &Charset::Gb18030.encode("03#a#你好#"));
    assert_eq!(world.drain(), [(2, "03:01".to_owned())]);
    // Two bytes each in UTF-8, four in GB18030.
    let long = "ñ".repeat(400);
    world.script(&[(1, &format!("03#b#{long}#"), &["03:01"])]);
    world.script(&[(2, "09#", &[&format!("09:a:2026-11-21 12:04:58:{long}")])]);
}

#[test]
fn what_is_no_request_teaches_no_charset() {
    let mut world = World::with_two();
    // Too long a text, cut within a letter as a short buffer does it.
    let long = format!("03#b#{}", "你".repeat(400));
    let cut = [&long.as_bytes()[..long.len() - 1], b"#"].concat();
    assert_eq!(world.send(1, &cut), [(1, "00:00".to_owned())]);
    assert!(world.engine.addresses.charsets.is_empty(), "what it is sent stays UTF-8");
}

#[test]
fn a_charset_outlives_a_silence() {
    let mut world = World::with_two();
    let gbk = |text: &str| Charset::Gb18030.encode(text);
    world.send(1, &gbk("03#b#你好#"));
    world.wait(PRESENCE + Duration::from_secs(1));
    world.script(&[(1, "02#a#x#", &["02:01"]), (2, "03#a#谢谢#", &["03:01"])]);
    let now = world.now();
    world.engine.datagram(now, at(1), b"09#");
    let Some(Effect::Store(op)) = world.engine.poll_effect() else { panic!("an offer first") };
    world.store(op);
    let bytes = gbk("09:b:2026-11-21 12:04:58:谢谢");
    assert_eq!(world.engine.poll_effect(), Some(Effect::Reply { to: at(1), bytes }));
}

#[test]
fn of_two_registrations_at_once_the_second_hears_what_became_of_the_first() {
    for (disk_full, expected) in [(false, vec![(1, "01:01"), (2, "01:03"), (2, "06:02")]), (true, vec![(2, "06:02")])] {
        let mut world = World::new(OnSecondLogin::Arm);
        (world.held, world.disk_full) = (true, disk_full);
        world.script(&[(1, "01#a#x#x#", &[]), (2, "01#a#y#y#", &[]), (2, "01#a#y#y#", &[]), (2, "06#", &[])]);
        let expected: Vec<_> = expected.into_iter().map(|(port, reply)| (port, reply.to_owned())).collect();
        assert_eq!(world.release(), expected);
        world.disk_full = false;
        let again = if disk_full { "01:01" } else { "01:03" };
        world.script(&[(2, "01#a#y#y#", &[again])]);
    }
    // The hasher had no room for the first.
    let mut world = World::new(OnSecondLogin::Arm);
    world.held = true;
    world.script(&[(1, "01#a#x#x#", &[]), (2, "01#a#y#y#", &[])]);
    let Some(Job::New { job, .. }) = world.jobs.pop() else { panic!("the first is hashed") };
    let now = world.now();
    world.engine.not_hashed(now, job);
    assert_eq!(world.release(), []);
    world.script(&[(2, "01#a#y#y#", &["01:01"])]);
}

#[test]
fn an_armed_address_finds_nothing_to_end() {
    let mut world = World::with_two();
    world.script(&[(3, "02#a#x#", &["02:04"]), (1, "06#", &["06:01"]), (3, "06#", &["06:02"])]);
    // Its own session ends instead, if it has one.
    world.script(&[(1, "02#a#x#", &["02:01"]), (2, "02#a#x#", &["02:04"]), (1, "06#", &["06:01"])]);
    world.script(&[(2, "06#", &["06:01"]), (2, "08#", &["07:01"])]);
}
