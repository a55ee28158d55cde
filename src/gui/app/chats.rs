//! Chat windows: one a friend, and each message in its own.

use std::rc::Rc;

use rust_i18n::t;

use super::super::chat_window::{ChatWindow, Header};
use super::App;
use crate::history::{Row, RowMeta};
use crate::model::{Account, MessageId, MessageText};
use crate::net::clock;
use crate::session::Link;

impl App {
    fn header(&self, peer: &Account) -> Header {
        let presence = self.main.as_ref().and_then(|main| main.roster().presence(peer));
        let offline = matches!(self.client.link(), Link::Offline | Link::LoggedOut);
        Header { name: self.name(peer), presence, offline, trouble: None }
    }

    /// Names and presence may have changed.
    pub(super) fn refresh_headers(&mut self) {
        let headers: Vec<(Account, Header)> = self.chats.keys().map(|peer| (peer.clone(), self.header(peer))).collect();
        for (peer, header) in headers {
            if let Some(chat) = self.chats.get_mut(&peer) {
                chat.set_header(header);
            }
        }
        for (_, chat) in self.chats.iter_mut().filter(|(peer, _)| peer.is_room()) {
            chat.set_names(self.main.as_ref().map(|main| main.roster().remarks()).unwrap_or_default());
        }
    }

    pub(super) fn open_chat(&mut self, peer: Account) {
        if let Some(main) = &mut self.main {
            main.clear_search();
        }
        if let Some(chat) = self.chats.get_mut(&peer) {
            chat.raise();
        } else {
            let header = self.header(&peer);
            let place = self.settings.windows.get(&place_name(&peer)).copied();
            let mut chat = ChatWindow::new(&peer, header, place, Rc::clone(&self.emit));
            chat.set_foreign(self.ours == Some(false));
            chat.give_back(&self.drafts.remove(&peer).unwrap_or_default());
            self.chats.insert(peer.clone(), chat);
            self.client.index(peer);
            self.refresh_headers();
            self.chats_changed();
        }
    }

    /// The person looks at a chat: what is in it counts as read.
    pub(super) fn looked(&mut self, peer: Account) {
        let Some(chat) = self.chats.get_mut(&peer) else { return };
        chat.looked();
        let unread = self.main.as_ref().is_some_and(|m| m.roster().find(&peer).is_some_and(|c| c.unread > 0));
        if unread {
            self.client.mark_read(peer);
        }
    }

    pub(super) fn close_chat(&mut self, peer: &Account) {
        if let Some(chat) = self.chats.remove(peer) {
            self.settings.windows.insert(place_name(peer), chat.place());
            self.saver.save(&self.settings);
            let draft = chat.draft();
            if !draft.trim().is_empty() {
                self.drafts.insert(peer.clone(), draft);
            }
            chat.close();
        }
        self.chats_changed();
    }

    /// Remembers where the windows stand.
    pub(super) fn keep_places(&mut self) {
        if let Some(main) = &self.main {
            self.settings.windows.insert("main".to_owned(), main.place());
        }
        for (peer, chat) in &self.chats {
            self.settings.windows.insert(place_name(peer), chat.place());
        }
        self.saver.save(&self.settings);
    }

    /// Builds the chat windows anew, in another language or theme; what was typed stays.
    pub(super) fn rebuild_chats(&mut self) {
        for (peer, old) in std::mem::take(&mut self.chats) {
            let (draft, place) = (old.draft(), old.place());
            old.close();
            let header = self.header(&peer);
            let mut chat = ChatWindow::new(&peer, header, Some(place), Rc::clone(&self.emit));
            chat.set_foreign(self.ours == Some(false));
            chat.give_back(&draft);
            self.chats.insert(peer.clone(), chat);
            self.client.index(peer);
        }
        self.refresh_headers();
    }

    pub(super) fn chats_changed(&mut self) {
        let open: Vec<Account> = self.chats.keys().cloned().collect();
        let visible = self.chats.values().any(ChatWindow::visible);
        self.client.set_open_chats(clock::now(), open, visible);
    }

    pub(super) fn index(&mut self, peer: &Account, rows: Vec<RowMeta>) {
        let unread = self.main.as_ref().and_then(|m| m.roster().find(peer).map(|c| c.unread));
        let Some(chat) = self.chats.get_mut(peer) else { return };
        chat.set_index(rows, unread);
        if unread.is_some_and(|n| n > 0) && chat.focused() {
            self.client.mark_read(peer.clone());
        }
    }

    pub(super) fn message(&mut self, peer: Account, row: Row) {
        let theirs = row.state.is_none();
        if !theirs {
            self.client.conversations();
        }
        let Some(chat) = self.chats.get_mut(&peer) else {
            if let Some(main) = self.main.as_mut().filter(|_| theirs) {
                main.unseen();
            }
            return;
        };
        let unseen = chat.append(row);
        if unseen {
            super::super::x11::ask_for_attention(chat.window(), true);
        } else if theirs {
            self.client.mark_read(peer);
        }
    }

    pub(super) fn send(&mut self, peer: &Account, text: &str) {
        if !self.client.send_message(clock::now(), peer, text)
            && let Some(chat) = self.chats.get_mut(peer)
        {
            chat.say(&t!("gui.not_logged_in"));
            chat.give_back(text);
        }
    }

    pub(super) fn resend(&mut self, peer: Account, id: MessageId) {
        let text = self.chats.get(&peer).and_then(|chat| chat.text_of(id));
        if let Some(text) = text.and_then(|text| MessageText::parse(&text).ok()) {
            self.client.resend(clock::now(), id, peer, text);
        }
    }
}

fn place_name(peer: &Account) -> String {
    format!("chat {peer}")
}
