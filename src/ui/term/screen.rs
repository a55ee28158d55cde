//! Where everything stands in a terminal: the prompt with the line being typed at the bottom (the *foot*), everything
//! else printed above it. This module only makes text; the owner writes it in one piece, so that nothing flickers.
//!
//! Rows are ended explicitly and never by the terminal's own wrapping, so that the cursor's position is known; after
//! the window has become narrower, rows are counted as a terminal reflows them.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::line::Line;
use crate::base::shown;

/// The most rows of a long line that are shown, around the cursor.
const ROWS: usize = 12;

/// The foot as it was drawn last, and the window's size.
#[derive(Debug)]
pub struct Screen {
    columns: usize,
    rows: usize,
    /// The widths of the rows drawn, in cells.
    drawn: Vec<usize>,
    /// The row and column of the cursor among them.
    cursor: (usize, usize),
    /// What was drawn: the prompt, the line, and its cursor.
    foot: Option<(String, String, usize)>,
}

/// The prompt before the line, plain and in colours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The text that is measured.
    pub plain: String,
    /// The same text with colours, which is written.
    pub painted: String,
}

impl Screen {
    /// Makes a screen on which nothing is drawn yet.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        let mut screen = Self { columns: 80, rows: 24, drawn: Vec::new(), cursor: (0, 0), foot: None };
        screen.set_size(columns, rows);
        screen
    }

    /// Returns the window's width in cells.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    fn set_size(&mut self, columns: u16, rows: u16) {
        // Some terminals do not know their size.
        self.columns = if columns == 0 { 80 } else { usize::from(columns).max(4) };
        self.rows = if rows == 0 { 24 } else { usize::from(rows).max(2) };
    }

    /// Takes over a new size of the window; the terminal has rewrapped what was drawn.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let before = (self.columns, self.rows);
        self.set_size(columns, rows);
        if before == (self.columns, self.rows) {
            return;
        }
        self.foot = None;
        let (row, column) = self.cursor;
        let taken = |width: usize| width.saturating_sub(1) / self.columns + 1;
        let above: usize = self.drawn.iter().take(row).map(|width| taken(*width)).sum();
        self.cursor = (above + column / self.columns, column % self.columns);
    }

    /// Returns whether the foot is drawn as it would be drawn now.
    #[must_use]
    pub fn shows(&self, prompt: &Prompt, line: &Line) -> bool {
        let (text, at) = seen(line);
        self.foot.as_ref().is_some_and(|(p, t, a)| *p == prompt.painted && t == text && *a == at)
    }

    /// Erases the foot; what is written next takes its place.
    pub fn erase(&mut self, out: &mut String) {
        self.foot = None;
        if self.drawn.is_empty() {
            return;
        }
        out.push('\r');
        if self.cursor.0 > 0 {
            out.push_str(&format!("\x1b[{}A", self.cursor.0));
        }
        out.push_str("\x1b[J");
        self.drawn.clear();
        self.cursor = (0, 0);
    }

    /// Prints lines above the foot, which then has to be drawn again.
    pub fn print(&mut self, text: &str, out: &mut String) {
        self.erase(out);
        for line in text.lines() {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }

    /// Clears the window.
    pub fn clear(&mut self, out: &mut String) {
        self.erase(out);
        out.push_str("\x1b[H\x1b[2J");
    }

    /// Draws the foot, in place of the last one.
    pub fn draw(&mut self, prompt: &Prompt, line: &Line, out: &mut String) {
        self.erase(out);
        let (shown, at) = seen(line);
        self.foot = Some((prompt.painted.clone(), shown.to_owned(), at));
        let (rows, cursor) = wrap(&prompt.plain, shown, at, self.columns);
        let most = ROWS.min(self.rows.saturating_sub(1)).max(1);
        let first = (cursor.0 + 1).saturating_sub(most).min(rows.len().saturating_sub(most));
        for (i, row) in rows.iter().enumerate().skip(first).take(most) {
            if i > first {
                out.push_str("\r\n");
            }
            // The prompt in colours, if the first row shows it in full.
            match row.strip_prefix(prompt.plain.as_str()) {
                Some(rest) if i == 0 => out.extend([prompt.painted.as_str(), rest]),
                _ => out.push_str(row),
            }
            self.drawn.push(row.width());
        }
        self.cursor = (cursor.0 - first, cursor.1);
        let up = self.drawn.len().saturating_sub(1).saturating_sub(self.cursor.0);
        if up > 0 {
            out.push_str(&format!("\x1b[{up}A"));
        }
        out.push('\r');
        if self.cursor.1 > 0 {
            out.push_str(&format!("\x1b[{}C", self.cursor.1));
        }
    }
}

/// Returns the part of a line that may be shown: nothing of a password.
fn seen(line: &Line) -> (&str, usize) {
    if line.is_secret() { ("", 0) } else { (line.text(), line.at()) }
}

/// Returns the rows of a prompt and a text, and the row and column of the byte `at` of the text.
fn wrap(prompt: &str, text: &str, at: usize, columns: usize) -> (Vec<String>, (usize, usize)) {
    let mut rows = vec![String::new()];
    let mut column = 0;
    let mut cursor = None;
    let mut put = |shown: &str, rows: &mut Vec<String>| {
        let width = shown.width();
        if column + width > columns {
            rows.push(String::new());
            column = 0;
        }
        if let Some(row) = rows.last_mut() {
            row.push_str(shown);
        }
        column += width;
        (rows.len() - 1, column - width.min(column))
    };
    for grapheme in prompt.graphemes(true) {
        put(grapheme, &mut rows);
    }
    for (i, grapheme) in text.grapheme_indices(true) {
        let place = put(&visible(grapheme), &mut rows);
        if i >= at && cursor.is_none() {
            cursor = Some(place);
        }
    }
    let end = if column >= columns {
        rows.push(String::new());
        (rows.len() - 1, 0)
    } else {
        (rows.len() - 1, column)
    };
    (rows, cursor.unwrap_or(end))
}

/// Returns a grapheme in a form that can be shown in a row.
fn visible(grapheme: &str) -> String {
    match grapheme {
        "\n" | "\r\n" => "↵".to_owned(),
        "\t" => " ".to_owned(),
        _ => grapheme.chars().map(|c| if c.is_control() { '·' } else { c }).collect(),
    }
}

/// Makes another person's text safe to print: no control character except line breaks reaches the terminal, so a
/// message cannot move the cursor, change colours or the window's title, or reverse the direction of text.
#[must_use]
pub fn harmless(text: &str) -> String {
    shown::text(text)
}

/// Pads a text with blanks to `cells` cells of the terminal; a longer one is cut with `…`.
#[must_use]
pub fn column(text: &str, cells: usize) -> String {
    let mut shown = fit(text, cells);
    let width = shown.width();
    shown.extend(std::iter::repeat_n(' ', cells.saturating_sub(width)));
    shown
}

/// Cuts a text with `…` if it is wider than `cells` cells of the terminal.
#[must_use]
pub fn fit(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut width = 0;
    for grapheme in text.graphemes(true) {
        if width + grapheme.width() + 1 > cells {
            break;
        }
        width += grapheme.width();
        shown.push_str(grapheme);
    }
    if cells > 0 {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
