//! Folders and names of files that outlive a power cut.

use std::io;
use std::path::{Path, PathBuf};

use super::{SCHEMA_VERSION, StoreError};

/// Makes a data directory. Its name, too, is to outlive a power cut.
///
/// # Errors
/// What the system says.
pub(in crate::server) fn make_folder(data: &Path) -> io::Result<()> {
    let new: Vec<&Path> = data.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    crate::base::private::folder(data)?;
    new.into_iter().for_each(sync_folder);
    Ok(())
}

/// Has the name of a new file or folder outlive a power cut.
pub(super) fn sync_folder(of: &Path) {
    #[cfg(unix)]
    if let Some(parent) = of.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        // Where folders cannot be synced there is nothing better to be done.
        let _ = std::fs::File::open(parent).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = of;
}

/// An empty database is a new one only where nothing says that there was another: else everybody's accounts would be gone
/// without a word, and their passwords wrong.
pub(super) fn lost(data: &Path, path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map(|file| file.len());
    if bytes.as_ref().is_ok_and(|bytes| *bytes > 0) {
        return Ok(());
    }
    let copies = (1..=SCHEMA_VERSION).map(|version| path.with_extension(format!("v{version}.sqlite")));
    let all = [data.join("identity"), path.with_extension("sqlite-wal")].into_iter().chain(copies);
    let shows = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    match all.into_iter().find(shows) {
        Some(beside) => Err(StoreError::Lost { path: path.to_owned(), empty: bytes.is_ok(), beside }),
        None => Ok(()),
    }
}
