//! Whether there is an account, asked of the server, and which one of a name it is: one that is deleted and made anew is
//! another one, told from the first by when it was made.

use std::time::{Duration, Instant};

use super::{Account, Event, Session, State};
use crate::client::session::Found;
use crate::protocol::wire::frame::FromClient;

/// A question without an answer for so long is said to have none. An earlier server does not know it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Accounts whose making is known of a connection; then it is told anew, which changes nothing.
const MOST: usize = 10_000;

#[derive(Debug)]
pub(super) struct Looking {
    account: Account,
    by: Instant,
    sent: bool,
}

impl Looking {
    pub(super) fn is_to_be_asked_again(&mut self) {
        self.sent = false;
    }
}

impl Session {
    /// Asks whether there is an account of this name; answered by [`Event::LookedUp`], after 5 s at the latest, and at once
    /// while nobody is logged in nor about to be.
    pub fn look_up(&mut self, now: Instant, account: Account) {
        let id = self.next_id();
        self.looking.insert(id, Looking { account, by: now + PATIENCE, sent: false });
        if matches!(self.state, State::Offline | State::LoggedOut) || self.leaving.is_some() {
            self.not_looked_up(id);
        }
        self.turn(now);
    }

    pub(super) fn look_up_by(&self) -> Option<Instant> {
        self.looking.values().map(|looking| looking.by).min()
    }

    pub(super) fn ask_who_exists(&mut self, now: Instant) {
        let unsent = self.looking.iter().filter(|(_, looking)| !looking.sent);
        let asked: Vec<_> = unsent.map(|(id, looking)| (*id, looking.account.as_str().to_owned())).collect();
        for (id, account) in asked {
            if !self.say(now, &FromClient::LookUp { id, account }) {
                return;
            }
            if let Some(looking) = self.looking.get_mut(&id) {
                looking.sent = true;
            }
        }
    }

    /// The server's answer: how the account is written there and when it was made, or that there is none.
    pub(super) fn looked_up(&mut self, id: u64, there: Option<(&str, i64)>) {
        let Some(Looking { account: asked, .. }) = self.looking.remove(&id) else { return };
        let found = match there {
            None => Found::Nobody,
            Some((name, made)) => {
                let account = Account::sanitised(name);
                self.was_made(&account, Some(made));
                Found::There(account)
            }
        };
        self.events.push_back(Event::LookedUp { asked, found });
    }

    /// There will be no answer to this one.
    pub(super) fn not_looked_up(&mut self, id: u64) {
        if let Some(Looking { account: asked, .. }) = self.looking.remove(&id) {
            self.events.push_back(Event::LookedUp { asked, found: Found::Unanswered });
        }
    }

    pub(super) fn give_up_looking(&mut self, now: Instant) {
        let over: Vec<u64> = self.looking.iter().filter(|(_, l)| l.by <= now).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.not_looked_up(id));
    }

    /// Nobody will answer any more.
    pub(super) fn look_up_no_more(&mut self) {
        let all: Vec<u64> = self.looking.keys().copied().collect();
        all.into_iter().for_each(|id| self.not_looked_up(id));
    }

    /// The server says when an account was made; told once a connection, so that it is compared at each login.
    pub(super) fn was_made(&mut self, account: &Account, made: Option<i64>) {
        let Some(made) = made.filter(|made| !account.is_room() && self.made.get(account) != Some(made)) else { return };
        if self.made.len() >= MOST {
            self.made.clear();
        }
        self.made.insert(account.clone(), made);
        self.events.push_back(Event::Made { account: account.clone(), made });
    }
}
