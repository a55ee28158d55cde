//! The plain dialect, stop-and-wait: one request is outstanding at a time, its answer is recognised by the operation,
//! and the fence follows a 03 without an answer.
//!
//! Its parts:
//!
//! - `parts`: the parts of the session's state.
//! - `request`: the requests and their properties, in one table.
//! - `next`: what goes out next.
//! - `outbox`: sent messages that are not settled.
//! - `answers`: what the server's answers mean.
//! - `late`: answers that nobody waits for any more.
//! - `presence`: logging in, taking over, going offline.
//! - `polling`: asking for messages and for who is online.
//! - `repeats`: messages that are offered again.
//! - `disk`: what waits for the disk.
//! - `left`: what outlives a session.
//! - `deadlines`: what the session waits for, in one table.
//! - `password`: changing the password.
//!
//! `promise_tests` tests what a client owes its user.

mod answers;
mod deadlines;
mod disk;
mod late;
mod left;
mod next;
mod outbox;
mod parts;
mod password;
mod polling;
mod presence;
mod repeats;
mod request;

use std::time::{Duration, Instant};

pub use self::left::Leftovers;
use self::outbox::{Sending, Stage};
use self::parts::{Entering, Outputs, People, Poll, Receiving, Server, Wire};
use self::password::Changing;
pub use self::repeats::LastDelivery;
use self::request::{Outstanding, Purpose, Tries, Turn};
use super::{Cause, ConnectionState, Event, LoginOutcome, Polling, RegisterOutcome, Transmit};
use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::base::timer::Backoff;
use crate::protocol::wire::{Charset, Reply, Request};

/// The most copies of a message that are sent: each one that arrives becomes a message of its own.
const COPIES: u32 = 2;
/// The polling interval that the assignment prescribes.
const STRICT: Duration = Duration::from_secs(30);
const LEAVING: Duration = Duration::from_secs(1);
/// How long nothing is asked for after the disk has refused a message.
const DISK: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    LoggingIn,
    Online,
    LoggedOut,
}

/// The figures of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// The smoothed round-trip time, once it has been measured.
    pub rtt: Option<Duration>,
    /// The mean deviation of the round-trip time.
    pub deviation: Option<Duration>,
    /// How many datagrams were sent.
    pub sent: u64,
    /// How many of them were repetitions.
    pub again: u64,
    /// How many requests wait for their turn or their answer.
    pub waiting: usize,
}

/// The client's session. See the module above for how it is driven.
#[derive(Debug)]
pub struct Session {
    state: State,
    who: Option<(Account, Password)>,
    /// The next three fields end with the login.
    entering: Entering,
    sending: Sending,
    receiving: Receiving,
    /// The change of password that is under way.
    changing: Option<Changing>,
    server: Server,
    line: Wire,
    people: People,
    poll: Poll,
    retry_backoff: Backoff,
    logged_in_at: Option<Instant>,
    /// Whether messages that arrive now are for the account that was logged in before.
    stale: bool,
    /// Whether the last of takes and sendings was a take.
    took: bool,
    last_token: u64,
    told: Outputs,
}

impl Session {
    /// Makes a session that has not logged in.
    #[must_use]
    pub fn new(polling: Polling) -> Self {
        Self::after(Leftovers::new(polling))
    }

    /// Creates a session that takes over what an earlier plain session left behind.
    #[must_use]
    pub fn after(Leftovers { late, fence_due, last_token, poll }: Leftovers) -> Self {
        Self {
            state: State::Offline,
            who: None,
            entering: Entering::default(),
            sending: Sending::default(),
            receiving: Receiving::default(),
            changing: None,
            server: Server::default(),
            line: Wire { late, fence_due, ..Wire::default() },
            people: People::default(),
            poll,
            retry_backoff: Backoff::new(Backoff::RETRY),
            logged_in_at: None,
            stale: false,
            took: false,
            last_token,
            told: Outputs::default(),
        }
    }

