//! The secure dialect's figures over real sockets, server in a process of its own: `cargo bench --bench secure`.
//!
//! - durable messages from 64 devices at once: 5,000 a second, or ≥ 50 % of a bare SQLite loop in batches of 64
//! - sent to pushed, one message at a time: p99 ≤ 16 ms, beside what this disk's sync takes
//! - resident memory with 2,000 idle devices: ≤ 100 MiB
//! - 1,000 messages a second of somebody logged in, and up to 300,000 hostile datagrams a second: ≥ 95 % of them
//!   accepted, p99 ≤ 100 ms (`-- flood` for this alone)
//! - one million garbage datagrams that look like this dialect: no growth, few answers, service goes on

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a benchmark measures real time, prints, and ends at the first failure"
)]

#[path = "flood.rs"]
mod flood;
#[path = "measure.rs"]
mod measure;
#[path = "../shared/process.rs"]
mod process;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flood::{Flood, Kind, Outcome};
use hongyan::base::model::Password;
use hongyan::protocol::link::{Event, Link, PeerId};
use hongyan::protocol::wire::frame::{Code, FromClient, FromServer, Key};
use hongyan::server::carrier::Carrier;
use hongyan::server::hasher;
use hongyan::server::store::{Op, Store, Write};
use measure::{
    Dice, Figures, TEXT, bare_sqlite, busy, hongyand, is_wanted, only_part, percentile, resident_mib, sized,
};
use ring::{digest, hmac};

const SENDERS: usize = 64;
const TOKEN: [u8; 32] = [5; 32];

/// How long a server that is busy is left alone, where it does not say how long.
const PAUSE: Duration = Duration::from_millis(500);

fn device_count() -> usize {
    sized(2_000, 100)
}

/// How long each rate is measured.
fn span() -> Duration {
    sized(Duration::from_secs(3), Duration::from_millis(200))
}

/// All devices: connections of one carrier on one socket.
struct Devices {
    socket: UdpSocket,
    server: SocketAddr,
    link: Link,
    /// By connection, whose it is, and by number its connection.
    numbers: HashMap<PeerId, usize>,
    peers: Vec<PeerId>,
    here: usize,
    /// Who was to try later, and from when on they may.
    later: Vec<(Instant, PeerId)>,
    /// Answers: who, which message, when; and pushes: to whom, text, when.
    accepted: Vec<(usize, u64, Instant)>,
    pushed: Vec<(usize, String, Instant)>,
    /// Which answers to pings came when.
    ponged: Vec<(u64, Instant)>,
    /// Some genuine datagrams, to be spoilt.
    seen: Vec<Vec<u8>>,
}

