//! What goes into the carrier and comes out of it: addresses, datagrams, events, figures.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::PeerId;

/// Why a connection is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// Nobody answered.
    NoAnswer,
    /// The other side was silent for too long.
    Silent,
    /// The other side has forgotten the connection, as after a restart.
    Restarted,
    /// The other side closed it, with its reason.
    ClosedByPeer {
        /// The application's code; 0 for an error of the carrier.
        code: u64,
        /// For people who look at it.
        reason: String,
    },
    /// The server showed another key than the known ones: that key. Nothing was sent to it.
    KeyChanged(Vec<u8>),
    /// It showed none of the known keys, of which some cannot be read; said by the session, never by the link.
    KeysDamaged,
    /// What came was not understood.
    Broken(String),
    /// Closed on this side.
    Closed,
}

/// What happened on the link.
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
        /// From whom.
        peer: PeerId,
        /// The bytes, as they are.
        bytes: Vec<u8>,
    },
    /// It is gone; the id means nobody from now on.
    Lost {
        /// The connection's number.
        peer: PeerId,
        /// Why the connection ended.
        why: CloseReason,
    },
}

/// Between which addresses a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// The other side's.
    pub other: SocketAddr,
    /// The one of this machine's at which it came in, or from which it is to leave; `None` leaves that to the system.
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
    /// Where to.
    pub to: SocketAddr,
    /// From which of this machine's addresses: of a server the one that was asked.
    pub from: Option<IpAddr>,
    /// The bytes, as they are.
    pub bytes: Vec<u8>,
}

/// How a connection is doing, for the connection window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Where the other side is now.
    pub address: SocketAddr,
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// The shortest round trip seen on this path.
    pub least_rtt: Duration,
    /// Packets sent.
    pub sent: u64,
    /// Of these, thought lost.
    pub lost: u64,
    /// Bytes that may be under way at once.
    pub window: u64,
    /// Bytes that wait here to be sent.
    pub queued: usize,
    /// How often the other side saw this end at another address, and asked there whether it is the same.
    pub moves: u64,
}

/// How often one end of a connection has asked the other something, and has heard of it. Both only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Liveness {
    /// How many times something was sent that the other end always answers: all but mere acknowledgements.
    pub asked: u64,
    /// How many QUIC frames came that only the other end can have sent: what it asks, acknowledges, and its end.
    pub heard: u64,
}
