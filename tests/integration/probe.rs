//! The probe: our server passes, single faults are found and named, and a bad network is no fault.

mod faults;
mod memory;
mod model;

use std::time::Duration;

use faults::{FAULTS, Fault};
use hongyan::probe::{self, Document, Options, ProbeError, Verdict, json, markdown};
use hongyan::server::OnSecondLogin;
use hongyan::server::udp::{Config, Server};
use memory::{Faults, Machine, Memory, Ours};
use model::{Habits, Model};

/// Probes a server in memory.
#[track_caller]
fn probed(machine: impl Machine, faults: Faults, seed: u64) -> Document {
    let network = Memory::new(machine, faults, seed);
    let document = probe::probe(network, "7f3a2c1d", Duration::from_millis(1), |_| {});
    document.expect("memory does not fail").expect("somebody answers")
}

const FINE: Faults = Faults { lost: 0, doubled: 0, delayed: 0 };

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
        assert!(document.left && document.cases.len() > 80, "{}", document.cases.len());
    }
}

#[test]
fn our_server_passes_every_case() {
    let dir = tempfile::tempdir().expect("a folder");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(Config::new(listen, dir.path().to_owned())).expect("started");
    let document = probe::run(&Options { server: server.address(), allow_others: false }).expect("a document");
    println!("{} cases in {:?}", document.cases.len(), document.elapsed);
    assert_eq!(trouble(&document), "");
    assert!(document.left && document.server == server.address());
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
    let document = probe::probe(network, "7f3a2c1d", Duration::ZERO, |_| {}).expect("memory does not fail");
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
                let resent = document.resent;
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
