//! No reply is credited to a request it cannot belong to: every two requests that can be under way or late
//! together, with a server that answers the first one only when the second is on its way.

use std::collections::BTreeMap;

use std::time::Duration;

use super::*;
use crate::protocol::wire::frame::Key;
use crate::protocol::wire::reply::{LoggedIn, Registered};

const RTT: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);

/// A server of the course, which answers each datagram in its turn, except while it thinks.
struct Server {
    accounts: Vec<String>,
    /// Requests that begin so are not answered yet.
    slow: Option<&'static str>,
    /// What it says to them, in time.
    slow_answer: &'static str,
    held: usize,
    /// How often which request came.
    seen: BTreeMap<String, usize>,
}

impl Server {
    fn answer(&mut self, request: &str) -> Option<String> {
        *self.seen.entry(request.to_owned()).or_default() += 1;
        if self.slow.is_some_and(|slow| request.starts_with(slow)) {
            self.held += 1;
            return None;
        }
        let fields: Vec<&str> = request.split('#').collect();
        Some(
            match fields.as_slice() {
                ["01", account, ..] if self.accounts.iter().any(|known| known == account) => "01:03",
                ["01", account, ..] => {
                    self.accounts.push((*account).to_owned());
                    "01:01"
                }
                ["02", _, "right", ..] => "02:01",
                ["02", ..] => "02:02",
                ["03", ..] => "03:01",
                ["06", ..] => "06:01",
                ["08", ..] => "08:0",
                _ => "00:00",
            }
            .to_owned(),
        )
    }
}

struct World {
    now: Instant,
    session: Session,
    server: Server,
    coming: Vec<(Instant, String)>,
    events: Vec<Event>,
}

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn password(text: &str) -> Password {
    Password::parse(text).expect("valid")
}

impl World {
    fn new(slow: &'static str, slow_answer: &'static str) -> Self {
        let config = Config {
            server: SocketAddr::from(([127, 0, 0, 1], 1)),
            polling: Polling::Strict,
            dialect: Dialect::Auto,
            known: KnownServer::default(),
            allow_plain: true,
            seed: 7,
            carrier_seed: Some([7; 32]),
        };
        let server = Server { accounts: Vec::new(), slow: Some(slow), slow_answer, held: 0, seen: BTreeMap::default() };
        Self { now: Instant::now(), session: Session::new(config), server, coming: Vec::new(), events: Vec::new() }
    }

    fn drain(&mut self) {
        loop {
            if let Some(event) = self.session.poll_event() {
                if let Event::Outgoing { id, state: SendState::Sending } = event {
                    self.session.handle_noted(self.now, id, true);
                }
                self.events.push(event);
            } else if let Some(Transmit { bytes, .. }) = self.session.poll_transmit() {
                let request = String::from_utf8(bytes).expect("text");
                let answer = self.server.answer(&request);
                self.coming.extend(answer.map(|answer| (self.now + RTT, answer)));
            } else {
                return;
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.drain();
            let due = self.session.poll_timeout();
            let next = self.coming.iter().map(|(at, _)| *at).chain(due).min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            match self.coming.iter().position(|(at, _)| *at <= self.now) {
                Some(at) => {
                    let (_, answer) = self.coming.remove(at);
                    self.session.handle_datagram(self.now, answer.as_bytes());
                }
                None => self.session.handle_timeout(self.now),
            }
        }
    }

    /// Until the slow request is there; then until nobody waits for it any more, or until `most`.
    fn be_late(&mut self, most: Duration) {
        let end = self.now + most;
        while self.now < end && !self.is_given_up() {
            self.run(Duration::from_millis(5));
        }
        assert!(self.server.held > 0, "it was never asked: {:?}", self.server.seen);
    }

    fn is_given_up(&self) -> bool {
        self.server.held > 0
            && self.events.iter().any(|e| {
                matches!(
                    e,
                    Event::Registered(RegisterOutcome::NoAnswer)
                        | Event::LoggedIn(LoginOutcome::NoAnswer)
                        | Event::ConnectionState(ConnectionState::Retrying { .. })
                )
            })
    }

    /// All answers that were held back come now, before any other.
    fn wake(&mut self) {
        self.drain();
        self.server.slow = None;
        for _ in 0..std::mem::take(&mut self.server.held) {
            self.coming.push((self.now + RTT / 2, self.server.slow_answer.to_owned()));
        }
    }
}

/// What is asked first, and answered late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Hello,
    Who,
    Count,
    Register,
    Login,
    ByHand(&'static str),
}

/// What is on its way when that answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    Register,
    Login,
    WrongLogin,
    Send,
}

fn log_in(world: &mut World, name: &str, word: &str) {
    let kept =
        DeviceState { device: Key([1; 16]), token: None, cursor: None, newest: 0, delivered: 0, items: 0, made: None };
    world.session.login(world.now, account(name), password(word), kept);
}

