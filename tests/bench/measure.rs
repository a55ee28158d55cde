//! What the benches measure with: a server of their own and what the system knows of a program, a bare SQLite loop
//! to compare with, and figures beside what is wanted.
//!
//! `cargo bench` measures. `cargo test` runs the benches too, and has each of them rehearse: everything is set up and every
//! phase done once, with little of everything. A rehearsal fails if a phase does not do its work, which is what the benches
//! assert, and never for a figure.
#![allow(dead_code, reason = "each bench takes what it needs")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use super::process::{Process, free_port};

/// Whether this run measures: `cargo bench` passes `--bench` to what it runs, and `cargo test` does not.
pub fn measures() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// The first of these to measure, the second to rehearse.
pub fn sized<T>(measured: T, rehearsed: T) -> T {
    if measures() { measured } else { rehearsed }
}

/// Whether this bench is to run. `cargo test NAME` hands the name to every suite, and each runs what contains it: a rehearsal
/// is a test of the name `rehearsal_of_` and the bench's. Says what a suite of tests says.
pub fn is_wanted(bench: &str) -> bool {
    if measures() {
        return true;
    }
    let test = format!("rehearsal_of_{bench}");
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| asked.iter().any(|arg| arg == name);
    if option("--list") {
        println!("{test}: test");
        return false;
    }
    let mut names = asked.iter().filter(|arg| !arg.starts_with('-')).peekable();
    let named = names.peek().is_none() || names.any(|name| test.contains(name.as_str()));
    let wanted = named && !option("--ignored");
    println!("running {} test\n{}", u8::from(wanted), if wanted { &test } else { "" });
    wanted
}

/// What stands behind `--` of `cargo bench --bench NAME -- PART`: the only part to measure.
pub fn only_part() -> Option<String> {
    std::env::args().nth(1).filter(|arg| measures() && !arg.starts_with('-'))
}

/// Figures as they are printed, and whether all are as wanted.
pub struct Figures {
    met: bool,
}

impl Figures {
    pub fn new() -> Self {
        Self { met: true }
    }

    pub fn add(&mut self, name: &str, value: f64, unit: &str, good: bool) {
        // A rehearsal is too short for figures, and other tests run beside it.
        if !measures() {
            return println!("{name:<62} not measured");
        }
        self.met &= good;
        println!("{name:<62} {value:>8.1} {unit:<4} {}", if good { "ok" } else { "MISSED" });
    }

    /// How the bench ends.
    pub fn exit(self) -> ExitCode {
        if self.met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// So many per cent of the samples are not above it.
pub fn percentile<T: Copy + PartialOrd>(samples: &mut [T], percent: usize) -> T {
    samples.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    samples[(samples.len() * percent / 100).min(samples.len() - 1)]
}

/// Starts the server's own program with limits on; it may need a moment until it answers.
pub fn hongyand(data: &Path) -> (Process, SocketAddr) {
    let at = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    command
        .args(["--log-level", "off", "--max-sending", "0", "--max-lobby", "0", "--listen", &at.to_string(), "--data"])
        .arg(data);
    (Process(command.spawn().expect("the server starts")), at)
}

/// Memory that a program has, shared or not.
pub fn resident_mib(pid: u32) -> f64 {
    mib(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// Its part of the memory that it shares, and all that it does not.
pub fn pss_mib(pid: u32) -> f64 {
    mib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

fn mib(file: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}

/// The time its threads have had on a processor.
pub fn busy(pid: u32) -> Duration {
    let of = |all: String| {
        all.split_whitespace().next().and_then(|n| n.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
    };
    threads(pid, "schedstat").into_iter().map(of).sum()
}

/// How often the kernel has given any of its threads a processor so far.
pub fn wake_ups(pid: u32) -> u64 {
    let of = |status: String| {
        let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
        counts.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>()
    };
    threads(pid, "status").into_iter().map(of).sum()
}

/// This file of each thread.
fn threads(pid: u32, file: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    tasks.flatten().map(|task| std::fs::read_to_string(task.path().join(file)).unwrap_or_default()).collect()
}

/// A text as long as people write, in bytes about forty.
pub const TEXT: &str = "a message of some forty bytes, as people write";

/// Rows a second of a loop that does nothing but insert and commit, in batches of so many. Its table is that of
/// the server's first version whatever the server's is by now: a measure stays as long as it is.
pub fn bare_sqlite(file: &Path, batch: usize, span: Duration) -> f64 {
    let connection = rusqlite::Connection::open(file).expect("a new database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, receiver INTEGER NOT NULL,
                 sender TEXT NOT NULL, raw BLOB NOT NULL, text TEXT NOT NULL, sent INTEGER NOT NULL, taken INTEGER);
             CREATE INDEX IF NOT EXISTS unread ON messages (receiver, id) WHERE taken IS NULL;
             CREATE INDEX IF NOT EXISTS unread_of ON messages (receiver, sender, id) WHERE taken IS NULL;",
        )
        .expect("made");
    let mut rows = 0_i64;
    let start = Instant::now();
    while start.elapsed() < span {
        let transaction = connection.unchecked_transaction().expect("begun");
        for _ in 0..batch {
            rows += 1;
            transaction
                .prepare_cached("INSERT INTO messages (receiver, sender, raw, text, sent) VALUES (?, ?, ?, ?, ?)")
                .and_then(|mut insert| insert.execute((rows % 936, "1", TEXT.as_bytes(), TEXT, 0)))
                .expect("inserted");
        }
        transaction.commit().expect("committed");
    }
    rows as f64 / start.elapsed().as_secs_f64()
}

/// Numbers for hostile bytes, the same in each run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed))
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
