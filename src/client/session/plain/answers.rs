//! What the server's answers mean for the session.

use std::time::{Duration, Instant};

use super::outbox::{Copies, Outgoing, Stage};
use super::request::Certain;
use super::{COPIES, Outstanding, Purpose, STRICT, Session, State, polling};
use crate::base::model::{Account, SendState};
use crate::base::timer::Rto;
use crate::client::session::{ConnectionState, Event, LoginOutcome, Polling, RegisterOutcome, StoreToken};
use crate::protocol::wire::reply::{Delivery, Forwarded, LoggedIn};
use crate::protocol::wire::request::Body;
use crate::protocol::wire::{Reply, Request};

/// A session that ends so soon after an automatic login was taken by somebody else's.
const CONTENDED: Duration = Duration::from_secs(10);

/// How many times an automatic login is refused, half a minute apart, before it is given up; a session ends
/// after a minute and a half of silence.
const REFUSED: u8 = 5;

impl Session {
    /// A late `03:` while its message waits behind the fence is its answer, and after the only one that was given up
    /// still that one's; any other is nobody's.
    pub(super) fn unasked(&mut self, now: Instant, reply: &Reply) {
        self.answered_twice(now, reply);
        let Reply::Send(forwarded) = reply else { return };
        if self.waits_behind_the_fence() {
            let Some(message) = self.sending.outbox.pop_front() else { return };
            self.line.quiet_until = None;
            if let Some(copies) = message.stage.copies().filter(|copies| !copies.are_several()) {
                self.line.rto.measure(now.saturating_duration_since(copies.first));
            }
            self.settle(now, &message, *forwarded);
        } else if let [id] = *self.sending.given_up
            && !self.sending.outbox.iter().any(|m| m.id == id || m.stage.copies().is_some())
        {
            self.sending.given_up.clear();
            self.told.events.push_back(Event::Outgoing { id, state: SendState::MaybeSentTwice });
        }
    }

    /// The server answers others and not this message: it stays as it is, and the next one goes on.
    pub(super) fn give_up(&mut self, now: Instant) {
        if let Some(Outgoing { id, .. }) = self.sending.outbox.pop_front() {
            self.sending.given_up.truncate(1);
            self.sending.given_up.push(id);
            self.told.events.push_back(Event::Outgoing { id, state: SendState::NoAnswer });
        }
        self.go_on(now);
    }

    /// Whether silence after it is the server's.
    pub(super) fn is_always_answered(&self, purpose: &Purpose) -> bool {
        match purpose.terms().certain {
            Certain::Always => true,
            Certain::ByOurs => self.server.is_ours,
            Certain::Never => false,
        }
    }

    /// `00:00`, which came late, to the message that waits behind the fence.
    pub(super) fn refused_late(&mut self) {
        if !self.waits_behind_the_fence() {
            return;
        }
        if let Some(Outgoing { id, stage, .. }) = self.sending.outbox.pop_front() {
            self.line.quiet_until = None;
            let state = if stage.has_several() { SendState::MaybeSent } else { SendState::Failed };
            self.line.fence_due |= stage.has_several();
            self.told.events.push_back(Event::Outgoing { id, state });
        }
    }

