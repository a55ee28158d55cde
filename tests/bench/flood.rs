//! A thousand messages a second of somebody who is logged in, while strangers send as much as this machine can.
//! The strangers are a process of their own that only gets what the others leave of the processors, as theirs
//! would be other machines; what the kernel does with their datagrams is at their cost too.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hongyan::protocol::link::Link;

use super::measure::{Dice, TEXT, percentile, sized};
use super::process::Process;
use super::{Devices, SENDERS, device_count};

/// Messages a second of the one who is logged in.
const RATE: u64 = 1_000;
const THREADS: usize = 2;
/// Addresses of each thread.
const ADDRESSES: u8 = 100;
/// Messages of this bench are numbered from here.
const FIRST: u64 = 2_000_000;

/// How long each flood lasts.
pub fn span() -> Duration {
    sized(Duration::from_secs(5), Duration::from_millis(300))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Random bytes, half of them of a kind to be looked at closely.
    Random,
    /// Real beginnings of handshakes.
    Beginnings,
    /// `08#`.
    Text,
    /// Genuine ones of somebody who is logged in, one bit changed.
    Spoilt,
    /// All of them in turn.
    All,
}

const KINDS: [Kind; 5] = [Kind::Random, Kind::Beginnings, Kind::Text, Kind::Spoilt, Kind::All];

pub struct Flood {
    material: PathBuf,
    server: SocketAddr,
    said: u64,
}

/// What came of it.
pub struct Outcome {
    /// Hostile datagrams a second.
    pub hostile: f64,
    /// Per cent of the messages, accepted before the flood ended.
    pub goodput: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// The 99th percentile of answers that wait for no disk.
    pub pinged: Duration,
    /// The 99th percentile of writing and syncing 4 KiB meanwhile.
    pub synced: Duration,
}

impl Flood {
    /// `genuine`: datagrams of those who are logged in.
    pub fn new(server: SocketAddr, genuine: &[Vec<u8>], folder: &Path) -> io::Result<Self> {
        let mut link = Link::client(None);
        let beginnings = (0..sized(20_000, 200)).filter_map(|_| {
            let now = Instant::now();
            let peer = link.connect(now, server, Vec::new());
            let beginning = link.poll_transmit().map(|t| t.bytes);
            link.close(now, peer, 0, "");
            while link.poll_transmit().is_some() {}
            beginning
        });
        let short = genuine.iter().filter(|bytes| bytes.first().is_some_and(|b| *b < 0x80)).cloned();
        let material = folder.join("hostile");
        let mut bytes = Vec::new();
        for list in [beginnings.collect(), short.collect::<Vec<_>>()] {
            bytes.extend(u32::try_from(list.len()).expect("small").to_le_bytes());
            for one in list {
                bytes.extend(u32::try_from(one.len()).expect("small").to_le_bytes());
                bytes.extend(one);
            }
        }
        std::fs::write(&material, bytes)?;
        Ok(Self { material, server, said: 0 })
    }

    /// Sends at most this number of hostile datagrams a second, for a few seconds.
    pub fn run(&mut self, devices: &mut Devices, kind: Kind, rate: u64) -> io::Result<Outcome> {
        let kind = KINDS.iter().position(|k| *k == kind).expect("one of them").to_string();
        let mut strangers = Command::new("nice")
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .args(["--strangers", &kind, &rate.to_string(), &self.server.to_string()])
            .arg(&self.material)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (stop, said) = (strangers.stdin.take().expect("piped"), strangers.stdout.take().expect("piped"));
        let _strangers = Process(strangers);
        let mut lines = BufReader::new(said).lines();
        // The first says that they begin, the second how many a second they sent.
        lines.next().transpose()?;
        let disk = File::create(self.material.with_extension("synced"))?;
        let disk = thread::Builder::new().name("disk".into()).spawn(move || syncs(disk))?;
        let (first, begun) = (self.said, Instant::now());
        let (mut took, mut pinged, mut pings) = (Vec::new(), Vec::new(), Vec::new());
        devices.accepted.clear();
        let due = |n: u64| begun + Duration::from_micros((n - first) * 1_000_000 / RATE);
        while begun.elapsed() < span() {
            while due(self.said) <= Instant::now() {
                // Nobody's mailbox fills up.
                let to = SENDERS + usize::try_from(self.said).expect("small") % (device_count() - SENDERS).min(900);
                // While too much waits here already the message waits with its person, and is late.
                if !devices.try_send(0, FIRST + self.said, to, TEXT) {
                    break;
                }
                self.said += 1;
            }
            if begun.elapsed() / 20 > Duration::from_millis(pings.len() as u64) {
                devices.ping(1, pings.len() as u64);
                pings.push(Instant::now());
            }
            let back = |(id, at): (u64, Instant)| Some(at - *pings.get(usize::try_from(id).ok()?)?);
            pinged.extend(devices.ponged.drain(..).filter_map(back));
            devices.hurry(0, took.len() as u64 + first < self.said);
            devices.turn(Duration::from_micros(300));
            // What comes late of the flood before is not this one's.
            let late = |(_, counter, at): (usize, u64, Instant)| {
                Some(at.saturating_duration_since(due(counter.checked_sub(FIRST).filter(|n| *n >= first)?)))
            };
            took.extend(devices.accepted.drain(..).filter_map(late));
        }
        drop(stop);
        let synced = disk.join().expect("no panic")?;
        let goodput = 100.0 * took.len() as f64 / (RATE as f64 * span().as_secs_f64());
        let pinged = if pinged.is_empty() { span() } else { percentile(&mut pinged, 99) };
        let (p50, p99) =
            if took.is_empty() { (span(), span()) } else { (percentile(&mut took, 50), percentile(&mut took, 99)) };
        let hostile = lines.next().transpose()?.and_then(|line| line.parse().ok()).unwrap_or(0.0);
        // What is under way arrives before the next one begins.
        let open = usize::try_from(self.said - first).expect("small") - took.len();
        let ended = Instant::now();
        while ended.elapsed() < sized(Duration::from_secs(2), Duration::ZERO) || devices.accepted.len() < open {
            devices.turn(Duration::from_millis(5));
            assert!(ended.elapsed() < Duration::from_secs(20), "{open} open, {} answered", devices.accepted.len());
        }
        assert!(rate == 0 || hostile > 0.0, "the strangers sent something");
        Ok(Outcome { hostile, goodput, p50, p99, pinged, synced })
    }
}

