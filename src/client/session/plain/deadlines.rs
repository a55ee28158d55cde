//! What the session waits for, in one table, so that [`Session::poll_timeout`] and what is done then cannot disagree.

use std::time::Instant;

use super::{Session, State};

/// A kind of deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    /// Going offline no longer waits for an answer.
    Leave,
    /// The outstanding request was not answered in time.
    Answer,
    /// A silent server is asked again.
    Retry,
    /// Something that had to wait can go out.
    Next,
    /// The server's silence is reported.
    Contact,
}

impl Deadline {
    /// All deadlines, in the order in which they are handled.
    const ALL: [Self; 5] = [Self::Leave, Self::Answer, Self::Retry, Self::Next, Self::Contact];
}

impl Session {
    /// Returns when this deadline comes; `None` if it is not waited for.
    fn at(&self, deadline: Deadline) -> Option<Instant> {
        // A request that waits for its turn waits for the answer first, and then for a silent server.
        let answer = self.line.outstanding.as_ref().map(|outstanding| outstanding.due);
        match deadline {
            Deadline::Leave => self.entering.leave_by,
            Deadline::Answer => answer,
            Deadline::Retry => self.entering.retry_at.filter(|_| answer.is_none()),
            Deadline::Next => self.next_at().filter(|_| answer.or(self.entering.retry_at).is_none()),
            Deadline::Contact => self.line.contact.due(),
        }
    }

    /// Returns when something that has to wait can go out.
    fn next_at(&self) -> Option<Instant> {
        if self.state != State::Online || self.receiving.storing.is_some() || self.sending.is_noting() {
            return None;
        }
        let sends = |at: Option<Instant>| at.filter(|_| !self.sending.outbox.is_empty());
        let next = match self.receiving.hold_until {
            Some(_) => [self.receiving.hold_until, None],
            None => [self.poll.at, sends(self.line.quiet_until)],
        };
        next.into_iter().chain([sends(self.sending.note_at)]).flatten().min()
    }

    /// Returns when [`Session::handle_timeout`] is to be called; `None` if there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Deadline::ALL.into_iter().filter_map(|deadline| self.at(deadline)).min()
    }

    /// Handles the deadlines that have come. One may end another, so each is checked when its turn comes.
    pub fn handle_timeout(&mut self, now: Instant) {
        for deadline in Deadline::ALL {
            if self.at(deadline).is_none_or(|at| at > now) {
                continue;
            }
            match deadline {
                Deadline::Leave => return self.left(now, None),
                Deadline::Answer => {
                    if let Some(outstanding) = self.line.outstanding.take() {
                        self.timed_out(now, outstanding);
                    }
                }
                Deadline::Retry => self.resume(now),
                // These are handled below, as after every call.
                Deadline::Next | Deadline::Contact => {}
            }
        }
        self.go_on(now);
        self.line.contact.look(now, &mut self.told.events);
    }
}
