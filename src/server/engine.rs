//! The server's rules, sans-IO: inputs and the time come in, exact effects go out.
//!
//! Source: the plain protocol, "What our server owes" and "Extensions". Replies to one address leave in the order of
//! its requests: while a request waits for the disk or a hash, later ones of the same address wait in its lane. Apart
//! from presence, the engine keeps nothing that could not be read from the store again, and of people only those who
//! are needed (`finding`).
//!
//! Most of its parts own their state and its rules, and are tested alone: `accounts`, `addresses`, `lanes`, `jobs`,
//! `finding`, `login_attempts`, `throttle`, `send_rates`, `refusals` and the devices of `secure`. What concerns several
//! of them is the engine's task.
//!
//! Its parts:
//!
//! - `accounts`: the people in memory, and names that are being registered.
//! - `addresses`: the addresses of plain clients.
//! - `finding`: reads people who are not in memory from the store.
//! - `jobs`: the table of jobs that the store and the hasher have been given.
//! - `requests`: what plain requests wait for, and how they are answered.
//! - `refusals`: a limit on replies to invalid requests.
//! - `sessions`: people and their plain sessions.
//! - `registering`: new accounts.
//! - `login_attempts`: wrong passwords are answered ever later.
//! - `lanes`: the order of an address's requests.
//! - `throttle`: how fast an address is served.
//! - `send_rates`: how fast an account may send.
//! - `delivery`: how a message gets into mailboxes.
//! - `reading`: how a plain client reads messages, and who is online.
//! - `secure`: devices, that is, the secure dialect.
//! - `administering`: the orders of an operator.

mod accounts;
mod addresses;
mod administering;
mod delivery;
mod finding;
mod jobs;
mod lanes;
mod login_attempts;
mod reading;
mod refusals;
mod registering;
mod requests;
mod secure;
mod send_rates;
mod sessions;
mod throttle;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::accounts::Accounts;
pub use self::addresses::ARMED;
use self::addresses::Addresses;
use self::finding::Lookups;
use self::jobs::Jobs;
use self::lanes::Lanes;
use self::login_attempts::LoginAttempts;
use self::refusals::Refusals;
use self::throttle::Throttle;
use super::control::Answer;
use super::hasher::Job;
use super::limits::LogLimiter;
use super::store::{Op, Snapshot};
use super::{OnSecondLogin, Quotas};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::FromServer;
use crate::protocol::wire::request::MAX_REQUEST_BYTES;
use crate::protocol::wire::{Charset, Reply, Request, looks_like_reply};

/// How long a session may be silent before it no longer counts as present: messages to it are answered `03:02`, and a
/// login elsewhere succeeds.
pub const PRESENCE: Duration = Duration::from_secs(90);
/// How long a session may be silent before it ends.
pub const SESSION: Duration = Duration::from_secs(24 * 3600);
/// How often the store is told that a session is alive, in seconds; only a restart needs it.
const NOTED: i64 = 600;
/// The most bytes of a reply; other people's clients read into a buffer of this size.
const MAX_REPLY: usize = 1_024;

/// The time at which an input came.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The monotonic time, for intervals.
    pub instant: Instant,
    /// The time of day for what is stored, in seconds since 1970.
    pub unix: i64,
}

/// What the engine wants done. Effects are to be carried out in the order in which they come.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a datagram.
    Reply {
        /// The address it goes to.
        to: SocketAddr,
        /// The reply, encoded in the address's charset.
        bytes: Vec<u8>,
    },
    /// Give this to the store; its result comes back through [`Engine::stored`].
    Store(Op),
    /// Give this to the hasher; its result comes back through [`Engine::hashed`].
    Hash(Job),
    /// Send a frame to a device.
    Frame {
        /// The connection of the device.
        peer: PeerId,
        /// The frame to send.
        frame: FromServer,
    },
    /// Close a device's connection.
    Close {
        /// The connection of the device.
        peer: PeerId,
        /// The error code, which tells the device why.
        code: u32,
        /// The reason in words, for people who look at the connection.
        reason: &'static str,
    },
    /// An operator's order has been carried out or has failed.
    Administered {
        /// The ticket under which the order was given.
        ticket: u64,
        /// The answer; the reason of [`Answer::NotStored`] is empty, and the caller fills in the store's.
        answer: Answer,
    },
}

/// The server's state.
#[derive(Debug)]
pub struct Engine {
    on_second_login: OnSecondLogin,
    local_time: fn(i64) -> String,
    /// Whether the server also speaks the secure dialect.
    secure: bool,
    accounts: Accounts,
    addresses: Addresses,
    lanes: Lanes,
    jobs: Jobs,
    finding: Lookups,
    login_attempts: LoginAttempts,
    throttle: Throttle,
    send_rates: send_rates::SendRates,
    refusals: Refusals,
    devices: secure::Devices,
    effects: VecDeque<Effect>,
    full_mailboxes: LogLimiter,
}

