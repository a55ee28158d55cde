//! Everything of a transcript except its widget: its parts, and what concerns several of them.

use std::collections::HashMap;

use fltk::draw;
use fltk::enums::Font;

use super::captions::Earlier;
use super::layout::Layout;
use super::paint::Painting;
use super::reading::Reading;
use super::rows::Rows;
use super::scrolling::Scrolling;
use super::sight::{Sight, Target};
use super::wrap::Advances;
use crate::base::model::{MessageId, SendState};
use crate::client::history::{Row, RowMeta};
use crate::ui::gui::{bar, theme};

pub struct View {
    pub(super) rows: Rows,
    pub(super) reading: Reading,
    pub(super) layout: Layout,
    pub(super) scrolling: Scrolling,
    /// The row with the ring, while the transcript has the keyboard.
    pub(super) chosen: Option<usize>,
    /// The names of a room's writers, by account.
    pub(super) names: HashMap<String, String>,
    pub(super) sight: Sight,
    pub(super) painting: Painting,
    /// The language of the program's own sentences between the messages.
    language: String,
}

impl View {
    pub fn new(room: bool) -> Self {
        let advances = Advances::new(|text| {
            draw::set_font(Font::Helvetica, theme::BODY);
            draw::width(text)
        });
        Self {
            rows: Rows::default(),
            reading: Reading::default(),
            layout: Layout::new(room, advances),
            scrolling: Scrolling::default(),
            chosen: None,
            names: HashMap::new(),
            sight: Sight::default(),
            painting: Painting::default(),
            language: rust_i18n::locale().to_string(),
        }
    }

    // Rows and texts.

    pub fn set_index(&mut self, metas: Vec<RowMeta>) {
        // Earlier messages from the server come in above, and are not new.
        let unread = self.reading.unread(&self.rows);
        let old = std::mem::replace(&mut self.rows, Rows::new(metas));
        // What is being looked at stays, whatever comes in above it.
        let rows = &self.rows;
        let now = |row: usize| rows.find(old.meta(row)?.id);
        self.chosen = self.chosen.and_then(now);
        self.reading.count_unread(rows, unread);
        self.layout.estimate(rows, &self.reading);
        self.scrolling.renumber(self.layout.heights(), now);
    }

    /// Takes over everything from another view: the rows, and how far they were read and scrolled. In another language
    /// the program's own sentences are asked for again, and shown as they were until they come.
    pub fn take_over(&mut self, other: &mut Self) {
        self.rows = std::mem::take(&mut other.rows);
        self.reading = std::mem::take(&mut other.reading);
        self.scrolling = std::mem::take(&mut other.scrolling);
        self.chosen = other.chosen.take();
        self.names = std::mem::take(&mut other.names);
        std::mem::swap(&mut self.layout, &mut other.layout);
        other.layout.estimate(&other.rows, &other.reading);
        if self.language != other.language {
            self.rows.ask_for_all_again();
            self.layout.forget_all();
        }
        self.painting.forget();
    }

    pub fn fill(&mut self, first: usize, rows: Vec<Row>) -> bool {
        let is_other = |(at, row): (usize, &Row)| self.rows.row(at).is_some_and(|known| known.text != row.text);
        let new = (first..).zip(&rows).any(is_other);
        self.repaint_if(new);
        self.layout.forget(&(first..first + rows.len()));
        self.rows.fill(first, rows)
    }

    pub fn push(&mut self, row: Row) {
        let (id, own) = (row.id, row.state.is_some());
        if !self.rows.push(row) {
            return;
        }
        self.reading.came(id, own);
        if own {
            // Somebody who writes wants to see it.
            self.scrolling.go_to_end();
        }
        self.layout.push(&self.rows, &self.reading);
    }

    pub fn set_state(&mut self, id: MessageId, state: SendState) -> bool {
        let Some(row) = self.rows.set_state(id, state) else { return false };
        // The row before may end a run now, or no longer.
        row.checked_sub(1).into_iter().for_each(|before| self.measure(before));
        self.measure(row);
        true
    }

    /// Sets whether the server may cut sent texts; returns whether that has changed.
    pub fn set_foreign(&mut self, foreign: bool) -> bool {
        let new = self.layout.set_foreign(foreign);
        self.repaint_if(new)
    }

    /// Sets the names of a room's writers; returns whether that has changed.
    pub fn set_names(&mut self, names: HashMap<String, String>) -> bool {
        let new = self.names != names;
        self.names = names;
        self.repaint_if(new)
    }

    /// Sets what is shown above the first row; returns whether that has changed.
    pub fn set_earlier(&mut self, earlier: Earlier) -> bool {
        self.layout.set_earlier(earlier)
    }

    /// Makes everything be painted anew if something has changed how rows look.
    fn repaint_if(&mut self, new: bool) -> bool {
        if new {
            self.painting.forget();
        }
        new
    }

