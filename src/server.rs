//! The other half of the plain protocol: accounts, sessions, mailboxes.
//!
//! Source: the plain protocol, "What our server owes" and "Extensions". The modules, in reading order; none imports one
//! that comes after it:
//!
//! 1. [`limits`]: token buckets, and the delay of wrong passwords. Pure.
//! 2. [`hasher`]: hashes passwords on a thread of its own.
//! 3. [`control`]: what an operator's command asks of a running server, sealed, and done once.
//! 4. [`store`]: the database and its thread, the only place that knows SQLite.
//! 5. [`engine`]: decides and does nothing else.
//! 6. [`carrier`]: joins the secure dialect to the engine; the file with the server's keys.
//! 7. [`explain`]: `--explain` prints what the server is asked and answers, on a thread of its own.
//! 8. `lossy`: a bad network, for trying clients.
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

/// What a right login does to a session of the same account at another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnSecondLogin {
    /// `02:04`; for 30 s the new address may end the old session with `06#`. Students' clients of the course do not know
    /// this: of ten tried two are unusable, and three more for 90 s after every run that ended without `06#`.
    Arm,
    /// `02:04`, and the session moves at once, as the course's server almost surely did. Every client tried works.
    #[default]
    Rebind,
}

/// What one server holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Unread messages an account may have; more are answered `03:02`.
    pub mailbox: u64,
    /// Accounts; a registration beyond is answered `00:00`.
    pub accounts: usize,
    /// Messages a second that an account may send to others, in the long run; [`Quotas::BURST`] seconds' worth at once.
    /// 0: any number.
    pub sending: u32,
    /// The same for the lobby, where each message comes to everybody.
    pub lobby: u32,
    /// Bytes of the database; beyond, what would have to be stored stays unanswered, and reading goes on.
    pub disk: Option<u64>,
}

impl Quotas {
    /// How many seconds' worth of messages may be sent at once by whoever has sent none for as long.
    pub const BURST: u32 = 15;

    /// Any number of messages a second: for loads that no person makes.
    #[must_use]
    pub fn unpaced(self) -> Self {
        Self { sending: 0, lobby: 0, ..self }
    }

    /// What one account may send.
    pub(crate) fn rate(per_second: u32) -> limits::Rate {
        limits::Rate { per_second: f64::from(per_second), burst: f64::from(per_second.saturating_mul(Self::BURST)) }
    }
}

impl Default for Quotas {
    /// A person writes one message a second at most; a long text that is pasted comes in parts, and a script takes turns
    /// with everybody else's.
    fn default() -> Self {
        Self { mailbox: 10_000, accounts: 100_000, sending: 20, lobby: 2, disk: None }
    }
}
