//! The requests of a face other than connecting and sending: to the history (the list, its people, the rows of a chat),
//! to the server, and to the wire view.

use std::path::PathBuf;

use super::Client;
use super::account::OpenAccount;
use crate::base::model::{Account, MessageId};
use crate::client::history::{Contact, Op, Read, Write};
use crate::client::net::{Now, Socket, ThreadFigures, WaitsFor};
use crate::client::session::{AccountChange, FriendRequest};
use crate::client::tap::Record;
use crate::probe::CaseReport;
use crate::protocol::wire::item::{Kind, MayAsk, Profile, written};
use crate::protocol::wire::status::Status;

impl Client {
    /// Adds or changes somebody in the list.
    pub fn set_contact(&mut self, contact: Contact) {
        self.change(Op::Write(Write::Contact(contact)));
    }

    /// Adds everybody in a CSV file (account, remark, group, blocked), or nobody if the file is wrong; answered by
    /// [`super::Event::Imported`].
    pub fn import_contacts(&mut self, path: PathBuf) {
        if let Some(own) = self.account.as_ref().map(|account| account.name.clone()) {
            self.change(Op::Write(Write::Import { path, own }));
        }
    }

    /// Writes the list to a CSV file; answered by [`super::Event::Exported`].
    pub fn export_contacts(&mut self, path: PathBuf) {
        self.change(Op::Read(Read::Export(path)));
    }

    /// Blocks a person, so that their messages are kept but not shown, or unblocks them. Neither makes a stranger a
    /// friend.
    pub fn set_blocked(&mut self, account: Account, blocked: bool) {
        self.change(Op::Write(Write::Block { account, blocked }));
    }

    /// Takes somebody off the list, friend or stranger, until they write again; with `messages` their messages are
    /// deleted too.
    pub fn forget_person(&mut self, account: Account, messages: bool) {
        self.change(Op::Write(Write::Forget { account, messages }));
    }

    /// Marks all messages of this conversation as read.
    pub fn mark_read(&mut self, peer: Account) {
        self.change(Op::Write(Write::Seen { peer, to: None }));
    }

    /// Marks the messages of this conversation as read, up to this one.
    pub fn mark_read_to(&mut self, peer: Account, to: MessageId) {
        self.change(Op::Write(Write::Seen { peer, to: Some(to) }));
    }

    /// Stores what is typed to somebody and not sent; empty if nothing is. The face calls this at the latest
    /// [`super::DRAFT_SOON`] after the first change. The draft comes back with the list.
    pub fn set_draft(&self, peer: Account, text: String) {
        self.change(Op::Write(Write::Draft { peer, text }));
    }

    /// Withdraws messages of this account if none of them was ever sent; answered by [`super::Event::Withdrawn`].
    pub fn withdraw(&self, ids: Vec<MessageId>) {
        self.submit(Op::Write(Write::Withdraw(ids)));
    }

