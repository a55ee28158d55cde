//! The probe: our server passes, single faults are found and named, and a bad network is no fault.

mod faults;
mod memory;
mod model;

use std::time::Duration;

use faults::{FAULTS, Fault};
use hongyan::probe::hand::{Arrived, Expectation, Trial};
use hongyan::probe::{self, Document, Options, Origin, ProbeError, Run, Verdict, json, markdown};
use hongyan::server::OnSecondLogin;
use hongyan::server::udp::{Config, Server};
use memory::{Faults, Machine, Memory, Ours};
use model::{Habits, Model};

/// Probes a server in memory.
#[track_caller]
fn probed(machine: impl Machine, faults: Faults, seed: u64) -> Document {
    let network = Memory::new(machine, faults, seed);
    let document = probe::probe(network, "7f3a2c1d", Duration::from_millis(1), |_| true);
    document.expect("memory does not fail").expect("somebody answers")
}

const FINE: Faults = Faults { lost: 0, doubled: 0, delayed: 0 };

fn run(document: &Document) -> &Run {
    document.run().expect("the probe played its script")
}

/// What failed or is unclear, for a test's failure.
fn trouble(document: &Document) -> String {
    let cases = document.cases.iter().filter(|case| case.verdict != Verdict::Passed);
    cases.map(|case| format!("{} {}\n  {:?}\n", case.id, markdown::reason(case, "en"), case.exchanges)).collect()
}

#[test]
fn our_engine_passes_every_case() {
    for on_second_login in [OnSecondLogin::Arm, OnSecondLogin::Rebind] {
        let document = probed(Ours::new(on_second_login), FINE, 1);
        assert_eq!(trouble(&document), "");
        assert!(run(&document).left && document.cases.len() > 80, "{}", document.cases.len());
    }
}

#[test]
fn our_server_passes_every_case() {
    let dir = tempfile::tempdir().expect("a folder");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(Config::new(listen, dir.path().to_owned())).expect("started");
    let document = probe::run(&Options { server: server.address(), allow_others: false }).expect("a document");
    println!("{} cases in {:?}", document.cases.len(), run(&document).elapsed);
    assert_eq!(trouble(&document), "");
    assert!(run(&document).left && document.server == server.address());
}

#[test]
fn other_machines_need_a_yes_and_silence_is_said() {
    let far = Options { server: "192.0.2.1:21568".parse().expect("an address"), allow_others: false };
    let said = probe::run(&far);
    assert!(matches!(said, Err(ProbeError::NotAllowed(_))), "{said:?}");
    struct Nobody;
    impl Machine for Nobody {
        fn datagram(&mut self, _: Duration, _: std::net::SocketAddr, _: &[u8]) -> Vec<memory::Sent> {
            Vec::new()
        }
    }
    let network = Memory::new(Nobody, FINE, 1);
    let document = probe::probe(network, "7f3a2c1d", Duration::ZERO, |_| true).expect("memory does not fail");
    assert_eq!(document, None);
}

