//! Text as it is drawn: broken into lines, cut, centred.

use std::cell::RefCell;

use fltk::draw;
use fltk::enums::{Color, Font};
use fltk::frame::Frame;
use fltk::prelude::*;

use super::theme::SMALL;
use super::transcript::wrap::{Advances, wrap};

thread_local! {
    /// Texts that were drawn with too little room for them, while somebody looks.
    static CUT: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// The program's own sentences that were drawn cut since the last call, for tests. The first call begins to look.
pub fn cut_texts() -> Vec<String> {
    CUT.replace(Some(Vec::new())).unwrap_or_default()
}

/// Notes a text that is drawn into too little room.
fn cut(text: &str, is: f64, room: i32) {
    // Less than a pixel is what is rounded.
    if is > f64::from(room) + 0.99 {
        CUT.with_borrow_mut(|cut| cut.iter_mut().for_each(|all| all.push(format!("{text} ({is:.0} in {room})"))));
    }
}

/// A text of ours in the current font, which is to be read whole in `room`: what does not fit is a fault of the
/// window, and shown with an ellipsis. What people write may be cut by [`fit`].
pub fn whole(text: &str, room: i32) -> String {
    cut(text, draw::width(text), room);
    fit(text, room)
}

/// How high a text is, broken into lines of `room`.
pub fn height(text: &str, room: i32, size: i32) -> i32 {
    i32::try_from(lines(text, room, size).len()).unwrap_or(1) * line_height(size)
}

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
        cut(&text, f64::from(count * high), f.h().max(high));
        lines.iter().for_each(|line| cut(line, draw::width(line), f.w()));
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
    let room = f64::from(room.max(0));
    if draw::width(text) <= room { text.to_owned() } else { elided(text, |text| draw::width(text) <= room) }
}

/// As many characters of a text, as they are seen, as fit before an ellipsis that says there is more.
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

/// The end of a text of this size, where it is wider than `room`: of a path that is what matters.
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

/// Text in the middle of a box, drawn as it is: no symbols, no shortcuts.
pub fn centred(text: &str, x: i32, y: i32, w: i32, h: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    let text = whole(text, w);
    let width = draw::width(&text).ceil() as i32;
    draw::draw_text(&text, x + (w - width) / 2, baseline(y, h));
}

/// The baseline that centres a line of the current font.
pub(super) fn baseline(y: i32, h: i32) -> i32 {
    y + (h + draw::height()) / 2 - draw::descent()
}
