//! How often the server says `00:00` and `07:01`, so that nobody is made to answer for ever.

use std::net::SocketAddr;
use std::time::Instant;

use crate::server::limits::{Buckets, Rate};

/// Refusals to one address.
const OF_ONE: Rate = Rate { per_second: 5.0, burst: 20.0 };
/// Refusals to all of them.
const IN_ALL: Rate = Rate { per_second: 1_000.0, burst: 2_000.0 };
/// Addresses that are told apart.
const ADDRESSES: usize = 16_384;

/// What is left to be refused.
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
    /// Whether this address is answered once more.
    pub(super) fn allow(&mut self, to: SocketAddr, now: Instant) -> bool {
        // In this order, so that one address cannot use up what is for all.
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
