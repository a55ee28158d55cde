//! Joins the secure dialect's link to the engine: which datagrams belong to it, what each connection may ask for, and
//! the file with the keys by which devices recognise the server after a restart.
//!
//! Its part:
//!
//! - `frame_queues`: frames that come faster than their device's budget allows.

mod frame_queues;

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::engine::{Engine, Now};
use super::limits::{Buckets, Rate};
use crate::base::{private, trouble};
use crate::protocol::link::{
    Endpoints, Event, GOING_DOWN, Identity, IdentityError, Link, PeerId, REFUSED, Transmit, is_packet,
};
use crate::protocol::wire::frame::FromServer;
use frame_queues::{Admission, FrameQueues};

/// The label of the keying material that a resumption's proof is bound to; see `resume` in the secure dialect.
const LOGIN: &[u8] = b"hongyan login";
/// How long a connection may stay without a login before it is closed; if there are too many, the oldest are closed
/// sooner.
const STRANGER: Duration = Duration::from_secs(30);
const MOST_STRANGERS: usize = 2_048;
/// The most bytes that may wait to be sent on a connection without a login.
const FOR_STRANGERS: usize = 8 << 10;

/// Why the server's keys cannot be used; a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// The file cannot be read or written.
    #[error("the server's keys in {path} cannot be read or kept: {}", trouble::words(.error))]
    File {
        /// The file with the keys.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file is missing although devices know the server's key.
    #[error(
        "the server's keys {0} are missing, but the database knows devices that have met this server. Put the file back \
         from a backup; or, to have a new key, of which every client is warned, start once with --new-key"
    )]
    Missing(PathBuf),
    /// The file is damaged. To every client, a new key would look like another server.
    #[error("{error}: {path}. Put it back from a backup; without it every client is warned of a changed key")]
    Identity {
        /// The file with the keys.
        path: PathBuf,
        /// What is wrong with the file.
        error: IdentityError,
    },
}

/// Returns the key that clients pin, of the server with this data directory; works even while the server runs.
///
/// # Errors
/// See [`CarrierError`]; a server that has never run has no key.
pub fn key(data: &Path) -> Result<Vec<u8>, CarrierError> {
    let path = data.join("identity");
    let bytes = std::fs::read(&path).map_err(|error| CarrierError::File { path: path.clone(), error })?;
    let key = Identity::from_bytes(&bytes).and_then(|identity| identity.public_key());
    key.map_err(|error| CarrierError::Identity { path, error })
}

/// The server's end of all connections of the secure dialect.
#[derive(Debug)]
pub struct Carrier {
    link: Link,
    identity: Identity,
    /// The budgets of handshakes, which cost the server more than the client: for one address, and for all together.
    handshakes: Buckets<IpAddr>,
    beginnings: Buckets<()>,
    /// The budgets of datagrams by connection id, since most of them may be forged copies.
    datagrams: Buckets<[u8; 8]>,
    waiting: FrameQueues,
    strangers: Strangers,
}

/// Connections without a login, and when to look at each next; some have ended already. Each is entered once. One that
/// is logging in at that time is left alone, and is entered again with the next answer if the login fails.
#[derive(Debug, Default)]
struct Strangers {
    due: BTreeSet<(Instant, PeerId)>,
    all: HashSet<PeerId>,
}

impl Strangers {
    fn insert(&mut self, now: Instant, peer: PeerId) {
        if self.all.insert(peer) {
            self.due.insert((now + STRANGER, peer));
        }
    }

    /// Returns the oldest connection, if its time has come or there are too many.
    fn pop(&mut self, now: Instant) -> Option<PeerId> {
        let many = self.all.len() > MOST_STRANGERS;
        let (_, peer) = self.due.first().copied().filter(|(at, _)| many || *at <= now)?;
        self.due.pop_first();
        self.all.remove(&peer);
        Some(peer)
    }
}

