//! Plain servers of other people, as small as a student writes them, and what a script is told of them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::scripts::{check, lines, run};
use super::tmux::{Served, Terminal};

/// A server that is a function from a request to its replies, and what it was asked.
pub struct Foreign {
    pub at: SocketAddr,
    pub asked: Arc<Mutex<Vec<String>>>,
    dir: tempfile::TempDir,
}

impl Foreign {
    pub fn new(mut answer: impl FnMut(&str) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at = socket.local_addr().expect("bound");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        // It ends with the process; nobody asks it then.
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = socket.recv_from(&mut buffer) {
                let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
                for reply in answer(&request) {
                    let _ = socket.send_to(&reply, from);
                }
                seen.lock().expect("not poisoned").push(request);
            }
        });
        Self { at, asked, dir: tempfile::tempdir().expect("a folder") }
    }

    pub fn job(&self, args: &[&str]) -> Command {
        self.job_in("en", args)
    }

    pub fn job_in(&self, lang: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        command.args(["--server", &self.at.to_string(), "--lang", lang, "--allow-plain", "--account", "me", "--data"]);
        command.arg(self.dir.path()).args(args).env("HONGYAN_PASSWORD", "secret");
        command
    }

    /// A terminal of its user's, in which a password may go out in plain.
    pub fn terminal(&self, lang: &str) -> Terminal {
        Terminal::running(&self.job_in(lang, &[]), self.dir.path(), &[])
    }

    pub fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub fn count(&self, begin: &str) -> usize {
        self.asked.lock().expect("not poisoned").iter().filter(|request| request.starts_with(begin)).count()
    }
}

/// What a server of the course says if nothing is special.
pub fn course(request: &str) -> Vec<Vec<u8>> {
    let reply = match request.get(..2) {
        Some("02") => "02:01",
        Some("03") => "03:01",
        Some("06") => "06:01",
        Some("08") => "08:0",
        Some("09") => "09:01",
        _ => "00:00",
    };
    vec![reply.as_bytes().to_vec()]
}

#[test]
fn a_message_that_alone_is_not_answered_goes_twice_and_a_script_is_told_so() {
    let answered_by = |code: &'static str| {
        Foreign::new(move |request| match (request.starts_with("03"), code) {
            (true, "") => Vec::new(),
            (true, code) => vec![code.as_bytes().to_vec()],
            _ => course(request),
        })
    };
    let silent = answered_by("");
    let output = run(&mut silent.job(&["send", "--to", "you", "hello"]), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("the server answers, but not this message; it may have arrived"), "{said}");
    assert_eq!(silent.count("03"), 2);
    let history = run(&mut silent.job(&["history", "you", "--json"]), "");
    let rows = lines(&String::from_utf8_lossy(&history.stdout));
    assert_eq!(rows[0]["state"], "no-answer");
    // The next login sends it no third time.
    run(&mut silent.job(&["recv"]), "");
    assert_eq!(silent.count("03"), 2);
    // A code that means nothing is no word that it has arrived.
    let strange = answered_by("03:05");
    let output = run(&mut strange.job(&["send", "--to", "you", "hello"]), "");
    assert_eq!((output.status.code(), strange.count("03")), (Some(10), 1));
}

#[test]
fn equal_messages_of_one_second_are_all_printed_and_kept() {
    let served = Served::new();
    let (bob, me) = (served.by_hand("bob"), served.by_hand("me"));
    for _ in 0..3 {
        served.tell(&bob, "me", "ok");
    }
    assert_eq!(served.ask_from(&me, "06#").as_deref(), Some("06:01"));
    let job = |args: &[&str]| {
        let mut command = served.client("me");
        command.args(["--plain", "--allow-plain", "--account", "me"]).args(args).env("HONGYAN_PASSWORD", "secret");
        command
    };
    for args in [&["recv", "--json"][..], &["history", "bob", "--json"]] {
        let rows = lines(&check(&mut job(args), "", 0));
        let shown: Vec<_> = rows.iter().map(|row| (row["text"].as_str(), row["repeat"].as_bool())).collect();
        assert_eq!(shown, [(Some("ok"), None); 3], "{args:?}");
    }
}

