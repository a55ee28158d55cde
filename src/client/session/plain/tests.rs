use std::collections::HashMap;
use std::net::SocketAddr;

use super::*;
use crate::protocol::wire::reply::LoggedIn;
use crate::server::engine::{Effect, Engine, Now};
use crate::server::hasher::{Hashed, Job, Outcome};
use crate::server::store::{Op, Store, Write};
use crate::server::{OnSecondLogin, Quotas};

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn password() -> Password {
    Password::parse("x").expect("valid")
}

/// Runs a session against a script: each request must be as given and gets the answer beside it; `None` is silence.
fn scripted(session: &mut Session, now: &mut Instant, script: &[(&str, Option<&str>)]) -> Vec<Event> {
    let mut events = Vec::new();
    for (i, (request, answer)) in script.iter().enumerate() {
        let sent = loop {
            settle(session, *now, &mut events);
            if let Some(transmit) = session.poll_transmit() {
                break transmit;
            }
            let due = session.poll_timeout().unwrap_or_else(|| panic!("line {i}: nothing is sent or waited for"));
            assert!(due >= *now || session.poll_timeout() == Some(due), "line {i}");
            *now = due.max(*now);
            session.handle_timeout(*now);
        };
        assert_eq!(String::from_utf8_lossy(&sent.bytes), *request, "line {i}");
        if let Some(answer) = answer {
            *now += Duration::from_millis(10);
            session.handle_datagram(*now, answer.as_bytes());
        }
    }
    settle(session, *now, &mut events);
    events
}

fn settle(session: &mut Session, now: Instant, events: &mut Vec<Event>) {
    while let Some(event) = session.poll_event() {
        if let Event::Received { token, .. } = &event {
            session.handle_stored(now, *token, true);
        }
        if let Event::Outgoing { id, state: SendState::Sending } = &event {
            session.handle_noted(now, *id, true);
        }
        events.push(event);
    }
}

fn online(now: &mut Instant, who: Option<&str>) -> Session {
    let mut session = Session::new(Polling::Adaptive);
    session.login(*now, account("a"), password());
    scripted(&mut session, now, &[("02#a#x#", Some("02:01")), ("11#0#", who), ("08#", Some("08:0"))]);
    session
}

#[test]
fn login_is_served_or_offered_a_takeover() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let events = scripted(&mut session, &mut now, &[("02#a#x#", Some("02:04")), ("08#", Some("08:0"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Done)));

    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let events = scripted(&mut session, &mut now, &[("02#a#x#", Some("02:04")), ("08#", Some("07:01"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn))));
    session.take_over(now);
    let events = scripted(&mut session, &mut now, &[("06#", Some("06:01")), ("02#a#x#", Some("02:01"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Done)));
}

#[test]
fn four_tries_then_no_answer() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let start = now;
    scripted(&mut session, &mut now, &[("02#a#x#", None); 4]);
    assert_eq!(now - start, Duration::from_secs(1 + 2 + 4));
    now += Duration::from_secs(8);
    session.handle_timeout(now);
    let mut events = Vec::new();
    settle(&mut session, now, &mut events);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::NoAnswer)));
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_lost_answer_to_03_is_fenced_and_said() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("11:1:0:a"));
    let id = MessageId(7);
    session.send(now, id, account("b"), MessageText::parse("hi").expect("valid"));
    let script = [("03#b#hi#", None), ("08#", Some("08:0")), ("03#b#hi#", Some("03:01"))];
    let events = scripted(&mut session, &mut now, &script);
    assert_eq!(
        events.iter().rfind(|e| matches!(e, Event::Outgoing { .. })),
        Some(&Event::Outgoing { id, state: SendState::MaybeSentTwice })
    );
    // Before the next one a fence again, so that a late answer confirms nothing else.
    session.send(now, MessageId(8), account("b"), MessageText::parse("ho").expect("valid"));
    // The poll that follows a sending may come first.
    session.handle_datagram(now, b"08:0");
    let events = scripted(&mut session, &mut now, &[("08#", Some("08:0"))]);
    assert!(!events.contains(&Event::Outgoing { id: MessageId(8), state: SendState::Sent }));
}

