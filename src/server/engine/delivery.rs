//! A message's way into mailboxes: whose they are, how it is read there, and what follows once it is stored.

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

/// A message that has receivers.
#[derive(Debug)]
pub(super) struct AddressedMessage {
    pub(super) receivers: Vec<AccountId>,
    /// An account, or a room.
    pub(super) sender: String,
    pub(super) author: AccountId,
    /// Of a room's message: who wrote it.
    pub(super) writer: Option<String>,
    pub(super) raw: Vec<u8>,
    pub(super) text: String,
    /// One of them is here.
    pub(super) online: bool,
}

impl AddressedMessage {
    /// Whom it concerns.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        needed.insert(self.author);
        needed.extend(&self.receivers);
    }

    /// As it is stored. Its bytes as they came are needed nowhere else, so they go along.
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

/// Why a message goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undeliverable {
    TooLong,
    /// No such account, or nobody else is in the room.
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

    /// Whose mailboxes a message goes to, and how it is read there.
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
        receivers.sort_unstable();
        receivers.dedup();
        receivers.retain(|id| self.accounts.people.contains_key(id));
        if receivers.is_empty() {
            return Err(Undeliverable::Nobody);
        }
        let online = receivers.iter().any(|id| self.present(now, *id));
        Ok(AddressedMessage { receivers, sender, author: writer_id, writer, raw, text, online })
    }

    /// There was no room for a message, which is said in the log, if seldom.
    pub(super) fn is_full(&mut self, now: Now, message: &AddressedMessage) {
        if let [receiver] = message.receivers[..]
            && message.writer.is_none()
            && let Some(more) = self.full_mailboxes.speaks(now.instant)
        {
            log::warn!("the mailbox of account {receiver} is full, as {more} others were");
        }
    }

    /// When an account was made, by which it is told from one that had the name before.
    pub(super) fn made(&self, account: AccountId) -> Option<i64> {
        self.accounts.people.get(&account).map(|person| person.made)
    }

    /// A message is on disk, a row for each receiver.
    pub(super) fn kept(&mut self, message: &AddressedMessage, rows: &[MessageRow], sent: i64) {
        let made = self.made(message.author).filter(|_| message.writer.is_none());
        // A room's message has no row where there was no room.
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
