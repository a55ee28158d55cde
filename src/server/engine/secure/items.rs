//! Items for an account's devices. A device asks for what has changed after the version that it has on disk, and is
//! answered as soon as there is something. So nothing is queued for a device, and one that never asks costs nothing.
//! The first question after a login is always answered: the digest in the answer shows the device whether it has the
//! same items as the server.

use serde::Deserialize;

use super::{DeviceName, PendingFrame, number};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer, Key, Reason};
use crate::protocol::wire::item::{Item, Kind};
use crate::protocol::wire::status::Status;
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Engine, Now};
use crate::server::store::{AccountId, Done, ItemPage, Op, Outcome, Read, Write};

/// How many accounts' devices are told in one turn that items have changed. Someone may have 10,000 friends; the rest
/// follow in later turns, so that others' requests come in between.
pub(super) const AT_ONCE: usize = 256;

/// What a device has been told of its account's items.
#[derive(Debug, Default)]
pub(super) struct ItemCursor {
    /// The version of the device's question that is not answered yet.
    asked: Option<i64>,
    /// Whether the store is reading them.
    reading: bool,
    /// Whether something has changed since the store was asked.
    changed: bool,
    /// Whether the device has been answered since it logged in.
    answered: bool,
    /// The version after which there is nothing, as far as is known.
    current: Option<i64>,
}

impl Engine {
    /// Handles a device's question for what has changed after a version.
    pub(super) fn device_asks_for_items(&mut self, peer: PeerId, version: u64) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        device.items.asked = Some(i64::try_from(version).unwrap_or(i64::MAX));
        self.read_items(peer);
    }

    fn read_items(&mut self, peer: PeerId) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        let (Some(who), Some(after)) = (device.who, device.items.asked) else { return };
        let items = &mut device.items;
        if items.reading || items.answered && items.current == Some(after) {
            return;
        }
        (items.reading, items.changed) = (true, false);
        let read = |job| Read::Items { job, account: who.0, after };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Items { who }), |job| Op::Read(read(job)));
    }

    /// Handles what the store has read for a device's question.
    pub(super) fn items_read(&mut self, peer: PeerId, who: (AccountId, DeviceName), came: JobResult) {
        // Not if another account has logged in on this connection meanwhile.
        let Some(device) = self.devices.all.get_mut(&peer).filter(|device| device.who == Some(who)) else { return };
        let items = &mut device.items;
        items.reading = false;
        // If the disk could not be read, the next change or the next login tries again.
        let JobResult::Stored(Done::Items { page, .. }) = came else { return };
        let ItemPage { version, anew, items: changed, more, digest } = page;
        items.current = (!more && !items.changed).then_some(version);
        let nothing = changed.is_empty() && !anew && items.asked == Some(version);
        if nothing && items.answered {
            // They have changed once more while this was read.
            return self.read_items(peer);
        }
        (items.asked, items.answered) = (None, true);
        let digest = (!more).then_some(Key(digest.to_be_bytes()));
        self.frame_to(peer, FromServer::Items { version: number(version), anew, items: changed, more, digest });
    }

    /// Called when items of these accounts have changed and this is on disk.
    pub(in crate::server::engine) fn items_changed(&mut self, now: Now, accounts: &[AccountId]) {
        self.devices.news.extend(accounts);
        self.tell_news(now);
    }

    /// Tells the devices of up to [`AT_ONCE`] accounts that wait for it that items have changed.
    pub(in crate::server::engine) fn tell_news(&mut self, now: Now) {
        for _ in 0..AT_ONCE {
            let Some(account) = self.devices.news.pop_front() else { break };
            for peer in self.devices_of(account) {
                let Some(device) = self.devices.all.get_mut(&peer) else { continue };
                (device.items.changed, device.items.current) = (true, None);
                self.read_items(peer);
            }
        }
        self.devices.news_at = (!self.devices.news.is_empty()).then_some(now.instant);
    }

    /// Handles a device's request to set an item.
    pub(super) fn device_sets(&mut self, now: Now, peer: PeerId, id: u64, account: AccountId, item: &Item) {
        let kind = Kind::named(&item.kind);
        let Some((kind, Ok(value))) = kind.map(|kind| (kind, kind.checked(&item.key, item.value.as_ref()))) else {
            return self.fail(peer, id, Code::BadField);
        };
        if !self.send_rates.set(now, account) {
            return self.fail(peer, id, Code::TryLater);
        }
        if kind == Kind::Profile
            && let Err(wait) = self.send_rates.profile(now, account)
        {
            return self.put_off_for(peer, id, wait);
        }
        if kind == Kind::Status
            && let Err(wait) = self.send_rates.state(now, account)
        {
            return self.put_off_for(peer, id, wait);
        }
        let status = (kind == Kind::Status).then(|| value.clone().and_then(|value| Status::deserialize(value).ok()));
        let status = status.map(|status| (account, status.unwrap_or_default()));
        let (key, value) = (item.key.clone(), value.map(|value| value.to_string()));
        let write = |job| Write::SetItem { job, account, kind, key, value };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Change { id, status }), |job| Op::Write(write(job)));
    }

    /// Answers a change of items, or a request between two accounts, once it is on disk or is refused.
    /// `status` is what the change sets an account's status to, if it is one.
    pub(super) fn change_came(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        status: Option<(AccountId, Status)>,
        came: JobResult,
    ) {
        let JobResult::Stored(Done::Changed { outcome, lists, delivered, .. }) = came else {
            return self.put_off(peer, id, Reason::NotStored);
        };
        if let Some((account, status)) = status.filter(|_| outcome == Outcome::Done) {
            self.chose(now, account, status);
        }
        delivered.into_iter().for_each(|delivery| self.delivered(delivery));
        self.items_changed(now, &lists);
        match outcome {
            Outcome::Done => self.frame_to(peer, FromServer::Done { id }),
            Outcome::Question(text) => self.frame_to(peer, FromServer::Question { id, text }),
            Outcome::AlreadyFriends => self.fail(peer, id, Code::AlreadyFriends),
            Outcome::NotWanted => self.fail(peer, id, Code::NotWanted),
            Outcome::WrongAnswer => self.fail(peer, id, Code::WrongAnswer),
            Outcome::TooMany => self.fail(peer, id, Code::TooMany),
        }
    }
}
