//! What waits for the disk: received messages, and notes that a message is being sent.

use std::time::Instant;

use super::outbox::Stage;
use super::{DISK, Session, State};
use crate::base::model::{MessageId, SendState};
use crate::client::session::{Event, StoreToken};

impl Session {
    /// Called when the message of this token is on disk (`stored`) or could not be stored. In that case no further
    /// messages are asked for, so that the server keeps them.
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        if self.receiving.storing != Some(token) {
            // It belongs to an ended login; the message will be asked for again.
            return;
        }
        if !stored {
            // Our server offers it again after a login; on others at least the remaining messages stay where they are.
            let from = self.receiving.take_next.take().flatten();
            if self.server.extensions != Some(false) {
                self.receiving.release = Some(from);
            }
            self.receiving.hold_until = Some(now + DISK);
            // Only a message on disk can be recognised as a repetition.
            if !self.receiving.repeated {
                self.receiving.offered = None;
            }
            // Our server still has it.
            self.receiving.expected_unread =
                self.receiving.expected_unread.filter(|_| self.server.extensions == Some(true)).map(|n| n + 1);
        }
        self.receiving.storing = None;
        self.go_on(now);
    }

    /// Called when the note that this message is [`SendState::Sending`] is on disk (`noted`) or could not be stored. In
    /// that case the message waits until notes can be stored, since after a crash nothing would show that it may have
    /// been sent.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        if !self.sending.is_noting() || self.sending.outbox.front().is_none_or(|message| message.id != id) {
            return;
        }
        if !noted {
            self.sending.note_at = Some(now + DISK);
        }
        if !noted || self.state == State::Offline || self.entering.leave_by.is_some() {
            // It waits for a later login.
            self.sending.turn(|_| Stage::Waiting);
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        } else {
            self.sending.turn(|_| Stage::Noted);
            self.receiving.hold_until = None;
        }
        self.go_on(now);
    }
}
