//! Asking for unread messages and for who is online: when, how often, and what the answers mean.

use std::time::{Duration, Instant};

use super::{Purpose, STRICT, Session, State};
use crate::base::model::Account;
use crate::client::session::{Cause, Event, ExtensionRequest, Polling, Transmit};
use crate::protocol::wire::{Reply, Request};

const VISIBLE: Duration = Duration::from_secs(2);
/// After this many unanswered questions for the extensions they are no longer asked for automatically.
const PROBES: u8 = 3;
/// How many requests must fail with all their tries, after one that may have crashed the server. An outage of seconds
/// makes none fail.
const IN_VAIN: u8 = 2;
/// The most accounts that are listed as online.
const LISTED: usize = 65_536;
/// The shortest time between two automatic questions for who is online.
pub(super) const WHO: Duration = Duration::from_secs(10);

impl Session {
    /// Asks for messages at once, and reconnects at once if the server is silent; called when the person presses F5.
    pub fn fetch_now(&mut self, now: Instant) {
        self.poll.at = Some(now);
        self.people.probes = 0;
        self.poll.backoff.reset();
        self.receiving.hold_until = None;
        self.sending.note_at = None;
        self.entering.refused = 0;
        self.resume(now);
        if self.state == State::LoggedOut {
            self.entering.automatic = true;
            self.log_in(now);
        }
        // A request that waits for its next try is repeated at once, since the person may know that the network is
        // back.
        if let Some(outstanding) = self.line.outstanding.as_mut().filter(|o| o.tries > 1) {
            outstanding.due = now + self.line.rto.timeout(1);
            let cause = Cause::Again(outstanding.tries);
            self.told.transmit(Transmit { bytes: outstanding.bytes.clone(), cause });
        }
        self.go_on(now);
    }

    /// Sets how unread messages are asked for from now on.
    pub fn set_polling(&mut self, now: Instant, polling: Polling) {
        if polling == self.poll.polling {
            return;
        }
        self.poll.polling = polling;
        self.poll.backoff.reset();
        if self.state == State::Online {
            self.poll.at = Some(if polling == Polling::Adaptive { now } else { now + STRICT });
        }
        self.go_on(now);
    }

    /// Sets which chat windows are open, and whether one is visible.
    pub fn set_open_chats(&mut self, now: Instant, chats: Vec<Account>, visible: bool) {
        self.poll.open_chats = chats;
        let came_up = visible && !self.poll.visible;
        self.poll.visible = visible;
        if visible && self.poll.polling == Polling::Adaptive {
            let latest = if came_up { now } else { now + VISIBLE };
            self.poll.at = self.poll.at.map(|at| at.min(latest));
        }
        self.go_on(now);
    }

    /// Sends only the course's requests 01 to 09 automatically, since some servers end at others.
    pub fn keep_to_the_course(&mut self) {
        self.server.asks_who = false;
    }

    /// Sets that the server is known to have neither 10 nor 11.
    pub fn is_foreign(&mut self) {
        self.server.extensions = Some(false);
        self.told.events.push_back(Event::Extensions { known: false, shown: true });
    }

    /// Sets that the server may have ended when it was asked 11 in an earlier run: it is not asked automatically, not
    /// even before a message to a room.
    pub fn is_fragile(&mut self) {
        self.server.suspect = true;
    }

    /// Asks who is online because the person wants to know; answered by [`Event::Online`], or by [`Event::Extensions`]
    /// if the server does not say.
    pub fn ask_who(&mut self, now: Instant) {
        self.people.who_wanted = true;
        self.want(Purpose::Probe, &Request::Who { offset: 0 });
        self.go_on(now);
    }

    /// Notes, before a request goes out, whether it may crash a server.
    pub(super) fn goes_beyond(&mut self, purpose: &Purpose) {
        let Some(beyond) = purpose.terms().beyond else { return };
        let known = match beyond {
            ExtensionRequest::ChangePassword => self.is_sure_to_change(),
            ExtensionRequest::Who => self.server.is_ours,
        };
        if !known {
            self.line.beyond.get_or_insert((beyond, 0));
        }
    }

    /// Notes that a request got no answer to any of its tries. If that happens to several, and nothing has been heard
    /// since a request that may have crashed the server, this is reported: the server would crash again at each login
    /// that asks the same.
    pub(super) fn was_in_vain(&mut self, purpose: &Purpose) {
        let Some((beyond, in_vain)) = self.line.beyond.as_mut().filter(|_| purpose.terms().beyond.is_none()) else {
            return;
        };
        *in_vain += 1;
        if *in_vain < IN_VAIN {
            return;
        }
        let beyond = *beyond;
        self.line.beyond = None;
        self.told.events.push_back(Event::EndedAt(beyond));
        if beyond == ExtensionRequest::Who {
            // It does not count as another program's server because of this: in a bad network it may be ours, and the
            // person would be told that messages have arrived which have not.
            self.server.suspect = true;
            self.line.wanted.retain(|(purpose, _)| *purpose != Purpose::Probe);
            if std::mem::take(&mut self.people.who_wanted) {
                self.told.events.push_back(Event::Extensions { known: false, shown: false });
            }
        }
    }

