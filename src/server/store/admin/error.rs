//! Why an operator's command failed.

use std::io;
use std::path::PathBuf;

use super::super::StoreError;
use crate::base::model::FieldError;
use crate::base::trouble;
use crate::protocol::wire::item::NAME;
use crate::server::control::{ACCOUNTS, AskError, LISTS};

/// Why a command failed; a sentence for the person who gave it.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An error of SQLite.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// An error of SQLite, as a running server reports it.
    #[error("the database failed: {0}")]
    NotStored(String),
    /// The running server cannot be asked, or does not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// It cannot be found out whether a password was changed; repeating the command does no harm.
    #[error("{0}; the password may have been changed or not, and the command can simply be repeated")]
    Unsure(&'static str),
    /// The class list is too long for a running server, or too many others are under way.
    #[error(
        "the class list: a running server takes {ACCOUNTS} accounts in {LISTS} lists at once, and there would be more; \
         please import it in pieces, in a minute, or beside a stopped server"
    )]
    TooMuch,
    /// The running server has forgotten the list because nothing more came of it for too long.
    #[error("the class list: it was interrupted on its way to the running server; nothing was imported")]
    Interrupted,
    /// There is no account of this name.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// A text that cannot be an account name or a password.
    #[error("line {line}: {field}: {error}")]
    Field {
        /// The line, from 1.
        line: u64,
        /// The field: `account` or `password`.
        field: &'static str,
        /// What is wrong with the text.
        error: FieldError,
    },
    /// A name in a class list that is not fit for a profile.
    #[error("line {line}: the name: {}", not_fit())]
    Name {
        /// From 1.
        line: u64,
    },
    /// The account has as many items as it may have.
    #[error("the account has as many entries as it may have: its owner has to remove one")]
    NoRoom,
    /// A name that was given and is not fit for a profile.
    #[error("the name: {}", not_fit())]
    GivenName,
    /// A line with another number of fields, so that it is unclear which is the password.
    #[error("line {line}: this is not account,password: fields found {found}, expected {expected}")]
    NotAPair {
        /// The line, from 1.
        line: u64,
        /// How many fields it has.
        found: usize,
        /// How many fields it should have: two, or those of the header.
        expected: usize,
    },
    /// An account that is listed twice, so that it is unclear which password is meant.
    #[error("line {line}: the account {account} is on line {first} already; nothing was imported")]
    Twice {
        /// The second line, from 1.
        line: u64,
        /// The first line, from 1.
        first: u64,
        /// The account's name.
        account: String,
    },
    /// A first line that names only one of the two columns.
    #[error(
        "line {0}: a header names both columns, account and password (账号 and 密码), and here one is missing; if it is \
         no header, please put the line account,password before it"
    )]
    HalfHeader(u64),
    /// The class list cannot be read.
    #[error("{}: {}", .path.display(), trouble::words(.error))]
    Read {
        /// The path of the class list.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The text on standard input cannot be a password.
    #[error("{}", given(.0))]
    Given(FieldError),
    /// The file is not valid CSV.
    #[error("the class list: {0}")]
    Csv(#[from] csv::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a password")]
    NoRandom,
    /// The file of the backup already exists.
    #[error("{0} exists already; nothing was written")]
    Exists(String),
    /// The backup could not be written.
    #[error("the backup {path}: {}", trouble::words(.error))]
    Backup {
        /// The path of the backup.
        path: String,
        /// The system's error.
        error: io::Error,
    },
}

/// Says what is wrong with a given password. An empty one often means that the operator expected to be asked for it.
fn given(error: &FieldError) -> String {
    match error {
        FieldError::Empty => "the password is empty; it is read from standard input".to_owned(),
        error => format!("the password, read from standard input: {error}"),
    }
}

/// Returns what is expected of a name in a profile.
fn not_fit() -> String {
    format!("it is to have at most {NAME} characters, something that can be seen, and not to look like a room's")
}
