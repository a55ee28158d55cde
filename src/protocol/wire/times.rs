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
    Around(CustomLayout),
}

/// The form of a time that is none of the known ones: words, `H:MM[:SS[.f]]`, words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomLayout {
    /// Whether words stand before the clock.
    before: bool,
    /// Whether the clock has seconds.
    seconds: bool,
    /// Whether the seconds have a fraction.
    fraction: bool,
    /// Whether words stand after the clock.
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
    let forms = forms
        .flat_map(|(fraction, after)| [true, false].map(|before| CustomLayout { before, seconds, fraction, after }));
    forms.into_iter().find_map(|form| {
        let len = of_form(bytes, form)?;
        (bytes.get(len) == Some(&b':')).then_some((TimeFormat::Around(form), len))
    })
}

/// How many bytes are a time of this form, whose words may be others.
fn of_form(bytes: &[u8], CustomLayout { before, seconds, fraction, after }: CustomLayout) -> Option<usize> {
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
mod tests;
