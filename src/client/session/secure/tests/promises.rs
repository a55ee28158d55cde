//! One promise each.

use super::*;
use crate::client::session::RegisterOutcome;
use crate::protocol::link::{COPIED, COPIED_BESIDE, GOING_DOWN};
use crate::protocol::wire::reply::{LoggedIn, Registered};

#[test]
fn it_registers_logs_in_sends_and_receives() {
    let mut world = World::new(1);
    world.session.register(world.now, new_account(password()));
    world.run(secs(1));
    let done = RegisterOutcome::Answered { reply: Registered::Done, after_timeout: false };
    assert!(world.has(&Event::Registered(done)), "{:?}", world.events);
    let pin = world.identity.public_key().expect("a key");
    assert!(world.has(&Event::Pin(pin.clone())) && world.session.pins() == [pin]);
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(1));
    let expected = [
        Event::LoggedIn(LoginOutcome::Done),
        Event::Extensions { known: true, shown: true },
        Event::Token(world.kept.token),
    ];
    assert!(world.kept.token.is_some() && expected.iter().all(|e| world.has(e)), "{:?}", world.events);
    let online = |w: &World| w.events.iter().filter(|(_, e)| matches!(e, Event::Online(_))).count();
    assert!(world.has(&Event::Online(vec![account("a"), account("b")])) && online(&world) == 1);
    world.post("hi");
    world.send(1, "b");
    world.send(2, "away");
    world.run(secs(1));
    assert_eq!(world.texts(), ["hi"]);
    assert_eq!(world.state(1), Some(SendState::Sent));
    assert_eq!(world.state(2), Some(SendState::Kept));
    assert_eq!(world.durable.texts, ["1", "2"]);
    assert_eq!(Some(world.durable.acknowledged), world.kept.cursor);
    assert!(matches!(world.session.link(), ConnectionState::Connected { rtt } if rtt >= RTT && rtt < 2 * RTT));
    world.session.history(world.now, account("b"), None, 10);
    world.run(secs(1));
    let old = |e: &Event| matches!(e, Event::History { messages, more: true, .. } if messages.len() == 1);
    assert!(world.events.iter().any(|(_, e)| old(e)));
    // Two round trips of 40 ms are a message's way and its answer's, the note included.
    world.events.clear();
    let begun = world.now;
    world.send(3, "b");
    assert!(world.until(secs(1), |w| w.state(3) == Some(SendState::Sent)));
    assert!(world.now - begun <= RTT + ms(1), "{:?}", world.now - begun);
}

#[test]
fn passwords_that_differ_never_leave() {
    let mut world = World::new(1);
    let other = Password::parse("other").expect("valid");
    world.session.register(world.now, new_account(other));
    world.run(secs(1));
    let differ = RegisterOutcome::Answered { reply: Registered::PasswordsDiffer, after_timeout: false };
    assert!(world.has(&Event::Registered(differ)) && world.datagrams == 0);
}

#[test]
fn a_wrong_password_and_an_unknown_account_are_said_once() {
    let mut world = World::new(1);
    let other = Password::parse("other").expect("valid");
    world.session.login(world.now, account("a"), other, world.kept);
    world.run(secs(100));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword))));
    assert_eq!((world.durable.passwords, world.session.link()), (1, ConnectionState::Offline));
    let nobody = |frame: &FromClient| match frame {
        FromClient::Login { id, .. } => {
            Some(vec![FromServer::Error { id: *id, code: Code::NoAccount, reason: None, wait: None }])
        }
        _ => None,
    };
    let mut world = World::scripted(1, nobody);
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(1));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Refused(LoggedIn::NoSuchAccount))));
    assert_eq!(world.session.poll_timeout().filter(|at| *at < world.now + secs(1)), None);
}

