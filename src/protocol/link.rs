//! The secure dialect's carrier: QUIC, driven sans-IO. Datagrams and the time come in as arguments;
//! datagrams, frames and the next deadline go out. One [`Link`] serves a client's single connection
//! or all of a server's; what the frames mean is known elsewhere.
//!
//! Source: the secure dialect, "Carrier". Order after each input, as the library wants it: transmits,
//! deadline, events for the endpoint, events for us.
//!
//! Its parts: `values` (what goes in and out), `dial` (racing attempts), `peer` (one connection), `identity`, `tls`,
//! `settings` (found by measuring).

mod dial;
mod identity;
mod peer;
mod settings;
mod tls;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use quinn_proto::{ConnectionError, ConnectionEvent, ConnectionHandle, DatagramEvent, Endpoint, Incoming, VarInt};

use dial::Dial;
pub use identity::{Identity, IdentityError, words};
use peer::Peer;
pub use settings::{LOWEST_WINDOW, is_packet};
pub use values::{CloseReason, Endpoints, Event, Figures, Liveness, Transmit};

/// One connection, or what dials for one. Never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// The longest frame in bytes, its length not counted.
pub const MAX_FRAME: usize = 65_536;
/// Handshakes from addresses not shown to be theirs are asked to come again past this number.
const RETRY_FROM: usize = 64;
/// Handshakes that may be unfinished at once; one more ends the oldest.
const MOST_OPENING: usize = 1_024;
/// The application's code of a server that will not go on with a connection; its reason says why.
pub const REFUSED: u32 = 2;
/// The application's code of a server that ends, and may be back in a moment.
pub const GOING_DOWN: u32 = 3;

/// The application's code of a server for a device in whose place another program with a copy of its folder has
/// logged in.
pub const COPIED: u32 = 4;
/// The application's code of a server for a copied device whose account allows several devices at once; the device
/// may log in again under a new name.
pub const COPIED_BESIDE: u32 = 5;
/// The application's code of a server for a device whose account an operator has deleted or given a new password. The
/// device reconnects at once, and the answer to its login says which.
pub const ENDED: u32 = 6;

/// A client's or a server's end of the carrier.
pub struct Link {
    endpoint: Endpoint,
    peers: HashMap<ConnectionHandle, Peer>,
    handles: HashMap<PeerId, ConnectionHandle>,
    dials: BTreeMap<PeerId, Dial>,
    deadlines: BTreeSet<(Instant, ConnectionHandleKey)>,
    /// On a server, the connections whose handshake is not finished, oldest first.
    opening: BTreeSet<PeerId>,
    /// The bytes received and sent for each connection whose address is not verified yet; they limit what is sent
    /// there.
    unshown: HashMap<ConnectionHandle, (usize, usize)>,
    next_peer: u64,
    moves: u64,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
    buffer: Vec<u8>,
    server: bool,
}

/// `ConnectionHandle` has no order of its own.
type ConnectionHandleKey = usize;

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("peers", &self.handles.len()).field("server", &self.server).finish_non_exhaustive()
    }
}

impl Link {
    /// A client's end. `seed` makes its own choices repeatable, for tests.
    #[must_use]
    pub fn client(seed: Option<[u8; 32]>) -> Self {
        Self::new(Endpoint::new(Arc::new(settings::client_endpoint(seed)), None, false, None), false)
    }

    /// A server's end with its lasting identity.
    ///
    /// # Errors
    /// [`IdentityError`] if the identity's key cannot be used.
    pub fn server(identity: &Identity, seed: Option<[u8; 32]>) -> Result<Self, IdentityError> {
        let config = settings::server(identity)?;
        let endpoint = settings::server_endpoint(identity, seed);
        Ok(Self::new(Endpoint::new(Arc::new(endpoint), Some(Arc::new(config)), false, None), true))
    }

