//! The other half of the plain protocol: accounts, sessions, mailboxes.
//!
//! Source: the plain protocol, "What our server owes" and "Extensions". [`engine`] decides and does
//! nothing else; [`store`] is the only place that knows SQLite; [`hasher`] hashes passwords on a
//! thread of its own; [`carrier`] joins the secure dialect to them, [`udp`] all to a socket; [`explain`] prints what it is asked and answers.

pub mod carrier;
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
    /// Bytes of the database; beyond, what would have to be stored stays unanswered, and reading goes on.
    pub disk: Option<u64>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { mailbox: 10_000, accounts: 100_000, disk: None }
    }
}