#[test]
fn nobody_there_is_said_in_time_and_then_it_is_quiet() {
    let mut world = World::new(1);
    world.down = true;
    world.session.login(world.now, account("a"), password(), world.kept);
    world.session.register(world.now, new_account(password()));
    world.run(secs(60));
    let said: Vec<_> = world.events.iter().map(|(at, e)| (at.as_secs(), e.clone())).collect();
    let expected = [
        (0, Event::ConnectionState(ConnectionState::LoggingIn)),
        (15, Event::ConnectionState(ConnectionState::Offline)),
        (15, Event::LoggedIn(LoginOutcome::NoAnswer)),
        (15, Event::Registered(RegisterOutcome::NoAnswer)),
    ];
    assert_eq!(said, expected);
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn an_answer_held_back_on_purpose_is_waited_for() {
    // As after wrong passwords: the frame is there, and only its answer is late.
    let mut world = World::scripted(1, |frame| matches!(frame, FromClient::Login { .. }).then(Vec::new));
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(60));
    assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::LoggedIn(_))), "{:?}", world.events);
    world.run(secs(60));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::NoAnswer)));
}

#[test]
fn a_restarted_server_is_found_at_once_and_gets_no_password() {
    let mut world = World::online(1);
    world.run(secs(10));
    world.restart_server();
    world.send(1, "b");
    let begun = world.now;
    assert!(world.until(secs(2), |w| w.state(1) == Some(SendState::Sent)), "{:?}", world.events);
    assert!(world.now - begun <= RTT * 6, "{:?}", world.now - begun);
    assert_eq!((world.durable.passwords, world.durable.resumed), (1, 1));
    assert_eq!(world.durable.texts, ["1"]);
}

#[test]
fn a_server_that_says_it_ends_is_called_again_soon_and_not_by_all_at_once() {
    let took = (0..40).map(|seed| {
        let mut world = World::online(seed);
        world.run(secs(10));
        world.server.close_all(world.now, GOING_DOWN, "going down");
        world.run(ms(50));
        assert!(matches!(world.session.link(), ConnectionState::Retrying { .. }), "{:?}", world.session.link());
        world.restart_server();
        let begun = world.now;
        assert!(world.until(secs(2), |w| w.durable.resumed == 1), "seed {seed}: {:?}", world.events);
        assert_eq!((world.durable.passwords, world.session.link() == ConnectionState::Offline), (1, false));
        (world.now - begun).as_millis()
    });
    let took: Vec<_> = took.collect();
    let (first, last) = (took.iter().min().expect("some"), took.iter().max().expect("some"));
    assert!(*last <= 800 && last - first >= 200, "{took:?}");
}

#[test]
fn a_server_that_is_away_is_found_again() {
    let mut world = World::online(1);
    world.run(secs(10));
    world.down = true;
    world.send(1, "b");
    world.run(secs(2));
    assert_eq!(world.session.link(), ConnectionState::Waiting);
    world.run(secs(8));
    assert!(
        world.events.iter().any(|(_, e)| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. }))),
        "{:?}",
        world.events
    );
    world.run(secs(100));
    world.restart_server();
    world.down = false;
    world.session.fetch_now(world.now);
    assert!(world.until(secs(2), |w| w.state(1) == Some(SendState::Sent)), "F5 is now: {:?}", world.events.last());
    assert_eq!((world.durable.passwords, world.durable.texts.len()), (1, 1));
}

#[test]
fn after_a_sleep_it_is_there_at_once() {
    for slept in [40, 50_000] {
        let mut world = World::online(1);
        world.run(secs(10));
        // Neither the timer nor the network runs meanwhile.
        world.now += secs(slept);
        world.client_at = at(6_000);
        world.post("while you slept");
        let begun = world.now;
        assert!(world.until(secs(5), |w| w.texts() == ["while you slept"]), "{slept} s: {:?}", world.events);
        assert!(world.now - begun <= secs(1), "{slept} s: {:?}", world.now - begun);
        assert_eq!(world.durable.passwords, 1);
    }
}

#[test]
fn idle_it_wakes_four_times_a_minute_and_no_more() {
    let mut world = World::online(1);
    world.run(secs(10));
    (world.datagrams, world.idle_wakes) = (0, 0);
    world.run(secs(600));
    assert!(world.datagrams <= 40 * 3 && world.idle_wakes <= 5, "{} {}", world.datagrams, world.idle_wakes);
    assert!(
        matches!(world.session.link(), ConnectionState::Connected { .. }) && world.events.is_empty(),
        "{:?}",
        world.events
    );
}

