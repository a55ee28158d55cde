//! Registration in the plain dialect: the password is hashed, the account is stored, then the client is answered.
//! Addresses that ask for a name that another is registering wait for the outcome.

use std::net::SocketAddr;

use super::accounts::NameClaim;
use super::jobs::PendingJob;
use super::requests::{NextStep, PendingRequest};
use super::{Engine, Now};
use crate::base::model::{Account, Password};
use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::Registered;
use crate::server::hasher::Job;

impl Engine {
    pub(super) fn register(
        &mut self,
        now: Now,
        from: SocketAddr,
        account: Account,
        password: Password,
        confirm: &Password,
    ) {
        if password != *confirm {
            return self.reply(from, &Reply::Register(Registered::PasswordsDiffer));
        }
        match self.accounts.claim(account.as_str()) {
            NameClaim::Granted => {
                self.ask_hasher(PendingJob::Request(from, PendingRequest::Hash { account }), |job| Job::New {
                    job,
                    password,
                });
            }
            NameClaim::Exists => self.reply(from, &Reply::Register(Registered::AccountExists)),
            // Whether the name exists is known once the other registration is on disk or has failed.
            NameClaim::Pending => {
                if self.accounts.wait_for(account.as_str(), from) {
                    self.lanes.hold(from);
                }
            }
            NameClaim::Full => {
                self.accounts.say_full(account.as_str(), now.instant);
                self.refuse(now, from, &Reply::NotUnderstood);
            }
        }
    }

    /// Answers a registration with its outcome; `None`, if nothing was stored, is not answered.
    pub(super) fn registered(
        &mut self,
        now: Now,
        from: SocketAddr,
        name: &str,
        outcome: Option<Registered>,
    ) -> NextStep {
        if let Some(outcome) = outcome {
            self.reply(from, &Reply::Register(outcome));
        }
        self.free(from, now);
        self.rivals(now, name, outcome);
        NextStep::Later
    }

    /// Answers the addresses that asked for the same name meanwhile.
    pub(super) fn rivals(&mut self, now: Now, name: &str, outcome: Option<Registered>) {
        for other in self.accounts.settle(name) {
            if outcome.is_some() {
                self.reply(other, &Reply::Register(Registered::AccountExists));
            }
            self.free(other, now);
        }
    }
}
