//! Messages on their way to a device: at once, or from the disk in their turn; and those of before.

use super::{DeviceName, PAGE, WINDOW, Waiting, row};
use crate::link::PeerId;
use crate::server::engine::{Addressed, Effect, Engine, Now};
use crate::server::store::{AccountId, Done, MessageRow, Op};
use crate::wire::frame::FromServer;

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
        while let Some((at, sender, counts)) = device.window.front()
            && row(*at) <= cursor
        {
            last = Some(*at);
            if *counts
                && let Some(person) = self.people.get_mut(&account)
                && let Some(count) = person.unread.get_mut(sender)
            {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    person.unread.remove(sender);
                }
            }
            device.window.pop_front();
        }
        if let Some(row) = last {
            self.effects.push_back(Effect::Store(Op::TakenTo { account, row, at: now.unix }));
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
        let Some(name) = self.people.get(&account).map(|person| person.name.clone()) else { return };
        let peer_id = self.names.get(&other).copied();
        let job = self.device_waits(peer, Waiting::History { id });
        let before = before.map(|before| i64::try_from(before).unwrap_or(i64::MAX));
        let count = count.min(PAGE);
        self.effects.push_back(Effect::Store(Op::History { job, account, name, peer: other, peer_id, before, count }));
    }

    /// A new message for a device that is here: at once if it has all before it, else in its turn from the disk.
    pub(in crate::server::engine) fn push(&mut self, peer: PeerId, at: MessageRow, message: &Addressed, sent: i64) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        if device.reading || device.more || device.window.len() >= WINDOW {
            device.more = true;
            return self.read_on(peer);
        }
        let after = row(device.pushed);
        device.pushed = at;
        device.window.push_back((at, message.sender.clone(), true));
        let (from, text) = (message.sender.clone(), message.text.clone());
        self.frame_to(peer, FromServer::Message { row: row(at), after, from, at: sent, text });
    }

    pub(in crate::server::engine) fn read_on(&mut self, peer: PeerId) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        let Some(who) = device.who else { return };
        let room = WINDOW.saturating_sub(device.window.len());
        // Not for a single place: a full window would be read one by one.
        if !device.more || device.reading || room < WINDOW / 2 {
            return;
        }
        (device.reading, device.more) = (true, false);
        let after = device.pushed;
        let count = u32::try_from(room).unwrap_or(1);
        let job = self.device_waits(peer, Waiting::Page { who });
        self.effects.push_back(Effect::Store(Op::After { job, account: who.0, after, count }));
    }

    /// Messages that were read for a device.
    pub(in crate::server::engine) fn page(&mut self, peer: PeerId, who: (AccountId, DeviceName), done: Done) {
        // Not if somebody else has logged in on this connection meanwhile.
        let Some(device) = self.devices.all.get_mut(&peer).filter(|d| d.who == Some(who)) else { return };
        device.reading = false;
        let Done::Messages { messages, more, .. } = done else {
            // The disk could not be read; the next message, or the next login, tries again.
            device.more = true;
            return;
        };
        device.more |= more;
        let mut frames = Vec::new();
        for message in messages {
            if message.row <= device.pushed {
                continue;
            }
            let after = row(device.pushed);
            device.pushed = message.row;
            device.window.push_back((message.row, message.sender.clone(), message.unread));
            let (from, at, text) = (message.sender, message.sent, message.text);
            frames.push(FromServer::Message { row: row(message.row), after, from, at, text });
        }
        for frame in frames {
            self.frame_to(peer, frame);
        }
        self.read_on(peer);
    }
}
