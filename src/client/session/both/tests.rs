use super::super::PlainReason;
use std::time::Duration;

use super::*;
use crate::protocol::link::{Event as Carried, Identity, Link as Carrier, PeerId};
use crate::protocol::wire::frame::{FromClient, FromServer, Key};

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn kept() -> DeviceState {
    DeviceState { device: Key([1; 16]), token: None, cursor: None, newest: 0, delivered: 0, items: 0, made: None }
}

/// A server that speaks plain, secure, or not at all, and a session.
struct World {
    now: Instant,
    session: Session,
    carrier: Option<Carrier>,
    peer: Option<PeerId>,
    answers: fn(&str) -> Option<String>,
    sent: Vec<String>,
    events: Vec<Event>,
    sends: Vec<u64>,
}

fn course(request: &str) -> Option<String> {
    let code = match request.get(..2)? {
        "01" => "01:01",
        "02" => "02:01",
        "03" => "03:01",
        "06" => "06:01",
        "08" => "08:0",
        _ => "00:00",
    };
    Some(code.to_owned())
}

/// One that is asked at each login what it speaks, as it knows the extensions.
fn ours_in_plain(request: &str) -> Option<String> {
    match request.get(..2) {
        Some("11") => Some("11:1:0:a".to_owned()),
        _ => course(request),
    }
}

fn ours(request: &str) -> Option<String> {
    match request.split('#').collect::<Vec<_>>()[..] {
        ["10", "Q1", nonce, ..] => Some(format!("10:01:Q1:{nonce}")),
        _ => Some("07:01".into()),
    }
}

fn carrier() -> Carrier {
    let identity = Identity::generate().expect("random bytes");
    Carrier::server(&identity, None).expect("an identity")
}

impl World {
    fn new(secure: bool, answers: fn(&str) -> Option<String>, allow_plain: bool, known: KnownServer) -> Self {
        let config = Config {
            server: at(1),
            polling: Polling::Strict,
            dialect: Dialect::Auto,
            known,
            allow_plain,
            seed: 7,
            carrier_seed: Some([7; 32]),
        };
        let carrier = secure.then(carrier);
        let (sent, events, sends) = (Vec::new(), Vec::new(), Vec::new());
        let session = Session::new(config);
        Self { now: Instant::now(), session, carrier, peer: None, answers, sent, events, sends }
    }

    fn log_in(&mut self) {
        let password = Password::parse("secret").expect("valid");
        self.session.login(self.now, account("a"), password, kept());
    }

    fn register(&mut self) {
        let password = Password::parse("secret").expect("valid");
        self.session.register(self.now, account("a"), password.clone(), password);
    }

    /// From now on the server speaks plain alone, and the connection to it is gone.
    fn downgrade(&mut self) -> Option<Carrier> {
        self.answers = course;
        self.carrier.take()
    }

    /// Pushes a message of this row; the token it has then.
    fn push(&mut self, row: u64) -> StoreToken {
        let (after, at) = (row.saturating_sub(1), 0);
        let frame = FromServer::Message {
            row,
            after,
            from: "b".into(),
            writer: None,
            at,
            text: "hi".into(),
            plain: None,
            made: None,
        };
        let (peer, carrier) = (self.peer.expect("connected"), self.carrier.as_mut().expect("secure"));
        carrier.send(self.now, peer, &frame.encode());
        self.run(Duration::from_secs(1));
        match self.events.last() {
            Some(Event::Received { token, .. }) => *token,
            other => panic!("{other:?}"),
        }
    }

    /// How often it was asked whether plain will do for one that was secure.
    fn asked(&self) -> usize {
        self.events.iter().filter(|e| **e == Event::PlainOnly(PlainReason::NoLonger)).count()
    }

