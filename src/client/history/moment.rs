//! When a message was written. A moment is milliseconds since 1970 and is put into words where it is shown, in the zone
//! of then. A server of the plain dialect writes its own clock's face, without a zone: how far that is from UTC is
//! learned from messages that cannot have waited, and until then the face is all that is known. Pure.

use chrono::{DateTime, Local, NaiveDateTime, TimeZone};
use rust_i18n::t;

use super::Row;

/// By how many milliseconds zones differ from each other at least.
const QUARTER_MS: i64 = 15 * 60 * 1000;
/// What two clocks may differ by, and what a face without seconds leaves out.
const CLOCKS_MS: i64 = 2 * 60 * 1000;
/// The farthest zones from UTC.
const FARTHEST_MS: i64 = 14 * 60 * 60 * 1000;

/// Forms that servers write, the protocol's first.
const FORMS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%a %b %d %H:%M:%S %Y",
];

/// What a clock showed, in milliseconds as if it stood in UTC; nothing if the text is no date with a time.
#[must_use]
pub fn face(text: &str) -> Option<i64> {
    let read = |form: &&str| NaiveDateTime::parse_from_str(text.trim(), form).ok();
    FORMS.iter().find_map(read).map(|time| time.and_utc().timestamp_millis())
}

/// Seconds by which a clock is before UTC that showed `face` at some time from `from` to `until`; nothing if more than one
/// zone would do, or none.
#[must_use]
pub fn zone(face: i64, from: i64, until: i64) -> Option<i32> {
    let least = face.checked_sub(until)?.checked_sub(CLOCKS_MS)?;
    let most = face.checked_sub(from)?.checked_add(CLOCKS_MS)?;
    let zone = most.div_euclid(QUARTER_MS) * QUARTER_MS;
    let only = zone >= least && zone - QUARTER_MS < least;
    (only && zone.abs() <= FARTHEST_MS).then_some(())?;
    i32::try_from(zone / 1000).ok()
}

/// Whether a clock of some zone may have shown `face` then, to the second.
#[must_use]
pub fn may_be(face: i64, unix_ms: i64) -> bool {
    let apart = (face / 1000).saturating_sub(unix_ms.div_euclid(1000));
    apart.checked_rem(QUARTER_MS / 1000) == Some(0) && apart.saturating_abs() <= FARTHEST_MS / 1000
}

/// When this computer's clock shows so.
#[must_use]
pub fn here(face: i64) -> i64 {
    let Some(time) = DateTime::from_timestamp_millis(face).map(|time| time.naive_utc()) else { return face };
    // Of an hour that there is twice the first; one that is left out is shown an hour later.
    let local = |time: NaiveDateTime| Local.from_local_datetime(&time).earliest();
    let later = || time.checked_add_signed(chrono::Duration::hours(1)).and_then(local);
    local(time).or_else(later).map_or(face, |time| time.timestamp_millis())
}

/// When a message of a plain server was written, by what it says and when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenTime {
    /// When it was written, in milliseconds since 1970; when it was received, if that is not known.
    pub unix_ms: i64,
    /// The server's clock's face, if it could be read.
    pub face: Option<i64>,
    /// By how many seconds that clock is before UTC, if it is known.
    pub zone: Option<i32>,
}

impl WrittenTime {
    /// `zone` is what was learned of the server before. One by which the message would be written after it has come is not
    /// its zone.
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

/// The moment that a face shows, and the server's own words where these are all that is known.
#[must_use]
pub fn shown(unix_ms: i64, face: Option<i64>, zone: Option<i32>, text: Option<String>) -> (i64, Option<String>) {
    match (face, zone) {
        (Some(face), None) => (here(face), text),
        (Some(_), Some(_)) => (unix_ms, None),
        (None, _) => (unix_ms, text),
    }
}

impl Row {
    /// When it was written; nothing if only the server's own words are known, whose zone is not.
    #[must_use]
    pub fn moment(&self) -> Option<i64> {
        self.server_time.is_none().then_some(self.unix_ms)
    }

    /// That its moment is what the server's clock showed, where that is all that is known of it: a word to stand beside it.
    #[must_use]
    pub fn clock_mark(&self) -> Option<String> {
        self.server_time.as_ref().map(|_| t!("chat.server_clock").into_owned())
    }

    /// When it was written, in the zone of now and in this form; where only the server's clock is known, what that showed,
    /// in the same form if it can be read, else in the server's words.
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
