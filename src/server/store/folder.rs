//! The data directory: its lock, and file names that survive a power cut.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{SCHEMA_VERSION, StoreError};
use crate::base::migration::copy_of;
use crate::base::private::{self, Lock};

/// Makes a data directory, whose name is synced as well so that it survives a power cut.
///
/// # Errors
/// The system's error.
pub(super) fn make_folder(data: &Path) -> io::Result<()> {
    let new: Vec<&Path> = data.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    private::folder(data)?;
    for folder in new {
        // If the folder above cannot be read or synced, everything else still works.
        if let Err(error) = private::sync_folder(folder) {
            log::warn!("the name of {} may not outlive a power cut: {error}", folder.display());
        }
    }
    Ok(())
}

/// The lock of a data directory. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(in crate::server) struct DataLock(#[allow(dead_code, reason = "held for its lock")] Lock);

/// Returns whether a process holds the lock of a data directory; makes nothing.
pub(super) fn is_locked(data: &Path) -> bool {
    let file = File::open(data.join("lock"));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Locks a data directory for this process.
///
/// # Errors
/// [`StoreError::Locked`] if another process holds the lock.
pub(in crate::server) fn lock(data: &Path) -> Result<DataLock, StoreError> {
    let directory = |error| StoreError::Directory { path: data.to_owned(), error };
    make_folder(data).map_err(directory)?;
    match Lock::take(&data.join("lock")) {
        Ok(lock) => Ok(DataLock(lock)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(directory(error)),
    }
}

/// Returns an error if the database is missing or empty although other files show that there was one. To begin a new
/// one would lose all accounts without a word, and users would only be told that their passwords are wrong.
pub(super) fn lost(data: &Path, path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map(|file| file.len());
    if bytes.as_ref().is_ok_and(|bytes| *bytes > 0) {
        return Ok(());
    }
    let copies = (1..=SCHEMA_VERSION).map(|version| copy_of(path, version));
    let all = [data.join("identity"), path.with_extension("sqlite-wal")].into_iter().chain(copies);
    let shows = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    match all.into_iter().find(shows) {
        Some(beside) => Err(StoreError::Lost { path: path.to_owned(), empty: bytes.is_ok(), beside }),
        None => Ok(()),
    }
}
