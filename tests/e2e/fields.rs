//! Fields and questions: our menu in them, and sentences where the mistake is.

use super::desk::{Then, until};
use super::{Place, chat_with};

/// As the history has it when the message is with the server.
fn sent(person: &super::desk::Person<'_>, text: &str) {
    until(&Then(|| format!("{text:?} of {:?}", person.messages("me"))), || {
        person.messages("me").iter().any(|message| message.1 == text).then_some(())
    });
}

#[test]
fn every_field_has_our_menu_by_mouse_and_by_keys() {
    let place = Place::new();
    let _server = place.serve();
    let me = place.log_in("me", "zh");
    let (main, chat) = ("鸿雁", "与 bob");
    chat_with(&me, main, "bob", chat);
    me.window(chat);
    // Nothing is chosen: with us that leaves undo, paste and all; FLTK's menu would copy.
    // Opened by keys its first entry is chosen.
    let paste = |name: &str, down: &[&str]| {
        std::thread::sleep(std::time::Duration::from_millis(700));
        place.desk.picture(name);
        me.keys(down);
        me.keys(&["Return"]);
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    me.write("one");
    me.keys(&["ctrl+a", "ctrl+c", "End"]);
    let [left, _, _, below] = me.edges(chat);
    me.point(left + 60, below - 100);
    place.desk.xdotool(&["click", "3"]);
    paste("field-menu-by-mouse", &["Down", "Down"]);
    me.keys(&["Return"]);
    sent(&me, "oneone");
    me.write("two");
    me.keys(&["ctrl+a", "ctrl+c", "End", "shift+F10"]);
    paste("field-menu-by-keys", &["Down"]);
    me.keys(&["Return"]);
    sent(&me, "twotwo");
    // The same in a field of one line.
    me.window(main);
    me.keys(&["ctrl+k", "ctrl+a"]);
    me.write("eve");
    me.keys(&["ctrl+a", "ctrl+c", "End", "Menu"]);
    paste("field-menu-of-a-line", &["Down"]);
    me.keys(&["ctrl+a", "ctrl+c", "Escape"]);
    me.window(chat);
    me.keys(&["ctrl+v", "Return"]);
    sent(&me, "eveeve");
}
