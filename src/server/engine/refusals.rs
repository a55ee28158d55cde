//! A limit on the replies `00:00` and `07:01`, so that a flood of invalid requests is not answered without end.

use std::net::SocketAddr;
use std::time::Instant;

use crate::server::limits::{Buckets, Rate};

/// Refusals that are sent to one address.
const OF_ONE: Rate = Rate { per_second: 5.0, burst: 20.0 };
/// Refusals that are sent to all addresses together.
const IN_ALL: Rate = Rate { per_second: 1_000.0, burst: 2_000.0 };
/// The most addresses that have a budget of their own at one time.
const ADDRESSES: usize = 16_384;

/// The budgets of refusals.
#[derive(Debug)]
pub(super) struct Refusals {
    of_one: Buckets<SocketAddr>,
    in_all: Buckets<()>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { of_one: Buckets::new(OF_ONE, ADDRESSES), in_all: Buckets::new(IN_ALL, 1) }
    }
}

impl Refusals {
    /// Returns whether one more refusal may be sent to this address.
    pub(super) fn allow(&mut self, to: SocketAddr, now: Instant) -> bool {
        // In this order, so that one address cannot use up the budget of all.
        self.of_one.take(to, now) && self.in_all.take((), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_use_up_what_is_for_all() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!((0..5_000).filter(|_| refusals.allow(address(1), now)).count(), 20);
        assert_eq!((2..5_000).filter(|port| refusals.allow(address(*port), now)).count(), 1_980);
    }
}
