//! Servers whose key changes, accounts with several devices, and devices that need no password.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::scripts::{check, find, lines, run};
use super::tmux::{Served, Terminal};

/// Another key than the server's is known from now on: what it shows is new.
fn forge_the_known_key(served: &Served, who: &str) {
    let kept = find(&served.dir.path().join(who), "keys").expect("a file of keys");
    std::fs::write(kept, format!("{}\n", "00".repeat(44))).expect("written");
}

fn job(served: &Served, who: &str, args: &[&str]) -> Command {
    let mut command = served.client(who);
    command.args(args);
    command
}

fn with_password(mut command: Command) -> Command {
    command.env("HONGYAN_PASSWORD", "secret");
    command
}

#[test]
fn another_key_is_taken_when_its_first_word_is_typed() {
    let served = Served::new();
    for (who, language) in [("a", "en"), ("b", "zh")] {
        check(&mut served.client(who), &format!("register {who}\nsecret\nsecret\n"), 0);
        forge_the_known_key(&served, who);
        let a = Terminal::open_in(language, &served, who, &[]);
        let (shown, ask, answer, done) = match language {
            "en" => ("  it shows   ", "Compared?", "That is not the first word", "This key is trusted"),
            _ => ("  现在       ", "已核对？", "这不是“现在”的第一个字", "已接受此密钥"),
        };
        // Who was here last is asked for the password.
        a.line("secret");
        a.shows(shown);
        let screen = a.screen();
        let words = screen.lines().find_map(|line| line.strip_prefix(shown)).expect("words");
        let mut key = Command::new(env!("CARGO_BIN_EXE_hongyand"));
        let owners = check(key.arg("--data").arg(served.dir.path().join("server")).arg("key"), "", 0);
        assert!(owners.lines().any(|line| line == words), "{owners}{screen}");
        for (typed, said) in [("y", answer), (words, done)] {
            a.line("trust");
            a.shows(ask);
            let first = if language == "en" { typed.split(' ').next() } else { typed.get(..typed.len().min(3)) };
            a.line(first.expect("a word"));
            a.shows(said);
        }
        a.foot_is(&format!("{who}>"));
    }
}

#[test]
fn damaged_keys_are_told_and_a_key_is_taken_when_its_word_is_typed() {
    let served = Served::new();
    for (who, language) in [("a", "en"), ("b", "zh")] {
        check(&mut served.client(who), &format!("register {who}\nsecret\nsecret\n"), 0);
        let kept = find(&served.dir.path().join(who), "keys").expect("a file of keys");
        let whole = std::fs::read(&kept).expect("read");
        std::fs::write(&kept, "garbage").expect("written");
        // A job says which words it wants, and takes nothing by itself.
        let send = ["--account", who, "send", "--to", who, "x"];
        let output = with_password(job(&served, who, &send)).output().expect("started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(9) && said.contains("damaged") && said.contains("--trust-key"), "{said}");
        assert_eq!(std::fs::read(&kept).expect("read"), b"garbage");
        let a = Terminal::open_in(language, &served, who, &[]);
        let (told, shown, done) = match language {
            "en" => ("is damaged", "  it shows   ", "is trusted from now on"),
            _ => ("已损坏", "  现在       ", "已接受"),
        };
        a.line("secret");
        a.shows(told);
        a.shows(shown);
        let screen = a.screen();
        let words = screen.lines().find_map(|line| line.strip_prefix(shown)).expect("words");
        let first = if language == "en" { words.split(' ').next() } else { words.get(..3) };
        a.line("trust");
        a.line(first.expect("a word"));
        a.shows(done);
        a.foot_is(&format!("{who}>"));
        assert_eq!(std::fs::read(&kept).expect("read"), whole);
    }
}

#[test]
fn whoever_was_taken_over_is_told_and_can_take_it_back() {
    let served = Served::new();
    let first = Terminal::open(&served, "first", &[]);
    first.register("a");
    first.line("takeover");
    first.shows("Nobody has taken your place.");
    let second = Terminal::open_in("zh", &served, "second", &[]);
    second.shows("hongyan>");
    second.line("login a");
    second.line("secret");
    second.shows("此次登录使 127.0.0.1:");
    second.foot_is("a>");
    first.shows("This account was logged in from 127.0.0.1:");
    first.shows("/takeover takes it back.");
    first.foot_is("a (Offline)>");
    first.line("takeover");
    first.shows("This login ended the one at 127.0.0.1:");
    first.foot_is("a>");
    second.shows("输入 /takeover（接管）可重新接管。");
    second.foot_is("a (离线)>");
    // A job that took it is told too, and does not fight.
    let mut listening = with_password(job(&served, "third", &["--account", "a", "recv", "--follow", "--take-over"]));
    let listening = listening.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let listening = listening.spawn().expect("it starts");
    first.foot_is("a (Offline)>");
    first.line("接管");
    first.foot_is("a>");
    let ended = listening.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(3) && said.contains("was logged in from"), "{said}");
}

