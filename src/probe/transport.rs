//! What carries the probe's datagrams: real sockets, or a server in memory with a virtual clock.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The number of a socket, from 0 on.
pub type SocketIndex = usize;

/// A datagram that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Who sent it, if not the server that is asked.
    pub from: Option<SocketAddr>,
}

/// Several sockets towards one server, and a clock.
pub trait Transport {
    /// Opens a socket, or a new one in place of an old one, with another port.
    ///
    /// # Errors
    /// The system has none.
    fn open(&mut self, desk: SocketIndex) -> io::Result<()>;

    /// Sends a datagram to the server.
    ///
    /// # Errors
    /// The system refused.
    fn send(&mut self, desk: SocketIndex, bytes: &[u8]) -> io::Result<()>;

    /// The next datagram that comes to this socket, waiting `wait` for it at most.
    ///
    /// # Errors
    /// The socket failed; that none came is not an error.
    fn receive(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<Option<Datagram>>;

    /// The time since some beginning.
    fn now(&self) -> Duration;
}
