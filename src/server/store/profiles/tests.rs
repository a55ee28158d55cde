use serde_json::json;

use super::super::items::tests::{all, with};
use super::*;
use crate::server::store::{Befriend, Done, Op, Outcome, Party, Read, Store, Write};

fn party(id: AccountId) -> Party {
    Party { id, name: ["", "a", "b", "c", "d"][usize::try_from(id).expect("small")].to_owned() }
}

fn changed(store: &mut Store, write: Write) -> Vec<AccountId> {
    match store.run(&[Op::Write(write)]).done.remove(0) {
        Done::Changed { outcome: Outcome::Done, lists, .. } => lists,
        other => panic!("{other:?}"),
    }
}

fn asks(store: &mut Store, who: AccountId, other: AccountId) {
    let (who, other) = (party(who), party(other));
    let asked = Befriend { who, other, text: "hi".into(), answer: None, at: 7 };
    changed(store, Write::Befriend { job: 1, asked });
}

fn answers(store: &mut Store, who: AccountId, other: AccountId, accept: bool) {
    changed(store, Write::AnswerFriend { job: 1, who: party(who), other: party(other), accept, at: 8 });
}

fn is_called(store: &mut Store, account: AccountId, value: Option<Value>) -> Vec<AccountId> {
    let value = value.map(|value| value.to_string());
    changed(store, Write::SetItem { job: 1, account, kind: Kind::Profile, key: String::new(), value })
}

/// Returns the value of an item of an account.
fn about(store: &Store, account: AccountId, kind: &str, key: &str) -> Value {
    let found = all(store, account).into_iter().find(|(of, about, _)| of == kind && about == key);
    found.map(|(_, _, value)| value).unwrap_or_default()
}

#[test]
fn who_somebody_is_stands_in_what_others_have_about_them() {
    let (_dir, mut store) = with(&["a", "b", "c", "d"]);
    assert_eq!(is_called(&mut store, 1, Some(json!({"name": "王", "color": 3}))), [1], "nobody knows them yet");
    asks(&mut store, 1, 2);
    asks(&mut store, 3, 1);
    asks(&mut store, 1, 4);
    answers(&mut store, 4, 1, true);
    assert_eq!(about(&store, 2, "asked", "a"), json!({"at": 7, "text": "hi", "name": "王", "color": 3}));
    assert_eq!(about(&store, 3, "asking", "a"), json!({"at": 7, "text": "hi", "name": "王", "color": 3}));
    assert_eq!(about(&store, 4, "friend", "a"), json!({"since": 8, "name": "王", "color": 3}));
    assert_eq!(about(&store, 1, "friend", "d"), json!({"since": 8}), "who has no name is told without one");
    assert_eq!(is_called(&mut store, 1, Some(json!({"name": "王明", "line": "在"}))), [2, 3, 4, 1]);
    assert_eq!(is_called(&mut store, 1, Some(json!({"name": "王明", "line": "在"}))), [0; 0], "it is as it was");
    assert_eq!(about(&store, 2, "asked", "a"), json!({"at": 7, "text": "hi", "name": "王明", "line": "在"}));
    assert_eq!(about(&store, 3, "asking", "a"), json!({"at": 7, "text": "hi", "name": "王明", "line": "在"}));
    assert_eq!(about(&store, 4, "friend", "a"), json!({"since": 8, "name": "王明", "line": "在"}));
    // A declined request still has the profile; if that is empty, nothing of it is left.
    answers(&mut store, 1, 3, false);
    let declined = json!({"at": 7, "text": "hi", "declined": true, "name": "王明", "line": "在"});
    assert_eq!(about(&store, 3, "asking", "a"), declined);
    assert_eq!(is_called(&mut store, 1, None), [2, 3, 4, 1]);
    assert_eq!(about(&store, 4, "friend", "a"), json!({"since": 8}));
    assert_eq!(about(&store, 3, "asking", "a"), json!({"at": 7, "text": "hi", "declined": true}));
    assert_eq!(about(&store, 4, "contact", "a"), json!({"group": "", "remark": ""}), "that is its owner's");
}

#[test]
fn both_friends_have_each_others_name_and_one_who_is_blocked_hears_of_changes_as_others_do() {
    let (_dir, mut store) = with(&["a", "b"]);
    is_called(&mut store, 1, Some(json!({"name": "甲"})));
    is_called(&mut store, 2, Some(json!({"name": "乙"})));
    asks(&mut store, 1, 2);
    assert_eq!(about(&store, 1, "asking", "b")["name"], "乙");
    asks(&mut store, 2, 1);
    assert_eq!(
        (&about(&store, 1, "friend", "b")["name"], &about(&store, 2, "friend", "a")["name"]),
        (&json!("乙"), &json!("甲"))
    );
    let block = Write::SetItem { job: 1, account: 2, kind: Kind::Blocked, key: "a".into(), value: Some("true".into()) };
    changed(&mut store, block);
    assert_eq!(is_called(&mut store, 2, Some(json!({"name": "丙"}))), [1, 2]);
    assert_eq!(about(&store, 1, "friend", "b")["name"], "丙");
}

#[test]
fn whoever_registers_with_a_name_has_it_as_their_profile() {
    let (_dir, mut store) = with(&["a"]);
    let hashed = crate::server::hasher::Hashed { salt: vec![1], hash: vec![2] };
    let register = |name: &str, profile: &str| {
        let profile = Profile::named(profile).ok();
        Op::Write(Write::Register { job: 1, name: name.into(), hashed: hashed.clone(), profile, at: 9 })
    };
    store.run(&[register("b", " 李四 "), register("a", "taken")]);
    assert_eq!(about(&store, 2, "profile", ""), json!({"name": "李四"}));
    assert_eq!(all(&store, 1), [], "the account was somebody's before");
}

#[test]
fn who_accounts_are_is_told_of_those_that_there_are() {
    let (_dir, mut store) = with(&["a", "andr\u{e9}", "c"]);
    is_called(&mut store, 2, Some(json!({"name": "安", "color": 0})));
    let accounts = ["c", "nobody", "andre\u{301}", "a"].map(str::to_owned).to_vec();
    let Done::Cards { cards, .. } = store.run(&[Op::Read(Read::Cards { job: 1, accounts })]).done.remove(0) else {
        panic!("cards");
    };
    let told: Vec<_> = cards.iter().map(|card| serde_json::to_string(card).expect("JSON")).collect();
    let found = "{\"account\":\"andr\u{e9}\",\"name\":\"安\",\"color\":0}";
    assert_eq!(told, [r#"{"account":"c"}"#, found, r#"{"account":"a"}"#]);
}
