//! The programs themselves, on a display of their own, driven by keys alone. Pictures of each step
//! are kept in the build folder's `tmp/screenshots`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and drives real programs in real time"
)]

mod desk;
mod fields;
mod focus;
mod friends;
mod gone;
mod keeping;
mod looking;
mod peers;
mod plain;
#[path = "../shared/process.rs"]
mod process;
mod screens;
mod secure;

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use desk::{Desk, Person, serve, until};
use peers::{Between, ByHand};
use process::{Process, free_port};

const SENT: Option<i64> = Some(2);

struct Place {
    desk: Desk,
    dir: tempfile::TempDir,
    at: SocketAddr,
}

impl Place {
    fn new() -> Self {
        Self { desk: Desk::new(), dir: tempfile::tempdir().expect("a folder"), at: free_port() }
    }

    fn serve(&self) -> Process {
        serve(self.at, &self.dir.path().join("server"))
    }

    fn open(&self, name: &str, lang: &str, more: &[&str]) -> Person<'_> {
        self.open_at(self.at, name, lang, more)
    }

    fn open_at(&self, at: SocketAddr, name: &str, lang: &str, more: &[&str]) -> Person<'_> {
        let args: Vec<&str> = ["--lang", lang].iter().chain(more).copied().collect();
        Person::open(&self.desk, at, &self.dir.path().join(name), &args)
    }

    /// Registers somebody on the wire and logs them in with the windows.
    fn log_in(&self, name: &str, lang: &str) -> Person<'_> {
        ByHand::new(self.at).ask(&format!("01#{name}#secret#secret#"));
        let person = self.open(name, lang, &["--account", name]);
        person.window(if lang == "zh" { "登录" } else { "Log in" });
        person.write("secret");
        person.keys(&["Return"]);
        person.no_window(if lang == "zh" { "登录" } else { "Log in" });
        person
    }
}

/// Opens the chat with somebody by the main window's search.
fn chat_with(person: &Person<'_>, main: &str, name: &str, title: &str) {
    person.window(main);
    person.keys(&["ctrl+k", "ctrl+a"]);
    person.write(name);
    person.keys(&["Return"]);
    until("the chat or the friend's window", || {
        person
            .titles()
            .iter()
            .any(|t| t.contains(title) || t.contains("Add a friend") || t.contains("添加好友"))
            .then_some(())
    });
    if !person.titles().iter().any(|t| t.contains(title)) {
        // Only who exists is added.
        ByHand::new(person.server).ask(&format!("01#{name}#secret#secret#"));
        person.keys(&["Return"]);
    }
    person.window(title);
    person.window(main);
    person.keys(&["Escape"]);
    person.window(title);
}

fn say(person: &Person<'_>, text: &str) {
    person.write(text);
    person.keys(&["Return"]);
}

#[test]
fn registration_and_login_with_every_error() {
    let place = Place::new();
    let _server = place.serve();
    let carol = ByHand::join(place.at, "carol");
    let person = place.open("a", "en", &["--plain"]);
    person.window("Log in");
    person.keys(&["ctrl+r"]);
    person.window("Register");
    // 01:02, 01:03, then 01:01; the account stays for correction.
    // Enter goes on to what is still empty.
    for field in ["Ann", "20170001", "secret", "other"] {
        person.write(field);
        person.keys(&["Return"]);
    }
    person.said("The two passwords differ.");
    place.desk.picture("register-passwords-differ");
    person.keys(&["shift+Tab"]);
    person.fill(&["carol", "secret", "secret"]);
    person.said("This account exists already.");
    person.keys(&["shift+Tab"]);
    person.fill(&["20170001", "secret", "secret"]);
    person.said("Registered. You can log in now.");
    person.no_window("Register");
    // 02:03, 02:02, then 02:01.
    person.window("Log in");
    person.keys(&["shift+Tab"]);
    person.fill(&["nobody", "secret"]);
    person.said("There is no such account.");
    person.fill(&["20170001", "wrong"]);
    person.said("Wrong password.");
    place.desk.picture("login-wrong-password");
    person.write("secret");
    person.keys(&["Return"]);
    person.window("Hongyan");
    person.no_window("Log in");
    place.desk.picture("main");
    // 02:04: carol is there by hand, and the session moves here.
    let second = place.open("c", "zh", &["--account", "carol", "--plain"]);
    second.window("登录");
    second.write("secret");
    second.keys(&["Return"]);
    second.window("鸿雁");
    second.no_window("登录");
    assert_eq!(carol.ask("08#"), "07:01", "the other one was logged out");
}

