mod mistakes;

use chrono::DateTime;
use serde_json::Value;

use super::*;

const A: &str = "127.0.0.1:50001";
const B: &str = "127.0.0.1:50002";

/// One datagram: the time in milliseconds, `<` for a request or `>` for a reply, the address, and the bytes.
type Step = (u64, char, &'static str, &'static [u8]);

fn printer(form: OutputFormat, start: Instant) -> Printer<io::Sink> {
    let epoch = Epoch { instant: start, unix_ms: 1_795_233_898_000 };
    Printer::new(io::sink(), form, "en", epoch, Arc::default())
}

fn event(start: Instant, (ms, way, peer, bytes): Step) -> Event {
    let what = match way {
        '<' => EventKind::Request { bytes: bytes.to_vec(), size: bytes.len(), charset: Charset::Utf8 },
        _ => EventKind::Reply { bytes: bytes.to_vec() },
    };
    Event { at: start + Duration::from_millis(ms), peer: peer.parse().expect("an address"), what }
}

fn printed(form: OutputFormat, steps: &[Step]) -> Vec<String> {
    let (start, mut text) = (Instant::now(), String::new());
    let mut printer = printer(form, start);
    for step in steps {
        printer.print(&event(start, *step), &mut text);
    }
    text.lines().map(str::to_owned).collect()
}

#[test]
fn requests_are_shown_with_their_answers() {
    let lines = printed(
        OutputFormat::Lines(Colour::None),
        &[
            (0, '<', A, b"02#20170001#secret#"),
            (1, '<', B, b"06#20170000000"),
            (2, '>', B, b"00:00"),
            (24, '>', A, b"02:01"),
            (30, '<', A, b"08"),
            (31, '<', A, b"09#"),
            (32, '>', A, "09:b:2026-11-21 12:04:58:你好\n\x1b[2J".as_bytes()),
        ],
    );
    // The hour depends on this machine's time zone.
    let lines: Vec<&str> =
        lines.iter().map(|l| l.split_once(':').filter(|(h, _)| h.len() == 2).map_or(&**l, |x| x.1)).collect();
    assert_eq!(
        lines,
        [
            "04:58.000 127.0.0.1:50001 #1",
            "  02#20170001#******#",
            "  log in as 20170001 · account 20170001 (bytes 4–11) · password ****** (bytes 13–18)",
            "04:58.001 127.0.0.1:50002 #2",
            "  06#20170000000",
            "     ^^^^^^^^^^^",
            "  malformed 06 (go offline) · surplus 20170000000 (bytes 4–14)",
            "  ✗ bytes 4–14: 06 has no fields; leave this out and send `06#` [requests]",
            "04:58.002 127.0.0.1:50002 #2 → 00:00 not understood: malformed · 1.0 ms",
            "04:58.024 127.0.0.1:50001 #1 → 02:01 logged in · 24 ms",
            "04:58.030 127.0.0.1:50001 #3",
            "  08",
            "    ^",
            "  not a request",
            "  ✗ the operation is not closed: add `#` after byte 2 [datagram]",
            "  no answer: the server never answers this",
            "04:58.031 127.0.0.1:50001 #4",
            "  09#",
            "  take one unread",
            "04:58.032 127.0.0.1:50001 #4 → 09:b:2026-11-21 12:04:58:你好\\n\\x1b[2J message from b · 1.0 ms",
        ]
    );
}

