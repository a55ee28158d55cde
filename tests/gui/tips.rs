//! A tooltip that goes away makes FLTK tell the list below it at once where the pointer is.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fltk::app;
use fltk::misc::Tooltip;
use fltk::prelude::*;
use fltk::window::Window;
use hongyan::client::friendship::Friendship;
use hongyan::client::roster::{Entry, Person, Presence};
use hongyan::ui::gui::friend_list::FriendList;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::account;

fn person(n: u64) -> Entry {
    let account = account(&format!("2017{n:04}"));
    let (name, last, time) = (format!("同学 {n}"), "hi".to_owned(), String::new());
    let presence = Some(Presence::Online);
    Entry::Person(Person {
        account,
        name,
        last,
        time,
        unread: 0,
        presence,
        line: String::new(),
        contact: true,
        blocked: false,
        friendship: Friendship::Unknown,
        color: None,
        muted: false,
        pinned: false,
        recent: false,
    })
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "{what}");
        let _ = app::wait_for(0.02);
    }
}

/// How many windows there are on the display, the tooltip's among them.
fn windows() -> usize {
    app::windows().unwrap_or_default().iter().filter(|window| window.shown() && window.visible()).count()
}

/// The pointer goes to another row, and other rows come below it, each while a tooltip is shown. FLTK swallows a
/// panic of a handler, so they are counted.
pub fn a_tooltip_that_goes_away_harms_nothing() {
    let panics = Arc::new(AtomicUsize::new(0));
    let usual = Arc::new(std::panic::take_hook());
    std::panic::set_hook({
        let (panics, usual) = (Arc::clone(&panics), Arc::clone(&usual));
        Box::new(move |info| {
            panics.fetch_add(1, Ordering::SeqCst);
            usual(info);
        })
    });
    let (delay, hover, enabled) = (Tooltip::delay(), Tooltip::hoverdelay(), Tooltip::enabled());
    Tooltip::enable(true);
    Tooltip::set_delay(0.01);
    Tooltip::set_hoverdelay(0.01);
    let mut window = Window::new(40, 40, 300, 300, None);
    let mut list = FriendList::new(0, 0, 300, 300, Rc::new(|_| ()));
    window.end();
    list.set((0..3).map(person).collect());
    window.show();
    until("a window", || window.shown());
    let (display, screen) = x11rb::connect(None).expect("the display");
    let root = x11rb::connection::Connection::setup(&display).roots[screen].root;
    let warp = |x: i16, y: i16| {
        display.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, x, y).expect("sent").check().expect("taken");
    };
    let stood = display.query_pointer(root).expect("sent").reply().expect("a pointer");
    let go = |y: i16| warp(window.x() as i16 + 100, window.y() as i16 + y);
    let said = || list.widget().tooltip().unwrap_or_default();
    let of = |name: &str| said().starts_with(name);
    let alone = windows();
    // What it says is static: FLTK keeps no copy.
    let tip = || {
        Tooltip::enter_area(list.widget(), 0, 0, 300, 300, c"a row");
        until("a tooltip", || windows() > alone);
    };
    // One row after another: each has its own.
    for (y, name) in [(20, "20170000"), (75, "20170001"), (20, "20170000")] {
        // The first movement may only say that the pointer is in the window.
        let further = std::cell::Cell::new(y);
        until(name, || {
            further.set(y + (further.get() + 1 - y) % 8);
            go(further.get());
            of(name)
        });
        until("the one before, gone", || windows() == alone);
        tip();
    }
    let mut list = list.clone();
    list.set((5..8).map(person).collect());
    assert!(list.widget().tooltip().unwrap_or_default().starts_with("20170005"), "of the row that is there now");
    assert_eq!(windows(), alone, "the one about the row that was there is gone");
    // What is under the pointer looks otherwise, in other tests too.
    warp(stood.root_x, stood.root_y);
    Tooltip::set_delay(delay);
    Tooltip::set_hoverdelay(hover);
    Tooltip::enable(enabled);
    Window::delete(window);
    drop(std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| usual(info)));
    assert_eq!(panics.load(Ordering::SeqCst), 0, "no handler panicked");
}

/// By this being away is found out.
pub fn the_display_says_how_long_nothing_was_touched() {
    let first = hongyan::ui::gui::x11::idle().expect("the display says it");
    until("it grows", || hongyan::ui::gui::x11::idle().is_some_and(|idle| idle > first));
}
