//! People that are looked for at the server while somebody types into the search. One question is under way at a time, so the
//! server is asked as often as it answers, and what is typed last is asked last.

use super::core::Core;
use super::signed_in::SignedIn;
use crate::base::model::Account;
use crate::client::net::clock;
use crate::protocol::wire::item::{Profile, SHORT};

impl SignedIn {
    /// Looks for people at the server, where it keeps names and what is typed may be one.
    pub(super) fn find(&mut self, text: &str, core: &mut Core) {
        let may_be_name = !text.is_empty() && text.chars().count() <= SHORT;
        if may_be_name && self.finding.is_none() && self.main.roster().friends().kept_by_server {
            self.finding = Some(text.to_owned());
            core.client.find(clock::now(), text.to_owned());
        }
    }

    /// Shows whom the server has found, and asks for what was typed since.
    pub(super) fn found(&mut self, text: String, people: Option<Vec<(Account, Profile)>>, core: &mut Core) {
        self.finding = None;
        let typed = self.main.searched();
        let another = typed != text;
        match people {
            Some(people) => self.main.set_found(text, people),
            // Refused or unanswered: the next letter asks again.
            None => return,
        }
        if another {
            self.find(&typed, core);
        }
    }
}
