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

/// If a session ends this soon after an automatic login, another program has taken it.
const CONTENDED: Duration = Duration::from_secs(10);

/// How many times an automatic login may be refused, half a minute apart, before it is given up; a session at the
/// server ends after a minute and a half of silence.
const REFUSED: u8 = 5;

impl Session {
    /// Handles a reply that nobody waits for. A late `03:` is the answer to the message that waits behind the fence, or
    /// to the only message that was given up; otherwise it belongs to none.
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

    /// Gives up a message that the server does not answer, although it answers other requests. The message keeps its
    /// state, and the next one goes on.
    pub(super) fn give_up(&mut self, now: Instant) {
        if let Some(Outgoing { id, .. }) = self.sending.outbox.pop_front() {
            self.sending.given_up.truncate(1);
            self.sending.given_up.push(id);
            self.told.events.push_back(Event::Outgoing { id, state: SendState::NoAnswer });
        }
        self.go_on(now);
    }

    /// Returns whether a request is always answered, so that its silence means that the server is silent.
    pub(super) fn is_always_answered(&self, purpose: &Purpose) -> bool {
        match purpose.terms().certain {
            Certain::Always => true,
            Certain::ByOurs => self.server.is_ours,
            Certain::Never => false,
        }
    }

    /// Handles a `00:00` that came late, for the message that waits behind the fence.
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

    /// Returns whether the first message waits until no answer to it can come any more.
    fn waits_behind_the_fence(&self) -> bool {
        let fencing = self.line.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Fence);
        self.sending.is_doubtful() && (self.line.fence_due || self.line.quiet_until.is_some() || fencing)
    }

    /// Measures the round-trip time. After several tries the answer may belong to any of them. If it came as soon after
    /// the last try as answers usually do, the earlier tries were lost; else the path may have become slower, and the
    /// next request waits longer.
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

    /// Handles a second answer to a request that was repeated: nothing was lost, so this one belongs to the last try.
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
        // If several copies are under way, the answer to another must not confirm the next message.
        let several = message.stage.copies().filter(|copies| copies.are_several());
        self.line.fence_due |= several.is_some();
        if let Some(Copies { first, last, .. }) = several.filter(|_| !self.server.is_ours) {
            // The answer to the other copy may take as long as this one has taken at most.
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
            // A request typed by hand for who is online, or for the secure dialect, also shows what kind of server it
            // is.
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
        // A late second answer of this kind must not be taken for a message's.
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

    /// Handles the answer to a request that was sent `tries` times.
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
                // The request was sent twice, so the lost answer may have said something else.
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
        // Our server answers in order; on others a late answer gets two more timeouts.
        if !self.server.is_ours {
            // Before a message is given up, it waits as long as for any answer.
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

    /// Handles the answer to a take, of one friend's messages or of anyone's.
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
        // The takeover was refused twice, so this server does not offer it.
        let outcome =
            if elsewhere && std::mem::take(&mut self.entering.took_over) { LoginOutcome::NotTaken } else { outcome };
        // A session that the server has ended stays so until the person logs in.
        self.state = if self.entering.automatic { State::LoggedOut } else { State::Offline };
        self.show(if self.entering.automatic { ConnectionState::LoggedOut } else { ConnectionState::Offline });
        // It may be this client's own session at an earlier address, which ends by itself.
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
        // This copy was not accepted; an earlier one may have been, and stays noted.
        if *purpose == Purpose::Send
            && let Some((id, Stage::Waiting)) = self.sending.turn(Stage::not_taken)
        {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
        self.receiving.take_next = None;
        self.line.wanted.retain(|(purpose, _)| purpose.terms().outlives_login);
        // The state is reported first, so that it can be seen, and then mended if the password is at hand; but not
        // while another client of the same account does the same at a server that moves the session.
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

/// Returns a reply that the protocol does not know, in a form that can be shown.
pub(super) fn code_of(reply: &[u8]) -> String {
    String::from_utf8_lossy(reply).chars().filter(|c| !c.is_control()).take(40).collect()
}
