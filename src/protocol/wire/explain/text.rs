//! An explanation as lines for a terminal and as JSON for a program.

use std::ops::Range;

use rust_i18n::t;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::advice::place;
use super::{Explanation, Field, Name, Rule, STARS, fields};
use crate::protocol::wire::Charset;

/// Whether lines are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    None,
    /// With a terminal's colours.
    Ansi,
}

/// A character of a datagram as it can be shown, or something that stands for several bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes, as offsets from 0 into the datagram.
    pub bytes: Range<usize>,
    /// The text that is shown in their place.
    pub text: String,
}

/// How many characters of a long datagram are shown at its beginning.
const HEAD: usize = 64;
/// How many characters of a long datagram are shown at its end.
const TAIL: usize = 16;
/// How many characters of a long datagram are shown around each end of a diagnostic's bytes.
const AROUND: usize = 12;

impl Colour {
    /// The text in a terminal's colour `code`, or as it is.
    #[must_use]
    pub fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Ansi if code.is_empty() => text.to_owned(),
            Self::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

impl Explanation {
    /// The datagram as it can be shown, passwords starred, what cannot be seen escaped.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.iter().map(|p| p.text.as_str()).collect()
    }

    /// Returns a field's text as it may be shown.
    pub(super) fn shown_of(&self, field: &Field) -> String {
        let within = |p: &&Piece| field.bytes.start <= p.bytes.start && p.bytes.end <= field.bytes.end;
        self.shown.iter().filter(within).map(|p| p.text.as_str()).collect()
    }

    /// Lines without a line end: the datagram, marks below what was found, what it means, the findings.
    /// `locale` is `en` or `zh-CN`.
    #[must_use]
    pub fn lines(&self, locale: &str, colour: Colour) -> Vec<String> {
        let (datagram, marks) = self.marked(colour);
        let mut lines = vec![datagram];
        lines.extend(marks);
        let right = self.is_request();
        let mut meaning = colour.paint(if right { "32" } else { "31" }, &self.meaning(locale));
        for field in &self.fields {
            let (name, at) = (field.name.text(locale), place(&field.bytes, locale));
            let text = match field.name {
                // It stands in the line above.
                Name::Message => String::new(),
                _ => self.shown_of(field),
            };
            let text = if text.is_empty() { text } else { format!(" {text}") };
            meaning.push_str(&colour.paint("2", &format!(" · {name}{text} ({at})")));
        }
        lines.push(meaning);
        for finding in &self.findings {
            let (mark, code) = if finding.rule.breaks() { ("✗", "31") } else { ("!", "33") };
            let advice = colour.paint(code, &format!("{mark} {}", finding.advice(self, locale)));
            lines.push(format!("{advice} {}", colour.paint("2", &format!("[{}]", finding.rule.section().anchor()))));
        }
        if self.is_never_answered() {
            lines.push(colour.paint("2", &t!("explain.never_answered", locale = locale)));
        }
        lines
    }