    pub fn newest(&self) -> Option<MessageId> {
        Some(self.rows.meta(self.rows.len().checked_sub(1)?)?.id)
    }

    pub fn text_of(&self, id: MessageId) -> Option<String> {
        Some(self.rows.row(self.rows.find(id)?)?.text.clone())
    }

    pub fn texts_in_sight(&self) -> Vec<String> {
        self.sight.rows.iter().filter_map(|seen| self.rows.row(seen.row)).map(|row| row.text.clone()).collect()
    }

    /// Returns whether the texts of all rows in sight are here.
    pub fn is_whole(&self) -> bool {
        self.sight.rows.iter().all(|seen| self.rows.row(seen.row).is_some())
    }

    fn measure(&mut self, row: usize) {
        self.layout.measure(&self.rows, &self.reading, row);
    }

    // New messages.

    /// Scrolls so that the first new message is at the top, or as near to it as the end allows.
    pub fn go_to_new(&mut self) {
        if let Some(row) = self.reading.first_new(&self.rows) {
            self.scrolling.go_to_row(row);
        }
    }

    pub fn mark_new(&mut self, count: u64) {
        self.reading.mark_new(&self.rows, count);
        if let Some(row) = self.reading.first_new(&self.rows) {
            self.measure(row);
        }
    }

    pub fn mark_next(&mut self) {
        if let Some(row) = self.reading.mark_next(&self.rows) {
            self.measure(row);
        }
    }

    /// Returns how many messages of others were not looked at.
    pub fn unread(&self) -> u64 {
        self.reading.unread(&self.rows)
    }

    /// Returns how many messages of others below what is in sight were not looked at; 100 may mean more.
    pub fn new_below(&self) -> usize {
        self.reading.unread_below(&self.rows, self.sight.last().map_or(0, |row| row + 1))
    }

    /// Returns the last row of which at least half is in sight, with its text, if others' messages up to it are new.
    fn newly_in_sight(&self, h: i32) -> Option<MessageId> {
        let mut rows = self.sight.rows.iter().rev();
        let last =
            rows.find(|seen| seen.y + self.layout.height(seen.row) / 2 <= h && self.rows.row(seen.row).is_some())?;
        self.reading.news_up_to(&self.rows, last.row)
    }

    pub fn has_newly_in_sight(&self, h: i32) -> bool {
        self.newly_in_sight(h).is_some()
    }

    /// Marks what is in sight as looked at; returns the last message of it, if some were new.
    pub fn look_at(&mut self, h: i32) -> Option<MessageId> {
        let to = self.newly_in_sight(h)?;
        self.reading.looked(to);
        Some(to)
    }

    // Scrolling and places.

    /// Scrolls by `by` pixels, downwards if positive, in a view of height `h`.
    pub fn scroll(&mut self, by: i64, h: i32) {
        self.scrolling.scroll(by, self.layout.stack(), h);
    }

    pub fn go_to_end(&mut self) {
        self.scrolling.go_to_end();
    }

    pub fn is_at_end(&self) -> bool {
        self.scrolling.is_at_end()
    }

    pub fn take_thumb(&mut self, x: i32, y: i32, w: i32, h: i32) -> bool {
        x > w - bar::WIDTH && self.scrolling.take_thumb(y, self.layout.stack(), h)
    }

    pub fn drag_to(&mut self, y: i32, h: i32) -> bool {
        self.scrolling.drag_to(y, self.layout.stack(), h)
    }

    pub fn drop_thumb(&mut self) -> bool {
        self.scrolling.drop_thumb()
    }

    /// Returns what is at this place of the window, besides messages.
    pub fn target(&self, x: i32, y: i32) -> Option<Target> {
        self.sight.target(x, y)
    }

    // The chosen row.

    pub fn choose(&mut self, by: isize, h: i32) {
        let last = self.rows.len().saturating_sub(1);
        let start = self.sight.last().unwrap_or(last);
        let row = self.chosen.map_or(start, |row| row.saturating_add_signed(by).min(last));
        self.chosen = Some(row);
        self.scrolling.reveal(row, self.layout.stack(), h);
    }

    /// Chooses the last row in sight, if none is chosen.
    pub fn choose_any(&mut self, h: i32) {
        if self.chosen.is_none() && !self.rows.is_empty() {
            self.choose(0, h);
        }
    }

    pub fn choose_at(&mut self, y: i32) {
        self.chosen = self.sight.row_at(y);
    }

    /// Returns the chosen message: its number, its text, and whether it can be sent again.
    pub fn chosen(&self) -> Option<(MessageId, String, bool)> {
        let row = self.rows.row(self.chosen?)?;
        Some((row.id, row.text.trim_end_matches('\n').to_owned(), row.state.is_some_and(SendState::can_resend)))
    }

    /// Returns where the menu of the chosen message opens by keys, if that is in sight.
    pub fn ringed(&self) -> Option<(i32, i32)> {
        self.sight.ringed
    }
}
