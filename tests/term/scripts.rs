//! Without a terminal: pipes, jobs and what is generated.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use hongyan::server::store::admin;
use serde_json::Value;

use super::tmux::{Served, until};
use crate::process::Process;

pub fn run(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("read");
    child.wait_with_output().expect("it ends")
}

#[track_caller]
pub fn check(command: &mut Command, input: &str, code: i32) -> String {
    let output = run(command, input);
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{printed}\n{said}");
    printed
}

pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_pipe_chats_line_by_line() {
    let served = Served::new();
    let bob = served.by_hand("bob");
    let said = check(
        &mut served.client("a"),
        "register a\nsecret\nsecret\nadd bob 七号\nchat 七号\nhello\n s/bob/x\nquit\n//tmp\ns/nobody/private\n/history\n/nonsense\n/quit\n",
        0,
    );
    for wanted in [
        "Logged in as a.",
        "→ 七号: hello",
        "→ 七号: s/bob/x",
        "七号 · 4 messages",
        "no command nonsense",
        "Nobody you know is called nobody; it was not sent.",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains('\x1b') && !said.contains("secret"), "{said:?}");
    for text in [":hello", ":s/bob/x", ":quit", ":/tmp", "09:01"] {
        let got = served.ask_from(&bob, "09#").expect("an answer");
        assert!(got.starts_with("09:") && got.ends_with(text), "{text}: {got}: {said}");
    }
    // The end of the pipe is the end, and colours come only when they are asked for.
    let said = check(served.client("a").args(["--color", "always"]), "login a\nsecret\nstatus\n", 0);
    assert!(said.contains("\x1b[32mLogged in as a."), "{said:?}");
    assert_eq!(served.ask("02#a#secret#").as_deref(), Some("02:01"), "it went offline");
}

