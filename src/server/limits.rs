//! Rate limits that keep one address from using up the server's capacity for others. Pure: time is an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// A rate limit: `burst` tokens at once, and `per_second` in the long run.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many tokens a bucket gains in a second.
    pub per_second: f64,
    /// The most tokens that a bucket holds.
    pub burst: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// The shortest time between two searches of a full table for buckets that can be forgotten.
const CLEAR_EVERY: Duration = Duration::from_millis(100);

/// A token bucket for each key, in bounded memory: when the table is full, full buckets are forgotten first. A new
/// bucket is full as well, so forgetting one changes nothing for its owner.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    most: usize,
    buckets: HashMap<K, Bucket>,
    cleared: Option<Instant>,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Makes an empty table that holds buckets for at most `most` keys.
    #[must_use]
    pub fn new(rate: Rate, most: usize) -> Self {
        Self { rate, most, buckets: HashMap::new(), cleared: None }
    }

    /// Takes one token, which may put the bucket into debt. Returns how long to wait until the debt is paid off; zero
    /// if there was a token, or if the rate is unlimited (`per_second` is zero).
    pub fn take_ahead(&mut self, key: K, now: Instant) -> Duration {
        let rate = self.rate;
        if rate.per_second <= 0.0 {
            return Duration::ZERO;
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.burst, at: now });
        bucket.tokens = refilled(bucket, rate, now) - 1.0;
        bucket.at = now;
        Duration::from_secs_f64((-bucket.tokens / rate.per_second).max(0.0))
    }

    /// Returns how long it takes until the key's bucket holds `tokens`, an hour at most; zero for a key without a
    /// bucket.
    #[must_use]
    pub fn until(&self, key: &K, tokens: f64, now: Instant) -> Duration {
        let missing = self.buckets.get(key).map_or(0.0, |bucket| tokens - refilled(bucket, self.rate, now));
        Duration::from_secs_f64((missing / self.rate.per_second.max(f64::EPSILON)).clamp(0.0, 3_600.0))
    }

    /// Takes one token; returns false if there is none.
    pub fn take(&mut self, key: K, now: Instant) -> bool {
        self.take_or_when(key, now).is_ok()
    }

    /// Takes one token.
    ///
    /// # Errors
    /// The time at which there will be one; `None` if the table is full.
    pub fn take_or_when(&mut self, key: K, now: Instant) -> Result<(), Option<Instant>> {
        let rate = self.rate;
        let bucket = self.bucket(key, now).ok_or(None)?;
        if bucket.tokens < 1.0 {
            return Err(Some(there(bucket, rate, 1.0, now)));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Returns the time at which the key's bucket holds `tokens`; `None` if the table is full.
    pub fn ready(&mut self, key: K, tokens: f64, now: Instant) -> Option<Instant> {
        let rate = self.rate;
        self.bucket(key, now).map(|bucket| there(bucket, rate, tokens, now))
    }

    /// Adds tokens to the key's bucket. A negative number takes them away, even more than there are; the bucket then
    /// has to refill from below zero. Does nothing if the key has no bucket.
    pub fn change(&mut self, key: &K, tokens: f64) {
        let burst = self.rate.burst;
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.tokens = (bucket.tokens + tokens).min(burst);
        }
    }

    fn bucket(&mut self, key: K, now: Instant) -> Option<&mut Bucket> {
        if self.buckets.len() >= self.most && !self.buckets.contains_key(&key) {
            // Looking through a full table for each made-up address would be the flood's success.
            if self.cleared.is_none_or(|at| now.saturating_duration_since(at) >= CLEAR_EVERY) {
                self.cleared = Some(now);
                let rate = self.rate;
                self.buckets.retain(|_, bucket| refilled(bucket, rate, now) < rate.burst);
            }
            if self.buckets.len() >= self.most {
                // All of them busy: a flood from made-up addresses. Strangers wait.
                return None;
            }
        }
        let rate = self.rate;
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.burst, at: now });
        bucket.tokens = refilled(bucket, rate, now);
        bucket.at = now;
        Some(bucket)
    }
}

/// Returns the time at which a bucket that was refilled at `now` holds `tokens`.
fn there(bucket: &Bucket, rate: Rate, tokens: f64, now: Instant) -> Instant {
    let missing = tokens - bucket.tokens;
    // Rounded up, so that the tokens are surely there at the time returned.
    let wait = Duration::try_from_secs_f64(missing / rate.per_second).unwrap_or_default();
    if missing > 0.0 { now + wait + Duration::from_nanos(1) } else { now }
}

fn refilled(bucket: &Bucket, rate: Rate, now: Instant) -> f64 {
    let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
    (bucket.tokens + passed * rate.per_second).min(rate.burst)
}

/// A map with a bounded number of entries that drops old ones. It consists of two halves: when the newer half is full
/// it replaces the older one, so nothing is ever searched through.
#[derive(Debug)]
pub struct RecentMap<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V> RecentMap<K, V> {
    /// Makes an empty map that always holds the latest `half` keys and never more than twice as many.
    #[must_use]
    pub fn new(half: usize) -> Self {
        Self { half, young: HashMap::new(), old: HashMap::new() }
    }

