//! The client with a course server by another author: it cuts a text at the first `#`, answers `02:04` and still
//! serves, moves a session to the last login, forgets sessions, loses answers together with their messages, writes
//! times in its own formats, and does not know this project's extensions.

use std::collections::{HashMap, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use hongyan::base::model::{Account, Password, SendState};
use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::client::session::{ConnectionState, LoginOutcome, RegisterOutcome};
use hongyan::protocol::wire::Charset;
use hongyan::protocol::wire::reply::{LoggedIn, Registered};

use crate::client::{Person, account, password};
use crate::student::Student;

/// What this server does its own way.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// How it writes every message's time.
    pub time: &'static str,
    /// Answers lost, per cent.
    pub loss: u64,
    pub seed: u64,
    /// Messages to somebody offline wait for them; the answer is `03:02` all the same.
    pub keeps: bool,
    /// What it does not know is not answered at all.
    pub silent: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { time: "2026-11-21 12:04:58", loss: 0, seed: 1, keeps: false, silent: false }
    }
}

/// A request and what became of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub from: SocketAddr,
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
    pub lost: bool,
}

impl Exchange {
    pub fn is(&self, request: &str) -> bool {
        self.request == request.as_bytes()
    }
}

/// The server, on a thread of its own.
pub struct Course {
    pub address: SocketAddr,
    pub seen: Receiver<Exchange>,
    world: Arc<Mutex<World>>,
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

/// Who wrote it, and what.
type Unread = (Vec<u8>, Vec<u8>);

struct World {
    habits: Habits,
    random: u64,
    accounts: HashMap<Vec<u8>, Vec<u8>>,
    sessions: HashMap<Vec<u8>, SocketAddr>,
    unread: HashMap<Vec<u8>, VecDeque<Unread>>,
    /// The next answers that begin so are lost.
    lose: Vec<&'static str>,
    /// Nothing is read at all.
    asleep: bool,
}

impl Course {
    pub fn start(habits: Habits) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("bound");
        let (saw, seen) = crossbeam_channel::unbounded();
        let world = Arc::new(Mutex::new(World {
            habits,
            random: habits.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            accounts: HashMap::new(),
            sessions: HashMap::new(),
            unread: HashMap::new(),
            lose: Vec::new(),
            asleep: false,
        }));
        let (own, shared) = (socket.try_clone().expect("a socket"), Arc::clone(&world));
        let thread = std::thread::Builder::new().name("course".into()).spawn(move || serve(&own, &shared, &saw));
        Self { address, seen, world, socket, thread: Some(thread.expect("a thread")) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As a restart of a server that keeps nothing but its accounts.
    pub fn forget_sessions(&self) {
        self.world().sessions.clear();
    }

    /// The next answer that begins so is lost.
    pub fn lose(&self, answer: &'static str) {
        self.world().lose.push(answer);
    }

    /// Whether it is there at all.
    pub fn sleep(&self, asleep: bool) {
        self.world().asleep = asleep;
    }

    /// Everything asked since the last call.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.seen.try_iter().collect()
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        let _ = self.socket.send_to(&[], self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &UdpSocket, world: &Mutex<World>, saw: &Sender<Exchange>) {
    let mut buffer = [0; 2048];
    while let Ok((n, from)) = socket.recv_from(&mut buffer) {
        if n == 0 {
            return;
        }
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        if world.asleep {
            continue;
        }
        let request = buffer[..n].to_vec();
        let answer = world.answer(from, &request).unwrap_or_default();
        let lost = world.loses(&answer);
        if !lost {
            let _ = socket.send_to(&answer, from);
        }
        let _ = saw.send(Exchange { from, request, answer, lost });
    }
}

impl World {
    fn loses(&mut self, answer: &[u8]) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let asked = self.lose.iter().position(|start| answer.starts_with(start.as_bytes()));
        if let Some(i) = asked {
            self.lose.remove(i);
        }
        asked.is_some() || answer.is_empty() || self.random % 100 < self.habits.loss
    }

    /// Bytes in, bytes out: this server never heard of charsets.
    fn answer(&mut self, from: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
        let fields: Vec<&[u8]> = request.split(|b| *b == b'#').collect();
        let me = self.sessions.iter().find(|(_, at)| **at == from).map(|(name, _)| name.clone());
        let unknown = (!self.habits.silent).then(|| b"00:00".to_vec());
        let say = |text: &str| Some(text.as_bytes().to_vec());
        match (fields.as_slice(), me) {
            ([b"01", name, password, confirm, ..], _) => {
                if password != confirm {
                    return say("01:02");
                }
                if self.accounts.contains_key(*name) {
                    return say("01:03");
                }
                self.accounts.insert(name.to_vec(), password.to_vec());
                say("01:01")
            }
            ([b"02", name, password, ..], _) => match self.accounts.get(*name) {
                None => say("02:03"),
                Some(right) if right != password => say("02:02"),
                // Moved at once, and told that it was there already.
                Some(_) => say(if self.sessions.insert(name.to_vec(), from).is_some() { "02:04" } else { "02:01" }),
            },
            ([b"06", ..], Some(me)) => {
                self.sessions.remove(&me);
                say("06:01")
            }
            ([b"03" | b"04" | b"05" | b"06" | b"08" | b"09", ..], None) => say("07:01"),
            ([b"03", to, ..], _) if to.starts_with(b"@") => unknown,
            // Cut at the first `#`, whatever follows.
            ([b"03", to, text, ..], Some(me)) => {
                let online = self.sessions.contains_key(*to);
                if online || self.habits.keeps {
                    self.unread.entry(to.to_vec()).or_default().push_back((me, text.to_vec()));
                }
                say(if online { "03:01" } else { "03:02" })
            }
            ([b"04", who, ..], Some(me)) => {
                let n = self.unread.get(&me).map_or(0, |all| all.iter().filter(|(from, _)| from == who).count());
                say(&format!("04:{n}"))
            }
            ([b"08", ..], Some(me)) => say(&format!("08:{}", self.unread.get(&me).map_or(0, VecDeque::len))),
            ([b"05", who, ..], Some(me)) => Some(self.take(&me, "05", Some(who))),
            ([b"09", ..], Some(me)) => Some(self.take(&me, "09", None)),
            _ => unknown,
        }
    }

    /// Gone once handed out, whether or not the answer arrives.
    fn take(&mut self, me: &[u8], operation: &str, who: Option<&[u8]>) -> Vec<u8> {
        let unread = self.unread.entry(me.to_vec()).or_default();
        let next = unread.iter().position(|(from, _)| who.is_none_or(|who| from == who));
        let Some((from, text)) = next.and_then(|i| unread.remove(i)) else {
            return format!("{operation}:01").into_bytes();
        };
        let time = self.habits.time.as_bytes();
        [operation.as_bytes(), &from, time, &text].join(&b':')
    }
}

fn done(event: &Event) -> bool {
    *event == Event::LoggedIn(LoginOutcome::Done)
}

fn is(state: SendState) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Outgoing { state: now, .. } if *now == state)
}

