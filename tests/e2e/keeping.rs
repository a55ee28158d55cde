//! What is typed and not sent, and messages of several days.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::desk::{Person, until};
use super::peers::{Between, ByHand};
use super::{Place, chat_with, say};

/// The other side is away, and the server keeps it.
const KEPT: Option<i64> = Some(8);

#[test]
fn what_is_typed_survives_any_end_of_the_program() {
    let place = Place::new();
    let _server = place.serve();
    ByHand::new(place.at).ask("01#bob#secret#secret#");
    let sam = place.log_in("sam", "en");
    chat_with(&sam, "Hongyan", "bob", "bob");
    say(&sam, "sent before");
    sam.has("sam", "bob", "sent before", KEPT);
    sam.write("half a thought");
    let typed = Instant::now();
    until("it is on disk", || (sam.drafts("sam") == [("bob".to_owned(), "half a thought".to_owned())]).then_some(()));
    assert!(typed.elapsed() < Duration::from_secs(5), "{:?}", typed.elapsed());
    // As by kill -9.
    drop(sam);
    for (lang, login) in [("en", "Log in"), ("zh", "登录")] {
        let sam = place.open("sam", lang, &["--account", "sam"]);
        sam.window(login);
        sam.write("secret");
        sam.keys(&["Return"]);
        sam.no_window(login);
        sam.window(if lang == "zh" { "鸿雁" } else { "Hongyan" });
        place.desk.picture(&format!("draft-in-the-list-{lang}"));
        if lang == "en" {
            sam.keys(&["ctrl+q"]);
            assert!(sam.ended());
            continue;
        }
        chat_with(&sam, "鸿雁", "bob", "bob");
        sam.keys(&["Return"]);
        sam.has("sam", "bob", "half a thought", KEPT);
        until("it is a draft no more", || sam.drafts("sam").is_empty().then_some(()));
        sam.keys(&["ctrl+q"]);
        assert!(sam.ended());
    }
}

/// Deleting all messages with somebody also deletes the draft to them, whether the chat is open, was closed before, or
/// has just had another letter.
#[test]
fn what_is_typed_goes_with_all_messages() {
    let place = Place::new();
    let _server = place.serve();
    ByHand::new(place.at).ask("01#bob#secret#secret#");
    let sam = place.log_in("sam", "en");
    for (n, when) in ["open", "closed", "typing"].into_iter().enumerate() {
        chat_with(&sam, "Hongyan", "bob", "Chatting with bob");
        let text = format!("sent {n}");
        say(&sam, &text);
        sam.has("sam", "bob", &text, KEPT);
        sam.write("half a thought");
        until(when, || (sam.drafts("sam") == [("bob".to_owned(), "half a thought".to_owned())]).then_some(()));
        if when == "closed" {
            sam.keys(&["ctrl+w"]);
            sam.no_window("Chatting with bob");
        } else if when == "typing" {
            sam.write(" or two");
        }
        // Down from the search is the list; of the menu of somebody who was asked it is the ninth entry.
        sam.window("Hongyan");
        sam.keys(&["ctrl+k"]);
        sam.write("bob");
        sam.keys(&["Down"]);
        let before = sam.titles().len();
        sam.keys(&["Menu"]);
        until("the menu", || (sam.titles().len() > before).then_some(()));
        // It is there before it takes keys.
        std::thread::sleep(Duration::from_millis(500));
        sam.keys(&["Down"; 8]);
        sam.keys(&["Return"]);
        until("the question", || (sam.titles().iter().filter(|title| *title == "Hongyan").count() > 1).then_some(()));
        sam.keys(&["Tab", "Return"]);
        until("it is deleted", || sam.messages("sam").is_empty().then_some(()));
        sam.no_window("Chatting with bob");
        // Longer than what is typed takes to the disk.
        std::thread::sleep(Duration::from_secs(1));
        assert!(sam.drafts("sam").is_empty(), "{when}: {:?}", sam.drafts("sam"));
        chat_with(&sam, "Hongyan", "bob", "Chatting with bob");
        let text = format!("anew {n}");
        say(&sam, &text);
        sam.has("sam", "bob", &text, KEPT);
    }
}

