//! Steps 06 and 07: many windows, one session. The same slow network, two outcomes.

use crate::desk::{Desk, Face};
use crate::network::{Between, Friend};
use crate::program::Served;

/// `me` with the friends `a`, who is away, and `b`, who is there, over a network that can be slow.
pub struct Class {
    pub server: Served,
    pub between: Between,
    pub a: Friend,
    pub b: Friend,
}

impl Class {
    pub fn new() -> Self {
        let server = Served::new();
        Friend::register(server.at, "me");
        let (a, b) = (Friend::register(server.at, "a"), Friend::join(server.at, "b"));
        Self { between: Between::new(server.at), server, a, b }
    }

    fn open<'a>(&self, desk: &'a Desk, example: &str) -> Face<'a> {
        let face = Face::open(desk, example, &[&self.between.at.to_string(), "me", "secret", "a", "b"]);
        face.program.says("02:01");
        for (key, window) in [("alt+1", "a · chatting"), ("alt+2", "b · chatting")] {
            face.window("friends");
            face.keys(&[key]);
            face.window(window);
        }
        face
    }
}

/// Types a text in a friend's window; what the next line there is.
#[track_caller]
pub fn says_to(face: &Face, friend: &str, text: &str) -> String {
    face.window(&format!("{friend} · chatting"));
    face.enters(text);
    face.program.says(&format!("[{friend}] "))
}

#[test]
fn s06_windows_swap_their_answers() {
    let desk = Desk::new();
    let class = Class::new();
    let face = class.open(&desk, "06_friends");
    // As long as each answer comes in time, nothing is wrong.
    assert_eq!(says_to(&face, "a", "one"), "[a] is offline 对方离线");
    assert_eq!(says_to(&face, "b", "two"), "[b] me: two");
    class.between.slow_once();
    assert!(says_to(&face, "a", "three").starts_with("[a] no answer"));
    assert_eq!(says_to(&face, "b", "four"), "[b] is offline 对方离线", "this was a's answer");
    let got = [class.b.gets(), class.b.gets()];
    assert_eq!(got, [("me".into(), "two".into()), ("me".into(), "four".into())], "and b has it");
    assert_eq!(says_to(&face, "a", "five"), "[a] me: five", "b's answer: a is away");
    assert_eq!(says_to(&face, "b", "six"), "[b] is offline 对方离线", "and so on for ever");
}

#[test]
fn s06_shows_a_message_in_another_friends_window() {
    let desk = Desk::new();
    let class = Class::new();
    assert_eq!(class.a.asks("02#a#secret#"), "02:01");
    let face = class.open(&desk, "06_friends");
    assert_eq!(class.a.asks("03#me#I am a#"), "03:01");
    class.between.slow_once();
    face.window("a · chatting");
    face.keys(&["alt+g"]);
    face.program.says("[a] no answer");
    face.window("b · chatting");
    face.keys(&["alt+g"]);
    assert_eq!(face.program.says("[b] "), "[b] b: I am a");
}

#[test]
fn s07_the_proxy_gives_each_window_its_own() {
    let desk = Desk::new();
    let class = Class::new();
    let face = class.open(&desk, "07_proxy");
    assert_eq!(says_to(&face, "a", "one"), "[a] is offline 对方离线");
    assert_eq!(says_to(&face, "b", "two"), "[b] me: two");
    class.between.slow_once();
    assert!(says_to(&face, "a", "three").starts_with("[a] no answer"));
    face.window("b · chatting");
    face.enters("four");
    assert_eq!(face.program.says("["), "[a] late 迟到的回答: 03:02");
    assert_eq!(face.program.says("["), "[b] me: four");
    assert_eq!(says_to(&face, "a", "five"), "[a] is offline 对方离线");
    assert_eq!(says_to(&face, "b", "six"), "[b] me: six");
    let fences = class.between.requests().iter().filter(|r| *r == "08#").count();
    assert_eq!(fences, 1, "asked only when something was late");

    // Each message into its sender's window, also of somebody who is not in the list.
    for friend in [&class.b, &Friend::join(class.server.at, "c")] {
        assert_eq!(friend.asks("03#me#12:30 见#"), "03:01");
    }
    face.window("friends");
    face.keys(&["alt+g"]);
    face.program.says("[b] b: 12:30 见");
    face.program.says("[c] c: 12:30 见");
    face.window("c · chatting");
}
