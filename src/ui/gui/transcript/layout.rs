//! The height of each row: estimated for all rows, exact for those that have been drawn.

use std::collections::HashMap;

use super::bubble::{self, Bubble, PAD_X};
use super::captions::{DAY, Earlier, FOOT, HEAD, MARGIN, may_be_cut};
use super::heights::Heights;
use super::reading::Reading;
use super::rows::Rows;
use super::scrolling::{EDGE, Stack};
use super::wrap::Advances;
use crate::base::model::SendState;
use crate::client::history::Row;

const AUTHOR: i32 = 18;
const IN_RUN: i32 = 3;
const AFTER_RUN: i32 = 10;
const MAX_SHARE: i32 = 74;
/// The most layouts that are kept; a screen shows far fewer.
const LAID: usize = 512;

/// The heights, and the bubbles that are laid out.
pub struct Layout {
    heights: Heights,
    laid: HashMap<usize, Bubble>,
    advances: Advances,
    width: i32,
    /// Whether others' messages begin with their writer's name.
    room: bool,
    /// Whether the server may cut sent texts at `#`.
    foreign: bool,
    earlier: Earlier,
}

impl Layout {
    /// Makes a layout without rows, of a `room` or of two people. `advances` measures texts.
    pub fn new(room: bool, advances: Advances) -> Self {
        let heights = Heights::default();
        Self { heights, laid: HashMap::new(), advances, width: 0, room, foreign: false, earlier: Earlier::No }
    }

    /// Returns whether the server may cut sent texts at `#`, which those that may have been cut then say.
    pub fn foreign(&self) -> bool {
        self.foreign
    }

    /// Sets that; returns whether it has changed.
    pub fn set_foreign(&mut self, foreign: bool) -> bool {
        std::mem::replace(&mut self.foreign, foreign) != foreign
    }

    /// Returns what is shown above the first row.
    pub fn earlier(&self) -> Earlier {
        self.earlier
    }

    /// Sets that; returns whether it has changed.
    pub fn set_earlier(&mut self, earlier: Earlier) -> bool {
        std::mem::replace(&mut self.earlier, earlier) != earlier
    }

    /// Returns where the first row begins.
    pub fn lead(&self) -> i32 {
        EDGE + if self.earlier == Earlier::No { 0 } else { HEAD }
    }

    /// Returns where all rows are.
    pub fn stack(&self) -> Stack<'_> {
        Stack { heights: &self.heights, lead: self.lead() }
    }

    /// Returns all heights.
    pub fn heights(&self) -> &Heights {
        &self.heights
    }

    /// Returns a row's height.
    pub fn height(&self, row: usize) -> i32 {
        self.heights.height(row)
    }

    /// Returns a row's bubble, if it is laid out.
    pub fn bubble(&self, row: usize) -> Option<&Bubble> {
        self.laid.get(&row)
    }

    /// Sets the width of the view.
    pub fn set_width(&mut self, width: i32, rows: &Rows, reading: &Reading) {
        if self.width != width {
            self.width = width;
            self.estimate(rows, reading);
        }
    }

    /// Estimates all heights anew, because the rows have changed.
    pub fn estimate(&mut self, rows: &Rows, reading: &Reading) {
        self.laid.clear();
        let heights = (0..rows.len()).map(|row| self.estimated(rows, reading, row)).collect();
        self.heights = Heights::new(heights);
    }

    /// Forgets the bubbles of these rows, because their texts have come.
    pub fn forget(&mut self, range: &std::ops::Range<usize>) {
        self.laid.retain(|row, _| !range.contains(row));
    }

    /// Forgets all bubbles, because texts may have changed; each row keeps its height until it is laid out again.
    pub fn forget_all(&mut self) {
        self.laid.clear();
    }

    /// Adds a row at the end.
    pub fn push(&mut self, rows: &Rows, reading: &Reading) {
        let Some(new) = rows.len().checked_sub(1) else { return };
        self.heights.push(self.estimated(rows, reading, new));
        // The row before may have ended a run until now.
        if let Some(before) = new.checked_sub(1) {
            self.measure(rows, reading, before);
        }
    }

    /// Lays a row out if its text is here, which makes its height exact; returns the height.
    pub fn measure(&mut self, rows: &Rows, reading: &Reading, row: usize) -> i32 {
        if let Some(known) = rows.row(row).filter(|_| self.width != 0) {
            let noteworthy = says_more(known, self.foreign);
            let own = known.state.is_some();
            let bubble = self.laid_out(row, &known.text, own);
            let height = self.captions(rows, reading, row, noteworthy) + self.author(own) + bubble;
            self.heights.set(row, height);
        }
        self.heights.height(row)
    }

    /// Returns the height of the bubble of a text.
    fn laid_out(&mut self, row: usize, text: &str, own: bool) -> i32 {
        if let Some(laid) = self.laid.get(&row) {
            return laid.height();
        }
        let laid = Bubble::lay(text, self.room && !own, self.bubble_width(), &mut self.advances);
        if self.laid.len() >= LAID {
            self.laid.clear();
        }
        self.laid.entry(row).insert_entry(laid).get().height()
    }

    fn bubble_width(&self) -> i32 {
        (self.width - 2 * MARGIN) * MAX_SHARE / 100 - 2 * PAD_X
    }

    fn estimated(&self, rows: &Rows, reading: &Reading, row: usize) -> i32 {
        let Some(meta) = rows.meta(row) else { return 0 };
        let per_line = u32::try_from(self.bubble_width() / 11).unwrap_or(1).max(1);
        let lines = i32::try_from(meta.breaks.max(meta.chars / per_line) + 1).unwrap_or(i32::MAX / 64);
        self.captions(rows, reading, row, false) + self.author(meta.outgoing) + bubble::height(lines)
    }

    /// Returns the height of the writer's name above a bubble.
    pub fn author(&self, outgoing: bool) -> i32 {
        if self.room && !outgoing { AUTHOR } else { 0 }
    }

    /// Returns a row's height without its bubble and writer.
    fn captions(&self, rows: &Rows, reading: &Reading, row: usize, noteworthy: bool) -> i32 {
        let above = lines_above(rows, reading, row);
        if rows.is_note(row) {
            return above + AFTER_RUN;
        }
        above + if rows.ends_run(row) { FOOT + AFTER_RUN } else { IN_RUN + if noteworthy { FOOT } else { 0 } }
    }

    /// Returns a row's height without its foot, if its text is here.
    pub fn upper(&self, rows: &Rows, reading: &Reading, row: usize) -> Option<i32> {
        let (known, laid) = (rows.row(row)?, self.laid.get(&row)?);
        Some(lines_above(rows, reading, row) + self.author(known.state.is_some()) + laid.height())
    }

    /// Returns whether something is shown below a row.
    pub fn has_foot(&self, rows: &Rows, row: usize) -> bool {
        !rows.is_note(row) && rows.ends_run(row) || rows.row(row).is_some_and(|known| says_more(known, self.foreign))
    }
}

