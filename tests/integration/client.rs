//! Two clients and a server over real sockets.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use hongyan::base::model::{Account, Password, SendState};
use hongyan::client::net::{Now, clock};
use hongyan::client::session::{ConnectionState, Dialect, LoginOutcome, PlainReason, Polling, RegisterOutcome};
use hongyan::client::{Client, Config, Event};
use hongyan::protocol::wire::reply::Registered;
use hongyan::server::udp::{Config as ServerConfig, Server};

/// One of our clients, as a face without windows would drive it.
pub struct Person {
    pub client: Client,
    rings: Receiver<()>,
    pub seen: Vec<Event>,
}

pub fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

pub fn password() -> Password {
    Password::parse("secret").expect("valid")
}

/// Our server, as it is without options.
pub fn serve(at: SocketAddr, data: &Path) -> Server {
    Server::start(ServerConfig::new(at, data.to_owned())).expect("started")
}

pub fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().expect("valid")
}

/// Somebody who speaks with encryption only.
pub fn securely(server: SocketAddr, data: &Path) -> Person {
    Person::speaking(Dialect::Auto, false, server, data)
}

impl Person {
    pub fn new(server: SocketAddr, data: &Path) -> Self {
        Self::speaking(Dialect::Plain, true, server, data)
    }

    pub fn speaking(dialect: Dialect, allow_plain: bool, server: SocketAddr, data: &Path) -> Self {
        let (ring, rings) = crossbeam_channel::unbounded();
        let config = Config {
            server,
            name: None,
            bind: None,
            data: data.to_owned(),
            polling: Polling::Adaptive,
            dialect,
            allow_plain,
        };
        let client = Client::open(config, move || ring.send(()).unwrap_or(())).expect("open");
        Self { client, rings, seen: Vec::new() }
    }

    /// Waits until an event is `wanted`.
    #[track_caller]
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        let mut more = true;
        loop {
            // What comes after the wanted one waits for the next question.
            while let Some(event) = self.client.poll_event() {
                let found = wanted(&event);
                self.seen.push(event);
                if found {
                    return;
                }
            }
            if more {
                more = self.client.pump(clock::now);
                continue;
            }
            more = true;
            assert!(self.rings.recv_deadline(end).is_ok(), "{what}: {:#?}", self.seen);
        }
    }

    /// Runs one turn, after waiting at most this long for a reason.
    pub fn turn(&mut self, wait: Duration) {
        let _ = self.rings.recv_timeout(wait);
        while self.client.pump(clock::now) {}
        self.seen.extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    pub fn begin(server: SocketAddr, data: &Path, name: &str, new: bool) -> Self {
        Self::new(server, data).come_in(name, new)
    }

    /// Speaks plain although this folder knows that the server encrypts: that is asked first.
    pub fn come_in_plainly_all_the_same(mut self, name: &str) -> Self {
        self.client.login(clock::now(), account(name), password()).expect("a history");
        self.agrees();
        self.until("logged in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
        self
    }

    #[track_caller]
    pub fn agrees(&mut self) {
        self.until("a question", |e| *e == Event::PlainOnly(PlainReason::Chosen));
        self.client.allow_plain(clock::now());
    }

    pub fn come_in(mut self, name: &str, new: bool) -> Self {
        if new {
            self.client.register(clock::now(), account(name), password(), password());
            // Where the answer was lost with its connection, the same is asked again, and the account is there: the
            // login that follows shows whose it is.
            self.until("registered", |e| {
                let Event::Registered(RegisterOutcome::Answered { reply, after_timeout }) = e else { return false };
                *reply == Registered::Done || *reply == Registered::AccountExists && *after_timeout
            });
        }
        self.client.login(clock::now(), account(name), password()).expect("a history");
        self.until("logged in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
        self
    }

    #[track_caller]
    pub fn gets(&mut self, from: &str, text: &str) {
        let from = account(from);
        self.until(text, |e| matches!(e, Event::Message { peer, row } if *peer == from && row.text == text));
    }
}

#[test]
fn two_people_chat_while_the_server_comes_and_goes() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("server");
    let start = |at: SocketAddr| Server::start(ServerConfig::new(at, data.clone())).expect("started");
    let server = start("127.0.0.1:0".parse().expect("valid"));
    let at = server.address();
    let mut a = Person::begin(at, &dir.path().join("a"), "a", true);
    let mut b = Person::begin(at, &dir.path().join("b"), "b", true);

    assert!(!a.client.send_message(clock::now(), &account("b"), " \n"));
    assert!(a.client.send_message(clock::now(), &account("b"), "你好：#1"));
    a.until("sent", |e| matches!(e, Event::Outgoing { state: SendState::Sent, .. }));
    b.gets("a", "你好：#1");
    assert!(b.client.send_message(clock::now(), &account("a"), "fine"));
    b.until("sent", |e| matches!(e, Event::Outgoing { state: SendState::Sent, .. }));
    a.gets("b", "fine");
    assert_eq!(a.client.unsent(), 0);

    // While the server is away the message waits; nothing is dropped.
    drop(server);
    assert!(a.client.send_message(clock::now(), &account("b"), "still there?"));
    a.until("no answer", |e| *e == Event::ConnectionState(ConnectionState::Waiting));
    assert_eq!(a.client.unsent(), 1);
    let _server = start(at);
    a.until("settled", |e| matches!(e, Event::Outgoing { state: SendState::MaybeSentTwice, .. }));
    b.gets("a", "still there?");

    // One window an account; the history is there again.
    let mut second = Person::new(at, &dir.path().join("a"));
    assert!(second.client.login(clock::now(), account("a"), password()).is_err());
    drop(a);
    second.client.login(clock::now(), account("a"), password()).expect("free now");
    second.client.page(account("b"), 0, 10);
    second.until("the page", |e| matches!(e, Event::Page { rows, .. } if rows.len() == 3));
}

#[test]
fn a_flood_of_datagrams_holds_up_no_deadline() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let dir = tempfile::tempdir().expect("a folder");
    let mut a = Person::new(server.local_addr().expect("bound"), dir.path());
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("logging in", |e| *e == Event::ConnectionState(ConnectionState::LoggingIn));
    let (_, client) = server.recv_from(&mut [0; 64]).expect("02");
    a.client.go_offline(clock::now());
    let waiting = |a: &Person| a.client.threads().iter().map(|t| t.queued).sum::<usize>();
    while waiting(&a) < 500 {
        server.send_to(b"99:99", client).expect("sent");
    }
    // One turn, when the second is over, with more than a turn's inputs in the queue.
    let late = Duration::from_millis(1_500);
    assert!(a.client.pump(|| Now { instant: clock::now().instant + late, ..clock::now() }));
    let events: Vec<Event> = std::iter::from_fn(|| a.client.poll_event()).collect();
    assert!(events.contains(&Event::WentOffline(None)), "{} wait: {events:?}", waiting(&a));
}