#[test]
fn a_late_answer_confirms_its_own_message_on_a_foreign_server() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.send(now, MessageId(1), account("b"), MessageText::parse("hi").expect("valid"));
    scripted(&mut session, &mut now, &[("03#b#hi#", None), ("08#", Some("08:0"))]);
    session.handle_datagram(now, b"03:01");
    let mut events = Vec::new();
    settle(&mut session, now, &mut events);
    assert!(events.contains(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
}

#[test]
fn takes_wait_for_the_disk_and_equal_messages_are_messages() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.fetch_now(now);
    session.handle_timeout(now);
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"08#".to_vec()));
    session.handle_datagram(now, b"08:2");
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"09#".to_vec()));
    let message = b"09:b:2026-11-21 12:04:58:hi: there";
    session.handle_datagram(now, message);
    assert_eq!(session.poll_transmit(), None, "not before it is stored");
    let token = std::iter::from_fn(|| session.poll_event())
        .find_map(|e| if let Event::Received { token, text, .. } = e { Some((token, text)) } else { None });
    let Some((token, text)) = token else { panic!("a message") };
    assert_eq!(text, "hi: there");
    session.handle_stored(now, token, true);
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"09#".to_vec()));
    session.handle_datagram(now, message);
    assert!(std::iter::from_fn(|| session.poll_event()).any(|e| matches!(e, Event::Received { repeat: false, .. })));
}

#[test]
fn a_session_the_server_forgot_is_logged_in_again() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.send(now, MessageId(1), account("b"), MessageText::parse("hi").expect("valid"));
    let script = [("03#b#hi#", Some("07:01")), ("02#a#x#", Some("02:01")), ("03#b#hi#", Some("03:01"))];
    let events = scripted(&mut session, &mut now, &script);
    assert!(events.contains(&Event::ConnectionState(ConnectionState::LoggedOut)));
    assert!(events.contains(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
}

#[test]
fn a_count_that_fell_by_itself_is_said() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.fetch_now(now);
    // The answer to 09 is lost, and the message with it.
    let script = [("08#", Some("08:2")), ("09#", None), ("08#", Some("08:1"))];
    let events = scripted(&mut session, &mut now, &script);
    assert!(events.contains(&Event::MaybeLost(1)));
}

#[test]
fn strictly_every_thirty_seconds() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Strict);
    session.login(now, account("a"), password());
    scripted(&mut session, &mut now, &[("02#a#x#", Some("02:01")), ("11#0#", Some("00:00"))]);
    let start = now;
    scripted(&mut session, &mut now, &[("08#", Some("08:0")); 4]);
    let seconds = (now - start).as_secs_f64();
    assert!((120.0..120.5).contains(&seconds), "{seconds}");
}

/// How many messages the first of a lossy chat sends to the second.
const MESSAGES: i64 = 20;

/// Random numbers of a seed, the same in each run.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 0 to 99.
    fn percent(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % 100
    }
}

/// One end of a lossy chat.
struct Client {
    name: &'static str,
    session: Session,
    port: u16,
    logged_in: bool,
    /// The server has said that it is one of ours.
    known: bool,
}

impl Client {
    fn new(name: &'static str, port: u16, now: Instant) -> Self {
        let mut client = Self { name, session: Session::new(Polling::Adaptive), port, logged_in: false, known: false };
        client.log_in(now);
        client
    }

