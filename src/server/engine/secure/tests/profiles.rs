//! Profiles, as devices set them and are told of them.

use serde_json::json;

use super::*;
use crate::protocol::wire::item::{Item, Kind};

fn is_called(id: u64, name: &str) -> FromClient {
    FromClient::Set { id, item: Item::new(Kind::Profile, "", Some(json!({"name": name}))) }
}

fn befriend(id: u64, account: &str) -> FromClient {
    FromClient::Befriend { id, account: account.into(), text: String::new(), answer: None }
}

#[test]
fn a_friend_hears_of_another_name_unasked() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(3, "b", 3, None);
    world.say(1, &befriend(5, "b"));
    world.say(3, &befriend(6, "a"));
    world.say(3, &FromClient::Items { version: 0 });
    world.say(3, &FromClient::Items { version: 4 });
    let heard = world.say(1, &is_called(7, "王"));
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.contains(&r#"1 {"t":"done","id":7}"#.to_owned()), "{heard:?}");
    let told = r#"3 {"t":"items","version":5,"items":[{"kind":"friend","key":"a","value":{"name":"王","since":1000}}]"#;
    assert!(heard.iter().any(|line| line.starts_with(told)), "{heard:?}");
}

#[test]
fn who_registers_may_say_who_they_are_and_no_rooms_name() {
    let mut world = World::new();
    world.connect(9);
    let register = |account: &str, name: &str| {
        let password = Secret(account.into());
        FromClient::Register { id: 1, account: account.into(), password, name: Some(name.into()) }
    };
    let unfit = [r#"9 {"t":"error","id":1,"code":"bad_field"}"#];
    assert_eq!(world.say(9, &register("d", "@lobby")), unfit);
    assert_eq!(world.say(9, &register("d", " ")), unfit);
    assert_eq!(world.say(9, &register("d", "王")), [r#"9 {"t":"registered","id":1}"#]);
    world.login(4, "d", 4, None);
    let items = world.say(4, &FromClient::Items { version: 0 });
    let profile = r#"4 {"t":"items","version":1,"items":[{"kind":"profile","key":"","value":{"name":"王"}}]"#;
    assert!(matches!(&items[..], [line] if line.starts_with(&profile.replace(r#","key":"""#, ""))), "{items:?}");
}

#[test]
fn a_name_is_changed_at_a_pace_and_who_is_too_fast_hears_when_to_go_on() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    for n in 0..10 {
        assert_eq!(world.say(1, &is_called(n, &format!("n{n}"))), [format!(r#"1 {{"t":"done","id":{n}}}"#)]);
    }
    let later = r#"1 {"t":"error","id":10,"code":"try_later","wait":10000}"#;
    assert_eq!(world.say(1, &is_called(10, "n10")), [later]);
    let muted = FromClient::Set { id: 11, item: Item::new(Kind::Muted, "b", Some(json!(true))) };
    assert_eq!(world.say(1, &muted), [r#"1 {"t":"done","id":11}"#], "other items have a pace of their own");
    world.now.instant += Duration::from_secs(10);
    assert_eq!(world.say(1, &is_called(12, "n12")), [r#"1 {"t":"done","id":12}"#]);
}

#[test]
fn who_accounts_are_is_told_at_once_to_who_is_in_and_at_a_pace() {
    let mut world = World::new();
    let ask = |id: u64, accounts: &[&str]| FromClient::People {
        id,
        accounts: accounts.iter().map(|a| (*a).into()).collect(),
    };
    world.connect(9);
    assert_eq!(world.say(9, &ask(1, &["a"])), [r#"9 {"t":"error","id":1,"code":"not_logged_in"}"#]);
    world.login(1, "a", 1, None);
    world.say(1, &is_called(2, "王"));
    world.login(3, "b", 3, None);
    let block = FromClient::Set { id: 3, item: Item::new(Kind::Blocked, "b", Some(json!(true))) };
    world.say(1, &block);
    let told =
        |id| format!(r#"3 {{"t":"people","id":{id},"people":[{{"account":"a","name":"王"}},{{"account":"c"}}]}}"#);
    let asked = ["a", "nobody", "@lobby", "", "c"];
    assert_eq!(world.say(3, &ask(4, &asked)), [told(4)], "of a block nothing is said");
    assert_eq!(world.say(3, &ask(5, &["c"; 51])), [r#"3 {"t":"error","id":5,"code":"bad_field"}"#]);
    for id in 6..35 {
        assert_eq!(world.say(3, &ask(id, &asked)), [told(id)]);
    }
    let later = r#"3 {"t":"error","id":35,"code":"try_later","wait":500}"#;
    assert_eq!(world.say(3, &ask(35, &asked)), [later]);
    assert_eq!(world.say(1, &ask(36, &[])), [r#"1 {"t":"people","id":36,"people":[]}"#], "each has their own");
    world.now.instant += Duration::from_millis(500);
    assert_eq!(world.say(3, &ask(37, &asked)), [told(37)]);
}

#[test]
fn the_longest_cards_fit_into_a_frame() {
    use crate::protocol::wire::frame::PEOPLE;
    use crate::protocol::wire::item::{Card, Profile};
    let profile = Profile { name: "🀄".repeat(32), line: "🀄".repeat(120), color: Some(11) };
    let card = Card { account: "\"".repeat(64), profile };
    let frame = FromServer::People { id: u64::MAX, people: vec![card; PEOPLE] };
    assert!(frame.encode().len() < crate::protocol::link::MAX_FRAME, "{}", frame.encode().len());
}

#[test]
fn people_are_found_at_a_pace_by_who_is_in() {
    let mut world = World::new();
    let find = |id: u64, text: &str| FromClient::Find { id, text: text.into() };
    world.connect(9);
    assert_eq!(world.say(9, &find(1, "a")), [r#"9 {"t":"error","id":1,"code":"not_logged_in"}"#]);
    world.login(1, "a", 1, None);
    world.say(1, &is_called(2, "重明"));
    world.login(3, "b", 3, None);
    world.say(1, &FromClient::Set { id: 3, item: Item::new(Kind::Blocked, "b", Some(json!(true))) });
    let told = |id| format!(r#"3 {{"t":"found","id":{id},"people":[{{"account":"a","name":"重明"}}]}}"#);
    for (id, text) in [(4, "zhongm"), (5, "CM"), (6, " 明\u{200b}"), (7, "重m"), (8, "a")] {
        assert_eq!(world.say(3, &find(id, text)), [told(id)], "{text}");
    }
    assert_eq!(world.say(3, &find(9, "nobody")), [r#"3 {"t":"found","id":9,"people":[]}"#]);
    for text in [String::new(), " \u{200b}".into(), "x".repeat(65)] {
        assert_eq!(world.say(3, &find(10, &text)), [r#"3 {"t":"error","id":10,"code":"bad_field"}"#], "{text}");
    }
    for id in 11..35 {
        let told = format!(r#"3 {{"t":"found","id":{id},"people":[{{"account":"b"}}]}}"#);
        assert_eq!(world.say(3, &find(id, "b")), [told]);
    }
    assert_eq!(world.say(3, &find(35, "b")), [r#"3 {"t":"error","id":35,"code":"try_later","wait":500}"#]);
    // Who was deleted is not found.
    world.now.instant += Duration::from_secs(60);
    world.engine.administer(world.now, 1, crate::server::control::Order::Delete { account: "a".into() });
    world.work();
    world.heard();
    assert_eq!(world.say(3, &find(36, "zhong")), [r#"3 {"t":"found","id":36,"people":[]}"#]);
}

#[test]
fn of_many_friends_some_hear_at_once_and_all_in_the_end() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::Items { version: 0 });
    let told = |world: &mut World| world.heard().iter().filter(|line| line.contains(r#""t":"items""#)).count();
    world.heard();
    // Nobody else of them is here; a is the last one.
    let mut lists: Vec<AccountId> = (1_000..2_000).collect();
    lists.push(1);
    world.say(1, &FromClient::Items { version: 0 });
    let muted = Write::SetItem { job: 0, account: 1, kind: Kind::Muted, key: "b".into(), value: Some("true".into()) };
    world.store.run(&[Op::Write(muted)]);
    world.engine.items_changed(world.now, &lists);
    let mut turns = 0;
    while world.engine.poll_timeout().is_some_and(|at| at <= world.now.instant) {
        world.work();
        assert_eq!(told(&mut world), 0, "others come in between");
        world.engine.handle_timeout(world.now);
        turns += 1;
    }
    world.work();
    assert_eq!((told(&mut world), turns), (1, 3));
}

#[test]
fn all_together_search_at_a_pace() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.login(3, "c", 3, None);
    let find = |id: u64| FromClient::Find { id, text: "nobody".into() };
    for id in 0..80 {
        let peer = 1 + id / 30;
        assert_eq!(world.say(peer, &find(id)), [format!(r#"{peer} {{"t":"found","id":{id},"people":[]}}"#)]);
    }
    assert_eq!(world.say(3, &find(80)), [r#"3 {"t":"error","id":80,"code":"try_later","wait":500}"#]);
    world.now.instant += Duration::from_millis(500);
    assert_eq!(world.say(3, &find(81)), [r#"3 {"t":"found","id":81,"people":[]}"#]);
}