    fn send(&mut self, id: i64) {
        let text = MessageText::parse("hi").expect("valid");
        self.session.send(self.now, MessageId(id), account("b"), text);
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            self.drain();
            let server = self.carrier.as_ref().and_then(Carrier::poll_timeout);
            let due = [self.session.poll_timeout(), server].into_iter().flatten().min();
            let Some(next) = due.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.session.handle_timeout(self.now);
            if let Some(carrier) = &mut self.carrier {
                carrier.handle_timeout(self.now);
            }
        }
        panic!("it never comes to rest: {:?}", self.events.last());
    }

    fn drain(&mut self) {
        loop {
            let now = self.now;
            if let Some(event) = self.session.poll_event() {
                if let Event::Outgoing { id, state: SendState::Sending } = event {
                    self.session.handle_noted(now, id, true);
                }
                self.events.push(event);
            } else if let Some(Transmit { bytes, cause }) = self.session.poll_transmit() {
                if cause != Cause::Secure {
                    let request = String::from_utf8(bytes).expect("text");
                    let answer = (self.answers)(&request);
                    self.sent.push(request);
                    if let Some(answer) = answer {
                        self.session.handle_datagram(now, answer.as_bytes());
                    }
                } else if let Some(carrier) = &mut self.carrier {
                    carrier.handle_datagram(now, at(2), &bytes);
                }
            } else if let Some(transmit) = self.carrier.as_mut().and_then(Carrier::poll_transmit) {
                self.session.handle_datagram(now, &transmit.bytes);
            } else if let Some(event) = self.carrier.as_mut().and_then(Carrier::poll_event) {
                self.serve(event);
            } else {
                return;
            }
        }
    }

    fn serve(&mut self, event: Carried) {
        let Carried::Frame { peer, bytes } = event else { return };
        self.peer = Some(peer);
        let answer = match FromClient::decode(&bytes).expect("a frame") {
            FromClient::Login { id, .. } | FromClient::Resume { id, .. } => {
                FromServer::LoggedIn { id, token: None, highest: 0, ended: None, start: None, made: None }
            }
            FromClient::Send { counter, .. } => {
                self.sends.push(counter);
                FromServer::Accepted { counter, row: 1, at: 0, online: true, made: None }
            }
            FromClient::Logout { id, .. } => FromServer::LoggedOut { id },
            _ => return,
        };
        let now = self.now;
        let carrier = self.carrier.as_mut().expect("it sent this");
        carrier.send(now, peer, &answer.encode());
    }

    fn has(&self, event: &Event) -> bool {
        self.events.contains(event)
    }

    fn count(&self, operation: &str) -> usize {
        self.sent.iter().filter(|request| request.starts_with(operation)).count()
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const DONE: Event = Event::LoggedIn(LoginOutcome::Done);
const FOREIGN: Event = Event::Extensions { known: false, shown: true };

#[test]
fn ours_is_spoken_to_securely_and_from_then_on_only_so() {
    let mut world = World::new(true, ours, true, KnownServer::default());
    world.log_in();
    world.send(1);
    world.run(Duration::from_secs(1));
    let pins = world.session.pins().to_vec();
    assert!(
        world.has(&DONE) && world.has(&Event::Speaks(SpokenDialect::Secure)) && world.has(&Event::Pin(pins[0].clone()))
    );
    assert_eq!((world.sends.as_slice(), world.sent.len(), world.count("10")), (&[1][..], 1, 1));
    // It is remembered: nothing is asked in text any more, and no text means anything.
    world.session.handle_datagram(world.now, b"09:b:2026-11-21 12:04:58:not from b");
    world.session.by_hand(world.now, b"08#".to_vec());
    world.session.go_offline(world.now);
    world.run(Duration::from_secs(1));
    world.session.go_online(world.now);
    world.run(Duration::from_secs(1));
    assert_eq!((world.count("10"), world.count("08"), world.sent.len()), (1, 1, 2));
    assert!(!world.events.iter().any(|e| matches!(e, Event::Received { .. })));
    let mut again = World::new(true, |_| None, true, KnownServer { secure_only: true, ..KnownServer::default() });
    again.log_in();
    again.run(Duration::from_secs(1));
    assert!(again.has(&DONE) && again.sent.is_empty());
}

#[test]
fn no_password_goes_out_in_plain_before_somebody_agreed() {
    let mut world = World::new(false, course, false, KnownServer::default());
    world.log_in();
    world.send(1);
    world.run(10 * MINUTE);
    assert!(world.has(&Event::PlainOnly(PlainReason::Only)) && !world.has(&DONE));
    assert_eq!(world.sent.len(), 1, "{:?}", world.sent);
    world.session.allow_plain(world.now);
    world.run(Duration::from_secs(1));
    assert!(world.has(&DONE) && world.has(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
    assert_eq!((world.count("02"), world.count("03")), (1, 1));
    // Or does not agree.
    let mut world = World::new(false, course, false, KnownServer::default());
    world.log_in();
    world.run(MINUTE);
    world.session.go_offline(world.now);
    world.run(MINUTE);
    assert!(world.has(&Event::WentOffline(Some(false))) && world.session.link() == ConnectionState::Offline);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn who_agreed_before_is_not_asked() {
    let mut world = World::new(false, course, true, KnownServer::default());
    world.register();
    world.log_in();
    world.run(Duration::from_secs(1));
    assert!(world.has(&DONE) && !world.events.iter().any(|e| matches!(e, Event::PlainOnly { .. })));
    assert_eq!((world.count("01"), world.count("02")), (1, 1));
    // What the secure dialect may have sent before is not sent in this one unasked.
    let text = MessageText::parse("hi").expect("valid");
    world.session.send_again(world.now, MessageId(5), account("b"), text);
    world.run(MINUTE);
    assert!(world.has(&Event::Outgoing { id: MessageId(5), state: SendState::MaybeSent }));
    assert_eq!(world.count("03"), 0);
}

#[test]
fn a_server_that_was_secure_and_is_not_is_told_and_not_trusted() {
    let known = KnownServer { pins: vec![vec![1; 44]], secure_only: true, ..KnownServer::default() };
    let mut world = World::new(false, course, true, known);
    world.log_in();
    world.send(1);
    world.run(MINUTE);
    assert!(world.session.is_doubting() && !world.events.iter().any(|e| matches!(e, Event::LoggedIn(_))));
    assert_eq!((world.asked(), world.count("02"), world.count("10")), (1, 0, 1), "{:?}", world.sent);
    world.session.allow_plain(world.now);
    // A late answer to what was sent in the other dialect.
    world.session.handle_datagram(world.now, b"00:00");
    world.run(Duration::from_secs(2));
    assert!(world.has(&DONE) && world.has(&Event::Speaks(SpokenDialect::Plain)));
    assert_eq!((world.count("02"), world.count("03")), (1, 1), "{:?}", world.sent);
}

#[test]
fn what_was_agreed_to_once_is_over_when_the_server_is_secure_again() {
    // Somebody agreed to plain; then the server learned the other.
    let mut world = World::new(false, ours_in_plain, false, KnownServer::default());
    world.log_in();
    world.run(MINUTE);
    world.session.allow_plain(world.now);
    world.run(2 * MINUTE);
    assert!(world.has(&DONE));
    world.session.forget();
    world.answers = ours;
    world.carrier = Some(carrier());
    world.log_in();
    world.run(Duration::from_secs(5));
    let [key] = world.session.pins() else { panic!("{:?}", world.events) };
    assert!(world.has(&Event::Pin(key.clone())) && world.asked() == 0);
    let before = world.count("02");
    // It forgets that while somebody is logged in: no password, no message, not even in the same run.
    let secure = world.downgrade();
    world.session.fetch_now(world.now);
    world.send(1);
    world.run(2 * MINUTE);
    assert_eq!((world.asked(), world.count("02"), world.count("03")), (1, before, 0), "{:?}", world.sent);
    world.session.allow_plain(world.now);
    world.run(Duration::from_secs(2));
    assert_eq!((world.count("02"), world.session.speaks()), (before + 1, Some(SpokenDialect::Plain)));
    // What was taken once is for its writer to send again, and what was not goes.
    world.send(2);
    world.run(Duration::from_secs(2));
    assert!(world.has(&Event::Outgoing { id: MessageId(2), state: SendState::Sent }));
    // Secure again, it is not left without another question.
    world.session.forget();
    world.answers = ours;
    world.carrier = secure;
    world.run(2 * MINUTE);
    world.log_in();
    world.run(Duration::from_secs(5));
    assert_eq!(world.session.speaks(), Some(SpokenDialect::Secure));
    let (before, asked) = (world.count("02"), world.asked());
    world.downgrade();
    world.session.fetch_now(world.now);
    world.run(2 * MINUTE);
    assert_eq!((world.asked(), world.count("02")), (asked + 1, before), "{:?}", world.sent);
}

#[test]
fn what_the_disk_says_late_is_for_the_session_that_asked_it() {
    for stored in [false, true] {
        let mut world = World::new(true, ours, true, KnownServer::default());
        world.log_in();
        world.run(Duration::from_secs(1));
        let token = world.push(1);
        // The disk is slow; meanwhile the server is another one.
        let secure = world.downgrade();
        world.session.fetch_now(world.now);
        world.run(MINUTE);
        world.session.allow_plain(world.now);
        world.run(Duration::from_secs(2));
        assert_eq!(world.session.speaks(), Some(SpokenDialect::Plain));
        world.session.handle_stored(world.now, token, stored);
        // Plain has no disk to wait for: it asks at its time, 30 s after the login, which was a second ago.
        assert_eq!((world.count("02"), world.count("08")), (1, 0));
        world.run(Duration::from_millis(29_500));
        assert_eq!(world.count("08"), 1, "stored: {stored}");
        // Of a later session no message has the same token.
        world.session.forget();
        world.answers = ours;
        world.carrier = secure;
        world.run(2 * MINUTE);
        world.log_in();
        world.run(Duration::from_secs(5));
        assert_eq!(world.session.speaks(), Some(SpokenDialect::Secure));
        assert_ne!(world.push(1), token);
    }
}

#[test]
fn a_registration_waits_for_the_same_answer() {
    let mut world = World::new(
        false,
        course,
        true,
        KnownServer { pins: vec![vec![1; 44]], secure_only: true, ..KnownServer::default() },
    );
    for n in 1..3 {
        world.register();
        world.run(MINUTE);
        assert_eq!((world.asked(), world.count("01")), (n, 0), "{:?}", world.sent);
        world.session.refuse_plain();
        world.run(MINUTE);
    }
    assert!(!world.events.iter().any(|e| matches!(e, Event::Registered(_))), "{:?}", world.events);
    world.register();
    world.run(MINUTE);
    world.session.allow_plain(world.now);
    world.run(Duration::from_secs(2));
    assert!(world.events.iter().any(|e| matches!(e, Event::Registered(RegisterOutcome::Answered { .. }))));
    assert_eq!((world.count("01"), world.count("02")), (1, 0), "{:?}", world.sent);
}

#[test]
fn whoever_stays_away_is_asked_again_when_they_come_back() {
    let mut world = World::new(true, ours, true, KnownServer::default());
    world.log_in();
    world.run(Duration::from_secs(10));
    let secure = world.downgrade();
    world.session.fetch_now(world.now);
    world.run(MINUTE);
    assert!(world.session.is_doubting());
    // It is itself again before anybody has said anything: the question is over.
    world.carrier = secure;
    world.run(MINUTE);
    assert!(!world.session.is_doubting() && matches!(world.session.link(), ConnectionState::Connected { .. }));
    world.session.allow_plain(world.now);
    world.run(MINUTE);
    assert_eq!((world.asked(), world.count("02"), world.session.speaks()), (1, 0, Some(SpokenDialect::Secure)));
    world.downgrade();
    world.session.fetch_now(world.now);
    for n in 2..4 {
        world.run(MINUTE);
        assert_eq!((world.asked(), world.count("02")), (n, 0), "{:?}", world.sent);
        world.session.go_offline(world.now);
        world.run(MINUTE);
        assert!(!world.session.is_doubting() && world.session.link() == ConnectionState::Offline);
        world.session.go_online(world.now);
    }
}

#[test]
fn silence_is_said_in_time_and_is_no_answer() {
    let mut world = World::new(false, |_| None, true, KnownServer::default());
    world.log_in();
    world.run(Duration::from_secs(14));
    assert_eq!(world.session.link(), ConnectionState::LoggingIn);
    world.run(Duration::from_secs(2));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Unheard)) && world.session.link() == ConnectionState::Offline);
    assert_eq!((world.session.poll_timeout(), world.count("02")), (None, 0));
    // Later it is there.
    world.answers = course;
    world.session.go_online(world.now);
    world.run(Duration::from_secs(1));
    assert!(world.has(&DONE));
}

#[test]
fn a_server_known_as_foreign_is_not_asked_again_in_this_run_or_the_next() {
    let mut world = World::new(false, course, true, KnownServer::default());
    world.log_in();
    world.run(MINUTE);
    assert!(world.has(&DONE) && world.has(&FOREIGN));
    let beyond = |world: &World| (world.count("10"), world.count("11"));
    assert_eq!(beyond(&world), (1, 1), "{:?}", world.sent);
    world.session.go_offline(world.now);
    world.run(5 * MINUTE);
    world.log_in();
    world.run(5 * MINUTE);
    assert_eq!((world.count("02"), beyond(&world)), (2, (1, 1)), "{:?}", world.sent);
    let known = KnownServer { foreign: true, ..KnownServer::default() };
    let mut next = World::new(false, course, true, known);
    next.log_in();
    next.run(5 * MINUTE);
    assert!(next.has(&DONE) && next.has(&FOREIGN));
    assert_eq!(beyond(&next), (0, 0), "{:?}", next.sent);
}

#[test]
fn nobody_goes_on_in_a_dialect_that_is_left() {
    // It spoke the plain dialect alone when somebody logged in, and speaks the other when they do so again.
    let mut world = World::new(false, ours_in_plain, true, KnownServer::default());
    world.log_in();
    world.run(2 * MINUTE);
    assert!(world.has(&DONE) && world.session.speaks() == Some(SpokenDialect::Plain));
    world.answers = ours;
    world.carrier = Some(carrier());
    world.events.clear();
    let before = world.sent.len();
    world.log_in();
    world.run(5 * MINUTE);
    assert!(world.has(&DONE) && world.session.speaks() == Some(SpokenDialect::Secure), "{:?}", world.events);
    // One question, and nothing more that everybody can read.
    assert_eq!((world.sent.len(), world.count("10")), (before + 1, 2), "{:?}", world.sent);
    assert!(
        !world
            .events
            .iter()
            .any(|e| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. }) | Event::Silent(Some(_))))
    );
}

