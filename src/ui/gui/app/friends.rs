//! The list of friends: adding, changing, blocking and removing people.

use std::path::Path;

use rust_i18n::t;

use super::super::actions::choose;
use super::super::chat_window::Trouble;
use super::super::file_chooser::Purpose;
use super::super::friend_list::{self, Row};
use super::super::friend_window::{Befriending, Event, Form, FriendWindow};
use super::super::lists_window::{self, ListsWindow};
use super::super::widgets;
use super::core::Core;
use super::signed_in::SignedIn;
use super::{with, with_signed_in};
use crate::base::model::Account;
use crate::base::shown;
use crate::client::friendship::{Friendship, News, sentence};
use crate::client::history::{Contact, Friends, contacts};
use crate::client::net::clock;
use crate::client::roster::Person;
use crate::client::session::{ConnectionState, FriendOutcome, FriendRequest, LookUpResult, SpokenDialect};
use crate::protocol::wire::frame::Code;

/// Does what a friend's window has asked for.
pub(super) fn apply(event: Event) {
    let event = match event {
        Event::End(account) => return end(account),
        Event::Card(account) => return card(account),
        other => other,
    };
    with_signed_in(|signed_in, core| match event {
        Event::Open(name) => {
            let asks = signed_in.asks_new(&name);
            signed_in.edit_friend(&name, asks, core);
        }
        Event::Befriend(account) => signed_in.edit_friend(account.as_str(), Befriending::Asks, core),
        Event::Answer(account, request) => core.client.friend(clock::now(), account, request),
        Event::Save(form) => signed_in.save_friend(&form, core),
        Event::End(_) | Event::Card(_) | Event::Closed => signed_in.friend = None,
    });
}

/// Carries out a request of the window about the two lists.
pub(super) fn apply_lists(event: lists_window::Event) {
    with_signed_in(|signed_in, core| match event {
        lists_window::Event::Open => signed_in.open_lists(core),
        lists_window::Event::Settle { keep_ours } => {
            core.client.settle_differences(keep_ours);
            signed_in.lists.window = None;
        }
        lists_window::Event::Later => {
            signed_in.lists.later = true;
            signed_in.show_trouble();
        }
        lists_window::Event::Closed => signed_in.lists.window = None,
    });
}

/// Shows what is known of somebody, and opens the chat with them if that is wanted.
fn card(account: Account) {
    if account.is_room() {
        return;
    }
    let lines = with_signed_in(|signed_in, _| match account == signed_in.me {
        true => signed_in.main.roster().own_card(),
        false => signed_in.main.roster().card(&account),
    });
    let Some(lines) = lines else { return };
    if widgets::ask(&lines.join("\n"), &t!("main.open"), &t!("people.close")) {
        with_signed_in(|signed_in, core| signed_in.open_chat(account, core));
    }
}

/// Ends a friendship after a question.
fn end(account: Account) {
    let Some(name) = with_signed_in(|signed_in, _| shown::within(&signed_in.name(&account))) else { return };
    if widgets::ask(&t!("people.end_sure", name = name), &t!("people.end_yes"), &t!("friend.cancel")) {
        with_signed_in(|_, core| core.client.friend(clock::now(), account, FriendRequest::End));
    }
}

/// Removes somebody from the list after asking, friend or stranger, with their messages or without. Does nothing if
/// they are blocked, or are only in the list because they are online.
pub(super) fn remove(account: Account, messages: bool) {
    let known = with_signed_in(|signed_in, _| {
        let name = signed_in.is_removable(&account).then(|| shown::within(&signed_in.name(&account)))?;
        Some((name, signed_in.main.roster().friendship(&account)))
    });
    let Some((name, friendship)) = known.flatten() else { return };
    let ends = matches!(friendship, Friendship::Friends | Friendship::Asking | Friendship::Declined);
    let question = match (messages, friendship) {
        (true, Friendship::Friends) => t!("people.delete_friend_sure", name = name),
        (true, _) => t!("main.delete_sure", name = name),
        (false, Friendship::Friends) => t!("people.remove_friend_sure", name = name),
        (false, _) => t!("main.remove_sure", name = name),
    };
    let yes = if messages { t!("main.delete_yes") } else { t!("main.remove_yes") };
    if widgets::ask(&question, &yes, &t!("friend.cancel")) {
        with_signed_in(|signed_in, core| {
            if messages {
                signed_in.chats.forget(&account, core);
            }
            if ends {
                core.client.friend(clock::now(), account.clone(), FriendRequest::End);
            }
            core.client.forget_person(account, messages);
        });
    }
}

