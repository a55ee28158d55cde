//! Draws the rows in sight into a picture, and only those parts that have changed.

use fltk::draw;
use fltk::enums::Font;
use rust_i18n::t;

use super::bubble::{Bubble, Edge};
use super::captions::{DAY, HEAD, MARGIN, centred_line, day, earlier, foot};
use super::rows::PAGE;
use super::scrolling::Seen;
use super::sight::Area;
use super::view::View;
use crate::base::model::{MessageId, SendState, names};
use crate::base::shown;
use crate::client::history::Row;
use crate::ui::gui::bar;
use crate::ui::gui::canvas::{Canvas, Painted, joined, link_of};
use crate::ui::gui::theme;

/// The two pieces of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The lines above the bubble, and the bubble.
    Bubble,
    /// The time, and how far the message has come.
    Foot,
}

/// Everything that decides how a piece looks, except the text; if a text changes, everything is painted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    id: MessageId,
    piece: Piece,
    own: bool,
    /// Whether the line with a day and the line "new messages" are above it.
    lines: [bool; 2],
    ring: bool,
    /// Whether its text is here.
    laid: bool,
    /// Whether the time is below it.
    foot: bool,
    state: Option<SendState>,
    repeat: bool,
}

/// What was painted last.
#[derive(Default)]
pub(super) struct Painting {
    canvas: Canvas<Look>,
    /// The button to the end as it was painted.
    pill: Option<Pill>,
}

/// The button to the end: its place in the view, and its number.
type Pill = (Area, usize);

impl Painting {
    /// Makes everything be painted anew.
    pub(super) fn forget(&mut self) {
        self.canvas.forget();
    }

    /// Returns the bands that the button covers or has covered, if they must be painted anew after everything has moved
    /// by `shift`.
    fn under_pill(&self, pill: Option<Pill>, shift: i32, h: i32) -> Vec<[i32; 2]> {
        if self.pill == pill && (pill.is_none() || shift == 0) {
            return Vec::new();
        }
        let moved = self.pill.map(|([_, top, _, high], _)| (top + shift, high));
        let places = [moved, pill.map(|([_, top, _, high], _)| (top, high))];
        let bands = places.into_iter().flatten().map(|(top, high)| [top.max(0), (top + high).min(h)]);
        bands.filter(|[from, to]| from < to).collect()
    }
}

impl View {
    /// Draws what is in sight, on the screen of this number; returns the pages to ask for.
    pub fn draw(&mut self, [x, y, w, h]: Area, focus: bool, screen: i32) -> Vec<usize> {
        self.look(w, h);
        let mut rows: Vec<Painted<Look>> = self.sight.rows.iter().flat_map(|seen| self.pieces(seen, focus)).collect();
        let mut begun = self.painting.canvas.begin([x, y, w, h], screen, w - bar::WIDTH, &rows, false);
        if begun.is_new {
            self.painting.pill = None;
        }
        let new = self.new_below();
        let pill = (!self.is_at_end()).then(|| (super::pill::place(w - bar::WIDTH, h, new), new));
        let mut bands = std::mem::take(&mut begun.bands);
        bands.extend(self.painting.under_pill(pill, begun.shift, h));
        // What has stayed or moved can be pressed where it is now.
        for row in &mut rows {
            row.link = link_of(&self.painting.canvas.rows, &row.look);
        }
        self.sight.head = None;
        for band in joined(bands) {
            self.paint([begun.left, begun.top, w - bar::WIDTH], band, &mut rows, pill);
        }
        let bar = self.scrolling.bar(self.layout.stack(), h).map(|bar| (bar, self.scrolling.is_held()));
        self.painting.canvas.bar(&begun, [w, h], bar);
        self.sight.head = self.sight.head.map(|[left, top, w, h]| [left - begun.left, top - begun.top, w, h]);
        self.place([x, y, w], focus, &rows, pill);
        self.painting.canvas.end(&begun, [x, y, w, h], rows);
        self.painting.pill = pill;
        self.pages_to_ask_for()
    }

    /// Finds the rows in sight of a view of this size, with exact heights.
    fn look(&mut self, w: i32, h: i32) {
        let Self { rows, reading, layout, scrolling, .. } = self;
        layout.set_width(w, rows, reading);
        let lead = layout.lead();
        self.sight.rows = scrolling.in_sight(rows.len(), lead, h, |row| layout.measure(rows, reading, row));
    }

    /// Works out where in the window the painted parts can be pressed, for a view at `x` and `y` of this width.
    fn place(&mut self, [x, y, w]: [i32; 3], focus: bool, rows: &[Painted<Look>], pill: Option<Pill>) {
        let placed = |[left, top, w, h]: Area| [x + left, y + top, w, h];
        let link = |row: &Painted<Look>| {
            let [left, top, w, h] = row.link?;
            Some((placed([left, row.y + top, w, h]), row.look.id))
        };
        self.sight.links = rows.iter().filter_map(link).collect();
        let ringed = self.chosen.filter(|_| focus).and_then(|row| self.foot_of(row, w));
        self.sight.ringed = ringed.map(|(at, down)| (x + at, y + down));
        self.sight.head = self.sight.head.map(placed);
        self.sight.pill = pill.map(|(place, _)| placed(place));
    }

