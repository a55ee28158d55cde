//! Unsent texts. The account's history keeps them, so they survive any end of the program.

use std::mem;

use fltk::app;

use super::super::chat_window::ChatWindow;
use super::chats::Chats;
use super::core::Core;
use super::with_signed_in;
use crate::base::model::Account;
use crate::client::DRAFT_SOON;

impl Chats {
    /// Notes that text for `peer` has changed. Called at each key in the composer; the text is saved a little later.
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

    /// Gives the history every unsent text that has changed since the last call.
    pub(super) fn keep_drafts(&mut self, core: &mut Core) {
        for peer in mem::take(&mut self.typed) {
            if let Some(chat) = self.windows.get(&peer) {
                core.client.set_draft(peer, chat.draft());
            }
        }
    }

    /// Keeps `draft` as the unsent text for `peer`. Called when the chat window closes or its text was sent.
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
