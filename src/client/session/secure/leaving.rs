//! Leaving: because the person wants to, because another device logs in, or silently.

use std::time::Instant;

use super::outbox::Stage;
use super::{Event, LEAVING, Session, State};
use crate::base::model::SendState;
use crate::client::session::ConnectionState;
use crate::protocol::wire::frame::FromClient;

impl Session {
    /// Goes offline; answered by [`Event::WentOffline`] within 1 s, whatever the server does. Messages that were sent
    /// and not answered are sent again under the same counters after the next login.
    pub fn go_offline(&mut self, now: Instant) {
        self.leave(now, false);
    }

    /// Goes offline and deletes the token: here at once, and at the server if it can be reached now. The next login
    /// needs the password.
    pub fn forget_device(&mut self, now: Instant) {
        if let Some(who) = &mut self.login.who {
            who.kept.token = None;
        }
        self.told.events.push_back(Event::Token(None));
        self.leave(now, true);
    }

    fn leave(&mut self, now: Instant, forget: bool) {
        self.login.began = None;
        self.dialling.retry_at = None;
        self.receiving.hold_until = None;
        let id = self.next_id();
        if self.state == State::Online && self.say(now, &FromClient::Logout { id, forget }) {
            self.leaving = Some((id, now + LEAVING));
            return self.turn(now);
        }
        self.left(now, Some(false));
        self.turn(now);
    }

    pub(super) fn left(&mut self, now: Instant, was_online: Option<bool>) {
        self.leaving = None;
        self.login_is_over();
        self.give_up_connection(now, "bye");
        self.state = State::Offline;
        self.login.online_since = None;
        for message in self.sending.outbox.iter_mut().filter(|m| m.stage == Stage::Noted && !m.is_doubtful()) {
            message.stage = Stage::Waiting;
            self.told.events.push_back(Event::Outgoing { id: message.id, state: SendState::Waiting });
        }
        self.show(ConnectionState::Offline);
        self.told.events.push_back(Event::WentOffline(was_online));
    }

    pub(super) fn kicked(&mut self, now: Instant, address: String, at: i64) {
        self.give_up_connection(now, "taken over");
        self.lose_place();
        self.told.events.push_back(Event::Kicked { address, at });
    }

    pub(super) fn lose_place(&mut self) {
        self.state = State::LoggedOut;
        self.login_is_over();
        self.login.online_since = None;
        self.show(ConnectionState::LoggedOut);
    }

    /// Forgets the login and its messages without telling the server. Nothing is sent automatically before the next
    /// login.
    pub fn forget(&mut self) {
        let forgotten = self.state != State::Offline || self.login.forgotten;
        self.clear();
        // The connection is closed at the next turn; until then nothing that comes from it is handled.
        self.login.forgotten = forgotten;
        self.state = State::Offline;
        self.login.who = None;
        self.login.began = None;
        self.leaving = None;
        self.presence.tell_at = None;
        self.login.online_since = None;
        self.dialling.retry_at.take_if(|_| !self.questions.is_wanted_without_login());
        self.show(ConnectionState::Offline);
    }
}
