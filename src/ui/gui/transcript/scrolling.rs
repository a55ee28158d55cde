//! How far a transcript is scrolled. The view is tied to an anchor (the end, or a row and how much of it is above the
//! view), so that nothing moves when a height turns out to be different. Pure.

use super::heights::Heights;
use crate::ui::gui::bar::Bar;

/// The distance above the first row and below the last.
pub const EDGE: i32 = 8;

/// What the view is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest message is at the bottom of the view.
    End,
    /// This many pixels of this row are above the view.
    Row { row: usize, above: i32 },
}

/// A row in sight, and where it begins in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub row: usize,
    pub y: i32,
}

/// Where rows are: their heights, and the room above the first.
#[derive(Clone, Copy)]
pub struct Stack<'a> {
    pub heights: &'a Heights,
    pub lead: i32,
}

impl Stack<'_> {
    /// Returns the height of everything.
    fn content(self) -> i64 {
        self.heights.total() + i64::from(self.lead + EDGE)
    }

    /// Returns where a row begins, from the very top.
    fn top_of(self, row: usize) -> i64 {
        self.heights.top(row) + i64::from(self.lead)
    }
}

/// The anchor, and the thumb of the scroll bar while it is held.
#[derive(Debug)]
pub struct Scrolling {
    pub anchor: Anchor,
    held: Option<i32>,
}

impl Default for Scrolling {
    fn default() -> Self {
        Self { anchor: Anchor::End, held: None }
    }
}

impl Scrolling {
    pub fn is_at_end(&self) -> bool {
        self.anchor == Anchor::End
    }

    pub fn go_to_end(&mut self) {
        self.anchor = Anchor::End;
    }

    /// Puts a row at the top.
    pub fn go_to_row(&mut self, row: usize) {
        self.anchor = Anchor::Row { row, above: 0 };
    }

    /// Scrolls by `by` pixels, downwards if positive, in a view of height `h`.
    pub fn scroll(&mut self, by: i64, stack: Stack<'_>, h: i32) {
        let top = self.top(stack, h).saturating_add(by);
        self.go_to(top, stack, h);
    }

    fn go_to(&mut self, top: i64, stack: Stack<'_>, h: i32) {
        let last = stack.content() - i64::from(h);
        if top >= last {
            self.anchor = Anchor::End;
            return;
        }
        let lead = stack.lead;
        let (row, above) = stack.heights.at(top.max(0) - i64::from(lead));
        let above = if top < i64::from(lead) { i32::try_from(top.max(0)).unwrap_or(0) - lead } else { small(above) };
        self.anchor = Anchor::Row { row, above };
    }

    fn top(&self, stack: Stack<'_>, h: i32) -> i64 {
        match self.anchor {
            Anchor::End => (stack.content() - i64::from(h)).max(0),
            Anchor::Row { row, above } => stack.top_of(row) + i64::from(above),
        }
    }

    /// Scrolls until all of a row is in sight, in a view of height `h`.
    pub fn reveal(&mut self, row: usize, stack: Stack<'_>, h: i32) {
        let top = stack.top_of(row);
        let bottom = top + i64::from(stack.heights.height(row));
        if top < self.top(stack, h) {
            self.go_to(top - i64::from(EDGE), stack, h);
        } else if bottom > self.top(stack, h) + i64::from(h) {
            self.go_to(bottom - i64::from(h), stack, h);
        }
    }

    /// Follows rows whose indexes have changed, because others have come in above: `now` returns the new index of a
    /// row, if it is still there.
    pub fn renumber(&mut self, heights: &Heights, now: impl Fn(usize) -> Option<usize>) {
        let Anchor::Row { row, above } = self.anchor else { return };
        self.anchor = now(row).map_or(Anchor::End, |row| {
            let (mut row, mut above) = (row, above);
            // There was empty room above the first row, where there are other rows now.
            while above < 0 && row > 0 {
                row -= 1;
                above += heights.height(row);
            }
            Anchor::Row { row, above }
        });
    }

    /// Returns the scroll bar of a view of height `h`, if not everything is in sight.
    pub fn bar(&self, stack: Stack<'_>, h: i32) -> Option<Bar> {
        Bar::of(h, stack.content(), self.top(stack, h))
    }

    /// Returns whether the thumb is held.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Takes hold of the thumb at `y`; returns false if there is none.
    pub fn take_thumb(&mut self, y: i32, stack: Stack<'_>, h: i32) -> bool {
        let Some(bar) = self.bar(stack, h) else { return false };
        self.held = Some(bar.grab(y));
        self.drag_to(y, stack, h)
    }

