//! A client's process killed at random moments, messages under way: what was kept is not lost, and
//! what may have left is never sent again by itself in the plain dialect; in the secure one it is, and arrives once.
//!
//! The killed process is this test program once more, told by a variable what to be.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use hongyan::base::model::SendState;
use hongyan::client::Event;
use hongyan::client::history::Row;
use hongyan::client::net::clock;
use hongyan::client::session::{Dialect, LoginOutcome};
use hongyan::protocol::wire::Charset;
use hongyan::server::udp::{Config as ServerConfig, Server};

use crate::client::{Person, account, password};
use crate::course::{Course, Habits};
use crate::student::Student;

const CHILD: &str = "HONGYAN_TEST_CRASH";
const KILLS: u64 = 20;

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n@{text}").and_then(|()| out.flush());
}

/// What is killed: sends numbered messages, three on their way at most, and says which were kept.
#[test]
fn the_process_that_is_killed() {
    let Ok(orders) = std::env::var(CHILD) else { return };
    let mut orders = orders.splitn(4, '|');
    let mut next = || orders.next().expect("four orders");
    let (server, round, dialect, data) = (next().parse().expect("an address"), next(), next(), next());
    line("begun");
    let mut me = match dialect {
        "plain" => Person::new(server, data.as_ref()),
        _ => Person::speaking(Dialect::Auto, false, server, data.as_ref()),
    };
    if me.client.can_resume(&account("a")) {
        me.client.resume(clock::now(), account("a")).expect("a history");
    } else {
        me.client.login(clock::now(), account("a"), password()).expect("a history");
    }
    let end = Instant::now() + Duration::from_secs(20);
    let mut n = 0;
    while Instant::now() < end {
        while me.client.unsent() < 3 {
            n += 1;
            assert!(me.client.send_message(clock::now(), &account("b"), &format!("{round}-{n}")));
        }
        me.turn(Duration::from_secs(1));
        for event in me.seen.drain(..) {
            if let Event::Message { row, .. } = event {
                line(&row.text);
            }
        }
    }
}

struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(orders: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["crash::the_process_that_is_killed", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, orders)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (said, lines) = crossbeam_channel::unbounded();
        let reader = std::thread::Builder::new().name("child's lines".into()).spawn(move || {
            for text in out.lines().map_while(Result::ok) {
                if let Some(text) = text.strip_prefix('@') {
                    let _ = said.send(text.to_owned());
                }
            }
        });
        reader.expect("a thread");
        Self { child, lines }
    }

    /// SIGKILL at that moment after it has begun; what it had said until then.
    fn killed_after(mut self, moment: Duration) -> Vec<String> {
        assert_eq!(self.lines.recv_timeout(Duration::from_secs(20)).as_deref(), Ok("begun"));
        let at = Instant::now() + moment;
        let mut said = Vec::new();
        loop {
            match self.lines.recv_deadline(at) {
                Ok(text) => said.push(text),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("it ended by itself"),
            }
        }
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        said.extend(self.lines.iter());
        said
    }
}

/// Every row with b once none is on its way any more.
fn history(me: &mut Person) -> Vec<Row> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        me.client.page(account("b"), 0, 100_000);
        me.until("the rows", |e| matches!(e, Event::Page { .. }));
        let Some(Event::Page { rows, .. }) = me.seen.drain(..).rfind(|e| matches!(e, Event::Page { .. })) else {
            panic!("rows");
        };
        let open = |row: &Row| matches!(row.state, Some(SendState::Waiting | SendState::Sending));
        if !rows.iter().any(open) {
            return rows;
        }
        assert!(Instant::now() < end, "{rows:#?}");
        me.turn(Duration::from_millis(100));
    }
}

/// Random delays, of this number of microseconds at most.
pub fn moments(most: u64) -> impl FnMut() -> Duration {
    let mut random = u64::from(std::process::id()) << 20 | 1;
    println!("seed {random}");
    move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        Duration::from_micros(random % most)
    }
}

#[test]
fn killed_clients_lose_nothing_and_repeat_nothing() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("a");
    let b = Student::begin(course.address, Charset::Utf8, "b");
    let a = Student::new(course.address, Charset::Utf8);
    assert_eq!(a.ask("01#a#secret#secret#"), "01:01");
    let mut moments = moments(100_000);
    let mut kept = Vec::new();
    for round in 0..KILLS {
        let moment = moments();
        let process = Process::start(&format!("{}|{round}|plain|{}", course.address, data.display()));
        kept.extend(process.killed_after(moment));
    }

    let mut me = Person::new(course.address, &data);
    me.client.login(clock::now(), account("a"), password()).expect("the lock ended with its process");
    me.until("in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    let rows = history(&mut me);
    let lost: Vec<_> = kept.iter().filter(|text| !rows.iter().any(|row| row.text == **text)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), kept.len());

    let mut arrived: HashMap<String, u32> = HashMap::new();
    for (_, text) in b.polls() {
        *arrived.entry(text).or_default() += 1;
    }
    let mut doubtful = 0;
    for row in &rows {
        let times = arrived.remove(&row.text).unwrap_or(0);
        let right = match row.state {
            Some(SendState::Sent) => times == 1,
            Some(SendState::MaybeSent) => times <= 1,
            // A slow machine: its answer was late while the process lived.
            Some(SendState::MaybeSentTwice) => (1..=2).contains(&times),
            _ => false,
        };
        doubtful += u64::from(row.state == Some(SendState::MaybeSent));
        assert!(right, "{row:?} arrived {times} times");
    }
    assert!(arrived.is_empty(), "sent and not kept: {arrived:?}");
    println!("{KILLS} kills, {} messages, {doubtful} may have been sent", rows.len());
    assert!(rows.len() as u64 > KILLS && doubtful > 0 && doubtful <= KILLS, "{} rows, {doubtful}", rows.len());
}

