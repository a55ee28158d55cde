//! What servers of the secure dialect offer: no password each time, several devices, the old conversation on a
//! new one; and a key that is another one.

use std::io::Write;
use std::process::{Command, Stdio};

use super::desk::{serve, serve_with, until};
use super::peers::{Between, ByHand};
use super::{Place, SENT, chat_with, say};

#[test]
fn who_stays_logged_in_presses_enter_alone() {
    let place = Place::new();
    let server = place.serve();
    ByHand::new(place.at).ask("01#sam#secret#secret#");
    let sam = place.open("sam", "en", &["--account", "sam"]);
    sam.window("Log in");
    sam.write("secret");
    sam.keys(&["Tab", "Tab", "Tab", "space"]);
    place.desk.picture("login-stay");
    sam.keys(&["shift+Tab", "shift+Tab", "shift+Tab", "Return"]);
    sam.no_window("Log in");
    sam.window("Hongyan");
    sam.keys(&["ctrl+q"]);
    assert!(sam.ended());
    // The account is filled in, and nothing else is needed.
    let sam = place.open("sam", "en", &[]);
    sam.window("Log in");
    place.desk.picture("login-no-password");
    sam.keys(&["Return"]);
    sam.no_window("Log in");
    sam.window("Hongyan");
    // With a new password no device is known any more: the main window says so, and goes back to the login.
    drop(server);
    let data = place.dir.path().join("server");
    let mut reset = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    let reset = reset.args(["account", "reset", "sam", "--data"]).arg(&data).stdin(Stdio::piped()).spawn();
    let mut reset = reset.expect("starts");
    reset.stdin.take().expect("piped").write_all(b"another\n").expect("written");
    assert!(reset.wait().expect("a child").success());
    let _server = place.serve();
    sam.keys(&["F5"]);
    sam.said("asked: This device needs the password");
    sam.window("Hongyan");
    sam.keys(&["Tab", "Return"]);
    sam.window("Log in");
    sam.write("another");
    sam.keys(&["Return"]);
    sam.no_window("Log in");
    sam.window("Hongyan");
    // Forgotten by the menu's entry before the last: Enter alone is not enough any more.
    sam.menu();
    sam.keys(&["Down"; 10]);
    place.desk.picture("menu-forget");
    sam.keys(&["Return"]);
    sam.window("Log in");
    sam.keys(&["Return"]);
    sam.said("Please type the password.");
    place.desk.picture("login-forgotten");
    sam.write("another");
    sam.keys(&["Return"]);
    sam.no_window("Log in");
    sam.window("Hongyan");
}

#[test]
fn another_key_is_trusted_only_by_who_says_so() {
    let place = Place::new();
    let server = place.serve();
    let person = place.log_in("nan", "en");
    person.window("Hongyan");
    person.keys(&["ctrl+q"]);
    assert!(person.ended());
    drop(server);
    // The same address, another server: Enter in its window means to stay away.
    let server = serve(place.at, &place.dir.path().join("another server"));
    ByHand::new(place.at).ask("01#nan#secret#secret#");
    let person = place.open("nan", "en", &["--account", "nan"]);
    person.window("Log in");
    person.write("secret");
    person.keys(&["Return"]);
    person.window("Another key");
    place.desk.picture("another-key");
    person.keys(&["Return"]);
    person.no_window("Another key");
    person.window("Log in");
    person.keys(&["Return"]);
    person.window("Another key");
    person.keys(&["Tab", "Return"]);
    person.no_window("Log in");
    person.window("Hongyan");
    person.said("link: Connected");
    // Once logged in nothing opens by itself: the main window asks, and shows the words when it is told to.
    drop(server);
    let _server = serve(place.at, &place.dir.path().join("a third server"));
    ByHand::new(place.at).ask("01#nan#secret#secret#");
    person.keys(&["F5"]);
    person.said("asked: The server shows another key");
    person.window("Hongyan");
    place.desk.picture("another-key-later");
    person.keys(&["Tab", "Return"]);
    person.window("Another key");
    person.keys(&["Tab", "Return"]);
    person.no_window("Another key");
    person.said("link: Connected");
}

