use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Account a has password x; five wrong ones were tried, so the answer to the next one is delayed.
fn five_wrong() -> World {
    let mut world = World::new(OnSecondLogin::Arm);
    world.script(&[(1, "01#a#x#x#", &["01:01"])]);
    for _ in 0..5 {
        world.script(&[(9, "02#a#wrong#", &["02:02"])]);
    }
    world
}

fn said(replies: &[(u16, &str)]) -> Vec<(u16, String)> {
    replies.iter().map(|(port, reply)| (*port, (*reply).to_owned())).collect()
}

#[test]
fn wrong_passwords_are_answered_later_and_later() {
    let mut world = five_wrong();
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        world.script(&[(9, "02#a#wrong#", &[])]);
        assert_eq!(world.engine.poll_timeout(), Some(world.now().instant + seconds * SECOND));
        assert_eq!(world.later(seconds * SECOND - Duration::from_millis(1)), []);
        assert_eq!(world.later(Duration::from_millis(1)), said(&[(9, "02:02")]));
        assert_eq!(world.engine.poll_timeout(), None);
    }
    // A right one begins anew.
    world.script(&[(9, "02#a#x#", &["02:01"]), (9, "06#", &["06:01"]), (9, "02#a#wrong#", &["02:02"])]);
}

#[test]
fn an_answer_held_back_holds_nothing_else_back() {
    let mut world = five_wrong();
    world.script(&[(8, "01#b#y#y#", &["01:01"]), (9, "02#b#y#", &["02:01"])]);
    // The session of b goes on while a's wrong password waits; asking again changes nothing.
    world.script(&[
        (9, "02#a#wrong#", &[]),
        (9, "08#", &["08:0"]),
        (9, "02#a#wrong#", &[]),
        (9, "03#b#hi#", &["03:01"]),
        (9, "01#c#z#z#", &["01:01"]),
        (9, "09#", &["09:b:2026-11-21 12:04:58:hi"]),
    ]);
    assert_eq!(world.later(SECOND), said(&[(9, "02:02")]));
    assert_eq!(world.later(60 * SECOND), []);
    world.script(&[(9, "08#", &["08:0"])]);
}

#[test]
fn replies_keep_their_order_around_one_held_back() {
    let mut world = five_wrong();
    world.script(&[(8, "01#b#y#y#", &["01:01"]), (9, "02#b#y#", &["02:01"]), (9, "02#a#wrong#", &[])]);
    world.held = true;
    world.script(&[(9, "03#b#hi#", &[]), (9, "08#", &[]), (9, "05#b#", &[])]);
    assert_eq!(world.later(SECOND), said(&[(9, "02:02")]));
    assert_eq!(world.release(), said(&[(9, "03:01"), (9, "08:1"), (9, "05:b:2026-11-21 12:04:58:hi")]));
}

#[test]
fn a_newer_login_takes_the_place_of_the_one_that_waits() {
    let mut world = five_wrong();
    // The client has given up the wrong one; `02:02` would be taken for the right one's answer.
    world.script(&[(9, "02#a#wrong#", &[]), (9, "02#a#guess#", &[]), (9, "02#a#x#", &[]), (9, "08#", &["07:01"])]);
    assert_eq!(world.later(SECOND), said(&[(9, "02:01")]));
    world.script(&[(9, "08#", &["08:0"])]);
    // Another account's does so too, and waits for nothing.
    let mut world = five_wrong();
    world.script(&[(9, "02#a#wrong#", &[]), (9, "02#z#x#", &["02:03"])]);
    assert_eq!(world.later(SECOND), []);
}

#[test]
fn who_goes_offline_waits_no_more() {
    let mut world = five_wrong();
    world.script(&[(9, "02#a#wrong#", &[]), (9, "06#", &["06:02"])]);
    world.script(&[(8, "02#a#x#", &[]), (8, "06#", &["06:02"])]);
    assert_eq!(world.later(SECOND), []);
    world.script(&[(8, "08#", &["07:01"]), (7, "02#a#x#", &["02:01"])]);
}

#[test]
fn a_held_answer_is_a_brake_on_guessing_from_every_port() {
    let mut world = five_wrong();
    // Were this looked at, its silence or its answer would say at once whether it is right.
    world.script(&[(9, "02#a#wrong#", &[]), (9, "08#", &["07:01"]), (8, "02#a#x#", &[]), (7, "02#a#x#", &[])]);
    assert_eq!(world.later(SECOND), said(&[(9, "02:02"), (7, "02:04"), (8, "02:01")]));
}

#[test]
fn a_flood_of_guesses_gets_a_few_looks() {
    let mut world = five_wrong();
    let mut looked_at = 0;
    for port in 1_000..7_000 {
        world.held = true;
        let mut replies = world.later(Duration::from_millis(100));
        replies.extend(world.send(port, format!("02#a#{port}#").as_bytes()));
        looked_at += world.jobs.len();
        replies.extend(world.release());
        assert!(replies.len() <= 1, "{replies:?}");
    }
    // Six up to a pause of a minute, ten minutes in all.
    assert!((12..=16).contains(&looked_at), "{looked_at}");
    // The flood ends: who stands in line goes unanswered after a minute, and nothing is left.
    world.held = false;
    for _ in 0..3 {
        world.later(60 * SECOND);
    }
    assert_eq!(world.engine.poll_timeout(), None);
    world.script(&[(9, "02#a#x#", &["02:01"])]);
}

#[test]
fn at_once_no_more_are_looked_at_than_are_free() {
    let mut world = World::new(OnSecondLogin::Arm);
    world.script(&[(1, "01#a#x#x#", &["01:01"])]);
    world.held = true;
    for port in 10..30 {
        world.script(&[(port, &format!("02#a#{port}#"), &[])]);
    }
    assert_eq!(world.jobs.len(), 5);
    let replies = world.release();
    assert_eq!(replies.len(), 5, "{replies:?}");
    assert_eq!(world.engine.poll_timeout(), Some(world.now().instant + SECOND), "and the sixth is held back");
}

#[test]
fn others_lock_nobody_out_of_the_last_good_address() {
    let mut world = World::new(OnSecondLogin::Arm);
    world.script(&[(1, "01#a#x#x#", &["01:01"]), (1, "02#a#x#", &["02:01"]), (1, "06#", &["06:01"])]);
    let neighbour = SocketAddr::from(([127, 0, 0, 2], 9));
    for _ in 0..6 {
        let now = world.now();
        world.engine.datagram(now, neighbour, b"02#a#wrong#");
        world.drain();
    }
    assert!(world.engine.poll_timeout().is_some(), "the neighbour's is held back");
    for _ in 0..7 {
        world.script(&[(2, "02#a#typo#", &["02:02"])]);
    }
    world.script(&[(3, "02#a#x#", &["02:01"])]);
    assert_eq!(world.later(SECOND), said(&[(9, "02:02")]));
}

#[test]
fn a_login_the_hasher_had_no_room_for_makes_way() {
    let mut world = five_wrong();
    world.held = true;
    world.script(&[(9, "02#a#wrong#", &[]), (8, "02#a#x#", &[])]);
    let Some(Job::Check { job, .. }) = world.jobs.pop() else { panic!("one is looked at") };
    assert!(world.jobs.is_empty(), "only one");
    let now = world.now();
    world.engine.not_hashed(now, job);
    assert_eq!(world.drain(), []);
    assert_eq!(world.release(), said(&[(8, "02:01")]));
}
