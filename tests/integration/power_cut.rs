//! What a client was told outlives a power cut: the real server runs under load on a disk whose power
//! can be cut ([`super::disk`]), and what is left of it at many moments is served again.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::SystemTime;

use hongyan::server::udp::{Config, Server};

use super::disk::{Disk, Unsynced};
use super::server::Student;

/// Something the server has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Promise {
    /// `01:01`
    Account(String),
    /// `02:01`
    Session(&'static str),
    /// `06:01`
    Ended(&'static str),
    /// `03:01` or `03:02`
    Message(u64),
}

/// Promises, each with the moment on the disk's record after it was read.
type Promises = Vec<(usize, Promise)>;

struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
        let seed = std::env::var("HONGYAN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(now) | 1;
        println!("HONGYAN_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

const WRITERS: [&str; 4] = ["w0", "w1", "w2", "w3"];
const EACH: u64 = 50;

/// The same sockets for all servers: sessions are bound to addresses.
struct People {
    writers: Vec<Student>,
    reader: Student,
    guest: Student,
}

impl People {
    fn new() -> Self {
        let student = || Student::new("127.0.0.1:9".parse().expect("valid"));
        Self { writers: WRITERS.iter().map(|_| student()).collect(), reader: student(), guest: student() }
    }

    fn turn_to(&self, server: SocketAddr) {
        for student in self.writers.iter().chain([&self.reader, &self.guest]) {
            student.turn_to(server);
        }
    }

    /// Everybody registers and logs in; `absent` goes again, so that its mail is answered `03:02`.
    fn settle(&self, disk: &Disk, kept: &mut Promises) {
        let students = self.writers.iter().chain([&self.reader, &self.guest]);
        for (student, name) in students.zip(WRITERS.into_iter().chain(["reader", "absent"])) {
            assert_eq!(student.ask(&format!("01#{name}#x#x#")), "01:01");
            kept.push((disk.moment(), Promise::Account(name.to_owned())));
            assert_eq!(student.ask(&format!("02#{name}#x#")), "02:01");
            kept.push((disk.moment(), Promise::Session(name)));
        }
        assert_eq!(self.guest.ask("06#"), "06:01");
        kept.retain(|(_, p)| *p != Promise::Session("absent"));
        kept.push((disk.moment(), Promise::Ended("absent")));
    }

    /// Writers write to the reader and to who is absent, all at once, while newcomers register.
    fn load(&self, disk: &Disk, generation: u64, kept: &mut Promises) {
        let promises = Mutex::new(kept);
        let keep = |promise| promises.lock().expect("no panic").push((disk.moment(), promise));
        thread::scope(|scope| {
            for (writer, student) in self.writers.iter().enumerate() {
                let keep = &keep;
                scope.spawn(move || {
                    for n in 0..EACH {
                        let number = (generation * WRITERS.len() as u64 + writer as u64) * EACH + n;
                        // Long enough for checkpoints to come into it.
                        let to = if n % 5 == 0 { "absent" } else { "reader" };
                        let reply = student.ask(&format!("03#{to}#{number} {}#", "字".repeat(280)));
                        assert!(matches!(reply.as_str(), "03:01" | "03:02"), "{reply}");
                        keep(Promise::Message(number));
                    }
                });
            }
            for n in 0..2 {
                let name = format!("new{generation}-{n}");
                assert_eq!(self.guest.ask(&format!("01#{name}#x#x#")), "01:01");
                keep(Promise::Account(name));
            }
        });
    }

    /// Serves what is left in `data` and returns what is missing, or there twice.
    fn missing(&self, data: &Path, promised: &HashSet<Promise>) -> Vec<String> {
        let server = match start(data) {
            Ok(server) => server,
            Err(error) => return vec![error],
        };
        self.turn_to(server.address());
        let probe = Student::new(server.address());
        let mut missing = Vec::new();
        for promise in promised {
            if let Promise::Account(name) = promise
                && answered(&probe, &format!("01#{name}#x#x#")).as_deref() != Some("01:03")
            {
                missing.push(format!("{promise:?}"));
            }
        }
        let mut counts = HashMap::new();
        if promised.contains(&Promise::Session("reader")) {
            drain(&self.reader, &mut counts);
        }
        if promised.contains(&Promise::Ended("absent")) {
            // Were the session still there, this would be another address: `02:04`.
            let reply = answered(&probe, "02#absent#x#");
            if reply.as_deref() != Some("02:01") {
                missing.push(format!("the end of a session: {reply:?}"));
            }
            drain(&probe, &mut counts);
        }
        for promise in promised {
            if let Promise::Message(number) = promise
                && !counts.contains_key(number)
            {
                missing.push(format!("{promise:?}"));
            }
        }
        missing.extend(counts.iter().filter(|(_, n)| **n > 1).map(|(number, n)| format!("{number}: {n} times")));
        missing
    }
}

fn start(data: &Path) -> Result<Server, String> {
    let config = Config::new("127.0.0.1:0".parse().expect("valid"), data.to_owned());
    let config = Config { quotas: config.quotas.unpaced(), ..config };
    Server::start(config).map_err(|error| error.to_string())
}

/// The answer, if there is one. A later request tells when there is none, since an address is answered in the
/// order of its requests; how fast the machine is does not.
fn answered(student: &Student, request: &str) -> Option<String> {
    let (fence, answers) = match request.starts_with("02") {
        true => ("08#", ["08:", "07:01"]),
        false => ("02#nobody#x#", ["02:03"; 2]),
    };
    let is_fence = |reply: &str| answers.iter().any(|answer| reply.starts_with(answer));
    student.0.send(request.as_bytes()).expect("sent");
    let first = student.ask(fence);
    if is_fence(&first) {
        return None;
    }
    let second = student.hear(fence);
    assert!(is_fence(&second), "{request}: {first}, {second}");
    Some(first)
}

fn drain(student: &Student, counts: &mut HashMap<u64, u32>) {
    while let Some(taken) = answered(student, "09#") {
        let number = taken.splitn(6, ':').nth(5).and_then(|body| body.split(' ').next()).map(str::parse);
        let Some(Ok(number)) = number else { return };
        *counts.entry(number).or_default() += 1;
    }
}

/// Loads a server on `disk`, ends it, and returns how long the record was when the load ended.
fn live(people: &People, data: &Path, disk: &Disk, generation: u64, kept: &mut Promises) -> usize {
    let server = start(data).expect("started");
    people.turn_to(server.address());
    if kept.is_empty() {
        people.settle(disk, kept);
    }
    people.load(disk, generation, kept);
    disk.moment()
}

/// What had been promised by then.
fn by(moment: usize, kept: &Promises) -> HashSet<Promise> {
    kept.iter().filter(|(at, _)| *at <= moment).map(|(_, promise)| promise.clone()).collect()
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    const GENERATIONS: u64 = 5;
    const CUTS: usize = 20;
    let mut random = Random::new();
    let dir = tempfile::tempdir().expect("a folder");
    let people = People::new();
    let mut data = dir.path().join("0");
    std::fs::create_dir(&data).expect("a new folder");
    let mut kept = Promises::new();
    let mut checkpoints = 0;
    for generation in 0..GENERATIONS {
        let disk = Disk::watch(&data, false);
        let loaded = live(&people, &data, &disk, generation, &mut kept);
        checkpoints += disk.checkpointed(loaded);
        // The clean end is on the record as well.
        let end = disk.moment();
        // At least once for each message of one writer, which waits for its answer before the next.
        assert!(disk.syncs() as u64 >= EACH, "this disk is synced: {}", disk.syncs());
        let mut next = None;
        for i in 0..CUTS {
            // Half of the cuts come the moment after an answer; the last one is gone on with.
            let answered = kept[random.below(kept.len())].0;
            let moment = match i {
                _ if i + 1 == CUTS => loaded - random.below(loaded / 10),
                i if i % 2 == 0 => answered,
                _ => random.below(end + 1),
            };
            let unsynced = [Unsynced::Nothing, Unsynced::Everything, Unsynced::Some, Unsynced::Some][random.below(4)];
            let left = dir.path().join(format!("{generation}-{i}"));
            let mut coins = Random(random.next() | 1);
            let coin = || coins.next() & 1 == 0;
            disk.cut(moment, unsynced, coin, &left);
            if i + 1 == CUTS {
                next = Some((moment, dir.path().join(format!("{}", generation + 1))));
                copy(&left, &next.as_ref().expect("just set").1);
            }
            let missing = people.missing(&left, &by(moment, &kept));
            assert!(missing.is_empty(), "cut {generation}-{i} at {moment} of {end}, {unsynced:?}: {missing:?}");
        }
        let (moment, folder) = next.expect("the last cut");
        kept = by(moment, &kept).into_iter().map(|promise| (0, promise)).collect();
        data = folder;
    }
    assert!(checkpoints > 0, "the WAL was moved into the database under load");
    println!("{} cuts, {} promises kept", GENERATIONS as usize * CUTS, kept.len());
}

/// The test above can fail: with `PRAGMA synchronous = OFF`, executed on the server's own connection,
/// acknowledged messages are gone. (Ignoring syncs in the VFS would look the same from here; but then
/// it would be this test's claim, not SQLite's, that nothing was synced.)
#[test]
fn without_syncs_a_power_cut_loses_what_was_acknowledged() {
    const CUTS: usize = 10;
    let mut random = Random::new();
    let dir = tempfile::tempdir().expect("a folder");
    let people = People::new();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).expect("a new folder");
    let mut kept = Promises::new();
    // Accounts and sessions are on disk, by a server that syncs.
    let disk = Disk::watch(&data, false);
    let server = start(&data).expect("started");
    people.turn_to(server.address());
    people.settle(&disk, &mut kept);
    drop(server);
    kept.iter_mut().for_each(|(at, _)| *at = 0);

    let copied = dir.path().join("copied");
    copy(&data, &copied);
    let disk = Disk::watch(&copied, true);
    let loaded = live(&people, &copied, &disk, 0, &mut kept);
    assert_eq!(disk.syncs(), 0, "nothing is synced");
    let mut losses = Vec::new();
    for i in 0..CUTS {
        let unsynced = if i == 0 { Unsynced::Nothing } else { Unsynced::Some };
        let left = dir.path().join(format!("cut{i}"));
        let mut coins = Random(random.next() | 1);
        disk.cut(loaded, unsynced, || coins.next() & 1 == 0, &left);
        losses.push(people.missing(&left, &by(loaded, &kept)).len());
    }
    println!("of {} promises missing: {losses:?}", kept.len());
    assert!(losses.iter().all(|n| *n > 0), "{losses:?}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}