#[test]
fn a_server_that_encrypts_no_more_gets_nothing_by_accident() {
    let place = Place::new();
    let folder = place.dir.path().join("server");
    let server = place.serve();
    ByHand::new(place.at).ask("01#nan#secret#secret#");
    let between = Between::new(place.at);
    let open = |lang: &str| place.open_at(between.address, "nan", lang, &["--account", "nan"]);
    let person = open("en");
    person.window("Log in");
    person.write("secret");
    person.keys(&["Return"]);
    person.no_window("Log in");
    person.said("link: Connected");
    // While somebody is logged in nothing opens by itself; Enter in the window means to stay away.
    drop(server);
    let _server = serve_with(place.at, &folder, &["--plain-only"]);
    person.window("Hongyan");
    person.keys(&["F5"]);
    person.said("asked: The server used encryption before");
    person.window("Hongyan");
    place.desk.picture("readable-later");
    person.keys(&["Tab", "Return"]);
    person.window("Not encrypted");
    person.keys(&["Return"]);
    person.no_window("Not encrypted");
    person.said("link: Offline");
    // Coming back asks again, and goes on when it is told to; the password is known still.
    person.window("Hongyan");
    person.menu();
    person.keys(&["Return"]);
    person.said("asked: The server used encryption before");
    person.window("Hongyan");
    person.keys(&["Tab", "Return"]);
    person.window("Not encrypted");
    assert_eq!(between.requests("02#"), 0, "{:?}", between.all());
    person.keys(&["Tab", "Return"]);
    person.no_window("Not encrypted");
    person.said("link: Connected");
    assert_eq!(between.requests("02#nan#secret#"), 1, "{:?}", between.all());
    person.window("Hongyan");
    person.keys(&["ctrl+q"]);
    assert!(person.ended());
    // The next run knows nothing of that. A registration asks too, as often as it is tried.
    let person = open("en");
    person.window("Log in");
    person.keys(&["ctrl+r"]);
    person.window("Register");
    person.fill(&["", "lou", "secret", "secret"]);
    person.window("Not encrypted");
    place.desk.picture("readable");
    person.keys(&["Escape"]);
    person.no_window("Not encrypted");
    person.window("Register");
    person.keys(&["Return"]);
    person.window("Not encrypted");
    assert_eq!(between.requests("01#"), 0, "{:?}", between.all());
    person.keys(&["Tab", "Return"]);
    person.said("Registered. You can log in now.");
    person.no_window("Register");
    assert_eq!(between.requests("01#lou#secret#secret#"), 1, "{:?}", between.all());
    drop(person);
    // And so does a login.
    let person = open("zh");
    for answer in [&["Return"][..], &["Tab", "Return"]] {
        person.window("登录");
        person.fill(&["secret"]);
        person.window("不再加密");
        place.desk.picture("readable-zh");
        assert_eq!(between.requests("02#nan#secret#"), 1, "{:?}", between.all());
        person.keys(answer);
        person.no_window("不再加密");
    }
    person.no_window("登录");
    person.window("鸿雁");
    assert_eq!(between.requests("02#nan#secret#"), 2, "{:?}", between.all());
}

#[test]
fn a_place_that_was_taken_is_taken_back() {
    let place = Place::new();
    let _server = place.serve();
    let here = place.log_in("mia", "zh");
    here.window("鸿雁");
    // The same account on another device, which is told that it ended somebody's login.
    let there = place.open("mia elsewhere", "en", &["--account", "mia"]);
    there.window("Log in");
    there.write("secret");
    there.keys(&["Return"]);
    there.said("the login at 127.0.0.1");
    here.said("asked: 此账号于");
    here.window("鸿雁");
    place.desk.picture("kicked");
    // By the menu's first entry; then by the question's button, which comes after the list.
    here.menu();
    here.keys(&["Return"]);
    here.said("told: Sentence(\"已在这里登录");
    there.said("asked: This account was logged in");
    there.window("Hongyan");
    place.desk.picture("kicked-back");
    there.keys(&["Tab", "Return"]);
    here.said("asked: 此账号于");
    // A user who does not want that stays offline.
    here.window("鸿雁");
    here.keys(&["Tab", "Tab", "Return"]);
    here.said("link: Offline");
}