    /// Returns the next datagram for the server; called until it returns `None`, after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.told.transmits.pop_front()
    }

    /// Returns the next event; called until it returns `None`, after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.told.events.pop_front()
    }

    /// Returns the figures of the connection.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            rtt: self.line.rto.smoothed(),
            deviation: self.line.rto.deviation(),
            sent: self.told.sent,
            again: self.told.again,
            waiting: usize::from(self.line.outstanding.is_some()) + self.line.wanted.len() + self.sending.outbox.len(),
        }
    }

    /// Returns whether a reply that arrived while another part of the program asks the server too may answer a request
    /// of this session. If that request is no longer waited for, it is settled by this.
    pub fn is_unclear(&mut self, now: Instant, reply: &Reply) -> bool {
        let waited = self.line.outstanding.as_ref().map(|o| o.purpose.operation());
        self.line.late.is_unclear(now, reply) || waited.is_some_and(|operation| late::can_answer(operation, reply))
    }

    /// Notes datagrams that were sent from the same socket at these times, but not by this session, and may still be
    /// answered.
    pub fn expect_late(&mut self, datagrams: &[(Vec<u8>, Instant)]) {
        self.line.late.expect_sent(datagrams);
    }

    /// Returns the connection's state.
    #[must_use]
    pub fn link(&self) -> ConnectionState {
        self.told.link
    }

    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, account: Account, password: Password, confirm: Password) {
        let request = Request::Register { account, password, confirm };
        self.want(Purpose::Register, &request);
        self.go_on(now);
    }

    /// Sends a message that is already stored; answered by [`Event::Outgoing`]. A message that already waits is not
    /// sent twice.
    pub fn send(&mut self, now: Instant, id: MessageId, to: Account, text: MessageText) {
        if self.sending.add(id, to, text) {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
            self.go_on(now);
        }
    }

    /// Sends a datagram typed by hand. It goes out when nothing else is outstanding, so that no answer is mistaken for
    /// another's. A message that comes in answer to it is kept.
    pub fn by_hand(&mut self, now: Instant, bytes: Vec<u8>) {
        self.line.wanted.push_back((Purpose::ByHand(late::operation_of(&bytes)), bytes));
        self.go_on(now);
    }

    /// Called when a silent server is to be asked again, or has been heard.
    fn resume(&mut self, now: Instant) {
        if self.entering.retry_at.take().is_none() {
            return;
        }
        if self.entering.automatic {
            return self.log_in(now);
        }
        self.show(ConnectionState::Waiting);
        if self.poll.polling == Polling::Adaptive {
            self.poll.at = Some(now);
        }
    }

    fn timed_out(&mut self, now: Instant, mut outstanding: Outstanding) {
        if outstanding.tries >= outstanding.purpose.terms().tries.most() {
            outstanding.leave_unanswered(&mut self.line.late);
            if outstanding.purpose.terms().tries != Tries::Once {
                self.was_in_vain(&outstanding.purpose);
            }
            return self.unanswered(now, outstanding.purpose);
        }
        outstanding.tries += 1;
        outstanding.sent = now;
        outstanding.due = now + self.wait(&outstanding.purpose, outstanding.tries);
        let cause = Cause::Again(outstanding.tries);
        self.told.transmit(Transmit { bytes: outstanding.bytes.clone(), cause });
        self.line.outstanding = Some(outstanding);
        if self.state == State::Online {
            self.show(ConnectionState::Waiting);
        }
    }

    /// Handles a request of which no try was answered.
    fn unanswered(&mut self, now: Instant, purpose: Purpose) {
        match purpose {
            // It is never sent again blindly: first an answered 08 must show that the answer can no longer come.
            Purpose::Send => {
                self.line.rto.back_off(1);
                self.sending.turn(Stage::unanswered);
                self.line.fence_due = true;
                self.show(ConnectionState::Waiting);
            }
            Purpose::Take => self.take_timed_out(now, None),
            Purpose::TakeFriend(friend) => self.take_timed_out(now, Some(friend)),
            // Not every typed datagram has an answer, and a late one must not settle a message.
            Purpose::ByHand(operation) => {
                self.line.fence_due |= operation == Some(3);
                self.line.quiet_until = Some(now + self.line.rto.timeout(1).saturating_mul(2));
            }
            Purpose::Register => self.told.events.push_back(Event::Registered(RegisterOutcome::NoAnswer)),
            // Whether the server has extensions stays unknown; the next answer may tell.
            Purpose::Probe => self.unprobed(),
            Purpose::ChangePassword | Purpose::TryNew | Purpose::TryAway | Purpose::TryOld => {
                self.change_unanswered(&purpose);
            }
            Purpose::Login | Purpose::Served | Purpose::TakeOver if !self.entering.automatic => {
                self.state = State::Offline;
                self.show(ConnectionState::Offline);
                self.told.events.push_back(Event::LoggedIn(LoginOutcome::NoAnswer));
            }
            Purpose::Login
            | Purpose::Served
            | Purpose::TakeOver
            | Purpose::Offline
            | Purpose::Release
            | Purpose::Poll
            | Purpose::PollFriend(_)
            | Purpose::Fence => self.is_silent(now),
        }
    }

    /// Handles a server that is silent: it is asked again later.
    fn is_silent(&mut self, now: Instant) {
        // When the server is back, an 08 goes out first, and not a message.
        self.line.fence_due = true;
        let backoff = now + self.retry_backoff.advance();
        let strict =
            self.poll.polling != Polling::Adaptive && self.sending.outbox.is_empty() && !self.entering.automatic;
        let at = self.poll.at.filter(|at| strict && *at > now).unwrap_or(backoff);
        self.entering.retry_at = Some(at);
        self.line.wanted.retain(|(purpose, _)| purpose.terms().turn != Turn::Idle);
        self.show(ConnectionState::Retrying { at });
    }

    fn take_timed_out(&mut self, now: Instant, friend: Option<Account>) {
        self.line.rto.back_off(1);
        self.show(ConnectionState::Waiting);
        self.poll_soon(now);
        self.unanswered_take(friend);
    }

    /// Handles a take without an answer. The answer may have carried a message, which the next request would confirm.
    /// On our server a login does not confirm it, so one is sent first; on another server the message may be lost,
    /// which the next 08 shows. A server that has not said what it is may be ours.
    fn unanswered_take(&mut self, friend: Option<Account>) {
        self.receiving.take_next = None;
        if self.server.extensions != Some(false) {
            self.receiving.release = Some(friend);
        }
    }

    /// Handles a datagram from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let reply = Reply::decode(bytes, &mut self.server.learned);
        self.line.beyond = None;
        if self.line.contact.ends(&mut self.told.events) {
            // What is known about others is out of date; it is asked for with the next poll and reported in any case.
            self.people.online = None;
            self.people.who_at = Some(now);
            self.poll_soon(now);
        }
        self.retry_backoff.reset();
        self.resume(now);
        // A message is kept, whatever is outstanding.
        if let Reply::Take(Some(delivery)) | Reply::TakeAll(Some(delivery)) = &reply
            && !self.stale
        {
            self.received(delivery.clone());
        }
        let waited = self.line.outstanding.as_ref().map(Outstanding::waited);
        if let Some(operation) = self.line.late.claims(now, &reply, waited) {
            if let Some(outstanding) = self.line.outstanding.as_mut().filter(|o| o.waited().exact) {
                let own = operation == outstanding.purpose.operation();
                outstanding.claimed = outstanding.claimed.saturating_add(u8::from(own));
            }
            self.answered_twice(now, &reply);
            match operation {
                Some(11) => self.probed(reply),
                Some(3) if reply == Reply::NotUnderstood => self.refused_late(),
                _ => {}
            }
            return self.go_on(now);
        }
        let answered = self.line.outstanding.take_if(|o| late::can_answer(o.purpose.operation(), &reply));
        let Some(outstanding) = answered else {
            self.unasked(now, &reply);
            return self.go_on(now);
        };
        self.line.late.passed(self.server.is_ours);
        let soon = now + self.line.rto.timeout(1).saturating_mul(2);
        outstanding.leave(&mut self.line.late, soon, outstanding.tries.saturating_sub(1 + outstanding.claimed));
        self.measure(now, &outstanding);
        self.answered(now, outstanding, reply);
        if self.state == State::Online && self.entering.retry_at.is_none() {
            let rtt = self.line.rto.smoothed().unwrap_or_default();
            self.show(ConnectionState::Connected { rtt });
        }
        self.go_on(now);
    }

    fn show(&mut self, link: ConnectionState) {
        if !link.is_like(std::mem::replace(&mut self.told.link, link)) {
            self.told.events.push_back(Event::ConnectionState(link));
        }
    }

    /// Encodes a request in the charset in which the person it names is known to write, since some servers only pass
    /// bytes on.
    fn encode(&self, request: &Request) -> Vec<u8> {
        let charset = match request {
            Request::Send { to: peer, .. }
            | Request::Count { from: Some(peer) }
            | Request::Take { from: Some(peer) } => self.server.learned.charset(peer),
            _ => Charset::default(),
        };
        request.encode(charset)
    }

    fn want(&mut self, purpose: Purpose, request: &Request) {
        self.line.wanted.push_back((purpose, self.encode(request)));
    }

    /// Returns how long the answer to this try may take.
    fn wait(&self, purpose: &Purpose, tries: u8) -> Duration {
        match purpose.terms().tries {
            Tries::Questions(_) => self.line.rto.timeout_of_question(tries),
            Tries::Once | Tries::Most(_) => self.line.rto.timeout(tries),
        }
    }

    fn begin(&mut self, now: Instant, purpose: Purpose, bytes: Vec<u8>) {
        let wait = self.wait(&purpose, 1);
        if self.is_always_answered(&purpose) && (self.state == State::Online || self.entering.automatic) {
            self.line.contact.waits(now);
        }
        self.asks(&purpose);
        self.goes_beyond(&purpose);
        let cause = match purpose {
            Purpose::Fence => Cause::Fence,
            Purpose::ByHand(_) => Cause::ByHand,
            _ => Cause::First,
        };
        self.told.transmit(Transmit { bytes: bytes.clone(), cause });
        self.line.outstanding = Some(Outstanding { purpose, bytes, tries: 1, claimed: 0, sent: now, due: now + wait });
    }
}

#[cfg(test)]
mod promise_tests;
#[cfg(test)]
mod tests;
