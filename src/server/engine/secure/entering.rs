//! Registration, login and resumption of devices, and which other sessions they end.

use std::net::SocketAddr;

use ring::hmac;

use super::delivered::DeliveryCursor;
use super::items::ItemCursor;
use super::waiting::{By, Check, PendingFrame};
use super::{BESIDE, DeviceName, sha256};
use crate::base::model::{Account, Password};
use crate::protocol::link::{COPIED, COPIED_BESIDE, PeerId};
use crate::protocol::wire::frame::{Code, FromServer, Key, Reason};
use crate::protocol::wire::item::Profile;
use crate::protocol::wire::reply::Registered;
use crate::server::engine::accounts::NameClaim;
use crate::server::engine::jobs::PendingJob;
use crate::server::engine::{Effect, Engine, Now};
use crate::server::hasher::Job;
use crate::server::store::{AccountId, MessageRow, Op, Write};

impl Engine {
    pub(in crate::server::engine) fn leave(&mut self, now: Now, account: AccountId, peer: PeerId) {
        if let Some(person) = self.accounts.people.get_mut(&account) {
            person.devices.retain(|other| *other != peer);
            self.addresses.last_present = now.instant;
        }
        self.devices.somebody_moved(now);
    }

    /// Ends a device's session because another has logged in; the device is told from which address and when.
    pub(in crate::server::engine) fn kick(&mut self, now: Now, account: AccountId, peer: PeerId, by: SocketAddr) {
        if let Some(device) = self.devices.all.get_mut(&peer) {
            (device.who, device.more) = (None, false);
            device.window.clear();
        }
        self.frame_to(peer, FromServer::Kicked { address: by.to_string(), at: now.unix });
        self.leave(now, account, peer);
    }

    /// Ends the sessions of all devices of an account.
    pub(in crate::server::engine) fn kick_all(&mut self, now: Now, account: AccountId, by: SocketAddr) {
        for peer in self.devices_of(account) {
            self.kick(now, account, peer, by);
        }
    }

    /// Returns the address of a device.
    pub(in crate::server::engine) fn device_address(&self, peer: PeerId) -> Option<SocketAddr> {
        self.devices.all.get(&peer).map(|device| device.address)
    }

    /// Forgets a device, so that frames that still come from it are ignored.
    pub(in crate::server::engine) fn drop_device(&mut self, peer: PeerId) {
        self.devices.all.remove(&peer);
    }

    pub(in crate::server::engine) fn devices_of(&self, account: AccountId) -> Vec<PeerId> {
        self.accounts.people.get(&account).map(|person| person.devices.clone()).unwrap_or_default()
    }

    pub(in crate::server::engine) fn device_registers(
        &mut self,
        peer: PeerId,
        id: u64,
        (account, profile): (Account, Option<Profile>),
        password: Password,
    ) {
        match self.accounts.claim(account.as_str()) {
            NameClaim::Granted => {}
            NameClaim::Exists => return self.fail(peer, id, Code::AccountExists),
            NameClaim::Pending | NameClaim::Full => return self.fail(peer, id, Code::TryLater),
        }
        self.ask_hasher(PendingJob::Frame(peer, PendingFrame::Hash { id, account, profile }), |job| Job::New {
            job,
            password,
        });
    }

    pub(in crate::server::engine) fn device_logs_in(
        &mut self,
        peer: PeerId,
        id: u64,
        account: AccountId,
        password: Password,
        device: DeviceName,
        (cursor, made): (Option<u64>, Option<i64>),
    ) {
        let Some(address) = self.devices.all.get(&peer).map(|device| device.address) else { return };
        let Some((against, nth)) = self.accounts.people.get(&account).map(|person| (person.hashed.clone(), person.nth))
        else {
            return;
        };
        let Some(counted) = self.device_may_try(account, address) else {
            return self.put_off(peer, id, Reason::TooManyTries);
        };
        let waiting = PendingFrame::Check(Check { id, account, nth, address, counted, device, cursor, made });
        self.ask_hasher(PendingJob::Frame(peer, waiting), |job| Job::Check { job, password, against });
    }

    pub(in crate::server::engine) fn device_registered(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        name: &str,
        outcome: Option<Registered>,
    ) {
        match outcome {
            Some(Registered::Done) => self.frame_to(peer, FromServer::Registered { id }),
            Some(_) => self.fail(peer, id, Code::AccountExists),
            None => self.put_off(peer, id, Reason::NotStored),
        }
        self.rivals(now, name, outcome);
    }

    /// Handles the result of checking a device's password; `None` if it was not checked.
    pub(super) fn device_checked(&mut self, now: Now, peer: PeerId, check: Check, right: Option<bool>) {
        let Check { id, account, nth, address, counted, device, cursor, made } = check;
        // If the account has another password by now, the result says nothing.
        let right = right.filter(|_| self.nth_password(account) == Some(nth));
        // This comes first, so that a try counts even if its connection has ended meanwhile.
        self.device_tried(now, account, address, counted, right);
        let Some(random) = self.devices.all.get(&peer).map(|device| device.random) else { return };
        match right {
            // The device's cursor and messages belong to an account that is gone.
            Some(true) if made.is_some_and(|made| self.made(account) != Some(made)) => {
                self.fail(peer, id, Code::MadeAnew);
            }
            // A new token would replace that of the device that is in.
            Some(true) if self.is_in_use(peer, (account, device)) => self.fail(peer, id, Code::InUse),
            Some(true) => self.enter(now, peer, id, account, device, cursor, By::Password(Key(random))),
            Some(false) => self.fail(peer, id, Code::WrongPassword),
            None if self.nth_password(account).is_none() => self.fail(peer, id, Code::NoAccount),
            None => self.fail(peer, id, Code::TryLater),
        }
    }

