//! Other people's texts and names as they may be shown, in windows and terminal alike: nothing in them commands a
//! terminal, turns round the letters beside it, or hides. Pure.
//!
//! Right-to-left text is shown as it is. What turns letters round against their own direction (the overrides of
//! the Unicode Bidirectional Algorithm, UAX #9) is shown as a mark, and so is whatever would reach beyond the text
//! it stands in: a mark that nothing ends, or that ends nothing.

use rust_i18n::t;

/// Replaces a control character or another character that is not shown.
pub const MARK: char = '·';

const LRE: char = '\u{202a}';
const RLE: char = '\u{202b}';
const PDF: char = '\u{202c}';
const LRO: char = '\u{202d}';
const RLO: char = '\u{202e}';
const LRI: char = '\u{2066}';
const RLI: char = '\u{2067}';
const FSI: char = '\u{2068}';
const PDI: char = '\u{2069}';

/// A text of several lines: line breaks stay, in whatever form; a tab is a blank; other control characters, and those
/// that nobody sees, are [`MARK`]s.
#[must_use]
pub fn text(text: &str) -> String {
    // A flag of a part of a country is a black one and tags.
    let mut flag = false;
    let plain = text.chars().map(|c| {
        flag = c == '\u{1f3f4}' || flag && matches!(u32::from(c), 0xE0020..=0xE007F);
        (c, flag)
    });
    let plain = plain.map(|(c, flag)| match c {
        '\n' | '\u{2028}' | '\u{2029}' => '\n',
        '\t' => ' ',
        c if hides(c) && !flag => MARK,
        c if c.is_control() => MARK,
        c => c,
    });
    let mut shown: Vec<char> = plain.collect();
    for line in shown.split_mut(|c| matches!(c, '\n' | '\u{2029}')) {
        settle(line);
    }
    shown.into_iter().collect()
}

/// A message as a reader sees it: [`text`] without the one line end that some clients send behind everything, line ends
/// of all systems alike, and words that say so where there would be nothing to see at all: an empty bubble
/// looks like a fault of the program. What is stored, copied and sent on stays as it came.
#[must_use]
pub fn message(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let shown = self::text(text.strip_suffix('\n').unwrap_or(&text));
    if shown.chars().all(is_blank) { t!("chat.empty_line").into_owned() } else { shown }
}

/// The first line of [`message`] that has something in it, at most 80 characters of it, for lists.
#[must_use]
pub fn first_line(text: &str) -> String {
    let message = message(text);
    let line = message.lines().find(|line| !line.chars().all(is_blank)).unwrap_or_default();
    self::text(&line.trim().chars().take(80).collect::<String>())
}

/// Blanks, and what has neither width nor ink: alone, nobody sees that anything is there.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(u32::from(c), 0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x180B..=0x180F | 0x200C..=0x200F
            | 0x202A..=0x202E | 0x2066..=0x2069 | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFFA0)
}

/// Makes a text safe to show on one line, such as a name: like [`text`], and line breaks become blanks.
#[must_use]
pub fn line(text: &str) -> String {
    let flat = |c: char| if matches!(c, '\n' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    self::text(&text.chars().map(flat).collect::<String>())
}

/// A name, or another piece of somebody's, as it may stand within a sentence: as [`line()`], and where it holds
/// right-to-left letters, what stands around it keeps its order.
#[must_use]
pub fn within(text: &str) -> String {
    let shown = line(text);
    if shown.chars().any(turns) { format!("{FSI}{shown}{PDI}") } else { shown }
}

/// Overrides in a paragraph, and marks without a partner, become [`MARK`]s.
fn settle(paragraph: &mut [char]) {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut alone: Vec<usize> = Vec::new();
    for (at, c) in paragraph.iter().copied().enumerate() {
        match c {
            LRE | RLE | LRO | RLO | LRI | RLI | FSI => open.push((at, c)),
            // Ends the last one, unless that is an isolate.
            PDF => match open.last().copied() {
                Some((begun, LRO | RLO)) => {
                    alone.extend([begun, at]);
                    open.pop();
                }
                Some((_, LRE | RLE)) => {
                    open.pop();
                }
                _ => alone.push(at),
            },
            // Ends the last isolate, and all that was begun within it.
            PDI => match open.iter().rposition(|(_, c)| matches!(*c, LRI | RLI | FSI)) {
                Some(isolate) => alone.extend(open.drain(isolate..).skip(1).map(|(begun, _)| begun)),
                None => alone.push(at),
            },
            _ => {}
        }
    }
    alone.extend(open.into_iter().map(|(begun, _)| begun));
    for at in alone {
        if let Some(c) = paragraph.get_mut(at) {
            *c = MARK;
        }
    }
}

/// Blanks without a width, and the tags that say a second text to programs alone. Joiners stay, since letters and emoji
/// are made by them.
fn hides(c: char) -> bool {
    matches!(u32::from(c), 0x200B | 0x2060..=0x2064 | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

/// Characters that have a text beside them stand in another order: right-to-left letters (the blocks that the
/// standard sets aside for them) and marks of direction.
fn turns(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8FF | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069 | 0xFB1D..=0xFDFF
        | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
}

#[cfg(test)]
mod tests;
