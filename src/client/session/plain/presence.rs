//! Coming and going: logging in, taking a session over, going offline.

use std::time::Instant;

use super::{LEAVING, Purpose, Session, State};
use crate::base::model::{Account, Password, SendState};
use crate::client::session::{Event, Link};
use crate::protocol::wire::Request;

impl Session {
    /// Logs in; answered by [`Event::LoggedIn`].
    pub fn login(&mut self, now: Instant, account: Account, password: Password) {
        self.stale = self.stale || self.login.as_ref().is_some_and(|(before, _)| *before != account);
        self.login = Some((account, password));
        self.forget();
        self.log_in(now);
    }

    /// Lets go of the login and its messages without a word to the server; nothing is sent by itself
    /// before the next login.
    pub fn forget(&mut self) {
        self.fence_due |= self.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Send);
        // Another account's, or about to be loaded anew.
        self.outbox.clear();
        self.given_up.clear();
        self.abandon();
        self.wanted.clear();
        self.change_no_more();
        self.storing = None;
        self.noting = None;
        self.leave_by = None;
        self.coming_back = false;
        self.note_at = None;
        self.retry_at = None;
        self.automatic = false;
        self.refused = 0;
        self.taking_over = false;
        self.took_over = false;
        self.take_next = None;
        self.release = None;
        self.hold_until = None;
        self.contact.ends(&mut self.events);
        self.beyond = None;
        self.offered = None;
        self.told_unread = false;
        self.state = State::Offline;
        self.show(Link::Offline);
    }

    /// What is under way is not waited for any more.
    fn abandon(&mut self) -> Option<Purpose> {
        let outstanding = self.outstanding.take()?;
        outstanding.leave_unanswered(&mut self.late);
        Some(outstanding.purpose)
    }

    pub(super) fn log_in(&mut self, now: Instant) {
        let Some((account, password)) = self.login.clone() else { return };
        self.state = State::LoggingIn;
        self.retry_at = None;
        self.show(Link::LoggingIn);
        self.want(Purpose::Login, &Request::Login { account, password });
        self.go_on(now);
    }

    /// Ends the account's other session (`06#`) and logs in again; after
    /// `LoginOutcome::Refused(AlreadyLoggedIn)`.
    pub fn take_over(&mut self, now: Instant) {
        if self.leave_by.is_some() {
            return self.go_online(now);
        }
        self.taking_over = true;
        self.retry_at = None;
        self.want(Purpose::TakeOver, &Request::Offline);
        self.go_on(now);
    }

    /// Goes offline; answered by [`Event::WentOffline`] within 1 s, whatever the server does.
    pub fn go_offline(&mut self, now: Instant) {
        let under_way = self.abandon();
        // The session is somebody else's, or one's own at an address of before; a 06 might end it.
        let elsewhere = self.state == State::LoggedOut || self.refused > 0 || under_way == Some(Purpose::Served);
        match under_way {
            // Its answer is not waited for: it may have arrived.
            Some(Purpose::Send) => {
                if let Some(message) = self.outbox.front_mut() {
                    message.doubtful = true;
                }
                self.fence_due = true;
            }
            // The `06#` would confirm a message that may not come any more.
            Some(Purpose::Take) => self.unanswered_take(None),
            Some(Purpose::TakeFriend(friend)) => self.unanswered_take(Some(friend)),
            _ => {}
        }
        self.wanted.clear();
        self.change_no_more();
        self.take_next = None;
        self.retry_at = None;
        self.automatic = false;
        self.coming_back = false;
        if self.state == State::Offline || elsewhere {
            return self.left(now, Some(false));
        }
        self.leave_by = Some(now + LEAVING);
        self.want(Purpose::Offline, &Request::Offline);
        self.go_on(now);
    }

    pub(super) fn left(&mut self, now: Instant, was_online: Option<bool>) {
        self.leave_by = None;
        self.abandon();
        self.wanted.clear();
        self.change_no_more();
        self.release = None;
        self.hold_until = None;
        self.take_next = None;
        self.refused = 0;
        self.taking_over = false;
        self.took_over = false;
        self.contact.ends(&mut self.events);
        self.beyond = None;
        self.state = State::Offline;
        if let Some(message) = self.outbox.front_mut().filter(|m| m.noted && m.copies == 0) {
            message.noted = false;
            let id = message.id;
            self.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
        self.show(Link::Offline);
        self.events.push_back(Event::WentOffline(was_online));
        if std::mem::take(&mut self.coming_back) {
            self.log_in(now);
        }
    }

    /// Logs in again with the password of the last login; after the answer to a `06#` that is under way, which
    /// would end the new session.
    pub fn go_online(&mut self, now: Instant) {
        if self.leave_by.is_some() {
            self.coming_back = true;
            return;
        }
        self.automatic = false;
        self.log_in(now);
    }
}
