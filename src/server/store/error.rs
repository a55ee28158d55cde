//! Why the server's database cannot be used.

use std::io;
use std::path::PathBuf;

use crate::base::migration::MigrationError;
use crate::base::trouble;

/// Why the database cannot be used; each is a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory cannot be made or written.
    #[error("the data directory {path} cannot be used: {}", trouble::words(.error))]
    Directory {
        /// The data directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Another server is using the data directory.
    #[error("the data directory {0} is in use by another server")]
    Locked(PathBuf),
    /// The database is missing or empty, though a server has run here.
    #[error(
        "the database {path} {}, but {} shows that a server has run here. Put the database back from a backup; or, to \
         begin anew without its accounts and messages, take both away",
        if *.empty { "is empty" } else { "is missing" }, .beside.display()
    )]
    Lost {
        /// The database file.
        path: PathBuf,
        /// Whether the file exists but is empty.
        empty: bool,
        /// The file that shows that a server has run here.
        beside: PathBuf,
    },
    /// There is no database to read.
    #[error("there is no database {0}; is it the right data directory?")]
    Missing(PathBuf),
    /// The database was written by an earlier program and is only to be read.
    #[error("the database has schema version {found}, this program writes {known}; the server brings it up to date")]
    Older {
        /// The schema version of the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// An older database cannot be migrated, because no copy of it could be made.
    #[error("the database is to be brought up to date, but no backup {path} could be made: {}", trouble::words(.error))]
    Backup {
        /// The path of the copy.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The database was written by a later program.
    #[error("the database has schema version {found}, this program knows up to {known}; please use a newer program")]
    Newer {
        /// The schema version of the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// The file is damaged or not a database.
    #[error("the database {path} is damaged or not a database: {error}")]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// SQLite's error.
        error: rusqlite::Error,
    },
    /// Another error of SQLite.
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
