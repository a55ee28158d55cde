//! Reading the fields of a request whose operation is known.

use std::ops::Range;

use super::{Diagnostic, Field, Name, Piece, Rule, STARS, text};
use crate::base::model::{MAX_BODY_BYTES, MAX_FIELD_BYTES, names};
use crate::protocol::wire::Charset;

/// The bytes of one field.
#[derive(Debug)]
pub(super) struct FieldSpan {
    pub bytes: Range<usize>,
    pub closed: bool,
}

/// The fields of a datagram that begins with `NN#`. A message reaches up to the last `#`.
pub(super) fn split(request: &[u8], operation: u8) -> Vec<FieldSpan> {
    let most = if operation == 3 { 2 } else { usize::MAX };
    let mut places = Vec::new();
    let mut start = 3;
    for (at, _) in request.iter().enumerate().skip(3).filter(|(_, b)| **b == b'#') {
        if places.len() + 1 < most {
            places.push(FieldSpan { bytes: start..at, closed: true });
            start = at + 1;
        }
    }
    if start < request.len() {
        let closed = request.ends_with(b"#");
        let end = if closed { request.len() - 1 } else { unclosed_end(request, start) };
        places.push(FieldSpan { bytes: start..end, closed });
    }
    places
}

/// An unclosed field ends where its `#` belongs: before a line end.
fn unclosed_end(request: &[u8], start: usize) -> usize {
    let field = request.get(start..).unwrap_or_default();
    start + field.iter().rposition(|b| !matches!(b, b'\r' | b'\n' | 0)).map_or(0, |last| last + 1)
}

/// Each character with the bytes it was read from.
pub(super) type Characters = Vec<(Range<usize>, char)>;

/// Reads as [`Charset::decode`] does, and says where each character stands.
pub(super) fn characters(bytes: &[u8], charset: Charset) -> (Characters, Charset) {
    let (text, seen) = charset.decode(bytes);
    if text.as_bytes() == bytes {
        return (text.char_indices().map(|(at, c)| (at..at + c.len_utf8(), c)).collect(), seen);
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (len, c) = gb18030(rest);
        found.push((at..at + len, c));
        at += len;
    }
    (found, seen)
}

/// The first character and its bytes; after a wrong sequence the decoder goes on with its ASCII bytes.
fn gb18030(bytes: &[u8]) -> (usize, char) {
    const WRONG: char = char::REPLACEMENT_CHARACTER;
    let one = |len: usize| {
        let bytes = bytes.get(..len)?;
        let text = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
        text.chars().next().map(|c| (len, c))
    };
    match bytes {
        [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, ..] => one(4).unwrap_or((4, WRONG)),
        // Cut short.
        [0x81..=0xfe] | [0x81..=0xfe, 0x30..=0x39] | [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe] => (bytes.len(), WRONG),
        [0x81..=0xfe, second, ..] => one(2).unwrap_or((if second.is_ascii() { 1 } else { 2 }, WRONG)),
        _ => one(1).unwrap_or((1, WRONG)),
    }
}

/// Reads field by field and learns the charset on the way, as the decoder does.
pub(super) struct Reader<'a> {
    datagram: &'a [u8],
    operation: u8,
    pub charset: Charset,
    pub findings: Vec<Diagnostic>,
    /// Somebody's account is new, so it may not be taken for another's.
    pub registers: bool,
    /// The first password, until the second is compared with it.
    password: Option<Characters>,
    shown: Vec<Piece>,
}

impl<'a> Reader<'a> {
    pub fn new(datagram: &'a [u8], operation: u8, charset: Charset) -> Self {
        let mut shown = Vec::new();
        text::plain(datagram, 0..3, &mut shown);
        Self { datagram, operation, charset, findings: Vec::new(), registers: false, password: None, shown }
    }

    /// The datagram as it can be shown, after its last field.
    pub fn into_shown(mut self) -> Vec<Piece> {
        let at = self.shown.last().map_or(0, |p| p.bytes.end);
        text::plain(self.datagram, at..self.datagram.len(), &mut self.shown);
        self.shown
    }

    pub fn field(&mut self, number: usize, name: Name, place: &FieldSpan) -> Field {
        let bytes = self.datagram.get(place.bytes.clone()).unwrap_or_default();
        // Not text to the decoder: a version and a number are ASCII, padding is only counted.
        let read = !matches!(name, Name::Version | Name::Padding | Name::Offset | Name::Surplus);
        let (characters, seen) = characters(bytes, self.charset);
        let start = place.bytes.start;
        if read {
            self.note_charset(start, bytes, &characters, seen);
        }
        match name {
            Name::Account
            | Name::Password
            | Name::Confirm
            | Name::OldPassword
            | Name::NewPassword
            | Name::To
            | Name::From => {
                self.short_field(number, name, start, &characters);
            }
            Name::Message => self.message(number, start, bytes, &characters),
            Name::Offset => self.offset(number, place, bytes),
            Name::Version if bytes != b"Q1" => self.find(place.bytes.clone(), Rule::UnknownVersion),
            Name::Version | Name::Nonce | Name::Padding | Name::Surplus => {}
        }
        let text = if self.operation <= 2 && name != Name::Account && !bytes.is_empty() {
            self.shown.push(Piece { bytes: place.bytes.clone(), text: STARS.to_owned() });
            STARS.to_owned()
        } else {
            text::characters(start, characters.iter().cloned(), self.datagram, &mut self.shown);
            characters.iter().map(|(_, c)| *c).collect()
        };
        if place.closed {
            self.shown.push(Piece { bytes: place.bytes.end..place.bytes.end + 1, text: "#".to_owned() });
        }
        match name {
            Name::Password | Name::NewPassword => self.password = Some(characters),
            Name::Confirm => {
                let text = |characters: &Characters| characters.iter().map(|(_, c)| *c).collect::<String>();
                if self.password.as_ref().is_some_and(|first| text(first) != text(&characters)) {
                    self.find(place.bytes.clone(), Rule::ConfirmDiffers);
                }
            }
            _ => {}
        }
        Field { name, bytes: place.bytes.clone(), text, closed: place.closed }
    }