#[test]
fn who_looks_sees_the_way_measured() {
    let mut world = World::online(1);
    assert_eq!(world.session.deviation(), None);
    for _ in 0..20 {
        world.session.measure(world.now);
        world.run(secs(1));
    }
    let deviation = world.session.deviation().expect("measured");
    assert!(deviation < ms(20), "a steady way: {deviation:?}");
    world.restart_server();
    world.session.measure(world.now);
    world.run(secs(5));
    assert_eq!(world.session.deviation(), None, "of another connection");
}

#[test]
fn a_key_that_changes_meanwhile_is_refused_on_this_side() {
    let mut world = World::online(1);
    world.run(secs(10));
    world.events.clear();
    world.identity = Identity::generate().expect("random bytes");
    world.restart_server();
    world.session.fetch_now(world.now);
    world.run(secs(10));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::KeyChanged)), "{:?}", world.events);
    assert_eq!(world.session.link(), ConnectionState::Offline, "the server has logged nobody out");
}

#[test]
fn another_key_is_refused_and_can_be_trusted() {
    let mut world = World::online(1);
    world.session.go_offline(world.now);
    world.run(secs(1));
    let known = world.identity.public_key().expect("a key");
    world.identity = Identity::generate().expect("random bytes");
    world.restart_server();
    world.session.go_online(world.now);
    world.run(secs(5));
    let shown = world.identity.public_key().expect("a key");
    let change = KeyChange { shown: shown.clone(), known: vec![known.clone()], damaged: None };
    assert!(world.has(&Event::KeyChanged(change.clone())) && world.has(&Event::LoggedIn(LoginOutcome::KeyChanged)));
    let (new, old) = change.words(false);
    assert!(new != old && new.split(' ').count() == 8 && old.split(' ').count() == 8, "{new} {old}");
    assert_eq!((world.durable.passwords, world.durable.resumed), (1, 0));
    assert_eq!(world.session.poll_timeout().filter(|at| *at < world.now + secs(1)), None, "it does not try on");
    world.session.trust(shown.clone());
    world.session.go_online(world.now);
    assert!(world.until(secs(5), |w| w.has(&Event::LoggedIn(LoginOutcome::Done))));
    assert!(world.has(&Event::Pin(shown.clone())) && world.session.pins() == [known, shown]);
}

#[test]
fn whose_folder_was_copied_takes_another_name_and_does_not_fight() {
    for (code, offline) in [(COPIED, true), (COPIED_BESIDE, false)] {
        let close = |world: &mut World<'_>| {
            let peer = world.seats.last().expect("connected").peer;
            world.server.close(world.now, peer, code, "another program");
        };
        let logins = |world: &World<'_>| world.durable.passwords + world.durable.resumed;
        let names = |world: &World<'_>| world.events.iter().filter(|(_, e)| *e == Event::NameTaken).count();
        let mut world = World::online(1);
        let old = world.kept.device;
        close(&mut world);
        world.run(secs(20));
        assert!(world.has(&Event::Copied { offline }) && world.kept.device != old);
        assert_eq!(logins(&world), 1 + usize::from(!offline), "by itself once, or not at all");
        world.session.go_online(world.now);
        world.run(secs(20));
        assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
        assert_eq!((logins(&world), names(&world)), (2, 1));

        // What may have been sent is settled under the old name first.
        let mut world = World::online(1);
        world.loss = 100;
        world.send(1, "b");
        world.run(ms(50));
        world.loss = 0;
        close(&mut world);
        world.run(ms(100));
        assert_eq!((world.has(&Event::Copied { offline }), names(&world)), (true, 0));
        world.session.go_online(world.now);
        world.run(secs(20));
        assert_eq!((world.state(1), names(&world)), (Some(SendState::Sent), 1));
        let by = world.durable.sent.keys().map(|(device, _)| *device).collect::<Vec<_>>();
        assert_eq!((by, logins(&world)), (vec![old], 3));
    }
}

