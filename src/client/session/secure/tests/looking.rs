//! Looking up whether there is an account, and which one of its name.

use super::*;
use crate::client::session::{LookUpResult, Recipient};

fn found(world: &World<'_>) -> Vec<(String, LookUpResult)> {
    let found = |(_, event): &(Duration, Event)| match event {
        Event::LookedUp { asked, found } => Some((asked.as_str().to_owned(), found.clone())),
        _ => None,
    };
    world.events.iter().filter_map(found).collect()
}

fn look_up(world: &mut World<'_>, name: &str) {
    world.session.look_up(world.now, account(name));
}

fn answers(list: &[(&str, LookUpResult)]) -> Vec<(String, LookUpResult)> {
    list.iter().map(|(name, found)| ((*name).to_owned(), found.clone())).collect()
}

#[test]
fn a_question_is_answered_by_the_server_or_in_time_by_nobody() {
    let mut world = World::new(1);
    look_up(&mut world, "b");
    world.drain();
    assert_eq!(found(&world), answers(&[("b", LookUpResult::Unanswered)]), "at once, as nobody is asked");
    world.log_in();
    look_up(&mut world, "b");
    look_up(&mut world, "x");
    world.run(secs(1));
    assert_eq!(found(&world), answers(&[("b", LookUpResult::There(account("b"))), ("x", LookUpResult::Nobody)]));
    assert!(world.has(&Event::Made { account: account("b"), made: 3 }));
    // Nothing is lost with a connection; but the time is over some day.
    world.events.clear();
    world.restart_server();
    look_up(&mut world, "x");
    assert!(world.until(secs(5), |w| !found(w).is_empty()));
    assert_eq!(found(&world), answers(&[("x", LookUpResult::Nobody)]));
    world.events.clear();
    world.down = true;
    let asked = world.time();
    look_up(&mut world, "b");
    assert!(world.until(secs(60), |w| !found(w).is_empty()));
    assert_eq!((world.time() - asked, found(&world)), (secs(5), answers(&[("b", LookUpResult::Unanswered)])));
    // A user who goes offline does not wait either.
    world.down = false;
    world.run(secs(60));
    world.events.clear();
    world.down = true;
    look_up(&mut world, "b");
    world.session.go_offline(world.now);
    world.run(secs(2));
    assert_eq!(found(&world), answers(&[("b", LookUpResult::Unanswered)]));
}

#[test]
fn an_earlier_server_that_answers_nothing_is_asked_for_5_s_and_stays_connected() {
    let mut world = World::scripted(2, |frame| matches!(frame, FromClient::LookUp { .. }).then(Vec::new));
    world.log_in();
    look_up(&mut world, "b");
    world.run(secs(30));
    assert_eq!(found(&world), answers(&[("b", LookUpResult::Unanswered)]));
    assert_eq!((world.durable.resumed, world.durable.passwords), (0, 1), "it is no silence");
    let later = |frame: &FromClient| match frame {
        FromClient::LookUp { id, .. } => {
            Some(vec![FromServer::Error { id: *id, code: Code::TryLater, reason: None, wait: None }])
        }
        _ => None,
    };
    let mut world = World::scripted(2, later);
    world.log_in();
    look_up(&mut world, "b");
    world.run(secs(1));
    assert_eq!(found(&world), answers(&[("b", LookUpResult::Unanswered)]), "who will not say has not said no");
}

#[test]
fn what_was_written_to_an_account_of_before_is_not_sent_to_the_new_one() {
    let mut meant = Vec::new();
    let server = |frame: &FromClient| match frame {
        FromClient::Send { counter, made: made @ Some(1), .. } => {
            meant.push((*counter, *made));
            let (code, made) = (Code::MadeAnew, Some(2));
            Some(vec![FromServer::Refused { counter: *counter, code, wait: None, reason: None, made }])
        }
        FromClient::Send { counter, made, .. } => {
            meant.push((*counter, *made));
            Some(vec![FromServer::Accepted { counter: *counter, row: 7, at: 0, online: true, made: Some(2) }])
        }
        _ => None,
    };
    let mut world = World::scripted(3, server);
    world.log_in();
    let text = || MessageText::parse("x").expect("valid");
    let to = |made| Recipient { account: account("b"), made };
    world.session.send(world.now, MessageId(1), to(Some(1)), text());
    world.session.send(world.now, MessageId(2), to(None), text());
    world.run(secs(2));
    assert_eq!((world.state(1), world.state(2)), (Some(SendState::MadeAnew), Some(SendState::Sent)));
    let made = |world: &World<'_>| {
        world.events.iter().filter(|(_, e)| *e == Event::Made { account: account("b"), made: 2 }).count()
    };
    assert_eq!(made(&world), 1, "told once");
    world.session.send(world.now, MessageId(1), to(Some(2)), text());
    world.run(secs(2));
    assert_eq!(world.state(1), Some(SendState::Sent));
    drop(world);
    assert_eq!(meant, [(1, Some(1)), (2, None), (1, Some(2))]);
}

#[test]
fn whoever_was_logged_in_to_an_account_of_before_does_nothing_in_the_new_one() {
    let mut seen = Vec::new();
    let server = |frame: &FromClient| match frame {
        FromClient::Login { id, made: Some(made), .. } if *made == 1 => {
            Some(vec![FromServer::Error { id: *id, code: Code::MadeAnew, reason: None, wait: None }])
        }
        FromClient::Login { id, made, .. } => {
            let token = Some(Key([1; 32]));
            let (highest, ended, start) = (0, None, Some(0));
            seen.push(*made);
            Some(vec![FromServer::LoggedIn { id: *id, token, highest, ended, start, made: Some(2) }])
        }
        FromClient::Send { .. } => panic!("in whose name?"),
        _ => None,
    };
    let mut world = World::scripted(4, server);
    let kept = DeviceState { made: Some(1), cursor: Some(9), ..world.kept };
    world.session.login(world.now, account("a"), password(), kept);
    world.send(1, "b");
    world.run(secs(30));
    assert!(world.has(&Event::MadeAnew(password())), "{:?}", world.events);
    assert!(!world.events.iter().any(|(_, event)| matches!(event, Event::LoggedIn(_))), "nobody is in, nor refused");
    // With a history of its own it is in, and keeps which account this is.
    world.session.forget();
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(2));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)));
    assert!(world.has(&Event::Made { account: account("a"), made: 2 }));
    drop(world);
    assert_eq!(seen, [None]);
}
