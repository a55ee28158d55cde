//! Heights of rows in a Fenwick tree: the sum above a row, and the row at a height, in O(log n). Pure.

/// The heights of rows in pixels.
#[derive(Debug, Default)]
pub struct Heights {
    tree: Vec<i64>,
    heights: Vec<i32>,
}

impl Heights {
    /// Builds the tree in O(n).
    #[must_use]
    pub fn new(heights: Vec<i32>) -> Self {
        let mut tree = Vec::with_capacity(heights.len());
        for (i, height) in heights.iter().enumerate() {
            let below: i64 = children(i).filter_map(|c| tree.get(c)).sum();
            tree.push(below + i64::from(*height));
        }
        Self { tree, heights }
    }

    /// Returns how many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heights.len()
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heights.is_empty()
    }

    /// Returns a row's height; 0 for a row that does not exist.
    #[must_use]
    pub fn height(&self, row: usize) -> i32 {
        self.heights.get(row).copied().unwrap_or(0)
    }

    /// Adds a row at the end.
    pub fn push(&mut self, height: i32) {
        let below: i64 = children(self.tree.len()).filter_map(|c| self.tree.get(c)).sum();
        self.tree.push(below + i64::from(height));
        self.heights.push(height);
    }

    /// Changes a row's height.
    pub fn set(&mut self, row: usize, height: i32) {
        let Some(old) = self.heights.get_mut(row) else { return };
        let more = i64::from(height) - i64::from(*old);
        *old = height;
        let mut i = row;
        while more != 0
            && let Some(sum) = self.tree.get_mut(i)
        {
            *sum += more;
            i |= i + 1;
        }
    }

    /// Returns the sum of the heights of all rows before this one.
    #[must_use]
    pub fn top(&self, row: usize) -> i64 {
        let (mut sum, mut end) = (0, row.min(self.tree.len()));
        while end > 0 {
            sum += self.tree.get(end - 1).copied().unwrap_or(0);
            end &= end - 1;
        }
        sum
    }

    /// Returns the sum of all heights.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.top(self.len())
    }

    /// Returns the row at this height and the distance below its top; the last row for heights past the end.
    #[must_use]
    pub fn at(&self, y: i64) -> (usize, i64) {
        let (mut row, mut rest) = (0, y.max(0));
        let mut step = self.tree.len().checked_next_power_of_two().unwrap_or(0);
        while step > 0 {
            if let Some(sum) = self.tree.get(row + step - 1)
                && *sum <= rest
            {
                rest -= sum;
                row += step;
            }
            step /= 2;
        }
        if row < self.len() || row == 0 { (row, rest) } else { (row - 1, rest + i64::from(self.height(row - 1))) }
    }
}

/// Returns the nodes whose sums are contained in a node's sum, in addition to its own height.
fn children(i: usize) -> impl Iterator<Item = usize> {
    let mut bit = 1;
    std::iter::from_fn(move || {
        if (i + 1) & bit != 0 || bit > i {
            return None;
        }
        let child = i - bit;
        bit <<= 1;
        Some(child)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn same_as_adding_up(heights in prop::collection::vec(1..100_i32, 1..200), changes in prop::collection::vec((0..250_usize, 1..100_i32), 0..50)) {
            let mut plain = heights.clone();
            let mut tree = Heights::new(heights.clone());
            let mut pushed = Heights::default();
            heights.iter().for_each(|h| pushed.push(*h));
            for (row, height) in changes {
                tree.set(row, height);
                pushed.set(row, height);
                if let Some(h) = plain.get_mut(row) {
                    *h = height;
                }
            }
            for row in 0..=plain.len() {
                let sum: i64 = plain.iter().take(row).map(|h| i64::from(*h)).sum();
                prop_assert_eq!(tree.top(row), sum);
                prop_assert_eq!(pushed.top(row), sum);
                if row < plain.len() {
                    prop_assert_eq!(tree.at(sum), (row, 0));
                    prop_assert_eq!(tree.at(sum + i64::from(plain[row]) - 1), (row, i64::from(plain[row]) - 1));
                }
            }
            prop_assert_eq!(tree.at(tree.total() + 5).0, plain.len() - 1);
        }
    }
}
