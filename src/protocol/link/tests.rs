use std::cell::RefCell;
use std::time::Duration;

use super::*;

const RTT: Duration = Duration::from_millis(40);

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Percentages.
#[derive(Clone, Copy)]
struct Faults {
    loss: u64,
    double: u64,
    late: u64,
}

const NONE: Faults = Faults { loss: 0, double: 0, late: 0 };
const BAD: Faults = Faults { loss: 30, double: 10, late: 25 };

/// A client and a server with a network between them, in virtual time.
struct World {
    now: Instant,
    client: Link,
    server: Link,
    client_at: SocketAddr,
    faults: Faults,
    random: u64,
    flying: Vec<(Instant, bool, SocketAddr, Vec<u8>)>,
    /// Everything that was sent: by the server or not, bytes.
    sent: RefCell<Vec<(bool, Vec<u8>)>>,
    client_events: Vec<(Instant, Event)>,
    server_events: Vec<(Instant, Event)>,
}

impl World {
    fn new(seed: u64, identity: &Identity, faults: Faults) -> Self {
        let bytes = [u8::try_from(seed % 251).expect("small"); 32];
        Self {
            now: Instant::now(),
            client: Link::client(Some(bytes)),
            server: Link::server(identity, Some(bytes)).expect("an identity"),
            client_at: at(5_000),
            faults,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            flying: Vec::new(),
            sent: RefCell::default(),
            client_events: Vec::new(),
            server_events: Vec::new(),
        }
    }

    fn percent(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) % 100
    }

    fn fly(&mut self, by_server: bool, to: SocketAddr, bytes: Vec<u8>) {
        self.sent.borrow_mut().push((by_server, bytes.clone()));
        if self.percent() < self.faults.loss {
            return;
        }
        let copies = 1 + usize::from(self.percent() < self.faults.double);
        for _ in 0..copies {
            let late = if self.percent() < self.faults.late { RTT / 2 } else { Duration::ZERO };
            self.flying.push((self.now + RTT / 2 + late, by_server, to, bytes.clone()));
        }
    }

    fn drain(&mut self) {
        while let Some(t) = self.client.poll_transmit() {
            self.fly(false, t.to, t.bytes);
        }
        while let Some(t) = self.server.poll_transmit() {
            self.fly(true, t.to, t.bytes);
        }
        let now = self.now;
        self.client_events.extend(std::iter::from_fn(|| self.client.poll_event()).map(|e| (now, e)));
        self.server_events.extend(std::iter::from_fn(|| self.server.poll_event()).map(|e| (now, e)));
    }

    fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Until `enough`, or for so long; whether it was enough.
    fn run_until(&mut self, time: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        loop {
            self.drain();
            if enough(self) {
                return true;
            }
            self.flying.sort_by_key(|(at, ..)| *at);
            let arrival = self.flying.first().map(|(at, ..)| *at);
            let due = [arrival, self.client.poll_timeout(), self.server.poll_timeout()].into_iter().flatten().min();
            let Some(next) = due.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let (_, by_server, to, bytes) = self.flying.remove(0);
                if !by_server {
                    self.server.handle_datagram(self.now, self.client_at, &bytes);
                } else if to == self.client_at {
                    self.client.handle_datagram(self.now, at(1), &bytes);
                }
            } else {
                self.client.handle_timeout(self.now);
                self.server.handle_timeout(self.now);
            }
        }
    }

    /// Connected: the client's id for it and the server's.
    fn connect(&mut self, pins: Vec<Vec<u8>>) -> (PeerId, PeerId) {
        let peer = self.client.connect(self.now, at(1), pins);
        let connected = |w: &Self| w.client.dials.is_empty() && w.server_peer().is_some();
        assert!(self.run_until(Duration::from_secs(10), connected), "{:?}", self.client_events);
        assert_eq!(self.client_peer(), Some(peer));
        (peer, self.server_peer().expect("connected"))
    }

    fn client_peer(&self) -> Option<PeerId> {
        self.client_events.iter().rev().find_map(|(_, e)| match e {
            Event::Connected { peer, .. } => Some(*peer),
            _ => None,
        })
    }

    /// The server's end of what the client uses: of several attempts more than one may have come through.
    fn server_peer(&self) -> Option<PeerId> {
        let ours = self.client.export(self.client_peer()?, b"which");
        self.server_events.iter().rev().find_map(|(_, e)| match e {
            Event::Connected { peer, .. } if self.server.export(*peer, b"which") == ours => Some(*peer),
            _ => None,
        })
    }

    fn frames(events: &[(Instant, Event)]) -> Vec<String> {
        let frame = |(_, e): &(Instant, Event)| match e {
            Event::Frame { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        };
        events.iter().filter_map(frame).collect()
    }

    fn client_lost(&self) -> Option<CloseReason> {
        self.client_events.iter().find_map(|(_, e)| match e {
            Event::Lost { why, .. } => Some(why.clone()),
            _ => None,
        })
    }
}

