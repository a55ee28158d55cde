//! The probe: our server passes, single faults are found and named, and a bad network is no fault.

mod memory;

use std::time::Duration;

use hongyan::probe::{self, Document, Options, ProbeError, Verdict, markdown};
use hongyan::server::OnSecondLogin;
use hongyan::server::udp::{Config, Server};
use memory::{Faults, Machine, Memory, Ours};

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
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    struct Nobody;
    impl Machine for Nobody {
        fn datagram(&mut self, _: Duration, _: std::net::SocketAddr, _: &[u8]) -> Vec<memory::Sent> {
            Vec::new()
        }
    }
    drop(socket);
    let network = Memory::new(Nobody, FINE, 1);
    let document = probe::probe(network, "7f3a2c1d", Duration::ZERO, |_| {}).expect("memory does not fail");
    assert_eq!(document, None);
}
