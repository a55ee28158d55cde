use serde_json::json;

use super::super::items::tests::{all, with};
use super::*;
use crate::server::store::{Op, Store, Write};

fn party(id: AccountId) -> Party {
    Party { id, name: ["", "a", "b", "c"][usize::try_from(id).expect("small")].to_owned() }
}

fn run(store: &mut Store, write: Write) -> (Outcome, Vec<AccountId>) {
    match store.run(&[Op::Write(write)]).done.remove(0) {
        Done::Changed { outcome, lists, .. } => (outcome, lists),
        other => panic!("{other:?}"),
    }
}

fn asks(store: &mut Store, who: AccountId, other: AccountId, answer: Option<&str>) -> (Outcome, Vec<AccountId>) {
    let (who, other, answer) = (party(who), party(other), answer.map(str::to_owned));
    run(store, Write::Befriend { job: 1, asked: Befriend { who, other, text: "hi".into(), answer, at: 7 } })
}

fn answers(store: &mut Store, who: AccountId, other: AccountId, accept: bool) -> (Outcome, Vec<AccountId>) {
    run(store, Write::AnswerFriend { job: 1, who: party(who), other: party(other), accept, at: 8 })
}

fn unfriends(store: &mut Store, who: AccountId, other: AccountId) -> (Outcome, Vec<AccountId>) {
    run(store, Write::Unfriend { job: 1, who: party(who), other: party(other) })
}

fn sets(store: &mut Store, account: AccountId, kind: Kind, key: &str, value: serde_json::Value) {
    let (key, value) = (key.to_owned(), Some(value.to_string()));
    assert_eq!(run(store, Write::SetItem { job: 1, account, kind, key, value }).0, Outcome::Done);
}

/// Returns an account's items, each as `kind key value`.
fn items(store: &Store, account: AccountId) -> Vec<String> {
    let mut items: Vec<_> = all(store, account).into_iter().map(|(k, key, v)| format!("{k} {key} {v}")).collect();
    items.sort();
    items
}

const WAITS: &str = r#"{"at":7,"text":"hi"}"#;

#[test]
fn a_request_stands_on_both_sides_and_becomes_a_friendship_of_both() {
    let (_dir, mut store) = with(&["a", "b"]);
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::Done, vec![1, 2]));
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::Done, vec![]), "the same again");
    assert_eq!(items(&store, 1), [format!("asking b {WAITS}")]);
    assert_eq!(items(&store, 2), [format!("asked a {WAITS}")]);
    assert_eq!(answers(&mut store, 2, 1, true), (Outcome::Done, vec![1, 2]));
    let both =
        |other| [format!(r#"contact {other} {{"group":"","remark":""}}"#), format!(r#"friend {other} {{"since":8}}"#)];
    assert_eq!((items(&store, 1), items(&store, 2)), (both("b").to_vec(), both("a").to_vec()));
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::AlreadyFriends, vec![]));
    assert_eq!(answers(&mut store, 2, 1, false), (Outcome::Done, vec![]), "there is none any more");
    assert_eq!(unfriends(&mut store, 1, 2), (Outcome::Done, vec![1, 2]));
    assert_eq!((items(&store, 1), items(&store, 2)), (both("b")[..1].to_vec(), both("a")[..1].to_vec()));
}

#[test]
fn a_request_is_declined_withdrawn_and_made_again() {
    let (_dir, mut store) = with(&["a", "b"]);
    asks(&mut store, 1, 2, None);
    assert_eq!(answers(&mut store, 2, 1, false), (Outcome::Done, vec![1, 2]));
    assert_eq!(items(&store, 1), [r#"asking b {"at":7,"declined":true,"text":"hi"}"#]);
    assert_eq!(items(&store, 2), Vec::<String>::new());
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::Done, vec![1, 2]));
    assert_eq!(items(&store, 1), [format!("asking b {WAITS}")]);
    assert_eq!(unfriends(&mut store, 1, 2), (Outcome::Done, vec![1, 2]));
    assert_eq!((items(&store, 1), items(&store, 2)), (vec![], vec![]));
    assert_eq!(answers(&mut store, 2, 1, true), (Outcome::Done, vec![]), "a withdrawn request makes no friends");
}

