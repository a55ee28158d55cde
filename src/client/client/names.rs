//! Who people are that no item tells of: strangers, contacts who are no friends, who is online, who writes in a room. Their
//! profiles are asked for, many at once, when somebody is to be shown them, and kept in the history for later.

use std::collections::{BTreeMap, BTreeSet};

use super::{Client, Event};
use crate::base::model::Account;
use crate::client::history::{Op, Write};
use crate::client::net::Now;
use crate::client::session::SpokenDialect;
use crate::protocol::wire::frame::PEOPLE;
use crate::protocol::wire::item::Profile;

/// The most accounts that are asked about in one login: the others are shown by their accounts.
const MOST: usize = 1_000;

/// What is known and asked of names in one login.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Profiles that are on disk or on their way there.
    known: BTreeMap<Account, Profile>,
    /// Who was asked about in this login, and need not be again.
    asked: BTreeSet<Account>,
    /// Who is to be asked about.
    wanted: BTreeSet<Account>,
    /// The server has not answered yet.
    waits: bool,
    /// The server does not answer such questions, or not for now.
    silent: bool,
}

impl Names {
    /// A login has begun: everybody is asked about once more.
    pub(super) fn begin(&mut self) {
        *self = Self { known: std::mem::take(&mut self.known), ..Self::default() };
    }

    /// These are on disk.
    pub(super) fn read(&mut self, profiles: &[(Account, Profile)]) {
        self.known.extend(profiles.iter().cloned());
    }

    /// Somebody has come online: what they are called may be another name by now.
    pub(super) fn came(&mut self, account: &Account) {
        self.asked.remove(account);
    }

    fn want(&mut self, accounts: impl IntoIterator<Item = Account>) {
        let new = accounts.into_iter().filter(|account| !account.is_room() && !self.asked.contains(account));
        self.wanted.extend(new.take(MOST));
    }

    /// Whom to ask about now, if anybody.
    fn next(&mut self) -> Option<Vec<Account>> {
        if self.waits || self.silent || self.asked.len() >= MOST {
            return None;
        }
        let some: Vec<Account> = self.wanted.iter().take(PEOPLE).cloned().collect();
        some.iter().for_each(|account| _ = self.wanted.remove(account));
        self.asked.extend(some.iter().cloned());
        self.waits = !some.is_empty();
        (!some.is_empty()).then_some(some)
    }

    /// The server's answer; what of it is new. Who is not in it has no account any more, and no name.
    fn answered(&mut self, asked: Vec<Account>, profiles: Option<Vec<(Account, Profile)>>) -> Vec<(Account, Profile)> {
        self.waits = false;
        let Some(profiles) = profiles else {
            self.silent = true;
            return Vec::new();
        };
        let mut found: BTreeMap<Account, Profile> = profiles.into_iter().collect();
        let now = asked.into_iter().map(|account| {
            let profile = found.remove(&account).unwrap_or_default();
            (account, profile)
        });
        let none = Profile::default();
        let new: Vec<_> =
            now.filter(|(account, profile)| self.known.get(account).unwrap_or(&none) != profile).collect();
        self.known.extend(new.iter().cloned());
        new
    }
}

impl Client {
    /// Somebody is to be shown these people.
    pub(super) fn want_names(&mut self, now: Now, accounts: impl IntoIterator<Item = Account>) {
        if self.session.speaks() != Some(SpokenDialect::Secure) {
            return;
        }
        let Some(account) = &mut self.account else { return };
        account.names.want(accounts);
        self.ask_names(now);
    }

    fn ask_names(&mut self, now: Now) {
        let next = self.account.as_mut().and_then(|account| account.names.next());
        if let Some(accounts) = next {
            self.session.people(now.instant, accounts);
        }
    }

    /// The server has said who people are, or not.
    pub(super) fn people_are(&mut self, now: Now, asked: Vec<Account>, profiles: Option<Vec<(Account, Profile)>>) {
        let Some(account) = &mut self.account else { return };
        let new = account.names.answered(asked, profiles);
        if !new.is_empty() {
            account.submit(Op::Write(Write::Profiles(new.clone())));
            self.events.push_back(Event::Profiles(new));
        }
        self.ask_names(now);
    }
}

#[cfg(test)]
mod tests;
