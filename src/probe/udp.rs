//! The probe's own sockets and clock.

#![allow(clippy::disallowed_methods, reason = "the probe's clock is read here, and handed on")]

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::transport::{Datagram, SocketIndex, Transport};

/// Real UDP sockets towards a server.
pub(super) struct Sockets {
    server: SocketAddr,
    sockets: HashMap<SocketIndex, UdpSocket>,
    began: Instant,
    buffer: Vec<u8>,
}

impl Sockets {
    pub fn new(server: SocketAddr) -> Self {
        Self { server, sockets: HashMap::new(), began: Instant::now(), buffer: vec![0; 65_536] }
    }
}

/// Returns the date and time of day as `YYYY-MM-DD HH:MM:SS`, in local time.
pub(super) fn wall_clock() -> String {
    chrono::Local::now().format("%Y-%m-%d %H:%M:%S").to_string()
}

impl Transport for Sockets {
    fn open(&mut self, desk: SocketIndex) -> io::Result<()> {
        let any = match self.server.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        // Not connected, so that an answer from another address is seen rather than filtered out.
        let bind = |socket: Option<UdpSocket>| {
            let new = UdpSocket::bind((any, 0));
            drop(socket);
            new
        };
        // The old socket is closed after the new one is open, so that the new one has another port.
        let old = self.sockets.remove(&desk);
        self.sockets.insert(desk, bind(old)?);
        Ok(())
    }

    fn send(&mut self, desk: SocketIndex, bytes: &[u8]) -> io::Result<()> {
        let socket = self.sockets.get(&desk).ok_or(ErrorKind::NotConnected)?;
        match socket.send_to(bytes, self.server) {
            // ICMP's "port unreachable" for an earlier datagram, which then has no answer.
            Err(error) if error.kind() != ErrorKind::ConnectionRefused => Err(error),
            _ => Ok(()),
        }
    }

    fn receive(&mut self, desk: SocketIndex, wait: Duration) -> io::Result<Option<Datagram>> {
        let socket = self.sockets.get(&desk).ok_or(ErrorKind::NotConnected)?;
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                socket.set_nonblocking(true)?;
            } else {
                socket.set_nonblocking(false)?;
                socket.set_read_timeout(Some(left))?;
            }
            match socket.recv_from(&mut self.buffer) {
                Ok((n, from)) => {
                    let bytes = self.buffer.get(..n).unwrap_or_default().to_vec();
                    return Ok(Some(Datagram { bytes, from: (from != self.server).then_some(from) }));
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut if left.is_zero() => return Ok(None),
                    ErrorKind::WouldBlock
                    | ErrorKind::TimedOut
                    | ErrorKind::Interrupted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionRefused => {}
                    _ => return Err(error),
                },
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}
