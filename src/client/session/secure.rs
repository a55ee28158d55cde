//! The client's half of the secure dialect, sans-IO, driven as the plain one is. It owns the carrier,
//! connects by itself, and after any loss goes on where both sides know they were: messages of one's
//! own are sent again under the same number, others' are asked for from the last one on disk.
//!
//! Source: the secure dialect, "Messages".
//!
//! Its parts: `connecting`, `leaving`, `naming`, `outbox`, `inbox`, `delivered`, `presence`, `requests`, `looking`, and `harmless`, which a
//! server's words pass first.

mod connecting;
mod delivered;
mod harmless;
mod inbox;
mod leaving;
mod making;
mod naming;
mod outbox;
mod presence;
mod questions;
mod requests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::contact::Contact;
use super::{Cause, Event, Framed, Kept, Link, LoginOutcome, Pushed, SentBy, StoreToken, Transmit};
use crate::base::model::{Account, MessageId, MessageText, Password, names};
use crate::base::timer::{Dice, Rto};
use crate::protocol::link::{self, PeerId, Pulse, Why};
use crate::protocol::wire::frame::{Code, FromClient, FromServer};

use delivered::Deliveries;
use harmless::harmless;
use inbox::Arrived;
use outbox::{Outgoing, Storing};
use questions::{Answer, Questions};

/// An answer that takes longer is said to be waited for.
const WAITING: Duration = Duration::from_secs(1);
/// While something is unanswered and nothing at all is heard for so long, the connection is made anew.
const DEAD: Duration = Duration::from_secs(4);
/// Whoever wants to log in is told after so long that nobody answers.
const NO_ANSWER: Duration = Duration::from_secs(15);
/// An answer may be held back on purpose, as after wrong passwords; then somebody is heard meanwhile.
const HELD_BACK: Duration = Duration::from_secs(90);
const LEAVING: Duration = Duration::from_secs(1);
/// When the disk has refused a message, nothing is asked for so long.
const DISK: Duration = Duration::from_secs(30);
/// Longer than the carrier is ever silent by itself: the machine has slept.
const SLEPT: Duration = Duration::from_secs(25);
/// Frames that wait for whoever shows them; one turn has fewer, and where nobody looks no more are kept.
const FRAMED: usize = 256;
/// A list comes in several frames; so long after one the whole is told.
const LISTING: Duration = Duration::from_millis(50);

/// What a session is told of its server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it is.
    pub server: SocketAddr,
    /// The keys it may show; none: it is seen for the first time.
    pub pins: Vec<Vec<u8>>,
    /// As [`crate::client::session::Known::damaged`].
    pub damaged: Option<String>,
    /// Logging in ends nobody else's login, until [`Session::set_if_free`].
    pub if_free: bool,
    /// The last number of a [`StoreToken`] that an earlier session has given, which the disk may still answer.
    pub last_token: u64,
    /// Spreads deadlines.
    pub seed: u64,
    /// Makes the carrier's own choices repeatable, for tests.
    pub carrier_seed: Option<[u8; 32]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    /// Wants to be online and is not.
    LoggingIn,
    Online,
    /// Ended by the server; only its owner goes on.
    LoggedOut,
}

#[derive(Debug)]
struct Who {
    account: Account,
    password: Option<Password>,
    kept: Kept,
}

