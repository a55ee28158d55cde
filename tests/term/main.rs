//! The terminal client in a terminal of its own, by keys; and without one, for scripts.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking, and drives real programs in real time"
)]

mod devices;
mod foreign;
mod hangup;
mod keeping;
mod looking;
#[path = "../shared/process.rs"]
mod process;
mod scripts;
mod states;
mod tmux;
mod unseen;

use tmux::{Served, Terminal, until};

#[test]
fn messages_arrive_while_one_types() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("20170001");
    let bob = served.by_hand("bob");
    a.line("add bob 七号好友");
    a.line("chat 七号好友");
    a.foot_is("20170001 → 七号好友>");
    a.write("这一行还没有打完 half");
    for i in 0..20 {
        served.tell(&bob, "20170001", &format!("第 {i} 条，你好"));
    }
    a.shows("七号好友: 第 19 条，你好");
    a.foot_is("20170001 → 七号好友> 这一行还没有打完 half");
    let all = a.scrolled();
    for i in 0..20 {
        assert_eq!(all.matches(&format!("七号好友: 第 {i} 条，你好")).count(), 1, "{all}");
    }
    a.line(" written");
    a.shows("→ 七号好友: 这一行还没有打完 half written");
    a.foot_is("20170001 → 七号好友 ✓>");
    assert!(!a.scrolled().contains("secret"), "a password was shown");
    until("bob has it", || {
        let reply = served.ask_from(&bob, "09#").unwrap_or_default();
        if reply.ends_with(":这一行还没有打完 half written") { Ok(()) } else { Err(reply) }
    });
}

#[test]
fn the_line_survives_another_size() {
    let served = Served::new();
    // He is there before her: a word that he has come would be one more line, at any time.
    let bob = served.by_hand("bob");
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    a.line("chat bob");
    let typed = "一二三四五六七八九十".repeat(6);
    a.write(&typed);
    let whole_and_once = |what: &str| {
        let expected = format!("a → bob> {typed}");
        until(what, || {
            let screen = a.screen();
            let joined: String = screen.lines().skip_while(|l| !l.starts_with("a → bob> ")).collect();
            if joined == expected { Ok(()) } else { Err(screen) }
        });
    };
    for (i, (columns, rows)) in [(40, 24), (23, 10), (100, 30), (61, 24)].into_iter().enumerate() {
        a.resize(columns, rows);
        // tmux tells a program of its new size a quarter of a second after it has wrapped its rows anew.
        until("the new size", || if a.knows(columns) { Ok(()) } else { Err(a.screen()) });
        whole_and_once(&format!("the line in {columns} columns"));
        served.tell(&bob, "a", &format!("n{i}"));
        until("the message", || if a.scrolled().contains(&format!(": n{i}")) { Ok(()) } else { Err(a.screen()) });
        whole_and_once(&format!("the line below a message in {columns} columns"));
    }
}

#[test]
fn ten_thousand_characters_are_pasted() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    let bob = served.by_hand("bob");
    a.line("chat bob");
    let text: String = (0..10_000).map(|i| if i % 100 == 99 { '鸿' } else { 'x' }).collect();
    // Marked as a paste it may have line breaks; unmarked it is typed quickly.
    for (marked, text) in [(true, format!("one\n{text}")), (false, text)] {
        a.paste(&text, marked);
        a.keys(&["Enter"]);
        a.foot_is("Type “send” to send them; Enter alone cancels:");
        a.line("send");
        let mut got = String::new();
        until("the whole text", || {
            while let Some(reply) = served.ask_from(&bob, "09#").filter(|r| r.starts_with("09:a:")) {
                let body = reply.splitn(6, ':').last().unwrap_or_default().to_owned();
                got.push_str(body.split_once(") ").map_or(body.as_str(), |(_, part)| part));
            }
            if got == text { Ok(()) } else { Err(format!("{} of {} bytes\n{}", got.len(), text.len(), a.screen())) }
        });
    }
    a.foot_is("a → bob ✓✓>");
}

#[test]
fn a_pasted_file_is_sent_only_after_a_word() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    let bob = served.by_hand("bob");
    a.line("chat bob");
    a.paste(&"x".repeat(11 * 924), true);
    a.keys(&["Enter"]);
    a.shows("This makes 11 messages to bob.");
    a.foot_is("Type “send” to send them; Enter alone cancels:");
    a.line("yes");
    a.shows("Cancelled.");
    // Nothing is lost: it stands in the line again.
    a.shows("xxxxxxxx\n");
    assert_eq!(served.ask_from(&bob, "09#").as_deref(), Some("09:01"));
    a.keys(&["Enter"]);
    a.foot_is("Type “send” to send them; Enter alone cancels:");
    a.line("send");
    a.foot_is("a → bob ✓>");
    let mut got = 0;
    until("all of it", || {
        while let Some(reply) = served.ask_from(&bob, "09#").filter(|reply| reply.starts_with("09:a:")) {
            got += reply.matches('x').count();
        }
        if got == 11 * 924 { Ok(()) } else { Err(got.to_string()) }
    });
}

