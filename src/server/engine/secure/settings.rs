//! How an account may be used: settings that its owner changes on any device and that are kept on disk.

use super::{DeviceName, PendingFrame, number};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::FromServer;
use crate::server::engine::jobs::PendingJob;
use crate::server::engine::{Effect, Engine, Now};
use crate::server::store::{AccountId, Change, MessageRow, Op, OwnCopy, Write};

impl Engine {
    pub(in crate::server::engine) fn tell_settings(&mut self, peer: PeerId, id: u64, account: AccountId) {
        let Some(settings) = self.accounts.people.get(&account).map(|person| person.settings) else { return };
        self.frame_to(peer, FromServer::AccountSettings { id, settings });
    }

    pub(in crate::server::engine) fn device_allows(
        &mut self,
        peer: PeerId,
        id: u64,
        account: AccountId,
        change: Change,
    ) {
        let write = |job| Write::Allow { job, account, change };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Allow { id, account, change }), |job| {
            Op::Write(write(job))
        });
    }

    /// Called when a changed setting is on disk: puts it into effect and answers.
    pub(in crate::server::engine) fn allowed(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        account: AccountId,
        change: Change,
    ) {
        self.change(account, change);
        match change {
            // The device that has changed it stays.
            Change::Beside(false) => self.kick_others(now, account, peer),
            Change::SecureOnly(true) => self.close_to_plain(account),
            Change::Beside(true) | Change::SecureOnly(false) => {}
        }
        self.tell_settings(peer, id, account);
    }

    /// Changes a setting in memory.
    pub(in crate::server::engine) fn change(&mut self, account: AccountId, change: Change) {
        let Some(person) = self.accounts.people.get_mut(&account) else { return };
        match change {
            Change::Beside(on) => person.settings.beside = on,
            Change::SecureOnly(on) => person.settings.secure_only = on,
        }
    }

    fn kick_others(&mut self, now: Now, account: AccountId, peer: PeerId) {
        let devices = self.devices_of(account);
        // If it has logged out meanwhile, the device that came last stays.
        let Some(stays) = devices.iter().find(|other| **other == peer).or(devices.last()).copied() else { return };
        let Some(by) = self.devices.all.get(&stays).map(|device| device.address) else { return };
        for other in devices.into_iter().filter(|other| *other != stays) {
            self.kick(now, account, other, by);
        }
    }

    /// Ends the account's plain session, and disarms addresses that were about to start one.
    pub(in crate::server::engine) fn close_to_plain(&mut self, account: AccountId) {
        self.addresses.disarm(account);
        if self.accounts.people.get(&account).is_some_and(|person| person.session.is_some()) {
            self.end_session(account);
            self.effects.push_back(Effect::Store(Op::Write(Write::EndSession { job: 0, account })));
        }
    }

    /// Pushes a message to the writer's other devices.
    pub(in crate::server::engine) fn push_own(
        &mut self,
        (account, device): (AccountId, DeviceName),
        (counter, accepted, online): (u64, u64, Option<bool>),
        own: &OwnCopy,
        at: MessageRow,
        sent: i64,
    ) {
        for peer in self.devices_of(account) {
            if self.devices.all.get(&peer).is_some_and(|other| other.who != Some((account, device))) {
                let (row, to, text) = (number(at), own.to.clone(), own.text.clone());
                self.push(peer, at, |after| FromServer::Own {
                    row,
                    after,
                    to,
                    at: sent,
                    text,
                    device,
                    counter,
                    accepted,
                    online,
                });
            }
        }
    }
}
