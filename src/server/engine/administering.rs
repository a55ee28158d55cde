//! The orders of an operator while the server runs. A deletion and a new password take effect before they are on disk,
//! so that nothing stored after them belongs to the old state. If they cannot be stored they are undone and the
//! operator is told, but the sessions they have ended stay ended.

use std::collections::HashSet;
use std::time::Duration;

use super::accounts::NameLookup;
use super::finding::LookupWaiter;
use super::jobs::{JobResult, PendingJob};
use super::sessions::Person;
use super::{Effect, Engine, Now, SESSION};
use crate::protocol::link::ENDED;
use crate::protocol::wire::item::{Profile, Unfit};
use crate::server::control::{AccountSummary, Answer, NewAccount, Order, PAGE};
use crate::server::hasher::Hashed;
use crate::server::store::{AccountId, AccountRecord, Change, Done, MessageRow, Op, Outcome, PersonKey, Read, Write};

/// The most accounts that are read for one answer; even with the shortest names no more fit into it.
const LISTED: u32 = 128;

/// An order that waits for the store.
#[derive(Debug)]
pub(super) enum PendingOrder {
    /// A new password is being stored; `before` is the password to go back to if that fails, and `nth` is the number of
    /// the new one.
    Password {
        account: AccountId,
        before: Hashed,
        nth: u64,
    },
    /// A deletion is being stored; meanwhile [`Accounts`](super::accounts::Accounts) keeps the person, who comes back
    /// if it fails.
    Delete {
        account: AccountId,
    },
    SecureOnly {
        account: AccountId,
        on: bool,
    },
    Import,
    /// The name in a profile is being read or changed.
    Name,
    /// Accounts are being read; nothing is changed.
    List,
}

impl PendingOrder {
    /// Adds the accounts that must stay in memory until the order is done.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        match self {
            Self::Password { account, .. } | Self::SecureOnly { account, .. } => {
                needed.insert(*account);
            }
            Self::Delete { .. } | Self::Import | Self::Name | Self::List => {}
        }
    }
}

impl Engine {
    /// Handles an operator's order; [`Effect::Administered`] with the same ticket brings the answer.
    pub fn administer(&mut self, now: Now, ticket: u64, order: Order) {
        match order {
            Order::Hello => self.tell(ticket, Answer::Done),
            Order::Accounts { after } => {
                self.order(ticket, PendingOrder::List, |job| Op::Read(Read::Accounts { job, after, count: LISTED }));
            }
            Order::Import { accounts } => {
                self.order(ticket, PendingOrder::Import, |job| {
                    Op::Write(Write::Import { job, accounts, at: now.unix })
                });
            }
            Order::Reset { account: NewAccount { name: ref account, .. } }
            | Order::Delete { ref account }
            | Order::Name { ref account, .. }
            | Order::SecureOnly { ref account, .. } => match self.accounts.find_exactly(account) {
                NameLookup::Here(id) => self.order_of(now, ticket, id, order),
                NameLookup::Nobody => self.tell(ticket, Answer::NoSuchAccount),
                NameLookup::Unknown(name) => self.seek(now, PersonKey::Name(name), LookupWaiter::Order(ticket, order)),
            },
        }
    }

    /// Handles an order that concerns one account.
    fn order_of(&mut self, now: Now, ticket: u64, id: AccountId, order: Order) {
        match order {
            Order::Reset { account } => self.reset(now, ticket, id, &account.hashed()),
            Order::Delete { .. } => self.delete(now, ticket, id),
            Order::SecureOnly { on, .. } => {
                let op = |job| Op::Write(Write::Allow { job, account: id, change: Change::SecureOnly(on) });
                self.order(ticket, PendingOrder::SecureOnly { account: id, on }, op);
            }
            Order::Name { account, name: None } => {
                let read = |job| Op::Read(Read::Cards { job, accounts: vec![account] });
                self.order(ticket, PendingOrder::Name, read);
            }
            Order::Name { name: Some(name), .. } => {
                let name = match name.as_str() {
                    "" => Ok(None),
                    name => Profile::named(name).map(|profile| Some(profile.name)),
                };
                match name {
                    Ok(name) => {
                        self.order(ticket, PendingOrder::Name, |job| Op::Write(Write::Name { job, account: id, name }))
                    }
                    // The command has looked at it; whoever wrote another one is told so.
                    Err(Unfit) => self.tell(ticket, Answer::NotUnderstood),
                }
            }
            Order::Hello | Order::Accounts { .. } | Order::Import { .. } => {}
        }
    }

