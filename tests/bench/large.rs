//! How a large server starts: `cargo bench --bench large` (some minutes, 4 GB of disk).
//!
//! A database of 1,000,000 accounts and 10,000,000 messages, of which one in a hundred is unread. Wanted:
//!
//! - from the program's start to its first answer: ≤ 200 ms
//! - resident memory then: ≤ 64 MiB
//!
//! Beside these it prints what the parts of the start take. See "What the engine has in memory" in
//! `docs/decisions/storage.md`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a benchmark measures real time, prints, and ends at the first failure"
)]

#[path = "measure.rs"]
mod measure;
#[path = "../shared/process.rs"]
mod process;

use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hongyan::server::engine::{Engine, Now};
use hongyan::server::store::Store;
use hongyan::server::{OnSecondLogin, Quotas};
use measure::{Figures, hongyand, is_wanted, resident_mib, sized};

/// One message in this number is unread.
const UNREAD: u32 = 100;

fn main() -> io::Result<ExitCode> {
    if !is_wanted("large") {
        return Ok(ExitCode::SUCCESS);
    }
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    let begun = Instant::now();
    fill(&data);
    println!("  made in {:.0?}", begun.elapsed());

    // The start waits for its parts one after the other; the first run warms the system's cache.
    for run in ["cold", "warm"] {
        let begun = Instant::now();
        let store = Store::open(&data).expect("as it was made");
        let opened = begun.elapsed();
        let snapshot = store.snapshot(1_800_000_000 - 90).expect("read");
        let read = begun.elapsed();
        let now = Now { instant: Instant::now(), unix: 1_800_000_000 };
        let engine = Engine::new(OnSecondLogin::default(), Quotas::default(), |_| String::new(), snapshot, now);
        let made = begun.elapsed();
        println!("  {run}: opened {opened:.0?}, snapshot {:.0?}, engine {:.0?}", read - opened, made - read);
        drop(engine);
    }

    let mut figures = Figures::new();
    let begun = Instant::now();
    let (server, listen) = hongyand(&data);
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(5)))?;
    let (mut buffer, mut answered) = ([0; 1024], false);
    while begun.elapsed() < Duration::from_secs(120) {
        let _ = socket.send_to(b"02#nobody#secret#", listen);
        if socket.recv(&mut buffer).is_ok() {
            answered = true;
            break;
        }
    }
    assert!(answered, "the server answers");
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    figures.add("from the start to the first answer", took, "ms", took <= 200.0);
    let resident = resident_mib(server.0.id());
    figures.add("resident with 1,000,000 accounts", resident, "MiB", resident <= 64.0);
    Ok(figures.exit())
}

/// Written past the store's operations, which would take hours: the form is the store's own.
fn fill(data: &Path) {
    let store = Store::open(data).expect("a new database");
    let (accounts, messages) = sized((1_000_000, 10_000_000), (1_000, 10_000));
    let numbers =
        |count| format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)");
    store
        .connection()
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF; BEGIN;
             {} INSERT INTO accounts (id, name, salt, hash, created)
                 SELECT i + 1, printf('20%08d', i), randomblob(16), randomblob(32), 1790000000 + i FROM n;
             {} INSERT INTO messages (receiver, sender, raw, text, sent, taken, author, online)
                 SELECT i * {accounts} / {messages} + 1, printf('20%08d', i % {accounts}),
                     CAST('some forty characters of a usual message' AS BLOB), 'some forty characters of a usual message',
                     1790000000 + i, iif(i % {UNREAD}, 1790000000 + i, NULL), i % {accounts} + 1, 1 FROM n;
             INSERT INTO delivered (author, receiver, first, last, version)
                 SELECT author, receiver, min(id), max(id), max(id) FROM messages WHERE id % 5 = 0 GROUP BY 1, 2;
             COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
            numbers(accounts),
            numbers(messages)
        ))
        .expect("filled");
}
