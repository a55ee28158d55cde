//! Cards of people: what is known of somebody, in lines.

use chrono::{Local, TimeZone};
use rust_i18n::t;

use super::Roster;
use crate::base::model::Account;
use crate::base::shown;
use crate::client::friendship::Friendship;
use crate::protocol::wire::item::Profile;

impl Roster {
    /// Returns what is known of somebody, each in a line of its own.
    #[must_use]
    pub fn card(&self, account: &Account) -> Vec<String> {
        let none = Profile::default();
        let profile = self.profile(account).unwrap_or(&none);
        let contact = self.find(account).map(|conversation| &conversation.contact);
        let (remark, group) = contact.map_or(("", ""), |contact| (&*contact.remark, &*contact.group));
        let mut lines = public(account, profile);
        let state = self.state_word(account);
        if !state.is_empty() {
            lines.push(t!("people.card_state", state = state).into_owned());
        }
        if !remark.is_empty() {
            lines.push(t!("people.card_remark", remark = shown::line(remark)).into_owned());
        }
        if !group.is_empty() {
            lines.push(t!("people.card_group", group = shown::line(group)).into_owned());
        }
        match (self.friendship(account), self.friends.friends.get(account)) {
            (_, Some(friend)) => {
                let date = Local.timestamp_opt(friend.since, 0).earliest().map(|at| at.format("%Y-%m-%d").to_string());
                lines.push(t!("people.card_friends", date = date.unwrap_or_default()).into_owned());
            }
            (Friendship::Unknown, None) => {}
            (Friendship::Asking, None) => lines.push(t!("people.asking_row").into_owned()),
            (Friendship::Asked, None) => lines.push(t!("people.asks_row").into_owned()),
            (Friendship::Declined, None) => lines.push(t!("people.declined_row").into_owned()),
            (Friendship::None | Friendship::Friends, None) => lines.push(t!("people.card_not_friends").into_owned()),
        }
        if contact.is_some_and(|contact| contact.blocked) {
            lines.push(t!("people.card_blocked").into_owned());
        }
        lines
    }

    /// Returns what others are shown of the account's owner, each in a line of its own.
    #[must_use]
    pub fn own_card(&self) -> Vec<String> {
        public(&self.me, self.friends.profile.as_ref().unwrap_or(&Profile::default()))
    }
}

fn public(account: &Account, profile: &Profile) -> Vec<String> {
    let mut lines = vec![t!("people.card_account", account = account.shown()).into_owned()];
    if !profile.name.is_empty() {
        lines.push(t!("people.card_name", name = shown::line(&profile.name)).into_owned());
    }
    if !profile.line.is_empty() {
        lines.push(t!("people.card_line", line = shown::line(&profile.line)).into_owned());
    }
    lines
}
