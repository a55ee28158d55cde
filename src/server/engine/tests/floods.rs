//! Clients that send more than a person does: budgets and lanes.

use super::*;

#[test]
fn who_floods_uses_up_its_own_budget_alone() {
    let mut world = World::new(OnSecondLogin::Arm);
    let answered: usize = (0..3_500).map(|_| world.send(1, b"nonsense").len()).sum();
    assert_eq!(answered, 20);
    world.script(&[(2, "nonsense", &["00:00"])]);
}

/// A client that waits for each answer gets each one, however quickly it asks; of a flood, a lane's worth is answered.
#[test]
fn who_waits_for_each_answer_is_served() {
    let mut world = World::with_two();
    let begun = world.ms;
    for n in 0..20_000 {
        let mut answers = world.send(1, b"08#");
        while answers.is_empty() {
            let next = world.engine.poll_timeout().expect("it is waited for");
            assert!(next < world.now().instant + Duration::from_millis(2), "{n}");
            answers = world.later(Duration::from_millis(1));
        }
        assert_eq!(answers, [(1, "08:0".to_owned())], "{n}");
    }
    assert!((3_000..20_000).contains(&(world.ms - begun)), "{} ms", world.ms - begun);
    let flood: usize = (0..20_000).map(|_| world.send(2, b"08#").len()).sum();
    let late: usize = (0..20).map(|_| world.later(Duration::from_millis(1)).len()).sum();
    assert_eq!((flood, late), (4_000, lanes::LANE), "a lane waits");
    assert_eq!(world.engine.poll_timeout(), None);
}

/// What goes out to one IP address is limited, over all ports and accounts, since the address may be forged; but
/// somebody who reads a mailbox from far away gets all of it.
#[test]
fn what_goes_out_to_one_address_is_bounded() {
    let mut world = World::new(OnSecondLogin::Arm);
    // How fast somebody may write is another limit, which would be met first.
    world.engine.send_rates = send_rates::SendRates::new(Quotas { sending: 0, ..Quotas::default() });
    let long = "x".repeat(900);
    world.script(&[(1, "01#a#x#x#", &["01:01"]), (1, "02#a#x#", &["02:01"])]);
    let far = |port: u16| SocketAddr::from(([192, 0, 2, 7], port));
    let mut sent = 0;
    for port in [5_000, 5_001] {
        let now = world.now();
        let name = format!("b{port}");
        for request in [format!("01#{name}#x#x#"), format!("02#{name}#x#")] {
            world.engine.datagram(now, far(port), request.as_bytes());
            world.drain();
        }
    }
    let (begun, mut written) = (world.ms, 0);
    while world.ms < begun + 10_000 {
        for port in [5_000, 5_001] {
            if written < 4_000 {
                let room = world.send(1, format!("03#b{port}#{long}#").as_bytes());
                written += usize::from(room == [(1, "03:01".to_owned())]);
            }
            let now = world.now();
            for _ in 0..3 {
                world.engine.datagram(now, far(port), b"09#");
                while let Some(effect) = world.engine.poll_effect() {
                    match effect {
                        Effect::Reply { to, bytes } if to.ip() == far(1).ip() => sent += bytes.len(),
                        Effect::Store(op) => world.store(op),
                        _ => {}
                    }
                }
            }
        }
        sent += world.later_bytes(Duration::from_millis(1), far(1).ip());
    }
    assert!(sent > 1_000_000, "{sent}: it goes on all the time");
    assert!(sent < 262_144 + 11 * 131_072, "{sent} bytes in 10 s");
}

#[test]
fn a_lane_keeps_no_more_of_a_datagram_than_is_read() {
    let mut world = World::with_two();
    world.held = true;
    world.script(&[(1, "03#b#hi#", &[])]);
    let now = world.now();
    world.engine.datagram(now, at(1), &[b'x'; 65_507]);
    let Some(Queued::Datagram(bytes)) = world.engine.lanes.first(at(1)) else { panic!("it waits") };
    assert_eq!(bytes.len(), 1_401);
    let replies: Vec<String> = world.release().into_iter().map(|(_, reply)| reply).collect();
    assert_eq!(replies, ["03:01", "00:00"]);
}

#[test]
fn refusals_have_a_budget() {
    let mut world = World::new(OnSecondLogin::Arm);
    let answered = (0..1_000).map(|_| world.send(1, b"nonsense").len()).sum::<usize>();
    assert_eq!(answered, 20);
}

/// A plain client is answered once its message may be sent; its later requests wait in their order.
#[test]
fn who_sends_too_much_is_answered_later_and_loses_nothing() {
    let mut world = World::with_two();
    world.engine.send_rates = send_rates::SendRates::new(Quotas { sending: 2, lobby: 1, ..Quotas::default() });
    world.mailbox = 1_000;
    for _ in 0..2 * Quotas::BURST {
        world.script(&[(1, "03#b#hi#", &["03:01"])]);
    }
    world.script(&[(1, "03#b#late#", &[]), (1, "08#", &[]), (2, "03#a#hi#", &["03:01"]), (2, "08#", &["08:30"])]);
    assert_eq!(world.later(Duration::from_millis(499)), []);
    let due = world.later(Duration::from_millis(1));
    assert_eq!(due, [(1, "03:01".to_owned()), (1, "08:1".to_owned())]);
    world.script(&[(2, "08#", &["08:31"])]);
    for _ in 0..Quotas::BURST {
        world.script(&[(2, "03#@lobby#hi#", &["03:01"])]);
    }
    world.script(&[(2, "03#@lobby#hi#", &[]), (2, "06#", &[])]);
    let due = world.later(Duration::from_secs(1));
    assert_eq!(due, [(2, "03:01".to_owned()), (2, "06:01".to_owned())]);
    assert_eq!(world.engine.poll_timeout(), None);
}