fn identity() -> Identity {
    Identity::generate().expect("random bytes")
}

#[test]
fn two_ends_find_each_other_and_talk() {
    let identity = identity();
    let mut world = World::new(1, &identity, NONE);
    let (client, server) = world.connect(Vec::new());
    let shown = world.client_events.iter().find_map(|(_, e)| match e {
        Event::Connected { key, .. } => Some(key.clone()),
        _ => None,
    });
    assert_eq!(shown, Some(identity.public_key().expect("a key")));
    assert!(world.client.send(world.now, client, b"hello") && !world.client.send(world.now, client, b""));
    world.run(Duration::from_secs(1));
    assert!(world.server.send(world.now, server, "你好".as_bytes()));
    world.run(Duration::from_secs(1));
    assert_eq!(World::frames(&world.server_events), ["hello"]);
    assert_eq!(World::frames(&world.client_events), ["你好"]);
    assert_eq!(world.client.export(client, b"login"), world.server.export(server, b"login"));
    assert_ne!(world.client.export(client, b"login"), world.client.export(client, b"other"));
    let figures = world.client.figures(client).expect("connected");
    assert!(figures.rtt >= RTT && figures.rtt < RTT * 2 && figures.window >= LOWEST_WINDOW, "{figures:?}");
    world.client.close(world.now, client, 7, "bye");
    world.run(Duration::from_secs(1));
    let bye = CloseReason::ClosedByPeer { code: 7, reason: "bye".into() };
    assert!(world.server_events.iter().any(|(_, e)| *e == Event::Lost { peer: server, why: bye.clone() }));
    assert_eq!((world.client.connections(), world.server.connections()), (0, 0), "nothing is left behind");
}

#[test]
fn what_is_sent_keeps_to_the_rule_of_the_first_byte() {
    let identity = identity();
    for seed in 0..20 {
        let mut world = World::new(seed, &identity, NONE);
        let (client, _) = world.connect(Vec::new());
        for _ in 0..20 {
            world.client.send(world.now, client, &[b'x'; 3_000]);
        }
        world.run(Duration::from_secs(5));
        for (by_server, bytes) in world.sent.borrow().iter() {
            assert!(is_packet(bytes) && bytes.len() <= 1_200, "{by_server} {:x?}", bytes.first());
            let short = bytes.first().is_some_and(|b| *b < 0x80);
            assert!(*by_server || !short || identity.own_id(bytes).is_some(), "the receiver knows its own");
        }
        let readable = world.sent.borrow().iter().any(|(_, bytes)| bytes.windows(8).any(|w| w == b"xxxxxxxx"));
        assert!(!readable);
    }
    let other = self::identity();
    let random: Vec<u8> = (0..40u8).map(|n| n.wrapping_mul(37) & 0x3f | 0x40).collect();
    assert_eq!(other.own_id(&random), None);
    for text in [&b"10#Q1#12345678901234567890#"[..], b"00:00", b""] {
        assert!(!is_packet(text));
    }
}