/// The client's session. See the module for how it is driven.
#[derive(Debug)]
pub struct Session {
    carrier: link::Link,
    server: SocketAddr,
    pins: Vec<Vec<u8>>,
    /// Until a key is trusted.
    damaged: Option<String>,
    if_free: bool,
    dice: Dice,
    state: State,
    who: Option<Who>,
    /// The password is to be shown to be right, whatever the token.
    by_password: bool,
    /// Whoever was logged in on this connection is not any more.
    forgotten: bool,
    /// Nobody's wish, so tried again while nobody answers.
    automatic: bool,
    /// Of somebody's wish: when it is given up.
    login_began: Option<Instant>,
    /// The connection, or what dials for one, and whether it is there.
    peer: Option<PeerId>,
    connected: bool,
    dial_by: Option<Instant>,
    online_since: Option<Instant>,
    retry_at: Option<Instant>,
    tries: usize,
    /// The login under way: its number, and whether the token was shown.
    asked: Option<(u64, bool)>,
    /// The question that is there only to be answered, and when it was asked.
    ping: Option<(u64, Instant)>,
    /// Of these.
    round_trip: Rto,
    leaving: Option<(u64, Instant)>,
    questions: Questions,
    /// When whose account was made, as was told on this connection.
    made: BTreeMap<Account, i64>,
    next_id: u64,
    outbox: VecDeque<Outgoing>,
    /// The highest number this device's name had sent at the login; a message with one of these may have
    /// been sent, or its number have been used for another.
    used: u64,
    /// Somebody else has used this device's name; what is under way is settled under it, then it changes.
    renaming: bool,
    /// That is asked for.
    rename_asked: bool,
    renames: u32,
    /// The server could store nothing: not before this.
    resend_at: Option<Instant>,
    refusals: usize,
    storing: Storing,
    /// On their way to the disk, in order.
    inbox: VecDeque<Arrived>,
    /// Where this device begins, until something is stored after it.
    begins: Option<u64>,
    /// The newest row handed out.
    handed: Option<u64>,
    /// Rows on disk that the server was not told of yet.
    unacknowledged: u64,
    /// A gap that was asked about already: the server knows of nothing in it.
    gap: Option<(u64, u64)>,
    hold_until: Option<Instant>,
    deliveries: Deliveries,
    last_token: u64,
    online: BTreeSet<Account>,
    tell_online_at: Option<Instant>,
    /// When the oldest of what is unanswered was asked.
    unanswered_since: Option<Instant>,
    heard: Option<Instant>,
    hurried: bool,
    turned: Option<Instant>,
    /// What was not understood on this connection was said.
    puzzled: bool,
    trouble: Option<Why>,
    contact: Contact,
    /// Of the connection, as it was looked at last.
    pulse: Pulse,
    link: Link,
    events: VecDeque<Event>,
    /// Seen by nobody yet, the last ones.
    framed: VecDeque<Framed>,
}

