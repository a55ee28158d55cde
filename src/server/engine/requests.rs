//! What plain requests wait for, and what the answer of the store or the hasher makes of them: a reply, or none if it
//! failed. The plain dialect has no reply for a failure, and nothing may be claimed that is not on disk; the client
//! sends its request again.

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

/// The job that a plain request waits for.
#[derive(Debug)]
pub(super) enum PendingRequest {
    /// The password of a new account is being hashed.
    Hash { account: Account },
    /// A new account is being stored.
    Register { account: Account, hashed: Hashed },
    /// A password is being checked. `nth` is the number of the account's password it is checked against; `counted` says
    /// whether a wrong one counts; `change` is the new password if it is to be changed.
    Check { account: AccountId, nth: u64, counted: bool, change: Option<Password> },
    /// The new password of an account is being hashed. `asked` is the SHA-256 of the request.
    Rehash { account: AccountId, nth: u64, asked: [u8; 32] },
    /// A changed password is being stored.
    Change { account: AccountId, nth: u64, hashed: Hashed, asked: [u8; 32] },
    /// A login's session is being stored.
    Login { reply: LoggedIn },
    /// A message is being stored.
    Send { message: AddressedMessage, reply: Forwarded },
    /// The next unread message is being read.
    Offer { account: AccountId, all: bool },
    /// The end of a session is being stored.
    Offline,
}

impl PendingRequest {
    /// Adds the accounts that must stay in memory until the job is done.
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

/// What happens to the address whose request waited.
#[derive(Debug)]
pub(super) enum NextStep {
    /// This reply is sent, and the next request of its lane is handled.
    Reply(Reply),
    /// No reply is sent, and the next request of its lane is handled.
    Nothing,
    /// The request waits for another job, or has already released its lane.
    Later,
}

impl Engine {
    /// Handles the result of the job that a plain request waited for.
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
                // Else the account got another password meanwhile: the client sends its request again and gets an
                // answer.
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
            // A reply to a login claims nothing about the disk, so that people can read even if it is full. At worst
            // the session is forgotten at a restart, and the client is told `07:01` and logs in again.
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

    /// Adds a new account once it is stored; both dialects use this. Returns what the client is told; `None` if nothing
    /// was stored.
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
