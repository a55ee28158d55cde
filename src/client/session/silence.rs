//! Whether the server is still there, as far as can be known: a request that is always answered has had no answer for
//! too long, or the connection is gone. While nothing is asked, nothing is claimed. Pure.

use std::time::{Duration, Instant};

use super::Event;

/// How long a request may be unanswered before the server is reported as silent.
pub const SILENT: Duration = Duration::from_secs(3);

/// Detects a silent server: notes when the oldest unanswered request was sent or the connection was lost.
#[derive(Debug, Default)]
pub(super) struct SilenceDetector {
    /// When the oldest of what is unanswered was asked, or the connection was lost.
    since: Option<Instant>,
    told: bool,
}

impl SilenceDetector {
    /// Starts waiting: a request was sent, or the connection is gone.
    pub(super) fn waits(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// The server has answered, or nobody expects anything of it any more; true if it was told to be silent.
    pub(super) fn ends(&mut self, events: &mut impl Extend<Event>) -> bool {
        self.since = None;
        let told = std::mem::take(&mut self.told);
        events.extend(told.then_some(Event::Silent(None)));
        told
    }

    /// Whether the server was told to be silent, and is still.
    pub(super) fn is_silent(&self) -> bool {
        self.told
    }

    /// When [`SilenceDetector::look`] is to be called.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.filter(|_| !self.told).map(|since| since + SILENT)
    }

    /// Tells that the server is silent once it has been for long enough.
    pub(super) fn look(&mut self, now: Instant, events: &mut impl Extend<Event>) {
        if let Some(since) = self.since.filter(|_| self.due().is_some_and(|at| at <= now)) {
            self.told = true;
            events.extend([Event::Silent(Some(since))]);
        }
    }
}
