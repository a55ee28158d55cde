//! One datagram as a row: the texts of its columns, and whether a filter lets it through. Pure.

use std::fmt::Write;
use std::time::Duration;

use chrono::{Local, TimeZone};
use rust_i18n::t;

use crate::client::session::Cause;
use crate::client::tap::{Direction, Record};
use crate::protocol::wire::show;

/// The texts of a row.
pub(super) struct Line {
    pub time: String,
    pub arrow: &'static str,
    pub meaning: String,
    pub bytes: String,
    pub after: String,
    /// The record it was made from.
    pub record: Record,
    /// The encoding of its text, if that can be told.
    pub charset: &'static str,
    /// Meaning and bytes in lower case, for the filter.
    sought: String,
}

impl Line {
    pub fn new(record: Record) -> Self {
        let locale = rust_i18n::locale();
        let time = Local.timestamp_millis_opt(record.unix_ms).earliest();
        let time = time.map_or_else(String::new, |t| t.format("%H:%M:%S%.3f").to_string());
        let (arrow, meaning) = match record.way {
            Direction::Out(cause) => {
                let meaning = show::request(&record.bytes, &locale);
                match cause {
                    Cause::First | Cause::Secure => ("→", meaning),
                    Cause::Again(n) => ("⟳", t!("wirewin.again", n = n, what = meaning).into_owned()),
                    Cause::Fence => ("⟳", t!("wirewin.fence", what = meaning).into_owned()),
                    Cause::ByHand => ("→", t!("wirewin.sent_by_hand", what = meaning).into_owned()),
                }
            }
            Direction::In => ("←", show::reply(&record.bytes, &locale)),
            Direction::Said => ("⇒", show::said(&record.bytes, &locale)),
            Direction::Heard => ("⇐", show::heard(&record.bytes, &locale)),
        };
        let after = record.after.map_or_else(String::new, milliseconds);
        // Of an encrypted datagram the numbers are clearer than the letters that some bytes happen to be.
        let (bytes, charset) =
            if show::encrypted(&record.bytes) { (hex(&record.bytes), "") } else { readable(&record.bytes) };
        let sought = format!("{meaning}\n{bytes}").to_lowercase();
        Self { time, arrow, meaning, bytes, after, record, charset, sought }
    }

    /// Returns whether every word of the filter is found; `op:03` means the operation 03.
    pub fn passes(&self, filter: &str) -> bool {
        filter.split_whitespace().all(|word| match word.strip_prefix("op:") {
            Some(operation) => self.bytes.starts_with(operation),
            None => self.sought.contains(word),
        })
    }

    /// Returns the row as a line of text.
    pub fn text(&self) -> String {
        format!("{} {} {}\t{}\t{}\n", self.time, self.arrow, self.bytes, self.meaning, self.after)
    }
}

/// Returns a duration as people read it.
pub(super) fn milliseconds(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.01 => format!("{:.0} ms", s * 1e3),
        s => format!("{:.1} ms", s * 1e3),
    }
}

/// Returns bytes as text, also if they are GBK; others are escaped. Invisible characters are written so that
/// [`show::unescape`] restores the same bytes.
pub(super) fn readable(bytes: &[u8]) -> (String, &'static str) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (visible(text), if bytes.is_ascii() { "" } else { "UTF-8" });
    }
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => (visible(&text), "GBK"),
        None => (bytes.iter().map(|b| if *b == b'\\' { "\\\\".into() } else { escaped(*b) }).collect(), ""),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            // Marks that change the direction of text would make a datagram look like another one.
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| shown.push_str(&escaped(b)));
            }
            c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| shown.push_str(&escaped(b))),
            c => shown.push(c),
        }
    }
    shown
}

fn escaped(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => {
            let mut text = String::new();
            let _ = write!(text, "\\x{byte:02x}");
            text
        }
    }
}

/// Returns a line that was sent in the form in which it is brought back later, without passwords.
pub(super) fn without_password(line: &str, bytes: &[u8]) -> String {
    let starred = show::starred(bytes);
    if starred == bytes { line.to_owned() } else { readable(&starred).0 }
}

#[cfg(test)]
mod tests;