/// What the first is asked for, until nobody waits for its answer any more.
fn ask(world: &mut World, first: First) {
    match first {
        // Two of them are under way when the first is answered; the other one's answer comes later.
        First::Hello => {}
        First::Register => {
            world.session.register(world.now, account("a"), password("x"), password("x"));
            world.be_late(20 * SECOND);
        }
        First::Login => {
            log_in(world, "b", "wrong");
            world.be_late(20 * SECOND);
        }
        First::Who | First::Count | First::ByHand(_) => {
            log_in(world, "c", "right");
            world.run(SECOND / 10);
            match first {
                First::Count => world.session.fetch_now(world.now),
                First::ByHand(bytes) => world.session.by_hand(world.now, bytes.into()),
                First::Who | First::Hello | First::Register | First::Login => {}
            }
            world.be_late(if first == First::Count { 20 * SECOND } else { 2 * SECOND });
        }
    }
}

/// What the second has come to is its own answer and nobody else's.
#[track_caller]
fn is_its_own(world: &World, second: Second, what: &str) {
    let ended: Vec<&Event> = world
        .events
        .iter()
        .filter(|e| matches!(e, Event::Registered(_) | Event::LoggedIn(_)))
        .filter(|e| second != Second::Send || !matches!(e, Event::LoggedIn(LoginOutcome::Done)))
        .collect();
    match second {
        Second::Register => {
            // Asked once more where it was unclear, it exists by then; never before.
            let twice = world.server.seen["01#d#x#x#"] > 1;
            let reply = if twice { Registered::AccountExists } else { Registered::Done };
            let right = Event::Registered(RegisterOutcome::Answered { reply, after_timeout: twice });
            assert_eq!(ended, [&right], "{what}");
        }
        Second::Login => assert_eq!(ended, [&Event::LoggedIn(LoginOutcome::Done)], "{what}"),
        Second::WrongLogin => {
            let wrong = Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword));
            assert_eq!(ended, [&wrong], "{what}");
        }
        Second::Send => {
            assert!(ended.is_empty(), "{what}: {ended:?}");
            let mut states = world.events.iter().filter_map(|e| match e {
                Event::Outgoing { state, .. } => Some(*state),
                _ => None,
            });
            let last = states.next_back();
            let went = matches!(last, Some(SendState::Sent | SendState::MaybeSentTwice));
            assert!(went, "{what}: {last:?}");
        }
    }
}

fn check(first: First, answer: &'static str, second: Second) {
    let what = format!("{first:?} is answered {answer} when {second:?} is on its way");
    let slow = match first {
        First::Hello => "10",
        First::Who => "11",
        First::Count => "08",
        First::Register => "01#a#",
        First::Login => "02#b#",
        First::ByHand(bytes) => bytes,
    };
    let mut world = World::new(slow, answer);
    ask(&mut world, first);
    if second == Second::Send && first != First::Who && first != First::Count && !matches!(first, First::ByHand(_)) {
        // A sender is logged in, so a server that answers in order has answered these before.
        if matches!(first, First::Hello | First::Login) {
            return;
        }
        log_in(&mut world, "c", "right");
        world.run(SECOND);
    }
    world.events.clear();
    match second {
        Second::Register => world.session.register(world.now, account("d"), password("x"), password("x")),
        Second::Login => log_in(&mut world, "d", "right"),
        Second::WrongLogin => log_in(&mut world, "d", "wrong, too"),
        Second::Send => {
            let text = MessageText::parse("hi").expect("valid");
            world.session.send(world.now, MessageId(1), account("e"), text);
            world.session.fetch_now(world.now);
        }
    }
    if first == First::Hello {
        world.run(Duration::from_millis(700));
        assert_eq!(world.server.held, 3, "{what}");
    }
    world.wake();
    world.run(25 * SECOND);
    is_its_own(&world, second, &what);
    let untrue = world.events.iter().find(|e| match e {
        Event::NotUnderstood(bytes) => !bytes.starts_with(slow.as_bytes()),
        Event::MaybeLost(_) => true,
        _ => false,
    });
    assert_eq!(untrue, None, "{what}");
}

#[test]
fn no_reply_is_credited_to_a_request_it_cannot_belong_to() {
    let table: &[(First, &[&'static str])] = &[
        (First::Hello, &["00:00", "07:01", "10:02"]),
        (First::Who, &["00:00", "07:01", "11:9"]),
        (First::Count, &["08:0", "07:01", "00:00"]),
        (First::Register, &["01:01", "01:02", "01:03", "01:09", "00:00"]),
        (First::Login, &["02:02", "02:03", "02:01", "02:09", "00:00"]),
        (First::ByHand("99#"), &["00:00", "99:01"]),
        (First::ByHand("01#b#y#z#"), &["01:02", "00:00"]),
        (First::ByHand("02#b#x#"), &["02:02", "02:01", "00:00"]),
        (First::ByHand("08##"), &["07:01", "08:0", "00:00"]),
        (First::ByHand("10#Q1#f00d##"), &["00:00", "10:01:Q1:f00d"]),
        (First::ByHand("hello"), &["00:00"]),
    ];
    for (first, answers) in table {
        for answer in *answers {
            for second in [Second::Register, Second::Login, Second::WrongLogin, Second::Send] {
                check(*first, answer, second);
            }
        }
    }
}
