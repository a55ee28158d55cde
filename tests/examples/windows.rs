//! Steps 04, 05 and 08: one window and why it freezes, and one after the other.

use std::time::Duration;

use crate::desk::{Desk, Eye, Face};
use crate::network::Silent;
use crate::program::{PATIENCE, Served};

/// How often a window is drawn while one types into it and the server is silent, waiting at most so
/// long for the first time.
pub fn drawn_in_silence(face: &Face, eye: &Eye, wait: Duration) -> usize {
    // What was typed before may still be drawn.
    while eye.drawn(Duration::from_millis(200)) > 0 {}
    face.types("x");
    eye.drawn(wait)
}

#[test]
fn s04_speaks_and_freezes() {
    let desk = Desk::new();
    let server = Served::new();
    let face = Face::open(&desk, "04_window", &[&server.at.to_string()]);
    face.window("by hand");
    for (request, reply) in [("01#a#x#x#", "01:01"), ("02#a#x#", "02:01"), ("08#", "08:0"), ("06#", "06:01")] {
        face.enters(request);
        face.program.says(&format!("{request} -> {reply}"));
    }
    drop(face);

    let silent = Silent::new();
    let face = Face::open(&desk, "04_window", &[&silent.at.to_string()]);
    let eye = Eye::new(&desk, face.window("by hand"));
    assert!(drawn_in_silence(&face, &eye, PATIENCE) > 0, "before it asks, it draws");
    face.keys(&["BackSpace"]);
    face.enters("08#");
    let it = silent.hears("08#");
    assert_eq!(drawn_in_silence(&face, &eye, Duration::from_secs(1)), 0, "while it waits, it cannot");
    silent.answers(it, "08:7");
    face.program.says("08# -> 08:7");
    assert!(eye.drawn(PATIENCE) > 0, "then it draws all at once");
}

#[test]
fn s05_two_objects_have_an_address_each() {
    let desk = Desk::new();
    let server = Served::new();
    let at = server.at.to_string();
    let face = Face::open(&desk, "05_object", &[&at, &at]);
    face.window("窗口 1");
    face.enters("01#a#x#x#");
    face.program.says("01:01");
    face.enters("02#a#x#");
    face.program.says("02:01");
    face.enters("08#");
    face.program.says("08:0");
    // The session is the address: the other object's socket has none.
    face.window("窗口 2");
    face.enters("08#");
    face.program.says("07:01");
}

#[test]
fn s08_an_error_clears_what_was_wrong() {
    let desk = Desk::new();
    let server = Served::new();
    let face = Face::open(&desk, "08_login", &[&server.at.to_string()]);
    face.window("08 login");
    let fills = |fields: &[&str], key: &str| {
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                face.keys(&["Tab"]);
            }
            face.types(field);
        }
        face.keys(&[key]);
    };
    fills(&["20170001", "secret", "other"], "alt+r");
    face.program.says("[login] the passwords differ");
    // The account is kept and the cursor is in the password's field, which is empty.
    fills(&["secret", "secret"], "alt+r");
    face.program.says("[login] registered");
    fills(&["wrong"], "Return");
    face.program.says("[login] wrong password");
    face.keys(&["shift+Tab", "ctrl+a", "BackSpace"]);
    fills(&["nobody", "secret"], "Return");
    face.program.says("[login] no such account");
    // Now the account's field is empty too, and has the cursor.
    fills(&["2017#1", "secret"], "Return");
    face.program.says("[login] a field is empty or has a #");
    face.keys(&["shift+Tab", "ctrl+a", "BackSpace"]);
    fills(&["20170001", "secret"], "Return");
    face.program.says("[20170001] online");
    face.window("20170001 · online");
    face.no_window("08 login");
    face.keys(&["alt+o"]);
    face.program.says("offline: 06:01");
    let Face { mut program, .. } = face;
    program.ended();
}
