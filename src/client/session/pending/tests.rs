use super::*;
use crate::protocol::wire::frame::Key;

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn login(name: &str) -> PendingRequest {
    let kept =
        DeviceState { device: Key([1; 16]), token: None, cursor: None, newest: 0, delivered: 0, items: 0, made: None };
    PendingRequest::Resume { account: account(name), kept }
}

fn register(name: &str) -> PendingRequest {
    let password = Password::parse("secret").expect("valid");
    let (account, name) = (account(name), String::new());
    PendingRequest::Register(NewAccount { account, password: password.clone(), confirm: password, name })
}

fn message(id: i64) -> PendingMessage {
    let text = MessageText::parse("hi").expect("valid");
    PendingMessage { id: MessageId(id), to: account("b").into(), text, again: false }
}

#[test]
fn the_last_of_a_kind_counts_and_a_message_waits_once() {
    let mut wishes = Pending::default();
    for wish in [login("a"), register("c"), register("d"), login("b")] {
        wishes.add(wish);
        [1, 1, 2].into_iter().for_each(|id| wishes.wait(message(id)));
    }
    assert_eq!(wishes.take(), [register("d"), login("b")]);
    assert_eq!(wishes.take_messages(), [message(1), message(2)]);
    assert!(wishes.take().is_empty() && wishes.take_messages().is_empty());
}

#[test]
fn what_was_not_answered_is_wanted_once_more() {
    let mut wishes = Pending::default();
    assert!(!wishes.any() && !wishes.log_in_again());
    wishes.add(register("c"));
    wishes.add(login("a"));
    wishes.take();
    wishes.begin_again();
    assert_eq!(wishes.take(), [register("c"), login("a")]);
    wishes.registered();
    wishes.begin_again();
    assert_eq!(wishes.take(), [login("a")]);
    // A user who has gone offline is logged in again only on request.
    wishes.set_online(false);
    wishes.begin_again();
    assert!(!wishes.any() && wishes.take().is_empty());
    assert!(wishes.log_in_again() && !wishes.log_in_again() && wishes.take() == [login("a")]);
}

#[test]
fn of_another_account_nothing_is_left_but_a_registration() {
    let mut wishes = Pending::default();
    wishes.add(login("a"));
    wishes.wait(message(1));
    assert!(!wishes.forget_login() && !wishes.any());
    wishes.add(register("c"));
    wishes.add(login("a"));
    assert!(wishes.forget_login() && wishes.any());
    assert!(wishes.take() == [register("c")] && wishes.take_messages().is_empty() && !wishes.log_in_again());
}
