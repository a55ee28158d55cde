//! Files and folders that are their owner's alone, whatever the umask says: histories, keys, settings, locks, logs.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes a folder and those above it that are missing; each new one can be entered by its owner alone. One that is
/// there stays as its owner has it.
///
/// # Errors
/// The system's error.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file that only its owner can read and write; one that others could is closed to them.
///
/// # Errors
/// The system's error.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 != 0
            && let Err(error) = file.set_permissions(fs::Permissions::from_mode(mode & 0o700))
        {
            log::warn!("others may be able to read {}: {error}", path.display());
        }
    }
    Ok(file)
}

/// A file that no other process can lock, until this value is dropped or the process ends.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Makes the file if it is missing, and locks it for this process.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if another process holds the lock; else the system's error.
    pub fn take(path: &Path) -> Result<Self, TryLockError> {
        let file = open(path, File::options().create(true).truncate(false).write(true)).map_err(TryLockError::Error)?;
        file.try_lock().map(|()| Self(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do: a child process that is just being started may still have the file open.
        if let Err(error) = self.0.unlock() {
            log::warn!("a lock is held until the program ends: {error}");
        }
    }
}

/// Writes a file that only its owner can read, otherwise like [`std::fs::write`].
///
/// # Errors
/// The system's error.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    open(path, File::options().create(true).write(true).truncate(true))?.write_all(bytes.as_ref())
}

/// Replaces a file atomically with one that only its owner can read: the old content stays until all of the new
/// content is on disk.
///
/// # Errors
/// The system's error; the old content is still there then.
pub fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    // Two windows may write at once, in one program or in two.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new.{}.{}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed)));
    let new = path.with_file_name(name);
    let written = open(&new, File::options().create(true).write(true).truncate(true)).and_then(|mut file| {
        file.write_all(bytes.as_ref())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    sync_folder(path)
}

/// Syncs the folder that holds this path, so that a name created or changed in it survives a power cut.
///
/// # Errors
/// The system's error.
pub fn sync_folder(of: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = of;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_others_could_read_is_closed_to_them() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("open to all");
        write(&path, "new").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).expect("read"), b"new");
    }

    #[test]
    fn a_lock_ends_with_its_owner_though_a_child_has_the_file_open() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("lock");
        let lock = Lock::take(&path).expect("nobody has it");
        assert!(matches!(Lock::take(&path), Err(TryLockError::WouldBlock)));
        // As a process does between its start and its program.
        let child = lock.0.try_clone().expect("a copy");
        drop(lock);
        assert!(Lock::take(&path).is_ok());
        drop(child);
    }
}