    fn new(endpoint: Endpoint, server: bool) -> Self {
        Self {
            endpoint,
            peers: HashMap::new(),
            handles: HashMap::new(),
            dials: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            opening: BTreeSet::new(),
            unshown: HashMap::new(),
            next_peer: 0,
            moves: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            buffer: Vec::new(),
            server,
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Link::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let dial = self.dials.values().map(Dial::deadline).min();
        let connection = self.deadlines.first().map(|(at, _)| *at);
        dial.into_iter().chain(connection).min()
    }

    fn new_peer(&mut self) -> PeerId {
        self.next_peer += 1;
        PeerId(self.next_peer)
    }

    /// Calls a server; answered by [`Event::Connected`] or [`Event::Lost`]. `pins` are the keys it may
    /// show; none means that any is taken, and the caller keeps the one that [`Event::Connected`] names.
    pub fn connect(&mut self, now: Instant, to: SocketAddr, pins: Vec<Vec<u8>>) -> PeerId {
        let peer = self.new_peer();
        self.dials.insert(peer, Dial::new(now, to, pins));
        self.dial(now, peer);
        peer
    }

    fn dial(&mut self, now: Instant, peer: PeerId) {
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        if let Some(why) = dial.given_up(now) {
            let attempts = dial.take_attempts();
            self.dials.remove(&peer);
            self.close_attempts(now, &attempts);
            self.events.push_back(Event::Lost { peer, why });
            return;
        }
        let Some(config) = dial.attempt(now) else { return };
        let to = dial.to();
        match self.endpoint.connect(now, config, to, "hongyan") {
            Ok((handle, connection)) => {
                if let Some(dial) = self.dials.get_mut(&peer) {
                    dial.began(handle);
                }
                self.peers.insert(handle, Peer::new(peer, connection));
                self.turn(now, handle);
            }
            Err(error) => {
                self.dials.remove(&peer);
                self.events.push_back(Event::Lost { peer, why: CloseReason::Broken(error.to_string()) });
            }
        }
    }

    fn close_attempts(&mut self, now: Instant, attempts: &[ConnectionHandle]) {
        for handle in attempts {
            if let Some(peer) = self.peers.get_mut(handle) {
                peer.forget();
                peer.connection.close(now, VarInt::from_u32(0), bytes::Bytes::new());
                self.turn(now, *handle);
            }
        }
    }

    /// Handles a received datagram whose first byte marks it as the secure dialect's.
    pub fn handle_datagram(&mut self, now: Instant, from: impl Into<Endpoints>, bytes: &[u8]) {
        let Endpoints { other, own } = from.into();
        self.buffer.clear();
        let mut buffer = std::mem::take(&mut self.buffer);
        match self.endpoint.handle(now, other, own, None, BytesMut::from(bytes), &mut buffer) {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some((came, _)) = self.unshown.get_mut(&handle) {
                    *came += bytes.len();
                }
                self.event(now, handle, event);
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.incoming(now, incoming, bytes.len(), &mut buffer),
            Some(DatagramEvent::Response(transmit)) => self.respond(&transmit, &buffer),
            None => {}
        }
        self.buffer = buffer;
    }

    fn respond(&mut self, transmit: &quinn_proto::Transmit, buffer: &[u8]) {
        let bytes = buffer.get(..transmit.size).unwrap_or_default().to_vec();
        self.transmits.push_back(Transmit { to: transmit.destination, from: transmit.src_ip, bytes });
    }

    fn incoming(&mut self, now: Instant, incoming: Incoming, size: usize, buffer: &mut Vec<u8>) {
        buffer.clear();
        let shown = incoming.remote_address_validated();
        if !shown && self.opening.len() >= RETRY_FROM && incoming.may_retry() {
            if let Ok(transmit) = self.endpoint.retry(incoming, buffer) {
                self.respond(&transmit, buffer);
            }
            return;
        }
        match self.endpoint.accept(incoming, now, buffer, None) {
            Ok((handle, connection)) => {
                let peer = self.new_peer();
                self.handles.insert(peer, handle);
                self.peers.insert(handle, Peer::new(peer, connection));
                self.opening.insert(peer);
                if !shown {
                    self.unshown.insert(handle, (size, 0));
                }
                self.turn(now, handle);
                // A peer whose address is validated may still begin many handshakes and finish none.
                if self.opening.len() > MOST_OPENING
                    && let Some(oldest) = self.opening.pop_first()
                {
                    self.close(now, oldest, 0, "took too long");
                }
            }
            Err(error) => {
                log::debug!("a handshake failed at once: {}", error.cause);
                if let Some(transmit) = error.response {
                    self.respond(&transmit, buffer);
                }
            }
        }
    }

    fn event(&mut self, now: Instant, handle: ConnectionHandle, event: ConnectionEvent) {
        if let Some(peer) = self.peers.get_mut(&handle) {
            peer.connection.handle_event(event);
            self.turn(now, handle);
        }
    }

    /// Handles the deadline of [`Link::poll_timeout`]; the owner calls it when that time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, key)) = self.deadlines.first().copied()
            && at <= now
        {
            self.deadlines.pop_first();
            let handle = ConnectionHandle(key);
            if let Some(peer) = self.peers.get_mut(&handle) {
                peer.deadline = None;
                peer.timeout(now);
                self.turn(now, handle);
            }
        }
        let due: Vec<PeerId> = self.dials.iter().filter(|(_, d)| d.deadline() <= now).map(|(id, _)| *id).collect();
        for peer in due {
            self.dial(now, peer);
        }
    }

