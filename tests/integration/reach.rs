//! The diagnosis over real sockets.

use std::net::UdpSocket;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hongyan::client::diagnosis::{Question, Report, StepResult, Verdict};
use hongyan::client::net::reach::{self, Reach};
use hongyan::client::session::KnownServer;
use hongyan::protocol::link::Identity;
use hongyan::server::udp::{Config, Server};

fn question(server: &str) -> Question {
    Question { server: server.to_owned(), port: 9 }
}

fn ask(server: &str, known: KnownServer) -> Report {
    let mut seen = 0;
    let report = reach::run(
        question(server),
        |_| known.clone(),
        &AtomicBool::new(false),
        |report| {
            assert!(report.steps.len() >= seen, "nothing is taken back");
            seen = report.steps.len();
        },
    );
    println!("{}\n{}", report.text("en"), report.text("zh-CN"));
    report
}

fn has(report: &Report, is: impl Fn(&StepResult) -> bool) -> bool {
    report.steps.iter().any(|step| is(&step.what))
}

#[test]
fn our_server_is_reached_and_knows_itself_by_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config::new("127.0.0.1:0".parse().expect("valid"), folder.path().to_owned());
    let server = Server::start(config).expect("a server");
    let at = server.address().to_string();
    let first = ask(&at, KnownServer::default());
    let key = first.steps.iter().find_map(|step| match &step.what {
        StepResult::NewKey(key) => Some(key.clone()),
        _ => None,
    });
    assert_eq!(first.verdict(), Verdict::Secure);
    let again = ask(&at, KnownServer { pins: key.into_iter().collect(), secure_only: true, ..KnownServer::default() });
    assert!(again.verdict() == Verdict::Secure && has(&again, |w| matches!(w, StepResult::KnownKey(_))));
    let other = Identity::generate().and_then(|other| other.public_key()).expect("a key");
    let changed = ask(&at, KnownServer { pins: vec![other], secure_only: true, ..KnownServer::default() });
    assert!(changed.verdict() == Verdict::Doubtful && has(&changed, |w| matches!(w, StepResult::ChangedKey { .. })));
    let named = ask(&format!("localhost:{}", server.address().port()), KnownServer::default());
    assert!(named.verdict() == Verdict::Secure && has(&named, |w| matches!(w, StepResult::Found { .. })));
}

#[test]
fn a_closed_port_a_silent_one_and_a_plain_server_are_told_apart() {
    let closed = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let report = ask(&closed.to_string(), KnownServer::default());
    assert!(has(&report, |w| matches!(w, StepResult::Closed { .. })) && report.verdict() == Verdict::Unreachable);

    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let report = ask(&silent.local_addr().expect("bound").to_string(), KnownServer::default());
    assert!(has(&report, |w| matches!(w, StepResult::Silent { questions: 4, .. })), "{report:?}");

    let plain = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = plain.local_addr().expect("bound").to_string();
    let answering = std::thread::Builder::new().name("plain".into()).spawn(move || {
        let mut buffer = [0; 2_048];
        for _ in 0..2 {
            let (n, from) = plain.recv_from(&mut buffer).expect("a question");
            assert_eq!(&buffer[..3], b"10#", "{:?}", &buffer[..n]);
            plain.send_to(b"00:00", from).expect("sent");
        }
    });
    assert_eq!(ask(&at, KnownServer::default()).verdict(), Verdict::Plain);
    let report = ask(&at, KnownServer { secure_only: true, ..KnownServer::default() });
    assert!(has(&report, |w| *w == StepResult::OnlyPlain) && report.verdict() == Verdict::Doubtful);
    answering.expect("a thread").join().expect("no panic");
}

#[test]
fn it_runs_beside_everything_else_and_can_be_given_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = silent.local_addr().expect("bound").to_string();
    let (told, reports) = crossbeam_channel::unbounded();
    let reach = Reach::start(
        question(&at),
        |_| KnownServer::default(),
        move |report| {
            let _ = told.send(report.clone());
        },
    );
    let first = reports.recv_timeout(Duration::from_secs(10)).expect("a report");
    assert!(!first.finished && first.stage.is_some());
    drop(reach.expect("a thread"));
    // The thread ends, and its end of the channel with it.
    let end = std::iter::from_fn(|| reports.recv_timeout(Duration::from_secs(10)).ok()).last();
    assert!(end.is_none_or(|report| !report.finished));
    assert_eq!(reports.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected));
}