    /// Returns why a login is no longer valid, if so: the account was deleted or got another password while it was
    /// being stored.
    pub(super) fn is_over(&self, account: AccountId, nth: u64, by: &By) -> Option<Code> {
        match (self.nth_password(account), by) {
            (None, _) => Some(Code::NoAccount),
            (Some(now), _) if now == nth => None,
            // A second check would find the password wrong.
            (Some(_), By::Password(_)) => Some(Code::TryLater),
            (Some(_), By::Proof(_)) => Some(Code::BadToken),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what a login consists of")]
    pub(super) fn enter(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        account: AccountId,
        device: DeviceName,
        cursor: Option<u64>,
        by: By,
    ) {
        let token = match &by {
            By::Password(token) => Some(sha256(&[&token.0])),
            By::Proof(_) => None,
        };
        let nth = self.nth_password(account).unwrap_or_default();
        let waiting = PendingFrame::Enter { id, account, nth, device, cursor: cursor.is_some(), by };
        let write = |job| Write::Enter { job, account, device, token, cursor, at: now.unix };
        self.ask_store(PendingJob::Frame(peer, waiting), |job| Op::Write(write(job)));
    }

    /// Sets that the logins of this connection must not end other sessions.
    pub(super) fn ends_nobody(&mut self, peer: PeerId) {
        if let Some(device) = self.devices.all.get_mut(&peer) {
            device.if_free = true;
        }
    }

    /// Returns whether a login would end another session although it must not.
    pub(super) fn is_in_use(&self, peer: PeerId, who: (AccountId, DeviceName)) -> bool {
        if !self.devices.all.get(&peer).is_some_and(|device| device.if_free) {
            return false;
        }
        let Some(person) = self.accounts.people.get(&who.0) else { return false };
        let is_another = |other: &&PeerId| {
            **other != peer && self.devices.all.get(other).is_some_and(|device| device.who != Some(who))
        };
        let others = person.devices.iter().filter(is_another).count();
        person.session.is_some() || others >= if person.settings.beside { BESIDE } else { 1 }
    }

    pub(in crate::server::engine) fn proves(&self, peer: PeerId, token: Option<[u8; 32]>, proof: &Key<32>) -> bool {
        let Some((token, device)) = token.zip(self.devices.all.get(&peer)) else { return false };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &token), &device.exported, &proof.0).is_ok()
    }

    #[allow(clippy::too_many_arguments, reason = "what the answer to a login consists of")]
    pub(in crate::server::engine) fn device_is_in(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        who: (AccountId, DeviceName),
        token: Option<Key<32>>,
        highest: u64,
        (start, told): (MessageRow, Option<u64>),
    ) {
        let Some(address) = self.devices.all.get(&peer).map(|device| device.address) else { return };
        let mut ended = self.accounts.people.get(&who.0).and_then(|person| person.session.as_ref()).map(|s| s.address);
        if ended.is_some() {
            self.end_session(who.0);
            self.effects.push_back(Effect::Store(Op::Write(Write::EndSession { job: 0, account: who.0 })));
        }
        // If the same device comes back it replaces its own old connection, which may not have ended yet and which it
        // has abandoned. If a program does receive this close, it is another one, with a copy of the device's folder.
        let beside = self.accounts.people.get(&who.0).is_some_and(|person| person.settings.beside);
        let code = if beside { COPIED_BESIDE } else { COPIED };
        let others = self.devices_of(who.0).into_iter().filter(|other| *other != peer);
        let (same, mut others): (Vec<_>, Vec<_>) =
            others.partition(|other| self.devices.all.get(other).is_some_and(|d| d.who == Some(who)));
        for old in same {
            self.devices.all.remove(&old);
            self.leave(now, who.0, old);
            self.effects.push_back(Effect::Close { peer: old, code, reason: "came back on another connection" });
        }
        if beside {
            others.truncate((others.len() + 1).saturating_sub(BESIDE));
        }
        for old in others {
            ended = self.devices.all.get(&old).map(|device| device.address);
            self.kick(now, who.0, old, address);
        }
        // A connection has one account: logging in to another one leaves the first.
        let before = self.devices.all.get_mut(&peer).and_then(|device| device.who.replace(who));
        if let Some((account, _)) = before.filter(|(account, _)| *account != who.0) {
            self.leave(now, account, peer);
        }
        if let Some(person) = self.accounts.people.get_mut(&who.0) {
            person.devices.retain(|other| *other != peer);
            person.devices.push(peer);
        }
        if let Some(device) = self.devices.all.get_mut(&peer) {
            (device.pushed, device.more, device.reading) = (start, true, false);
            device.told = DeliveryCursor::default();
            device.items = ItemCursor::default();
            device.window.clear();
            device.away = false;
        }
        let ended = ended.map(|address| address.to_string());
        let made = self.made(who.0);
        self.frame_to(peer, FromServer::LoggedIn { id, token, highest, ended, start: told, made });
        self.introduce(now, peer);
        self.devices.somebody_moved(now);
        self.read_on(peer);
    }
}
