//! Compares a reply with those that the text allows, and says which rule it breaks and at which byte. Pure.

use super::case::{Accept, ExpectedReply, Names};
use super::rule::Rule;

/// One piece of an expected reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte(u8),
    /// Any digit, shown as this letter.
    Digit(u8),
    /// One digit or more.
    Number,
    /// One or more bytes other than `:`.
    Name,
    /// Anything, shown as this text.
    Rest(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Exactly,
    Silence,
    /// A message; `from` is where the sender's account ends, if the sender is known.
    Message {
        from: Option<usize>,
    },
}

/// An allowed reply, with this attempt's names filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    units: Vec<Unit>,
    kind: Kind,
    pub habit: Option<&'static str>,
}

const TIME: &[u8] = b"YYYY-MM-DD HH:MM:SS";

impl Pattern {
    pub fn new(accept: &Accept, names: &Names) -> Self {
        let bytes = |template: &str| names.expand(template).into_iter().map(Unit::Byte).collect::<Vec<_>>();
        let (units, kind) = match accept.what {
            ExpectedReply::Exactly(text) => (bytes(text), Kind::Exactly),
            ExpectedReply::Begins(text) => {
                let mut units = bytes(text);
                units.push(Unit::Rest("…"));
                (units, Kind::Exactly)
            }
            ExpectedReply::Silence => return Self { habit: accept.habit, ..Self::silence() },
            ExpectedReply::Message { op, from, body } => {
                let mut units = bytes(op);
                units.push(Unit::Byte(b':'));
                units.extend(bytes(from));
                let from = units.len();
                units.push(Unit::Byte(b':'));
                units.extend(TIME.iter().map(|b| time_unit(*b)));
                units.push(Unit::Byte(b':'));
                units.extend(bytes(body));
                (units, Kind::Message { from: Some(from) })
            }
        };
        Self { units, kind, habit: accept.habit }
    }

    /// Makes the pattern of exactly these bytes.
    pub fn exactly(bytes: &[u8]) -> Self {
        Self { units: bytes.iter().copied().map(Unit::Byte).collect(), kind: Kind::Exactly, habit: None }
    }

    /// Makes the pattern of no reply.
    pub fn silence() -> Self {
        Self { units: Vec::new(), kind: Kind::Silence, habit: None }
    }

    /// Makes a pattern from the form in which the text writes a reply: `08:N`, or `09:FROM:YYYY-MM-DD
    /// HH:MM:SS:MESSAGE`. `…` stands for anything.
    pub fn form(text: &'static str) -> Self {
        let mut units = Vec::new();
        let mut kind = Kind::Exactly;
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            let taken = |word: &str| rest.strip_prefix(word);
            rest = if let Some(rest) = taken("FROM:YYYY-MM-DD HH:MM:SS:") {
                kind = Kind::Message { from: None };
                units.extend([Unit::Name, Unit::Byte(b':')]);
                units.extend(TIME.iter().map(|b| time_unit(*b)));
                units.push(Unit::Byte(b':'));
                rest
            } else if let Some(shown) = ["MESSAGE", "NONCE", "…"].into_iter().find(|word| taken(word).is_some()) {
                units.push(Unit::Rest(shown));
                ""
            } else if let Some(rest) = taken("N") {
                units.push(Unit::Number);
                rest
            } else {
                units.push(Unit::Byte(first));
                rest.get(1..).unwrap_or_default()
            };
        }
        Self { units, kind, habit: None }
    }

    /// Returns whether this is the pattern of no reply.
    pub fn silent(&self) -> bool {
        self.kind == Kind::Silence
    }

    /// Returns whether this is a refusal, for which our server has a budget.
    pub fn refusal(&self) -> bool {
        self.is(b"00:00") || self.is(b"07:01")
    }

    fn is(&self, bytes: &[u8]) -> bool {
        self.kind == Kind::Exactly && self.difference(bytes).is_none()
    }

    /// Returns the first byte that is not as expected; `None` if the reply fits.
    pub fn difference(&self, reply: &[u8]) -> Option<usize> {
        if self.silent() {
            return Some(0);
        }
        let mut at = 0;
        for unit in &self.units {
            let left = reply.get(at..).unwrap_or_default();
            let run = |fits: fn(&u8) -> bool| left.iter().take_while(|b| fits(b)).count();
            let taken = match unit {
                Unit::Byte(byte) => usize::from(left.first() == Some(byte)),
                Unit::Digit(_) => usize::from(left.first().is_some_and(u8::is_ascii_digit)),
                Unit::Number => run(u8::is_ascii_digit),
                Unit::Name => run(|b| *b != b':'),
                Unit::Rest(_) => return None,
            };
            if taken == 0 {
                return Some(at);
            }
            at += taken;
        }
        (at < reply.len()).then_some(at)
    }

    /// Returns where the sender's account and the time end, in a reply that may be this message.
    fn places(&self, reply: &[u8]) -> Option<(usize, usize)> {
        let Kind::Message { from } = self.kind else { return None };
        let colon = || reply.iter().skip(3).position(|b| *b == b':').map_or(reply.len(), |place| place + 3);
        let from = from.unwrap_or_else(colon);
        Some((from, from + 1 + TIME.len()))
    }

    /// Returns the pattern as the document shows it, with the digits of a time as letters; `None` for silence.
    pub fn shown(&self) -> Option<Vec<u8>> {
        let mut shown = Vec::new();
        for unit in &self.units {
            match unit {
                Unit::Byte(byte) | Unit::Digit(byte) => shown.push(*byte),
                Unit::Number => shown.push(b'N'),
                Unit::Name => shown.extend_from_slice(b"FROM"),
                Unit::Rest(text) => shown.extend_from_slice(text.as_bytes()),
            }
        }
        (!self.silent()).then_some(shown)
    }
}

