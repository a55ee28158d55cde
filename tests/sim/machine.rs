//! The server's machine: engine, carrier and database as they are, driven as `server::udp` drives them.
//! What survives a crash is the database's file; of the rest nothing does. Commits take a moment, and
//! operations that come meanwhile wait for the next one; the crash may come before or after it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hongyan::base::model::names::framed;
use hongyan::base::timer::Dice;
use hongyan::protocol::link::{Identity, Transmit};
use hongyan::protocol::wire::item::Item;
use hongyan::server::carrier::Carrier;
use hongyan::server::engine::{Effect, Engine, Now};
use hongyan::server::hasher::{Hashed, Job, Outcome};
use hongyan::server::store::{Done, Op, Store};
use hongyan::server::{OnSecondLogin, Quotas};

/// When the machine is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// When a batch is given to the database, before it is committed.
    BeforeCommit,
    /// When it is committed, before anybody is told.
    AfterCommit,
    /// When the answers stand ready to be sent.
    BeforeSending,
}

/// A disk without room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// For nothing more; what is there can be changed.
    ForMore,
    /// Nothing can be written.
    ForAll,
}

struct Running {
    engine: Engine,
    carrier: Carrier,
    store: Store,
    waiting: Vec<Op>,
    committing: Option<(Instant, Vec<Op>)>,
    done: Option<(Instant, Vec<Done>)>,
    hashing: VecDeque<(Instant, Outcome)>,
}

pub struct Machine {
    running: Option<Running>,
    identity: Identity,
    folder: tempfile::TempDir,
    dice: Dice,
    pub quotas: Quotas,
    pub doom: Option<Doom>,
    full: Option<Full>,
    /// The longest a commit takes.
    pub slowest_commit: Duration,
    /// Passwords looked at; argon2's work.
    pub passwords: usize,
    pub starts: u64,
    pub transmits: Vec<Transmit>,
}

/// A folder in memory, where there is one: what is tried here is not the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn fill(store: &Store, full: Option<Full>) {
    store.limit((full == Some(Full::ForMore)).then_some(0)).expect("set");
    store.connection().pragma_update(None, "query_only", full == Some(Full::ForAll)).expect("set");
}

impl Machine {
    pub fn new(seed: u64, now: Now, identity: Identity) -> Self {
        let mut machine = Self {
            running: None,
            identity,
            folder: folder(),
            dice: Dice::new(seed + 17),
            quotas: Quotas::default().unpaced(),
            doom: None,
            full: None,
            slowest_commit: Duration::from_millis(15),
            passwords: 0,
            starts: 0,
            transmits: Vec::new(),
        };
        machine.start(now);
        machine
    }

    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    pub fn start(&mut self, now: Now) {
        let mut store = Store::open(self.folder.path()).expect("the database outlives its server");
        store.set_mailbox(self.quotas.mailbox);
        // Power is never cut here, so nothing need wait for the disk.
        store.connection().execute_batch("PRAGMA synchronous = OFF").expect("set");
        fill(&store, self.full);
        let snapshot = store.snapshot(now.unix - 90).expect("readable");
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let mut engine = Engine::new(OnSecondLogin::Arm, self.quotas, local_time, snapshot, now);
        engine.set_secure(true);
        // Mostly, the one that is not needed is looked for again and again.
        let rooms = [1, 2, 16_384];
        engine.set_room(rooms[usize::try_from(self.dice.roll() % 3).expect("small")]);
        self.starts += 1;
        let seed = [u8::try_from(self.dice.roll() % 256).expect("a byte"); 32];
        let carrier = Carrier::with(self.identity.clone(), Some(seed)).expect("keys");
        let (waiting, hashing) = (Vec::new(), VecDeque::new());
        self.running = Some(Running { engine, carrier, store, waiting, committing: None, done: None, hashing });
    }

    /// As kill -9, or a cut of the power after what was committed.
    pub fn crash(&mut self) {
        self.running = None;
        self.doom = None;
        self.transmits.clear();
    }

    /// From now on the disk is full, or is not any more.
    pub fn fill(&mut self, full: Option<Full>) {
        self.full = full;
        if let Some(running) = &self.running {
            fill(&running.store, full);
        }
    }

    /// As SIGTERM: what was given to the database is committed, and every device hears of the end.
    pub fn stop(&mut self, now: Now) {
        let Some(running) = &mut self.running else { return };
        running.engine.end(now);
        self.drain(now);
        let Some(running) = &mut self.running else { return };
        for batch in [running.committing.take().map(|(_, batch)| batch), Some(std::mem::take(&mut running.waiting))] {
            running.store.run(&batch.unwrap_or_default());
        }
        running.carrier.end(now);
        self.drain(now);
        self.running = None;
    }

    pub fn datagram(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        let Some(running) = &mut self.running else { return };
        if running.carrier.takes(bytes) {
            running.carrier.datagram(now, from, bytes, &mut running.engine);
        } else {
            running.engine.datagram(now, from, bytes);
        }
        self.drain(now);
    }

    pub fn next(&self) -> Option<Instant> {
        let running = self.running.as_ref()?;
        let worker = [
            running.committing.as_ref().map(|(at, _)| *at),
            running.done.as_ref().map(|(at, _)| *at),
            running.hashing.front().map(|(at, _)| *at),
            running.engine.poll_timeout(),
            running.carrier.poll_timeout(),
        ];
        worker.into_iter().flatten().min()
    }

