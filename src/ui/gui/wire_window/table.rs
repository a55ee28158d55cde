//! The datagrams as rows, and the chosen one in full below them; only rows in sight are drawn.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Color, Event, Font, FrameType, Shortcut};
use fltk::prelude::*;
use fltk::widget::Widget;
use rust_i18n::t;

use super::line::Line;
use super::rows::Rows;
use crate::client::session::Cause;
use crate::client::tap::{Direction, Record};
use crate::ui::gui::actions::{Action, Press, pressed};
use crate::ui::gui::bar::{Bar, WIDTH as BAR};
use crate::ui::gui::theme::{self, Palette};
use crate::ui::gui::widgets;

const ROW: i32 = 22;
const HEAD: i32 = 26;
/// The height of the chosen datagram in full: a line about it, and two lines of its bytes.
const DETAIL: i32 = 64;
/// A table lower than this has rows only.
const DETAIL_FROM: i32 = 240;

/// What a key does in the table; it is given whether the choice is extended, and how many rows are in sight.
type TableKey = Action<fn(&mut Rows, bool, usize)>;

/// The keys that work in the table.
pub(in crate::ui::gui) const KEYS: &[TableKey] = &[
    TableKey::new(&[Press::Up], "keys.rows", |rows, extend, page| rows.choose_by(-1, extend, page)),
    TableKey::new(&[Press::Down], "keys.rows", |rows, extend, page| rows.choose_by(1, extend, page)),
    TableKey::told(&[Press::Elsewhere("Shift")], "keys.rows"),
    TableKey::new(&[Press::Ctrl('a')], "keys.rows", |rows, _, _| rows.choose_all()),
    TableKey::new(&[Press::PageUp], "keys.far", |rows, extend, page| rows.choose_by(-whole(page), extend, page)),
    TableKey::new(&[Press::PageDown], "keys.far", |rows, extend, page| rows.choose_by(whole(page), extend, page)),
    TableKey::new(&[Press::Home], "keys.far", |rows, extend, page| rows.choose_by(isize::MIN, extend, page)),
    TableKey::new(&[Press::End], "keys.far", |rows, extend, page| {
        rows.choose_by(isize::MAX, extend, page);
        rows.scroll_by(isize::MAX, page);
    }),
];

fn whole(page: usize) -> isize {
    isize::try_from(page).unwrap_or(1)
}

#[derive(Default)]
struct View {
    rows: Rows,
    /// Which part of the scroll bar's thumb is held.
    thumb: Option<i32>,
}

/// The widget of the table.
#[derive(Clone)]
pub(super) struct Table {
    widget: Widget,
    view: Rc<RefCell<View>>,
}

impl Table {
    pub(super) fn new(x: i32, y: i32, w: i32, h: i32, records: &[Record]) -> Self {
        let mut widget = Widget::new(x, y, w, h, None);
        widget.set_frame(FrameType::FlatBox);
        widget.super_handle_first(false);
        let view: Rc<RefCell<View>> = Rc::default();
        records.iter().for_each(|record| view.borrow_mut().rows.push(Line::new(record.clone())));
        widget.draw({
            let view = Rc::clone(&view);
            move |w| view.borrow().draw(w)
        });
        widget.handle({
            let view = Rc::clone(&view);
            move |w, event| {
                // Taking the focus calls this handler again, so nothing may be borrowed yet.
                match event {
                    Event::Focus | Event::Unfocus => {
                        w.redraw();
                        return true;
                    }
                    Event::Push => drop(w.take_focus()),
                    _ => {}
                }
                let used = view.borrow_mut().handle(w, event);
                if used {
                    w.redraw();
                }
                used
            }
        });
        Self { widget, view }
    }

    pub(super) fn widget(&self) -> &Widget {
        &self.widget
    }

    pub(super) fn push(&mut self, record: &Record) {
        self.view.borrow_mut().rows.push(Line::new(record.clone()));
        // While paused there is nothing new to see.
        if self.held().is_none() {
            self.widget.redraw();
        }
    }

    /// Takes over everything from another table, in the present language: how far it was scrolled, the choice, the
    /// pause and the filter.
    pub(super) fn take_over(&mut self, other: &Self) {
        let mut view = self.view.borrow_mut();
        view.rows = std::mem::take(&mut other.view.borrow_mut().rows);
        view.rows.say_anew();
        self.widget.redraw();
    }

    pub(super) fn set_filter(&mut self, filter: &str) {
        self.view.borrow_mut().rows.set_filter(filter);
        self.widget.redraw();
    }

    pub(super) fn toggle_pause(&mut self) {
        self.view.borrow_mut().rows.toggle_pause();
        self.widget.redraw();
    }

    /// Returns how many datagrams are held back by a pause; `None` if there is no pause.
    pub(super) fn held(&self) -> Option<usize> {
        self.view.borrow().rows.held()
    }

