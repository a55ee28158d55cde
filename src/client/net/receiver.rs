//! The socket and the thread that only receives from it. Datagrams count only from the server's
//! address; the queue to the main loop is bounded and drops here, counted. At the end the thread is
//! woken by a datagram to the socket itself, and leaving never depends on its join.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};

use super::{Bell, Now, clock};

/// The most datagrams that may wait for the main loop; more are dropped and counted.
pub const QUEUE: usize = 1_024;
/// How long the receiver pauses after a receive error that may persist.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the thread's end is waited for, since its socket holds the port.
const LEAVING: Duration = Duration::from_millis(100);

/// One datagram from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When the receiver got it.
    pub at: Now,
    /// The datagram's bytes.
    pub bytes: Vec<u8>,
}

/// A bound socket with its receiver thread.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    server: SocketAddr,
    arrivals: Receiver<Arrival>,
    shared: Arc<Shared>,
    // Closed first: a receiver that waits for the network to come back ends then.
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    received: AtomicU64,
    dropped: AtomicU64,
    foreign: AtomicU64,
    elsewhere: Mutex<Option<SocketAddr>>,
}

/// What the receiver has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Datagrams handed to the main loop.
    pub received: u64,
    /// Datagrams dropped because the queue was full.
    pub dropped: u64,
    /// Datagrams from addresses other than the server's.
    pub foreign: u64,
    /// The last of these addresses. Anybody can send from anywhere: it is shown, and nothing is believed of it.
    pub elsewhere: Option<SocketAddr>,
    /// Datagrams waiting in the queue now.
    pub waiting: usize,
}

impl Socket {
    /// Binds (`None`: any port of the server's family) and starts the receiver thread.
    ///
    /// # Errors
    /// An address that is in use, not of this machine or not of the server's family; no thread.
    pub fn open(bind: Option<SocketAddr>, server: SocketAddr, bell: Bell) -> io::Result<Self> {
        if bind.is_some_and(|own| own.is_ipv4() != server.is_ipv4()) {
            let why = "one of the local and the server's address is IPv4, the other IPv6";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(bind.unwrap_or(SocketAddr::new(any, 0)))?;
        let (queue, arrivals) = crossbeam_channel::bounded(QUEUE);
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let (ending, ended) = crossbeam_channel::bounded(0);
        let thread = Receiving { server, queue, shared: Arc::clone(&shared), bell, stopped };
        let receiving = socket.try_clone()?;
        let run = move || {
            thread.run(|buffer| receiving.recv_from(buffer));
            // The port is free before the owner hears of the end.
            drop(receiving);
            drop(ending);
        };
        thread::Builder::new().name("receiver".into()).spawn(run)?;
        Ok(Self { socket, server, arrivals, shared, stop: Some(stop), ended })
    }

    /// Sends to the server. Datagram sends do not wait; what the system refuses is lost, as on any
    /// network, and the session sends it again.
    ///
    /// # Errors
    /// What the system says, for the person to see: no network, no way there.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, self.server).map(drop)
    }

    /// The next datagram, if one waits.
    #[must_use]
    pub fn arrival(&self) -> Option<Arrival> {
        self.arrivals.try_recv().ok()
    }

    /// The receiver's counters so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            received: self.shared.received.load(Ordering::Relaxed),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            foreign: self.shared.foreign.load(Ordering::Relaxed),
            elsewhere: *self.shared.elsewhere.lock().unwrap_or_else(PoisonError::into_inner),
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
        self.stop = None;
        if let Ok(own) = self.socket.local_addr() {
            let ip = match own.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            let woken = self.socket.send_to(&[], SocketAddr::new(ip, own.port()));
            if woken.is_ok() {
                let _ = self.ended.recv_timeout(LEAVING);
            }
        }
    }
}

struct Receiving {
    server: SocketAddr,
    queue: Sender<Arrival>,
    shared: Arc<Shared>,
    bell: Bell,
    stopped: Receiver<()>,
}

impl Receiving {
    fn run(self, mut receive: impl FnMut(&mut [u8]) -> io::Result<(usize, SocketAddr)>) {
        // The largest a UDP datagram can be: a longer answer than expected is shown, not cut.
        let mut buffer = vec![0; 65_536];
        let mut trouble = None;
        loop {
            let received = receive(&mut buffer);
            if self.shared.stopping.load(Ordering::Acquire) {
                return;
            }
            match received {
                Ok((n, from)) if same(from, self.server) => {
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    match self.queue.try_send(Arrival { at: clock::now(), bytes }) {
                        Ok(()) => self.shared.received.fetch_add(1, Ordering::Relaxed),
                        Err(TrySendError::Full(_)) => self.shared.dropped.fetch_add(1, Ordering::Relaxed),
                        Err(TrySendError::Disconnected(_)) => return,
                    };
                    trouble = None;
                    self.bell.ring();
                }
                Ok((_, from)) => {
                    *self.shared.elsewhere.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
                    self.shared.foreign.fetch_add(1, Ordering::Relaxed);
                }
                // ICMP's "port unreachable": no server there now. The session finds out by its timeouts.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A network that goes away comes back, and a client that has gone deaf would never know.
                Err(error) => {
                    if trouble != Some(error.kind()) {
                        log::error!("receiving failed, and is tried again: {error}");
                        trouble = Some(error.kind());
                    }
                    if self.stopped.recv_timeout(AGAIN) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether a datagram is from there. A zone that only one of both names makes no difference.
fn same(from: SocketAddr, server: SocketAddr) -> bool {
    let zones = match (from, server) {
        (SocketAddr::V6(from), SocketAddr::V6(server)) => (from.scope_id(), server.scope_id()),
        _ => (0, 0),
    };
    let zone = zones.0 == zones.1 || zones.0 == 0 || zones.1 == 0;
    (from.ip(), from.port()) == (server.ip(), server.port()) && zone
}

#[cfg(test)]
mod tests;
