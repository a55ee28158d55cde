//! What the session waits for, in one table: what [`Session::poll_timeout`] says and what is done then cannot disagree.

use std::time::Instant;

use super::watching::patience_ends;
use super::{CloseReason, Session};
use crate::client::session::LoginOutcome;

/// What comes at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    /// The carrier has something to do.
    Carrier,
    /// Nobody has answered this call.
    Dial,
    /// The server is called again.
    Retry,
    /// The disk is tried again.
    Hold,
    /// The disk is asked again to note what was delivered.
    Deliveries,
    /// A list of who is online is whole.
    Presence,
    /// The server is asked again to store a message.
    Resend,
    /// Going offline needs no answer any more.
    Leave,
    /// Whoever logs in has waited long enough.
    Login,
    /// Whoever asked something has.
    Question,
    /// What is unanswered is looked at.
    Silence,
    /// It is said that the server is silent.
    Contact,
}

impl Deadline {
    /// In the order in which they are looked at.
    const ALL: [Self; 12] = [
        Self::Carrier,
        Self::Leave,
        Self::Dial,
        Self::Presence,
        Self::Retry,
        Self::Resend,
        Self::Hold,
        Self::Deliveries,
        Self::Login,
        Self::Question,
        Self::Silence,
        Self::Contact,
    ];
}

impl Session {
    /// When this one comes; `None` while it is not waited for.
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
            Deadline::Login => self.login.began.map(|began| self.patience_ends(began)),
            Deadline::Question => self.questions.due(|began| self.patience_ends(began)),
            Deadline::Silence => self.silence(),
            Deadline::Contact => self.health.contact.due(),
        }
    }

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Deadline::ALL.into_iter().filter_map(|deadline| self.at(deadline)).min()
    }

    /// What is due by now. One thing may end another's deadline, so each is looked at when its turn comes.
    pub(super) fn due(&mut self, now: Instant) {
        for deadline in Deadline::ALL {
            if self.at(deadline).is_some_and(|at| at <= now) {
                self.is_due(now, deadline);
            }
        }
    }

    fn is_due(&mut self, now: Instant, deadline: Deadline) {
        match deadline {
            // Before and after this, with every turn.
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
