//! Replies: what a server sends.

use super::request::Body;
use crate::model::Account;

/// How a server writes the time of a message; learned once per server, since times without seconds
/// are ambiguous before a body like `09:30 meet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// `YYYY-MM-DD HH:MM:SS`, what the protocol says.
    #[default]
    Standard,
    /// `YYYY-MM-DDTHH:MM:SS…`, fractions and zone included.
    Iso,
    /// `HH:MM:SS`
    ClockSeconds,
    /// `HH:MM`
    Clock,
    /// `Sat Nov 21 12:04:58 2026`
    Ctime,
    /// Seconds since 1970, fractions allowed.
    Epoch,
}

/// One reply, decoded. `Other` keeps what the protocol does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `01:01` … `01:03`
    Register(Registered),
    /// `02:01` … `02:04`
    Login(LoggedIn),
    /// `03:01`, `03:02`
    Send(Forwarded),
    /// `04:N`
    Count(u64),
    /// `05:from:time:message`, or `None` for `05:01`
    Take(Option<Delivery>),
    /// `06:01`, `06:02`
    Offline { was_online: bool },
    /// `07:01`: not logged in
    NotLoggedIn,
    /// `08:N`
    CountAll(u64),
    /// `09:from:time:message`, or `None` for `09:01`
    TakeAll(Option<Delivery>),
    /// `10:01:Q1:nonce`
    Hello { nonce: String },
    /// `11:total:offset:account:…`
    Who { total: usize, offset: usize, accounts: Vec<Account> },
    /// `00:00`
    NotUnderstood,
    /// Anything else; the bytes end in the wire view.
    Other(Vec<u8>),
}

/// The answer to 01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    Done,
    PasswordsDiffer,
    AccountExists,
}

/// The answer to 02.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoggedIn {
    Done,
    WrongPassword,
    NoSuchAccount,
    AlreadyLoggedIn,
}

/// The answer to 03.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    Done,
    Offline,
}

/// One message handed out by 05 or 09.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who wrote it.
    pub from: Account,
    /// The time as the server wrote it, local time of the server.
    pub time: String,
    /// The message.
    pub body: Body,
}