#[test]
fn whoever_is_thrown_out_is_told_and_comes_back_only_by_hand() {
    let mut world = World::online(1);
    let peer = world.seats.last().expect("connected").peer;
    let kicked = FromServer::Kicked { address: "10.0.0.9:5".into(), at: 77 };
    world.server.send(world.now, peer, &kicked.encode());
    world.run(secs(100));
    assert!(world.has(&Event::Kicked { address: "10.0.0.9:5".into(), at: 77 }));
    assert_eq!((world.session.link(), world.durable.resumed), (ConnectionState::LoggedOut, 0));
    world.send(1, "b");
    world.run(secs(10));
    assert_eq!(world.state(1), Some(SendState::Waiting));
    world.session.go_online(world.now);
    world.run(secs(2));
    assert_eq!((world.state(1), world.durable.resumed), (Some(SendState::Sent), 1));
    // The other side: a device that ends another session is told so once, and not after each reconnect.
    let took = |frame: &FromClient| match frame {
        FromClient::Login { id, .. } | FromClient::Resume { id, .. } => {
            let ended = Some("10.0.0.8:4".to_owned());
            Some(vec![FromServer::LoggedIn {
                id: *id,
                token: Some(Key([4; 32])),
                highest: 0,
                ended,
                start: None,
                made: None,
            }])
        }
        _ => None,
    };
    let mut world = World::scripted(1, took);
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(10));
    world.restart_server();
    world.session.fetch_now(world.now);
    world.run(secs(10));
    let said = world.events.iter().filter(|(_, e)| matches!(e, Event::TookPlace { .. })).count();
    let times = world.events.iter().filter(|(_, e)| *e == Event::LoggedIn(LoginOutcome::Done)).count();
    assert_eq!((said, times), (1, 2));
}

#[test]
fn leaving_takes_a_second_at_most_and_keeps_what_is_not_settled() {
    for (answers, was) in [(true, Some(true)), (false, None)] {
        let mut world = World::online(1);
        world.down = !answers;
        world.send(1, "b");
        world.run(ms(10));
        let begun = world.now;
        world.session.go_offline(world.now);
        assert!(world.until(secs(5), |w| w.has(&Event::WentOffline(was))), "{:?}", world.events);
        assert!(world.now - begun <= secs(1) && world.session.link() == ConnectionState::Offline);
        world.send(2, "b");
        world.run(secs(100));
        assert_eq!(world.state(2), Some(SendState::Waiting));
        world.down = false;
        world.session.go_online(world.now);
        world.run(secs(5));
        assert_eq!([1, 2].map(|id| world.state(id)), [Some(SendState::Sent); 2]);
        assert_eq!(world.durable.texts, ["1", "2"]);
    }
}

#[test]
fn a_token_that_means_nothing_any_more_costs_a_password_or_a_question() {
    let mut world = World::online(1);
    world.durable.tokens.clear();
    world.restart_server();
    world.session.fetch_now(world.now);
    assert!(world.until(secs(5), |w| w.has(&Event::LoggedIn(LoginOutcome::Done))), "{:?}", world.events);
    assert_eq!(world.durable.passwords, 2);
    // By the token alone, after a restart of the client.
    world.restart_client(2);
    world.events.clear();
    world.session.resume(world.now, account("a"), world.kept);
    assert!(world.until(secs(5), |w| w.has(&Event::LoggedIn(LoginOutcome::Done))));
    assert_eq!(world.durable.passwords, 2);
    world.durable.tokens.clear();
    world.restart_client(3);
    world.session.resume(world.now, account("a"), world.kept);
    world.run(secs(5));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::PasswordNeeded)) && world.has(&Event::Token(None)));
    assert_eq!(world.session.link(), ConnectionState::Offline);
}

#[test]
fn what_the_disk_refuses_is_neither_acknowledged_nor_lost() {
    let mut world = World::online(1);
    world.post("one");
    world.run(secs(1));
    world.disk_works = false;
    for text in ["two", "three", "four"] {
        world.post(text);
    }
    world.run(secs(10));
    assert_eq!((world.texts(), Some(world.durable.acknowledged)), (vec!["one"], world.kept.cursor));
    let asked = world.durable.resumed;
    world.run(secs(60));
    assert!(world.durable.resumed - asked <= 3, "it is not tried without end");
    world.send(1, "b");
    world.run(secs(31));
    assert_eq!(world.state(1), Some(SendState::Waiting), "not sent: nobody would know after a crash");
    world.disk_works = true;
    world.run(secs(31));
    assert_eq!(world.state(1), Some(SendState::Sent));
    assert_eq!(world.texts(), ["one", "two", "three", "four"]);
    assert_eq!(Some(world.durable.acknowledged), world.kept.cursor);
}

