//! The fate of each message.

use std::collections::HashMap;

use super::*;

#[test]
fn a_message_is_stored_whatever_is_outstanding() {
    let mut world = World::online(Polling::Adaptive, |time, request: &str| {
        if time > secs(1) && request.starts_with("03") { Vec::new() } else { plain(request) }
    });
    world.run(secs(2));
    world.send(1, "b");
    world.drain();
    world.session.handle_datagram(world.now, b"05:c:2026-11-21 12:04:58:late");
    world.session.handle_datagram(world.now, b"09:d:12:04:later");
    world.drain();
    let came = world.events.iter().filter_map(|(_, e)| match e {
        Event::Received { from, text, .. } => Some((from.as_str(), text.as_str())),
        _ => None,
    });
    assert_eq!(came.collect::<Vec<_>>(), [("c", "late"), ("d", "later")]);
}

#[test]
fn what_the_disk_refuses_is_neither_sent_nor_taken_on() {
    let mut world = World::online(Polling::Adaptive, |_, request: &str| match request {
        "08#" => at_once("08:2"),
        "09#" => at_once("09:b:2026-11-21 12:04:58:hi"),
        request => ours(request),
    });
    world.run(secs(1));
    world.disk_works = false;
    world.sent.clear();
    world.session.fetch_now(world.now);
    world.send(1, "b");
    world.run(Duration::from_millis(100));
    assert_eq!(world.state(1), Some(SendState::Waiting));
    assert!(world.count("03") == 0 && world.count("09") <= 1, "{:?}", world.requests());
    world.disk_works = true;
    world.run(secs(31));
    assert_eq!(world.state(1), Some(SendState::Sent), "it would go after the next start all the same");
}

#[test]
fn what_waited_on_disk_goes_before_what_was_written_since() {
    let mut world = World::online(Polling::Adaptive, |_, request: &str| ours(request));
    world.run(secs(1));
    world.sent.clear();
    for id in [4, 7, 5, 6] {
        world.send(id, "b");
    }
    world.run(secs(2));
    let sent: Vec<_> = world.requests().into_iter().filter(|r| r.starts_with("03")).collect();
    assert_eq!(sent, ["03#b#4#", "03#b#5#", "03#b#6#", "03#b#7#"]);
}

#[test]
fn a_server_that_ignores_what_it_does_not_know_delays_nobody() {
    let mut world = World::new(
        Polling::Adaptive,
        |_, request: &str| {
            if request.starts_with("11") { Vec::new() } else { plain(request) }
        },
    );
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(RTT);
    world.send(1, "b");
    world.run(secs(2));
    assert_eq!(world.state(1), Some(SendState::Sent));
    world.run(secs(600));
    assert_eq!(world.count("11"), 6, "it is not asked for ever");
    assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. }))));
    let said = world.events.iter().filter(|(_, e)| matches!(e, Event::Extensions { .. }));
    // In this run; it has not said so.
    let silent = Event::Extensions { known: false, shown: false };
    assert_eq!(said.map(|(_, e)| e).collect::<Vec<_>>(), [&silent], "what it lacks is hidden");
}

#[test]
fn a_second_answer_to_one_question_refuses_no_message() {
    // The answers to 11 come late, so it is asked twice; the second 00:00 is nobody's answer.
    let mut world = World::new(Polling::Adaptive, |_, request: &str| {
        if request.starts_with("11") { vec![(Duration::from_millis(450), "00:00".to_owned())] } else { plain(request) }
    });
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.send(1, "b");
    world.run(secs(10));
    assert_eq!(world.state(1), Some(SendState::Sent));
}

#[test]
fn messages_that_a_take_promised_and_did_not_bring_are_said() {
    // The answer to one of three takes is lost on a server that keeps nothing.
    for known in [true, false] {
        let mut left = 3;
        let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
            "08#" if time > secs(1) => at_once(&format!("08:{left}")),
            "09#" if left > 0 => {
                left -= 1;
                if left == 1 { Vec::new() } else { at_once(&format!("09:b:2026-11-21 12:04:5{left}:hi")) }
            }
            request if request.starts_with("11") && !known => Vec::new(),
            request => plain(request),
        });
        world.run(secs(30));
        let lost: u64 = world.events.iter().map(|(_, e)| if let Event::MaybeLost(n) = e { *n } else { 0 }).sum();
        assert_eq!(lost, 1, "{:?}", world.events);
    }
}

