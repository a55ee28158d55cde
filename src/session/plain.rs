//! Stop-and-wait over the plain dialect: one request outstanding, the answer matched by its
//! operation, the fence around a lost answer to 03.

mod polling;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Cause, Event, Link, LoginOutcome, Polling, RegisterOutcome, StoreToken, Transmit};
use crate::model::{Account, MessageId, MessageText, Password, SendState};
use crate::timer::{Backoff, Rto};
use crate::wire::reply::{Delivery, Forwarded, LoggedIn};
use crate::wire::request::Body;
use crate::wire::{Charset, Reply, Request, TimeFormat};

/// Tries of one request before the server counts as silent.
const TRIES: u8 = 4;
/// The assignment's interval.
const STRICT: Duration = Duration::from_secs(30);
const LEAVING: Duration = Duration::from_secs(1);

/// What the outstanding request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    Register,
    Login,
    /// `08#` after `02:04`: are we served?
    Served,
    /// `06#`, then 02 again.
    TakeOver,
    Offline,
    /// 02 after an unanswered take: our server then offers that message again.
    Release,
    Probe,
    Poll,
    PollFriend(Account),
    Take,
    TakeFriend(Account),
    Send,
    Fence,
}

#[derive(Debug)]
struct Outstanding {
    purpose: Purpose,
    bytes: Vec<u8>,
    tries: u8,
    sent: Instant,
    due: Instant,
}

#[derive(Debug)]
struct Outgoing {
    id: MessageId,
    to: Account,
    text: MessageText,
    /// It was on the wire once, and its answer did not come.
    doubtful: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    LoggingIn,
    Online,
    LoggedOut,
}

/// The client's session. See the module above for how it is driven.
#[derive(Debug)]
pub struct Session {
    polling: Polling,
    state: State,
    login: Option<(Account, Password)>,
    charset: Charset,
    format: TimeFormat,
    rto: Rto,
    outstanding: Option<Outstanding>,
    wanted: VecDeque<(Purpose, Vec<u8>)>,
    outbox: VecDeque<Outgoing>,
    /// An 08 must be answered before the next 03: a late answer to an earlier 03 may be under way.
    fence_due: bool,
    /// On a server not known as ours: no 03 before this, since late answers may still come.
    quiet_until: Option<Instant>,
    storing: Option<StoreToken>,
    next_token: u64,
    /// Take on after the message is stored: from one friend, or from anyone.
    take_next: Option<Option<Account>>,
    /// This take was not answered: before any other request, the message must be released.
    release: Option<Option<Account>>,
    last_delivery: Option<Vec<u8>>,
    /// What 08 said last, less what was taken since.
    expected_unread: Option<u64>,
    extensions: Option<bool>,
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
            charset: Charset::Utf8,
            format: TimeFormat::Standard,
            rto: Rto::default(),
            outstanding: None,
            wanted: VecDeque::new(),
            outbox: VecDeque::new(),
            fence_due: false,
            quiet_until: None,
            storing: None,
            next_token: 0,
            take_next: None,
            release: None,
            last_delivery: None,
            expected_unread: None,
            extensions: None,
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
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The next datagram for the server; call until `None` after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event; call until `None` after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if let Some(outstanding) = &self.outstanding {
            return Some(outstanding.due);
        }
        if let Some(at) = self.retry_at {
            return Some(at);
        }
        if self.state != State::Online || self.storing.is_some() {
            return None;
        }
        let quiet = self.quiet_until.filter(|_| !self.outbox.is_empty());
        [quiet, self.poll_at].into_iter().flatten().min()
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

