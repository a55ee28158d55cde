//! What carries the probe's datagrams: real sockets, or a server in memory with a virtual clock.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The number of a socket, from 0 on.
pub type SocketIndex = usize;

/// A datagram that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The datagram's bytes.
    pub bytes: Vec<u8>,
    /// The sender's address, if it is not the tested server.
    pub from: Option<SocketAddr>,
}

/// Several sockets towards one server, and a clock.
pub trait Transport {
    /// Opens a socket, or a new one in place of an old one, with another port.
    ///
    /// # Errors
    /// The system gives no socket.
    fn open(&mut self, desk: SocketIndex) -> io::Result<()>;

    /// Sends a datagram to the server.
    ///
    /// # Errors
    /// The system refused to send.
    fn send(&mut self, desk: SocketIndex, bytes: &[u8]) -> io::Result<()>;

    /// The next datagram that comes to this socket, waiting `wait` for it at most.
    ///
    /// # Errors
    /// The socket failed; that none came is not an error.
    fn receive(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<Option<Datagram>>;

    /// The time since a fixed moment.
    fn now(&self) -> Duration;
}
