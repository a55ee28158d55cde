//! Who somebody is: the store says it of many at once, so that nobody has to be in memory for it.

use super::PendingFrame;
use crate::base::model::Account;
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer, PEOPLE};
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Engine, Now};
use crate::server::store::{AccountId, Done, Op, Read};

impl Engine {
    /// A device asks who accounts are. That somebody has blocked the asker is not told by it: a profile is public.
    pub(super) fn device_asks_who(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        account: AccountId,
        mut accounts: Vec<String>,
    ) {
        if accounts.len() > PEOPLE {
            return self.fail(peer, id, Code::BadField);
        }
        if let Err(wait) = self.send_rates.cards(now, account) {
            return self.put_off_for(peer, id, wait);
        }
        accounts.retain(|name| Account::person(name).is_ok());
        let read = |job| Op::Read(Read::Cards { job, accounts });
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Cards { id }), read);
    }

    /// Who accounts are has been read, or cannot be.
    pub(super) fn cards_came(&mut self, peer: PeerId, id: u64, came: JobResult) {
        match came {
            JobResult::Stored(Done::Cards { cards: people, .. }) => {
                self.frame_to(peer, FromServer::People { id, people });
            }
            _ => self.fail(peer, id, Code::TryLater),
        }
    }
}
