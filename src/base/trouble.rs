//! What the system says does not work, in words for a person: one place for every face and both languages.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use rust_i18n::t;

/// How the standard library begins an error of looking a name up; what follows are the resolver's own words.
const RESOLVER: &str = "failed to lookup address information";

/// Why something of the system's (a file, a socket, a name) did not work, as part of a sentence in the language of the
/// moment; the system's own words only where nothing is known of it. A log keeps the error itself.
#[must_use]
pub fn words(error: &io::Error) -> String {
    match key(error) {
        Some(key) => said(key).into_owned(),
        None => error.to_string(),
    }
}

/// The words for any error: those of [`words`] for an error of the system, otherwise the error's own sentence.
#[must_use]
pub fn of_any(error: &(dyn std::error::Error + 'static)) -> String {
    error.downcast_ref().map_or_else(|| error.to_string(), words)
}

/// That a name has no address, as an error of looking it up.
#[must_use]
pub fn no_such_name() -> io::Error {
    io::Error::new(ErrorKind::NotFound, said("error.no_such_name"))
}

fn said(key: &'static str) -> Cow<'static, str> {
    t!(key)
}

/// The text for it; none where the error has words of this program's own, or is one nobody has met yet.
fn key(error: &io::Error) -> Option<&'static str> {
    if let Some(found) = name_key(error).or_else(|| number_key(error.raw_os_error()?)) {
        return Some(found);
    }
    // What was made with words says more than its kind.
    if error.get_ref().is_some() {
        return None;
    }
    Some(match error.kind() {
        ErrorKind::NotFound => "error.not_there",
        ErrorKind::PermissionDenied => "error.not_allowed",
        ErrorKind::ReadOnlyFilesystem => "error.read_only",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "error.disk_full",
        ErrorKind::FileTooLarge => "error.too_large",
        ErrorKind::AlreadyExists => "error.there_already",
        ErrorKind::NotADirectory => "error.no_folder",
        ErrorKind::IsADirectory => "error.is_folder",
        ErrorKind::DirectoryNotEmpty => "error.not_empty",
        ErrorKind::InvalidFilename => "error.bad_name",
        ErrorKind::InvalidData => "error.bad_data",
        ErrorKind::UnexpectedEof => "error.too_short",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "error.in_use",
        ErrorKind::ConnectionRefused => "error.nobody_listens",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "error.broken_off",
        ErrorKind::HostUnreachable => "error.no_host",
        ErrorKind::NetworkUnreachable => "error.no_way",
        ErrorKind::NetworkDown => "error.network_down",
        ErrorKind::NotConnected => "error.not_connected",
        ErrorKind::AddrInUse => "error.port_in_use",
        ErrorKind::AddrNotAvailable => "error.not_our_address",
        ErrorKind::BrokenPipe => "error.nobody_reads",
        ErrorKind::TimedOut => "error.too_slow",
        ErrorKind::OutOfMemory => "error.no_memory",
        _ => return None,
    })
}

/// What a resolver says: on Unix in words of the C library, on Windows by number.
fn name_key(error: &io::Error) -> Option<&'static str> {
    if cfg!(windows) {
        match error.raw_os_error() {
            Some(11001 | 11004) => return Some("error.no_such_name"),
            Some(11002) => return Some("error.no_name_server"),
            Some(11003) => return Some("error.name_failed"),
            _ => {}
        }
    }
    let text = error.to_string();
    let text = text.strip_prefix(RESOLVER)?;
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(match () {
        () if has(&["Temporary failure", "Try again"]) => "error.no_name_server",
        () if has(&["not known", "No address", "does not resolve", "Name does not"]) => "error.no_such_name",
        () => "error.name_failed",
    })
}

/// Numbers that the standard library has no kind for.
fn number_key(number: i32) -> Option<&'static str> {
    match number {
        // Too many of this process, and of the system.
        23 | 24 if cfg!(unix) => Some("error.descriptors"),
        4 if cfg!(windows) => Some("error.descriptors"),
        5 if cfg!(unix) => Some("error.device"),
        // Too long for a datagram; a kind of address that is not there; no room for what is to be sent.
        90 if cfg!(target_os = "linux") => Some("error.datagram"),
        97 if cfg!(target_os = "linux") => Some("error.no_family"),
        105 if cfg!(target_os = "linux") => Some("error.no_memory"),
        40 if cfg!(target_os = "macos") => Some("error.datagram"),
        47 if cfg!(target_os = "macos") => Some("error.no_family"),
        55 if cfg!(target_os = "macos") => Some("error.no_memory"),
        10040 if cfg!(windows) => Some("error.datagram"),
        10047 if cfg!(windows) => Some("error.no_family"),
        10055 if cfg!(windows) => Some("error.no_memory"),
        10024 if cfg!(windows) => Some("error.descriptors"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
