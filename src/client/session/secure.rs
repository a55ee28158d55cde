//! The client's half of the secure dialect, sans-IO, driven in the same way as the plain one. It owns the link,
//! connects by itself, and after any loss continues from what both sides know: sent messages are sent again under the
//! same counter, and received ones are asked for from the last one on disk.
//!
//! Source: the secure dialect, "Messages".
//!
//! Its parts:
//!
//! - `connecting`: connecting, logging in, and reconnecting.
//! - `leaving`: going offline.
//! - `naming`: the device's name.
//! - `making`: tells accounts of the same name apart.
//! - `outbox`: messages to be sent.
//! - `inbox`: received messages.
//! - `delivered`: deliveries of sent messages.
//! - `items`: the account's items.
//! - `presence`: who is online.
//! - `questions`: the table of a person's questions.
//! - `requests`: asks these questions.
//! - `harmless`: checks every frame from the server first.
//! - `deadlines`: what the session waits for, in one table.
//! - `watching`: when the server counts as silent, and what follows.

mod connecting;
mod deadlines;
mod delivered;
mod harmless;
mod inbox;
mod items;
mod leaving;
mod making;
mod naming;
mod outbox;
mod presence;
mod questions;
mod requests;
mod watching;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Cause, ConnectionState, DeviceState, Event, Pushed, SentBy, StoreToken, TappedFrame, Transmit};
use crate::base::model::{Account, MessageId, MessageText, Password, names};
use crate::base::timer::Dice;
use crate::protocol::link::{self, CloseReason};
use crate::protocol::wire::frame::{Code, FromClient, FromServer, Reason};

use connecting::{Connection, Dialling, Login};
use delivered::Deliveries;
use harmless::harmless;
use inbox::Receiving;
use items::Items;
use naming::Naming;
use outbox::Sending;
use presence::Presence;
use questions::{Answer, Questions};
use watching::Health;

/// How long an answer may take before the session reports that it is waiting.
const WAITING: Duration = Duration::from_secs(1);
/// How long nothing at all may be heard, while something is unanswered, before the session reconnects.
const DEAD: Duration = Duration::from_secs(4);
/// How long a login waits before the user is told that the server does not answer.
const NO_ANSWER: Duration = Duration::from_secs(15);
/// How long a login waits if the server is heard from meanwhile, since an answer may be delayed on purpose, as after
/// wrong passwords.
const HELD_BACK: Duration = Duration::from_secs(90);
const LEAVING: Duration = Duration::from_secs(1);
/// How long nothing is asked for after the disk has refused a message.
const DISK: Duration = Duration::from_secs(30);
/// Longer than the link is ever silent by itself: the machine was suspended.
const SLEPT: Duration = Duration::from_secs(25);
/// The most frames that wait to be shown; one turn has fewer, and if nobody shows them, older ones are dropped.
const FRAMED: usize = 256;
/// How long after a frame of the list of who is online the whole list is reported, since it comes in several frames.
const LISTING: Duration = Duration::from_millis(50);

/// The configuration of a secure session.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's address.
    pub server: SocketAddr,
    /// The server's pins; empty if the server is contacted for the first time.
    pub pins: Vec<Vec<u8>>,
    /// The file of pins, if part of it cannot be read.
    pub damaged: Option<String>,
    /// Whether logging in must not end other sessions, until [`Session::set_if_free`].
    pub if_free: bool,
    /// The number of the last [`StoreToken`] that an earlier session has given out, which the disk may still answer.
    pub last_token: u64,
    /// The seed for spreading deadlines.
    pub seed: u64,
    /// Makes the link's random choices repeatable, for tests.
    pub carrier_seed: Option<[u8; 32]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    /// Logging in, or reconnecting.
    LoggingIn,
    Online,
    /// The server ended the session; only the user can log in again.
    LoggedOut,
}

#[derive(Debug)]
struct LoginAccount {
    account: Account,
    password: Option<Password>,
    kept: DeviceState,
}

/// The client's session. See the module for how it is driven.
#[derive(Debug)]
pub struct Session {
    carrier: link::Link,
    server: SocketAddr,
    trust: Trust,
    dice: Dice,
    state: State,
    login: Login,
    dialling: Dialling,
    /// The present connection's state, dropped with it.
    connection: Connection,
    /// Going offline: the number of the request, and until when its answer is awaited.
    leaving: Option<(u64, Instant)>,
    questions: Questions,
    next_id: u64,
    naming: Naming,
    sending: Sending,
    receiving: Receiving,
    deliveries: Deliveries,
    items: Items,
    presence: Presence,
    health: Health,
    link: ConnectionState,
    told: Outputs,
}

/// Events and frames that wait to be polled.
#[derive(Debug, Default)]
struct Outputs {
    events: VecDeque<Event>,
    /// The latest frames, for the protocol window.
    framed: VecDeque<TappedFrame>,
}

