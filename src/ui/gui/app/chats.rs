//! Chat windows: one a friend, and each message in its own.

use std::rc::Rc;

use fltk::app;
use fltk::prelude::*;
use rust_i18n::t;

use super::super::chat_window::{ChatWindow, Event, Header, Own};
use super::super::screen;
use super::super::transcript::Earlier;
use super::{App, with};
use crate::base::model::{Account, MessageId, MessageText};
use crate::client::history::{Row, RowMeta};
use crate::client::net::clock;
use crate::client::session::{Link, Speaks};

const GAP: i32 = ChatWindow::GAP;
/// A new chat is at least so wide.
const NARROW: i32 = 480;

/// Does what the window of a chat asked for.
pub(super) fn apply(peer: Account, event: Event) {
    with(|app| match event {
        Event::Open => app.open_chat(peer),
        Event::Looked => app.looked(peer),
        Event::IndexWanted => app.client.index(peer),
        Event::EarlierWanted => app.ask_for_earlier(peer),
        Event::PageWanted { first, count } => app.client.page(peer, first, count),
        Event::Send(text) => app.send(&peer, &text),
        Event::Resend(id) => app.resend(peer, id),
        Event::Typed => app.typed(peer),
        Event::Closed => app.close_chat(&peer),
    });
}

impl App {
    fn header(&self, peer: &Account) -> Header {
        let presence = self.main.as_ref().and_then(|main| main.roster().presence(peer));
        let own = match self.client.link() {
            Link::Offline | Link::LoggedOut if self.deleted => Own::Deleted,
            Link::Offline | Link::LoggedOut => Own::Offline,
            _ if self.client.is_silent() => Own::Lost,
            _ if self.main.as_ref().is_some_and(|main| main.roster().is_unsure()) => Own::Unsure,
            _ => Own::Here,
        };
        Header { name: self.name(peer), presence, own, trouble: None }
    }

