//! What a plain session asks about: how many messages wait, the next message, and who is online.

use std::net::SocketAddr;

use super::jobs::PendingJob;
use super::requests::PendingRequest;
use super::{Engine, MAX_REPLY, Now};
use crate::base::model::{Account, names};
use crate::protocol::wire::reply::Delivery;
use crate::protocol::wire::request::Body;
use crate::protocol::wire::{Reply, Request};
use crate::server::store::{AccountId, Op, Read, UnreadMessage};

impl Engine {
    pub(super) fn served(&mut self, now: Now, from: SocketAddr, account: AccountId, request: Request) {
        let unread = |sender: &Option<Account>| {
            let person = self.accounts.people.get(&account)?;
            Some(match sender {
                Some(sender) => person.unread.get(sender.as_str()).copied().unwrap_or(0),
                None => person.unread_total(),
            })
        };
        match request {
            Request::Count { from: sender } => {
                let n = unread(&sender).unwrap_or(0);
                self.reply(from, &Reply::Count(n));
            }
            Request::CountAll => {
                let n = unread(&None).unwrap_or(0);
                self.reply(from, &Reply::CountAll(n));
            }
            Request::Take { from: sender } => self.offer(from, account, sender, false),
            Request::TakeAll => self.offer(from, account, None, true),
            Request::Send { to, body } => self.send(now, from, account, &to, body),
            Request::Who { offset } => self.who(now, from, offset),
            // The other requests need no session and have been handled earlier.
            Request::Register { .. }
            | Request::ChangePassword { .. }
            | Request::Login { .. }
            | Request::Offline
            | Request::Hello { .. } => {}
        }
    }

    fn offer(&mut self, from: SocketAddr, account: AccountId, sender: Option<Account>, all: bool) {
        let person = self.accounts.people.get(&account);
        let none = match &sender {
            Some(sender) => person.is_none_or(|p| !p.unread.contains_key(sender.as_str())),
            None => person.is_none_or(|p| p.unread.is_empty()),
        };
        if none {
            self.reply(from, &if all { Reply::TakeAll(None) } else { Reply::Take(None) });
            return;
        }
        let sender = sender.map(|s| s.as_str().to_owned());
        let read = |job| Read::Offer { job, account, from: sender };
        self.ask_store(PendingJob::Request(from, PendingRequest::Offer { account, all }), |job| Op::Read(read(job)));
    }

    /// Returns the reply that hands out the next message, or says that there is none.
    pub(super) fn offered(
        &mut self,
        from: SocketAddr,
        account: AccountId,
        all: bool,
        message: Option<UnreadMessage>,
    ) -> Reply {
        let delivery = message.map(|message| {
            let session = self.accounts.people.get_mut(&account).and_then(|p| p.session.as_mut());
            if let Some(session) = session.filter(|s| s.address == from) {
                session.offered = Some((message.row, message.sender.clone()));
            }
            let text = match &message.writer {
                Some(writer) => names::framed(writer, &message.text),
                None => message.text,
            };
            Delivery {
                from: Account::sanitised(&message.sender),
                time: (self.local_time)(message.sent),
                body: Body { raw: Vec::new(), text },
            }
        });
        if all { Reply::TakeAll(delivery) } else { Reply::Take(delivery) }
    }

    fn who(&mut self, now: Now, from: SocketAddr, offset: usize) {
        let mut present: Vec<&str> = self
            .addresses
            .sessions
            .values()
            .copied()
            .chain(self.devices.accounts())
            .filter(|id| self.visible(now, *id))
            .filter_map(|id| self.accounts.people.get(&id))
            .map(|p| p.name.as_str())
            .collect();
        present.sort_unstable();
        present.dedup();
        let mut room = MAX_REPLY.saturating_sub("11:1234567890:1234567890".len());
        let fitting = present.iter().skip(offset).take_while(|name| {
            let fits = room > name.len();
            room = room.saturating_sub(name.len() + 1);
            fits
        });
        let accounts = fitting.filter_map(|name| Account::parse(name).ok()).collect();
        self.reply(from, &Reply::Who { total: present.len(), offset, accounts });
    }
}