/// The first rule found broken is the one that is, and every failure says where.
#[test]
fn each_single_fault_is_found_and_named() {
    let mut wrong = Vec::new();
    for (fault, rule) in FAULTS {
        let document = probed(Model::new(Habits::default(), Some(*fault)), FINE, 1);
        let broken = document.broken();
        println!("{fault:?}: {broken:?}, {:?}", document.counts());
        if broken.first() != Some(rule) {
            wrong.push(format!("{fault:?}: {broken:?} instead of {rule:?}\n{}", trouble(&document)));
        }
    }
    assert!(FAULTS.len() > 60 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn habits() -> Vec<Habits> {
    let usual = Habits::default();
    vec![
        usual,
        Habits { moves: true, ..usual },
        Habits { keeps: false, ..usual },
        Habits { converts: false, ..usual },
        Habits { careless: false, ..usual },
        Habits { talkative: true, ..usual },
        Habits { login_first: true, ..usual },
    ]
}

#[test]
fn other_habits_are_no_faults() {
    let mut seen = Vec::new();
    for habits in habits() {
        let document = probed(Model::new(habits, None), FINE, 1);
        assert_eq!(trouble(&document), "", "{habits:?}");
        let now: Vec<&str> = document.habits().into_iter().map(|(habit, _)| habit).collect();
        assert!(!seen.contains(&now), "{habits:?} looks like another: {now:?}");
        seen.push(now);
    }
}

/// A server that is only slow is told so, and all that there is time for is judged.
#[test]
fn a_slow_server_is_answered_by_and_bounded() {
    struct Slow(Model);
    impl Machine for Slow {
        fn datagram(&mut self, now: Duration, from: std::net::SocketAddr, bytes: &[u8]) -> Vec<memory::Sent> {
            let late = |sent: memory::Sent| memory::Sent { later: sent.later + Duration::from_millis(1_500), ..sent };
            self.0.datagram(now, from, bytes).into_iter().map(late).collect()
        }
    }
    let document = probed(Slow(Model::new(Habits::default(), None)), FINE, 1);
    let (passed, failed, unclear) = document.counts();
    println!("{passed} passed, {failed} failed, {unclear} unclear, {:?}", run(&document).elapsed);
    assert_eq!(failed, 0, "{}", trouble(&document));
    assert!(passed > 30 && run(&document).elapsed < Duration::from_secs(600), "{}", trouble(&document));
    let said = markdown::write(&document, "en");
    assert!(said.contains("Replies took about 1.5 s each."), "{said}");
    // From the wrong port, too, it takes no longer than it must.
    let document = probed(Model::new(Habits::default(), Some(Fault::OtherPort)), FINE, 1);
    assert!(run(&document).elapsed < Duration::from_secs(180), "{:?}", run(&document).elapsed);
}

/// What changes places, is doubled or lost on the way is never the server's, however much there is of it.
#[test]
fn a_very_bad_network_is_no_fault_either() {
    for (lost, doubled, delayed) in [(0, 0, 50), (0, 30, 0), (30, 10, 25)] {
        let faults = Faults { lost, doubled, delayed };
        for seed in 1..=3 {
            let document = probed(Ours::new(OnSecondLogin::Arm), faults, seed);
            println!("{faults:?} seed {seed}: {:?}, {:?}", document.counts(), run(&document).elapsed);
            assert_eq!(document.counts().1, 0, "{faults:?} seed {seed}: {}", trouble(&document));
            assert!(run(&document).elapsed < Duration::from_secs(600), "{:?}", run(&document).elapsed);
        }
    }
}

/// What is lost, doubled or late is the network's, and never the server's.
#[test]
fn a_bad_network_is_no_fault() {
    // Lost, doubled, delayed, seeds; and how many cases may stay unclear.
    let bad = [(10, 0, 0, 6, 0), (5, 5, 0, 4, 6), (0, 10, 0, 2, 6), (5, 5, 5, 2, 6)];
    for (lost, doubled, delayed, seeds, most) in bad {
        let faults = Faults { lost, doubled, delayed };
        for seed in 1..=seeds {
            let ours = probed(Ours::new(OnSecondLogin::Arm), faults, seed);
            let model = probed(Model::new(Habits::default(), None), faults, seed);
            for document in [ours, model] {
                let (passed, failed, unclear) = document.counts();
                let resent = run(&document).resent;
                println!(
                    "{faults:?} seed {seed}: {passed} passed, {failed} failed, {unclear} unclear, {resent} resent"
                );
                assert_eq!(failed, 0, "{faults:?} seed {seed}: {}", trouble(&document));
                assert!(unclear <= most, "{faults:?} seed {seed}: {}", trouble(&document));
            }
        }
    }
}

/// Lost datagrams do not hide a fault either.
#[test]
fn faults_are_found_on_a_lossy_network() {
    let mut missed = Vec::new();
    for (fault, rule) in FAULTS {
        let document = probed(Model::new(Habits::default(), Some(*fault)), Faults { lost: 5, ..FINE }, 7);
        if !document.broken().contains(rule) {
            missed.push(format!("{fault:?}: {:?} instead of {rule:?}\n{}", document.broken(), trouble(&document)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Whatever a server does, the probe comes to an end and finds fault.
#[test]
fn hostile_servers_hold_nobody_up() {
    use std::net::SocketAddr;
    type Answers = fn(&mut u64, SocketAddr, &[u8]) -> Vec<memory::Sent>;
    struct Odd(Answers, u64);
    impl Machine for Odd {
        fn datagram(&mut self, _: Duration, from: SocketAddr, bytes: &[u8]) -> Vec<memory::Sent> {
            (self.0)(&mut self.1, from, bytes)
        }
    }
    fn random(state: &mut u64) -> u8 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 40) as u8
    }
    let odd: [(&str, Answers); 5] = [
        ("echo", |_, from, bytes| vec![memory::Sent::new(from, bytes)]),
        ("empty", |_, from, _| vec![memory::Sent::new(from, "")]),
        ("flood", |_, from, _| (0..40).map(|_| memory::Sent::new(from, "09:01")).collect()),
        ("noise", |state, from, _| {
            let len = random(state) / 4;
            vec![memory::Sent::new(from, (0..len).map(|_| random(state)).collect::<Vec<u8>>())]
        }),
        ("one message for ever", |_, from, _| vec![memory::Sent::new(from, "09:x:2026-11-21 12:04:58:y")]),
    ];
    for (name, machine) in odd {
        let document = probed(Odd(machine, 1), FINE, 1);
        let (passed, failed, unclear) = document.counts();
        println!("{name}: {passed} passed, {failed} failed, {unclear} unclear, {:?}", run(&document).elapsed);
        assert!(failed > 0 && passed < 12 && run(&document).untried == 0, "{name}: {passed} passed, {failed} failed");
        // Its bytes stand in the document, and do not break it.
        let text = markdown::write(&document, "en");
        assert!(text.lines().filter(|line| line.starts_with("| ")).all(|line| line.ends_with('|')), "{name}");
        assert!(serde_json::from_str::<serde_json::Value>(&json::write(&document, "en")).is_ok(), "{name}");
    }
}

/// A server that ends is not asked for an hour.
#[test]
fn a_server_that_goes_away_ends_the_probe() {
    struct Mortal(Ours, u32);
    impl Machine for Mortal {
        fn datagram(&mut self, now: Duration, from: std::net::SocketAddr, bytes: &[u8]) -> Vec<memory::Sent> {
            self.1 = self.1.saturating_sub(1);
            if self.1 == 0 { Vec::new() } else { self.0.datagram(now, from, bytes) }
        }
    }
    for lives in [20, 100, 200, 300] {
        let document = probed(Mortal(Ours::new(OnSecondLogin::Arm), lives), FINE, 1);
        let (passed, failed, unclear) = document.counts();
        println!("{lives}: {passed} passed, {:?}", run(&document).elapsed);
        assert_eq!((failed, unclear, run(&document).left), (0, 1, false), "{}", trouble(&document));
        assert!(
            run(&document).untried > 0 && run(&document).elapsed < Duration::from_secs(180),
            "{:?}",
            run(&document)
        );
    }
}

#[test]
fn somebody_who_does_not_wait_leaves_nobody_logged_in() {
    let mut seen = 0;
    let network = Memory::new(Ours::new(OnSecondLogin::Arm), FINE, 1);
    let document = probe::probe(network, "7f3a2c1d", Duration::ZERO, |_| {
        seen += 1;
        seen < 30
    });
    let document = document.expect("memory does not fail").expect("somebody answers");
    assert_eq!((document.cases.len(), run(&document).left), (30, true));
    assert!(run(&document).untried > 60 && markdown::write(&document, "en").contains("were not tried"));
}

/// The program: exit status, and both documents.
#[test]
fn the_command_line_writes_both_documents() {
    let dir = tempfile::tempdir().expect("a folder");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(Config::new(listen, dir.path().join("server"))).expect("started");
    let course = crate::course::Course::start(crate::course::Habits::default());
    // The course server cuts at `#`, and takes much that is malformed.
    for (name, address, code) in [("ours", server.address(), 0), ("course", course.address, 8)] {
        let (md, js) = (dir.path().join(format!("{name}.md")), dir.path().join(format!("{name}.json")));
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hongyan-term"))
            .args(["probe", &address.to_string(), "--lang", "zh", "--color", "never", "--markdown"])
            .arg(&md)
            .arg("--json")
            .arg(&js)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said} {}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(md).expect("written");
        println!("{name}: {}", said.lines().last().unwrap_or_default());
        assert!(text.contains(&format!("`{address}`")) && text.contains(said.lines().last().expect("a summary")));
        let value: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(js).expect("written")).expect("JSON");
        assert_eq!(value["server"], address.to_string());
        assert_eq!(value["logged_out"], true);
        if code != 0 {
            let cases = value["cases"].as_array().expect("cases");
            let hash = cases.iter().find(|case| case["id"] == "body-hash").expect("the case");
            assert_eq!((&hash["why"]["rule"], &hash["why"]["chosen"]), (&"body-hash".into(), &true.into()));
        }
    }
}

/// With `UPDATE_SNAPSHOTS=1` the document as it is now becomes the expected one.
fn snapshot(name: &str, got: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/probe").join(name);
    let got = got.replace(concat!("hongyan ", env!("CARGO_PKG_VERSION")), "hongyan VERSION");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &got).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "{name}, line {}", n + 1);
    }
    assert_eq!(got.lines().count(), expected.lines().count(), "{name}");
}

