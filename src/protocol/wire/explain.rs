//! Explains a datagram for a server part by part and, for a malformed one, which byte breaks which rule and what would
//! have been right. Made for developers of clients. Pure.
//! Source: docs/protocol.md; each [`Rule`] names its section there. A datagram breaks a rule here exactly if
//! [`Request::decode`](super::Request::decode) refuses it. Passwords are never kept, and a part whose meaning is
//! unclear is treated as a password.
//!
//! Its parts:
//!
//! - `rule`: what can be wrong, and which section of the page says so.
//! - `fields`: reading the fields.
//! - `advice`: the sentences.
//! - `text`: lines for a terminal, JSON for a program.

mod advice;
mod fields;
mod rule;
mod text;

use std::ops::Range;

pub use rule::{Rule, Section};
pub use text::{Colour, Piece, readable};

use super::Charset;
use super::request::{MAX_REQUEST_BYTES, looks_like_reply, without_line_end};
use crate::base::model::Account;

/// One datagram explained. Texts in a person's language are made by its methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Bytes in the datagram.
    pub size: usize,
    /// 1–6, 8–11; `None` where no known operation stands at the beginning.
    pub operation: Option<u8>,
    /// The fields in their order.
    pub fields: Vec<Field>,
    /// Broken rules and remarks, in the order of the bytes.
    pub findings: Vec<Diagnostic>,
    /// The charset in which the text was read.
    pub charset: Charset,
    /// The pieces of the datagram that may be shown.
    shown: Vec<Piece>,
}

/// One field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What the field means.
    pub name: Name,
    /// The field's bytes without its `#`, as offsets from 0 into the datagram.
    pub bytes: Range<usize>,
    /// The field's text; six stars for a password.
    pub text: String,
    /// Whether a `#` follows.
    pub closed: bool,
}

/// The meaning of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// A field of 01 and 02.
    Account,
    /// A field of 01 and 02.
    Password,
    /// The repeated password, or new password, of 01.
    Confirm,
    /// The old password of a 01 with four fields.
    OldPassword,
    /// The new password of a 01 with four fields.
    NewPassword,
    /// The recipient of 03.
    To,
    /// The message of 03.
    Message,
    /// The sender whose messages 04 and 05 ask for.
    From,
    /// The version in 10, `Q1`.
    Version,
    /// A field of 10.
    Nonce,
    /// A field of 10.
    Padding,
    /// The offset in 11: how many accounts to skip.
    Offset,
    /// A field beyond those that the operation has.
    Surplus,
}

/// A broken rule, or a remark, about some bytes of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where: offsets from 0 into the datagram. An empty range is a place where something is missing.
    /// Sentences count from 1, as people do: the byte at offset 4 is "byte 5".
    pub bytes: Range<usize>,
    /// The rule that is broken or noted.
    pub rule: Rule,
}

impl Explanation {
    /// Whether the datagram is a valid request, which this project's server serves.
    #[must_use]
    pub fn is_request(&self) -> bool {
        !self.findings.iter().any(|f| f.rule.breaks())
    }

    /// Whether it is, or was meant to be, a 01 of four fields, which changes a password.
    #[must_use]
    pub fn changes_password(&self) -> bool {
        self.operation == Some(1) && self.fields.len() >= CHANGE.len()
    }

    /// Whether a server stays silent rather than answer `00:00`: what looks like a reply, and what is
    /// malformed and under five bytes.
    #[must_use]
    pub fn is_never_answered(&self) -> bool {
        self.findings.iter().any(|f| f.rule == Rule::LooksLikeReply) || (!self.is_request() && self.size < 5)
    }
}

/// What 01 has where a password is changed.
const CHANGE: &[Name] = &[Name::Account, Name::OldPassword, Name::NewPassword, Name::Confirm];