/// Opens the menu of a row.
pub(super) fn row_menu(person: &Person, at: (i32, i32)) {
    let removable = with_signed_in(|signed_in, _| signed_in.is_removable(&person.account)) == Some(true);
    let Person { contact, blocked, friendship, muted, pinned, .. } = *person;
    let room = person.account.is_room();
    let now = Row { contact, blocked, removable, friendship, room, muted, pinned };
    if let Some(event) = choose(friend_list::ACTIONS, &now, Some(at)) {
        super::apply(event(person));
    }
}

/// Asks for a CSV file, and adds the people in it.
pub(super) fn import() {
    // It is read in the same way as later, so that a mistake in it is reported while the window that asks is open.
    let check = |file: &str| contacts::read(Path::new(file)).map(drop);
    let yes = t!("main.import_yes");
    if let Some(path) = widgets::ask_file(&t!("main.import_from"), LIST, Purpose::Read, &yes, check) {
        with(|app| app.core.client.import_contacts(path.into()));
    }
}

/// Asks for a file, and writes the list into it.
pub(super) fn export() {
    let (question, yes) = (t!("main.export_to"), t!("friend.save"));
    if let Some(path) = widgets::ask_file(&question, LIST, Purpose::Write, &yes, widgets::may_be_made) {
        with(|app| app.core.client.export_contacts(path.into()));
    }
}

/// The file name that is proposed.
const LIST: &str = "hongyan-friends.csv";

impl SignedIn {
    /// Shows that somebody came or went, if they are in the list or have a chat window.
    pub(super) fn came_or_went(&mut self, account: &Account, came: bool, core: &Core) {
        let known = self.contact(account).is_some() || self.chats.windows.contains_key(account);
        if !known || !core.settings.comings {
            return;
        }
        let name = shown::within(&self.name(account));
        let text = if came { t!("main.came", name = name) } else { t!("main.went", name = name) };
        self.main.say(&format!("{} · {text}", chrono::Local::now().format("%H:%M")));
    }

    /// Returns whether somebody can be removed from the list.
    fn is_removable(&self, account: &Account) -> bool {
        !account.is_room() && self.main.roster().find(account).is_some_and(|c| !c.contact.blocked)
    }

    fn contact(&self, account: &Account) -> Option<Contact> {
        self.main.roster().find(account).filter(|c| !c.stranger).map(|c| c.contact.clone())
    }

    /// Returns whether somebody new of this name is asked first, which is so if the server keeps friends.
    fn asks_new(&self, name: &str) -> Befriending {
        let friendship = Account::person(name).ok().map(|account| self.main.roster().friendship(&account));
        let known = Account::person(name).is_ok_and(|account| self.contact(&account).is_some());
        match friendship {
            _ if known || !self.main.roster().friends().kept_by_server => Befriending::No,
            Some(Friendship::Asking | Friendship::Friends | Friendship::Unknown) => Befriending::No,
            Some(Friendship::None | Friendship::Declined | Friendship::Asked) | None => Befriending::Asks,
        }
    }

    fn edit_friend(&mut self, name: &str, befriending: Befriending, core: &Core) {
        // The window that is open closes first, so that the new one takes its place.
        self.friend = None;
        let known = Account::person(name).ok().and_then(|account| self.contact(&account));
        let groups = self.main.roster().groups();
        let asks = !core.is_spoken(SpokenDialect::Plain);
        let how = (asks, &befriending);
        self.friend = Some(FriendWindow::new(name, known.as_ref(), &groups, how, core.emit()));
        self.befriending = befriending;
    }

    /// Rebuilds the window in another language or theme; what was typed stays.
    pub(super) fn rebuild_friend(&mut self, core: &Core) {
        let Some((name, form, asked)) = self.friend.as_ref().map(FriendWindow::state) else { return };
        let befriending = std::mem::replace(&mut self.befriending, Befriending::No);
        self.edit_friend(&name, befriending, core);
        self.friend.iter_mut().for_each(|window| window.fill(&form, asked.clone()));
    }

    fn save_friend(&mut self, form: &Form, core: &mut Core) {
        let Some(window) = &mut self.friend else { return };
        let contact = match form.contact() {
            Ok(contact) if contact.account == self.me => return window.say(&t!("gui.not_oneself")),
            Ok(contact) => contact,
            Err(_) => return window.say(&t!("gui.bad_account")),
        };
        // Somebody who has written or is online has an account. A plain server cannot be asked, as the window says.
        let met = self.main.roster().is_met(&contact.account);
        if !met && !window.is_unchecked(&contact.account) && !core.is_spoken(SpokenDialect::Plain) {
            window.asks(contact.account.clone());
            return core.client.look_up(clock::now(), contact.account);
        }
        self.add_friend(contact, form, core);
    }

