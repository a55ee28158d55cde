//! A hostile or broken server: nothing panics, nothing grows without bound, and the client still talks to a good one.

use std::cell::Cell;

use super::*;
use crate::client::session::LookUpResult;
use crate::client::session::secure::harmless::{MOST_ARRIVED, MOST_ONLINE};
use crate::client::session::secure::questions::Question;

impl World<'_> {
    /// Sends these bytes as a frame on the newest connection.
    fn hurl(&mut self, bytes: &[u8]) {
        if let Some(peer) = self.seats.last().map(|seat| seat.peer) {
            self.server.send(self.now, peer, bytes);
            self.run(ms(1));
        }
    }
}

/// Makes an invalid frame, or a valid one with impossible content.
fn nonsense(world: &mut World<'_>, genuine: &[Vec<u8>]) -> Vec<u8> {
    let n = usize::try_from(world.dice.roll() % 1_000).expect("small");
    let mut bytes = genuine[n % genuine.len()].clone();
    match n % 5 {
        0 => {
            let (at, byte) = (n % bytes.len(), world.dice.roll());
            bytes[at] = byte.to_le_bytes()[0];
        }
        1 => bytes.truncate(n % bytes.len() + 1),
        2 => bytes.resize(64_000, b' '),
        3 => bytes = vec![b'['; 60_000],
        _ => {}
    }
    bytes
}

#[test]
fn whatever_a_server_says_is_survived() {
    for seed in 0..8 {
        println!("seed {seed}");
        // What it acknowledges may be what it was told falsely.
        let mut world = World::scripted(seed, |frame| matches!(frame, FromClient::Ack { .. }).then(Vec::new));
        world.log_in();
        let numbers = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1];
        let times = [0, -1, i64::MIN, i64::MAX];
        let mut genuine = Vec::new();
        for (n, at) in numbers.into_iter().zip(times.into_iter().cycle()) {
            let (from, text) = ("\u{1b}[2J#:\n".repeat(50), "x".repeat(9_000));
            let past = Past {
                row: n,
                from: from.clone(),
                writer: None,
                at,
                text: text.clone(),
                online: None,
                delivered: false,
            };
            genuine.extend(
                [
                    FromServer::Message {
                        row: n,
                        after: n / 2,
                        from: from.clone(),
                        writer: Some(from.clone()),
                        at,
                        text: text.clone(),
                        plain: Some(text.clone()),
                        made: Some(at),
                    },
                    FromServer::Own {
                        row: n,
                        after: n,
                        to: from.clone(),
                        at,
                        text: text.clone(),
                        device: OTHER,
                        counter: n,
                        accepted: n,
                        online: None,
                    },
                    FromServer::Accepted { counter: n, row: n, at, online: false, made: None },
                    FromServer::Refused { counter: n, code: Code::IdConflict, wait: None, reason: None, made: None },
                    FromServer::LoggedIn {
                        id: n,
                        token: Some(Key([1; 32])),
                        highest: n,
                        ended: Some(text.clone()),
                        start: Some(n),
                        made: Some(at),
                    },
                    FromServer::History { id: n, messages: vec![past], more: true },
                    FromServer::Account { id: n, account: from.clone(), made: at },
                    FromServer::Error { id: n, code: Code::BadToken, reason: None, wait: None },
                    FromServer::Presence { first: false, online: vec![from; 500], states: BTreeMap::new() },
                    FromServer::Pong { id: n, at: Some(at) },
                    FromServer::LoggedOut { id: n },
                    FromServer::Registered { id: n },
                ]
                .map(|frame| frame.encode()),
            );
        }
        for _ in 0..200 {
            if world.percent() < 10 {
                world.session.history(world.now, account("b"), None, 40);
                world.session.measure(world.now);
            }
            let bytes = nonsense(&mut world, &genuine);
            world.hurl(&bytes);
        }
        // Not what it has said is asked of it now, but that it is spoken to.
        world.run(secs(40));
        let begun = world.durable.texts.len();
        world.send(100, "b");
        world.run(secs(60));
        assert!(world.durable.texts.len() > begun, "seed {seed}: {:?}", world.session.link());
    }
}

