//! Folders and names of files that outlive a power cut.

use std::io;
use std::path::Path;

/// Makes a data directory. Its name, too, is to outlive a power cut.
///
/// # Errors
/// What the system says.
pub(in crate::server) fn make_folder(data: &Path) -> io::Result<()> {
    let new: Vec<&Path> = data.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    crate::private::folder(data)?;
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