/// The server's pins.
#[derive(Debug)]
struct Trust {
    pins: Vec<Vec<u8>>,
    /// The file of pins, if part of it cannot be read, until the user accepts a key.
    damaged: Option<String>,
}

impl Session {
    /// Makes a session that has not logged in and sends nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            carrier: link::Link::client(config.carrier_seed),
            server: config.server,
            trust: Trust { pins: config.pins, damaged: config.damaged },
            dice: Dice::new(config.seed),
            state: State::Offline,
            login: Login { if_free: config.if_free, ..Login::default() },
            dialling: Dialling::default(),
            connection: Connection::default(),
            leaving: None,
            questions: Questions::default(),
            next_id: 0,
            naming: Naming::default(),
            sending: Sending::default(),
            receiving: Receiving { last_token: config.last_token, ..Receiving::default() },
            deliveries: Deliveries::default(),
            items: Items::default(),
            presence: Presence::default(),
            health: Health::default(),
            link: ConnectionState::Offline,
            told: Outputs::default(),
        }
    }

    /// Returns the next datagram for the server; called until it returns `None`, after every other call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.carrier.poll_transmit().map(|t| Transmit { bytes: t.bytes, cause: Cause::Secure })
    }

    /// Returns the next event; called until it returns `None`, after every other call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.told.events.pop_front()
    }

    /// Returns the connection's state.
    #[must_use]
    pub fn link(&self) -> ConnectionState {
        match self.link {
            ConnectionState::Connected { .. } => self.connected_link(),
            link => link,
        }
    }

    fn connected_link(&self) -> ConnectionState {
        ConnectionState::Connected { rtt: self.figures().map(|f| f.rtt).unwrap_or_default() }
    }

    /// Returns whether connecting was tried and the server did not answer.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        !self.connection.connected && self.dialling.tries > 0
    }

    /// Returns the figures of the connection, while there is one.
    #[must_use]
    pub fn figures(&self) -> Option<link::Figures> {
        self.carrier.figures(self.connection.peer?)
    }

    /// Returns the next decrypted frame for the protocol window; calling it is optional.
    pub fn poll_framed(&mut self) -> Option<TappedFrame> {
        self.told.framed.pop_front()
    }

    fn framed(&mut self, frame: TappedFrame) {
        if self.told.framed.len() == FRAMED {
            self.told.framed.pop_front();
        }
        self.told.framed.push_back(frame);
    }

    /// Returns the mean deviation of the round trips of [`Session::measure`], once there is one.
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        self.connection.round_trip.deviation()
    }

    /// Returns why the connection was lost since the last call, if it was.
    pub fn trouble(&mut self) -> Option<CloseReason> {
        self.health.trouble.take()
    }

    /// Returns the server's pins.
    #[must_use]
    pub fn pins(&self) -> &[Vec<u8>] {
        &self.trust.pins
    }

    /// Handles a datagram of the secure dialect from the server's address.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        self.health.heard = Some(now);
        self.carrier.handle_datagram(now, self.server, bytes);
        self.turn(now);
    }

    /// Handles the deadline of `poll_timeout`; the owner calls it when that time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.carrier.handle_timeout(now);
        self.turn(now);
    }

    /// Does everything that may follow from an input.
    fn turn(&mut self, now: Instant) {
        if std::mem::take(&mut self.login.forgotten) {
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

    /// Finds out whether the server answers, as far as that can be known: the link asks too, every 15 s at least.
    fn touch(&mut self, now: Instant) {
        let before = self.connection.pulse;
        self.connection.pulse = self.connection.peer.map(|peer| self.carrier.pulse(peer)).unwrap_or_default();
        match self.state {
            State::Online => {
                // The server's list came before the silence, and all changes of it since.
                if self.connection.pulse.heard > before.heard
                    && self.health.contact.ends(&mut self.told.events)
                    && self.presence.tell_at.is_none()
                {
                    self.tell_online();
                }
                if self.connection.pulse.asked > before.asked {
                    self.health.contact.waits(now);
                }
            }
            State::LoggingIn if self.login.automatic => self.health.contact.waits(now),
            _ => {
                self.health.contact.ends(&mut self.told.events);
            }
        }
        self.health.contact.look(now, &mut self.told.events);
    }

    fn carried(&mut self, now: Instant, event: link::Event) {
        match event {
            link::Event::Connected { peer, key, .. } if self.connection.peer == Some(peer) => self.connected(key),
            link::Event::Frame { peer, bytes } if self.connection.peer == Some(peer) => {
                match FromServer::decode(&bytes) {
                    Ok(frame) => {
                        self.framed(TappedFrame::Heard(frame.starred()));
                        self.frame(now, harmless(frame));
                    }
                    // The position only, and not the content, which may be a secret. Logged once, as there may be any
                    // number of them.
                    Err(error) if !std::mem::replace(&mut self.connection.puzzled, true) => {
                        log::warn!("a frame of the server's was not understood, from byte {} on", error.column());
                    }
                    Err(_) => {}
                }
            }
            link::Event::Lost { peer, why } if self.connection.peer == Some(peer) => self.lost(now, why),
            // These belong to a connection that was given up.
            link::Event::Connected { .. } | link::Event::Frame { .. } | link::Event::Lost { .. } => {}
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
            FromServer::Error { id, code, reason, wait } => self.failed(now, id, (code, wait), reason),
            FromServer::Accepted { counter, row, online, made, .. } => self.accepted(counter, row, online, made),
            FromServer::Refused { counter, code, wait, reason, made } => {
                self.refused(now, counter, code, (wait, reason), made);
            }
            FromServer::Message { row, after, from, writer, at, text, plain, made } => {
                // The history and every face read a room's texts together with their writers, through `names` alone.
                let text = writer.map_or(text.clone(), |writer| names::framed(&writer, &text));
                self.pushed(now, (row, after, at), &from, text, (plain, made));
            }
            FromServer::Own { row, after, to, at, text, device, counter, accepted, online } => {
                let by = SentBy { device, counter, accepted: Some(accepted).filter(|row| *row > 0), online };
                self.mirrored(now, (row, after, at), &to, text, by);
            }
            FromServer::Delivered { version, rows } => self.delivered(version, rows),
            FromServer::AccountSettings { id, settings } => self.answered(id, Answer::AccountSettings(settings)),
            FromServer::Presence { first, online, states } => self.present(now, first, &online, states),
            FromServer::Changes { came, went, states } => self.changed(&came, &went, states),
            FromServer::Kicked { address, at } => self.kicked(now, address, at),
            FromServer::History { id, messages, more } => self.answered(id, Answer::History(messages, more)),
            FromServer::Account { id, account, made } => {
                let account = Account::sanitised(&account);
                // Nothing is believed about an account that nobody asked about.
                if let Some(event) = self.questions.answered(id, Answer::There(account.clone())) {
                    self.was_made(&account, Some(made));
                    self.told.events.push_back(event);
                }
            }
            FromServer::Pong { id, .. } => {
                if let Some((_, sent)) = self.connection.ping.take_if(|(asked, _)| *asked == id) {
                    self.connection.round_trip.measure(now.saturating_duration_since(sent));
                }
            }
            FromServer::Items { version, anew, items, more, digest } => {
                self.items(now, version, anew, items, (more, digest));
            }
            FromServer::Done { id } => {
                if !self.item_answered(now, id, None) {
                    self.answered(id, Answer::Done);
                }
            }
            FromServer::Question { id, text } => self.answered(id, Answer::Question(text)),
            FromServer::Found { id, people, more } => self.answered(id, Answer::Found(people, more)),
            FromServer::People { id, people } => self.answered(id, Answer::People(people)),
            // This client asks nothing that is answered like this.
            FromServer::Unknown => {}
        }
    }

    fn failed(&mut self, now: Instant, id: u64, (code, wait): (Code, Option<u64>), reason: Option<Reason>) {
        if self.connection.asked.is_some_and(|(asked, _)| asked == id) {
            self.not_logged_in(now, code, reason);
        } else if self.leaving.is_some_and(|(asked, _)| asked == id) {
            self.left(now, Some(false));
        } else if !self.item_answered(now, id, Some((code, wait))) {
            self.answered(id, Answer::Refused(code, reason));
        }
    }

    /// Does what can be done now; nothing is done twice.
    fn go_on(&mut self, now: Instant) {
        if self.leaving.is_some() {
            return;
        }
        let wanted = self.state == State::LoggingIn && self.receiving.hold_until.is_none()
            || self.questions.is_wanted_without_login();
        if self.connection.peer.is_none() && wanted && self.dialling.retry_at.is_none() {
            self.dial(now);
        }
        if !self.connection.connected {
            return;
        }
        self.ask_on(now);
        self.ask_to_log_in(now);
        if self.state == State::Online {
            self.send_on(now);
            self.acknowledge(now);
            self.ask_for_deliveries(now);
            self.keep_items(now);
            self.say_here(now);
        }
    }

    /// Sends a frame, and returns whether it was sent; if not, it will be tried again.
    fn say(&mut self, now: Instant, frame: &FromClient) -> bool {
        let sent = self.connection.peer.is_some_and(|peer| self.carrier.send(now, peer, &frame.encode()));
        if sent {
            self.framed(TappedFrame::Said(frame.starred()));
        }
        sent
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn show(&mut self, link: ConnectionState) {
        if !link.is_like(std::mem::replace(&mut self.link, link)) {
            self.told.events.push_back(Event::ConnectionState(link));
        }
    }
}

#[cfg(test)]
mod tests;
