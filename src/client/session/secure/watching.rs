//! Decides when the server counts as silent, and what follows.

use std::time::Instant;

use super::outbox::Outgoing;
use super::{DEAD, HELD_BACK, NO_ANSWER, Session, State, WAITING};
use crate::client::session::ConnectionState;
use crate::client::session::silence::SilenceDetector;
use crate::protocol::link::CloseReason;

/// When and how the server was last heard, across connections.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// When the last datagram was received.
    pub(super) heard: Option<Instant>,
    /// When the session was last called; a long gap means that the machine was suspended.
    pub(super) turned: Option<Instant>,
    /// What happened to the connection since the last call of [`Session::trouble`].
    pub(super) trouble: Option<CloseReason>,
    pub(super) contact: SilenceDetector,
}

impl Session {
    /// Returns when a login that began at this time is reported as unanswered.
    pub(super) fn patience_ends(&self, began: Instant) -> Instant {
        patience_ends(self.health.heard, began)
    }

    pub(super) fn unanswered(&self) -> bool {
        self.connection.asked.is_some()
            || self.connection.ping.is_some()
            || self.leaving.is_some()
            || self.questions.is_owed()
            || self.items.is_owed()
            || self.sending.outbox.iter().any(Outgoing::is_sent)
    }

    /// Returns when an unanswered question is to be checked: first to report it, then to reconnect.
    pub(super) fn silence(&self) -> Option<Instant> {
        let since = self.connection.unanswered_since?;
        if self.link != ConnectionState::Waiting && self.state == State::Online {
            return Some(since + WAITING);
        }
        let heard = self.health.heard.map_or(since, |heard| heard.max(since));
        Some(heard + DEAD)
    }

    /// Checks the unanswered requests: reports waiting, and reconnects after too long a silence.
    pub(super) fn watch(&mut self, now: Instant) {
        self.health.turned = Some(now);
        let unanswered = self.connection.connected && self.unanswered();
        if unanswered != self.connection.hurried
            && let Some(peer) = self.connection.peer
        {
            self.carrier.hurry(now, peer, unanswered);
        }
        self.connection.hurried = unanswered;
        if !unanswered {
            self.connection.unanswered_since = None;
            if self.state == State::Online {
                self.show(self.connected_link());
            }
            return;
        }
        let since = *self.connection.unanswered_since.get_or_insert(now);
        if now >= since + WAITING && self.state == State::Online {
            self.show(ConnectionState::Waiting);
        }
        if self.silence().is_some_and(|at| at <= now) {
            self.health.trouble = Some(CloseReason::Silent);
            self.give_up_connection(now, "silent");
            self.try_again(now);
            self.go_on(now);
        }
    }
}

pub(super) fn patience_ends(heard: Option<Instant>, began: Instant) -> Instant {
    let heard = heard.map_or(began, |heard| heard.max(began));
    (heard + NO_ANSWER).min(began + HELD_BACK)
}