#[test]
fn what_was_not_taken_a_minute_ago_holds_up_no_message() {
    // The server does not know the session any more, is silent for a minute, and then loses the message once.
    let mut sends = 0;
    let mut world = World::online(Polling::Adaptive, |time, request: &str| match request.get(..2) {
        Some("03") => {
            sends += 1;
            match sends {
                1 => at_once("07:01"),
                2 => Vec::new(),
                _ => at_once("03:01"),
            }
        }
        _ if (secs(1)..secs(60)).contains(&time) => Vec::new(),
        _ => plain(request),
    });
    world.run(Duration::from_millis(900));
    world.send(1, "b");
    world.send(2, "b");
    world.run(secs(300));
    assert_eq!((world.state(1), world.state(2)), (Some(SendState::MaybeSentTwice), Some(SendState::Sent)));
    let when = |text: &str| world.sent.iter().rfind(|(_, sent)| sent == text).map(|(at, _)| *at).expect("sent");
    assert!(when("03#b#2#") - when("03#b#1#") < secs(20), "{:?}", world.sent);
}

#[test]
fn everybody_is_written_to_as_they_write() {
    // A server that passes bytes on, and a class of two minds.
    let mut world = World::online(Polling::Adaptive, |_, request: &str| plain(request));
    let gbk = |text: &str| crate::protocol::wire::Charset::Gb18030.encode(text);
    for (from, body) in [("s", gbk("编程作业")), ("b", "谢谢".into()), ("s", gbk("谢谢"))] {
        let bytes = [format!("09:{from}:2026-11-21 12:04:58:").into_bytes(), body].concat();
        world.session.handle_datagram(world.now, &bytes);
        world.drain();
    }
    let came = world.events.iter().filter_map(|(_, e)| match e {
        Event::Received { from, text, .. } => Some((from.as_str(), text.as_str())),
        _ => None,
    });
    assert_eq!(came.collect::<Vec<_>>(), [("s", "编程作业"), ("b", "谢谢"), ("s", "谢谢")]);
    for (to, sent) in [("s", gbk("再见")), ("b", "再见".into())] {
        world.session.send(world.now, MessageId(1), account(to), text("再见"));
        let bytes = std::iter::from_fn(|| {
            while let Some(event) = world.session.poll_event() {
                if let Event::Outgoing { id, state: SendState::Sending } = event {
                    world.session.handle_noted(world.now, id, true);
                }
            }
            world.session.poll_transmit().map(|t| t.bytes)
        });
        let expected = [format!("03#{to}#").into_bytes(), sent, b"#".to_vec()].concat();
        assert!(bytes.into_iter().any(|b| b == expected), "{to}");
        world.session.handle_datagram(world.now, b"03:01");
        world.session.handle_datagram(world.now, b"08:0");
    }
}

#[test]
fn an_answer_of_an_unknown_code_is_an_answer() {
    let strange = |time: Duration, request: &str| match request.get(..2) {
        Some("03") => at_once("03:05"),
        Some("08") if time > secs(1) => at_once("08:many"),
        _ => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, strange);
    world.send(1, "b");
    world.run(secs(60));
    assert_eq!((world.state(1), world.count("03")), (Some(SendState::MaybeSent), 1));
    assert!(
        world.count("08") > 4
            && !world.events.iter().any(|(_, e)| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. })))
    );
    // It is said as it came, and each once in a row.
    let told = world.events.iter().filter(|(_, e)| matches!(e, Event::UnknownCode(_)));
    let told: Vec<_> = told.map(|(_, e)| e.clone()).collect();
    assert_eq!(told, ["03:05", "08:many"].map(|code| Event::UnknownCode(code.into())));
    let mut world = World::new(Polling::Adaptive, |_, _: &str| at_once("02:99"));
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(1));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Unknown("02:99".into()))));
}

