//! What devices' frames wait for, and what the answer of the store or the hasher, or its failure, leads to.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::sending::not_kept;
use super::{DeviceName, Devices, number};
use crate::base::model::Account;
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer, Key, Past, Reason};
use crate::protocol::wire::item::Profile;
use crate::protocol::wire::status::Status;
use crate::server::engine::delivery::AddressedMessage;
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Effect, Engine, Now};
use crate::server::hasher::Hashed;
use crate::server::store::{AccountId, Change, Done, Op, OwnCopy, StoredMessage, Write};

/// The job that a device's frame waits for.
#[derive(Debug)]
pub(in crate::server::engine) enum PendingFrame {
    /// The password of a new account is being hashed.
    Hash { id: u64, account: Account, profile: Option<Profile> },
    /// A new account is being stored.
    Register { id: u64, name: String, hashed: Hashed },
    /// A password is being checked.
    Check(Check),
    /// A device's login is being stored; `cursor` says whether the device has named its cursor.
    Enter { id: u64, account: AccountId, nth: u64, device: DeviceName, cursor: bool, by: By },
    /// A message is being stored.
    Send { who: (AccountId, DeviceName), counter: u64, message: AddressedMessage, own: Option<OwnCopy> },
    /// A message cannot be delivered now, but may have been accepted earlier, which is being looked up.
    Again { who: (AccountId, DeviceName), counter: u64, code: Code, made: Option<i64> },
    /// Messages to be pushed are being read.
    Page { who: (AccountId, DeviceName) },
    /// Deliveries are being read.
    Delivered { who: (AccountId, DeviceName) },
    /// Changes of the account's items are being read.
    Items { who: (AccountId, DeviceName) },
    /// A change of items, or a request between two accounts, is being stored; `status` is what it sets an account's
    /// status to, if it does.
    Change { id: u64, status: Option<(AccountId, Status)> },
    /// Profiles are being read.
    Cards { id: u64 },
    /// A search for people is being made.
    Find { id: u64, text: String },
    /// A part of the history is being read.
    History { id: u64 },
    /// A setting is being stored.
    Allow { id: u64, account: AccountId, change: Change },
}

/// A device's login whose password is being checked.
#[derive(Debug)]
pub(in crate::server::engine) struct Check {
    pub(super) id: u64,
    pub(super) account: AccountId,
    /// The number of the account's password that it is checked against.
    pub(super) nth: u64,
    /// The address of the device when it asked; the connection may migrate or end before the answer.
    pub(super) address: SocketAddr,
    pub(super) counted: bool,
    pub(super) device: DeviceName,
    pub(super) cursor: Option<u64>,
    pub(super) made: Option<i64>,
}

/// How a device logs in: by password, with the token that it will get, or by a proof that it has an earlier token.
#[derive(Debug)]
pub(in crate::server::engine) enum By {
    Password(Key<32>),
    Proof(Key<32>),
}

impl PendingFrame {
    /// Adds the accounts that must stay in memory until the job is done.
    pub(in crate::server::engine) fn needs(&self, needed: &mut HashSet<AccountId>) {
        match self {
            Self::Check(Check { account, .. }) | Self::Enter { account, .. } | Self::Allow { account, .. } => {
                needed.insert(*account);
            }
            Self::Send { who, message, .. } => {
                needed.insert(who.0);
                message.needs(needed);
            }
            Self::Again { who, .. } | Self::Page { who } | Self::Delivered { who } | Self::Items { who } => {
                needed.insert(who.0);
            }
            Self::Change { status: Some((account, _)), .. } => {
                needed.insert(*account);
            }
            Self::Hash { .. }
            | Self::Register { .. }
            | Self::History { .. }
            | Self::Change { status: None, .. }
            | Self::Cards { .. }
            | Self::Find { .. } => {}
        }
    }

    /// Returns whether this belongs to a login or a registration, of which a connection may have one at a time.
    fn is_entering(&self) -> bool {
        match self {
            Self::Hash { .. } | Self::Register { .. } | Self::Check(_) | Self::Enter { .. } => true,
            Self::Send { .. }
            | Self::Again { .. }
            | Self::Page { .. }
            | Self::Delivered { .. }
            | Self::Items { .. }
            | Self::Change { .. }
            | Self::Cards { .. }
            | Self::Find { .. }
            | Self::History { .. }
            | Self::Allow { .. } => false,
        }
    }
}

impl Devices {
    /// Counts one more job of a device.
    pub(in crate::server::engine) fn ask(&mut self, peer: PeerId, waiting: &PendingFrame) {
        if let Some(device) = self.all.get_mut(&peer) {
            device.waiting += 1;
            device.busy |= waiting.is_entering();
        }
    }

