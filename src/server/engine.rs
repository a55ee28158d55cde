//! The server's rules, sans-IO: inputs and the time come in, exact effects go out.
//!
//! Source: the plain protocol, "What our server owes" and "Extensions". Replies to one address leave
//! in the order of its requests: while a request waits for the disk or a hash, later ones of the same
//! address wait in its lane. The engine keeps nothing that could not be read from the store again,
//! apart from presence, and of people only those who are needed (`finding`).
//!
//! It is composed of parts that own their state and the rules of it, each tried alone: `accounts`, `addresses`, `lanes`, `jobs`, `finding`,
//! `login_attempts`, `throttle`, `send_rates`, `refusals` and the devices of `secure`. What concerns several of them is the engine's.
//!
//! Its parts:
//!
//! - `accounts`: who is in memory, and names that are being registered.
//! - `addresses`: which address is whose.
//! - `finding`: who is not in memory.
//! - `jobs`: the table of what the store and the hasher are asked.
//! - `requests`: what plain requests wait for, and what becomes of it.
//! - `refusals`: how often the server says no.
//! - `sessions`: who is who and where.
//! - `registering`: new accounts.
//! - `login_attempts`: the brake on guessing.
//! - `lanes`: the order of an address's requests.
//! - `throttle`: how quickly an address is served.
//! - `send_rates`: how fast an account may send.
//! - `delivery`: a message's way into mailboxes.
//! - `reading`: a message's way out, and who is here.
//! - `secure`: the same for devices.
//! - `administering`: what an operator's command changes.

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

/// How long a session may send no request until others get `03:02` and a login elsewhere succeeds.
pub const PRESENCE: Duration = Duration::from_secs(90);
/// How long a session may send no request until it ends.
pub const SESSION: Duration = Duration::from_secs(24 * 3600);
/// How often it is written down that a session was heard of, in seconds; only a restart reads it.
const NOTED: i64 = 600;
/// Most bytes of a reply; others read with such a buffer.
const MAX_REPLY: usize = 1_024;

/// The time of an input.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For intervals.
    pub instant: Instant,
    /// For what is stored: seconds since 1970.
    pub unix: i64,
}

/// What the engine wants done, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a datagram.
    Reply {
        /// Where to.
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
        /// Which connection.
        peer: PeerId,
        /// The frame to send.
        frame: FromServer,
    },
    /// Close a device's connection, with a reason for people who look at it.
    Close {
        /// Which connection.
        peer: PeerId,
        /// Why, for its device.
        code: u32,
        /// The reason in words, for whoever looks at the connection.
        reason: &'static str,
    },
    /// What became of an operator's order.
    Administered {
        /// Under which it was given.
        ticket: u64,
        /// What; of [`Answer::NotStored`] the reason is the store's to say.
        answer: Answer,
    },
}

/// The server's state.
#[derive(Debug)]
pub struct Engine {
    on_second_login: OnSecondLogin,
    local_time: fn(i64) -> String,
    /// Also speaks the secure dialect.
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
    /// Goes on from what the store holds. `local_time` writes seconds since 1970 as the protocol's
    /// 19 characters.
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

    /// For so many people there is room in memory, beside those who are needed just now; asked once, before anybody comes.
    pub fn set_room(&mut self, people: usize) {
        self.accounts.set_room(people);
    }

    /// Whether it says that it speaks the secure dialect too; asked once, before anybody comes.
    pub fn set_secure(&mut self, secure: bool) {
        self.secure = secure;
    }

    /// `10`: stateless, and never longer than what was asked.
    fn hello(&mut self, now: Now, from: SocketAddr, nonce: String, asked: usize) {
        let reply = Reply::Hello { nonce };
        if self.secure && self.encode(from, &reply).len() <= asked {
            self.reply(from, &reply);
        } else {
            self.refuse(now, from, &Reply::NotUnderstood);
        }
    }

    /// The next thing to do; call until `None` after every input.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// A datagram from a client, or from anybody.
    pub fn datagram(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) {
        if looks_like_reply(bytes) {
            return;
        }
        // One byte too many says that it is too long; the rest of it need not wait in a lane.
        let bytes = bytes.get(..=MAX_REQUEST_BYTES).unwrap_or(bytes);
        if self.lanes.pass(from, bytes) {
            self.paced(now, from, bytes);
        }
    }

    /// How the next datagram of this address will be read, for whoever looks on.
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
        // Not from what is no request: a cut one ends within a letter, which looks like another charset.
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
            // The same again waits for its turn or its answer already.
            Request::Login { .. } | Request::ChangePassword { .. } if self.is_apart(from, bytes) => return,
            // It takes the place of one that waits: that is not to be answered meanwhile, nor to bring the address back.
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
        // Letters of other scripts take more bytes in GB18030. Rather odd letters than a message cut off.
        if bytes.len() > MAX_REPLY { reply.encode(Charset::Utf8) } else { bytes }
    }

    fn reply(&mut self, to: SocketAddr, reply: &Reply) {
        let bytes = self.encode(to, reply);
        self.count_out(to, bytes.len());
        self.effects.push_back(Effect::Reply { to, bytes });
    }

    /// `00:00` and `07:01` have a budget, so that nobody is made to answer for ever.
    fn refuse(&mut self, now: Now, to: SocketAddr, reply: &Reply) {
        if self.refusals.allow(to, now.instant) {
            self.reply(to, reply);
        }
    }
}

#[cfg(test)]
mod tests;
