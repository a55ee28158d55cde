//! What an operator's command asks of a running server, and how it goes over loopback: sealed datagrams of JSON with
//! a secret that stands in a file of the data folder.
//!
//! Each request has a number of its own and is sent again until it is answered; one that changes something is done
//! once. What is longer than a datagram comes in parts, or is asked for page by page.
//!
//! Its parts: `seal` (datagrams that only who has the secret can read or make), `desk` (each request is done once; class
//! lists lie here until they are whole; both are pure), and `asking` (the command's half, with its socket; the server's is
//! `server::udp::control`).

mod asking;
mod desk;
mod seal;

use serde::{Deserialize, Serialize};

pub(crate) use self::asking::TRIES;
pub use self::asking::{AskError, ControlClient, Greeting, file};
pub use self::desk::{ACCOUNTS, Dispatch, LISTS, RequestDesk};
pub use self::seal::{Direction, Secret};
use super::hasher::Hashed;
use crate::protocol::wire::frame::Key;

/// Most bytes of a datagram. Some systems take no larger ones, even on loopback.
pub const MAX_DATAGRAM: usize = 8_192;
/// Bytes of the accounts in one, which leaves room for what stands around them.
pub const PAGE: usize = 7_000;

/// A request's number, chosen at random by whoever asks.
pub type RequestId = Key<16>;

/// An account to be made. The password was hashed where it was read, so that it goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its name, as [`crate::base::model::Account::new_person`] allows.
    pub name: String,
    /// See [`Hashed`].
    pub salt: Key<16>,
    /// See [`Hashed`].
    pub hash: Key<32>,
}

impl NewAccount {
    /// As the engine keeps it.
    #[must_use]
    pub fn hashed(&self) -> Hashed {
        Hashed { salt: self.salt.0.to_vec(), hash: self.hash.0.to_vec() }
    }

    /// `None` if the hash is not one of ours.
    #[must_use]
    pub fn new(name: String, hashed: &Hashed) -> Option<Self> {
        let (salt, hash) = (hashed.salt.as_slice().try_into().ok()?, hashed.hash.as_slice().try_into().ok()?);
        Some(Self { name, salt: Key(salt), hash: Key(hash) })
    }
}

/// An account as `account list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// Its name.
    pub name: String,
    /// Messages that wait for it.
    pub unread: u64,
    /// Where it is logged in: its plain client's address, or those of its devices.
    pub addresses: Vec<String>,
    /// Somebody is there now; never of a server that does not run.
    pub online: bool,
    /// The plain dialect is closed to it.
    pub secure_only: bool,
}

/// What a command wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case")]
pub enum RequestKind {
    /// Whether the server is there. Answered by [`Answer::Done`].
    Hello,
    /// Accounts by name, those after one. Answered by [`Answer::Accounts`].
    Accounts {
        /// The last one of the page before; none for the first page.
        after: Option<String>,
    },
    /// A new password; every session and token ends. Answered by [`Answer::Done`].
    Reset {
        /// Whose, and what its password is from now on.
        account: NewAccount,
    },
    /// Removes an account with its mailbox. Answered by [`Answer::Done`].
    Delete {
        /// The account's name.
        account: String,
    },
    /// Closes the plain dialect to an account, or opens it. Answered by [`Answer::Done`].
    SecureOnly {
        /// The account's name.
        account: String,
        /// Whether it is closed.
        on: bool,
    },
    /// A part of a class list, the first being 0. Answered by [`Answer::Done`]; nothing is made yet.
    Part {
        /// Which list.
        list: RequestId,
        /// Which part.
        part: u32,
        /// Of these.
        accounts: Vec<NewAccount>,
    },
    /// Makes all accounts of a list at once. Answered by [`Answer::Imported`].
    Import {
        /// Which list.
        list: RequestId,
        /// So many parts it has.
        parts: u32,
    },
    /// Something a later version wants.
    #[serde(other)]
    Unknown,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedRequest {
    /// Comes back with the answer.
    pub number: RequestId,
    /// What is wanted.
    #[serde(flatten)]
    pub want: RequestKind,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// It is on disk and in force.
    Done,
    /// It is being done; to be asked again.
    Working,
    /// A page; `more` are after it.
    Accounts {
        /// By name.
        rows: Vec<AccountSummary>,
        /// Whether there are others.
        more: bool,
    },
    /// So many were new; those that exist keep their passwords.
    Imported {
        /// How many.
        new: usize,
    },
    /// Nobody of that name.
    NoSuchAccount,
    /// Nothing was changed.
    NotStored {
        /// What the database says.
        error: String,
    },
    /// The list is not here, or not all of it: it was silent for too long.
    ListGone,
    /// The list is too long to be taken at once, or too many are under way.
    TooMuch,
    /// A later version's request, or none.
    #[serde(other)]
    NotUnderstood,
}

/// An answer on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedAnswer {
    /// Of which request.
    pub number: RequestId,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What the engine is given to do; its result comes back as [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// See [`RequestKind::Hello`].
    Hello,
    /// See [`RequestKind::Accounts`].
    Accounts {
        /// After which.
        after: Option<String>,
    },
    /// See [`RequestKind::Reset`].
    Reset {
        /// Whose, and to what.
        account: NewAccount,
    },
    /// See [`RequestKind::Delete`].
    Delete {
        /// The account's name.
        account: String,
    },
    /// See [`RequestKind::SecureOnly`].
    SecureOnly {
        /// The account's name.
        account: String,
        /// Whether.
        on: bool,
    },
    /// See [`RequestKind::Import`].
    Import {
        /// All of them.
        accounts: Vec<NewAccount>,
    },
}
