//! The secure dialect in virtual time: real clients' sessions, the real server's engine, carrier and
//! database, and between them a network that does what networks do. Everything follows from a seed.
//!
//! `cargo test --test sim` is the short form; `cargo test --release --test sim -- --ignored --nocapture` the long.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test ends at the first failure, and says which seed it was"
)]

mod beside;
mod chat;
mod client;
mod lists;
mod machine;
mod network;
mod promises;
mod world;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chat::{Report, chat};

/// One seed alone, instead of all.
const ALONE: &str = "HONGYAN_SIM_SEED";
const MESSAGES: usize = 300;

fn one(seed: u64, messages: usize) -> Result<Report, u64> {
    catch_unwind(AssertUnwindSafe(|| chat(seed, messages))).map_err(|_| {
        eprintln!("seed {seed} failed; alone: {ALONE}={seed} cargo test --test sim exactly_once");
        seed
    })
}

/// Seeds on two threads: all of them, or until the time is over.
fn seeds(which: Range<u64>, time: Duration) {
    if let Ok(seed) = std::env::var(ALONE) {
        world::TELLS.store(true, Ordering::Relaxed);
        let report = one(seed.parse().expect("a number"), MESSAGES).expect("nothing lost, double or out of order");
        println!("{report:?}");
        return;
    }
    let (next, begun) = (AtomicU64::new(which.start), Instant::now());
    let work = || {
        let (mut sum, mut failed) = (Report::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // However slow the machine is, something is to be seen.
            if seed >= which.end || seed >= which.start + 8 && begun.elapsed() > time {
                return (sum, failed);
            }
            match one(seed, MESSAGES) {
                Ok(report) => sum += report,
                Err(seed) => failed.push(seed),
            }
        }
    };
    let (mut sum, failed) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let (sum, mut failed) = work();
        let (more, too) = other.join().expect("it catches what it does");
        failed.extend(too);
        (vec![sum, more], failed)
    });
    let mut all = sum.pop().unwrap_or_default();
    all += sum.pop().unwrap_or_default();
    let tried = next.load(Ordering::Relaxed).min(which.end) - which.start;
    println!("{tried} seeds in {:.0?}: {all:?}", begun.elapsed());
    assert!(failed.is_empty(), "{} seeds failed: {failed:?}", failed.len());
}

#[test]
fn exactly_once_in_order_and_truly_shown() {
    seeds(0..1_000, Duration::from_secs(8));
}

#[test]
#[ignore = "minutes"]
fn exactly_once_of_a_thousand_seeds() {
    seeds(0..1_000, Duration::MAX);
}

#[test]
#[ignore = "ten minutes"]
fn exactly_once_of_five_thousand_more() {
    seeds(1_000..6_000, Duration::MAX);
}