#[test]
fn jobs_end_with_the_codes_they_promise() {
    // A plain login says when it would end another.
    let served = Served::with(&["--on-second-login", "arm"]);
    check(&mut served.client("b"), "register b\nsecret\nsecret\n", 0);
    check(&mut served.client("a"), "register a\nsecret\nsecret\nadd b 七号\n", 0);
    let job = |who: &str, args: &[&str]| {
        let mut command = served.client(who);
        command.args(args).env("HONGYAN_PASSWORD", "secret");
        command
    };
    // 0: on the server's disk, also while the other side is not there.
    check(&mut job("a", &["send", "--to", "七号", "hello", "there"]), "", 0);
    check(&mut job("a", &["send", "--to", "b"]), "two\nlines\n", 0);
    let got = lines(&check(&mut job("b", &["recv", "--json"]), "", 0));
    let texts: Vec<&str> = got.iter().filter_map(|m| m["text"].as_str()).collect();
    assert_eq!(texts, ["hello there", "two\nlines"]);
    assert_eq!((&got[0]["account"], &got[0]["direction"]), (&"a".into(), &"in".into()));
    check(&mut job("b", &["recv"]), "", 6);
    // --wait ends with the first message; what another job fetched is not lost.
    let waiting = job("b", &["recv", "--wait"]).stdout(Stdio::piped()).spawn().expect("it starts");
    check(&mut job("a", &["send", "--to", "b", "now"]), "", 0);
    let waited = waiting.wait_with_output().expect("it ends");
    assert!(waited.status.success() && String::from_utf8_lossy(&waited.stdout).contains("a: now"), "{waited:?}");
    check(&mut job("b", &["send", "--to", "a", "answer"]), "", 0);
    check(&mut job("a", &["send", "--to", "b", "unread"]), "", 0);
    // 5: there is no such account; the plain protocol says no more than that nobody of this name is there.
    check(&mut job("a", &["send", "--to", "nobody", "lost"]), "", 5);
    let lost = lines(&check(&mut job("a", &["history", "nobody", "--json"]), "", 0));
    assert_eq!(lost[0]["state"], "no-such-account");
    // A folder that knows the server as one that encrypts sends nothing in plain.
    check(&mut job("a", &["--plain", "--allow-plain", "send", "--to", "b", "in plain"]), "", 9);
    let plain = |args: &[&str]| {
        let mut command = served.client("plain");
        command.args(["--account", "a"]).args(args).env("HONGYAN_PASSWORD", "secret");
        command
    };
    check(&mut plain(&["--plain", "--allow-plain", "send", "--to", "b", "in plain"]), "", 5);
    let sent = lines(&check(&mut plain(&["history", "b", "--json"]), "", 0));
    assert_eq!(sent[0]["state"], "offline-or-unknown", "{sent:?}");
    check(&mut job("b", &["send", "--to", "a", "fetches it"]), "", 0);
    assert!(check(&mut job("b", &["recv"]), "", 0).contains("a: unread"));

    let history = lines(&check(&mut job("a", &["history", "七号", "--json", "--count", "3"]), "", 0));
    assert_eq!(history.len(), 3);
    let friends = lines(&check(&mut job("a", &["friends", "--json"]), "", 0));
    assert!(friends.iter().any(|f| f["account"] == "b" && f["remark"] == "七号"), "{friends:?}");

    // A job does not end another session unless it is told to; a job that is logged out ends.
    let mut follow = job("b", &["recv", "--follow"]);
    let mut here = follow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    check(&mut job("a", &["send", "--to", "b", "are you in?"]), "", 0);
    let mut line = String::new();
    BufReader::new(here.stdout.take().expect("piped")).read_line(&mut line).expect("it is in");
    let elsewhere = |more: &[&str]| {
        let mut command = served.client("elsewhere");
        command.args(["--account", "b"]).args(more).env("HONGYAN_PASSWORD", "secret");
        command
    };
    let refused = run(&mut elsewhere(&["send", "--to", "a", "not sent"]), "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && said.contains("--take-over"), "{said}");
    check(&mut elsewhere(&["send", "--take-over", "--to", "a", "sent"]), "", 0);
    let ended = here.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(3), "{}", String::from_utf8_lossy(&ended.stderr));

    // 2: no password; 3: a wrong one, or logged in elsewhere; 4: nobody answers; 1: a newer history.
    check(served.client("a").args(["send", "--to", "b", "x"]), "", 2);
    check(job("a", &["send", "--to", "b", "x"]).env("HONGYAN_PASSWORD", "wrong"), "", 3);
    check(job("a", &["send", "--to", "b", "x"]).env("HONGYAN_PASSWORD", ""), "", 2);
    let file = served.dir.path().join("password");
    std::fs::write(&file, "secret\nnot this\n").expect("written");
    let elsewhere = served.by_hand("a");
    let from_file = ["--plain", "--password-file", &file.to_string_lossy(), "recv"].map(str::to_owned);
    let from_file: Vec<&str> = from_file.iter().map(String::as_str).collect();
    check(served.client("plain").args(["--account", "a"]).args(&from_file), "", 3);
    let taken = run(served.client("plain").args(["--account", "a"]).args(&from_file).arg("--take-over"), "");
    assert!(matches!(taken.status.code(), Some(0 | 6)), "{taken:?}");
    assert_eq!(served.ask_from(&elsewhere, "08#").as_deref(), Some("07:01"));
    let mut silent = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
    silent.args(["--server", "127.0.0.1:9", "--account", "a", "--data"]).arg(served.dir.path().join("s"));
    check(silent.args(["send", "--timeout", "1", "--to", "b", "x"]).env("HONGYAN_PASSWORD", "secret"), "", 4);
}