/// The texts from this one, in the order they came.
pub fn heard(person: &Person, from: &str) -> Vec<String> {
    let from = account(from);
    let text = |event: &Event| match event {
        Event::Message { peer, row } if *peer == from && row.state.is_none() => Some(row.text.clone()),
        _ => None,
    };
    person.seen.iter().filter_map(text).collect()
}

/// In the secure dialect: everything kept arrives once and in order, both ways, and nothing is in doubt.
fn securely_killed(kills: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let any = "127.0.0.1:0".parse().expect("an address");
    let config = ServerConfig::new(any, dir.path().join("server"));
    let quotas = config.quotas.unpaced();
    let server = Server::start(ServerConfig { quotas, ..config }).expect("started");
    let (at, data) = (server.address(), dir.path().join("a"));
    let securely = |data: &std::path::Path| Person::speaking(Dialect::Auto, false, at, data);
    let mut b = securely(&dir.path().join("b")).come_in("b", true);
    let mut me = securely(&data);
    me.client.stay_logged_in(true);
    drop(me.come_in("a", true));
    let (mut moments, stopped) = (moments(250_000), AtomicBool::new(false));
    let (kept, b, written) = std::thread::scope(|scope| {
        let stopped = &stopped;
        let other = scope.spawn(move || {
            let mut written = 0;
            while !stopped.load(Ordering::Relaxed) {
                if b.client.unsent() < 2 {
                    written += 1;
                    assert!(b.client.send_message(clock::now(), &account("a"), &format!("b-{written}")));
                }
                b.turn(Duration::from_millis(10));
            }
            (b, written)
        });
        let mut kept = Vec::new();
        for round in 0..kills {
            let process = Process::start(&format!("{at}|{round}|secure|{}", data.display()));
            kept.extend(process.killed_after(moments()));
        }
        stopped.store(true, Ordering::Relaxed);
        let (b, written) = other.join().expect("no panic");
        (kept, b, written)
    });
    let mut b = b;
    let mut me = securely(&data);
    me.client.resume(clock::now(), account("a")).expect("the lock ended with its process");
    me.until("in", |e| *e == Event::LoggedIn(LoginOutcome::Done));
    // Everything before this is there when this is.
    assert!(me.client.send_message(clock::now(), &account("b"), "the last"));
    assert!(b.client.send_message(clock::now(), &account("a"), "the last"));
    let end = Instant::now() + Duration::from_secs(60);
    let there = |person: &Person, from| heard(person, from).last().is_some_and(|text| text == "the last");
    while !there(&b, "a") || !there(&me, "b") {
        assert!(Instant::now() < end, "{:?} {:?}", heard(&b, "a").last(), heard(&me, "b").last());
        b.turn(Duration::from_millis(10));
        me.turn(Duration::from_millis(10));
    }
    let rows = history(&mut me);
    let lost: Vec<_> = kept.iter().filter(|text| !rows.iter().any(|row| row.text == **text)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), kept.len());

    let (mine, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.state.is_some());
    let known = |row: &&Row| {
        matches!(
            row.state,
            Some(SendState::Sent | SendState::Kept | SendState::OfflineOrUnknown | SendState::Delivered)
        )
    };
    let doubtful: Vec<_> = mine.iter().filter(|row| !known(row)).collect();
    assert!(doubtful.is_empty(), "{doubtful:?}");
    let mine: Vec<_> = mine.iter().map(|row| row.text.clone()).collect();
    assert_eq!(heard(&b, "a"), mine, "once, and in order");
    let mut theirs: Vec<_> = (1..=written).map(|n| format!("b-{n}")).collect();
    theirs.push("the last".into());
    assert_eq!(others.iter().map(|row| row.text.clone()).collect::<Vec<_>>(), theirs, "once, and in order");
    println!("{kills} kills of a client, {} messages to it and {} of it, each once", theirs.len(), mine.len());
    assert!(mine.len() as u64 > kills / 2, "there was load: {}", mine.len());
    drop(server);
}

#[test]
fn securely_nothing_is_lost_doubled_or_in_doubt() {
    securely_killed(20);
}

#[test]
#[ignore = "a minute"]
fn two_hundred_kills_of_a_client() {
    securely_killed(200);
}