/// Returns the height of the lines above a row: its day, and "new messages".
fn lines_above(rows: &Rows, reading: &Reading, row: usize) -> i32 {
    let lines = [rows.begins_day(row), reading.is_first_new(rows, row)];
    DAY * lines.into_iter().map(i32::from).sum::<i32>()
}

/// Returns whether there is more to say about a message than its time; then it is said below it even within a run.
pub fn says_more(row: &Row, foreign: bool) -> bool {
    row.repeat || row.state.is_some_and(|state: SendState| !state.went_well()) || may_be_cut(row, foreign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::MessageId;

    fn row(id: i64, text: &str, state: Option<SendState>) -> Row {
        Row {
            id: MessageId(id),
            text: text.to_owned(),
            unix_ms: 0,
            came_ms: None,
            server_time: None,
            state,
            repeat: false,
            note: false,
        }
    }

    fn of(room: bool, all: &[Row]) -> (Layout, Rows, Reading) {
        let (mut rows, reading) = (Rows::default(), Reading::default());
        let mut layout = Layout::new(room, Advances::new(|text| 10.0 * text.chars().count() as f64));
        layout.set_width(400, &rows, &reading);
        for row in all {
            rows.push(row.clone());
            layout.push(&rows, &reading);
        }
        for row in 0..rows.len() {
            layout.measure(&rows, &reading, row);
        }
        (layout, rows, reading)
    }

    #[test]
    fn a_row_is_as_high_as_what_stands_in_it() {
        let line = bubble::height(1);
        let (layout, ..) = of(false, &[row(1, "a", None), row(2, "b", None)]);
        assert_eq!([0, 1].map(|n| layout.height(n)), [DAY + line + IN_RUN, line + FOOT + AFTER_RUN]);
        // In a room all writers are named except oneself.
        let (layout, ..) = of(true, &[row(1, "[b] a", None), row(2, "b", Some(SendState::Failed))]);
        let ends = line + FOOT + AFTER_RUN;
        assert_eq!([0, 1].map(|n| layout.height(n)), [DAY + AUTHOR + ends, ends]);
    }

    #[test]
    fn what_is_to_be_said_of_a_message_stands_under_it_within_a_run() {
        let failed = Some(SendState::Failed);
        let (layout, rows, reading) = of(false, &[row(1, "a", failed), row(2, "b", failed)]);
        let upper = layout.upper(&rows, &reading, 0).expect("laid out");
        assert_eq!((layout.height(0), layout.has_foot(&rows, 0)), (upper + IN_RUN + FOOT, true));
    }

    #[test]
    fn what_came_before_has_its_place_over_the_first() {
        let (mut layout, ..) = of(false, &[row(1, "a", None)]);
        assert_eq!(layout.lead(), EDGE);
        layout.set_earlier(Earlier::Offered);
        assert_eq!((layout.lead(), layout.stack().lead), (EDGE + HEAD, EDGE + HEAD));
    }
}
