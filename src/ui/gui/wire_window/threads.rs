//! The page of the threads: what each waits for, and how much it has done.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::enums::{Event, Font};
use fltk::frame::Frame;
use fltk::{app, draw, prelude::*};
use rust_i18n::t;

use super::ROW;
use super::table::{right, rule, write};
use crate::client::net::{ThreadFigures, WaitsFor};
use crate::ui::gui::bar::Bar;
use crate::ui::gui::{theme, widgets};

/// How far the page is scrolled, and how far it can be.
#[derive(Default)]
struct Scrolled {
    down: Cell<i32>,
    most: Cell<i32>,
}

impl Scrolled {
    /// Scrolls by this many pixels, downwards if positive.
    fn by(&self, by: i32) {
        self.down.set((self.down.get() + by).clamp(0, self.most.get()));
    }
}

/// Makes the page's widget, which shows these figures; the wheel scrolls it.
pub(super) fn page(figures: &Rc<RefCell<Vec<ThreadFigures>>>) -> Frame {
    let mut page = Frame::default();
    let scrolled = Rc::new(Scrolled::default());
    page.draw({
        let (figures, scrolled) = (Rc::clone(figures), Rc::clone(&scrolled));
        move |f| draw(f, &figures.borrow(), &scrolled)
    });
    page.handle(move |f, event| {
        if event == Event::MouseWheel {
            scrolled.by(app::event_dy_value() * ROW);
            f.redraw();
        }
        event == Event::MouseWheel
    });
    page
}

fn draw(f: &Frame, figures: &[ThreadFigures], scrolled: &Scrolled) {
    let colours = theme::palette();
    draw::push_clip(f.x(), f.y(), f.w(), f.h());
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    let numbers = [f.w() - 192, f.w() - 104, f.w() - 22];
    let waits = 14 + f.w() * 16 / 100;
    let heads = [t!("wirewin.queued"), t!("wirewin.handled"), t!("wirewin.dropped")];
    write(&t!("wirewin.thread"), f.x() + 14, f.y() + 18, Font::Helvetica, colours.dim);
    write(&t!("wirewin.waits_for"), f.x() + waits, f.y() + 18, Font::Helvetica, colours.dim);
    for (head, x) in heads.iter().zip(numbers) {
        right(head, f.x() + x, f.y() + 18, Font::Helvetica, colours.dim);
    }
    rule(f, f.y() + ROW - 1, colours);
    draw::push_clip(f.x(), f.y() + ROW, f.w(), f.h() - ROW);
    // A larger window shows more, so that nothing is left empty.
    scrolled.by(0);
    let top = f.y() + ROW - scrolled.down.get();
    let mut y = top;
    for thread in figures {
        let waits_for = match thread.waits_for {
            WaitsFor::Bell => t!("wirewin.waits_bell"),
            WaitsFor::Datagram => t!("wirewin.waits_datagram"),
            WaitsFor::Deadline => t!("wirewin.waits_deadline"),
            WaitsFor::Operation => t!("wirewin.waits_operation"),
        };
        write(thread.name, f.x() + 14, y + 18, Font::Courier, colours.text);
        draw::set_font(Font::Helvetica, theme::SMALL);
        let lines = widgets::lines(&waits_for, f.w() - 192 - 60 - waits, theme::SMALL);
        for (line, down) in lines.iter().zip((18..).step_by(16)) {
            write(line, f.x() + waits, y + down, Font::Helvetica, colours.text);
        }
        let cells = [thread.queued as u64, thread.handled, thread.dropped];
        for ((cell, x), trouble) in cells.iter().zip(numbers).zip([false, false, thread.dropped > 0]) {
            let ink = if trouble { colours.error } else { colours.text };
            right(&cell.to_string(), f.x() + x, y + 18, Font::Courier, ink);
        }
        y += ROW + i32::try_from(lines.len().saturating_sub(1)).unwrap_or(0) * 16;
    }
    rule(f, y + 6, colours);
    draw::set_font(Font::Helvetica, theme::SMALL);
    let mut down = 26;
    for hint in [t!("wirewin.threads_hint"), t!("wirewin.threads_drop")] {
        for line in widgets::lines(&hint, f.w() - 28, theme::SMALL) {
            write(&line, f.x() + 14, y + down, Font::Helvetica, colours.dim);
            down += 16;
        }
        down += 4;
    }
    let (room, content) = (f.h() - ROW, y + down - top);
    scrolled.most.set((content - room).max(0));
    if let Some(bar) = Bar::of(room, content.into(), scrolled.down.get().into()) {
        bar.draw([f.x(), f.y() + ROW, f.w()], false);
    }
    draw::pop_clip();
    draw::pop_clip();
}
