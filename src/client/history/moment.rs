//! When a message was written. A moment is a number of milliseconds since 1970; it is put into words only where it is
//! shown, in the time zone of that moment. A server of the plain dialect writes the reading of its own clock, without a
//! time zone. How far that clock is from UTC is learned from messages that cannot have waited at the server; until then
//! only the reading is known, which this module calls the face. Pure.

use chrono::{DateTime, Local, NaiveDateTime, TimeZone};
use rust_i18n::t;

use super::Row;

/// The smallest difference between two time zones, in milliseconds.
const QUARTER_MS: i64 = 15 * 60 * 1000;
/// The largest expected difference between two clocks, which also covers a face without seconds.
const CLOCKS_MS: i64 = 2 * 60 * 1000;
/// The largest distance of a time zone from UTC, in milliseconds.
const FARTHEST_MS: i64 = 14 * 60 * 60 * 1000;

/// The date formats that servers write, the protocol's own first.
const FORMS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%a %b %d %H:%M:%S %Y",
];

/// Reads a clock's face, in milliseconds as if the clock showed UTC; `None` if the text is not a date with a time.
#[must_use]
pub fn face(text: &str) -> Option<i64> {
    let read = |form: &&str| NaiveDateTime::parse_from_str(text.trim(), form).ok();
    FORMS.iter().find_map(read).map(|time| time.and_utc().timestamp_millis())
}

/// Returns by how many seconds a clock is ahead of UTC that showed `face` at some time between `from` and `until`;
/// `None` if no time zone fits, or several do.
#[must_use]
pub fn zone(face: i64, from: i64, until: i64) -> Option<i32> {
    let least = face.checked_sub(until)?.checked_sub(CLOCKS_MS)?;
    let most = face.checked_sub(from)?.checked_add(CLOCKS_MS)?;
    let zone = most.div_euclid(QUARTER_MS) * QUARTER_MS;
    let only = zone >= least && zone - QUARTER_MS < least;
    (only && zone.abs() <= FARTHEST_MS).then_some(())?;
    i32::try_from(zone / 1000).ok()
}

/// Returns whether a clock in some time zone may have shown `face` at this moment, to the second.
#[must_use]
pub fn may_be(face: i64, unix_ms: i64) -> bool {
    let apart = (face / 1000).saturating_sub(unix_ms.div_euclid(1000));
    apart.checked_rem(QUARTER_MS / 1000) == Some(0) && apart.saturating_abs() <= FARTHEST_MS / 1000
}

/// Returns the moment at which this computer's clock shows this face.
#[must_use]
pub fn here(face: i64) -> i64 {
    let Some(time) = DateTime::from_timestamp_millis(face).map(|time| time.naive_utc()) else { return face };
    // Of an hour that occurs twice, the first is taken; an hour that is skipped is shown an hour later.
    let local = |time: NaiveDateTime| Local.from_local_datetime(&time).earliest();
    let later = || time.checked_add_signed(chrono::Duration::hours(1)).and_then(local);
    local(time).or_else(later).map_or(face, |time| time.timestamp_millis())
}

/// When a message of a plain server was written, as worked out from its text and from when it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenTime {
    /// When it was written, in milliseconds since 1970; when it was received, if that is not known.
    pub unix_ms: i64,
    /// The face of the server's clock, if it could be read.
    pub face: Option<i64>,
    /// By how many seconds that clock is ahead of UTC, if it is known.
    pub zone: Option<i32>,
}

impl WrittenTime {
    /// Works the time out. `zone` is what was learned of this server before; it is dropped if by it the message would
    /// have been written after it was received.
    #[must_use]
    pub fn of(text: &str, came: i64, zone: Option<i32>) -> Self {
        let face = face(text);
        let moment = face.zip(zone).and_then(|(face, zone)| face.checked_sub(i64::from(zone) * 1000));
        match moment.filter(|moment| *moment <= came.saturating_add(QUARTER_MS)) {
            Some(unix_ms) => Self { unix_ms, face, zone },
            None => Self { unix_ms: came, face, zone: None },
        }
    }
}

/// Returns the moment to sort and show a message by, and the server's own text if no exact moment is known.
#[must_use]
pub fn shown(unix_ms: i64, face: Option<i64>, zone: Option<i32>, text: Option<String>) -> (i64, Option<String>) {
    match (face, zone) {
        (Some(face), None) => (here(face), text),
        (Some(_), Some(_)) => (unix_ms, None),
        (None, _) => (unix_ms, text),
    }
}

impl Row {
    /// Returns when it was written; `None` if only the server's own text is known, whose time zone is not.
    #[must_use]
    pub fn moment(&self) -> Option<i64> {
        self.server_time.is_none().then_some(self.unix_ms)
    }

    /// Returns a short mark to show beside the time if that is only what the server's clock showed.
    #[must_use]
    pub fn clock_mark(&self) -> Option<String> {
        self.server_time.as_ref().map(|_| t!("chat.server_clock").into_owned())
    }

    /// Returns when it was written, in this computer's time zone and in this date format. If only the server's clock is
    /// known, returns what that showed: in the same format if it can be read, and as the server wrote it otherwise.
    #[must_use]
    pub fn written(&self, form: &str) -> String {
        let local = || Local.timestamp_millis_opt(self.unix_ms).earliest().map(|time| time.naive_local());
        let time = match &self.server_time {
            None => local(),
            Some(text) => match face(text).and_then(DateTime::from_timestamp_millis) {
                Some(time) => Some(time.naive_utc()),
                None => return text.clone(),
            },
        };
        time.map(|time| time.format(form).to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
