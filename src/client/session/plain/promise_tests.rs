//! What a client owes its user, promise by promise: a session in virtual time against a server that is a function from
//! a request to its answers.

mod by_hand;
mod chaos;
mod fragile;
mod leaving;
mod messages;
mod password;
mod polling;
mod repeats;
mod rooms;
mod silence;
mod unanswered;

use super::*;
use crate::protocol::wire::reply::LoggedIn;

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn text(text: &str) -> MessageText {
    MessageText::parse(text).expect("valid")
}

const RTT: Duration = Duration::from_millis(10);

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A request's answers, and how long after it each arrives.
type Answers = Vec<(Duration, String)>;

/// A server: returns its answers to a request at a time.
type Server<'a> = Box<dyn FnMut(Duration, &str) -> Answers + 'a>;

/// The event that the server has said that it knows the extensions.
const OURS: Event = Event::Extensions { known: true, shown: true };
const FOREIGN: Event = Event::Extensions { known: false, shown: true };

fn at_once(answer: &str) -> Answers {
    vec![(RTT, answer.to_owned())]
}

struct World<'a> {
    session: Session,
    start: Instant,
    now: Instant,
    server: Server<'a>,
    coming: Vec<(Instant, String)>,
    /// The datagrams that were sent, and when.
    sent: Vec<(Duration, String)>,
    events: Vec<(Duration, Event)>,
    /// How many deadlines came without anything to send.
    idle_wakes: usize,
    disk_works: bool,
    disk_takes: Duration,
    /// The writes that the disk is busy with, and what their results will be.
    disk: Vec<(Instant, Event, bool)>,
}

impl<'a> World<'a> {
    fn new(polling: Polling, server: impl FnMut(Duration, &str) -> Answers + 'a) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(polling),
            start: now,
            now,
            server: Box::new(server),
            coming: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            idle_wakes: 0,
            disk_works: true,
            disk_takes: Duration::ZERO,
            disk: Vec::new(),
        }
    }

    /// Makes a world with a session that is logged in, after its first questions.
    fn online(polling: Polling, server: impl FnMut(Duration, &str) -> Answers + 'a) -> Self {
        let mut world = Self::new(polling, server);
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.run(Duration::from_millis(100));
        assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)), "{:?}", world.events);
        world.sent.clear();
        world.events.clear();
        world.idle_wakes = 0;
        world
    }

    fn time(&self) -> Duration {
        self.now - self.start
    }

    fn drain(&mut self) {
        loop {
            let time = self.time();
            if let Some(event) = self.session.poll_event() {
                if matches!(event, Event::Received { .. } | Event::Outgoing { state: SendState::Sending, .. }) {
                    self.disk.push((self.now + self.disk_takes, event.clone(), self.disk_works));
                }
                if self.disk_takes.is_zero() {
                    self.disk_done();
                }
                self.events.push((time, event));
            } else if let Some(transmit) = self.session.poll_transmit() {
                let request = String::from_utf8_lossy(&transmit.bytes).into_owned();
                let storing = self.disk.iter().any(|(_, e, _)| matches!(e, Event::Received { .. }));
                // Nor does what is typed without a login, as far as we know.
                let again = matches!(transmit.cause, Cause::Again(_))
                    || !matches!(self.session.state, State::Online | State::LoggingIn);
                let harmless = again || request.starts_with("01") || request.starts_with("02");
                assert!(
                    !storing || harmless,
                    "{request} confirms what is not on disk: {:?} {:?}",
                    self.sent.last_chunk::<4>(),
                    self.events.last_chunk::<6>()
                );
                for (after, answer) in (self.server)(time, &request) {
                    self.coming.push((self.now + after, answer));
                }
                self.sent.push((time, request));
            } else {
                return;
            }
        }
    }

    /// Completes the disk's first write.
    fn disk_done(&mut self) {
        if self.disk.is_empty() {
            return;
        }
        match self.disk.remove(0) {
            (_, Event::Received { token, .. }, worked) => self.session.handle_stored(self.now, token, worked),
            (_, Event::Outgoing { id, .. }, worked) => self.session.handle_noted(self.now, id, worked),
            (_, other, _) => panic!("{other:?}"),
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            self.drain();
            self.coming.sort_by_key(|(at, _)| *at);
            let answer = self.coming.first().map(|(at, _)| *at);
            let disk = self.disk.first().map(|(at, ..)| *at);
            let due = self.session.poll_timeout();
            let Some(next) = [answer, disk, due].into_iter().flatten().min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            assert!(next >= self.now || due == Some(next), "time goes forward");
            self.now = self.now.max(next);
            if disk == Some(next) {
                self.disk_done();
            } else if answer == Some(next) {
                let (_, answer) = self.coming.remove(0);
                self.session.handle_datagram(self.now, answer.as_bytes());
            } else {
                let before = self.sent.len() + self.events.len();
                self.session.handle_timeout(self.now);
                self.drain();
                self.idle_wakes += usize::from(self.sent.len() + self.events.len() == before);
            }
        }
        panic!("it never comes to rest: {:?}", self.sent.last_chunk::<10>());
    }

    /// Runs until all tries have failed.
    fn run_until_retrying(&mut self) -> Instant {
        for _ in 0..600 {
            if let ConnectionState::Retrying { at } = self.session.link()
                && at > self.now
            {
                return at;
            }
            self.run(Duration::from_millis(100));
        }
        panic!("{:?}", self.session.link());
    }

    fn send(&mut self, id: i64, to: &str) {
        self.session.send(self.now, MessageId(id), account(to), text(&id.to_string()));
    }

    fn has(&self, event: &Event) -> bool {
        self.events.iter().any(|(_, e)| e == event)
    }

    fn state(&self, id: i64) -> Option<SendState> {
        self.events.iter().rev().find_map(|(_, e)| match e {
            Event::Outgoing { id: i, state } if *i == MessageId(id) => Some(*state),
            _ => None,
        })
    }

    fn requests(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, request)| request.as_str()).collect()
    }

    fn count(&self, operation: &str) -> usize {
        self.sent.iter().filter(|(_, request)| request.starts_with(operation)).count()
    }
}

/// The answers of a server without extensions, messages or faults.
fn plain(request: &str) -> Answers {
    at_once(match request.get(..2) {
        Some("01") => "01:01",
        Some("02") => "02:01",
        Some("03") => "03:01",
        Some("04") => "04:0",
        Some("05") => "05:01",
        Some("06") => "06:01",
        Some("08") => "08:0",
        Some("09") => "09:01",
        _ => "00:00",
    })
}

fn ours(request: &str) -> Answers {
    if request.starts_with("11") { at_once("11:1:0:a") } else { plain(request) }
}
