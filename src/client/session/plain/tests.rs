use std::collections::HashMap;
use std::net::SocketAddr;

use super::*;
use crate::protocol::wire::reply::LoggedIn;
use crate::server::engine::{Effect, Engine, Now};
use crate::server::hasher::{Hashed, Job, Outcome};
use crate::server::store::{Op, Store, Write};
use crate::server::{OnSecondLogin, Quotas};

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn password() -> Password {
    Password::parse("x").expect("valid")
}

/// Runs a session against a script: each request must be as given and gets the answer beside it; `None` is silence.
fn scripted(session: &mut Session, now: &mut Instant, script: &[(&str, Option<&str>)]) -> Vec<Event> {
    let mut events = Vec::new();
    for (i, (request, answer)) in script.iter().enumerate() {
        let sent = loop {
            settle(session, *now, &mut events);
            if let Some(transmit) = session.poll_transmit() {
                break transmit;
            }
            let due = session.poll_timeout().unwrap_or_else(|| panic!("line {i}: nothing is sent or waited for"));
            assert!(due >= *now || session.poll_timeout() == Some(due), "line {i}");
            *now = due.max(*now);
            session.handle_timeout(*now);
        };
        assert_eq!(String::from_utf8_lossy(&sent.bytes), *request, "line {i}");
        if let Some(answer) = answer {
            *now += Duration::from_millis(10);
            session.handle_datagram(*now, answer.as_bytes());
        }
    }
    settle(session, *now, &mut events);
    events
}

fn settle(session: &mut Session, now: Instant, events: &mut Vec<Event>) {
    while let Some(event) = session.poll_event() {
        if let Event::Received { token, .. } = &event {
            session.handle_stored(now, *token, true);
        }
        if let Event::Outgoing { id, state: SendState::Sending } = &event {
            session.handle_noted(now, *id, true);
        }
        events.push(event);
    }
}

fn online(now: &mut Instant, who: Option<&str>) -> Session {
    let mut session = Session::new(Polling::Adaptive);
    session.login(*now, account("a"), password());
    scripted(&mut session, now, &[("02#a#x#", Some("02:01")), ("11#0#", who), ("08#", Some("08:0"))]);
    session
}

#[test]
fn login_is_served_or_offered_a_takeover() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let events = scripted(&mut session, &mut now, &[("02#a#x#", Some("02:04")), ("08#", Some("08:0"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Done)));

    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let events = scripted(&mut session, &mut now, &[("02#a#x#", Some("02:04")), ("08#", Some("07:01"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn))));
    session.take_over(now);
    let events = scripted(&mut session, &mut now, &[("06#", Some("06:01")), ("02#a#x#", Some("02:01"))]);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::Done)));
}

#[test]
fn four_tries_then_no_answer() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Adaptive);
    session.login(now, account("a"), password());
    let start = now;
    scripted(&mut session, &mut now, &[("02#a#x#", None); 4]);
    assert_eq!(now - start, Duration::from_secs(1 + 2 + 4));
    now += Duration::from_secs(8);
    session.handle_timeout(now);
    let mut events = Vec::new();
    settle(&mut session, now, &mut events);
    assert!(events.contains(&Event::LoggedIn(LoginOutcome::NoAnswer)));
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn a_lost_answer_to_03_is_fenced_and_said() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("11:1:0:a"));
    let id = MessageId(7);
    session.send(now, id, account("b"), MessageText::parse("hi").expect("valid"));
    let script = [("03#b#hi#", None), ("08#", Some("08:0")), ("03#b#hi#", Some("03:01"))];
    let events = scripted(&mut session, &mut now, &script);
    assert_eq!(
        events.iter().rfind(|e| matches!(e, Event::Outgoing { .. })),
        Some(&Event::Outgoing { id, state: SendState::MaybeSentTwice })
    );
    // Before the next one a fence again, so that a late answer confirms nothing else.
    session.send(now, MessageId(8), account("b"), MessageText::parse("ho").expect("valid"));
    // The poll that follows a sending may come first.
    session.handle_datagram(now, b"08:0");
    let events = scripted(&mut session, &mut now, &[("08#", Some("08:0"))]);
    assert!(!events.contains(&Event::Outgoing { id: MessageId(8), state: SendState::Sent }));
}