#[test]
fn neither_a_full_mailbox_nor_a_long_list_holds_up_a_message() {
    let mut taken = 0;
    let mailbox = |_, request: &str| match request {
        "08#" => at_once("08:1000"),
        "09#" => {
            taken += 1;
            at_once(&format!("09:b:2026-11-21 12:04:58:{taken}"))
        }
        request => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, mailbox);
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(RTT * 10);
    assert_eq!([1, 2, 3].map(|id| world.state(id)), [Some(SendState::Sent); 3]);
    assert!(world.count("09") >= 3, "and neither holds up the other: {:?}", world.requests());

    let list = |_, request: &str| match request.strip_prefix("11#").and_then(|n| n.strip_suffix('#')) {
        Some(offset) => at_once(&format!("11:1000:{offset}:p{offset}")),
        None => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, list);
    world.send(1, "b");
    world.run(RTT * 5);
    assert_eq!(world.state(1), Some(SendState::Sent), "{:?}", world.requests());
    world.run(secs(60));
    let whole = |e: &Event| matches!(e, Event::Online(all) if all.len() == 1_000);
    assert!(world.events.iter().any(|(_, e)| whole(e)));
}

#[test]
fn a_list_without_an_end_is_cut() {
    let endless = |_, request: &str| match request.strip_prefix("11#").and_then(|n| n.strip_suffix('#')) {
        Some(offset) => {
            let page: String = (0..100).map(|i| format!(":{offset}-{i}")).collect();
            at_once(&format!("11:{}:{offset}{page}", u64::MAX))
        }
        None => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, endless);
    world.run(secs(9));
    let said = world.events.iter().filter(|(_, e)| matches!(e, Event::Online(_))).count();
    assert_eq!(said, 1);
}

#[test]
fn a_login_in_between_lifts_no_fence() {
    // The answer to the first message comes when the second may just have been sent, and never one to that.
    let server = |_, request: &str| match request {
        "03#b#1#" => vec![(Duration::from_millis(500), "03:01".to_owned())],
        "03#b#2#" => Vec::new(),
        request => plain(request),
    };
    let mut world = World::online(Polling::Adaptive, server);
    world.run(secs(5));
    world.send(1, "b");
    world.run(Duration::from_millis(305));
    assert_eq!(world.requests().last().copied(), Some("08#"), "the fence");
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.send(2, "b");
    world.run(secs(10));
    assert_ne!(world.state(2), Some(SendState::Sent));
}

#[test]
fn a_message_sent_again_twice_goes_once() {
    let mut world = World::online(Polling::Adaptive, |_, request: &str| plain(request));
    for _ in 0..3 {
        world.send(1, "b");
    }
    world.run(secs(10));
    assert_eq!((world.state(1), world.count("03")), (Some(SendState::Sent), 1));
}

#[test]
fn what_the_disk_refuses_is_not_confirmed_on_our_server() {
    // Ours offers a message until another request than 02 follows.
    let mut left = vec!["two", "one"];
    let mut offered = false;
    let server = |_, request: &str| {
        if offered && !request.starts_with("02") {
            left.pop();
        }
        offered = false;
        match request {
            "08#" => at_once(&format!("08:{}", left.len())),
            "09#" if !left.is_empty() => {
                offered = true;
                at_once(&format!("09:b:2026-11-21 12:04:58:{}", left.last().unwrap_or(&"")))
            }
            request => ours(request),
        }
    };
    let mut world = World::new(Polling::Adaptive, server);
    world.disk_works = false;
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(100));
    assert!((2..6).contains(&world.count("09")), "{:?}", world.sent);
    world.disk_works = true;
    world.events.clear();
    // That a note is taken tells that the disk works again.
    world.send(1, "b");
    world.run(secs(2));
    assert_eq!(world.state(1), Some(SendState::Sent));
    let came = world.events.iter().filter_map(|(_, e)| match e {
        Event::Received { text, repeat, .. } => Some((text.as_str(), *repeat)),
        _ => None,
    });
    assert_eq!(came.collect::<Vec<_>>(), [("one", false), ("two", false)]);
    assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::MaybeLost(_))));
}

#[test]
fn a_full_disk_costs_few_messages_elsewhere() {
    let mut world = World::online(Polling::Adaptive, |time, request: &str| match request {
        "08#" if time > secs(1) => at_once("08:50"),
        "09#" => at_once(&format!("09:b:2026-11-21 12:04:58:{}", time.as_millis())),
        request => plain(request),
    });
    world.disk_works = false;
    world.run(secs(100));
    assert!(world.count("09") <= 4, "{:?}", world.sent);
    world.session.fetch_now(world.now);
    world.sent.clear();
    world.run(RTT * 4);
    assert_eq!(world.count("09"), 1, "F5 tries again");
}