    /// Returns the missing pages of what is in sight and of one more page on each side, so that scrolling finds them
    /// ready.
    fn pages_to_ask_for(&mut self) -> Vec<usize> {
        let (Some(first), Some(last)) = (self.sight.rows.first(), self.sight.last()) else {
            return Vec::new();
        };
        let wide = first.row.saturating_sub(PAGE / 2)..(last + 1 + PAGE / 2).min(self.rows.len());
        self.rows.missing(wide)
    }

    /// Returns how a row is to look, and where.
    fn pieces(&self, seen: &Seen, focus: bool) -> Vec<Painted<Look>> {
        let row = seen.row;
        let Some(meta) = self.rows.meta(row) else { return Vec::new() };
        let known = self.rows.row(row);
        let state = known.and_then(|known| known.state);
        let height = self.layout.height(row);
        let laid = known.is_some() && self.layout.bubble(row).is_some();
        let upper = if laid { self.layout.upper(&self.rows, &self.reading, row).unwrap_or(height) } else { height };
        let bubble = Look {
            id: meta.id,
            piece: Piece::Bubble,
            own: state.is_some(),
            lines: [self.rows.begins_day(row), self.reading.is_first_new(&self.rows, row)],
            ring: focus && self.chosen == Some(row),
            laid,
            foot: false,
            state: None,
            repeat: false,
        };
        let foot = Look {
            piece: Piece::Foot,
            lines: [false; 2],
            ring: false,
            foot: self.layout.has_foot(&self.rows, row),
            state,
            repeat: known.is_some_and(|known| known.repeat),
            ..bubble.clone()
        };
        let piece = |look, y, height| Painted { look, y, height, link: None };
        vec![piece(bubble, seen.y, upper), piece(foot, seen.y + upper, height - upper)]
    }

    /// Returns where the bubble of a row in sight ends, for its menu.
    fn foot_of(&self, row: usize, w: i32) -> Option<(i32, i32)> {
        let seen = self.sight.rows.iter().find(|seen| seen.row == row)?;
        let (known, laid) = (self.rows.row(row)?, self.layout.bubble(row)?);
        Some((left_of(known, laid, w), seen.y + self.layout.upper(&self.rows, &self.reading, row)?))
    }

    /// Paints what is between two heights of a view at `x` and `y`, of this width without its scroll bar.
    fn paint(&mut self, [x, y, w]: [i32; 3], [from, to]: [i32; 2], rows: &mut [Painted<Look>], pill: Option<Pill>) {
        draw::push_clip(x, y + from, w, to - from);
        draw::draw_rect_fill(x, y + from, w, to - from, theme::palette().bg);
        let first = self.sight.rows.first().map_or((0, self.layout.lead()), |seen| (seen.row, seen.y));
        if first.0 == 0 && first.1 > from {
            self.sight.head = earlier(self.layout.earlier(), x, y + first.1 - HEAD, w + bar::WIDTH);
        }
        for row in rows.iter_mut().filter(|row| row.y < to && row.y + row.height > from) {
            if let Some(index) = self.rows.find(row.look.id) {
                let (at, wide) = (y + row.y, w + bar::WIDTH);
                let link = match row.look.piece {
                    Piece::Bubble => self.draw_bubble(index, x, at, wide, row.look.ring),
                    Piece::Foot if row.look.foot => self.draw_foot(index, x, at, wide),
                    Piece::Foot => None,
                };
                row.link = link.map(|[left, top, w, h]| [left - x, top - y - row.y, w, h]);
            }
        }
        if let Some(([left, top, ..], new)) = pill {
            super::pill::draw(x + left, y + top, new);
        }
        draw::pop_clip();
    }

    /// Draws a bubble and what is above it; nothing there can be pressed.
    fn draw_bubble(&self, index: usize, x: i32, mut y: i32, w: i32, ring: bool) -> Option<Area> {
        let colours = theme::palette();
        let meta = self.rows.meta(index).copied()?;
        if self.rows.begins_day(index) {
            centred_line(&day(meta.unix_ms), x, y, w, colours.dim, None);
            y += DAY;
        }
        if self.reading.is_first_new(&self.rows, index) {
            centred_line(&t!("chat.new"), x, y, w, colours.accent, Some(colours.accent));
            y += DAY;
        }
        let (row, laid) = (self.rows.row(index)?, self.layout.bubble(index)?);
        let own = row.state.is_some();
        if let Some(author) = &laid.author {
            draw::set_font(Font::Helvetica, theme::SMALL);
            let disc = super::super::widgets::disc_colour(author, None);
            draw::set_draw_color(super::super::ink::legible(disc, colours.text, colours.bg));
            let name =
                self.names.get(author).map_or_else(|| names::shown(author).into_owned(), |name| shown::line(name));
            draw::draw_text(&name, x + MARGIN, y + 13);
        }
        y += self.layout.author(own);
        let edge = if ring {
            Edge::Ring
        } else if row.note {
            Edge::Note
        } else if own {
            Edge::None
        } else {
            Edge::Line
        };
        laid.draw(x + left_of(row, laid, w), y, own, edge);
        None
    }

    /// Draws what is below a bubble; returns where "resend" can be pressed.
    fn draw_foot(&self, index: usize, x: i32, y: i32, w: i32) -> Option<Area> {
        let row = self.rows.row(index)?;
        foot(row, self.layout.foreign(), x, y, w)
    }
}

/// Returns the left edge of a row's bubble in a view of this width.
fn left_of(row: &Row, laid: &Bubble, w: i32) -> i32 {
    if row.note {
        (w - laid.width) / 2
    } else if row.state.is_some() {
        w - MARGIN - laid.width
    } else {
        MARGIN
    }
}