#[test]
fn what_may_be_lost_is_said_on_standard_error_and_in_json() {
    // Three are counted, one is handed out, and then there are no more.
    let mut counted = false;
    let mut left = 1;
    let server = Foreign::new(move |request| match request {
        "08#" if !std::mem::replace(&mut counted, true) => vec![b"08:3".to_vec()],
        "09#" if std::mem::take(&mut left) > 0 => vec!["09:you:2026-11-30 22:37:28.259869:hi".as_bytes().to_vec()],
        request => course(request),
    });
    let output = run(&mut server.job(&["recv", "--json"]), "");
    let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("2 messages may have been lost"), "{said}\n{printed}");
    let rows = lines(&printed);
    assert_eq!((rows[0]["text"].as_str(), rows[1]["maybe_lost"].as_u64()), (Some("hi"), Some(2)), "{printed}");
}

#[test]
fn another_programs_server_has_no_lobby_once_it_is_known() {
    let server = Foreign::new(course);
    run(&mut server.job(&["recv"]), "");
    let output = run(&mut server.job(&["send", "--to", "@lobby", "hi"]), "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("This server has no lobby"), "{said}");
    // Nor is it left behind, to be sent by the next one.
    run(&mut server.job(&["recv"]), "");
    assert_eq!(server.count("03"), 0, "{:?}", server.asked.lock());
    for open in ["lobby", "chat @lobby"] {
        let output = run(&mut server.job(&[]), &format!("login me\nsecret\n{open}\nhi\n"));
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.code() != Some(0) && said.contains("This server has no lobby"), "{open}: {said}");
        assert_eq!(server.count("03"), 0, "{open}: {said}");
    }
}

#[test]
fn whoever_is_answered_from_another_port_is_told_from_which() {
    let other = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let from = other.local_addr().expect("bound");
    for (lang, words) in [("en", "answers come from another port"), ("zh", "应答来自另一个端口")] {
        for plainly in [&[][..], &["--plain"]] {
            let asked = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let (at, other) = (asked.local_addr().expect("bound"), Arc::clone(&other));
            thread::spawn(move || {
                let mut buffer = [0; 2048];
                while let Ok((n, to)) = asked.recv_from(&mut buffer) {
                    for reply in course(&String::from_utf8_lossy(&buffer[..n])) {
                        let _ = other.send_to(&reply, to);
                    }
                }
            });
            let dir = tempfile::tempdir().expect("a folder");
            let client = || {
                let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
                command.args(["--server", &at.to_string(), "--lang", lang, "--allow-plain", "--data"]).arg(dir.path());
                command.args(plainly).env("HONGYAN_PASSWORD", "secret");
                command
            };
            let said = |output: std::process::Output| {
                let said = [output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
                assert_eq!(output.status.code(), Some(4), "{said}");
                assert!(said.contains(words) && said.contains(&from.to_string()), "{plainly:?}: {said}");
            };
            said(run(client().args(["--account", "me", "send", "--timeout", "30", "--to", "you", "hi"]), ""));
            said(run(client().env_remove("HONGYAN_PASSWORD"), "login me\nsecret\n"));
            said(run(client().env_remove("HONGYAN_PASSWORD"), "register me\nsecret\nsecret\n"));
        }
    }
}

#[test]
fn the_first_job_of_all_sends_nothing_for_a_room_to_a_server_that_has_none() {
    for (lang, no_lobby) in [("en", "This server has no lobby"), ("zh", "此服务器没有大厅")] {
        // With a word for what it does not know, and without.
        for deaf in [false, true] {
            for plainly in [&[][..], &["--plain"]] {
                let server = Foreign::new(move |request| match request.get(..2) {
                    Some("10" | "11") if deaf => Vec::new(),
                    _ => course(request),
                });
                let job = |args: &[&str]| run(&mut server.job_in(lang, &[plainly, args].concat()), "");
                let output = job(&["send", "--timeout", "60", "--to", "@lobby", "hi"]);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(3), "{lang} {deaf} {plainly:?}: {said}");
                assert!(said.contains(no_lobby), "{said}");
                // It is kept, as not sent, and no later job sends it.
                let rows = lines(&String::from_utf8_lossy(&job(&["history", "@lobby", "--json"]).stdout));
                assert_eq!((rows[0]["text"].as_str(), rows[0]["state"].as_str()), (Some("hi"), Some("failed")));
                assert_eq!(job(&["send", "--to", "you", "ho"]).status.code(), Some(0));
                assert_eq!((server.count("03#@"), server.count("03#you#ho#")), (0, 1), "{:?}", server.asked.lock());
            }
        }
    }
    // Ours has one.
    let served = Served::new();
    let (you, _me) = (served.by_hand("you"), served.by_hand("me"));
    let mut job = served.client("me");
    job.args(["--plain", "--allow-plain", "--account", "me", "send", "--to", "@lobby", "hi"]);
    check(job.env("HONGYAN_PASSWORD", "secret"), "", 0);
    assert!(served.ask_from(&you, "09#").is_some_and(|reply| reply.ends_with("[me] hi")));
}

