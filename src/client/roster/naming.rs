//! What people are called: by their remark, else by the name they give themselves, else by their account. A name that
//! somebody gives themselves is no proof of who they are, so where another one is called the same the account stands beside
//! it.

use std::collections::{HashMap, HashSet};

use rust_i18n::t;

use super::Roster;
use crate::base::fold::fold;
use crate::base::model::{Account, names};
use crate::base::shown;
use crate::client::history::Conversation;
use crate::protocol::wire::item::Profile;

/// Who people are, as the server says.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    profiles: HashMap<Account, Profile>,
    /// Names, folded, by which more than one is called.
    common: HashSet<String>,
}

impl Roster {
    /// Takes over profiles that are new or have changed.
    pub fn set_profiles(&mut self, profiles: Vec<(Account, Profile)>) {
        self.names.profiles.extend(profiles);
        self.find_common_names();
    }

    /// Returns who somebody is to others, if that is known.
    #[must_use]
    pub fn profile(&self, account: &Account) -> Option<&Profile> {
        let friends = &self.friends;
        let told = friends.friends.get(account).map(|friend| &friend.profile);
        let told = told.or_else(|| friends.asked.get(account).map(|request| &request.profile));
        let told = told.or_else(|| friends.asking.get(account).map(|request| &request.profile));
        told.or_else(|| self.names.profiles.get(account))
    }

    /// Returns the colour that somebody has chosen, if they have.
    pub(super) fn color(&self, account: &Account) -> Option<u8> {
        self.profile(account).and_then(|profile| profile.color)
    }

    /// Returns the name under which an account is shown, on one line.
    #[must_use]
    pub fn name(&self, account: &Account) -> String {
        if account.as_str() == Account::LOBBY {
            return t!("main.lobby").into_owned();
        }
        let remark = names::tidy(self.remark(account));
        if remark.is_empty() { self.given_name(account) } else { shown::line(&remark) }
    }

    /// Returns the name that somebody gives themselves, with their account where another one is called the same; the
    /// account if they give none.
    #[must_use]
    pub fn given_name(&self, account: &Account) -> String {
        match self.profile(account) {
            Some(profile) if !profile.name.is_empty() && self.names.common.contains(&fold(&profile.name)) => {
                t!("people.named_like_others", name = shown::line(&profile.name), account = account.shown())
                    .into_owned()
            }
            Some(profile) if !profile.name.is_empty() => shown::line(&profile.name),
            Some(_) | None => account.shown().into_owned(),
        }
    }

    /// Returns the account that a name stands for: an account in the list, a remark, an account that is online, or a name
    /// that only one person gives themselves.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<Account> {
        let contacts = || self.conversations.iter().map(|c| &c.contact);
        let known = contacts().find(|contact| contact.account.as_str() == name);
        let remark = || contacts().find(|contact| !name.is_empty() && contact.remark == name);
        let online = || self.online().iter().find(|account| account.as_str() == name);
        let found = known.or_else(remark).map(|contact| &contact.account).or_else(online);
        found.cloned().or_else(|| self.called(name))
    }

    fn called(&self, name: &str) -> Option<Account> {
        let folded = fold(name.trim());
        if folded.is_empty() || self.names.common.contains(&folded) {
            return None;
        }
        let is_called = |account: &&Account| self.profile(account).is_some_and(|profile| fold(&profile.name) == folded);
        self.people().find(is_called).cloned()
    }

    /// Returns the remark of an account as it is stored; empty if there is none.
    #[must_use]
    pub fn remark(&self, account: &Account) -> &str {
        self.find(account).map_or("", |c| &c.contact.remark)
    }

    /// Returns the name of the writer of a room's message, by the account in its frame.
    #[must_use]
    pub fn writer(&self, framed: &str) -> String {
        self.name(&Account::sanitised(&names::unmarked(framed)))
    }

    /// Returns the names of all who are called by another one than their account, by account.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        let remarked = self.conversations.iter().map(|c| (&c.contact.account, names::tidy(&c.contact.remark)));
        let remarks: HashMap<&Account, String> = remarked.filter(|(_, remark)| !remark.is_empty()).collect();
        let name = |account: &Account| match remarks.get(account) {
            Some(remark) => shown::line(remark),
            None => self.given_name(account),
        };
        let named = self.people().map(|account| (account, name(account)));
        let named = named.filter(|(account, name)| *name != account.shown());
        named.map(|(account, name)| (account.to_string(), name)).collect()
    }

    /// Everybody of whom there is something to show, some of them more than once.
    fn people(&self) -> impl Iterator<Item = &Account> {
        let list = self.conversations.iter().map(|c| &c.contact.account);
        let friends = self.friends.friends.keys().chain(self.friends.asked.keys()).chain(self.friends.asking.keys());
        list.chain(friends).chain(self.names.profiles.keys()).filter(|account| !account.is_room())
    }

    /// Finds out which names stand for more than one person: as the names they give themselves, remarks, or accounts.
    pub(super) fn find_common_names(&mut self) {
        let own = self.friends.profile.as_ref().map(|profile| profile.name.clone()).unwrap_or_default();
        let mut called: HashMap<String, &Account> = HashMap::new();
        let mut common = HashSet::new();
        let mut note = |name: &str, account| {
            let folded = fold(name);
            if !folded.is_empty() && called.insert(folded.clone(), account).is_some_and(|other| other != account) {
                common.insert(folded);
            }
        };
        note(&own, &self.me);
        note(self.me.as_str(), &self.me);
        for Conversation { contact, .. } in self.conversations.iter().filter(|c| !c.contact.remark.is_empty()) {
            note(&names::tidy(&contact.remark), &contact.account);
        }
        for account in self.people() {
            note(account.as_str(), account);
            if let Some(profile) = self.profile(account) {
                note(&profile.name, account);
            }
        }
        self.names.common = common;
    }
}

#[cfg(test)]
mod tests;
