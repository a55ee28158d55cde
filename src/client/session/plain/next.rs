//! Decides what goes out next when nothing is outstanding.

use std::time::Instant;

use super::outbox::{Outgoing, Stage};
use super::request::Turn;
use super::{COPIES, Purpose, Session, State};
use crate::base::model::{Account, SendState};
use crate::client::session::Event;
use crate::protocol::wire::Request;
use crate::protocol::wire::request::Body;

impl Session {
    /// Sends the next request, if none is outstanding and nothing must be stored first.
    pub(super) fn go_on(&mut self, now: Instant) {
        // While going offline too, a message must be on disk before a request confirms it.
        if self.line.outstanding.is_some() || self.entering.leave_by.is_some() && self.receiving.storing.is_some() {
            return;
        }
        if self.receiving.hold_until.is_some_and(|until| until <= now) || self.entering.leave_by.is_some() {
            self.receiving.hold_until = None;
        }
        if self.sending.note_at.is_some_and(|at| at <= now) {
            self.sending.note_at = None;
        }
        if self.receiving.hold_until.is_some() && self.state == State::Online {
            // Whether the disk accepts this note shows whether it works again.
            return self.note();
        }
        if self.receiving.release.is_some()
            && self.state == State::Online
            && self.entering.retry_at.is_none()
            && let Some((account, password)) = self.who.clone()
        {
            let bytes = self.encode(&Request::Login { account, password });
            return self.begin(now, Purpose::Release, bytes);
        }
        if self.line.quiet_until.is_some_and(|until| until <= now) {
            self.line.quiet_until = None;
        }
        let ready = self.state == State::Online && self.receiving.storing.is_none() && self.entering.retry_at.is_none();
        if ready {
            self.look_for_rooms();
        }
        let sends = ready && self.may_send();
        let idle = ready && !sends && !self.sending.is_noting() && self.receiving.take_next.is_none();
        // A late answer to a `03` must not be taken for the answer to another request, nor the other way round: a
        // `00:00` may belong to either, and some servers answer `11#` with it.
        let doubtful = ready && self.sending.is_doubtful();
        // On a Hongyan server it would confirm a message that is not on disk yet.
        let stored = !matches!(self.state, State::Online | State::LoggingIn) || self.receiving.storing.is_none();
        let may_go = |purpose: &Purpose| match purpose.terms().turn {
            Turn::AtOnce => true,
            Turn::Stored => stored && !(doubtful && *purpose == Purpose::ByHand(Some(3))),
            Turn::Idle => stored && idle && !doubtful,
        };
        let next = self.line.wanted.iter().position(|(purpose, _)| may_go(purpose));
        if let Some((purpose, bytes)) = next.and_then(|i| self.line.wanted.remove(i)) {
            return self.begin(now, purpose, bytes);
        }
        if !ready {
            return;
        }
        // Takes and sendings alternate, so that neither a full mailbox nor a full outbox delays the other.
        if !(sends && self.took)
            && let Some(friend) = self.receiving.take_next.take()
        {
            return self.take(now, friend);
        }
        if sends {
            return self.send_on(now);
        }
        if !self.sending.is_noting() && self.poll.at.is_some_and(|at| at <= now) {
            self.poll(now);
        }
    }

    /// Sends nothing to a room before the server has shown that it has rooms, since another program's would take the
    /// room's name for a person's. Somebody who writes to a room wants the server to be asked, so it is, even if it is
    /// not asked automatically.
    fn look_for_rooms(&mut self) {
        let unknown = !self.server.is_ours && self.is_asked_no_more();
        while (self.server.extensions == Some(false) || unknown)
            && !self.line.contact.is_silent()
            && self.is_first_for_a_room()
            && let Some(Outgoing { id, .. }) = self.sending.outbox.pop_front()
        {
            self.told.events.push_back(Event::NoRoom { id, sure: !self.server.suspect });
        }
        let asking = self.line.outstanding.iter().map(|outstanding| &outstanding.purpose);
        let asked = asking.chain(self.line.wanted.iter().map(|(purpose, _)| purpose)).any(|p| *p == Purpose::Probe);
        // If an earlier question was not answered, another request goes first; else a server that is gone would be
        // taken for one without rooms.
        if self.waits_for_rooms() && !unknown && !asked && self.line.beyond.is_none() {
            self.want(Purpose::Probe, &Request::Who { offset: 0 });
        }
    }

    /// Returns whether the first message is for a room and has not been sent yet.
    fn is_first_for_a_room(&self) -> bool {
        self.sending.is_unsent() && self.sending.outbox.front().is_some_and(|message| message.to.is_room())
    }

    fn waits_for_rooms(&self) -> bool {
        !self.server.is_ours && self.is_first_for_a_room()
    }

    /// Returns whether the first message, its note, or the fence before it can go now.
    fn may_send(&self) -> bool {
        if self.waits_for_rooms() {
            return false;
        }
        let quiet = self.line.quiet_until.is_some() && !self.line.fence_due;
        match self.sending.stage() {
            None | Some(Stage::Noting) => false,
            Some(Stage::Waiting) => self.sending.note_at.is_none() && !quiet,
            Some(Stage::Noted | Stage::Sent(_) | Stage::Doubtful(_)) => !quiet,
        }
    }

    fn take(&mut self, now: Instant, from: Option<Account>) {
        self.took = true;
        let request = match &from {
            Some(_) => Request::Take { from: from.clone() },
            None => Request::TakeAll,
        };
        let bytes = self.encode(&request);
        self.begin(now, from.map_or(Purpose::Take, Purpose::TakeFriend), bytes);
    }

    fn send_on(&mut self, now: Instant) {
        self.took = false;
        if self.line.fence_due {
            let bytes = self.encode(&Request::CountAll);
            return self.begin(now, Purpose::Fence, bytes);
        }
        let Some(message) = self.sending.outbox.front_mut() else { return };
        match message.stage {
            Stage::Waiting => return self.note(),
            Stage::Doubtful(copies) if copies.number() >= COPIES => return self.give_up(now),
            Stage::Noted | Stage::Doubtful(_) => message.stage = message.stage.sent(now),
            Stage::Noting | Stage::Sent(_) => return,
        }
        let request = Request::Send { to: message.to.clone(), body: Body::new(&message.text) };
        let bytes = self.encode(&request);
        self.begin(now, Purpose::Send, bytes);
    }

    /// Asks the disk to note that the first message is being sent.
    fn note(&mut self) {
        if self.sending.stage() == Some(Stage::Waiting)
            && self.sending.note_at.is_none()
            && let Some((id, _)) = self.sending.turn(|_| Stage::Noting)
        {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Sending });
        }
    }
}
