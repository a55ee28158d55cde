//! Where each row stands, and drawing those in sight.
//!
//! Heights are estimated for all rows and exact for those that were drawn. The view hangs on an
//! anchor (the end, or a row and how far it is scrolled), so a height that turns out different moves
//! nothing that is looked at.

use std::collections::HashMap;
use std::ops::Range;

use fltk::draw;
use fltk::enums::Font;

use super::around::{DAY, Earlier, FOOT, HEAD, MARGIN, may_be_cut};
use super::bar::{self, Bar};
use super::bubble::{self, Bubble, PAD_X};
use super::heights::Heights;
use super::paint::Look;
use super::rows::Rows;
use super::wrap::Advances;
use crate::base::model::{MessageId, SendState};
use crate::client::history::{Row, RowMeta};
use crate::ui::gui::canvas::Canvas;
use crate::ui::gui::theme;

const EDGE: i32 = 8;
const AUTHOR: i32 = 18;
const IN_RUN: i32 = 3;
const AFTER_RUN: i32 = 10;
const MAX_SHARE: i32 = 74;
/// Layouts kept at most; a screen holds far fewer.
const LAID: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    End,
    Row { row: usize, above: i32 },
}

pub(super) struct Seen {
    pub(super) row: usize,
    pub(super) y: i32,
}

/// Where the button to the end stands, and what it counts.
pub(super) type Pill = ([i32; 4], usize);

pub struct View {
    pub(super) rows: Rows,
    pub(super) heights: Heights,
    pub(super) laid: HashMap<usize, Bubble>,
    pub(super) advances: Advances,
    pub(super) width: i32,
    pub(super) anchor: Anchor,
    pub(super) chosen: Option<usize>,
    pub(super) first_new: Option<MessageId>,
    pub(super) mark_next: bool,
    /// The last row that was looked at, or that was no news when the rows came.
    pub(super) looked_to: Option<MessageId>,
    pub(super) room: bool,
    pub(super) foreign: bool,
    /// What a room's writers are called here, by account.
    pub(super) names: HashMap<String, String>,
    /// The foot of the bubble with the ring, where its menu opens by keys.
    pub(super) ringed: Option<(i32, i32)>,
    /// What stands over the first row, and where that can be pressed.
    pub(super) earlier: Earlier,
    pub(super) head: Option<[i32; 4]>,
    /// Where the button to the end stands, if that is not in sight.
    pub(super) pill: Option<[i32; 4]>,
    pub(super) seen: Vec<Seen>,
    pub(super) links: Vec<([i32; 4], MessageId)>,
    pub(super) thumb: Option<i32>,
    pub(super) canvas: Canvas<Look>,
    /// In the picture: the bar and whether it is held, the button to the end and what it counts.
    pub(super) painted: (Option<(Bar, bool)>, Option<Pill>),
}

impl View {
    pub fn new(room: bool) -> Self {
        let advances = Advances::new(|text| {
            draw::set_font(Font::Helvetica, theme::BODY);
            draw::width(text)
        });
        Self {
            rows: Rows::default(),
            heights: Heights::default(),
            laid: HashMap::new(),
            advances,
            width: 0,
            anchor: Anchor::End,
            chosen: None,
            first_new: None,
            mark_next: false,
            looked_to: None,
            room,
            foreign: false,
            names: HashMap::new(),
            ringed: None,
            earlier: Earlier::No,
            head: None,
            pill: None,
            seen: Vec::new(),
            links: Vec::new(),
            thumb: None,
            canvas: Canvas::default(),
            painted: (None, None),
        }
    }

    pub fn set_index(&mut self, metas: Vec<RowMeta>) {
        // What the server had of before comes in above, and is no news.
        let unread = self.unread();
        let old = std::mem::replace(&mut self.rows, Rows::new(metas));
        // Whatever came before it, what is looked at stays.
        let now = |row: usize| self.rows.find(old.meta(row)?.id);
        self.chosen = self.chosen.and_then(now);
        let place = match self.anchor {
            Anchor::Row { row, above } => now(row).map(|row| (row, above)),
            Anchor::End => None,
        };
        self.count_unread(unread);
        self.estimate();
        self.anchor = place.map_or(Anchor::End, |(mut row, mut above)| {
            // Over the first row there was room; now there are others.
            while above < 0 && row > 0 {
                row -= 1;
                above += self.heights.height(row);
            }
            Anchor::Row { row, above }
        });
    }

    pub fn fill(&mut self, first: usize, rows: Vec<Row>) -> bool {
        let range = first..first + rows.len();
        self.laid.retain(|row, _| !range.contains(row));
        self.rows.fill(first, rows)
    }