    /// Drags the thumb to `y`; returns false if it is not held.
    pub fn drag_to(&mut self, y: i32, stack: Stack<'_>, h: i32) -> bool {
        let (Some(grabbed), Some(bar)) = (self.held, self.bar(stack, h)) else { return false };
        self.go_to(bar.dragged(grabbed, y), stack, h);
        true
    }

    /// Lets go of the thumb; returns false if it was not held.
    pub fn drop_thumb(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Returns the rows in sight of a view of height `h`, of `count` rows with `lead` above the first; `measure`
    /// returns each row's exact height.
    pub fn in_sight(&mut self, count: usize, lead: i32, h: i32, mut measure: impl FnMut(usize) -> i32) -> Vec<Seen> {
        let mut seen = Vec::new();
        if let Anchor::Row { row, above } = self.anchor {
            let (mut row, mut y) = (row, -above);
            while row < count && y < h {
                let height = measure(row);
                seen.push(Seen { row, y });
                y += height;
                row += 1;
            }
            // The end would be above the bottom of the view: tie it to the end instead.
            if row == count && y + EDGE < h {
                self.anchor = Anchor::End;
                seen.clear();
            }
        }
        if self.anchor == Anchor::End {
            let (mut row, mut y) = (count, h - EDGE);
            while row > 0 && y > 0 {
                row -= 1;
                y -= measure(row);
                seen.push(Seen { row, y });
            }
            seen.reverse();
            if row == 0 && y > lead {
                // Everything fits, so it begins at the top.
                seen.iter_mut().for_each(|seen| seen.y -= y - lead);
            }
        }
        seen
    }
}

fn small(y: i64) -> i32 {
    i32::try_from(y).unwrap_or(i32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: i32 = 100;

    fn sight(scrolling: &mut Scrolling, heights: &[i32]) -> Vec<(usize, i32)> {
        let seen = scrolling.in_sight(heights.len(), EDGE, H, |row| heights[row]);
        seen.iter().map(|seen| (seen.row, seen.y)).collect()
    }

    #[test]
    fn what_fits_stands_at_the_top_and_what_does_not_at_the_end() {
        let mut scrolling = Scrolling::default();
        assert_eq!(sight(&mut scrolling, &[]), []);
        assert_eq!(sight(&mut scrolling, &[20, 30]), [(0, EDGE), (1, EDGE + 20)]);
        assert_eq!(sight(&mut scrolling, &[20; 10]), [(5, -8), (6, 12), (7, 32), (8, 52), (9, 72)]);
    }

    #[test]
    fn a_height_that_turns_out_different_moves_nothing_below_the_anchor() {
        let mut scrolling = Scrolling::default();
        let heights = Heights::new(vec![20; 50]);
        let stack = Stack { heights: &heights, lead: EDGE };
        scrolling.scroll(-300, stack, H);
        let before = sight(&mut scrolling, &[20; 50]);
        let mut higher = [20; 50];
        higher[..before[0].0].fill(70);
        assert_eq!(sight(&mut scrolling, &higher), before);
    }

    #[test]
    fn scrolling_ends_at_both_ends() {
        let mut scrolling = Scrolling::default();
        let heights = Heights::new(vec![20; 50]);
        let stack = Stack { heights: &heights, lead: EDGE };
        scrolling.scroll(i64::MIN / 4, stack, H);
        assert_eq!(sight(&mut scrolling, &[20; 50]).first(), Some(&(0, EDGE)));
        scrolling.scroll(i64::MAX / 4, stack, H);
        assert!(scrolling.is_at_end());
        scrolling.reveal(0, stack, H);
        assert_eq!(sight(&mut scrolling, &[20; 50]).first(), Some(&(0, EDGE)));
        scrolling.reveal(49, stack, H);
        assert!(sight(&mut scrolling, &[20; 50]).contains(&(49, H - 20)), "all of it is in sight");
    }

    #[test]
    fn what_comes_in_above_moves_nothing() {
        let (few, many) = (Heights::new(vec![20; 10]), Heights::new(vec![20; 13]));
        let mut scrolling = Scrolling::default();
        scrolling.go_to_row(4);
        scrolling.renumber(&many, |row| Some(row + 3));
        assert_eq!(scrolling.anchor, Anchor::Row { row: 7, above: 0 });
        scrolling.scroll(i64::MIN / 4, Stack { heights: &few, lead: 30 }, H);
        assert_eq!(scrolling.anchor, Anchor::Row { row: 0, above: -30 });
        scrolling.renumber(&many, |row| Some(row + 3));
        assert_eq!(scrolling.anchor, Anchor::Row { row: 1, above: 10 }, "in place of the room there was");
        scrolling.renumber(&many, |_| None);
        assert!(scrolling.is_at_end(), "it is not there any more");
    }
}
