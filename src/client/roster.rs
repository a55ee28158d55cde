//! What a list of friends contains, in which order and sections, for windows and terminal alike. Pure.
//!
//! Its parts:
//!
//! - `card`: what is known of somebody.
//! - `directory`: people that a search has found at the server.
//! - `naming`: what people are called.
//! - `states`: who is online, and in what way.

mod card;
mod directory;
mod naming;
mod states;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Datelike, Local, TimeZone};
use rust_i18n::t;

use crate::base::fold::{fold, holds};
use crate::base::model::{Account, names};
use crate::base::pinyin::Typed;
use crate::base::shown;
use crate::client::friendship::Friendship;
use crate::client::history::{Conversation, Friends, MoreStrangers};
use crate::protocol::wire::status::Shown;

use directory::Directory;
use naming::Names;
pub use states::{Presence, presence_word, with_line};

/// The most strangers that are shown; the others are one row.
const STRANGERS: usize = 20;
/// The most conversations under "recent".
const RECENT: usize = 8;

/// A heading of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Section {
    /// People who ask to be friends.
    Requests,
    /// The most recent conversations.
    Recent,
    /// Friends by group; the empty group is simply "friends".
    Group(String),
    /// Other accounts that are online, on servers that list them.
    Online,
    /// Strangers: they have written and are not contacts.
    Strangers,
    /// Blocked contacts, whose messages are stored but not shown.
    Blocked,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A heading that opens and closes.
    Section {
        /// Which heading it is.
        section: Section,
        /// The heading's text.
        title: String,
        /// How many there are, or how many of them are online.
        count: String,
        /// Whether what belongs to it is shown.
        open: bool,
        /// The number of unread messages in it while it is closed.
        unread: u64,
    },
    /// Somebody who asks to be a friend.
    Request(Person),
    /// Somebody at the server whom a search has found and who is not in the list.
    Found(Person),
    /// A person or the lobby.
    Person(Person),
    /// Nobody has this name: offers to add them.
    Add(String),
    /// How many more strangers there are, and how many unread messages of theirs; a search finds them.
    More(usize, u64),
}

/// A person's row in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Person {
    pub account: Account,
    pub name: String,
    pub last: String,
    pub time: String,
    pub unread: u64,
    pub presence: Option<Presence>,
    /// What they say of where they are, cleaned; empty if nothing.
    pub line: String,
    pub contact: bool,
    pub blocked: bool,
    pub friendship: Friendship,
    /// The colour that they have chosen.
    pub color: Option<u8>,
    pub muted: bool,
    pub pinned: bool,
    /// Whether this row is under "recent", in addition to the friend's own row.
    pub recent: bool,
}

/// The contact list's data, from which [`Roster::entries`] makes its lines.
#[derive(Debug, Clone)]
pub struct Roster {
    me: Account,
    conversations: Vec<Conversation>,
    more_strangers: MoreStrangers,
    friends: Friends,
    names: Names,
    directory: Directory,
    online: Option<Vec<Account>>,
    /// Those of them who are not simply there without a line.
    states: BTreeMap<Account, Shown>,
    /// Whether the server is silent, or has not said who is online since it was.
    unsure: bool,
    closed: HashSet<Section>,
}

impl Roster {
    /// Creates an empty roster for this account.
    #[must_use]
    pub fn new(me: Account) -> Self {
        Self {
            me,
            conversations: Vec::new(),
            more_strangers: MoreStrangers::default(),
            friends: Friends::default(),
            names: Names::default(),
            directory: Directory::default(),
            online: None,
            states: BTreeMap::new(),
            unsure: false,
            closed: HashSet::from([Section::Blocked]),
        }
    }

    /// Sets the list as the history has it, the latest first.
    pub fn set_conversations(&mut self, conversations: Vec<Conversation>) {
        self.conversations = conversations;
        self.find_common_names();
    }

    /// Sets the figures of strangers who are not listed one by one.
    pub fn set_more_strangers(&mut self, more: MoreStrangers) {
        self.more_strangers = more;
    }

