//! What a plain session leaves behind when the secure dialect is spoken from now on, for a later plain session.
//! Everything else ends with it.

use std::time::Instant;

use super::Session;
use super::late::LateAnswers;
use super::parts::{Poll, Wire};
use crate::base::model::{Account, Polling};
use crate::protocol::wire::Reply;

/// What a plain session leaves for the next one: requests that may still be answered, the polling state, and the
/// tokens that the disk may still answer.
#[derive(Debug)]
pub struct Leftovers {
    pub(super) late: LateAnswers,
    /// Whether a late answer to a 03 may be under way.
    pub(super) fence_due: bool,
    pub(super) last_token: u64,
    pub(super) poll: Poll,
}

impl Leftovers {
    /// Creates the leftovers of no session, for the first one.
    #[must_use]
    pub fn new(polling: Polling) -> Self {
        Self { late: LateAnswers::default(), fence_due: false, last_token: 0, poll: Poll::new(polling) }
    }

    /// Notes datagrams that may still be answered; see [`Session::expect_late`].
    pub fn expect_late(&mut self, datagrams: &[(Vec<u8>, Instant)]) {
        self.late.expect_sent(datagrams);
    }

    /// Returns whether a reply may answer an earlier request; see [`Session::is_unclear`].
    pub fn is_unclear(&mut self, now: Instant, reply: &Reply) -> bool {
        self.late.is_unclear(now, reply)
    }

    /// Sets the polling; see [`Session::set_polling`].
    pub fn set_polling(&mut self, polling: Polling) {
        self.poll.polling = polling;
    }

    /// Sets the open chats; see [`Session::set_open_chats`].
    pub fn set_open_chats(&mut self, chats: Vec<Account>, visible: bool) {
        self.poll.open_chats = chats;
        self.poll.visible = visible;
    }
}

impl Session {
    /// Ends the session without telling the server, and returns what is left of it.
    #[must_use]
    pub fn leave(mut self) -> Leftovers {
        self.forget();
        let Self { line: Wire { late, fence_due, .. }, last_token, poll, .. } = self;
        let Poll { polling, open_chats, visible, .. } = poll;
        Leftovers { late, fence_due, last_token, poll: Poll { open_chats, visible, ..Poll::new(polling) } }
    }
}