    /// Names and presence may have changed.
    pub(super) fn refresh_headers(&mut self) {
        let headers: Vec<(Account, Header)> = self.chats.keys().map(|peer| (peer.clone(), self.header(peer))).collect();
        let speaks = self.client.connection().speaks;
        for (peer, header) in headers {
            if let Some(chat) = self.chats.get_mut(&peer) {
                let offline = matches!(header.own, Own::Offline | Own::Deleted);
                chat.set_header(header);
                match (chat.earlier(), speaks) {
                    (Earlier::No, Some(Speaks::Secure)) => chat.set_earlier(Earlier::Offered),
                    (Earlier::Asked, _) if offline => chat.set_earlier(Earlier::Offered),
                    (Earlier::Offered | Earlier::Asked, Some(Speaks::Plain)) => chat.set_earlier(Earlier::No),
                    _ => {}
                }
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
            let place = self.settings.windows.get(&place_name(&peer)).copied().or_else(|| self.beside());
            let mut chat = ChatWindow::new(&peer, header, place, Rc::clone(&self.emit));
            chat.set_foreign(self.ours == Some(false));
            chat.give_back(&self.drafts.remove(&peer).unwrap_or_default());
            self.chats.insert(peer.clone(), chat);
            self.client.index(peer.clone());
            self.refresh_headers();
            self.chats_changed();
            // Whether it is still the same one: the chat says so before anything is written.
            if !peer.is_room() && self.client.connection().speaks == Some(Speaks::Secure) {
                self.client.look_up(clock::now(), peer);
            }
        }
    }

    /// A new chat's first place: beside the list of friends, and not quite over another one.
    fn beside(&self) -> Option<[i32; 4]> {
        let main = self.main.as_ref()?.window();
        let on = main.screen_num();
        let taken = self.chats.values().map(|chat| chat.window()).map(|window| [window.x(), window.y()]);
        let place = first_place(screen::spot_of(main), screen::room(on), &taken.collect::<Vec<_>>());
        Some(screen::kept(place, app::screen_scale(on)))
    }

    /// The person looks at a chat: what is in sight counts as read.
    pub(super) fn looked(&mut self, peer: Account) {
        if let Some(to) = self.chats.get_mut(&peer).and_then(ChatWindow::looked) {
            self.client.mark_read_to(peer, to);
        }
    }

    /// The list may count as unread what stood in a chat before the list knew of it.
    pub(super) fn read_all_looked_at(&mut self) {
        let Some(main) = &self.main else { return };
        let unread = |peer: &Account| main.roster().find(peer).is_some_and(|c| c.unread > 0);
        let looked = self.chats.iter().filter(|(peer, _)| unread(peer));
        let looked: Vec<_> = looked.filter_map(|(peer, chat)| Some((peer.clone(), chat.all_looked_at()?))).collect();
        for (peer, to) in looked {
            self.client.mark_read_to(peer, to);
        }
    }

    pub(super) fn close_chat(&mut self, peer: &Account) {
        if let Some(chat) = self.chats.remove(peer) {
            self.settings.windows.insert(place_name(peer), chat.place());
            self.saver.save(&self.settings);
            let draft = chat.draft();
            chat.close();
            self.keep_draft(peer, draft.clone());
            self.drafts.insert(peer.clone(), draft);
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
            let chat = old.renewed(self.header(&peer), Rc::clone(&self.emit));
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
        if let Some(chat) = self.chats.get_mut(peer) {
            chat.set_index(rows, unread.unwrap_or(0));
        }
    }

    /// Asks the server for what was said before all that is here, a page of it; once at a time.
    pub(super) fn ask_for_earlier(&mut self, peer: Account) {
        let Some(chat) = self.chats.get_mut(&peer).filter(|chat| chat.earlier() == Earlier::Offered) else { return };
        if matches!(self.client.link(), Link::Offline | Link::LoggedOut) {
            return chat.say(&t!("gui.not_logged_in"));
        }
        chat.set_earlier(Earlier::Asked);
        self.client.earlier(peer);
    }

    /// A page came, and is in the history.
    pub(super) fn earlier_came(&mut self, peer: Account, more: bool) {
        if let Some(chat) = self.chats.get_mut(&peer) {
            chat.set_earlier(if more { Earlier::Offered } else { Earlier::Begun });
            self.client.index(peer);
        }
    }

    pub(super) fn message(&mut self, peer: Account, row: Row) {
        let theirs = row.state.is_none() && !row.note;
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
        // Whoever has the window before them sees the count at its foot.
        if unseen && !chat.focused() {
            super::super::x11::ask_for_attention(chat.window(), true);
        }
    }

    pub(super) fn send(&mut self, peer: &Account, text: &str) {
        if peer.is_room()
            && self.client.is_foreign()
            && let Some(chat) = self.chats.get_mut(peer)
        {
            chat.say(&t!("main.no_lobby"));
            return chat.give_back(text);
        }
        let sent = self.client.send_message(clock::now(), peer, text);
        let Some(chat) = self.chats.get_mut(peer) else { return };
        if !sent {
            chat.say(&t!("gui.not_logged_in"));
            return chat.give_back(text);
        }
        // Else it would be there once more after an end of the program.
        let draft = chat.draft();
        self.keep_draft(peer, draft);
    }

    /// A message to the lobby stays unsent, as the server turned out to have none.
    pub(super) fn no_lobby(&mut self, why: &str) {
        log::info!("said: {why}");
        let lobby = self.chats.iter_mut().find(|(peer, _)| peer.is_room());
        match lobby {
            Some((_, chat)) => chat.say(why),
            None => self.tell(why),
        }
    }

    /// What was asked of the history cannot be read.
    pub(super) fn not_read(&mut self, peer: Option<Account>, why: &str) {
        let text = t!("gui.not_read", error = why);
        match peer.and_then(|peer| self.chats.get_mut(&peer)) {
            Some(chat) => {
                chat.say(&text);
                if chat.earlier() == Earlier::Asked {
                    chat.set_earlier(Earlier::Offered);
                }
            }
            None => self.say(&text),
        }
    }

    pub(super) fn resend(&mut self, peer: Account, id: MessageId) {
        let text = self.chats.get(&peer).and_then(|chat| chat.text_of(id));
        if let Some(text) = text.and_then(|text| MessageText::parse(&text).ok()) {
            self.client.resend(id, peer, text);
        }
    }
}

/// Right of `main` in a screen's room if there is enough for a chat, else on the side that has more, and narrower
/// rather than over the list, as long as it can be read, not over the others, whose corners those are.
fn first_place(main: [i32; 4], room: [i32; 4], taken: &[[i32; 2]]) -> [i32; 4] {
    let [x, y, w, _] = main;
    let [left, _, wide, _] = room;
    let [chat_w, chat_h] = ChatWindow::SIZE;
    let (before, after) = (x - left - GAP, left + wide - (x + w) - GAP);
    let chat_w = chat_w.min(before.max(after).max(NARROW));
    let x = if after >= chat_w || after >= before { x + w + GAP } else { x - GAP - chat_w };
    screen::beside([x, y, chat_w, chat_h], taken, room)
}

fn place_name(peer: &Account) -> String {
    format!("chat {peer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_chat_of_all_leaves_the_list_in_sight() {
        for [wide, high] in [[792, 500], [1_024, 554], [1_280, 680], [1_920, 1_034], [3_840, 2_100]] {
            let room = [0, 40, wide, high];
            let main = screen::middle(room, [300, 720], ChatWindow::BESIDE);
            let [x, _, w, _] = first_place(main, room, &[]);
            assert!(main[0] + main[2] + GAP <= x && x + w <= wide, "{wide}: {main:?} {x} {w}");
        }
    }

    #[test]
    fn a_chat_opens_beside_the_list_and_beside_the_others() {
        let room = [0, 40, 1_920, 1_034];
        let [w, h] = ChatWindow::SIZE;
        let place = |main, taken: &[_]| first_place(main, room, taken);
        assert_eq!(place([800, 120, 300, 720], &[]), [1_112, 120, w, h]);
        assert_eq!(place([1_500, 120, 300, 720], &[]), [1_488 - w, 120, w, h]);
        let small = [0, 40, 1_400, 954];
        assert_eq!(first_place([560, 120, 300, 720], small, &[]), [0, 120, 548, h], "narrower rather than over it");
        let tiny = first_place([200, 120, 300, 720], [0, 40, 800, 554], &[]);
        assert_eq!(tiny, [320, 40, NARROW, 554], "all of it on the screen");
        // Also where each is moved to be on the screen: on 1,280 pixels the second and third were one.
        for (main, room) in [([100, 120, 300, 720], room), ([490, 120, 300, 720], [0, 40, 1_280, 854])] {
            let mut taken = Vec::new();
            for _ in 0..6 {
                let [x, y, w, h] = first_place(main, room, &taken);
                assert!(x + w <= room[2] && y + h <= 40 + room[3]);
                assert!(taken.iter().all(|[left, top]: &[i32; 2]| (x - left).abs() >= 28 || (y - top).abs() >= 28));
                taken.push([x, y]);
            }
        }
    }
}
