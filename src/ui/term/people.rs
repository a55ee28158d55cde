//! The list of friends: who is in it, and changes of it.

use rust_i18n::t;
use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::asks::Ask;
use super::screen::{column, fit, harmless};
use super::script::Exit;
use crate::base::model::{Account, names};
use crate::client::friendship::Friendship;
use crate::client::history::{Contact, Conversation};
use crate::client::net::clock;
use crate::client::roster::{Entry, Person, Presence, Roster, Section, presence_word};
use crate::client::session::{FriendRequest, LookUpResult, SpokenDialect};

/// In fewer columns than this the list has no room for accounts and last messages.
const NARROW: usize = 56;

/// A change of the list that has not appeared in it yet.
/// What marks a conversation in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Mute,
    Unmute,
    Pin,
    Unpin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    There(Contact),
    Gone(Account),
    Blocked(Account, bool),
    /// An addition that waits for the server to say whether there is such an account.
    Asked(Contact),
}

/// Makes an empty list. Sections cannot be opened here, so all of them are open.
pub(super) fn roster(me: Account) -> Roster {
    let mut roster = Roster::new(me);
    roster.toggle(&Section::Blocked);
    roster
}

impl App {
    /// Returns the account that a name stands for: an account in the list or online, a remark, or the lobby.
    pub(super) fn resolve(&self, name: &str) -> Option<Account> {
        let name = name.trim();
        if name == Account::LOBBY || name == t!("main.lobby") || name == "lobby" {
            return Some(Account::lobby());
        }
        self.login.roster.resolve(name)
    }

    /// Returns the names that Tab completes.
    pub(super) fn names(&self) -> Vec<String> {
        let list = self.login.roster.conversations().iter().map(|c| &c.contact);
        let known = list.flat_map(|contact| [contact.remark.clone(), contact.account.to_string()]);
        let online = self.login.roster.online().iter().map(Account::to_string);
        let lobby = (!self.client.is_foreign()).then(|| t!("main.lobby").into_owned());
        known.chain(online).chain(lobby).filter(|name| !name.is_empty()).collect()
    }