    /// Whether the message whose turn it is waits until no answer of its own can come any more.
    fn waits_behind_the_fence(&self) -> bool {
        let fencing = self.line.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Fence);
        self.sending.is_doubtful() && (self.line.fence_due || self.line.quiet_until.is_some() || fencing)
    }

    /// Learns how long the way is. An answer after several tries may be any one's. Came it as soon after the last as
    /// answers do, the others were lost; else the way may have become longer, and the next waits longer.
    pub(super) fn measure(&mut self, now: Instant, answered: &Outstanding) {
        self.line.resent = None;
        let took = now.saturating_duration_since(answered.sent);
        if answered.tries == 1 {
            self.line.rto.measure(took);
        } else if self.line.rto.is_usual(took) {
            self.line.rto.reset();
            self.line.resent = answered.purpose.operation().map(|operation| (operation, answered.sent));
        } else {
            self.line.rto.back_off(answered.tries - 1);
        }
    }

    /// Nothing was lost, then: every try has its own answer, and this is the last one's.
    pub(super) fn answered_twice(&mut self, now: Instant, reply: &Reply) {
        if let Some((operation, sent)) = self.line.resent
            && reply.operation() == Some(operation)
        {
            self.line.resent = None;
            self.line.rto.measure(now.saturating_duration_since(sent));
        }
    }

    fn settle(&mut self, now: Instant, message: &Outgoing, forwarded: Forwarded) {
        let state = match forwarded {
            _ if message.stage.has_several() => SendState::MaybeSentTwice,
            Forwarded::Done => SendState::Sent,
            Forwarded::Offline => SendState::OfflineOrUnknown,
        };
        // Of several on the wire, another's answer must not confirm the next message.
        let several = message.stage.copies().filter(|copies| copies.are_several());
        self.line.fence_due |= several.is_some();
        if let Some(Copies { first, last, .. }) = several.filter(|_| !self.server.is_ours) {
            // The other copy's answer may take as long as this one's, at most, has taken.
            let took = now.saturating_duration_since(first);
            self.line.quiet_until = Some(last + took + self.line.rto.timeout(1));
        }
        self.sending.given_up.clear();
        self.told.events.push_back(Event::Outgoing { id: message.id, state });
    }

    pub(super) fn received(&mut self, delivery: Delivery) {
        self.last_token += 1;
        let token = StoreToken::Plain(self.last_token);
        self.receiving.storing = Some(token);
        if let Some(unread) = &mut self.receiving.expected_unread {
            *unread = unread.saturating_sub(1);
        }
        let repeat = self.hand_out(&delivery);
        self.receiving.repeated = repeat;
        let Delivery { from, time, body: Body { raw, text } } = delivery;
        self.told.events.push_back(Event::Received { token, from, time, text, raw, repeat, pushed: None });
    }

    pub(super) fn answered(&mut self, now: Instant, outstanding: Outstanding, reply: Reply) {
        if !matches!(reply, Reply::Take(Some(_)) | Reply::TakeAll(Some(_))) {
            self.confirmed(&outstanding.purpose);
        }
        if matches!(outstanding.purpose, Purpose::ByHand(_)) {
            // Whoever is asked so for who is online, or for the other dialect, shows what kind of server it is.
            match reply {
                Reply::Who { .. } if self.state == State::Online => self.probed(reply),
                Reply::Hello { .. } => self.is_ours(),
                _ => {}
            }
            return;
        }
        if reply == Reply::NotUnderstood && outstanding.purpose != Purpose::Probe {
            self.told.events.push_back(Event::NotUnderstood(outstanding.bytes.clone()));
        }
        // A late second copy of this answer must not be taken for a message's.
        if reply == Reply::NotUnderstood && outstanding.tries > 1 {
            self.line.quiet_until = Some(now + self.line.rto.timeout(1).saturating_mul(2));
        }
        if reply == Reply::NotLoggedIn && self.entering.leave_by.is_some() {
            return self.left(now, Some(false));
        }
        if reply == Reply::NotLoggedIn && !matches!(outstanding.purpose, Purpose::TakeOver | Purpose::TryAway) {
            return self.session_gone(now, &outstanding.purpose);
        }
        if let (Reply::Other(bytes), false) = (&reply, outstanding.purpose.terms().says_itself) {
            let code = code_of(bytes);
            if self.server.strange.replace(code.clone()).as_ref() != Some(&code) {
                self.told.events.push_back(Event::UnknownCode(code));
            }
        }
        self.means(now, outstanding.purpose, outstanding.tries, reply);
    }

    /// What the answer to a request that was sent `tries` times means.
    fn means(&mut self, now: Instant, purpose: Purpose, tries: u8, reply: Reply) {
        match purpose {
            Purpose::Register => self.registered(tries, &reply),
            Purpose::Login | Purpose::Served => self.login_answered(now, reply),
            Purpose::ChangePassword => self.change_answered(tries, &reply),
            Purpose::TryNew => self.new_tried(now, reply),
            Purpose::TryAway => self.away_for_new(),
            Purpose::TryOld => self.old_tried(&reply),
            Purpose::TakeOver => self.log_in(now),
            Purpose::Release => self.released(now),
            Purpose::Offline => match reply {
                // Sent twice, the answer to the first may be the one that was lost.
                Reply::Offline { was_online } => self.left(now, Some(was_online || tries > 1)),
                _ => self.left(now, None),
            },
            Purpose::Probe => self.probed(reply),
            Purpose::Poll => match reply {
                Reply::CountAll(n) => self.counted(now, n, None),
                _ => self.poll_later(now),
            },
            Purpose::PollFriend(friend) => match reply {
                Reply::Count(n) => self.counted(now, n, Some(friend)),
                _ => self.poll_later(now),
            },
            Purpose::Fence => self.fenced(now),
            Purpose::Send => self.send_answered(now, &reply),
            Purpose::Take => self.taken(None, &reply),
            Purpose::TakeFriend(friend) => self.taken(Some(friend), &reply),
            Purpose::ByHand(_) => {}
        }
    }

    fn registered(&mut self, tries: u8, reply: &Reply) {
        self.told.events.push_back(Event::Registered(match reply {
            Reply::Register(reply) => RegisterOutcome::Answered { reply: *reply, after_timeout: tries > 1 },
            Reply::Other(bytes) => RegisterOutcome::Unknown(code_of(bytes)),
            _ => RegisterOutcome::NotUnderstood,
        }));
    }

    fn login_answered(&mut self, now: Instant, reply: Reply) {
        match reply {
            Reply::Login(LoggedIn::Done) | Reply::CountAll(_) => self.logged_in(now),
            Reply::Login(LoggedIn::AlreadyLoggedIn) => {
                self.offered_again();
                self.want(Purpose::Served, &Request::CountAll);
            }
            Reply::Login(refused) => self.not_logged_in(now, LoginOutcome::Refused(refused)),
            Reply::Other(bytes) => self.not_logged_in(now, LoginOutcome::Unknown(code_of(&bytes))),
            _ => self.not_logged_in(now, LoginOutcome::NotUnderstood),
        }
    }

    fn fenced(&mut self, now: Instant) {
        self.line.fence_due = false;
        // Our server answers in order; elsewhere a late answer gets two more timeouts.
        if !self.server.is_ours {
            // And before a message is given up, as long as any answer is waited for.
            let copies = self.sending.stage().and_then(Stage::copies);
            let last = copies.filter(|copies| copies.number() >= COPIES);
            let long = last.map(|copies| copies.last + Rto::MOST);
            let quiet = Some(now + self.line.rto.timeout(1).saturating_mul(2));
            self.line.quiet_until = self.line.quiet_until.max(quiet).max(long);
        }
    }

    fn send_answered(&mut self, now: Instant, reply: &Reply) {
        let message = self.sending.outbox.pop_front();
        if let Reply::Send(forwarded) = reply {
            if let Some(message) = message {
                self.settle(now, &message, *forwarded);
            }
            return self.poll_soon(now);
        }
        if let Some(Outgoing { id, stage, .. }) = message {
            self.line.fence_due |= stage.has_several();
            let refused = *reply == Reply::NotUnderstood && !stage.has_several();
            let state = if refused { SendState::Failed } else { SendState::MaybeSent };
            self.told.events.push_back(Event::Outgoing { id, state });
        }
    }

    /// What came to a take, from this friend or from anyone.
    fn taken(&mut self, from: Option<Account>, reply: &Reply) {
        match (&from, reply) {
            (None, Reply::TakeAll(Some(_))) | (Some(_), Reply::Take(Some(_))) => {
                self.receiving.take_next = Some(from);
                return;
            }
            _ => self.receiving.take_next = None,
        }
        if from.is_none() {
            self.holds(0);
        }
        let expected = self.receiving.expected_unread.take();
        if let Some(lost) = expected.filter(|n| *n > 0 && from.is_none()) {
            self.told.events.push_back(Event::MaybeLost(lost));
        }
    }

    fn not_logged_in(&mut self, now: Instant, outcome: LoginOutcome) {
        let elsewhere = outcome == LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn);
        if elsewhere && std::mem::take(&mut self.entering.taking_over) {
            self.entering.took_over = true;
            return self.want(Purpose::TakeOver, &Request::Offline);
        }
        // Twice in vain: this server does not do it.
        let outcome =
            if elsewhere && std::mem::take(&mut self.entering.took_over) { LoginOutcome::NotTaken } else { outcome };
        // Whoever was logged out by the server sees so until they log in themselves.
        self.state = if self.entering.automatic { State::LoggedOut } else { State::Offline };
        self.show(if self.entering.automatic { ConnectionState::LoggedOut } else { ConnectionState::Offline });
        // It may be one's own session, held by an address of before; that ends by itself.
        self.entering.refused = if elsewhere && self.entering.automatic { self.entering.refused + 1 } else { 0 };
        if (1..REFUSED).contains(&self.entering.refused) {
            self.entering.retry_at = Some(now + STRICT);
        } else {
            self.entering.automatic = false;
        }
        if self.entering.refused <= 1 {
            self.told.events.push_back(Event::LoggedIn(outcome));
        }
    }

    fn session_gone(&mut self, now: Instant, purpose: &Purpose) {
        if *purpose == Purpose::Served {
            return self.not_logged_in(now, LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn));
        }
        // Not taken this time; an earlier copy may have been, and stays noted as such.
        if *purpose == Purpose::Send
            && let Some((id, Stage::Waiting)) = self.sending.turn(Stage::not_taken)
        {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
        self.receiving.take_next = None;
        self.line.wanted.retain(|(purpose, _)| purpose.terms().outlives_login);
        // Said first, so that the line is seen, then mended if the password is at hand; but not while
        // somebody else of the same account does the same, on a server that moves the session.
        self.state = State::LoggedOut;
        self.show(ConnectionState::LoggedOut);
        if self.logged_in_at.is_none_or(|at| now.saturating_duration_since(at) >= CONTENDED) {
            self.entering.automatic = true;
            self.log_in(now);
        }
    }

    fn logged_in(&mut self, now: Instant) {
        self.state = State::Online;
        self.line.late.logged_in();
        self.entering.refused = 0;
        self.entering.taking_over = false;
        self.entering.took_over = false;
        self.stale = false;
        // Until now it may have been another program.
        self.server.is_ours = false;
        self.server.changes_passwords = self.server.changes_passwords.filter(|does| !does);
        self.server.denials = 0;
        self.logged_in_at = std::mem::take(&mut self.entering.automatic).then_some(now);
        self.receiving.release = None;
        self.offered_again();
        self.told.events.push_back(Event::LoggedIn(LoginOutcome::Done));
        self.receiving.expected_unread = None;
        self.people.online = None;
        self.people.who_at = Some(now + polling::WHO);
        self.poll.backoff.reset();
        self.poll.at = Some(if self.poll.polling == Polling::Adaptive { now } else { now + STRICT });
        self.people.probes = 0;
        if self.server.asks_who && !self.server.suspect && self.server.extensions != Some(false) {
            self.want(Purpose::Probe, &Request::Who { offset: 0 });
        }
    }
}

/// A code as it came, to be shown: of a reply that is none in the protocol.
pub(super) fn code_of(reply: &[u8]) -> String {
    String::from_utf8_lossy(reply).chars().filter(|c| !c.is_control()).take(40).collect()
}
