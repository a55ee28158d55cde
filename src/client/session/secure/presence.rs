//! Who is online: a list in several frames after the login, then changes.

use std::collections::BTreeSet;
use std::time::Instant;

use super::harmless::MOST_ONLINE;
use super::{LISTING, Session};
use crate::base::model::Account;
use crate::client::session::Event;

/// Who is online.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) online: BTreeSet<Account>,
    /// When the whole list is reported, since it comes in several frames.
    pub(super) tell_at: Option<Instant>,
}

impl Session {
    pub(super) fn present(&mut self, now: Instant, first: bool, online: &[String]) {
        if first {
            self.presence.online.clear();
        }
        self.came(online);
        self.presence.tell_at = Some(now + LISTING);
    }

    fn came(&mut self, names: &[String]) {
        let room = MOST_ONLINE.saturating_sub(self.presence.online.len());
        self.presence.online.extend(names.iter().take(room).map(|name| Account::sanitised(name)));
    }

    pub(super) fn changed(&mut self, came: &[String], went: &[String]) {
        for name in went {
            self.presence.online.remove(&Account::sanitised(name));
        }
        self.came(came);
        if self.presence.tell_at.is_none() {
            self.tell_online();
        }
    }

    pub(super) fn tell_online(&mut self) {
        self.told.events.push_back(Event::Online(self.presence.online.iter().cloned().collect()));
    }
}
