//! How high each row is: estimated for all rows, exact for those that were drawn.

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
/// Layouts kept at most; a screen holds far fewer.
const LAID: usize = 512;

/// The heights, and the bubbles that were laid out.
pub struct Layout {
    heights: Heights,
    laid: HashMap<usize, Bubble>,
    advances: Advances,
    width: i32,
    /// Others' messages begin with their writer's name.
    room: bool,
    /// The server may cut one's own texts at `#`.
    foreign: bool,
    earlier: Earlier,
}

impl Layout {
    /// Of no row yet; of a `room` or of two. `advances` says how wide texts are.
    pub fn new(room: bool, advances: Advances) -> Self {
        let heights = Heights::default();
        Self { heights, laid: HashMap::new(), advances, width: 0, room, foreign: false, earlier: Earlier::No }
    }

    /// Whether the server may cut one's own texts at `#`, of which those say so that it may have cut.
    pub fn foreign(&self) -> bool {
        self.foreign
    }

    /// Changes that; whether it is something new.
    pub fn set_foreign(&mut self, foreign: bool) -> bool {
        std::mem::replace(&mut self.foreign, foreign) != foreign
    }

    /// What stands over the first row.
    pub fn earlier(&self) -> Earlier {
        self.earlier
    }

    /// Changes that; whether it is something new.
    pub fn set_earlier(&mut self, earlier: Earlier) -> bool {
        std::mem::replace(&mut self.earlier, earlier) != earlier
    }

    /// Where the first row stands.
    pub fn lead(&self) -> i32 {
        EDGE + if self.earlier == Earlier::No { 0 } else { HEAD }
    }

    /// Where all rows stand.
    pub fn stack(&self) -> Stack<'_> {
        Stack { heights: &self.heights, lead: self.lead() }
    }

    /// All heights.
    pub fn heights(&self) -> &Heights {
        &self.heights
    }

    /// How high a row is.
    pub fn height(&self, row: usize) -> i32 {
        self.heights.height(row)
    }

    /// A row's bubble, if it is laid out.
    pub fn bubble(&self, row: usize) -> Option<&Bubble> {
        self.laid.get(&row)
    }

    /// The view is so wide now.
    pub fn set_width(&mut self, width: i32, rows: &Rows, reading: &Reading) {
        if self.width != width {
            self.width = width;
            self.estimate(rows, reading);
        }
    }

    /// All rows are others.
    pub fn estimate(&mut self, rows: &Rows, reading: &Reading) {
        self.laid.clear();
        let heights = (0..rows.len()).map(|row| self.estimated(rows, reading, row)).collect();
        self.heights = Heights::new(heights);
    }

    /// The texts of these rows have come.
    pub fn forget(&mut self, range: &std::ops::Range<usize>) {
        self.laid.retain(|row, _| !range.contains(row));
    }

    /// All texts may be others; each row is as high as it was until it is laid out anew.
    pub fn forget_all(&mut self) {
        self.laid.clear();
    }

    /// One more row stands at the end.
    pub fn push(&mut self, rows: &Rows, reading: &Reading) {
        let Some(new) = rows.len().checked_sub(1) else { return };
        self.heights.push(self.estimated(rows, reading, new));
        // The row before may have ended a run until now.
        if let Some(before) = new.checked_sub(1) {
            self.measure(rows, reading, before);
        }
    }

    /// Lays a row out, if its text is here; then its height is exact. How high it is.
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

    /// How high the bubble of a text is.
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

    /// How high the writer's name over a bubble is.
    pub fn author(&self, outgoing: bool) -> i32 {
        if self.room && !outgoing { AUTHOR } else { 0 }
    }

    /// Everything of a row's height but its bubble and writer.
    fn captions(&self, rows: &Rows, reading: &Reading, row: usize, noteworthy: bool) -> i32 {
        let above = lines_above(rows, reading, row);
        if rows.is_note(row) {
            return above + AFTER_RUN;
        }
        above + if rows.ends_run(row) { FOOT + AFTER_RUN } else { IN_RUN + if noteworthy { FOOT } else { 0 } }
    }

    /// How high a row is without its foot, if its text is here.
    pub fn upper(&self, rows: &Rows, reading: &Reading, row: usize) -> Option<i32> {
        let (known, laid) = (rows.row(row)?, self.laid.get(&row)?);
        Some(lines_above(rows, reading, row) + self.author(known.state.is_some()) + laid.height())
    }

    /// Whether something stands under a row.
    pub fn has_foot(&self, rows: &Rows, row: usize) -> bool {
        !rows.is_note(row) && rows.ends_run(row) || rows.row(row).is_some_and(|known| says_more(known, self.foreign))
    }
}

/// How high the lines over a row are: of its day, and of the new messages.
fn lines_above(rows: &Rows, reading: &Reading, row: usize) -> i32 {
    let lines = [rows.begins_day(row), reading.is_first_new(rows, row)];
    DAY * lines.into_iter().map(i32::from).sum::<i32>()
}

/// Whether there is more to say of a message than when it was sent: then it is said below it, also within a run.
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
        // Whoever writes in a room is named, but for oneself.
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
