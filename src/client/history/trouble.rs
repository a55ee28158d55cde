//! What is wrong with the disk or the history's file, distinguished as far as that helps the user.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::{Error, ErrorCode};
use rust_i18n::t;

use super::HistoryError;
use crate::base::migration::MigrationError;
use crate::base::private;

/// The number of bytes that SQLite needs to write at once when it opens a file.
const ROOM: usize = 64 * 1024;

/// What is wrong with a history's file or its disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The disk, or the user's quota on it, is full.
    Full,
    /// The process, or the whole system, has too many open files.
    Descriptors,
    /// The file is damaged.
    Damaged,
    /// The user's programs are not allowed to read or write there.
    Forbidden,
    /// Any other error, in the words of SQLite or the system.
    Other(String),
}

impl Trouble {
    /// Finds the cause of an error. SQLite often reports only that a file cannot be opened or that the disk failed; the
    /// file and its folder are then tried to find out more.
    #[must_use]
    pub fn of(error: &Error, path: &Path) -> Self {
        let damaged = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
        let found = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Some(Self::Full),
            Some(ErrorCode::ReadOnly) => Some(Self::Forbidden),
            Some(code) if damaged.contains(&code) => Some(Self::Damaged),
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => look(path),
            Some(_) => None,
            // A value in a row is not what was written there.
            None => matches!(
                error,
                Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..)
            )
            .then_some(Self::Damaged),
        };
        found.unwrap_or_else(|| Self::Other(error.to_string()))
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        // EMFILE (too many files open in this process) and ENFILE (in the whole system).
        let descriptors = [Some(24), Some(23)];
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Self::Full),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(Self::Forbidden),
            _ if cfg!(unix) && descriptors.contains(&error.raw_os_error()) => Some(Self::Descriptors),
            _ => None,
        }
    }

    /// The trouble in words in the current language, without the file's name.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Full => t!("error.disk_full").into_owned(),
            Self::Descriptors => t!("error.descriptors").into_owned(),
            Self::Damaged => t!("error.damaged_words").into_owned(),
            Self::Forbidden => t!("error.forbidden").into_owned(),
            Self::Other(words) => words.clone(),
        }
    }
}

/// Tries the file and its folder and returns what does not work there.
fn look(path: &Path) -> Option<Trouble> {
    let try_it = path.with_extension("room");
    let tried = File::open(path).and_then(|_| private::write(&try_it, vec![0; ROOM]));
    let _ = fs::remove_file(&try_it);
    tried.err().and_then(|error| Trouble::of_io(&error))
}

impl HistoryError {
    /// Returns why this file could not be opened or read.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Trouble::of(&error, &path) {
            Trouble::Damaged => Self::Damaged { path, error },
            trouble => Self::Trouble { path, trouble },
        }
    }

    /// Returns why this file's schema could not be migrated.
    pub(super) fn of_migration(path: &Path, error: MigrationError) -> Self {
        match error {
            MigrationError::Newer { found, known } => Self::Newer { found, known },
            MigrationError::Copy { path, error } => Self::of_io(&path, error),
            MigrationError::Sqlite(error) => Self::of(path, error),
        }
    }

    /// Returns why this file could not be opened, from an error of the system.
    pub(super) fn of_io(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match Trouble::of_io(&error) {
            Some(trouble) => Self::Trouble { path, trouble },
            None => Self::File { path, error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> Error {
        Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn full_out_of_files_and_damaged_are_told_apart() {
        use rusqlite::ffi;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        fs::write(&path, "here").expect("written");
        assert_eq!(Trouble::of(&error(ffi::SQLITE_FULL), &path), Trouble::Full);
        assert_eq!(Trouble::of(&error(ffi::SQLITE_CORRUPT), &path), Trouble::Damaged);
        assert_eq!(Trouble::of(&error(ffi::SQLITE_NOTADB), &path), Trouble::Damaged);
        assert!(matches!(Trouble::of(&error(ffi::SQLITE_CANTOPEN), &path), Trouble::Other(_)), "all works there");
        assert!(!dir.path().join("a.room").exists());
        let io = |number| Trouble::of_io(&io::Error::from_raw_os_error(number));
        #[cfg(target_os = "linux")]
        assert_eq!([28, 122, 24, 23, 13, 30].map(io), {
            use Trouble::{Descriptors, Forbidden, Full};
            [Full, Full, Descriptors, Descriptors, Forbidden, Forbidden].map(Some)
        });
        assert_eq!(io(5), None);
    }
}
