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

/// Datagrams that may wait for the main loop.
pub const QUEUE: usize = 1_024;
/// After an error that may not pass by itself.
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
    /// Handed to the main loop.
    pub received: u64,
    /// Dropped because the main loop was too slow.
    pub dropped: u64,
    /// From other addresses than the server's.
    pub foreign: u64,
    /// The last of these addresses. Anybody can send from anywhere: it is shown, and nothing is believed of it.
    pub elsewhere: Option<SocketAddr>,
    /// Waiting now.
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

    /// What the receiver has seen.
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
        assert_eq!(
            socket.counts(),
            Counts { received: 100, dropped: 0, foreign: 1, elsewhere: stranger.local_addr().ok(), waiting: 0 }
        );
        socket.send(b"08#").expect("sent");
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

    #[test]
    fn the_port_is_free_when_the_socket_is_dropped() {
        let server = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a socket");
        for own in ["127.0.0.1:0", "0.0.0.0:0"] {
            let open = |own| Socket::open(Some(own), server, Bell::new(|| ()));
            let mut own = own.parse().expect("valid");
            for round in 0..200 {
                let socket = open(own).unwrap_or_else(|e| panic!("{own}, round {round}: {e}"));
                own.set_port(socket.address().expect("bound").port());
            }
        }
    }

    #[test]
    fn errors_do_not_make_it_deaf_nor_keep_it_alive() {
        let server: SocketAddr = "127.0.0.1:9".parse().expect("valid");
        for stop in [false, true] {
            let (queue, arrivals) = crossbeam_channel::bounded(QUEUE);
            let (stopping, stopped) = crossbeam_channel::bounded(0);
            let shared = Arc::new(Shared::default());
            let thread = Receiving { server, queue, shared: Arc::clone(&shared), bell: Bell::new(|| ()), stopped };
            let mut script = vec![ErrorKind::Other, ErrorKind::ConnectionRefused, ErrorKind::NetworkDown];
            let receive = move |_: &mut [u8]| match script.pop() {
                Some(kind) => Err(kind.into()),
                None if stop => Err(ErrorKind::NetworkDown.into()),
                None => Ok((0, server)),
            };
            let begun = Instant::now();
            let running = thread::Builder::new().spawn(move || thread.run(receive)).expect("a thread");
            if stop {
                shared.stopping.store(true, Ordering::Release);
                drop(stopping);
            } else {
                assert!(arrivals.recv_timeout(Duration::from_secs(10)).is_ok(), "it hears again");
                drop(arrivals);
            }
            running.join().expect("no panic");
            assert!(begun.elapsed() < Duration::from_secs(8), "{stop}");
        }
    }

    #[test]
    fn a_server_is_known_by_its_address() {
        for (from, server, known) in [
            ("127.0.0.1:9", "127.0.0.1:9", true),
            ("127.0.0.1:8", "127.0.0.1:9", false),
            ("[fe80::1%2]:9", "[fe80::1%2]:9", true),
            ("[fe80::1%3]:9", "[fe80::1%2]:9", false),
            ("[2001:db8::1]:9", "[2001:db8::1%2]:9", true),
            ("[::ffff:127.0.0.1]:9", "127.0.0.1:9", false),
        ] {
            assert_eq!(same(from.parse().expect("valid"), server.parse().expect("valid")), known, "{from} {server}");
        }
        let mixed = Socket::open(
            Some("[::1]:0".parse().expect("valid")),
            "127.0.0.1:9".parse().expect("valid"),
            Bell::new(|| ()),
        );
        assert_eq!(mixed.map(drop).map_err(|e| e.kind()), Err(ErrorKind::InvalidInput));
    }
}
