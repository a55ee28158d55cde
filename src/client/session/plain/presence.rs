//! Logging in, taking over a session, and going offline.

use std::time::Instant;

use super::outbox::Stage;
use super::{Entering, LEAVING, Purpose, Receiving, Sending, Session, State};
use crate::base::model::{Account, Password, SendState};
use crate::client::session::{ConnectionState, Event};
use crate::protocol::wire::Request;

impl Session {
    /// Logs in; answered by [`Event::LoggedIn`].
    pub fn login(&mut self, now: Instant, account: Account, password: Password) {
        self.stale = self.stale || self.who.as_ref().is_some_and(|(before, _)| *before != account);
        self.who = Some((account, password));
        self.forget();
        self.log_in(now);
    }

    /// Forgets the login and its messages without telling the server. Nothing is sent automatically before the next
    /// login.
    pub fn forget(&mut self) {
        self.line.fence_due |= self.line.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Send);
        self.abandon();
        self.is_over();
        // Another account follows, or this one's messages are loaded again.
        self.sending = Sending::default();
        self.receiving = Receiving::default();
        self.entering = Entering::default();
        self.show(ConnectionState::Offline);
    }

    /// Ends the login and drops all requests that wait.
    fn is_over(&mut self) {
        self.line.wanted.clear();
        self.change_no_more();
        self.line.contact.ends(&mut self.told.events);
        self.state = State::Offline;
    }

    /// Stops waiting for the outstanding request, and returns its purpose.
    fn abandon(&mut self) -> Option<Purpose> {
        let outstanding = self.line.outstanding.take()?;
        outstanding.leave_unanswered(&mut self.line.late);
        Some(outstanding.purpose)
    }

    pub(super) fn log_in(&mut self, now: Instant) {
        let Some((account, password)) = self.who.clone() else { return };
        self.state = State::LoggingIn;
        self.entering.retry_at = None;
        self.show(ConnectionState::LoggingIn);
        self.want(Purpose::Login, &Request::Login { account, password });
        self.go_on(now);
    }

    /// Ends the account's other session (`06#`) and logs in again; called after
    /// `LoginOutcome::Refused(AlreadyLoggedIn)`.
    pub fn take_over(&mut self, now: Instant) {
        if self.entering.leave_by.is_some() {
            return self.go_online(now);
        }
        self.entering.taking_over = true;
        self.entering.retry_at = None;
        self.want(Purpose::TakeOver, &Request::Offline);
        self.go_on(now);
    }

    /// Goes offline; answered by [`Event::WentOffline`] within 1 s, whatever the server does.
    pub fn go_offline(&mut self, now: Instant) {
        let under_way = self.abandon();
        // The session belongs to another client, or to this one at an earlier address; a 06 might end it.
        let elsewhere =
            self.state == State::LoggedOut || self.entering.refused > 0 || under_way == Some(Purpose::Served);
        match under_way {
            // Its answer is no longer waited for, so it may have arrived.
            Some(Purpose::Send) => {
                self.sending.turn(Stage::unanswered);
                self.line.fence_due = true;
            }
            // The `06#` would confirm a message that may not have arrived.
            Some(Purpose::Take) => self.unanswered_take(None),
            Some(Purpose::TakeFriend(friend)) => self.unanswered_take(Some(friend)),
            // The effect of these shows at the next login, if anywhere.
            Some(
                Purpose::Register
                | Purpose::Login
                | Purpose::Served
                | Purpose::TakeOver
                | Purpose::Offline
                | Purpose::Release
                | Purpose::Probe
                | Purpose::Poll
                | Purpose::PollFriend(_)
                | Purpose::Fence
                | Purpose::ChangePassword
                | Purpose::TryNew
                | Purpose::TryAway
                | Purpose::TryOld
                | Purpose::ByHand(_),
            )
            | None => {}
        }
        self.line.wanted.clear();
        self.change_no_more();
        self.receiving.take_next = None;
        self.entering = Entering::default();
        if self.state == State::Offline || elsewhere {
            return self.left(now, Some(false));
        }
        self.entering.leave_by = Some(now + LEAVING);
        self.want(Purpose::Offline, &Request::Offline);
        self.go_on(now);
    }

    pub(super) fn left(&mut self, now: Instant, was_online: Option<bool>) {
        let coming_back = std::mem::take(&mut self.entering).coming_back;
        self.abandon();
        self.is_over();
        let Receiving { storing, repeated, offered, told_unread, expected_unread, .. } =
            std::mem::take(&mut self.receiving);
        // The message that came last still has to be stored, and told apart from the next one.
        self.receiving = Receiving { storing, repeated, offered, told_unread, expected_unread, ..Receiving::default() };
        let back = |stage| if stage == Stage::Noted { Stage::Waiting } else { stage };
        if let Some((id, _)) = self.sending.turn(back) {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
        self.show(ConnectionState::Offline);
        self.told.events.push_back(Event::WentOffline(was_online));
        if coming_back {
            self.log_in(now);
        }
    }

    /// Logs in again with the password of the last login. If a `06#` is under way, this waits for its answer, since it
    /// would end the new session.
    pub fn go_online(&mut self, now: Instant) {
        if self.entering.leave_by.is_some() {
            self.entering.coming_back = true;
            return;
        }
        self.entering.automatic = false;
        self.log_in(now);
    }
}
