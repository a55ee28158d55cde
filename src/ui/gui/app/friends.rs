//! The list of friends: adding, changing, blocking and removing people.

use std::path::Path;

use rust_i18n::t;

use super::super::actions::choose;
use super::super::chat_window::Trouble;
use super::super::file_chooser::Purpose;
use super::super::friend_list::{self, Row};
use super::super::friend_window::{Event, Form, FriendWindow};
use super::super::{UiEvent, chat_window, widgets};
use super::core::Core;
use super::signed_in::SignedIn;
use super::{with, with_signed_in};
use crate::base::model::Account;
use crate::base::shown;
use crate::client::history::{Contact, contacts};
use crate::client::net::clock;
use crate::client::roster::Person;
use crate::client::session::{LookUpResult, SpokenDialect};

/// Does what a friend's window has asked for.
pub(super) fn apply(event: Event) {
    with_signed_in(|signed_in, core| match event {
        Event::Open(name) => signed_in.edit_friend(&name, core),
        Event::Save(form) => signed_in.save_friend(&form, core),
        Event::Closed => signed_in.friend = None,
    });
}

/// Removes somebody from the list after asking, friend or stranger, with their messages or without. Does nothing if
/// they are blocked, or are only in the list because they are online.
pub(super) fn remove(account: Account, messages: bool) {
    let known = with_signed_in(|signed_in, _| {
        signed_in.is_removable(&account).then(|| shown::within(&signed_in.name(&account)))
    });
    let Some(name) = known.flatten() else { return };
    let question = if messages { t!("main.delete_sure", name = name) } else { t!("main.remove_sure", name = name) };
    let yes = if messages { t!("main.delete_yes") } else { t!("main.remove_yes") };
    if widgets::ask(&question, &yes, &t!("friend.cancel")) {
        with_signed_in(|signed_in, core| {
            if messages {
                signed_in.chats.forget(&account, core);
            }
            core.client.forget_person(account, messages);
        });
    }
}

/// Opens the menu of a row.
pub(super) fn row_menu(person: &Person, at: (i32, i32)) {
    if person.account.is_room() {
        return super::apply(UiEvent::Chat(person.account.clone(), chat_window::Event::Open));
    }
    let removable = with_signed_in(|signed_in, _| signed_in.is_removable(&person.account)) == Some(true);
    let now = Row { contact: person.contact, blocked: person.blocked, removable };
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
    pub(super) fn came_or_went(&mut self, account: &Account, came: bool) {
        if self.contact(account).is_none() && !self.chats.windows.contains_key(account) {
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

    fn edit_friend(&mut self, name: &str, core: &Core) {
        // The window that is open closes first, so that the new one takes its place.
        self.friend = None;
        let known = Account::person(name).ok().and_then(|account| self.contact(&account));
        let groups = self.main.roster().groups();
        let asks = !core.is_spoken(SpokenDialect::Plain);
        self.friend = Some(FriendWindow::new(name, known.as_ref(), &groups, asks, core.emit()));
    }

    /// Rebuilds the window in another language or theme; what was typed stays.
    pub(super) fn rebuild_friend(&mut self, core: &Core) {
        let Some((name, form, asked)) = self.friend.as_ref().map(FriendWindow::state) else { return };
        self.edit_friend(&name, core);
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
        self.add_friend(contact, core);
    }

    /// Handles the server's answer whether there is an account, for the window that adds somebody or for a chat.
    pub(super) fn looked_up(&mut self, asked: &Account, found: &LookUpResult, core: &mut Core) {
        let form = self.friend.as_mut().and_then(|window| window.answered(asked, found));
        if let Some(Ok(contact)) = form.map(|form| form.contact()) {
            return self.add_friend(contact, core);
        }
        let Some(chat) = self.chats.windows.get_mut(asked) else { return };
        match found {
            LookUpResult::Nobody => chat.say(Trouble::Nobody),
            LookUpResult::There(_) => chat.is_over(|trouble| *trouble == Trouble::Nobody),
            LookUpResult::NotHere | LookUpResult::Unanswered => {}
        }
    }

    fn add_friend(&mut self, contact: Contact, core: &mut Core) {
        let new = self.contact(&contact.account).is_none();
        self.friend = None;
        let account = contact.account.clone();
        let blocked = contact.blocked;
        core.client.set_contact(contact);
        self.main.clear_search();
        if new && !blocked {
            self.open_chat(account, core);
        }
    }
}
