//! A silent server, and one that forgot the session.

use super::*;

#[test]
fn while_the_server_is_silent_the_outbox_waits_as_one_and_nothing_is_dropped() {
    let away = secs(5)..secs(200);
    let mut got = Vec::new();
    let server = |time: Duration, request: &str| {
        if away.contains(&time) {
            return Vec::new();
        }
        if request.starts_with("03") {
            got.push(request.to_owned());
        }
        ours(request)
    };
    let mut world = World::online(Polling::Adaptive, server);
    world.run(secs(6));
    for id in 1..=3 {
        world.send(id, "b");
    }
    let at = world.run_until_retrying();
    assert_eq!(world.session.poll_timeout(), Some(at), "the countdown is the deadline");
    world.run(secs(400));
    // Only the one that was on its way when the silence began is in doubt.
    let states = [1, 2, 3].map(|id| world.state(id));
    assert_eq!(states, [SendState::MaybeSentTwice, SendState::Sent, SendState::Sent].map(Some));
    assert!(matches!(world.session.link(), Link::Connected { .. }));
    assert_eq!(world.count("03"), 4);
    drop(world);
    assert_eq!(got, ["03#b#1#", "03#b#2#", "03#b#3#"], "in their order, each once");
}

#[test]
fn a_message_written_during_the_silence_is_not_put_in_doubt() {
    let mut world =
        World::online(
            Polling::Adaptive,
            |time, request: &str| {
                if (secs(5)..secs(200)).contains(&time) { Vec::new() } else { ours(request) }
            },
        );
    world.run_until_retrying();
    world.send(1, "b");
    world.run(secs(300));
    assert_eq!(world.state(1), Some(SendState::Sent));
    assert_eq!(world.count("03"), 1);
}

#[test]
fn f5_and_any_datagram_end_the_wait() {
    let silent = |time: Duration, request: &str| if time > secs(5) { Vec::new() } else { ours(request) };
    let mut world = World::online(Polling::Adaptive, silent);
    for wake in ["F5", "a datagram"] {
        world.run_until_retrying();
        world.sent.clear();
        if wake == "F5" {
            world.session.fetch_now(world.now);
        } else {
            world.session.handle_datagram(world.now, b"08:0");
        }
        world.drain();
        assert_eq!(world.requests().first().copied(), Some("08#"), "{wake}");
    }
}

#[test]
fn a_forgotten_session_is_said_and_mended_even_when_the_server_is_silent_then() {
    let server = |time: Duration, request: &str| match time.as_secs() {
        0..5 => plain(request),
        5..10 if request.starts_with("08") => at_once("07:01"),
        5..100 => Vec::new(),
        _ => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, server);
    world.run(secs(12));
    assert!(world.has(&Event::Link(Link::LoggedOut)));
    world.send(1, "b");
    world.run(secs(70));
    assert!(matches!(world.session.link(), Link::Retrying { .. } | Link::LoggingIn), "{:?}", world.session.link());
    world.run(secs(100));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)));
    assert_eq!(world.state(1), Some(SendState::Sent));
}

#[test]
fn a_session_that_somebody_else_takes_is_not_fought_for() {
    // `rebind`: 02 moves the session here, and the other client moves it back at once.
    let mut world = World::online(Polling::Adaptive, |time, request: &str| {
        if time > secs(1) && request.starts_with("08") { at_once("07:01") } else { plain(request) }
    });
    world.run(secs(300));
    assert_eq!(world.count("02"), 1, "{:?}", world.requests());
    assert_eq!(world.session.link(), Link::LoggedOut);
    world.session.fetch_now(world.now);
    world.run(secs(1));
    assert!(world.count("02") > 1, "the user may");
}

#[test]
fn a_refused_automatic_login_leaves_the_line_logged_out() {
    let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
        "08#" if time > secs(1) => at_once("07:01"),
        "02#a#x#" if time > secs(1) => at_once("02:04"),
        request => plain(request),
    });
    world.run(secs(100));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn))));
    assert_eq!((world.session.link(), world.session.poll_timeout()), (Link::LoggedOut, None));
    assert_eq!(world.count("06"), 0, "nobody is thrown out unasked");
}
