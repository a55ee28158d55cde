//! The zoom in every kind of window, questions that something waits for among them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fltk::app;
use fltk::prelude::*;
use fltk::window::Window;
use hongyan::ui::gui::file_chooser::{Purpose, choose};
use hongyan::ui::gui::keys_window::KeysWindow;
use hongyan::ui::gui::login_window::{Login, LoginForm};
use hongyan::ui::gui::password_window::PasswordWindow;
use hongyan::ui::gui::trust_window::{Doubt, TrustWindow};
use hongyan::ui::gui::{screen, widgets};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, EventMask, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, KeyButMask, KeyPressEvent,
};

use super::every_window::windows;
use super::{chat, events};

/// Presses a key with Ctrl in a window.
fn control(window: &Window, character: char) {
    let (display, _) = x11rb::connect(None).expect("a connection");
    let setup = display.setup();
    let (first, root) = (setup.min_keycode, setup.roots[0].root);
    let map = display.get_keyboard_mapping(first, setup.max_keycode - first + 1).expect("sent").reply().expect("keys");
    let columns = usize::from(map.keysyms_per_keycode);
    let place = map.keysyms.iter().step_by(columns).position(|symbol| *symbol == character as u32);
    let detail = first + u8::try_from(place.expect("a key of that name")).expect("few keys");
    let at = u32::try_from(window.raw_handle()).expect("a window of X11");
    let at_widget = window.as_widget_ptr();
    // As a window manager does.
    let focus = || display.set_input_focus(InputFocus::PARENT, at, x11rb::CURRENT_TIME).expect("sent").check();
    until("the window on the screen", || focus().is_ok());
    until("the keyboard", || app::focus().and_then(|w| w.top_window()).is_some_and(|w| w.as_widget_ptr() == at_widget));
    for response_type in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
        let event = KeyPressEvent {
            response_type,
            detail,
            sequence: 0,
            time: x11rb::CURRENT_TIME,
            root,
            event: at,
            child: x11rb::NONE,
            root_x: 0,
            root_y: 0,
            event_x: 0,
            event_y: 0,
            state: KeyButMask::CONTROL,
            same_screen: true,
        };
        let mask = EventMask::KEY_PRESS | EventMask::KEY_RELEASE;
        display.send_event(false, at, mask, event).expect("sent").check().expect("taken");
    }
    // An answer of the display comes after what it told before.
    let _ = app::get_mouse();
}

/// Waits in FLTK's loop until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        let _ = app::wait_for(0.02);
    }
}

/// Zooms by keys in the window in front, whose title is not `not`, and back.
fn zooms(what: &str) {
    until(&format!("{what} opens"), || windows().first().is_some_and(|window| window.shown()));
    let front = || windows().first().expect("a window is open").clone();
    let size = [front().w(), front().h()];
    for (key, scale) in [('-', 0.9), ('-', 0.8), ('=', 0.9), ('0', 1.0)] {
        control(&front(), key);
        until(&format!("{what} at {scale}"), || (app::screen_scale(0) - scale).abs() < 0.01);
        let [_, _, wide, high] = screen::room(0);
        let [x, y, w, h] = screen::spot_of(&front());
        assert!(x >= 0 && y >= 0 && w <= wide && h <= high, "{what} stands at {x}, {y}, {w} by {h}");
    }
    // Of what does not divide, a unit may be lost.
    let apart = [front().w() - size[0], front().h() - size[1]].map(i32::abs);
    assert!(apart.iter().all(|by| *by <= 2), "{what} is not as large as before by {apart:?}");
}

/// Opens a question, which blocks, and zooms in it from a timeout.
fn zooms_in_a_question(what: &'static str, ask: impl FnOnce()) {
    let before = windows().len();
    let failed: Rc<RefCell<Option<String>>> = Rc::default();
    let said = Rc::clone(&failed);
    app::add_timeout3(0.1, move |_| {
        let tried = std::panic::catch_unwind(|| zooms(what));
        if let Err(panic) = tried {
            let text = panic.downcast_ref::<String>().cloned();
            *said.borrow_mut() = Some(text.unwrap_or_else(|| "it panicked".to_owned()));
        }
        if windows().len() > before {
            windows()[0].clone().hide();
        }
    });
    ask();
    screen::scale(0, app::screen_scale(0), 1.0);
    assert_eq!(failed.take(), None);
}

