//! A terminal that vanishes while nobody tells the program so: its session leader does not hang up for it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fs, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::foreign::{Foreign, course};
use super::tmux::{Served, until};

/// The program as a child of a session leader that ignores SIGHUP, on a terminal of their own.
struct Orphan {
    leader: Child,
    master: File,
    /// The program's side of the terminal; one more of it keeps a terminal from hanging up only while its master is
    /// there.
    side: File,
    shown: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
    closing: Arc<AtomicBool>,
}

impl Orphan {
    fn open(program: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let side =
            || File::options().read(true).write(true).open(name.to_str().expect("text")).expect("its other side");
        let mut leader = Command::new("setsid");
        leader.args(["--ctty", "sh", "-c", "trap '' HUP; \"$@\"; exit $?", "sh"]);
        leader.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => leader.env(name, value),
                None => leader.env_remove(name),
            };
        }
        leader.env("TERM", "xterm");
        let leader = leader.stdin(side()).stdout(side()).stderr(side()).spawn().expect("setsid is there");
        let master = File::from(master);
        let shown = Arc::<Mutex<String>>::default();
        let (mut read, all) = (master.try_clone().expect("another"), Arc::clone(&shown));
        let closing = Arc::<AtomicBool>::default();
        let close = Arc::clone(&closing);
        // What is drawn has to go somewhere. The terminal is there until this handle of it is closed, too.
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            let soon = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
            while !close.load(Ordering::Relaxed) {
                if poll(&mut [PollFd::new(&read, PollFlags::IN)], Some(&soon)).expect("it waits") > 0 {
                    let n = read.read(&mut buffer).unwrap_or(0);
                    all.lock().expect("unbroken").push_str(&String::from_utf8_lossy(&buffer[..n]));
                }
            }
        });
        Self { leader, master, side: side(), shown, reader, closing }
    }

    #[track_caller]
    fn type_after(&mut self, shown: &str, line: &str) {
        until(shown, || {
            let mut all = self.shown.lock().expect("unbroken");
            match all.split_once(shown) {
                Some((_, rest)) => {
                    *all = rest.to_owned();
                    Ok(())
                }
                None => Err(all.clone()),
            }
        });
        self.master.write_all(line.as_bytes()).expect("typed");
    }

    /// Has the system tell the program to end; its exit code.
    fn told_to_end(mut self) -> Option<i32> {
        let client = self.client();
        let _ = Command::new("kill").args(["-TERM", &client.to_string()]).status();
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while computed(client).is_some() && std::time::Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let ended = computed(client).is_none();
        if !ended {
            let _ = Command::new("kill").args(["-9", &client.to_string()]).status();
        }
        self.closing.store(true, Ordering::Relaxed);
        self.reader.join().expect("it reads to the end");
        self.leader.wait().expect("it ends").code().filter(|_| ended)
    }

    /// Its process.
    fn client(&self) -> u32 {
        until("the program's process", || {
            let mut pids = vec![self.leader.id()];
            while let Some(child) = pids.last().and_then(|pid| children(*pid).first().copied()) {
                pids.push(child);
            }
            pids.last().filter(|pid| computed(**pid).is_some() && pids.len() > 1).copied().ok_or(format!("{pids:?}"))
        })
    }

    /// Closes the terminal; the program's exit code, and how long it computed from then on, in clock ticks (10 ms).
    fn vanish(mut self) -> (Option<i32>, u64) {
        let client = self.client();
        let before = computed(client).expect("it runs");
        let mut last = before;
        self.closing.store(true, Ordering::Relaxed);
        self.reader.join().expect("it reads to the end");
        drop(self.master);
        let end = std::time::Instant::now() + Duration::from_secs(5);
        while let Some(ticks) = computed(client).filter(|_| std::time::Instant::now() < end) {
            last = ticks;
            thread::sleep(Duration::from_millis(5));
        }
        let ended = computed(client).is_none();
        if !ended {
            let _ = Command::new("kill").args(["-9", &client.to_string()]).status();
        }
        let code = self.leader.wait().expect("it ends").code();
        (code.filter(|_| ended), last - before)
    }
}

fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    all.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// In clock ticks, until it has ended.
fn computed(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    if fields.first() == Some(&"Z") {
        return None;
    }
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[test]
fn a_terminal_that_vanishes_ends_the_program() {
    let served = Served::new();
    let mut orphan = Orphan::open(&served.client("a"));
    orphan.type_after("hongyan>", "register a\r");
    orphan.type_after("New password", "secret\r");
    orphan.type_after("Confirm", "secret\r");
    orphan.type_after("Logged in as a", "half a line");
    let (code, ticks) = orphan.vanish();
    assert!(code.is_some() && ticks < 50, "it ended with {code:?}, and computed for {ticks} ticks");
    assert_eq!(served.ask("02#a#secret#").as_deref(), Some("02:01"), "it went offline first");
}

#[test]
fn a_password_is_not_waited_for_without_a_terminal() {
    let served = Served::new();
    drop(served.by_hand("a"));
    let mut chat = Orphan::open(served.client("a").args(["--account", "a"]));
    chat.type_after("Password of a", "half");
    let mut job = Orphan::open(served.client("b").args(["--account", "a", "send", "--to", "a", "x"]));
    job.type_after("Password of a", "half");
    for (name, orphan) in [("a chat", chat), ("a job", job)] {
        let (code, ticks) = orphan.vanish();
        assert!(code.is_some() && ticks < 50, "{name} ended with {code:?}, and computed for {ticks} ticks");
    }
}

#[test]
fn a_job_that_asks_for_a_password_ends_when_it_is_told_to_and_leaves_nothing_to_be_sent() {
    let served = Served::new();
    drop(served.by_hand("a"));
    let mut job = Orphan::open(served.client("a").args(["--account", "a", "send", "--to", "b", "hello"]));
    job.type_after("Password of a", "half");
    assert_eq!(job.told_to_end(), Some(7));
    let mut history = served.client("a");
    let rows = history.args(["--account", "a", "history", "b", "--json"]).output().expect("it runs");
    assert_eq!((rows.status.code(), rows.stdout.len()), (Some(6), 0), "{rows:?}");
}

#[test]
fn a_job_whose_output_nobody_reads_ends_when_it_is_told_to() {
    let served = Served::new();
    let (a, b) = (served.by_hand("a"), served.by_hand("b"));
    // More than a pipe holds.
    for n in 0..150 {
        served.tell(&b, "a", &format!("{n} {}", "x".repeat(900)));
    }
    assert_eq!(served.ask_from(&a, "06#").as_deref(), Some("06:01"));
    let mut job = served.client("a");
    job.args(["--plain", "--allow-plain", "--account", "a", "recv"]).env("HONGYAN_PASSWORD", "secret");
    let mut job = job.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let pid = job.id();
    let state = || fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
    until("a full pipe", || if state().contains("pipe") { Ok(()) } else { Err(state()) });
    let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status();
    let end = std::time::Instant::now() + Duration::from_secs(30);
    let code = loop {
        match job.try_wait().expect("ours") {
            Some(status) => break status.code(),
            None if std::time::Instant::now() > end => {
                let _ = job.kill();
                break None;
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(code, Some(7));
}

/// As with Ctrl+S, after which the terminal takes nothing more.
#[test]
fn a_stopped_terminal_keeps_nobody_from_ending() {
    let served = Served::new();
    let mut chat = Orphan::open(&served.client("a"));
    chat.type_after("hongyan>", "register a\r");
    chat.type_after("New password", "secret\r");
    chat.type_after("Confirm", "secret\r");
    chat.type_after("Logged in as a", "");
    rustix::termios::tcflow(&chat.side, rustix::termios::Action::OOff).expect("stopped");
    let client = chat.client();
    // What it has to say no longer fits.
    let state = || fs::read_to_string(format!("/proc/{client}/wchan")).unwrap_or_default();
    until("a terminal that takes nothing", || {
        chat.master.write_all(b"help\r").expect("typed");
        if state().contains("n_tty_write") || state().contains("wait_woken") { Ok(()) } else { Err(state()) }
    });
    assert_eq!(chat.told_to_end(), Some(7));
}

#[test]
fn the_prompt_says_that_there_is_no_connection_as_long_as_there_is_none() {
    for (lang, mark) in [("en", "(no connection)"), ("zh", "(连接中断)")] {
        let silent = Arc::<AtomicBool>::default();
        let is_silent = Arc::clone(&silent);
        let server = Foreign::new(move |request| match is_silent.load(Ordering::Relaxed) {
            true => Vec::new(),
            false => course(request),
        });
        let mut me = Orphan::open(&server.job_in(lang, &[]));
        me.type_after("me>", "");
        silent.store(true, Ordering::Relaxed);
        me.type_after("", "s/you/hi\r");
        me.type_after(&format!("me {mark}>"), "");
        silent.store(false, Ordering::Relaxed);
        me.type_after("me>", "");
        assert!(me.told_to_end().is_some());
    }
}