#[test]
fn control_c_and_d_and_signals_go_offline_first() {
    let served = Served::new();
    for (i, how) in ["C-c", "C-d", "quit", "TERM", "HUP"].into_iter().enumerate() {
        let name = format!("p{i}");
        let terminal = Terminal::open(&served, &name, &[]);
        terminal.register(&name);
        match how {
            "C-c" => {
                terminal.write("half a line");
                terminal.keys(&[how]);
            }
            "C-d" => terminal.keys(&[how]),
            "quit" => terminal.line(how),
            signal => {
                let pid = terminal.client_pid().to_string();
                let status = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
                assert!(status.expect("kill runs").success());
            }
        }
        terminal.shows("left with 0");
        // The terminal echoes again, and the server has let the account go.
        terminal.shows("\necho");
        assert_eq!(served.ask(&format!("02#{name}#secret#")).as_deref(), Some("02:01"), "{how}");
    }
}

#[test]
fn a_hostile_message_commands_nothing() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &["--color", "always"]);
    a.shows("hongyan>");
    a.register("a");
    let bob = served.by_hand("bob");
    served.tell(&bob, "a", "\x1b[2J\x1b[H\x1b]0;owned\x07\u{9b}31m tail");
    a.shows("·[2J·[H·]0;owned··31m tail");
    a.foot_is("a>");
}

#[test]
fn a_password_goes_out_in_plain_only_after_a_yes() {
    let served = Served::with(&["--plain-only", "--on-second-login", "arm"]);
    drop(served.by_hand("bob"));
    let a = Terminal::open(&served, "a", &[]);
    a.shows("hongyan>");
    for answer in ["n", "y"] {
        a.line("login bob");
        a.line("secret");
        a.shows("anyone on the network path can read");
        a.foot_is("Send the password all the same? [y/N]:");
        a.line(answer);
    }
    a.shows("Take over?");
    a.line("y");
    a.foot_is("bob>");
}

#[test]
fn every_answer_to_register_and_login_is_said() {
    let served = Served::with(&["--on-second-login", "arm"]);
    let other = served.by_hand("bob");
    let a = Terminal::open(&served, "a", &["--plain"]);
    a.shows("hongyan>");
    a.line("register bob");
    a.line("secret");
    a.line("secret");
    a.shows("This account exists already.");
    a.line("register ann");
    a.line("secret");
    a.line("other");
    a.shows("The two passwords differ.");
    a.foot_is("New password of ann:");
    a.keys(&["Enter"]);
    a.shows("Cancelled.");
    a.line("login nobody");
    a.line("secret");
    a.shows("There is no such account.");
    a.line("login bob");
    a.line("wrong");
    a.shows("Wrong password.");
    a.foot_is("Password of bob:");
    a.line("secret");
    a.shows("Take over?");
    a.line("y");
    a.foot_is("bob>");
    assert_eq!(served.ask_from(&other, "08#").as_deref(), Some("07:01"));
    assert!(!a.scrolled().contains("wrong\n"), "a password was shown");
}

#[test]
fn commands_do_what_they_say() {
    let served = Served::new();
    let a = Terminal::open(&served, "a", &[]);
    a.register("a");
    let bob = served.by_hand("bob");
    a.line("nonsense");
    a.shows("There is no command nonsense. There is: register login");
    a.line("add bob Bob the builder");
    a.shows("bob is in the list.");
    a.line("s/Bob the builder/by the remark");
    a.line("s/bob/by the account");
    a.line("s/carol/hm");
    a.shows("Nobody you know is called carol; it was not sent.");
    a.line("cha\tBob\t");
    a.foot_is("a → Bob the builder>");
    a.shows("What you type now goes to Bob the builder.");
    // A friend's answer may be any word, in either language.
    let words = ["who is there?", "lobby", "forget", "offline", "why", "在线", "退出", "chat bob", "quit"];
    for word in words {
        a.line(word);
        a.shows(&format!("→ Bob the builder: {word}"));
    }
    a.shows("the command is /quit");
    a.line("s/carol/only for carol");
    a.shows("carol; it was not sent");
    a.line("/tmp/x is full");
    a.shows("There is no command tmp/x.");
    a.line("//tmp/x is full");
    a.shows("→ Bob the builder: /tmp/x is full");
    a.line("/search REMARK");
    a.shows("Messages with “REMARK”: 1");
    a.line("/remark bob 七号");
    a.foot_is("a → 七号 ✓>");
    // Also where the account stands in the message itself.
    assert_eq!(served.ask_from(&bob, "03#@lobby#hi from bob#").as_deref(), Some("03:01"));
    a.shows("Lobby 七号: hi from bob");
    a.line("/leave");
    a.line("history bob 2");
    a.shows("七号 · 2 messages");
    a.line("friends");
    a.shows("七号");
    a.line("remove bob");
    a.shows("bob is off the list");
    a.line("offline");
    a.foot_is("a (Offline)>");
    a.line("online");
    a.foot_is("a>");
    a.line("lobby");
    a.line("hello all");
    a.shows("→ Lobby: hello all");
    let mut got = Vec::new();
    until("all messages", || {
        while let Some(reply) = served.ask_from(&bob, "09#").filter(|r| r.starts_with("09:") && r != "09:01") {
            got.push(reply.splitn(6, ':').last().unwrap_or_default().to_owned());
        }
        let mut all = vec!["by the remark", "by the account"];
        all.extend(words);
        all.extend(["/tmp/x is full", "[a] hello all"]);
        if got == all { Ok(()) } else { Err(format!("{got:?}")) }
    });
    a.keys(&["Up", "Up", "Up"]);
    a.foot_is("a → Lobby ✓> online");
}
