//! Going offline.

use super::*;

#[test]
fn leaving_takes_a_second_at_most() {
    // What is under way when the user leaves, and what is sent then.
    let cases: &[(&str, &[&str])] = &[
        ("nothing", &["06#"]),
        ("08#", &["06#"]),
        ("03#b#1#", &["06#"]),
        // 06 would confirm a message that may never have come; a login does not.
        ("09#", &["02#a#x#"]),
    ];
    for (under_way, expected) in cases {
        let silence = secs(1);
        let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
            _ if time > silence && (request == *under_way || !"080903".contains(&request[..2])) => Vec::new(),
            "08#" if time > silence => at_once("08:1"),
            request => ours(request),
        });
        world.run(Duration::from_millis(1_500));
        match *under_way {
            "03#b#1#" => world.send(1, "b"),
            "nothing" => {}
            _ => world.session.fetch_now(world.now),
        }
        world.run(Duration::from_millis(40));
        world.sent.clear();
        let before = world.time();
        world.session.go_offline(world.now);
        world.run(secs(2));
        let left = world.events.iter().find(|(_, e)| matches!(e, Event::WentOffline(_)));
        assert_eq!(left.map(|(at, e)| (*at - before, e)), Some((secs(1), &Event::WentOffline(None))), "{under_way}");
        let mut sent = world.requests();
        sent.dedup();
        assert_eq!(sent, *expected, "{under_way}");
        assert_eq!(
            (world.session.link(), world.session.poll_timeout()),
            (ConnectionState::Offline, None),
            "{under_way}"
        );
    }
}

#[test]
fn leaving_is_answered_whoever_is_there() {
    let mut world = World::new(Polling::Adaptive, |_, request: &str| plain(request));
    world.session.go_offline(world.now);
    world.drain();
    assert!(world.has(&Event::WentOffline(Some(false))), "nobody was logged in");
    for (answer, was) in [("06:01", Some(true)), ("06:02", Some(false)), ("07:01", Some(false)), ("00:00", None)] {
        let mut world =
            World::online(
                Polling::Adaptive,
                |_, request: &str| {
                    if request == "06#" { at_once(answer) } else { plain(request) }
                },
            );
        world.session.go_offline(world.now);
        world.run(Duration::from_millis(20));
        assert!(world.has(&Event::WentOffline(was)), "{answer}: {:?}", world.events);
        world.run(secs(100));
        assert_eq!(world.requests(), ["06#"], "{answer}: nothing more");
    }
    // One lost datagram is not yet the second.
    let mut tries = 0;
    let mut world = World::online(Polling::Adaptive, |_, request: &str| {
        tries += usize::from(request == "06#");
        if request == "06#" && tries == 1 { Vec::new() } else { plain(request) }
    });
    world.session.go_offline(world.now);
    world.run(secs(1));
    assert!(world.has(&Event::WentOffline(Some(true))));
}

#[test]
fn who_comes_back_while_leaving_is_online() {
    // The answer to the 06# ends what was before, not the new session.
    for answers in [true, false] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| match request {
            "06#" if !answers => Vec::new(),
            request => plain(request),
        });
        world.run(secs(1));
        world.session.go_offline(world.now);
        world.session.go_online(world.now);
        world.run(secs(2));
        assert!(
            matches!(world.session.link(), ConnectionState::Connected { .. }),
            "{answers}: {:?}",
            world.session.link()
        );
        let last = world.requests().iter().rposition(|r| r.starts_with("02") || *r == "06#");
        assert!(last.is_some_and(|i| world.requests()[i].starts_with("02")), "{:?}", world.requests());
    }
}

#[test]
fn a_message_is_stored_before_leaving_confirms_it() {
    let mut world = World::online(Polling::Adaptive, |_, request: &str| ours(request));
    world.session.handle_datagram(world.now, b"09:b:2026-11-21 12:04:58:hi");
    let Some(Event::Received { token, .. }) = world.session.poll_event() else { panic!("a message") };
    world.session.go_offline(world.now);
    assert_eq!(world.session.poll_transmit(), None);
    world.session.handle_stored(world.now, token, true);
    assert_eq!(world.session.poll_transmit().map(|t| t.bytes), Some(b"06#".to_vec()));
}

#[test]
fn what_leaving_kept_from_being_sent_is_not_put_in_doubt() {
    // The note that it is being sent comes from the disk when we are leaving, or have left.
    for late in [false, true] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| plain(request));
        world.run(secs(1));
        let id = MessageId(1);
        world.session.send(world.now, id, account("b"), text("1"));
        let sending = Event::Outgoing { id, state: SendState::Sending };
        assert!(std::iter::from_fn(|| world.session.poll_event()).any(|e| e == sending));
        world.session.go_offline(world.now);
        if late {
            world.run(secs(1));
        }
        world.session.handle_noted(world.now, id, true);
        world.run(secs(2));
        assert_eq!((world.state(1), world.count("03")), (Some(SendState::Waiting), 0), "{late}");
        world.session.go_online(world.now);
        world.run(secs(2));
        assert_eq!((world.state(1), world.count("03")), (Some(SendState::Sent), 1), "{late}");
    }
}