fn dated(mut document: Document) -> Document {
    document.server = "127.0.0.1:21568".parse().expect("an address");
    document.when = "2026-11-21 12:04:58".to_owned();
    document
}

/// Names, times and the clock are the same in memory, so the whole document is.
#[test]
fn the_document_is_as_expected() {
    let ours = dated(probed(Ours::new(OnSecondLogin::Arm), FINE, 1));
    snapshot("ours-en.md", &markdown::write(&ours, "en"));
    let wrong = dated(probed(Model::new(Habits::default(), Some(Fault::CutAtColon)), FINE, 1));
    snapshot("cut-at-colon-zh.md", &markdown::write(&wrong, "zh-CN"));
}

/// Trials made by hand are written by the same writers, with the same keys.
#[test]
fn trials_by_hand_become_the_same_document() {
    let reply = |text: &str, us| Arrived::Reply(text.as_bytes().to_vec(), Duration::from_micros(us));
    // Sent, what was said to be expected, what came.
    let trials: [(&str, &str, Arrived); 9] = [
        ("01#20170001#secret#secret#", "01:01", reply("01:01", 3_210)),
        ("02#20170001#secret", "", reply("02:01", 480)),
        ("02#20170001#secret#", "02:01", reply("02:04", 1_500)),
        ("03#b#x|y`z#", "-", reply("03:01", 700)),
        ("09#", "", reply("09:b:2026-13-21 12:04:58:hi", 650)),
        ("08#", "", Arrived::Perhaps(b"08:3".to_vec())),
        ("06#", "", Arrived::Nothing),
        ("06:01", "", Arrived::Nothing),
        ("hello\x00", "", Arrived::NotYet),
    ];
    let cases = (1..).zip(&trials).map(|(number, (sent, said, came))| {
        let sent = hongyan::protocol::wire::show::unescape(sent).expect("good");
        Trial::new(&sent, &Expectation::parse(said).expect("good")).case(number, came)
    });
    let (server, when) = ("127.0.0.1:21568".parse().expect("an address"), "2026-11-21 12:04:58".to_owned());
    let document = Document { server, when, origin: Origin::SharedSocket, cases: cases.collect() };
    assert_eq!(document.counts(), (2, 4, 3));
    let (en, zh) = (document.written("a.MD", "en"), document.written("a.md", "zh-CN"));
    snapshot("by-hand-en.md", &en);
    snapshot("by-hand-zh.md", &zh);
    let programs = document.written("a.json", "en");
    assert!(![&en, &zh, &programs].iter().any(|text| text.contains("secret")));
    let value: serde_json::Value = serde_json::from_str(&programs).expect("JSON");
    let probed = dated(probed(Ours::new(OnSecondLogin::Arm), FINE, 1));
    let script: serde_json::Value = serde_json::from_str(&json::write(&probed, "en")).expect("JSON");
    let keys = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&value), keys(&script));
    assert_eq!(keys(&value["cases"][0]), keys(&script["cases"][0]));
    assert_eq!(keys(&value["cases"][0]["exchanges"][0]), keys(&script["cases"][0]["exchanges"][0]));
    assert_eq!((&value["cases"][1]["why"]["rule"], &value["cases"][1]["why"]["offset"]), (&"closed".into(), &1.into()));
    assert!(value["cases"][2]["why"]["rule"].is_null());
}