#[test]
fn a_hash_is_pointed_out_where_it_may_cut_a_message() {
    let hint = "this server may cut it at #";
    let typed = "login me\nsecret\nchat you\nfirst #1\nplain\nsecond #2\n/quit\n";
    let hints = |command: &mut Command| {
        let output = run(command, typed);
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert_eq!(output.status.code(), Some(0), "{said}");
        said.matches(hint).count()
    };
    let server = Foreign::new(course);
    assert_eq!(hints(&mut server.job(&[])), 2);
    assert_eq!(server.count("03#"), 3);
    // Ours keeps all up to the last one.
    let served = Served::new();
    let _you = served.by_hand("you");
    let _me = served.by_hand("me");
    let mut ours = served.client("me");
    ours.args(["--plain", "--allow-plain"]);
    assert_eq!(hints(&mut ours), 0);
}

#[test]
fn a_password_is_changed_where_a_server_can_and_the_rest_is_told_as_it_is() {
    // The edition of 2019, and the one of 2018, which registers. Both tell a user who is logged in so, whatever the
    // password.
    let of = |edition: u32| {
        let (mut right, mut is_in) = ("secret".to_owned(), false);
        Foreign::new(move |request| {
            let fields: Vec<&str> = request.split('#').collect();
            let reply = match fields.as_slice() {
                ["01", _, _, new, ..] if edition == 2019 => {
                    right = (*new).to_owned();
                    "01:03"
                }
                ["01", ..] => "01:03",
                ["02", ..] if is_in => "02:04",
                ["02", _, password, ..] => {
                    is_in = *password == right;
                    if is_in { "02:01" } else { "02:02" }
                }
                ["06", ..] => {
                    is_in = false;
                    "06:01"
                }
                _ => return course(request),
            };
            vec![reply.as_bytes().to_vec()]
        })
    };
    let typed = |server: &Foreign, lang: &str, login: &str, old: &str| {
        let mut job = server.job_in(lang, &[]);
        let output = run(job.env("HONGYAN_PASSWORD", login), &format!("passwd\n{old}\nbetter\nbetter\n"));
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    };
    for (lang, unsure, changed, not_here, not_before, not_of_login) in [
        (
            "en",
            "may not know how",
            "is changed",
            "cannot change passwords",
            "asked before",
            "not the one you are logged in",
        ),
        ("zh", "不一定支持", "已修改", "不支持修改密码", "此前", "不是你这次登录"),
    ] {
        let (can, cannot) = (of(2019), of(2018));
        let said = typed(&can, lang, "secret", "wrong");
        assert!(said.contains(unsure) && said.contains(not_of_login) && can.count("01") == 0, "{said}");
        let said = typed(&can, lang, "secret", "secret");
        assert!(said.contains(unsure) && said.contains(changed), "{said}");
        // What counts now, and the server is known.
        let said = typed(&can, lang, "better", "better");
        assert!(!said.contains(unsure) && !said.contains(not_of_login), "{said}");
        let said = typed(&cannot, lang, "secret", "secret");
        assert!(said.contains(unsure) && said.contains(not_here), "{said}");
        assert_eq!(cannot.count("01"), 1);
        // The old one counts, and it is not asked again.
        let said = typed(&cannot, lang, "secret", "secret");
        assert!(said.contains(not_before) && !said.contains(unsure) && cannot.count("01") == 1, "{said}");
    }
}

