//! Chat windows: one a friend, and each message in its own.

use std::collections::{HashMap, HashSet};

use fltk::app;
use fltk::prelude::*;
use rust_i18n::t;

use super::super::chat_window::{ChatWindow, Event, Header, OwnState, Trouble};
use super::super::transcript::Earlier;
use super::super::{UiEvent, friend_window, screen, x11};
use super::core::Core;
use super::signed_in::SignedIn;
use super::{App, with_signed_in};
use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::history::{Row, RowMeta};
use crate::client::net::clock;
use crate::client::session::SpokenDialect;

const GAP: i32 = ChatWindow::GAP;
/// The least width of a new chat window, in FLTK's units.
const NARROW: i32 = 480;

/// The chat windows of one login, and the texts typed in them that were not sent.
#[derive(Default)]
pub(super) struct Chats {
    /// The open chat windows, each under the account it is with.
    pub windows: HashMap<Account, ChatWindow>,
    /// Unsent texts of closed chats, each under the account it is for.
    pub drafts: HashMap<Account, String>,
    /// Chats whose unsent text has changed since it was last given to the history.
    pub typed: HashSet<Account>,
}

/// Does what the chat window with `peer` asked for.
pub(super) fn apply(peer: Account, event: Event) {
    if event == Event::Card {
        // A question of its own: nothing may be borrowed.
        return super::apply(UiEvent::Friend(friend_window::Event::Card(peer)));
    }
    with_signed_in(|signed_in, core| match event {
        Event::Open => signed_in.open_chat(peer, core),
        Event::Looked => signed_in.chats.looked(peer, core),
        Event::IndexWanted => core.client.index(peer),
        Event::EarlierWanted => signed_in.chats.ask_for_earlier(peer, core),
        Event::PageWanted { first, count } => core.client.page(peer, first, count),
        Event::Send(text) => signed_in.chats.send(&peer, &text, core),
        Event::Resend(id) => signed_in.chats.resend(peer, id, core),
        Event::Typed => signed_in.chats.typed(peer),
        Event::Card => {}
        Event::Closed => signed_in.chats.close(&peer, core),
    });
}

/// What needs only the chat windows.
impl Chats {
    /// No open chat, and the unsent texts that the history has kept.
    pub fn with_drafts(drafts: HashMap<Account, String>) -> Self {
        Self { drafts, ..Self::default() }
    }

    /// Marks what is in sight of a chat as read. Called when its window gets the focus or is scrolled.
    fn looked(&mut self, peer: Account, core: &mut Core) {
        if let Some(to) = self.windows.get_mut(&peer).and_then(ChatWindow::looked) {
            core.client.mark_read_to(peer, to);
        }
    }

    /// Closes a chat window and keeps the text that was typed there.
    pub fn close(&mut self, peer: &Account, core: &mut Core) {
        if let Some(draft) = self.take_window(peer, core) {
            self.keep_draft(peer, draft.clone(), core);
            self.drafts.insert(peer.clone(), draft);
        }
    }

    /// Closes a chat window and deletes the unsent text. Called when all messages with that account are deleted.
    pub fn forget(&mut self, peer: &Account, core: &mut Core) {
        self.take_window(peer, core);
        self.typed.remove(peer);
        self.drafts.remove(peer);
    }

    /// Closes a chat window; returns the text typed there, or none if it was not open.
    fn take_window(&mut self, peer: &Account, core: &mut Core) -> Option<String> {
        let chat = self.windows.remove(peer)?;
        core.keep_position(&position_name(peer), chat.position());
        core.save();
        self.tell_which(core);
        Some(chat.draft())
    }

    /// Notes where the chat windows stand, so that they open there again.
    pub fn keep_positions(&self, core: &mut Core) {
        for (peer, chat) in &self.windows {
            core.keep_position(&position_name(peer), chat.position());
        }
    }

