//! Items and friends, as devices are told of them.

use serde_json::json;

use super::*;
use crate::protocol::wire::item::{Item, Kind};

const NOTHING: [&str; 0] = [];

fn ask(version: u64) -> FromClient {
    FromClient::Items { version }
}

fn set(id: u64, kind: Kind, key: &str, value: Option<serde_json::Value>) -> FromClient {
    FromClient::Set { id, item: Item::new(kind, key, value) }
}

fn done(peer: u64, id: u64) -> String {
    format!(r#"{peer} {{"t":"done","id":{id}}}"#)
}

fn error(peer: u64, id: u64, code: &str) -> String {
    format!(r#"{peer} {{"t":"error","id":{id},"code":"{code}"}}"#)
}

fn befriend(id: u64, account: &str) -> FromClient {
    FromClient::Befriend { id, account: account.into(), text: "hi".into(), answer: None }
}

/// Splits the line of a frame into the items and the digest.
fn told(line: &str) -> (&str, Option<&str>) {
    match line.split_once(r#","digest":"#) {
        Some((items, digest)) => (items, digest.strip_suffix('}')),
        None => (line, None),
    }
}

/// Two devices of a side by side, and one of b.
fn with_three() -> World {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::SetDevices { id: 2, beside: true });
    world.login(2, "a", 2, None);
    world.login(3, "b", 3, None);
    world
}

#[test]
fn what_one_device_sets_every_device_of_the_account_is_told_once_it_is_on_disk() {
    let mut world = with_three();
    let empty = |peer| format!(r#"{peer} {{"t":"items","version":0,"items":[],"digest":"0000000000000000"}}"#);
    for peer in 1..=3 {
        assert_eq!(world.say(peer, &ask(0)), [empty(peer)], "the first question is answered in any case");
        assert_eq!(world.say(peer, &ask(0)), NOTHING);
    }
    world.held = true;
    assert_eq!(world.say(1, &set(7, Kind::Muted, "@lobby", Some(json!(true)))), NOTHING, "not on disk yet");
    world.release();
    let heard = world.heard();
    let items = |peer: u64| {
        format!(r#"{peer} {{"t":"items","version":1,"items":[{{"kind":"muted","key":"@lobby","value":true}}]"#)
    };
    let shown: Vec<&str> = heard.iter().map(|line| told(line).0).collect();
    assert_eq!(shown, [&done(1, 7), &items(1), &items(2)], "and nobody else's devices are");
    let digest = Item::new(Kind::Muted, "@lobby", Some(json!(true))).digest();
    assert!(heard[1].ends_with(&format!(r#","digest":"{digest:016x}"}}"#)), "{}", heard[1]);
    // What changed while a device had not asked is told with its next question, all at once.
    world.say(2, &set(8, Kind::Muted, "@lobby", None));
    world.say(2, &set(9, Kind::Draft, "b", Some(json!("x"))));
    assert_eq!(
        world.say(1, &ask(1)).iter().map(|line| told(line).0).collect::<Vec<_>>(),
        [
            r#"1 {"t":"items","version":3,"items":[{"kind":"muted","key":"@lobby"},{"kind":"draft","key":"b","value":"x"}]"#
        ]
    );
    assert_eq!(world.say(1, &ask(3)), NOTHING);
    assert_eq!(world.say(1, &set(10, Kind::Draft, "b", Some(json!("x")))), [done(1, 10)], "it is so already");
    // Who comes from a state that this server never had begins anew.
    world.login(4, "a", 4, None);
    let anew = r#"4 {"t":"items","version":3,"anew":true,"items":[{"kind":"muted","key":"@lobby"},{"kind":"draft","key":"b","value":"x"}]"#;
    assert_eq!(told(&world.say(4, &ask(99))[0]).0, anew);
}

#[test]
fn what_is_no_item_is_refused_and_a_full_disk_says_so() {
    let mut world = with_three();
    for (id, kind, key, value) in [
        (1, "friend", "b", json!({"since": 1})),
        (2, "later", "b", json!(true)),
        (3, "contact", "@lobby", json!({})),
        (4, "read", "b", json!("x")),
    ] {
        let item = Item { kind: kind.into(), key: key.into(), value: Some(value) };
        assert_eq!(world.say(1, &FromClient::Set { id, item }), [error(1, id, "bad_field")]);
    }
    world.disk_full = true;
    let not_stored = r#"1 {"t":"error","id":5,"code":"try_later","reason":"not_stored"}"#;
    assert_eq!(world.say(1, &set(5, Kind::Pinned, "b", Some(json!(true)))), [not_stored]);
    world.connect(9);
    assert_eq!(world.say(9, &set(1, Kind::Pinned, "b", None)), [error(9, 1, "not_logged_in")]);
    assert_eq!(world.say(9, &befriend(2, "b")), [error(9, 2, "not_logged_in")]);
    assert_eq!(world.say(9, &ask(0)), NOTHING);
}

#[test]
fn two_become_friends_and_both_are_told() {
    let mut world = with_three();
    for peer in [1, 3, 1, 3] {
        world.say(peer, &ask(0));
    }
    assert_eq!(world.say(1, &befriend(5, "nobody")), [error(1, 5, "no_account")]);
    assert_eq!(world.say(1, &befriend(5, "a")), [error(1, 5, "yourself")]);
    let long = "x".repeat(121);
    for (text, answer) in [(long.as_str(), None), ("hi", Some(long.clone()))] {
        let frame = FromClient::Befriend { id: 5, account: "b".into(), text: text.into(), answer };
        assert_eq!(world.say(1, &frame), [error(1, 5, "bad_field")]);
    }
    let heard = world.say(1, &befriend(6, "b"));
    let shown: Vec<&str> = heard.iter().map(|line| told(line).0).collect();
    let request = r#""value":{"at":1000,"text":"hi"}}]"#;
    let asking = format!(r#"1 {{"t":"items","version":1,"items":[{{"kind":"asking","key":"b",{request}"#);
    let asked = format!(r#"3 {{"t":"items","version":1,"items":[{{"kind":"asked","key":"a",{request}"#);
    assert_eq!(shown, [&done(1, 6), &asking, &asked]);
    // c is away, and hears of it when they come.
    assert_eq!(world.say(3, &befriend(7, "c")).first(), Some(&done(3, 7)));
    world.login(4, "c", 4, None);
    assert!(world.say(4, &ask(0))[0].contains(r#"{"kind":"asked","key":"b","#));
    world.say(3, &ask(2));
    let accept = FromClient::AnswerFriend { id: 8, account: "a".into(), accept: true };
    let heard = world.say(3, &accept);
    assert_eq!(heard[0], done(3, 8));
    assert!(heard[1].contains(r#"{"kind":"asked","key":"a"},{"kind":"friend","key":"a","value":{"since":1000}}"#));
    world.say(1, &ask(1));
    assert_eq!(world.say(1, &befriend(9, "b")), [error(1, 9, "already_friends")]);
    assert_eq!(world.say(1, &FromClient::Unfriend { id: 10, account: "b".into() })[0], done(1, 10));
}

#[test]
fn a_friend_who_is_deleted_is_none_any_more() {
    let mut world = with_three();
    world.say(1, &befriend(5, "b"));
    world.say(3, &FromClient::AnswerFriend { id: 6, account: "a".into(), accept: true });
    world.say(3, &ask(0));
    assert_eq!(world.say(3, &ask(4)), NOTHING);
    world.engine.administer(world.now, 1, crate::server::control::Order::Delete { account: "a".into() });
    let heard = world.heard();
    let gone = |line: &String| line.starts_with(r#"3 {"t":"items""#) && line.contains(r#"{"kind":"friend","key":"a"}"#);
    assert!(heard.iter().any(gone), "{heard:?}");
}

#[test]
fn requests_and_settings_have_a_pace() {
    let mut world = with_three();
    let refused = |world: &mut World, make: &dyn Fn(u64) -> FromClient, most: u64| {
        (1..=most).find(|id| world.say(1, &make(*id)).contains(&error(1, *id, "try_later")))
    };
    assert_eq!(refused(&mut world, &|id| befriend(id, "nobody"), 100), Some(31));
    let pins = |id| set(id, Kind::Pinned, &format!("k{id}"), Some(json!(true)));
    assert_eq!(refused(&mut world, &pins, 4_000), Some(3_001));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.say(1, &befriend(1, "nobody")), [error(1, 1, "no_account")]);
    assert_eq!(world.say(1, &set(2, Kind::Pinned, "b", Some(json!(true))))[0], done(1, 2));
}
