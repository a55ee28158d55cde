//! The account's items: asked for, stored, changed.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;

use super::*;
use crate::protocol::wire::item::{Item, Kind};

/// What a scripted server has and was asked.
#[derive(Default)]
struct Scripted {
    asked: Vec<u64>,
    set: Vec<(u64, String)>,
    /// Answers to changes; after these every change is taken.
    refusals: Vec<Code>,
    silent: bool,
    /// How many changes are not answered.
    swallow: usize,
}

type State = Rc<RefCell<Scripted>>;

fn item(key: &str, remark: &str) -> Item {
    Item::new(Kind::Contact, key, Some(json!({"group": "", "remark": remark})))
}

/// A server that answers a question about items once, with what it has up to version 3, and takes changes.
fn world<'a>() -> (World<'a>, State) {
    let state = State::default();
    let seen = Rc::clone(&state);
    let world = World::scripted(1, move |frame| {
        let mut state = seen.borrow_mut();
        match frame {
            FromClient::Items { version } => {
                state.asked.push(*version);
                let first = state.asked.len() == 1 || *version < 3;
                let items = vec![item("b", "B")];
                let digest = Some(Key([7; 8]));
                let answer = FromServer::Items { version: 3, anew: false, items, more: false, digest };
                Some(Vec::from_iter((first && !state.silent).then_some(answer)))
            }
            FromClient::Set { id, item } => {
                state.set.push((*id, item.key.clone()));
                if state.swallow > 0 {
                    state.swallow -= 1;
                    return Some(Vec::new());
                }
                let answer = match state.refusals.pop() {
                    Some(code) => FromServer::Error { id: *id, code, reason: None, wait: None },
                    None => FromServer::Done { id: *id },
                };
                Some(vec![answer])
            }
            _ => None,
        }
    });
    (world, state)
}

fn told(world: &World) -> Vec<(u64, Option<u64>)> {
    let page = |(_, e): &(_, Event)| match e {
        Event::Items { version, digest, .. } => Some((*version, *digest)),
        _ => None,
    };
    world.events.iter().filter_map(page).collect()
}

fn set(world: &World) -> Vec<(u64, Option<Code>)> {
    let one = |(_, e): &(_, Event)| match e {
        Event::ItemSet { number, refused } => Some((*number, *refused)),
        _ => None,
    };
    world.events.iter().filter_map(one).collect()
}

#[test]
fn what_changed_is_asked_for_again_once_it_is_on_disk_and_from_the_beginning_once_if_it_does_not_sum_up() {
    let (mut world, state) = world();
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(1));
    let digest = u64::from_be_bytes([7; 8]);
    assert_eq!((told(&world), &state.borrow().asked[..]), (vec![(3, Some(digest))], &[0][..]));
    world.run(secs(60));
    assert_eq!(state.borrow().asked, [0], "the answer is still on its way to the disk");
    // The disk is full, and later it is not.
    world.session.handle_items(world.now, None);
    world.run(DISK - secs(1));
    assert_eq!(state.borrow().asked, [0]);
    world.run(secs(2));
    assert_eq!((told(&world).len(), &state.borrow().asked[..]), (2, &[0, 0][..]));
    world.session.handle_items(world.now, Some(3));
    world.run(secs(60));
    assert_eq!(state.borrow().asked, [0, 0, 3], "and now nothing has changed");
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
    // On the next connection what is here turns out not to be what the server has.
    state.borrow_mut().asked.clear();
    world.events.clear();
    world.restart_server();
    world.run(secs(60));
    assert_eq!((told(&world), &state.borrow().asked[..]), (vec![(3, Some(digest))], &[3][..]));
    world.session.handle_items(world.now, Some(0));
    world.run(secs(1));
    assert_eq!(told(&world), [(3, Some(digest)), (3, None)], "and what comes then is not compared again");
    world.session.handle_items(world.now, Some(3));
    world.run(secs(60));
    assert_eq!(state.borrow().asked, [3, 0, 3]);
}

