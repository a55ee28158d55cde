//! People that a search has found at the server.

use rust_i18n::t;

use super::{Person, Roster};
use crate::base::model::Account;
use crate::base::shown;
use crate::protocol::wire::item::Profile;

/// The answer to the last search.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    text: String,
    people: Vec<(Account, Profile)>,
}

impl Roster {
    /// Takes over what the server has found for a text.
    pub fn set_found(&mut self, text: String, people: Vec<(Account, Profile)>) {
        self.set_profiles(people.clone());
        self.directory = Directory { text, people };
    }

    /// Returns those who were found for this text, but for oneself and who is in the list.
    pub(super) fn elsewhere(&self, search: &str) -> impl Iterator<Item = Person> {
        let Directory { text, people } = &self.directory;
        let people = people.iter().filter(move |_| text == search);
        let others = people.filter(|(account, _)| *account != self.me && self.find(account).is_none());
        others.map(|(account, profile)| Person {
            account: account.clone(),
            name: self.given_name(account),
            last: match shown::line(&profile.line) {
                line if line.is_empty() => account.shown().into_owned(),
                line => t!("people.found_row", account = account.shown(), line = line).into_owned(),
            },
            time: String::new(),
            unread: 0,
            presence: self.presence(account),
            line: String::new(),
            contact: false,
            blocked: false,
            friendship: self.friendship(account),
            color: profile.color,
            muted: self.is_muted(account),
            pinned: false,
            recent: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::history::{Contact, Conversation};
    use crate::client::roster::Entry;

    fn account(name: &str) -> Account {
        Account::person(name).expect("valid")
    }

    fn shown(roster: &Roster, search: &str) -> Vec<String> {
        let line = |entry: Entry| match entry {
            Entry::Found(person) => format!("found {} {}", person.name, person.last),
            Entry::Person(person) => person.name,
            Entry::Add(name) => format!("add {name}"),
            other => panic!("{other:?}"),
        };
        roster.entries(search, 0).into_iter().map(line).collect()
    }

    #[test]
    fn who_was_found_stands_below_who_is_in_the_list_while_that_is_typed() {
        let mut roster = Roster::new(account("me"));
        let contact =
            Contact { account: account("b"), remark: "王老师".into(), group: String::new(), blocked: false };
        let listed = Conversation { contact, stranger: false, last: None, draft: None, unread: 0 };
        roster.set_conversations(vec![listed]);
        assert_eq!(shown(&roster, "wang"), ["王老师", "add wang"], "the list is searched by sounds too");
        let called = |name: &str, line: &str| Profile { name: name.into(), line: line.into(), color: None };
        let people = [("b", "王"), ("me", "王我"), ("20170002", "王小明"), ("wang", "")];
        let people = people.map(|(who, name)| (account(who), called(name, if who == "wang" { "hi" } else { "" })));
        roster.set_found("wang".into(), people.to_vec());
        assert_eq!(shown(&roster, "wang"), ["王老师", "found 王小明 20170002", "found wang wang · hi"]);
        assert_eq!(shown(&roster, "wangx"), ["add wangx"], "of another text nothing is known");
        assert!(!shown(&roster, "王").iter().any(|line| line.starts_with("found")));
    }
}
