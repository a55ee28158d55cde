//! A device's messages on their way into mailboxes, each under a counter of the device.

use super::{DeviceName, PendingFrame, number, sha256};
use crate::base::model::{Account, MessageText};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer, Reason};
use crate::protocol::wire::request::Body;
use crate::server::engine::delivery::{AddressedMessage, Undeliverable};
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Engine, Now};
use crate::server::store::{AccountId, Done, Op, OwnCopy, Read, SentKey, Write};

impl Engine {
    /// Refuses a message at once; `wait` says for how many milliseconds.
    pub(super) fn refuse_now(&mut self, peer: PeerId, counter: u64, code: Code, wait: Option<u64>) {
        self.frame_to(peer, FromServer::Refused { counter, code, wait, reason: None, made: None });
    }

    /// Answers a device's message once it is on disk or has failed.
    pub(super) fn message_kept(
        &mut self,
        peer: PeerId,
        who: (AccountId, DeviceName),
        counter: u64,
        message: &AddressedMessage,
        own: Option<OwnCopy>,
        came: JobResult,
    ) {
        let JobResult::Stored(Done::Kept { rows, own: own_row, sent, again, online, .. }) = came else {
            return self.answer(peer, who, not_kept(counter, &came));
        };
        if !again {
            self.kept(message, &rows, sent);
        }
        // The store has noted no row of a room in which nobody was online for the writer; nor is one told the first time.
        let told = again || message.writer.is_none() || message.online;
        let row = number(rows.iter().copied().find(|row| *row > 0 && told).unwrap_or(0));
        if let Some((own, at)) = own.zip(own_row) {
            // If nobody in the room has got it, there is no receiver who is online or not.
            self.push_own(who, (counter, row, online.filter(|_| row > 0)), &own, at, sent);
        }
        let online = row > 0 && online.unwrap_or(message.online);
        let to = message.receivers.first().filter(|_| message.writer.is_none());
        let made = to.and_then(|to| self.made(*to));
        self.answer(peer, who, FromServer::Accepted { counter, row, at: sent, online, made });
    }

    /// Sends the answer to a message. Its counter belongs to the device that wrote it; if another has logged in on the
    /// connection since, which may use the same number, nothing is sent.
    pub(super) fn answer(&mut self, peer: PeerId, writer: (AccountId, DeviceName), frame: FromServer) {
        let here = self.devices.all.get(&peer).and_then(|device| device.who);
        if here.is_none_or(|who| who == writer) {
            self.frame_to(peer, frame);
        }
    }

    pub(super) fn device_sends(
        &mut self,
        now: Now,
        peer: PeerId,
        (account, device): (AccountId, DeviceName),
        (counter, after): (u64, Option<u64>),
        (to, meant): (&str, Option<i64>),
        text: &str,
    ) {
        let refused = |code| FromServer::Refused { counter, code, wait: None, reason: None, made: None };
        let (Ok(to), Ok(parsed)) = (Account::parse(to), MessageText::parse(text)) else {
            return self.frame_to(peer, refused(Code::BadField));
        };
        let hash = sha256(&[to.as_str().as_bytes(), &[0], text.as_bytes()]);
        let again = |engine: &mut Self, code, made| {
            let who = (account, device);
            let key = SentKey { account, device, counter, hash, after };
            let read = |job| Read::Again { job, key };
            engine.ask_store(PendingJob::Frame(peer, PendingFrame::Again { who, counter, code, made }), |job| {
                Op::Read(read(job))
            });
        };
        let made = self.accounts.named(to.as_str()).and_then(|to| self.made(to));
        if meant.is_some() && made.is_some() && meant != made {
            // It may have been accepted before the account was made anew, and the answer lost.
            return again(self, Code::MadeAnew, made);
        }
        let mut message = match self.address(now, account, &to, Body::new(&parsed)) {
            Ok(message) => message,
            Err(Undeliverable::TooLong) => return self.frame_to(peer, refused(Code::BadField)),
            // It may have been accepted before the account was deleted, and the answer lost.
            Err(Undeliverable::Nobody) => return again(self, Code::NoAccount, None),
        };
        // What is sent to oneself is pushed to all devices anyway.
        let person =
            self.accounts.people.get(&account).filter(|p| p.settings.beside && !message.receivers.contains(&account));
        let to = to.as_str().to_owned();
        let own = person.map(|person| OwnCopy { writer: person.name.clone(), to, text: parsed.as_str().to_owned() });
        let new = message.new_message(now, Some(SentKey { account, device, counter, hash, after }), own.clone());
        let waiting = PendingFrame::Send { who: (account, device), counter, message, own };
        self.ask_store(PendingJob::Frame(peer, waiting), |job| Op::Write(Write::Message { job, message: new }));
    }
}

/// Returns the answer to a message that is not on disk.
pub(super) fn not_kept(counter: u64, came: &JobResult) -> FromServer {
    let (code, reason) = match came {
        JobResult::Stored(Done::Full { .. }) => (Code::MailboxFull, None),
        JobResult::Stored(Done::Conflict { .. }) => (Code::IdConflict, None),
        JobResult::Stored(Done::OutOfTurn { .. }) => (Code::OutOfTurn, None),
        _ => (Code::TryLater, Some(Reason::NotStored)),
    };
    FromServer::Refused { counter, code, wait: None, reason, made: None }
}