    /// Returns the explanation as JSON, for programs.
    #[must_use]
    pub fn json(&self, locale: &str) -> Value {
        let range = |bytes: &Range<usize>| json!([bytes.start, bytes.end]);
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|f| json!({"name": f.name.key(), "bytes": range(&f.bytes), "text": f.text, "closed": f.closed}))
            .collect();
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|f| {
                json!({
                    "breaks": f.rule.breaks(),
                    "rule": f.rule.key(),
                    "section": f.rule.section().anchor(),
                    "bytes": range(&f.bytes),
                    "advice": f.advice(self, locale),
                })
            })
            .collect();
        json!({
            "operation": self.operation,
            "request": self.is_request(),
            "answered": !self.is_never_answered(),
            "meaning": self.meaning(locale),
            "form": self.form(locale),
            "size": self.size,
            "charset": match self.charset { Charset::Utf8 => "UTF-8", Charset::Gb18030 => "GB18030" },
            "datagram": self.shown(),
            "fields": fields,
            "findings": findings,
        })
    }

    /// The datagram and, if something was found, a line of marks below it. Of a long one what matters.
    fn marked(&self, colour: Colour) -> (String, Option<String>) {
        let near = |i: usize, at: usize| i + AROUND >= at && i <= at + AROUND;
        let ends: Vec<usize> = self
            .findings
            .iter()
            .flat_map(|f| [f.bytes.start, f.bytes.end])
            .map(|offset| self.shown.iter().take_while(|p| p.bytes.end <= offset).count())
            .collect();
        let (mut runs, mut marks): (Vec<(&str, String)>, String) = (Vec::new(), String::new());
        let mut skipping = false;
        for (i, piece) in self.shown.iter().enumerate() {
            if i >= HEAD && i + TAIL < self.shown.len() && !ends.iter().any(|end| near(i, *end)) {
                if !skipping {
                    runs.push(("", "…".to_owned()));
                    marks.push(' ');
                }
                skipping = true;
                continue;
            }
            skipping = false;
            let touches = |f: &&super::Diagnostic| {
                let (a, b) = (f.bytes.start, f.bytes.end.max(f.bytes.start + 1));
                piece.bytes.start < b && a < piece.bytes.end
            };
            let found = self.findings.iter().filter(touches).map(|f| f.rule.breaks()).max();
            let code = match found {
                Some(true) => "1;31",
                Some(false) => "33",
                None if piece.bytes.end <= 2 && self.operation.is_some() => "1;36",
                None if piece.text == "#" || piece.text == STARS => "2",
                None => "",
            };
            match runs.last_mut() {
                Some((same, run)) if *same == code => run.push_str(&piece.text),
                _ => runs.push((code, piece.text.clone())),
            }
            let mark = if found.is_some() { "^" } else { " " };
            marks.push_str(&mark.repeat(piece.text.width()));
        }
        if self.findings.iter().any(|f| f.bytes.start >= self.size) {
            marks.push('^');
        }
        let marks = (!self.findings.is_empty())
            .then(|| colour.paint(if self.is_request() { "33" } else { "1;31" }, marks.trim_end()));
        let datagram = runs.iter().map(|(code, run)| colour.paint(code, run)).collect();
        (datagram, marks.filter(|m| m.contains('^')))
    }
}

/// What can be shown of a datagram whose fields are not known. What follows its beginning may be a
/// password: nobody knows what was meant.
pub(super) fn beginning(datagram: &[u8], explained: &Explanation) -> Vec<Piece> {
    let found = explained.findings.first().map_or(0, |f| match f.rule {
        Rule::TooLong { .. } => 0,
        Rule::ManyDigits => 3,
        _ => f.bytes.end.min(5),
    });
    let separator = datagram.get(2).is_some_and(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
    let end = found.max(if separator { 3 } else { 2 }).min(datagram.len());
    let mut shown = Vec::new();
    plain(datagram, 0..end, &mut shown);
    if end < datagram.len() {
        shown.push(Piece { bytes: end..datagram.len(), text: STARS.to_owned() });
    }
    shown
}

/// Adds what no field is, in UTF-8 or byte by byte; of a long tail of NULs only the beginning.
pub(super) fn plain(datagram: &[u8], range: Range<usize>, shown: &mut Vec<Piece>) {
    const MOST: usize = 8;
    let end = range.end;
    let range = range.start..if range.len() > MOST { range.start + MOST / 2 } else { end };
    let bytes = datagram.get(range.clone()).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            characters(range.start, text.char_indices().map(|(at, c)| (at..at + c.len_utf8(), c)), datagram, shown);
        }
        Err(_) => shown
            .extend(bytes.iter().zip(range.clone()).map(|(b, at)| Piece { bytes: at..at + 1, text: escaped(&[*b]) })),
    }
    if range.end < end {
        shown.push(Piece { bytes: range.end..end, text: "…".to_owned() });
    }
}

/// Adds characters read from the bytes that begin at `start`.
pub(super) fn characters(
    start: usize,
    read: impl IntoIterator<Item = (Range<usize>, char)>,
    datagram: &[u8],
    shown: &mut Vec<Piece>,
) {
    shown.extend(read.into_iter().map(|(place, c)| {
        let bytes = start + place.start..start + place.end;
        Piece { text: visible(c, datagram.get(bytes.clone()).unwrap_or_default()), bytes }
    }));
}

/// Bytes as one line of text, UTF-8 or else GB18030, what cannot be seen escaped.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    characters(0, fields::characters(bytes, Charset::Utf8).0, bytes, &mut shown);
    shown.into_iter().map(|p| p.text).collect()
}

/// Marks that turn the order of what follows would make a datagram look like another one.
fn visible(c: char, bytes: &[u8]) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\0' => "\\0".to_owned(),
        char::REPLACEMENT_CHARACTER
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => escaped(bytes),
        c if c.is_control() => escaped(bytes),
        c => c.to_string(),
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|b| if b.is_ascii_graphic() { char::from(*b).to_string() } else { format!("\\x{b:02x}") })
        .collect()
}