    pub fn push(&mut self, row: Row) {
        let (id, own) = (row.id, row.state.is_some());
        if !self.rows.push(row) {
            return;
        }
        if std::mem::take(&mut self.mark_next) && !own {
            self.first_new = Some(id);
        }
        if own {
            // Whoever writes wants to see it.
            self.anchor = Anchor::End;
        }
        let new = self.rows.len() - 1;
        self.heights.push(self.estimated(new));
        // The row before may have ended a run until now.
        if let Some(before) = new.checked_sub(1) {
            self.measure(before);
        }
    }

    pub fn set_state(&mut self, id: MessageId, state: SendState) -> bool {
        let Some(row) = self.rows.set_state(id, state) else { return false };
        // The row before may end a run now, or no more.
        row.checked_sub(1).into_iter().for_each(|before| self.measure(before));
        self.measure(row);
        true
    }

    /// Whether that is something new.
    pub fn set_earlier(&mut self, earlier: Earlier) -> bool {
        std::mem::replace(&mut self.earlier, earlier) != earlier
    }

    pub fn earlier(&self) -> Earlier {
        self.earlier
    }

    /// Where the first row stands.
    pub(super) fn lead(&self) -> i32 {
        EDGE + if self.earlier == Earlier::No { 0 } else { HEAD }
    }

    /// Whether that is something new.
    pub fn set_foreign(&mut self, foreign: bool) -> bool {
        let new = std::mem::replace(&mut self.foreign, foreign) != foreign;
        self.repaint_if(new)
    }

    /// Whether that is something new.
    pub fn set_names(&mut self, names: HashMap<String, String>) -> bool {
        let new = self.names != names;
        self.names = names;
        self.repaint_if(new)
    }

    /// What changes how rows look leaves nothing of what was painted.
    fn repaint_if(&mut self, new: bool) -> bool {
        if new {
            self.canvas.forget();
        }
        new
    }

    /// Shows the first of the new messages at the top, or as near to it as the end allows.
    pub fn go_to_new(&mut self) {
        if let Some(row) = self.first_new.and_then(|id| self.rows.find(id)) {
            self.anchor = Anchor::Row { row, above: 0 };
        }
    }

    pub fn mark_new(&mut self, count: u64) {
        self.count_unread(count);
        let first = (self.unread_from()..self.rows.len()).filter_map(|row| self.rows.meta(row)).find(|m| !m.outgoing);
        self.first_new = first.map(|meta| meta.id);
        if let Some(row) = self.first_new.and_then(|id| self.rows.find(id)) {
            self.measure(row);
        }
    }

    /// Takes note that the last `count` messages of others were not looked at.
    fn count_unread(&mut self, count: u64) {
        self.looked_to = None;
        let mut left = count;
        for meta in (0..self.rows.len()).rev().filter_map(|row| self.rows.meta(row)) {
            if left == 0 {
                self.looked_to = Some(meta.id);
                break;
            }
            left -= u64::from(!meta.outgoing);
        }
    }

    pub fn mark_next(&mut self) {
        if let Some(row) = self.first_new.take().and_then(|id| self.rows.find(id)) {
            self.measure(row);
        }
        self.mark_next = true;
    }

    pub fn go_to_end(&mut self) {
        self.anchor = Anchor::End;
    }

    pub fn newest(&self) -> Option<MessageId> {
        Some(self.rows.meta(self.rows.len().checked_sub(1)?)?.id)
    }

    pub fn is_at_end(&self) -> bool {
        self.anchor == Anchor::End
    }

    /// The first row that was not looked at.
    fn unread_from(&self) -> usize {
        self.looked_to.and_then(|id| self.rows.find(id)).map_or(0, |row| row + 1)
    }

    /// Others' messages that were not looked at.
    pub fn unread(&self) -> u64 {
        let theirs =
            (self.unread_from()..self.rows.len()).filter(|row| self.rows.meta(*row).is_some_and(|m| !m.outgoing));
        u64::try_from(theirs.count()).unwrap_or(u64::MAX)
    }

    /// The last row in sight, at least half of it and with its text, if others' messages up to it were not looked at.
    fn newly_in_sight(&self, h: i32) -> Option<MessageId> {
        let in_sight =
            |seen: &&Seen| seen.y + self.heights.height(seen.row) / 2 <= h && self.rows.row(seen.row).is_some();
        let last = self.seen.iter().rev().find(in_sight)?.row;
        let mut news = (self.unread_from()..=last).filter_map(|row| self.rows.meta(row)).filter(|m| !m.outgoing);
        news.next().and_then(|_| self.rows.meta(last)).map(|meta| meta.id)
    }

