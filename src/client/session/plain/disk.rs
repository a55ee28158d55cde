//! What waits for the disk: a message that came, and the note that one is being sent.

use std::time::Instant;

use super::outbox::Stage;
use super::{DISK, Session, State};
use crate::base::model::{MessageId, SendState};
use crate::client::session::{Event, StoreToken};

impl Session {
    /// The message of this token is on disk, or could not be stored (then it is not asked on, so that
    /// the server keeps the rest).
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        if self.receiving.storing != Some(token) {
            // Of a login that is over, whose message is asked for anew.
            return;
        }
        if !stored {
            // Ours offers it again after a login; elsewhere at least the others are left where they are.
            let from = self.receiving.take_next.take().flatten();
            if self.server.extensions != Some(false) {
                self.receiving.release = Some(from);
            }
            self.receiving.hold_until = Some(now + DISK);
            // Only of what is on disk can there be a repeat.
            if !self.receiving.repeated {
                self.receiving.offered = None;
            }
            // Ours has it still.
            self.receiving.expected_unread =
                self.receiving.expected_unread.filter(|_| self.server.extensions == Some(true)).map(|n| n + 1);
        }
        self.receiving.storing = None;
        self.go_on(now);
    }

    /// That this message is [`SendState::Sending`] is on disk, or could not be stored; then it waits until
    /// something can be, since after a crash nobody would know that it may have been sent.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        if !self.sending.is_noting() || self.sending.outbox.front().is_none_or(|message| message.id != id) {
            return;
        }
        if !noted {
            self.sending.note_at = Some(now + DISK);
        }
        if !noted || self.state == State::Offline || self.entering.leave_by.is_some() {
            // It waits for another day.
            self.sending.turn(|_| Stage::Waiting);
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        } else {
            self.sending.turn(|_| Stage::Noted);
            self.receiving.hold_until = None;
        }
        self.go_on(now);
    }
}
