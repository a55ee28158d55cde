//! The server over a real socket, asked as a student's client asks.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hongyan::server::udp::{Config, Server};

/// Longer than any answer takes on a busy machine: what is not there then will not come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Student(pub UdpSocket);

impl Student {
    pub fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(server).expect("loopback");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self(socket)
    }

    #[track_caller]
    pub fn ask(&self, request: &str) -> String {
        self.0.send(request.as_bytes()).expect("sent");
        self.hear(request)
    }

    /// The next answer, which is wanted to `request`.
    #[track_caller]
    pub fn hear(&self, request: &str) -> String {
        let mut buffer = [0; 1024];
        let n = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{request}: {error}"));
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    }

    /// `None` when there is no answer for a second.
    pub fn try_ask(&self, request: &str) -> Option<String> {
        self.0.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        self.0.send(request.as_bytes()).expect("sent");
        let mut buffer = [0; 1024];
        let answer = self.0.recv(&mut buffer).ok().map(|n| String::from_utf8_lossy(&buffer[..n]).into_owned());
        self.0.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        answer
    }

    /// Goes on with another server from the same address.
    pub fn turn_to(&self, server: SocketAddr) {
        self.0.connect(server).expect("loopback");
    }
}

fn start(data: &std::path::Path) -> Server {
    Server::start(Config::new("127.0.0.1:0".parse().expect("an address"), data.to_owned())).expect("started")
}

#[test]
fn two_students_chat_and_a_restart_loses_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = start(dir.path());
    let (a, b) = (Student::new(server.address()), Student::new(server.address()));
    assert_eq!(a.ask("01#20170001#x#x#"), "01:01");
    assert_eq!(b.ask("01#20170002#y#y#"), "01:01");
    assert_eq!(a.ask("02#20170001#x#"), "02:01");
    assert_eq!(a.ask("03#20170002#你好\n#"), "03:02");
    assert_eq!(b.ask("02#20170002#y#"), "02:01");
    assert_eq!(b.ask("08#"), "08:1");
    let taken = b.ask("09##");
    assert!(taken.starts_with("09:20170001:2") && taken.ends_with(":你好\n"), "{taken}");
    assert_eq!(b.ask("03#20170001#one#"), "03:01");
    assert_eq!(a.ask("06#20170001"), "00:00");

    // The same port again: sessions and mailboxes are there.
    let address = server.address();
    drop(server);
    let server = Server::start(Config::new(address, dir.path().to_owned())).expect("started again");
    assert_eq!(a.ask("08#"), "08:1");
    assert!(a.ask("05#20170002#").ends_with(":one"));
    assert_eq!(a.ask("09#"), "09:01");
    assert_eq!(a.ask("06#"), "06:01");
    drop(server);
}

#[test]
fn one_data_directory_has_one_server() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = start(dir.path());
    let second = Command::new(env!("CARGO_BIN_EXE_hongyand"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("in use by another server") && said.trim().lines().count() == 1, "{said}");
    drop(server);
}

#[test]
fn a_port_in_use_is_one_sentence() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let dir = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_hongyand"))
        .arg("--listen")
        .arg(taken.local_addr().expect("bound").to_string())
        .arg("--data")
        .arg(dir.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("cannot listen on 127.0.0.1:"), "{said}");
}