    pub(super) fn tell(&mut self, ticket: u64, answer: Answer) {
        self.effects.push_back(Effect::Administered { ticket, answer });
    }

    fn order(&mut self, ticket: u64, ordered: PendingOrder, op: impl FnOnce(u64) -> Op) {
        self.ask_store(PendingJob::Order(ticket, ordered), op);
    }

    /// Makes an answer of as many of these accounts as fit into it. For people in memory it says what is known there,
    /// which is newer.
    fn listed(&self, now: Now, all: &[AccountRecord], more: bool) -> Answer {
        let mut rows = Vec::new();
        let mut room = PAGE;
        for listed in all {
            let row = match self.accounts.people.get(&listed.id) {
                Some(person) => AccountSummary { shown: listed.shown.clone(), ..self.row(now, listed.id, person) },
                None => absent(now, listed),
            };
            let size = serde_json::to_vec(&row).map_or(PAGE, |bytes| bytes.len());
            // At least one, however long it is.
            if size > room && !rows.is_empty() {
                return Answer::Accounts { rows, more: true };
            }
            room = room.saturating_sub(size);
            rows.push(row);
        }
        Answer::Accounts { rows, more }
    }

    fn row(&self, now: Now, id: AccountId, person: &Person) -> AccountSummary {
        let session = person.session.as_ref();
        let session = session.filter(|session| now.instant.saturating_duration_since(session.seen) <= SESSION);
        let plain = session.map(|session| session.address);
        let devices = person.devices.iter().filter_map(|peer| self.device_address(*peer));
        AccountSummary {
            name: person.name.clone(),
            unread: person.unread_total(),
            addresses: plain.into_iter().chain(devices).map(|address| address.to_string()).collect(),
            online: self.present(now, id),
            secure_only: person.settings.secure_only,
            shown: String::new(),
        }
    }

    fn reset(&mut self, now: Now, ticket: u64, account: AccountId, hashed: &Hashed) {
        let Some(person) = self.accounts.people.get_mut(&account) else { return };
        let before = person.renew(hashed.clone());
        let nth = person.nth;
        self.end_all(now, account, "the password was changed");
        let op = |job| Op::Write(Write::Password { job, account, hashed: hashed.clone(), from: None });
        self.order(ticket, PendingOrder::Password { account, before, nth }, op);
    }

    fn delete(&mut self, now: Now, ticket: u64, account: AccountId) {
        self.end_all(now, account, "the account was deleted");
        self.accounts.delete(account);
        self.order(ticket, PendingOrder::Delete { account }, |job| Op::Write(Write::Delete { job, account }));
    }

    /// Ends all sessions of an account and everything that would let somebody in with its old password. Plain clients
    /// learn this with their next request; devices are disconnected, come back at once and are told why they cannot log
    /// in.
    fn end_all(&mut self, now: Now, account: AccountId, reason: &'static str) {
        self.end_session(account);
        self.addresses.disarm(account);
        // A repetition of the owner's own change of password must not be confirmed any more.
        self.login_attempts.forget_changes(account);
        self.addresses.last_present = now.instant;
        for peer in self.devices_of(account) {
            self.drop_device(peer);
            self.leave(now, account, peer);
            self.effects.push_back(Effect::Close { peer, code: ENDED, reason });
        }
        self.devices.somebody_moved(now);
    }