impl Devices {
    fn new(server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            server,
            link: Link::client(None),
            numbers: HashMap::new(),
            peers: Vec::new(),
            here: 0,
            later: Vec::new(),
            accepted: Vec::new(),
            pushed: Vec::new(),
            ponged: Vec::new(),
            seen: Vec::new(),
        })
    }

    /// Receives until there is nothing more, waiting for the first at most `wait`.
    fn turn(&mut self, wait: Duration) {
        let mut buffer = [0; 2_048];
        self.flush();
        let due = self.link.poll_timeout().map_or(wait, |at| at.saturating_duration_since(Instant::now()).min(wait));
        let mut more = if wait < Duration::from_millis(1) {
            // A socket's timeout is a multiple of the kernel's tick, which may be 4 ms.
            std::thread::sleep(due);
            self.socket.recv(&mut buffer)
        } else {
            self.socket.set_nonblocking(false).expect("set");
            self.socket.set_read_timeout(Some(due.max(Duration::from_micros(50)))).expect("set");
            let first = self.socket.recv(&mut buffer);
            self.socket.set_nonblocking(true).expect("set");
            first
        };
        let mut taken = 0;
        while let Ok(n) = more {
            self.link.handle_datagram(Instant::now(), self.server, &buffer[..n]);
            taken += 1;
            if taken == 64 {
                break;
            }
            more = self.socket.recv(&mut buffer);
        }
        self.link.handle_timeout(Instant::now());
        self.flush();
    }

    /// Asks to be let in with the device's token.
    fn resume(&mut self, peer: PeerId) {
        let number = self.numbers[&peer];
        let exported = self.link.export(peer, b"hongyan login").expect("connected");
        let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, &TOKEN).as_ref());
        let proof = hmac::sign(&key, &exported).as_ref().try_into().map(Key).expect("32 bytes");
        let (account, device) = (number.to_string(), Key([1; 16]));
        let resume = FromClient::Resume { id: 1, account, device, proof, cursor: None };
        self.link.send(Instant::now(), peer, &resume.encode());
    }

    fn flush(&mut self) {
        let now = Instant::now();
        let due: Vec<PeerId> = self.later.extract_if(.., |(at, _)| *at <= now).map(|(_, peer)| peer).collect();
        due.into_iter().for_each(|peer| self.resume(peer));
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Connected { peer, .. } => self.resume(peer),
                Event::Frame { peer, bytes } => {
                    let number = self.numbers[&peer];
                    match FromServer::decode(&bytes).expect("a frame") {
                        FromServer::LoggedIn { .. } => self.here += 1,
                        FromServer::Accepted { counter, .. } => self.accepted.push((number, counter, Instant::now())),
                        FromServer::Message { row, text, .. } => {
                            self.pushed.push((number, text, Instant::now()));
                            self.link.send(Instant::now(), peer, &FromClient::Ack { cursor: row }.encode());
                        }
                        FromServer::Pong { id, .. } => self.ponged.push((id, Instant::now())),
                        // Its questions to the database are many at a time, and no more; nothing says for how long.
                        FromServer::Error { code: Code::TryLater, wait, .. } => {
                            let wait = wait.map_or(PAUSE, Duration::from_millis);
                            self.later.push((Instant::now() + wait, peer));
                        }
                        FromServer::Presence { .. } | FromServer::Changes { .. } => {}
                        other => panic!("{other:?}"),
                    }
                }
                Event::Lost { peer, why } => panic!("device {} is lost: {why:?}", self.numbers[&peer]),
            }
        }
        while let Some(transmit) = self.link.poll_transmit() {
            if self.seen.len() < 256 {
                self.seen.push(transmit.bytes.clone());
            }
            let _ = self.socket.send_to(&transmit.bytes, self.server);
        }
    }

    /// Lets devices in until there are so many, at a pace the server allows one address.
    fn come(&mut self, count: usize) {
        let begun = Instant::now();
        while self.here < count {
            if self.peers.len() < count && self.peers.len() < self.here + 16 {
                let peer = self.link.connect(Instant::now(), self.server, Vec::new());
                self.numbers.insert(peer, self.peers.len());
                self.peers.push(peer);
            }
            self.turn(Duration::from_millis(3));
            assert!(begun.elapsed() < Duration::from_secs(120), "{} of {count} came", self.here);
        }
    }

    fn send(&mut self, number: usize, counter: u64, to: usize, text: &str) {
        assert!(self.try_send(number, counter, to, text));
    }

    fn ping(&mut self, number: usize, id: u64) {
        let _ = self.link.send(Instant::now(), self.peers[number], &FromClient::Ping { id }.encode());
    }

    /// As a client does while it waits for answers.
    fn hurry(&mut self, number: usize, awaited: bool) {
        self.link.hurry(Instant::now(), self.peers[number], awaited);
    }

    /// False while too much waits already.
    fn try_send(&mut self, number: usize, counter: u64, to: usize, text: &str) -> bool {
        let frame = FromClient::Send { counter, to: to.to_string(), text: text.to_owned(), after: None, made: None };
        self.link.send(Instant::now(), self.peers[number], &frame.encode())
    }
}