#[test]
fn a_late_message_for_the_account_before_is_not_kept_in_this_one() {
    for (next, kept) in [("b", false), ("a", true)] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| plain(request));
        world.session.go_offline(world.now);
        world.run(secs(1));
        world.session.login(world.now, account(next), Password::parse("x").expect("valid"));
        world.session.handle_datagram(world.now, b"09:c:2026-11-21 12:04:58:hi");
        world.drain();
        assert_eq!(world.events.iter().any(|(_, e)| matches!(e, Event::Received { .. })), kept, "{next}");
        world.run(secs(1));
        world.session.handle_datagram(world.now, b"09:c:2026-11-21 12:04:59:hi");
        world.drain();
        assert!(world.events.iter().any(|(_, e)| matches!(e, Event::Received { .. })), "{next}");
    }
}

#[test]
fn one_stray_00_does_not_make_our_server_a_foreign_one() {
    // Nor does the server stay ours when another has taken its place.
    for (strays, foreign) in [(1, false), (usize::MAX, true)] {
        let mut asked = 0;
        let mut world = World::online(Polling::Adaptive, |time, request: &str| {
            asked += usize::from(time > secs(1) && request.starts_with("11"));
            if time > secs(1) && request.starts_with("11") && asked <= strays {
                at_once("00:00")
            } else {
                ours(request)
            }
        });
        world.run(secs(200));
        assert_eq!(world.has(&FOREIGN), foreign, "{strays}");
        assert_eq!(world.count("11") > 3, !foreign, "{:?}", world.requests());
    }
}

/// A chat through a course server that keeps nothing: what it has handed out is gone. Answers come late and get lost.
fn foreign_chat(seed: u64) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut dice = move |sides: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % sides
    };
    let loss = seed % 4 * 10;
    let mut forwarded: HashMap<String, usize> = HashMap::new();
    const THEIRS: usize = 10;
    let mut handed_out = 0;
    let server = |time: Duration, request: &str| {
        // The first second is without faults, so that the login and 11 are behind us.
        let faulty = time > Duration::from_millis(100);
        if faulty && dice(100) < loss {
            return Vec::new();
        }
        let answer = match request {
            "08#" if faulty => format!("08:{}", THEIRS - handed_out),
            "09#" if faulty && handed_out < THEIRS => {
                handed_out += 1;
                format!("09:b:2026-11-21 12:04:{handed_out:02}:{handed_out}")
            }
            request => {
                if request.starts_with("03") {
                    *forwarded.entry(request.to_owned()).or_default() += 1;
                }
                plain(request).remove(0).1
            }
        };
        if faulty && dice(100) < loss {
            return Vec::new();
        }
        let delay = if faulty { 10 + dice(400) } else { 10 };
        vec![(Duration::from_millis(delay), answer)]
    };
    let mut world = World::online(Polling::Adaptive, server);
    world.run(Duration::from_millis(50));
    for id in 0..20 {
        world.send(id, "b");
    }
    world.run(secs(1_800));
    let states: Vec<_> = (0..20).map(|id| world.state(id)).collect();
    let came = world.events.iter().filter(|(_, e)| matches!(e, Event::Received { repeat: false, .. })).count() as u64;
    let lost: u64 = world.events.iter().map(|(_, e)| if let Event::MaybeLost(n) = e { *n } else { 0 }).sum();
    drop(world);
    for (id, state) in states.into_iter().enumerate() {
        let times = forwarded.get(&format!("03#b#{id}#")).copied().unwrap_or(0);
        let right = match state {
            Some(SendState::Sent) => times == 1,
            Some(SendState::MaybeSentTwice) => (1..=2).contains(&times),
            Some(SendState::NoAnswer) => times <= 2,
            _ => false,
        };
        assert!(right, "seed {seed}: message {id} is {state:?} and was forwarded {times} times");
    }
    assert_eq!(handed_out, THEIRS, "seed {seed}");
    assert!(came + lost >= THEIRS as u64, "seed {seed}: {came} came and {lost} were said to be lost");
}

#[test]
fn on_a_foreign_server_what_is_doubled_or_lost_is_said() {
    for seed in 0..100 {
        foreign_chat(seed);
    }
}
