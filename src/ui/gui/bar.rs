//! The scroll bar of views that we draw ourselves: the size and place of its thumb, and what dragging it means.

use crate::ui::gui::{shape, theme};

/// The width of the bar, at a view's right edge.
pub const WIDTH: i32 = 10;
const LEAST: i32 = 36;

/// The scroll bar of a view that does not show everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// The top and the height of the thumb.
    top: i32,
    size: i32,
    /// The heights of the view and of its content.
    height: i32,
    content: i64,
}

impl Bar {
    /// Makes the bar of a view of this height, whose content has that height and begins `above` pixels above the view;
    /// `None` if everything is in sight.
    pub fn of(height: i32, content: i64, above: i64) -> Option<Self> {
        let hidden = content - i64::from(height);
        if hidden <= 0 {
            return None;
        }
        let size = small(i64::from(height) * i64::from(height) / content).max(LEAST).min(height);
        let top = small(above * i64::from(height - size) / hidden);
        Some(Self { top, size, height, content })
    }

    /// Returns which part of the thumb a press at `y` takes hold of; its middle, if the press is elsewhere.
    pub fn grab(&self, y: i32) -> i32 {
        if (self.top..self.top + self.size).contains(&y) { y - self.top } else { self.size / 2 }
    }

    /// Returns how much of the content is above the view when the grabbed part of the thumb is at `y`.
    pub fn dragged(&self, grabbed: i32, y: i32) -> i64 {
        let room = (self.height - self.size).max(0);
        let hidden = self.content - i64::from(self.height);
        i64::from((y - grabbed).clamp(0, room)) * hidden / i64::from(room.max(1))
    }

    /// Draws the bar at the right edge of a view at `x`, `y` that is `w` wide.
    pub fn draw(&self, [x, y, w]: [i32; 3], held: bool) {
        let colours = theme::palette();
        let colour = if held { colours.dim } else { colours.offline };
        shape::filled(x + w - WIDTH + 3, y + self.top + 2, WIDTH - 5, self.size - 4, 2, colour);
    }
}

fn small(y: i64) -> i32 {
    i32::try_from(y).unwrap_or(i32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumb_is_where_it_is_dragged_to() {
        assert_eq!((Bar::of(400, 0, 0), Bar::of(400, 400, 0)), (None, None));
        for content in [401, 1_000, 4_000_000] {
            let hidden = content - 400;
            let bar = |above| Bar::of(400, content, above).expect("not all is in sight");
            assert_eq!((bar(0).top, bar(hidden).top + bar(hidden).size), (0, 400), "{content}");
            for y in [0, 100, 363, 399] {
                let grabbed = bar(0).grab(y);
                let above = bar(0).dragged(grabbed, y + 40);
                assert!((0..=hidden).contains(&above), "{content} {y}");
                let moved = bar(above).top + grabbed - y - 40;
                let at_an_end = above == 0 || above == hidden;
                assert!(at_an_end || (-1..=1).contains(&moved), "{content} {y} {moved}");
            }
        }
    }
}
