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
    let mixed =
        Socket::open(Some("[::1]:0".parse().expect("valid")), "127.0.0.1:9".parse().expect("valid"), Bell::new(|| ()));
    assert_eq!(mixed.map(drop).map_err(|e| e.kind()), Err(ErrorKind::InvalidInput));
}