#[test]
fn a_changed_key_is_refused_before_a_byte_leaves() {
    let (known, other) = (identity(), identity());
    let mut world = World::new(1, &other, NONE);
    let pin = known.public_key().expect("a key");
    let peer = world.client.connect(world.now, at(1), vec![pin.clone()]);
    world.run(Duration::from_secs(2));
    let shown = other.public_key().expect("a key");
    let why = CloseReason::KeyChanged(shown.clone());
    let events: Vec<_> = world.client_events.iter().map(|(_, e)| e.clone()).collect();
    assert_eq!(events, [Event::Lost { peer, why }]);
    assert!(!world.server_events.iter().any(|(_, e)| matches!(e, Event::Connected { .. })));
    let mut world = World::new(1, &other, NONE);
    world.connect(vec![pin, shown]);
}

#[test]
fn on_a_bad_network_everybody_connects_and_frames_keep_their_order() {
    let identity = identity();
    let mut took = Vec::new();
    for seed in 0..100 {
        let mut world = World::new(seed, &identity, BAD);
        let begun = world.now;
        let (client, server) = world.connect(Vec::new());
        took.push(world.now - begun);
        let texts: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        for text in &texts {
            world.client.send(world.now, client, text.as_bytes());
            world.client.hurry(world.now, client, true);
            world.server.send(world.now, server, text.as_bytes());
            world.server.hurry(world.now, server, true);
            world.run(Duration::from_millis(100));
        }
        let all = |w: &World| {
            World::frames(&w.server_events).len() == texts.len() && World::frames(&w.client_events).len() == texts.len()
        };
        assert!(world.run_until(Duration::from_secs(20), all), "seed {seed}: {:?}", world.client_events.last());
        assert_eq!(World::frames(&world.server_events), texts, "seed {seed}");
        assert_eq!(World::frames(&world.client_events), texts, "seed {seed}");
    }
    took.sort();
    println!("connected at 30 % loss: p50 {:?}, the slowest {:?}", took[50], took[99]);
    assert!(took[99] <= Duration::from_secs(5));
}

#[test]
fn a_restarted_server_says_so_with_its_first_packet() {
    let identity = identity();
    let mut world = World::new(3, &identity, NONE);
    let (client, _) = world.connect(Vec::new());
    world.run(Duration::from_secs(1));
    let kept = Identity::from_bytes(&identity.to_bytes()).expect("the same");
    world.server = Link::server(&kept, None).expect("an identity");
    world.client.send(world.now, client, b"still there?");
    let begun = world.now;
    assert!(world.run_until(Duration::from_secs(2), |w| w.client_lost().is_some()));
    assert_eq!(world.client_lost(), Some(CloseReason::Restarted));
    assert!(world.now - begun <= RTT * 2, "{:?}", world.now - begun);
}

#[test]
fn a_server_that_ends_says_so_to_all() {
    let mut world = World::new(3, &identity(), NONE);
    world.connect(Vec::new());
    world.client.connect(world.now, at(1), Vec::new());
    world.run(RTT / 2);
    world.server.close_all(world.now, GOING_DOWN, "going down");
    let begun = world.now;
    let lost = |w: &World| w.client_events.iter().filter(|(_, e)| matches!(e, Event::Lost { .. })).count();
    assert!(world.run_until(RTT, |w| lost(w) == 2), "{:?}", world.client_events);
    let down = CloseReason::ClosedByPeer { code: u64::from(GOING_DOWN), reason: "going down".into() };
    assert_eq!((world.client_lost(), world.now - begun), (Some(down), RTT / 2), "the first one first");
    assert_eq!(world.server.handles.len(), 0);
}