    /// Logs in; answered by [`Event::LoggedIn`].
    pub fn login(&mut self, now: Instant, account: Account, password: Password) {
        self.login = Some((account, password));
        // Another account's, or about to be loaded anew.
        self.outbox.clear();
        self.fence_due = self.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Send);
        self.outstanding = None;
        self.wanted.clear();
        self.storing = None;
        self.take_next = None;
        self.release = None;
        self.last_delivery = None;
        self.log_in(now);
    }

    fn log_in(&mut self, now: Instant) {
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
        self.want(Purpose::TakeOver, &Request::Offline);
        self.go_on(now);
    }

    /// Sends a message that is stored already; answered by [`Event::Outgoing`].
    pub fn send(&mut self, now: Instant, id: MessageId, to: Account, text: MessageText) {
        self.outbox.push_back(Outgoing { id, to, text, doubtful: false });
        self.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        self.go_on(now);
    }

    /// Goes offline; answered by [`Event::WentOffline`] within 1 s.
    pub fn go_offline(&mut self, now: Instant) {
        if let Some(outstanding) = self.outstanding.take()
            && outstanding.purpose == Purpose::Send
            && let Some(message) = self.outbox.front_mut()
        {
            // Its answer is not waited for: it may have arrived.
            message.doubtful = true;
            self.fence_due = true;
        }
        self.wanted.clear();
        self.retry_at = None;
        if self.state == State::Offline {
            self.events.push_back(Event::WentOffline(Some(false)));
            return;
        }
        self.want(Purpose::Offline, &Request::Offline);
        self.go_on(now);
    }

    /// Logs in again with the password of the last login.
    pub fn go_online(&mut self, now: Instant) {
        self.log_in(now);
    }

    /// A datagram typed by hand. Its answer goes through the session as any other.
    pub fn by_hand(&mut self, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit { bytes, cause: Cause::ByHand });
    }

    /// The message of this token is on disk, or could not be stored (then it is not asked on, so that
    /// the server keeps the rest).
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        if self.storing == Some(token) {
            self.storing = None;
            if !stored {
                self.take_next = None;
            }
            self.go_on(now);
        }
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.outstanding.as_ref().is_some_and(|o| o.due <= now)
            && let Some(outstanding) = self.outstanding.take()
        {
            self.timed_out(now, outstanding);
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.poll_at = Some(now);
        }
        self.go_on(now);
    }

    fn timed_out(&mut self, now: Instant, mut outstanding: Outstanding) {
        match outstanding.purpose {
            Purpose::Offline => {
                self.state = State::Offline;
                self.show(Link::Offline);
                self.events.push_back(Event::WentOffline(None));
                return;
            }
            // Never blindly twice: first an answered 08 must show that this answer can't come any more.
            Purpose::Send => {
                if let Some(message) = self.outbox.front_mut() {
                    message.doubtful = true;
                }
                self.fence_due = true;
                self.show(Link::Waiting);
                return;
            }
            // Its answer may have carried a message, and any next request would confirm it. A login
            // does not on our server; elsewhere the message may be lost, and the next 08 tells.
            Purpose::Take | Purpose::TakeFriend(_) => {
                self.take_next = None;
                self.poll_at = Some(now);
                self.show(Link::Waiting);
                let friend = if let Purpose::TakeFriend(friend) = outstanding.purpose { Some(friend) } else { None };
                // A server that has not said what it is may be ours.
                if self.extensions != Some(false) {
                    self.release = Some(friend);
                }
                return;
            }
            _ => {}
        }
        if outstanding.tries < TRIES {
            outstanding.tries += 1;
            outstanding.sent = now;
            outstanding.due = now + self.rto.timeout(outstanding.tries);
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
            Purpose::Login | Purpose::Served | Purpose::TakeOver => {
                self.state = State::Offline;
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::NoAnswer));
            }
            _ => {
                let at = now + self.retry_backoff.advance();
                self.retry_at = Some(at);
                self.show(Link::Retrying { at });
            }
        }
    }

    /// A datagram from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let (reply, charset, format) = Reply::decode(bytes, self.charset, self.format);
        (self.charset, self.format) = (charset, format);
        self.retry_backoff.reset();
        // A message is kept whatever is outstanding.
        if let Reply::Take(Some(delivery)) | Reply::TakeAll(Some(delivery)) = &reply {
            self.received(bytes, delivery.clone());
        }
        let answers = self.outstanding.as_ref().is_some_and(|o| answers(&o.purpose, &reply));
        if !answers {
            self.unasked(&reply);
            return self.go_on(now);
        }
        let Some(outstanding) = self.outstanding.take() else { return };
        if outstanding.tries == 1 {
            self.rto.measure(now.saturating_duration_since(outstanding.sent));
        }
        self.answered(now, outstanding, reply);
        if self.state == State::Online && self.retry_at.is_none() {
            let rtt = self.rto.smoothed().unwrap_or_default();
            self.show(Link::Connected { rtt });
        }
        self.go_on(now);
    }

    /// A late `03:` while its message waits behind the fence is its answer; any other is nobody's.
    fn unasked(&mut self, reply: &Reply) {
        if let Reply::Send(forwarded) = reply
            && self.outbox.front().is_some_and(|m| m.doubtful)
            && (self.fence_due || self.quiet_until.is_some() || self.fencing())
            && let Some(message) = self.outbox.pop_front()
        {
            self.quiet_until = None;
            self.settle(message.id, *forwarded);
        }
    }

    fn fencing(&self) -> bool {
        self.outstanding.as_ref().is_some_and(|o| o.purpose == Purpose::Fence)
    }

    fn settle(&mut self, id: MessageId, forwarded: Forwarded) {
        let state = match forwarded {
            Forwarded::Done => SendState::Sent,
            Forwarded::Offline => SendState::OfflineOrUnknown,
        };
        self.events.push_back(Event::Outgoing { id, state });
    }

    fn received(&mut self, bytes: &[u8], delivery: Delivery) {
        let repeat = self.last_delivery.as_deref() == Some(bytes);
        self.last_delivery = Some(bytes.to_vec());
        self.next_token += 1;
        let token = StoreToken(self.next_token);
        self.storing = Some(token);
        if let Some(unread) = &mut self.expected_unread {
            *unread = unread.saturating_sub(1);
        }
        let Delivery { from, time, body: Body { raw, text } } = delivery;
        self.events.push_back(Event::Received { token, from, time, text, raw, repeat });
    }

    fn answered(&mut self, now: Instant, outstanding: Outstanding, reply: Reply) {
        if reply == Reply::NotUnderstood {
            self.events.push_back(Event::NotUnderstood(outstanding.bytes.clone()));
        }
        if reply == Reply::NotLoggedIn {
            return self.session_gone(now, &outstanding.purpose);
        }
        match (outstanding.purpose, reply) {
            (Purpose::Register, Reply::Register(reply)) => {
                let after_timeout = outstanding.tries > 1;
                self.events.push_back(Event::Registered(RegisterOutcome::Answered { reply, after_timeout }));
            }
            (Purpose::Register, _) => self.events.push_back(Event::Registered(RegisterOutcome::NotUnderstood)),
            (Purpose::Login, Reply::Login(LoggedIn::Done)) | (Purpose::Served, Reply::CountAll(_)) => {
                self.logged_in(now)
            }
            (Purpose::Login, Reply::Login(LoggedIn::AlreadyLoggedIn)) => self.want(Purpose::Served, &Request::CountAll),
            (Purpose::Login, Reply::Login(refused)) => {
                self.state = State::Offline;
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::Refused(refused)));
            }
            (Purpose::Login | Purpose::Served, _) => {
                self.state = State::Offline;
                self.show(Link::Offline);
                self.events.push_back(Event::LoggedIn(LoginOutcome::NotUnderstood));
            }
            (Purpose::TakeOver, _) => self.log_in(now),
            (Purpose::Release, _) => self.take_next = self.release.take(),
            (Purpose::Offline, reply) => {
                self.state = State::Offline;
                self.show(Link::Offline);
                let was = if let Reply::Offline { was_online } = reply { Some(was_online) } else { None };
                self.events.push_back(Event::WentOffline(was));
            }
            (Purpose::Probe, reply) => self.probed(reply),
            (Purpose::Poll, Reply::CountAll(n)) => self.counted(now, n, None),
            (Purpose::PollFriend(friend), Reply::Count(n)) => self.counted(now, n, Some(friend)),
            (Purpose::Fence, _) => {
                self.fence_due = false;
                // Our server answers in order; elsewhere a late answer gets two more timeouts.
                if self.extensions != Some(true) {
                    self.quiet_until = Some(now + self.rto.timeout(1).saturating_mul(2));
                }
            }
            (Purpose::Send, Reply::Send(forwarded)) => {
                if let Some(message) = self.outbox.pop_front() {
                    if message.doubtful {
                        // Two were on the wire: the other's answer must not confirm the next message.
                        self.fence_due = true;
                        let state = SendState::MaybeSentTwice;
                        self.events.push_back(Event::Outgoing { id: message.id, state });
                    } else {
                        self.settle(message.id, forwarded);
                    }
                }
                self.poll_soon(now);
            }
            (Purpose::Send, _) => {
                if let Some(message) = self.outbox.pop_front() {
                    self.events.push_back(Event::Outgoing { id: message.id, state: SendState::Failed });
                }
            }
            (Purpose::Take, Reply::TakeAll(Some(_))) => self.take_next = Some(None),
            (Purpose::TakeFriend(friend), Reply::Take(Some(_))) => self.take_next = Some(Some(friend)),
            (Purpose::Take | Purpose::TakeFriend(_), _) => {
                self.take_next = None;
                self.last_delivery = None;
                self.expected_unread = None;
            }
            (Purpose::Poll | Purpose::PollFriend(_), _) => {}
        }
    }

    fn session_gone(&mut self, now: Instant, purpose: &Purpose) {
        if *purpose == Purpose::Served {
            self.state = State::Offline;
            self.show(Link::Offline);
            self.events.push_back(Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn)));
            return;
        }
        if *purpose == Purpose::Send
            && let Some(message) = self.outbox.front()
        {
            self.events.push_back(Event::Outgoing { id: message.id, state: SendState::Waiting });
        }
        self.take_next = None;
        self.wanted.clear();
        // Said first, so that the line is seen, then mended if the password is at hand.
        self.state = State::LoggedOut;
        self.show(Link::LoggedOut);
        self.log_in(now);
    }

    fn logged_in(&mut self, now: Instant) {
        self.state = State::Online;
        self.release = None;
        self.events.push_back(Event::LoggedIn(LoginOutcome::Done));
        self.expected_unread = None;
        self.online = None;
        self.who_at = Some(now + polling::WHO);
        self.poll_backoff.reset();
        self.poll_at = Some(if self.polling == Polling::Adaptive { now } else { now + STRICT });
        if self.extensions.is_none() {
            self.want(Purpose::Probe, &Request::Who { offset: 0 });
        }
    }

    fn show(&mut self, link: Link) {
        let same = match (self.link, link) {
            (Link::Connected { .. }, Link::Connected { .. }) => true,
            (old, new) => old == new,
        };
        self.link = link;
        if !same {
            self.events.push_back(Event::Link(link));
        }
    }

    fn want(&mut self, purpose: Purpose, request: &Request) {
        self.wanted.push_back((purpose, request.encode(self.charset)));
    }

    fn begin(&mut self, now: Instant, purpose: Purpose, bytes: Vec<u8>) {
        let wait = if purpose == Purpose::Offline { LEAVING } else { self.rto.timeout(1) };
        let cause = if purpose == Purpose::Fence { Cause::Fence } else { Cause::First };
        self.transmits.push_back(Transmit { bytes: bytes.clone(), cause });
        self.outstanding = Some(Outstanding { purpose, bytes, tries: 1, sent: now, due: now + wait });
    }

    /// Sends the next request, if none is outstanding and nothing must be stored first.
    fn go_on(&mut self, now: Instant) {
        if self.outstanding.is_some() {
            return;
        }
        if self.release.is_some()
            && self.state == State::Online
            && self.retry_at.is_none()
            && let Some((account, password)) = self.login.clone()
        {
            let bytes = Request::Login { account, password }.encode(self.charset);
            return self.begin(now, Purpose::Release, bytes);
        }
        if let Some((purpose, bytes)) = self.wanted.pop_front() {
            return self.begin(now, purpose, bytes);
        }
        if self.state != State::Online || self.storing.is_some() || self.retry_at.is_some() {
            return;
        }
        if let Some(friend) = self.take_next.take() {
            let request = match &friend {
                Some(friend) => Request::Take { from: Some(friend.clone()) },
                None => Request::TakeAll,
            };
            let purpose = friend.map_or(Purpose::Take, Purpose::TakeFriend);
            return self.begin(now, purpose, request.encode(self.charset));
        }
        if self.quiet_until.is_some_and(|until| until <= now) {
            self.quiet_until = None;
        }
        if let Some(message) = self.outbox.front() {
            if self.fence_due {
                return self.begin(now, Purpose::Fence, Request::CountAll.encode(self.charset));
            }
            if self.quiet_until.is_none() {
                let request = Request::Send { to: message.to.clone(), body: Body::new(&message.text) };
                self.events.push_back(Event::Outgoing { id: message.id, state: SendState::Sending });
                return self.begin(now, Purpose::Send, request.encode(self.charset));
            }
        }
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll(now);
        }
    }
}

/// Whether a reply can be the answer to such a request; the protocol has no request numbers.
fn answers(purpose: &Purpose, reply: &Reply) -> bool {
    let operation = match purpose {
        Purpose::Register => 1,
        Purpose::Login | Purpose::Release => 2,
        Purpose::Send => 3,
        Purpose::PollFriend(_) => 4,
        Purpose::TakeFriend(_) => 5,
        Purpose::Offline | Purpose::TakeOver => 6,
        Purpose::Served | Purpose::Poll | Purpose::Fence => 8,
        Purpose::Take => 9,
        Purpose::Probe => 11,
    };
    match reply {
        Reply::NotUnderstood => true,
        Reply::NotLoggedIn => !matches!(purpose, Purpose::Register | Purpose::Login | Purpose::Release),
        reply => reply.operation() == Some(operation),
    }
}

#[cfg(test)]
mod tests;
