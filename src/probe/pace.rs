//! Keeps the probe within the budgets that a server may have: ours answers `00:00` and `07:01` five times a second to
//! one address, and twenty at once, and anything else 2,000 times a second. Pure.

use std::time::Duration;

/// How many refusals one socket may ask for at once.
const BURST: f64 = 12.0;
const PER_SECOND: f64 = 4.0;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (self.tokens, self.at) = ((self.tokens + passed * PER_SECOND).min(BURST), now);
    }
}

/// Decides when the next request may be sent.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    next: Duration,
    refusals: Vec<Bucket>,
}

impl Pace {
    /// `gap` is the shortest time between any two requests, and `desks` the number of sockets.
    pub fn new(gap: Duration, desks: usize) -> Self {
        let full = Bucket { tokens: BURST, at: Duration::ZERO };
        Self { gap, next: Duration::ZERO, refusals: vec![full; desks] }
    }

    /// Returns how long to wait before the next request, which then counts as sent. `refusal` says that it may be
    /// refused.
    pub fn wait(&mut self, desk: usize, refusal: bool, now: Duration) -> Duration {
        let mut at = self.next.max(now);
        if refusal && let Some(bucket) = self.refusals.get_mut(desk) {
            bucket.refill(now);
            if bucket.tokens < 1.0 {
                at = at.max(now + Duration::from_secs_f64((1.0 - bucket.tokens) / PER_SECOND));
            }
        }
        self.next = at + self.gap;
        at.saturating_sub(now)
    }

    /// Notes that a request was refused, or may have been, since no answer came.
    pub fn refused(&mut self, desk: usize, now: Duration) {
        if let Some(bucket) = self.refusals.get_mut(desk) {
            bucket.refill(now);
            bucket.tokens -= 1.0;
        }
    }

    /// Forgets the budget of a socket that was replaced by a new one.
    pub fn forget(&mut self, desk: usize) {
        if let Some(bucket) = self.refusals.get_mut(desk) {
            bucket.tokens = BURST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_come_four_a_second_after_twelve() {
        let gap = Duration::from_millis(10);
        let mut pace = Pace::new(gap, 2);
        let mut now = Duration::ZERO;
        for n in 0..52 {
            now += pace.wait(0, true, now);
            pace.refused(0, now);
            assert!(n < 12 || now >= Duration::from_millis(250 * (n - 12)), "{n}: {now:?}");
        }
        assert!(now >= Duration::from_millis(9_700) && now <= Duration::from_millis(10_100), "{now:?}");
        assert!(pace.wait(1, true, now) <= gap);
        let later = now + gap * 2;
        assert_eq!((pace.wait(1, false, later), pace.wait(1, false, later)), (Duration::ZERO, gap));
    }
}