#[test]
fn a_change_is_sent_until_it_is_answered_and_no_more_under_way_than_a_server_takes() {
    let (mut world, state) = world();
    state.borrow_mut().refusals = vec![Code::TooMany, Code::TryLater];
    world.log_in();
    world.session.handle_items(world.now, Some(3));
    let change = |number: u64| (number, item(&number.to_string(), "x"));
    world.session.set_items(world.now, vec![change(5)]);
    world.run(secs(1));
    assert_eq!((set(&world), state.borrow().set.len()), (vec![], 1), "put off");
    world.run(secs(2));
    assert_eq!(set(&world), [(5, Some(Code::TooMany))], "and then refused for good");
    world.events.clear();
    // What the server does not answer is sent again with the next connection.
    *state.borrow_mut() = Scripted { swallow: 1, asked: vec![0], ..Scripted::default() };
    world.session.set_items(world.now, vec![change(6)]);
    world.run(ms(500));
    world.session.set_items(world.now, vec![change(6), change(7)]);
    world.run(ms(500));
    assert_eq!(set(&world), [(7, None)]);
    state.borrow_mut().asked.clear();
    world.restart_server();
    world.run(secs(60));
    assert_eq!(set(&world), [(7, None), (6, None)]);
    assert_eq!(state.borrow().set.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>(), ["6", "7", "6"]);
    // Many go a few at a time; one that was changed again meanwhile is of no interest any more.
    *state.borrow_mut() = Scripted { swallow: 1_000, asked: vec![0], ..Scripted::default() };
    world.session.set_items(world.now, (100..400).map(change).collect());
    world.run(ms(500));
    assert_eq!(state.borrow().set.len(), 64);
    state.borrow_mut().swallow = 0;
    state.borrow_mut().asked.clear();
    world.events.clear();
    world.session.set_items(world.now, vec![change(500)]);
    world.run(secs(1));
    assert_eq!(set(&world), [(500, None)]);
}

#[test]
fn nothing_is_set_at_a_server_that_has_not_shown_that_it_knows_items() {
    let (mut world, state) = world();
    state.borrow_mut().silent = true;
    world.log_in();
    world.session.set_items(world.now, vec![(1, item("b", "x"))]);
    world.run(secs(120));
    assert_eq!((state.borrow().set.len(), told(&world).len()), (0, 0));
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }), "and that holds nothing up");
}

#[test]
fn a_server_that_tells_the_same_for_ever_is_not_asked_for_ever() {
    let asked = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&asked);
    let mut world = World::scripted(1, move |frame| {
        let FromClient::Items { version } = frame else { return None };
        *seen.borrow_mut() += 1;
        let page = FromServer::Items { version: *version, anew: false, items: Vec::new(), more: true, digest: None };
        Some(vec![page.clone(), page])
    });
    world.log_in();
    world.run(secs(59));
    assert_eq!((*asked.borrow(), told(&world).len()), (2, 0), "every half a minute");
}

#[test]
fn a_request_about_friends_is_answered_by_its_outcome() {
    use crate::client::session::{FriendOutcome, FriendRequest};
    let ask = |answer: Option<&str>| FriendRequest::Ask { text: "hi".into(), answer: answer.map(str::to_owned) };
    let mut world = World::scripted(1, |frame| match frame {
        FromClient::Befriend { id, answer: None, text, .. } if text == "hi" => {
            Some(vec![FromServer::Question { id: *id, text: "1+1?".into() }])
        }
        FromClient::Befriend { id, answer: Some(answer), .. } if answer == "2" => {
            Some(vec![FromServer::Done { id: *id }])
        }
        FromClient::Befriend { id, .. } => {
            Some(vec![FromServer::Error { id: *id, code: Code::WrongAnswer, reason: None, wait: None }])
        }
        FromClient::AnswerFriend { .. } => Some(Vec::new()),
        _ => None,
    });
    let outcomes = |world: &World<'_>| {
        let one = |(_, e): &(_, Event)| match e {
            Event::Friend { outcome, .. } => Some(outcome.clone()),
            _ => None,
        };
        world.events.iter().filter_map(one).collect::<Vec<_>>()
    };
    world.session.friend(world.now, account("b"), ask(None));
    world.drain();
    assert_eq!(outcomes(&world), [FriendOutcome::Unanswered], "nobody is logged in");
    world.log_in();
    for answer in [None, Some("3"), Some("2")] {
        world.session.friend(world.now, account("b"), ask(answer));
        world.run(secs(1));
    }
    let wanted =
        [FriendOutcome::Question("1+1?".into()), FriendOutcome::Refused(Code::WrongAnswer), FriendOutcome::Done];
    assert_eq!(outcomes(&world), wanted);
    world.events.clear();
    world.session.friend(world.now, account("b"), FriendRequest::Accept);
    world.run(secs(11));
    assert_eq!(outcomes(&world), [FriendOutcome::Unanswered], "an earlier server, which stays connected");
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
}