    /// Sets the account's friends and requests.
    pub fn set_friends(&mut self, friends: Friends) {
        self.friends = friends;
        self.find_common_names();
    }

    /// Returns the account's friends and requests.
    #[must_use]
    pub fn friends(&self) -> &Friends {
        &self.friends
    }

    /// Returns the relation between the account and somebody, such as friends or asked.
    #[must_use]
    pub fn friendship(&self, account: &Account) -> Friendship {
        if account.is_room() { Friendship::Unknown } else { self.friends.with(account) }
    }

    /// Sets who is online, sorted; with that there is a lobby too. Returns whether something has changed.
    pub fn set_online(&mut self, online: Option<Vec<Account>>) -> bool {
        let doubted = std::mem::take(&mut self.unsure);
        let before = std::mem::replace(&mut self.online, online);
        doubted || before != self.online
    }

    /// Notes that what is known about who is online may be out of date, until it is set again.
    pub fn doubt_online(&mut self) {
        self.unsure = self.online.is_some();
    }

    /// Returns whether the list of online accounts may be out of date.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// Returns all conversations, the latest first.
    #[must_use]
    pub fn conversations(&self) -> &[Conversation] {
        &self.conversations
    }

    /// Returns who is online, sorted; nobody if the server does not say.
    #[must_use]
    pub fn online(&self) -> &[Account] {
        self.online.as_deref().unwrap_or_default()
    }

    /// Opens or closes a section.
    pub fn toggle(&mut self, section: &Section) {
        if !self.closed.remove(section) {
            self.closed.insert(section.clone());
        }
    }

    /// Returns the conversation with an account, if there is one.
    #[must_use]
    pub fn find(&self, account: &Account) -> Option<&Conversation> {
        self.conversations.iter().find(|c| c.contact.account == *account)
    }

    /// Returns whether there certainly is such an account: a friend, or somebody who is online. A stranger in the list
    /// may have been written to without existing.
    #[must_use]
    pub fn is_met(&self, account: &Account) -> bool {
        self.find(account).is_some_and(|c| !c.stranger) || self.online().contains(account)
    }