/// How long a sync takes while others are busy: the 99th percentile.
fn syncs(mut file: File) -> io::Result<Duration> {
    let (begun, mut took) = (Instant::now(), Vec::new());
    while begun.elapsed() < span() {
        thread::sleep(Duration::from_millis(15));
        let begun = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    Ok(percentile(&mut took, 99))
}

/// The process of the strangers, until its input ends.
pub fn strangers(mut args: impl Iterator<Item = String>) -> io::Result<()> {
    let mut next = || args.next().expect("an argument");
    let kind = KINDS[next().parse::<usize>().expect("a kind")];
    let rate: u64 = next().parse().expect("a rate");
    let server: SocketAddr = next().parse().expect("an address");
    let mut file = File::open(next())?;
    let mut list = || -> io::Result<Vec<Vec<u8>>> {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        let one = |_| {
            let mut length = [0; 4];
            file.read_exact(&mut length)?;
            let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("small")];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        (0..u32::from_le_bytes(length)).map(one).collect()
    };
    let (beginnings, genuine) = (list()?, list()?);
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let lasted = thread::scope(|scope| {
        for number in 0..THREADS {
            let (sent, stop) = (&sent, &stop);
            let stranger = Stranger { number, kind, rate: rate / THREADS as u64, server };
            let (beginnings, genuine) = (&beginnings, &genuine);
            let run = move || sent.fetch_add(stranger.send(beginnings, genuine, stop), Ordering::Relaxed);
            thread::Builder::new().name("stranger".into()).spawn_scoped(scope, run).expect("a thread");
        }
        println!("begun");
        let begun = Instant::now();
        let _ = io::stdin().read(&mut [0; 1]);
        stop.store(true, Ordering::Relaxed);
        begun.elapsed()
    });
    println!("{}", sent.load(Ordering::Relaxed) as f64 / lasted.as_secs_f64());
    io::stdout().flush()
}

struct Stranger {
    number: usize,
    kind: Kind,
    rate: u64,
    server: SocketAddr,
}

impl Stranger {
    /// How many.
    fn send(&self, beginnings: &[Vec<u8>], genuine: &[Vec<u8>], stop: &AtomicBool) -> u64 {
        let socket = |last| {
            let from = Ipv4Addr::new(127, 0, 10 + u8::try_from(self.number).expect("small"), last);
            let socket = UdpSocket::bind((from, 0)).expect("loopback");
            socket.set_nonblocking(true).expect("set");
            socket
        };
        let sockets: Vec<UdpSocket> = (1..=ADDRESSES).map(socket).collect();
        let mut dice = Dice::new(self.number as u64 + 1);
        let mut roll = || usize::try_from(dice.roll() >> 16).unwrap_or(0);
        let random: Vec<u8> = (0..4_096).map(|_| u8::try_from(roll() % 256).expect("a byte")).collect();
        let (begun, mut count) = (Instant::now(), 0_usize);
        let mut bytes = Vec::with_capacity(1_500);
        while !stop.load(Ordering::Relaxed) {
            let due = usize::try_from(begun.elapsed().as_micros() as u64 * self.rate / 1_000_000).expect("small");
            if count >= due {
                thread::sleep(Duration::from_micros(200));
            }
            let until = due.min(count + 64);
            for at in count..until {
                bytes.clear();
                match if self.kind == Kind::All { KINDS[at % 4] } else { self.kind } {
                    Kind::Random => {
                        let start = roll() % 3_000;
                        bytes.extend_from_slice(&random[start..start + 60 + roll() % 200]);
                        if at.is_multiple_of(8) {
                            bytes[0] = 0x40 | bytes[0] & 0x3f;
                        }
                    }
                    Kind::Beginnings => {
                        let which = if self.kind == Kind::All { at / 4 } else { at };
                        bytes.extend_from_slice(&beginnings[(which * THREADS + self.number) % beginnings.len()]);
                    }
                    Kind::Text => bytes.extend_from_slice(b"08#"),
                    Kind::Spoilt | Kind::All => {
                        bytes.extend_from_slice(&genuine[roll() % genuine.len()]);
                        // Behind the connection's id: it is looked at.
                        let place = 9 + roll() % (bytes.len() - 9);
                        bytes[place] ^= 1 << (roll() % 8);
                    }
                }
                let _ = sockets[roll() % sockets.len()].send_to(&bytes, self.server);
            }
            count = count.max(until);
        }
        count as u64
    }
}
