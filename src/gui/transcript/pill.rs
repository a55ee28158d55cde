//! The button over a transcript that is not at its end: how many new messages stand further down.

use fltk::draw;
use fltk::enums::Font;

use super::super::{theme, widgets};

const HEIGHT: i32 = 30;
const GAP: i32 = 10;

/// Draws it into the lower right corner of a view that ends at `right` and `bottom`; where it stands.
pub fn draw(right: i32, bottom: i32, new: usize) -> [i32; 4] {
    let colours = theme::palette();
    let text = match new {
        0 => "↓".to_owned(),
        1..100 => format!("↓ {new}"),
        _ => "↓ 99+".to_owned(),
    };
    draw::set_font(Font::Helvetica, theme::SMALL);
    let w = (draw::width(&text).ceil() as i32 + 20).max(HEIGHT);
    let (x, y) = (right - w - GAP, bottom - HEIGHT - GAP);
    let (ground, line, ink) = if new > 0 {
        (colours.accent, colours.accent, colours.on_accent)
    } else {
        (colours.surface, colours.line, colours.dim)
    };
    draw::set_draw_color(ground);
    draw::draw_rounded_rectf(x, y, w, HEIGHT, HEIGHT / 2);
    draw::set_draw_color(line);
    draw::draw_rounded_rect(x, y, w, HEIGHT, HEIGHT / 2);
    widgets::centred(&text, x, y, w, HEIGHT, theme::SMALL, ink);
    [x, y, w, HEIGHT]
}
