//! How an operator's command asks a running server: sealed datagrams of JSON over loopback, with a secret in a file of
//! the data directory.
//!
//! Each request has a number and is sent again until it is answered; one that changes something is carried out once.
//! What is longer than a datagram is sent in parts, or asked for page by page.
//!
//! Its parts:
//!
//! - `seal`: datagrams that can only be read or made with the secret. Pure.
//! - `desk`: carries each request out once, and collects class lists. Pure.
//! - `asking`: the command's half, with its socket; the server's half is `server::udp::control`.

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
use crate::protocol::wire::item::Profile;

/// The most bytes of a datagram. Some systems take no larger ones, even on loopback.
pub const MAX_DATAGRAM: usize = 8_192;
/// The most bytes of accounts in a datagram, which leaves room for the rest.
pub const PAGE: usize = 7_000;

/// The number of a request, chosen at random by the command.
pub type RequestId = Key<16>;

/// An account to be made. The command hashes the password, so that the password itself is never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// The account's name, as [`crate::base::model::Account::new_person`] allows.
    pub name: String,
    /// The salt; see [`Hashed`].
    pub salt: Key<16>,
    /// The hash; see [`Hashed`].
    pub hash: Key<32>,
    /// The profile of its owner, if the list has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl NewAccount {
    /// Returns the password as the engine keeps it.
    #[must_use]
    pub fn hashed(&self) -> Hashed {
        Hashed { salt: self.salt.0.to_vec(), hash: self.hash.0.to_vec() }
    }

    /// Makes the account from a hash; `None` if its lengths are not those of [`Hashed`].
    #[must_use]
    pub fn new(name: String, hashed: &Hashed) -> Option<Self> {
        let (salt, hash) = (hashed.salt.as_slice().try_into().ok()?, hashed.hash.as_slice().try_into().ok()?);
        Some(Self { name, salt: Key(salt), hash: Key(hash), profile: None })
    }
}

/// An account as `account list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// The account's name.
    pub name: String,
    /// How many messages wait for it.
    pub unread: u64,
    /// The addresses at which it is logged in: of its plain client, or of its devices.
    pub addresses: Vec<String>,
    /// Whether it is online; always false if no server runs.
    pub online: bool,
    /// Whether it may only use the secure dialect.
    pub secure_only: bool,
    /// The name under which its owner is shown to others; empty if none is known.
    #[serde(default)]
    pub shown: String,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case")]
pub enum RequestKind {
    /// Asks whether the server is there. Answered by [`Answer::Done`].
    Hello,
    /// Asks for a page of the list of accounts. Answered by [`Answer::Accounts`].
    Accounts {
        /// The last name of the page before; `None` for the first page.
        after: Option<String>,
    },
    /// Sets a new password; all sessions end and tokens become invalid. Answered by [`Answer::Done`].
    Reset {
        /// The account's name and the hash of its new password.
        account: NewAccount,
    },
    /// Removes an account with its mailbox. Answered by [`Answer::Done`].
    Delete {
        /// The account's name.
        account: String,
    },
    /// Restricts an account to the secure dialect, or allows the plain one again. Answered by [`Answer::Done`].
    SecureOnly {
        /// The account's name.
        account: String,
        /// Whether it is restricted.
        on: bool,
    },
    /// Asks for the name under which an account's owner is shown to others, or sets it. Answered by [`Answer::Name`] or
    /// by [`Answer::Done`].
    Name {
        /// The account.
        account: String,
        /// The new name; empty to remove the profile, `None` to ask for the name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Sends a part of a class list, from part 0 on. Answered by [`Answer::Done`]; no account is made yet.
    Part {
        /// The number of the list.
        list: RequestId,
        /// The number of the part.
        part: u32,
        /// The accounts of this part.
        accounts: Vec<NewAccount>,
    },
    /// Makes all accounts of a list at once. Answered by [`Answer::Imported`].
    Import {
        /// The number of the list.
        list: RequestId,
        /// How many parts the list has.
        parts: u32,
    },
    /// A request of a later version.
    #[serde(other)]
    Unknown,
}

/// A request with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedRequest {
    /// The number, which comes back with the answer.
    pub number: RequestId,
    /// What is asked for.
    #[serde(flatten)]
    pub want: RequestKind,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// The change is on disk and in force.
    Done,
    /// The request is being carried out; ask again.
    Working,
    /// A page of the list of accounts.
    Accounts {
        /// The accounts, in the order of names.
        rows: Vec<AccountSummary>,
        /// Whether there are others after them.
        more: bool,
    },
    /// The list was imported; accounts that exist keep their passwords.
    Imported {
        /// How many accounts are new.
        new: usize,
        /// How many of those that exist had no name in a profile and got one.
        #[serde(default)]
        named: usize,
    },
    /// The account has as many items as it may have, so nothing was changed.
    NoRoom,
    /// The name under which an account's owner is shown to others.
    Name {
        /// The name; empty if there is none.
        name: String,
    },
    /// There is no account of this name.
    NoSuchAccount,
    /// Nothing was changed.
    NotStored {
        /// The error of the database.
        error: String,
    },
    /// The list, or a part of it, is missing: it was forgotten because nothing more came for too long.
    ListGone,
    /// The list is too long, or too many lists are under way.
    TooMuch,
    /// The request is invalid, or of a later version.
    #[serde(other)]
    NotUnderstood,
}

/// An answer with the number of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedAnswer {
    /// The number of the request.
    pub number: RequestId,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What the engine is asked to do; its result comes back as [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// See [`RequestKind::Hello`].
    Hello,
    /// See [`RequestKind::Accounts`].
    Accounts {
        /// The last name of the page before.
        after: Option<String>,
    },
    /// See [`RequestKind::Reset`].
    Reset {
        /// The account's name and the hash of its new password.
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
        /// Whether it is restricted.
        on: bool,
    },
    /// See [`RequestKind::Name`].
    Name {
        /// The account's name.
        account: String,
        /// The new name, if it is to be set.
        name: Option<String>,
    },
    /// See [`RequestKind::Import`].
    Import {
        /// All accounts of the list.
        accounts: Vec<NewAccount>,
    },
}