/// The fields an operation has, 01 where somebody registers; `None` for what is no request.
#[must_use]
pub fn fields_of(operation: u8) -> Option<&'static [Name]> {
    Some(match operation {
        1 => &[Name::Account, Name::Password, Name::Confirm],
        2 => &[Name::Account, Name::Password],
        3 => &[Name::To, Name::Message],
        4 | 5 => &[Name::From],
        6 | 8 | 9 => &[],
        10 => &[Name::Version, Name::Nonce, Name::Padding],
        11 => &[Name::Offset],
        _ => return None,
    })
}

/// Explains a datagram as a server reads it that knows its sender to write `charset`.
#[must_use]
pub fn explain(datagram: &[u8], charset: Charset) -> Explanation {
    let mut explained = Explanation {
        size: datagram.len(),
        operation: None,
        fields: Vec::new(),
        findings: Vec::new(),
        charset,
        shown: Vec::new(),
    };
    if datagram.len() > MAX_REQUEST_BYTES {
        explained.find(MAX_REQUEST_BYTES..datagram.len(), Rule::TooLong { got: datagram.len() });
    }
    match datagram {
        [a, b, b'#', ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            let operation = (a - b'0') * 10 + (b - b'0');
            match fields_of(operation) {
                Some(names) => {
                    explained.operation = Some(operation);
                    if explained.findings.is_empty() {
                        explained.read_fields(datagram, operation, names);
                    }
                }
                None if matches!(operation, 0 | 7) => explained.find(0..2, Rule::ReplyOnly { operation }),
                None => explained.find(0..2, Rule::UnknownOperation { operation }),
            }
        }
        _ => explained.beginning(datagram),
    }
    explained.findings.sort_by_key(|f| (f.bytes.start, !f.rule.breaks(), f.bytes.end));
    if explained.shown.is_empty() {
        explained.shown = text::beginning(datagram, &explained);
    }
    explained
}

impl Explanation {
    fn find(&mut self, bytes: Range<usize>, rule: Rule) {
        self.findings.push(Diagnostic { bytes, rule });
    }

    /// No operation stands at the beginning: what does?
    fn beginning(&mut self, datagram: &[u8]) {
        let digit = |at: usize| datagram.get(at).is_some_and(u8::is_ascii_digit);
        if let Some(found) = full_width(datagram.get(..3).unwrap_or_default()) {
            return self.find(0..3, Rule::FullWidth { found });
        }
        match datagram {
            [] => self.find(0..0, Rule::Empty),
            [0xef, 0xbb, 0xbf, ..] => self.find(0..3, Rule::ByteOrderMark),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => self.find(0..2, Rule::Utf16),
            [0, b'0'..=b'9', ..] => self.find(0..1, Rule::Utf16),
            [b'0'..=b'9', 0, _, ..] => self.find(1..2, Rule::Utf16),
            _ if looks_like_reply(datagram) => self.find(2..3, Rule::LooksLikeReply),
            [_, b'#', ..] if digit(0) => self.find(0..1, Rule::OneDigit),
            [_] if digit(0) => self.find(0..1, Rule::OneDigit),
            _ if !digit(0) => self.find(0..1, Rule::NotADigit),
            _ if !digit(1) => self.find(1..2, Rule::NotADigit),
            _ if digit(2) => {
                let digits = datagram.iter().take_while(|b| b.is_ascii_digit()).count();
                self.find(2..digits, Rule::ManyDigits);
            }
            [_, _, b' ' | b'\t' | b'!'..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~', ..] => {
                self.find(2..3, Rule::OperationNotClosed);
            }
            _ => match full_width(datagram.get(2..5).unwrap_or_default()) {
                Some(found) => self.find(2..5, Rule::FullWidth { found }),
                None => self.find(2..2, Rule::OperationNotClosed),
            },
        }
    }