    /// Handles the server's answer whether there is an account, for the window that adds somebody or for a chat.
    pub(super) fn looked_up(&mut self, asked: &Account, found: &LookUpResult, core: &mut Core) {
        let form = self.friend.as_mut().and_then(|window| window.answered(asked, found));
        if let Some((Ok(contact), form)) = form.map(|form| (form.contact(), form)) {
            return self.add_friend(contact, &form, core);
        }
        let Some(chat) = self.chats.windows.get_mut(asked) else { return };
        match found {
            LookUpResult::Nobody => chat.say(Trouble::Nobody),
            LookUpResult::There(_) => chat.is_over(|trouble| *trouble == Trouble::Nobody),
            LookUpResult::NotHere | LookUpResult::Unanswered => {}
        }
    }

    fn add_friend(&mut self, contact: Contact, form: &Form, core: &mut Core) {
        let new = self.contact(&contact.account).is_none();
        let account = contact.account.clone();
        let blocked = contact.blocked;
        core.client.set_contact(contact);
        self.main.clear_search();
        if self.befriending != Befriending::No && !blocked {
            let connected = matches!(core.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting);
            if connected {
                self.friend.iter_mut().for_each(FriendWindow::waits);
            } else {
                // It is sent once there is a connection; nobody has to wait for that here.
                self.friend = None;
                self.main.say(&t!("people.sent_later"));
                self.open_chat(account.clone(), core);
            }
            let answer = Some(form.answer.trim().to_owned()).filter(|answer| !answer.is_empty());
            let text = form.text.trim().to_owned();
            return core.client.friend(clock::now(), account, FriendRequest::Ask { text, answer });
        }
        self.friend = None;
        if new && !blocked {
            self.open_chat(account, core);
        }
    }

    /// Handles the outcome of a request about being friends.
    pub(super) fn friend_answered(
        &mut self,
        account: &Account,
        request: &FriendRequest,
        outcome: &FriendOutcome,
        core: &mut Core,
    ) {
        let name = shown::within(&self.name(account));
        let text = sentence(request, outcome, &name).into_owned();
        let window = self.friend.as_mut().filter(|window| window.is_about(account));
        match (request, outcome, window) {
            (FriendRequest::Ask { .. }, FriendOutcome::Question(question), Some(window)) => {
                let (name, form, _) = window.state();
                self.edit_friend(&name, Befriending::Answers(question.clone()), core);
                self.friend.iter_mut().for_each(|window| window.fill(&form, None));
            }
            (FriendRequest::Ask { .. }, FriendOutcome::Question(question), None) => {
                self.edit_friend(account.as_str(), Befriending::Answers(question.clone()), core);
            }
            (FriendRequest::Ask { .. }, FriendOutcome::Refused(Code::WrongAnswer), Some(window)) => {
                window.refuse_answer(&text);
            }
            (FriendRequest::Ask { .. }, FriendOutcome::Refused(Code::TryLater | Code::BadField), Some(window)) => {
                window.say(&text);
            }
            (FriendRequest::Ask { .. }, _, Some(_)) => {
                self.friend = None;
                self.open_chat(account.clone(), core);
                if *outcome == FriendOutcome::Done {
                    // Of the moment: the list shows from then on how it stands.
                    log::info!("said: {text}");
                    self.main.say(&text);
                } else {
                    self.tell(&text);
                }
            }
            // The list shows what was done; only a failure needs a message.
            (_, FriendOutcome::Done, _) => self.main.say(&text),
            (_, _, _) => self.tell(&text),
        }
    }

    /// Takes the new friends and requests.
    pub(super) fn friends_are(&mut self, friends: Friends, core: &Core) {
        let before = self.main.roster().friends().clone();
        let first = !before.kept_by_server;
        let news = friends.news(&before);
        self.main.set_friends(friends);
        self.renew_me(core);
        self.refresh_headers(core);
        for one in news {
            let text = one.sentence(&shown::within(&self.name(one.account()))).into_owned();
            match one {
                // The request is shown in the list until it is answered.
                News::Asked(..) if first => {}
                News::Asked(..) => {
                    log::info!("said: {text}");
                    self.main.say(&format!("{} · {text}", chrono::Local::now().format("%H:%M")));
                    self.main.unseen();
                }
                News::Friends(_) | News::Declined(_) => self.tell(&text),
            }
        }
        self.lists.window.take_if(|_| self.main.roster().friends().differences.is_empty());
        self.show_trouble();
    }

    /// Shows how the list here and the server's list differ.
    pub(super) fn open_lists(&mut self, core: &Core) {
        let differences = self.main.roster().friends().differences.clone();
        if !differences.is_empty() {
            self.lists.window = Some(ListsWindow::new(&differences, &core.emit()));
        }
    }
}