fn main() -> io::Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some("--strangers") {
        return flood::strangers(std::env::args().skip(2)).map(|()| ExitCode::SUCCESS);
    }
    if !is_wanted("secure") {
        return Ok(ExitCode::SUCCESS);
    }
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    fill(&data);
    let (server, listen) = hongyand(&data);
    let pid = server.0.id();
    let mut figures = Figures::new();
    let mut devices = Devices::new(listen)?;
    devices.come(SENDERS);
    if only_part().as_deref() == Some("flood") {
        floods(pid, &mut devices, listen, dir.path(), &mut figures)?;
        return Ok(figures.exit());
    }

    let mut synced = syncs(&dir.path().join("synced"))?;
    let (p50, p99) = (percentile(&mut synced, 50), percentile(&mut synced, 99));
    println!("  write and sync of 4 KiB: p50 {p50:.2?}, p99 {p99:.2?}");
    let mut took = pushes(&mut devices);
    let (p50, p99) = (percentile(&mut took, 50), percentile(&mut took, 99));
    println!("  sent to pushed: p50 {p50:.2?}, p99 {p99:.2?}");
    let p99 = p99.as_secs_f64() * 1_000.0;
    figures.add("sent to pushed, one at a time, p99", p99, "ms", p99 <= 16.0);

    let (mut bare, mut durable) = (0.0_f64, 0.0_f64);
    // Each twice in turn, the better one counts: what else the machine does hits both.
    let mut counters = vec![1_000; SENDERS];
    for _ in 0..2 {
        bare = bare.max(bare_sqlite(&dir.path().join("bare.sqlite"), SENDERS, span()));
        durable = durable.max(sends(&mut devices, &mut counters));
    }
    let share = 100.0 * durable / bare;
    println!("  bare SQLite {bare:.0}/s, that is {share:.0} %");
    figures.add("durable messages from 64 devices", durable, "/s", durable >= 5_000.0 || share >= 50.0);

    floods(pid, &mut devices, listen, dir.path(), &mut figures)?;

    devices.come(device_count());
    for _ in 0..sized(300, 10) {
        devices.turn(Duration::from_millis(10));
    }
    let resident = resident_mib(pid);
    figures.add("resident with 2,000 idle devices", resident, "MiB", resident <= 100.0);

    let before = resident_mib(pid);
    let (sent, answered) = garbage(&devices.seen, listen)?;
    let growth = resident_mib(pid) - before;
    let share = answered as f64 / sent as f64;
    println!("  {sent} bytes of garbage, {answered} bytes of answers");
    devices.send(0, 900_000, 1, "still there?");
    let asked = Instant::now();
    while devices.accepted.last().is_none_or(|(_, counter, _)| *counter != 900_000) {
        devices.turn(Duration::from_millis(10));
        assert!(asked.elapsed() < Duration::from_secs(10), "it answers");
    }
    figures.add("growth by a million garbage datagrams", growth, "MiB", growth < 5.0);
    figures.add("bytes out a byte of garbage in", share, "", share <= 3.0);
    Ok(figures.exit())
}