    /// Returns the number of unread messages in all conversations that are not muted.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.conversations.iter().filter(|c| !self.is_muted(&c.contact.account)).map(|c| c.unread).sum()
    }

    /// Returns whether no message of a conversation is to ask for attention.
    #[must_use]
    pub fn is_muted(&self, peer: &Account) -> bool {
        self.friends.muted.contains(peer)
    }

    /// Returns whether a conversation is to stand at the top of the list.
    #[must_use]
    pub fn is_pinned(&self, peer: &Account) -> bool {
        self.friends.pinned.contains(peer)
    }

    /// Returns the groups in use, sorted.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.conversations.iter().map(|c| c.contact.group.clone()).collect();
        groups.retain(|g| !g.is_empty());
        groups.sort();
        groups.dedup();
        groups
    }

    /// Returns the lines of the list for a search; all of them for an empty one. `now_ms` is needed for "yesterday".
    #[must_use]
    pub fn entries(&self, search: &str, now_ms: i64) -> Vec<Entry> {
        let search = search.trim();
        if search.is_empty() { self.sections(now_ms) } else { self.found(search, now_ms) }
    }

    fn found(&self, search: &str, now_ms: i64) -> Vec<Entry> {
        let wanted = fold(search);
        let lobby = self.online.is_some() && self.find(&Account::lobby()).is_none();
        let lobby = lobby.then(|| self.lobby());
        let known = self.conversations.iter().map(|c| self.person(c, now_ms));
        let asked = self.requests(now_ms).filter(|p| self.find(&p.account).is_none());
        let people = lobby.into_iter().chain(asked).chain(known).chain(self.others());
        let typed = Typed::new(&wanted);
        let sounds = |name: &str| typed.as_ref().is_some_and(|typed| typed.place(&fold(name)).is_some());
        let people =
            people.filter(|p| holds(&p.name, &wanted) || holds(p.account.as_str(), &wanted) || sounds(&p.name));
        let mut entries: Vec<Entry> = people.map(Entry::Person).collect();
        let known = |e: &Entry| matches!(e, Entry::Person(p) if p.contact && p.account.as_str() == search);
        if !entries.iter().any(known) && may_be_account(search) && search != self.me.as_str() {
            // Enter takes the first line: somebody who types the account of a new person wants to add them.
            let new = |e: &Entry| matches!(e, Entry::Person(p) if p.account.as_str() == search && self.find(&p.account).is_none());
            let at = if entries.iter().any(new) { 0 } else { entries.len() };
            entries.insert(at, Entry::Add(search.to_owned()));
        }
        let listed: HashSet<Account> = entries.iter().filter_map(listed).collect();
        let elsewhere = self.elsewhere(search).filter(|person| !listed.contains(&person.account));
        let elsewhere: Vec<Entry> = elsewhere.map(Entry::Found).collect();
        if !elsewhere.is_empty() {
            // Whoever is called so is there already, so nobody else is to be added by the words alone.
            entries.retain(|entry| !matches!(entry, Entry::Add(name) if is_found(&elsewhere, name)));
            entries.extend(elsewhere);
        }
        entries
    }

    fn sections(&self, now_ms: i64) -> Vec<Entry> {
        let mut entries = Vec::new();
        let requests = self.requests(now_ms).collect();
        self.section(&mut entries, Section::Requests, requests);
        let all = self.conversations.iter().map(|c| (c, self.person(c, now_ms)));
        let (mut recent, mut groups, mut strangers, mut blocked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (conversation, person) in all {
            if person.blocked {
                blocked.push(person);
            } else if conversation.stranger && !person.account.is_room() {
                // People who ask to be friends are listed above.
                if person.friendship != Friendship::Asked {
                    strangers.push(person);
                }
            } else if person.account.is_room() {
                recent.push(Person { recent: true, ..person });
            } else {
                // A friend is always in their group; "recent" is an additional way there.
                if person.pinned || conversation.last.is_some() && recent.len() < RECENT {
                    recent.push(Person { recent: true, ..person.clone() });
                }
                groups.push((conversation.contact.group.clone(), person));
            }
        }
        if self.online.is_some() && !recent.iter().any(|p| p.account == Account::lobby()) {
            recent.insert(0, self.lobby());
        }
        // The sort is stable, so that the latest come first among these and among the others.
        recent.sort_by_key(|person| !person.pinned);
        self.section(&mut entries, Section::Recent, recent);
        groups.sort_by(|a, b| (a.0.is_empty(), &a.0).cmp(&(b.0.is_empty(), &b.0)));
        let mut rest = groups.into_iter().peekable();
        while let Some((group, first)) = rest.next() {
            let mut people = vec![first];
            while let Some((_, next)) = rest.next_if(|(g, _)| *g == group) {
                people.push(next);
            }
            people.sort_by_key(|p| (!p.pinned, !p.presence.is_some_and(Presence::is_here), p.name.clone()));
            self.section(&mut entries, Section::Group(group), people);
        }
        let flood = strangers.split_off(strangers.len().min(STRANGERS));
        self.section(&mut entries, Section::Strangers, strangers);
        let people = flood.len() + usize::try_from(self.more_strangers.people).unwrap_or(usize::MAX);
        if people > 0 && !self.closed.contains(&Section::Strangers) {
            let unread = flood.iter().map(|p| p.unread).sum::<u64>() + self.more_strangers.unread;
            entries.push(Entry::More(people, unread));
        }
        self.section(&mut entries, Section::Online, self.others().collect());
        self.section(&mut entries, Section::Blocked, blocked);
        entries
    }

    fn section(&self, entries: &mut Vec<Entry>, section: Section, people: Vec<Person>) {
        if people.is_empty() {
            return;
        }
        let title = match &section {
            Section::Requests => t!("people.requests").into_owned(),
            Section::Recent => t!("main.recent").into_owned(),
            Section::Group(name) if name.is_empty() => t!("main.friends").into_owned(),
            Section::Group(name) => name.clone(),
            Section::Online => t!("main.others_online").into_owned(),
            Section::Strangers => t!("main.strangers").into_owned(),
            Section::Blocked => t!("main.blocked").into_owned(),
        };
        let online = people.iter().filter(|p| p.presence.is_some_and(Presence::is_here)).count();
        let count = match section {
            Section::Recent => String::new(),
            Section::Group(_) if self.online.is_some() && !self.unsure => format!("{online}/{}", people.len()),
            _ => people.len().to_string(),
        };
        let open = !self.closed.contains(&section);
        let requests = section == Section::Requests;
        // If "recent" is closed, only its rooms are hidden.
        let hidden = |p: &&Person| !p.recent || p.account.is_room();
        let unread = if open { 0 } else { people.iter().filter(hidden).map(|p| p.unread).sum() };
        entries.push(Entry::Section { section, title, count, open, unread });
        if open {
            let entry = if requests { Entry::Request } else { Entry::Person };
            entries.extend(people.into_iter().map(entry));
        }
    }

    /// Returns the people who are online and not in the list.
    fn others(&self) -> impl Iterator<Item = Person> {
        let known: HashSet<&Account> = self.conversations.iter().map(|c| &c.contact.account).collect();
        let others =
            self.online.iter().filter(|_| !self.unsure).flatten().filter(move |a| **a != self.me && !known.contains(a));
        others
            .map(|account| Person {
                friendship: self.friendship(account),
                color: self.color(account),
                muted: self.is_muted(account),
                pinned: self.is_pinned(account),
                name: account.shown().into_owned(),
                account: account.clone(),
                last: self.state_word(account),
                line: shown::within(self.line(account)),
                time: String::new(),
                unread: 0,
                presence: self.presence(account),
                contact: false,
                blocked: false,
                recent: false,
            })
            // These are listed among the requests.
            .filter(|person| person.friendship != Friendship::Asked)
    }

    fn lobby(&self) -> Person {
        Person {
            account: Account::lobby(),
            friendship: Friendship::Unknown,
            color: None,
            muted: self.is_muted(&Account::lobby()),
            pinned: self.is_pinned(&Account::lobby()),
            name: t!("main.lobby").into_owned(),
            last: t!("main.lobby_hint").into_owned(),
            time: String::new(),
            unread: 0,
            presence: None,
            line: String::new(),
            contact: false,
            blocked: false,
            recent: true,
        }
    }

    /// Returns the first line of a message, or a text if it has none; in a room without the brackets around its writer.
    #[must_use]
    pub fn one_line(&self, text: &str, room: bool) -> String {
        match names::unframed(text.trim_start()) {
            Some((writer, rest)) if room => {
                let writer = shown::within(&self.writer(writer));
                t!("main.writes", writer = writer, text = shown::within(&shown::first_line(rest))).into_owned()
            }
            _ => shown::first_line(text),
        }
    }

    fn person(&self, conversation: &Conversation, now_ms: i64) -> Person {
        let contact = &conversation.contact;
        let presence = self.presence(&contact.account);
        let (last, time) = match &conversation.last {
            Some((text, unix_ms)) => (self.one_line(text, contact.account.is_room()), ago(*unix_ms, now_ms)),
            None => (
                self.standing_word(&contact.account).unwrap_or_else(|| self.state_word(&contact.account)),
                String::new(),
            ),
        };
        let last = match &conversation.draft {
            Some(draft) => t!("main.draft", text = self.one_line(draft, false)).into_owned(),
            None => last,
        };
        Person {
            account: contact.account.clone(),
            name: self.name(&contact.account),
            last,
            time,
            unread: conversation.unread,
            presence,
            line: shown::within(self.line(&contact.account)),
            contact: !conversation.stranger,
            blocked: contact.blocked,
            friendship: self.friendship(&contact.account),
            color: self.color(&contact.account),
            muted: self.is_muted(&contact.account),
            pinned: self.is_pinned(&contact.account),
            recent: false,
        }
    }

    /// Returns the people who ask to be friends, the latest first.
    fn requests(&self, now_ms: i64) -> impl Iterator<Item = Person> {
        let mut asked: Vec<_> = self.friends.asked.iter().collect();
        asked.sort_by_key(|(who, request)| (std::cmp::Reverse(request.at), (*who).clone()));
        asked.into_iter().map(move |(who, request)| {
            let known = self.find(who);
            let text = shown::first_line(&request.text);
            Person {
                account: who.clone(),
                name: self.name(who),
                last: if text.is_empty() { t!("people.asks_row").into_owned() } else { text },
                time: ago(request.at.saturating_mul(1_000), now_ms),
                unread: known.filter(|c| c.stranger).map_or(0, |c| c.unread),
                presence: self.presence(who),
                line: shown::within(self.line(who)),
                contact: known.is_some_and(|c| !c.stranger),
                blocked: false,
                friendship: Friendship::Asked,
                color: self.color(who),
                muted: false,
                pinned: false,
                recent: false,
            }
        })
    }

    /// Returns the line under the name of somebody who has not written yet, if this account has asked them to be a
    /// friend.
    fn standing_word(&self, account: &Account) -> Option<String> {
        match self.friendship(account) {
            Friendship::Asking => Some(t!("people.asking_row").into_owned()),
            Friendship::Declined => Some(t!("people.declined_row").into_owned()),
            Friendship::Unknown | Friendship::None | Friendship::Asked | Friendship::Friends => None,
        }
    }
}