#[test]
fn what_is_pushed_again_while_the_disk_is_slow_is_there_once() {
    let mut world = World::online(1);
    world.run(secs(6));
    world.writes.longest = 3_000;
    for text in ["one", "two", "three"] {
        world.post(text);
    }
    world.run(ms(100));
    world.restart_server();
    world.session.fetch_now(world.now);
    world.run(ms(500));
    assert_eq!((world.durable.resumed, world.texts().len() < 3), (1, true), "it is back before the disk is done");
    world.run(secs(20));
    assert_eq!(world.texts(), ["one", "two", "three"]);
    assert_eq!(Some(world.durable.acknowledged), world.kept.cursor);
}

#[test]
fn a_gap_is_asked_about_once() {
    let mut world = World::online(1);
    world.post("one");
    world.run(secs(6));
    let peer = world.seats.last().expect("connected").peer;
    let message = |row, after| FromServer::Message {
        row,
        after,
        from: "b".into(),
        writer: None,
        at: 0,
        text: row.to_string(),
        plain: None,
        made: None,
    };
    world.server.send(world.now, peer, &message(900, 800).encode());
    world.run(secs(5));
    assert_eq!((world.durable.resumed, world.texts()), (1, vec!["one"]), "{:?}", world.events);
    let peer = world.seats.last().expect("connected").peer;
    world.server.send(world.now, peer, &message(900, 800).encode());
    world.run(secs(5));
    assert_eq!((world.durable.resumed, world.texts()), (1, vec!["one", "900"]));
}

#[test]
fn refusals_fail_and_later_means_later() {
    let mut times = 0;
    let refuse = |frame: &FromClient| match frame {
        FromClient::Send { counter: 2, .. } => {
            times += 1;
            (times < 3).then(|| {
                vec![FromServer::Refused { counter: 2, code: Code::TryLater, wait: None, reason: None, made: None }]
            })
        }
        FromClient::Send { counter, .. } => {
            let code = if *counter == 1 { Code::NoAccount } else { Code::MailboxFull };
            Some(vec![FromServer::Refused { counter: *counter, code, wait: None, reason: None, made: None }])
        }
        _ => None,
    };
    let mut world = World::scripted(1, refuse);
    world.log_in();
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(secs(60));
    let states = [1, 2, 3].map(|id| world.state(id));
    assert_eq!(states, [Some(SendState::Unknown), Some(SendState::Sent), Some(SendState::Failed)]);
    drop(world);
    assert_eq!(times, 3);
}

#[test]
fn who_may_send_no_more_for_now_waits_as_long_as_it_is_told_and_loses_nothing() {
    let mut times = 0;
    let script = |frame: &FromClient| match frame {
        FromClient::Send { counter, .. } if *counter > 1 => {
            times += 1;
            let wait = Some(3_000);
            (times <= 2).then(|| {
                vec![FromServer::Refused { counter: *counter, code: Code::TryLater, wait, reason: None, made: None }]
            })
        }
        _ => None,
    };
    let mut world = World::scripted(1, script);
    world.log_in();
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(Duration::from_millis(2_500));
    assert_eq!(world.state(1), Some(SendState::Sent));
    assert!(world.has(&Event::Paced(secs(3))) && [2, 3].iter().all(|id| world.state(*id) != Some(SendState::Sent)));
    world.run(secs(2));
    assert!((1..=3).all(|id| world.state(id) == Some(SendState::Sent)));
    drop(world);
    assert_eq!(times, 4, "each was refused once and sent once more");
}

#[test]
fn nothing_follows_a_refused_one_before_that_is_on_disk() {
    let mut sent = Vec::new();
    let script = |frame: &FromClient| match frame {
        FromClient::Send { counter, after, .. } => {
            sent.push((*counter, *after));
            let refused = |code| {
                Some(vec![FromServer::Refused { counter: *counter, code, wait: None, reason: None, made: None }])
            };
            match (*counter, after) {
                (1, _) => refused(Code::MailboxFull),
                (3, Some(1)) => refused(Code::OutOfTurn),
                _ => None,
            }
        }
        _ => None,
    };
    let mut world = World::scripted(1, script);
    world.log_in();
    for (id, to) in [(1, "b"), (2, "c"), (3, "b")] {
        world.send(id, to);
    }
    world.run(ms(1));
    world.disk_works = false;
    world.run(secs(20));
    assert_eq!([1, 2, 3].map(|id| world.state(id)), [SendState::Failed, SendState::Sent, SendState::Sending].map(Some));
    world.disk_works = true;
    world.run(secs(40));
    assert_eq!(world.state(3), Some(SendState::Sent));
    drop(world);
    assert_eq!(sent, [(1, None), (2, None), (3, Some(1)), (3, None)]);
}

