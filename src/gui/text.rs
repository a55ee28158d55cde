//! Text as it is drawn: broken into lines, cut, centred.

use fltk::draw;
use fltk::enums::{Color, Font};
use fltk::frame::Frame;
use fltk::prelude::*;

use super::theme::SMALL;
use super::transcript::wrap::{Advances, wrap};

/// Makes text harmless as the label of a frame, where `@` draws symbols.
pub fn escape(text: &str) -> String {
    text.replace('@', "@@")
}

/// A line of small text over or under a field.
pub fn label(x: i32, y: i32, w: i32, text: &str, colour: Color) -> Frame {
    let mut frame = note(x, y, w, 20);
    frame.set_label_color(colour);
    frame.set_label(&escape(text));
    frame
}

/// Room for a sentence that may need several lines. FLTK breaks at spaces alone, and Chinese has none.
pub fn note(x: i32, y: i32, w: i32, h: i32) -> Frame {
    let mut frame = Frame::new(x, y, w, h, None);
    frame.set_label_size(SMALL);
    frame.super_draw(false);
    frame.draw(|f| {
        let text = f.label().replace("@@", "@");
        let size = f.label_size();
        let lines = lines(&text, f.w(), size);
        draw::push_clip(f.x(), f.y(), f.w(), f.h());
        let high = line_height(size);
        let count = i32::try_from(lines.len()).unwrap_or(1);
        draw_lines(&lines, f.x(), f.y() + ((f.h() - count * high) / 2).max(0), size, f.label_color());
        draw::pop_clip();
    });
    frame
}

/// The height of a line of text of this size.
pub fn line_height(size: i32) -> i32 {
    size * 3 / 2
}

/// Draws lines one below the other.
pub fn draw_lines(lines: &[String], x: i32, y: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    for (line, top) in lines.iter().zip((y..).step_by(usize::try_from(line_height(size)).unwrap_or(18))) {
        draw::draw_text(line, x, baseline(top, line_height(size)));
    }
}

/// A text of this size in lines that fit.
pub fn lines(text: &str, room: i32, size: i32) -> Vec<String> {
    draw::set_font(Font::Helvetica, size);
    if !text.contains('\n') && draw::width(text) <= f64::from(room) {
        return vec![text.to_owned()];
    }
    let mut advances = Advances::new(draw::width);
    let lines = wrap(text, f64::from(room.max(1)), &mut advances);
    lines.into_iter().map(|line| text.get(line.bytes).unwrap_or_default().to_owned()).collect()
}

/// A text in the current font, cut with an ellipsis where it is wider than `room`.
pub fn fit(text: &str, room: i32) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let room = f64::from(room.max(0));
    if draw::width(text) <= room {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut = |n: usize| format!("{}…", ends.get(n).and_then(|at| text.get(..*at)).unwrap_or_default().trim_end());
    let (mut fits, mut not) = (0, ends.len());
    while not > fits + 1 {
        let middle = fits.midpoint(not);
        if draw::width(&cut(middle)) <= room { fits = middle } else { not = middle }
    }
    cut(fits)
}

/// Text in the middle of a box, drawn as it is: no symbols, no shortcuts.
pub fn centred(text: &str, x: i32, y: i32, w: i32, h: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    let width = draw::width(text).ceil() as i32;
    draw::draw_text(text, x + (w - width) / 2, baseline(y, h));
}

/// The baseline that centres a line of the current font.
pub(super) fn baseline(y: i32, h: i32) -> i32 {
    y + (h + draw::height()) / 2 - draw::descent()
}
