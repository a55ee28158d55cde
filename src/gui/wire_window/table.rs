//! The datagrams as rows; only those in sight are drawn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use chrono::{Local, TimeZone};
use fltk::app;
use fltk::draw;
use fltk::enums::{Color, Event, Font, FrameType, Key};
use fltk::prelude::*;
use fltk::widget::Widget;
use rust_i18n::t;

use crate::gui::{theme, widgets};
use crate::session::Cause;
use crate::tap::{Record, Way};
use crate::wire::show;

const ROW: i32 = 22;
const HEAD: i32 = 26;
/// Rows kept while the window is open.
const KEPT: usize = 10_000;

struct Line {
    time: String,
    arrow: &'static str,
    way: Way,
    meaning: String,
    bytes: String,
    rtt: String,
}

#[derive(Default)]
struct View {
    lines: VecDeque<Line>,
    /// What passes the filter, by place in `lines`.
    shown: Vec<usize>,
    filter: String,
    paused: bool,
    /// The first row in sight; none at the end.
    top: Option<usize>,
    chosen: Option<usize>,
}

/// The widget.
#[derive(Clone)]
pub(super) struct Table {
    widget: Widget,
    view: Rc<RefCell<View>>,
}

impl Table {
    pub(super) fn new(x: i32, y: i32, w: i32, h: i32, records: Vec<Record>) -> Self {
        let mut widget = Widget::new(x, y, w, h, None);
        widget.set_frame(FrameType::FlatBox);
        widget.super_handle_first(false);
        let view: Rc<RefCell<View>> = Rc::default();
        view.borrow_mut().lines = records.iter().map(line).collect();
        view.borrow_mut().sift();
        widget.draw({
            let view = Rc::clone(&view);
            move |w| view.borrow_mut().draw(w)
        });
        widget.handle({
            let view = Rc::clone(&view);
            move |w, event| {
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

    pub(super) fn push(&mut self, record: Record) {
        let mut view = self.view.borrow_mut();
        if view.paused {
            return;
        }
        if view.lines.len() == KEPT {
            view.lines.pop_front();
            view.lines.push_back(line(&record));
            view.sift();
        } else {
            let line = line(&record);
            if passes(&line, &view.filter) {
                let place = view.lines.len();
                view.shown.push(place);
            }
            view.lines.push_back(line);
        }
        self.widget.redraw();
    }

    pub(super) fn set_filter(&mut self, filter: &str) {
        let mut view = self.view.borrow_mut();
        view.filter = filter.trim().to_lowercase();
        view.sift();
        self.widget.redraw();
    }

    /// Whether it is paused now.
    pub(super) fn toggle_pause(&mut self) -> bool {
        let mut view = self.view.borrow_mut();
        view.paused = !view.paused;
        view.paused
    }

    /// The chosen row, or all that are shown, as text.
    pub(super) fn copy(&self) {
        let view = self.view.borrow();
        let chosen = view.chosen.and_then(|row| view.shown.get(row)).and_then(|i| view.lines.get(*i));
        let text = chosen.map_or_else(|| view.text(), text_of);
        app::copy(&text);
        app::copy2(&text);
    }

    /// All that is shown, as text.
    pub(super) fn text(&self) -> String {
        self.view.borrow().text()
    }
}

fn line(record: &Record) -> Line {
    let locale = rust_i18n::locale();
    let time = Local.timestamp_millis_opt(record.unix_ms).earliest();
    let time = time.map_or_else(String::new, |t| t.format("%H:%M:%S%.3f").to_string());
    let (arrow, meaning, rtt) = match record.way {
        Way::Out(cause) => {
            let meaning = show::request(&record.bytes, &locale);
            match cause {
                Cause::First => ("→", meaning, None),
                Cause::Again(n) => ("⟳", t!("wirewin.again", n = n, what = meaning).into_owned(), None),
                Cause::Fence => ("⟳", t!("wirewin.fence", what = meaning).into_owned(), None),
                Cause::ByHand => ("→", t!("wirewin.sent_by_hand", what = meaning).into_owned(), None),
            }
        }
        Way::In(rtt) => ("←", show::reply(&record.bytes, &locale), rtt),
    };
    let rtt = rtt.map_or_else(String::new, |rtt| match rtt.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.01 => format!("{:.0} ms", s * 1e3),
        s => format!("{:.1} ms", s * 1e3),
    });
    Line { time, arrow, way: record.way, meaning, bytes: readable(&record.bytes), rtt }
}

/// Text as text, in GBK too; what is neither, escaped.
fn readable(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes).unwrap_or_default(),
    };
    if text.is_empty() && !bytes.is_empty() {
        return bytes.escape_ascii().to_string();
    }
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(plain).collect()
}

fn passes(line: &Line, filter: &str) -> bool {
    match filter.strip_prefix("op:") {
        Some(operation) => line.bytes.starts_with(operation.trim()),
        None => {
            filter.is_empty()
                || line.bytes.to_lowercase().contains(filter)
                || line.meaning.to_lowercase().contains(filter)
        }
    }
}

fn text_of(line: &Line) -> String {
    format!("{} {} {}\t{}\t{}\n", line.time, line.arrow, line.bytes, line.meaning, line.rtt)
}

impl View {
    fn sift(&mut self) {
        let passing = self.lines.iter().enumerate().filter(|(_, line)| passes(line, &self.filter));
        self.shown = passing.map(|(i, _)| i).collect();
        self.chosen = None;
        self.top = None;
    }

