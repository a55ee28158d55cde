//! Registering: hashed, stored, then answered. Who asks for a name that somebody else is registering waits to hear
//! what becomes of that.

use std::net::SocketAddr;

use super::{Effect, Engine, Now, Waiting};
use crate::base::model::{Account, Password};
use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::Registered;
use crate::server::hasher::{Job, MOST_JOBS};

/// Most addresses that wait for one name.
const RIVALS: usize = 4;

impl Engine {
    pub(super) fn register(
        &mut self,
        now: Now,
        from: SocketAddr,
        account: Account,
        password: Password,
        confirm: &Password,
    ) {
        let name = account.as_str();
        if password != *confirm {
            self.reply(from, &Reply::Register(Registered::PasswordsDiffer));
        } else if self.names.contains_key(name) {
            self.reply(from, &Reply::Register(Registered::AccountExists));
        } else if let Some(others) = self.pending.get_mut(name) {
            // Whether it exists is known when the first one is on disk, or is not.
            if others.len() < RIVALS {
                others.push(from);
                self.lanes.hold(from);
            }
        } else if self.names.len() >= self.quotas.accounts || self.pending.len() >= MOST_JOBS {
            if let Some(more) = self.refused_accounts.speaks(now.instant) {
                let (names, most) = (self.names.len(), self.quotas.accounts);
                log::warn!("registration of {account} refused: {names} of {most} accounts (and {more} times before)");
            }
            self.refuse(now, from, &Reply::NotUnderstood);
        } else {
            self.pending.insert(name.to_owned(), Vec::new());
            let job = self.wait(from, Waiting::Hash { account });
            self.effects.push_back(Effect::Hash(Job::New { job, password }));
        }
    }

    /// What became of a registration; nothing of it is on disk if there is no outcome.
    pub(super) fn registered(&mut self, now: Now, from: SocketAddr, name: &str, outcome: Option<Registered>) {
        if let Some(outcome) = outcome {
            self.reply(from, &Reply::Register(outcome));
        }
        self.free(from, now);
        self.rivals(now, name, outcome);
    }

    /// Answers those who asked for the same name meanwhile.
    pub(super) fn rivals(&mut self, now: Now, name: &str, outcome: Option<Registered>) {
        for other in self.pending.remove(name).unwrap_or_default() {
            if outcome.is_some() {
                self.reply(other, &Reply::Register(Registered::AccountExists));
            }
            self.free(other, now);
        }
    }
}
