//! Stop-and-wait over the plain dialect: one request outstanding, the answer matched by its
//! operation, the fence around a lost answer to 03.
//!
//! Its parts: `next` what goes out next, `request`, `answers`, `late` (answers nobody waits for), `polling`, `presence`,
//! `disk` (what waits for it), `repeats` (what is offered again), `password`; `promise_tests` holds what it owes its user.

mod answers;
mod disk;
mod late;
mod next;
mod password;
mod polling;
mod presence;
mod repeats;
mod request;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::late::Late;
use self::password::Changing;
pub use self::repeats::Handed;
use self::repeats::Offered;
use self::request::{Outstanding, Purpose};
use super::contact::Contact;
use super::{Beyond, Cause, Event, Link, LoginOutcome, Polling, RegisterOutcome, StoreToken, Transmit};
use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::base::timer::{Backoff, Rto};
use crate::protocol::wire::{Charset, Learned, Reply, Request};

/// How many copies of a message go out at most: every one that arrives is a message of its own.
const COPIES: u32 = 2;
/// The assignment's interval.
const STRICT: Duration = Duration::from_secs(30);
const LEAVING: Duration = Duration::from_secs(1);
/// How long nothing is asked for after the disk has refused a message.
const DISK: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Outgoing {
    id: MessageId,
    to: Account,
    text: MessageText,
    /// It was on the wire once, and its answer did not come.
    doubtful: bool,
    /// How often it was sent.
    copies: u32,
    /// When it was sent first and last.
    sent: Option<(Instant, Instant)>,
    /// "Sending" stands on disk, so that after a crash nobody sends it again unasked.
    noted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    LoggingIn,
    Online,
    LoggedOut,
}

/// How the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Smoothed round-trip time, once it was measured.
    pub rtt: Option<Duration>,
    /// Its mean deviation.
    pub deviation: Option<Duration>,
    /// Datagrams sent.
    pub sent: u64,
    /// Of these, tries after the first.
    pub again: u64,
    /// Requests that wait for their turn or their answer.
    pub waiting: usize,
}

