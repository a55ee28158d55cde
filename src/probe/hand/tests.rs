use super::*;

/// Returns `pass`, `unclear`, or the broken rule (`-` for none) and the byte.
fn verdict(report: &CaseReport) -> String {
    match &report.verdict {
        Verdict::Failed(Failure { rule, difference: Difference::Byte(at), .. }) => {
            format!("{} {at}", rule.map_or("-", Rule::id))
        }
        other => other.id().to_owned(),
    }
}

#[test]
fn trials_are_judged_by_the_text_or_by_what_was_said() {
    const LATE: &str = "09:bob:2026-11-21 08:00:00:";
    // The request, the expectation, the reply ("" for none), and the verdict.
    let cases: &[(&str, &str, &str, &str)] = &[
        ("02#20170001#secret#", "", "02:01", "pass"),
        ("02#20170001#secret#", "", "02:04", "pass"),
        ("02#20170001#secret#", "", "02:05", "own-replies 4"),
        ("02#20170001#secret#", "", "02:01\n", "reply-form 5"),
        ("02#20170001#secret#", "02:01", "02:01", "pass"),
        ("02#20170001#secret#", "02:01", "02:04", "- 4"),
        ("02#20170001#secret#", "02:01", "02:09", "own-replies 4"),
        ("02#20170001#secret", "", "00:00", "pass"),
        ("02#20170001#secret", "", "02:01", "closed 1"),
        ("02#20170001#", "", "02:01", "field-count 1"),
        ("99#x#", "", "99:01", "unknown-operation 0"),
        ("03#b#", "", "07:01", "pass"),
        ("08#", "", "08:12", "pass"),
        ("08#", "", "08:x", "own-replies 3"),
        ("08#", "", "08:1x", "own-replies 4"),
        ("08#", "", "07:01", "pass"),
        ("08#", "", "00:00", "own-replies 1"),
        ("08##", "", "00:00", "pass"),
        ("09#", "", &format!("{LATE}a:b"), "pass"),
        ("09#", "", LATE, "pass"),
        ("09#", "", "09:bob:08:00:a", "time 9"),
        ("09#", "", "09:bob:2026-13-21 08:00:00:a", "time 12"),
        ("09#", "", "05:bob:2026-11-21 08:00:00:a", "own-replies 1"),
        ("09#", "", "09::2026-11-21 08:00:00:a", "from 3"),
        ("11#0#", "", "11:1:0:bob", "pass"),
        ("11#0#", "", "00:00", "pass"),
        ("10#Q1#nonce#0000#", "", "10:01:Q1:other", "pass"),
        ("06#", "", "", "unclear"),
        ("06#", "-", "", "pass"),
        ("06#", "-", "06:01", "- 0"),
        ("06:01", "", "", "pass"),
        ("06:01", "", "06:02", "reply-like 1"),
        ("x", "", "", "pass"),
    ];
    for (sent, said, came, judged) in cases {
        let trial = Trial::new(sent.as_bytes(), &Expectation::parse(said).expect("good"));
        let came = match *came {
            "" => Arrived::Nothing,
            came => Arrived::Reply(came.as_bytes().to_vec(), Duration::ZERO),
        };
        assert_eq!(verdict(&trial.case(1, &came)), *judged, "{sent} {said:?} {came:?}");
    }
}

#[test]
fn what_cannot_be_told_is_neither_pass_nor_fail() {
    for (sent, came) in
        [("08#", Arrived::Perhaps(b"08:0".to_vec())), ("08#", Arrived::NotYet), ("06:01", Arrived::NotYet)]
    {
        let report = Trial::new(sent.as_bytes(), &Expectation::Text).case(1, &came);
        assert_eq!(verdict(&report), "unclear", "{sent} {came:?}");
    }
}

#[test]
fn no_password_is_kept_and_it_is_judged_all_the_same() {
    // A control character in the password makes it malformed, which the stars would hide.
    let trial = Trial::new(b"02#a#sec\x07ret#", &Expectation::Text);
    assert_eq!(trial.sent(), b"02#a#******#");
    let report = trial.case(1, &Arrived::Reply(b"02:01".to_vec(), Duration::ZERO));
    assert_eq!(verdict(&report), "fields 1");
    let echo = trial.case(1, &Arrived::Reply(b"02#a#secret#".to_vec(), Duration::ZERO));
    assert!(!format!("{echo:?} {trial:?}").contains("secret"));
}

#[test]
fn expectations_are_typed() {
    let reply = |text: &str| Some(Expectation::Reply(text.as_bytes().to_vec()));
    for (typed, meant) in [
        ("", Some(Expectation::Text)),
        (" - ", Some(Expectation::Silence)),
        (" 02:01", reply("02:01")),
        (r"03:01\n", reply("03:01\n")),
        ("02", None),
        (r"02:\q", None),
    ] {
        assert_eq!(Expectation::parse(typed), meant, "{typed}");
    }
}
