//! Two clients and a server over real sockets.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use hongyan::client::{Client, Config, Event};
use hongyan::model::{Account, Password, SendState};
use hongyan::net::clock;
use hongyan::server::udp::{Config as ServerConfig, Server};
use hongyan::session::{Link, LoginOutcome, Polling, RegisterOutcome};
use hongyan::wire::reply::Registered;

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

impl Person {
    pub fn new(server: SocketAddr, data: &Path) -> Self {
        let (ring, rings) = crossbeam_channel::unbounded();
        let config = Config { server, bind: None, data: data.to_owned(), polling: Polling::Adaptive };
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

    /// One turn, after waiting at most so long for a reason.
    pub fn turn(&mut self, wait: Duration) {
        let _ = self.rings.recv_timeout(wait);
        while self.client.pump(clock::now) {}
        self.seen.extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    pub fn begin(server: SocketAddr, data: &Path, name: &str, new: bool) -> Self {
        let mut person = Self::new(server, data);
        if new {
            person.client.register(clock::now(), account(name), password(), password());
            person.until("registered", |e| {
                matches!(e, Event::Registered(RegisterOutcome::Answered { reply: Registered::Done, .. }))
            });
        }
        person.client.login(clock::now(), account(name), password()).expect("a history");
        person.until("logged in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
        person
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
    a.until("no answer", |e| *e == Event::Link(Link::Waiting));
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
