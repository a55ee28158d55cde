//! What the session waits for, in one table: what [`Session::poll_timeout`] says and what is done then cannot disagree.

use std::time::Instant;

use super::{Session, State};

/// What comes at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    /// Going offline needs no answer any more.
    Leave,
    /// The request that is outstanding is not answered.
    Answer,
    /// A silent server is asked again.
    Retry,
    /// Something can go out that had to wait.
    Next,
    /// It is said that the server is silent.
    Contact,
}

impl Deadline {
    /// In the order in which they are looked at.
    const ALL: [Self; 5] = [Self::Leave, Self::Answer, Self::Retry, Self::Next, Self::Contact];
}

impl Session {
    /// When this one comes; `None` while it is not waited for.
    fn at(&self, deadline: Deadline) -> Option<Instant> {
        // What waits for its turn waits for the answer first, and then for a server that is silent.
        let answer = self.line.outstanding.as_ref().map(|outstanding| outstanding.due);
        match deadline {
            Deadline::Leave => self.entering.leave_by,
            Deadline::Answer => answer,
            Deadline::Retry => self.entering.retry_at.filter(|_| answer.is_none()),
            Deadline::Next => self.next_at().filter(|_| answer.or(self.entering.retry_at).is_none()),
            Deadline::Contact => self.line.contact.due(),
        }
    }

    /// When something can go out that has to wait now.
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

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Deadline::ALL.into_iter().filter_map(|deadline| self.at(deadline)).min()
    }

    /// The deadline has come. One thing may end another's deadline, so each is looked at when its turn comes.
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
                // With every turn, below.
                Deadline::Next | Deadline::Contact => {}
            }
        }
        self.go_on(now);
        self.line.contact.look(now, &mut self.told.events);
    }
}