    /// Enters a value under a key, in place of an older one.
    pub fn note(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Returns the value noted last under this key, unless it was dropped.
    pub fn of<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Removes a key.
    pub fn forget<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        self.young.remove(key);
        self.old.remove(key);
    }
}

/// Limits a warning to one line a minute, so that a flood of requests cannot fill the disk through the log.
#[derive(Debug, Default)]
pub struct LogLimiter {
    next: Option<Instant>,
    hidden: u64,
}

impl LogLimiter {
    /// Returns `None` if the line must not be written now; else how many lines were left out since the last one.
    pub fn speaks(&mut self, now: Instant) -> Option<u64> {
        if self.next.is_some_and(|next| now < next) {
            self.hidden += 1;
            return None;
        }
        self.next = Some(now + Duration::from_secs(60));
        Some(std::mem::take(&mut self.hidden))
    }
}

/// Returns the network of an address, to count wrong passwords by: /24 of IPv4, /48 of IPv6.
#[must_use]
pub fn network(address: SocketAddr) -> IpAddr {
    // A socket that serves both families gives IPv4 addresses as IPv4-mapped IPv6, which would all be one network.
    match address.ip().to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// How many wrong passwords in a row are answered without delay.
pub const FREE_FAILURES: u32 = 5;

/// Returns how long the answer to the `failures`-th wrong password in a row is delayed: from one second, doubling up to
/// 60.
#[must_use]
pub fn penalty(failures: u32) -> Duration {
    match failures {
        0..=FREE_FAILURES => Duration::ZERO,
        n => Duration::from_secs(1u64 << (n - 6).min(6)).min(Duration::from_secs(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_noted_the_latest_is_known() {
        let mut recent = RecentMap::new(3);
        (0..100).for_each(|n| recent.note(n, n));
        assert_eq!((0..100).filter(|n| recent.of(n) == Some(n)).collect::<Vec<_>>(), [96, 97, 98, 99]);
        recent.note(97, 1);
        recent.forget(&98);
        assert_eq!((96..100).map(|n| recent.of(&n).copied()).collect::<Vec<_>>(), [Some(96), Some(1), None, Some(99)]);
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Rate { per_second: 2.0, burst: 3.0 }, 2);
        let taken = |b: &mut Buckets<u8>, key, ms| b.take(key, start + Duration::from_millis(ms));
        assert_eq!([0; 4].map(|ms| taken(&mut buckets, 1, ms)), [true, true, true, false]);
        assert!(taken(&mut buckets, 1, 500) && !taken(&mut buckets, 1, 500));
        assert!(taken(&mut buckets, 2, 500));
        assert!(!taken(&mut buckets, 3, 500), "two busy keys fill the table");
        assert!(taken(&mut buckets, 3, 5_000), "once they are full again they are forgotten");
    }

    #[test]
    fn a_token_can_be_taken_in_advance() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Rate { per_second: 2.0, burst: 3.0 }, 2);
        let waits: Vec<u128> = (0..5).map(|_| buckets.take_ahead(1, start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 500, 1_000]);
        assert_eq!(buckets.until(&1, 2.0, start).as_millis(), 2_000);
        assert_eq!(buckets.take_ahead(1, start + Duration::from_secs(9)).as_millis(), 0, "it refills");
    }

    #[test]
    fn a_debt_is_made_up_for_by_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut buckets = Buckets::new(Rate { per_second: 1_000.0, burst: 100.0 }, 1);
        buckets.change(&1, -50.0);
        assert_eq!(buckets.ready(1, 100.0, start), Some(start), "nobody was there");
        buckets.change(&1, -300.0);
        let ready = buckets.ready(1, 0.0, start).expect("room");
        assert!(ready > at(199) && ready < at(201), "{:?}", ready - start);
        assert_eq!(buckets.ready(1, 0.0, ready), Some(ready));
        assert_eq!(buckets.ready(2, 0.0, ready), None, "the table is full");
        buckets.change(&1, 1_000.0);
        assert!(buckets.ready(1, 101.0, ready).is_some_and(|at| at > ready), "no more than can be saved up");
    }

    #[test]
    fn the_log_hears_once_a_minute() {
        let start = Instant::now();
        let mut seldom = LogLimiter::default();
        let said = [0, 1, 59, 60, 61, 200].map(|s| seldom.speaks(start + Duration::from_secs(s)));
        assert_eq!(said, [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn networks_are_told_apart_in_both_families() {
        for (address, expected) in [
            ("192.0.2.7:1", "192.0.2.0"),
            ("[::ffff:192.0.2.7]:1", "192.0.2.0"),
            ("[2001:db8:1:2::3]:1", "2001:db8:1::"),
        ] {
            assert_eq!(network(address.parse().expect("an address")).to_string(), expected, "{address}");
        }
    }

    #[test]
    fn penalties_double_to_a_minute() {
        let seconds: Vec<u64> = (5..=14).map(|n| penalty(n).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
