use super::*;

const HOUR: i64 = 60 * 60 * 1000;
/// 2026-11-30 14:30:00 UTC.
const NOW: i64 = 1_796_049_000_000;

#[test]
fn faces_of_clocks() {
    assert_eq!(face("2026-11-30 14:30:00"), Some(NOW));
    assert_eq!(face("2026-11-30 14:30:00.25"), Some(NOW + 250));
    assert_eq!(face("2026/11/30 14:30:00"), Some(NOW));
    assert_eq!(face("2026-11-30T14:30:00"), Some(NOW));
    assert_eq!(face("2026-11-30 14:30"), Some(NOW));
    assert_eq!(face("Mon Nov 30 14:30:00 2026"), Some(NOW));
    for wrong in ["", "14:30", "yesterday", "2026-13-30 14:30:00"] {
        assert_eq!(face(wrong), None, "{wrong}");
    }
}

#[test]
fn a_zone_is_learned_from_what_cannot_have_waited() {
    // It came within 30 s of a time at which nothing waited.
    let fresh = |face: i64| zone(face, NOW - 30_000, NOW);
    assert_eq!(fresh(NOW - 5_000 + 8 * HOUR), Some(8 * 3600));
    assert_eq!(fresh(NOW - 30_000 - 5 * HOUR), Some(-5 * 3600));
    assert_eq!(fresh(NOW + 11 * HOUR / 2), Some(11 * 1800), "half an hour, as in India");
    assert_eq!(fresh(NOW - 60_000), Some(0), "without seconds");
    // A clock that goes wrong is no zone.
    assert_eq!(fresh(NOW + 7 * 60_000), None);
    assert_eq!(fresh(NOW + 30 * HOUR), None);
    // What may have waited for an hour says nothing.
    assert_eq!(zone(NOW + 8 * HOUR, NOW - HOUR, NOW), None);
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let said = "2026-11-30 22:30:00";
    assert_eq!(WrittenTime::of(said, NOW, Some(8 * 3600)).unix_ms, NOW);
    let unknown = WrittenTime { unix_ms: NOW + 5, face: Some(NOW + 8 * HOUR), zone: None };
    assert_eq!(WrittenTime::of(said, NOW + 5, None), unknown);
    // It would not be written yet.
    assert_eq!(WrittenTime::of(said, NOW + 5, Some(0)), unknown);
    assert_eq!(WrittenTime::of("soon", NOW, Some(0)), WrittenTime { unix_ms: NOW, face: None, zone: None });
    assert!(may_be(NOW + 8 * HOUR, NOW) && !may_be(NOW + 8 * HOUR + 1000, NOW) && !may_be(NOW + 15 * HOUR, NOW));
}