#[test]
fn two_people_chat_in_two_languages_while_the_server_comes_and_goes() {
    let place = Place::new();
    let server = place.serve();
    // Somebody wrote while Dora was away.
    ByHand::new(place.at).ask("01#dora#secret#secret#");
    let bob = ByHand::join(place.at, "bob");
    assert_eq!(bob.ask("03#dora#waiting for you#"), "03:02");
    let dora = place.log_in("dora", "en");
    dora.has("dora", "bob", "waiting for you", None);
    until("one unread in the title", || dora.titles().iter().any(|t| t == "(1) Hongyan").then_some(()));

    let lei = place.log_in("lei", "zh");
    chat_with(&lei, "鸿雁", "dora", "与 dora 聊天中");
    say(&lei, "你好，Dora！");
    lei.has("lei", "dora", "你好，Dora！", SENT);
    dora.has("dora", "lei", "你好，Dora！", None);
    until("two unread", || dora.titles().iter().any(|t| t == "(2) Hongyan").then_some(()));
    chat_with(&dora, "Hongyan", "lei", "Chatting with lei");
    dora.window("Chatting with lei");
    say(&dora, "Hello 雷!");
    dora.has("dora", "lei", "Hello 雷!", SENT);
    lei.has("lei", "dora", "Hello 雷!", None);
    // A line break, and what looks like the protocol itself.
    dora.write("two");
    dora.keys(&["shift+Return"]);
    say(&dora, "lines: 03#x#y#");
    lei.has("lei", "dora", "two\nlines: 03#x#y#", None);
    place.desk.picture("chat");

    // The lobby reaches everybody.
    chat_with(&lei, "鸿雁", "大厅", "与 大厅 聊天中");
    say(&lei, "大家好");
    dora.has("dora", "@lobby", "[lei] 大家好", None);
    assert_eq!(bob.ask("08#"), "08:1");

    // The server dies and comes again; what was written meanwhile arrives, once.
    drop(server);
    lei.window("与 dora 聊天中");
    say(&lei, "服务器还在吗？");
    lei.said("link: Waiting");
    place.desk.picture("server-away");
    let _server = place.serve();
    dora.has("dora", "lei", "服务器还在吗？", None);
    let twice = dora.messages("dora").iter().filter(|m| m.1 == "服务器还在吗？").count();
    assert_eq!(twice, 1);
}

#[test]
fn two_friends_at_once_never_mix() {
    let place = Place::new();
    let _server = place.serve();
    let (x, y) = (ByHand::join(place.at, "xena"), ByHand::join(place.at, "yuri"));
    let me = place.log_in("me", "en");
    chat_with(&me, "Hongyan", "xena", "Chatting with xena");
    chat_with(&me, "Hongyan", "yuri", "Chatting with yuri");
    for i in 0..5 {
        assert_eq!(x.ask(&format!("03#me#from x {i}#")), "03:01");
        assert_eq!(y.ask(&format!("03#me#from y {i}#")), "03:01");
        say(&me, &format!("to yuri {i}"));
    }
    for i in 0..5 {
        me.has("me", "xena", &format!("from x {i}"), None);
        me.has("me", "yuri", &format!("from y {i}"), None);
        me.has("me", "yuri", &format!("to yuri {i}"), SENT);
    }
    let mixed = me.messages("me").iter().any(|m| m.0 == "xena" && !m.1.starts_with("from x"));
    assert!(!mixed, "{:?}", me.messages("me"));
    // The window that was not looked at counts; the other does not.
    until("five unread from xena", || {
        me.titles().iter().any(|t| t.starts_with("(5) Chatting with xena")).then_some(())
    });
    assert!(me.titles().iter().any(|t| t.starts_with("Chatting with yuri")));
    place.desk.picture("two-friends");
}

