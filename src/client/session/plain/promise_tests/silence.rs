//! A silent server, and one that has forgotten the session.

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
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
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
    assert!(world.has(&Event::ConnectionState(ConnectionState::LoggedOut)));
    world.send(1, "b");
    world.run(secs(70));
    assert!(
        matches!(world.session.link(), ConnectionState::Retrying { .. } | ConnectionState::LoggingIn),
        "{:?}",
        world.session.link()
    );
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
    assert_eq!(world.session.link(), ConnectionState::LoggedOut);
    world.session.fetch_now(world.now);
    world.run(secs(1));
    assert!(world.count("02") > 1, "the user may");
}

#[test]
fn a_session_held_by_an_address_we_had_is_waited_for() {
    // Another network: the server sees a stranger until our old address has been silent for 90 s.
    for mended in [true, false] {
        let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
            _ if time < secs(5) || mended && time > secs(95) => plain(request),
            "02#a#x#" => at_once("02:04"),
            _ => at_once("07:01"),
        });
        world.run(secs(300));
        let refused = Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn));
        assert_eq!(world.has(&Event::LoggedIn(LoginOutcome::Done)), mended);
        assert_eq!(world.events.iter().filter(|(_, e)| *e == refused).count(), 1, "said once");
        assert_eq!(world.count("06"), 0, "nobody is thrown out unasked");
        if mended {
            assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
        } else {
            assert_eq!((world.session.link(), world.session.poll_timeout()), (ConnectionState::LoggedOut, None));
            assert_eq!(world.count("02"), 5, "not for ever");
            world.sent.clear();
            world.session.go_offline(world.now);
            world.run(secs(1));
            assert!(world.has(&Event::WentOffline(Some(false))));
            assert!(world.sent.is_empty(), "06 would end the other one's session: {:?}", world.requests());
        }
    }
}

#[test]
fn f5_asks_at_once_while_a_request_waits() {
    let mut world =
        World::online(
            Polling::Adaptive,
            |time, request: &str| {
                if (secs(5)..secs(9)).contains(&time) { Vec::new() } else { plain(request) }
            },
        );
    while world.session.link() != ConnectionState::Waiting || world.time() < secs(9) {
        world.run(Duration::from_millis(10));
        assert!(world.time() < secs(20));
    }
    world.sent.clear();
    world.session.fetch_now(world.now);
    world.run(RTT * 2);
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }), "{:?}", world.requests());
}

#[test]
fn a_slow_network_is_learned() {
    let mut world = World::online(Polling::Adaptive, |time, request: &str| {
        let mut answers = plain(request);
        answers.iter_mut().filter(|_| time > secs(2)).for_each(|(after, _)| *after = Duration::from_millis(700));
        answers
    });
    world.run(secs(60));
    world.sent.clear();
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(secs(120));
    assert_eq!([1, 2, 3].map(|id| world.state(id)), [Some(SendState::Sent); 3]);
    let twice = world.sent.windows(2).filter(|w| w[1].0 - w[0].0 < Duration::from_millis(700)).count();
    assert_eq!((world.count("03"), twice), (3, 0), "nothing before its answer: {:?}", world.sent);
}

#[test]
fn a_takeover_that_comes_late_is_armed_again() {
    // `arm`: 02 lets one end the other session within 30 s, by 06.
    let mut armed = None;
    let mut free = false;
    let server = |time: Duration, request: &str| match request {
        "02#a#x#" if free => at_once("02:01"),
        "02#a#x#" => {
            armed = Some(time + secs(30));
            at_once("02:04")
        }
        "06#" => {
            free = armed.is_some_and(|until| until > time);
            at_once(if free { "06:01" } else { "06:02" })
        }
        request if free => plain(request),
        _ => at_once("07:01"),
    };
    let mut world = World::new(Polling::Adaptive, server);
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(60));
    let refused = Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn));
    assert!(world.has(&refused));
    world.events.clear();
    world.session.take_over(world.now);
    world.run(secs(1));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)) && !world.has(&refused), "{:?}", world.events);
}

#[test]
fn what_is_let_go_of_does_not_come_back_by_itself() {
    for refused in [true, false] {
        let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
            _ if time < secs(5) => plain(request),
            "02#a#x#" if refused => at_once("02:04"),
            _ if refused => at_once("07:01"),
            _ => Vec::new(),
        });
        world.send(1, "b");
        world.run(secs(40));
        world.session.forget();
        world.drain();
        world.sent.clear();
        world.run(secs(300));
        assert_eq!(
            (world.session.link(), world.requests(), world.session.poll_timeout()),
            (ConnectionState::Offline, vec![], None)
        );
    }
}

/// Returns the reports about a silent server: when, and whether it is silent.
fn told(world: &World<'_>) -> Vec<(Duration, bool)> {
    let told = |(at, event): &(Duration, Event)| match event {
        Event::Silent(since) => Some((*at, since.is_some())),
        _ => None,
    };
    world.events.iter().filter_map(told).collect()
}

#[test]
fn three_seconds_without_an_answer_are_told_and_so_is_the_next_answer() {
    let (from, to) = (secs(5), secs(80));
    for (polling, idle) in [(Polling::Adaptive, 30), (Polling::Strict, 30)] {
        for sends in [true, false] {
            let server = |time: Duration, request: &str| {
                if (from..to).contains(&time) { Vec::new() } else { ours(request) }
            };
            let mut world = World::online(polling, server);
            world.run(from - world.time());
            if sends {
                world.send(1, "b");
            }
            world.run(to - world.time());
            let asked = world.sent.iter().map(|(at, _)| *at).find(|at| *at >= from).expect("a request");
            assert!(asked <= from + secs(if sends { 0 } else { idle }), "{polling:?} {asked:?}");
            let all = told(&world);
            assert_eq!(all, [(asked + secs(3), true)], "{polling:?} {sends}");
            world.run(secs(150));
            let all = told(&world);
            assert!(matches!(all[..], [_, (at, false)] if at >= to && at < to + secs(40)), "{polling:?} {all:?}");
            // Who is there is asked and told anew, where it is asked at all.
            let place = |wanted: fn(&Event) -> bool| world.events.iter().rposition(|(_, e)| wanted(e));
            let (ends, online) = (place(|e| *e == Event::Silent(None)), place(|e| matches!(e, Event::Online(_))));
            assert!(polling != Polling::Adaptive || online > ends, "{:?}", world.events);
        }
    }
}

#[test]
fn a_server_that_knows_no_extensions_and_answers_all_else_is_never_silent() {
    let server = |_: Duration, request: &str| if request.starts_with("11") { Vec::new() } else { ours(request) };
    let mut world = World::online(Polling::Adaptive, server);
    world.run(secs(300));
    world.session.by_hand(world.now, b"77#".to_vec());
    world.run(secs(600));
    assert_eq!(told(&world), []);
}
