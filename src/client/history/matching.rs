//! Which messages of two lists are the same, where only text and time can tell. Pure.

/// Pairs the `n` messages of one list with the `m` messages of another. Both lists are in order and all messages have
/// the same text. As many pairs are made as possible, none crossing another, and of these the closest in time; the two
/// lists together then hold max(n, m) messages if every gap is allowed. `gap` returns how far apart two messages are,
/// or `None` if they cannot be the same.
pub(super) fn pairs(n: usize, m: usize, gap: impl Fn(usize, usize) -> Option<u64>) -> Vec<(usize, usize)> {
    // For what is left of both lists from here on: the number of pairs, and the sum of their gaps.
    let mut best = vec![(0_usize, 0_u64); (n + 1) * (m + 1)];
    let at = |i: usize, j: usize| i * (m + 1) + j;
    let look = |best: &[(usize, u64)], i: usize, j: usize| best.get(at(i, j)).copied().unwrap_or_default();
    let better = |a: (usize, u64), b: (usize, u64)| (a.0, u64::MAX - a.1) > (b.0, u64::MAX - b.1);
    let paired = |best: &[(usize, u64)], i: usize, j: usize| {
        let (count, apart) = look(best, i + 1, j + 1);
        gap(i, j).map(|gap| (count + 1, apart.saturating_add(gap)))
    };
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            let (down, right) = (look(&best, i + 1, j), look(&best, i, j + 1));
            let skipped = if better(down, right) { down } else { right };
            let here = paired(&best, i, j).filter(|pair| better(*pair, skipped)).unwrap_or(skipped);
            if let Some(cell) = best.get_mut(at(i, j)) {
                *cell = here;
            }
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < n && j < m {
        let here = look(&best, i, j);
        if here == look(&best, i, j + 1) {
            j += 1;
        } else if here == look(&best, i + 1, j) {
            i += 1;
        } else {
            found.push((i, j));
            (i, j) = (i + 1, j + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::pairs;

    #[test]
    fn the_nearest_are_paired_and_none_crosses() {
        let check = |a: &[u64], b: &[u64], within: u64, expected: &[(usize, usize)]| {
            let gap = |i: usize, j: usize| Some(a[i].abs_diff(b[j])).filter(|gap| *gap <= within);
            assert_eq!(pairs(a.len(), b.len(), gap), expected, "{a:?} {b:?}");
        };
        check(&[], &[1], 9, &[]);
        check(&[0, 300], &[0], 600, &[(0, 0)]);
        check(&[0, 300], &[310], 600, &[(1, 0)]);
        // A clock that goes wrong is the same for all.
        check(&[300, 600], &[0, 300], 600, &[(0, 0), (1, 1)]);
        check(&[0, 300], &[300, 600], 600, &[(0, 0), (1, 1)]);
        check(&[0, 1_000], &[900, 2_000], 600, &[(1, 0)]);
        // A larger number of pairs wins over closer ones.
        check(&[0, 500], &[500, 1_100], 600, &[(0, 0), (1, 1)]);
    }

    proptest! {
        #[test]
        fn as_many_are_left_as_the_longer_list_has(
            mut a in vec(0_u64..500, 0..12), mut b in vec(0_u64..500, 0..12), within in 0_u64..600,
        ) {
            a.sort_unstable();
            b.sort_unstable();
            let gap = |i: usize, j: usize| Some(a[i].abs_diff(b[j])).filter(|gap| *gap <= within);
            let found = pairs(a.len(), b.len(), gap);
            prop_assert!(found.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            prop_assert!(found.iter().all(|(i, j)| gap(*i, *j).is_some()));
            if within >= 500 {
                prop_assert_eq!(a.len() + b.len() - found.len(), a.len().max(b.len()));
            }
            // Taking the first that fits finds the largest number of pairs, because all windows have the same width.
            let (mut i, mut j, mut most) = (0, 0, 0);
            while i < a.len() && j < b.len() {
                match gap(i, j) {
                    Some(_) => (i, j, most) = (i + 1, j + 1, most + 1),
                    None if a[i] < b[j] => i += 1,
                    None => j += 1,
                }
            }
            prop_assert_eq!(found.len(), most);
        }
    }
}