    /// Counts one job less of a device.
    pub(in crate::server::engine) fn ask_no_more(&mut self, peer: PeerId, waiting: &PendingFrame) {
        if let Some(device) = self.all.get_mut(&peer) {
            device.waiting = device.waiting.saturating_sub(1);
            device.busy &= !waiting.is_entering();
        }
    }
}

impl Engine {
    /// Handles the result of the job that a device's frame waited for.
    pub(in crate::server::engine) fn frame_came(
        &mut self,
        now: Now,
        peer: PeerId,
        waiting: PendingFrame,
        came: JobResult,
    ) {
        match waiting {
            PendingFrame::Hash { id, account, profile } => match came {
                JobResult::Hashed(hashed) => {
                    let name = account.as_str().to_owned();
                    let waiting = PendingFrame::Register { id, name: name.clone(), hashed: hashed.clone() };
                    let write = |job| Write::Register { job, name, hashed, profile, at: now.unix };
                    self.ask_store(PendingJob::Frame(peer, waiting), |job| Op::Write(write(job)));
                }
                _ => {
                    self.fail(peer, id, Code::TryLater);
                    self.rivals(now, account.as_str(), None);
                }
            },
            PendingFrame::Register { id, name, hashed } => {
                let outcome = self.register_came(&name, hashed, came);
                self.device_registered(now, peer, id, &name, outcome);
            }
            PendingFrame::Check(check) => {
                let right = if let JobResult::Checked(right) = came { Some(right) } else { None };
                self.device_checked(now, peer, check, right);
            }
            PendingFrame::Enter { id, account, nth, device, cursor, by } => match self.is_over(account, nth, &by) {
                Some(code) => self.fail(peer, id, code),
                None => self.entered(now, peer, id, (account, device), (cursor, by), came),
            },
            PendingFrame::Send { who, counter, message, own } => {
                if let JobResult::Stored(Done::Full { .. }) = came {
                    self.is_full(now, &message);
                }
                self.message_kept(peer, who, counter, &message, own, came);
            }
            PendingFrame::Again { who, counter, code, made } => match came {
                JobResult::Stored(Done::Kept { rows, sent, online, .. }) => {
                    let (row, online) = (number(rows.first().copied().unwrap_or(0)), online.unwrap_or(false));
                    self.answer(peer, who, FromServer::Accepted { counter, row, at: sent, online, made: None });
                }
                JobResult::Stored(Done::Ok { .. }) => {
                    self.answer(peer, who, FromServer::Refused { counter, code, wait: None, reason: None, made });
                }
                came => self.answer(peer, who, not_kept(counter, &came)),
            },
            PendingFrame::Page { who } => self.page(peer, who, came),
            PendingFrame::Delivered { who } => self.deliveries_read(peer, who, came),
            PendingFrame::Items { who } => self.items_read(peer, who, came),
            PendingFrame::Change { id, status } => self.change_came(now, peer, id, status, came),
            PendingFrame::Cards { id } => self.cards_came(peer, id, came),
            PendingFrame::Find { id, text } => self.found_came(peer, id, text, came),
            PendingFrame::History { id } => match came {
                JobResult::Stored(Done::Messages { messages, more, .. }) => {
                    let messages = messages.into_iter().map(past).collect();
                    self.frame_to(peer, FromServer::History { id, messages, more });
                }
                _ => self.fail(peer, id, Code::TryLater),
            },
            PendingFrame::Allow { id, account, change } => match came {
                JobResult::Stored(Done::Ok { .. }) => self.allowed(now, peer, id, account, change),
                _ => self.put_off(peer, id, Reason::NotStored),
            },
        }
    }

    /// Completes a login that the store has noted. `cursor`: the device has named its own cursor.
    fn entered(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        who: (AccountId, DeviceName),
        (cursor, by): (bool, By),
        came: JobResult,
    ) {
        let JobResult::Stored(Done::Entered { token, highest, start, .. }) = came else {
            return self.put_off(peer, id, Reason::NotStored);
        };
        let proved = match &by {
            By::Password(_) => true,
            By::Proof(proof) => self.proves(peer, token, proof),
        };
        if !proved {
            return self.fail(peer, id, Code::BadToken);
        }
        if self.is_in_use(peer, who) {
            return self.fail(peer, id, Code::InUse);
        }
        let token = match by {
            By::Password(token) => Some(token),
            By::Proof(_) => None,
        };
        if cursor {
            let taken = Op::Write(Write::TakenTo { account: who.0, row: start, at: now.unix });
            self.effects.push_back(Effect::Store(taken));
        }
        let told = (!cursor).then(|| number(start));
        self.device_is_in(now, peer, id, who, token, highest, (start, told));
    }
}

/// Converts a stored message to its form in a history frame.
fn past(stored: StoredMessage) -> Past {
    let StoredMessage { row, sender, writer, sent, text, online, delivered, .. } = stored;
    Past { row: number(row), from: sender, writer, at: sent, text, online, delivered }
}
