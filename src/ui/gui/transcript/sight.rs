//! What is in sight of a transcript, and what of it can be pressed. Places are relative to the window. Pure.

use super::scrolling::Seen;
use crate::base::model::MessageId;

/// A box: left, top, width and height.
pub type Area = [i32; 4];

/// What was drawn last.
#[derive(Debug, Default)]
pub struct Sight {
    /// The rows, from the top.
    pub rows: Vec<Seen>,
    /// Where messages can be sent again.
    pub links: Vec<(Area, MessageId)>,
    /// Where the server can be asked for earlier messages.
    pub head: Option<Area>,
    /// Where the button to the end is.
    pub pill: Option<Area>,
    /// The lower left corner of the bubble with the ring, where its menu opens by keys.
    pub ringed: Option<(i32, i32)>,
}

/// What can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The button to the end.
    End,
    /// The link that asks for earlier messages.
    Earlier,
    /// The link that sends a message again.
    Resend(MessageId),
}

impl Sight {
    /// Returns what is at this place of the window, besides messages.
    pub fn target(&self, x: i32, y: i32) -> Option<Target> {
        if self.pill.is_some_and(|area| is_inside(area, x, y)) {
            return Some(Target::End);
        }
        if self.head.is_some_and(|area| is_inside(area, x, y)) {
            return Some(Target::Earlier);
        }
        self.links.iter().find(|(area, _)| is_inside(*area, x, y)).map(|(_, id)| Target::Resend(*id))
    }

    /// Returns the row at this height of the view.
    pub fn row_at(&self, y: i32) -> Option<usize> {
        self.rows.iter().rev().find(|seen| seen.y <= y).map(|seen| seen.row)
    }

    /// Returns the last row in sight.
    pub fn last(&self) -> Option<usize> {
        self.rows.last().map(|seen| seen.row)
    }
}

fn is_inside([left, top, w, h]: Area, x: i32, y: i32) -> bool {
    (left..left + w).contains(&x) && (top..top + h).contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_goes_before_what_it_stands_on() {
        let sight = Sight {
            rows: vec![Seen { row: 4, y: -5 }, Seen { row: 5, y: 20 }],
            links: vec![([10, 10, 50, 20], MessageId(7))],
            head: Some([0, 0, 100, 5]),
            pill: Some([50, 20, 30, 30]),
            ringed: None,
        };
        assert_eq!(sight.target(12, 12), Some(Target::Resend(MessageId(7))));
        assert_eq!(sight.target(55, 22), Some(Target::End));
        assert_eq!(sight.target(99, 4), Some(Target::Earlier));
        assert_eq!((sight.target(100, 4), sight.target(60, 9)), (None, None), "beside and below");
        assert_eq!(
            (sight.row_at(-9), sight.row_at(19), sight.row_at(20), sight.last()),
            (None, Some(4), Some(5), Some(5))
        );
    }
}
