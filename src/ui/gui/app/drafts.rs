//! What is typed and not sent: it belongs to the account's history, so it is there after any end of the program.

use std::time::Duration;

use fltk::app;

use super::{App, with};
use crate::base::model::Account;

/// How long after the first change a draft goes to the disk; nothing waits while nobody types.
const SOON: Duration = Duration::from_millis(700);

impl App {
    /// Somebody types to this friend.
    pub(super) fn typed(&mut self, peer: Account) {
        if !self.chats.contains_key(&peer) {
            return;
        }
        if self.typed.is_empty() {
            app::add_timeout3(SOON.as_secs_f64(), |_| {
                with(App::keep_drafts);
            });
        }
        self.typed.insert(peer);
    }

    /// Puts what was typed since on disk.
    pub(super) fn keep_drafts(&mut self) {
        for peer in std::mem::take(&mut self.typed) {
            if let Some(chat) = self.chats.get(&peer) {
                self.client.set_draft(peer, chat.draft());
            }
        }
    }

    /// A chat's window is closed, or its text has gone; what is typed there now counts.
    pub(super) fn keep_draft(&mut self, peer: &Account, draft: String) {
        self.typed.remove(peer);
        self.client.set_draft(peer.clone(), draft);
    }
}