fn say(person: &mut Person, to: &str, text: &str) {
    assert!(person.client.send_message(clock::now(), &account(to), text));
}

/// Sent, answered, and arrived.
#[track_caller]
fn chat(from: (&mut Person, &str), to: (&mut Person, &str), text: &str) {
    say(from.0, to.1, text);
    from.0.until(text, is(SendState::Sent));
    to.0.client.fetch_now(clock::now());
    to.0.gets(from.1, text);
}

/// The client has found out that this server does not know our extensions.
#[track_caller]
fn hidden(person: &mut Person) {
    let known = Event::Extensions(false);
    if !person.seen.contains(&known) {
        // In plain by its owner's choice it is not asked by itself.
        person.client.ask_who(clock::now());
        person.until("no extensions", |e| *e == known);
    }
}

fn two(course: &Course, dir: &Path) -> (Person, Person) {
    let at = course.address;
    (Person::begin(at, &dir.join("a"), "a", true), Person::begin(at, &dir.join("b"), "b", true))
}

#[test]
fn every_way_of_writing_the_time_is_read() {
    for time in [
        "2026-11-21 12:04:58",
        "2026/11/21 12:04:58",
        "2026-11-21T12:04:58",
        "2026-11-21T12:04:58.123456+08:00",
        "12:04:58",
        "12:04",
        "Sat Nov 21 12:04:58 2026",
        "1795233898",
        "1795233898.25",
    ] {
        let course = Course::start(Habits { time, ..Habits::default() });
        let dir = tempfile::tempdir().expect("a folder");
        let (mut a, mut b) = two(&course, dir.path());
        for text in ["你好", "09:30 meet", ": )", "a:b:c:d:e:f:g", "1"] {
            say(&mut a, "b", text);
            a.until(text, is(SendState::Sent));
            b.client.fetch_now(clock::now());
            b.until(text, |e| {
                matches!(e, Event::Message { peer, row } if *peer == account("a")
                    && row.text == text && row.server_time.as_deref() == Some(time))
            });
        }
        chat((&mut b, "b"), (&mut a, "a"), "fine");
    }
}

