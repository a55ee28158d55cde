//! What a client stores on this machine for each server: a folder, a port and the server's keys.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::{ClientError, Config};
use crate::base::private;
use crate::client::diagnosis::reachable;
use crate::client::net::{Bell, Socket};
use crate::client::session::KnownServer;
use crate::protocol::PORT;
use crate::protocol::link::words;

/// Binds the same local port as last time, because servers identify a session by it, or any other port if that one is
/// taken.
pub(super) fn open_socket(config: &Config, bell: &Bell) -> Result<Socket, ClientError> {
    if config.bind.is_some() {
        return Ok(Socket::open(config.bind, config.server, bell.clone())?);
    }
    let folder = folder(config);
    let file = folder.join("port");
    let port: Option<u16> = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let any: IpAddr = match config.server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let again = port.and_then(|port| {
        let bind = SocketAddr::new(any, port);
        Socket::open(Some(bind), config.server, bell.clone()).ok()
    });
    if let Some(socket) = again {
        return Ok(socket);
    }
    let socket = Socket::open(None, config.server, bell.clone())?;
    // A second window at the same time must not overwrite the first one's note.
    if port.is_none() {
        let written = socket.address().and_then(|own| {
            private::folder(&folder)?;
            private::write(&file, own.port().to_string())
        });
        if let Err(error) = written {
            log::debug!("the local port is not remembered: {error}");
        }
    }
    Ok(socket)
}

/// Returns the folder for everything about the server. It is named after the server's address or, if the server was
/// given by name, after the address at which that name was first used: if the name has another address today, it still
/// is the same server, with the same keys and histories.
pub(super) fn folder(config: &Config) -> PathBuf {
    let home = config.name.as_deref().and_then(|name| home(&config.data, name).ok()?);
    folder_at(&config.data, home.unwrap_or(config.server))
}

fn folder_at(data: &Path, server: SocketAddr) -> PathBuf {
    data.join(file_name(&server.to_string()))
}

/// Returns whether anybody has logged in to this address, under any name.
#[must_use]
pub fn used_before(data: &Path, server: SocketAddr) -> bool {
    let files = std::fs::read_dir(folder_at(data, reachable(server))).into_iter().flatten().flatten();
    let told = |name: PathBuf| name.ends_with(KEYS) || name.extension().is_some_and(|end| end == "sqlite");
    files.map(|file| file.path()).any(told)
}

fn note_of(data: &Path, name: &str) -> PathBuf {
    // Names are not case-sensitive, and a name without a port means the default port.
    let mut name = name.trim().to_lowercase();
    if !name.contains(':') {
        name = format!("{name}:{PORT}");
    }
    data.join("names").join(file_name(&name))
}

/// Returns the address that a name's folder is named after, or `None` for a name that was never used. The error is the
/// note that could not be read.
fn home(data: &Path, name: &str) -> Result<Option<SocketAddr>, PathBuf> {
    let note = note_of(data, name);
    match std::fs::read_to_string(&note) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| note),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(note),
    }
}

/// Remembers which folder belongs to a name, once the server has answered there.
pub(super) fn keep_home(config: &Config) {
    let Some(name) = &config.name else { return };
    if matches!(home(&config.data, name), Ok(Some(_))) {
        return;
    }
    let note = note_of(&config.data, name);
    let kept =
        private::folder(&config.data.join("names")).and_then(|()| private::replace(&note, config.server.to_string()));
    if let Err(error) = kept {
        log::warn!("which folder {name} has is not remembered: {error}");
    }
}

/// Returns what is remembered of the server that the user named like this (by name or address), at this address.
#[must_use]
pub fn known(data: &Path, name: &str, server: SocketAddr) -> KnownServer {
    known_at(data, Some(name), reachable(server))
}

/// Returns what is remembered of the configured server.
pub(super) fn remembered(config: &Config) -> KnownServer {
    known_at(&config.data, config.name.as_deref(), config.server)
}

