use proptest::prelude::*;

use super::*;

const BODIES: [&str; 8] = ["hello", "1:2:3", "", ":", "meet at 10:30: bring it", "a:b", "http://x:80/", "你好：再见"];

/// Every form is read as it is written, from the first message on, whatever the body.
#[test]
fn forms_of_other_peoples_servers() {
    let times = [
        "2026-11-30 22:37:28",
        "2026/11/30 22:37:28",
        "2026-11-30 22:37:28.259869",
        "2026-11-30 22:37:28,259",
        "2026-11-30 22:37",
        "2026-1-2 3:04:05",
        "2026/1/2 3:04:05",
        "2026/1/2 3:04",
        "Mon Nov 30 22:37:29 CST 2026",
        "Mon Nov 30 22:37:29 2026",
        "2026-11-30 22:37:28.259869 +0800 CST",
        "2026-11-30 22:37:28.259869 +0800 CST m=+12.345678901",
        "10:37:28 PM",
        "10:37 PM",
        "11/30/2026 10:37:28 PM",
        "2026年11月30日 22:37:32",
        "2026年11月30日 22:37",
        "2026年11月30日 下午10:37:32",
        "11-30 22:37:32",
        "2026.11.30 22:37:32",
        "11/30/2026 22:37:32",
        "22:37:28.25",
        "22:37:28",
        "22:37",
        "3:04",
        "2026-11-30T22:37:28.25Z",
        "2026-11-30T22:37",
        "1795233898.25",
    ];
    for time in times {
        for body in BODIES {
            let whole = format!("{time}:{body}");
            let (format, read, rest) = split(whole.as_bytes(), TimeFormat::default());
            let said = (std::str::from_utf8(read), std::str::from_utf8(rest));
            assert_eq!(said, (Ok(time), Ok(body)), "{whole} as {format:?}");
        }
    }
}

/// Once a form is learned, a body that begins like the rest of a clock is none of it.
#[test]
fn what_is_learned_decides() {
    for time in ["2026-11-30 22:37", "2026-1-2 3:04", "22:37", "3:04", "2026年11月30日 22:37", "10:37 PM"] {
        let first = format!("{time}:hello");
        let (learned, ..) = split(first.as_bytes(), TimeFormat::default());
        let learned = learned.expect("a form");
        for body in ["09:30 meet", "30 people: come", "00:00", "15.5: enough", "09:30:00 start"] {
            let whole = format!("{time}:{body}");
            let (format, read, rest) = split(whole.as_bytes(), learned);
            assert_eq!((format, read, rest), (Some(learned), time.as_bytes(), body.as_bytes()), "{whole}");
        }
    }
    // Whatever was learned, the protocol's own form is read after the first that is not of it.
    let (form, time, _) = split(b"2026-11-30 22:37:28.25:x", TimeFormat::default());
    assert_eq!(time, b"2026-11-30 22:37:28.25");
    let (form, time, body) = split(b"2026-11-30 22:37:28:09:30", form.expect("a form"));
    assert_eq!((form, time, body), (Some(TimeFormat::Standard), &b"2026-11-30 22:37:28"[..], &b"09:30"[..]));
}

proptest! {
    #[test]
    fn nothing_is_lost_of_any_bytes(
        bytes in proptest::collection::vec(prop_oneof![Just(b':'), Just(b' '), b'0'..=b'9', any::<u8>()], 0..60),
        before in proptest::collection::vec(prop_oneof![Just(b':'), Just(b'.'), b'0'..=b'9', Just(b'P')], 0..30),
    ) {
        let (learned, ..) = split(&before, TimeFormat::default());
        let (_, time, body) = split(&bytes, learned.unwrap_or_default());
        let whole = if bytes.contains(&b':') { [time, b":", body].concat() } else { body.to_vec() };
        prop_assert!(bytes.contains(&b':') || time.is_empty());
        prop_assert_eq!(whole, bytes);
    }
}
