//! Ends a server from another thread, and wakes its thread.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A handle that ends a server from any thread, as at a signal.
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
            // The address the server listens on is not this machine's any more. On Linux this makes the receiving end,
            // though it is reported as an error.
            log::warn!("nothing can be sent to the server's own address: {error}");
            let _ = socket2::SockRef::from(&*self.socket).shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Wakes the server's thread with an empty datagram to its own socket.
#[derive(Debug)]
pub(super) struct Waker {
    pub(super) socket: UdpSocket,
    to: SocketAddr,
}

impl Waker {
    pub(super) fn new(server: SocketAddr) -> io::Result<Self> {
        // The zone of a link-local address stays.
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