    fn text(&self) -> String {
        self.shown.iter().filter_map(|i| self.lines.get(*i)).map(text_of).collect()
    }

    fn rows(h: i32) -> usize {
        usize::try_from((h - HEAD) / ROW).unwrap_or(0).max(1)
    }

    fn first(&self, h: i32) -> usize {
        let last = self.shown.len().saturating_sub(Self::rows(h));
        self.top.map_or(last, |top| top.min(last))
    }

    fn scroll(&mut self, by: isize, h: i32) {
        let last = self.shown.len().saturating_sub(Self::rows(h));
        let top = self.first(h).saturating_add_signed(by);
        self.top = (top < last).then_some(top);
    }

    fn choose(&mut self, by: isize, h: i32) {
        let last = self.shown.len().saturating_sub(1);
        let row = self.chosen.map_or(last, |row| row.saturating_add_signed(by).min(last));
        self.chosen = Some(row);
        let first = self.first(h);
        if row < first {
            self.top = Some(row);
        } else if row >= first + Self::rows(h) {
            self.scroll(isize::try_from(row + 1 - first - Self::rows(h)).unwrap_or(0), h);
        }
    }

    fn handle(&mut self, w: &mut Widget, event: Event) -> bool {
        let h = w.h();
        let page = isize::try_from(Self::rows(h)).unwrap_or(1);
        match event {
            Event::Focus | Event::Unfocus => true,
            Event::MouseWheel => {
                self.scroll(isize::try_from(app::event_dy_value() * 3).unwrap_or(0), h);
                true
            }
            Event::Push => {
                let _ = w.take_focus();
                let row = usize::try_from((app::event_y() - w.y() - HEAD) / ROW).unwrap_or(0) + self.first(h);
                let inside = app::event_y() > w.y() + HEAD && row < self.shown.len();
                self.chosen = inside.then_some(row);
                true
            }
            Event::KeyDown => {
                match app::event_key() {
                    Key::Up => self.choose(-1, h),
                    Key::Down => self.choose(1, h),
                    Key::PageUp => self.scroll(-page, h),
                    Key::PageDown => self.scroll(page, h),
                    Key::Home => self.top = Some(0),
                    Key::End => self.top = None,
                    _ => return false,
                }
                true
            }
            _ => false,
        }
    }

    fn draw(&mut self, w: &mut Widget) {
        let colours = theme::palette();
        draw::push_clip(w.x(), w.y(), w.w(), w.h());
        draw::draw_rect_fill(w.x(), w.y(), w.w(), w.h(), colours.surface);
        let middle = (w.w() - 14 - 140 - 84).max(200);
        let columns = [14, 112, 140, 140 + middle * 2 / 5, w.w() - 84];
        let heads = ["wirewin.time", "", "wirewin.meaning", "wirewin.bytes", "RTT"];
        draw::set_font(Font::Helvetica, theme::SMALL);
        draw::set_draw_color(colours.dim);
        for (head, x) in heads.iter().zip(columns) {
            let head = if head.contains('.') { t!(*head) } else { (*head).into() };
            draw::draw_text(&head, w.x() + x, w.y() + 18);
        }
        draw::set_draw_color(colours.line);
        draw::draw_xyline(w.x(), w.y() + HEAD - 1, w.x() + w.w());
        let first = self.first(w.h());
        let mut y = w.y() + HEAD;
        for (row, i) in self.shown.iter().enumerate().skip(first).take(Self::rows(w.h()) + 1) {
            let Some(line) = self.lines.get(*i) else { continue };
            if self.chosen == Some(row) {
                draw::draw_rect_fill(w.x(), y, w.w(), ROW, colours.selected);
            }
            let again = matches!(line.way, Way::Out(Cause::Again(_) | Cause::Fence));
            let ink = if again { colours.error } else { colours.text };
            let arrow = match line.way {
                _ if again => colours.error,
                Way::Out(_) => colours.accent,
                Way::In(_) => colours.ok,
            };
            let cell = |text: &str, column: usize, font: Font, ink: Color| {
                let (Some(x), next) = (columns.get(column), columns.get(column + 1).copied().unwrap_or(w.w())) else {
                    return;
                };
                draw::set_font(font, theme::SMALL);
                draw::set_draw_color(ink);
                draw::draw_text(&widgets::fit(text, next - x - 8), w.x() + x, y + 16);
            };
            cell(&line.time, 0, Font::Courier, ink);
            cell(line.arrow, 1, Font::Helvetica, arrow);
            cell(&line.meaning, 2, Font::Helvetica, ink);
            cell(&line.bytes, 3, Font::Courier, ink);
            cell(&line.rtt, 4, Font::Courier, ink);
            y += ROW;
        }
        if w.has_focus() {
            widgets::ring(w.x() + 1, w.y() + HEAD, w.w() - 2, w.h() - HEAD - 1);
        }
        draw::pop_clip();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        assert_eq!(readable("03#b#你好\n#".as_bytes()), "03#b#你好\\n#");
        assert_eq!(readable(b"03#b#\xc4\xe3\xba\xc3#"), "03#b#你好#");
        assert_eq!(readable(b"\xff\xff"), "\\xff\\xff");
    }

    #[test]
    fn filters() {
        let line = line(&Record { unix_ms: 0, way: Way::Out(Cause::First), bytes: b"03#b#Hello#".to_vec() });
        for (filter, passing) in [("", true), ("hello", true), ("op:03", true), ("op:02", false), ("xyz", false)] {
            assert_eq!(passes(&line, filter), passing, "{filter}");
        }
    }
}
