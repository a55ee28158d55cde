//! Who is online and in what way: a list in several frames after the login, then changes. Also whether the person at this
//! device is away, which is said on each connection.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::harmless::MOST_ONLINE;
use super::{LISTING, Session};
use crate::base::model::Account;
use crate::client::session::Event;
use crate::protocol::wire::frame::FromClient;
use crate::protocol::wire::status::Shown;

/// Who is online.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) online: BTreeSet<Account>,
    /// Those of them who are not simply there without a line.
    states: BTreeMap<Account, Shown>,
    /// When the whole list is reported, since it comes in several frames.
    pub(super) tell_at: Option<Instant>,
    /// Whether what was reported last is still so, for the list and for the states.
    told: (bool, bool),
}

impl Session {
    pub(super) fn present(&mut self, now: Instant, first: bool, online: &[String], states: BTreeMap<String, Shown>) {
        if first {
            self.presence.online.clear();
            self.presence.states.clear();
            self.presence.told = (false, false);
        }
        self.came(online);
        self.are_shown(states);
        self.presence.tell_at = Some(now + LISTING);
    }

    fn came(&mut self, names: &[String]) {
        let room = MOST_ONLINE.saturating_sub(self.presence.online.len());
        self.presence.online.extend(names.iter().take(room).map(|name| Account::sanitised(name)));
        self.presence.told.0 &= names.is_empty();
    }

    fn are_shown(&mut self, states: BTreeMap<String, Shown>) {
        for (name, shown) in states {
            let account = Account::sanitised(&name);
            if shown.is_plain() {
                self.presence.told.1 &= self.presence.states.remove(&account).is_none();
            } else if self.presence.online.contains(&account) {
                self.presence.states.insert(account, shown);
                self.presence.told.1 = false;
            }
        }
    }

    pub(super) fn changed(&mut self, came: &[String], went: &[String], states: BTreeMap<String, Shown>) {
        for name in went {
            let account = Account::sanitised(name);
            self.presence.online.remove(&account);
            self.presence.told.1 &= self.presence.states.remove(&account).is_none();
            self.presence.told.0 = false;
        }
        self.came(came);
        self.are_shown(states);
        if self.presence.tell_at.is_none() {
            self.tell_changes();
        }
    }

    /// Reports who is online and in what way, whether that has changed or not.
    pub(super) fn tell_online(&mut self) {
        self.presence.told = (false, false);
        self.tell_changes();
    }

    fn tell_changes(&mut self) {
        let (online, states) = std::mem::replace(&mut self.presence.told, (true, true));
        // States come first, so that nobody is shown for a moment as simply there.
        if !states {
            self.told.events.push_back(Event::States(self.presence.states.clone()));
        }
        if !online {
            self.told.events.push_back(Event::Online(self.presence.online.iter().cloned().collect()));
        }
    }

    /// Sets whether the person at this device is away; the server hears of it now or with the next login.
    pub fn set_away(&mut self, now: Instant, away: bool) {
        self.login.away = away;
        self.turn(now);
    }

    /// Tells the server whether somebody is here, if it believes something else.
    pub(super) fn say_here(&mut self, now: Instant) {
        let away = self.login.away;
        if away != self.connection.said_away && self.say(now, &FromClient::Here { away }) {
            self.connection.said_away = away;
        }
    }
}