#[test]
fn keys_go_where_the_keyboard_is_and_nothing_typed_is_lost() {
    let place = Place::new();
    let _server = place.serve();
    let (x, _y) = (ByHand::join(place.at, "xena"), ByHand::join(place.at, "yuri"));
    let me = place.log_in("me", "en");
    chat_with(&me, "Hongyan", "xena", "Chatting with xena");
    chat_with(&me, "Hongyan", "yuri", "Chatting with yuri");
    let other = me.window("Chatting with yuri");
    me.place(&other, 650, 300);
    me.point(900, 600);
    let chat = me.window("Chatting with xena");
    me.place(&chat, 0, 300);
    // What is typed over the messages goes into the composer, and Escape leaves them, and closes nothing.
    me.keys(&["Tab"]);
    me.write("every letter");
    me.keys(&["Tab", "Escape", "Escape"]);
    me.write(" counts");
    place.desk.picture("typed-over-messages");
    // The chat with the keys is closed, not the one under the pointer; its draft comes back.
    me.keys(&["ctrl+w"]);
    me.no_window("Chatting with xena");
    me.window("Chatting with yuri");
    me.keys(&["ctrl+comma"]);
    me.window("Settings");
    me.keys(&["ctrl+shift+l"]);
    me.window("Protocol ·");
    me.window("Settings");
    me.keys(&["Escape"]);
    me.no_window("Settings");
    me.window("Protocol ·");
    me.keys(&["ctrl+w"]);
    me.no_window("Protocol ·");
    me.window("Chatting with yuri");
    me.keys(&["ctrl+k"]);
    me.write("xena");
    me.keys(&["Return"]);
    until("the chat, or the friend's window", || {
        me.titles().iter().any(|t| t.contains("Chatting with xena") || t == "Add a friend").then_some(())
    });
    if me.titles().iter().any(|t| t == "Add a friend") {
        me.keys(&["Return"]);
    }
    me.window("Chatting with xena");
    me.keys(&["Return"]);
    me.has("me", "xena", "every letter counts", SENT);
    // With no chat for it, a message marks the main window until that is looked at.
    me.window("Chatting with xena");
    me.keys(&["ctrl+w"]);
    me.window("Chatting with yuri");
    assert_eq!(x.ask("03#me#look here#"), "03:01");
    until("the mark", || me.urgent("Hongyan").then_some(()));
    me.window("Hongyan");
    until("no mark", || (!me.urgent("Hongyan")).then_some(()));
}

