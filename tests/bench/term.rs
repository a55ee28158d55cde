//! The terminal client's figures: `cargo bench --bench term --no-default-features`.
//!
//! - start to prompt: ≤ 30 ms
//! - PSS logged in: ≤ 8 MiB
//! - wake-ups between two polls: 0
//! - 10,000 incoming messages taken, stored and printed with the typed line intact: ≤ 2 s

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

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use measure::{Figures, is_wanted, percentile, pss_mib, sized, wake_ups};
use process::Process;

const PATIENCE: Duration = Duration::from_secs(60);

/// The client in a terminal that `script` makes.
struct Terminal {
    child: Process,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    seen: String,
}

impl Terminal {
    fn open(server: SocketAddr, data: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_hongyan-term");
        let command = format!("exec '{program}' --server {server} --allow-plain --lang en --data '{}'", data.display());
        let mut child = Command::new("script")
            .args(["-q", "-f", "-e", "-c", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("please install the package bsdutils, for `script`");
        let keys = child.stdin.take().expect("piped");
        let mut screen = child.stdout.take().expect("piped");
        let (out, output) = crossbeam_channel::unbounded();
        let read = move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                if out.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("screen".into()).spawn(read).expect("a thread");
        Self { child: Process(child), keys, output, piece: Vec::new(), seen: String::new() }
    }

    fn write(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// Waits until what was printed since the last call holds this.
    fn until(&mut self, what: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            if what(&self.seen) {
                return;
            }
            let bytes = self.output.recv_deadline(end).expect("printed in time");
            // A character may come in two pieces.
            self.piece.extend(bytes);
            let whole = match std::str::from_utf8(&self.piece) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            let whole: Vec<u8> = self.piece.drain(..whole).collect();
            self.seen.push_str(&String::from_utf8_lossy(&whole));
        }
    }

    fn log_in(&mut self) {
        self.until(|seen| seen.contains("hongyan> "));
        self.write("login a\r");
        self.until(|seen| seen.contains("Password of a"));
        self.write("secret\r");
        self.until(|seen| seen.contains("Logged in as a."));
    }

    fn client(&self) -> u32 {
        let of = |pid: u32| {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            children.split_whitespace().next().and_then(|pid| pid.parse().ok())
        };
        of(self.child.0.id()).expect("the client runs")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.keys.write_all(b"\x03");
    }
}

/// Starts a server with this number of messages for everybody, which it hands out as fast as they are taken.
fn serve(messages: Arc<AtomicUsize>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("bound");
    let answer = move || {
        let mut buffer = [0; 2048];
        let mut number = 0;
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            let left = messages.load(Ordering::SeqCst);
            let reply = match &buffer[..n.min(2)] {
                b"02" => "02:01".to_owned(),
                b"06" => "06:01".to_owned(),
                b"08" => format!("08:{left}"),
                b"09" if left == 0 => "09:01".to_owned(),
                b"09" => {
                    messages.fetch_sub(1, Ordering::SeqCst);
                    number += 1;
                    format!("09:bob:2026-11-21 08:00:00:message 第 {number} 条")
                }
                _ => "00:00".to_owned(),
            };
            let _ = socket.send_to(reply.as_bytes(), from);
        }
    };
    std::thread::Builder::new().name("server".into()).spawn(answer).expect("a thread");
    at
}

fn main() -> ExitCode {
    if !is_wanted("term") {
        return ExitCode::SUCCESS;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let messages = Arc::new(AtomicUsize::new(0));
    let at = serve(Arc::clone(&messages));
    let mut figures = Figures::new();

    // What `script` itself takes is in the figure.
    let start = || {
        let begun = Instant::now();
        let mut terminal = Terminal::open(at, &dir.path().join("start"));
        terminal.until(|seen| seen.contains("hongyan> "));
        begun.elapsed().as_secs_f64() * 1e3
    };
    let count = sized(15, 2);
    let mut starts: Vec<f64> = (0..count).map(|_| start()).collect();
    let median = percentile(&mut starts, 50);
    println!("  {count} starts: {:.1} to {:.1} ms", starts[0], starts[count - 1]);
    figures.add("start to prompt, the median", median, "ms", median <= 30.0);

    // Strict polling: 08# every 30 s and at no other time.
    let data = dir.path().join("quiet");
    let settings = data.join("profiles/default/settings.toml");
    std::fs::create_dir_all(settings.parent().expect("a folder")).expect("made");
    std::fs::write(&settings, "polling = \"strict\"\n").expect("written");
    let mut terminal = Terminal::open(at, &data);
    terminal.log_in();
    terminal.until(|seen| seen.contains("a> "));
    std::thread::sleep(sized(Duration::from_secs(5), Duration::ZERO));
    let pid = terminal.client();
    let pss = pss_mib(pid);
    figures.add("PSS logged in", pss, "MiB", pss <= 8.0);
    let before = wake_ups(pid);
    std::thread::sleep(sized(Duration::from_secs(20), Duration::from_millis(100)));
    let woken = wake_ups(pid) - before;
    figures.add("wake-ups of all threads in 20 s between two polls", woken as f64, "", woken == 0);
    drop(terminal);

    let count = sized(10_000, 100);
    let mut terminal = Terminal::open(at, &dir.path().join("flood"));
    terminal.log_in();
    terminal.write("half a line 半");
    terminal.until(|seen| seen.contains("half a line 半"));
    terminal.seen.clear();
    let begun = Instant::now();
    messages.store(count, Ordering::SeqCst);
    terminal.until(|seen| seen.contains("message 第 1 条"));
    // The first poll after it may be a while away; what counts begins with the first message.
    let first = Instant::now();
    let last = format!("message 第 {count} 条");
    // Only the end is looked at, or looking would take longer than printing.
    terminal.until(|seen| {
        let end = seen.char_indices().rev().nth(400).map_or(0, |(i, _)| i);
        let end = seen.get(end..).unwrap_or_default();
        end.rsplit_once(&last).is_some_and(|(_, after)| after.contains("half a line 半"))
    });
    let took = first.elapsed().as_secs_f64();
    let all = (1..=count).all(|i| terminal.seen.contains(&format!("message 第 {i} 条")));
    assert!(all, "each message is printed");
    println!("  the first after {:.1} s", first.duration_since(begun).as_secs_f64());
    figures.add("10,000 messages taken, stored and printed above the line", took, "s", took <= 2.0);
    figures.exit()
}
