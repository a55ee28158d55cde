//! How a message gets into mailboxes: who receives it, in what form, and what happens once it is stored.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::jobs::PendingJob;
use super::requests::PendingRequest;
use super::secure::number;
use super::{Engine, MAX_REPLY, Now};
use crate::base::model::{Account, names};
use crate::protocol::wire::Reply;
use crate::protocol::wire::frame::FromServer;
use crate::protocol::wire::reply::Forwarded;
use crate::protocol::wire::request::Body;
use crate::server::store::{AccountId, MessageRow, NewMessage, Op, OwnCopy, SentKey, Write};

/// A message and the accounts that receive it.
#[derive(Debug)]
pub(super) struct AddressedMessage {
    pub(super) receivers: Vec<AccountId>,
    /// The account or room that the receivers see as the sender.
    pub(super) sender: String,
    pub(super) author: AccountId,
    /// The name of the person who wrote it, if it is a room's message.
    pub(super) writer: Option<String>,
    pub(super) raw: Vec<u8>,
    pub(super) text: String,
    /// Whether at least one of the receivers is online for others.
    pub(super) online: bool,
}

impl AddressedMessage {
    /// Adds the accounts that must stay in memory until the message is stored.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        needed.insert(self.author);
        needed.extend(&self.receivers);
    }

    /// Makes the record for the store. The raw bytes are moved into it, since nothing else needs them.
    pub(super) fn new_message(&mut self, now: Now, key: Option<SentKey>, own: Option<OwnCopy>) -> NewMessage {
        let raw = std::mem::take(&mut self.raw);
        let Self { receivers, sender, author, writer, text, online, .. } = &*self;
        NewMessage {
            receivers: receivers.clone(),
            sender: sender.clone(),
            author: *author,
            writer: writer.clone(),
            raw,
            text: text.clone(),
            sent: now.unix,
            online: *online,
            key,
            own,
        }
    }
}

/// Why a message cannot be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undeliverable {
    TooLong,
    /// There is no such account.
    Nobody,
}

impl Engine {
    pub(super) fn send_now(&mut self, now: Now, from: SocketAddr, writer: AccountId, to: &Account, body: Body) {
        let mut message = match self.address(now, writer, to, body) {
            Ok(message) => message,
            Err(Undeliverable::TooLong) => return self.refuse(now, from, &Reply::NotUnderstood),
            Err(_) => return self.reply(from, &Reply::Send(Forwarded::Offline)),
        };
        let reply = if message.online { Forwarded::Done } else { Forwarded::Offline };
        let new = message.new_message(now, None, None);
        let write = |job| Write::Message { job, message: new };
        self.ask_store(PendingJob::Request(from, PendingRequest::Send { message, reply }), |job| Op::Write(write(job)));
    }

    /// Works out the receivers of a message and the form in which they read it.
    pub(super) fn address(
        &self,
        now: Now,
        writer_id: AccountId,
        to: &Account,
        body: Body,
    ) -> Result<AddressedMessage, Undeliverable> {
        let Some(name) = self.accounts.people.get(&writer_id).map(|p| p.name.clone()) else {
            return Err(Undeliverable::Nobody);
        };
        let Body { raw, text } = body;
        let (mut receivers, sender, writer) = if to.as_str() == Account::LOBBY {
            let all = self.addresses.sessions.values().copied().chain(self.devices.accounts());
            let present: Vec<AccountId> = all.filter(|id| *id != writer_id && self.present(now, *id)).collect();
            (present, Account::LOBBY.to_owned(), Some(name))
        } else {
            let receiver = self.accounts.named(to.as_str()).ok_or(Undeliverable::Nobody)?;
            (vec![receiver], name, None)
        };
        // `05:` + sender + `:` + time + `:` + body
        let body = writer.as_ref().map_or(text.len(), |writer| names::framed(writer, &text).len());
        if 3 + sender.len() + 1 + 19 + 1 + body > MAX_REPLY {
            return Err(Undeliverable::TooLong);
        }
        // Those who are online for others first: the row that the writer is told is one of theirs.
        receivers.sort_unstable_by_key(|id| (!self.visible(now, *id), *id));
        receivers.dedup();
        receivers.retain(|id| self.accounts.people.contains_key(id));
        // A room's message is stored even if nobody is there, so that it takes as long as if only people were there who
        // are offline for the writer.
        if receivers.is_empty() && writer.is_none() {
            return Err(Undeliverable::Nobody);
        }
        let online = receivers.iter().any(|id| self.visible(now, *id));
        Ok(AddressedMessage { receivers, sender, author: writer_id, writer, raw, text, online })
    }

    /// Logs, at most once a minute, that a mailbox was full.
    pub(super) fn is_full(&mut self, now: Now, message: &AddressedMessage) {
        if let [receiver] = message.receivers[..]
            && message.writer.is_none()
            && let Some(more) = self.full_mailboxes.speaks(now.instant)
        {
            log::warn!("the mailbox of account {receiver} is full, as {more} others were");
        }
    }

    /// Returns when an account was made, in seconds since 1970; this tells it from an earlier account of the same name.
    pub(super) fn made(&self, account: AccountId) -> Option<i64> {
        self.accounts.people.get(&account).map(|person| person.made)
    }

    /// Called when a message is on disk, with a row for each receiver: counts it as unread and pushes it to their
    /// devices.
    pub(super) fn kept(&mut self, message: &AddressedMessage, rows: &[MessageRow], sent: i64) {
        let made = self.made(message.author).filter(|_| message.writer.is_none());
        // Of a room's message, receivers whose mailboxes are full have no row.
        for (receiver, row) in message.receivers.iter().zip(rows).filter(|(_, row)| **row > 0) {
            if let Some(person) = self.accounts.got(*receiver, &message.sender) {
                for peer in person.devices.clone() {
                    let AddressedMessage { sender, writer, text, .. } = message;
                    let (from, writer, text) = (sender.clone(), writer.clone(), text.clone());
                    let row = *row;
                    self.push(peer, row, |after| FromServer::Message {
                        row: number(row),
                        after,
                        from,
                        writer,
                        at: sent,
                        text,
                        plain: None,
                        made,
                    });
                }
            }
        }
    }
}