/// The client's session. See the module above for how it is driven.
#[derive(Debug)]
pub struct Session {
    polling: Polling,
    state: State,
    login: Option<(Account, Password)>,
    /// The password is being changed.
    changing: Option<Changing>,
    /// The server has shown since this session began that it changes passwords, or that it does not.
    changes_passwords: Option<bool>,
    learned: Learned,
    rto: Rto,
    outstanding: Option<Outstanding>,
    wanted: VecDeque<(Purpose, Vec<u8>)>,
    outbox: VecDeque<Outgoing>,
    /// An 08 must be answered before the next 03: a late answer to an earlier 03 may be under way.
    fence_due: bool,
    /// On a server not known as ours: no 03 before this, since late answers may still come.
    quiet_until: Option<Instant>,
    /// Messages that were not answered, since one was; a late answer while there is just one is that one's.
    given_up: Vec<MessageId>,
    /// This operation was asked again, last at this time, and answered as if the tries before were lost.
    resent: Option<(u8, Instant)>,
    storing: Option<StoreToken>,
    /// This message is sent once its state is on disk.
    noting: Option<MessageId>,
    /// The disk refused to note a message: not before this.
    note_at: Option<Instant>,
    /// Going offline ends then, answered or not.
    leave_by: Option<Instant>,
    /// And then it goes online again.
    coming_back: bool,
    /// The login under way was nobody's wish: it is tried again while the server is silent.
    automatic: bool,
    logged_in_at: Option<Instant>,
    /// How often in a row it was refused because the account is logged in elsewhere.
    refused: u8,
    /// A takeover that is refused is tried once more: 02 has just armed it.
    taking_over: bool,
    /// It was tried that once more.
    took_over: bool,
    /// The code told last that the protocol does not have.
    strange: Option<String>,
    /// Since the last login, questions for the extensions that were not answered.
    probes: u8,
    /// What may still be answered, and then answers nothing else.
    late: Late,
    /// It may have ended at 11, and is not asked for that by itself any more.
    suspect: bool,
    /// Nothing was heard since this was asked first.
    beyond: Option<Beyond>,
    /// In a row, `00:00` to `11#`.
    denials: u8,
    last_token: u64,
    /// The last of takes and sendings was a take.
    took: bool,
    /// Take on after the message is stored: from one friend, or from anyone.
    take_next: Option<Option<Account>>,
    /// This take was not answered: before any other request, the message must be released.
    release: Option<Option<Account>>,
    /// The disk refused a message: on some servers any request before that would confirm it.
    hold_until: Option<Instant>,
    /// Messages that come now are for the account of before.
    stale: bool,
    /// The message that was handed out last.
    offered: Option<Offered>,
    /// The last [`Event::Unread`] said more than none.
    told_unread: bool,
    /// What is being stored came a second time.
    repeated: bool,
    /// What 08 said last, less what was taken since.
    expected_unread: Option<u64>,
    extensions: Option<bool>,
    /// It has shown since the last login that it has rooms; before that login it may have been another program.
    has_rooms: bool,
    /// Who is online is asked for by itself.
    asks_who: bool,
    /// Somebody has asked for it, and is told in any case.
    who_wanted: bool,
    /// Who is online, as far as the pages of `11` have come.
    listing: Vec<Account>,
    /// The last whole list.
    online: Option<Vec<Account>>,
    /// When to ask for it again, with the poll after that.
    who_at: Option<Instant>,
    open_chats: Vec<Account>,
    visible: bool,
    poll_at: Option<Instant>,
    poll_backoff: Backoff,
    retry_at: Option<Instant>,
    retry_backoff: Backoff,
    link: Link,
    contact: Contact,
    /// Datagrams that went out; of these, tries after the first.
    sent: u64,
    again: u64,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Session {
    /// A session that has not logged in.
    #[must_use]
    pub fn new(polling: Polling) -> Self {
        Self {
            polling,
            state: State::Offline,
            login: None,
            changing: None,
            changes_passwords: None,
            learned: Learned::default(),
            rto: Rto::default(),
            outstanding: None,
            wanted: VecDeque::new(),
            outbox: VecDeque::new(),
            fence_due: false,
            quiet_until: None,
            given_up: Vec::new(),
            resent: None,
            storing: None,
            noting: None,
            note_at: None,
            leave_by: None,
            coming_back: false,
            automatic: false,
            logged_in_at: None,
            refused: 0,
            taking_over: false,
            took_over: false,
            strange: None,
            probes: 0,
            late: Late::default(),
            suspect: false,
            beyond: None,
            denials: 0,
            last_token: 0,
            took: false,
            take_next: None,
            release: None,
            hold_until: None,
            stale: false,
            offered: None,
            told_unread: false,
            repeated: false,
            expected_unread: None,
            extensions: None,
            has_rooms: false,
            asks_who: true,
            who_wanted: false,
            listing: Vec::new(),
            online: None,
            who_at: None,
            open_chats: Vec::new(),
            visible: false,
            poll_at: None,
            poll_backoff: Backoff::new(Backoff::POLL),
            retry_at: None,
            retry_backoff: Backoff::new(Backoff::RETRY),
            link: Link::Offline,
            contact: Contact::default(),
            sent: 0,
            again: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The next datagram for the server; call until `None` after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.transmits.pop_front()?;
        self.sent += 1;
        self.again += u64::from(matches!(transmit.cause, Cause::Again(_)));
        Some(transmit)
    }

    /// The next event; call until `None` after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = if let Some(outstanding) = &self.outstanding {
            Some(outstanding.due)
        } else if self.retry_at.is_some() {
            self.retry_at
        } else if self.state != State::Online || self.storing.is_some() || self.noting.is_some() {
            None
        } else {
            let sends = |at: Option<Instant>| at.filter(|_| !self.outbox.is_empty());
            let next = match self.hold_until {
                Some(_) => [self.hold_until, None],
                None => [self.poll_at, sends(self.quiet_until)],
            };
            next.into_iter().chain([sends(self.note_at)]).flatten().min()
        };
        [due, self.leave_by, self.contact.due()].into_iter().flatten().min()
    }