fn time_unit(byte: u8) -> Unit {
    if byte.is_ascii_alphabetic() { Unit::Digit(byte) } else { Unit::Byte(byte) }
}

/// A message: receiver, sender and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentMessage {
    pub to: Vec<u8>,
    pub from: Vec<u8>,
    pub body: Vec<u8>,
}

/// The messages that were sent and handed out in one attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub sent: Vec<SentMessage>,
    pub handed: Vec<SentMessage>,
}

impl Mail {
    fn count(letters: &[SentMessage], letter: &SentMessage) -> usize {
        letters.iter().filter(|l| *l == letter).count()
    }

    /// Returns whether a message was sent more often than it was handed out.
    pub fn outstanding(&self, letter: &SentMessage) -> bool {
        Self::count(&self.sent, letter) > Self::count(&self.handed, letter)
    }

    /// Returns whether a message was handed out as often as it was sent.
    pub fn spent(&self, letter: &SentMessage) -> bool {
        let handed = Self::count(&self.handed, letter);
        handed > 0 && handed >= Self::count(&self.sent, letter)
    }

    /// Returns the messages that one reader should still get.
    pub fn left(&self, reader: &[u8]) -> Vec<&SentMessage> {
        let mut handed = self.handed.clone();
        let left = self.sent.iter().filter(|letter| match handed.iter().position(|h| h == *letter) {
            Some(place) => {
                handed.swap_remove(place);
                false
            }
            None => true,
        });
        left.filter(|letter| letter.to == reader).collect()
    }
}

/// Returns sender and body of a reply that carries a message, whose time has 19 characters.
pub(crate) fn delivery(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = reply.strip_prefix(b"05:").or_else(|| reply.strip_prefix(b"09:"))?;
    let colon = rest.iter().position(|b| *b == b':')?;
    let after = rest.get(colon + 1..)?;
    if !is_time(after) || after.get(TIME.len()) != Some(&b':') {
        return None;
    }
    Some((rest.get(..colon)?, after.get(TIME.len() + 1..)?))
}

/// Returns whether the bytes begin with 19 characters in the form of a time.
fn is_time(bytes: &[u8]) -> bool {
    bytes.len() >= TIME.len()
        && bytes
            .iter()
            .zip(TIME)
            .all(|(byte, form)| if form.is_ascii_alphabetic() { byte.is_ascii_digit() } else { byte == form })
}

/// Returns the position of the first impossible part of a time, such as a 13th month.
fn impossible(time: &[u8]) -> Option<usize> {
    let ranges = [(5, 1, 12), (8, 1, 31), (11, 0, 23), (14, 0, 59), (17, 0, 60)];
    ranges.into_iter().find_map(|(at, least, most)| {
        let digits = time.get(at..at + 2)?;
        let value: u8 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (value < least || value > most).then_some(at)
    })
}

/// The rule that is broken, and the byte of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breach {
    pub rule: Rule,
    pub at: usize,
}