    fn find(&mut self, bytes: Range<usize>, rule: Rule) {
        self.findings.push(Diagnostic { bytes, rule });
    }

    fn note_charset(&mut self, start: usize, bytes: &[u8], characters: &Characters, seen: Charset) {
        let before = std::mem::replace(&mut self.charset, seen);
        if bytes.is_ascii() || seen == Charset::Utf8 {
            return;
        }
        let known = |f: &Diagnostic| matches!(f.rule, Rule::NotUtf8 | Rule::StillGb18030 | Rule::Undecodable);
        if self.findings.iter().any(known) {
            return;
        }
        let rule = match std::str::from_utf8(bytes) {
            Ok(_) => Some((0, Rule::StillGb18030)),
            Err(_) if characters.iter().any(|(_, c)| *c == char::REPLACEMENT_CHARACTER) => {
                let at = characters.iter().find(|(_, c)| *c == char::REPLACEMENT_CHARACTER);
                at.map(|(bytes, _)| (bytes.start, Rule::Undecodable))
            }
            Err(error) if before == Charset::Utf8 => Some((error.valid_up_to(), Rule::NotUtf8)),
            Err(_) => None,
        };
        if let Some((at, rule)) = rule {
            self.find(start + at..start + bytes.len(), rule);
        }
    }

    /// Checks an account or a password.
    fn short_field(&mut self, field: usize, name: Name, start: usize, characters: &Characters) {
        let secret = matches!(name, Name::Password | Name::Confirm | Name::OldPassword | Name::NewPassword);
        if characters.is_empty() {
            return self.find(start..start, Rule::EmptyField { field, name });
        }
        if name == Name::Account && characters.first().is_some_and(|(_, c)| *c == '@') {
            self.find(start..start + 1, Rule::Reserved);
        }
        self.length(field, name, start, characters, MAX_FIELD_BYTES, 0);
        let forbidden = characters.iter().find(|(_, c)| c.is_control() || (*c == ':' && !secret));
        if let Some((bytes, c)) = forbidden {
            let found = (!secret).then_some(*c);
            self.find(start + bytes.start..start + bytes.end, Rule::Forbidden { field, name, found });
        } else if name == Name::Account && self.registers {
            let text: String = characters.iter().map(|(_, c)| *c).collect();
            if let Some((at, why)) = names::fault(&text)
                && let Some((bytes, _)) = characters.get(at)
            {
                self.find(start + bytes.start..start + bytes.end, Rule::Name { why });
            }
        }
    }

    /// The limit counts the UTF-8 form; `raw` bytes are counted too where they are more.
    fn length(&mut self, field: usize, name: Name, start: usize, characters: &Characters, max: usize, raw: usize) {
        let mut got = 0;
        let mut first = None;
        for (bytes, c) in characters {
            got += c.len_utf8();
            if got > max && first.is_none() {
                first = Some(bytes.start);
            }
        }
        let end = characters.last().map_or(0, |(bytes, _)| bytes.end);
        if got > max || raw > max {
            let first = first.unwrap_or(max);
            self.find(start + first..start + end, Rule::FieldTooLong { field, name, got: got.max(raw), max });
        }
    }

    fn message(&mut self, field: usize, start: usize, bytes: &[u8], characters: &Characters) {
        if bytes.is_empty() {
            return self.find(start..start, Rule::EmptyField { field, name: Name::Message });
        }
        self.length(field, Name::Message, start, characters, MAX_BODY_BYTES, bytes.len());
        if let Some(at) = bytes.iter().position(|b| *b == b'#') {
            self.find(start + at..start + at + 1, Rule::HashInMessage);
        }
        if let [.., b'\n'] = bytes {
            let from = bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { 1 };
            self.find(start + from..start + bytes.len(), Rule::MessageLineEnd);
        }
    }

    fn offset(&mut self, field: usize, place: &FieldSpan, bytes: &[u8]) {
        let start = place.bytes.start;
        let digits = bytes.strip_prefix(b"+").unwrap_or(bytes);
        let signed = bytes.len() - digits.len();
        if bytes.is_empty() {
            self.find(start..start, Rule::EmptyField { field, name: Name::Offset });
        } else if let Some(at) = digits.iter().position(|b| !b.is_ascii_digit()) {
            let at = start + signed + at;
            self.find(at..at + 1, Rule::NotANumber);
        } else if digits.is_empty() {
            self.find(start..start + 1, Rule::NotANumber);
        } else if std::str::from_utf8(digits).ok().and_then(|d| d.parse::<usize>().ok()).is_none() {
            self.find(place.bytes.clone(), Rule::NumberTooBig);
        } else if signed > 0 {
            self.find(start..start + 1, Rule::PlusSign);
        }
    }
}
