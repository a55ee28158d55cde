//! Deadlines as values: the retransmission timeout and the backoff between tries. Pure.
//!
//! Source: the plain protocol, "No reply": Jacobson/Karels, 1 s to begin with, at least 300 ms,
//! doubled at each try (RFC 6298 without its one-second floor).

use std::time::Duration;

/// The retransmission timeout, from measured round-trip times.
#[derive(Debug, Clone, Default)]
pub struct Rto {
    /// Smoothed round-trip time and its mean deviation, in seconds.
    measured: Option<(f64, f64)>,
    /// How often the timeout is doubled until the next measurement.
    backed_off: u8,
}

impl Rto {
    /// The timeout before any round trip was measured.
    pub const INITIAL: Duration = Duration::from_secs(1);
    /// The shortest timeout.
    pub const LEAST: Duration = Duration::from_millis(300);
    /// The shortest timeout of a request that may be sent twice without harm.
    pub const LEAST_OF_QUESTION: Duration = Duration::from_millis(100);
    /// The longest timeout, doubled or not.
    pub const MOST: Duration = Duration::from_secs(8);

    /// Learns from the answer to a request that was sent only once (Karn's rule is the caller's).
    pub fn measure(&mut self, sample: Duration) {
        self.backed_off = 0;
        // Longer than any timeout, it was the machine that slept.
        let sample = sample.min(Self::MOST).as_secs_f64();
        self.measured = Some(match self.measured {
            None => (sample, sample / 2.0),
            Some((mean, deviation)) => {
                (mean + (sample - mean) / 8.0, deviation + ((sample - mean).abs() - deviation) / 4.0)
            }
        });
    }

    /// A request was answered only after `times` more tries, or not in its time: the way may have become
    /// longer than any first try waits, and then nothing would ever be measured.
    pub fn back_off(&mut self, times: u8) {
        self.backed_off = self.backed_off.saturating_add(times).min(5);
    }

    /// Whether an answer after `time` took no longer than answers usually do; false until one was measured.
    #[must_use]
    pub fn is_usual(&self, time: Duration) -> bool {
        self.measured.is_some_and(|(mean, deviation)| time.as_secs_f64() <= mean + 4.0 * deviation)
    }

    /// Ends the doublings: the path is known to be no slower than was measured.
    pub fn reset(&mut self) {
        self.backed_off = 0;
    }

    /// How long to wait for the answer to try `n`, from 1 on.
    #[must_use]
    pub fn timeout(&self, n: u8) -> Duration {
        self.doubled(Self::LEAST, n.saturating_sub(1).saturating_add(self.backed_off))
    }

    /// How long to wait for the answer to try `n` of a request whose second copy is harmless and which is to tell
    /// whether the path has become slower or a datagram was lost; earlier doublings are ignored.
    #[must_use]
    pub fn timeout_of_question(&self, n: u8) -> Duration {
        self.doubled(Self::LEAST_OF_QUESTION, n.saturating_sub(1))
    }

    fn doubled(&self, least: Duration, times: u8) -> Duration {
        let base = match self.measured {
            None => Self::INITIAL,
            Some((mean, deviation)) => Duration::from_secs_f64(mean + 4.0 * deviation).max(least),
        };
        base.saturating_mul(1 << times.min(6)).min(Self::MOST)
    }

    /// The mean deviation of the round-trip time, once it was measured.
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        self.measured.map(|(_, deviation)| Duration::from_secs_f64(deviation))
    }

    /// The smoothed round-trip time, once there is one.
    #[must_use]
    pub fn smoothed(&self) -> Option<Duration> {
        self.measured.map(|(mean, _)| Duration::from_secs_f64(mean))
    }
}

/// Steps that grow to a last one, which then repeats.
#[derive(Debug, Clone)]
pub struct Backoff {
    steps: &'static [u64],
    next: usize,
}

impl Backoff {
    /// After traffic: 1, 2, 4, 8, 15, 30 s.
    pub const POLL: &'static [u64] = &[1, 2, 4, 8, 15, 30];
    /// While the server is silent: 2, 4, 8, 15, 30 s.
    pub const RETRY: &'static [u64] = &[2, 4, 8, 15, 30];

    /// Creates a backoff with these steps, in seconds.
    #[must_use]
    pub fn new(steps: &'static [u64]) -> Self {
        Self { steps, next: 0 }
    }

    /// Returns the current step's duration and moves to the next step.
    pub fn advance(&mut self) -> Duration {
        let step = self.steps.get(self.next).or(self.steps.last()).copied().unwrap_or(30);
        self.next = (self.next + 1).min(self.steps.len());
        Duration::from_secs(step)
    }

    /// Goes back to the first step.
    pub fn reset(&mut self) {
        self.next = 0;
    }
}

/// A deterministic pseudo-random number generator, for spreading deadlines; not for secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Creates a generator; equal seeds give equal numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the next number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A random duration between half of `time` and `time`, so that clients that start together do not stay in step.
    pub fn spread(&mut self, time: Duration) -> Duration {
        let half = time / 2;
        half + half.mul_f64((self.roll() >> 40) as f64 / (1u64 << 24) as f64)
    }
}

#[cfg(test)]
mod tests;