/// Returns the index of the pattern that fits, or what is wrong. `reader` is the account whose mailbox the reply comes
/// from.
pub(crate) fn judge(
    reply: &[u8],
    patterns: &[Pattern],
    rule: Rule,
    reader: &[u8],
    mail: &Mail,
) -> Result<usize, Breach> {
    let letter = delivery(reply).map(|(from, body)| SentMessage {
        to: reader.to_vec(),
        from: from.to_vec(),
        body: body.to_vec(),
    });
    let fits = patterns.iter().position(|pattern| pattern.difference(reply).is_none());
    // The allowed reply that agrees with this one for longest.
    let nearest = patterns
        .iter()
        .filter_map(|pattern| Some((pattern.difference(reply)?, pattern)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let at = nearest.map_or(0, |(at, _)| at);
    if let Some(letter) = &letter {
        if mail.spent(letter) {
            return Err(Breach { rule: Rule::NotTwice, at });
        }
        let elsewhere = |l: &SentMessage| l.to != letter.to && l.from == letter.from && l.body == letter.body;
        if fits.is_none() && mail.sent.iter().any(elsewhere) {
            return Err(Breach { rule: Rule::ToReceiver, at });
        }
    }
    if let Some(i) = fits {
        if let Some((from, time)) = patterns.get(i).and_then(|pattern| pattern.places(reply))
            && let Some(place) = reply.get(from + 1..time).and_then(impossible)
        {
            return Err(Breach { rule: Rule::Time, at: from + 1 + place });
        }
        return Ok(i);
    }
    let message = nearest.and_then(|(_, pattern)| {
        let (from, time) = pattern.places(reply)?;
        Some((pattern, from, time))
    });
    let rule = match (message, &letter) {
        _ if !has_form(reply) || trailing(reply, patterns) => Rule::ReplyForm,
        // Another message that was to come, but later.
        (Some((pattern, from, _)), Some(letter)) if at >= 3 && mail.outstanding(letter) => {
            let expected: Option<Vec<u8>> = pattern.shown().and_then(|shown| Some(shown.get(3..from)?.to_vec()));
            if expected.as_ref() == Some(&letter.from) { Rule::Oldest } else { rule }
        }
        (Some(_), _) if matches!(reply, b"05:01" | b"09:01") => Rule::NotLost,
        (Some((_, from, time)), None) if reply.get(3..).is_some_and(|rest| misplaced(rest, at, from, time)) => {
            Rule::Time
        }
        (Some((_, from, _)), Some(_)) if at >= 3 && at <= from => Rule::From,
        (None, None) if patterns.iter().any(|pattern| pattern.is(b"09:01")) && reply.starts_with(b"09:") => {
            Rule::NoneLeft
        }
        (None, None) if patterns.iter().any(|pattern| pattern.is(b"05:01")) && reply.starts_with(b"05:") => {
            Rule::NoneOfOne
        }
        // The request only checks whether the session is served, and the number in the reply is wrong.
        _ if at >= 3 && counts(reply) && !matches!(rule, Rule::ToReceiver | Rule::EachMessage) => {
            if reply.starts_with(b"04") { Rule::CountOne } else { Rule::CountAll }
        }
        _ => rule,
    };
    Err(Breach { rule, at })
}

/// Returns whether a message has its time in another place or form.
fn misplaced(rest: &[u8], at: usize, from: usize, time: usize) -> bool {
    (at > from && at <= time) || (0..rest.len()).any(|i| rest.get(i..).is_some_and(is_time))
}

/// Returns whether this is an answer to 04 or 08.
fn counts(reply: &[u8]) -> bool {
    let number = reply.strip_prefix(b"04:").or_else(|| reply.strip_prefix(b"08:"));
    number.is_some_and(|n| n.iter().all(u8::is_ascii_digit))
}

/// Returns whether a reply has two digits, a colon, and something after it.
fn has_form(reply: &[u8]) -> bool {
    matches!(reply, [a, b, b':', _, ..] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// Returns whether this is an allowed reply followed by white space, NULs or `#`.
fn trailing(reply: &[u8], patterns: &[Pattern]) -> bool {
    let shorter = reply.iter().rposition(|b| !matches!(b, b'\0' | b'#') && !b.is_ascii_whitespace());
    let shorter = shorter.and_then(|last| reply.get(..=last)).unwrap_or_default();
    shorter.len() < reply.len() && patterns.iter().any(|pattern| pattern.kind == Kind::Exactly && pattern.is(shorter))
}

#[cfg(test)]
mod tests;
