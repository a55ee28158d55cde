//! Who is there: a list in several frames after the login, then changes of it.

use std::time::Instant;

use super::harmless::MOST_ONLINE;
use super::{LISTING, Session};
use crate::base::model::Account;
use crate::client::session::Event;

impl Session {
    pub(super) fn present(&mut self, now: Instant, first: bool, online: &[String]) {
        if first {
            self.online.clear();
        }
        self.came(online);
        self.tell_online_at = Some(now + LISTING);
    }

    fn came(&mut self, names: &[String]) {
        let room = MOST_ONLINE.saturating_sub(self.online.len());
        self.online.extend(names.iter().take(room).map(|name| Account::sanitised(name)));
    }

    pub(super) fn changed(&mut self, came: &[String], went: &[String]) {
        for name in went {
            self.online.remove(&Account::sanitised(name));
        }
        self.came(came);
        if self.tell_online_at.is_none() {
            self.tell_online();
        }
    }

    pub(super) fn tell_online(&mut self) {
        self.events.push_back(Event::Online(self.online.iter().cloned().collect()));
    }
}
