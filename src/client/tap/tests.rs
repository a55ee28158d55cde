use super::*;

#[test]
fn passwords_are_in_no_record() {
    let mut tap = Tap::default();
    let now = Instant::now();
    assert_eq!(tap.sent(now, 1, b"02#a#secret#", Cause::First), None, "nobody looks");
    tap.set_live(true);
    for echo in [&b"02#a#secret#"[..], b"01#a#secret#secret", b"02#a#secret"] {
        let record = tap.received(now, 2, echo).expect("somebody looks");
        assert!(!record.bytes.windows(6).any(|w| w == b"secret"), "{}", echo.escape_ascii());
    }
    tap.sent(now, 3, b"02#a#secret#", Cause::ByHand);
    assert!(tap.records().iter().all(|r| !r.bytes.windows(6).any(|w| w == b"secret")));
    for i in 0..1000 {
        tap.received(now, i, b"x");
    }
    assert_eq!(tap.records().len(), KEPT);
}

/// Each line is a datagram at a time in milliseconds, `>` sent or `<` received, and after it the time that is shown.
#[test]
fn answers_are_timed_where_that_is_certain() {
    use Cause::{Again, ByHand, Fence, First};
    type Step = (u64, Option<Cause>, &'static [u8], Option<u64>);
    let tables: [(&str, &[Step]); 6] = [
        ("simple", &[(0, Some(First), b"02#a#b#", None), (12, None, b"02:01", Some(12)), (13, None, b"02:01", None)]),
        (
            "sent twice: of which is it?",
            &[(0, Some(First), b"08#", None), (300, Some(Again(2)), b"08#", Some(300)), (301, None, b"08:0", None)],
        ),
        (
            "the fence tells how long 03 has been waited for",
            &[
                (0, Some(First), b"03#b#x#", None),
                (1000, Some(Fence), b"08#", Some(1000)),
                (1010, None, b"03:01", Some(1010)),
                (1020, None, b"08:0", Some(20)),
            ],
        ),
        (
            "by hand beside the session",
            &[
                (0, Some(First), b"08#", None),
                (1, Some(ByHand), b"99#", None),
                (2, None, b"08:0", Some(2)),
                (5, None, b"00:00", Some(4)),
            ],
        ),
        (
            "the same by hand: of which is it?",
            &[(0, Some(ByHand), b"08#", None), (9, Some(First), b"08#", None), (10, None, b"08:0", None)],
        ),
        (
            "given up",
            &[(0, Some(First), b"01#a#", None), (9, Some(First), b"08#", None), (10, None, b"07:01", Some(1))],
        ),
    ];
    for (name, steps) in tables {
        let (mut tap, start) = (Tap::default(), Instant::now());
        tap.set_live(true);
        for (ms, cause, bytes, shown) in steps {
            let now = start + Duration::from_millis(*ms);
            let record = match cause {
                Some(cause) => tap.sent(now, 0, bytes, *cause),
                None => tap.received(now, 0, bytes),
            };
            let after = record.and_then(|r| r.after).map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
            assert_eq!(after, *shown, "{name}: {} at {ms} ms", bytes.escape_ascii());
        }
    }
}

/// Run with `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --lib tap -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "the figure is what it is for")]
fn what_it_costs_while_nobody_looks() {
    let (mut tap, start, rounds) = (Tap::default(), Instant::now(), 1_000_000_u32);
    for i in 0..rounds {
        tap.sent(start, i64::from(i), b"08#", Cause::First);
        tap.received(start, i64::from(i), b"08:0");
    }
    println!("{:?} a datagram", start.elapsed() / (2 * rounds));
}
