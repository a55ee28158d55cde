//! The server's half of both dialects: accounts, sessions, mailboxes.
//!
//! Source: the plain protocol, "What our server owes" and "Extensions". The modules, in reading order; none imports one
//! that comes after it:
//!
//! 1. [`limits`]: token buckets, and the delay of wrong passwords. Pure.
//! 2. [`hasher`]: hashes passwords on a thread of its own.
//! 3. [`control`]: how an operator's command asks a running server, over sealed datagrams.
//! 4. [`store`]: the database and its thread, the only place that knows SQLite.
//! 5. [`engine`]: decides and does nothing else.
//! 6. [`carrier`]: joins the secure dialect to the engine; the file with the server's keys.
//! 7. [`explain`]: `--explain` prints requests and replies, on a thread of its own.
//! 8. `lossy`: simulates a bad network, for testing clients.
//! 9. [`udp`]: socket, threads and clock.

pub mod carrier;
pub mod control;
pub mod engine;
pub mod explain;
pub mod hasher;
pub mod limits;
mod lossy;
pub mod store;
pub mod udp;

/// What happens if somebody logs in with the right password while the account has a session at another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnSecondLogin {
    /// `02:04`; for 30 s the new address may end the old session with `06#`. Students' clients of the course do not
    /// know this: of ten that were tried, two are unusable, and three more for 90 s after every run that ended without
    /// `06#`.
    Arm,
    /// `02:04`, and the session moves at once, as the course's server almost surely did. Every client that was tried
    /// works.
    #[default]
    Rebind,
}

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// How many unread messages a mailbox may hold; further ones are answered `03:02`.
    pub mailbox: u64,
    /// How many accounts there may be; further registrations are answered `00:00`.
    pub accounts: usize,
    /// How many messages a second an account may send to others in the long run; [`Quotas::BURST`] seconds' worth at
    /// once. 0 means any number.
    pub sending: u32,
    /// The same for the lobby, where each message goes to everybody.
    pub lobby: u32,
    /// How many bytes the database may have. Requests that would need more are not answered; reading goes on.
    pub disk: Option<u64>,
}

impl Quotas {
    /// How many seconds' worth of messages an account may send at once, if it has sent none for as long.
    pub const BURST: u32 = 15;

    /// Returns these limits without one for messages a second, for loads that no person makes.
    #[must_use]
    pub fn unpaced(self) -> Self {
        Self { sending: 0, lobby: 0, ..self }
    }

    /// Returns the rate of messages for one account.
    pub(crate) fn rate(per_second: u32) -> limits::Rate {
        limits::Rate { per_second: f64::from(per_second), burst: f64::from(per_second.saturating_mul(Self::BURST)) }
    }
}

impl Default for Quotas {
    /// A person writes one message a second at most; a long text that is pasted is sent in parts, and the burst is
    /// enough for it.
    fn default() -> Self {
        Self { mailbox: 10_000, accounts: 100_000, sending: 20, lobby: 2, disk: None }
    }
}