#[test]
fn another_server_is_asked_from_the_same_port() {
    let bind = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    let dir = tempfile::tempdir().expect("a folder");
    let servers: Vec<_> = (0..2).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket")).collect();
    let at = |i: usize| servers[i].local_addr().expect("bound");
    let config = Config {
        server: at(0),
        name: None,
        bind: Some(bind),
        data: dir.path().into(),
        polling: Polling::Adaptive,
        dialect: Dialect::Plain,
        allow_plain: true,
    };
    let mut client = Client::open(config, || ()).expect("open");
    for (i, server) in servers.iter().enumerate() {
        client.use_server(at(i), None).expect("the port is free");
        client.register(clock::now(), account("a"), password(), password());
        let mut buffer = [0; 64];
        let (n, from) = server.recv_from(&mut buffer).expect("01");
        assert_eq!((&buffer[..n], from), (&b"01#a#secret#secret#"[..], bind));
    }
}

#[test]
fn where_a_server_listens_is_where_it_is_found() {
    let server = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let port = server.local_addr().expect("bound").port();
    for name in ["0.0.0.0", "[::ffff:127.0.0.1]"] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut a = Person::new(format!("{name}:{port}").parse().expect("an address"), dir.path());
        a.client.register(clock::now(), account("a"), password(), password());
        let (_, from) = server.recv_from(&mut [0; 64]).expect("01");
        server.send_to(b"01:01", from).expect("sent");
        a.until("registered", |e| matches!(e, Event::Registered(RegisterOutcome::Answered { .. })));
    }
}

#[test]
fn what_the_system_does_not_send_is_said_once() {
    let dir = tempfile::tempdir().expect("a folder");
    // Sockets that did not ask for it may not broadcast: refused before anything leaves this machine.
    let mut a = Person::new("255.255.255.255:9".parse().expect("an address"), dir.path());
    a.client.register(clock::now(), account("a"), password(), password());
    a.until("trouble", |e| matches!(e, Event::NetworkTrouble(_)));
    a.until("no answer", |e| *e == Event::Registered(RegisterOutcome::NoAnswer));
    assert_eq!(a.seen.iter().filter(|e| matches!(e, Event::NetworkTrouble(_))).count(), 1);
}

/// A connection of which nothing was measured yet shows no time, and one that is quick no zero.
#[test]
fn what_is_not_measured_is_no_time() {
    let said = |micros| {
        let link =
            hongyan::client::session::ConnectionState::Connected { rtt: std::time::Duration::from_micros(micros) };
        link.sentence(std::time::Instant::now()).into_owned()
    };
    assert!(!said(0).contains("ms"), "{}", said(0));
    assert!(said(400).ends_with("< 1 ms") && said(12_400).ends_with(" 12 ms"), "{} {}", said(400), said(12_400));
}
