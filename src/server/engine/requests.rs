//! What plain requests wait for, and what an answer or its failure becomes: a reply, or nothing, as that dialect has no word for
//! it and nothing may be claimed that is not on disk; then the client asks again.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::delivery::AddressedMessage;
use super::jobs::{JobResult, PendingJob};
use super::{Engine, Now};
use crate::base::model::{Account, Password};
use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::{Forwarded, LoggedIn, Registered};
use crate::server::hasher::Hashed;
use crate::server::store::{AccountId, Done, Op, Write};

/// What a plain request waits for.
#[derive(Debug)]
pub(super) enum PendingRequest {
    /// A new account's password is hashed.
    Hash { account: Account },
    /// A new account is stored.
    Register { account: Account, hashed: Hashed },
    /// A password is looked at. `nth` is which of the account's passwords it is looked at against.
    Check { account: AccountId, nth: u64, counted: bool, change: Option<Password> },
    /// The password that takes another's place is hashed.
    Rehash { account: AccountId, nth: u64, asked: [u8; 32] },
    /// It is stored.
    Change { account: AccountId, nth: u64, hashed: Hashed, asked: [u8; 32] },
    /// A session is stored.
    Login { reply: LoggedIn },
    /// A message is stored.
    Send { message: AddressedMessage, reply: Forwarded },
    /// The next message is read.
    Offer { account: AccountId, all: bool },
    /// A session's end is stored.
    Offline,
}

impl PendingRequest {
    /// Whom it concerns.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        match self {
            Self::Check { account, .. }
            | Self::Rehash { account, .. }
            | Self::Change { account, .. }
            | Self::Offer { account, .. } => {
                needed.insert(*account);
            }
            Self::Send { message, .. } => message.needs(needed),
            Self::Hash { .. } | Self::Register { .. } | Self::Login { .. } | Self::Offline => {}
        }
    }
}

/// What follows for the address whose request waited.
#[derive(Debug)]
pub(super) enum NextStep {
    /// This is said, and its lane goes on.
    Reply(Reply),
    /// Nothing is said, and its lane goes on.
    Nothing,
    /// The request waits for something else, or its lane was seen to.
    Later,
}

impl Engine {
    /// What a plain request waited for has come, or has failed.
    pub(super) fn request_came(
        &mut self,
        now: Now,
        from: SocketAddr,
        waiting: PendingRequest,
        came: JobResult,
    ) -> NextStep {
        match waiting {
            PendingRequest::Hash { account } => match came {
                JobResult::Hashed(hashed) => {
                    let name = account.as_str().to_owned();
                    let asked = PendingJob::Request(from, PendingRequest::Register { account, hashed: hashed.clone() });
                    self.ask_store(asked, |job| {
                        Op::Write(Write::Register { job, name, hashed, profile: None, at: now.unix })
                    });
                    NextStep::Later
                }
                _ => self.registered(now, from, account.as_str(), None),
            },
            PendingRequest::Register { account, hashed } => {
                let outcome = self.register_came(account.as_str(), hashed, came);
                self.registered(now, from, account.as_str(), outcome)
            }
            PendingRequest::Check { account, nth, counted, change } => {
                match came {
                    JobResult::Checked(right) if self.nth_password(account) == Some(nth) => {
                        self.checked(now, from, (account, change), right, counted);
                    }
                    JobResult::Checked(_) => self.checked_in_vain(now, from, (account, change.is_some()), counted),
                    _ => self.not_checked(now, from, account, counted),
                }
                NextStep::Later
            }
            PendingRequest::Rehash { account, nth, asked } => match came {
                // Else its old password was another's meanwhile: the client asks again, and is told.
                JobResult::Hashed(hashed) if self.nth_password(account) == Some(nth) => {
                    let waiting = PendingRequest::Change { account, nth, hashed: hashed.clone(), asked };
                    let write = |job| Write::Password { job, account, hashed, from: Some(from) };
                    self.ask_store(PendingJob::Request(from, waiting), |job| Op::Write(write(job)));
                    NextStep::Later
                }
                _ => NextStep::Nothing,
            },
            PendingRequest::Change { account, nth, hashed, asked } => match came {
                JobResult::Stored(Done::Ok { .. }) => self.password_changed(now, from, (account, nth), hashed, asked),
                _ => NextStep::Nothing,
            },
            // Sessions claim nothing about the disk: a full one does not keep people from reading. At worst
            // a restart has forgotten this, and the client is told `07:01` and logs in.
            PendingRequest::Login { reply } => NextStep::Reply(Reply::Login(reply)),
            PendingRequest::Offline => NextStep::Reply(Reply::Offline { was_online: true }),
            PendingRequest::Send { message, reply } => match came {
                JobResult::Stored(Done::Kept { rows, sent, .. }) => {
                    self.kept(&message, &rows, sent);
                    NextStep::Reply(Reply::Send(reply))
                }
                JobResult::Stored(Done::Full { .. }) => {
                    self.is_full(now, &message);
                    NextStep::Reply(Reply::Send(Forwarded::Offline))
                }
                _ => NextStep::Nothing,
            },
            PendingRequest::Offer { account, all } => match came {
                JobResult::Stored(Done::Offered { message, .. }) => {
                    NextStep::Reply(self.offered(from, account, all, message))
                }
                _ => NextStep::Nothing,
            },
        }
    }

    /// What became of a new account, in either dialect; nothing of it is on disk if there is no outcome.
    pub(super) fn register_came(&mut self, name: &str, hashed: Hashed, came: JobResult) -> Option<Registered> {
        match came {
            JobResult::Stored(Done::Registered { account: Some(id), at, .. }) => {
                self.accounts.add(id, name.to_owned(), hashed, at);
                Some(Registered::Done)
            }
            JobResult::Stored(Done::Registered { account: None, .. }) => Some(Registered::AccountExists),
            _ => None,
        }
    }
}
