//! A server that cannot store is reported while messages wait for that, and at no other time.

use std::cell::Cell;

use super::*;
use crate::protocol::wire::frame::Reason;

/// The content of a refusal.
type Answer = Option<(Code, Option<u64>, Option<Reason>)>;

/// Returns the reports, in order.
fn told(world: &World<'_>) -> Vec<bool> {
    let told = |(_, event): &(Duration, Event)| if let Event::NotStoring(not) = event { Some(*not) } else { None };
    world.events.iter().filter_map(told).collect()
}

/// Answers each message with this refusal, while there is one.
fn refusing(answer: &Cell<Answer>) -> impl FnMut(&FromClient) -> Option<Vec<FromServer>> {
    |frame| match (frame, answer.get()) {
        (FromClient::Send { counter, .. }, Some((code, wait, reason))) => {
            Some(vec![FromServer::Refused { counter: *counter, code, wait, reason, made: None }])
        }
        _ => None,
    }
}

const NOT_STORED: Answer = Some((Code::TryLater, None, Some(Reason::NotStored)));

#[test]
fn it_is_told_once_and_taken_back_with_the_next_message_stored() {
    let answer = Cell::new(NOT_STORED);
    let mut world = World::scripted(1, refusing(&answer));
    world.log_in();
    assert_eq!(told(&world), [true; 0], "nothing was refused");
    for id in 1..=3 {
        world.send(id, "b");
    }
    world.run(secs(20));
    assert_eq!(told(&world), [true], "{:?}", world.events);
    answer.set(None);
    assert!(world.until(secs(40), |w| w.state(1) == Some(SendState::Sent)));
    assert_eq!(told(&world), [true, false]);
    world.run(secs(2));
    assert!((1..=3).all(|id| world.state(id) == Some(SendState::Sent)));
    assert_eq!(told(&world), [true, false]);
}

#[test]
fn other_reasons_to_wait_say_nothing_of_the_disk() {
    for other in [
        (Code::TryLater, Some(3_000), None),
        (Code::TryLater, None, None),
        (Code::TryLater, None, Some(Reason::Unknown)),
        (Code::MailboxFull, None, Some(Reason::NotStored)),
    ] {
        let answer = Cell::new(Some(other));
        let mut world = World::scripted(2, refusing(&answer));
        world.log_in();
        world.send(1, "b");
        world.run(secs(10));
        assert_eq!(told(&world), [true; 0], "{other:?}");
    }
}

#[test]
fn nothing_is_claimed_of_a_server_that_is_not_there() {
    let answer = Cell::new(NOT_STORED);
    let mut world = World::scripted(3, refusing(&answer));
    world.log_in();
    world.send(1, "b");
    world.run(secs(3));
    assert_eq!(told(&world), [true]);
    world.down = true;
    world.run(secs(30));
    assert_eq!(told(&world), [true, false], "it does not answer");
    world.down = false;
    world.until(secs(90), |w| told(w).len() > 2);
    assert_eq!(told(&world), [true, false, true], "it is back, and still cannot");
    let now = world.now;
    world.session.go_offline(now);
    world.run(secs(2));
    assert_eq!(told(&world), [true, false, true, false], "offline");
}

#[test]
fn nothing_is_claimed_when_nothing_waits_any_more() {
    let answer = Cell::new(NOT_STORED);
    let mut world = World::scripted(4, refusing(&answer));
    world.log_in();
    world.send(1, "b");
    world.run(secs(3));
    assert_eq!(told(&world), [true]);
    answer.set(Some((Code::NoAccount, None, None)));
    world.run(secs(40));
    assert_eq!((world.state(1), told(&world)), (Some(SendState::Unknown), vec![true, false]));
}
