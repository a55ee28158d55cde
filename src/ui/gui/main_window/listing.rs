//! The rows of the list: made of what is known of people and of the search, and anew at midnight.

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

/// What the list is made of, and when it was.
#[derive(Clone)]
pub(super) struct Listing {
    pub roster: Rc<RefCell<Roster>>,
    pub search: Input,
    pub list: FriendList,
    /// Between these moments its times say what is so; milliseconds since 1970.
    pub holds: Rc<Cell<(i64, i64)>>,
}

impl Listing {
    /// Fills the list with what is so at this moment.
    pub fn fill(&self, now_ms: i64) {
        self.holds.set((now_ms, roster::times_hold_until(now_ms).unwrap_or(i64::MAX)));
        let (search, mut list) = (self.search.value(), self.list.clone());
        // Without a search nobody may be there because nothing is known yet.
        list.set_nothing(&if search.trim().is_empty() { "".into() } else { t!("main.nobody_found") });
        let entries = self.roster.borrow().entries(&search, now_ms);
        list.set(entries);
    }

    /// Whether its times still say what is so.
    pub fn holds(&self, now_ms: i64) -> bool {
        let (from, to) = self.holds.get();
        (from..to).contains(&now_ms)
    }
}

/// Lists anew at midnight: one wake-up a day.
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
