//! What belongs to one login, and is gone with it: who one is, the list, the chat one is in, one's own messages, and what
//! is still to be answered. Nothing of it is set back by hand: the next login has a value of its own.

use std::collections::HashMap;

use super::drafts::Drafts;
use super::own::OwnMessages;
use super::past::Pages;
use super::people::{Change, roster};
use crate::base::model::Account;
use crate::client::roster::Roster;

/// A login, or that nobody is logged in.
pub(super) struct Login {
    /// Who is logged in, or tries to.
    pub(super) me: Option<Account>,
    /// Whether the login has come about.
    pub(super) logged_in: bool,
    /// Whether it was said that the server does not answer.
    pub(super) trouble: bool,
    pub(super) roster: Roster,
    /// Whom one chats with.
    pub(super) target: Option<Account>,
    pub(super) own: OwnMessages,
    /// What is typed and not sent.
    pub(super) drafts: Drafts,
    /// Pages of the server's history.
    pub(super) pages: Pages,
    pub(super) awaits: Awaits,
}

impl Login {
    /// The state while nobody is logged in.
    pub(super) fn nobody() -> Self {
        Self::new(None)
    }

    /// The state of somebody who is about to log in.
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

    /// Who is logged in.
    pub(super) fn account(&self) -> Option<&Account> {
        self.me.as_ref().filter(|_| self.logged_in)
    }

    /// Whether something is still to be answered: a pipe's next line may rely on it.
    pub(super) fn is_busy(&self) -> bool {
        self.awaits.holds() > Holds::Nothing || self.pages.waits()
    }

    /// Whether what is typed meanwhile comes after it, unseen where it was begun by a password.
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
    /// That, and one that is typed.
    Typed,
}

/// Why rows were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A chat was opened.
    Chat,
    /// They were asked for.
    History,
}

/// What the history or the server is still to answer.
#[derive(Debug, Default)]
pub(super) struct Awaits {
    /// Whether the list was not read since the login.
    pub(super) list: bool,
    /// Conversations whose last messages were asked for, and why.
    pub(super) rows: HashMap<Account, Wanted>,
    /// How many searches run.
    pub(super) searches: usize,
    /// Whether somebody waits for who is online.
    pub(super) who: bool,
    /// Whether the disk has not done yet all that a pipe's line has asked of it.
    pub(super) disk: bool,
    /// Whether a change of the password is not settled.
    pub(super) password: bool,
    /// Whether the server was asked how the account may be used.
    pub(super) account: bool,
    /// A change of the list that is not in it yet.
    pub(super) change: Option<Change>,
}

impl Awaits {
    /// Which line has to wait. Who is online may never be said, so nothing waits for that. Every field is named, as a new
    /// one is to be judged: what a password was given for holds whatever is typed.
    fn holds(&self) -> Holds {
        let Self { list, rows, searches, who: _, disk, password, account, change } = self;
        if *password || change.is_some() {
            Holds::Typed
        } else if *list || *disk || *account || !rows.is_empty() || *searches > 0 {
            Holds::Pipe
        } else {
            Holds::Nothing
        }
    }

    /// Somebody's messages cannot be read; or, of nobody's, what was looked for, and the list.
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