impl Engine {
    /// Makes an engine from what the store holds. `local_time` writes seconds since 1970 in the 19 characters of the
    /// plain protocol.
    #[must_use]
    pub fn new(
        on_second_login: OnSecondLogin,
        quotas: Quotas,
        local_time: fn(i64) -> String,
        snapshot: Snapshot,
        now: Now,
    ) -> Self {
        let mut engine = Self {
            on_second_login,
            local_time,
            secure: false,
            accounts: Accounts::new(snapshot.accounts, quotas.accounts),
            addresses: Addresses::new(now.instant),
            lanes: Lanes::default(),
            jobs: Jobs::default(),
            finding: Lookups::default(),
            login_attempts: LoginAttempts::default(),
            throttle: Throttle::default(),
            send_rates: send_rates::SendRates::new(quotas),
            refusals: Refusals::default(),
            devices: secure::Devices::default(),
            effects: VecDeque::new(),
            full_mailboxes: LogLimiter::default(),
        };
        snapshot.here.into_iter().for_each(|known| engine.know(now, known));
        engine
    }

    /// Sets how many people are kept in memory even if they are not needed; called once, before the first input.
    pub fn set_room(&mut self, people: usize) {
        self.accounts.set_room(people);
    }

    /// Sets whether the server says that it also speaks the secure dialect; called once, before the first input.
    pub fn set_secure(&mut self, secure: bool) {
        self.secure = secure;
    }

    /// Answers `10`. Keeps no state, and the reply is never longer than the request.
    fn hello(&mut self, now: Now, from: SocketAddr, nonce: String, asked: usize) {
        let reply = Reply::Hello { nonce };
        if self.secure && self.encode(from, &reply).len() <= asked {
            self.reply(from, &reply);
        } else {
            self.refuse(now, from, &Reply::NotUnderstood);
        }
    }

    /// Returns the next effect; called until it returns `None` after every input.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Handles a datagram from any address.
    pub fn datagram(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        if looks_like_reply(bytes) {
            return;
        }
        // One byte beyond the limit shows that it is too long; the rest need not wait in a lane.
        let bytes = bytes.get(..=MAX_REQUEST_BYTES).unwrap_or(bytes);
        if self.lanes.pass(from, bytes) {
            self.paced(now, from, bytes);
        }
    }

    /// Returns the charset in which the next datagram of this address will be read, for `--explain`.
    #[must_use]
    pub fn charset(&self, of: SocketAddr) -> Charset {
        self.addresses.charset(of)
    }

    fn begin(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        self.request(now, from, bytes);
        if bytes.starts_with(b"01#") || bytes.starts_with(b"02#") {
            self.lanes.hashing(from, bytes);
        }
    }

    fn request(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        let known = self.charset(from);
        let (request, seen) = Request::decode(bytes, known);
        // Not from an invalid request: one that was cut off may end within a character, which looks like another
        // charset.
        if request.is_ok() {
            self.addresses.note_charset(from, seen);
        }
        let Ok(request) = request else {
            if bytes.len() >= 5 {
                self.refuse(now, from, &Reply::NotUnderstood);
            }
            return;
        };
        match request {
            // A repetition of a login that already waits for its turn or its answer.
            Request::Login { .. } | Request::ChangePassword { .. } if self.is_apart(from, bytes) => return,
            // It replaces a login that waits, which must neither be answered meanwhile nor log the address in later.
            Request::Login { .. } | Request::ChangePassword { .. } | Request::Offline => self.give_up_try(from),
            _ => {}
        }
        match self.missing(from, &request) {
            Ok(needed) => needed.into_iter().for_each(|id| self.accounts.needed(id)),
            Err(sought) => return self.seek_for_lane(now, from, sought, bytes),
        }
        match request {
            Request::Register { account, password, confirm } => self.register(now, from, account, password, &confirm),
            // Read, but not served.
            Request::ChangePassword { account, old, new, confirm } => {
                self.change_password(now, from, &account, (old, new, confirm), bytes);
            }
            Request::Login { account, password } => self.login(now, from, &account, password, bytes),
            Request::Offline => self.offline(now, from),
            Request::Hello { nonce, .. } => self.hello(now, from, nonce, bytes.len()),
            request => match self.session(now, from) {
                Some(account) => self.served(now, from, account, request),
                None => self.refuse(now, from, &Reply::NotLoggedIn),
            },
        }
    }

    fn encode(&self, to: SocketAddr, reply: &Reply) -> Vec<u8> {
        let bytes = reply.encode(self.charset(to));
        // Characters of other scripts can take more bytes in GB18030; UTF-8 then is better than a reply cut off.
        if bytes.len() > MAX_REPLY { reply.encode(Charset::Utf8) } else { bytes }
    }

    fn reply(&mut self, to: SocketAddr, reply: &Reply) {
        let bytes = self.encode(to, reply);
        self.count_out(to, bytes.len());
        self.effects.push_back(Effect::Reply { to, bytes });
    }

    /// Sends `00:00` or `07:01`, unless the budget of refusals is used up.
    fn refuse(&mut self, now: Now, to: SocketAddr, reply: &Reply) {
        if self.refusals.allow(to, now.instant) {
            self.reply(to, reply);
        }
    }
}

#[cfg(test)]
mod tests;
