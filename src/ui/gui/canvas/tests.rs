use super::*;

fn row(look: i64, y: i32, height: i32) -> Painted<i64> {
    Painted { look, y, height, link: None }
}

#[test]
fn only_what_has_changed_is_painted() {
    let h = 100;
    let old = [row(1, -10, 40), row(2, 30, 30), row(3, 60, 32)];
    let same = Plan { shift: 0, bands: vec![[92, 100]] };
    assert_eq!(plan(&old, &old, h), same, "nothing but the edge below");
    // A new message: everything moves up, and what comes in is painted.
    let new = [row(1, -40, 40), row(2, 0, 30), row(3, 30, 32), row(4, 62, 30)];
    assert_eq!(plan(&old, &new, h), Plan { shift: -30, bands: vec![[62, 100]] });
    // A message in the middle has changed.
    let mut changed = old.clone();
    changed[1].look = 7;
    assert_eq!(plan(&old, &changed, h), Plan { shift: 0, bands: vec![[30, 60], [92, 100]] });
    // Scrolled up: the upper row was only partly in sight.
    let up = [row(0, -5, 15), row(1, 10, 40), row(2, 50, 30), row(3, 80, 32)];
    assert_eq!(plan(&old, &up, h), Plan { shift: 20, bands: vec![[0, 20]] });
    // Everything is different.
    assert_eq!(plan(&old, &[row(9, 0, 40)], h), Plan { shift: 0, bands: vec![[0, 100]] });
    assert_eq!(plan(&[], &old, h), Plan { shift: 0, bands: vec![[0, 100]] });
}

#[test]
fn bands_that_touch_are_one() {
    assert_eq!(joined(vec![[50, 60], [0, 10], [5, 20], [20, 30]]), [[0, 30], [50, 60]]);
}
