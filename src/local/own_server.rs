//! Finding, starting and sharing this machine's own server: the same executable as a background process, which ends 60
//! s after the last user has left. Of two that start at the same time, the one that does not get the data directory's
//! lock ends; everybody uses the other.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rust_i18n::t;

use crate::server::udp::{Config, Server, ServerError};

/// How long the local server outlives its last session.
pub const IDLE_EXIT: Duration = Duration::from_secs(60);
const ASK: Duration = Duration::from_millis(200);
const TRIES: u32 = 50;
/// The server that this process started last.
static STARTED: Mutex<Option<Child>> = Mutex::new(None);

/// Why there is no local server; a sentence for the login window.
#[derive(Debug, thiserror::Error)]
pub enum OwnServerError {
    /// The process could not be started, or no socket be opened.
    #[error("{}", t!("error.server_start", error = crate::base::trouble::words(.0)))]
    Start(#[from] io::Error),
    /// The server does not answer at this address.
    #[error("{}", t!("error.server_silent", at = .0))]
    Silent(SocketAddr),
    /// The running server listens on this machine only, and the local network was asked for.
    #[error("{}", t!("error.server_alone"))]
    Alone,
}

/// Makes sure that a server answers at `listen` (on this machine; an unspecified address means for
/// the local network too). Blocks up to 10 s: call it on a thread of its own.
///
/// # Errors
/// [`OwnServerError`] if the server cannot be started or does not answer.
pub fn ensure(listen: SocketAddr, data: &Path) -> Result<(), OwnServerError> {
    let lan = if listen.ip().is_unspecified() { lan_ip() } else { None };
    let near = if listen.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let near = SocketAddr::new(near, listen.port());
    let socket = UdpSocket::bind((near.ip(), 0))?;
    socket.set_read_timeout(Some(ASK))?;
    if answers(&socket, near) {
        return if lan.is_none_or(|ip| serves(ip, listen.port())) { Ok(()) } else { Err(OwnServerError::Alone) };
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve-local").arg("--listen").arg(listen.to_string()).arg("--data").arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    // The server leaves this terminal's process group: Ctrl+C for a window must not end somebody else's chat.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn()?;
    // The process started last time has ended; waiting for it lets the system remove it.
    let last = STARTED.lock().unwrap_or_else(PoisonError::into_inner).replace(child);
    if let Some(mut last) = last {
        let _ = last.try_wait();
    }
    if (0..TRIES).any(|_| answers(&socket, near)) { Ok(()) } else { Err(OwnServerError::Silent(near)) }
}

/// Returns this machine's address in its local network. Connecting a UDP socket sends nothing; it only consults the
/// routing table.
#[must_use]
pub fn lan_ip() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // This address is reserved for documentation; no machine has it.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|at| at.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

/// Whether this machine's server can be reached at this address of its own.
fn serves(ip: IpAddr, port: u16) -> bool {
    let Ok(socket) = UdpSocket::bind((ip, 0)) else { return true };
    let at = SocketAddr::new(ip, port);
    socket.set_read_timeout(Some(ASK)).is_ok() && (0..5).any(|_| answers(&socket, at))
}

/// Sends `08#` and returns whether any reply of the plain dialect comes back.
fn answers(socket: &UdpSocket, server: SocketAddr) -> bool {
    let mut buffer = [0; 64];
    let asked = socket.send_to(b"08#", server).is_ok();
    let answered = asked
        && socket.recv_from(&mut buffer).is_ok_and(|(n, from)| {
            from == server && crate::protocol::wire::looks_like_reply(buffer.get(..n).unwrap_or_default())
        });
    if !asked {
        // Nothing was sent, so no answer can end the wait.
        #[allow(clippy::disallowed_methods, reason = "this thread has nothing else to do")]
        std::thread::sleep(ASK);
    }
    answered
}

/// The background process itself: serves until it is idle, or told to end by a signal.
///
/// # Errors
/// The errors of [`Server::start`] and [`Server::end_at_signals`], for example when another process holds the data
/// directory.
pub fn serve_local(listen: SocketAddr, data: &Path) -> Result<(), ServerError> {
    let config = Config { idle_exit: Some(IDLE_EXIT), ..Config::new(listen, data.to_owned()) };
    let server = Server::start(config)?;
    server.end_at_signals()?;
    server.wait()
}
