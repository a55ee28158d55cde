//! The button over a transcript that is not at its end, with the number of new messages further down.

use fltk::draw;
use fltk::enums::Font;

use super::super::{shape, theme, widgets};

const HEIGHT: i32 = 30;
const GAP: i32 = 10;

fn text(new: usize) -> String {
    match new {
        0 => "↓".to_owned(),
        1..100 => format!("↓ {new}"),
        _ => "↓ 99+".to_owned(),
    }
}

fn width(new: usize) -> i32 {
    draw::set_font(Font::Helvetica, theme::SMALL);
    (draw::width(&text(new)).ceil() as i32 + 20).max(HEIGHT)
}

/// Returns its place in the lower right corner of a view that ends at `right` and `bottom`.
pub fn place(right: i32, bottom: i32, new: usize) -> [i32; 4] {
    let w = width(new);
    [right - w - GAP, bottom - HEIGHT - GAP, w, HEIGHT]
}

/// Draws it at that place.
pub fn draw(x: i32, y: i32, new: usize) {
    let colours = theme::palette();
    let (text, w) = (text(new), width(new));
    let (ground, line, ink) = if new > 0 {
        (colours.accent, colours.accent, colours.on_accent)
    } else {
        (colours.surface, colours.line, colours.dim)
    };
    shape::lined(x, y, w, HEIGHT, HEIGHT / 2, 1, [line, ground]);
    widgets::centred(&text, x, y, w, HEIGHT, theme::SMALL, ink);
}
