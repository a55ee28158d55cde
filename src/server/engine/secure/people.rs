//! The profiles of accounts that a device asks about, and the search for people. The store reads many at a time, so
//! that none of them has to be in memory.

use super::PendingFrame;
use crate::base::model::Account;
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::{Code, FromServer, PEOPLE};
use crate::protocol::wire::item::short;
use crate::server::engine::jobs::{JobResult, PendingJob};
use crate::server::engine::{Engine, Now};
use crate::server::store::{AccountId, Done, Found, Op, Read};

impl Engine {
    /// Handles a device's question for profiles. The answer does not show who has blocked the asker: profiles are
    /// public.
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

    /// Handles a device's search for people.
    pub(super) fn device_finds(&mut self, now: Now, peer: PeerId, id: u64, account: AccountId, text: &str) {
        let Some(text) = short(text).ok().filter(|text| !text.is_empty()) else {
            return self.fail(peer, id, Code::BadField);
        };
        match self.send_rates.find(now, account) {
            Ok(()) => self.find(peer, id, text),
            Err(wait) => self.put_off_for(peer, id, wait),
        }
    }

    fn find(&mut self, peer: PeerId, id: u64, text: String) {
        let sought = text.clone();
        let read = |job| Op::Read(Read::Find { job, text: sought });
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Find { id, text }), read);
    }

    /// Answers a search. While the store is still reading its directory piece by piece, the search is repeated.
    pub(super) fn found_came(&mut self, peer: PeerId, id: u64, text: String, came: JobResult) {
        match came {
            JobResult::Stored(Done::Found { found: Some(Found { people, more }), .. }) => {
                self.frame_to(peer, FromServer::Found { id, people, more });
            }
            JobResult::Stored(Done::Found { found: None, .. }) => {
                if self.device_address(peer).is_some() {
                    self.find(peer, id, text);
                }
            }
            _ => self.fail(peer, id, Code::TryLater),
        }
    }

    /// Answers a question for profiles once they have been read, or could not be.
    pub(super) fn cards_came(&mut self, peer: PeerId, id: u64, came: JobResult) {
        match came {
            JobResult::Stored(Done::Cards { cards: people, .. }) => {
                self.frame_to(peer, FromServer::People { id, people });
            }
            _ => self.fail(peer, id, Code::TryLater),
        }
    }
}