/// Datagrams that found the server's buffer full, so far.
fn drops(server: SocketAddr) -> u64 {
    let port = format!(":{:04X} ", server.port());
    let all = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let line = all.lines().find(|line| line.contains(&port)).unwrap_or_default();
    line.split_whitespace().last().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// In this order, since what a flood left behind is the next one's too.
const FLOODS: [(Kind, u64); 10] = [
    (Kind::All, 0),
    (Kind::All, 50_000),
    (Kind::All, 100_000),
    (Kind::All, 150_000),
    (Kind::All, 200_000),
    (Kind::All, 300_000),
    (Kind::Random, 200_000),
    (Kind::Text, 200_000),
    (Kind::Spoilt, 200_000),
    (Kind::Beginnings, 200_000),
];

fn floods(pid: u32, devices: &mut Devices, server: SocketAddr, folder: &Path, figures: &mut Figures) -> io::Result<()> {
    let mut flood = Flood::new(server, &devices.seen, folder)?;
    for (kind, rate) in FLOODS {
        let (dropped, had) = (drops(server), busy(pid));
        let Outcome { hostile, goodput, p50, p99, pinged, synced } =
            flood.run(devices, kind, sized(rate, rate / 100))?;
        let dropped = 100.0 * (drops(server) - dropped) as f64 / (hostile * flood::span().as_secs_f64()).max(1.0);
        let busy = (busy(pid) - had).as_secs_f64() / flood::span().as_secs_f64();
        println!(
            "  {kind:?}: {hostile:.0} a second, {dropped:.0} % dropped by the kernel, server busy {busy:.2}; \
             p50 {p50:.1?}, p99 {p99:.1?}; what needs no disk p99 {pinged:.1?}, a sync {synced:.1?}"
        );
        let name = format!("accepted of 1,000 a second beside {} k hostile, {kind:?}", rate / 1_000);
        figures.add(&name, goodput, "%", goodput >= 95.0 && p99 <= Duration::from_millis(100));
    }
    Ok(())
}

/// Accounts `0` to `1999`, each with a device that has a token; and the keys of the server that these devices have met.
fn fill(data: &Path) {
    let hashed = hasher::hash(&Password::parse("secret").expect("valid")).expect("random bytes");
    let token = digest::digest(&digest::SHA256, &TOKEN).as_ref().try_into().ok();
    let mut store = Store::open(data).expect("a new database");
    let mut ops = Vec::new();
    for i in 0..device_count() {
        let (job, account) = (i as u64, i as i64 + 1);
        ops.push(Op::Write(Write::Register { job, name: i.to_string(), hashed: hashed.clone(), profile: None, at: 0 }));
        ops.push(Op::Write(Write::Enter { job, account, device: Key([1; 16]), token, cursor: None, at: 0 }));
    }
    assert_eq!(store.run(&ops).done.len(), ops.len());
    drop(Carrier::open(data, false).expect("new keys"));
}

fn syncs(path: &Path) -> io::Result<Vec<Duration>> {
    let mut file = File::create(path)?;
    let mut took = Vec::new();
    for _ in 0..sized(300, 5) {
        let begun = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// From a frame given to the carrier to the other's frame out of it.
fn pushes(devices: &mut Devices) -> Vec<Duration> {
    let mut took = Vec::new();
    for counter in 1..=sized(500, 10) {
        let (begun, text) = (Instant::now(), format!("message {counter}"));
        devices.send(0, counter, 1, &text);
        while devices.pushed.last().is_none_or(|(_, came, _)| *came != text) {
            devices.turn(Duration::from_millis(10));
            assert!(begun.elapsed() < Duration::from_secs(10), "pushed");
        }
        took.extend(devices.pushed.last().map(|(.., at)| *at - begun));
        devices.turn(Duration::from_millis(5));
    }
    took
}

/// Durable messages a second: each device sends its next one when the last is answered.
fn sends(devices: &mut Devices, counters: &mut [u64]) -> f64 {
    let (mut stored, start) = (0_usize, Instant::now());
    devices.accepted.clear();
    let next = |devices: &mut Devices, counters: &mut [u64], number: usize, stored: usize| {
        counters[number] += 1;
        let to = SENDERS + (stored + number) % (device_count() - SENDERS);
        devices.send(number, counters[number], to, TEXT);
    };
    for number in 0..SENDERS {
        next(devices, counters, number, 0);
    }
    while start.elapsed() < span() {
        devices.turn(Duration::from_millis(10));
        for (number, ..) in std::mem::take(&mut devices.accepted) {
            stored += 1;
            next(devices, counters, number, stored);
        }
    }
    assert!(stored > 0, "nothing is stored");
    let rate = stored as f64 / start.elapsed().as_secs_f64();
    for _ in 0..50 {
        devices.turn(Duration::from_millis(10));
    }
    rate
}

/// Random ones, beginnings of handshakes, and genuine ones with some bytes changed; bytes out and in.
fn garbage(seen: &[Vec<u8>], server: SocketAddr) -> io::Result<(u64, u64)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let (mut sent, mut answered, mut buffer) = (0, 0, [0; 2_048]);
    let mut dice = Dice::new(1);
    let mut bytes = Vec::new();
    for i in 0..sized(1_000_000, 5_000) {
        bytes.clear();
        match i % 4 {
            0 => {
                bytes.extend((0..25).flat_map(|_| dice.roll().to_be_bytes()));
                bytes[0] = 0x40 | bytes[0] & 0x3f;
            }
            1 => {
                bytes.extend((0..150).flat_map(|_| dice.roll().to_be_bytes()));
                bytes[0] |= 0xc0;
                bytes[1..5].copy_from_slice(&[0, 0, 0, 1]);
                bytes[5] = 8;
            }
            _ => {
                bytes.extend_from_slice(&seen[i / 4 % seen.len()]);
                for _ in 0..=i % 3 {
                    let at = usize::try_from(dice.roll() % bytes.len() as u64).unwrap_or(0);
                    bytes[at] ^= 1 << (dice.roll() % 8);
                }
            }
        }
        sent += bytes.len() as u64;
        let _ = socket.send_to(&bytes, server);
        while let Ok(n) = socket.recv(&mut buffer) {
            answered += n as u64;
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    while let Ok(n) = socket.recv(&mut buffer) {
        answered += n as u64;
    }
    Ok((sent, answered))
}
