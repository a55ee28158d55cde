//! Why a server's database cannot be used.

use std::io;
use std::path::PathBuf;

use crate::base::migration::MigrationError;
use crate::base::trouble;

/// Why the database cannot be used; each is a sentence for whoever runs the server.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or written.
    #[error("the data directory {path} cannot be used: {}", trouble::words(.error))]
    Directory {
        /// The file or folder that this is about.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another server has it.
    #[error("the data directory {0} is in use by another server")]
    Locked(PathBuf),
    /// Gone or empty, though a server has run here.
    #[error(
        "the database {path} {}, but {} shows that a server has run here. Put the database back from a backup; or, to \
         begin anew without its accounts and messages, take both away",
        if *.empty { "is empty" } else { "is missing" }, .beside.display()
    )]
    Lost {
        /// The file or folder that this is about.
        path: PathBuf,
        /// It is there, without a byte.
        empty: bool,
        /// What shows it.
        beside: PathBuf,
    },
    /// Nothing to look at.
    #[error("there is no database {0}; is it the right data directory?")]
    Missing(PathBuf),
    /// Written by an earlier program, and only to be looked at.
    #[error("the database has schema version {found}, this program writes {known}; the server brings it up to date")]
    Older {
        /// In the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// An older database is not changed without a copy.
    #[error("the database is to be brought up to date, but no backup {path} could be made: {}", trouble::words(.error))]
    Backup {
        /// Where to.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Written by a later program.
    #[error("the database has schema version {found}, this program knows up to {known}; please use a newer program")]
    Newer {
        /// In the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// Not a database, or damaged.
    #[error("the database {path} is damaged or not a database: {error}")]
    Damaged {
        /// The file or folder that this is about.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// Anything else SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl From<MigrationError> for StoreError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Newer { found, known } => Self::Newer { found, known },
            MigrationError::Copy { path, error } => Self::Backup { path, error },
            MigrationError::Sqlite(error) => Self::Sqlite(error),
        }
    }
}