fn known_at(data: &Path, name: Option<&str>, server: SocketAddr) -> KnownServer {
    // If the note cannot be read, the server may have been used at another address, under which its key is stored.
    let (home, note) = match name.map_or(Ok(None), |name| home(data, name)) {
        Ok(home) => (home.unwrap_or(server), None),
        Err(note) => (server, Some(note)),
    };
    let folder = folder_at(data, home);
    let file = folder.join(KEYS);
    let Keys { pins, damaged } = match std::fs::read(&file) {
        Ok(bytes) => keys_in(&bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Keys::default(),
        Err(error) => {
            log::error!("{}: {error}", file.display());
            Keys { pins: Vec::new(), damaged: true }
        }
    };
    // Keys are kept only of servers that have spoken the secure dialect.
    let secure_only = damaged || !pins.is_empty();
    let damaged = if damaged { Some(file) } else { note };
    if let Some(file) = &damaged {
        log::error!("{} is damaged: no key is taken for the first one", file.display());
    }
    let damaged = damaged.map(|file| file.display().to_string());
    let [foreign, fragile] = [FOREIGN, FRAGILE].map(|note| folder.join(note).exists());
    KnownServer { pins, secure_only, foreign, fragile, damaged }
}

/// The name of the note which says that the server is foreign.
const FOREIGN: &str = "foreign";

/// The name of the note which says that a question of this client may have crashed the server.
const FRAGILE: &str = "fragile";

/// Returns whether the server has shown that it knows only the course's protocol.
pub(super) fn is_foreign(config: &Config) -> bool {
    folder(config).join(FOREIGN).exists()
}

/// Remembers whether the server knows only the course's protocol.
pub(super) fn keep_foreign(config: &Config, foreign: bool) {
    keep_note(config, FOREIGN, foreign);
    if !foreign {
        keep_note(config, FRAGILE, false);
    }
}

/// Remembers that a question of this client may have crashed the server.
pub(super) fn keep_fragile(config: &Config) {
    keep_note(config, FRAGILE, true);
}

fn keep_note(config: &Config, name: &str, wanted: bool) {
    let note = folder(config).join(name);
    if wanted == note.exists() {
        return;
    }
    let kept = if wanted {
        std::fs::create_dir_all(folder(config)).and_then(|()| std::fs::write(&note, []))
    } else {
        std::fs::remove_file(&note)
    };
    if let Err(error) = kept {
        log::warn!("what kind of server this is is not remembered: {error}");
    }
}

/// The name of the note which says whether the server changes passwords in the plain dialect.
const PASSWORDS: &str = "passwords";
const CHANGES: &str = "changes passwords";
const CHANGES_NONE: &str = "changes no passwords";

/// Returns whether the server changes passwords in the plain dialect; `None` if it has not shown that yet.
pub(super) fn changes_passwords(config: &Config) -> Option<bool> {
    let said = std::fs::read_to_string(folder(config).join(PASSWORDS)).ok()?;
    match said.trim() {
        CHANGES => Some(true),
        CHANGES_NONE => Some(false),
        _ => None,
    }
}

/// Remembers whether the server changes passwords in the plain dialect.
pub(super) fn keep_changes_passwords(config: &Config, does: bool) {
    let folder = folder(config);
    let said = if does { CHANGES } else { CHANGES_NONE };
    let kept = private::folder(&folder).and_then(|()| private::replace(&folder.join(PASSWORDS), format!("{said}\n")));
    if let Err(error) = kept {
        log::warn!("whether this server changes passwords is not remembered: {error}");
    }
}

/// The name of the file of the server's pins: one key per line, each with its words.
const KEYS: &str = "keys";
/// The length of a key in bytes.
const KEY: usize = 44;

#[derive(Debug, Default, PartialEq, Eq)]
struct Keys {
    pins: Vec<Vec<u8>>,
    /// Whether the file is empty or has lines that cannot be read.
    damaged: bool,
}

fn keys_in(file: &[u8]) -> Keys {
    let text = String::from_utf8_lossy(file);
    let mut keys = Keys::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match key_in(line) {
            Some(key) => keys.pins.push(key),
            None => keys.damaged = true,
        }
    }
    keys.damaged |= keys.pins.is_empty();
    keys
}

fn key_in(line: &str) -> Option<Vec<u8>> {
    let (digits, said) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let key = HEXLOWER.decode(digits.as_bytes()).ok().filter(|key| key.len() == KEY)?;
    // The words are derived from the key, so a changed digit is noticed.
    (said.is_empty() || said == words(&key, false)).then_some(key)
}

/// Adds a key to the known ones. If the file has lines that cannot be read, it is put aside as `keys.damaged`.
pub(super) fn keep_key(config: &Config, key: &[u8]) {
    let folder = folder(config);
    if let Err(error) = add_key(&folder, key) {
        log::error!("the server's key is not kept in {}: {error}", folder.display());
    }
}

fn add_key(folder: &Path, key: &[u8]) -> io::Result<()> {
    private::folder(folder)?;
    let file = folder.join(KEYS);
    let old = match std::fs::read(&file) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let known = old.as_deref().map(keys_in).unwrap_or_default();
    if let Some(old) = old.filter(|_| known.damaged) {
        private::replace(&folder.join("keys.damaged"), old)?;
    }
    let mut text = String::new();
    for key in known.pins.iter().map(Vec::as_slice).chain([key]) {
        text.push_str(&format!("{} {}\n", HEXLOWER.encode(key), words(key, false)));
    }
    private::replace(&file, text)
}

/// Returns whether the user agreed to send passwords to this server in the plain dialect.
pub(super) fn plain_allowed(config: &Config) -> bool {
    config.allow_plain || folder(config).join("plain").exists()
}

/// Remembers that the user agreed to send passwords to this server in the plain dialect.
pub(super) fn keep_consent(config: &Config) {
    let folder = folder(config);
    let kept = private::folder(&folder).and_then(|()| private::write(&folder.join("plain"), []));
    if let Err(error) = kept {
        log::warn!("that the plain dialect will do is not remembered: {error}");
    }
}

/// Returns a name that every file system accepts and that is different for different texts.
pub(super) fn file_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        // Capital letters are written as their code, because some file systems ignore case.
        if c.is_alphanumeric() && !c.is_uppercase() || c == '-' {
            name.push(c);
        } else {
            name.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    name
}

#[cfg(test)]
mod tests;
