//! How servers write the time of a message. The protocol's form is one of many that are met.

/// How a server writes the time of a message; learned once per server, since times without seconds
/// are ambiguous before a body like `09:30 meet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// `YYYY-MM-DD HH:MM:SS`, what the protocol says.
    #[default]
    Standard,
    /// `YYYY-MM-DDTHH:MM:SS…`, fractions and zone included.
    Iso,
    /// `HH:MM:SS`
    ClockSeconds,
    /// `HH:MM`
    Clock,
    /// `Sat Nov 21 12:04:58 2026`
    Ctime,
    /// Seconds since 1970, fractions allowed.
    Epoch,
    /// A clock somewhere among other words: what stands around it, and how exact it is.
    Around(Around),
}

/// The form of a time that is none of the known ones: words, `H:MM[:SS[.f]]`, words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// Something stands before the clock.
    before: bool,
    /// It has seconds.
    seconds: bool,
    /// With a fraction.
    fraction: bool,
    /// Something stands behind it.
    after: bool,
}

/// Before and behind a clock stand no more bytes.
const BEFORE: usize = 24;
const AFTER: usize = 20;

/// Splits `time:message`. A time of an unknown form is everything up to the first colon; without one
/// it is all message, since nothing may be lost: time, colon and message are the whole again. The form, if it is known.
pub(super) fn split(rest: &[u8], learned: TimeFormat) -> (Option<TimeFormat>, &[u8], &[u8]) {
    // Standard and other full dates can be told apart from any body, and a clock with more than seconds behind it from
    // one without; the clock forms cannot from each other, so between them the one learned decides, else the longer.
    const FULL: [TimeFormat; 5] =
        [TimeFormat::Standard, TimeFormat::Iso, TimeFormat::Ctime, TimeFormat::Epoch, TimeFormat::ClockSeconds];
    let known = |format| length(rest, format).map(|len| (format, len));
    let clock = || known(TimeFormat::Clock).filter(|(_, len)| rest.get(*len) == Some(&b':'));
    let longer = || around(rest, true).or_else(clock).or_else(|| around(rest, false));
    let found = std::iter::once(learned).chain(FULL).filter_map(known).find(|(_, len)| rest.get(*len) == Some(&b':'));
    let found = found.or_else(longer);
    if let Some((format, len)) = found
        && let Some((time, body)) = cut(rest, len)
    {
        return (Some(format), time, body);
    }
    let colon = rest.iter().position(|b| *b == b':');
    match colon.and_then(|colon| cut(rest, colon)) {
        Some((time, body)) => (None, time, body),
        None => (None, &[], rest),
    }
}

/// What stands before and behind the colon that is there.
fn cut(rest: &[u8], len: usize) -> Option<(&[u8], &[u8])> {
    (rest.get(len) == Some(&b':')).then_some((rest.get(..len)?, rest.get(len + 1..)?))
}

/// How many bytes at the beginning are a time of this form.
fn length(bytes: &[u8], format: TimeFormat) -> Option<usize> {
    match format {
        TimeFormat::Standard => {
            matches(bytes, b"dddd-dd-dd dd:dd:dd").or_else(|| matches(bytes, b"dddd/dd/dd dd:dd:dd"))
        }
        TimeFormat::Iso => {
            let mut len = matches(bytes, b"dddd-dd-ddTdd:dd:dd")?;
            if bytes.get(len) == Some(&b'.') {
                len += 1 + digits(bytes.get(len + 1..)?);
            }
            if bytes.get(len) == Some(&b'Z') {
                len += 1;
            } else if let Some(zone) =
                bytes.get(len..).and_then(|z| matches(z, b"+dd:dd").or_else(|| matches(z, b"-dd:dd")))
            {
                len += zone;
            }
            Some(len)
        }
        TimeFormat::ClockSeconds => matches(bytes, b"dd:dd:dd"),
        TimeFormat::Clock => matches(bytes, b"dd:dd"),
        TimeFormat::Ctime => matches(bytes, b"aaa aaa _d dd:dd:dd dddd"),
        TimeFormat::Epoch => {
            let whole = digits(bytes);
            if !(9..=13).contains(&whole) {
                return None;
            }
            let fraction = if bytes.get(whole) == Some(&b'.') { 1 + digits(bytes.get(whole + 1..)?) } else { 0 };
            Some(whole + fraction)
        }
        TimeFormat::Around(form) => of_form(bytes, form),
    }
}

/// The time of any form there is a clock in, with seconds or without, and its form; the longest reading first.
fn around(bytes: &[u8], seconds: bool) -> Option<(TimeFormat, usize)> {
    let forms = [(true, false), (true, true), (false, false), (false, true)];
    let forms = forms.into_iter().filter(|(fraction, _)| seconds || !fraction);
    let forms =
        forms.flat_map(|(fraction, after)| [true, false].map(|before| Around { before, seconds, fraction, after }));
    forms.into_iter().find_map(|form| {
        let len = of_form(bytes, form)?;
        (bytes.get(len) == Some(&b':')).then_some((TimeFormat::Around(form), len))
    })
}

/// How many bytes are a time of this form, whose words may be others.
fn of_form(bytes: &[u8], Around { before, seconds, fraction, after }: Around) -> Option<usize> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    // Hours are the one or two digits before the first colon.
    let front = bytes.get(..colon)?;
    let hours = front.iter().rev().take_while(|b| b.is_ascii_digit()).count().min(2);
    let words = colon.checked_sub(hours)?;
    if hours == 0 || words > BEFORE || before != (words > 0) {
        return None;
    }
    let mut len = colon + 1 + two_digits(bytes.get(colon + 1..)?)?;
    if seconds {
        len += matches(bytes.get(len..)?, b":dd")?;
        if fraction {
            matches(bytes.get(len..)?, b".d").or_else(|| matches(bytes.get(len..)?, b",d"))?;
            len += 1 + digits(bytes.get(len + 1..)?);
        }
    }
    if !after {
        return Some(len);
    }
    let behind = bytes.get(len..)?.iter().position(|b| *b == b':')?;
    let words = bytes.get(len..len + behind)?;
    // Digits would belong to the clock. Go's own form ends in a second clock, which is long.
    let apart = words.first().is_some_and(|b| !b.is_ascii_digit());
    let most = if words.windows(3).any(|w| w == b" m=") { 2 * AFTER } else { AFTER };
    (apart && behind <= most).then_some(len + behind)
}

fn two_digits(bytes: &[u8]) -> Option<usize> {
    matches(bytes, b"dd")
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// `d` a digit, `a` a letter, `_` a digit or a space; everything else itself.
fn matches(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let fits = bytes.len() >= pattern.len()
        && bytes.iter().zip(pattern).all(|(byte, rule)| match rule {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            b'_' => byte.is_ascii_digit() || *byte == b' ',
            rule => byte == rule,
        });
    fits.then_some(pattern.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODIES: [&str; 8] =
        ["hello", "1:2:3", "", ":", "meet at 10:30: bring it", "a:b", "http://x:80/", "你好：再见"];

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
}