    /// Returns whether the server is no longer asked, although it has not shown what kind it is.
    pub(super) fn is_asked_no_more(&self) -> bool {
        self.server.suspect || self.people.probes >= PROBES
    }

    /// Handles a question for the extensions without an answer. They stay unknown and unused; the next answer may tell.
    pub(super) fn unprobed(&mut self) {
        self.people.probes = self.people.probes.saturating_add(1);
        let wanted = std::mem::take(&mut self.people.who_wanted);
        if wanted || !self.server.is_ours && self.people.probes == PROBES {
            self.told.events.push_back(Event::Extensions { known: false, shown: false });
        }
    }

    pub(super) fn probed(&mut self, reply: Reply) {
        let Reply::Who { total, offset, accounts } = reply else {
            // A server known to be ours may have meant something else. If it were taken for another program's, the
            // person would be told that messages have arrived which have not.
            self.server.denials = self.server.denials.saturating_add(1);
            let wanted = std::mem::take(&mut self.people.who_wanted);
            if wanted
                || self.server.extensions.is_none()
                || self.server.extensions == Some(true) && self.server.denials > 1
            {
                self.server.extensions = Some(false);
                self.server.is_ours = false;
                self.told.events.push_back(Event::Extensions { known: false, shown: true });
            }
            return;
        };
        self.server.denials = 0;
        self.is_ours();
        if offset == 0 {
            self.people.listing.clear();
        }
        let more = !accounts.is_empty();
        self.people.listing.extend(accounts);
        if more && self.people.listing.len() < total.min(LISTED) {
            self.want(Purpose::Probe, &Request::Who { offset: self.people.listing.len() });
            return;
        }
        // The list may have changed between its pages.
        self.people.listing.sort();
        self.people.listing.dedup();
        if std::mem::take(&mut self.people.who_wanted) || self.people.online.as_ref() != Some(&self.people.listing) {
            self.people.online = Some(self.people.listing.clone());
            self.told.events.push_back(Event::Online(self.people.listing.clone()));
        }
    }

    /// Notes that the server has answered 10 or 11; earlier doubts about it are dropped.
    pub(super) fn is_ours(&mut self) {
        let suspect = std::mem::take(&mut self.server.suspect);
        let anew = !std::mem::replace(&mut self.server.is_ours, true);
        if self.server.extensions.replace(true) != Some(true) || anew || suspect {
            self.told.events.push_back(Event::Extensions { known: true, shown: true });
        }
    }

    pub(super) fn counted(&mut self, now: Instant, n: u64, friend: Option<Account>) {
        if friend.is_none() {
            self.holds(n);
            if let Some(expected) = self.receiving.expected_unread.take()
                && n < expected
            {
                self.told.events.push_back(Event::MaybeLost(expected - n));
            }
            self.receiving.expected_unread = Some(n);
        }
        if n > 0 {
            self.receiving.take_next = Some(friend);
            self.poll.backoff.reset();
        }
        self.poll_later(now);
    }

    pub(super) fn poll_later(&mut self, now: Instant) {
        if self.poll.polling == Polling::Adaptive {
            let step = self.poll.backoff.advance();
            self.poll.at = Some(now + if self.poll.visible { step.min(VISIBLE) } else { step });
        } else {
            self.poll.at = self.poll.at.or(Some(now + STRICT));
        }
    }

    pub(super) fn poll_soon(&mut self, now: Instant) {
        if self.poll.polling == Polling::Adaptive {
            self.poll.backoff.reset();
            self.poll.at = Some(now);
        }
    }

    pub(super) fn poll(&mut self, now: Instant) {
        if self.poll.polling == Polling::Adaptive {
            self.poll.at = None;
            let due = match self.server.extensions {
                _ if !self.server.asks_who || self.server.suspect => false,
                None => self.people.probes < PROBES,
                Some(known) => known && self.people.who_at.is_none_or(|at| at <= now),
            };
            if due {
                self.people.who_at = Some(now + WHO);
                self.want(Purpose::Probe, &Request::Who { offset: 0 });
            }
        } else {
            // Counted from the last deadline, so that delays of the main loop do not add up.
            let last = self.poll.at.filter(|at| now.saturating_duration_since(*at) < STRICT);
            self.poll.at = Some(last.unwrap_or(now) + STRICT);
        }
        if self.poll.polling != Polling::StrictPerFriend {
            let bytes = self.encode(&Request::CountAll);
            return self.begin(now, Purpose::Poll, bytes);
        }
        for friend in self.poll.open_chats.clone() {
            self.want(Purpose::PollFriend(friend.clone()), &Request::Count { from: Some(friend) });
        }
        if let Some((purpose, bytes)) = self.line.wanted.pop_front() {
            self.begin(now, purpose, bytes);
        }
    }
}
