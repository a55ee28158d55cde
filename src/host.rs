//! Finding, starting and sharing this machine's own server: the same executable as a background
//! process, which ends 60 s after the last person is gone. Whoever starts second loses the data
//! directory's lock and ends; everybody uses the one that won.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::server::udp::{Config, Server, ServerError};

/// How long the local server outlives its last session.
pub const IDLE_EXIT: Duration = Duration::from_secs(60);
const ASK: Duration = Duration::from_millis(200);
const TRIES: u32 = 50;

/// Why there is no local server; a sentence for the login window.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The process could not be started, or no socket be opened.
    #[error("the local server could not be started: {0}")]
    Start(#[from] io::Error),
    /// It does not answer.
    #[error("something listens on {0}, but it does not answer as a server")]
    Silent(SocketAddr),
}

/// Makes sure that a server answers at `listen` (on this machine). Blocks up to 10 s: call it on a
/// thread of its own.
///
/// # Errors
/// See [`HostError`].
pub fn ensure(listen: SocketAddr, data: &Path) -> Result<(), HostError> {
    let socket = UdpSocket::bind((listen.ip(), 0))?;
    socket.set_read_timeout(Some(ASK))?;
    if answers(&socket, listen) {
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve-local").arg("--listen").arg(listen.to_string()).arg("--data").arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    // Out of this terminal's group: Ctrl+C for a window must not end somebody else's chat.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()?;
    if (0..TRIES).any(|_| answers(&socket, listen)) { Ok(()) } else { Err(HostError::Silent(listen)) }
}

/// Any text answer to `08#` shows a server.
fn answers(socket: &UdpSocket, server: SocketAddr) -> bool {
    let mut buffer = [0; 64];
    let asked = socket.send_to(b"08#", server).is_ok();
    let answered = asked
        && socket.recv_from(&mut buffer).is_ok_and(|(n, from)| {
            from == server && crate::wire::looks_like_reply(buffer.get(..n).unwrap_or_default())
        });
    if !asked {
        std::thread::sleep(ASK);
    }
    answered
}

/// The background process itself: serves until it is idle.
///
/// # Errors
/// As [`Server::start`]; losing the race for the data directory among them.
pub fn serve_local(listen: SocketAddr, data: &Path) -> Result<(), ServerError> {
    let config = Config { idle_exit: Some(IDLE_EXIT), ..Config::new(listen, data.to_owned()) };
    Server::start(config)?.wait();
    Ok(())
}
