//! Detects that an account is opened twice on one machine: the second program notifies the first one, which then
//! shows its windows. The first program listens on a UDP port on loopback; the port and a token stand in a file
//! beside the history, and only a datagram with that token counts.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::Bell;

/// The first program's listener for notices of a second one. Dropping it closes the port.
#[derive(Debug)]
pub struct InstanceListener {
    path: PathBuf,
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    rung: AtomicBool,
    count: AtomicU64,
    stopping: AtomicBool,
}

impl InstanceListener {
    /// Opens the listener of the program that holds this history, and writes its port and token into the file beside
    /// it. `bell` rings when a second program has sent a notice; [`InstanceListener::rung`] is then true once.
    ///
    /// # Errors
    /// The system gives no socket, thread or random numbers, or the file cannot be written.
    pub fn open(history: &Path, bell: Bell) -> io::Result<Self> {
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(io::Error::other)?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let path = door(history);
        let hex: String = token.iter().map(|b| format!("{b:02x}")).collect();
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?.write_all(format!("{} {hex}", address.port()).as_bytes())?;
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let wait = move || {
            let mut buffer = [0; 64];
            while let Ok((n, _)) = socket.recv_from(&mut buffer) {
                if seen.stopping.load(Ordering::Acquire) {
                    return;
                }
                if buffer.get(..n) == Some(hex.as_bytes()) {
                    seen.count.fetch_add(1, Ordering::Relaxed);
                    seen.rung.store(true, Ordering::Release);
                    bell.ring();
                }
            }
        };
        let thread = thread::Builder::new().name("doorbell".into()).spawn(wait)?;
        Ok(Self { path, address, shared, thread: Some(thread) })
    }

    /// How many notices were received so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Whether a notice was received since the last call.
    #[must_use]
    pub fn rung(&self) -> bool {
        self.shared.rung.swap(false, Ordering::AcqRel)
    }
}

impl Drop for InstanceListener {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        let woken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|s| s.send_to(&[], self.address));
        if woken.is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

/// Notifies the program that holds this history.
///
/// # Errors
/// There is no readable file beside the history that names a port.
pub fn notify(history: &Path) -> io::Result<()> {
    let text = fs::read_to_string(door(history))?;
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "not a door");
    let (port, token) = text.split_once(' ').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(token.as_bytes(), (Ipv4Addr::LOCALHOST, port)).map(drop)
}

fn door(history: &Path) -> PathBuf {
    history.with_extension("door")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_knows_the_token_may_ring() {
        let dir = tempfile::tempdir().expect("a folder");
        let history = dir.path().join("a.sqlite");
        assert!(notify(&history).is_err(), "nobody is there");
        let (rang, rings) = crossbeam_channel::unbounded();
        let bell = Bell::new(move || rang.send(()).unwrap_or(()));
        let door = InstanceListener::open(&history, bell).expect("open");
        UdpSocket::bind("127.0.0.1:0").and_then(|s| s.send_to(b"let me in", door.address)).expect("sent");
        notify(&history).expect("rung");
        assert!(rings.recv_timeout(Duration::from_secs(10)).is_ok());
        assert!(door.rung() && !door.rung());
        assert!(rings.try_recv().is_err(), "the stranger did not ring");
        drop(door);
        assert!(notify(&history).is_err());
    }
}