#[test]
fn a_login_that_is_given_up_while_the_server_is_asked_leaves_none_of_before() {
    let mut world = World::new(false, ours_in_plain, true, KnownServer::default());
    world.log_in();
    world.run(2 * MINUTE);
    world.answers = |_| None;
    world.log_in();
    world.run(MINUTE);
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Unheard)) && world.session.link() == ConnectionState::Offline);
    let before = world.sent.len();
    world.run(5 * MINUTE);
    assert_eq!((world.sent.len(), world.session.poll_timeout()), (before, None), "{:?}", world.sent);
}

#[test]
fn what_was_never_reached_in_the_secure_dialect_is_done_in_the_plain_one() {
    // It says that it speaks the secure dialect, and is another program before anybody was there in that.
    let mut world = World::new(false, ours, true, KnownServer::default());
    world.log_in();
    world.send(1);
    world.run(Duration::from_millis(100));
    assert_eq!(world.session.speaks(), Some(SpokenDialect::Secure));
    world.answers = course;
    world.run(14 * Duration::from_secs(1));
    assert!(world.has(&DONE) && world.session.speaks() == Some(SpokenDialect::Plain), "{:?}", world.events);
    assert!(world.has(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
    world.run(5 * MINUTE);
    let logins = world.events.iter().filter(|e| matches!(e, Event::LoggedIn(_))).count();
    assert_eq!((logins, world.count("02"), world.count("03")), (1, 1, 1), "{:?}", world.sent);
}

#[test]
fn a_registration_goes_on_when_whoever_was_logged_in_is_forgotten() {
    // While somebody is asked whether plain will do.
    let mut world = World::new(false, course, false, KnownServer::default());
    world.register();
    world.run(Duration::from_secs(1));
    assert!(world.has(&Event::PlainOnly(PlainReason::Only)));
    world.session.forget();
    world.session.allow_plain(world.now);
    world.run(Duration::from_secs(2));
    assert_eq!(world.count("01"), 1, "{:?}", world.sent);
    // And in the second before it is spoken in place of the secure dialect.
    let known = KnownServer { pins: vec![vec![1; 44]], secure_only: true, ..KnownServer::default() };
    let mut world = World::new(false, course, true, known);
    world.register();
    world.run(MINUTE);
    world.session.allow_plain(world.now);
    world.session.forget();
    world.run(Duration::from_secs(2));
    assert_eq!(world.count("01"), 1, "{:?}", world.sent);
}

#[test]
fn a_server_of_ours_whose_answers_are_lost_is_asked_for_the_other_dialect_again_at_the_next_login() {
    // Another program was at its address before it, and had 10 not understood.
    let mut world = World::new(false, course, true, KnownServer::default());
    world.answers = |request| match request.get(..2) {
        Some("11") => None,
        _ => course(request),
    };
    world.log_in();
    world.run(MINUTE);
    for _ in 0..2 {
        world.session.ask_who(world.now);
        world.run(MINUTE);
    }
    assert!(world.has(&DONE) && world.count("11") == 6, "{:?}", world.sent);
    assert!(world.has(&Event::Extensions { known: false, shown: false }) && !world.has(&FOREIGN));
    assert!(world.session.choice.known().may_be_asked(), "a silence is no answer");
    world.session.go_offline(world.now);
    world.run(2 * MINUTE);
    let before = world.count("10");
    world.log_in();
    world.run(Duration::from_secs(1));
    assert_eq!(world.count("10"), before + 1);
}
