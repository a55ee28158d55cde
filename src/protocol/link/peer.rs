//! One connection: frames in and out of its one stream, and small packets that find losses sooner.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn_proto::{
    Connection, ConnectionError, Dir, Event, FrameStats, ReadError, ReadableError, StreamEvent, StreamId,
};
use rustls::pki_types::CertificateDer;

use super::{CloseReason, Figures, Liveness, MAX_FRAME, PeerId, settings};

/// How many small packets follow a message quickly; after them one a second.
const QUICK_NUDGES: u32 = 20;
const SLOW_NUDGE: Duration = Duration::from_secs(1);
/// How many small packets follow an answer, whose receiver has nothing to say to it.
const AFTER_ANSWERS: u32 = 4;
/// Packets of a connection before its losses tell how good the path is.
const YOUNG: u64 = 30;

/// What [`Peer::note`] has gathered.
#[derive(Default)]
pub(super) struct News {
    pub(super) connected: bool,
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) broken: Option<String>,
    pub(super) lost: Option<ConnectionError>,
}

pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) connection: Connection,
    /// What [`super::Link`]'s table of deadlines holds for it.
    pub(super) deadline: Option<Instant>,
    stream: Option<StreamId>,
    /// Bytes of frames that the stream has not taken yet.
    outgoing: VecDeque<Bytes>,
    pub(super) queued: usize,
    /// Bytes of a frame that is not complete.
    incoming: Vec<u8>,
    news: News,
    /// Closed on this side: nobody hears of it.
    forgotten: bool,
    nudge: Option<Instant>,
    nudges: u32,
    /// Whether small packets follow until something is answered; else only [`AFTER_ANSWERS`] more.
    awaited: bool,
    following: u32,
    challenges: u64,
    /// A small packet came whose answer is to leave at once.
    nudged: bool,
}

impl Peer {
    pub(super) fn new(id: PeerId, connection: Connection) -> Self {
        Self {
            id,
            connection,
            deadline: None,
            stream: None,
            outgoing: VecDeque::new(),
            queued: 0,
            incoming: Vec::new(),
            news: News::default(),
            forgotten: false,
            nudge: None,
            nudges: 0,
            awaited: false,
            following: 0,
            challenges: 0,
            nudged: false,
        }
    }

    pub(super) fn forget(&mut self) {
        self.forgotten = true;
        self.outgoing.clear();
        self.incoming = Vec::new();
        self.nudge = None;
    }

    pub(super) fn queue(&mut self, frame: &[u8]) -> bool {
        let Some(length) = u32::try_from(frame.len()).ok().filter(|_| (1..=MAX_FRAME).contains(&frame.len())) else {
            return false;
        };
        if self.queued + frame.len() > settings::MOST_QUEUED {
            return false;
        }
        self.queued += 4 + frame.len();
        self.outgoing.push_back(Bytes::from([&length.to_be_bytes()[..], frame].concat()));
        true
    }

    pub(super) fn hurry(&mut self, now: Instant, awaited: bool) {
        if awaited && !self.awaited {
            self.nudges = 0;
            self.nudge = Some(now + self.quick());
        } else if !awaited && self.following == 0 {
            self.nudge = None;
        }
        self.awaited = awaited;
    }

    /// An answer was sent. Where packets are lost, or may be, small ones after it find out.
    pub(super) fn follow(&mut self, now: Instant) {
        let path = self.connection.stats().path;
        if path.lost_packets > 0 || path.sent_packets < YOUNG {
            self.following = AFTER_ANSWERS;
            let soon = now + self.quick();
            self.nudge.get_or_insert(soon);
        }
    }

    /// A server answers a client's small packet with one of its own where it knows that packets are lost: an
    /// acknowledgement by itself is sent later, and if it is lost not again. A client answers none, so they do not go
    /// round.
    pub(super) fn answer_nudge(&mut self) {
        if std::mem::take(&mut self.nudged)
            && self.connection.side().is_server()
            && self.connection.stats().path.lost_packets > 0
        {
            let _ = self.connection.datagrams().send(Bytes::from_static(b"."), true);
        }
    }

