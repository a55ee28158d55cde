//! Breaks text into lines that fit a width: at Unicode's break opportunities, and between graphemes if a word alone is
//! too wide. Pure: the caller measures how wide a piece of text is.

use std::collections::HashMap;
use std::ops::Range;

use unicode_linebreak::{BreakOpportunity, linebreaks};
use unicode_segmentation::UnicodeSegmentation;

/// One line: its bytes of the text, and its width.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The bytes of the text, without the line break.
    pub bytes: Range<usize>,
    /// The width in pixels.
    pub width: f64,
}

/// The widths of characters, each measured once.
pub struct Advances {
    measure: Box<dyn Fn(&str) -> f64>,
    known: HashMap<char, f64>,
}

impl std::fmt::Debug for Advances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Advances").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Advances {
    /// `measure` is called once for each character, and for whole pieces whose width is not the sum of their
    /// characters'.
    #[must_use]
    pub fn new(measure: impl Fn(&str) -> f64 + 'static) -> Self {
        Self { measure: Box::new(measure), known: HashMap::new() }
    }

    /// Returns the width of a piece.
    pub fn width(&mut self, text: &str) -> f64 {
        if text.chars().any(is_complex) {
            return (self.measure)(text);
        }
        text.chars().map(|c| self.one(c)).sum()
    }

    fn one(&mut self, c: char) -> f64 {
        let measure = &self.measure;
        *self.known.entry(c).or_insert_with(|| measure(c.encode_utf8(&mut [0; 4])))
    }
}

/// Returns whether a character's width depends on its neighbours: joined, combining, flags, right-to-left, Indic.
fn is_complex(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36F | 0x590..=0x10FF | 0x1780..=0x1CFF | 0x1DC0..=0x1DFF | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x20D0..=0x20FF | 0xFB1D..=0xFDFF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xFE70..=0xFEFF
        | 0x1F1E6..=0x1F1FF | 0x1F3FB..=0x1F3FF | 0xE0000..=0xE01EF)
}

/// Breaks a text into lines, at least one. Spaces at a line's end may exceed the width.
pub fn wrap(text: &str, width: f64, advances: &mut Advances) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = 0..0;
    let mut used = 0.0;
    let mut from = 0;
    for (to, opportunity) in linebreaks(text) {
        let Some(piece) = text.get(from..to) else { continue };
        let shown = piece.trim_end_matches(['\n', '\r', ' ']);
        let needed = advances.width(shown);
        if used + needed > width && !line.is_empty() {
            lines.push(finish(text, &line, advances));
            line = from..from;
            used = 0.0;
        }
        if used + needed > width {
            // The word is wider than the line.
            for (at, grapheme) in shown.grapheme_indices(true) {
                let one = advances.width(grapheme);
                if used + one > width && !line.is_empty() {
                    lines.push(finish(text, &line, advances));
                    line = from + at..from + at;
                    used = 0.0;
                }
                line.end = from + at + grapheme.len();
                used += one;
            }
        } else {
            used += needed;
        }
        used += advances.width(piece.get(shown.len()..).unwrap_or_default().trim_end_matches(['\n', '\r']));
        line.end = to;
        if opportunity == BreakOpportunity::Mandatory && (to < text.len() || piece.ends_with('\n')) {
            lines.push(finish(text, &line, advances));
            line = to..to;
            used = 0.0;
        }
        from = to;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(finish(text, &line, advances));
    }
    lines
}

fn finish(text: &str, line: &Range<usize>, advances: &mut Advances) -> Line {
    let shown = text.get(line.clone()).unwrap_or_default().trim_end_matches(['\n', '\r', ' ']);
    Line { bytes: line.start..line.start + shown.len(), width: advances.width(shown) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: f64) -> Vec<String> {
        let mut advances = Advances::new(|s| s.chars().map(|c| if c.is_ascii() { 1.0 } else { 2.0 }).sum());
        wrap(text, width, &mut advances).iter().map(|l| text[l.bytes.clone()].to_owned()).collect()
    }

    #[test]
    fn breaks() {
        let check = |text: &str, width: f64, expected: &[&str]| assert_eq!(lines(text, width), expected, "{text}");
        check("", 10.0, &[""]);
        check("hello world", 20.0, &["hello world"]);
        check("hello world", 7.0, &["hello", "world"]);
        check("a\nb\n\nc", 9.0, &["a", "b", "", "c"]);
        check("abcdefghij", 4.0, &["abcd", "efgh", "ij"]);
        check("你好，世界。", 6.0, &["你好，", "世界。"]);
        check("接收线程 recv", 8.0, &["接收线程", "recv"]);
        check("x abcdefgh y", 4.0, &["x", "abcd", "efgh", "y"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-c 你好，👩‍👩‍👧\n]{0,40}", width in 1.0..30.0_f64) {
            let joined: String = lines(&text, width).concat();
            let plain = |t: &str| t.chars().filter(|c| !matches!(c, ' ' | '\n')).collect::<String>();
            prop_assert_eq!(plain(&joined), plain(&text));
        }
    }
}
