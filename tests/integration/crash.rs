//! A client's process killed at random moments, messages under way: what was kept is not lost, and
//! what may have left is never sent again by itself.
//!
//! The killed process is this test program once more, told by a variable what to be.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use hongyan::client::Event;
use hongyan::history::Row;
use hongyan::model::SendState;
use hongyan::net::clock;
use hongyan::session::LoginOutcome;
use hongyan::wire::Charset;

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
    let mut orders = orders.splitn(3, '|');
    let mut next = || orders.next().expect("three orders");
    let (server, round, data) = (next().parse().expect("an address"), next(), next());
    line("begun");
    let mut me = Person::new(server, data.as_ref());
    me.client.login(clock::now(), account("a"), password()).expect("a history");
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

#[test]
fn killed_clients_lose_nothing_and_repeat_nothing() {
    let course = Course::start(Habits::default());
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("a");
    let b = Student::begin(course.address, Charset::Utf8, "b");
    let a = Student::new(course.address, Charset::Utf8);
    assert_eq!(a.ask("01#a#secret#secret#"), "01:01");
    let mut random = u64::from(std::process::id()) << 20 | 1;
    println!("seed {random}");
    let mut kept = Vec::new();
    for round in 0..KILLS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let process = Process::start(&format!("{}|{round}|{}", course.address, data.display()));
        kept.extend(process.killed_after(Duration::from_micros(random % 100_000)));
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