#[test]
fn a_device_that_stays_logged_in_needs_no_password_until_it_is_forgotten() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    a.line("stay");
    a.shows("needs no password from now on");
    a.line("quit");
    a.shows("left with 0");
    drop(a);
    let a = Terminal::open(&served, "a", &[]);
    a.foot_is("a>");
    a.line("forget");
    a.shows("This device needs the password again.");
    a.line("login a");
    a.foot_is("Password of a:");
    a.line("secret");
    a.foot_is("a>");
    a.line("quit");
    a.shows("left with 0");
    // The jobs: one to come in, one to end that.
    let plain = |args: &[&str]| job(&served, "a", args);
    check(&mut plain(&["send", "--to", "a", "x"]), "", 2);
    check(&mut with_password(plain(&["login"])), "", 0);
    check(&mut plain(&["recv"]), "", 6);
    // A password that is given is used, and the device stays remembered.
    check(&mut with_password(plain(&["recv"])), "", 6);
    check(&mut plain(&["recv"]), "", 6);
    check(&mut plain(&["forget"]), "", 0);
    check(&mut plain(&["forget"]), "", 6);
    check(&mut plain(&["recv"]), "", 2);
    // A server that does not know the device any more: a copy of it has said so.
    check(&mut with_password(plain(&["login"])), "", 0);
    let folder = |who: &str| served.dir.path().join(who);
    let copied = Command::new("cp").arg("-r").args([folder("a"), folder("copy")]).status().expect("cp runs");
    assert!(copied.success());
    let copy = Terminal::open(&served, "copy", &[]);
    copy.foot_is("a>");
    copy.line("forget");
    copy.foot_is("hongyan>");
    check(&mut plain(&["recv"]), "", 2);
    let a = Terminal::open(&served, "a", &[]);
    a.foot_is("Password of a:");
    a.line("secret");
    a.foot_is("a>");
}

#[test]
fn whoever_is_not_known_any_more_logs_in_anew_where_they_are() {
    let mut served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    for line in ["stay", "quit"] {
        a.line(line);
    }
    a.shows("left with 0");
    let a = Terminal::open(&served, "a", &[]);
    a.foot_is("a>");
    a.line("chat b");
    a.write("half a line");
    served.restart_after(&[], |data| {
        let mut reset = Command::new(env!("CARGO_BIN_EXE_hongyand"));
        check(reset.arg("--data").arg(data).args(["account", "reset", "a"]), "other\n", 0);
    });
    a.shows("please log in with the password");
    // What was being typed is no password, and waits.
    a.foot_is("Password of a:");
    for (typed, foot) in [("secret", "Password of a:"), ("other", "a → b> half a line"), ("", "a → b ○>")] {
        a.line(typed);
        a.foot_is(foot);
    }
}

#[test]
fn another_password_is_asked_for_and_a_deleted_account_is_told_of_where_one_is() {
    for (language, options, password, no_more, gone) in [
        ("en", &[][..], "Password of a:", "it may have been changed", "This account no longer exists on the server."),
        ("zh", &["--plain"][..], "a 的密码:", "密码已失效，可能已被更改", "此账号在服务器上已不存在"),
    ] {
        let served = Served::new();
        let a = Terminal::open_in(language, &served, "a", options);
        a.register_in(language, "a");
        let looked_after = |words: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
            check(command.arg("--data").arg(served.dir.path().join("server")).args(words), "other\n", 0);
        };
        looked_after(&["account", "reset", "a"]);
        a.shows(no_more);
        for (typed, foot) in [("", password), ("secret", password), ("other", "a>")] {
            a.line(typed);
            if typed.is_empty() {
                // A user who declines is asked again when they go online.
                a.line("online");
            }
            a.foot_is(foot);
        }
        // What comes shows that the login has come about.
        let b = served.by_hand("b");
        served.tell(&b, "a", "hello");
        a.shows("hello");
        looked_after(&["account", "delete", "a"]);
        a.shows(gone);
    }
}

