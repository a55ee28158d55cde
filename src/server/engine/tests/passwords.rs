//! Changes of passwords in the plain dialect.

use super::*;

#[test]
fn four_fields_change_a_password() {
    let mut world = World::with_two();
    world.script(&[
        (1, "01#a#x#n#m#", &["01:02"]),
        (1, "01#z#x#n#n#", &["01:04"]),
        (1, "01#a#wrong#n#n#", &["01:01"]),
        (1, "08#", &["08:0"]),
        // First by a client that is not logged in; then a client that is logged in by the old password is logged out.
        (3, "01#a#x#n#n#", &["01:03"]),
        (1, "08#", &["07:01"]),
        // The answer was lost.
        (3, "01#a#x#n#n#", &["01:03"]),
        (4, "01#a#x#n#n#", &["01:01"]),
        (4, "02#a#x#", &["02:02"]),
        (4, "02#a#n#", &["02:01"]),
        (4, "01#a#n#x#x#", &["01:03"]),
        (4, "08#", &["08:0"]),
    ]);
    world.disk_full = true;
    world.script(&[(4, "01#a#x#n#n#", &[]), (4, "02#a#x#", &["02:04"])]);
    world.disk_full = false;
    world.script(&[(4, "01#a#x#n#n#", &["01:03"]), (2, "08#", &["08:0"])]);
}

#[test]
fn the_same_change_once_more_is_made_if_another_came_between() {
    let mut world = World::with_two();
    world.script(&[
        (3, "01#a#x#y#y#", &["01:03"]),
        (3, "01#a#y#x#x#", &["01:03"]),
        (3, "01#a#x#y#y#", &["01:03"]),
        (4, "02#a#x#", &["02:02"]),
        (4, "02#a#y#", &["02:01"]),
        // The answer to the last one may have been lost; one of before it is looked at anew.
        (3, "01#a#x#y#y#", &["01:03"]),
        (3, "01#a#y#x#x#", &["01:03"]),
        (5, "02#a#x#", &["02:01"]),
    ]);
    // Also where the other change came from another address.
    world.script(&[
        (3, "01#b#y#z#z#", &["01:03"]),
        (6, "01#b#z#y#y#", &["01:03"]),
        (3, "01#b#y#z#z#", &["01:03"]),
        (7, "02#b#z#", &["02:01"]),
    ]);
}

#[test]
fn whoever_guesses_an_old_password_waits_as_at_a_login() {
    let mut world = World::new(OnSecondLogin::Rebind);
    world.script(&[(1, "01#b#y#y#", &["01:01"])]);
    for _ in 0..5 {
        world.script(&[(9, "01#b#wrong#n#n#", &["01:01"])]);
    }
    world.script(&[(9, "01#b#wrong#n#n#", &[]), (10, "01#b#y#n#n#", &[]), (11, "02#b#y#", &[])]);
    let late = world.later(Duration::from_secs(1));
    assert_eq!(late.first(), Some(&(9, "01:01".to_owned())), "{late:?}");
}