impl Carrier {
    /// Reads the keys in this data directory, or makes them at the first start. `met` says that devices know the keys,
    /// so that missing ones are an error.
    ///
    /// # Errors
    /// See [`CarrierError`].
    pub fn open(data: &Path, met: bool) -> Result<Self, CarrierError> {
        let path = data.join("identity");
        if met && !path.exists() {
            return Err(CarrierError::Missing(path));
        }
        let identity = match std::fs::read(&path) {
            Ok(bytes) => Identity::from_bytes(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = Identity::generate();
                // A server that could not keep its keys would be unknown to clients after its next start.
                if let Ok(identity) = &identity
                    && let Err(error) = private::replace(&path, identity.to_bytes())
                {
                    return Err(CarrierError::File { path, error });
                }
                identity
            }
            Err(error) => return Err(CarrierError::File { path, error }),
        };
        identity.and_then(|identity| Self::with(identity, None)).map_err(|error| CarrierError::Identity { path, error })
    }

    /// Makes a carrier with these keys. `seed` makes its random choices repeatable, for tests.
    ///
    /// # Errors
    /// If a key cannot be used.
    pub fn with(identity: Identity, seed: Option<[u8; 32]>) -> Result<Self, IdentityError> {
        Ok(Self {
            link: Link::server(&identity, seed)?,
            identity,
            handshakes: Buckets::new(Rate { per_second: 200.0, burst: 2_000.0 }, 16_384),
            beginnings: Buckets::new(Rate { per_second: 4_000.0, burst: 4_000.0 }, 1),
            datagrams: Buckets::new(Rate { per_second: 5_000.0, burst: 10_000.0 }, 65_536),
            waiting: FrameQueues::default(),
            strangers: Strangers::default(),
        })
    }

    /// Returns the key that clients pin.
    ///
    /// # Errors
    /// If the key cannot be used.
    pub fn public_key(&self) -> Result<Vec<u8>, IdentityError> {
        self.identity.public_key()
    }

    /// Returns whether a datagram belongs to the secure dialect; all others belong to the plain one.
    #[must_use]
    pub fn takes(&self, bytes: &[u8]) -> bool {
        is_packet(bytes) && (bytes.first().is_some_and(|b| *b >= 0xc0) || self.identity.own_id(bytes).is_some())
    }

    /// Handles a datagram of the secure dialect.
    pub fn datagram(&mut self, now: Now, from: impl Into<Endpoints>, bytes: &[u8], engine: &mut Engine) {
        let from = from.into();
        if !self.within_budget(now, from.other, bytes) {
            return;
        }
        self.link.handle_datagram(now.instant, from, bytes);
        self.events(now, engine);
    }

    /// Returns whether a datagram is within the budgets. Looks at its first bytes only, so that dropping it costs next
    /// to nothing.
    fn within_budget(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) -> bool {
        if let Some(id) = self.identity.own_id(bytes) {
            return self.datagrams.take(id, now.instant);
        }
        self.handshakes.take(from.ip(), now.instant) && self.beginnings.take((), now.instant)
    }

    /// Does what is due at [`Carrier::poll_timeout`].
    pub fn timeout(&mut self, now: Now, engine: &mut Engine) {
        self.look_at_strangers(now, engine);
        while let Some((peer, bytes)) = self.waiting.next(now.instant) {
            self.serve(now, peer, &bytes, engine);
        }
        self.link.handle_timeout(now.instant);
        self.events(now, engine);
    }

    /// Sends a frame of the engine. A connection whose client does not read what it asked for is closed.
    pub fn frame(&mut self, now: Now, peer: PeerId, frame: &FromServer, engine: &mut Engine) {
        let stranger = engine.is_stranger(peer);
        if stranger {
            self.strangers.insert(now.instant, peer);
        }
        if stranger && self.link.queued(peer) > FOR_STRANGERS || !self.link.send(now.instant, peer, &frame.encode()) {
            self.close(now, peer, REFUSED, "reads too slowly", engine);
            return;
        }
        self.link.hurry(now.instant, peer, engine.awaits(peer));
    }

    /// Closes connections without a login whose time has come, since anybody could otherwise hold any number of them.
    fn look_at_strangers(&mut self, now: Now, engine: &mut Engine) {
        while let Some(peer) = self.strangers.pop(now.instant) {
            if engine.is_stranger(peer) {
                self.close(now, peer, REFUSED, "nobody logged in", engine);
            }
        }
    }

    /// Closes a connection.
    pub fn close(&mut self, now: Now, peer: PeerId, code: u32, reason: &str, engine: &mut Engine) {
        self.link.close(now.instant, peer, code, reason);
        self.waiting.forget(peer);
        engine.lost(now, peer);
    }