#[test]
fn devices_stay_beside_each_other_when_the_settings_say_so() {
    let place = Place::new();
    let _server = place.serve();
    let xena = ByHand::join(place.at, "xena");
    let first = place.log_in("me", "en");
    first.window("Hongyan");
    first.keys(&["ctrl+comma"]);
    first.window("Settings");
    place.desk.picture("settings-account");
    // Backwards from the server's field: save, cancel, the second box, the first one.
    first.keys(&["shift+Tab", "shift+Tab", "shift+Tab", "shift+Tab", "space", "Tab", "Tab", "Tab", "space"]);
    first.no_window("Settings");
    // The command line's server and language were shown, but not chosen for good.
    let written = place.dir.path().join("me").join("profiles/default/settings.toml");
    until("the settings are written", || {
        let written = std::fs::read_to_string(&written).ok()?;
        (written.contains("server = \"\"") && written.contains("language = \"system\"")).then_some(())
    });
    let database = place.dir.path().join("server").join("hongyand.sqlite");
    until("the server has it", || {
        let server = rusqlite::Connection::open(&database).ok()?;
        let beside = "SELECT beside AND NOT secure_only FROM accounts WHERE name = 'me'";
        server.query_row(beside, [], |row| row.get::<_, bool>(0)).ok()?.then_some(())
    });
    let second = place.open("other", "zh", &["--account", "me"]);
    second.window("登录");
    second.write("secret");
    second.keys(&["Return"]);
    second.no_window("登录");
    chat_with(&second, "鸿雁", "xena", "与 xena 聊天中");
    say(&second, "from the other");
    second.has("me", "xena", "from the other", SENT);
    first.has("me", "xena", "from the other", SENT);
    assert_eq!(xena.ask("05#me#").get(..6), Some("05:me:"));
    assert_eq!(xena.ask("03#me#to both#"), "03:01");
    first.has("me", "xena", "to both", None);
    second.has("me", "xena", "to both", None);
    second.keys(&["ctrl+comma"]);
    second.window("设置");
    place.desk.picture("settings-account-zh");
}

#[test]
fn a_new_device_shows_the_old_conversation_page_by_page() {
    let place = Place::new();
    let _server = place.serve();
    let writer = ByHand::join(place.at, "kim");
    let old = place.log_in("lou", "en");
    chat_with(&old, "Hongyan", "kim", "Chatting with kim");
    for n in 0..60 {
        assert_eq!(writer.ask(&format!("03#lou#number {n}#")), "03:01");
    }
    old.has("lou", "kim", "number 59", None);
    say(&old, "read all of it");
    old.has("lou", "kim", "read all of it", SENT);
    let new = place.open("lou elsewhere", "zh", &["--account", "lou"]);
    new.window("登录");
    new.write("secret");
    new.keys(&["Return"]);
    new.no_window("登录");
    chat_with(&new, "鸿雁", "kim", "与 kim 聊天中");
    place.desk.picture("earlier-offered");
    assert!(new.messages("lou").is_empty());
    new.keys(&["ctrl+Home"]);
    new.has("lou", "kim", "number 21", None);
    place.desk.picture("earlier");
    let of_lou = new.messages("lou").len();
    assert_eq!(of_lou, 40);
    new.keys(&["ctrl+Home"]);
    new.has("lou", "kim", "number 0", None);
    new.has("lou", "kim", "read all of it", SENT);
    new.keys(&["ctrl+Home"]);
    place.desk.picture("earlier-begin");
    say(&new, "and go on here");
    new.has("lou", "kim", "and go on here", SENT);
    assert_eq!(new.messages("lou").len(), 62);
}