#[test]
fn registration_and_login_say_what_the_server_said() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let mut a = Person::new(course.address, dir.path());
    let other = Password::parse("other").expect("valid");
    a.client.register(clock::now(), account("a"), password(), other.clone());
    let answered = |reply: Registered| {
        move |e: &Event| *e == Event::Registered(RegisterOutcome::Answered { reply, after_timeout: false })
    };
    a.until("01:02", answered(Registered::PasswordsDiffer));
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("02:03", |e| *e == Event::LoggedIn(LoginOutcome::Refused(LoggedIn::NoSuchAccount)));
    a.client.register(clock::now(), account("a"), password(), password());
    a.until("01:01", answered(Registered::Done));
    a.client.register(clock::now(), account("a"), password(), password());
    a.until("01:03", answered(Registered::AccountExists));
    // An answer was lost, so the account may be the user's own.
    course.lose("01:01");
    a.client.register(clock::now(), account("c"), password(), password());
    a.until("01:03", |e| {
        let reply = Registered::AccountExists;
        *e == Event::Registered(RegisterOutcome::Answered { reply, after_timeout: true })
    });
    a.client.login(clock::now(), account("a"), other).expect("a history");
    a.until("02:02", |e| *e == Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword)));
    a.client.login(clock::now(), account("a"), password()).expect("a history");
    a.until("02:01", done);
    hidden(&mut a);
}

#[test]
fn already_logged_in_but_served_is_in_and_the_session_moves() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (_a, mut b) = two(&course, dir.path());
    // The same person at another desk, while the first program is not looking any more.
    course.exchanges();
    let mut moved = Person::begin(course.address, &dir.path().join("desk"), "a", false);
    let asked = course.exchanges();
    assert!(asked.iter().any(|e| e.answer == b"02:04") && !asked.iter().any(|e| e.is("06#")));
    chat((&mut b, "b"), (&mut moved, "a"), "where are you?");
}

#[test]
fn what_a_course_server_does_not_know_is_hidden_or_said() {
    for silent in [false, true] {
        let course = Course::start(Habits { silent, ..Habits::default() });
        let dir = tempfile::tempdir().expect("a folder");
        let (mut a, mut b) = two(&course, dir.path());
        // A server that ignores what it does not know holds nobody up.
        let begun = Instant::now();
        chat((&mut a, "a"), (&mut b, "b"), "hello");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        hidden(&mut a);
        if silent {
            continue;
        }
        assert!(a.client.send_message(clock::now(), &Account::lobby(), "anybody?"));
        a.until("refused", is(SendState::Failed));
        // It is not even sent to a server that has no rooms: some take the name for a person's.
        a.until("told why", |event| *event == Event::NoLobby { sure: true });
        assert!(!a.seen.iter().any(|event| matches!(event, Event::NotUnderstood(bytes) if bytes.starts_with(b"03"))));
        assert_eq!(a.client.unsent(), 0);
    }
}