    pub fn has_newly_in_sight(&self, h: i32) -> bool {
        self.newly_in_sight(h).is_some()
    }

    /// Somebody looks: how far that has come, if it has.
    pub fn look_at(&mut self, h: i32) -> Option<MessageId> {
        let to = self.newly_in_sight(h)?;
        self.looked_to = Some(to);
        Some(to)
    }

    /// Scrolls `by` pixels, downwards where positive, in a view that is `h` high.
    pub fn scroll(&mut self, by: i64, h: i32) {
        let top = self.top(h).saturating_add(by);
        self.go_to(top, h);
    }

    fn go_to(&mut self, top: i64, h: i32) {
        let last = self.content() - i64::from(h);
        if top >= last {
            self.anchor = Anchor::End;
            return;
        }
        let lead = self.lead();
        let (row, above) = self.heights.at(top.max(0) - i64::from(lead));
        let above = if top < i64::from(lead) { i32::try_from(top.max(0)).unwrap_or(0) - lead } else { small(above) };
        self.anchor = Anchor::Row { row, above };
    }

    fn content(&self) -> i64 {
        self.heights.total() + i64::from(self.lead() + EDGE)
    }

    fn top(&self, h: i32) -> i64 {
        match self.anchor {
            Anchor::End => (self.content() - i64::from(h)).max(0),
            Anchor::Row { row, above } => self.heights.top(row) + i64::from(above) + i64::from(self.lead()),
        }
    }

    // The chosen row.

    pub fn choose(&mut self, by: isize, h: i32) {
        let last = self.rows.len().saturating_sub(1);
        let start = self.seen.last().map_or(last, |seen| seen.row);
        let row = self.chosen.map_or(start, |row| row.saturating_add_signed(by).min(last));
        self.chosen = Some(row);
        let top = self.heights.top(row) + i64::from(self.lead());
        let bottom = top + i64::from(self.heights.height(row));
        if top < self.top(h) {
            self.go_to(top - i64::from(EDGE), h);
        } else if bottom > self.top(h) + i64::from(h) {
            self.go_to(bottom - i64::from(h), h);
        }
    }

    /// Chooses the last row in sight, if none is chosen.
    pub fn choose_any(&mut self, h: i32) {
        if self.chosen.is_none() && !self.rows.is_empty() {
            self.choose(0, h);
        }
    }

    pub fn choose_at(&mut self, y: i32) {
        self.chosen = self.seen.iter().rev().find(|seen| seen.y <= y).map(|seen| seen.row);
    }

    /// The chosen message: which, its text, whether it can be sent once more.
    pub fn chosen(&self) -> Option<(MessageId, String, bool)> {
        let row = self.rows.row(self.chosen?)?;
        Some((row.id, row.text.trim_end_matches('\n').to_owned(), row.state.is_some_and(SendState::can_resend)))
    }

    /// Where the menu of the chosen message opens by keys, if that is in sight.
    pub fn ringed(&self) -> Option<(i32, i32)> {
        self.ringed
    }

    pub fn link_at(&self, x: i32, y: i32) -> Option<MessageId> {
        self.links.iter().find(|(area, _)| inside(*area, x, y)).map(|(_, id)| *id)
    }

    pub fn head_at(&self, x: i32, y: i32) -> bool {
        self.head.is_some_and(|area| inside(area, x, y))
    }

    pub fn pill_at(&self, x: i32, y: i32) -> bool {
        self.pill.is_some_and(|area| inside(area, x, y))
    }

    /// Messages of others below what is in sight that were not looked at; a hundred may be more.
    pub fn new_below(&self) -> usize {
        let below = self.seen.last().map_or(0, |seen| seen.row + 1).max(self.unread_from());
        let theirs = |row: &usize| self.rows.meta(*row).is_some_and(|meta| !meta.outgoing);
        (below..self.rows.len().min(below + 1000)).filter(theirs).take(100).count()
    }

    pub fn text_of(&self, id: MessageId) -> Option<String> {
        Some(self.rows.row(self.rows.find(id)?)?.text.clone())
    }

    pub fn texts_in_sight(&self) -> Vec<String> {
        self.seen.iter().filter_map(|seen| self.rows.row(seen.row)).map(|row| row.text.clone()).collect()
    }

    // The scroll bar.

    pub(super) fn bar(&self, h: i32) -> Option<Bar> {
        Bar::of(h, self.content(), self.top(h))
    }

    pub fn take_thumb(&mut self, x: i32, y: i32, w: i32, h: i32) -> bool {
        let Some(bar) = self.bar(h).filter(|_| x > w - bar::WIDTH) else { return false };
        self.thumb = Some(bar.grab(y));
        self.drag_to(y, h);
        true
    }

