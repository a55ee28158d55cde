//! Lines of earlier runs, for the arrow keys: commands and datagrams sent by hand. Never a password or a message:
//! messages are kept in the history alone. Only its owner can read the file, which may be deleted at any time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use crate::base::private;

/// How many lines are kept when the program starts; a file with twice as many is shortened.
const KEPT: usize = 500;
/// The most bytes of a line that is kept.
const LONGEST: usize = 1 << 10;
/// The most bytes of the file that are read.
const MOST: u64 = 1 << 20;

/// The file of remembered lines.
#[derive(Debug)]
pub(super) struct Remembered {
    file: PathBuf,
}

impl Remembered {
    /// Opens the file; returns its last lines too.
    pub(super) fn load(file: PathBuf) -> (Self, Vec<String>) {
        let mut bytes = Vec::new();
        let read = File::open(&file).and_then(|mut opened| {
            let begin = opened.metadata()?.len().saturating_sub(MOST);
            opened.seek(io::SeekFrom::Start(begin))?;
            opened.take(MOST).read_to_end(&mut bytes)
        });
        if let Err(error) = read.as_ref().map(drop)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::info!("{}: {error}", file.display());
        }
        let text = String::from_utf8_lossy(&bytes);
        let good = |line: &&str| !line.trim().is_empty() && !line.contains(char::is_control);
        let all: Vec<&str> = text.lines().filter(good).collect();
        let last: Vec<String> =
            all.iter().skip(all.len().saturating_sub(KEPT)).map(|line| (*line).to_owned()).collect();
        if all.len() >= 2 * KEPT
            && let Err(error) = private::replace(&file, last.join("\n") + "\n")
        {
            log::info!("{}: {error}", file.display());
        }
        (Self { file }, last)
    }

    /// Saves a line. If the disk refuses it, that is only logged.
    pub(super) fn keep(&self, line: &str) {
        if line.len() > LONGEST || line.contains(char::is_control) {
            return;
        }
        let kept = self.file.parent().map_or(Ok(()), private::folder).and_then(|()| {
            // Written at once, since another terminal may write too.
            let mut file = private::open(&self.file, File::options().create(true).append(true))?;
            file.write_all(format!("{line}\n").as_bytes())
        });
        if let Err(error) = kept {
            log::info!("{}: {error}", self.file.display());
        }
    }
}

/// Returns whether a datagram sent by hand is kept: not if it is not a valid request, which may be anything, nor a
/// message.
pub(super) fn is_kept(datagram: &str) -> bool {
    let mut bytes = datagram.bytes();
    let code = [bytes.next(), bytes.next(), bytes.next()];
    matches!(code, [Some(a), Some(b), Some(b'#')] if a.is_ascii_digit() && b.is_ascii_digit())
        && !datagram.starts_with("03")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_there_again_bounded_and_their_owners_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("new/lines");
        let (remembered, lines) = Remembered::load(file.clone());
        assert!(lines.is_empty());
        for line in ["add bob 七号", "two\nlines", &"x".repeat(LONGEST + 1), "friends"] {
            remembered.keep(line);
        }
        assert_eq!(Remembered::load(file.clone()).1, ["add bob 七号", "friends"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        }
        (0..2 * KEPT).for_each(|i| remembered.keep(&format!("line {i}")));
        let (_, lines) = Remembered::load(file.clone());
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (KEPT, Some("line 999")));
        assert_eq!(fs::read_to_string(&file).expect("there").lines().count(), KEPT);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        }
        // A file that others can read is closed to them with the next line.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("open to all");
            remembered.keep("who");
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        }
        fs::write(&file, b"good\n\xff\x1b[2J\n\nalso good").expect("written");
        assert_eq!(Remembered::load(file).1, ["good", "also good"]);
    }

    #[test]
    fn no_message_is_kept_and_nothing_that_may_be_a_password() {
        for kept in ["08#", "02#a#******#", "11# => 11:", "09#x"] {
            assert!(is_kept(kept), "{kept}");
        }
        for not in ["03#b#hi#", "secret", "", "8#", "鸿雁#", " 03#b#hi#"] {
            assert!(!is_kept(not), "{not}");
        }
    }
}
