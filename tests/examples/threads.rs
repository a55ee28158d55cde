//! Steps 09 to 11: the window no longer waits, and what comes, comes by itself.

use crate::desk::{Desk, Eye, Face};
use crate::friends::{Class, says_to};
use crate::network::{Friend, Silent};
use crate::program::PATIENCE;
use crate::windows::drawn_in_silence;

#[test]
fn s09_draws_while_the_server_is_silent() {
    let desk = Desk::new();
    let silent = Silent::new();
    let face = Face::open(&desk, "09_receiver", &[&silent.at.to_string(), "me", "secret", "b"]);
    let me = silent.hears("02#me#secret#");
    silent.answers(me, "02:01");
    face.program.says("02:01");
    let eye = Eye::new(&desk, face.window("b · chatting"));
    face.enters("hi");
    silent.hears("03#b#hi#");
    assert!(drawn_in_silence(&face, &eye, PATIENCE) > 0, "what 04 cannot");
    silent.answers(me, "03:02");
    face.program.says("[b] is offline");
}

#[test]
fn s09_both_sides_speak_at_any_time() {
    let desk = Desk::new();
    let class = Class::new();
    let face = Face::open(&desk, "09_receiver", &[&class.between.at.to_string(), "me", "secret", "b"]);
    face.program.says("02:01");
    face.window("b · chatting");
    for text in ["one", "two"] {
        face.enters(text);
        assert_eq!(class.b.gets(), ("me".to_owned(), text.to_owned()));
        assert_eq!(class.b.asks("03#me#12:30 见#"), "03:01");
    }
    face.keys(&["alt+g"]);
    face.program.says("[b] b: 12:30 见");
    face.program.says("[b] b: 12:30 见");
    face.program.says("[b] nothing new");
}

#[test]
fn s10_messages_come_by_themselves() {
    let desk = Desk::new();
    let class = Class::new();
    let face = Face::open(&desk, "10_timer", &[&class.between.at.to_string(), "me", "secret", "b", "1"]);
    face.program.says("02:01");
    for text in ["first", "second"] {
        assert_eq!(class.b.asks(&format!("03#me#{text}#")), "03:01");
        face.program.says(&format!("[b] b: {text}"));
    }
    // Nobody pressed anything; and the window's end is everything's end, with a word to the server.
    face.close("b · chatting");
    let Face { mut program, .. } = face;
    program.ended();
    assert!(class.between.requests().iter().filter(|r| *r == "04#b#").count() >= 2);
    assert_eq!(class.b.asks("03#me#gone?#"), "03:02");
}

#[test]
fn s11_each_answer_reaches_whom_it_is_for() {
    let desk = Desk::new();
    let class = Class::new();
    let face = Face::open(&desk, "11_channels", &[&class.between.at.to_string(), "me", "secret", "1", "a", "b"]);
    face.program.says("the server says 02:01");
    for key in ["alt+1", "alt+2"] {
        face.window("11 friends");
        face.keys(&[key]);
    }
    assert_eq!(says_to(&face, "a", "one"), "[a] is offline 对方离线");
    assert_eq!(says_to(&face, "b", "two"), "[b] me: two");
    for n in 0..3 {
        class.between.slow_once();
        for friend in ["a", "b"] {
            face.window(&format!("{friend} · chatting"));
            face.enters(&format!("late {n}"));
        }
        let mut said = [face.program.says("["), face.program.says("[")];
        said.sort();
        assert_eq!(said, ["[a] is offline 对方离线".to_owned(), format!("[b] me: late {n}")]);
    }
    // Messages come by themselves, and open their sender's window.
    for friend in [&class.b, &Friend::join(class.server.at, "c")] {
        assert_eq!(friend.asks("03#me#12:30 #2 见#"), "03:01");
    }
    face.program.says("[b] b: 12:30 #2 见");
    face.program.says("[c] c: 12:30 #2 见");
    face.window("c · chatting");
}

#[test]
fn s11_draws_and_says_what_was_lost() {
    let desk = Desk::new();
    let silent = Silent::new();
    let face = Face::open(&desk, "11_channels", &[&silent.at.to_string(), "me", "secret", "2", "b"]);
    let me = silent.hears_after("02#me#secret#", "08#");
    silent.answers(me, "02:01");
    face.window("11 friends");
    face.keys(&["alt+1"]);
    let eye = Eye::new(&desk, face.window("b · chatting"));
    face.enters("hi");
    silent.hears_after("03#b#hi#", "08#");
    assert!(drawn_in_silence(&face, &eye, PATIENCE) > 0, "what 04 cannot");
    // The next tick asks something else; its answer shows that the first is lost.
    silent.hears("08#");
    silent.answers(me, "08:0");
    face.program.says("[b] no answer; perhaps lost");
    assert!(eye.drawn(PATIENCE) > 0);
}