#[test]
fn texts_are_cut_at_their_hash_and_students_write_gbk() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let mut us = Person::begin(course.address, &dir.path().join("us"), "us", true);
    let student = Student::begin(course.address, Charset::Gb18030, "s");
    say(&mut us, "s", "one#two");
    us.until("sent", is(SendState::Sent));
    assert_eq!(student.polls(), [("us".to_owned(), "one".to_owned())]);
    // Once seen, we answer in what they can read. 谢谢 in GBK happens to be valid UTF-8.
    for text in ["编程作业", "谢谢"] {
        assert_eq!(student.says("us", text), "03:01");
        us.client.fetch_now(clock::now());
        us.gets("s", &format!("{text}\n"));
    }
    say(&mut us, "s", "谢谢，再见");
    us.until("sent", is(SendState::Sent));
    assert_eq!(student.polls(), [("us".to_owned(), "谢谢，再见".to_owned())]);
}

#[test]
fn somebody_offline_and_going_offline() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (mut a, mut b) = two(&course, dir.path());
    b.client.go_offline(clock::now());
    b.until("06:01", |e| *e == Event::WentOffline(Some(true)));
    say(&mut a, "b", "there?");
    a.until("03:02", is(SendState::OfflineOrUnknown));
    b.client.go_online(clock::now());
    b.until("in again", done);

    // This server says 07:01 to the 06 of somebody it has forgotten; that is offline, and not a
    // reason to log in again.
    course.forget_sessions();
    course.exchanges();
    b.client.go_offline(clock::now());
    b.until("07:01", |e| *e == Event::WentOffline(Some(false)));
    assert_eq!(b.client.link(), ConnectionState::Offline);
    assert!(!course.exchanges().iter().any(|e| e.request.starts_with(b"02#b#")));

    // At most a second, if nobody answers.
    b.client.go_online(clock::now());
    b.until("in again", done);
    course.sleep(true);
    let begun = Instant::now();
    b.client.go_offline(clock::now());
    b.until("silence", |e| *e == Event::WentOffline(None));
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

#[test]
fn a_forgotten_session_is_said_and_mended() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (mut a, mut b) = two(&course, dir.path());
    course.forget_sessions();
    course.exchanges();
    say(&mut a, "b", "after the restart");
    a.until("in again", done);
    assert!(a.seen.contains(&Event::ConnectionState(ConnectionState::LoggedOut)));
    a.until("answered", is(SendState::OfflineOrUnknown));
    // The other one notices by its poll; until then the server says offline.
    b.until("in again", done);
    assert!(b.seen.contains(&Event::ConnectionState(ConnectionState::LoggedOut)));
    chat((&mut a, "a"), (&mut b, "b"), "and now");
    let sent = course.exchanges().iter().filter(|e| e.is("03#b#after the restart#") && e.answer != b"07:01").count();
    assert_eq!(sent, 1, "once, and not lost");
}

/// A lost answer to 03: a fence, two timeouts of quiet, the same once more, and it is said.
#[test]
fn a_lost_answer_to_a_message_is_said() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (mut a, mut b) = two(&course, dir.path());
    hidden(&mut a);
    course.exchanges();
    course.lose("03:01");
    say(&mut a, "b", "perhaps twice");
    say(&mut a, "b", "once");
    a.until("sent", is(SendState::Sent));
    assert!(a.seen.iter().any(is(SendState::MaybeSentTwice)));
    b.gets("a", "perhaps twice");
    b.gets("a", "once");
    let asked: Vec<String> = course
        .exchanges()
        .iter()
        .filter(|e| e.request.starts_with(b"03#"))
        .map(|e| String::from_utf8_lossy(&e.request).into_owned())
        .collect();
    assert_eq!(asked, ["03#b#perhaps twice#", "03#b#perhaps twice#", "03#b#once#"]);
}

