//! Names that cannot be taken for another's: what a new one may hold, how one that breaks this is shown, and how
//! a room's text in the plain dialect says who wrote it.
//!
//! Whatever is marked stands as `:U+200B:`. No account can hold a `:`, so no name looks like another one with a mark.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What Unicode calls default-ignorable (nothing is drawn for it; all bidi controls are among them), and the marks of
/// annotations. The list is closed but for private versions, so a table says it as well as fifteen crates of data.
const INVISIBLE: [(char, char); 19] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{7f}', '\u{9f}'),
];

/// How the first line of a list (CSV) names its column of accounts, in small letters.
pub const ACCOUNT_HEADERS: [&str; 5] = ["account", "账号", "帐号", "学号", "student number"];

/// How the first line of a list names its column of people's names, in small letters.
pub const NAME_HEADERS: [&str; 5] = ["name", "姓名", "名字", "real name", "full name"];

/// What a new name cannot be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// A character of which nothing is seen, or that turns text round.
    #[error("the character U+{:04X} cannot be seen", u32::from(*.0))]
    Invisible(char),
    /// White space at an edge, two in a row, or another kind than the usual blank.
    #[error("blanks stand at an edge, in a row, or are not the usual one")]
    Blank,
    /// Nothing that can be seen, such as an accent without a letter.
    #[error("nothing of it can be seen")]
    Nothing,
    /// `[` or `]`, which stand around a writer's name in a room.
    #[error("{0} stands around a writer's name in a room")]
    Bracket(char),
    /// The same letters could be written in another way that looks the same (Unicode NFC).
    #[error("a letter is written in pieces")]
    Pieces,
}

/// Whether nothing is drawn for a character, or it turns text round.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control() || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// What keeps a text from being a new name, and which character; its place is counted in characters.
#[must_use]
pub fn fault(text: &str) -> Option<(usize, NameFault)> {
    let (mut before, mut seen, mut last) = (None, false, 0);
    for (i, c) in text.chars().enumerate() {
        if is_invisible(c) {
            return Some((i, NameFault::Invisible(c)));
        }
        if matches!(c, '[' | ']') {
            return Some((i, NameFault::Bracket(c)));
        }
        let blank = c.is_whitespace();
        if blank && (c != ' ' || before.is_none_or(char::is_whitespace)) {
            return Some((i, NameFault::Blank));
        }
        seen |= !blank && !is_combining_mark(c);
        (before, last) = (Some(c), i);
    }
    if before == Some(' ') {
        return Some((last, NameFault::Blank));
    }
    if !seen {
        return Some((0, NameFault::Nothing));
    }
    let same = text.nfc().zip(text.chars()).take_while(|(a, b)| a == b).count();
    (!is_nfc(text)).then_some((same, NameFault::Pieces))
}

/// The text in Unicode NFC, the form in which names and passwords are compared.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// A name as people are shown it: what nobody would see of it is marked. Every face shows names through this.
#[must_use]
pub fn shown(name: &str) -> Cow<'_, str> {
    marked(name, false)
}

fn marked(name: &str, brackets: bool) -> Cow<'_, str> {
    let bracket = |c: char| brackets && matches!(c, '[' | ']');
    let decomposed = !is_nfc(name);
    let rest_blank = |at: usize| name.get(at..).is_some_and(|rest| rest.chars().all(char::is_whitespace));
    let mut text = String::new();
    let (mut before, mut changed) = (None, false);
    for (at, c) in name.char_indices() {
        let stray = c.is_whitespace() && (c != ' ' || before.is_none_or(char::is_whitespace) || rest_blank(at));
        let bare = is_combining_mark(c) && (decomposed || before.is_none());
        if is_invisible(c) || stray || bare || bracket(c) {
            text.push_str(&format!(":U+{:04X}:", u32::from(c)));
            changed = true;
        } else {
            text.push(c);
        }
        before = Some(c);
    }
    if changed { Cow::Owned(text) } else { Cow::Borrowed(name) }
}

/// What is written in a room, as the plain dialect says it: `[writer] text`. A writer's name that could end the
/// brackets is written with marks, so the first `] ` always ends the name.
#[must_use]
pub fn framed(writer: &str, text: &str) -> String {
    format!("[{}] {text}", marked(writer, true))
}

/// The account whose name stands between the brackets of [`framed`]: its marks are characters again. No account holds
/// a `:`, so none of them is anything else.
#[must_use]
pub fn unmarked(writer: &str) -> String {
    let mut name = String::new();
    let mut rest = writer;
    while let Some((before, mark)) = rest.split_once(":U+") {
        let read = mark.split_once(':').and_then(|(digits, after)| {
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((c, after))
        });
        let Some((c, after)) = read else { break };
        name.push_str(before);
        name.push(c);
        rest = after;
    }
    name + rest
}

/// What one calls somebody oneself, put right rather than refused, since only its writer reads it: put together,
/// without blanks too many, and without what is not seen but for what makes one emoji of several characters.
#[must_use]
pub fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    for c in text.nfc() {
        let joins = matches!(c, '\u{200d}' | '\u{fe0f}')
            && tidy.chars().next_back().is_some_and(|before| !before.is_alphanumeric() && !before.is_whitespace());
        if c.is_whitespace() {
            if !tidy.is_empty() && !tidy.ends_with(' ') {
                tidy.push(' ');
            }
        } else if joins || !is_invisible(c) {
            tidy.push(c);
        }
    }
    tidy.trim_end().to_owned()
}

/// Who wrote a room's text, as shown, and what: the other way round than [`framed`]. Every face reads a room's
/// texts through this.
#[must_use]
pub fn unframed(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[').and_then(|rest| rest.split_once("] "))
}

/// Splits a text into its writer, as named in its frame, and what was written. Only messages that others wrote in a
/// room have a frame: a person's text may begin with anything, and texts that this account sent are stored without one.
/// Every face splits texts with this function.
#[must_use]
pub fn writer_and_text(text: &str, room: bool, own: bool) -> (Option<String>, &str) {
    match unframed(text) {
        Some((writer, text)) if room && !own => (Some(unmarked(writer)), text),
        Some(_) | None => (None, text),
    }
}

#[cfg(test)]
mod tests;
