//! Datagrams typed by hand, which must not be mistaken for the session's own.

use super::*;

#[test]
fn answers_to_what_is_typed_by_hand_settle_no_message() {
    for (typed, answer) in [("hello#", "00:00"), ("03#nobody#x#", "03:02"), ("03#", "00:00"), ("08#", "07:01")] {
        for before in [true, false] {
            let mut world = World::online(Polling::Adaptive, |_, request: &str| {
                if request == typed && typed != "08#" { at_once(answer) } else { plain(request) }
            });
            world.run(secs(1));
            if before {
                world.session.by_hand(world.now, typed.into());
                world.send(1, "b");
            } else {
                world.send(1, "b");
                world.session.by_hand(world.now, typed.into());
            }
            world.run(secs(5));
            assert_eq!((world.state(1), world.count("03#b#1#")), (Some(SendState::Sent), 1), "{typed} {before}");
            assert!(world.requests().contains(&typed), "{typed}");
            assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::NotUnderstood(_) | Event::Extensions { .. })));
        }
    }
}

#[test]
fn what_nobody_answers_delays_the_rest_by_one_timeout() {
    let mut world =
        World::online(
            Polling::Adaptive,
            |_, request: &str| {
                if request == "03#c#by hand#" { Vec::new() } else { plain(request) }
            },
        );
    world.run(secs(1));
    world.session.by_hand(world.now, b"03#c#by hand#".to_vec());
    world.send(1, "b");
    world.run(secs(2));
    assert_eq!((world.state(1), world.count("03#c#")), (Some(SendState::Sent), 1));
    // Its answer may be late, so an 08 stands between.
    assert!(world.requests().iter().position(|r| *r == "08#") < world.requests().iter().position(|r| *r == "03#b#1#"));
}

#[test]
fn trials_before_a_login_begin_none() {
    let mut world = World::new(Polling::Adaptive, |_, request: &str| match request {
        "08#" | "09#" => at_once("07:01"),
        request => plain(request),
    });
    for typed in ["08#", "09#", "02#b#y#", "06#"] {
        world.session.by_hand(world.now, typed.into());
        world.run(secs(1));
    }
    assert_eq!(world.requests(), ["08#", "09#", "02#b#y#", "06#"]);
    assert_eq!((world.session.link(), world.events.len()), (ConnectionState::Offline, 0), "{:?}", world.events);
}

#[test]
fn a_message_fetched_by_hand_is_kept() {
    let mut world = World::online(Polling::Strict, |_, request: &str| match request {
        "09#" => at_once("09:b:2026-11-21 12:04:58:hi"),
        request => plain(request),
    });
    world.session.by_hand(world.now, b"09#".to_vec());
    world.run(secs(1));
    assert!(world.events.iter().any(|(_, e)| matches!(e, Event::Received { .. })));
    assert_eq!(world.requests(), ["09#"]);
}