    fn quick(&self) -> Duration {
        (self.connection.rtt() * 3 / 2).max(Duration::from_millis(30))
    }

    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        self.connection.poll_timeout().into_iter().chain(self.nudge).min()
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        if self.connection.poll_timeout().is_some_and(|at| at <= now) {
            self.connection.handle_timeout(now);
        }
        if self.nudge.is_some_and(|at| at <= now) {
            let _ = self.connection.datagrams().send(Bytes::from_static(b"."), true);
            self.nudges += 1;
            self.following = self.following.saturating_sub(1);
            self.nudge = match self.awaited {
                true if self.nudges >= QUICK_NUDGES && self.following == 0 => Some(now + SLOW_NUDGE),
                false if self.following == 0 => None,
                _ => Some(now + self.quick()),
            };
        }
    }

    /// Hands the stream what it takes.
    pub(super) fn flush(&mut self) {
        let Some(stream) = self.stream else { return };
        while let Some(front) = self.outgoing.front_mut() {
            let Ok(taken) = self.connection.send_stream(stream).write(front) else { return };
            self.queued = self.queued.saturating_sub(taken);
            if taken < front.len() {
                let _ = front.split_to(taken);
                return;
            }
            self.outgoing.pop_front();
        }
    }

    pub(super) fn note(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.news.connected = true;
                if self.connection.side().is_client() {
                    self.stream = self.connection.streams().open(Dir::Bi);
                    // The other side learns of the stream with its first bytes: an empty frame, which is nobody's.
                    self.outgoing.push_front(Bytes::from_static(&[0; 4]));
                }
            }
            Event::ConnectionLost { reason } => self.news.lost = Some(reason),
            Event::Stream(StreamEvent::Opened { dir: Dir::Bi }) => {
                self.stream = self.connection.streams().accept(Dir::Bi);
                self.read();
            }
            Event::Stream(StreamEvent::Readable { .. }) => self.read(),
            Event::DatagramReceived => {
                while self.connection.datagrams().recv().is_some() {}
                self.nudged = true;
            }
            // Writable: the turn flushes before it ends.
            Event::Stream(_) | Event::HandshakeDataReady | Event::DatagramsUnblocked => {}
        }
    }

    fn read(&mut self) {
        let Some(stream) = self.stream else { return };
        let mut ended = false;
        let mut received = self.connection.recv_stream(stream);
        match received.read(true) {
            Ok(mut chunks) => {
                loop {
                    match chunks.next(usize::MAX) {
                        Ok(Some(chunk)) => self.incoming.extend_from_slice(&chunk.bytes),
                        Ok(None) | Err(ReadError::Reset(_)) => {
                            ended = true;
                            break;
                        }
                        Err(ReadError::Blocked) => break,
                    }
                }
                let _ = chunks.finalize();
            }
            Err(ReadableError::ClosedStream | ReadableError::IllegalOrderedRead) => {}
        }
        self.split();
        if ended && !self.connection.is_closed() {
            self.news.broken.get_or_insert("the stream ended".to_owned());
        }
    }

    fn split(&mut self) {
        let mut rest = &self.incoming[..];
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_FRAME {
                self.news.broken = Some(format!("a frame of {length} bytes"));
                break;
            }
            let Some((frame, after)) = tail.split_at_checked(length) else { break };
            if !frame.is_empty() {
                self.news.frames.push(frame.to_vec());
            }
            rest = after;
        }
        self.incoming = rest.to_vec();
    }

    pub(super) fn take_news(&mut self) -> News {
        let news = std::mem::take(&mut self.news);
        if self.forgotten { News::default() } else { news }
    }

    /// Whether the other side is known to have finished the handshake too. Our last packets of it may be lost
    /// several times, and each time the wait for them is doubled.
    pub(super) fn is_confirmed(&self) -> bool {
        let received = self.connection.stats().frame_rx;
        received.handshake_done > 0 || received.stream > 0
    }

    /// Whether the other side has asked, since this was asked last, if this end is where it seems to be.
    pub(super) fn was_challenged(&mut self) -> bool {
        let challenges = self.connection.stats().frame_rx.path_challenge;
        std::mem::replace(&mut self.challenges, challenges) < challenges
    }

    /// The other side's raw public key, which a server shows.
    pub(super) fn key(&self) -> Vec<u8> {
        let identity = self.connection.crypto_session().peer_identity();
        let certificates = identity.and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
        certificates.and_then(|list| list.first().map(|key| key.to_vec())).unwrap_or_default()
    }

    pub(super) fn pulse(&self) -> Liveness {
        let stats = self.connection.stats();
        let (sent, came) = (stats.frame_tx, stats.frame_rx);
        Liveness { asked: elicits(&sent), heard: elicits(&came) + came.acks + came.connection_close }
    }

    pub(super) fn figures(&self) -> Figures {
        let path = self.connection.stats().path;
        Figures {
            address: self.connection.remote_address(),
            rtt: path.rtt,
            least_rtt: path.min_rtt,
            sent: path.sent_packets,
            lost: path.lost_packets,
            window: path.cwnd,
            queued: self.queued,
            // Of the whole link, which adds it.
            moves: 0,
        }
    }
}

/// Frames whose packets the other side acknowledges.
fn elicits(frames: &FrameStats) -> u64 {
    let FrameStats { crypto, datagram, ping, stream, new_connection_id, retire_connection_id, .. } = frames;
    let FrameStats { max_data, max_stream_data, path_challenge, path_response, handshake_done, .. } = frames;
    let sum = crypto + datagram + ping + stream + new_connection_id + retire_connection_id;
    sum + max_data + max_stream_data + path_challenge + path_response + u64::from(*handshake_done)
}

pub(super) fn why(error: ConnectionError) -> CloseReason {
    match error {
        ConnectionError::TimedOut => CloseReason::Silent,
        ConnectionError::Reset => CloseReason::Restarted,
        ConnectionError::LocallyClosed => CloseReason::Closed,
        ConnectionError::ApplicationClosed(close) => CloseReason::ClosedByPeer {
            code: close.error_code.into_inner(),
            reason: String::from_utf8_lossy(&close.reason).into_owned(),
        },
        ConnectionError::ConnectionClosed(close) => CloseReason::ClosedByPeer { code: 0, reason: close.to_string() },
        ConnectionError::VersionMismatch | ConnectionError::CidsExhausted | ConnectionError::TransportError(_) => {
            CloseReason::Broken(error.to_string())
        }
    }
}