    fn change(&self, op: Op) {
        self.submit(op);
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Conversations));
    }

    /// Sets who may ask this account to be a friend. Does nothing with a server that keeps no items.
    pub fn set_may_ask(&self, who: &MayAsk) {
        let Ok(value) = written(who) else { return };
        self.submit(Op::Write(Write::SetItem { kind: Kind::MayAsk, key: String::new(), value: Some(value) }));
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Friends));
    }

    /// Mutes a conversation, so that none of its messages asks for attention, or does no longer.
    pub fn set_muted(&self, peer: &Account, muted: bool) {
        self.mark(Kind::Muted, peer, muted);
    }

    /// Keeps a conversation at the top of the list, or does no longer.
    pub fn set_pinned(&self, peer: &Account, pinned: bool) {
        self.mark(Kind::Pinned, peer, pinned);
    }

    fn mark(&self, kind: Kind, peer: &Account, marked: bool) {
        let (key, value) = (peer.as_str().to_owned(), marked.then_some(serde_json::Value::Bool(true)));
        self.submit(Op::Write(Write::SetItem { kind, key, value }));
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Friends));
    }

    /// Sets who this account's owner is to others. With a server that keeps no items nothing is set.
    pub fn set_profile(&self, profile: &Profile) {
        let Ok(value) = written(profile) else { return };
        self.submit(Op::Write(Write::SetItem { kind: Kind::Profile, key: String::new(), value: Some(value) }));
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Friends));
    }

    /// Sets how this account's owner is shown to others while they are logged in. With a server that keeps no items
    /// nothing is set.
    pub fn set_status(&self, status: &Status) {
        let value = (!status.is_plain()).then(|| written(status).ok()).flatten();
        self.submit(Op::Write(Write::SetItem { kind: Kind::Status, key: String::new(), value }));
        self.submit(Op::Read(Read::ItemChanges));
        self.submit(Op::Read(Read::Friends));
    }

    /// Sets whether the person at this device is away; servers of the secure dialect are told. A face calls this when
    /// [`crate::client::absence::Absence`] says so.
    pub fn set_away(&mut self, now: Now, away: bool) {
        self.away = away;
        self.session.set_away(now.instant, away);
        self.after(now);
    }

    /// Settles the differences in [`crate::client::history::Friends::differences`]: this device's values are sent to
    /// the server or, without `keep_ours`, the server's values are shown here.
    pub fn settle_differences(&self, keep_ours: bool) {
        self.change(Op::Write(Write::SettleDifferences { keep_ours }));
        self.submit(Op::Read(Read::Friends));
    }

    /// Looks for people at the server by account, name or pinyin; answered by [`super::Event::People`], unless something else
    /// is looked for before.
    pub fn find(&mut self, now: Now, text: String) {
        self.session.find(now.instant, text);
        self.after(now);
    }

    /// Asks somebody to be a friend, answers their request, or ends it; answered by [`super::Event::Friend`].
    pub fn friend(&mut self, now: Now, account: Account, request: FriendRequest) {
        self.session.friend(now.instant, account, request);
        self.after(now);
    }

    /// Asks for [`super::Event::Settled`] once the disk has done or refused everything that was asked before.
    pub fn settle(&mut self) {
        match &self.account {
            Some(account) => account.submit(Op::Read(Read::Settle)),
            None => self.events.push_back(super::Event::Settled),
        }
    }

    /// Asks for the list again, and for friends and requests.
    pub fn conversations(&self) {
        self.submit(Op::Read(Read::Profiles));
        self.submit(Op::Read(Read::Friends));
        self.submit(Op::Read(Read::Conversations));
    }

    /// Asks for the index of this conversation, which describes its rows without their texts; answered by
    /// [`super::Event::Index`].
    pub fn index(&self, peer: Account) {
        self.submit(Op::Read(Read::Index(peer)));
    }

    /// Asks the server for a page of messages of this conversation that are older than everything stored here; answered
    /// by [`super::Event::Past`], after which the index has changed.
    pub fn earlier(&self, peer: Account) {
        self.submit(Op::Read(Read::Oldest(peer)));
    }

    /// Asks for `count` rows of this conversation, starting at row `first`; answered by [`super::Event::Page`].
    pub fn page(&self, peer: Account, first: u32, count: u32) {
        self.submit(Op::Read(Read::Page { peer, first, count }));
    }

    /// Asks for the last `count` rows of this conversation; answered by [`super::Event::Last`], oldest first.
    pub fn last(&self, peer: Account, count: u32) {
        self.submit(Op::Read(Read::Last { peer, count }));
    }

    /// Asks for the latest `count` rows that contain this text; answered by [`super::Event::Found`].
    pub fn search(&self, text: &str, count: u32) {
        self.submit(Op::Read(Read::Search { text: text.to_owned(), count }));
    }

    /// Asks the server for the `count` newest messages with somebody that are older than the server's row `before`.
    /// Messages that the server pushed before the answer are reported before it.
    pub fn past(&mut self, now: Now, peer: Account, before: Option<u64>, count: u32) {
        self.session.history(now.instant, peer, before, count);
        self.after(now);
    }

    /// Asks the server whether an account of this name exists; answered by [`super::Event::LookedUp`] within 5 s.
    pub fn look_up(&mut self, now: Now, account: Account) {
        self.session.look_up(now.instant, account);
        self.after(now);
    }

    /// Asks the server for this account's settings; answered by [`super::Event::AccountSettings`].
    pub fn account_settings(&mut self, now: Now) {
        self.session.account(now.instant, None);
        self.after(now);
    }

    /// Changes this account's settings on the server; answered by [`super::Event::AccountSettings`].
    pub fn set_account(&mut self, now: Now, change: AccountChange) {
        self.session.account(now.instant, Some(change));
        self.after(now);
    }

    /// Starts or stops reporting every datagram as [`super::Event::Tap`], and returns the latest ones that were
    /// recorded.
    pub fn set_tap(&mut self, live: bool) -> Vec<Record> {
        self.tap.set_live(live);
        self.tap.records()
    }

    /// Returns the last trial that was sent by hand: its number, which is the same as in [`Client::trials`], and its
    /// result.
    #[must_use]
    pub fn last_trial(&self, now: Now) -> Option<CaseReport> {
        self.tap.trials(now.instant).next_back().map(|(number, _, trial, came)| trial.case(number, &came))
    }

    /// Returns the trials that were sent by hand as cases of a test document, and when the first was sent, in
    /// milliseconds since 1970; `None` if there are none.
    #[must_use]
    pub fn trials(&self, now: Now) -> Option<(i64, Vec<CaseReport>)> {
        let (_, began, ..) = self.tap.trials(now.instant).next()?;
        let cases = self.tap.trials(now.instant).map(|(number, _, trial, came)| trial.case(number, &came));
        Some((began, cases.collect()))
    }

    /// Returns the figures of the client's threads.
    #[must_use]
    pub fn threads(&self) -> Vec<ThreadFigures> {
        let figures =
            |name, waits_for, queued, handled, dropped| ThreadFigures { name, waits_for, queued, handled, dropped };
        let counts = self.socket.as_ref().map(Socket::counts).unwrap_or_default();
        let account = self.account.as_ref();
        let (queued, stored) = account.map_or((0, 0), OpenAccount::history_figures);
        vec![
            figures("main", WaitsFor::Bell, account.map_or(0, OpenAccount::results), self.handled, 0),
            figures("receiver", WaitsFor::Datagram, counts.waiting, counts.received, counts.dropped),
            figures("timer", WaitsFor::Deadline, 0, self.timer.rung(), 0),
            figures("history", WaitsFor::Operation, queued, stored, 0),
            figures("doorbell", WaitsFor::Datagram, 0, account.map_or(0, OpenAccount::rings), 0),
        ]
    }
}
