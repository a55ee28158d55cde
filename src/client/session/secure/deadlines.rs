//! What the session waits for, in one table, so that [`Session::poll_timeout`] and what is done then cannot disagree.

use std::time::Instant;

use super::watching::patience_ends;
use super::{CloseReason, Session};
use crate::client::session::LoginOutcome;

/// A kind of deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    /// The link has something to do.
    Carrier,
    /// An attempt to connect was not answered in time.
    Dial,
    /// The next attempt to connect begins.
    Retry,
    /// Messages are accepted again after the disk has refused one.
    Hold,
    /// Deliveries are asked for again after the disk has refused to note them.
    Deliveries,
    /// What has changed of the account's items is asked for again.
    Items,
    /// Changes of items are sent again.
    SetItems,
    /// The list of who is online is complete.
    Presence,
    /// Messages are sent again after the server could not store one.
    Resend,
    /// Going offline no longer waits for an answer.
    Leave,
    /// The person has waited long enough for a login.
    Login,
    /// The person has waited long enough for an answer.
    Question,
    /// Unanswered requests are checked.
    Silence,
    /// The server's silence is reported.
    Contact,
}

impl Deadline {
    /// All deadlines, in the order in which they are handled.
    const ALL: [Self; 14] = [
        Self::Carrier,
        Self::Leave,
        Self::Dial,
        Self::Presence,
        Self::Retry,
        Self::Resend,
        Self::Hold,
        Self::Deliveries,
        Self::Items,
        Self::SetItems,
        Self::Login,
        Self::Question,
        Self::Silence,
        Self::Contact,
    ];
}

impl Session {
    /// Returns when this deadline comes; `None` if it is not waited for.
    fn at(&self, deadline: Deadline) -> Option<Instant> {
        match deadline {
            Deadline::Carrier => self.carrier.poll_timeout(),
            Deadline::Leave => self.leaving.map(|(_, by)| by),
            Deadline::Dial => self.dialling.dial_by,
            Deadline::Presence => self.presence.tell_at,
            Deadline::Retry => self.dialling.retry_at,
            Deadline::Resend => self.sending.resend_at,
            Deadline::Hold => self.receiving.hold_until,
            Deadline::Deliveries => self.deliveries.retry_at,
            Deadline::Items => self.items.ask_at,
            Deadline::SetItems => self.items.set_at,
            Deadline::Login => self.login.began.map(|began| self.patience_ends(began)),
            Deadline::Question => self.questions.due(|began| self.patience_ends(began)),
            Deadline::Silence => self.silence(),
            Deadline::Contact => self.health.contact.due(),
        }
    }

    /// Returns when [`Session::handle_timeout`] is to be called; `None` if there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Deadline::ALL.into_iter().filter_map(|deadline| self.at(deadline)).min()
    }

    /// Handles the deadlines that have come. One may end another, so each is checked when its turn comes.
    pub(super) fn due(&mut self, now: Instant) {
        for deadline in Deadline::ALL {
            if self.at(deadline).is_some_and(|at| at <= now) {
                self.is_due(now, deadline);
            }
        }
    }

    fn is_due(&mut self, now: Instant, deadline: Deadline) {
        match deadline {
            // These are handled before and after this, at every turn.
            Deadline::Carrier | Deadline::Silence | Deadline::Contact => {}
            Deadline::Leave => self.left(now, None),
            Deadline::Dial => {
                self.dialling.dial_by = None;
                self.health.trouble = Some(CloseReason::NoAnswer);
                self.give_up_connection(now, "no answer");
                self.try_again(now);
            }
            Deadline::Presence => {
                self.presence.tell_at = None;
                self.tell_online();
            }
            Deadline::Retry => self.dialling.retry_at = None,
            Deadline::Resend => self.sending.resend_at = None,
            Deadline::Hold => self.receiving.hold_until = None,
            Deadline::Deliveries => self.deliveries.retry_at = None,
            Deadline::Items => self.items.ask_at = None,
            Deadline::SetItems => self.items.set_at = None,
            Deadline::Login => {
                let why = self.login.put_off.take();
                self.not_in(now, why.map_or(LoginOutcome::NoAnswer, LoginOutcome::TryLater));
            }
            Deadline::Question => {
                let heard = self.health.heard;
                let over = self.questions.give_up(now, |began| patience_ends(heard, began));
                self.told.events.extend(over);
            }
        }
    }
}