    /// Tells the client which chats are open.
    pub fn tell_which(&self, core: &mut Core) {
        let open: Vec<Account> = self.windows.keys().cloned().collect();
        let visible = self.windows.values().any(ChatWindow::visible);
        core.client.set_open_chats(clock::now(), open, visible);
    }

    /// Asks the server for a page of messages earlier than the first one here, unless a page is already asked for.
    fn ask_for_earlier(&mut self, peer: Account, core: &mut Core) {
        let Some(chat) = self.windows.get_mut(&peer).filter(|chat| chat.earlier() == Earlier::Offered) else { return };
        if core.is_offline() {
            return chat.say(Trouble::NotLoggedIn);
        }
        chat.set_earlier(Earlier::Asked);
        core.client.earlier(peer);
    }

    /// A page of earlier messages is in the history now; `more` says whether the server has still earlier ones.
    pub fn earlier_came(&mut self, peer: Account, more: bool, core: &mut Core) {
        if let Some(chat) = self.windows.get_mut(&peer) {
            chat.set_earlier(if more { Earlier::Offered } else { Earlier::NoneLeft });
            core.client.index(peer);
        }
    }

    /// Gives a transcript the texts it asked for, from row `first` on.
    pub fn fill(&mut self, peer: &Account, first: u32, rows: Vec<Row>) {
        if let Some(chat) = self.windows.get_mut(peer) {
            chat.fill(first, rows);
        }
    }

    /// Shows the new state of a message that was sent from this account.
    pub fn set_state(&mut self, id: MessageId, state: SendState) {
        self.windows.values_mut().for_each(|chat| chat.set_state(id, state));
    }

    /// Tells every chat whether the server is known not to be Hongyan's.
    pub fn set_foreign(&mut self, foreign: bool) {
        self.windows.values_mut().for_each(|chat| chat.set_foreign(foreign));
    }

    /// Asks the history for the rows of every open chat.
    pub fn index_all(&self, core: &mut Core) {
        self.windows.keys().for_each(|peer| core.client.index(peer.clone()));
    }

    fn send(&mut self, peer: &Account, text: &str, core: &mut Core) {
        if peer.is_room()
            && core.client.is_foreign()
            && let Some(chat) = self.windows.get_mut(peer)
        {
            chat.say(Trouble::NoLobby { sure: true });
            return chat.give_back(text);
        }
        let sent = core.client.send_message(clock::now(), peer, text);
        let Some(chat) = self.windows.get_mut(peer) else { return };
        if !sent {
            chat.say(Trouble::NotLoggedIn);
            return chat.give_back(text);
        }
        // Else it would be there once more after an end of the program.
        let draft = chat.draft();
        self.keep_draft(peer, draft, core);
    }

    fn resend(&self, peer: Account, id: MessageId, core: &mut Core) {
        let text = self.windows.get(&peer).and_then(|chat| chat.text_of(id));
        if let Some(text) = text.and_then(|text| MessageText::parse(&text).ok()) {
            core.client.resend(id, peer, text);
        }
    }
}

/// What concerns both the chats and the list of friends.
impl SignedIn {
    fn header(&self, peer: &Account, core: &Core) -> Header {
        let presence = self.main.roster().presence(peer);
        let color = self.main.roster().profile(peer).and_then(|profile| profile.color);
        let line = self.main.roster().line(peer).to_owned();
        Header { name: self.name(peer), color, presence, line, own: self.own_state(core) }
    }

    /// Names and presence may have changed.
    pub(super) fn refresh_headers(&mut self, core: &Core) {
        let headers: Vec<(Account, Header)> =
            self.chats.windows.keys().map(|peer| (peer.clone(), self.header(peer, core))).collect();
        let speaks = core.client.connection().speaks;
        for (peer, header) in headers {
            if let Some(chat) = self.chats.windows.get_mut(&peer) {
                let offline = matches!(header.own, OwnState::Offline | OwnState::Deleted);
                chat.set_header(header);
                match (chat.earlier(), speaks) {
                    (Earlier::No, Some(SpokenDialect::Secure)) => chat.set_earlier(Earlier::Offered),
                    (Earlier::Asked, _) if offline => chat.set_earlier(Earlier::Offered),
                    (Earlier::Offered | Earlier::Asked, Some(SpokenDialect::Plain)) => chat.set_earlier(Earlier::No),
                    _ => {}
                }
            }
        }
        for (_, chat) in self.chats.windows.iter_mut().filter(|(peer, _)| peer.is_room()) {
            chat.set_names(self.main.roster().names());
        }
    }

