//! Presence for devices: everybody who is online at login, later who came, who went and who is shown in another way. Who
//! is invisible is not there for anybody: going invisible looks like going offline, and coming back like coming online.

use std::collections::{BTreeMap, VecDeque};

use super::items::AT_ONCE;
use super::{GATHER, LOOK, NAMED, NAMES};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer};
use crate::protocol::wire::status::{Shown, Status};
use crate::server::engine::{Engine, Now};
use crate::server::store::AccountId;

impl Engine {
    /// Looks up whether there is an account of this name. Only a device that is logged in may ask, and it counts as a
    /// message, whose answer would tell the same: so nobody can collect names faster this way than by writing to them,
    /// and strangers cannot at all. A stranger can learn as much by trying to log in, which has no such limit.
    pub(in crate::server::engine) fn look_up(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        who: AccountId,
        account: &str,
    ) {
        if self.send_rates.device(now, who, account).is_err() {
            return self.fail(peer, id, Code::TryLater);
        }
        match self.accounts.named(account).and_then(|found| self.accounts.people.get(&found)) {
            Some(person) => {
                let (account, made) = (person.name.clone(), person.made);
                self.frame_to(peer, FromServer::Account { id, account, made });
            }
            None => self.fail(peer, id, Code::NoAccount),
        }
    }

    /// Tells a device that has just logged in who is online.
    pub(in crate::server::engine) fn introduce(&mut self, now: Now, peer: PeerId) {
        if self.devices.look_at.is_none() {
            // While there was no device, nobody had to be told.
            self.devices.shown = self.everybody(now);
        }
        let mut first = true;
        for frame in told(&BTreeMap::new(), &self.devices.shown) {
            self.frame_to(peer, FromServer::Presence { first, online: frame.came, states: frame.states });
            first = false;
        }
        if first {
            self.frame_to(peer, FromServer::Presence { first, online: Vec::new(), states: BTreeMap::new() });
        }
    }

    /// Handles what a device says of whether its person is there. Who says it too often is believed, but others hear of
    /// it later, so that nobody keeps everybody busy with it.
    pub(super) fn device_is_here(&mut self, now: Now, peer: PeerId, account: AccountId, away: bool) {
        let Some(device) = self.devices.all.get_mut(&peer).filter(|device| device.away != away) else { return };
        device.away = away;
        if self.send_rates.state(now, account).is_ok() {
            self.devices.somebody_moved(now);
        }
    }

    /// Called when another state that an account's owner has chosen is on disk.
    pub(super) fn chose(&mut self, now: Now, account: AccountId, status: Status) {
        if let Some(person) = self.accounts.people.get_mut(&account) {
            person.status = status;
        }
        self.devices.somebody_moved(now);
    }

    /// Returns everybody who is online for others, and in what way.
    fn everybody(&self, now: Now) -> BTreeMap<String, Shown> {
        let all = self.addresses.sessions.values().copied().chain(self.devices.accounts());
        let here = all.filter(|id| self.present(now, *id));
        here.filter_map(|id| {
            let person = self.accounts.people.get(&id)?;
            let away = |peer| self.devices.all.get(peer).is_some_and(|device| device.away);
            let away = !person.devices.is_empty() && person.devices.iter().all(away);
            Some((person.name.clone(), person.status.shown(away)?))
        })
        .collect()
    }

    /// Tells all devices who came, who went and who is shown in another way, if it is time.
    pub(in crate::server::engine) fn presence(&mut self, now: Now) {
        if self.devices.look_at.is_none_or(|at| at > now.instant) {
            return;
        }
        if !self.devices.telling.to.is_empty() {
            return self.tell_some(now);
        }
        let here = self.everybody(now);
        let frames = told(&self.devices.shown, &here);
        self.devices.shown = here;
        let listening = self.devices.all.iter().filter(|(_, device)| device.who.is_some()).map(|(peer, _)| *peer);
        let to: VecDeque<PeerId> = listening.collect();
        let next = (!to.is_empty()).then(|| now.instant + LOOK);
        if !frames.is_empty() {
            self.devices.telling = Telling { frames, to };
            self.tell_some(now);
        }
        if self.devices.telling.to.is_empty() {
            self.devices.look_at = next;
        }
    }

    /// Tells up to [`AT_ONCE`] devices what the last look has found; the others follow in later turns, and the next look
    /// waits for them. Who has logged in since knows it already.
    fn tell_some(&mut self, now: Now) {
        for _ in 0..AT_ONCE {
            let Some(peer) = self.devices.telling.to.pop_front() else { break };
            if self.devices.all.get(&peer).is_none_or(|device| device.who.is_none()) {
                continue;
            }
            for Told { came, went, states } in self.devices.telling.frames.clone() {
                self.frame_to(peer, FromServer::Changes { came, went, states });
            }
        }
        // Somebody may have moved meanwhile, so the next look is soon.
        let done = self.devices.telling.to.is_empty();
        self.devices.look_at = Some(if done { now.instant + GATHER } else { now.instant });
    }
}

/// What one frame says of who came, who went and who is shown in another way.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) came: Vec<String>,
    pub(super) went: Vec<String>,
    pub(super) states: BTreeMap<String, Shown>,
}

/// Telling devices what a look has found.
#[derive(Debug, Default)]
pub(super) struct Telling {
    frames: Vec<Told>,
    /// The devices that have not been told yet.
    to: VecDeque<PeerId>,
}

/// What is told, in as many parts as it takes for each to fit into a frame.
#[derive(Debug, Default)]
struct Parts {
    full: Vec<Told>,
    last: Told,
    names: usize,
    bytes: usize,
}

impl Parts {
    /// Returns the part that takes one more name, which may be written at these lengths.
    fn with(&mut self, name: &str, shown: Option<&Shown>) -> &mut Told {
        // Quotes and backslashes are written as two bytes. A state repeats the name.
        let state = shown.map_or(0, |shown| name.len() + shown.text.len() + 32);
        let more = 2 * (name.len() + state) + 3;
        (self.names, self.bytes) = (self.names + 1, self.bytes + more);
        if self.names > NAMES || self.bytes > NAMED {
            (self.names, self.bytes) = (1, more);
            self.full.push(std::mem::take(&mut self.last));
        }
        &mut self.last
    }
}

/// Returns what has changed between two looks.
pub(super) fn told(before: &BTreeMap<String, Shown>, here: &BTreeMap<String, Shown>) -> Vec<Told> {
    let mut parts = Parts::default();
    for name in before.keys().filter(|name| !here.contains_key(*name)) {
        parts.with(name, None).went.push(name.clone());
    }
    for (name, shown) in here {
        let was = before.get(name);
        if was == Some(shown) {
            continue;
        }
        let state = Some(shown).filter(|shown| was.is_some() || !shown.is_plain());
        let part = parts.with(name, state);
        if was.is_none() {
            part.came.push(name.clone());
        }
        part.states.extend(state.map(|state| (name.clone(), state.clone())));
    }
    if parts.names > 0 {
        parts.full.push(parts.last);
    }
    parts.full
}
