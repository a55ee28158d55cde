//! Asking for what is unread, and who is online: when, how often, and what the numbers say.

use std::time::{Duration, Instant};

use super::{Purpose, STRICT, Session, State};
use crate::base::model::Account;
use crate::client::session::{Beyond, Cause, Event, Polling, Transmit};
use crate::protocol::wire::{Reply, Request};

const VISIBLE: Duration = Duration::from_secs(2);
/// Unanswered questions for the extensions, after which they are not asked for by itself.
const PROBES: u8 = 3;
/// How many accounts are listed as online at most.
const LISTED: usize = 65_536;
/// Who is online is asked for this often at most.
pub(super) const WHO: Duration = Duration::from_secs(10);

impl Session {
    /// F5: asks at once, and reconnects at once while the server is silent.
    pub fn fetch_now(&mut self, now: Instant) {
        self.poll_at = Some(now);
        self.probes = 0;
        self.poll_backoff.reset();
        self.hold_until = None;
        self.note_at = None;
        self.refused = 0;
        self.resume(now);
        if self.state == State::LoggedOut {
            self.automatic = true;
            self.log_in(now);
        }
        // What waits between two tries is tried at once; the user may know that the network is back.
        if let Some(outstanding) = self.outstanding.as_mut().filter(|o| o.tries > 1) {
            outstanding.due = now + self.rto.timeout(1);
            let cause = Cause::Again(outstanding.tries);
            self.transmits.push_back(Transmit { bytes: outstanding.bytes.clone(), cause });
        }
        self.go_on(now);
    }

    /// How unread messages are asked for from now on.
    pub fn set_polling(&mut self, now: Instant, polling: Polling) {
        if polling == self.polling {
            return;
        }
        self.polling = polling;
        self.poll_backoff.reset();
        if self.state == State::Online {
            self.poll_at = Some(if polling == Polling::Adaptive { now } else { now + STRICT });
        }
        self.go_on(now);
    }

    /// Which chat windows are open, and whether one is visible.
    pub fn set_open_chats(&mut self, now: Instant, chats: Vec<Account>, visible: bool) {
        self.open_chats = chats;
        let came_up = visible && !self.visible;
        self.visible = visible;
        if visible && self.polling == Polling::Adaptive {
            let latest = if came_up { now } else { now + VISIBLE };
            self.poll_at = self.poll_at.map(|at| at.min(latest));
        }
        self.go_on(now);
    }

    /// Nothing but 01 to 09 is sent by itself: some servers end at what they do not know.
    pub fn keep_to_the_course(&mut self) {
        self.asks_who = false;
    }

    /// The server is known to have neither 10 nor 11.
    pub fn is_foreign(&mut self) {
        self.extensions = Some(false);
        self.events.push_back(Event::Extensions(false));
    }

    /// Somebody wants to know who is online: answered by [`Event::Online`], or [`Event::Extensions`] if the server
    /// does not say.
    pub fn ask_who(&mut self, now: Instant) {
        self.who_wanted = true;
        self.want(Purpose::Probe, &Request::Who { offset: 0 });
        self.go_on(now);
    }

    /// Before a request goes out: whether it may end a server.
    pub(super) fn goes_beyond(&mut self, purpose: &Purpose) {
        let known = match purpose.beyond() {
            Some(Beyond::ChangePassword) => self.is_sure_to_change(),
            _ => self.extensions == Some(true),
        };
        if let Some(beyond) = purpose.beyond().filter(|_| !known) {
            self.beyond.get_or_insert(beyond);
        }
    }

    /// Says so where the server is silent since such a request. It would end again at each login that asks the same.
    pub(super) fn may_have_ended(&mut self) {
        if !self.contact.is_silent() {
            return;
        }
        let Some(beyond) = self.beyond.take() else { return };
        self.events.push_back(Event::EndedAt(beyond));
        if beyond == Beyond::Who {
            // It counts as another program's no more than before: in a bad network it may be ours, and that would then be
            // told that messages have come which have not.
            self.suspect = true;
            self.wanted.retain(|(purpose, _)| *purpose != Purpose::Probe);
            if std::mem::take(&mut self.who_wanted) {
                self.events.push_back(Event::Extensions(false));
            }
        }
    }

