//! The state of one login, which ends with it: the account, the list, the open chat, sent messages, and what is still
//! to be answered. Nothing has to be reset by hand, since the next login has a new value.

use std::collections::HashMap;

use super::drafts::Drafts;
use super::own::OwnMessages;
use super::past::Pages;
use super::people::{Change, roster};
use crate::base::model::Account;
use crate::client::roster::Roster;

/// The state of a login, or of nobody being logged in.
pub(super) struct Login {
    /// The account that is logged in or logging in.
    pub(super) me: Option<Account>,
    /// Whether the login has succeeded.
    pub(super) logged_in: bool,
    /// Whether the person was told that the server does not answer.
    pub(super) trouble: bool,
    pub(super) roster: Roster,
    /// The friend or room one chats with.
    pub(super) target: Option<Account>,
    pub(super) own: OwnMessages,
    /// Texts that were typed but not sent.
    pub(super) drafts: Drafts,
    /// Pages of the history that the server keeps.
    pub(super) pages: Pages,
    pub(super) awaits: Awaits,
}

impl Login {
    /// Returns the state while nobody is logged in.
    pub(super) fn nobody() -> Self {
        Self::new(None)
    }

    /// Returns the state of an account that is about to log in.
    pub(super) fn of(me: Account) -> Self {
        Self::new(Some(me))
    }

    fn new(me: Option<Account>) -> Self {
        let roster = roster(me.clone().unwrap_or_else(|| Account::sanitised("")));
        Self {
            me,
            logged_in: false,
            trouble: false,
            roster,
            target: None,
            own: OwnMessages::default(),
            drafts: Drafts::default(),
            pages: Pages::default(),
            awaits: Awaits::default(),
        }
    }

    /// Returns the account that is logged in.
    pub(super) fn account(&self) -> Option<&Account> {
        self.me.as_ref().filter(|_| self.logged_in)
    }

    /// Returns whether something is still to be answered, on which the next line of a pipe may rely.
    pub(super) fn is_busy(&self) -> bool {
        self.awaits.holds() > Holds::Nothing || self.pages.waits()
    }

    /// Returns whether lines that are typed now have to wait; they are typed unseen if a password was given for this.
    pub(super) fn is_under_way(&self) -> bool {
        self.awaits.holds() == Holds::Typed
    }
}

/// Which line waits until something is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Nothing,
    /// The next line of a pipe.
    Pipe,
    /// The next line of a pipe, and one that is typed.
    Typed,
}

/// Why messages were read from the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A chat was opened.
    Chat,
    /// The person asked for them.
    History,
}

/// What the history or the server still has to answer.
#[derive(Debug, Default)]
pub(super) struct Awaits {
    /// Whether the list has not been read since the login.
    pub(super) list: bool,
    /// The conversations whose last messages are being read, and why.
    pub(super) rows: HashMap<Account, Wanted>,
    /// How many searches are under way.
    pub(super) searches: usize,
    /// Whether the person waits to hear who is online.
    pub(super) who: bool,
    /// Whether the disk has not finished what a line of a pipe has asked for.
    pub(super) disk: bool,
    /// Whether a change of the password is under way.
    pub(super) password: bool,
    /// Whether the server was asked for the account's settings.
    pub(super) account: bool,
    /// A change of the list that has not appeared in it yet.
    pub(super) change: Option<Change>,
    /// How many searches for people are not answered.
    pub(super) people: usize,
    /// How many requests about friends are not answered.
    pub(super) friend: usize,
}

impl Awaits {
    /// Returns which line has to wait. Nothing waits for who is online, since a server may never say that. All fields
    /// are named, so that a new one has to be considered: what a password was given for makes typed lines wait too.
    fn holds(&self) -> Holds {
        let Self { list, rows, searches, who: _, disk, password, account, change, people, friend } = self;
        if *password || change.is_some() {
            Holds::Typed
        } else if *list || *disk || *account || *friend > 0 || *people > 0 || !rows.is_empty() || *searches > 0 {
            Holds::Pipe
        } else {
            Holds::Nothing
        }
    }

    /// Called when messages of a conversation cannot be read; without a conversation, when the list or a search failed.
    pub(super) fn not_read(&mut self, peer: Option<&Account>) {
        match peer {
            Some(peer) => _ = self.rows.remove(peer),
            None => (self.list, self.searches, self.change) = (false, 0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_waits_for_whatever_it_may_rely_on() {
        let b = || Account::person("b").expect("valid");
        type Set = fn(&mut Login);
        let cases: [(&str, Set, bool, bool); 9] = [
            ("nothing", |_| {}, false, false),
            ("the list as it is", |l| l.awaits.list = true, true, false),
            ("the disk", |l| l.awaits.disk = true, true, false),
            ("rows", |l| l.awaits.rows = [(Account::lobby(), Wanted::Chat)].into(), true, false),
            ("a search", |l| l.awaits.searches = 1, true, false),
            ("a password", |l| l.awaits.password = true, true, true),
            ("the account", |l| l.awaits.account = true, true, false),
            ("the list", |l| l.awaits.change = Some(Change::Gone(Account::lobby())), true, true),
            ("who is online", |l| l.awaits.who = true, false, false),
        ];
        for (what, set, busy, under_way) in cases {
            let mut login = Login::of(b());
            set(&mut login);
            assert_eq!((login.is_busy(), login.is_under_way()), (busy, under_way), "{what}");
        }
    }

    #[test]
    fn nobody_is_logged_in_before_it_has_come_about() {
        let mut login = Login::of(Account::person("b").expect("valid"));
        assert_eq!(login.account(), None);
        login.logged_in = true;
        assert_eq!(login.account().map(Account::as_str), Some("b"));
        assert_eq!(Login::nobody().account(), None);
    }
}