/// Messages of four days, and as many more as fill pages enough to overwrite twenty of them.
fn fill(path: &std::path::Path, damage: bool) {
    use std::io::{Seek, SeekFrom, Write};
    let database = rusqlite::Connection::open(path).expect("there");
    let days = "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, came, seen)
         SELECT 'bob', 0, 'written ' || value || ' days ago', '', (unixepoch() - 86400 * value) * 1000, unixepoch() * 1000, 1
         FROM json_each('[4, 3, 1, 0]')";
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO messages (peer, outgoing, text, raw, unix_ms, came, seen)
         SELECT 'bob', 0, 'message ' || i || hex(zeroblob(60)), '', i * 60000, 0, 1 FROM n";
    if damage {
        database.execute(many, []).expect("filled");
    }
    database.execute(days, []).expect("filled");
    let last = "INSERT OR REPLACE INTO peers SELECT 'bob', max(id), 0, 1 FROM messages";
    database.execute(last, []).expect("counted");
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("in the file");
    drop(database);
    if damage {
        let mut file = std::fs::File::options().write(true).open(path).expect("there");
        file.seek(SeekFrom::Start(40 * 4096)).expect("within");
        let noise: Vec<u8> = (0_u32..20 * 4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        file.write_all(&noise).expect("written");
    }
}

#[test]
fn a_damaged_history_is_said_and_rescued_from_its_window() {
    for (lang, [login, main, asked, rescued]) in [
        ("zh", ["登录", "鸿雁", "asked: 聊天记录", "已抢救"]),
        ("en", ["Log in", "Hongyan", "asked: The history", "Rescued"]),
    ] {
        let place = Place::new();
        let _server = place.serve();
        let sam = place.log_in("sam", lang);
        sam.window(main);
        let history = sam.history("sam");
        sam.keys(&["ctrl+q"]);
        assert!(sam.ended());
        let log_in = || {
            let sam = place.open("sam", lang, &["--account", "sam"]);
            sam.window(login);
            sam.write("secret");
            sam.keys(&["Return"]);
            sam.no_window(login);
            sam.window(main);
            sam
        };
        fill(&history, false);
        let sam = log_in();
        chat_with(&sam, main, "bob", "bob");
        std::thread::sleep(Duration::from_secs(1));
        place.desk.picture(&format!("messages-of-four-days-{lang}"));
        sam.window(main);
        sam.keys(&["ctrl+q"]);
        assert!(sam.ended());
        fill(&history, true);
        let sam = log_in();
        sam.keys(&["ctrl+k"]);
        sam.write("bob");
        sam.keys(&["Return"]);
        sam.said(asked);
        until("the question", || (sam.titles().iter().filter(|title| *title == main).count() > 1).then_some(()));
        std::thread::sleep(Duration::from_millis(500));
        place.desk.picture(&format!("damaged-history-{lang}"));
        sam.keys(&["Tab", "Return"]);
        sam.window(login);
        sam.said(rescued);
        place.desk.picture(&format!("rescued-history-{lang}"));
        let left = sam.messages("sam");
        assert!((2_000..3_008).contains(&left.len()), "{}", left.len());
        assert!(history.with_file_name("sam.damaged.sqlite").exists());
        sam.write("secret");
        sam.keys(&["Return"]);
        sam.no_window(login);
        sam.window(main);
        chat_with(&sam, main, "bob", "bob");
    }
}

/// An address in two halves.
fn halves(socket: &UdpSocket) -> [String; 2] {
    let address = socket.local_addr().expect("bound").to_string();
    let (half, rest) = address.split_at(address.len() - 2);
    [half.to_owned(), rest.to_owned()]
}

/// Types half a datagram into the protocol window, and into the connection window half a server, which is this one.
fn half_typed(person: &Person<'_>) -> UdpSocket {
    person.window("Log in");
    person.keys(&["ctrl+shift+l"]);
    person.window("Protocol ·");
    person.write("99#half");
    let asked = UdpSocket::bind("127.0.0.1:0").expect("a port");
    asked.set_read_timeout(Some(Duration::from_secs(20))).expect("a moment");
    person.keys(&["ctrl+shift+k"]);
    person.window("Connection");
    person.keys(&["shift+Tab", "ctrl+a"]);
    person.write(&halves(&asked)[0]);
    asked
}

/// Types the rest in the same windows in Chinese; each is sent, and closed.
fn type_the_rest(person: &Person<'_>, between: &Between, asked: &UdpSocket) {
    person.window("协议 ·");
    person.keys(&["End"]);
    person.write(" and half#");
    person.keys(&["Return"]);
    until("the datagram", || (between.requests("99#half and half#") == 1).then_some(()));
    person.keys(&["Escape"]);
    person.no_window("协议 ·");
    person.window("连接");
    person.keys(&["shift+Tab", "End"]);
    person.write(&halves(asked)[1]);
    person.keys(&["Return"]);
    assert!(asked.recv_from(&mut [0; 2048]).is_ok(), "nobody asked at {asked:?}");
    person.keys(&["Escape"]);
    person.no_window("连接");
}

/// A change of language builds every window anew, with what was typed in it; and what belongs to a login closes with
/// it.
#[test]
fn another_language_keeps_every_form_and_the_end_of_a_login_closes_them() {
    let place = Place::new();
    let _server = place.serve();
    let between = Between::new(place.at);
    let person = place.open_at(between.address, "a", "en", &["--plain"]);
    person.window("Log in");
    person.keys(&["ctrl+r"]);
    person.window("Register");
    person.write("Ann");
    person.keys(&["Tab"]);
    person.write("ann");
    let asked = half_typed(&person);
    person.window("Log in");
    person.keys(&["ctrl+l"]);
    person.window("登录");
    person.window("注册");
    place.desk.picture("register-in-the-other-language");
    type_the_rest(&person, &between, &asked);
    person.window("注册");
    // Enter goes on to what is still empty: the passwords.
    person.keys(&["Return"]);
    for _ in 0..2 {
        person.write("secret");
        person.keys(&["Return"]);
    }
    person.said("注册成功");
    person.no_window("注册");
    person.window("登录");
    person.write("secret");
    person.keys(&["Return"]);
    person.no_window("登录");
    ByHand::new(place.at).ask("01#bob#secret#secret#");
    person.window("鸿雁");
    person.keys(&["ctrl+n"]);
    person.window("添加好友");
    person.write("bob");
    person.keys(&["Tab"]);
    person.write("Robert");
    let menu = |main: &str, entry: usize| {
        person.window(main);
        person.menu();
        (0..entry).for_each(|_| person.keys(&["Down"]));
        person.keys(&["Return"]);
    };
    menu("鸿雁", 10);
    person.window("修改密码");
    person.window("鸿雁");
    person.keys(&["ctrl+comma"]);
    person.window("设置");
    // From the server's field on: the box, as the system has it, Chinese, English; and back to the button.
    person.keys(&["Tab", "Tab", "Tab", "Tab", "space"]);
    person.keys(&["shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "space"]);
    person.no_window("设置");
    person.window("Change password");
    person.window("Add a friend");
    place.desk.picture("forms-in-the-other-language");
    person.keys(&["Return"]);
    person.no_window("Add a friend");
    person.window("Chatting with Robert");
    person.window("Hongyan");
    person.keys(&["ctrl+n"]);
    person.window("Add a friend");
    person.window("Hongyan");
    person.keys(&["ctrl+comma"]);
    person.window("Settings");
    menu("Hongyan", 9);
    person.window("Log in");
    until("the login window alone", || (person.titles() == ["Log in · Hongyan"]).then_some(()));
}

/// Another language builds the windows anew as they stand: behind each other, and with the keys where they were.
#[test]
fn another_language_leaves_the_windows_as_they_stand() {
    let place = Place::new();
    let _server = place.serve();
    let (_xena, _yuri) = (ByHand::join(place.at, "xena"), ByHand::join(place.at, "yuri"));
    let me = place.log_in("me", "en");
    chat_with(&me, "Hongyan", "xena", "Chatting with xena");
    chat_with(&me, "Hongyan", "yuri", "Chatting with yuri");
    me.keys(&["ctrl+shift+l"]);
    me.window("Protocol ·");
    me.keys(&["ctrl+shift+k"]);
    // From the back on.
    let orders = [
        ["Hongyan", "Connection", "Chatting with xena", "Protocol ·", "Chatting with yuri"],
        ["聊天中 xena", "协议 ·", "鸿雁", "聊天中 yuri", "连接"],
    ];
    let name = |title: &str| {
        let all = [("Hongyan", "鸿雁"), ("Connection", "连接"), ("Protocol ·", "协议 ·")];
        let chat = ["xena", "yuri"].into_iter().find(|who| title.contains(who));
        let tool = all.iter().find(|(en, zh)| title.starts_with(en) || title.starts_with(zh));
        chat.or_else(|| tool.map(|(en, _)| *en)).map(str::to_owned)
    };
    for (order, chinese) in orders.into_iter().zip([false, true]) {
        for title in order {
            let found = title.strip_prefix("聊天中 ").map_or(title.to_owned(), |who| format!("与 {who} 聊天中"));
            me.window(&found);
        }
        let stacked = || me.stacked().iter().filter_map(|title| name(title)).collect::<Vec<_>>();
        let wanted: Vec<String> = order.iter().filter_map(|title| name(title)).collect();
        assert_eq!(stacked(), wanted);
        let front = name(&me.active());
        me.keys(&["ctrl+comma"]);
        me.window(if chinese { "设置" } else { "Settings" });
        // The box, as the system has it, Chinese, English; and back to the button.
        let tabs = if chinese { 4 } else { 3 };
        me.keys(&vec!["Tab"; tabs]);
        me.keys(&["space"]);
        me.keys(&vec!["shift+Tab"; tabs + 1]);
        me.keys(&["space"]);
        me.no_window(if chinese { "设置" } else { "Settings" });
        let other = if chinese { "Protocol ·" } else { "协议 ·" };
        until("the other language", || me.titles().iter().any(|title| title.starts_with(other)).then_some(()));
        until(&format!("{wanted:?}, not {:?}", stacked()), || (stacked() == wanted).then_some(()));
        until(&format!("the keys for {front:?}"), || (name(&me.active()) == front).then_some(()));
    }
}

/// What comes of a login is said in its window, and what comes of a registration in that: the other stays as it is.
#[test]
fn what_was_asked_for_is_answered_in_its_window() {
    let place = Place::new();
    let _server = place.serve();
    let _carol = ByHand::join(place.at, "carol");
    for (lang, [login, register], [no_account, exists]) in [
        ("en", ["Log in", "Register"], ["There is no such account.", "This account exists already."]),
        ("zh", ["登录", "注册"], ["用户不存在。", "用户已存在。"]),
    ] {
        let person = place.open(lang, lang, &["--plain"]);
        let window = person.window(login);
        person.place(&window, 20, 60);
        person.keys(&["ctrl+r"]);
        let window = person.window(register);
        person.place(&window, 620, 60);
        for text in ["carol", "secret", "secret"] {
            person.keys(&["Tab"]);
            person.write(text);
        }
        person.window(login);
        person.keys(&["ctrl+a"]);
        person.write("nobody");
        person.keys(&["Tab"]);
        person.write("secret");
        let registers = place.desk.looks(&person.window_of(register));
        let before = place.desk.looks(&person.window_of(login));
        person.keys(&["Return"]);
        person.said(no_account);
        until("the answer", || (place.desk.looks(&person.window_of(login)) != before).then_some(()));
        std::thread::sleep(Duration::from_millis(500));
        place.desk.picture(&format!("login-refused-{lang}"));
        assert!(place.desk.looks(&person.window_of(register)) == registers, "{lang}: the registration says it");
        person.window(register);
        let logs_in = place.desk.looks(&person.window_of(login));
        person.keys(&["Return"]);
        person.said(exists);
        std::thread::sleep(Duration::from_millis(500));
        place.desk.picture(&format!("registration-refused-{lang}"));
        assert!(place.desk.looks(&person.window_of(login)) == logs_in, "{lang}: the login says it");
    }
}