/// Which request each answer is taken to be for, and which requests got none.
#[test]
fn answers_find_their_requests() {
    type Case = (&'static str, &'static [Step], &'static [(&'static str, Option<u64>)]);
    let table: &[Case] = &[
        (
            "a retransmission while the password is hashed",
            &[
                (0, '<', A, b"02#a#x#"),
                (5, '<', A, b"02#a#x#"),
                (9, '>', A, b"02:01"),
                (10, '<', A, b"08#"),
                (11, '>', A, b"08:0"),
            ],
            &[("reply", Some(1)), ("unanswered", Some(2)), ("reply", Some(3))],
        ),
        (
            "a login that is held back comes after others",
            &[(0, '<', A, b"02#a#x#"), (1, '<', A, b"08#"), (2, '>', A, b"07:01"), (999, '>', A, b"02:02")],
            &[("reply", Some(2)), ("reply", Some(1))],
        ),
        (
            "of two different logins nobody knows which is meant",
            &[(0, '<', A, b"02#a#x#"), (1, '<', A, b"02#a#y#"), (2, '>', A, b"02:01")],
            &[("reply", None)],
        ),
        (
            "a message that could not be stored",
            &[(0, '<', A, b"03#b#x#"), (1, '<', A, b"08#"), (2, '>', A, b"08:0")],
            &[("reply", Some(2)), ("unanswered", Some(1))],
        ),
        (
            "addresses are apart",
            &[(0, '<', A, b"08#"), (1, '<', B, b"08#"), (2, '>', B, b"08:1"), (3, '>', A, b"08:2")],
            &[("reply", Some(2)), ("reply", Some(1))],
        ),
        (
            "07:01 is for what needs a login",
            &[(0, '<', A, b"01#a#b#b#"), (1, '<', A, b"03#b#x#"), (2, '>', A, b"01:01"), (3, '>', A, b"07:01")],
            &[("reply", Some(1)), ("reply", Some(2))],
        ),
        (
            "00:00 is for what is malformed",
            &[(0, '<', A, b"08#"), (1, '<', A, b"99#x#"), (2, '>', A, b"08:0"), (3, '>', A, b"00:00")],
            &[("reply", Some(1)), ("reply", Some(2))],
        ),
        ("an answer to nothing that was seen", &[(0, '>', A, b"08:0")], &[("reply", None)]),
        (
            "what looks like a reply is not waited for",
            &[(0, '<', A, b"08:1"), (1, '<', A, b"08#"), (2, '>', A, b"08:0")],
            &[("reply", Some(2))],
        ),
    ];
    for (name, steps, expected) in table {
        let lines = printed(OutputFormat::Json, steps);
        let values: Vec<Value> = lines.iter().map(|l| serde_json::from_str(l).expect("JSON")).collect();
        let found: Vec<(&str, Option<u64>)> = values
            .iter()
            .map(|v| (v["kind"].as_str().expect("a kind"), v["number"].as_u64()))
            .filter(|(kind, _)| matches!(*kind, "reply" | "unanswered"))
            .collect();
        assert_eq!(found, *expected, "{name}");
    }
}

/// Sends `times` requests, one each `each_ms` milliseconds; returns what was printed as JSON, and its length.
fn asking(times: u64, each_ms: u64, answered: bool) -> (Vec<Value>, usize) {
    let (start, mut text) = (Instant::now(), String::new());
    let mut printer = printer(OutputFormat::Json, start);
    for i in 0..times {
        printer.print(&event(start, (i * each_ms, '<', A, b"09#")), &mut text);
        if answered {
            printer.print(&event(start, (i * each_ms, '>', A, b"09:01")), &mut text);
        }
    }
    for hidden in printer.flood.close() {
        printer.hidden(&hidden, &mut text);
    }
    (text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect(), text.len())
}

#[test]
fn asking_without_a_pause_is_said_once_and_counted() {
    let kinds = |values: &[Value], kind: &str| values.iter().filter(|v| v["kind"] == kind).count();
    let (values, _) = asking(30, 500, true);
    assert_eq!((kinds(&values, "note"), kinds(&values, "request")), (0, 30), "half a second is a pause");
    let (values, _) = asking(100, 10, true);
    let said: Vec<&Value> = values.iter().filter(|v| v["kind"] == "note").collect();
    assert!(said.len() == 1 && said[0]["note"] == "polling", "{said:?}");
    // A client that asks as fast as it can.
    for answered in [true, false] {
        let (values, bytes) = asking(30_000, 1, answered);
        let hidden: u64 = values.iter().filter_map(|v| v["requests"].as_u64()).sum();
        assert_eq!(kinds(&values, "request") as u64 + hidden, 30_000, "each is shown or counted");
        let answers: u64 = values.iter().filter_map(|v| v["answered"].as_u64()).sum();
        assert_eq!(answers > 0, answered);
        assert!(bytes < 100_000, "{bytes} bytes");
    }
}

#[test]
fn why_there_is_no_answer_is_said() {
    type Case = (&'static [Step], &'static str);
    let table: &[Case] = &[
        (&[(0, '<', A, b"02#a#x#"), (5, '<', A, b"02#a#x#"), (9, '>', A, b"02:01")], "retransmission"),
        (
            &[
                (0, '<', A, b"02#a#x#"),
                (9, '>', A, b"02:01"),
                (10, '<', A, b"03#b#x#"),
                (300, '<', A, b"08#"),
                (301, '>', A, b"08:0"),
            ],
            "not_stored",
        ),
        (&[(0, '<', A, b"99#x#"), (5, '<', A, b"06#"), (6, '>', A, b"06:02")], "refusals"),
    ];
    for (steps, expected) in table {
        let lines = printed(OutputFormat::Json, steps);
        let values: Vec<Value> = lines.iter().map(|l| serde_json::from_str(l).expect("JSON")).collect();
        let why: Vec<&str> =
            values.iter().filter(|v| v["kind"] == "unanswered").filter_map(|v| v["why"].as_str()).collect();
        assert_eq!(why, [*expected], "{lines:?}");
    }
}