    fn log_in(&mut self, now: Instant) {
        self.session.login(now, account(self.name), password());
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

/// Two sessions, our engine and a database in virtual time, while datagrams are lost at a rate. With `trouble` the
/// reader's disk also refuses messages, and both clients come, go, and change their addresses.
struct LossyChat {
    seed: u64,
    /// Datagrams lost, per cent.
    loss: u64,
    trouble: bool,
    dice: Dice,
    now: Instant,
    engine: Engine,
    store: Store,
    _folder: tempfile::TempDir,
    /// The one who sends, and the one who reads.
    clients: [Client; 2],
    /// The messages are in the sender's outbox.
    given: bool,
    states: HashMap<MessageId, SendState>,
    /// What the reader has stored, once for each time it came.
    got: Vec<String>,
    /// The reader's disk refused a message before the server was known, so that its count proves nothing.
    uncounted: bool,
}

impl LossyChat {
    fn new(seed: u64, loss: u64, trouble: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path()).expect("a database");
        store.connection().execute_batch("PRAGMA synchronous = OFF").expect("only speed matters here");
        let hashed = || Hashed { salt: Vec::new(), hash: Vec::new() };
        for (job, name) in [(1, "a"), (2, "b")] {
            store.run(&[Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 })]);
        }
        let now = Instant::now();
        let local_time = |_| "2026-11-21 12:04:58".to_owned();
        let snapshot = store.snapshot(i64::MIN).expect("readable");
        let clock = Now { instant: now, unix: 0 };
        Self {
            seed,
            loss,
            trouble,
            dice: Dice::new(seed),
            now,
            engine: Engine::new(OnSecondLogin::Arm, Quotas::default().unpaced(), local_time, snapshot, clock),
            store,
            _folder: folder,
            clients: [Client::new("a", 1, now), Client::new("b", 2, now)],
            given: false,
            states: HashMap::new(),
            got: Vec::new(),
            uncounted: false,
        }
    }

    /// Goes on until nothing is open any more, or for an hour of virtual time.
    fn run(&mut self) {
        let start = self.now;
        while self.now - start < Duration::from_secs(3_600) {
            let mut quiet = true;
            for i in 0..self.clients.len() {
                quiet &= !self.client(i);
            }
            if self.give() {
                continue;
            }
            quiet &= !self.server();
            if !quiet {
                continue;
            }
            if self.done() {
                break;
            }
            self.sleep();
            self.wake();
        }
    }

    /// Takes all that a client's session has to say; whether that was anything.
    fn client(&mut self, i: usize) -> bool {
        let mut any = false;
        while let Some(event) = self.clients[i].session.poll_event() {
            any = true;
            self.event(i, event);
        }
        while let Some(transmit) = self.clients[i].session.poll_transmit() {
            any = true;
            if self.dice.percent() >= self.loss {
                let clock = self.clock();
                self.engine.datagram(clock, self.clients[i].address(), &transmit.bytes);
            }
        }
        any
    }

    fn event(&mut self, i: usize, event: Event) {
        let client = &mut self.clients[i];
        match event {
            Event::LoggedIn(LoginOutcome::Done) => client.logged_in = true,
            Event::LoggedIn(_) if !self.given => client.log_in(self.now),
            Event::Outgoing { id, state } => {
                self.states.insert(id, state);
                if state == SendState::Sending {
                    client.session.handle_noted(self.now, id, true);
                }
            }
            Event::Extensions { known: ours, .. } => client.known = ours,
            Event::Received { token, text, repeat, .. } => {
                let stored = !self.trouble || self.dice.percent() < 90;
                // Nothing is proved of a server that has not said what it is, nor by a count from before the
                // disk refused what that handed out.
                self.uncounted |= !stored && !client.known;
                let unproved = (self.uncounted || !client.known) && self.got.contains(&text);
                if stored && !repeat && !unproved {
                    self.got.push(text);
                }
                client.session.handle_stored(self.now, token, stored);
            }
            _ => {}
        }
    }

    /// Sends all messages as soon as both are logged in; whether that was now.
    fn give(&mut self) -> bool {
        if self.given || !self.clients.iter().all(|client| client.logged_in) {
            return false;
        }
        self.given = true;
        for n in 0..MESSAGES {
            let text = MessageText::parse(&n.to_string()).expect("valid");
            self.clients[0].session.send(self.now, MessageId(n), account("b"), text);
        }
        true
    }

    /// Does all that the engine asks for; whether that was anything.
    fn server(&mut self) -> bool {
        let clock = self.clock();
        let mut any = false;
        while let Some(effect) = self.engine.poll_effect() {
            any = true;
            match effect {
                Effect::Store(op) => {
                    for done in self.store.run(&[op]).done {
                        self.engine.stored(clock, done);
                    }
                }
                Effect::Hash(Job::Check { job, .. }) => {
                    self.engine.hashed(clock, Outcome::Checked { job, right: true })
                }
                Effect::Hash(Job::New { .. }) => panic!("nobody registers"),
                Effect::Frame { .. } | Effect::Close { .. } => panic!("there is no device"),
                Effect::Administered { .. } => panic!("there is no operator"),
                Effect::Reply { to, bytes } => {
                    let client = self.clients.iter_mut().find(|client| client.port == to.port());
                    if let Some(client) = client.filter(|_| self.dice.percent() >= self.loss) {
                        client.session.handle_datagram(self.now, &bytes);
                    }
                }
            }
        }
        any
    }

    /// Each message came or is given up, and the sender waits for nothing.
    fn done(&self) -> bool {
        let came =
            |n| self.got.contains(&i64::to_string(&n)) || self.states.get(&MessageId(n)) == Some(&SendState::NoAnswer);
        let settled = |state: &SendState| match state {
            SendState::Sent | SendState::MaybeSentTwice | SendState::NoAnswer => true,
            state => self.trouble && *state == SendState::OfflineOrUnknown,
        };
        self.given
            && self.states.len() == MESSAGES as usize
            && (0..MESSAGES).all(came)
            && self.states.values().all(settled)
    }

    /// Until a session's time has come.
    fn sleep(&mut self) {
        let due = self.clients.iter().filter_map(|client| client.session.poll_timeout()).min();
        self.now = match due {
            Some(due) => due.max(self.now),
            None if self.trouble => self.now + Duration::from_secs(20),
            None => panic!("seed {}: nobody waits for anything", self.seed),
        };
    }

    /// Tells the sessions the time; in trouble some then come, go, or have another address.
    fn wake(&mut self) {
        let trouble = self.trouble && self.given;
        for client in &mut self.clients {
            client.session.handle_timeout(self.now);
            match (client.session.link(), self.dice.percent()) {
                (ConnectionState::Offline | ConnectionState::LoggedOut, 0..30) if trouble => {
                    client.session.go_online(self.now)
                }
                (ConnectionState::Offline, _) => {}
                (_, 0) if trouble => client.session.go_offline(self.now),
                (_, 1) if trouble => client.port += 2,
                _ => {}
            }
        }
    }

    /// Each message came as often as its state says.
    fn check(&self) {
        for n in 0..MESSAGES {
            let times = self.got.iter().filter(|text| **text == n.to_string()).count();
            let state = self.states.get(&MessageId(n));
            let right = match state {
                Some(SendState::Sent | SendState::OfflineOrUnknown) => times == 1,
                Some(SendState::MaybeSentTwice) => (1..=2).contains(&times),
                Some(SendState::NoAnswer) => times <= 2,
                _ => false,
            };
            let Self { seed, loss, .. } = self;
            assert!(right, "seed {seed}, loss {loss} %: message {n} is {state:?} and came {times} times");
        }
    }

    fn clock(&self) -> Now {
        Now { instant: self.now, unix: 0 }
    }
}

fn lossy_chat(seed: u64, loss: u64, trouble: bool) {
    let mut chat = LossyChat::new(seed, loss, trouble);
    chat.run();
    chat.check();
}

#[test]
fn at_any_loss_nothing_is_lost_and_doubles_are_said() {
    for seed in 0..200 {
        lossy_chat(seed, seed % 4 * 10, false);
    }
}

#[test]
fn neither_a_bad_disk_nor_another_address_loses_anything() {
    for seed in 0..200 {
        lossy_chat(seed, seed % 4 * 10, true);
    }
}
