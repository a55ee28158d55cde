//! The threads' page: what each waits for, and how much it has done.

use fltk::enums::Font;
use fltk::frame::Frame;
use fltk::{draw, prelude::*};
use rust_i18n::t;

use super::ROW;
use super::table::{right, rule, write};
use crate::client::net::{ThreadFigures, WaitsFor};
use crate::ui::gui::{theme, widgets};

pub(super) fn draw(f: &Frame, figures: &[ThreadFigures]) {
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
    let mut y = f.y() + ROW;
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
    draw::pop_clip();
}
