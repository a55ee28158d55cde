//! What goes into the carrier and comes out of it: addresses, datagrams, events, figures.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::PeerId;

/// Why a connection is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// No answer came to the connection attempt.
    NoAnswer,
    /// The other side was silent for too long.
    Silent,
    /// The other side has forgotten the connection, as after a restart.
    Restarted,
    /// The other side closed it, with its reason.
    ClosedByPeer {
        /// The application's code; 0 for an error of the carrier.
        code: u64,
        /// The reason as text, for people.
        reason: String,
    },
    /// The server showed another key than the known ones: that key. Nothing was sent to it.
    KeyChanged(Vec<u8>),
    /// The server showed none of the readable pins, and some pins cannot be read. The session sets this, never the
    /// link.
    KeysDamaged,
    /// The other side sent something invalid; the carrier's description.
    Broken(String),
    /// Closed on this side.
    Closed,
}

/// An event that the link reports to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Frames can be sent. On a client, `key` is the server's public key as 44 bytes of SPKI. It may come once
    /// more on a client, when another attempt has come through and this one has not: then nothing that was
    /// sent so far arrives, and what is exported is new.
    Connected {
        /// The connection's number.
        peer: PeerId,
        /// The other end's address.
        address: SocketAddr,
        /// Shown and proved by the other side; empty on a server.
        key: Vec<u8>,
    },
    /// One frame, without its length.
    Frame {
        /// The connection that it came from.
        peer: PeerId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The connection has ended; its id is not used again.
    Lost {
        /// The connection's number.
        peer: PeerId,
        /// Why the connection ended.
        why: CloseReason,
    },
}

/// The two addresses of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// The other side's address.
    pub other: SocketAddr,
    /// The local address at which the datagram came in or from which it is to leave; `None` leaves the choice to the
    /// system.
    pub own: Option<IpAddr>,
}

impl From<SocketAddr> for Endpoints {
    fn from(other: SocketAddr) -> Self {
        Self { other, own: None }
    }
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The destination.
    pub to: SocketAddr,
    /// The local address to send from; a server answers from the address that it was asked at. `None` leaves the
    /// choice to the system.
    pub from: Option<IpAddr>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How a connection is doing, for the connection window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The other side's current address.
    pub address: SocketAddr,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// The shortest round trip seen on this path.
    pub least_rtt: Duration,
    /// Packets sent.
    pub sent: u64,
    /// How many of the sent packets are believed lost.
    pub lost: u64,
    /// Bytes that may be under way at once.
    pub window: u64,
    /// Bytes that wait here to be sent.
    pub queued: usize,
    /// How often the other side saw this end at another address, and asked there whether it is the same.
    pub moves: u64,
}

/// Counters that show whether the other end of a connection still answers. Both only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Liveness {
    /// How many times something was sent that the other end always answers: all but mere acknowledgements.
    pub asked: u64,
    /// How many QUIC frames came that only the other end can have sent: what it asks, acknowledges, and its end.
    pub heard: u64,
}
