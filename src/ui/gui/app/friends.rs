//! The list: adding, changing, blocking and removing people.

use std::path::Path;
use std::rc::Rc;

use rust_i18n::t;

use super::super::actions::choose;
use super::super::file_chooser::Purpose;
use super::super::friend_list::{self, Row};
use super::super::friend_window::{Event, Form, FriendWindow};
use super::super::main_window::MainWindow;
use super::super::{UiEvent, chat_window, widgets};
use super::{App, apply as apply_any, with};
use crate::base::model::Account;
use crate::base::shown;
use crate::client::history::{Contact, contacts};
use crate::client::net::clock;
use crate::client::roster::Person;
use crate::client::session::{Found, Speaks};

/// Does what the window of a friend asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open(name) => app.edit_friend(&name),
        Event::Save(form) => app.save_friend(&form),
        Event::Closed => app.close_friend(),
    });
}

/// Takes somebody off the list after a question, friend or stranger, with their messages or without. Whoever is
/// blocked, or not known but online, stands there for that.
pub(super) fn remove(account: Account, messages: bool) {
    let known = with(|app| app.is_removable(&account).then(|| shown::within(&app.name(&account)))).flatten();
    let Some(name) = known else { return };
    let question = if messages { t!("main.delete_sure", name = name) } else { t!("main.remove_sure", name = name) };
    let yes = if messages { t!("main.delete_yes") } else { t!("main.remove_yes") };
    if widgets::ask(&question, &yes, &t!("friend.cancel")) {
        with(|app| {
            if messages {
                app.close_chat(&account);
            }
            app.client.forget_person(account, messages);
        });
    }
}

/// The menu of a row.
pub(super) fn row_menu(person: &Person, at: (i32, i32)) {
    if person.account.is_room() {
        return apply_any(UiEvent::Chat(person.account.clone(), chat_window::Event::Open));
    }
    let removable = with(|app| app.is_removable(&person.account)) == Some(true);
    let now = Row { contact: person.contact, blocked: person.blocked, removable };
    if let Some(event) = choose(friend_list::ACTIONS, &now, Some(at)) {
        apply_any(event(person));
    }
}

/// Asks for a CSV file and adds who stands in it.
pub(super) fn import() {
    // Read as it will be, so that a mistake in it is said while the window that asks is open.
    let check = |file: &str| contacts::read(Path::new(file)).map(drop);
    let yes = t!("main.import_yes");
    if let Some(path) = widgets::ask_file(&t!("main.import_from"), LIST, Purpose::Read, &yes, check) {
        with(|app| app.client.import_contacts(path.into()));
    }
}

/// Asks for a file and writes the list into it.
pub(super) fn export() {
    let (question, yes) = (t!("main.export_to"), t!("friend.save"));
    if let Some(path) = widgets::ask_file(&question, LIST, Purpose::Write, &yes, widgets::may_be_made) {
        with(|app| app.client.export_contacts(path.into()));
    }
}

/// The list, unless somebody names another file.
const LIST: &str = "hongyan-friends.csv";

impl App {
    /// A notice, where it concerns somebody one knows or chats with.
    pub(super) fn came_or_went(&mut self, account: &Account, came: bool) {
        if self.contact(account).is_none() && !self.chats.contains_key(account) {
            return;
        }
        let name = shown::within(&self.name(account));
        let text = if came { t!("main.came", name = name) } else { t!("main.went", name = name) };
        if let Some(main) = &mut self.main {
            main.say(&format!("{} · {text}", chrono::Local::now().format("%H:%M")));
        }
    }

    /// Whether somebody can be taken off the list.
    fn is_removable(&self, account: &Account) -> bool {
        let Some(main) = self.main.as_ref().filter(|_| !account.is_room()) else { return false };
        main.roster().find(account).is_some_and(|c| !c.contact.blocked)
    }

    /// What somebody is called.
    pub(super) fn name(&self, account: &Account) -> String {
        self.main.as_ref().map_or_else(|| account.shown().into_owned(), |main| main.roster().name(account))
    }

    fn contact(&self, account: &Account) -> Option<Contact> {
        let main = self.main.as_ref()?;
        let roster = main.roster();
        roster.find(account).filter(|c| !c.stranger).map(|c| c.contact.clone())
    }

    pub(super) fn edit_friend(&mut self, name: &str) {
        self.close_friend();
        let known = Account::person(name).ok().and_then(|account| self.contact(&account));
        let groups = self.main.as_ref().map(|main| main.roster().groups()).unwrap_or_default();
        let asks = self.client.connection().speaks != Some(Speaks::Plain);
        self.friend = Some(FriendWindow::new(name, known.as_ref(), &groups, asks, Rc::clone(&self.emit)));
    }

    pub(super) fn close_friend(&mut self) {
        if let Some(window) = self.friend.take() {
            window.close();
        }
    }

    /// Built anew in another language or theme; what was typed stays.
    pub(super) fn rebuild_friend(&mut self) {
        let Some((name, form, asked)) = self.friend.as_ref().map(FriendWindow::state) else { return };
        self.edit_friend(&name);
        self.friend.iter_mut().for_each(|window| window.fill(&form, asked.clone()));
    }

    pub(super) fn save_friend(&mut self, form: &Form) {
        let Some(window) = &mut self.friend else { return };
        let contact = match form.contact() {
            Ok(contact) if Some(&contact.account) == self.me.as_ref() => return window.say(&t!("gui.not_oneself")),
            Ok(contact) => contact,
            Err(_) => return window.say(&t!("gui.bad_account")),
        };
        // Whoever has written or is here has an account. A plain server cannot be asked, as the window says.
        let roster = self.main.as_ref().map(MainWindow::roster);
        let met = roster.is_some_and(|roster| roster.is_met(&contact.account));
        if !met && !window.is_unchecked(&contact.account) && self.client.connection().speaks != Some(Speaks::Plain) {
            window.asks(contact.account.clone());
            return self.client.look_up(clock::now(), contact.account);
        }
        self.add_friend(contact);
    }

    /// Whether there is an account: for the window that adds somebody, or of somebody one chats with.
    pub(super) fn looked_up(&mut self, asked: &Account, found: &Found) {
        let form = self.friend.as_mut().and_then(|window| window.answered(asked, found));
        if let Some(Ok(contact)) = form.map(|form| form.contact()) {
            return self.add_friend(contact);
        }
        if *found == Found::Nobody
            && let Some(chat) = self.chats.get_mut(asked)
        {
            chat.say(&t!("friend.nobody", name = asked.shown()));
        }
    }

    fn add_friend(&mut self, contact: Contact) {
        let new = self.contact(&contact.account).is_none();
        self.close_friend();
        let account = contact.account.clone();
        let blocked = contact.blocked;
        self.client.set_contact(contact);
        if let Some(main) = &mut self.main {
            main.clear_search();
        }
        if new && !blocked {
            self.open_chat(account);
        }
    }
}