#[test]
fn a_server_that_encrypts_no_more_takes_a_word_that_nobody_types_by_habit() {
    let mut served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    a.line("chat bob");
    a.write("half a line");
    served.restart_after(&["--plain-only"], |_| {});
    a.shows("Type /readable to go on in plain");
    // What is being typed is no answer, and waits as everything does.
    a.foot_is("a → bob> half a line");
    a.line("");
    let bob = served.by_hand("bob");
    a.line("/readable");
    a.foot_is("a → bob ✓>");
    let got = served.ask_from(&bob, "09#").expect("an answer");
    assert!(got.starts_with("09:a:") && got.ends_with(":half a line"), "{got}");
    a.line("/readable");
    a.shows("No server waits to be spoken to in plain.");
    a.line("/quit");
    a.shows("left with 0");
    // The next run asks again, before anything goes out.
    let a = Terminal::open_in("zh", &served, "a", &[]);
    for (typed, said) in [("yes", "不是这个词"), ("", "已取消"), ("明文", "已登录")] {
        a.line(if typed == "yes" { "secret" } else { "login a\nsecret" });
        a.shows("此服务器以前使用加密");
        a.foot_is("输入“明文”则这一次仍然发送；直接回车则取消:");
        a.line(typed);
        a.shows(said);
    }
    a.line("quit");
    a.shows("left with 0");
    // Nobody is asked elsewhere, and no option is an answer.
    let mut piped = served.client("a");
    let piped = run(piped.arg("--allow-plain"), "login a\nsecret\nreadable\n");
    let said = String::from_utf8_lossy(&[piped.stdout, piped.stderr].concat()).into_owned();
    assert!(said.contains("Neither --allow-plain nor --plain is enough") && !said.contains("Logged in"), "{said}");
    let refused = run(&mut with_password(job(&served, "a", &["--account", "a", "--allow-plain", "recv"])), "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(9), "{said}");
    assert!(said.contains("Neither --allow-plain nor --plain is enough"), "{said}");
}

#[test]
fn a_job_trusts_another_key_by_its_words_alone() {
    let served = Served::new();
    check(&mut served.client("a"), "register a\nsecret\nsecret\n", 0);
    forge_the_known_key(&served, "a");
    let recv = |args: &[&str]| with_password(job(&served, "a", &[&["recv"], args].concat()));
    let refused = run(&mut recv(&[]), "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(9), "{said}");
    let words = said.split("--trust-key \"").nth(1).and_then(|rest| rest.split('"').next()).expect(&said);
    check(&mut recv(&["--trust-key", "other words"]), "", 9);
    check(&mut recv(&["--trust-key", words]), "", 6);
    check(&mut recv(&[]), "", 6);
}

#[test]
fn a_new_device_reads_what_the_server_keeps() {
    let served = Served::new();
    check(&mut served.client("b"), "register b\nsecret\nsecret\n", 0);
    let texts: String = (0..50).map(|i| format!("s/b/第 {i} 条\n")).collect();
    check(&mut served.client("a"), &format!("register a\nsecret\nsecret\nadd b 七号\n{texts}"), 0);
    let past = |args: &[&str]| {
        let all = [&["--account", "a", "history", "b", "--at-server", "--json"], args].concat();
        with_password(job(&served, "new", &all))
    };
    let all = lines(&check(&mut past(&["--count", "45"]), "", 0));
    let got: Vec<&str> = all.iter().filter_map(|row| row["text"].as_str()).collect();
    let wanted: Vec<String> = (5..50).map(|i| format!("第 {i} 条")).collect();
    assert_eq!(got, wanted);
    assert_eq!((&all[0]["direction"], &all[0]["account"]), (&"out".into(), &"b".into()));
    let before = all[0]["row"].to_string();
    assert_eq!(lines(&check(&mut past(&["--before", &before]), "", 0)).len(), 5);
    let first = lines(&check(&mut past(&["--before", &before]), "", 0))[0]["row"].to_string();
    check(&mut past(&["--before", &first]), "", 6);
    // The same by a command, page by page, on one that has kept nothing of it.
    let terminal = Terminal::open(&served, "newest", &[]);
    terminal.line("login a");
    terminal.line("secret");
    terminal.foot_is("a>");
    terminal.line("chat b");
    terminal.shows("/past shows what the server keeps.");
    // The remark of the first device is the server's to keep, so it is here too.
    for (n, shown) in [("15", "→ 七号: 第 35 条"), ("", "→ 七号: 第 15 条"), ("", "→ 七号: 第 0 条")]
    {
        terminal.line(format!("/past {n}").trim_end());
        terminal.shows(shown);
    }
    // From then on it stands in the history.
    terminal.line("/search 第 7 条");
    terminal.shows("→ 七号: 第 7 条 (is offline; the server keeps it)\nMessages with “第 7 条”: 1");
    // The pipe waits for it.
    let said = check(&mut served.client("newer"), "login a\nsecret\nadd b\npast b 2\n", 0);
    assert!(said.contains("2 messages kept at the server") && said.contains("第 49 条"), "{said}");
}

#[test]
fn commands_of_the_last_run_come_back_and_messages_do_not() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    for line in ["friends", "add bob 七号", "s/bob/private", "chat bob", "also private", "nonsense secret", "/leave"]
    {
        a.line(line);
    }
    a.line("raw");
    a.line("01#c#secret#secret#");
    a.shows("01:01");
    a.line("02#c#secret#");
    a.shows("02:01");
    a.line("03#bob#private#");
    a.shows("03:02");
    a.line("/quit");
    a.shows("left with 0");
    drop(a);
    let file: PathBuf = find(&served.dir.path().join("a"), "lines").expect("a file of lines");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).expect("text");
    assert_eq!(kept, "register a\nfriends\nadd bob 七号\nchat bob\n/leave\nraw\n01#c#******#******#\n02#c#******#\n");
    let a = Terminal::open(&served, "a", &[]);
    a.shows("Password of a:");
    a.keys(&["Enter"]);
    a.foot_is("hongyan>");
    for shown in ["02#c#******#", "01#c#******#******#", "raw", "/leave", "chat bob", "add bob 七号"] {
        a.keys(&["Up"]);
        a.foot_is(&format!("hongyan> {shown}"));
    }
}