#[test]
fn the_protocol_window_shows_and_sends() {
    let place = Place::new();
    let _server = place.serve();
    let between = Between::new(place.at);
    ByHand::new(place.at).ask("01#me#secret#secret#");
    let me = place.open_at(between.address, "me", "en", &["--account", "me", "--plain"]);
    me.window("Log in");
    me.write("secret");
    me.keys(&["Return"]);
    me.no_window("Log in");
    me.window("Hongyan");
    me.keys(&["ctrl+shift+l"]);
    me.window("Protocol ·");
    say(&me, "99#what is this#");
    until("00:00", || between.answered("00:00").then_some(()));
    // Going offline behind the session's back: the next request is answered 07:01, and it logs in again.
    say(&me, "06#");
    until("06:01", || between.answered("06:01").then_some(()));
    me.window("Hongyan");
    me.keys(&["F5"]);
    me.said("link: LoggedOut");
    until("logged in again", || (between.requests("02#me#secret#") >= 2).then_some(()));
    // What was tried by hand becomes a test document.
    me.window("Protocol ·");
    me.write("02#me#wrong#");
    me.keys(&["Tab"]);
    me.write("02:02");
    me.keys(&["Return"]);
    until("02:02", || between.answered("02:02").then_some(()));
    let document = me.saved_protocol("ctrl+shift+s", "trials.json");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let trials = document["cases"].as_array().expect("cases").iter().map(|case| {
        let exchange = &case["exchanges"][0];
        [&case["verdict"], &case["id"], &exchange["sent"]["text"], &exchange["got"]["text"]].map(text).join(" ")
    });
    let wanted =
        ["pass by-hand 99#what is this# 00:00", "pass by-hand 06# 06:01", "pass by-hand-said 02#me#******# 02:02"];
    assert_eq!(trials.collect::<Vec<_>>(), wanted);
    let saved = me.saved_protocol("ctrl+s", "protocol.txt");
    for wanted in ["→ 02#me#******#", "← 02:01", "→ 99#what is this#", "← 00:00", "→ 06#", "← 06:01", "← 07:01"]
    {
        assert!(saved.contains(wanted), "{wanted} in {saved}");
    }
    assert!(!saved.contains("secret"));
    place.desk.picture("protocol");
    me.keys(&["alt+2"]);
    place.desk.picture("threads");
    me.keys(&["Escape"]);
    me.no_window("Protocol ·");
    // Offline by the menu, and online again.
    me.window("Hongyan");
    let offline = between.requests("06#");
    me.menu();
    me.keys(&["Return"]);
    until("06#", || (between.requests("06#") > offline).then_some(()));
    me.said("link: Offline");
    place.desk.picture("offline");
    let logins = between.requests("02#");
    me.window("Hongyan");
    me.menu();
    me.keys(&["Return"]);
    until("online again", || (between.requests("02#") > logins).then_some(()));
    // Leaving says goodbye.
    let offline = between.requests("06#");
    until("connected", || me.log().contains("Connected").then_some(()));
    me.window("Hongyan");
    me.keys(&["ctrl+q"]);
    assert!(me.ended());
    assert_eq!(between.requests("06#"), offline + 1, "{:?}", between.all());
}

#[test]
fn strict_polling_is_strict() {
    let place = Place::new();
    let _server = place.serve();
    let strict = Between::new(place.at);
    let friends = Between::new(place.at);
    let settings = |name: &str, polling: &str| {
        let folder = place.dir.path().join(name).join("profiles/default");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("settings.toml"), format!("polling = \"{polling}\"\n")).expect("written");
    };
    settings("s", "strict");
    settings("f", "strict-per-friend");
    let friend = ByHand::join(place.at, "friend");
    let begin = |between: &Between, name: &str| {
        ByHand::new(place.at).ask(&format!("01#{name}#secret#secret#"));
        let person = place.open_at(between.address, name, "en", &["--account", name, "--plain"]);
        person.window("Log in");
        person.write("secret");
        person.keys(&["Return"]);
        person.no_window("Log in");
        person
    };
    let f = begin(&friends, "f");
    let f_in = Instant::now();
    chat_with(&f, "Hongyan", "friend", "Chatting with friend");
    let s = begin(&strict, "s");
    let s_in = Instant::now();
    assert_eq!(friend.ask("03#s#hi s#"), "03:01");
    assert_eq!(friend.ask("03#f#hi f#"), "03:01");
    // Up to shortly before the third interval's end.
    let wait = Duration::from_secs(68);
    std::thread::sleep(wait.saturating_sub(s_in.elapsed()));
    assert!(f_in.elapsed() < Duration::from_secs(88), "the machine is too slow for this test");
    assert_eq!((strict.requests("08#"), strict.requests("09#")), (2, 2), "{:?}", strict.all());
    assert_eq!(strict.requests("04#") + strict.requests("05#"), 0);
    s.has("s", "friend", "hi s", None);
    assert_eq!((friends.requests("04#friend#"), friends.requests("05#friend#")), (2, 2), "{:?}", friends.all());
    assert_eq!(friends.requests("08#") + friends.requests("09#"), 0, "{:?}", friends.all());
    f.has("f", "friend", "hi f", None);
}