#[test]
fn the_document_for_programs_can_be_read() {
    let document = dated(probed(Model::new(Habits::default(), Some(Fault::CutAtColon)), FINE, 1));
    let value: serde_json::Value = serde_json::from_str(&json::write(&document, "en")).expect("JSON");
    assert_eq!((&value["format"], &value["failed"]), (&1.into(), &document.counts().1.into()));
    let cases = value["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), document.cases.len());
    let failed = cases.iter().find(|case| case["id"] == "body-colon").expect("the case");
    let why = &failed["why"];
    assert_eq!((&why["rule"], &why["difference"]), (&"body-colon".into(), &"byte".into()));
    let exchange = &failed["exchanges"][usize::try_from(why["exchange"].as_u64().expect("a place")).expect("small")];
    let offset = usize::try_from(why["offset"].as_u64().expect("a place")).expect("small");
    let (got, expected) = (exchange["got"]["text"].as_str(), exchange["expected"][0].as_str());
    let (got, expected) = (got.expect("a reply"), expected.expect("a reply"));
    assert_eq!((got.len(), expected.as_bytes()[offset]), (offset, b':'), "{got} {expected}");
    let hex = exchange["sent"]["hex"].as_str().expect("bytes");
    assert!(hex.starts_with("303923") && hex.len() % 2 == 0, "{hex}");
}