#[test]
fn what_a_server_sends_without_end_is_bounded() {
    let mut world = World::online(1);
    world.writes.longest = u64::MAX / 2;
    for row in 1..3_000_u64 {
        let text = "x".to_owned();
        let frame = FromServer::Message {
            row,
            after: row - 1,
            from: "b".into(),
            writer: None,
            at: 7,
            text,
            plain: None,
            made: None,
        };
        world.hurl(&frame.encode());
    }
    assert_eq!((world.session.receiving.arrived.len(), world.writes.under_way.len()), (MOST_ARRIVED, MOST_ARRIVED));
    let mut world = World::online(1);
    for n in 0..3 {
        let came: Vec<_> = (0..MOST_ONLINE / 2 + 1).map(|i| format!("{n}-{i}")).collect();
        world.session.changed(&came, &[], BTreeMap::new());
    }
    assert_eq!(world.session.presence.online.len(), MOST_ONLINE);
}

/// Each login says that another program has used the device's name, which is impossible for a name that was just made
/// up.
#[test]
fn a_device_does_not_take_one_name_after_another_for_ever() {
    let mut id = 0;
    let liar = |frame: &FromClient| match frame {
        FromClient::Login { id, .. } | FromClient::Resume { id, .. } => {
            let token = Some(Key([1; 32]));
            Some(vec![FromServer::LoggedIn {
                id: *id,
                token,
                highest: u64::MAX,
                ended: None,
                start: Some(0),
                made: None,
            }])
        }
        _ => None,
    };
    let mut world = World::scripted(1, liar);
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(60));
    for (_, event) in &world.events {
        id += u32::from(*event == Event::NameTaken);
    }
    assert!((2..15).contains(&id), "{id} names in a minute");
}

#[test]
fn made_anew_is_no_answer_to_a_login_that_named_no_account() {
    let mut world = World::scripted(1, |frame| match frame {
        FromClient::Login { id, .. } => {
            Some(vec![FromServer::Error { id: *id, code: Code::MadeAnew, reason: None, wait: None }])
        }
        _ => None,
    });
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(30));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::NotUnderstood)), "{:?}", world.events);
    assert!(!world.events.iter().any(|(_, event)| matches!(event, Event::MadeAnew(_))));
}

#[test]
fn nothing_is_believed_of_accounts_that_nobody_asked_about() {
    let mut world = World::online(1);
    world.post("hi");
    world.run(secs(1));
    let made = |world: &World<'_>| world.events.iter().filter(|(_, e)| matches!(e, Event::Made { .. })).count();
    let before = made(&world);
    for n in 0..100 {
        let account =
            FromServer::Account { id: 7_000 + n, account: "b".into(), made: i64::try_from(n).expect("small") };
        // A message that is here already.
        let (row, after, from, text) = (1, 0, "b".into(), "hi".into());
        let made = Some(1_000 + i64::try_from(n).expect("small"));
        let again = FromServer::Message { row, after, from, writer: None, at: 0, text, plain: None, made };
        world.hurl(&account.encode());
        world.hurl(&again.encode());
    }
    assert_eq!(made(&world), before, "{:?}", world.events);
}

#[test]
fn an_answer_before_its_question_leaves_the_question_open() {
    let now = World::new(1).now;
    let mut questions = Questions::default();
    questions.ask(now, 5, Question::LookUp(account("b")));
    assert_eq!(questions.next(true).map(|(id, _)| id), Some(5));
    questions.went_out(now, 5);
    questions.connection_is_gone();
    // A frame of the next connection that knows its number before it is asked there.
    assert_eq!(questions.answered(5, Answer::Refused(Code::TryLater, None)), None);
    assert_eq!(questions.next(true).map(|(id, _)| id), Some(5), "it is asked again");
    questions.went_out(now, 5);
    let asked = account("b");
    assert_eq!(questions.answered(5, Answer::Registered), None, "that is no answer to it");
    let found = LookUpResult::Nobody;
    assert_eq!(questions.answered(5, Answer::Refused(Code::NoAccount, None)), Some(Event::LookedUp { asked, found }));
}

#[test]
fn a_login_that_is_refused_ends_what_needed_it() {
    let refuse = Cell::new(false);
    let mut world = World::scripted(1, |frame| match frame {
        FromClient::Login { id, .. } | FromClient::Resume { id, .. } if refuse.get() => {
            Some(vec![FromServer::Error { id: *id, code: Code::NoAccount, reason: None, wait: None }])
        }
        FromClient::AccountSettings { .. } => Some(Vec::new()),
        _ => None,
    });
    world.log_in();
    refuse.set(true);
    world.session.account_settings(world.now);
    world.restart_server();
    world.run(secs(60));
    assert!(world.events.iter().any(|(_, event)| matches!(event, Event::LoggedIn(LoginOutcome::Refused(_)))));
    assert!(world.has(&Event::AccountSettings(None)), "{:?}", world.events);
}
