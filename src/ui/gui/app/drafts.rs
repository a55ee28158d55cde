//! What is typed and not sent: it belongs to the account's history, so it is there after any end of the program.

use std::mem;

use fltk::app;

use super::super::chat_window::ChatWindow;
use super::chats::Chats;
use super::core::Core;
use super::with_signed_in;
use crate::base::model::Account;
use crate::client::DRAFT_SOON;

impl Chats {
    /// Somebody types to this friend.
    pub(super) fn typed(&mut self, peer: Account) {
        if !self.windows.contains_key(&peer) {
            return;
        }
        if self.typed.is_empty() {
            app::add_timeout3(DRAFT_SOON.as_secs_f64(), |_| {
                with_signed_in(|signed_in, core| signed_in.chats.keep_drafts(core));
            });
        }
        self.typed.insert(peer);
    }

    /// Puts what was typed since on disk.
    pub(super) fn keep_drafts(&mut self, core: &mut Core) {
        for peer in mem::take(&mut self.typed) {
            if let Some(chat) = self.windows.get(&peer) {
                core.client.set_draft(peer, chat.draft());
            }
        }
    }

    /// A chat's window is closed, or its text has gone; what is typed there now counts.
    pub(super) fn keep_draft(&mut self, peer: &Account, draft: String, core: &mut Core) {
        self.typed.remove(peer);
        core.client.set_draft(peer.clone(), draft);
    }

    /// The account is another one: nothing that was typed to its chats that are closed is of use, and what stands in
    /// those that are open is its first. What was said there is the earlier one's.
    pub(super) fn made_anew(&mut self, core: &mut Core) {
        self.windows.values_mut().for_each(ChatWindow::begin_anew);
        self.index_all(core);
        self.drafts.clear();
        self.typed.extend(self.windows.keys().cloned());
        self.keep_drafts(core);
    }
}
