//! Identities: writers in the lobby, names that look like another's, and names that had another owner.

use super::*;
use crate::server::store::{AccountId, admin};

fn world_with(names: &[&str]) -> World {
    let mut world = World::new();
    // Accounts of before names had rules.
    for name in names {
        let hashed = Hashed { salt: Vec::new(), hash: name.as_bytes().to_vec() };
        let done = world
            .store
            .run(&[Op::Write(Write::Register { job: 0, name: (*name).into(), hashed, profile: None, at: 0 })])
            .done;
        assert!(matches!(done[..], [Done::Registered { account: Some(_), .. }]), "{done:?}");
    }
    again(&mut world);
    world
}

/// Restarts the server.
fn again(world: &mut World) {
    let local = |_| "2026-11-21 12:04:58".to_owned();
    let snapshot = world.store.snapshot(i64::MIN).expect("readable");
    world.engine = Engine::new(OnSecondLogin::Rebind, Quotas::default(), local, snapshot, world.now);
    world.engine.set_secure(true);
    world.engine.set_room(2);
}

#[test]
fn nobody_writes_in_the_lobby_in_anothers_name() {
    let mut world = world_with(&["b] ok"]);
    world.login(1, "a", 1, None);
    world.login(2, "b] ok", 2, None);
    world.plainly(50, "02#c#c#");
    let said = world.say(2, &send(1, "@lobby", "please"));
    let told = r#"1 {"t":"message","row":1,"after":0,"from":"@lobby","writer":"b] ok","at":1000,"text":"please"}"#;
    assert_eq!(said.first().map(String::as_str), Some(told));
    let plain = world.plainly(50, "09#");
    assert_eq!(plain, ["50 09:@lobby:2026-11-21 12:04:58:[b:U+005D: ok] please"]);
    // Read from the disk it is the same, and so is one of before, whose text said who wrote it.
    let of_before = "INSERT INTO messages (receiver, sender, raw, text, sent)
        SELECT id, '@lobby', x'', '[b] old', 900 FROM accounts WHERE name = 'a'";
    world.store.connection().execute(of_before, []).expect("stored");
    let past = world.say(1, &FromClient::History { id: 2, peer: "@lobby".into(), before: None, count: 9 });
    let (old, new) = (r#""writer":"b","at":900,"text":"old""#, r#""writer":"b] ok","at":1000,"text":"please""#);
    assert!(past[0].contains(old) && past[0].contains(new), "{past:?}");
    let other = world.login(3, "a", 3, Some(0));
    assert!(other.iter().any(|line| line.contains(new)), "{other:?}");
}

#[test]
fn no_new_name_looks_like_anothers() {
    let mut world = world_with(&["Zo\u{eb}"]);
    world.connect(1);
    for unfit in ["b ", " b", "b\u{200b}", "\u{a0}", "\u{202e}gnp", "b] ok", "Zoe\u{308}", "b  b"] {
        assert_eq!(world.plainly(50, &format!("01#{unfit}#x#x#")), ["50 00:00"], "{unfit:?}");
        let frame = FromClient::Register { id: 1, account: unfit.into(), password: Secret("x".into()), name: None };
        assert_eq!(world.say(1, &frame), [r#"1 {"t":"error","id":1,"code":"bad_field"}"#], "{unfit:?}");
    }
    // Whose keyboard writes letters in pieces is the same person all the same.
    assert_eq!(world.plainly(50, "02#Zoe\u{308}#Zo\u{eb}#"), ["50 02:01"]);
    assert_eq!(world.plainly(50, "03#Zoe\u{308}#hi#"), ["50 03:01"]);
}

/// The new owner of a name reads and is told nothing of the earlier owner's.
#[test]
fn a_name_that_is_free_again_is_somebody_new() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.say(1, &send(1, "b", "my diary"));
    world.say(2, &FromClient::Ack { cursor: 1 });
    world.say(2, &send(1, "a", "of b"));
    world.engine.lost(world.now, PeerId(2));
    world.say(1, &send(2, "b", "not fetched yet"));
    let id = |world: &World| -> AccountId { world.engine.accounts.of_name("a").expect("in memory") };
    let before = id(&world);
    admin::deletes(world.store.connection(), "a").expect("deleted");
    again(&mut world);
    assert_eq!(world.login(3, "a", 1, None), [r#"3 {"t":"error","id":1,"code":"no_account"}"#]);
    let register = FromClient::Register { id: 1, account: "a".into(), password: Secret("a".into()), name: None };
    assert_eq!(world.say(3, &register), [r#"3 {"t":"registered","id":1}"#]);
    // Known devices, counters and tokens are gone with the account.
    assert_eq!(world.login(4, "a", 1, None), [logged_in(4, 0, None)]);
    assert_ne!(id(&world), before);
    let past = |world: &mut World, peer: u64, of: &str| {
        world.say(peer, &FromClient::History { id: 2, peer: of.into(), before: None, count: 9 })
    };
    let none = |peer| format!(r#"{peer} {{"t":"history","id":2,"messages":[],"more":false}}"#);
    assert_eq!(past(&mut world, 4, "b"), [none(4)]);
    assert_eq!(world.login(5, "b", 2, Some(1)), [logged_in(5, 1, None)], "nothing comes in the new one's name");
    assert_eq!(past(&mut world, 5, "a"), [none(5)], "nor is b shown what another a wrote");
    assert_eq!(world.say(4, &send(1, "b", "hello")).len(), 2);
    assert!(past(&mut world, 5, "a")[0].contains(r#""from":"a","at":1000,"text":"hello""#));
}

/// Sessions that used the old password may be why it was changed.
#[test]
fn a_new_password_ends_what_the_old_one_began() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    let changed = world.plainly(50, "01#a#a#new#new#");
    assert_eq!(changed, ["50 01:03"]);
    assert_eq!(world.heard(), [r#"1 {"t":"kicked","address":"127.0.0.1:50","at":1000}"#]);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &sha256(&[&[1; 32]]));
    world.connect(2);
    let proof = Key(hmac::sign(&key, &[2; 32]).as_ref().try_into().expect("32 bytes"));
    let back = FromClient::Resume { id: 7, account: "a".into(), device: name(1), proof, cursor: Some(0) };
    assert_eq!(world.say(2, &back), [r#"2 {"t":"error","id":7,"code":"bad_token"}"#]);
    let login = |password: &str| FromClient::Login {
        id: 1,
        account: "a".into(),
        password: Secret(password.into()),
        device: name(1),
        cursor: Some(0),
        made: None,
    };
    assert_eq!(world.say(2, &login("a")), [r#"2 {"t":"error","id":1,"code":"wrong_password"}"#]);
    assert_eq!(world.say(2, &login("new")), [logged_in(2, 0, None)]);
    // Where the plain dialect is closed nobody learns there which password is right, nor changes it.
    world.say(2, &FromClient::SetSecureOnly { id: 3, on: true });
    assert_eq!(world.plainly(50, "01#a#new#x#x#"), ["50 01:01"]);
    assert_eq!(world.login(3, "a", 3, None).len(), 1, "wrong");
    assert_eq!(world.say(3, &login("new")).last(), Some(&logged_in(3, 0, None)));
}

/// Everything arrives once and in order, only a little later.
#[test]
fn a_device_that_sends_too_much_is_told_when_to_go_on() {
    let mut world = World::new();
    world.engine.send_rates =
        crate::server::engine::send_rates::SendRates::new(Quotas { sending: 2, lobby: 1, ..Quotas::default() });
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    for n in 1..=30 {
        assert_eq!(world.say(1, &send(n, "b", "x")).len(), 2, "{n}");
        if n % 10 == 0 {
            world.say(2, &FromClient::Ack { cursor: n });
        }
    }
    let refused = r#"1 {"t":"refused","counter":31,"code":"try_later","wait":8000}"#;
    assert_eq!(world.say(1, &send(31, "b", "x")), [refused]);
    // Another's is not its, and the lobby has a purse of its own.
    assert_eq!(world.say(2, &send(1, "a", "x")).len(), 2);
    assert_eq!(world.say(1, &send(32, "@lobby", "x")).len(), 2);
    world.pass(Duration::from_millis(500));
    assert_eq!(world.say(1, &send(31, "b", "x")).len(), 2);
}

/// Deletes an account and makes another of the same name.
fn made_anew(world: &mut World, name: &str) {
    admin::deletes(world.store.connection(), name).expect("deleted");
    world.now.unix = 2_000;
    again(world);
    world.connect(90);
    let frame = FromClient::Register { id: 1, account: name.into(), password: Secret(name.into()), name: None };
    assert_eq!(world.say(90, &frame), [r#"90 {"t":"registered","id":1}"#]);
}

#[test]
fn what_was_written_to_the_one_before_does_not_reach_the_new_one() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    let to = |counter, made| FromClient::Send { counter, to: "b".into(), text: "x".into(), after: None, made };
    assert_eq!(world.say(1, &to(1, None)), [accepted(1, 1, 1, false)]);
    assert_eq!(world.say(1, &to(2, Some(1_000))), [accepted(1, 2, 2, false)]);
    made_anew(&mut world, "b");
    world.login(1, "a", 1, Some(0));
    let refused = |counter| format!(r#"1 {{"t":"refused","counter":{counter},"code":"made_anew","made":2000}}"#);
    assert_eq!(world.say(1, &to(3, Some(1_000))), [refused(3)]);
    assert_eq!(world.say(1, &to(2, Some(1_000))), [accepted(1, 2, 2, false)], "it was taken before that");
    let kept = |counter: u64, row: u64| {
        format!(r#"1 {{"t":"accepted","counter":{counter},"row":{row},"at":2000,"online":false,"made":2000}}"#)
    };
    assert_eq!(world.say(1, &to(4, None)), [kept(4, 3)]);
    assert_eq!(world.say(1, &to(3, Some(2_000))), [kept(3, 4)], "now its writer means the new one");
    // What the new one writes says so, pushed at once and from the disk.
    world.login(2, "b", 2, None);
    world.say(2, &FromClient::Ack { cursor: 4 });
    let told = r#"1 {"t":"message","row":5,"after":0,"from":"b","at":2000,"text":"hi","made":2000}"#;
    assert_eq!(world.say(2, &send(1, "a", "hi")).first().map(String::as_str), Some(told));
    let pushed = world.login(3, "a", 3, Some(0));
    assert!(pushed.iter().any(|line| *line == told.replacen('1', "3", 1)), "{pushed:?}");
}

#[test]
fn two_of_one_name_in_one_second_are_two() {
    let mut world = World::new();
    let moment = |world: &World, name: &str| {
        let query = "SELECT created FROM accounts WHERE name = ?";
        world.store.connection().query_row(query, [name], |row| row.get::<_, i64>(0)).expect("there")
    };
    let first = moment(&world, "b");
    for n in 1..=3 {
        admin::deletes(world.store.connection(), "b").expect("deleted");
        world.now.unix = first;
        again(&mut world);
        world.connect(90);
        let frame = FromClient::Register { id: 1, account: "b".into(), password: Secret("b".into()), name: None };
        assert_eq!(world.say(90, &frame), [r#"90 {"t":"registered","id":1}"#]);
        assert_eq!(moment(&world, "b"), first + n);
        world.login(1, "a", 1, None);
        let to =
            FromClient::Send { counter: n as u64, to: "b".into(), text: "x".into(), after: None, made: Some(first) };
        let refused = format!(r#"1 {{"t":"refused","counter":{n},"code":"made_anew","made":{}}}"#, first + n);
        assert_eq!(world.say(1, &to), [refused]);
    }
}

/// A device that was logged in to the earlier account can only log in to the new one as a device that is new to it: its
/// cursor would mark messages as taken, and its messages belong to another account.
#[test]
fn a_device_of_the_one_before_does_nothing_in_the_new_one_s_name() {
    let mut world = World::new();
    world.login(1, "b", 2, None);
    made_anew(&mut world, "b");
    world.login(2, "a", 1, None);
    world.say(2, &send(1, "b", "to the new one"));
    world.login(3, "b", 7, Some(0));
    let login = |password: &str, made| FromClient::Login {
        id: 1,
        account: "b".into(),
        password: Secret(password.into()),
        device: name(2),
        cursor: Some(9_000),
        made,
    };
    let error = |code: &str| format!(r#"4 {{"t":"error","id":1,"code":"{code}"}}"#);
    world.connect(4);
    assert_eq!(world.say(4, &login("guess", Some(1_000))), [error("wrong_password")], "nobody else learns it");
    assert_eq!(world.say(4, &login("b", Some(1_000))), [error("made_anew")], "and nobody loses their place");
    let in_all: i64 = world
        .store
        .connection()
        .query_row("SELECT count(*) FROM messages WHERE taken IS NULL", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(in_all, 1, "nothing is marked as taken");
    assert!(world.say(4, &login("b", Some(2_000))).iter().any(|line| line.contains(r#""made":2000"#)));
}

#[test]
fn whether_there_is_an_account_is_told_to_who_is_in_at_the_pace_of_messages() {
    let mut world = world_with(&["Zo\u{eb}"]);
    let ask = |account: &str| FromClient::LookUp { id: 2, account: account.into() };
    world.connect(1);
    assert_eq!(world.say(1, &ask("a")), [r#"1 {"t":"error","id":2,"code":"not_logged_in"}"#]);
    world.login(1, "a", 1, None);
    world.engine.send_rates =
        crate::server::engine::send_rates::SendRates::new(Quotas { sending: 2, lobby: 1, ..Quotas::default() });
    let there = |account: &str, made: i64| format!(r#"1 {{"t":"account","id":2,"account":"{account}","made":{made}}}"#);
    assert_eq!(world.say(1, &ask("Zoe\u{308}")), [there("Zo\u{eb}", 0)], "as it is written here");
    let nobody = r#"1 {"t":"error","id":2,"code":"no_account"}"#;
    for no in ["nobody", "@lobby", "", "a#b"] {
        assert_eq!(world.say(1, &ask(no)), [nobody], "{no:?}");
    }
    // One purse with messages: 30 at once, of which 5 are spent but that of the lobby.
    for n in 1..=26 {
        assert_eq!(world.say(1, &send(n, "b", "x")).len(), 1, "{n}");
    }
    let later = r#"1 {"t":"error","id":2,"code":"try_later"}"#;
    assert_eq!(world.say(1, &ask("b")), [later]);
    world.pass(Duration::from_millis(500));
    assert_eq!(world.say(1, &ask("b")), [there("b", 1_000).replace(MADE, "")]);
}