    /// Sends one frame; false if it is empty or longer than [`MAX_FRAME`], the connection is gone, or more bytes than
    /// four of the longest have wait already: then the other side's next datagram may make room.
    pub fn send(&mut self, now: Instant, peer: PeerId, frame: &[u8]) -> bool {
        let Some(handle) = self.handles.get(&peer).copied() else { return false };
        let Some(to) = self.peers.get_mut(&handle) else { return false };
        let sent = to.queue(frame);
        if sent {
            if self.server {
                to.follow(now);
            }
            self.turn(now, handle);
        }
        sent
    }

    /// An answer is awaited, or no more: while it is, lost packets are found sooner, by sending small
    /// ones after them.
    pub fn hurry(&mut self, now: Instant, peer: PeerId, awaited: bool) {
        if let Some(handle) = self.handles.get(&peer).copied()
            && let Some(peer) = self.peers.get_mut(&handle)
        {
            peer.hurry(now, awaited);
            self.turn(now, handle);
        }
    }

    /// This machine's address may have changed: the other side is asked to look.
    pub fn moved(&mut self, now: Instant) {
        let mut handles: Vec<_> = self.peers.keys().copied().collect();
        handles.sort_unstable_by_key(|handle| handle.0);
        for handle in handles {
            if let Some(peer) = self.peers.get_mut(&handle) {
                peer.connection.local_address_changed();
                peer.connection.ping();
                self.turn(now, handle);
            }
        }
    }

    /// Closes a connection, or gives up calling. Nothing more is heard of it.
    pub fn close(&mut self, now: Instant, peer: PeerId, code: u32, reason: &str) {
        let dial = self.dials.remove(&peer);
        if let Some(handle) = self.handles.remove(&peer)
            && let Some(peer) = self.peers.get_mut(&handle)
        {
            peer.forget();
            let reason = bytes::Bytes::copy_from_slice(reason.as_bytes());
            peer.connection.close(now, VarInt::from_u32(code), reason);
            self.turn(now, handle);
        }
        if let Some(mut dial) = dial {
            self.close_attempts(now, &dial.take_attempts());
        }
    }

    /// Closes every connection, those being opened too, as before the program's end.
    pub fn close_all(&mut self, now: Instant, code: u32, reason: &str) {
        // In their order, so that a run can be repeated.
        let peers: BTreeSet<_> = self.handles.keys().chain(self.dials.keys()).copied().collect();
        for peer in peers {
            self.close(now, peer, code, reason);
        }
    }

    /// Keying material that only the two ends of this connection know, for proving who one is.
    #[must_use]
    pub fn export(&self, peer: PeerId, label: &[u8]) -> Option<[u8; 32]> {
        let peer = self.peers.get(self.handles.get(&peer)?)?;
        let mut key = [0; 32];
        peer.connection.crypto_session().export_keying_material(&mut key, label, &[]).ok()?;
        Some(key)
    }

    /// The figures of a connection, for the connection window.
    #[must_use]
    pub fn figures(&self, peer: PeerId) -> Option<Figures> {
        Some(Figures { moves: self.moves, ..self.peers.get(self.handles.get(&peer)?)?.figures() })
    }

    /// Returns the counters that show whether a connection's other end answers.
    #[must_use]
    pub fn pulse(&self, peer: PeerId) -> Liveness {
        let peer = self.handles.get(&peer).and_then(|handle| self.peers.get(handle));
        peer.map(Peer::pulse).unwrap_or_default()
    }

    /// Bytes that wait here to be sent to this one.
    #[must_use]
    pub fn queued(&self, peer: PeerId) -> usize {
        self.handles.get(&peer).and_then(|handle| self.peers.get(handle)).map_or(0, |peer| peer.queued)
    }