/// What a zoom had no room for comes back with the zoom; what its owner has done since stays.
pub fn a_zoom_and_back_leaves_a_window_as_it_was() {
    let (emit, _) = events();
    let chat = chat("zoe", &emit);
    let mut window = chat.window().clone();
    until("a chat", || window.shown());
    let apart = |window: &Window, place: [i32; 4]| {
        let spot = screen::spot_of(window);
        spot.iter().zip(place).map(|(at, to)| (at - to).abs()).max().unwrap_or(0)
    };
    let turn = |old: f32, new: f32| {
        screen::scale(0, old, new);
        let _ = app::get_mouse();
        while app::wait_for(0.0).unwrap_or(false) {}
    };
    let place = [820, 320, 740, 620];
    window.resize(place[0], place[1], place[2], place[3]);
    turn(1.0, 1.5);
    turn(1.5, 2.0);
    assert!(apart(&window, place) > 100, "there is no room for it");
    turn(2.0, 1.0);
    assert!(apart(&window, place) <= 2, "{:?} instead of {place:?}", screen::spot_of(&window));
    turn(1.0, 2.0);
    let smaller = [20, 60, 400, 330];
    window.resize(smaller[0], smaller[1], smaller[2], smaller[3]);
    turn(2.0, 1.0);
    assert!(apart(&window, [40, 120, 400, 330]) <= 2, "{:?}", screen::spot_of(&window));
    drop(chat);
}

pub fn every_window_zooms_by_keys() {
    screen::begin(&BTreeMap::new());
    let (emit, _) = events();
    let login = Login::new(&LoginForm::default(), "here", Rc::clone(&emit));
    zooms("the login window");
    zooms_in_a_question("a question", || {
        let _ = widgets::ask("Remove ben?", "Remove", "Keep");
    });
    let of_file = || widgets::ask_file("Write which file?", "/tmp/a.csv", Purpose::Write, "Write", |_| Ok(()));
    zooms_in_a_question("a question for a file", || drop(of_file()));
    zooms_in_a_question("the list of files", || drop(choose("/tmp/a.csv", Purpose::Read)));
    drop(login);
    let password = PasswordWindow::new(Rc::clone(&emit));
    zooms("the password window");
    drop(password);
    let doubt = Doubt::Plain(hongyan::client::session::PlainReason::Only);
    let trust = TrustWindow::new("chat.example:9", false, &doubt, Rc::clone(&emit));
    zooms("a doubtful server");
    drop(trust);
    let keys = KeysWindow::new(Rc::clone(&emit));
    zooms("the keys");
    drop(keys);
    let chat = chat("zoe", &emit);
    zooms("a chat");
    drop(chat);
}

/// A question stands over the window that asks it.
pub fn a_question_opens_at_its_window() {
    let (emit, _) = events();
    let chat = chat("zoe", &emit);
    let mut window = chat.window().clone();
    until("the chat", || window.shown());
    window.resize(860, 360, 500, 400);
    let _ = app::wait_for(0.1);
    let place: Rc<Cell<Option<[i32; 4]>>> = Rc::default();
    let seen = Rc::clone(&place);
    app::add_timeout3(0.2, move |_| {
        let mut question = windows().first().expect("a question").clone();
        seen.set(Some(screen::spot_of(&question)));
        question.hide();
    });
    let _ = widgets::ask("Send 18 messages?", "Send", "Don't send");
    let [x, y, w, h] = place.get().expect("it was open");
    let inside = x >= 860 && y >= 360 && x + w <= 1_360 && y + h <= 760;
    assert!(inside, "the chat stands at 860, 360; its question at {x}, {y}, {w} by {h}");
    drop(chat);
}
