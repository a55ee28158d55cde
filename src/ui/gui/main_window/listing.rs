//! The rows of the list, made from what is known about people and from the search, and again at midnight.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::input::Input;
use fltk::prelude::*;
use rust_i18n::t;

use crate::client::net::clock;
use crate::client::roster::{self, Roster};
use crate::ui::gui::friend_list::FriendList;
use crate::ui::gui::screen;

/// What the list is made from, and when it was.
#[derive(Clone)]
pub(super) struct Listing {
    pub roster: Rc<RefCell<Roster>>,
    pub search: Input,
    pub list: FriendList,
    /// The times between which the list's dates are right, in milliseconds since 1970.
    pub holds: Rc<Cell<(i64, i64)>>,
}

impl Listing {
    /// Fills the list for this moment.
    pub fn fill(&self, now_ms: i64) {
        self.holds.set((now_ms, roster::times_hold_until(now_ms).unwrap_or(i64::MAX)));
        let (search, mut list) = (self.search.value(), self.list.clone());
        // Without a search the list may be empty because nothing is known yet.
        list.set_nothing(&if search.trim().is_empty() { "".into() } else { t!("main.nobody_found") });
        let entries = self.roster.borrow().entries(&search, now_ms);
        list.set(entries);
    }

    /// Returns whether the list's dates are still right.
    pub fn holds(&self, now_ms: i64) -> bool {
        let (from, to) = self.holds.get();
        (from..to).contains(&now_ms)
    }
}

/// Fills the list again at midnight, with one wake-up a day.
pub(super) fn watch_midnight(listing: Listing, window: screen::Life) {
    let now_ms = clock::now().unix_ms;
    if !listing.holds(now_ms) {
        listing.fill(now_ms);
    }
    let (_, until) = listing.holds.get();
    let wait = until.saturating_sub(now_ms).clamp(1_000, 26 * 3_600_000);
    app::add_timeout3(wait as f64 / 1000.0, move |_| {
        if window.is_on() {
            watch_midnight(listing.clone(), window.clone());
        }
    });
}
