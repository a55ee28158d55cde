//! One message as a bubble: its text in the form it is shown, broken into lines and drawn.

use fltk::draw;
use fltk::enums::Font;

use super::wrap::{Advances, Line, wrap};
use crate::base::model::names;
use crate::ui::gui::{shape, theme};

const LINE: i32 = 20;
pub const PAD_X: i32 = 11;
const PAD_Y: i32 = 7;
const RADIUS: i32 = 10;

/// What is drawn around a bubble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Nothing, around a sent message.
    None,
    Line,
    /// The ring of the chosen message.
    Ring,
    /// The line around a sentence of this program.
    Note,
}

/// A text, laid out for one width.
pub struct Bubble {
    /// The writer, in a room.
    pub author: Option<String>,
    pub width: i32,
    text: String,
    lines: Vec<Line>,
}

impl Bubble {
    /// Lays a text out in lines of at most `most` pixels; a room's text begins with its writer.
    pub fn lay(text: &str, room: bool, most: i32, advances: &mut Advances) -> Self {
        let (author, text) = split_author(text, room);
        let lines = wrap(&text, f64::from(most), advances);
        let widest = lines.iter().map(|line| line.width).fold(0.0, f64::max);
        let width = (widest.ceil() as i32).clamp(1, most.max(1)) + 2 * PAD_X;
        Self { author, width, text, lines }
    }

    pub fn height(&self) -> i32 {
        height(i32::try_from(self.lines.len()).unwrap_or(i32::MAX / 64))
    }

    pub fn draw(&self, left: i32, top: i32, own: bool, edge: Edge) {
        let colours = theme::palette();
        let height = self.height();
        let ground = if own { colours.own_bubble } else { colours.other_bubble };
        match edge {
            Edge::None => shape::filled(left, top, self.width, height, RADIUS, ground),
            Edge::Line => shape::lined(left, top, self.width, height, RADIUS, 1, [colours.line, ground]),
            Edge::Note => shape::lined(left, top, self.width, height, RADIUS, 1, [colours.warn, colours.bg]),
            Edge::Ring => {
                shape::lined(left, top, self.width, height, RADIUS, theme::RING, [colours.accent, ground]);
            }
        }
        draw::set_font(Font::Helvetica, theme::BODY);
        draw::set_draw_color(if own { colours.own_text } else { colours.text });
        let baseline = (LINE + draw::height()) / 2 - draw::descent();
        for (i, line) in self.lines.iter().enumerate() {
            let at = top + PAD_Y + i32::try_from(i).unwrap_or(0) * LINE + baseline;
            draw::draw_text(self.text.get(line.bytes.clone()).unwrap_or_default(), left + PAD_X, at);
        }
    }
}

/// Returns the height of a bubble with this number of lines, in FLTK's units.
pub fn height(lines: i32) -> i32 {
    lines.saturating_mul(LINE) + 2 * PAD_Y
}

/// Splits a room's text into writer and text. The writer is left as it came, since it names an account.
fn split_author(text: &str, room: bool) -> (Option<String>, String) {
    let (author, text) = names::writer_and_text(text, room, false);
    (author, shown(text))
}

/// Returns a text as it is shown; tabs are widened, as in code.
fn shown(text: &str) -> String {
    crate::base::shown::message(&text.replace('\t', "    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_text() {
        let empty = rust_i18n::t!("chat.empty_line");
        let cases = [
            ("hi\n", false, None, "hi"),
            ("hi\n\n", false, None, "hi\n"),
            ("a\r\nb\rc", false, None, "a\nb\nc"),
            ("a\tb\u{7}", false, None, "a    b·"),
            ("invoice_\u{202e}gnp.exe", false, None, "invoice_·gnp.exe"),
            ("[\u{202e}gnp.xam] \u{202e}hi", true, Some("\u{202e}gnp.xam"), "·hi"),
            ("[b] hi", false, None, "[b] hi"),
            ("[b] hi", true, Some("b"), "hi"),
            ("[b hi", true, None, "[b hi"),
            ("\n", false, None, &empty),
            ("\r\n", false, None, &empty),
            ("[b] \n", true, Some("b"), &empty),
        ];
        for (text, room, author, shown) in cases {
            let (who, what) = split_author(text, room);
            assert_eq!((who.as_deref(), what.as_str()), (author, shown), "{text:?}");
        }
    }

    #[test]
    fn a_bubble_is_as_wide_as_its_widest_line_and_no_wider_than_there_is_room() {
        let mut advances = Advances::new(|text| 10.0 * text.chars().count() as f64);
        let mut size = |text: &str, most| {
            let bubble = Bubble::lay(text, false, most, &mut advances);
            (bubble.width - 2 * PAD_X, (bubble.height() - 2 * PAD_Y) / LINE)
        };
        assert_eq!([size("i", 100), size("abc", 100), size("abc\nabcde", 100)], [(10, 1), (30, 1), (50, 2)]);
        let (width, lines) = size(&"abc ".repeat(20), 100);
        assert!(width <= 100 && lines > 5, "{width} {lines}");
    }
}