#[test]
fn where_many_begin_at_once_a_newcomer_shows_its_address_first() {
    let identity = identity();
    let (now, mut server) = (Instant::now(), Link::server(&identity, None).expect("an identity"));
    let begins = || {
        let mut client = Link::client(None);
        client.connect(now, at(1), Vec::new());
        let beginning = client.poll_transmit().expect("it calls").bytes;
        (client, beginning)
    };
    for port in 0..u16::try_from(RETRY_FROM).expect("small") {
        server.handle_datagram(now, at(5_000 + port), &begins().1);
    }
    assert_eq!(server.connections(), RETRY_FROM);
    while server.poll_transmit().is_some() {}

    let (mut client, beginning) = begins();
    server.handle_datagram(now, at(4_000), &beginning);
    let retry = server.poll_transmit().expect("an answer").bytes;
    assert_eq!((retry[0] & 0xf0, retry.len() < beginning.len(), server.connections()), (0xf0, true, RETRY_FROM));
    client.handle_datagram(now, at(1), &retry);
    let again = client.poll_transmit().expect("it comes again").bytes;
    assert!(identity.own_id(&again).is_some() && identity.own_id(&beginning).is_none(), "and can be told from others");
    server.handle_datagram(now, at(4_000), &again);
    assert_eq!(server.connections(), RETRY_FROM + 1);
    while let Some(answer) = server.poll_transmit() {
        client.handle_datagram(now, at(1), &answer.bytes);
    }
    assert!(matches!(client.poll_event(), Some(Event::Connected { .. })));
    while let Some(transmit) = client.poll_transmit() {
        server.handle_datagram(now, at(4_000), &transmit.bytes);
    }
    assert_eq!(server.opening.len(), RETRY_FROM, "who is in does not count");
    server.handle_timeout(now + Duration::from_secs(70));
    server.handle_timeout(now + Duration::from_secs(140));
    assert_eq!((server.opening.len(), server.connections()), (0, 0), "nor who has given up");
}

/// The beginning may come from an address that is somebody else's.
#[test]
fn a_beginning_is_answered_with_three_times_its_bytes_at_most() {
    let (begun, mut server) = (Instant::now(), Link::server(&identity(), None).expect("an identity"));
    let mut client = Link::client(None);
    client.connect(begun, at(1), Vec::new());
    let beginning = client.poll_transmit().expect("it calls").bytes;
    let (mut now, mut sent) = (begun, 0);
    for again in 1..=2 {
        server.handle_datagram(now, at(4_000), &beginning);
        let end = now + Duration::from_secs(10);
        loop {
            sent += std::iter::from_fn(|| server.poll_transmit()).map(|transmit| transmit.bytes.len()).sum::<usize>();
            let Some(at) = server.poll_timeout().filter(|at| *at < end) else { break };
            now = now.max(at);
            server.handle_timeout(now);
        }
        assert!(sent > 0 && sent <= 3 * again * beginning.len(), "{sent} for {again} times {}", beginning.len());
    }
}

/// As of somebody who has many genuine addresses, or answers each Retry.
#[test]
fn handshakes_that_nobody_ends_are_bounded() {
    let (mut now, mut server) = (Instant::now(), Link::server(&identity(), None).expect("an identity"));
    for n in 0..2 * MOST_OPENING {
        let (mut client, from) = (Link::client(None), at(u16::try_from(1_000 + n).expect("small")));
        now += Duration::from_millis(1);
        client.connect(now, at(1), Vec::new());
        // Once more with what the Retry gave.
        for _ in 0..2 {
            while let Some(transmit) = client.poll_transmit() {
                server.handle_datagram(now, from, &transmit.bytes);
            }
            while let Some(answer) = server.poll_transmit() {
                if answer.bytes.first().is_some_and(|byte| byte & 0xf0 == 0xf0) {
                    client.handle_datagram(now, at(1), &answer.bytes);
                }
            }
        }
    }
    assert_eq!(server.opening.len(), MOST_OPENING);
    for ms in (0..3_000).step_by(10) {
        server.handle_timeout(now + Duration::from_millis(ms));
    }
    assert_eq!(server.connections(), MOST_OPENING, "and those that were ended are forgotten");
}

#[test]
fn another_address_is_followed() {
    let mut world = World::new(4, &identity(), NONE);
    let (client, server) = world.connect(Vec::new());
    for port in 6_000..6_010 {
        world.client_at = at(port);
        if port % 2 == 0 {
            world.client.moved(world.now);
        }
        world.client.send(world.now, client, port.to_string().as_bytes());
        world.run(Duration::from_secs(2));
        world.server.send(world.now, server, port.to_string().as_bytes());
        world.run(Duration::from_secs(2));
    }
    let expected: Vec<String> = (6_000..6_010).map(|p| p.to_string()).collect();
    assert_eq!(World::frames(&world.server_events), expected);
    assert_eq!(World::frames(&world.client_events), expected);
    assert_eq!(world.client_lost(), None);
    assert_eq!(world.server.figures(server).map(|f| f.address), Some(at(6_009)));
    world.client.moved(world.now);
    world.run(Duration::from_secs(2));
    assert_eq!(world.client.figures(client).map(|f| f.moves), Some(10), "those that the server saw");
}