#[test]
fn a_late_answer_confirms_its_own_message_on_a_foreign_server() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.send(now, MessageId(1), account("b"), MessageText::parse("hi").expect("valid"));
    scripted(&mut session, &mut now, &[("03#b#hi#", None), ("08#", Some("08:0"))]);
    session.handle_datagram(now, b"03:01");
    let mut events = Vec::new();
    settle(&mut session, now, &mut events);
    assert!(events.contains(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
}

#[test]
fn takes_wait_for_the_disk_and_equal_messages_are_messages() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.fetch_now(now);
    session.handle_timeout(now);
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"08#".to_vec()));
    session.handle_datagram(now, b"08:2");
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"09#".to_vec()));
    let message = b"09:b:2026-11-21 12:04:58:hi: there";
    session.handle_datagram(now, message);
    assert_eq!(session.poll_transmit(), None, "not before it is stored");
    let token = std::iter::from_fn(|| session.poll_event())
        .find_map(|e| if let Event::Received { token, text, .. } = e { Some((token, text)) } else { None });
    let Some((token, text)) = token else { panic!("a message") };
    assert_eq!(text, "hi: there");
    session.handle_stored(now, token, true);
    assert_eq!(session.poll_transmit().map(|t| t.bytes), Some(b"09#".to_vec()));
    session.handle_datagram(now, message);
    assert!(std::iter::from_fn(|| session.poll_event()).any(|e| matches!(e, Event::Received { repeat: false, .. })));
}

#[test]
fn a_session_the_server_forgot_is_logged_in_again() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.send(now, MessageId(1), account("b"), MessageText::parse("hi").expect("valid"));
    let script = [("03#b#hi#", Some("07:01")), ("02#a#x#", Some("02:01")), ("03#b#hi#", Some("03:01"))];
    let events = scripted(&mut session, &mut now, &script);
    assert!(events.contains(&Event::ConnectionState(ConnectionState::LoggedOut)));
    assert!(events.contains(&Event::Outgoing { id: MessageId(1), state: SendState::Sent }));
}

#[test]
fn a_count_that_fell_by_itself_is_said() {
    let mut now = Instant::now();
    let mut session = online(&mut now, Some("00:00"));
    session.fetch_now(now);
    // The answer to 09 is lost, and the message with it.
    let script = [("08#", Some("08:2")), ("09#", None), ("08#", Some("08:1"))];
    let events = scripted(&mut session, &mut now, &script);
    assert!(events.contains(&Event::MaybeLost(1)));
}

#[test]
fn strictly_every_thirty_seconds() {
    let mut now = Instant::now();
    let mut session = Session::new(Polling::Strict);
    session.login(now, account("a"), password());
    scripted(&mut session, &mut now, &[("02#a#x#", Some("02:01")), ("11#0#", Some("00:00"))]);
    let start = now;
    scripted(&mut session, &mut now, &[("08#", Some("08:0")); 4]);
    let seconds = (now - start).as_secs_f64();
    assert!((120.0..120.5).contains(&seconds), "{seconds}");
}

