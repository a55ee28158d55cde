//! Requests to be friends and their answers. The store decides, in one transaction for both accounts.

use super::PendingFrame;
use crate::protocol::link::PeerId;
use crate::protocol::wire::frame::Code;
use crate::protocol::wire::item::line;
use crate::server::engine::jobs::PendingJob;
use crate::server::engine::{Engine, Now};
use crate::server::store::{AccountId, Befriend, Op, Party, Write};

impl Engine {
    /// Handles a request to be friends. As the answer tells whether there is such an account, it has a rate of its own,
    /// which is lower than that of messages.
    pub(super) fn device_befriends(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        account: AccountId,
        other: &str,
        (text, answer): (&str, Option<String>),
    ) {
        let (Ok(text), Ok(answer)) = (line(text), answer.as_deref().map(line).transpose()) else {
            return self.fail(peer, id, Code::BadField);
        };
        if !self.send_rates.request(now, account) {
            return self.fail(peer, id, Code::TryLater);
        }
        let Some((who, other)) = self.parties(peer, id, account, other) else { return };
        if who.id == other.id {
            return self.fail(peer, id, Code::Yourself);
        }
        let asked = Befriend { who, other, text, answer, at: now.unix };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Change { id, status: None }), |job| {
            Op::Write(Write::Befriend { job, asked })
        });
    }

    /// Handles the answer to a request to be friends.
    pub(super) fn device_answers_friend(
        &mut self,
        now: Now,
        peer: PeerId,
        id: u64,
        account: AccountId,
        other: &str,
        accept: bool,
    ) {
        if !self.send_rates.set(now, account) {
            return self.fail(peer, id, Code::TryLater);
        }
        let Some((who, other)) = self.parties(peer, id, account, other) else { return };
        let write = |job| Write::AnswerFriend { job, who, other, accept, at: now.unix };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Change { id, status: None }), |job| Op::Write(write(job)));
    }

    /// Ends a friendship, or withdraws a request.
    pub(super) fn device_unfriends(&mut self, now: Now, peer: PeerId, id: u64, account: AccountId, other: &str) {
        if !self.send_rates.set(now, account) {
            return self.fail(peer, id, Code::TryLater);
        }
        let Some((who, other)) = self.parties(peer, id, account, other) else { return };
        self.ask_store(PendingJob::Frame(peer, PendingFrame::Change { id, status: None }), |job| {
            Op::Write(Write::Unfriend { job, who, other })
        });
    }

    /// Returns the device's own account and the one that it names; if there is none, the device is told.
    fn parties(&mut self, peer: PeerId, id: u64, account: AccountId, other: &str) -> Option<(Party, Party)> {
        let party = |id: AccountId| self.accounts.people.get(&id).map(|person| Party { id, name: person.name.clone() });
        let found = party(account).zip(self.accounts.named(other).and_then(party));
        if found.is_none() {
            self.fail(peer, id, Code::NoAccount);
        }
        found
    }
}
