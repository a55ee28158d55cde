//! Ending a server from another thread, and waking its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a server from any thread; for signals.
#[derive(Debug, Clone)]
pub struct Stop {
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) waker: Arc<Waker>,
    pub(super) socket: Arc<UdpSocket>,
}

impl Stop {
    /// Asks for a clean end: what is being stored is committed first.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if let Err(error) = self.waker.wake() {
            // The address it listens on is not this machine's any more. On Linux this ends the receiving, though it
            // calls it an error.
            log::warn!("nothing can be sent to the server's own address: {error}");
            let _ = socket2::SockRef::from(&*self.socket).shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Sends an empty datagram to the server's own socket.
#[derive(Debug)]
pub(super) struct Waker {
    pub(super) socket: UdpSocket,
    to: SocketAddr,
}

impl Waker {
    pub(super) fn new(server: SocketAddr) -> io::Result<Self> {
        // Of a link-local address the zone stays.
        let (mut own, mut to) = (server, server);
        let ip = match server.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        own.set_ip(ip);
        own.set_port(0);
        to.set_ip(ip);
        Ok(Self { socket: UdpSocket::bind(own)?, to })
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        // A full socket buffer means that the server is awake already.
        self.socket.send_to(&[], self.to).map(drop)
    }
}
