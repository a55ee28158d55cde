//! The client's half of the plain protocol, sans-IO: time and datagrams come in as arguments,
//! datagrams, events and the next deadline go out. After each call that changes the session, the
//! caller drains [`Session::poll_transmit`] and [`Session::poll_event`], then reads
//! [`Session::poll_timeout`].
//!
//! Source: the plain protocol, "What a client owes its user". Durability is an input: a received
//! message leaves as [`Event::Received`] with a token, and the next take is sent only after
//! [`Session::handle_stored`] with that token.

pub mod plain;
mod sentences;

pub use plain::Session;

use std::time::{Duration, Instant};

use crate::model::{Account, MessageId, SendState};
use crate::wire::reply::{LoggedIn, Registered};

/// Names one received message until it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreToken(pub u64);

/// How unread messages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Polling {
    /// 1, 2, 4, 8, 15, 30 s after traffic; at most 2 s while a chat window is visible.
    #[default]
    Adaptive,
    /// `08#` (then `09#`) every 30 s and at no other time, as the assignment has it.
    Strict,
    /// `04#`/`05#` for each open chat every 30 s, as the assignment's FU3 has it.
    StrictPerFriend,
}

/// What the person sees of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Link {
    /// Not logged in, or gone offline on purpose.
    Offline,
    /// A login is under way.
    LoggingIn,
    /// Logged in and answered lately; the smoothed round-trip time.
    Connected { rtt: Duration },
    /// A request waits for its answer longer than usual.
    Waiting,
    /// All tries were in vain; the next comes at this time.
    Retrying { at: Instant },
    /// `07:01`: the server does not know this session any more.
    LoggedOut,
}

/// Why a datagram is sent; for the wire view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its first time.
    First,
    /// Try `n` (from 2 on) of the same request.
    Again(u8),
    /// `08#` after a timed-out `03`, to learn whether its answer can still come.
    Fence,
    /// Typed by hand in the protocol window.
    ByHand,
}

/// A datagram for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Why.
    pub cause: Cause,
}

/// How a registration ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum RegisterOutcome {
    /// The server's answer. After an own timeout `AccountExists` may be one's own account.
    Answered { reply: Registered, after_timeout: bool },
    /// `00:00`
    NotUnderstood,
    /// Four tries without an answer.
    NoAnswer,
}

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginOutcome {
    /// `02:01`, or `02:04` from a server that serves us all the same.
    Done,
    /// `02:02`, `02:03`; `AlreadyLoggedIn` means a takeover can be offered.
    Refused(LoggedIn),
    /// `00:00`
    NotUnderstood,
    /// Four tries without an answer.
    NoAnswer,
}

/// What the session tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The connection line changed.
    Link(Link),
    /// Answer to [`Session::register`].
    Registered(RegisterOutcome),
    /// Answer to [`Session::login`] or [`Session::take_over`].
    LoggedIn(LoginOutcome),
    /// Answer to [`Session::go_offline`]: `Some(false)` for `06:02`, `None` without an answer in 1 s.
    WentOffline(Option<bool>),
    /// A message: store it, then call [`Session::handle_stored`]. `repeat` marks an immediate
    /// byte-identical repeat, which is held back and noted rather than shown.
    Received { token: StoreToken, from: Account, time: String, text: String, raw: Vec<u8>, repeat: bool },
    /// A message of one's own came further; `07:01` and `00:00` leave it `Waiting` or `Failed`.
    Outgoing { id: MessageId, state: SendState },
    /// `08` fell without a message having come: the plain protocol may have lost this many.
    MaybeLost(u64),
    /// Who is online (extension 11), complete and sorted. Only from servers that know it.
    Online(Vec<Account>),
    /// Whether the server knows extension 11 (then `@lobby` too); learned after login.
    Extensions(bool),
    /// The server answered `00:00`; these bytes of ours were not understood.
    NotUnderstood(Vec<u8>),
}