#[test]
fn a_job_names_people_as_the_chat_does_and_programs_are_told_accounts() {
    for (lang, lobby) in [("en", "Lobby"), ("zh", "大厅")] {
        let served = Served::new();
        let bob = served.by_hand("bob");
        check(&mut served.client("a"), "register a\nsecret\nsecret\nadd bob 七号\n", 0);
        let job = |args: &[&str]| {
            let mut command = served.client_in(lang, "a");
            command.args(["--account", "a"]).args(args).env("HONGYAN_PASSWORD", "secret");
            command
        };
        // A room reaches only those who are in it, so the message is sent until the job has joined.
        let waiting = job(&["recv", "--wait"]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut waiting = Process(waiting);
        until("a message of the room", || {
            served.ask_from(&bob, "03#@lobby#hi all#");
            std::thread::sleep(Duration::from_millis(300));
            waiting.0.try_wait().expect("asked").map(drop).ok_or_else(String::new)
        });
        let mut said = String::new();
        waiting.0.stdout.take().expect("piped").read_to_string(&mut said).expect("a text");
        assert!(said.contains(&format!(" {lobby} 七号: hi all")), "{said}");
        let rows = lines(&check(&mut job(&["history", "@lobby", "--json"]), "", 0));
        assert_eq!((&rows[0]["account"], &rows[0]["writer"]), (&"@lobby".into(), &"bob".into()), "{rows:?}");
    }
}

/// A refusal of the message itself is told as one, and not as what only the plain protocol can say or as trouble here.
#[test]
fn what_a_server_refuses_is_told_as_refused() {
    let mut served = Served::with(&["--max-mailbox", "1"]);
    for who in ["b", "a"] {
        check(&mut served.client(who), &format!("register {who}\nsecret\nsecret\n"), 0);
    }
    let send = |served: &Served, lang: &str| {
        let mut command = served.client_in(lang, "a");
        command.args(["--account", "a", "send", "--to", "b", "hello"]).env("HONGYAN_PASSWORD", "secret");
        let output = run(&mut command, "");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(send(&served, "en").0, Some(0));
    for (lang, word) in [("en", "the server refused the message"), ("zh", "服务器拒收这条消息")] {
        let (code, said) = send(&served, lang);
        assert!(code == Some(3) && said.contains(word) && !said.contains("00:00"), "{code:?} {said}");
    }
    // Somebody else has the name now, of whom the history does not know yet: nothing is sent to them.
    served.restart_after(&[], |data| {
        admin::delete(data, "b").expect("deleted");
        let list = data.with_extension("csv");
        std::fs::write(&list, "b,secret\n").expect("written");
        admin::import(data, &list, 1_700_000_000).expect("made anew");
    });
    let (code, said) = send(&served, "zh");
    assert!(code == Some(5) && said.contains("是写给原来的账号的"), "{code:?} {said}");
    let history = run(served.client("a").args(["--account", "a", "history", "b", "--json"]), "");
    let rows = lines(&String::from_utf8_lossy(&history.stdout));
    let states: Vec<&str> = rows.iter().filter_map(|row| row["state"].as_str()).collect();
    assert_eq!(states, ["kept", "failed", "failed", "made-anew"]);
}

/// What is sent is what was given, all of it, and only as many messages as were wanted.
#[test]
fn what_cannot_be_sent_as_it_is_is_refused_whole() {
    let served = Served::new();
    let bob = served.by_hand("bob");
    served.ask("01#a#secret#secret#");
    let send = |more: &[&str], input: &[u8]| {
        let mut command = served.client("a");
        command.args(["--account", "a", "send", "--to", "bob"]).args(more).env("HONGYAN_PASSWORD", "secret");
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let refused: [(&[&str], Vec<u8>, &str); 5] = [
        (&[], [vec![b'A'; 1 << 20], b"TAIL".to_vec()].concat(), "more than 1048576 bytes"),
        (&[], b"caf\xe9".to_vec(), "not UTF-8 at byte 3"),
        (&[], b"a\0b".to_vec(), "a NUL at byte 1"),
        (&[], vec![b'A'; 11 * 924], "this makes 11 messages to bob; nothing was sent. --parts 11"),
        (&["--parts", "2"], vec![b'A'; 3 * 924], "--parts 3"),
    ];
    for (more, input, why) in refused {
        let (code, said) = send(more, &input);
        assert!(code == Some(2) && said.contains(why), "{why}: {code:?} {said}");
    }
    assert_eq!(served.ask_from(&bob, "09#").as_deref(), Some("09:01"));
    for (more, parts) in [(&[][..], 10), (&["--parts", "12"], 12)] {
        let (code, said) = send(more, &vec![b'A'; parts * 924]);
        assert_eq!(code, Some(0), "{said}");
        let mut bytes = 0;
        for _ in 0..parts {
            let got = served.ask_from(&bob, "09#").expect("an answer");
            bytes += got.matches('A').count();
        }
        assert_eq!((bytes, served.ask_from(&bob, "09#").as_deref()), (parts * 924, Some("09:01")));
    }
    // A pipe's lines are no different: nothing behind what cannot be sent goes anywhere.
    let long = "A".repeat(11 * 924);
    for (line, why) in [(long.as_bytes(), "This makes 11 messages to bob."), (b"\xc4\xe3\xba\xc3", "not UTF-8")] {
        let mut command = served.client("a");
        let input = [b"login a\nsecret\nchat bob\nfirst\n", line, b"\nafterwards\n"].concat();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        child.stdin.take().expect("piped").write_all(&input).expect("read");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
        assert!(said.contains("Line 5 was not done or sent, and nothing after it"), "{said}");
        assert!(served.ask_from(&bob, "09#").is_some_and(|reply| reply.ends_with(":first")));
        assert_eq!(served.ask_from(&bob, "09#").as_deref(), Some("09:01"));
    }
}

#[test]
fn a_pipe_whose_login_failed_sends_nothing_and_says_so() {
    let served = Served::new();
    let bob = served.by_hand("bob");
    served.ask("01#a#secret#secret#");
    let behind = "chat bob\nhello\nquit\n";
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let silent = nobody.local_addr().expect("bound").to_string();
    let cases = [
        (vec![], "login a\nwrong\n", 3, "Wrong password"),
        (vec![], "login nobody\nsecret\n", 3, "There is no such account"),
        (vec![], "login a#b\n", 2, "Line 2"),
        (vec![], "register bob\nsecret\nsecret\n", 3, "exists already"),
        (vec![], "login a\n\n", 2, "Cancelled"),
        (vec!["--server", &*silent], "login a\nsecret\n", 4, "does not answer"),
    ];
    for (more, login, code, why) in cases {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        command.args(["--lang", "en", "--data"]).arg(served.dir.path().join("pipe")).env_remove("HONGYAN_PASSWORD");
        if more.is_empty() {
            command.args(["--server", &served.at.to_string()]);
        }
        let said = check(command.args(&more), &format!("{login}{behind}"), code);
        assert!(said.contains(why) && said.contains("was not done or sent, and nothing after it"), "{login:?}: {said}");
        assert!(!said.contains("There is no command") && !said.contains("secret"), "{login:?}: {said}");
    }
    // One that goes right afterwards is as good.
    check(&mut served.client("pipe"), "login a\nwrong\nlogin a\nsecret\nchat bob\nhello\n", 0);
    assert!(served.ask_from(&bob, "09#").is_some_and(|reply| reply.ends_with(":hello")));
    assert_eq!(served.ask_from(&bob, "09#").as_deref(), Some("09:01"));
}

pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort_by_key(|path| path.is_dir());
    entries.into_iter().find_map(|path| match path.is_dir() {
        true => find(&path, name),
        false => path.ends_with(name).then_some(path),
    })
}

#[test]
fn a_pipe_that_ends_waits_for_what_it_asked() {
    let served = Served::new();
    // Who is added is asked about.
    for account in ["a", "bob"] {
        served.ask(&format!("01#{account}#secret#secret#"));
    }
    let (folder, list) = (served.dir.path().join("none/list.csv"), served.dir.path().join("list.csv"));
    for (lang, done, imported, cannot, online) in [
        ("en", "The list is saved", "Friends added or changed: 1", "list.csv", "1 online"),
        ("zh", "列表已保存", "已导入 1 位好友", "list.csv", "在线 1 人"),
    ] {
        for plain in [&[][..], &["--plain", "--allow-plain"]] {
            let who = format!("{lang}{}", plain.len());
            let pipe = |lines: &str, code| {
                let output = run(served.client_in(lang, &who).args(plain), &format!("login a\nsecret\n{lines}"));
                let said = [output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
                assert_eq!(output.status.code(), Some(code), "{lines}: {said}");
                said
            };
            let said = pipe(&format!("add bob\nexport {}\n", list.display()), 0);
            assert!(said.contains(done), "{said}");
            let said = pipe(&format!("import {}\n", list.display()), 0);
            assert!(said.contains(imported), "{said}");
            for verb in ["import", "export"] {
                let said = pipe(&format!("{verb} {}\n", folder.display()), 1);
                assert!(said.contains(cannot), "{verb}: {said}");
            }
            // What the server says too.
            assert!(pipe("who\n", 0).contains(online));
        }
    }
}

#[test]
fn why_a_login_is_put_off_is_said() {
    let served = Served::new();
    served.ask("01#a#secret#secret#");
    for (lang, why) in [("en", "Too many wrong passwords were tried"), ("zh", "试错密码的次数过多")] {
        let tried = |password: &str, timeout: &str| {
            let mut job = served.client_in(lang, lang);
            job.args(["--account", "a", "send", "--timeout", timeout, "--to", "a", "x"]);
            let output = run(job.env("HONGYAN_PASSWORD", password), "");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let tries: Vec<_> = (0..12).map(|_| tried("wrong", "1")).collect();
        assert!(tries.iter().all(|(code, _)| *code == Some(3)), "{tries:?}");
        let (_, said) = tries.last().expect("some");
        assert!(said.contains(why), "{tries:?}");
    }
}

#[test]
fn why_says_what_is_wrong_and_ends_with_a_code() {
    let served = Served::new();
    let why = |server: &str| {
        let mut command = served.client("a");
        command.args(["why", server]);
        command
    };
    let here = served.at.to_string();
    let said = check(&mut why(&here), "", 0);
    assert!(said.contains("can be reached") && !said.contains('\x1b'), "{said}");
    let said = check(&mut why("no.such.name.invalid:9"), "", 4);
    assert!(said.contains("no address was found") && said.contains("Check the spelling"), "{said}");
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let said = check(&mut why(&closed.to_string()), "", 4);
    assert!(said.contains("the port is closed"), "{said}");
    // The key that was kept at the first login is another one now.
    check(&mut served.client("a"), "register a\nsecret\nsecret\n", 0);
    assert!(check(&mut why(&here), "", 0).contains("Key: the known one"));
    let kept = find(&served.dir.path().join("a"), "keys").expect("a file of keys");
    std::fs::write(kept, "00".repeat(44)).expect("written");
    let said = check(&mut why(&here), "", 9);
    assert!(said.contains("do not log in there"), "{said}");
    // The command says the same.
    let said = check(&mut served.client("a"), &format!("why {closed}\nquit\n"), 0);
    assert!(said.contains("the port is closed"), "{said}");
}

#[test]
fn a_job_sends_no_password_in_plain_unasked() {
    let served = Served::with(&["--plain-only"]);
    drop(served.by_hand("b"));
    served.ask("01#a#secret#secret#");
    let job = |args: &[&str]| {
        let mut command = served.client("a");
        command.args(["--account", "a"]).args(args).env("HONGYAN_PASSWORD", "secret");
        command
    };
    let send = ["send", "--to", "b", "x"];
    check(&mut job(&send), "", 3);
    check(job(&send).arg("--allow-plain"), "", 0);
    // Nothing is kept there, and no device is remembered.
    check(&mut job(&["--allow-plain", "history", "b", "--at-server"]), "", 6);
    check(&mut job(&["login"]), "", 3);
    check(job(&["send", "--to", "b", "x"]).env_remove("HONGYAN_PASSWORD"), "", 2);
}

#[test]
fn pages_and_completions_are_generated() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut programs = vec![
        (env!("CARGO_BIN_EXE_hongyan-term"), "hongyan-term", vec!["hongyan-term-send.1", "hongyan-term-recv.1"]),
        (env!("CARGO_BIN_EXE_hongyand"), "hongyand", vec!["hongyand-account-list.1"]),
    ];
    #[cfg(feature = "gui")]
    programs.push((env!("CARGO_BIN_EXE_hongyan"), "hongyan", vec![]));
    programs.retain(|(program, ..)| std::path::Path::new(program).exists());
    for (program, name, mut pages) in programs {
        check(Command::new(program).arg("generate").arg(dir.path()), "", 0);
        let own = format!("{name}.1");
        pages.push(&own);
        for page in pages {
            let text = std::fs::read_to_string(dir.path().join("man1").join(page)).expect(page);
            assert!(text.contains(".SH SYNOPSIS") && !text.contains("serve-local"), "{page}: {text}");
        }
        let completions = dir.path().join("completions");
        let shells = [format!("{name}.bash"), format!("_{name}"), format!("{name}.fish"), format!("_{name}.ps1")];
        for file in shells {
            let text = std::fs::read_to_string(completions.join(&file)).expect("a completion");
            assert!(text.contains("data"), "{file}: {text}");
        }
        let script = completions.join(format!("{name}.bash"));
        let loads = Command::new("bash").arg("-n").arg(script).status().expect("bash runs");
        assert!(loads.success(), "{name}");
    }
}

#[test]
fn the_protocol_by_hand_becomes_a_document() {
    let served = Served::new();
    let file = served.dir.path().join("trials");
    let typed = [
        "01#20170001#secret#secret#",
        "02#20170001#secret => 02:01",
        "02#20170001#secret# => 02:01",
        "08#",
        "/expect 06:02",
        "06#",
        "06:01",
    ];
    let saves: String = ["json", "md"].map(|kind| format!("/save {}.{kind}\n", file.display())).concat();
    let said = check(served.client("a").arg("raw"), &format!("{}\n{saves}/quit\n", typed.join("\n")), 0);
    for wanted in [
        "30 31 23 32 30",
        "26 bytes · ******",
        "field 2 is not closed: add `#` after byte 18",
        "not as expected: 06:02",
        "no answer within 2 s",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let document = std::fs::read_to_string(file.with_extension("json")).expect("saved");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let judged: Vec<(&str, &str, &str)> = document["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            let rule = case["why"]["rule"].as_str().unwrap_or("-");
            let got = case["exchanges"][0]["got"]["text"].as_str().unwrap_or("-");
            (got, case["verdict"].as_str().expect("a verdict"), rule)
        })
        .collect();
    let wanted = [
        ("01:01", "pass", "-"),
        ("00:00", "fail", "-"),
        ("02:01", "pass", "-"),
        ("08:0", "pass", "-"),
        ("06:01", "fail", "-"),
        ("-", "pass", "-"),
    ];
    assert_eq!(judged, wanted);
    let text = std::fs::read_to_string(file.with_extension("md")).expect("saved");
    assert!(text.contains("| 1 | H | `02#20170001#******#` | `02:01` | `02:01` |"), "{text}");
    assert!(!text.contains("secret") && !said.contains("secret"), "{text}");
}