    pub fn drag_to(&mut self, y: i32, h: i32) -> bool {
        let (Some(grabbed), Some(bar)) = (self.thumb, self.bar(h)) else { return false };
        self.go_to(bar.dragged(grabbed, y), h);
        true
    }

    pub fn drop_thumb(&mut self) -> bool {
        self.thumb.take().is_some()
    }

    // Layout.

    fn bubble_width(&self) -> i32 {
        (self.width - 2 * MARGIN) * MAX_SHARE / 100 - 2 * PAD_X
    }

    pub(super) fn estimate(&mut self) {
        self.laid.clear();
        let heights = (0..self.rows.len()).map(|row| self.estimated(row)).collect();
        self.heights = Heights::new(heights);
    }

    fn estimated(&self, row: usize) -> i32 {
        let Some(meta) = self.rows.meta(row) else { return 0 };
        let per_line = u32::try_from(self.bubble_width() / 11).unwrap_or(1).max(1);
        let lines = i32::try_from(meta.breaks.max(meta.chars / per_line) + 1).unwrap_or(i32::MAX / 64);
        self.around(row, false) + self.author(meta.outgoing) + bubble::height(lines)
    }

    pub(super) fn author(&self, outgoing: bool) -> i32 {
        if self.room && !outgoing { AUTHOR } else { 0 }
    }

    /// Everything of a row's height but its bubble.
    fn around(&self, row: usize, noteworthy: bool) -> i32 {
        let day = if self.rows.begins_day(row) { DAY } else { 0 };
        let new = if self.is_first_new(row) { DAY } else { 0 };
        if self.rows.is_note(row) {
            return day + new + AFTER_RUN;
        }
        let end = self.rows.ends_run(row);
        day + new + if end { FOOT + AFTER_RUN } else { IN_RUN + if noteworthy { FOOT } else { 0 } }
    }

    pub(super) fn is_first_new(&self, row: usize) -> bool {
        self.first_new.is_some() && self.rows.meta(row).map(|m| m.id) == self.first_new
    }

    /// Lays a row out, if its text is here; then its height is exact.
    pub(super) fn measure(&mut self, row: usize) {
        let Some(known) = self.rows.row(row) else { return };
        if self.width == 0 {
            return;
        }
        let noteworthy = says_more(known, self.foreign);
        let own = known.state.is_some();
        let bubble = match self.laid.get(&row) {
            Some(laid) => laid.height(),
            None => {
                let laid = Bubble::lay(&known.text, self.room && !own, self.bubble_width(), &mut self.advances);
                if self.laid.len() >= LAID {
                    self.laid.clear();
                }
                self.laid.entry(row).insert_entry(laid).get().height()
            }
        };
        let height = self.around(row, noteworthy) + self.author(own) + bubble;
        self.heights.set(row, height);
    }

    /// The rows in sight, exact.
    pub(super) fn look(&mut self, h: i32) -> Range<usize> {
        self.seen.clear();
        let n = self.rows.len();
        if let Anchor::Row { row, above } = self.anchor {
            let (mut row, mut y) = (row, -above);
            while row < n && y < h {
                self.measure(row);
                self.seen.push(Seen { row, y });
                y += self.heights.height(row);
                row += 1;
            }
            // The end stands higher than the foot: hang on the end instead.
            if row == n && y + EDGE < h {
                self.anchor = Anchor::End;
                self.seen.clear();
            }
        }
        if self.anchor == Anchor::End {
            let (mut row, mut y) = (n, h - EDGE);
            while row > 0 && y > 0 {
                row -= 1;
                self.measure(row);
                y -= self.heights.height(row);
                self.seen.push(Seen { row, y });
            }
            self.seen.reverse();
            let lead = self.lead();
            if row == 0 && y > lead {
                // Everything fits: from the top on.
                self.seen.iter_mut().for_each(|seen| seen.y -= y - lead);
            }
        }
        match (self.seen.first(), self.seen.last()) {
            (Some(first), Some(last)) => first.row..last.row + 1,
            _ => 0..0,
        }
    }
}

fn small(y: i64) -> i32 {
    i32::try_from(y).unwrap_or(i32::MAX / 2)
}

fn inside([left, top, w, h]: [i32; 4], x: i32, y: i32) -> bool {
    (left..left + w).contains(&x) && (top..top + h).contains(&y)
}

/// Whether there is more to say of a message than when it was sent: then it is said below it, also within a run.
pub fn says_more(row: &Row, foreign: bool) -> bool {
    row.repeat || row.state.is_some_and(|state| !state.went_well()) || may_be_cut(row, foreign)
}
