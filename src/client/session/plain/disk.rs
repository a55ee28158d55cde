//! What waits for the disk: a message that came, and the note that one is being sent.

use std::time::Instant;

use super::{DISK, Session, State};
use crate::base::model::{MessageId, SendState};
use crate::client::session::{Event, StoreToken};

impl Session {
    /// The message of this token is on disk, or could not be stored (then it is not asked on, so that
    /// the server keeps the rest).
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        if self.storing != Some(token) {
            // Of a login that is over, whose message is asked for anew.
            return;
        }
        if !stored {
            // Ours offers it again after a login; elsewhere at least the others are left where they are.
            let from = self.take_next.take().flatten();
            if self.extensions != Some(false) {
                self.release = Some(from);
            }
            self.hold_until = Some(now + DISK);
            // Only of what is on disk can there be a repeat.
            if !self.repeated {
                self.offered = None;
            }
            // Ours has it still.
            self.expected_unread = self.expected_unread.filter(|_| self.extensions == Some(true)).map(|n| n + 1);
        }
        self.storing = None;
        self.go_on(now);
    }

    /// That this message is [`SendState::Sending`] is on disk, or could not be stored; then it waits until
    /// something can be, since after a crash nobody would know that it may have been sent.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        if self.noting != Some(id) {
            return;
        }
        self.noting = None;
        if !noted {
            self.note_at = Some(now + DISK);
        }
        if !noted || self.state == State::Offline || self.leave_by.is_some() {
            // It waits for another day.
            self.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        } else {
            self.hold_until = None;
            if let Some(message) = self.outbox.front_mut().filter(|m| m.id == id) {
                message.noted = true;
            }
        }
        self.go_on(now);
    }
}