impl Session {
    /// A session that has not logged in, and sends nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            carrier: link::Link::client(config.carrier_seed),
            server: config.server,
            pins: config.pins,
            damaged: config.damaged,
            if_free: config.if_free,
            dice: Dice::new(config.seed),
            state: State::Offline,
            who: None,
            by_password: false,
            forgotten: false,
            automatic: false,
            login_began: None,
            peer: None,
            connected: false,
            dial_by: None,
            online_since: None,
            retry_at: None,
            tries: 0,
            asked: None,
            ping: None,
            round_trip: Rto::default(),
            leaving: None,
            questions: Questions::default(),
            made: BTreeMap::new(),
            next_id: 0,
            outbox: VecDeque::new(),
            used: 0,
            renaming: false,
            rename_asked: false,
            renames: 0,
            resend_at: None,
            refusals: 0,
            storing: Storing::default(),
            inbox: VecDeque::new(),
            begins: None,
            handed: None,
            unacknowledged: 0,
            gap: None,
            hold_until: None,
            deliveries: Deliveries::default(),
            last_token: config.last_token,
            online: BTreeSet::new(),
            tell_online_at: None,
            unanswered_since: None,
            heard: None,
            hurried: false,
            turned: None,
            puzzled: false,
            trouble: None,
            contact: Contact::default(),
            pulse: Pulse::default(),
            link: Link::Offline,
            events: VecDeque::new(),
            framed: VecDeque::new(),
        }
    }

    /// The next datagram for the server; call until `None` after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.carrier.poll_transmit().map(|t| Transmit { bytes: t.bytes, cause: Cause::Secure })
    }

    /// The next event; call until `None` after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] wants to be called; `None` while there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let own = [
            self.carrier.poll_timeout(),
            self.dial_by,
            self.retry_at,
            self.hold_until,
            self.deliveries.retry_at,
            self.tell_online_at,
            self.resend_at,
            self.leaving.map(|(_, by)| by),
            self.login_began.map(|began| self.patience_ends(began)),
            self.questions.due(|began| self.patience_ends(began)),
            self.silence(),
            self.contact.due(),
        ];
        own.into_iter().flatten().min()
    }

    /// The connection line.
    #[must_use]
    pub fn link(&self) -> Link {
        match self.link {
            Link::Connected { .. } => self.connected_link(),
            link => link,
        }
    }

    fn connected_link(&self) -> Link {
        Link::Connected { rtt: self.figures().map(|f| f.rtt).unwrap_or_default() }
    }

    /// It was tried to connect, and there is still nobody.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        !self.connected && self.tries > 0
    }

    /// How the connection is doing, while there is one.
    #[must_use]
    pub fn figures(&self) -> Option<link::Figures> {
        self.carrier.figures(self.peer?)
    }

    /// A frame that went through the encryption, for the wire view; nobody needs to call it.
    pub fn poll_framed(&mut self) -> Option<Framed> {
        self.framed.pop_front()
    }

    fn framed(&mut self, frame: Framed) {
        if self.framed.len() == FRAMED {
            self.framed.pop_front();
        }
        self.framed.push_back(frame);
    }

    /// The mean deviation of the round trips of [`Session::measure`], once there is one.
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        self.round_trip.deviation()
    }

    /// What has happened to the connection since this was asked last.
    pub fn trouble(&mut self) -> Option<Why> {
        self.trouble.take()
    }

    /// The keys the server may show.
    #[must_use]
    pub fn pins(&self) -> &[Vec<u8>] {
        &self.pins
    }

    /// A datagram of this dialect from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        self.heard = Some(now);
        self.carrier.handle_datagram(now, self.server, bytes);
        self.turn(now);
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.carrier.handle_timeout(now);
        self.turn(now);
    }

    /// Everything that may follow from an input.
    fn turn(&mut self, now: Instant) {
        if std::mem::take(&mut self.forgotten) {
            self.give_up_connection(now, "bye");
        }
        self.woken(now);
        loop {
            let mut more = false;
            while let Some(event) = self.carrier.poll_event() {
                self.carried(now, event);
                more = true;
            }
            self.due(now);
            self.go_on(now);
            if !more {
                break;
            }
        }
        self.watch(now);
        self.touch(now);
        self.look_at_storing();
    }

    /// Whether the server answers, as far as that can be known: the carrier asks too, every 15 s at least.
    fn touch(&mut self, now: Instant) {
        let before = self.pulse;
        self.pulse = self.peer.map(|peer| self.carrier.pulse(peer)).unwrap_or_default();
        match self.state {
            State::Online => {
                // Its list came before the silence, and all changes of it since.
                if self.pulse.heard > before.heard
                    && self.contact.ends(&mut self.events)
                    && self.tell_online_at.is_none()
                {
                    self.tell_online();
                }
                if self.pulse.asked > before.asked {
                    self.contact.waits(now);
                }
            }
            State::LoggingIn if self.automatic => self.contact.waits(now),
            _ => {
                self.contact.ends(&mut self.events);
            }
        }
        self.contact.look(now, &mut self.events);
    }

    fn carried(&mut self, now: Instant, event: link::Event) {
        match event {
            link::Event::Connected { peer, key, .. } if self.peer == Some(peer) => self.connected(key),
            link::Event::Frame { peer, bytes } if self.peer == Some(peer) => match FromServer::decode(&bytes) {
                Ok(frame) => {
                    self.framed(Framed::Heard(frame.starred()));
                    self.frame(now, harmless(frame));
                }
                // Where, and not what: it may hold what lets somebody in. Once, as there may be any number of them.
                Err(error) if !std::mem::replace(&mut self.puzzled, true) => {
                    log::warn!("a frame of the server's was not understood, from byte {} on", error.column());
                }
                Err(_) => {}
            },
            link::Event::Lost { peer, why } if self.peer == Some(peer) => self.lost(now, why),
            // Of a connection that was given up.
            _ => {}
        }
    }

    fn frame(&mut self, now: Instant, frame: FromServer) {
        match frame {
            FromServer::LoggedIn { id, token, highest, ended, start, made } => {
                self.logged_in(now, id, token, highest, ended, start, made);
            }
            FromServer::LoggedOut { id } => {
                if self.leaving.is_some_and(|(asked, _)| asked == id) {
                    self.left(now, Some(true));
                }
            }
            FromServer::Registered { id } => self.answered(id, Answer::Registered),
            FromServer::Error { id, code } => self.failed(now, id, code),
            FromServer::Accepted { counter, row, online, made, .. } => self.accepted(counter, row, online, made),
            FromServer::Refused { counter, code, wait, reason, made } => {
                self.refused(now, counter, code, (wait, reason), made);
            }
            FromServer::Message { row, after, from, writer, at, text, plain, made } => {
                self.was_made(&Account::sanitised(&from), made);
                // The history and every face read a room's texts with their writers, through `names` alone.
                let text = writer.map_or(text.clone(), |writer| names::framed(&writer, &text));
                self.pushed(now, (row, after, at), &from, text, plain);
            }
            FromServer::Own { row, after, to, at, text, device, counter, accepted, online } => {
                let by = SentBy { device, counter, accepted: Some(accepted).filter(|row| *row > 0), online };
                self.mirrored(now, (row, after, at), &to, text, by);
            }
            FromServer::Delivered { version, rows } => self.delivered(version, rows),
            FromServer::AccountSettings { id, settings } => self.answered(id, Answer::AccountSettings(settings)),
            FromServer::Presence { first, online } => self.present(now, first, &online),
            FromServer::Changes { came, went } => self.changed(&came, &went),
            FromServer::Kicked { address, at } => self.kicked(now, address, at),
            FromServer::History { id, messages, more } => self.answered(id, Answer::History(messages, more)),
            FromServer::Account { id, account, made } => {
                let account = Account::sanitised(&account);
                self.was_made(&account, Some(made));
                self.answered(id, Answer::There(account));
            }
            FromServer::Pong { id, .. } => {
                if let Some((_, sent)) = self.ping.take_if(|(asked, _)| *asked == id) {
                    self.round_trip.measure(now.saturating_duration_since(sent));
                }
            }
            FromServer::Unknown => {}
        }
    }

    fn failed(&mut self, now: Instant, id: u64, code: Code) {
        if self.asked.is_some_and(|(asked, _)| asked == id) {
            self.not_logged_in(now, code);
        } else if self.leaving.is_some_and(|(asked, _)| asked == id) {
            self.left(now, Some(false));
        } else {
            self.answered(id, Answer::Refused(code));
        }
    }

    /// What can be done now is done; nothing is done twice.
    fn go_on(&mut self, now: Instant) {
        if self.leaving.is_some() {
            return;
        }
        let wanted =
            self.state == State::LoggingIn && self.hold_until.is_none() || self.questions.is_wanted_without_login();
        if self.peer.is_none() && wanted && self.retry_at.is_none() {
            self.dial(now);
        }
        if !self.connected {
            return;
        }
        self.ask_on(now);
        self.ask_to_log_in(now);
        if self.state == State::Online {
            self.send_on(now);
            self.acknowledge(now);
            self.ask_for_deliveries(now);
        }
    }

    fn due(&mut self, now: Instant) {
        let come = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        if self.leaving.is_some_and(|(_, by)| by <= now) {
            self.left(now, None);
        }
        if come(&mut self.dial_by) {
            self.trouble = Some(Why::NoAnswer);
            self.give_up_connection(now, "no answer");
            self.try_again(now);
        }
        if come(&mut self.tell_online_at) {
            self.tell_online();
        }
        come(&mut self.retry_at);
        come(&mut self.resend_at);
        come(&mut self.hold_until);
        come(&mut self.deliveries.retry_at);
        if self.login_began.is_some_and(|began| self.patience_ends(began) <= now) {
            self.not_in(now, LoginOutcome::NoAnswer);
        }
        let heard = self.heard;
        let given_up = self.questions.give_up(now, |began| patience_ends(heard, began));
        self.events.extend(given_up);
    }

    /// When whoever has waited since then is told that nobody answers.
    fn patience_ends(&self, began: Instant) -> Instant {
        patience_ends(self.heard, began)
    }

    fn unanswered(&self) -> bool {
        self.asked.is_some()
            || self.ping.is_some()
            || self.leaving.is_some()
            || self.questions.is_owed()
            || self.outbox.iter().any(|m| m.sent)
    }

    /// When an unanswered question is to be looked at: first to say so, then to begin anew.
    fn silence(&self) -> Option<Instant> {
        let since = self.unanswered_since?;
        if self.link != Link::Waiting && self.state == State::Online {
            return Some(since + WAITING);
        }
        let heard = self.heard.map_or(since, |heard| heard.max(since));
        Some(heard + DEAD)
    }

    /// Looks after what is unanswered.
    fn watch(&mut self, now: Instant) {
        self.turned = Some(now);
        let unanswered = self.connected && self.unanswered();
        if unanswered != self.hurried
            && let Some(peer) = self.peer
        {
            self.carrier.hurry(now, peer, unanswered);
        }
        self.hurried = unanswered;
        if !unanswered {
            self.unanswered_since = None;
            if self.state == State::Online {
                self.show(self.connected_link());
            }
            return;
        }
        let since = *self.unanswered_since.get_or_insert(now);
        if now >= since + WAITING && self.state == State::Online {
            self.show(Link::Waiting);
        }
        if self.silence().is_some_and(|at| at <= now) {
            self.trouble = Some(Why::Silent);
            self.give_up_connection(now, "silent");
            self.try_again(now);
            self.go_on(now);
        }
    }

    /// Whether it went out; if not, it will be tried again.
    fn say(&mut self, now: Instant, frame: &FromClient) -> bool {
        let sent = self.peer.is_some_and(|peer| self.carrier.send(now, peer, &frame.encode()));
        if sent {
            self.framed(Framed::Said(frame.starred()));
        }
        sent
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn show(&mut self, link: Link) {
        if !link.is_like(std::mem::replace(&mut self.link, link)) {
            self.events.push_back(Event::Link(link));
        }
    }
}

fn patience_ends(heard: Option<Instant>, began: Instant) -> Instant {
    let heard = heard.map_or(began, |heard| heard.max(began));
    (heard + NO_ANSWER).min(began + HELD_BACK)
}

#[cfg(test)]
mod tests;