    /// Connections that are open or being opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.peers.len()
    }

    /// Everything that may follow from an input to one connection.
    fn turn(&mut self, now: Instant, handle: ConnectionHandle) {
        loop {
            let Some(peer) = self.peers.get_mut(&handle) else { return };
            peer.flush();
            peer.answer_nudge();
            self.buffer.clear();
            while let Some(transmit) = peer.connection.poll_transmit(now, 1, &mut self.buffer) {
                let bytes = self.buffer.get(..transmit.size).unwrap_or_default().to_vec();
                self.buffer.clear();
                // The library stops only after it has sent too much (RFC 9000, 8.1).
                if let Some((came, went)) = self.unshown.get_mut(&handle) {
                    if *went + bytes.len() > *came * 3 {
                        continue;
                    }
                    *went += bytes.len();
                }
                self.transmits.push_back(Transmit { to: transmit.destination, from: transmit.src_ip, bytes });
            }
            let deadline = peer.next_deadline();
            if deadline != peer.deadline {
                if let Some(old) = peer.deadline {
                    self.deadlines.remove(&(old, handle.0));
                }
                self.deadlines.extend(deadline.map(|at| (at, handle.0)));
                peer.deadline = deadline;
            }
            let mut more = false;
            while let Some(event) = peer.connection.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    peer.connection.handle_event(event);
                    more = true;
                }
            }
            while let Some(event) = peer.connection.poll() {
                peer.note(event);
                more = true;
            }
            let drained = peer.connection.is_drained();
            self.tell(now, handle);
            if drained {
                self.drop_peer(handle);
                return;
            }
            if !more {
                return;
            }
        }
    }

    /// Tells our side what a connection has noted.
    fn tell(&mut self, now: Instant, handle: ConnectionHandle) {
        let Some(peer) = self.peers.get_mut(&handle) else { return };
        let id = peer.id;
        let news = peer.take_news();
        self.moves += u64::from(!self.server && peer.was_challenged());
        let confirmed = !self.server && peer.is_confirmed();
        if news.connected {
            self.opening.remove(&id);
            self.unshown.remove(&handle);
        }
        let (address, key) = (peer.connection.remote_address(), if self.server { Vec::new() } else { peer.key() });
        if news.connected && (self.server || self.dials.contains_key(&id) && !self.handles.contains_key(&id)) {
            self.handles.insert(id, handle);
            self.events.push_back(Event::Connected { peer: id, address, key: key.clone() });
        }
        // Until the other side is known to be connected too, the other attempts go on.
        if confirmed && let Some(mut dial) = self.dials.remove(&id) {
            let others: Vec<_> = dial.take_attempts().into_iter().filter(|h| *h != handle).collect();
            self.close_attempts(now, &others);
            if self.handles.insert(id, handle) != Some(handle) {
                self.events.push_back(Event::Connected { peer: id, address, key });
            }
        }
        self.events.extend(news.frames.into_iter().map(|bytes| Event::Frame { peer: id, bytes }));
        if let Some(broken) = news.broken {
            self.close(now, id, 1, &broken);
            self.events.push_back(Event::Lost { peer: id, why: CloseReason::Broken(broken) });
        } else if let Some(error) = news.lost {
            self.lost(now, id, handle, error);
        }
    }

    fn lost(&mut self, now: Instant, id: PeerId, handle: ConnectionHandle, error: ConnectionError) {
        if self.handles.get(&id) == Some(&handle) {
            self.handles.remove(&id);
            if let Some(mut dial) = self.dials.remove(&id) {
                self.close_attempts(now, &dial.take_attempts());
            }
            self.events.push_back(Event::Lost { peer: id, why: peer::why(error) });
            return;
        }
        // One of several attempts: only a wrong key, or a refusal, ends them all.
        let Some(dial) = self.dials.get_mut(&id) else { return };
        dial.ended(handle);
        let why = match dial.shown_instead() {
            Some(key) => CloseReason::KeyChanged(key),
            None => match peer::why(error) {
                CloseReason::Silent | CloseReason::Closed | CloseReason::Restarted => return,
                why => why,
            },
        };
        let attempts = dial.take_attempts();
        self.dials.remove(&id);
        self.close_attempts(now, &attempts);
        self.events.push_back(Event::Lost { peer: id, why });
    }

    /// Removes everything stored for this handle, because the library reuses handles.
    fn drop_peer(&mut self, handle: ConnectionHandle) {
        if let Some(peer) = self.peers.remove(&handle) {
            self.opening.remove(&peer.id);
            self.unshown.remove(&handle);
            if let Some(at) = peer.deadline {
                self.deadlines.remove(&(at, handle.0));
            }
            if self.handles.get(&peer.id) == Some(&handle) {
                self.handles.remove(&peer.id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
