//! Frames that name a person who is not in memory.

use super::*;
use crate::server::control::{Answer, Order};

/// a and b are logged in on connections 1 and 2; c is not in memory any more, and look-ups are answered when the world
/// is released.
fn without_c() -> World {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    assert_eq!(world.engine.accounts.of_name("c"), None);
    (world.held, world.late) = (true, true);
    world
}

fn refused(peer: u64, counter: u64, code: &str) -> String {
    format!(r#"{peer} {{"t":"refused","counter":{counter},"code":"{code}"}}"#)
}

#[test]
fn a_devices_frames_wait_in_their_order_and_hold_up_nobody_else() {
    let mut world = without_c();
    let ping = FromClient::Ping { id: 7 };
    assert_eq!(world.say(1, &send(1, "c", "one")), [""; 0]);
    assert_eq!(world.say(1, &send(2, "b", "two")), [""; 0], "it comes after the first");
    assert_eq!(world.say(1, &ping), [""; 0]);
    assert_eq!(world.say(2, &ping), [r#"2 {"t":"pong","id":7,"at":1000}"#]);
    assert_eq!(world.ops.len(), 1);
    world.release();
    let one = [r#"1 {"t":"pong","id":7,"at":1000}"#.into(), accepted(1, 1, 1, false), message(2, 2, 0, "a", "two")];
    let mut answers = world.heard();
    assert_eq!(answers.pop(), Some(accepted(1, 2, 2, true)));
    answers.sort_by_key(|line| !line.contains("pong"));
    assert_eq!(answers, one);
    // If a device sends on and on, a limited number of frames is kept.
    (world.held, world.late) = (true, true);
    let long = "x".repeat(900);
    let out: Vec<_> = (10..400).flat_map(|n| world.say(1, &send(n, "nobody", &long))).collect();
    assert_eq!(out.first().map(String::as_str), Some("1 closed: 2 asks too fast"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut world = without_c();
    world.say(1, &send(1, "c", "one"));
    world.say(1, &FromClient::LookUp { id: 3, account: "c".into() });
    world.say(1, &send(2, "b", "two"));
    world.connect(3);
    let password = Secret("c".into());
    let login = |device| FromClient::Login {
        id: 4,
        account: "c".into(),
        password: password.clone(),
        device: name(device),
        cursor: None,
        made: None,
    };
    world.say(3, &login(3));
    world.engine.administer(world.now, 1, Order::Delete { account: "c".into() });
    world.work();
    let Some(Op::Read(Read::Person { job, .. })) = world.ops.pop() else { panic!("{:?}", world.ops) };
    assert!(world.ops.is_empty(), "all of them wait for one look");
    world.engine.stored(world.now, Done::Failed { job });
    let not_stored = r#""code":"try_later","reason":"not_stored"}"#;
    let out = world.heard();
    assert_eq!(out[0], format!(r#"1 {{"t":"refused","counter":1,{not_stored}"#));
    assert_eq!(out[1], format!(r#"3 {{"t":"error","id":4,{not_stored}"#));
    assert_eq!(world.told.pop(), Some((1, Answer::NotStored { error: String::new() })));
    // The one after it is looked for anew.
    world.release();
    let out = world.heard();
    let account = r#"1 {"t":"account","id":3,"account":"c","made":1000}"#.replace(MADE, "");
    assert_eq!(out, [account, message(2, 1, 0, "a", "two"), accepted(1, 2, 1, true)]);
    assert_eq!(world.say(3, &login(3)), [logged_in(3, 0, None).replace(r#""id":1"#, r#""id":4"#)]);
}

/// An account that is deleted or restricted to the secure dialect while it is being looked up.
#[test]
fn what_becomes_of_somebody_meanwhile_counts() {
    let delete = || Order::Delete { account: "c".into() };
    for orders_first in [true, false] {
        let mut world = without_c();
        if orders_first {
            world.engine.administer(world.now, 1, delete());
        }
        world.say(1, &send(1, "c", "one"));
        world.plainly(50, "02#c#c#");
        if !orders_first {
            world.engine.administer(world.now, 1, delete());
        }
        world.work();
        world.release();
        world.work();
        assert_eq!(world.told.pop(), Some((1, Answer::Done)));
        let (frames, plain) = (world.heard(), std::mem::take(&mut world.plain));
        if orders_first {
            assert_eq!(frames, [refused(1, 1, "no_account")]);
            assert_eq!(plain, ["50 02:03"]);
        } else {
            assert_eq!(frames, [accepted(1, 1, 1, false)]);
            assert_eq!(plain, ["50 02:03"], "its password is not right any more");
        }
        assert_eq!(world.say(1, &send(2, "c", "two")), [refused(1, 2, "no_account")]);
        assert_eq!(world.plainly(51, "08#"), ["51 07:01"]);
    }
    // Another program has done it, between the question and the answer.
    for (change, plain) in [("DELETE FROM accounts", "50 02:03"), ("UPDATE accounts SET secure_only = 1", "50 02:02")] {
        let mut world = without_c();
        world.plainly(50, "02#c#c#");
        world.store.connection().execute(&format!("{change} WHERE name = 'c'"), []).expect("changed");
        world.release();
        assert_eq!(std::mem::take(&mut world.plain), [plain], "{change}");
    }
    // If a deletion cannot be stored, the person who was looked up meanwhile stays.
    let mut world = without_c();
    (world.held, world.late) = (false, false);
    world.login(3, "c", 3, None);
    world.engine.lost(world.now, PeerId(3));
    (world.held, world.late, world.disk_full) = (true, true, true);
    world.engine.administer(world.now, 1, delete());
    world.work();
    world.say(1, &send(1, "c", "one"));
    let ops = std::mem::take(&mut world.ops);
    assert!(matches!(ops[..], [Op::Write(Write::Delete { .. }), Op::Read(Read::Person { .. })]), "{ops:?}");
    ops.into_iter().for_each(|op| world.store(op));
    (world.held, world.disk_full) = (false, false);
    assert_eq!(world.heard(), [accepted(1, 1, 1, false)]);
    assert_eq!(world.told.pop(), Some((1, Answer::NotStored { error: String::new() })));
}

/// The receiver is not in memory any more, but the writer's device is told their name.
#[test]
fn who_is_not_in_memory_is_named_where_messages_are_delivered() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::Delivered { version: 0 });
    world.say(1, &send(1, "b", "hi"));
    world.login(2, "b", 2, None);
    world.held = true;
    world.say(2, &FromClient::Ack { cursor: 1 });
    world.engine.lost(world.now, PeerId(2));
    let b = world.engine.accounts.of_name("b").expect("here");
    world.engine.accounts.remove(b);
    world.release();
    assert_eq!(world.heard(), [r#"1 {"t":"delivered","version":1,"rows":{"b":[1,1]}}"#]);
}