    pub(super) fn open_chat(&mut self, peer: Account, core: &mut Core) {
        self.main.clear_search();
        if let Some(chat) = self.chats.windows.get_mut(&peer) {
            return chat.raise();
        }
        let header = self.header(&peer, core);
        let position = core.position(&position_name(&peer)).unwrap_or_else(|| self.beside());
        let mut chat = ChatWindow::new(&peer, header, Some(position), core.emit());
        chat.set_foreign(core.client.is_foreign());
        chat.give_back(&self.chats.drafts.remove(&peer).unwrap_or_default());
        self.chats.windows.insert(peer.clone(), chat);
        core.client.index(peer.clone());
        self.refresh_headers(core);
        self.chats.tell_which(core);
        // Whether it is still the same one: the chat says so before anything is written.
        if !peer.is_room() && core.is_spoken(SpokenDialect::Secure) {
            core.client.look_up(clock::now(), peer);
        }
    }

    /// The place of a chat window that is opened for the first time: beside the main window, its corner free of other
    /// chats.
    fn beside(&self) -> [i32; 4] {
        let main = self.main.window();
        let on = main.screen_num();
        let taken = self.chats.windows.values().map(|chat| chat.window()).map(|window| [window.x(), window.y()]);
        let spot = first_spot(screen::spot_of(main), screen::room(on), &taken.collect::<Vec<_>>());
        screen::kept(spot, app::screen_scale(on))
    }

    /// The list may count as unread what stood in a chat before the list knew of it.
    pub(super) fn read_all_looked_at(&self, core: &mut Core) {
        let roster = self.main.roster();
        let unread = |peer: &Account| roster.find(peer).is_some_and(|c| c.unread > 0);
        for (peer, chat) in self.chats.windows.iter().filter(|(peer, _)| unread(peer)) {
            if let Some(to) = chat.all_looked_at() {
                core.client.mark_read_to(peer.clone(), to);
            }
        }
    }

    /// Rebuilds a chat window after the language or theme has changed.
    pub(super) fn renew_chat(&mut self, peer: &Account, core: &Core) {
        let header = self.header(peer, core);
        if let Some(chat) = self.chats.windows.get_mut(peer) {
            *chat = chat.renewed(header, core.emit());
        }
    }

    /// Gives a chat its rows as the history has them.
    pub(super) fn index(&mut self, peer: &Account, rows: Vec<RowMeta>) {
        let unread = self.main.roster().find(peer).map_or(0, |c| c.unread);
        if let Some(chat) = self.chats.windows.get_mut(peer) {
            chat.set_index(rows, unread);
        }
    }

    /// Shows a message that is on disk now, sent or received.
    pub(super) fn message(&mut self, peer: &Account, row: Row, core: &mut Core) {
        let theirs = row.state.is_none() && !row.note;
        if !theirs {
            core.client.conversations();
        }
        let Some(chat) = self.chats.windows.get_mut(peer) else {
            if theirs && !self.main.roster().is_muted(peer) {
                self.main.unseen();
            }
            return;
        };
        let muted = self.main.roster().is_muted(peer);
        let unseen = chat.append(row) && !muted;
        // A user who has the window in front sees the count at its bottom.
        if unseen && !chat.focused() {
            x11::ask_for_attention(chat.window(), true);
        }
    }

