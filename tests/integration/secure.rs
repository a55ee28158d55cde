//! The server's secure dialect over real sockets: a device that is nothing but the carrier and frames.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use hongyan::protocol::link::{CloseReason, Event, GOING_DOWN, Link, PeerId};
use hongyan::protocol::wire::frame::{Code, FromClient, FromServer, Key, Secret};
use hongyan::server::udp::{Config, Server};

use super::server::Student;

pub(super) struct Device {
    socket: UdpSocket,
    link: Link,
    peer: PeerId,
    key: Vec<u8>,
    came: Vec<FromServer>,
    lost: Option<CloseReason>,
}

impl Device {
    pub(super) fn connect(server: SocketAddr, pins: Vec<Vec<u8>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let mut link = Link::client(None);
        let peer = link.connect(Instant::now(), server, pins);
        let mut device = Self { socket, link, peer, key: Vec::new(), came: Vec::new(), lost: None };
        device.until(|d| !d.key.is_empty() || d.lost.is_some());
        device
    }

    fn turn(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Connected { key, .. } => self.key = key,
                Event::Frame { bytes, .. } => self.came.push(FromServer::decode(&bytes).expect("a frame")),
                Event::Lost { why, .. } => self.lost = Some(why),
            }
        }
        while let Some(transmit) = self.link.poll_transmit() {
            self.socket.send_to(&transmit.bytes, transmit.to).expect("sent");
        }
    }

    #[track_caller]
    fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        let mut buffer = [0; 2_048];
        loop {
            self.turn();
            if enough(self) {
                return;
            }
            let now = Instant::now();
            assert!(now < end, "{:?} {:?}", self.came, self.lost);
            let due = self.link.poll_timeout().map_or(end, |at| at.min(end));
            let wait = due.saturating_duration_since(now).max(Duration::from_micros(100));
            self.socket.set_read_timeout(Some(wait)).expect("a timeout");
            if let Ok((n, from)) = self.socket.recv_from(&mut buffer) {
                self.link.handle_datagram(Instant::now(), from, &buffer[..n]);
            } else {
                self.link.handle_timeout(Instant::now());
            }
        }
    }

    /// As if the network had lost it.
    fn misses_what_came(&mut self) {
        self.socket.set_nonblocking(true).expect("set");
        while self.socket.recv(&mut [0; 2_048]).is_ok() {}
        self.socket.set_nonblocking(false).expect("set");
    }

    pub(super) fn say(&mut self, frame: &FromClient) {
        assert!(self.link.send(Instant::now(), self.peer, &frame.encode()));
        self.turn();
    }

    /// The answer that `is` one; presence and what came before it are dropped.
    #[track_caller]
    pub(super) fn hear(&mut self, is: impl Fn(&FromServer) -> bool) -> FromServer {
        self.until(|d| d.came.iter().any(&is));
        let at = self.came.iter().position(&is).expect("it came");
        self.came.drain(..=at).next_back().expect("it came")
    }

    pub(super) fn login(&mut self, account: &str) -> FromServer {
        self.login_as(account, None)
    }

    /// With the name under which others are shown them.
    pub(super) fn login_as(&mut self, account: &str, name: Option<&str>) -> FromServer {
        let (account, password, name) = (account.to_owned(), Secret("secret".into()), name.map(str::to_owned));
        self.say(&FromClient::Register { id: 1, account: account.clone(), password: password.clone(), name });
        let answer = self.hear(|f| matches!(f, FromServer::Registered { .. } | FromServer::Error { .. }));
        assert!(matches!(answer, FromServer::Registered { .. } | FromServer::Error { code: Code::AccountExists, .. }));
        self.say(&FromClient::Login { id: 2, account, password, device: Key([7; 16]), cursor: None, made: None });
        self.hear(|f| matches!(f, FromServer::LoggedIn { .. }))
    }

    fn send(&mut self, counter: u64, to: &str, text: &str) {
        self.say(&FromClient::Send { counter, to: to.into(), text: text.into(), after: None, made: None });
    }
}

