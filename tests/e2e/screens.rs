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

/// Asks the window manager for a state of a window, or to take it away.
fn asks(place: &Place, window: &str, state: &str) {
    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};
    let (x, screen) = x11rb::connect(Some(&place.desk.display)).expect("connected");
    let root = x.setup().roots[screen].root;
    let atom = |name: &str| x.intern_atom(false, name.as_bytes()).expect("asked").reply().expect("an atom").atom;
    let states: Vec<u32> = state.split(' ').map(atom).chain([0]).take(2).collect();
    let window: u32 = window.parse().expect("an id");
    // Toggled, and by a person.
    let event = ClientMessageEvent::new(32, window, atom("_NET_WM_STATE"), [2, states[0], states[1], 2, 0]);
    let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
    x.send_event(false, root, mask, event).expect("sent").check().expect("taken");
}

fn has_state(place: &Place, window: &str, state: &str) -> bool {
    let asked = std::process::Command::new("xprop")
        .args(["-id", window, "_NET_WM_STATE"])
        .env("DISPLAY", &place.desk.display)
        .output()
        .expect("xprop runs");
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    state.split(' ').all(|state| said.contains(state))
}

#[test]
fn a_zoom_leaves_a_maximised_window_maximised() {
    let place = small();
    let _server = place.serve();
    let person = place.log_in("anna", "en");
    chat_with(&person, "Hongyan", "ben", "Chatting with ben");
    let before = person.edges("Chatting with ben");
    for state in ["_NET_WM_STATE_MAXIMIZED_VERT _NET_WM_STATE_MAXIMIZED_HORZ", "_NET_WM_STATE_FULLSCREEN"] {
        let window = person.window("Chatting with ben");
        asks(&place, &window, state);
        until(state, || has_state(&place, &window, state).then_some(()));
        let whole = person.edges("Chatting with ben");
        assert!(whole[2] - whole[0] >= 1_360 && whole[3] - whole[1] >= 740, "{state}: {whole:?}");
        for keys in [["ctrl+plus"; 4], ["ctrl+minus"; 4]] {
            person.keys(&keys);
            std::thread::sleep(std::time::Duration::from_millis(500));
            assert!(has_state(&place, &window, state), "{state} after {keys:?}");
            assert_eq!(person.edges("Chatting with ben"), whole, "{state} after {keys:?}");
            place.desk.picture(&format!("{state} {}", keys[0]).to_lowercase().replace(' ', "-"));
            // What is at the foot is there, and takes a text.
            let text = format!("{} {}", state.len(), keys[0]);
            person.write(&text);
            person.keys(&["Return"]);
            until(&text, || person.messages("anna").iter().any(|message| message.1 == text).then_some(()));
        }
        asks(&place, &window, state);
        until("as before", || (!has_state(&place, &window, state)).then_some(()));
        // No larger than before; what had no room at the zoom is smaller.
        let [wide, high] = [before[2] - before[0], before[3] - before[1]];
        until("a window among others", || {
            let now = person.edges("Chatting with ben");
            ((now[2] - now[0] - wide).abs() <= 2 && now[3] - now[1] <= high + 2).then_some(())
        });
        is_on_screen(&person, "Chatting with ben");
    }
}
