use super::*;

/// Goes out (with its cause) or comes in, at so many milliseconds.
type Step = (u64, Option<Cause>, &'static str);

/// What came to each request made by hand: a reply and its milliseconds, a reply and `?`, or `-`.
#[track_caller]
fn check(name: &str, steps: &[Step], expected: &[&str]) {
    let (mut pairing, start) = (Pairing::default(), Instant::now());
    let mut last = start;
    for (ms, cause, bytes) in steps {
        last = start + Duration::from_millis(*ms);
        match cause {
            Some(cause) => drop(pairing.sent(last, 0, bytes.as_bytes(), *cause)),
            None => drop(pairing.received(last, bytes.as_bytes())),
        }
    }
    let trials = pairing.trials(last + PATIENCE).map(|(_, _, _, came)| match came {
        Arrived::Reply(bytes, after) => format!("{} {}", String::from_utf8_lossy(&bytes), after.as_millis()),
        Arrived::Perhaps(bytes) => format!("{} ?", String::from_utf8_lossy(&bytes)),
        Arrived::Nothing => "-".to_owned(),
        Arrived::NotYet => "…".to_owned(),
    });
    assert_eq!(trials.collect::<Vec<_>>(), expected, "{name}");
}

#[test]
fn a_reply_is_given_to_a_trial_only_where_it_must_be_its_own() {
    use Cause::{Again, ByHand, Fence, First};
    const HAND: Option<Cause> = Some(ByHand);
    let own = Some(First);
    check(
        "alone",
        &[(0, HAND, "08#"), (3, None, "08:2"), (9, HAND, "99#"), (10, None, "00:00")],
        &["08:2 3", "00:00 1"],
    );
    check("once more", &[(0, HAND, "08#"), (3, None, "08:2"), (4, None, "08:2")], &["08:2 3"]);
    check("unanswered", &[(0, HAND, "06:01"), (5, own, "08#"), (6, None, "08:0")], &["-"]);
    check("late", &[(0, HAND, "02#a#b#"), (60_000, None, "02:02")], &["02:02 60000"]);
    check("too late", &[(0, HAND, "08#"), (60_000, None, "08:0")], &["-"]);
    check(
        "another operation of the client's own",
        &[(0, own, "09#"), (1, HAND, "08#"), (2, None, "08:1")],
        &["08:1 1"],
    );
    check("the same of its own before", &[(0, own, "08#"), (1, HAND, "08#"), (2, None, "08:0")], &["08:0 ?"]);
    check("the same of its own after", &[(0, HAND, "08#"), (1, own, "08#"), (2, None, "08:0")], &["08:0 ?"]);
    check("both are answered", &[(0, HAND, "08#"), (1, own, "08#"), (2, None, "08:0"), (3, None, "08:1")], &["08:0 ?"]);
    check("the same by hand", &[(0, HAND, "08#"), (900, HAND, "08#"), (901, None, "08:0")], &["08:0 ?", "08:0 ?"]);
    check("refused beside another", &[(0, own, "09#"), (1, HAND, "99#"), (2, None, "00:00")], &["00:00 ?"]);
    check(
        "it is told by the next reply after all",
        &[(0, HAND, "99#"), (1, HAND, "08#"), (2, None, "00:00"), (3, None, "08:0")],
        &["00:00 ?", "08:0 2"],
    );
    check(
        "one more reply to what was sent twice",
        &[(0, own, "08#"), (300, Some(Again(2)), "08#"), (301, None, "08:0"), (302, HAND, "08#"), (303, None, "08:0")],
        &["08:0 ?"],
    );
    check(
        "one more refusal of what was sent twice",
        &[
            (0, own, "08#"),
            (300, Some(Again(2)), "08#"),
            (301, None, "07:01"),
            (302, HAND, "9#xx#"),
            (303, None, "07:01"),
        ],
        &["07:01 ?"],
    );
    check(
        "given up and answered after all",
        &[(0, own, "05#b#"), (900, own, "08#"), (901, None, "08:0"), (902, HAND, "05#b#"), (903, None, "05:01")],
        &["05:01 ?"],
    );
    check(
        "long after that",
        &[(0, own, "05#b#"), (900, own, "08#"), (901, None, "08:0"), (20_000, HAND, "05#b#"), (20_003, None, "05:01")],
        &["05:01 3"],
    );
    check("of no operation of its own", &[(0, HAND, "08#"), (1, None, "hello")], &["hello ?"]);
    check("that one came first", &[(0, HAND, "08#"), (1, None, "09:01"), (2, None, "08:0")], &["08:0 2"]);
    check(
        "what looks like a reply waits for none",
        &[(0, HAND, "06:01"), (9, HAND, "06#"), (10, None, "06:01")],
        &["-", "06:01 1"],
    );
    check("and not for ever", &[(0, HAND, "06:01"), (2_500, HAND, "99#"), (2_501, None, "00:00")], &["-", "00:00 1"]);
    check(
        "behind a fence",
        &[(0, own, "03#b#x#"), (900, Some(Fence), "08#"), (901, HAND, "06#"), (902, None, "06:01")],
        &["06:01 1"],
    );
}

#[test]
fn what_was_said_goes_with_its_request() {
    let (mut pairing, now) = (Pairing::default(), Instant::now());
    pairing.expect(b"08#", Expectation::Silence);
    pairing.expect(b"02#a#secret#", Expectation::Reply(b"02:01".to_vec()));
    pairing.expect(b"08#", Expectation::Text);
    pairing.received(now, b"02#a#secret#");
    for sent in ["02#a#secret#", "08#", "08#", "08#"] {
        pairing.sent(now, 7, sent.as_bytes(), Cause::ByHand);
    }
    assert!(!format!("{pairing:?}").contains("secret") && pairing.said.is_empty());
    let said: Vec<&str> = pairing.trials(now).map(|(_, _, trial, came)| trial.case(1, &came).id).collect();
    assert_eq!(said, ["by-hand-said", "by-hand-said", "by-hand", "by-hand"]);
}

#[test]
fn trials_take_bounded_room_and_keep_their_numbers() {
    let (mut pairing, now) = (Pairing::default(), Instant::now());
    for _ in 0..TRIALS + 5 {
        pairing.sent(now, 0, b"08#", Cause::ByHand);
    }
    pairing.received(now, b"08:0");
    let numbers: Vec<usize> = pairing.trials(now).map(|(number, ..)| number).collect();
    assert_eq!((numbers.len(), numbers.first(), numbers.last()), (TRIALS, Some(&6), Some(&(TRIALS + 5))));
    assert!(pairing.asked.len() <= ASKED && pairing.late.len() <= ASKED);
}