#[test]
fn devices_and_students_share_a_server_that_restarts() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config::new("127.0.0.1:0".parse().expect("an address"), dir.path().to_owned());
    let server = Server::start(config.clone()).expect("started");
    let at = server.address();
    let student = Student::new(at);
    assert_eq!(student.ask("10#Q1#12345678#0000000000000000#"), "10:01:Q1:12345678");
    assert_eq!(student.ask("01#s#x#x#"), "01:01");
    assert_eq!(student.ask("02#s#x#"), "02:01");
    let mut a = Device::connect(at, Vec::new());
    let pin = a.key.clone();
    let mut b = Device::connect(at, vec![pin.clone()]);
    a.login("a");
    b.login("b");
    a.send(1, "b", "快吗?");
    let begun = Instant::now();
    let came = b.hear(|f| matches!(f, FromServer::Message { .. }));
    println!("pushed after {:?}", begun.elapsed());
    assert!(matches!(&came, FromServer::Message { from, text, .. } if from == "a" && text == "快吗?"), "{came:?}");
    a.send(2, "s", "hello student");
    a.hear(|f| matches!(f, FromServer::Accepted { counter: 2, online: true, .. }));
    let taken = student.ask("09#");
    assert!(taken.starts_with("09:a:") && taken.ends_with(":hello student"), "{taken}");
    assert_eq!(student.ask("03#b#hello device#"), "03:01");
    b.hear(|f| matches!(f, FromServer::Message { text, .. } if text == "hello device"));

    drop(server);
    let server = Server::start(Config { listen: at, ..config.clone() }).expect("started again");
    b.until(|d| d.lost.is_some());
    assert_eq!(b.lost, Some(CloseReason::ClosedByPeer { code: GOING_DOWN.into(), reason: "going down".into() }));
    a.misses_what_came();
    a.send(3, "b", "lost with the connection");
    a.until(|d| d.lost.is_some());
    assert_eq!(a.lost, Some(CloseReason::Restarted), "the server knows its connection ids, not the connection");
    // Nothing of it was acknowledged by b, so all of it comes again; a's third never arrived.
    let mut b = Device::connect(at, vec![pin.clone()]);
    b.login("b");
    for text in ["快吗?", "hello device"] {
        b.hear(|f| matches!(f, FromServer::Message { text: t, .. } if t == text));
    }
    let mut a = Device::connect(at, vec![pin.clone()]);
    assert!(matches!(a.login("a"), FromServer::LoggedIn { highest: 2, .. }));
    drop(server);

    // The same machine without its keys is another server, and is told so before anything is said to it.
    std::fs::remove_file(dir.path().join("identity")).expect("removed");
    assert!(Server::start(Config { listen: at, ..config.clone() }).is_err(), "not by accident");
    let _server = Server::start(Config { listen: at, new_key: true, ..config }).expect("started again");
    let a = Device::connect(at, vec![pin]);
    assert!(matches!(&a.lost, Some(CloseReason::KeyChanged(key)) if key.len() == 44), "{:?}", a.lost);
}

#[test]
fn a_server_ends_at_once_and_says_so_however_much_waits() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config::new("127.0.0.1:0".parse().expect("an address"), dir.path().to_owned());
    let server = Server::start(config).expect("started");
    let at = server.address();
    let mut device = Device::connect(at, Vec::new());
    device.login("a");
    // Each of these costs a hash of its password.
    for n in 0..200 {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(format!("01#n{n}#secret#secret#").as_bytes(), at).expect("sent");
    }
    Student::new(at).ask("08#");
    let begun = Instant::now();
    drop(server);
    let took = begun.elapsed();
    device.until(|d| d.lost.is_some());
    assert_eq!(device.lost, Some(CloseReason::ClosedByPeer { code: GOING_DOWN.into(), reason: "going down".into() }));
    println!("it ended within {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_server_may_speak_the_plain_dialect_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config::new("127.0.0.1:0".parse().expect("an address"), dir.path().to_owned());
    let server = Server::start(Config { secure: false, ..config }).expect("started");
    let student = Student::new(server.address());
    assert_eq!(student.ask("10#Q1#12345678#0000000000000000#"), "00:00");
    assert!(!dir.path().join("identity").exists());
}