    /// Copies the chosen rows, or all that are shown; returns their number.
    pub(super) fn copy(&self) -> usize {
        let (text, count) = self.view.borrow().rows.copied();
        if count > 0 {
            app::copy(&text);
            app::copy2(&text);
        }
        count
    }

    /// Returns all rows that are shown as text.
    pub(super) fn text(&self) -> String {
        self.view.borrow().rows.text()
    }
}

fn detail(h: i32) -> i32 {
    if h < DETAIL_FROM { 0 } else { DETAIL }
}

/// Returns how many rows are completely in sight.
fn page(h: i32) -> usize {
    usize::try_from((h - HEAD - detail(h)) / ROW).unwrap_or(0).max(1)
}

impl View {
    fn handle(&mut self, w: &Widget, event: Event) -> bool {
        let (x, y) = (app::event_x() - w.x(), app::event_y() - w.y() - HEAD);
        let page = page(w.h());
        match event {
            Event::MouseWheel => {
                self.rows.scroll_by(isize::try_from(app::event_dy_value() * 3).unwrap_or(0), page);
                true
            }
            Event::Push => {
                match self.bar(w.h()) {
                    Some(bar) if x > w.w() - BAR - 4 => {
                        self.thumb = Some(bar.grab(y));
                        self.drag_thumb(y, w.h());
                    }
                    _ => match self.row_at(y, page) {
                        Some(row) => self.rows.choose(row, app::event_state().contains(Shortcut::Shift), page),
                        None => self.rows.choose_none(),
                    },
                }
                true
            }
            Event::Drag if self.thumb.is_some() => {
                self.drag_thumb(y, w.h());
                true
            }
            Event::Drag => {
                // Beyond the edge, each movement brings the next row into sight.
                let row = match usize::try_from(y / ROW) {
                    Ok(row) if y >= 0 => self.rows.top(page) + row.min(page),
                    _ => self.rows.top(page).saturating_sub(1),
                };
                if self.rows.chosen().is_some() {
                    self.rows.choose(row, true, page);
                }
                true
            }
            Event::Released => {
                self.thumb = None;
                true
            }
            Event::KeyDown => {
                let extend = app::event_state().contains(Shortcut::Shift);
                pressed(KEYS, false).inspect(|does| does(&mut self.rows, extend, page)).is_some()
            }
            _ => false,
        }
    }

    fn row_at(&self, y: i32, page: usize) -> Option<usize> {
        let row = self.rows.top(page) + usize::try_from(y / ROW).ok().filter(|_| y >= 0)?;
        (row < self.rows.len() && row < self.rows.top(page) + page).then_some(row)
    }

    /// Returns the scroll bar, from the first row. Rows that are not completely in sight count as hidden.
    fn bar(&self, h: i32) -> Option<Bar> {
        let (page, room) = (page(h), i64::from(h - HEAD - detail(h)));
        let hidden = self.rows.len().checked_sub(page).filter(|hidden| *hidden > 0)?;
        Bar::of(i32::try_from(room).ok()?, room + pixels(hidden), pixels(self.rows.top(page)))
    }

    fn drag_thumb(&mut self, y: i32, h: i32) {
        let Some((held, bar)) = self.thumb.zip(self.bar(h)) else { return };
        let row = bar.dragged(held, y) / i64::from(ROW);
        self.rows.scroll_to(usize::try_from(row).unwrap_or(0), page(h));
    }