#[test]
fn quotas_are_options() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port").port();
    let listen = format!("127.0.0.1:{port}");
    let mut server = Command::new(env!("CARGO_BIN_EXE_hongyand"))
        .args(["--listen", &listen, "--max-mailbox", "2", "--max-accounts", "2", "--max-disk", "1", "--data"])
        .arg(dir.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let a = Student::new(listen.parse().expect("valid"));
    // Until it listens the system says that nobody does.
    let ready = Instant::now() + Duration::from_secs(10);
    while a.try_ask("08#").is_none() {
        assert!(Instant::now() < ready, "the server came up");
    }
    let script = [
        ("01#a#x#x#", "01:01"),
        ("01#b#x#x#", "01:01"),
        ("01#c#x#x#", "00:00"),
        ("01#d#x#x#", "00:00"),
        ("02#a#x#", "02:01"),
        ("03#b#1#", "03:02"),
        ("03#b#2#", "03:02"),
        ("03#b#3#", "03:02"),
        ("03#b#4#", "03:02"),
        ("06#", "06:01"),
        ("02#b#x#", "02:01"),
        ("08#", "08:2"),
    ];
    for (request, expected) in script {
        assert_eq!(a.ask(request), expected, "{request}");
    }
    server.kill().expect("ended");
    let said = server.wait_with_output().expect("ended").stderr;
    let said = String::from_utf8_lossy(&said);
    for (word, times) in [("refused: 2 of 2 accounts", 1), ("the mailbox of account 2 is full", 1)] {
        assert_eq!(said.matches(word).count(), times, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_not_acknowledged_and_reading_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let disk = super::disk::Disk::watch(dir.path(), false);
    let server = start(dir.path());
    let (a, b) = (Student::new(server.address()), Student::new(server.address()));
    for (student, request, expected) in [
        (&a, "01#a#x#x#", "01:01"),
        (&b, "01#b#y#y#", "01:01"),
        (&a, "02#a#x#", "02:01"),
        (&a, "03#b#one#", "03:02"),
        (&a, "03#b#two#", "03:02"),
    ] {
        assert_eq!(student.ask(request), expected, "{request}");
    }
    disk.fill(true);
    for request in ["03#b#lost#", "01#c#z#z#"] {
        assert_eq!(a.try_ask(request), None, "{request}");
    }
    assert_eq!(b.ask("02#b#y#"), "02:01");
    assert_eq!(b.ask("08#"), "08:2");
    for text in [":one", ":two", "09:01"] {
        let taken = b.ask("09#");
        assert!(taken.ends_with(text), "{taken}");
    }
    disk.fill(false);
    assert_eq!(a.ask("03#b#three#"), "03:01");
    // What was taken meanwhile stays taken.
    let address = server.address();
    drop(server);
    let server = Server::start(Config::new(address, dir.path().to_owned())).expect("started again");
    assert_eq!(b.ask("02#b#y#"), "02:01");
    assert_eq!(b.ask("08#"), "08:1");
    drop(server);
}

/// What a client was told is on disk: every 03 that was answered is handed out, none twice.
#[test]
fn kill_9_loses_nothing_acknowledged() {
    const ROUNDS: u64 = 100;
    let dir = tempfile::tempdir().expect("a folder");
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port").port();
    let listen = format!("127.0.0.1:{port}");
    let spawn = || {
        Command::new(env!("CARGO_BIN_EXE_hongyand"))
            .args(["--log-level", "off", "--listen", &listen, "--data"])
            .arg(dir.path())
            .spawn()
            .expect("it runs")
    };
    let (a, b) = (Student::new(listen.parse().expect("valid")), Student::new(listen.parse().expect("valid")));
    let mut acknowledged = Vec::new();
    let mut sent = 0u64;
    let seed = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {seed:#x}");
    let mut random = seed;
    for round in 0..=ROUNDS {
        let mut server = spawn();
        a.0.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let ready = Instant::now() + Duration::from_secs(10);
        let mut buffer = [0; 1024];
        // Answers of the last life may still lie in the socket; `08:` or `07:` is the new one's.
        loop {
            let _ = a.0.send(b"08#");
            if a.0.recv(&mut buffer).is_ok_and(|_| matches!(&buffer[..3], b"08:" | b"07:")) {
                break;
            }
            assert!(Instant::now() < ready, "the server came back");
        }
        while a.0.recv(&mut buffer).is_ok() {}
        a.0.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        if round == 0 {
            a.0.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            assert_eq!(a.ask("01#a#x#x#"), "01:01");
            assert_eq!(a.ask("01#b#y#y#"), "01:01");
            assert_eq!(a.ask("02#a#x#"), "02:01");
        }
        if round == ROUNDS {
            assert_eq!(b.ask("02#b#y#"), "02:01");
            let mut got = Vec::new();
            loop {
                let taken = b.ask("09#");
                match taken.rsplit(':').next().map(str::parse::<u64>) {
                    Some(Ok(n)) if taken != "09:01" => got.push(n),
                    _ => break,
                }
            }
            let _ = server.kill();
            let _ = server.wait();
            let mut unique = got.clone();
            unique.dedup();
            assert_eq!(unique, got, "nothing twice");
            let lost: Vec<_> = acknowledged.iter().filter(|n| !got.contains(n)).collect();
            assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
            assert!(acknowledged.len() as u64 > ROUNDS, "there was load: {}", acknowledged.len());
            return;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let end = Instant::now() + Duration::from_micros(random % 40_000);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            let _ = server.kill();
            let _ = server.wait();
        });
        while !killer.is_finished() {
            sent += 1;
            let _ = a.0.send(format!("03#b#{sent}#").as_bytes());
            match a.0.recv(&mut buffer) {
                Ok(n) if buffer[..n].starts_with(b"03:0") => acknowledged.push(sent),
                // Lost with the server; its number is never used again.
                _ => break,
            }
        }
        killer.join().expect("no panic");
    }
}