#[test]
fn a_copied_folder_takes_a_new_name_and_doubles_nothing() {
    // Its number 2 was used by the other copy for another text, 1 is the same message in both.
    let mut world = World::online(1);
    for (counter, body, text) in [(1, "b 1", "1"), (2, "b other", "other"), (7, "b more", "more")] {
        world.durable.sent.insert((Key([1; 16]), counter), (body.into(), 1));
        world.durable.texts.push(text.into());
    }
    world.durable.rows = 100;
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(secs(10));
    assert_eq!([1, 2, 3].map(|id| world.state(id)), [Some(SendState::Sent); 3]);
    assert_eq!(world.durable.texts, ["1", "other", "more", "3", "2"]);
    assert_eq!((world.kept.device, world.durable.passwords), (Key([2; 16]), 2));
    // And one that is noticed at login, by a number higher than any of its own.
    let mut world = World::new(1);
    world.durable.sent.insert((Key([1; 16]), 9), ("b other".into(), 1));
    world.session.login(world.now, account("a"), password(), world.kept);
    world.send(1, "b");
    world.run(secs(5));
    assert_eq!((world.state(1), world.kept.device), (Some(SendState::Sent), Key([2; 16])));
    assert_eq!(world.durable.texts, ["1"]);
}

#[test]
fn a_disk_that_forgot_its_last_messages_doubles_none_and_keeps_their_order() {
    // It knows of 1 and that this was sent; 2 and 4 it has sent and forgotten, and 3 was never a message.
    let mut world = World::new(1);
    for (counter, text) in [(1, "1"), (2, "forgotten"), (4, "too")] {
        world.durable.sent.insert((Key([1; 16]), counter), (format!("b {text}"), counter));
        world.durable.texts.push(text.into());
    }
    world.kept.newest = 1;
    world.session.login(world.now, account("a"), password(), world.kept);
    world.session.send_again(world.now, MessageId(1), account("b"), MessageText::parse("1").expect("valid"));
    for id in 2..=6 {
        world.send(id, "b");
    }
    world.run(secs(10));
    assert_eq!([1, 2, 3, 4, 5, 6].map(|id| world.state(id)), [Some(SendState::Sent); 6]);
    assert_eq!(world.durable.texts, ["1", "forgotten", "too", "2", "3", "4", "5", "6"]);
    assert_eq!((world.kept.device, world.durable.passwords), (Key([2; 16]), 2));
}

#[test]
fn comings_and_goings_are_told() {
    let mut world = World::online(1);
    let peer = world.seats.last().expect("connected").peer;
    let changes = FromServer::Changes { came: vec!["c".into()], went: vec!["b".into()], states: BTreeMap::new() };
    world.server.send(world.now, peer, &changes.encode());
    world.server.send(world.now, peer, br#"{"t":"dance"}"#);
    world.server.send(world.now, peer, b"not JSON at all");
    world.run(secs(1));
    assert!(world.has(&Event::Online(vec![account("a"), account("c")])), "{:?}", world.events);
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
}

#[test]
fn a_thousand_messages_go_through_a_window() {
    let mut world = World::online(1);
    for id in 1..=1_000 {
        world.send(id, "b");
    }
    for n in 0..1_000 {
        world.post(&n.to_string());
    }
    assert!(world.until(secs(60), |w| w.durable.texts.len() == 1_000 && w.disk.len() == 1_000));
    world.run(secs(2));
    let numbers = |from: u32| (from..from + 1_000).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (world.durable.texts.clone(), world.texts()),
        (numbers(1), numbers(0).iter().map(String::as_str).collect())
    );
    assert_eq!(Some(world.durable.acknowledged), world.kept.cursor);
}