#[test]
fn a_server_that_ends_at_a_question_of_ours_is_told_and_not_asked_again() {
    for (lang, told) in [("en", "(11#), which may have crashed it"), ("zh", "可能因此退出了")] {
        let mut dead = false;
        let (ask, restart) = std::sync::mpsc::channel::<()>();
        let server = Foreign::new(move |request| {
            dead |= request.starts_with("11#");
            dead &= restart.try_recv().is_err();
            if dead { Vec::new() } else { course(request) }
        });
        let mut job = server.job_in(lang, &["recv", "--follow"]).stderr(Stdio::piped()).spawn().expect("a job");
        let lines = BufReader::new(job.stderr.take().expect("a pipe")).lines();
        let (tell, said) = std::sync::mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        let found =
            std::iter::from_fn(|| said.recv_timeout(Duration::from_secs(30)).ok()).any(|line| line.contains(told));
        job.kill().expect("ended");
        job.wait().expect("ended");
        assert!(found, "{:?}", server.asked.lock());
        let times = server.count("11#");
        ask.send(()).expect("it is there");
        let output = run(&mut server.job_in(lang, &["send", "--to", "you", "hello"]), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), server.count("11#")), (Some(0), times), "{said}");
        assert_eq!(server.count("10#"), 1, "it is known by now");
    }
}

#[test]
fn each_friend_stands_in_the_list_once_and_a_line_of_nothing_is_named() {
    for (lang, empty) in [("en", "(empty line)"), ("zh", "（空行）")] {
        let mut left = 1;
        let server = Foreign::new(move |request| match request {
            "08#" => vec![format!("08:{left}").into_bytes()],
            "09#" if std::mem::take(&mut left) > 0 => vec![b"09:@lobby:2026-11-30 22:37:28:[b] \n".to_vec()],
            request => course(request),
        });
        let typed = |lines: &str| {
            let output = run(&mut server.job_in(lang, &[]), lines);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        typed("add bob\ns/bob/hi\n");
        let friends = typed("friends\n");
        assert_eq!(friends.lines().filter(|line| line.contains("bob")).count(), 1, "{friends}");
        // It comes sooner or later.
        let unread =
            (0..20).map(|_| typed("unread\nfriends\n")).find(|said| said.contains("[b]") || said.contains(empty));
        let unread = unread.expect("the message came");
        assert!(unread.lines().any(|line| line.contains('1') && line.contains(empty)), "{unread}");
    }
}

#[test]
fn what_is_given_and_cannot_be_used_is_said_in_the_language_asked_for() {
    let server = Foreign::new(course);
    for (lang, password, utf8, nul) in [
        ("en", "cannot be one", "not UTF-8 at byte 1", "a NUL at byte 1"),
        ("zh", "不能用", "第 1 字节（从 0 数）不是 UTF-8", "第 1 字节是 NUL"),
    ] {
        let mut job = server.job_in(lang, &["recv"]);
        let output = run(job.env("HONGYAN_PASSWORD", "a#b"), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(password), "{said}");
        for (input, why) in [(&b"a\xff"[..], utf8), (b"a\0", nul)] {
            let mut job = server.job_in(lang, &["send", "--to", "you"]);
            let mut job = job.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
            job.stdin.take().expect("a pipe").write_all(input).expect("written");
            let output = job.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
        }
        let list = server.folder().join("list.csv");
        std::fs::write(&list, "账号,屏蔽\nbob,maybe\n").expect("written");
        // A pipe that ends does not wait for it.
        let imported = || {
            let output = run(&mut server.job_in(lang, &[]), &format!("import {}\nfriends\nstatus\n", list.display()));
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
        };
        let said = (0..20).map(|_| imported()).find(|said| said.contains("list.csv")).expect("it was read");
        let line = if lang == "en" { "line 2: blocked is yes or no" } else { "第 2 行：blocked 只能是" };
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(server.count("03"), 0);
}