    fn read_fields(&mut self, datagram: &[u8], operation: u8, names: &[Name]) {
        let request = without_line_end(datagram);
        if request.len() < datagram.len() {
            self.find(request.len()..datagram.len(), Rule::LineEnd);
        }
        let pieces = fields::split(request, operation);
        let names = if operation == 1 && pieces.len() >= CHANGE.len() { CHANGE } else { names };
        match (operation, pieces.as_slice()) {
            (8 | 9, [piece]) if piece.bytes.is_empty() && piece.closed => {
                self.find(3..4, Rule::ClosedTwice);
                self.shown = fields::Reader::new(datagram, operation, self.charset).into_shown();
                return;
            }
            (4 | 5, []) => {
                self.find(3..3, Rule::Bare);
                self.shown = fields::Reader::new(datagram, operation, self.charset).into_shown();
                return;
            }
            _ => {}
        }
        let mut reader = fields::Reader::new(datagram, operation, self.charset);
        reader.registers = operation == 1 && names != CHANGE;
        let unclosed = pieces.last().filter(|p| !p.closed).map(|p| (pieces.len(), p.bytes.end));
        for (i, piece) in pieces.iter().enumerate() {
            let field = reader.field(i + 1, names.get(i).copied().unwrap_or(Name::Surplus), piece);
            self.fields.push(field);
        }
        self.charset = reader.charset;
        self.findings.append(&mut reader.findings);
        self.shown = reader.into_shown();
        if let Some(surplus) = pieces.get(names.len()) {
            // Closing what should not be there would not help.
            self.find(surplus.bytes.start..request.len(), Rule::Surplus { want: names.len() });
        } else {
            if let Some((field, end)) = unclosed {
                self.find(end..end, Rule::NotClosed { field });
            }
            if let Some(name) = names.get(pieces.len()) {
                self.find(request.len()..request.len(), Rule::Missing { field: pieces.len() + 1, name: *name });
            }
        }
        if !self.is_request() {
            // Where a `#` seems to be missing, one may have been written on a Chinese keyboard.
            let hash = (0..datagram.len()).find(|at| datagram.get(*at..*at + 3).and_then(full_width) == Some('＃'));
            if let Some(at) = hash {
                // Written right it closes the field.
                self.findings.retain(|f| !matches!(f.rule, Rule::NotClosed { .. }) || f.bytes.start != at + 3);
                self.find(at..at + 3, Rule::FullWidth { found: '＃' });
            }
            self.findings.retain(|f| f.rule != Rule::ConfirmDiffers);
            if operation <= 2 {
                self.doubt_the_account();
            }
        } else if self.changes_password() {
            self.find(0..2, Rule::ChangesPassword);
        } else if operation >= 10 {
            self.find(0..2, Rule::Extension);
        } else if let Some(lobby) = self.fields.first().filter(|to| to.text == Account::LOBBY) {
            self.find(lobby.bytes.clone(), Rule::Extension);
        }
    }

    /// In a malformed 01 or 02 the account may be running into the password: it is shown up to where
    /// something stands that could have been meant to part them, and not at all where a field is missing.
    fn doubt_the_account(&mut self) {
        let missing = self.findings.iter().any(|f| matches!(f.rule, Rule::Missing { .. }));
        let Some(account) = self.fields.first_mut().filter(|f| !f.bytes.is_empty()) else { return };
        let doubtful = |c: char| missing || !c.is_alphanumeric();
        let Some(at) = account.text.find(doubtful) else { return };
        let before = account.text.get(..at).unwrap_or_default().chars().count();
        account.text.truncate(at);
        account.text.push_str(STARS);
        let place = account.bytes.clone();
        let first = self.shown.iter().take_while(|p| p.bytes.start < place.start).count() + before;
        let after = self.shown.iter().take_while(|p| p.bytes.start < place.end).count();
        let start = self.shown.get(first).map_or(place.start, |p| p.bytes.start);
        self.shown.splice(first..after, [Piece { bytes: start..place.end, text: STARS.to_owned() }]);
    }
}

/// Replaces a password wherever a datagram is shown.
const STARS: &str = "******";

/// A full-width digit or `#` in UTF-8.
fn full_width(bytes: &[u8]) -> Option<char> {
    let found = std::str::from_utf8(bytes).ok()?.chars().next()?;
    matches!(found, '０'..='９' | '＃').then_some(found)
}

#[cfg(test)]
mod tests;