fn listed(entry: &Entry) -> Option<Account> {
    match entry {
        Entry::Person(person) | Entry::Request(person) | Entry::Found(person) => Some(person.account.clone()),
        Entry::Section { .. } | Entry::Add(_) | Entry::More(..) => None,
    }
}

fn is_found(entries: &[Entry], name: &str) -> bool {
    entries.iter().any(|entry| matches!(entry, Entry::Found(person) if person.account.as_str() == name))
}

/// Returns whether a text may be meant as a name: a sentence that was typed here by mistake is not, since Enter would
/// add it. Somebody who is called so can be added in the window for that.
fn may_be_account(text: &str) -> bool {
    let punctuation = |c: char| matches!(c, ',' | '?' | '!' | '，' | '。' | '？' | '！' | '、');
    Account::person(text).is_ok() && !text.contains(char::is_whitespace) && !text.contains(punctuation)
}

/// Returns until when the times in [`Roster::entries`] ("yesterday") are right: the next local midnight, in
/// milliseconds since 1970. Windows then show the list anew.
#[must_use]
pub fn times_hold_until(now_ms: i64) -> Option<i64> {
    let tomorrow = Local.timestamp_millis_opt(now_ms).earliest()?.date_naive().succ_opt()?;
    // If the clock skips midnight, the day begins with the first hour that exists.
    let hours = (0..3).filter_map(|hour| Local.from_local_datetime(&tomorrow.and_hms_opt(hour, 0, 0)?).earliest());
    hours.map(|begin| begin.timestamp_millis()).next()
}

fn ago(unix_ms: i64, now_ms: i64) -> String {
    let local = |ms| -> Option<DateTime<Local>> { Local.timestamp_millis_opt(ms).earliest() };
    let (Some(then), Some(now)) = (local(unix_ms), local(now_ms)) else { return String::new() };
    match now.date_naive().signed_duration_since(then.date_naive()).num_days() {
        0 => then.format("%H:%M").to_string(),
        1 => t!("main.yesterday").into_owned(),
        2..=6 => t!(format!("main.weekday_{}", then.weekday().num_days_from_monday())).into_owned(),
        _ if then.year() == now.year() => then.format("%m-%d").to_string(),
        _ => then.format("%Y-%m-%d").to_string(),
    }
}

#[cfg(test)]
mod tests;