    /// It is not to be asked any more, though it has not said what kind of server it is.
    pub(super) fn is_asked_no_more(&self) -> bool {
        self.suspect || self.probes >= PROBES
    }

    /// Not known, so not used; perhaps the next answer comes.
    pub(super) fn unprobed(&mut self) {
        self.probes = self.probes.saturating_add(1);
        let wanted = std::mem::take(&mut self.who_wanted);
        if wanted || self.extensions.is_none() && self.probes == PROBES {
            self.events.push_back(Event::Extensions(false));
        }
    }

    pub(super) fn probed(&mut self, reply: Reply) {
        let Reply::Who { total, offset, accounts } = reply else {
            // A server known as ours may have meant something else; taken for a foreign one, it would
            // be told that messages have come which have not.
            self.denials = self.denials.saturating_add(1);
            let wanted = std::mem::take(&mut self.who_wanted);
            if wanted || self.extensions.is_none() || self.extensions == Some(true) && self.denials > 1 {
                self.extensions = Some(false);
                self.has_rooms = false;
                self.events.push_back(Event::Extensions(false));
            }
            return;
        };
        self.denials = 0;
        self.suspect = false;
        self.has_rooms = true;
        if self.extensions != Some(true) {
            self.extensions = Some(true);
            self.events.push_back(Event::Extensions(true));
        }
        if offset == 0 {
            self.listing.clear();
        }
        let more = !accounts.is_empty();
        self.listing.extend(accounts);
        if more && self.listing.len() < total.min(LISTED) {
            self.want(Purpose::Probe, &Request::Who { offset: self.listing.len() });
            return;
        }
        // The list may have changed between its pages.
        self.listing.sort();
        self.listing.dedup();
        if std::mem::take(&mut self.who_wanted) || self.online.as_ref() != Some(&self.listing) {
            self.online = Some(self.listing.clone());
            self.events.push_back(Event::Online(self.listing.clone()));
        }
    }

    pub(super) fn counted(&mut self, now: Instant, n: u64, friend: Option<Account>) {
        if friend.is_none() {
            self.holds(n);
            if let Some(expected) = self.expected_unread.take()
                && n < expected
            {
                self.events.push_back(Event::MaybeLost(expected - n));
            }
            self.expected_unread = Some(n);
        }
        if n > 0 {
            self.take_next = Some(friend);
            self.poll_backoff.reset();
        }
        self.poll_later(now);
    }

    pub(super) fn poll_later(&mut self, now: Instant) {
        if self.polling == Polling::Adaptive {
            let step = self.poll_backoff.advance();
            self.poll_at = Some(now + if self.visible { step.min(VISIBLE) } else { step });
        } else {
            self.poll_at = self.poll_at.or(Some(now + STRICT));
        }
    }

    pub(super) fn poll_soon(&mut self, now: Instant) {
        if self.polling == Polling::Adaptive {
            self.poll_backoff.reset();
            self.poll_at = Some(now);
        }
    }

    pub(super) fn poll(&mut self, now: Instant) {
        if self.polling == Polling::Adaptive {
            self.poll_at = None;
            let due = match self.extensions {
                _ if !self.asks_who || self.suspect => false,
                None => self.probes < PROBES,
                Some(known) => known && self.who_at.is_none_or(|at| at <= now),
            };
            if due {
                self.who_at = Some(now + WHO);
                self.want(Purpose::Probe, &Request::Who { offset: 0 });
            }
        } else {
            // From deadline to deadline, so that late turns of the loop do not add up.
            let last = self.poll_at.filter(|at| now.saturating_duration_since(*at) < STRICT);
            self.poll_at = Some(last.unwrap_or(now) + STRICT);
        }
        if self.polling != Polling::StrictPerFriend {
            let bytes = self.encode(&Request::CountAll);
            return self.begin(now, Purpose::Poll, bytes);
        }
        for friend in self.open_chats.clone() {
            self.want(Purpose::PollFriend(friend.clone()), &Request::Count { from: Some(friend) });
        }
        if let Some((purpose, bytes)) = self.wanted.pop_front() {
            self.begin(now, purpose, bytes);
        }
    }
}