#[test]
fn silence_and_nobody_there_are_told_apart() {
    let mut world = World::new(5, &identity(), NONE);
    world.connect(Vec::new());
    world.faults.loss = 100;
    world.run(Duration::from_secs(100));
    assert_eq!(world.client_lost(), Some(CloseReason::Silent));
    assert_eq!((world.client.connections(), world.server.connections()), (0, 0));
    let mut world = World::new(5, &identity(), Faults { loss: 100, ..NONE });
    world.client.connect(world.now, at(1), Vec::new());
    world.run(Duration::from_secs(11));
    assert_eq!(world.client_lost(), Some(CloseReason::NoAnswer));
    world.run(Duration::from_secs(100));
    assert_eq!((world.client.connections(), world.client.poll_timeout()), (0, None), "nothing is left behind");
}

#[test]
fn who_does_not_read_is_not_written_to_without_end() {
    let mut world = World::new(6, &identity(), NONE);
    let (_, server) = world.connect(Vec::new());
    world.faults.loss = 100;
    let frame = vec![b'x'; 10_000];
    let taken = (0..1_000).take_while(|_| world.server.send(world.now, server, &frame)).count();
    assert!((10..60).contains(&taken), "{taken}");
    world.faults = NONE;
    let came = |w: &World| World::frames(&w.client_events).len();
    let all = world.run_until(Duration::from_secs(20), |w| came(w) == taken);
    assert!(all, "{} of {taken}, {:?}", came(&world), world.server_events.last());
    assert!(world.server.send(world.now, server, &frame), "there is room again");
    assert!(!world.server.send(world.now, server, &vec![0; MAX_FRAME + 1]), "too long");
}

#[test]
fn garbage_makes_no_connection_and_little_noise() {
    let identity = identity();
    let mut world = World::new(7, &identity, NONE);
    world.connect(Vec::new());
    let genuine: Vec<Vec<u8>> = world.sent.borrow().iter().filter(|(s, _)| !s).map(|(_, b)| b.clone()).collect();
    let (mut bytes_in, mut bytes_out) = (0, 0);
    let connections = world.server.connections();
    for n in 0..20_000usize {
        let mut bytes = genuine[n % genuine.len()].clone();
        let length = bytes.len();
        for _ in 0..=n % 5 {
            let place = usize::try_from(world.percent()).expect("small") * length / 100;
            bytes[place] ^= u8::try_from(world.percent()).expect("small");
        }
        if n % 3 == 0 {
            bytes.truncate(length / 2);
        }
        bytes_in += bytes.len();
        world.server.handle_datagram(world.now, at(7_000), &bytes);
        bytes_out += std::iter::from_fn(|| world.server.poll_transmit()).map(|t| t.bytes.len()).sum::<usize>();
    }
    println!("{bytes_out} bytes out for {bytes_in} in");
    assert!(bytes_out <= 3 * bytes_in);
    world.run(Duration::from_secs(100));
    assert!(world.server.connections() <= connections, "{}", world.server.connections());
}

#[test]
fn an_identity_is_itself_again_from_its_file() {
    let identity = identity();
    let bytes = identity.to_bytes();
    let again = Identity::from_bytes(&bytes).expect("the same");
    assert_eq!(again.public_key(), identity.public_key());
    assert_eq!(identity.public_key().expect("a key").len(), 44);
    for cut in [0, 7, 20, bytes.len() - 1] {
        assert!(Identity::from_bytes(&bytes[..cut]).is_err());
    }
    let key = identity.public_key().expect("a key");
    assert_eq!(words(&key, false).split(' ').count(), 8);
    assert_eq!(words(&key, true).chars().count(), 8);
    assert_ne!(words(&key, false), words(&self::identity().public_key().expect("a key"), false));
}
