//! Who is online and in what way, in words.

use std::collections::BTreeMap;

use rust_i18n::t;

use super::Roster;
use crate::base::model::Account;
use crate::base::shown;
use crate::protocol::wire::status::{Online, Shown};

/// Whether a person is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Presence {
    Online,
    Away,
    Busy,
    Offline,
}

impl Presence {
    /// Whether somebody is online in any way.
    #[must_use]
    pub fn is_here(self) -> bool {
        self != Self::Offline
    }
}

impl Roster {
    /// Sets those who are away, busy or have a line. Returns whether something has changed.
    pub fn set_states(&mut self, states: BTreeMap<Account, Shown>) -> bool {
        let before = std::mem::replace(&mut self.states, states);
        before != self.states
    }

    /// Returns what somebody who is online says of where they are; empty if nothing.
    #[must_use]
    pub fn line(&self, account: &Account) -> &str {
        let here = self.presence(account).is_some_and(Presence::is_here);
        self.states.get(account).filter(|_| here).map_or("", |shown| &shown.text)
    }

    /// Returns how somebody is: a word, with the line of their own if they have one; empty if it is unknown.
    #[must_use]
    pub fn state_word(&self, account: &Account) -> String {
        with_line(self.presence(account), self.line(account))
    }

    /// Returns whether somebody is online; `None` if that is unknown.
    #[must_use]
    pub fn presence(&self, account: &Account) -> Option<Presence> {
        let online = self.online.as_ref()?;
        if account.is_room() || self.unsure {
            return None;
        }
        if online.binary_search(account).is_err() {
            return Some(Presence::Offline);
        }
        Some(match self.states.get(account).map(|shown| shown.state) {
            Some(Online::Away) => Presence::Away,
            Some(Online::Busy) => Presence::Busy,
            Some(Online::Here) | None => Presence::Online,
        })
    }
}

/// A word for a presence; empty if it is unknown.
#[must_use]
pub fn presence_word(presence: Option<Presence>) -> String {
    match presence {
        Some(Presence::Online) => t!("main.online").into_owned(),
        Some(Presence::Away) => t!("people.away").into_owned(),
        Some(Presence::Busy) => t!("people.busy").into_owned(),
        Some(Presence::Offline) => t!("main.not_online").into_owned(),
        None => String::new(),
    }
}

/// A word for a presence with the line that somebody has beside it; who is simply there is shown by the line alone.
#[must_use]
pub fn with_line(presence: Option<Presence>, line: &str) -> String {
    match presence {
        _ if line.is_empty() => presence_word(presence),
        Some(Presence::Online) => shown::line(line).to_string(),
        presence => t!("people.state_line", state = presence_word(presence), line = shown::line(line)).into_owned(),
    }
}
