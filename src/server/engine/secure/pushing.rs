//! Messages on their way to a device: pushed at once, or read from the disk in their turn; also the history.

use super::{DeviceName, PAGE, PendingFrame, WINDOW, number};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::FromServer;
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Effect, Engine, Now};
use crate::server::store::{AccountId, Done, MessageRow, Op, Read, SentMessage, StoredMessage, Write};

impl Engine {
    pub(in crate::server::engine) fn device_acknowledges(
        &mut self,
        now: Now,
        peer: PeerId,
        account: AccountId,
        cursor: u64,
    ) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        let mut last = None;
        while let Some(at) = device.window.front().filter(|at| number(**at) <= cursor) {
            last = Some(*at);
            device.window.pop_front();
        }
        if let Some(row) = last {
            self.effects.push_back(Effect::Store(Op::Write(Write::TakenTo { account, row, at: now.unix })));
            self.read_on(peer);
        }
    }

    pub(in crate::server::engine) fn device_reads(
        &mut self,
        peer: PeerId,
        id: u64,
        account: AccountId,
        other: String,
        before: Option<u64>,
        count: u32,
    ) {
        let Some(name) = self.accounts.people.get(&account).map(|person| person.name.clone()) else { return };
        let peer_id = self.accounts.named(&other);
        // In the spelling of the mailboxes.
        let other = peer_id.and_then(|id| self.accounts.people.get(&id)).map_or(other, |person| person.name.clone());
        let before = before.map(|before| i64::try_from(before).unwrap_or(i64::MAX));
        let count = count.min(PAGE);
        let read = |job| Read::History { job, account, name, peer: other, peer_id, before, count };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::History { id }), |job| Op::Read(read(job)));
    }

    /// Pushes a new message to a device that is online: at once if it has all earlier ones, else later from the disk.
    /// `frame` makes the frame from the row that was pushed before it.
    pub(in crate::server::engine) fn push(
        &mut self,
        peer: PeerId,
        at: MessageRow,
        frame: impl FnOnce(u64) -> FromServer,
    ) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        if device.reading || device.more || device.window.len() >= WINDOW {
            device.more = true;
            return self.read_on(peer);
        }
        let after = number(std::mem::replace(&mut device.pushed, at));
        device.window.push_back(at);
        self.frame_to(peer, frame(after));
    }

    pub(in crate::server::engine) fn read_on(&mut self, peer: PeerId) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        let Some(who) = device.who else { return };
        let room = WINDOW.saturating_sub(device.window.len());
        // Not for a single place, or messages would be read one by one while the window is full.
        if !device.more || device.reading || room < WINDOW / 2 {
            return;
        }
        (device.reading, device.more) = (true, false);
        let after = device.pushed;
        let count = u32::try_from(room).unwrap_or(1);
        let read = |job| Read::After { job, account: who.0, device: who.1, after, count };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Page { who }), |job| Op::Read(read(job)));
    }

    /// Handles messages that the store has read for a device.
    pub(in crate::server::engine) fn page(&mut self, peer: PeerId, who: (AccountId, DeviceName), came: JobResult) {
        // Not if another account has logged in on this connection meanwhile.
        let Some(device) = self.devices.all.get_mut(&peer).filter(|d| d.who == Some(who)) else { return };
        device.reading = false;
        let JobResult::Stored(Done::Messages { messages, more, .. }) = came else {
            // The disk could not be read; the next message or the next login tries again.
            device.more = true;
            return;
        };
        device.more |= more;
        let mut frames = Vec::new();
        for message in messages {
            if message.row <= device.pushed {
                continue;
            }
            let after = number(std::mem::replace(&mut device.pushed, message.row));
            device.window.push_back(message.row);
            let StoredMessage { row, sender: from, writer, sent: at, text, plain, own, online, made, .. } = message;
            let (row, plain) = (number(row), plain.then(|| (self.local_time)(at)));
            frames.push(match own {
                Some(SentMessage { to, device, counter, accepted }) => {
                    FromServer::Own { row, after, to, at, text, device, counter, accepted: number(accepted), online }
                }
                None => FromServer::Message { row, after, from, writer, at, text, plain, made },
            });
        }
        for frame in frames {
            self.frame_to(peer, frame);
        }
        self.read_on(peer);
    }
}