    /// A message to the lobby stays unsent, as the server turned out to have none.
    pub(super) fn no_lobby(&mut self, sure: bool, why: &str) {
        log::info!("said: {why}");
        let lobby = self.chats.windows.iter_mut().find(|(peer, _)| peer.is_room());
        match lobby {
            Some((_, chat)) => chat.say(Trouble::NoLobby { sure }),
            None => self.tell(why),
        }
    }

    /// Handles that a message of this account could not be stored.
    pub(super) fn not_kept(&mut self, peer: &Account, text: &str) {
        match self.chats.windows.get_mut(peer) {
            Some(chat) => {
                chat.say(Trouble::NotKept);
                chat.give_back(text);
                self.chats.typed(peer.clone());
            }
            None => self.tell(&t!("gui.not_kept")),
        }
    }
}

impl App {
    /// Names and presence may have changed.
    pub(super) fn refresh_headers(&mut self) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.refresh_headers(&self.core);
        }
    }

    /// What was asked of the history cannot be read.
    pub(super) fn not_read(&mut self, peer: Option<&Account>, why: &str) {
        let chats = self.stage.signed_in().map(|signed_in| &mut signed_in.chats.windows);
        match peer.zip(chats).and_then(|(peer, chats)| chats.get_mut(peer)) {
            Some(chat) => {
                chat.say(Trouble::NotRead(why.to_owned()));
                if chat.earlier() == Earlier::Asked {
                    chat.set_earlier(Earlier::Offered);
                }
            }
            None => self.say(&t!("gui.not_read", error = why)),
        }
    }
}

/// Right of `main` in a screen's room if there is enough for a chat, else on the side that has more, and narrower
/// rather than over the list, as long as it can be read, not over the others, whose corners those are.
fn first_spot(main: [i32; 4], room: [i32; 4], taken: &[[i32; 2]]) -> [i32; 4] {
    let [x, y, w, _] = main;
    let [left, _, wide, _] = room;
    let [chat_w, chat_h] = ChatWindow::SIZE;
    let (before, after) = (x - left - GAP, left + wide - (x + w) - GAP);
    let chat_w = chat_w.min(before.max(after).max(NARROW));
    let x = if after >= chat_w || after >= before { x + w + GAP } else { x - GAP - chat_w };
    screen::beside([x, y, chat_w, chat_h], taken, room)
}

/// The name under which the settings keep the position of a chat window.
fn position_name(peer: &Account) -> String {
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
            let [x, _, w, _] = first_spot(main, room, &[]);
            assert!(main[0] + main[2] + GAP <= x && x + w <= wide, "{wide}: {main:?} {x} {w}");
        }
    }

    #[test]
    fn a_chat_opens_beside_the_list_and_beside_the_others() {
        let room = [0, 40, 1_920, 1_034];
        let [w, h] = ChatWindow::SIZE;
        let spot = |main, taken: &[_]| first_spot(main, room, taken);
        assert_eq!(spot([800, 120, 300, 720], &[]), [1_112, 120, w, h]);
        assert_eq!(spot([1_500, 120, 300, 720], &[]), [1_488 - w, 120, w, h]);
        let small = [0, 40, 1_400, 954];
        assert_eq!(first_spot([560, 120, 300, 720], small, &[]), [0, 120, 548, h], "narrower rather than over it");
        let tiny = first_spot([200, 120, 300, 720], [0, 40, 800, 554], &[]);
        assert_eq!(tiny, [320, 40, NARROW, 554], "all of it on the screen");
        // Also where each is moved to be on the screen: on 1,280 pixels the second and third were one.
        for (main, room) in [([100, 120, 300, 720], room), ([490, 120, 300, 720], [0, 40, 1_280, 854])] {
            let mut taken = Vec::new();
            for _ in 0..6 {
                let [x, y, w, h] = first_spot(main, room, &taken);
                assert!(x + w <= room[2] && y + h <= 40 + room[3]);
                assert!(taken.iter().all(|[left, top]: &[i32; 2]| (x - left).abs() >= 28 || (y - top).abs() >= 28));
                taken.push([x, y]);
            }
        }
    }
}
