//! The clock, read here and handed on as a value.

#![allow(clippy::disallowed_methods, reason = "the client's clock is read here, and handed on")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock, for intervals and deadlines.
    pub instant: Instant,
    /// The wall clock in milliseconds since 1970, for times that are shown or stored.
    pub unix_ms: i64,
}

/// Reads both clocks.
#[must_use]
pub fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Now { instant: Instant::now(), unix_ms: i64::try_from(unix).unwrap_or(i64::MAX) }
}
