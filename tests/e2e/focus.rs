//! Where the keys go: after a double click, and on keyboards that write no Latin letters; and that only what was in
//! sight of somebody counts as read.

use std::process::Command;

use super::desk::{Then, until};
use super::peers::ByHand;
use super::{Place, SENT, chat_with, say};

/// Where the main window's rows begin, how high headings and rows are.
const LIST: i32 = 112;
const HEADING: i32 = 30;
const ROW: i32 = 56;

#[test]
fn a_double_click_opens_the_chat_and_the_keys_are_there() {
    let place = Place::new();
    let _server = place.serve();
    let bob = ByHand::join(place.at, "bob");
    let me = place.log_in("me", "en");
    assert_eq!(bob.ask("03#me#hi#"), "03:01");
    me.has("me", "bob", "hi", None);
    let main = me.window("Hongyan");
    me.place(&main, 40, 40);
    // The Lobby, a heading, and the stranger; then the Lobby, whose chat is open then, and the stranger's again.
    let rows = [("Lobby", HEADING + ROW / 2), ("Chatting with bob", 2 * HEADING + ROW + ROW / 2)];
    for (round, (title, y)) in rows.iter().chain(&rows).enumerate() {
        me.window("Hongyan");
        let y = (LIST + y).to_string();
        place.desk.xdotool(&["mousemove", "--window", &main, "150", &y]);
        place.desk.xdotool(&["click", "--repeat", "2", "--delay", "120", "1"]);
        until("the chat", || me.titles().iter().any(|t| t.contains(title)).then_some(()));
        until("the keys in the chat", || me.active().contains(title).then_some(()));
        let text = format!("typed after double click {round}");
        say(&me, &text);
        let peer = if *title == "Lobby" { "@lobby" } else { "bob" };
        until("the message", || me.messages("me").iter().any(|m| m.0 == peer && m.1 == text).then_some(()));
    }
    place.desk.picture("double-click");
    assert!(!me.titles().iter().any(|t| t == "Add a friend"), "{:?}", me.titles());
}

#[test]
fn shortcuts_work_on_every_keyboard_and_write_nothing() {
    let place = Place::new();
    let _server = place.serve();
    let _bob = ByHand::join(place.at, "bob");
    let me = place.log_in("me", "en");
    chat_with(&me, "Hongyan", "bob", "Chatting with bob");
    // Into the clipboard.
    me.write("pasted");
    me.keys(&["ctrl+a", "ctrl+c", "BackSpace"]);
    // The keys that are A, C, V, N, W and the comma on an American keyboard; where letters stand elsewhere, theirs.
    let usual = ["38", "54", "55", "57", "25", "59"];
    let french = ["24", "54", "55", "57", "52", "58"];
    let layouts = [
        ("ru", usual),
        ("gr", usual),
        ("il", usual),
        ("ara", usual),
        ("us,ru", usual),
        ("ru,us", usual),
        ("de", usual),
        ("fr", french),
        ("us", usual),
    ];
    for (sent, (layout, keys)) in (1..).zip(layouts) {
        let [a, c, v, n, w, comma] = keys.map(|key| format!("ctrl+{key}"));
        let set = Command::new("setxkbmap").args(["-display", &place.desk.display, "-layout", layout]).status();
        assert!(set.expect("please install the package x11-xkb-utils (scripts/test does)").success(), "{layout}");
        me.window("Chatting with bob");
        // Twice, as what was pasted replaces itself; letters that no shortcut has write nothing either.
        for key in [&v, &a, &c, &v, "ctrl+44", "ctrl+41", "ctrl+45"] {
            me.keys(&[key]);
        }
        if me.titles().iter().any(|t| t == "Hongyan") && !me.active().contains("Chatting with bob") {
            me.window("Chatting with bob");
        }
        me.keys(&["Return"]);
        until(&Then(|| format!("what was pasted, and nothing else, with {layout}: {:?}", me.messages("me"))), || {
            let texts: Vec<String> = me.messages("me").into_iter().map(|m| m.1).collect();
            (texts.len() == sent && texts.iter().all(|text| text == "pasted")).then_some(())
        });
        me.window("Hongyan");
        me.keys(&[&n]);
        me.window("Add a friend");
        me.keys(&["Escape"]);
        me.no_window("Add a friend");
        me.window("Hongyan");
        me.keys(&[&comma]);
        me.window("Settings");
        me.keys(&["Escape"]);
        me.no_window("Settings");
        me.window("Chatting with bob");
        me.keys(&[&w]);
        me.no_window("Chatting with bob");
        // Opened again from the list, which has the chat first.
        let set = Command::new("setxkbmap").args(["-display", &place.desk.display, "-layout", "us"]).status();
        assert!(set.is_ok_and(|s| s.success()));
        chat_with(&me, "Hongyan", "bob", "Chatting with bob");
    }
    me.has("me", "bob", "pasted", SENT);
}

#[test]
fn what_comes_while_one_reads_further_up_stays_unread() {
    let place = Place::new();
    let _server = place.serve();
    let bob = ByHand::join(place.at, "bob");
    let me = place.log_in("me", "en");
    for i in 0..40 {
        assert_eq!(bob.ask(&format!("03#me#message {i}#")), "03:01");
    }
    me.has("me", "bob", "message 39", None);
    chat_with(&me, "Hongyan", "bob", "Chatting with bob");
    me.keys(&["ctrl+End"]);
    let titled = |text: &str| me.titles().iter().any(|t| t == text).then_some(());
    until("nothing unread", || titled("Hongyan").and(titled("Chatting with bob")));
    me.keys(&["Prior", "Prior", "Prior"]);
    place.desk.picture("reading-above");
    for i in 40..42 {
        assert_eq!(bob.ask(&format!("03#me#message {i}#")), "03:01");
    }
    me.has("me", "bob", "message 41", None);
    until("two unread", || titled("(2) Hongyan").and(titled("(2) Chatting with bob")));
    place.desk.picture("unread-below");
    // Elsewhere, and back: still not seen.
    me.window("Hongyan");
    me.window("Chatting with bob");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(titled("(2) Hongyan").and(titled("(2) Chatting with bob")).is_some(), "{:?}", me.titles());
    me.keys(&["ctrl+End"]);
    until("all read", || titled("Hongyan").and(titled("Chatting with bob")));
}

#[test]
fn what_is_missing_is_said_and_the_keys_are_there() {
    let place = Place::new();
    let _server = place.serve();
    ByHand::new(place.at).ask("01#me#secret#secret#");
    // The account is there and has the keys: what is typed next is the password, and the account stays.
    let me = place.open("me", "en", &["--account", "me"]);
    me.window("Log in");
    me.keys(&["shift+Tab", "Return"]);
    me.said("Please type the password.");
    me.write("secret");
    me.keys(&["Return"]);
    me.no_window("Log in");
    me.window("Hongyan");
    let new = place.open("new", "en", &[]);
    new.window("Log in");
    new.keys(&["Return"]);
    new.said("Please type your account.");
    new.keys(&["ctrl+r"]);
    new.window("Register");
    for field in ["Ann", "a#b", "secret", "secret"] {
        new.write(field);
        new.keys(&["Return"]);
    }
    new.said("An account has 1 to 64 bytes");
    place.desk.picture("register-bad-account");
    // The passwords are still there; only the account is typed anew.
    new.keys(&["ctrl+a"]);
    new.write("ann1");
    new.keys(&["Return"]);
    new.said("Registered. You can log in now.");
}
