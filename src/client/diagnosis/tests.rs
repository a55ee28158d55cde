//! In virtual time: a script answers, or a real server's end of the carrier does.

use super::*;
use crate::client::session::KnownServer;
use crate::protocol::link::{Identity, words};

const RTT: Duration = Duration::from_millis(40);
const NONCE: &str = "0123456789abcdef";

/// What becomes of a question.
#[derive(Clone, Copy)]
enum Does {
    Nothing,
    Says(&'static [u8]),
    /// `10:01:Q1:` and the nonce.
    Offers,
    Refuses,
    Unsendable,
}

/// What a script does with the n-th text (from 0) sent to an address.
type Script = fn(SocketAddr, usize, &[u8]) -> Does;

fn question(server: &str, known: KnownServer) -> (Question, KnownServer) {
    (Question { server: server.to_owned(), port: 21_568 }, known)
}

fn identity() -> Identity {
    Identity::generate().expect("random bytes")
}

fn key(identity: &Identity) -> Vec<u8> {
    identity.public_key().expect("a key")
}

enum Arrives {
    Here(Vec<u8>),
    There(Vec<u8>),
    Refused,
}

/// Runs a diagnosis to its end; returns the report, how long it took, and what was sent as text. A Hongyan server's
/// clock is ahead by the number of seconds in `server`; with `None` there the server does not tell its time.
fn run(
    (question, known): (Question, KnownServer),
    found: &[&str],
    script: Script,
    server: Option<(&Identity, Option<i64>)>,
) -> (Report, Duration, Vec<String>) {
    let begun = Instant::now();
    let mut now = begun;
    let mut diagnosis = Diagnosis::new(now, 1_700_000_000_000, question, NONCE.to_owned());
    if diagnosis.wants().is_some() {
        now += RTT;
        let found = found.iter().map(|at| at.parse().expect("an address")).collect::<Vec<_>>();
        diagnosis.looked_up(now, if found.is_empty() { Err("no such name".into()) } else { Ok(found) });
    }
    diagnosis.remember(now, known);
    let mut link = server.map(|(identity, _)| Link::server(identity, None).expect("a server"));
    let own: SocketAddr = "127.0.0.9:9".parse().expect("valid");
    let (mut flying, mut texts, mut to) = (Vec::new(), Vec::new(), own);
    while !diagnosis.report().finished {
        while let Some(transmit) = diagnosis.poll_transmit() {
            if transmit.to != to {
                (to, texts) = (transmit.to, Vec::new());
                flying.clear();
            }
            if crate::protocol::link::is_packet(&transmit.bytes) {
                flying.push((now + RTT / 2, Arrives::There(transmit.bytes)));
                continue;
            }
            let does = script(to, texts.len(), &transmit.bytes);
            texts.push(String::from_utf8(transmit.bytes).expect("text"));
            match does {
                Does::Nothing => {}
                Does::Says(bytes) => flying.push((now + RTT, Arrives::Here(bytes.to_vec()))),
                Does::Offers => flying.push((now + RTT, Arrives::Here(format!("10:01:Q1:{NONCE}").into_bytes()))),
                Does::Refuses => flying.push((now + RTT, Arrives::Refused)),
                Does::Unsendable => diagnosis.handle_unsendable(now, "no way there".into()),
            }
        }
        while let Some(transmit) = link.as_mut().and_then(Link::poll_transmit) {
            flying.push((now + RTT / 2, Arrives::Here(transmit.bytes)));
        }
        if diagnosis.report().finished {
            break;
        }
        flying.sort_by_key(|(at, _)| *at);
        let arrival = flying.first().map(|(at, _)| *at);
        let there = link.as_ref().and_then(Link::poll_timeout);
        let next = [arrival, diagnosis.poll_timeout(), there].into_iter().flatten().min().expect("it never hangs");
        now = now.max(next);
        assert!(now < begun + Duration::from_secs(60), "it ends: {:?}", diagnosis.report());
        if arrival == Some(next) {
            match flying.remove(0).1 {
                Arrives::Here(bytes) => diagnosis.handle_datagram(now, &bytes),
                Arrives::There(bytes) => link.iter_mut().for_each(|link| link.handle_datagram(now, own, &bytes)),
                Arrives::Refused => diagnosis.handle_refused(now),
            }
        } else {
            diagnosis.handle_timeout(now);
            link.iter_mut().for_each(|link| link.handle_timeout(now));
        }
        let (Some(link), Some((_, ahead))) = (&mut link, server) else { continue };
        while let Some(event) = link.poll_event() {
            let Event::Frame { peer, bytes } = event else { continue };
            let frame = FromClient::decode(&bytes).expect("a frame");
            let FromClient::Ping { id } = frame else { panic!("nothing else is said: {frame:?}") };
            let at = ahead.map(|ahead| 1_700_000_000 + (now - begun).as_secs() as i64 + ahead);
            link.send(now, peer, &FromServer::Pong { id, at }.encode());
        }
    }
    (diagnosis.report().clone(), now - begun, texts)
}

/// What was found, without the last step, which is always about clocks.
fn found(report: &Report) -> &[Step] {
    let (last, steps) = report.steps.split_last().expect("steps");
    assert!(matches!(last.what, StepResult::Clock { .. }), "{last:?}");
    steps
}

#[test]
fn each_trouble_has_its_name() {
    let at = || "192.0.2.7:9".parse().expect("valid");
    let memory = || KnownServer { pins: vec![vec![1; 44]], secure_only: true, ..KnownServer::default() };
    let none = KnownServer::default;
    let silent = StepResult::Silent { at: at(), questions: 4 };
    let neither = |bytes: &[u8]| StepResult::Neither { at: at(), bytes: bytes.to_vec() };
    // What is known; what the other side does; the last thing that is found; the verdict; after how many ms.
    let cases: [(KnownServer, Script, StepResult, Verdict, u64); 11] = [
        (none(), |_, _, _| Does::Nothing, silent, Verdict::Unreachable, 2_400),
        (none(), |_, _, _| Does::Refuses, StepResult::Closed { at: at() }, Verdict::Unreachable, 40),
        (
            none(),
            |_, _, _| Does::Unsendable,
            StepResult::Unsendable { at: at(), error: "no way there".into() },
            Verdict::Unreachable,
            0,
        ),
        (none(), |_, _, _| Does::Says(b"00:00"), StepResult::Plain, Verdict::Plain, 40),
        // Deaf to what it does not know, as some are.
        (
            none(),
            |_, n, _| if n < 3 { Does::Nothing } else { Does::Says(b"07:01") },
            StepResult::Plain,
            Verdict::Plain,
            940,
        ),
        (memory(), |_, _, _| Does::Says(b"00:00"), StepResult::OnlyPlain, Verdict::Doubtful, 40),
        (none(), |_, _, _| Does::Says(b"\x1bHTTP"), neither(b"\x1bHTTP"), Verdict::Doubtful, 2_400),
        // Not the answer to this question.
        (none(), |_, _, _| Does::Says(b"10:01:Q1:other"), neither(b"10:01:Q1:other"), Verdict::Doubtful, 2_400),
        (none(), |_, _, _| Does::Says(&[b'x'; 99]), neither(&[b'x'; 32]), Verdict::Doubtful, 2_400),
        // The text passes, the carrier does not.
        (none(), |_, _, _| Does::Offers, StepResult::NoHandshake, Verdict::Unreachable, 10_040),
        (
            none(),
            |_, n, _| if n < 1 { Does::Says(b"?") } else { Does::Says(b"00:00") },
            StepResult::Plain,
            Verdict::Plain,
            340,
        ),
    ];
    for (known, script, last, verdict, ms) in cases {
        let (report, took, texts) = run(question("192.0.2.7:9", known), &[], script, None);
        assert_eq!(found(&report).last().map(|step| &step.what), Some(&last), "{report:?}");
        assert_eq!((report.verdict(), took), (verdict, Duration::from_millis(ms)), "{last:?}");
        assert_eq!(found(&report)[0].what, StepResult::Numbers);
        for (n, text) in texts.iter().enumerate() {
            let expected = if n < 3 { format!("10#Q1#{NONCE}#00000000#") } else { "08#".to_owned() };
            assert_eq!(*text, expected, "never a binary probe, and the answer is not longer than the question");
        }
    }
}

#[test]
fn damaged_keys_are_no_first_meeting() {
    let (identity, other) = (identity(), identity());
    let (shown, older) = (key(&identity), key(&other));
    let offers: Script = |_, _, _| Does::Offers;
    let damaged = || Some("a/keys".to_owned());
    let told = StepResult::DamagedKeys { shown: shown.clone(), file: "a/keys".to_owned() };
    for (pins, last, verdict) in [
        (vec![], told.clone(), Verdict::Doubtful),
        (vec![older], told, Verdict::Doubtful),
        (vec![shown.clone()], StepResult::KnownKey(shown), Verdict::Secure),
    ] {
        let known = KnownServer { pins, secure_only: true, damaged: damaged(), ..KnownServer::default() };
        let (report, _, _) = run(question("192.0.2.7", known), &[], offers, Some((&identity, None)));
        assert_eq!((&found(&report).last().expect("steps").what, report.verdict()), (&last, verdict));
    }
}

#[test]
fn a_server_of_ours_is_known_by_its_key() {
    let (identity, other) = (identity(), identity());
    let (shown, older) = (key(&identity), key(&other));
    let offers: Script = |_, _, _| Does::Offers;
    let cases = [
        (vec![], StepResult::NewKey(shown.clone()), Verdict::Secure),
        (vec![shown.clone()], StepResult::KnownKey(shown.clone()), Verdict::Secure),
        (vec![older.clone(), shown.clone()], StepResult::KnownKey(shown.clone()), Verdict::Secure),
        (
            vec![older.clone()],
            StepResult::ChangedKey { shown: shown.clone(), known: vec![older.clone()] },
            Verdict::Doubtful,
        ),
    ];
    for (keys, last, verdict) in cases {
        let known = KnownServer { secure_only: !keys.is_empty(), pins: keys, ..KnownServer::default() };
        let (report, took, _) = run(question("192.0.2.7", known), &[], offers, Some((&identity, Some(-90))));
        assert_eq!((&found(&report).last().expect("steps").what, report.verdict()), (&last, verdict));
        assert!(took < Duration::from_millis(300), "{took:?}");
        // A server that shows another key is not asked for its time.
        let ahead = (verdict == Verdict::Secure).then_some(-90);
        assert_eq!(report.steps.last().map(|step| &step.what), Some(&StepResult::Clock { ahead }));
        let rtt = report.steps.iter().find_map(|step| match step.what {
            StepResult::Shaken { rtt } => Some(rtt),
            _ => None,
        });
        assert!(rtt.is_none_or(|rtt| rtt >= RTT && rtt < RTT * 2), "{rtt:?}");
        for (locale, chinese) in [("en", false), ("zh-CN", true)] {
            let text = report.text(locale);
            assert!(text.contains(&words(&shown, chinese)), "{text}");
            assert_eq!(text.contains(&words(&older, chinese)), verdict == Verdict::Doubtful, "{text}");
        }
    }
}

#[test]
fn clocks_are_compared() {
    let identity = identity();
    // The server's clock; what is found; how well; how long it took.
    let cases = [
        (Some(0), Some(0), Mark::Done, 300),
        (Some(2), Some(2), Mark::Done, 300),
        (Some(-3), Some(-3), Mark::Warning, 300),
        (Some(7_262), Some(7_262), Mark::Warning, 300),
        // An older version.
        (None, None, Mark::Skipped, 300),
    ];
    for (server, ahead, mark, within) in cases {
        let question = question("192.0.2.7", KnownServer::default());
        let (report, took, _) = run(question, &[], |_, _, _| Does::Offers, Some((&identity, server)));
        let last = &report.steps.last().expect("steps").what;
        assert_eq!((last, last.mark()), (&StepResult::Clock { ahead }, mark));
        assert!(took < Duration::from_millis(within), "{took:?}");
    }
    let mut report = Report::new("h".into(), 0);
    report.steps.push(Step { what: StepResult::Clock { ahead: Some(7_262) }, took: Duration::ZERO });
    assert!(report.text("en").contains("2:01:02 behind"), "{}", report.text("en"));
}

#[test]
fn every_address_of_a_name_is_tried() {
    let script: Script = |to, _, _| match to.to_string().as_str() {
        "192.0.2.1:9" => Does::Refuses,
        "192.0.2.3:9" => Does::Says(b"00:00"),
        _ => Does::Nothing,
    };
    let list = ["192.0.2.1:9", "192.0.2.2:9", "[::ffff:192.0.2.1]:9", "192.0.2.3:9", "192.0.2.4:9", "192.0.2.5:9"];
    let (report, ..) = run(question("chat.example:9", KnownServer::default()), &list, script, None);
    let whats: Vec<_> = found(&report).iter().map(|step| step.what.mark()).collect();
    assert_eq!(whats, [Mark::Done, Mark::Failed, Mark::Failed, Mark::Done, Mark::Warning], "{report:?}");
    assert_eq!(report.verdict(), Verdict::Plain);
    let (report, ..) = run(question("chat.example:9", KnownServer::default()), &list, |_, _, _| Does::Refuses, None);
    assert_eq!((found(&report).len(), report.verdict()), (5, Verdict::Unreachable), "four addresses at most");
    let (report, ..) = run(question("chat.example", KnownServer::default()), &[], script, None);
    let no = StepResult::NoSuchName { host: "chat.example".into(), error: "no such name".into() };
    assert_eq!((&found(&report)[0].what, report.verdict()), (&no, Verdict::Unreachable));
}

#[test]
fn what_is_typed_names_a_host_and_a_port() {
    let good = [
        ("host", ("host", 1)),
        ("host:9", ("host", 9)),
        ("127.0.0.1", ("127.0.0.1", 1)),
        ("127.0.0.1:9", ("127.0.0.1", 9)),
        ("::1", ("::1", 1)),
        ("[::1]", ("::1", 1)),
        ("[::1]:9", ("::1", 9)),
        ("主机:9", ("主机", 9)),
    ];
    for (text, (host, port)) in good {
        assert_eq!(target(text, 1), Some((host.to_owned(), port)), "{text}");
    }
    for bad in ["", ":9", "a b:9", "host:0", "127.0.0.1:0", "host:99999", "a:b:9", "http://host:9", "host:"] {
        assert_eq!(target(bad, 1), None, "{bad}");
        let report =
            Diagnosis::new(Instant::now(), 0, question(bad, KnownServer::default()).0, NONCE.into()).report().clone();
        assert!(report.finished && report.verdict() == Verdict::Unreachable, "{report:?}");
    }
}

#[test]
fn every_finding_has_words_in_both_languages() {
    let at = "192.0.2.7:9".parse().expect("valid");
    let near = "127.0.0.1:9".parse().expect("valid");
    let all = [
        StepResult::NoTarget,
        StepResult::Numbers,
        StepResult::Found { host: "h".into(), addresses: vec![at] },
        StepResult::NoSuchName { host: "h\u{1b}[2J".into(), error: "e".into() },
        StepResult::Answered { at, questions: 1 },
        StepResult::Answered { at, questions: 2 },
        StepResult::Closed { at },
        StepResult::Silent { at, questions: 4 },
        StepResult::Silent { at: near, questions: 4 },
        StepResult::Unsendable { at, error: "e".into() },
        StepResult::Neither { at, bytes: vec![0, 0x1b] },
        StepResult::OffersSecure,
        StepResult::Plain,
        StepResult::OnlyPlain,
        StepResult::Shaken { rtt: RTT },
        StepResult::NoHandshake,
        StepResult::BadHandshake("r".into()),
        StepResult::Ended,
        StepResult::KnownKey(vec![1]),
        StepResult::NewKey(vec![1]),
        StepResult::ChangedKey { shown: vec![1], known: vec![vec![2]] },
        StepResult::DamagedKeys { shown: vec![1], file: "keys".to_owned() },
        StepResult::Clock { ahead: None },
        StepResult::Clock { ahead: Some(-1) },
        StepResult::Clock { ahead: Some(3_601) },
        StepResult::Clock { ahead: Some(i64::MIN) },
    ];
    for what in all {
        let mut report = Report::new("h".into(), 0);
        report.steps.push(Step { what: what.clone(), took: RTT });
        for locale in ["en", "zh-CN"] {
            let text = report.text(locale);
            let translated = !text.contains("diagnosis.") && !text.contains("%{");
            assert!(translated && !text.contains(['\u{1b}', '\0']), "{what:?}: {text}");
            let failed = what.mark() == Mark::Failed;
            let line = report.lines(locale).remove(0);
            assert!(!failed || !line.advice.is_empty(), "what to do is said: {what:?}");
        }
    }
}

#[test]
fn a_server_of_another_program_is_asked_nothing_that_may_end_it() {
    let known = |secure_only| KnownServer { foreign: true, secure_only, ..KnownServer::default() };
    let question = || Question { server: "192.0.2.7:9".into(), port: 1 };
    let (report, _, texts) = run((question(), known(false)), &[], |_, _, _| Does::Nothing, None);
    assert_eq!((texts, report.verdict()), (vec!["08#".to_owned(); 4], Verdict::Unreachable));
    let (report, _, texts) = run((question(), known(false)), &[], |_, _, _| Does::Says(b"07:01"), None);
    assert_eq!((texts, report.verdict()), (vec!["08#".to_owned()], Verdict::Plain));
    let fragile = KnownServer { fragile: true, ..KnownServer::default() };
    let (_, _, texts) = run((question(), fragile), &[], |_, _, _| Does::Nothing, None);
    assert_eq!(texts, vec!["08#".to_owned(); 4]);
    // Unless it has shown that it knows more.
    let (_, _, texts) = run((question(), known(true)), &[], |_, _, _| Does::Nothing, None);
    assert!(texts[0].starts_with("10#"), "{texts:?}");
}
