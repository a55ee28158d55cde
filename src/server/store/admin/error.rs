//! Why an operator's command was not done.

use std::io;
use std::path::PathBuf;

use super::super::StoreError;
use crate::base::model::FieldError;
use crate::base::trouble;
use crate::server::control::{ACCOUNTS, AskError, LISTS};

/// Why it was not done; a sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What SQLite says to a running server.
    #[error("the database failed: {0}")]
    NotStored(String),
    /// The running server cannot be asked, or does not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nobody can look up whether a password was changed; once more the same changes nothing further.
    #[error("{0}; the password may have been changed or not, and the command can simply be repeated")]
    Unsure(&'static str),
    /// A running server takes no list as long, or no other one for now.
    #[error(
        "the class list: a running server takes {ACCOUNTS} accounts in {LISTS} lists at once, and there would be more; \
         please import it in pieces, in a minute, or beside a stopped server"
    )]
    TooMuch,
    /// The running server has not heard of the list for too long.
    #[error("the class list: it was interrupted on its way to the running server; nothing was imported")]
    Interrupted,
    /// Nobody of that name.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// A text that cannot be an account or a password.
    #[error("line {line}: {field}: {error}")]
    Field {
        /// From 1.
        line: u64,
        /// `account` or `password`.
        field: &'static str,
        /// What is not allowed in it.
        error: FieldError,
    },
    /// A line of another form, of which it is not known what is the password.
    #[error("line {line}: this is not account,password: fields found {found}, expected {expected}")]
    NotAPair {
        /// From 1.
        line: u64,
        /// Fields it has.
        found: usize,
        /// Fields it is to have: two, or those of the header.
        expected: usize,
    },
    /// One account twice, of which it is not known which password is meant.
    #[error("line {line}: the account {account} is on line {first} already; nothing was imported")]
    Twice {
        /// From 1.
        line: u64,
        /// The line that has it first.
        first: u64,
        /// Its name.
        account: String,
    },
    /// A first line that names one of the two columns: half a header.
    #[error(
        "line {0}: a header names both columns, account and password (账号 and 密码), and here one is missing; if it is \
         no header, please put the line account,password before it"
    )]
    HalfHeader(u64),
    /// The file could not be read.
    #[error("{}: {}", .path.display(), trouble::words(.error))]
    Read {
        /// The class list.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The password on standard input cannot be one.
    #[error("{}", given(.0))]
    Given(FieldError),
    /// It is no list.
    #[error("the class list: {0}")]
    Csv(#[from] csv::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a password")]
    NoRandom,
    /// The backup's file is there already.
    #[error("{0} exists already; nothing was written")]
    Exists(String),
    /// The backup could not be written.
    #[error("the backup {path}: {}", trouble::words(.error))]
    Backup {
        /// Where to.
        path: String,
        /// Why not.
        error: io::Error,
    },
}

/// What is wrong with a password that was given; an empty one often was meant to be asked for.
fn given(error: &FieldError) -> String {
    match error {
        FieldError::Empty => "the password is empty; it is read from standard input".to_owned(),
        error => format!("the password, read from standard input: {error}"),
    }
}
