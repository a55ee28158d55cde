//! Tells the writers' devices what was delivered. A device asks for what has changed after the version that it has on
//! disk, and is answered as soon as there is something. So the state is in the database and in the device's question;
//! nothing is queued, and a device that never asks or never reads costs nothing.

use std::collections::HashSet;

use super::{DeviceName, PendingFrame, number};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::FromServer;
use crate::server::engine::Engine;
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::store::{AccountId, Delivery, Done, Op, Read};

/// The most ranges in one answer; even with the longest names they fit into a frame.
const MOST: u32 = 256;

/// What a device has been told of deliveries.
#[derive(Debug, Default)]
pub(super) struct DeliveryCursor {
    /// Whether the device waits for an answer.
    asked: bool,
    /// Whether the store is reading it.
    reading: bool,
    /// The version up to which the device knows all deliveries.
    version: i64,
    /// Whether there is nothing after that version, as far as is known.
    current: bool,
}

impl Engine {
    /// Handles a device's question for what was delivered after a version.
    pub(super) fn device_asks_for_deliveries(&mut self, peer: PeerId, version: u64) {
        let Some(told) = self.devices.all.get_mut(&peer).map(|device| &mut device.told) else { return };
        if told.reading {
            return;
        }
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        told.current &= told.version == version;
        (told.version, told.asked) = (version, true);
        self.read_deliveries(peer);
    }

    fn read_deliveries(&mut self, peer: PeerId) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        let Some(who) = device.who else { return };
        if !device.told.asked || device.told.reading || device.told.current {
            return;
        }
        device.told.reading = true;
        let after = device.told.version;
        let read = |job| Read::Delivered { job, account: who.0, after, count: MOST };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Delivered { who }), |job| Op::Read(read(job)));
    }

    /// Handles what the store has read for a device's question.
    pub(super) fn deliveries_read(&mut self, peer: PeerId, who: (AccountId, DeviceName), came: JobResult) {
        // Not if another account has logged in on this connection meanwhile.
        let Some(device) = self.devices.all.get_mut(&peer).filter(|d| d.who == Some(who)) else { return };
        device.told.reading = false;
        // If the disk could not be read, the next delivery or the next login tries again.
        let JobResult::Stored(Done::Delivered { delivered, .. }) = came else { return };
        device.told.current = true;
        if !delivered.is_empty() {
            // An answer has at most one range of each conversation; the next question brings the others.
            let mut seen = HashSet::new();
            let several = delivered.iter().position(|(delivery, _)| !seen.insert(delivery.receiver));
            let now = delivered.get(..several.unwrap_or(delivered.len())).unwrap_or_default();
            device.told.current = several.is_none() && u32::try_from(now.len()).is_ok_and(|n| n < MOST);
            self.tell_deliveries(peer, now);
        }
    }

    /// Called when messages of a writer were delivered and this is on disk: tells the writer's devices that wait for
    /// it. If the store is already reading for one of them, its answer will include this.
    pub(in crate::server::engine) fn delivered(&mut self, delivery: Delivery) {
        let name = self.accounts.people.get(&delivery.receiver).map(|person| person.name.clone());
        for peer in self.devices_of(delivery.author) {
            let Some(told) = self.devices.all.get_mut(&peer).map(|device| &mut device.told) else { continue };
            if told.reading {
                continue;
            }
            match &name {
                Some(name) if told.asked && told.current => self.tell_deliveries(peer, &[(delivery, name.clone())]),
                // If the receiver is not in memory, their name is read with the delivery.
                _ => {
                    told.current = false;
                    self.read_deliveries(peer);
                }
            }
        }
    }

    fn tell_deliveries(&mut self, peer: PeerId, delivered: &[(Delivery, String)]) {
        let row =
            |(Delivery { first, last, .. }, name): &(Delivery, String)| (name.clone(), [number(*first), number(*last)]);
        let rows = delivered.iter().map(row).collect();
        let Some(version) = delivered.last().map(|(last, _)| last.version) else { return };
        let Some(told) = self.devices.all.get_mut(&peer).map(|device| &mut device.told) else { return };
        (told.asked, told.version) = (false, version);
        self.frame_to(peer, FromServer::Delivered { version: number(version), rows });
    }
}
