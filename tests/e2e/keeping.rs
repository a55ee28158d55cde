//! What is typed and not sent, and messages of several days.

use std::time::{Duration, Instant};

use super::desk::until;
use super::peers::ByHand;
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

/// Whoever has all messages with somebody deleted has what they were typing to them deleted too, whether its chat is open,
/// was closed before, or has just had another letter.
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
        // Down from the search is the list; of a friend's menu it is the fifth entry.
        sam.window("Hongyan");
        sam.keys(&["ctrl+k"]);
        sam.write("bob");
        sam.keys(&["Down"]);
        let before = sam.titles().len();
        sam.keys(&["Menu"]);
        until("the menu", || (sam.titles().len() > before).then_some(()));
        // It is there before it takes keys.
        std::thread::sleep(Duration::from_millis(500));
        sam.keys(&["Down", "Down", "Down", "Down", "Return"]);
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

/// A change of language builds every window anew, with what was typed in it; and what belongs to a login closes with it.
#[test]
fn another_language_keeps_every_form_and_the_end_of_a_login_closes_them() {
    let place = Place::new();
    let _server = place.serve();
    let person = place.open("a", "en", &["--plain"]);
    person.window("Log in");
    person.keys(&["ctrl+r"]);
    person.window("Register");
    person.write("Ann");
    person.keys(&["Tab"]);
    person.write("ann");
    person.window("Log in");
    person.keys(&["ctrl+l"]);
    person.window("登录");
    person.window("注册");
    place.desk.picture("register-in-the-other-language");
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
    menu("鸿雁", 9);
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
    menu("Hongyan", 8);
    person.window("Log in");
    until("the login window alone", || (person.titles() == ["Log in · Hongyan"]).then_some(()));
}
