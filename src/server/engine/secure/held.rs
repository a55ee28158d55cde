//! A device's frames while one of them waits for a person to be looked up: they stay in their order, and delay no other
//! device.

use std::collections::VecDeque;

use super::MOST_WAITING;
use crate::base::model::Account;
use crate::protocol::link::{PeerId, REFUSED};
use crate::protocol::wire::frame::{Code, FromClient, FromServer, Reason};
use crate::server::engine::accounts::NameLookup;
use crate::server::engine::finding::LookupWaiter;
use crate::server::engine::{Effect, Engine, Now};
use crate::server::store::{AccountId, PersonKey};

/// The most bytes of frames that may wait, of a device that is logged in.
const MOST_BYTES: usize = 256 << 10;
/// The most bytes of frames that may wait, of a connection that is not logged in.
const OF_STRANGERS: usize = 8 << 10;

/// The frames of a connection that wait.
#[derive(Debug, Default)]
pub(super) struct HeldFrames {
    /// Whether the first of them waits for a look-up.
    waits: bool,
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl HeldFrames {
    fn pop(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.pop_front()?;
        self.bytes = self.bytes.saturating_sub(frame.len());
        Some(frame)
    }
}

impl Engine {
    /// Returns whether a frame may be handled now. Else it waits behind the others; if a connection sends too many, it
    /// is closed.
    pub(super) fn passes(&mut self, peer: PeerId, bytes: &[u8]) -> bool {
        let Some(device) = self.devices.all.get_mut(&peer) else { return false };
        let most = if device.who.is_some() { MOST_BYTES } else { OF_STRANGERS };
        let held = &mut device.frames;
        if !held.waits {
            return true;
        }
        if held.frames.len() >= MOST_WAITING || held.bytes + bytes.len() > most {
            self.effects.push_back(Effect::Close { peer, code: REFUSED, reason: "asks too fast" });
            return false;
        }
        held.bytes += bytes.len();
        held.frames.push_back(bytes.to_vec());
        false
    }

    /// Returns the account that this frame needs, if it is in memory. Nobody is needed if the frame will be refused
    /// anyway, because its device is `busy` with a login, is `crowded`, or is not logged in (`known` is false).
    ///
    /// # Errors
    /// The key that the store is to be asked for before the frame can be handled.
    pub(super) fn missing_for(
        &self,
        frame: &FromClient,
        known: bool,
        (busy, crowded): (bool, bool),
    ) -> Result<Option<AccountId>, PersonKey> {
        let found = match frame {
            FromClient::Register { .. } | FromClient::Login { .. } | FromClient::Resume { .. } if busy => {
                return Ok(None);
            }
            FromClient::Send { .. } | FromClient::History { .. } if crowded => return Ok(None),
            FromClient::Register { account, .. } => self.accounts.find_exactly(account),
            FromClient::Login { account, .. } | FromClient::Resume { account, .. } => self.accounts.find(account),
            FromClient::Send { to: name, .. }
            | FromClient::LookUp { account: name, .. }
            | FromClient::Befriend { account: name, .. }
            | FromClient::AnswerFriend { account: name, .. }
            | FromClient::Unfriend { account: name, .. }
            | FromClient::History { peer: name, .. }
                if known && name != Account::LOBBY =>
            {
                self.accounts.find(name)
            }
            FromClient::Send { .. }
            | FromClient::LookUp { .. }
            | FromClient::Befriend { .. }
            | FromClient::AnswerFriend { .. }
            | FromClient::Unfriend { .. }
            | FromClient::History { .. }
            | FromClient::Items { .. }
            | FromClient::Set { .. }
            | FromClient::People { .. }
            | FromClient::Find { .. }
            | FromClient::Here { .. }
            | FromClient::Logout { .. }
            | FromClient::Ack { .. }
            | FromClient::Delivered { .. }
            | FromClient::AccountSettings { .. }
            | FromClient::SetDevices { .. }
            | FromClient::SetSecureOnly { .. }
            | FromClient::Ping { .. }
            | FromClient::IfFree
            | FromClient::Unknown => NameLookup::Nobody,
        };
        found.known()
    }

    /// Lets a frame wait for a look-up, if its address may cause one now; else its device is told to try later.
    pub(super) fn seek_for_frame(
        &mut self,
        now: Now,
        peer: PeerId,
        sought: PersonKey,
        frame: FromClient,
        bytes: &[u8],
    ) {
        let Some(device) = self.devices.all.get_mut(&peer) else { return };
        if let Err(at) = self.finding.allows(device.address, device.who.is_none(), now.instant) {
            let wait = at.map(|at| u64::try_from(at.saturating_duration_since(now.instant).as_millis()).unwrap_or(0));
            return self.put_off_frame(peer, frame, wait, None);
        }
        device.frames.waits = true;
        device.frames.bytes += bytes.len();
        device.frames.frames.push_front(bytes.to_vec());
        self.seek(now, sought, LookupWaiter::Device(peer));
    }

    /// Handles a device's first frame, whose look-up has an answer, and then those behind it.
    pub(in crate::server::engine) fn go_on(&mut self, now: Now, peer: PeerId) {
        while let Some(device) = self.devices.all.get_mut(&peer) {
            device.frames.waits = false;
            let Some(frame) = device.frames.pop() else { return };
            self.begin_frame(now, peer, &frame);
            if self.devices.all.get(&peer).is_none_or(|device| device.frames.waits) {
                return;
            }
        }
    }

    /// Refuses a device's first frame because the store could not be read, and then handles those behind it.
    pub(in crate::server::engine) fn go_on_without(&mut self, now: Now, peer: PeerId) {
        let frame = self.devices.all.get_mut(&peer).and_then(|device| device.frames.pop());
        if let Some(frame) = frame.and_then(|frame| FromClient::decode(&frame).ok()) {
            self.put_off_frame(peer, frame, None, Some(Reason::NotStored));
        }
        self.go_on(now, peer);
    }

    /// Refuses a frame because a person cannot be looked up now; `wait` says for how many milliseconds.
    fn put_off_frame(&mut self, peer: PeerId, frame: FromClient, wait: Option<u64>, reason: Option<Reason>) {
        let code = Code::TryLater;
        match frame {
            FromClient::Send { counter, .. } => {
                self.frame_to(peer, FromServer::Refused { counter, code, wait, reason, made: None });
            }
            FromClient::Register { id, .. }
            | FromClient::Login { id, .. }
            | FromClient::Resume { id, .. }
            | FromClient::LookUp { id, .. }
            | FromClient::Befriend { id, .. }
            | FromClient::AnswerFriend { id, .. }
            | FromClient::Unfriend { id, .. }
            | FromClient::History { id, .. } => self.frame_to(peer, FromServer::Error { id, code, reason, wait }),
            // These need no look-up.
            FromClient::Logout { .. }
            | FromClient::Ack { .. }
            | FromClient::Delivered { .. }
            | FromClient::Items { .. }
            | FromClient::Set { .. }
            | FromClient::People { .. }
            | FromClient::Find { .. }
            | FromClient::Here { .. }
            | FromClient::AccountSettings { .. }
            | FromClient::SetDevices { .. }
            | FromClient::SetSecureOnly { .. }
            | FromClient::Ping { .. }
            | FromClient::IfFree
            | FromClient::Unknown => {}
        }
    }
}
