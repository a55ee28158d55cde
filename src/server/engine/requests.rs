//! What plain requests wait for, and what an answer or its failure becomes: a reply, or nothing, as that dialect has no word for
//! it and nothing may be claimed that is not on disk; then the client asks again.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::delivery::Addressed;
use super::jobs::{Asked, Came};
use super::{Engine, Now};
use crate::base::model::{Account, Password};
use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::{Forwarded, LoggedIn, Registered};
use crate::server::hasher::Hashed;
use crate::server::store::{AccountId, Done, Op, Write};

/// What a plain request waits for.
#[derive(Debug)]
pub(super) enum Waiting {
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
    Send { message: Addressed, reply: Forwarded },
    /// The next message is read.
    Offer { account: AccountId, all: bool },
    /// A session's end is stored.
    Offline,
}

impl Waiting {
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
pub(super) enum Follows {
    /// This is said, and its lane goes on.
    Reply(Reply),
    /// Nothing is said, and its lane goes on.
    Nothing,
    /// The request waits for something else, or its lane was seen to.
    Later,
}

impl Engine {
    /// What a plain request waited for has come, or has failed.
    pub(super) fn request_came(&mut self, now: Now, from: SocketAddr, waiting: Waiting, came: Came) -> Follows {
        match waiting {
            Waiting::Hash { account } => match came {
                Came::Hashed(hashed) => {
                    let name = account.as_str().to_owned();
                    let asked = Asked::Request(from, Waiting::Register { account, hashed: hashed.clone() });
                    self.ask_store(asked, |job| Op::Write(Write::Register { job, name, hashed, at: now.unix }));
                    Follows::Later
                }
                _ => self.registered(now, from, account.as_str(), None),
            },
            Waiting::Register { account, hashed } => {
                let outcome = self.register_came(account.as_str(), hashed, came);
                self.registered(now, from, account.as_str(), outcome)
            }
            Waiting::Check { account, nth, counted, change } => {
                match came {
                    Came::Checked(right) if self.nth_password(account) == Some(nth) => {
                        self.checked(now, from, (account, change), right, counted);
                    }
                    Came::Checked(_) => self.checked_in_vain(now, from, (account, change.is_some()), counted),
                    _ => self.not_checked(now, from, account, counted),
                }
                Follows::Later
            }
            Waiting::Rehash { account, nth, asked } => match came {
                // Else its old password was another's meanwhile: the client asks again, and is told.
                Came::Hashed(hashed) if self.nth_password(account) == Some(nth) => {
                    let waiting = Waiting::Change { account, nth, hashed: hashed.clone(), asked };
                    let write = |job| Write::Password { job, account, hashed, from: Some(from) };
                    self.ask_store(Asked::Request(from, waiting), |job| Op::Write(write(job)));
                    Follows::Later
                }
                _ => Follows::Nothing,
            },
            Waiting::Change { account, nth, hashed, asked } => match came {
                Came::Stored(Done::Ok { .. }) => self.password_changed(now, from, (account, nth), hashed, asked),
                _ => Follows::Nothing,
            },
            // Sessions claim nothing about the disk: a full one does not keep people from reading. At worst
            // a restart has forgotten this, and the client is told `07:01` and logs in.
            Waiting::Login { reply } => Follows::Reply(Reply::Login(reply)),
            Waiting::Offline => Follows::Reply(Reply::Offline { was_online: true }),
            Waiting::Send { message, reply } => match came {
                Came::Stored(Done::Kept { rows, sent, .. }) => {
                    self.kept(&message, &rows, sent);
                    Follows::Reply(Reply::Send(reply))
                }
                Came::Stored(Done::Full { .. }) => {
                    self.is_full(now, &message);
                    Follows::Reply(Reply::Send(Forwarded::Offline))
                }
                _ => Follows::Nothing,
            },
            Waiting::Offer { account, all } => match came {
                Came::Stored(Done::Offered { message, .. }) => {
                    Follows::Reply(self.offered(from, account, all, message))
                }
                _ => Follows::Nothing,
            },
        }
    }

    /// What became of a new account, in either dialect; nothing of it is on disk if there is no outcome.
    pub(super) fn register_came(&mut self, name: &str, hashed: Hashed, came: Came) -> Option<Registered> {
        match came {
            Came::Stored(Done::Registered { account: Some(id), at, .. }) => {
                self.accounts.add(id, name.to_owned(), hashed, at);
                Some(Registered::Done)
            }
            Came::Stored(Done::Registered { account: None, .. }) => Some(Registered::AccountExists),
            _ => None,
        }
    }
}