#[test]
fn json_lines_say_all_of_it() {
    let lines = printed(OutputFormat::Json, &[(0, '<', A, b"08##"), (24, '>', A, b"08:3")]);
    let values: Vec<Value> = lines.iter().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let time = values[0]["time"].as_str().and_then(|t| DateTime::parse_from_rfc3339(t).ok()).expect("a time");
    assert_eq!(time.timestamp_millis(), 1_795_233_898_000);
    assert_eq!(
        (values[0]["kind"].as_str(), values[0]["peer"].as_str(), values[0]["findings"][0]["rule"].as_str()),
        (Some("request"), Some(A), Some("closed_twice"))
    );
    assert_eq!(
        (values[1]["ms"].as_f64(), values[1]["datagram"].as_str(), values[1]["meaning"].as_str()),
        (Some(24.0), Some("08:3"), Some("3 unread"))
    );
}

/// An output that takes nothing until it is allowed to, like a terminal after Ctrl+S.
struct Stuck {
    go_on: Receiver<()>,
    printed: Sender<String>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.go_on.recv();
        let _ = self.printed.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_does_not_read_keeps_nobody_waiting() {
    let (allow, go_on) = crossbeam_channel::unbounded();
    let (printed, printed_in) = crossbeam_channel::unbounded();
    let epoch = Epoch { instant: Instant::now(), unix_ms: 0 };
    let (tap, printing) = start(Stuck { go_on, printed }, OutputFormat::Json, "en", epoch).expect("a thread");
    let sent = 5 * WAITING;
    for _ in 0..sent {
        tap.request(epoch.instant, A.parse().expect("an address"), b"08#", Charset::Utf8);
    }
    drop(tap);
    drop(allow);
    printing.finish(Duration::from_secs(10));
    let all: String = printed_in.try_iter().collect();
    let values: Vec<Value> = all.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let shown = values.iter().filter(|v| v["kind"] == "request").count() as u64;
    let dropped: u64 = values.iter().filter_map(|v| v["datagrams"].as_u64()).sum();
    let hidden: u64 = values.iter().filter_map(|v| v["requests"].as_u64()).sum();
    assert!(dropped > 0 && shown + hidden >= WAITING as u64, "{shown} shown, {hidden} hidden, {dropped} dropped");
    assert_eq!(shown + hidden + dropped, sent as u64, "each is shown or counted");
}

#[test]
fn who_went_away_ends_the_printing_alone() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let epoch = Epoch { instant: Instant::now(), unix_ms: 0 };
    let (tap, printing) = start(Gone, OutputFormat::Json, "en", epoch).expect("a thread");
    tap.request(epoch.instant, A.parse().expect("an address"), b"08#", Charset::Utf8);
    assert!(printing.ended.recv_timeout(Duration::from_secs(10)).is_err_and(|e| e.is_disconnected()), "it has ended");
    for _ in 0..3 * WAITING {
        tap.reply(epoch.instant, A.parse().expect("an address"), b"08:0");
    }
}

/// An output that counts lines.
struct Counted(Arc<AtomicU64>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines = bytes.iter().filter(|b| **b == b'\n').count();
        self.0.fetch_add(lines as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Run with `cargo test --lib server::explain -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn what_it_costs_the_server() {
    let (epoch, lines) = (Epoch { instant: Instant::now(), unix_ms: 0 }, Arc::<AtomicU64>::default());
    let (tap, printing) = start(Counted(Arc::clone(&lines)), OutputFormat::Json, "en", epoch).expect("a thread");
    let peer = A.parse().expect("an address");
    let (start, rounds) = (Instant::now(), 500_000_u32);
    for _ in 0..rounds {
        tap.request(epoch.instant, peer, b"03#friend7#how are you#", Charset::Utf8);
        tap.reply(epoch.instant, peer, b"03:01");
    }
    println!("{:?} a datagram for the server's thread", start.elapsed() / (2 * rounds));
    drop(tap);
    printing.finish(Duration::from_secs(60));
    let lines = u32::try_from(lines.load(Ordering::Relaxed)).expect("not that many");
    println!("{:?} a datagram printed", start.elapsed() / lines);
}