/// Two sessions, our engine and a database in virtual time, while datagrams are lost at this rate. With `trouble` the
/// reader's disk also refuses messages, and both clients come, go, and change their addresses.
#[expect(clippy::too_many_lines, reason = "to be split")]
fn lossy_chat(seed: u64, loss: u64, trouble: bool) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a database");
    store.connection().execute_batch("PRAGMA synchronous = OFF").expect("only speed matters here");
    let hashed = || Hashed { salt: Vec::new(), hash: Vec::new() };
    for (job, name) in [(1, "a"), (2, "b")] {
        store.run(&[Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 })]);
    }
    let start = Instant::now();
    let mut now = start;
    let clock = |instant| Now { instant, unix: 0 };
    let local_time = |_| "2026-11-21 12:04:58".to_owned();
    let snapshot = store.snapshot(i64::MIN).expect("readable");
    let mut engine = Engine::new(OnSecondLogin::Arm, Quotas::default().unpaced(), local_time, snapshot, clock(now));
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut dice = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % 100
    };
    let mut ports = [1, 2];
    let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let mut sessions = [Session::new(Polling::Adaptive), Session::new(Polling::Adaptive)];
    let mut up = vec![false; 2];
    let mut states: HashMap<MessageId, SendState> = HashMap::new();
    let mut got: Vec<String> = Vec::new();
    for (session, name) in sessions.iter_mut().zip(["a", "b"]) {
        session.login(now, account(name), password());
    }
    const MESSAGES: i64 = 20;
    let settled = |s: &SendState| match s {
        SendState::Sent | SendState::MaybeSentTwice | SendState::NoAnswer => true,
        state => trouble && *state == SendState::OfflineOrUnknown,
    };
    let mut given = false;
    let (mut known, mut uncounted) = ([false; 2], false);
    while now - start < Duration::from_secs(3_600) {
        let mut quiet = true;
        for (i, session) in sessions.iter_mut().enumerate() {
            while let Some(event) = session.poll_event() {
                quiet = false;
                match event {
                    Event::LoggedIn(LoginOutcome::Done) => up[i] = true,
                    Event::LoggedIn(_) if !given => session.login(now, account(["a", "b"][i]), password()),
                    Event::Outgoing { id, state } => {
                        states.insert(id, state);
                        if state == SendState::Sending {
                            session.handle_noted(now, id, true);
                        }
                    }
                    Event::Extensions { known: ours, .. } => known[i] = ours,
                    Event::Received { token, text, repeat, .. } => {
                        let stored = !trouble || dice() < 90;
                        // Nothing is proved of a server that has not said what it is, nor by a count from before the
                        // disk refused what that handed out.
                        uncounted |= !stored && !known[i];
                        let unproved = (uncounted || !known[i]) && got.contains(&text);
                        if stored && !repeat && !unproved {
                            got.push(text);
                        }
                        session.handle_stored(now, token, stored);
                    }
                    _ => {}
                }
            }
            while let Some(transmit) = session.poll_transmit() {
                quiet = false;
                if dice() < loss {
                    continue;
                }
                engine.datagram(clock(now), address(ports[i]), &transmit.bytes);
            }
        }
        if up == [true, true] && !given {
            given = true;
            for n in 0..MESSAGES {
                sessions[0].send(now, MessageId(n), account("b"), MessageText::parse(&n.to_string()).expect("valid"));
            }
            continue;
        }
        while let Some(effect) = engine.poll_effect() {
            quiet = false;
            match effect {
                Effect::Store(op) => {
                    for done in store.run(&[op]).done {
                        engine.stored(clock(now), done);
                    }
                }
                Effect::Hash(Job::Check { job, .. }) => {
                    engine.hashed(clock(now), Outcome::Checked { job, right: true })
                }
                Effect::Hash(Job::New { .. }) => panic!("nobody registers"),
                Effect::Frame { .. } | Effect::Close { .. } => panic!("there is no device"),
                Effect::Administered { .. } => panic!("there is no operator"),
                Effect::Reply { to, bytes } => {
                    let session = ports.iter().position(|port| *port == to.port()).and_then(|i| sessions.get_mut(i));
                    if let Some(session) = session.filter(|_| dice() >= loss) {
                        session.handle_datagram(now, &bytes);
                    }
                }
            }
        }
        if !quiet {
            continue;
        }
        let came = |n: i64| got.contains(&n.to_string()) || states.get(&MessageId(n)) == Some(&SendState::NoAnswer);
        let done = given && states.len() == MESSAGES as usize && (0..MESSAGES).all(came);
        if done && states.values().all(settled) {
            break;
        }
        let due = sessions.iter().filter_map(Session::poll_timeout).min();
        let later = now + Duration::from_secs(20);
        now = match due {
            Some(due) => due.max(now),
            None if trouble => later,
            None => panic!("seed {seed}: nobody waits for anything"),
        };
        for (session, port) in sessions.iter_mut().zip(&mut ports) {
            session.handle_timeout(now);
            match (session.link(), dice()) {
                (ConnectionState::Offline | ConnectionState::LoggedOut, 0..30) if trouble && given => {
                    session.go_online(now)
                }
                (ConnectionState::Offline, _) => {}
                (_, 0) if trouble && given => session.go_offline(now),
                (_, 1) if trouble && given => *port += 2,
                _ => {}
            }
        }
    }
    for n in 0..MESSAGES {
        let times = got.iter().filter(|text| **text == n.to_string()).count();
        let state = states.get(&MessageId(n));
        let right = match state {
            Some(SendState::Sent | SendState::OfflineOrUnknown) => times == 1,
            Some(SendState::MaybeSentTwice) => (1..=2).contains(&times),
            Some(SendState::NoAnswer) => times <= 2,
            _ => false,
        };
        assert!(right, "seed {seed}, loss {loss} %: message {n} is {state:?} and came {times} times");
    }
}

#[test]
fn at_any_loss_nothing_is_lost_and_doubles_are_said() {
    for seed in 0..200 {
        lossy_chat(seed, seed % 4 * 10, false);
    }
}

#[test]
fn neither_a_bad_disk_nor_another_address_loses_anything() {
    for seed in 0..200 {
        lossy_chat(seed, seed % 4 * 10, true);
    }
}
