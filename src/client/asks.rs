//! What a face asks of the history: the list, its people, and the rows of a chat.

use std::path::PathBuf;

use super::Client;
use crate::history::{Contact, Op};
use crate::model::Account;

impl Client {
    /// Adds or changes somebody in the list.
    pub fn set_contact(&mut self, contact: Contact) {
        self.change(Op::Contact(contact));
    }

    /// Adds everybody of a CSV file (account, remark, group, blocked), or nobody.
    pub fn import_contacts(&mut self, path: PathBuf) {
        if let Some(own) = self.account.clone() {
            self.change(Op::Import { path, own });
        }
    }

    /// Writes the list into a CSV file.
    pub fn export_contacts(&mut self, path: PathBuf) {
        self.change(Op::Export(path));
    }

    /// Takes somebody off the list.
    pub fn remove_contact(&mut self, account: Account) {
        self.change(Op::RemoveContact(account));
    }

    /// This friend's messages were looked at.
    pub fn mark_read(&mut self, peer: Account) {
        self.change(Op::Read(peer));
    }

    fn change(&self, op: Op) {
        if let Some(history) = &self.history {
            history.submit(op);
            history.submit(Op::Conversations);
        }
    }

    /// Asks for the list again.
    pub fn conversations(&self) {
        if let Some(history) = &self.history {
            history.submit(Op::Conversations);
        }
    }

    /// Asks for what is known of every row with this friend.
    pub fn index(&self, peer: Account) {
        if let Some(history) = &self.history {
            history.submit(Op::Index(peer));
        }
    }

    /// Asks for `count` rows with this friend, from the `first` on.
    pub fn page(&self, peer: Account, first: u32, count: u32) {
        if let Some(history) = &self.history {
            history.submit(Op::Page { peer, first, count });
        }
    }

    /// Asks for the last `count` rows with this friend, oldest first.
    pub fn last(&self, peer: Account, count: u32) {
        if let Some(history) = &self.history {
            history.submit(Op::Last { peer, count });
        }
    }

    /// Asks for the latest `count` rows that hold this text.
    pub fn search(&self, text: &str, count: u32) {
        if let Some(history) = &self.history {
            history.submit(Op::Search { text: text.to_owned(), count });
        }
    }
}
