//! Several devices of one account side by side, and settings of how an account may be used.

use super::*;

fn beside(on: bool) -> FromClient {
    FromClient::SetDevices { id: 4, beside: on }
}

fn settings(peer: u64, beside: bool, secure_only: bool) -> String {
    format!(r#"{peer} {{"t":"account_settings","id":4,"beside":{beside},"secure_only":{secure_only}}}"#)
}

/// The frame of a sent message. `sent` is its counter and the row under which it was accepted. Only b is online.
fn own(peer: u64, row: u64, after: u64, to: &str, text: &str, device: u8, sent: (u64, u64)) -> String {
    let (device, (counter, accepted)) = (name(device).digits(), sent);
    let online = if accepted > 0 { format!(r#","online":{}"#, to == "b") } else { String::new() };
    format!(
        r#"{peer} {{"t":"own","row":{row},"after":{after},"to":"{to}","at":1000,"text":"{text}","device":"{device}","counter":{counter},"accepted":{accepted}{online}}}"#
    )
}

fn kicked(peer: u64, by: u64) -> String {
    format!(r#"{peer} {{"t":"kicked","address":"127.0.0.1:{by}","at":1000}}"#)
}

/// Devices 1 and 2 of a on connections 1 and 2, device 3 of b on connection 3.
fn two_beside() -> World {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    assert_eq!(world.say(1, &beside(true)), [settings(1, true, false)]);
    assert_eq!(world.login(2, "a", 2, None), [logged_in(2, 0, None)], "nobody is thrown out");
    world.login(3, "b", 3, None);
    world
}

fn unread(world: &World, account: &str) -> (u64, i64) {
    let of = world.engine.accounts.of_name(account).expect("in memory");
    let stored = "SELECT count(*) FROM messages WHERE receiver = ? AND taken IS NULL";
    let stored = world.store.connection().query_row(stored, [of], |row| row.get(0)).expect("a number");
    (world.engine.accounts.people[&of].unread_total(), stored)
}

#[test]
fn each_device_gets_everything_once_and_has_a_cursor_of_its_own() {
    let mut world = two_beside();
    let both = [message(1, 1, 0, "b", "hi"), message(2, 1, 0, "b", "hi"), accepted(3, 1, 1, true)];
    assert_eq!(world.say(3, &send(1, "a", "hi")), both);
    assert_eq!(unread(&world, "a"), (1, 1));
    assert_eq!(world.say(1, &FromClient::Ack { cursor: 1 }), [""; 0]);
    assert_eq!(unread(&world, "a"), (0, 0));
    world.say(3, &send(2, "a", "ho"));
    // What one of them has is not counted again when another has it too.
    assert_eq!(world.say(2, &FromClient::Ack { cursor: 1 }), [""; 0]);
    assert_eq!(unread(&world, "a"), (1, 1));
    assert_eq!(world.say(2, &FromClient::Ack { cursor: 2 }), [""; 0]);
    assert_eq!(unread(&world, "a"), (0, 0));
    world.engine.lost(world.now, PeerId(1));
    world.say(3, &send(3, "a", "hu"));
    world.say(2, &FromClient::Ack { cursor: 3 });
    // Taken by the other one, and this one has not seen it.
    let back = [logged_in(4, 0, None), message(4, 2, 1, "b", "ho"), message(4, 3, 2, "b", "hu")];
    assert_eq!(world.login(4, "a", 1, Some(1)), back);
    assert_eq!(world.plainly(50, "02#c#c#"), ["50 02:01"]);
    assert_eq!(world.plainly(50, "11#0#"), ["50 11:3:0:a:b:c"], "each is here once");
    assert_eq!(world.plainly(50, "03#@lobby#all#"), ["50 03:01"]);
    let lobby = |peer, after| message(peer, 4 + u64::from(peer == 3), after, "@lobby\",\"writer\":\"c", "all");
    assert_eq!(world.heard(), [lobby(2, 3), lobby(4, 3), lobby(3, 0)]);
}

#[test]
fn a_new_device_goes_on_where_it_began_though_nothing_has_come_to_it_yet() {
    let mut world = two_beside();
    world.say(3, &send(1, "a", "before"));
    world.say(1, &FromClient::Ack { cursor: 1 });
    assert_eq!(world.login(4, "a", 9, None), [logged_in(4, 0, None)], "what is taken is for it to ask for");
    world.engine.lost(world.now, PeerId(4));
    world.say(3, &send(2, "a", "meanwhile"));
    world.say(1, &FromClient::Ack { cursor: 2 });
    assert_eq!(world.started, r#","start":1}"#);
    assert_eq!(world.login(5, "a", 9, None), [logged_in(5, 0, None), message(5, 2, 1, "b", "meanwhile")]);
    assert_eq!(world.started, r#","start":1}"#, "though it may not have heard that");
}

#[test]
fn what_one_sends_the_others_are_told_once() {
    let mut world = two_beside();
    let sent = [message(3, 1, 0, "a", "hi"), own(2, 2, 0, "b", "hi", 1, (7, 1)), accepted(1, 7, 1, true)];
    assert_eq!(world.say(1, &send(7, "b", "hi")), sent);
    assert_eq!(world.say(1, &send(7, "b", "hi")), [accepted(1, 7, 1, true)], "the same again is told nobody");
    assert_eq!(unread(&world, "a"), (0, 0), "one's own is read");
    let answered = [message(1, 3, 0, "b", "ho"), message(2, 3, 2, "b", "ho"), accepted(3, 1, 3, true)];
    assert_eq!(world.say(3, &send(1, "a", "ho")), answered);
    // In an empty room, and to oneself: that is pushed to all as it is.
    world.engine.lost(world.now, PeerId(3));
    assert_eq!(
        world.say(1, &send(8, "@lobby", "all?")),
        [own(2, 4, 3, "@lobby", "all?", 1, (8, 0)), accepted(1, 8, 0, false)]
    );
    let note = [message(1, 5, 3, "a", "note"), message(2, 5, 4, "a", "note"), accepted(2, 1, 5, true)];
    assert_eq!(world.say(2, &send(1, "a", "note")), note);
    assert_eq!(world.say(2, &send(2, "nobody", "?")), [r#"2 {"t":"refused","counter":2,"code":"no_account"}"#]);
    world.say(2, &send(3, "c", "from two"));
    // From the disk: each is told what the other has sent, in its place.
    world.engine.lost(world.now, PeerId(1));
    world.engine.lost(world.now, PeerId(2));
    let one = [logged_in(4, 8, None), message(4, 3, 0, "b", "ho"), message(4, 5, 3, "a", "note")];
    let theirs = own(4, 7, 5, "c", "from two", 2, (3, 6));
    assert_eq!(world.login(4, "a", 1, Some(0)), [one.to_vec(), vec![theirs]].concat());
    let two =
        [own(5, 2, 0, "b", "hi", 1, (7, 1)), message(5, 3, 2, "b", "ho"), own(5, 4, 3, "@lobby", "all?", 1, (8, 0))];
    let two = [vec![logged_in(5, 3, None)], two.to_vec(), vec![message(5, 5, 4, "a", "note")]].concat();
    assert_eq!(world.login(5, "a", 2, Some(0)), two);
    // Notes are in what was exchanged with oneself, and copies are not.
    let history = world.say(5, &FromClient::History { id: 3, peer: "a".into(), before: None, count: 9 });
    let note = r#"{"row":5,"from":"a","at":1000,"text":"note"}"#;
    assert_eq!(history, [format!(r#"5 {{"t":"history","id":3,"messages":[{note}],"more":false}}"#)]);
    // Who does not want it is told nothing, and nothing is kept.
    world.say(5, &beside(false));
    assert_eq!(world.say(5, &send(9, "c", "alone")), [accepted(5, 9, 8, false)]);
    assert_eq!(world.say(5, &send(10, "c", "alone")), [accepted(5, 10, 9, false)]);
}

#[test]
fn the_choice_is_kept_and_holds_at_once() {
    let mut world = two_beside();
    assert_eq!(world.login(4, "a", 4, None), [logged_in(4, 0, None)]);
    let alone = [kicked(1, 2), kicked(4, 2), settings(2, false, false)];
    assert_eq!(world.say(2, &beside(false)), alone, "who chooses that stays, alone");
    assert_eq!(world.login(5, "a", 1, None), [kicked(2, 5), logged_in(5, 0, Some("127.0.0.1:2"))]);
    world.disk_full = true;
    assert_eq!(world.say(5, &beside(true)), [r#"5 {"t":"error","id":4,"code":"try_later","reason":"not_stored"}"#]);
    world.disk_full = false;
    assert_eq!(world.say(5, &FromClient::AccountSettings { id: 4 }), [settings(5, false, false)]);
    assert_eq!(world.say(5, &beside(true)), [settings(5, true, false)]);
    assert_eq!(world.say(2, &beside(true)), [r#"2 {"t":"error","id":4,"code":"not_logged_in"}"#]);
    let settings = world.store.everybody().into_iter().map(|of| (of.name, of.settings)).collect::<Vec<_>>();
    let usual = AccountSettings::default();
    let beside = AccountSettings { beside: true, secure_only: false };
    assert_eq!(settings, [("a".into(), beside), ("b".into(), usual), ("c".into(), usual)]);
    // And a server that starts anew knows it.
    let (local, snapshot) = (|_| String::new(), world.store.snapshot(i64::MIN).expect("readable"));
    world.engine = Engine::new(OnSecondLogin::Arm, Quotas::default(), local, snapshot, world.now);
    world.login(6, "a", 6, None);
    let asked = FromClient::AccountSettings { id: 4 };
    assert_eq!(world.say(6, &asked), [r#"6 {"t":"account_settings","id":4,"beside":true,"secure_only":false}"#]);
}

#[test]
fn one_too_many_takes_the_place_of_the_first() {
    let mut world = two_beside();
    for n in 3..=8 {
        assert_eq!(world.login(10 + n, "a", u8::try_from(n).expect("small"), None).len(), 1);
    }
    assert_eq!(world.login(20, "a", 20, None), [kicked(1, 20), logged_in(20, 0, Some("127.0.0.1:1"))]);
    // Each of them can come back on another connection, and none but its own old one is closed.
    let back = ["2 closed: 5 came back on another connection".to_owned(), logged_in(21, 0, None)];
    assert_eq!(world.login(21, "a", 2, None), back);
    assert_eq!(world.engine.devices_of(world.engine.accounts.of_name("a").expect("in memory")).len(), BESIDE);
}

#[test]
fn a_plain_client_takes_the_place_of_all_and_a_device_that_of_the_plain_one() {
    let mut world = two_beside();
    assert_eq!(world.plainly(60, "02#a#a#"), ["60 02:04"]);
    assert_eq!(world.plainly(60, "06#"), ["60 06:01"]);
    assert_eq!(world.heard(), [kicked(1, 60), kicked(2, 60)]);
    assert_eq!(world.plainly(60, "02#a#a#"), ["60 02:01"]);
    world.plainly(60, "03#b#in plain#");
    assert_eq!(world.heard(), [message(3, 1, 0, "a", "in plain")]);
    assert_eq!(world.login(4, "a", 1, Some(0)).first(), Some(&logged_in(4, 0, Some("127.0.0.1:60"))));
    assert_eq!(world.plainly(60, "08#"), ["60 07:01"]);
}

#[test]
fn what_a_plain_client_was_handed_says_so_when_it_is_pushed() {
    let mut world = World::new();
    world.login(3, "b", 3, None);
    for n in 1..=4 {
        world.say(3, &send(n, "a", &n.to_string()));
    }
    assert_eq!(world.plainly(60, "02#a#a#"), ["60 02:01"]);
    let handed = |n: u64| format!("60 09:b:2026-11-21 12:04:58:{n}");
    assert_eq!(world.plainly(60, "09#"), [handed(1)]);
    // The answer to this one is lost, so it is offered again; and whether that one came nobody says any more.
    assert_eq!(world.plainly(60, "09#"), [handed(2)]);
    world.plainly(60, "02#a#a#");
    assert_eq!(world.plainly(60, "09#"), [handed(2)]);
    assert_eq!(world.plainly(60, "09#"), [handed(3)]);
    let plain = |row: u64| {
        let pushed = message(1, row, row - 1, "b", &row.to_string());
        pushed.replace('}', r#","plain":"2026-11-21 12:04:58"}"#)
    };
    let pushed = [logged_in(1, 0, Some("127.0.0.1:60")), plain(1), plain(2), plain(3), message(1, 4, 3, "b", "4")];
    assert_eq!(world.login(1, "a", 1, Some(0)), pushed, "each device may have it, and each is told");
    assert_eq!(unread(&world, "a"), (2, 2));
}

#[test]
fn an_account_closed_to_the_plain_dialect_looks_like_one_with_another_password() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.plainly(50, "02#c#c#");
    let only = |on| FromClient::SetSecureOnly { id: 4, on };
    world.plainly(60, "02#a#a#");
    assert_eq!(world.say(1, &only(true)), [settings(1, false, true)]);
    assert_eq!(world.plainly(60, "06#"), ["60 06:02"], "what was armed before is not any more");
    assert_eq!(world.heard(), [""; 0]);
    let mut elsewhere = |password: &str| {
        let from = SocketAddr::from(([192, 0, 2, 1], 61));
        world.engine.datagram(world.now, from, format!("02#a#{password}#").as_bytes());
        world.work();
        std::mem::take(&mut world.plain)
    };
    for password in ["a", "wrong", "a", "a", "wrong"] {
        assert_eq!(elsewhere(password), ["61 02:02"]);
    }
    // The sixth closes the door as a wrong one does, until its answer is due.
    assert_eq!(elsewhere("a"), [""; 0]);
    world.pass(Duration::from_secs(1));
    assert_eq!(std::mem::take(&mut world.plain), ["61 02:02"]);
    assert_eq!(
        world.say(1, &FromClient::Ping { id: 9 }),
        [r#"1 {"t":"pong","id":9,"at":1001}"#],
        "whoever is in stays in"
    );
    assert_eq!(world.plainly(50, "03#a#hi#"), ["50 03:01"], "and is written to as before");
    world.heard();
    // A session that a plain client still has ends.
    world.engine.lost(world.now, PeerId(1));
    assert_eq!(world.say(1, &only(false)), [""; 0]);
    world.login(2, "a", 1, None);
    assert_eq!(world.say(2, &only(false)), [settings(2, false, false)]);
    world.pass(Duration::from_secs(100));
    world.say(2, &FromClient::Logout { id: 5, forget: false });
    world.plain.clear();
    assert_eq!(world.plainly(61, "02#a#a#"), ["61 02:01"]);
    let account = world.engine.accounts.of_name("a").expect("it is here");
    let change = Change::SecureOnly(true);
    world.engine.allowed(world.now, PeerId(2), 4, account, change);
    world.work();
    assert_eq!(world.plainly(61, "08#"), ["61 07:01"]);
    let sessions = world.store.everybody().into_iter().filter(|of| of.session.is_some());
    assert_eq!(sessions.map(|of| of.name).collect::<Vec<_>>(), ["c"]);
}