    fn draw(&self, w: &mut Widget) {
        let colours = theme::palette();
        let page = page(w.h());
        let chosen = self.rows.chosen();
        let middle = (w.w() - 140 - 84).max(200);
        let columns = [14, 112, 140, 140 + middle * 2 / 5, w.w() - 84];
        draw::push_clip(w.x(), w.y(), w.w(), w.h());
        draw::draw_rect_fill(w.x(), w.y(), w.w(), w.h(), colours.surface);
        let heads = [t!("wirewin.time"), "".into(), t!("wirewin.meaning"), t!("wirewin.bytes")];
        for (head, x) in heads.iter().zip(columns) {
            write(head, w.x() + x, w.y() + 18, Font::Helvetica, colours.dim);
        }
        right("RTT", w.x() + w.w() - BAR - 12, w.y() + 18, Font::Helvetica, colours.dim);
        rule(w, w.y() + HEAD - 1, colours);
        let first = self.rows.top(page);
        let mut y = w.y() + HEAD;
        for row in first..(first + page).min(self.rows.len()) {
            let Some(line) = self.rows.line(row) else { continue };
            if chosen.as_ref().is_some_and(|chosen| chosen.contains(&row)) {
                draw::draw_rect_fill(w.x(), y, w.w(), ROW, colours.selected);
            }
            if w.has_focus() && self.rows.cursor() == Some(row) {
                draw::draw_rect_fill(w.x(), y, 3, ROW, colours.accent);
            }
            let ink = if is_again(line) { colours.error } else { colours.text };
            let cell = |text: &str, column: usize, font: Font, ink: Color| {
                let (Some(x), next) = (columns.get(column), columns.get(column + 1).copied().unwrap_or(w.w())) else {
                    return;
                };
                draw::set_font(font, theme::SMALL);
                write(&widgets::fit(text, next - x - 8), w.x() + x, y + 16, font, ink);
            };
            cell(&line.time, 0, Font::Courier, ink);
            cell(line.arrow, 1, Font::Helvetica, arrow_ink(line, colours));
            cell(&line.meaning, 2, Font::Helvetica, ink);
            cell(&line.bytes, 3, Font::Courier, ink);
            right(&line.after, w.x() + w.w() - BAR - 12, y + 16, Font::Courier, ink);
            y += ROW;
        }
        if self.rows.is_empty() {
            let nothing = if self.rows.nothing_came() { t!("wirewin.empty") } else { t!("wirewin.no_match") };
            let high = w.h() - HEAD - detail(w.h());
            widgets::centred(&nothing, w.x(), w.y() + HEAD, w.w(), high, theme::SMALL, colours.dim);
        }
        if let Some(bar) = self.bar(w.h()) {
            bar.draw([w.x(), w.y() + HEAD, w.w()], self.thumb.is_some());
        }
        if detail(w.h()) > 0 {
            self.draw_detail(w, w.y() + w.h() - DETAIL, colours);
        }
        if w.has_focus() {
            widgets::ring(w.x() + 1, w.y() + HEAD, w.w() - 2, w.h() - HEAD - detail(w.h()) - 1);
        }
        draw::pop_clip();
    }

    /// Draws what the row has no room for: the size, the encoding, and more of the bytes.
    fn draw_detail(&self, w: &Widget, y: i32, colours: &Palette) {
        rule(w, y, colours);
        let count = self.rows.chosen().map_or(0, Iterator::count);
        let (1, Some(line)) = (count, self.rows.cursor().and_then(|row| self.rows.line(row))) else {
            let say = if count > 1 { t!("wirewin.several", n = count) } else { t!("wirewin.table_keys") };
            write(&say, w.x() + 14, y + 18, Font::Helvetica, colours.dim);
            return;
        };
        let mut about = t!("wirewin.size", n = line.record.bytes.len()).into_owned();
        if !line.charset.is_empty() {
            about.push_str(" · ");
            about.push_str(line.charset);
        }
        about.push_str(" · ");
        about.push_str(&line.meaning);
        draw::set_font(Font::Helvetica, theme::SMALL);
        write(&widgets::fit(&about, w.w() - 28), w.x() + 14, y + 18, Font::Helvetica, colours.dim);
        draw::set_font(Font::Courier, theme::SMALL);
        let (one, two) = split_at_width(&line.bytes, w.w() - 28);
        write(one, w.x() + 14, y + 37, Font::Courier, colours.text);
        write(&widgets::fit(two, w.w() - 28), w.x() + 14, y + 55, Font::Courier, colours.text);
    }
}

/// Splits a text after as much as fits into this width in the current font.
fn split_at_width(text: &str, room: i32) -> (&str, &str) {
    use unicode_segmentation::UnicodeSegmentation;
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
    let fits = |at: &usize| draw::width(text.get(..*at).unwrap_or_default()) <= f64::from(room);
    let end = ends.partition_point(fits).checked_sub(1).and_then(|i| ends.get(i)).copied();
    text.split_at_checked(end.unwrap_or(0)).unwrap_or((text, ""))
}

/// Returns the height of this many rows.
fn pixels(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(ROW.into())
}

fn is_again(line: &Line) -> bool {
    matches!(line.record.way, Direction::Out(Cause::Again(_) | Cause::Fence))
}

fn arrow_ink(line: &Line, colours: &Palette) -> Color {
    match line.record.way {
        _ if is_again(line) => colours.error,
        Direction::Out(_) | Direction::Said => colours.accent,
        Direction::In | Direction::Heard => colours.ok,
    }
}

pub(super) fn write(text: &str, x: i32, y: i32, font: Font, ink: Color) {
    draw::set_font(font, theme::SMALL);
    draw::set_draw_color(ink);
    draw::draw_text(text, x, y);
}

/// Draws a text that ends at `x`.
pub(super) fn right(text: &str, x: i32, y: i32, font: Font, ink: Color) {
    draw::set_font(font, theme::SMALL);
    draw::set_draw_color(ink);
    draw::draw_text(text, x - draw::width(text).ceil() as i32, y);
}

pub(super) fn rule<W: WidgetExt>(w: &W, y: i32, colours: &Palette) {
    draw::set_draw_color(colours.line);
    draw::draw_xyline(w.x(), y, w.x() + w.w() - 1);
}
