//! Who is who: writers in the lobby, names that look like another's, names that had another owner.

use super::*;
use crate::server::store::{AccountId, admin};

fn world_with(names: &[&str]) -> World {
    let mut world = World::new();
    // Accounts of before names had rules.
    for name in names {
        let hashed = Hashed { salt: Vec::new(), hash: name.as_bytes().to_vec() };
        let done = world.store.run(&[Op::Register { job: 0, name: (*name).into(), hashed, at: 0 }]).done;
        assert!(matches!(done[..], [Done::Registered { account: Some(_), .. }]), "{done:?}");
    }
    again(&mut world);
    world
}

/// The server starts anew.
fn again(world: &mut World) {
    let local = |_| "2026-11-21 12:04:58".to_owned();
    let snapshot = world.store.snapshot().expect("readable");
    world.engine = Engine::new(OnSecondLogin::Rebind, Quotas::default(), local, snapshot, world.now);
    world.engine.set_secure(true);
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
        let frame = FromClient::Register { id: 1, account: unfit.into(), password: Secret("x".into()) };
        assert_eq!(world.say(1, &frame), [r#"1 {"t":"error","id":1,"code":"bad_field"}"#], "{unfit:?}");
    }
    // Whose keyboard writes letters in pieces is the same person all the same.
    assert_eq!(world.plainly(50, "02#Zoe\u{308}#Zo\u{eb}#"), ["50 02:01"]);
    assert_eq!(world.plainly(50, "03#Zoe\u{308}#hi#"), ["50 03:01"]);
}

/// Who has a name reads and is told nothing of whoever had it before.
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
    let id = |world: &World| -> AccountId { world.engine.names["a"] };
    let before = id(&world);
    admin::deletes(world.store.connection(), "a").expect("deleted");
    again(&mut world);
    assert_eq!(world.login(3, "a", 1, None), [r#"3 {"t":"error","id":1,"code":"no_account"}"#]);
    let register = FromClient::Register { id: 1, account: "a".into(), password: Secret("a".into()) };
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

/// Whoever is in by the old password may be why it was changed.
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
    };
    assert_eq!(world.say(2, &login("a")), [r#"2 {"t":"error","id":1,"code":"wrong_password"}"#]);
    assert_eq!(world.say(2, &login("new")), [logged_in(2, 0, None)]);
    // Where the plain dialect is closed nobody learns there which password is right, nor changes it.
    world.say(2, &FromClient::SetSecureOnly { id: 3, on: true });
    assert_eq!(world.plainly(50, "01#a#new#x#x#"), ["50 01:01"]);
    assert_eq!(world.login(3, "a", 3, None).len(), 1, "wrong");
    assert_eq!(world.say(3, &login("new")).last(), Some(&logged_in(3, 0, None)));
}

/// Everything arrives, once and in order, a little later.
#[test]
fn a_device_that_sends_too_much_is_told_when_to_go_on() {
    let mut world = World::new();
    world.engine.pace = crate::server::engine::pace::Pace::new(Quotas { sending: 2, lobby: 1, ..Quotas::default() });
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
