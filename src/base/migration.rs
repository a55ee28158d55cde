//! How a database's file is brought up to the form that this program writes: the client's history and the server's
//! store go the same way, each with its own steps.
//!
//! A newer file is refused before anything of it changes. An older one is copied first, and that copy is on disk under
//! its name before the first step; then all steps are one transaction. So whatever happens, there is the file as it
//! was, or the new one and a copy of the old one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::private;

/// The form of a database, as the way to it from an empty file.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// What the file is called in the log.
    pub what: &'static str,
    /// How SQLite is to treat it while it is open.
    pub pragmas: &'static str,
    /// What makes each version of the one before it; never changed once released. Their number is the newest version.
    pub steps: &'static [&'static str],
}

/// Why a file was not brought up to date; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Written by a later program.
    #[error("it has schema version {found}, this program knows up to {known}")]
    Newer {
        /// The version found in the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// No copy could be made, and the file is never changed without one.
    #[error("no copy {path} could be made: {error}")]
    Copy {
        /// Where the copy was to be written.
        path: PathBuf,
        /// The error that prevented it.
        error: io::Error,
    },
    /// SQLite's error.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Form {
    /// The version this form has, `PRAGMA user_version`.
    #[must_use]
    pub fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    /// The form of an earlier version; of a later one there is none, and of what is no version the form is empty.
    #[must_use]
    pub fn of_version(self, version: i64) -> Self {
        let steps = self.steps.get(..usize::try_from(version).unwrap_or(0)).unwrap_or(self.steps);
        Self { steps, ..self }
    }

    /// Makes the tables of a new file, or brings an older one up to date after a copy ([`copy_of`]) was made.
    ///
    /// # Errors
    /// See [`MigrationError`]; the file is as it was.
    pub fn bring_up_to_date(&self, connection: &Connection, path: &Path) -> Result<(), MigrationError> {
        let (found, known) = (version(connection)?, self.version());
        if found > known {
            return Err(MigrationError::Newer { found, known });
        }
        connection.execute_batch(self.pragmas)?;
        let missing = self.steps.get(usize::try_from(found).unwrap_or(0)..).unwrap_or_default();
        if missing.is_empty() {
            return Ok(());
        }
        if found > 0 {
            let to = copy_of(path, found);
            keep_copy(connection, &to).map_err(|error| MigrationError::Copy { path: to.clone(), error })?;
            let what = self.what;
            log::info!("the {what} is brought from version {found} to {known}; as it was, it is {}", to.display());
        }
        let transaction = connection.unchecked_transaction()?;
        for step in missing {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        Ok(transaction.commit()?)
    }
}

/// Returns a file's schema version; 0 for a new file.
///
/// # Errors
/// SQLite's error.
pub fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The path of the copy that is made before a database of this version is migrated.
#[must_use]
pub fn copy_of(path: &Path, version: i64) -> PathBuf {
    path.with_extension(format!("v{version}.sqlite"))
}

/// The whole file as it is now, in the place of an older copy: that is of the same version, made before an attempt that
/// failed. It is on disk afterwards, and only then has its name.
fn keep_copy(connection: &Connection, to: &Path) -> io::Result<()> {
    let new = to.with_extension("new");
    // Left by an attempt that was interrupted.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    copy(connection, &new)?;
    fs::rename(&new, to)?;
    private::sync_folder(to)
}

/// Writes a consistent copy to a file that is not there yet. What is in it is on disk afterwards; its name is once the
/// folder is synced.
///
/// # Errors
/// The file is there, its name is not UTF-8, the disk. No half copy is left.
pub fn copy(connection: &Connection, to: &Path) -> io::Result<()> {
    let Some(name) = to.to_str() else {
        // SQLite would be given another name than the file made here.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8"));
    };
    // SQLite fills an empty file; so nobody else ever reads what is in it, and nothing is written over.
    let file = private::open(to, File::options().write(true).create_new(true))?;
    let written = connection.execute("VACUUM INTO ?", [name]).map_err(io::Error::other).and_then(|_| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(to);
    }
    written
}

#[cfg(test)]
mod tests;
