//! The server's socket. It tells at which of this machine's addresses a datagram arrived, and answers from the same
//! one: a client, or a firewall, does not accept an answer from another address. Where a machine has several addresses,
//! as with IPv6's temporary ones, the system would otherwise choose by its own rules.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

use crate::protocol::link::Endpoints;
use crate::server::limits::RecentMap;

/// The size in bytes of the receive buffer, for datagrams that arrive while the server's thread has no processor. The
/// usual size is full after two milliseconds of a flood. Linux grants up to `net.core.rmem_max`.
const BUFFER: usize = 4 << 20;
/// The size in bytes of the largest datagram, or of several that the system hands over at once.
pub(super) const LARGEST: usize = 65_536;
/// Half of the number of clients of whom the address they asked is remembered.
const HALF: usize = 32_768;

/// A bound UDP socket in blocking mode.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UdpSocket,
    /// Present if the socket is bound to all of the machine's addresses; tells which one a datagram came to. That costs
    /// a fifth of the time of each datagram, so a socket bound to one address does without.
    several: Option<UdpSocketState>,
    /// Which address each client asked last, since its answer may have to wait for the disk.
    asked: RecentMap<SocketAddr, IpAddr>,
}

/// Where the received bytes in the buffer came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) from: Endpoints,
    bytes: usize,
    /// The size in bytes of each datagram, if the system has joined several of one size; the last may be shorter.
    each: usize,
}

impl Received {
    /// Returns the datagrams one by one.
    pub(super) fn datagrams<'a>(&self, buffer: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        buffer.get(..self.bytes).unwrap_or_default().chunks(self.each.max(1))
    }
}

impl Socket {
    /// Binds the socket. Port 0 lets the system choose.
    pub(super) fn bind(listen: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen)?;
        if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER) {
            log::debug!("the system's own buffer for datagrams stays: {error}");
        }
        let several = listen.ip().is_unspecified().then(|| UdpSocketState::new((&socket).into())).transpose()?;
        // The library is made for programs that wait elsewhere, but our thread waits in `recv`.
        socket.set_nonblocking(false)?;
        Ok(Self { socket, several, asked: RecentMap::new(HALF) })
    }

    /// Returns the address the socket is bound to.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns another handle of the same socket, for another thread.
    pub(super) fn another(&self) -> io::Result<UdpSocket> {
        self.socket.try_clone()
    }

    /// Sets whether [`Socket::receive`] waits if no datagram is there.
    pub(super) fn waits(&self, waits: bool) -> io::Result<()> {
        self.socket.set_nonblocking(!waits)
    }

    /// Receives the next datagram.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let Some(several) = &self.several else {
            let (bytes, other) = self.socket.recv_from(buffer)?;
            return Ok(Received { from: Endpoints { other, own: None }, bytes, each: bytes });
        };
        let mut meta = [RecvMeta::default()];
        several.recv((&self.socket).into(), &mut [IoSliceMut::new(buffer)], &mut meta)?;
        let [meta] = meta;
        Ok(Received { from: Endpoints { other: meta.addr, own: meta.dst_ip }, bytes: meta.len, each: meta.stride })
    }

    /// Notes which address a client has asked, for its answer.
    pub(super) fn asked(&mut self, from: Endpoints) {
        if let Some(own) = from.own {
            self.asked.note(from.other, own);
        }
    }

    /// Returns the addresses for an answer: it leaves from the address that the client asked last.
    pub(super) fn answering(&self, to: SocketAddr) -> Endpoints {
        Endpoints { other: to, own: self.asked.of(&to).copied() }
    }

    /// Sends a datagram. If the system refuses it, it is lost, as it may be on any network.
    pub(super) fn send(&self, to: Endpoints, bytes: &[u8]) {
        let send = |src_ip| match &self.several {
            Some(several) => {
                let transmit =
                    Transmit { destination: to.other, ecn: None, contents: bytes, segment_size: None, src_ip };
                several.try_send((&self.socket).into(), &transmit)
            }
            None => self.socket.send_to(bytes, to.other).map(drop),
        };
        let sent = match send(to.own) {
            // It cannot be sent from the address that was asked: a broadcast, or one that this machine has lost since.
            Err(_) if to.own.is_some() => send(None),
            sent => sent,
        };
        if let Err(error) = sent {
            log::debug!("a reply to {} was not sent: {error}", to.other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(n: u32) -> Endpoints {
        let other = SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + n), 5_000));
        Endpoints { other, own: Some(std::net::Ipv4Addr::from(0x7f00_0001 + n % 2).into()) }
    }

    #[test]
    fn who_asked_which_address_is_known_of_the_latest_only() {
        let mut socket = Socket::bind("0.0.0.0:0".parse().expect("valid")).expect("a socket");
        let half = u32::try_from(HALF).expect("small");
        (0..3 * half).for_each(|n| socket.asked(ends(n)));
        assert_eq!(socket.answering(ends(0).other), Endpoints { own: None, ..ends(0) });
        for n in [half, 3 * half - 1] {
            assert_eq!(socket.answering(ends(n).other), ends(n));
        }
        assert_eq!((0..3 * half).filter(|n| socket.answering(ends(*n).other).own.is_some()).count(), 2 * HALF);
        socket.asked(Endpoints { own: ends(1).own, ..ends(half) });
        assert_eq!(socket.answering(ends(half).other).own, ends(1).own, "the last one it asked");
    }

    #[test]
    fn joined_datagrams_are_taken_apart() {
        let from = ends(0);
        let came = Received { from, bytes: 7, each: 3 };
        assert_eq!(came.datagrams(b"abcdefg___").collect::<Vec<_>>(), [&b"abc"[..], b"def", b"g"]);
        assert_eq!(Received { from, bytes: 0, each: 0 }.datagrams(b"___").count(), 0);
    }

    #[test]
    fn where_nothing_can_be_sent_from_the_system_chooses() {
        let server = Socket::bind("0.0.0.0:0".parse().expect("valid")).expect("a socket");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        client.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("set");
        let other = client.local_addr().expect("bound");
        for own in ["255.255.255.255", "192.0.2.9", "224.0.0.1"] {
            server.send(Endpoints { other, own: own.parse().ok() }, own.as_bytes());
            let mut buffer = [0; 64];
            let (n, _) = client.recv_from(&mut buffer).expect("an answer");
            assert_eq!(buffer.get(..n), Some(own.as_bytes()));
        }
    }
}