    /// Whatever is due.
    pub fn turn(&mut self, now: Now) {
        let Some(running) = &mut self.running else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now.instant);
        if due(running.engine.poll_timeout()) {
            running.engine.handle_timeout(now);
        }
        if due(running.carrier.poll_timeout()) {
            running.carrier.timeout(now, &mut running.engine);
        }
        if let Some((_, batch)) = running.committing.take_if(|(at, _)| *at <= now.instant) {
            if self.doom == Some(Doom::BeforeCommit) {
                return self.crash();
            }
            let results = running.store.run(&batch);
            assert!(results.error.is_none() || self.full.is_some(), "{:?}", results.error);
            if self.doom == Some(Doom::AfterCommit) {
                return self.crash();
            }
            running.done = Some((now.instant + Duration::from_micros(self.dice.roll() % 2_000), results.done));
        }
        if let Some((_, done)) = running.done.take_if(|(at, _)| *at <= now.instant) {
            for done in done {
                running.engine.stored(now, done);
            }
        }
        while running.hashing.front().is_some_and(|(at, _)| *at <= now.instant)
            && let Some((_, outcome)) = running.hashing.pop_front()
        {
            running.engine.hashed(now, outcome);
        }
        self.drain(now);
    }

    fn drain(&mut self, now: Now) {
        let Some(running) = &mut self.running else { return };
        while let Some(effect) = running.engine.poll_effect() {
            match effect {
                Effect::Reply { to, bytes } => self.transmits.push(Transmit { to, from: None, bytes }),
                Effect::Frame { peer, frame } => running.carrier.frame(now, peer, &frame, &mut running.engine),
                Effect::Close { peer, code, reason } => {
                    running.carrier.close(now, peer, code, reason, &mut running.engine);
                }
                Effect::Store(op) => running.waiting.push(op),
                Effect::Administered { .. } => panic!("there is no operator"),
                Effect::Hash(job) => {
                    let at = now.instant + Duration::from_millis(30);
                    let outcome = match job {
                        Job::New { job, password } => {
                            let hash = password.reveal().as_bytes().to_vec();
                            Outcome::New { job, hashed: Some(Hashed { salt: Vec::new(), hash }) }
                        }
                        Job::Check { job, password, against } => {
                            self.passwords += 1;
                            Outcome::Checked { job, right: password.reveal().as_bytes() == against.hash }
                        }
                    };
                    running.hashing.push_back((at, outcome));
                }
            }
        }
        if running.committing.is_none() && running.done.is_none() && !running.waiting.is_empty() {
            let span = u64::try_from(self.slowest_commit.as_micros()).expect("short").max(1);
            let at = now.instant + Duration::from_micros(self.dice.roll() % span);
            running.committing = Some((at, std::mem::take(&mut running.waiting)));
        }
        while let Some(transmit) = running.carrier.poll_transmit() {
            self.transmits.push(transmit);
        }
        if self.doom == Some(Doom::BeforeSending) && !self.transmits.is_empty() {
            self.crash();
        }
    }

    /// All messages in the order of their rows: row, receiver, sender, text.
    pub fn messages(&self) -> Vec<(u64, String, String, String)> {
        let connection = self.running.as_ref().expect("up").store.connection();
        let mut query = connection
            .prepare(
                "SELECT m.id, a.name, m.sender, m.text, m.writer FROM messages m JOIN accounts a ON a.id = m.receiver
                 ORDER BY m.id",
            )
            .expect("the schema");
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
        let row = |row: Result<(i64, _, _, String, Option<String>), _>| {
            let (id, receiver, sender, text, writer) = row.expect("a row");
            // A history has a room's texts as the plain dialect says them.
            let text = writer.map_or_else(|| text.clone(), |writer| framed(&writer, &text));
            (u64::try_from(id).expect("positive"), receiver, sender, text)
        };
        rows.expect("readable").map(row).collect()
    }

    /// Whether several devices of this account may be in at once.
    pub fn is_beside(&self, account: &str) -> bool {
        let connection = self.running.as_ref().expect("up").store.connection();
        let query = "SELECT beside FROM accounts WHERE name = ?";
        connection.query_row(query, [account], |row| row.get(0)).expect("an account")
    }

    /// Rows of messages for their writers' other devices.
    pub fn own_rows(&self) -> BTreeSet<u64> {
        let connection = self.running.as_ref().expect("up").store.connection();
        let mut query = connection.prepare("SELECT id FROM messages WHERE own IS NOT NULL").expect("the schema");
        let rows = query.query_map([], |row| row.get::<_, i64>(0)).expect("readable");
        rows.map(|row| u64::try_from(row.expect("a row")).expect("positive")).collect()
    }

    /// An account's items, by kind and key.
    pub fn items(&self, account: &str) -> Vec<Item> {
        let connection = self.running.as_ref().expect("up").store.connection();
        let mut query = connection
            .prepare(
                "SELECT kind, key, value FROM items WHERE account = (SELECT id FROM accounts WHERE name = ?)
                     AND value IS NOT NULL ORDER BY kind, key",
            )
            .expect("the schema");
        let rows = query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)));
        let item = |row: Result<(String, String, String), _>| {
            let (kind, key, value) = row.expect("a row");
            Item { kind, key, value: Some(serde_json::from_str(&value).expect("JSON")) }
        };
        rows.expect("readable").map(item).collect()
    }

    /// How many messages of each account's mailbox nobody has acknowledged.
    pub fn unread(&self) -> BTreeMap<String, i64> {
        let connection = self.running.as_ref().expect("up").store.connection();
        let mut query = connection
            .prepare("SELECT a.name, count(*) FROM messages m JOIN accounts a ON a.id = m.receiver WHERE taken IS NULL GROUP BY 1")
            .expect("the schema");
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("readable");
        rows.map(|row| row.expect("a row")).collect()
    }
}
