//! Windows and screens: what a zoom does to them, and that none opens over another.

use super::desk::{Desk, Person, until};
use super::{Place, chat_with};

/// As far as a window's border may be beyond an edge: there is nothing to press on it.
const BORDER: i32 = 6;

fn small() -> Place {
    Place { desk: Desk::of("1366x768"), ..Place::new() }
}

#[track_caller]
fn is_on_screen(person: &Person<'_>, title: &str) -> [i32; 4] {
    let edges = person.edges(title);
    let [left, top, right, below] = edges;
    let inside = left >= -BORDER && top >= 0 && right <= 1_366 + BORDER && below <= 768;
    assert!(inside, "{title:?} stands at {edges:?}");
    edges
}

#[test]
fn a_zoom_leaves_every_window_on_the_screen_and_is_remembered() {
    let place = small();
    let _server = place.serve();
    let person = place.log_in("anna", "en");
    chat_with(&person, "Hongyan", "ben", "Chatting with ben");
    let wide = |edges: [i32; 4]| edges[2] - edges[0];
    let before = wide(person.edges("Hongyan"));
    let larger = || until("larger windows", || (wide(person.edges("Hongyan")) > before * 14 / 10).then_some(()));
    person.window("Hongyan");
    person.keys(&["ctrl+plus", "ctrl+plus", "ctrl+plus", "ctrl+plus"]);
    larger();
    for title in ["Hongyan", "Chatting with ben"] {
        is_on_screen(&person, title);
    }
    person.keys(&["ctrl+comma"]);
    person.window("Settings");
    is_on_screen(&person, "Settings");
    place.desk.picture("zoomed-settings");
    person.window("Hongyan");
    person.keys(&["ctrl+q"]);
    assert!(person.ended());
    // At the next start everything is as large, and where it was.
    let person = place.open("anna", "en", &["--account", "anna"]);
    person.window("Log in");
    is_on_screen(&person, "Log in");
    person.write("secret");
    person.keys(&["Return"]);
    person.no_window("Log in");
    person.window("Hongyan");
    let after = is_on_screen(&person, "Hongyan");
    assert!(wide(after) > before * 14 / 10, "{after:?} and before the zoom {before}");
    place.desk.picture("zoomed-again");
    // And back.
    person.keys(&["ctrl+0"]);
    until("as large as before", || (wide(person.edges("Hongyan")) == before).then_some(()));
}

#[test]
fn no_window_opens_over_another() {
    let place = small();
    let _server = place.serve();
    let first = place.log_in("anna", "en");
    let mut corners = vec![is_on_screen(&first, "Hongyan")];
    for friend in ["ben", "cleo", "dora"] {
        let title = format!("Chatting with {friend}");
        chat_with(&first, "Hongyan", friend, &title);
        corners.push(is_on_screen(&first, &title));
    }
    // Somebody else at the same machine.
    let second = place.log_in("otto", "en");
    second.window("Hongyan");
    corners.push(is_on_screen(&second, "Hongyan"));
    place.desk.picture("windows-beside-each-other");
    for (n, one) in corners.iter().enumerate() {
        for other in corners.iter().skip(n + 1) {
            let apart = (one[0] - other[0]).abs() >= 20 || (one[1] - other[1]).abs() >= 20;
            assert!(apart, "two windows at {one:?} and {other:?} of {corners:?}");
        }
    }
}
