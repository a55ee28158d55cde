//! Which datagrams are shown, chosen and in sight. Pure: no widget, no drawing. Each datagram has a number that stays
//! the same when older ones are dropped, so a choice or a place never moves to another one.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::line::Line;

/// The most datagrams that are kept while the window is open.
const KEPT: usize = 10_000;

/// The rows of the table.
#[derive(Default)]
pub(in crate::ui::gui) struct Rows {
    lines: VecDeque<Line>,
    /// The number of the first of `lines`.
    first: usize,
    /// The numbers of those that are shown, ascending.
    shown: VecDeque<usize>,
    filter: String,
    /// While paused: the number of the first that is held back.
    paused: Option<usize>,
    /// The number of the first in sight; `None` at the end, where new ones appear.
    top: Option<usize>,
    /// The numbers where the selection began and where it ends now.
    chosen: Option<(usize, usize)>,
}

impl Rows {
    pub(super) fn push(&mut self, line: Line) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
            self.first += 1;
            if self.shown.front().is_some_and(|number| *number < self.first) {
                self.shown.pop_front();
            }
        }
        if self.paused.is_none() && line.passes(&self.filter) {
            self.shown.push_back(self.first + self.lines.len());
        }
        self.lines.push_back(line);
    }

    /// Makes the texts again, in another language.
    pub fn say_anew(&mut self) {
        self.lines = std::mem::take(&mut self.lines).into_iter().map(|line| Line::new(line.record)).collect();
        self.sift();
    }

    /// Returns how many datagrams are held back since the pause began; `None` if there is no pause.
    pub fn held(&self) -> Option<usize> {
        self.paused.map(|from| (self.first + self.lines.len()).saturating_sub(from.max(self.first)))
    }

    /// Holds new datagrams back, or shows them again.
    pub fn toggle_pause(&mut self) {
        self.paused = if self.paused.is_some() { None } else { Some(self.first + self.lines.len()) };
        self.sift();
    }

    pub fn set_filter(&mut self, filter: &str) {
        self.filter = filter.trim().to_lowercase();
        self.sift();
    }

    fn sift(&mut self) {
        let end = self.paused.unwrap_or(usize::MAX);
        let numbered = (self.first..end).zip(&self.lines);
        self.shown = numbered.filter(|(_, line)| line.passes(&self.filter)).map(|(number, _)| number).collect();
    }

    /// Returns whether no datagram has come at all, rather than none that passes the filter.
    pub fn nothing_came(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns how many are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn line(&self, row: usize) -> Option<&Line> {
        self.lines.get(self.shown.get(row)?.checked_sub(self.first)?)
    }

    /// Returns the first shown row with this number or a higher one.
    fn row(&self, number: usize) -> usize {
        self.shown.partition_point(|shown| *shown < number)
    }

    /// Returns the first row in sight, of a page of `page` rows.
    pub fn top(&self, page: usize) -> usize {
        let last = self.len().saturating_sub(page);
        self.top.map_or(last, |number| self.row(number).min(last))
    }

    /// Puts a row at the top; the last page follows new datagrams.
    pub fn scroll_to(&mut self, row: usize, page: usize) {
        let last = self.len().saturating_sub(page);
        self.top = self.shown.get(row).copied().filter(|_| row < last);
    }

    pub fn scroll_by(&mut self, by: isize, page: usize) {
        self.scroll_to(self.top(page).saturating_add_signed(by), page);
    }

    /// Returns the rows that are chosen.
    pub fn chosen(&self) -> Option<RangeInclusive<usize>> {
        let (a, b) = self.chosen?;
        let (from, after) = (self.row(a.min(b)), self.row(a.max(b).saturating_add(1)));
        (from < after).then(|| from..=after - 1)
    }

    /// Returns the row from which keys move the choice.
    pub fn cursor(&self) -> Option<usize> {
        let (_, at) = self.chosen?;
        let row = self.row(at);
        (self.shown.get(row) == Some(&at)).then_some(row)
    }

    /// Chooses one row, or with `extend` all up to it, and brings it into sight.
    pub fn choose(&mut self, row: usize, extend: bool, page: usize) {
        let Some(number) = self.shown.get(row.min(self.len().saturating_sub(1))).copied() else { return };
        let begun = self.chosen.filter(|_| extend).map_or(number, |(begun, _)| begun);
        self.chosen = Some((begun, number));
        let (row, top) = (self.row(number), self.top(page));
        if row < top {
            self.scroll_to(row, page);
        } else if row >= top + page {
            self.scroll_to(row + 1 - page, page);
        }
    }

    /// Moves the choice by this many rows; from the end if nothing is chosen.
    pub fn choose_by(&mut self, by: isize, extend: bool, page: usize) {
        let row = self.cursor().map_or(self.len().saturating_sub(1), |row| row.saturating_add_signed(by));
        self.choose(row, extend, page);
    }

    pub fn choose_all(&mut self) {
        self.chosen = self.shown.front().copied().zip(self.shown.back().copied());
    }

    pub fn choose_none(&mut self) {
        self.chosen = None;
    }

    /// Returns the chosen rows as text, or all that are shown; also their number.
    pub fn copied(&self) -> (String, usize) {
        let range = self.chosen().unwrap_or(0..=self.len().saturating_sub(1));
        let lines: Vec<String> = range.filter_map(|row| self.line(row)).map(Line::text).collect();
        (lines.concat(), lines.len())
    }

    /// Returns all rows that are shown as text.
    pub fn text(&self) -> String {
        (0..self.len()).filter_map(|row| self.line(row)).map(Line::text).collect()
    }
}

#[cfg(test)]
mod tests;
