//! Text as it is drawn: broken into lines, cut, centred.

use std::cell::RefCell;

use fltk::draw;
use fltk::enums::{Color, Font};
use fltk::frame::Frame;
use fltk::prelude::*;

use super::theme::SMALL;
use super::transcript::wrap::{Advances, wrap};

thread_local! {
    /// The texts that were drawn with too little room, while a test asks for them.
    static CUT: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Returns the program's own sentences that were drawn cut since the last call, for tests. The first call starts the
/// recording.
pub fn cut_texts() -> Vec<String> {
    CUT.replace(Some(Vec::new())).unwrap_or_default()
}

/// Notes a text that is drawn into too little room.
fn cut(text: &str, is: f64, room: i32) {
    // Less than a pixel is rounding.
    if is > f64::from(room) + 0.99 {
        CUT.with_borrow_mut(|cut| cut.iter_mut().for_each(|all| all.push(format!("{text} ({is:.0} in {room})"))));
    }
}

/// Returns a text of this program that must be readable in full in `room`, in the current font. If it does not fit,
/// that is a fault of the window, and the text gets an ellipsis. Texts of people may be cut by [`fit`].
pub fn whole(text: &str, room: i32) -> String {
    cut(text, draw::width(text), room);
    fit(text, room)
}

/// Returns the height of a text, broken into lines of `room`.
pub fn height(text: &str, room: i32, size: i32) -> i32 {
    i32::try_from(lines(text, room, size).len()).unwrap_or(1) * line_height(size)
}

/// Makes text harmless as the label of a frame, where `@` draws symbols.
pub fn escape(text: &str) -> String {
    text.replace('@', "@@")
}

/// Makes a line of small text above or below a field.
pub fn label(x: i32, y: i32, w: i32, text: &str, colour: Color) -> Frame {
    let mut frame = note(x, y, w, 20);
    frame.set_label_color(colour);
    frame.set_label(&escape(text));
    frame
}

/// Makes room for a sentence that may need several lines. FLTK itself only breaks at spaces, and Chinese has none.
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
        cut(&text, f64::from(count * high), f.h().max(high));
        lines.iter().for_each(|line| cut(line, draw::width(line), f.w()));
        draw_lines(&lines, f.x(), f.y() + ((f.h() - count * high) / 2).max(0), size, f.label_color());
        draw::pop_clip();
    });
    frame
}

/// Returns the height of a line of text of this size.
pub fn line_height(size: i32) -> i32 {
    size * 3 / 2
}

/// Draws lines below each other.
pub fn draw_lines(lines: &[String], x: i32, y: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    for (line, top) in lines.iter().zip((y..).step_by(usize::try_from(line_height(size)).unwrap_or(18))) {
        draw::draw_text(line, x, baseline(top, line_height(size)));
    }
}

/// Breaks a text of this size into lines that fit.
pub fn lines(text: &str, room: i32, size: i32) -> Vec<String> {
    draw::set_font(Font::Helvetica, size);
    if !text.contains('\n') && draw::width(text) <= f64::from(room) {
        return vec![text.to_owned()];
    }
    let mut advances = Advances::new(draw::width);
    let lines = wrap(text, f64::from(room.max(1)), &mut advances);
    lines.into_iter().map(|line| text.get(line.bytes).unwrap_or_default().to_owned()).collect()
}

/// Returns a text, cut with an ellipsis if it is wider than `room` in the current font.
pub fn fit(text: &str, room: i32) -> String {
    let room = f64::from(room.max(0));
    if draw::width(text) <= room { text.to_owned() } else { elided(text, |text| draw::width(text) <= room) }
}

/// Cuts a text after as many whole graphemes as fit before an ellipsis.
pub fn elided(text: &str, fits: impl Fn(&str) -> bool) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let begins = text.grapheme_indices(true).map(|(at, _)| at);
    let ends: Vec<usize> = begins.chain([text.len()]).collect();
    let cut = |n: usize| format!("{}…", ends.get(n).and_then(|at| text.get(..*at)).unwrap_or_default().trim_end());
    let (mut some, mut not) = (0, ends.len());
    while not > some + 1 {
        let middle = some.midpoint(not);
        if fits(&cut(middle)) { some = middle } else { not = middle }
    }
    cut(some)
}

/// Returns the end of a text of this size if it is wider than `room`, since the end of a path is what matters.
pub fn tail(text: &str, room: i32, size: i32) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    draw::set_font(Font::Helvetica, size);
    let fits = |text: &str| draw::width(text) <= f64::from(room.max(0));
    if fits(text) {
        return text.to_owned();
    }
    let cut = |(at, _)| format!("…{}", text.get(at..).unwrap_or_default());
    text.grapheme_indices(true).skip(1).map(cut).find(|cut| fits(cut)).unwrap_or_default()
}

/// Draws text in the middle of a box, without symbols or shortcuts.
pub fn centred(text: &str, x: i32, y: i32, w: i32, h: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    let text = whole(text, w);
    let width = draw::width(&text).ceil() as i32;
    draw::draw_text(&text, x + (w - width) / 2, baseline(y, h));
}

/// Returns the baseline that centres a line of the current font.
pub(super) fn baseline(y: i32, h: i32) -> i32 {
    y + (h + draw::height()) / 2 - draw::descent()
}
