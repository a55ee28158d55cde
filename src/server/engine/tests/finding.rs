//! Looking up people who are not in memory. All other tests run with room for two people, so that look-ups happen
//! everywhere; here they are the subject.

use super::*;

/// Accounts a, b and c; a and b are logged in at ports 1 and 2, and c is not in memory any more.
fn without_c() -> World {
    let mut world = World::with_two();
    world.script(&[(3, "01#c#z#z#", &["01:01"]), (3, "02#nobody#z#", &["02:03"])]);
    assert_eq!((world.engine.accounts.of_name("c"), world.engine.accounts.people.len()), (None, 2));
    world
}

fn said(replies: &[(u16, String)]) -> Vec<(u16, &str)> {
    replies.iter().map(|(port, reply)| (*port, reply.as_str())).collect()
}

fn far(n: u32, port: u16) -> SocketAddr {
    SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + n), port))
}

#[test]
fn who_asks_for_somebody_waits_in_its_lane_and_holds_up_nobody_else() {
    let mut world = without_c();
    (world.held, world.late) = (true, true);
    world.script(&[(1, "03#c#hi#", &[]), (1, "08#", &[]), (2, "08#", &["08:0"])]);
    // Others who ask for the same share the look.
    world.script(&[(2, "03#c#ho#", &[]), (2, "08#", &[]), (9, "02#c#z#", &[])]);
    assert_eq!(world.ops.len(), 1);
    assert_eq!(said(&world.release()), [(1, "03:02"), (1, "08:0"), (2, "03:02"), (2, "08:0"), (9, "02:01")]);
    world.script(&[(9, "08#", &["08:2"])]);
}

#[test]
fn who_is_here_costs_no_look() {
    let mut world = World::with_two();
    let before = world.looks;
    world.script(&[
        (1, "03#b#hi#", &["03:01"]),
        (2, "09#", &["09:a:2026-11-21 12:04:58:hi"]),
        (2, "03#a#ho#", &["03:01"]),
    ]);
    world.script(&[(1, "03#@lobby#x#", &["03:01"]), (1, "08#", &["08:1"]), (1, "11#0#", &["11:2:0:a:b"])]);
    assert_eq!(world.looks, before);
    // An address without a session and a name without an account are looked up once.
    for _ in 0..5 {
        assert_eq!(world.send(7, b"03#x#hi#"), [(7, "07:01".to_owned())]);
        assert_eq!(world.send(1, b"03#x#hi#"), [(1, "03:02".to_owned())]);
    }
    assert_eq!(world.looks, before + 2);
}

#[test]
fn a_session_leaves_the_memory_when_it_is_silent_and_goes_on_when_it_is_heard_of() {
    let mut world = without_c();
    world.script(&[(1, "03#b#1#", &["03:01"]), (2, "09#", &["09:a:2026-11-21 12:04:58:1"])]);
    world.wait(PRESENCE + Duration::from_secs(5));
    // b has not said yet that it has what it was handed; a has nothing to say.
    world.script(&[(3, "02#c#z#", &["02:01"])]);
    let here = |world: &World| ["a", "b", "c"].map(|name| world.engine.accounts.of_name(name).is_some());
    assert_eq!(here(&world), [false, true, true]);
    assert_eq!(world.sessions.get(&1).map(|(_, seen)| *seen), Some(0), "and when it was heard of is noted");
    // It counts as present as it did, which is not, until it speaks.
    world.script(&[(3, "03#a#hi#", &["03:02"]), (1, "08#", &["08:1"]), (3, "03#a#hi#", &["03:01"])]);
    world.script(&[(2, "08#", &["08:0"]), (2, "06#", &["06:01"]), (2, "08#", &["07:01"])]);
    // After a day the session has ended, in memory or not.
    world.wait(SESSION + Duration::from_secs(1));
    world.script(&[(1, "08#", &["07:01"]), (3, "08#", &["07:01"])]);
}

#[test]
fn a_session_of_before_a_restart_is_found_by_its_address() {
    let mut world = World::with_two();
    world.wait(PRESENCE + Duration::from_secs(5));
    let (quotas, now) = (Quotas::default(), world.now());
    world.engine = Engine::new(OnSecondLogin::Arm, quotas, |_| String::new(), Snapshot::default(), now);
    world.script(&[(3, "08#", &["07:01"]), (1, "08#", &["08:0"]), (2, "06#", &["06:01"]), (2, "06#", &["06:02"])]);
    // A login there ends what the address had, also where nobody has looked for that.
    let now = world.now();
    world.engine = Engine::new(OnSecondLogin::Arm, quotas, |_| String::new(), Snapshot::default(), now);
    world.script(&[(1, "02#b#y#", &["02:01"]), (1, "03#a#hi#", &["03:02"]), (1, "08#", &["08:0"])]);
}

#[test]
fn what_cannot_be_read_is_not_claimed_and_the_rest_goes_on() {
    let mut world = without_c();
    world.unreadable = true;
    world.script(&[(1, "03#c#hi#", &[]), (1, "08#", &["08:0"]), (9, "02#c#z#", &[]), (8, "08#", &[]), (8, "06#", &[])]);
    world.script(&[(9, "01#c#z#z#", &[]), (9, "02#a#x#", &["02:04"])]);
    world.unreadable = false;
    world.script(&[(1, "03#c#hi#", &["03:02"]), (8, "08#", &["07:01"]), (9, "01#c#z#z#", &["01:03"])]);
    assert!(world.engine.lanes.first(at(1)).is_none() && world.engine.jobs.waiting() == 0);
}

