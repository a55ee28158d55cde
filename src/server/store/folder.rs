//! The data directory: its lock, and names in it that outlive a power cut.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{SCHEMA_VERSION, StoreError};
use crate::base::migration::copy_of;
use crate::base::private;

/// Makes a data directory. Its name, too, is to outlive a power cut.
///
/// # Errors
/// What the system says.
pub(super) fn make_folder(data: &Path) -> io::Result<()> {
    let new: Vec<&Path> = data.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    private::folder(data)?;
    for folder in new {
        // Where the folder above cannot be read or synced, everything else still can.
        if let Err(error) = private::sync_folder(folder) {
            log::warn!("the name of {} may not outlive a power cut: {error}", folder.display());
        }
    }
    Ok(())
}

/// Holds the data directory's lock; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(in crate::server) struct DataLock(#[allow(dead_code, reason = "held for its lock")] File);

/// Whether a process has a data directory; makes nothing.
pub(super) fn is_locked(data: &Path) -> bool {
    let file = File::open(data.join("lock"));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Takes a data directory for this process.
///
/// # Errors
/// [`StoreError::Locked`] when another server has it.
pub(in crate::server) fn lock(data: &Path) -> Result<DataLock, StoreError> {
    let directory = |error| StoreError::Directory { path: data.to_owned(), error };
    make_folder(data).map_err(directory)?;
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = private::open(&data.join("lock"), options).map_err(directory)?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(directory(error)),
    }
}

/// An empty database is a new one only where nothing says that there was another: else everybody's accounts would be gone
/// without a word, and their passwords wrong.
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
