//! The socket and the thread that only receives from it. Datagrams count only from the server's
//! address; the queue to the main loop is bounded and drops here, counted. At the end the thread is
//! woken by a datagram to the socket itself, and leaving never depends on its join.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::{Bell, Now, clock};

/// Datagrams that may wait for the main loop.
pub const QUEUE: usize = 1_024;

/// One datagram from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When the receiver got it.
    pub at: Now,
    /// What.
    pub bytes: Vec<u8>,
}

/// A bound socket with its receiver thread.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    server: SocketAddr,
    arrivals: Receiver<Arrival>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    received: AtomicU64,
    dropped: AtomicU64,
    foreign: AtomicU64,
}

/// What the receiver has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Handed to the main loop.
    pub received: u64,
    /// Dropped because the main loop was too slow.
    pub dropped: u64,
    /// From other addresses than the server's.
    pub foreign: u64,
    /// Waiting now.
    pub waiting: usize,
}

impl Socket {
    /// Binds (`None`: any port of the server's family) and starts the receiver thread.
    ///
    /// # Errors
    /// An address that is in use or not of this machine; no thread.
    pub fn open(bind: Option<SocketAddr>, server: SocketAddr, bell: Bell) -> io::Result<Self> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(bind.unwrap_or(SocketAddr::new(any, 0)))?;
        let (queue, arrivals) = crossbeam_channel::bounded(QUEUE);
        let shared = Arc::new(Shared::default());
        let thread = Receiving { socket: socket.try_clone()?, server, queue, shared: Arc::clone(&shared), bell };
        thread::Builder::new().name("receiver".into()).spawn(move || thread.run())?;
        Ok(Self { socket, server, arrivals, shared })
    }

    /// Sends to the server. Datagram sends do not wait; what the system refuses is lost, as on any
    /// network, and the session sends it again.
    pub fn send(&self, bytes: &[u8]) {
        if let Err(error) = self.socket.send_to(bytes, self.server) {
            log::debug!("a datagram to {} was not sent: {error}", self.server);
        }
    }

    /// The next datagram, if one waits.
    #[must_use]
    pub fn arrival(&self) -> Option<Arrival> {
        self.arrivals.try_recv().ok()
    }

    /// What the receiver has seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            received: self.shared.received.load(Ordering::Relaxed),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            foreign: self.shared.foreign.load(Ordering::Relaxed),
            waiting: self.arrivals.len(),
        }
    }

    /// Where this socket is bound; the client tries to bind the same port at its next start.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Ok(own) = self.socket.local_addr() {
            let ip = match own.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            let _ = self.socket.send_to(&[], SocketAddr::new(ip, own.port()));
        }
    }
}

struct Receiving {
    socket: UdpSocket,
    server: SocketAddr,
    queue: Sender<Arrival>,
    shared: Arc<Shared>,
    bell: Bell,
}

impl Receiving {
    fn run(self) {
        // The largest a UDP datagram can be: a longer answer than expected is shown, not cut.
        let mut buffer = vec![0; 65_536];
        loop {
            let received = self.socket.recv_from(&mut buffer);
            if self.shared.stopping.load(Ordering::Acquire) {
                return;
            }
            match received {
                Ok((n, from)) if from == self.server => {
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    match self.queue.try_send(Arrival { at: clock::now(), bytes }) {
                        Ok(()) => self.shared.received.fetch_add(1, Ordering::Relaxed),
                        Err(TrySendError::Full(_)) => self.shared.dropped.fetch_add(1, Ordering::Relaxed),
                        Err(TrySendError::Disconnected(_)) => return,
                    };
                    self.bell.ring();
                }
                Ok(_) => {
                    self.shared.foreign.fetch_add(1, Ordering::Relaxed);
                }
                // ICMP's "port unreachable": no server there now. The session finds out by its timeouts.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    log::error!("receiving failed: {error}");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn only_the_server_counts_and_nothing_is_left_unrung() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (rang, rings) = crossbeam_channel::unbounded();
        let bell = Bell::new(move || rang.send(()).unwrap_or(()));
        let at = server.local_addr().expect("bound");
        let socket = Socket::open(Some("127.0.0.1:0".parse().expect("valid")), at, bell.clone()).expect("open");
        let own = socket.address().expect("bound");
        stranger.send_to(b"02:01", own).expect("sent");
        for n in 0..100u8 {
            server.send_to(&[n], own).expect("sent");
        }
        let mut got = Vec::new();
        let end = Instant::now() + Duration::from_secs(10);
        while got.len() < 100 && Instant::now() < end {
            let _ = rings.recv_timeout(Duration::from_secs(10));
            bell.answer();
            got.extend(std::iter::from_fn(|| socket.arrival()).flat_map(|a| a.bytes));
        }
        assert_eq!(got, (0..100).collect::<Vec<u8>>());
        assert_eq!(socket.counts(), Counts { received: 100, dropped: 0, foreign: 1, waiting: 0 });
        socket.send(b"08#");
        let mut buffer = [0; 16];
        assert_eq!(server.recv_from(&mut buffer).ok(), Some((3, own)));
    }

    #[test]
    fn a_slow_loop_drops_at_the_receiver() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let at = server.local_addr().expect("bound");
        let socket = Socket::open(Some("127.0.0.1:0".parse().expect("valid")), at, Bell::new(|| ())).expect("open");
        let own = socket.address().expect("bound");
        let end = Instant::now() + Duration::from_secs(10);
        while socket.counts().dropped == 0 && Instant::now() < end {
            server.send_to(b"x", own).expect("sent");
        }
        let counts = socket.counts();
        assert!(counts.dropped > 0 && counts.waiting == QUEUE, "{counts:?}");
    }
}