    /// How the connection is doing.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            rtt: self.rto.smoothed(),
            deviation: self.rto.deviation(),
            sent: self.sent,
            again: self.again,
            waiting: usize::from(self.outstanding.is_some()) + self.wanted.len() + self.outbox.len(),
        }
    }

    /// Whether a text that came while somebody else asks the server too may answer what was sent here. If that is
    /// not waited for any more it is settled by this.
    pub fn is_unclear(&mut self, now: Instant, reply: &Reply) -> bool {
        // What was asked so before says as much.
        self.late.forget(10);
        let waited = self.outstanding.as_ref().map(|o| o.purpose.operation());
        self.late.claims(now, reply, None).is_some()
            || waited.is_some_and(|operation| late::can_answer(operation, reply))
    }

    /// These datagrams were sent for something else than this session, at these times, and may still be answered.
    pub fn expect_late(&mut self, datagrams: &[(Vec<u8>, Instant)]) {
        for (bytes, sent) in datagrams {
            self.late.expect(operation_of(bytes), late::mark(bytes), *sent + late::LATE, 1);
        }
    }

    /// The connection line.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, account: Account, password: Password, confirm: Password) {
        let request = Request::Register { account, password, confirm };
        self.want(Purpose::Register, &request);
        self.go_on(now);
    }

    /// Sends a message that is stored already; answered by [`Event::Outgoing`]. One that waits already
    /// goes once.
    pub fn send(&mut self, now: Instant, id: MessageId, to: Account, text: MessageText) {
        if self.outbox.iter().any(|m| m.id == id) {
            return;
        }
        // One that waited on disk may come after a new one, and goes before it; not before one that is under way.
        let is_under_way = |m: &Outgoing| m.noted || m.doubtful || self.noting == Some(m.id);
        let under_way = usize::from(self.outbox.front().is_some_and(is_under_way));
        let later = self.outbox.iter().skip(under_way).position(|m| m.id > id);
        let place = later.map_or(self.outbox.len(), |place| under_way + place);
        self.outbox.insert(place, Outgoing { id, to, text, doubtful: false, copies: 0, sent: None, noted: false });
        self.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        self.go_on(now);
    }

    /// A datagram typed by hand; it goes out when nothing else is outstanding, so that no answer is
    /// mistaken for another's. A message that comes so is kept.
    pub fn by_hand(&mut self, now: Instant, bytes: Vec<u8>) {
        self.wanted.push_back((Purpose::ByHand(operation_of(&bytes)), bytes));
        self.go_on(now);
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.leave_by.is_some_and(|at| at <= now) {
            return self.left(now, None);
        }
        if self.outstanding.as_ref().is_some_and(|o| o.due <= now)
            && let Some(outstanding) = self.outstanding.take()
        {
            self.timed_out(now, outstanding);
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.resume(now);
        }
        self.go_on(now);
        self.contact.look(now, &mut self.events);
        self.may_have_ended();
    }

    /// The server was silent; now it is to be asked again, or has been heard.
    fn resume(&mut self, now: Instant) {
        if self.retry_at.take().is_none() {
            return;
        }
        if self.automatic {
            return self.log_in(now);
        }
        self.show(Link::Waiting);
        if self.polling == Polling::Adaptive {
            self.poll_at = Some(now);
        }
    }

    fn timed_out(&mut self, now: Instant, mut outstanding: Outstanding) {
        let once =
            matches!(outstanding.purpose, Purpose::Send | Purpose::Take | Purpose::TakeFriend(_) | Purpose::ByHand(_));
        if once || outstanding.tries >= outstanding.purpose.most_tries() {
            outstanding.leave_unanswered(&mut self.late);
        }
        if matches!(outstanding.purpose, Purpose::Send | Purpose::Take | Purpose::TakeFriend(_)) {
            self.rto.back_off(1);
        }
        match outstanding.purpose {
            // Never blindly twice: first an answered 08 must show that this answer can't come any more.
            Purpose::Send => {
                if let Some(message) = self.outbox.front_mut() {
                    message.doubtful = true;
                }
                self.fence_due = true;
                self.show(Link::Waiting);
                return;
            }
            Purpose::Take => {
                self.show(Link::Waiting);
                self.poll_soon(now);
                return self.unanswered_take(None);
            }
            Purpose::TakeFriend(friend) => {
                self.show(Link::Waiting);
                self.poll_soon(now);
                return self.unanswered_take(Some(friend));
            }
            // Not everything that is typed has an answer; a late one must settle no message.
            Purpose::ByHand(operation) => {
                self.fence_due |= operation == Some(3);
                self.quiet_until = Some(now + self.rto.timeout(1).saturating_mul(2));
                return;
            }
            _ => {}
        }
        if outstanding.tries < outstanding.purpose.most_tries() {
            outstanding.tries += 1;
            outstanding.sent = now;
            outstanding.due = now + self.wait(&outstanding.purpose, outstanding.tries);
            let cause = Cause::Again(outstanding.tries);
            self.transmits.push_back(Transmit { bytes: outstanding.bytes.clone(), cause });
            self.outstanding = Some(outstanding);
            if self.state == State::Online {
                self.show(Link::Waiting);
            }
            return;
        }
        match outstanding.purpose {
            Purpose::Register => self.events.push_back(Event::Registered(RegisterOutcome::NoAnswer)),
            // Not known, so not used; perhaps the next answer comes.
            Purpose::Probe => self.unprobed(),
            purpose if purpose.changes_password() => self.change_unanswered(&purpose),
            Purpose::Login | Purpose::Served | Purpose::TakeOver if !self.automatic => {
                self.state = State::Offline;
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::NoAnswer));
            }
            _ => {
                // The first to go out when the server is back is an 08, not somebody's message.
                self.fence_due = true;
                let backoff = now + self.retry_backoff.advance();
                let strict = self.polling != Polling::Adaptive && self.outbox.is_empty() && !self.automatic;
                let at = self.poll_at.filter(|at| strict && *at > now).unwrap_or(backoff);
                self.retry_at = Some(at);
                self.wanted.retain(|(purpose, _)| !purpose.can_wait());
                self.show(Link::Retrying { at });
            }
        }
    }

    /// The answer to a take may have carried a message, and any next request would confirm it. A login
    /// does not on our server; elsewhere the message may be lost, and the next 08 tells. A server that
    /// has not said what it is may be ours.
    fn unanswered_take(&mut self, friend: Option<Account>) {
        self.take_next = None;
        if self.extensions != Some(false) {
            self.release = Some(friend);
        }
    }

    /// A datagram from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let reply = Reply::decode(bytes, &mut self.learned);
        self.beyond = None;
        if self.contact.ends(&mut self.events) {
            // What is known of others is old; it is asked for with the next poll, and told whatever it is.
            self.online = None;
            self.who_at = Some(now);
            self.poll_soon(now);
        }
        self.retry_backoff.reset();
        self.resume(now);
        // A message is kept whatever is outstanding.
        if let Reply::Take(Some(delivery)) | Reply::TakeAll(Some(delivery)) = &reply
            && !self.stale
        {
            self.received(delivery.clone());
        }
        let waited = self.outstanding.as_ref().map(Outstanding::waited);
        if let Some(operation) = self.late.claims(now, &reply, waited) {
            if let Some(outstanding) = self.outstanding.as_mut().filter(|o| o.waited().exact) {
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
        let answered = self.outstanding.take_if(|o| late::can_answer(o.purpose.operation(), &reply));
        let Some(outstanding) = answered else {
            self.unasked(now, &reply);
            return self.go_on(now);
        };
        self.late.passed(self.extensions == Some(true));
        let soon = now + self.rto.timeout(1).saturating_mul(2);
        outstanding.leave(&mut self.late, soon, outstanding.tries.saturating_sub(1 + outstanding.claimed));
        self.measure(now, &outstanding);
        self.answered(now, outstanding, reply);
        if self.state == State::Online && self.retry_at.is_none() {
            let rtt = self.rto.smoothed().unwrap_or_default();
            self.show(Link::Connected { rtt });
        }
        self.go_on(now);
    }

    fn show(&mut self, link: Link) {
        if !link.is_like(std::mem::replace(&mut self.link, link)) {
            self.events.push_back(Event::Link(link));
        }
    }

    /// In what the person named there is known to write, on servers that only pass bytes on.
    fn encode(&self, request: &Request) -> Vec<u8> {
        let charset = match request {
            Request::Send { to: peer, .. }
            | Request::Count { from: Some(peer) }
            | Request::Take { from: Some(peer) } => self.learned.charset(peer),
            _ => Charset::default(),
        };
        request.encode(charset)
    }

    fn want(&mut self, purpose: Purpose, request: &Request) {
        self.wanted.push_back((purpose, self.encode(request)));
    }

    /// How long the answer to this try may take.
    fn wait(&self, purpose: &Purpose, tries: u8) -> Duration {
        match purpose {
            Purpose::Fence => self.rto.timeout_of_question(tries),
            _ => self.rto.timeout(tries),
        }
    }

    fn begin(&mut self, now: Instant, purpose: Purpose, bytes: Vec<u8>) {
        let wait = self.wait(&purpose, 1);
        if self.is_always_answered(&purpose) && (self.state == State::Online || self.automatic) {
            self.contact.waits(now);
        }
        self.asks(&purpose);
        self.goes_beyond(&purpose);
        let cause = match purpose {
            Purpose::Fence => Cause::Fence,
            Purpose::ByHand(_) => Cause::ByHand,
            _ => Cause::First,
        };
        self.transmits.push_back(Transmit { bytes: bytes.clone(), cause });
        self.outstanding = Some(Outstanding { purpose, bytes, tries: 1, claimed: 0, sent: now, due: now + wait });
    }
}

/// The two digits at the beginning.
fn operation_of(bytes: &[u8]) -> Option<u8> {
    bytes.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
}

#[cfg(test)]
mod promise_tests;
#[cfg(test)]
mod tests;