    pub(super) fn friends(&mut self) {
        let entries = self.login.roster.entries("", clock::now().unix_ms);
        if entries.is_empty() {
            return self.quiet(&t!("term.no_friends"));
        }
        let mut text = String::new();
        // Each friend appears once, in their group; of the recent ones only rooms are shown, which appear nowhere else.
        let elsewhere = |entry: &Entry| matches!(entry, Entry::Person(p) if p.recent && !p.account.is_room());
        let entries: Vec<&Entry> = entries.iter().filter(|entry| !elsewhere(entry)).collect();
        for (i, entry) in entries.iter().enumerate() {
            let line = match entry {
                Entry::Section { section: Section::Recent, .. }
                    if !matches!(entries.get(i + 1), Some(Entry::Person(_))) =>
                {
                    continue;
                }
                Entry::Section { title, count, .. } => self.out.style.strong(&format!("{title} {count}")),
                Entry::Person(person) | Entry::Request(person) | Entry::Found(person) => self.person(person),
                Entry::More(n, _) => self.out.style.quiet(&t!("main.more_strangers", n = n)),
                Entry::Add(_) => continue,
            };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        self.print(&text);
    }

    /// Returns a row of the list: presence, name, account, unread messages, and the last message with its time.
    fn person(&self, person: &Person) -> String {
        let dot = match person.presence {
            Some(Presence::Online) => self.out.style.good("●"),
            Some(Presence::Away) => self.out.style.warning("◐"),
            Some(Presence::Busy) => self.out.style.warning("⊖"),
            Some(Presence::Offline) => "○".to_owned(),
            None => " ".to_owned(),
        };
        let same = person.name == person.account.as_str();
        let account = if same { String::new() } else { person.account.to_string() };
        let unread = if person.unread > 0 { format!("({})", person.unread) } else { String::new() };
        let columns = self.columns();
        if columns < NARROW {
            let name = column(&harmless(&person.name), columns.saturating_sub(21).max(8));
            return format!("  {dot} {name} {} {}", self.out.style.warning(&column(&unread, 6)), person.time);
        }
        let room = columns.saturating_sub(48);
        let mut last = fit(&harmless(&person.last), room);
        if !person.time.is_empty() {
            last = format!("{last}  {}", person.time);
        }
        format!(
            "  {dot} {} {} {} {}",
            column(&harmless(&person.name), 18),
            self.out.style.quiet(&column(&account, 12)),
            self.out.style.warning(&column(&unread, 6)),
            self.out.style.quiet(&last)
        )
    }

    pub(super) fn who(&mut self) {
        if self.login.roster.is_unsure() {
            return self.quiet(&t!("term.who_unknown"));
        }
        if self.login.roster.online().is_empty() {
            // The session does not ask for this by itself; the answer is shown when it comes.
            self.login.awaits.who = true;
            self.quiet(&t!("term.who_asking"));
            return self.client.ask_who(clock::now());
        }
        self.say_who();
    }

    /// Prints who is online.
    pub(super) fn say_who(&mut self) {
        let online: Vec<Account> = self.login.roster.online().to_vec();
        let name = |account: &Account| {
            let name = self.login.roster.name(account);
            let shown = if name == account.as_str() { name } else { format!("{account} ({name})") };
            match self.login.roster.presence(account) {
                None | Some(Presence::Online | Presence::Offline) => shown,
                away => format!("{shown} [{}]", presence_word(away)),
            }
        };
        let names: Vec<String> = online.iter().map(name).collect();
        let wide = names.iter().map(|name| name.width()).max().unwrap_or(0) + 2;
        let across = (self.columns() / wide.max(1)).max(1);
        let mut text = format!("{}\n", t!("wire.online", n = names.len()));
        for row in names.chunks(across) {
            let row: String = row.iter().map(|name| column(&harmless(name), wide)).collect();
            text.push_str(row.trim_end());
            text.push('\n');
        }
        self.print(&text);
    }

    pub(super) fn unread(&mut self) {
        let list = self.login.roster.conversations().iter().filter(|c| c.unread > 0 && !c.contact.blocked);
        let line = |c: &Conversation| {
            let last = c.last.as_ref().map(|(text, _)| self.login.roster.one_line(text, c.contact.account.is_room()));
            let last = last.unwrap_or_default();
            let name = column(&harmless(&self.login.roster.name(&c.contact.account)), 18);
            format!("  {name} {:>4}  {}\n", c.unread, fit(&last, self.columns().saturating_sub(30)))
        };
        let text: String = list.map(line).collect();
        if text.is_empty() {
            self.quiet(&t!("term.nothing_unread"));
        } else {
            self.print(&text);
        }
        self.client.fetch_now(clock::now());
    }

    fn contact(&self, account: &Account) -> Option<Contact> {
        self.login.roster.find(account).filter(|c| !c.stranger).map(|c| c.contact.clone())
    }

    pub(super) fn add(&mut self, name: &str, remark: &str) {
        let account = match self.resolve(name).or_else(|| Account::person(name).ok()) {
            Some(account) if !account.is_room() => account,
            _ => return self.error(&t!("gui.bad_account")),
        };
        if Some(&account) == self.login.me.as_ref() {
            return self.error(&t!("gui.not_oneself"));
        }
        let new = Contact { account: account.clone(), remark: String::new(), group: String::new(), blocked: false };
        let mut contact = self.contact(&account).unwrap_or(new);
        if !remark.is_empty() {
            contact.remark = names::tidy(remark);
        }
        // Somebody who has written or is online has an account.
        if self.login.roster.is_met(&account) {
            return self.add_now(contact);
        }
        if self.client.connection().speaks == Some(SpokenDialect::Plain) {
            self.add_now(contact);
            return self.quiet(&t!("friend.never_checked"));
        }
        self.login.awaits.change = Some(Change::Asked(contact));
        self.client.look_up(clock::now(), account);
    }

    pub(super) fn add_now(&mut self, contact: Contact) {
        let name = harmless(&contact.account.shown());
        let account = contact.account.clone();
        self.set_contact(contact);
        self.quiet(&t!("term.added", name = name));
        match self.login.roster.friendship(&account) {
            Friendship::None | Friendship::Declined | Friendship::Asked => {
                self.ask_friend(account, FriendRequest::Ask { text: String::new(), answer: None });
            }
            Friendship::Unknown | Friendship::Asking | Friendship::Friends => {}
        }
    }

    /// Handles the server's answer whether there is an account.
    pub(super) fn looked_up(&mut self, asked: &Account, found: LookUpResult) {
        let about = |change: &mut Change| match change {
            Change::Asked(contact) => contact.account == *asked,
            Change::There(_) | Change::Gone(_) | Change::Blocked(..) => false,
        };
        let change = self.login.awaits.change.take_if(about);
        let nobody = t!("friend.nobody", name = harmless(&asked.shown()));
        match (change, found) {
            (Some(Change::Asked(contact)), LookUpResult::There(account)) => {
                self.add_now(Contact { account, ..contact })
            }
            (Some(Change::Asked(contact)), LookUpResult::NotHere) => {
                self.add_now(contact);
                self.quiet(&t!("friend.never_checked"));
            }
            // The line itself is one key away; putting it back would mix it with what is being typed.
            (Some(Change::Asked(_)), LookUpResult::Nobody) => {
                self.failed(Exit::Offline);
                self.error(&nobody);
            }
            (Some(Change::Asked(contact)), LookUpResult::Unanswered) if self.on_terminal() => {
                self.warn(&t!("term.not_asked"));
                self.ask = Ask::AddAllTheSame(contact);
            }
            (Some(Change::Asked(_)), LookUpResult::Unanswered) => {
                self.failed(Exit::NoAnswer);
                self.error(&t!("term.not_asked_pipe", name = harmless(&asked.shown())));
            }
            // A text for them stays in the line, and the answer to each message says the same.
            (_, LookUpResult::Nobody) if self.login.target.as_ref() == Some(asked) => self.warn(&nobody),
            (_, LookUpResult::There(_) | LookUpResult::NotHere | LookUpResult::Nobody | LookUpResult::Unanswered) => {}
        }
    }

    /// Mutes or pins a conversation, or undoes that.
    pub(super) fn mark(&mut self, name: &str, mark: Mark) {
        let Some(peer) = self.resolve(name) else {
            return self.warn(&t!("term.nobody", name = harmless(name)));
        };
        let name = harmless(&self.login.roster.name(&peer));
        let said = match mark {
            Mark::Mute => t!("term.muted", name = name),
            Mark::Unmute => t!("term.unmuted", name = name),
            Mark::Pin => t!("term.pinned", name = name),
            Mark::Unpin => t!("term.unpinned", name = name),
        };
        match mark {
            Mark::Mute | Mark::Unmute => self.client.set_muted(&peer, mark == Mark::Mute),
            Mark::Pin | Mark::Unpin => self.client.set_pinned(&peer, mark == Mark::Pin),
        }
        self.quiet(&said);
    }

    fn is_blocked(&self, account: &Account) -> bool {
        self.login.roster.find(account).is_some_and(|c| c.contact.blocked)
    }

    /// Shows somebody's messages no more, or again.
    pub(super) fn block(&mut self, name: &str, blocked: bool) {
        let Some(account) = self.resolve(name).filter(|account| !account.is_room()) else {
            return self.warn(&t!("term.nobody", name = harmless(name)));
        };
        self.login.awaits.change = Some(Change::Blocked(account.clone(), blocked));
        let name = harmless(&self.login.roster.name(&account));
        self.quiet(&if blocked { t!("term.blocked", name = name) } else { t!("term.unblocked", name = name) });
        self.client.set_blocked(account, blocked);
    }

    /// Changes a contact; somebody who is not in the list is added.
    fn change(&mut self, name: &str, with: impl FnOnce(&mut Contact), said: fn(&Contact) -> String) {
        let Some(account) = self.resolve(name).filter(|account| !account.is_room()) else {
            return self.warn(&t!("term.nobody", name = harmless(name)));
        };
        let new = Contact {
            account: account.clone(),
            remark: String::new(),
            group: String::new(),
            blocked: self.is_blocked(&account),
        };
        let mut contact = self.contact(&account).unwrap_or(new);
        with(&mut contact);
        let said = harmless(&said(&contact));
        self.set_contact(contact);
        self.quiet(&said);
    }

    pub(super) fn remark(&mut self, name: &str, remark: &str) {
        self.change(
            name,
            |contact| contact.remark = names::tidy(remark),
            |contact| match contact.remark.as_str() {
                "" => t!("term.no_remark", name = contact.account.shown()).into_owned(),
                remark => t!("term.remarked", name = contact.account.shown(), remark = remark).into_owned(),
            },
        );
    }

    pub(super) fn group(&mut self, name: &str, group: &str) {
        self.change(
            name,
            |contact| group.clone_into(&mut contact.group),
            |contact| match contact.group.as_str() {
                "" => t!("term.no_group", name = called(contact)).into_owned(),
                group => t!("term.grouped", name = called(contact), group = group).into_owned(),
            },
        );
    }

    fn set_contact(&mut self, contact: Contact) {
        self.login.awaits.change = Some(Change::There(contact.clone()));
        self.client.set_contact(contact);
    }

    /// Takes over a new list, which may show a change that was waited for.
    pub(super) fn listed(&mut self, list: Vec<Conversation>) {
        self.login.roster.set_conversations(list);
        self.login.awaits.list = false;
        let done = match &self.login.awaits.change {
            None => true,
            Some(Change::There(contact)) => self.contact(&contact.account).as_ref() == Some(contact),
            Some(Change::Gone(account)) => self.login.roster.find(account).is_none(),
            Some(Change::Blocked(account, on)) => self.is_blocked(account) == *on,
            Some(Change::Asked(_)) => false,
        };
        if done {
            self.login.awaits.change = None;
        }
    }

    /// Removes somebody from the list, friend or stranger; also deletes their messages if the word for that follows the
    /// name.
    pub(super) fn remove(&mut self, name: &str) {
        let (name, messages) = match name.rsplit_once(' ') {
            Some((first, "messages" | "记录")) if self.resolve(name).is_none() => (first.trim_end(), true),
            _ => (name, false),
        };
        let known =
            self.resolve(name).filter(|account| self.login.roster.find(account).is_some() && !account.is_room());
        let Some(account) = known else {
            return self.warn(&t!("term.nobody", name = harmless(name)));
        };
        let shown = harmless(&account.shown());
        if self.is_blocked(&account) {
            return self.warn(&t!("term.remove_blocked", name = shown));
        }
        self.login.awaits.change = Some(Change::Gone(account.clone()));
        if messages {
            self.login.drafts.forget(&account);
        }
        self.client.forget_person(account, messages);
        self.quiet(&if messages { t!("term.deleted", name = shown) } else { t!("term.removed", name = shown) });
    }

    /// Prints that somebody came or went, if they are in the list or in the present chat.
    pub(super) fn came_or_went(&mut self, account: &Account, came: bool) {
        let known = self.contact(account).is_some() || self.login.target.as_ref() == Some(account);
        if !known || !self.profile.settings.comings {
            return;
        }
        let name = harmless(&self.login.roster.name(account));
        let text = if came { t!("main.came", name = name) } else { t!("main.went", name = name) };
        self.quiet(&text);
    }
}

fn called(contact: &Contact) -> std::borrow::Cow<'_, str> {
    if contact.remark.is_empty() { contact.account.shown() } else { contact.remark.as_str().into() }
}