/// Invented names and addresses fill no memory and wear out no disk, and those who are online notice nothing.
#[test]
fn a_flood_of_unknown_names_costs_a_bounded_number_of_looks() {
    let mut world = World::with_two();
    world.engine.set_room(64);
    let begun = world.looks;
    let ask = |world: &mut World, from: SocketAddr, request: &str| {
        let now = world.now();
        world.engine.datagram(now, from, request.as_bytes());
        world.drain().len()
    };
    // From one address and its ports.
    let answered: usize = (0..20_000).map(|n| ask(&mut world, far(1, 1_000 + n % 50), &format!("02#n{n}#x#"))).sum();
    assert_eq!((world.looks - begun, answered), (4_000, 4_000));
    // From any number of them, by name and by place.
    for n in 0..20_000_u32 {
        ask(&mut world, far(n + 2, 5_000), &format!("02#m{n}#x#"));
        ask(&mut world, far(n + 2, 6_000), "08#");
    }
    assert_eq!(world.looks, 8_000, "of all strangers, those before the flood too");
    world.script(&[(1, "03#b#hi#", &["03:01"]), (2, "08#", &["08:1"])]);
    world.wait(Duration::from_secs(1));
    let spared: usize = (0..20_000).map(|n| ask(&mut world, far(1, 5_000), &format!("02#o{n}#x#"))).sum();
    assert_eq!((spared, world.looks), (500, 8_500));
    assert_eq!(world.engine.accounts.people.len(), 2);
    // While the disk does not answer, only a limited number of strangers wait.
    world.wait(Duration::from_secs(10));
    (world.held, world.late) = (true, true);
    for n in 0..5_000_u32 {
        ask(&mut world, far(n + 2, 7_000), "08#");
    }
    assert_eq!(world.ops.len(), 1_024);
    world.script(&[(1, "03#nobody#hi#", &[]), (2, "08#", &["08:1"])]);
    assert!(said(&world.release()).contains(&(1, "03:02")), "who is logged in does not compete with them");
}

/// The messages that are read with a person are charged to the client that has asked.
#[test]
fn a_look_at_a_full_mailbox_counts_for_many() {
    let mut world = without_c();
    let unread = |row| UnreadMessage { row, sender: "a".into(), writer: None, sent: 0, text: "hi".into() };
    world.messages = (1..=6_400).map(|row| (3, unread(row), false)).collect();
    let ask = |world: &mut World, port: u16, request: &str| {
        let now = world.now();
        world.engine.datagram(now, far(1, port), request.as_bytes());
        world.drain()
    };
    let begun = world.looks;
    assert_eq!(said(&ask(&mut world, 999, "02#c#wrong#")), [(999, "02:02")]);
    for n in 0..20_000 {
        ask(&mut world, 1_000 + n % 50, &format!("02#n{n}#x#"));
    }
    assert_eq!(world.looks - begun, 4_000 - 100, "of one network");
}

/// A client that is logged in waits for its turn, as with everything else.
#[test]
fn who_is_logged_in_and_asks_for_too_many_waits() {
    let mut world = World::new(OnSecondLogin::Arm);
    world.engine.send_rates = send_rates::SendRates::new(Quotas { sending: 0, ..Quotas::default() });
    world.script(&[(1, "01#a#x#x#", &["01:01"])]);
    let from = far(1, 1_000);
    let ask = |world: &mut World, request: String| {
        let now = world.now();
        world.engine.datagram(now, from, request.as_bytes());
        world.drain().len()
    };
    assert_eq!(ask(&mut world, "02#a#x#".into()), 1);
    for n in 0..6_000 {
        let mut answered = ask(&mut world, format!("03#n{n}#hi#"));
        while answered == 0 {
            assert!(world.engine.poll_timeout().is_some(), "{n}: it is waited for");
            answered = world.later(Duration::from_millis(1)).len();
        }
        assert_eq!(answered, 1, "{n}");
    }
    assert!((3_500..5_000).contains(&world.ms), "{} ms for what 4,000 at once and 500 a second take", world.ms);
}

#[test]
fn a_restart_makes_nobody_present_who_was_not() {
    let start = World::new(OnSecondLogin::Arm).start + 2 * SESSION;
    let now = Now { instant: start, unix: 1_000_000 };
    let hashed = Hashed { salt: vec![0], hash: Vec::new() };
    let silent = [("a", 1, 10), ("b", 2, 100), ("c", 3, 90_000)];
    let known = |(name, id, silent): (&str, AccountId, i64)| {
        let session = Some((at(id as u16), now.unix - silent));
        let (hashed, settings, unread) = (hashed.clone(), AccountSettings::default(), HashMap::new());
        PersonRecord { id, name: name.into(), hashed, settings, status: Default::default(), made: 0, unread, session }
    };
    let snapshot = Snapshot { accounts: 3, here: silent.into_iter().map(known).collect() };
    let mut engine = Engine::new(OnSecondLogin::Arm, Quotas::default(), |_| String::new(), snapshot, now);
    let seen = (engine.present(now, 1), engine.present(now, 2), engine.addresses.sessions.len());
    assert_eq!(seen, (true, false, 2), "c has been silent for more than a day");
    engine.end(now);
    let Some(Effect::Store(Op::Write(Write::Seen { mut sessions }))) = engine.poll_effect() else { panic!("noted") };
    sessions.sort_unstable();
    assert_eq!(sessions, [(1, now.unix - 10), (2, now.unix - 100)]);
}