/// By the main window's menu.
fn ask_for_a_class_list(person: &Person<'_>) {
    person.window("Hongyan");
    person.menu();
    person.keys(&["Down", "Down", "Down", "Down", "Return"]);
    until("the question", || person.titles().iter().any(|t| t == "Hongyan").then_some(()));
}

#[test]
fn a_class_list_is_looked_for_instead_of_typed() {
    let place = Place::new();
    let _server = place.serve();
    let list = place.dir.path().join("class.csv");
    std::fs::write(&list, "学号,姓名\n20170002,王五\n20170003,Zoe\n").expect("written");
    std::fs::write(place.dir.path().join("other.txt"), "").expect("written");
    let person = place.log_in("ann", "en");
    ask_for_a_class_list(&person);
    // A folder to begin in.
    person.keys(&["ctrl+a"]);
    person.write(place.dir.path().join("ann/none.csv").to_str().expect("plain"));
    place.desk.picture("import");
    person.keys(&["Tab", "space"]);
    person.window("Choose a file");
    // Up, and behind the folders: the way up, ann, server.
    person.keys(&["BackSpace", "Down", "Down", "Down"]);
    place.desk.picture("choose-a-file");
    person.keys(&["Return"]);
    person.no_window("Choose a file");
    place.desk.picture("chosen");
    person.keys(&["Return"]);
    person.said("Friends added or changed: 2");
}

#[test]
fn who_is_told_to_end_ends_whatever_is_open() {
    let place = Place::new();
    let _server = place.serve();
    let end = |person: Person<'_>| {
        let pid = person.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|s| s.success()));
        assert!(person.ended());
    };
    for (name, key) in [("ann", "F10"), ("bob", "shift+F10")] {
        let person = place.log_in(name, "en");
        person.window("Hongyan");
        let before = person.titles().len();
        person.keys(&["Down", key]);
        until("the menu", || (person.titles().len() > before).then_some(()));
        place.desk.picture(&format!("menu-{name}"));
        end(person);
    }
    // A question, and one in front of it.
    let person = place.log_in("cat", "en");
    ask_for_a_class_list(&person);
    person.keys(&["Tab", "space"]);
    person.window("Choose a file");
    end(person);
}

#[test]
fn without_a_server_one_is_started_and_without_a_display_it_is_said() {
    let place = Place::new();
    let said = |display: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
        command.arg("--data").arg(place.dir.path().join("n")).env_remove("DISPLAY");
        if let Some(display) = display {
            command.env("DISPLAY", display);
        }
        let output = command.output().expect("runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for text in [said(None), said(Some(":9876"))] {
        assert!(text.starts_with("hongyan: ") && text.lines().count() == 1 && text.contains("display"), "{text}");
    }
    // One command on a fresh machine.
    let me = Person::open_local(&place.desk, &place.dir.path().join("local"), &["--lang", "en"]);
    me.window("Log in");
    let here: SocketAddr = "127.0.0.1:21568".parse().expect("an address");
    let answers = || {
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").ok()?;
        peer.set_read_timeout(Some(Duration::from_millis(100))).ok()?;
        peer.send_to(b"08#", here).ok()?;
        peer.recv(&mut [0; 64]).ok()
    };
    until("the local server", answers);
    assert!(!me.log().contains("ERROR"));
    // It ends when nobody logs in for a minute, or is killed; the next program that needs it starts it again.
    let kill = || {
        for server in me.children() {
            assert!(Command::new("kill").args(["-9", &server]).status().is_ok_and(|s| s.success()));
        }
    };
    // Somebody else's server of this machine may have the port; then this registers there.
    let account = format!("local{}", std::process::id());
    kill();
    me.window("Log in");
    me.keys(&["ctrl+r"]);
    me.window("Register");
    me.fill(&["", &account, "secret", "secret"]);
    me.said("Registered. You can log in now.");
    me.no_window("Register");
    kill();
    me.window("Log in");
    me.fill(&["secret"]);
    me.no_window("Log in");
    kill();
    // Noticed with the next request; F5 is one.
    me.window("Hongyan");
    me.keys(&["F5"]);
    until("the local server once more", answers);
}