#[test]
fn two_who_ask_each_other_are_friends_whatever_they_take() {
    let (_dir, mut store) = with(&["a", "b"]);
    asks(&mut store, 1, 2, None);
    sets(&mut store, 1, Kind::MayAsk, "", json!({"who": "nobody"}));
    assert_eq!(asks(&mut store, 2, 1, None), (Outcome::Done, vec![1, 2]));
    assert!(items(&store, 1).contains(&r#"friend b {"since":7}"#.to_owned()), "{:?}", items(&store, 1));
}

#[test]
fn who_may_ask_is_asked_first() {
    let (_dir, mut store) = with(&["a", "b"]);
    sets(&mut store, 2, Kind::MayAsk, "", json!({"who": "nobody"}));
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::NotWanted, vec![]));
    sets(&mut store, 2, Kind::MayAsk, "", json!({"who": "question", "question": "1+1?", "answer": "Two"}));
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::Question("1+1?".into()), vec![]));
    assert_eq!(asks(&mut store, 1, 2, Some("three")), (Outcome::WrongAnswer, vec![]));
    assert_eq!(items(&store, 1), Vec::<String>::new());
    assert_eq!(asks(&mut store, 1, 2, Some(" tWO ")), (Outcome::Done, vec![1, 2]));
}

#[test]
fn a_blocked_account_is_answered_as_any_other_and_nobody_hears_of_it() {
    let (_dir, mut store) = with(&["a", "b", "c"]);
    asks(&mut store, 1, 2, None);
    sets(&mut store, 2, Kind::Blocked, "a", json!(true));
    let blocks = || vec!["blocked a true".to_owned()];
    assert_eq!((items(&store, 1), items(&store, 2)), (vec![format!("asking b {WAITS}")], blocks()));
    unfriends(&mut store, 1, 2);
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::Done, vec![1]));
    assert_eq!((items(&store, 1), items(&store, 2)), (vec![format!("asking b {WAITS}")], blocks()));
    assert_eq!(asks(&mut store, 3, 2, None), (Outcome::Done, vec![2, 3]));
}

#[test]
fn a_request_that_goes_with_a_block_of_before_is_told_too() {
    let (_dir, mut store) = with(&["a", "b"]);
    sets(&mut store, 2, Kind::Blocked, "a", json!(true));
    let request = written(&Request::default()).expect("JSON").to_string();
    items::put(store.connection(), 2, ("asked", "a"), Some(&request), None).expect("written");
    let again = Write::SetItem { job: 1, account: 2, kind: Kind::Blocked, key: "a".into(), value: Some("true".into()) };
    assert_eq!(run(&mut store, again), (Outcome::Done, vec![2]));
    assert_eq!(items(&store, 2), ["blocked a true"]);
}

#[test]
fn a_deleted_account_leaves_no_friend_and_no_request_behind() {
    let (_dir, mut store) = with(&["a", "b", "c"]);
    asks(&mut store, 1, 2, None);
    answers(&mut store, 2, 1, true);
    asks(&mut store, 3, 1, None);
    match store.run(&[Op::Write(Write::Delete { job: 1, account: 1 })]).done.remove(0) {
        Done::Deleted { lists, .. } => assert_eq!(lists, [2, 3]),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        items(&store, 2),
        [r#"contact a {"group":"","remark":""}"#],
        "whom they have in their list is theirs to say"
    );
    assert_eq!(items(&store, 3), Vec::<String>::new());
}

#[test]
fn open_requests_are_bounded_on_both_sides() {
    let (_dir, mut store) = with(&["a", "b"]);
    for n in 0..WAITING {
        let request = Request { at: 1, ..Request::default() };
        let value = written(&request).expect("JSON").to_string();
        items::put(store.connection(), 1, ("asking", &format!("k{n}")), Some(&value), None).expect("written");
    }
    assert_eq!(asks(&mut store, 1, 2, None), (Outcome::TooMany, vec![]));
    assert_eq!(asks(&mut store, 2, 1, None).0, Outcome::Done);
}
