//! The relation between two accounts on the server, news about it, and the outcome of a request, as values and as
//! sentences for every face. Pure.
//!
//! Its part:
//!
//! - `difference`: in what two lists differ.

mod difference;

use std::borrow::Cow;

use rust_i18n::t;

use crate::base::model::Account;
use crate::base::shown;
use crate::client::history::Friends;
use crate::client::session::{FriendOutcome, FriendRequest};
use crate::protocol::wire::frame::Code;

/// The relation between the account and somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Friendship {
    /// The server keeps no friends, or this is not known yet; the list is this device's own.
    Unknown,
    /// Neither has asked the other.
    None,
    /// The account has asked them.
    Asking,
    /// The account has asked them, and they declined.
    Declined,
    /// They have asked the account.
    Asked,
    /// Both are friends.
    Friends,
}

/// What has happened between the account and somebody, which a face tells the user once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// They ask to be friends, with these words.
    Asked(Account, String),
    /// They are friends now.
    Friends(Account),
    /// They declined.
    Declined(Account),
}

impl News {
    /// Returns the account that this news is about.
    #[must_use]
    pub fn account(&self) -> &Account {
        match self {
            Self::Asked(account, _) | Self::Friends(account) | Self::Declined(account) => account,
        }
    }

    /// Returns the news as a sentence; `name` is the name under which the account is shown.
    #[must_use]
    pub fn sentence(&self, name: &str) -> Cow<'static, str> {
        match self {
            Self::Asked(_, text) if text.is_empty() => t!("people.asks", name = name),
            Self::Asked(_, text) => t!("people.asks_with", name = name, text = shown::within(text)),
            Self::Friends(_) => t!("people.are_friends", name = name),
            Self::Declined(_) => t!("people.declined", name = name),
        }
    }
}

impl Friends {
    /// Returns the relation between the account and somebody.
    #[must_use]
    pub fn with(&self, account: &Account) -> Friendship {
        if !self.kept_by_server {
            Friendship::Unknown
        } else if self.friends.contains_key(account) {
            Friendship::Friends
        } else if self.asked.contains_key(account) {
            Friendship::Asked
        } else {
            match self.asking.get(account) {
                Some(request) if request.declined => Friendship::Declined,
                Some(_) => Friendship::Asking,
                None => Friendship::None,
            }
        }
    }

    /// Returns what has happened since `before` and the user should hear of. The user's own actions, here or on another
    /// device, are not included, but an accepted request is.
    #[must_use]
    pub fn news(&self, before: &Self) -> Vec<News> {
        // The same request has another name once its sender has changed their name, so the times are compared.
        let is_new = |who, at| before.asked.get(who).is_none_or(|request| request.at != at);
        let asked = self.asked.iter().filter(|(who, request)| is_new(*who, request.at));
        let asked = asked.map(|(who, request)| News::Asked(who.clone(), request.text.clone()));
        let friends = self.friends.keys().filter(|who| !before.friends.contains_key(*who));
        let friends = friends.filter(|who| before.asking.contains_key(*who)).cloned().map(News::Friends);
        let was = |who| before.asking.get(who).is_some_and(|request| !request.declined);
        let declined = self.asking.iter().filter(|(who, request)| request.declined && was(who));
        asked.chain(friends).chain(declined.map(|(who, _)| News::Declined(who.clone()))).collect()
    }
}

/// Returns the outcome of a request as a sentence; `name` is the name under which the other account is shown.
#[must_use]
pub fn sentence(request: &FriendRequest, outcome: &FriendOutcome, name: &str) -> Cow<'static, str> {
    match (outcome, request) {
        (FriendOutcome::Done, FriendRequest::Ask { .. }) => t!("people.request_sent", name = name),
        (FriendOutcome::Done, FriendRequest::Accept) => t!("people.are_friends", name = name),
        (FriendOutcome::Done, FriendRequest::Decline) => t!("people.you_declined", name = name),
        (FriendOutcome::Done, FriendRequest::End) => t!("people.ended", name = name),
        (FriendOutcome::Question(question), _) => {
            t!("people.question", name = name, question = shown::within(question))
        }
        (FriendOutcome::Refused(code), _) => match code {
            Code::Yourself => t!("gui.not_oneself"),
            Code::AlreadyFriends => t!("people.already", name = name),
            Code::NoAccount => t!("friend.nobody", name = name),
            Code::NotWanted => t!("people.not_wanted", name = name),
            Code::WrongAnswer => t!("people.wrong_answer"),
            Code::TooMany => t!("people.too_many"),
            Code::TryLater => t!("people.too_often"),
            Code::BadField => t!("people.too_long"),
            Code::AccountExists
            | Code::MadeAnew
            | Code::WrongPassword
            | Code::BadToken
            | Code::InUse
            | Code::NotLoggedIn
            | Code::IdConflict
            | Code::MailboxFull
            | Code::Malformed
            | Code::OutOfTurn
            | Code::Unknown => t!("people.not_done"),
        },
        (FriendOutcome::Unanswered, _) => t!("people.unanswered"),
        (FriendOutcome::NotHere, _) => t!("people.not_here"),
    }
}

#[cfg(test)]
mod tests;