    fn serve(&mut self, now: Now, peer: PeerId, bytes: &[u8], engine: &mut Engine) {
        if let Some(figures) = self.link.figures(peer) {
            engine.moved(peer, figures.address);
        }
        engine.frame(now, peer, bytes);
        self.link.hurry(now.instant, peer, engine.awaits(peer));
    }

    /// Called when the server ends: tells every device, which reconnects once the server is back.
    pub fn end(&mut self, now: Now) {
        self.link.close_all(now.instant, GOING_DOWN, "going down");
    }

    fn events(&mut self, now: Now, engine: &mut Engine) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Connected { peer, address, .. } => {
                    let mut random = [0; 32];
                    match (self.link.export(peer, LOGIN), getrandom::fill(&mut random)) {
                        (Some(exported), Ok(())) => {
                            engine.connected(peer, address, exported, random);
                            self.strangers.insert(now.instant, peer);
                            self.look_at_strangers(now, engine);
                        }
                        _ => self.link.close(now.instant, peer, 1, "no keys"),
                    }
                }
                Event::Frame { peer, bytes } => {
                    match self.waiting.frame(now.instant, peer, bytes, engine.is_stranger(peer)) {
                        Admission::Now(bytes) => self.serve(now, peer, &bytes, engine),
                        Admission::Later => {}
                        Admission::TooMany => self.close(now, peer, REFUSED, "asks too fast", engine),
                    }
                }
                Event::Lost { peer, why } => {
                    self.waiting.forget(peer);
                    log::debug!("a device is gone: {why:?}");
                    engine.lost(now, peer);
                }
            }
        }
    }

    /// Returns the next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.link.poll_transmit()
    }

    /// Returns when [`Carrier::timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let strangers = self.strangers.due.first().map(|(at, _)| *at);
        self.link.poll_timeout().into_iter().chain(strangers).chain(self.waiting.poll_timeout()).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::wire::frame::Code;
    use crate::server::engine::Effect;
    use crate::server::hasher::Job;
    use crate::server::store::{Done, Op, Read, Snapshot};
    use crate::server::{OnSecondLogin, Quotas};

    const BEGINNING: [u8; 40] = {
        let mut bytes = [7; 40];
        (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]) = (0xc0, 0, 0, 0, 1, 8);
        bytes
    };

    fn from(n: u32) -> SocketAddr {
        SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + n), 5_000))
    }

    /// A datagram of a client that is connected.
    fn genuine(identity: &Identity, now: Instant) -> Vec<u8> {
        let (mut server, mut client) = (Link::server(identity, None).expect("a key"), Link::client(None));
        client.connect(now, from(1), Vec::new());
        let mut last = Vec::new();
        for _ in 0..4 {
            while let Some(transmit) = client.poll_transmit() {
                server.handle_datagram(now, from(2), &transmit.bytes);
                last = transmit.bytes;
            }
            while let Some(transmit) = server.poll_transmit() {
                client.handle_datagram(now, from(1), &transmit.bytes);
            }
        }
        last
    }

    #[test]
    fn keys_that_cannot_be_kept_are_not_called_damaged() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = Carrier::open(&dir.path().join("gone"), false).expect_err("nowhere to keep them");
        assert!(matches!(error, CarrierError::File { .. }), "{error}");
        assert!(Carrier::open(dir.path(), false).is_ok() && Carrier::open(dir.path(), true).is_ok());
    }

    #[test]
    fn connections_without_anybody_are_closed() {
        let identity = Identity::generate().expect("random bytes");
        let mut carrier = Carrier::with(identity, None).expect("a key");
        let begun = Instant::now();
        let now = |ms| Now { instant: begun + Duration::from_millis(ms), unix: 0 };
        let (on_second, quotas, local) = (OnSecondLogin::default(), Quotas::default(), |_: i64| String::new());
        let mut engine = Engine::new(on_second, quotas, local, Snapshot::default(), now(0));
        let mut clients: Vec<_> = (0..5).map(|_| Link::client(None)).collect();
        let connect = |carrier: &mut Carrier, engine: &mut Engine, client: &mut Link, n: u32, at: Now| {
            let peer = client.connect(at.instant, from(0), Vec::new());
            for _ in 0..4 {
                while let Some(transmit) = client.poll_transmit() {
                    carrier.datagram(at, from(n), &transmit.bytes, engine);
                }
                while let Some(transmit) = carrier.poll_transmit() {
                    client.handle_datagram(at.instant, from(0), &transmit.bytes);
                }
            }
            peer
        };
        for (n, client) in clients.iter_mut().enumerate() {
            let n = u32::try_from(n).expect("small");
            connect(&mut carrier, &mut engine, client, n, now(u64::from(n)));
        }
        assert_eq!((carrier.link.connections(), carrier.strangers.all.len()), (5, 5));
        // One connection asks for an account, and waits for the hasher.
        let frame = br#"{"t":"register","id":1,"account":"a","password":"a"}"#;
        engine.frame(now(10), PeerId(2), frame);
        let Some(Effect::Store(Op::Read(Read::Person { job, .. }))) = engine.poll_effect() else {
            panic!("looked for")
        };
        engine.stored(now(10), Done::Person { job, person: None });
        let Some(Effect::Hash(Job::New { job, .. })) = engine.poll_effect() else { panic!("hashed") };
        assert!(!engine.is_stranger(PeerId(2)) && engine.is_stranger(PeerId(1)));
        assert_eq!(carrier.poll_timeout().map(|at| at <= begun + STRANGER), Some(true));
        carrier.timeout(now(30_002), &mut engine);
        let left = |engine: &Engine| (1..=5).filter(|n| engine.is_stranger(PeerId(*n))).collect::<Vec<_>>();
        assert_eq!((left(&engine), carrier.strangers.all.len()), (vec![4, 5], 2));
        // The account could not be made.
        engine.not_hashed(now(30_003), job);
        carrier.frame(
            now(30_003),
            PeerId(2),
            &FromServer::Error { id: 1, code: Code::TryLater, reason: None, wait: None },
            &mut engine,
        );
        assert_eq!((left(&engine), carrier.strangers.all.len()), (vec![2, 4, 5], 3));
        carrier.timeout(now(59_000), &mut engine);
        assert_eq!((left(&engine), carrier.strangers.all.len()), (vec![2], 1));
    }

    #[test]
    fn of_connections_without_anybody_the_oldest_go_first() {
        let begun = Instant::now();
        let mut strangers = Strangers::default();
        for n in 0..3_000 {
            strangers.insert(begun + Duration::from_millis(n), PeerId(n));
            strangers.insert(begun + Duration::from_millis(n + 1), PeerId(n));
        }
        let gone: Vec<_> = std::iter::from_fn(|| strangers.pop(begun)).collect();
        assert_eq!((gone.len(), gone.first(), strangers.all.len()), (952, Some(&PeerId(0)), MOST_STRANGERS));
        assert_eq!(strangers.due.len(), MOST_STRANGERS);
    }

    #[test]
    fn whoever_sends_too_much_wears_out_a_budget_of_its_own() {
        let identity = Identity::generate().expect("random bytes");
        let begun = Instant::now();
        let (one, other) = (genuine(&identity, begun), genuine(&identity, begun));
        let mut carrier = Carrier::with(identity, None).expect("a key");
        let mut passed = |seconds: u64, from: &dyn Fn(u32) -> SocketAddr, bytes: &[u8]| {
            let now = Now { instant: begun + Duration::from_secs(seconds), unix: 0 };
            assert!(carrier.takes(bytes));
            (0..20_000).filter(|n| carrier.within_budget(now, from(*n), bytes)).count()
        };
        // One address, then many, then known connections, each at the worst time for it.
        assert_eq!(passed(0, &|_| from(9), &BEGINNING), 2_000);
        assert_eq!(passed(0, &|n| from(100 + n), &BEGINNING), 2_000, "4,000 of all together");
        assert_eq!(passed(0, &|_| from(9), &one), 10_000);
        assert_eq!(passed(0, &|n| from(n), &other), 10_000, "another connection");
        assert_eq!(passed(1, &|_| from(9), &BEGINNING), 200);
        assert_eq!(passed(1, &|n| from(100 + n), &BEGINNING), 3_800);
        assert_eq!(passed(1, &|_| from(9), &one), 5_000);
    }
}