/// Taken and lost on the way: the plain protocol cannot help, and the client says how many.
#[test]
fn messages_lost_with_their_answers_are_said() {
    for seed in 1..=3 {
        println!("seed {seed}");
        let course = Course::start(Habits { keeps: true, ..Habits::default() });
        let dir = tempfile::tempdir().expect("a folder");
        let (mut a, mut b) = two(&course, dir.path());
        b.client.go_offline(clock::now());
        b.until("offline", |e| *e == Event::WentOffline(Some(true)));
        for n in 0..12 {
            say(&mut a, "b", &n.to_string());
        }
        let kept = |a: &Person| a.seen.iter().filter(|e| is(SendState::OfflineOrUnknown)(e)).count();
        while kept(&a) < 12 {
            a.turn(Duration::from_secs(10));
        }
        drop(a);
        course.exchanges();
        let random = u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15);
        {
            let mut world = course.world();
            world.habits.loss = 25;
            world.random = random | 1;
        }
        b.seen.clear();
        let mut exchanges = Vec::new();
        // Offline for good after four lost answers in a row; a person then clicks again.
        loop {
            b.client.go_online(clock::now());
            b.until("an outcome", |e| matches!(e, Event::LoggedIn(_)));
            if b.seen.iter().any(done) {
                break;
            }
        }
        // Empty, and asked once more after that, so that what is missing has been said.
        let mut empty = 0;
        while empty < 2 {
            let exchange = loop {
                b.turn(Duration::from_millis(50));
                if let Ok(exchange) = course.seen.try_recv() {
                    break exchange;
                }
            };
            empty += usize::from(exchange.answer == b"08:0" && !exchange.lost);
            exchanges.push(exchange);
        }
        let lost = exchanges.iter().filter(|e| e.lost && e.answer.starts_with(b"09:a:")).count();
        let came = b.seen.iter().filter(|e| matches!(e, Event::Message { .. })).count();
        let said: u64 = b.seen.iter().map(|e| if let Event::MaybeLost(n) = e { *n } else { 0 }).sum();
        assert_eq!((came + lost, said), (12, lost as u64), "seed {seed}: {:#?}", b.seen);
    }
}

#[test]
fn only_the_server_is_listened_to() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (mut a, mut b) = two(&course, dir.path());
    let own = course.exchanges().iter().find(|e| e.request.starts_with(b"02#b#")).expect("logged in").from;
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    stranger.send_to("09:a:2026-11-21 12:04:58:forged".as_bytes(), own).expect("sent");
    chat((&mut a, "a"), (&mut b, "b"), "real");
    assert!(!b.seen.iter().any(|e| matches!(e, Event::Message { row, .. } if row.text == "forged")));
}

/// While the server is away nothing is dropped and nothing sent blindly; then it goes on by itself.
#[test]
fn a_silent_server_comes_back() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let (mut a, mut b) = two(&course, dir.path());
    course.sleep(true);
    for n in 0..3 {
        say(&mut a, "b", &n.to_string());
    }
    a.until("retrying", |e| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. })));
    assert_eq!(a.client.unsent(), 3);
    course.exchanges();
    course.sleep(false);
    a.client.fetch_now(clock::now());
    let settled = |a: &Person| {
        let all = [SendState::Sent, SendState::MaybeSentTwice];
        a.seen.iter().filter(|e| matches!(e, Event::Outgoing { state, .. } if all.contains(state))).count()
    };
    let end = Instant::now() + Duration::from_secs(20);
    while settled(&a) < 3 && Instant::now() < end {
        a.turn(Duration::from_millis(100));
    }
    for n in 0..3 {
        b.gets("a", &n.to_string());
    }
    let sent = course.exchanges().iter().filter(|e| e.request.starts_with(b"03#")).count();
    assert_eq!(sent, 3, "the first was never heard, so each came once");
}
