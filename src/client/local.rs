//! What a client has on this machine, by server: a folder, a port and the server's keys.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::{ClientError, Config};
use crate::net::{Bell, Socket};
use crate::place::PORT;
use crate::private;
use crate::session::Known;

/// Binds the local port of last time again, since servers know a session by it; any other if that
/// is taken.
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
    // A second window at the same time must not take the first one's note.
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

/// The address that a server's datagrams come from, as far as its name tells: 0.0.0.0 is where a
/// server listens, and is this machine; an IPv4 address in IPv6's clothes is one of IPv4.
pub(super) fn reachable(server: SocketAddr) -> SocketAddr {
    let mut server = server;
    server.set_ip(match server.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    });
    server
}

/// Where everything about the server lies. It is named after the server's address, or where the server has a name after the
/// address at which that name was first used: a name that leads elsewhere today is the same server, with
/// the same keys and histories.
pub(super) fn folder(config: &Config) -> PathBuf {
    let home = config.name.as_deref().and_then(|name| home(&config.data, name)).unwrap_or(config.server);
    folder_at(&config.data, home)
}

fn folder_at(data: &Path, server: SocketAddr) -> PathBuf {
    data.join(file_name(&server.to_string()))
}

/// Whether somebody was logged in at this address, under whatever name.
#[must_use]
pub fn used_before(data: &Path, server: SocketAddr) -> bool {
    let files = std::fs::read_dir(folder_at(data, reachable(server))).into_iter().flatten().flatten();
    let told = |name: PathBuf| name.ends_with("keys") || name.extension().is_some_and(|end| end == "sqlite");
    files.map(|file| file.path()).any(told)
}

fn note_of(data: &Path, name: &str) -> PathBuf {
    // Names know no case, and without a port ours is meant.
    let mut name = name.trim().to_lowercase();
    if !name.contains(':') {
        name = format!("{name}:{PORT}");
    }
    data.join("names").join(file_name(&name))
}

fn home(data: &Path, name: &str) -> Option<SocketAddr> {
    std::fs::read_to_string(note_of(data, name)).ok()?.trim().parse().ok()
}

/// Remembers which folder a name's is, once the server there has shown itself.
pub(super) fn keep_home(config: &Config) {
    let Some(name) = &config.name else { return };
    let note = note_of(&config.data, name);
    if note.exists() {
        return;
    }
    let kept =
        private::folder(&config.data.join("names")).and_then(|()| private::write(&note, config.server.to_string()));
    if let Err(error) = kept {
        log::warn!("which folder {name} has is not remembered: {error}");
    }
}

/// What is remembered of the server that was asked for by this name (or address), at this address.
#[must_use]
pub fn known(data: &Path, name: &str, server: SocketAddr) -> Known {
    let home = home(data, name).unwrap_or_else(|| reachable(server));
    let pins = keys_in(&folder_at(data, home));
    Known { secure_only: !pins.is_empty(), pins, foreign: folder_at(data, home).join(FOREIGN).exists() }
}

/// A note of that name says that the server is foreign.
const FOREIGN: &str = "foreign";

/// Whether the server has shown that it knows nothing but the course's protocol.
pub(super) fn is_foreign(config: &Config) -> bool {
    folder(config).join(FOREIGN).exists()
}

/// Remembers that it has, or that it knows more after all.
pub(super) fn keep_foreign(config: &Config, foreign: bool) {
    let note = folder(config).join(FOREIGN);
    if foreign == note.exists() {
        return;
    }
    let kept = if foreign {
        std::fs::create_dir_all(folder(config)).and_then(|()| std::fs::write(&note, []))
    } else {
        std::fs::remove_file(&note)
    };
    if let Err(error) = kept {
        log::warn!("what kind of server this is is not remembered: {error}");
    }
}

/// The keys that the server may show, one a line; none if it was never spoken to in the secure dialect.
pub(super) fn known_keys(config: &Config) -> Vec<Vec<u8>> {
    keys_in(&folder(config))
}

fn keys_in(folder: &Path) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(folder.join("keys")).unwrap_or_default();
    let key = |line: &str| HEXLOWER.decode(line.split_whitespace().next()?.as_bytes()).ok();
    text.lines().filter_map(key).collect()
}

/// Keeps a key beside the known ones.
pub(super) fn keep_key(config: &Config, key: &[u8]) {
    let folder = folder(config);
    let kept = private::folder(&folder).and_then(|()| {
        let mut file = private::open(&folder.join("keys"), std::fs::File::options().append(true).create(true))?;
        writeln!(file, "{} {}", HEXLOWER.encode(key), crate::link::words(key, false))?;
        file.sync_all()
    });
    if let Err(error) = kept {
        log::error!("the server's key is not kept: {error}");
    }
}

/// Whether somebody agreed that passwords go to this server in the plain dialect.
pub(super) fn plain_allowed(config: &Config) -> bool {
    config.allow_plain || folder(config).join("plain").exists()
}

/// Remembers that somebody did.
pub(super) fn keep_consent(config: &Config) {
    let folder = folder(config);
    let kept = private::folder(&folder).and_then(|()| private::write(&folder.join("plain"), []));
    if let Err(error) = kept {
        log::warn!("that the plain dialect will do is not remembered: {error}");
    }
}

/// A name that every file system takes and that is different for different texts.
pub(super) fn file_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        // Case is spelled out, since some file systems fold it.
        if c.is_alphanumeric() && !c.is_uppercase() || c == '-' {
            name.push(c);
        } else {
            name.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    name
}
