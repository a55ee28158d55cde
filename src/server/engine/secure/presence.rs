//! Presence for devices: everybody who is online at login, later who came and who went.

use std::collections::BTreeSet;

use super::{LOOK, NAMES};
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer};
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
        let shown: Vec<String> = self.devices.shown.iter().cloned().collect();
        let mut first = true;
        for online in shown.chunks(NAMES) {
            self.frame_to(peer, FromServer::Presence { first, online: online.to_vec() });
            first = false;
        }
        if first {
            self.frame_to(peer, FromServer::Presence { first, online: Vec::new() });
        }
    }

    pub(in crate::server::engine) fn everybody(&self, now: Now) -> BTreeSet<String> {
        let all = self.addresses.sessions.values().copied().chain(self.devices.accounts());
        let here = all.filter(|id| self.present(now, *id));
        here.filter_map(|id| self.accounts.people.get(&id)).map(|person| person.name.clone()).collect()
    }

    /// Tells all devices who came and who went, if it is time.
    pub(in crate::server::engine) fn presence(&mut self, now: Now) {
        if self.devices.look_at.is_none_or(|at| at > now.instant) {
            return;
        }
        let here = self.everybody(now);
        let came: Vec<String> = here.difference(&self.devices.shown).cloned().collect();
        let went: Vec<String> = self.devices.shown.difference(&here).cloned().collect();
        self.devices.shown = here;
        let listening: Vec<PeerId> =
            self.devices.all.iter().filter(|(_, device)| device.who.is_some()).map(|(peer, _)| *peer).collect();
        if !came.is_empty() || !went.is_empty() {
            for peer in &listening {
                self.frame_to(*peer, FromServer::Changes { came: came.clone(), went: went.clone() });
            }
        }
        self.devices.look_at = (!listening.is_empty()).then(|| now.instant + LOOK);
    }
}
