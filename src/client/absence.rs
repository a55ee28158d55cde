//! Whether the person at this device is away: no key and no mouse for a set time. Pure; a face tells what it sees, and
//! looks again when [`Absence::due`] says, which is at most once in the set time.

use std::time::{Duration, Instant};

/// What is known of the person at this device.
#[derive(Debug)]
pub struct Absence {
    /// After how long without a key they are away; `None`: never.
    limit: Option<Duration>,
    /// The last key or movement that is known.
    seen: Instant,
    away: bool,
    look_at: Option<Instant>,
}

impl Absence {
    /// Begins with somebody who is here. `limit` is the time without a key after which they are away; `None`: never.
    #[must_use]
    pub fn new(limit: Option<Duration>, now: Instant) -> Self {
        let limit = limit.filter(|limit| !limit.is_zero());
        Self { limit, seen: now, away: false, look_at: limit.map(|limit| now + limit) }
    }

    /// Returns the time of so many minutes, as the settings have it; 0 is never.
    #[must_use]
    pub fn minutes(minutes: u16) -> Option<Duration> {
        (minutes > 0).then(|| Duration::from_secs(60 * u64::from(minutes)))
    }

    /// Sets another time, as the person has just chosen it. Returns whether they were away until now.
    pub fn set_limit(&mut self, limit: Option<Duration>, now: Instant) -> bool {
        let was = self.away;
        *self = Self::new(limit, now);
        was
    }

    /// Returns whether they are away.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away
    }

    /// Returns when the face is to look next; `None`: not before the next key.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.look_at
    }

    /// Called with each key and movement that the face sees. Returns whether they were away until now.
    pub fn touched(&mut self, now: Instant) -> bool {
        self.seen = now;
        let was = std::mem::take(&mut self.away);
        if was {
            self.look_at = self.limit.map(|limit| now + limit);
        }
        was
    }

    /// Looks, once [`Absence::due`] has come. `idle` is how long nothing was touched on the whole computer; `None` where
    /// that is unknown: then only [`Absence::touched`] counts. Returns whether they have gone or come.
    pub fn look(&mut self, now: Instant, idle: Option<Duration>) -> bool {
        let Some(limit) = self.limit.filter(|_| self.look_at.is_some_and(|at| at <= now)) else { return false };
        let here = now.saturating_duration_since(self.seen);
        let for_long = idle.map_or(here, |idle| idle.min(here));
        let was = std::mem::replace(&mut self.away, for_long >= limit);
        self.look_at = match (self.away, idle) {
            // Whoever comes back is seen by their first key.
            (true, None) => None,
            (true, Some(_)) => Some(now + limit),
            (false, _) => Some(now + (limit - for_long)),
        };
        was != self.away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(600);

    fn minutes(n: u64) -> Duration {
        Duration::from_secs(60 * n)
    }

    #[test]
    fn who_touches_nothing_for_the_set_time_is_away_until_the_next_key() {
        let begun = Instant::now();
        let mut absence = Absence::new(Some(LIMIT), begun);
        assert!(!absence.touched(begun + minutes(4)));
        assert_eq!(absence.due(), Some(begun + LIMIT), "a key moves no timer");
        assert!(!absence.look(begun + LIMIT, None));
        assert_eq!(absence.due(), Some(begun + minutes(14)));
        assert!(absence.look(begun + minutes(14), None) && absence.is_away());
        assert_eq!(absence.due(), None);
        assert!(absence.touched(begun + minutes(99)) && !absence.is_away());
        assert_eq!(absence.due(), Some(begun + minutes(109)));
    }

    #[test]
    fn what_is_touched_elsewhere_on_the_computer_counts() {
        let begun = Instant::now();
        let mut absence = Absence::new(Some(LIMIT), begun);
        assert!(!absence.look(begun + LIMIT, Some(minutes(3))));
        assert_eq!(absence.due(), Some(begun + minutes(17)));
        assert!(absence.look(begun + minutes(17), Some(minutes(10))));
        assert!(absence.look(begun + minutes(27), Some(minutes(1))) && !absence.is_away(), "back at the next look");
        assert!(!absence.look(begun + minutes(27), Some(minutes(99))), "not before it is due");
    }

    /// However long nobody comes, and however they come and go: at most one look in the set time.
    #[test]
    fn an_idle_program_wakes_at_most_once_in_the_set_time() {
        let begun = Instant::now();
        for elsewhere in [None, Some(Duration::ZERO), Some(minutes(4)), Some(minutes(60))] {
            let mut absence = Absence::new(Some(LIMIT), begun);
            let (mut now, mut looks) = (begun, 0);
            while let Some(due) = absence.due().filter(|due| *due < begun + minutes(600)) {
                now = due.max(now);
                absence.look(now, elsewhere);
                looks += 1;
                assert!(absence.due().is_none_or(|next| next > now), "{elsewhere:?}");
            }
            let most = if elsewhere == Some(minutes(4)) { 100 } else { 60 };
            assert!(looks <= most, "{elsewhere:?}: {looks}");
        }
    }

    #[test]
    fn never_is_never() {
        let begun = Instant::now();
        for limit in [None, Some(Duration::ZERO)] {
            let mut absence = Absence::new(limit, begun);
            assert_eq!((absence.due(), absence.look(begun + LIMIT * 9, Some(LIMIT))), (None, false));
        }
        let mut absence = Absence::new(Some(LIMIT), begun);
        absence.look(begun + LIMIT, None);
        assert!(absence.set_limit(None, begun + LIMIT), "who changes it is here");
        assert_eq!(absence.due(), None);
    }
}