    /// Handles the result of the job that an order waited for. Returns the operator's answer.
    pub(super) fn order_came(&mut self, now: Now, ordered: PendingOrder, came: JobResult) -> Answer {
        let not_stored = Answer::NotStored { error: String::new() };
        match ordered {
            PendingOrder::List => match came {
                JobResult::Stored(Done::Accounts { rows, more, .. }) => self.listed(now, &rows, more),
                _ => not_stored,
            },
            PendingOrder::Delete { account } => match came {
                JobResult::Stored(Done::Deleted { messages, lists, .. }) => {
                    self.accounts.deleted(account);
                    log::info!("account {account} was deleted by an operator");
                    self.unwritten(&messages);
                    self.items_changed(now, &lists);
                    Answer::Done
                }
                _ => {
                    self.accounts.undelete(account);
                    not_stored
                }
            },
            PendingOrder::Import => match came {
                JobResult::Stored(Done::Imported { new, named, lists, .. }) => {
                    self.accounts.added(new.iter().map(String::as_str));
                    self.items_changed(now, &lists);
                    log::info!("an operator has imported {} new accounts", new.len());
                    Answer::Imported { new: new.len(), named }
                }
                _ => not_stored,
            },
            PendingOrder::Name => match came {
                JobResult::Stored(Done::Cards { cards, .. }) => match cards.into_iter().next() {
                    Some(card) => Answer::Name { name: card.profile.name },
                    None => Answer::NoSuchAccount,
                },
                JobResult::Stored(Done::Changed { outcome: Outcome::TooMany, .. }) => Answer::NoRoom,
                JobResult::Stored(Done::Changed { lists, .. }) => {
                    self.items_changed(now, &lists);
                    Answer::Done
                }
                _ => not_stored,
            },
            PendingOrder::Password { account, before, nth } => match came {
                JobResult::Stored(Done::Ok { .. }) => {
                    log::info!("account {account} was given a new password by an operator");
                    Answer::Done
                }
                _ => {
                    // Unless it has been changed once more since.
                    if let Some(person) = self.accounts.people.get_mut(&account).filter(|person| person.nth == nth) {
                        person.renew(before);
                    }
                    not_stored
                }
            },
            PendingOrder::SecureOnly { account, on } => match came {
                JobResult::Stored(Done::Ok { .. }) => {
                    self.change(account, Change::SecureOnly(on));
                    // A plain client may have logged in meanwhile.
                    if on {
                        self.close_to_plain(account);
                        self.devices.somebody_moved(now);
                    }
                    Answer::Done
                }
                _ => not_stored,
            },
        }
    }

    /// Lowers the unread counts by messages that were deleted with their writer's account.
    fn unwritten(&mut self, messages: &[(AccountId, MessageRow, String)]) {
        for (receiver, row, sender) in messages {
            self.accounts.took(*receiver, sender, 1);
            if let Some(session) = self.accounts.person(*receiver).and_then(|person| person.session.as_mut()) {
                session.offered.take_if(|(offered, _)| offered == row);
            }
        }
    }

    /// Returns the number of the account's present password; `None` if the person is not in memory.
    pub(super) fn nth_password(&self, account: AccountId) -> Option<u64> {
        self.accounts.nth_password(account)
    }

    /// Called when the owner's own change of password was stored while an operator's new password is being stored. The
    /// operator's stays; if it cannot be stored, the owner's takes effect.
    pub(super) fn overtaken(&mut self, of: AccountId, hashed: Hashed) {
        for ordered in self.jobs.orders() {
            match ordered {
                PendingOrder::Password { account, before, .. } if *account == of => *before = hashed.clone(),
                _ => {}
            }
        }
    }
}

/// Returns the line of the list for an account that is not in memory, from what the store says.
fn absent(now: Now, listed: &AccountRecord) -> AccountSummary {
    let session = listed.session.filter(|(_, noted)| {
        let silent = now.unix.saturating_sub(*noted).try_into().unwrap_or(0);
        Duration::from_secs(silent) <= SESSION
    });
    AccountSummary {
        name: listed.name.clone(),
        unread: listed.unread,
        addresses: session.map(|(address, _)| address.to_string()).into_iter().collect(),
        online: false,
        secure_only: listed.secure_only,
        shown: listed.shown.clone(),
    }
}