#[test]
fn devices_stand_beside_each_other_where_their_owner_wants_it() {
    let served = Served::new();
    let first = Terminal::open(&served, "first", &[]);
    first.register("a");
    let bob = served.by_hand("b");
    first.line("account");
    first.shows("the last one to come takes the others' place");
    first.line("account beside maybe");
    first.shows("account [beside|secure-only on|off]");
    first.line("account beside on");
    first.shows("several may be logged in at once");
    // In Chinese, and from a pipe.
    let said = check(&mut served.client("pipe"), "login a\nsecret\n账号 仅加密 开\nlang zh\n账号\n", 0);
    assert!(said.contains("nobody can log in") && said.contains("可同时在多个设备登录"), "{said}");
    assert_eq!(served.ask("02#a#secret#").as_deref(), Some("02:02"));
    let second = Terminal::open_in("zh", &served, "second", &[]);
    second.shows("hongyan>");
    second.line("login a");
    second.line("secret");
    second.foot_is("a>");
    served.tell(&bob, "a", "to both");
    second.shows("to both");
    second.line("s/b/from the second");
    for terminal in [&first, &second] {
        terminal.shows("to both");
        terminal.shows("b: from the second");
        terminal.foot_is("a>");
    }
}

#[test]
fn a_kept_message_is_said_to_be_delivered_on_each_device_of_its_writer() {
    let served = Served::new();
    check(&mut served.client("b"), "register b\nsecret\nsecret\n", 0);
    let first = Terminal::open(&served, "first", &[]);
    first.register("a");
    first.line("account beside on");
    first.shows("several may be logged in at once");
    let second = Terminal::open_in("zh", &served, "second", &[]);
    second.shows("hongyan>");
    second.line("login a");
    second.line("secret");
    second.foot_is("a>");
    first.line("chat b");
    first.foot_is("a → b>");
    for text in ["one", "two"] {
        first.line(text);
        first.shows(&format!("“{text}”: is offline; the server keeps it"));
        second.shows(&format!("→ b: {text} (对方离线，服务器已代存)"));
    }
    first.foot_is("a → b ○>");
    let b = Terminal::open(&served, "b", &["--account", "b"]);
    b.shows("Password of b:");
    b.line("secret");
    b.shows("two");
    first.shows("“two”: delivered ✓✓");
    first.foot_is("a → b ✓✓>");
    second.shows("“two”: 已送达 ✓✓");
    // Once for all before it, and it stays so in what is read later.
    for terminal in [&first, &second] {
        terminal.line("/history b");
    }
    first.shows("→ b: one (delivered ✓✓)");
    second.shows("→ b: one (已送达 ✓✓)");
    assert!(!first.scrolled().contains("“one”: delivered"), "{}", first.scrolled());
    // A new folder has nothing but what the server keeps.
    let mut at_server =
        with_password(job(&served, "third", &["--account", "a", "history", "b", "--at-server", "--json"]));
    let states = |said: String| {
        lines(&said).iter().map(|row| (row["text"].to_string(), row["state"].to_string())).collect::<Vec<_>>()
    };
    let wanted = ["\"one\"", "\"two\""].map(|text| (text.to_owned(), "\"delivered\"".to_owned()));
    assert_eq!(states(check(&mut at_server, "", 0)), wanted);
    first.line("/quit");
    first.shows("left with 0");
    let mut here = job(&served, "first", &["--account", "a", "history", "b", "--json"]);
    assert_eq!(states(check(&mut here, "", 0)), wanted);
}
