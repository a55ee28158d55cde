//! Runs operations on the file; a batch of them is one transaction.

use std::path::Path;

use rusqlite::{Connection, Error};

use super::messages::IncomingMessage;
use super::{Done, HistoryError, Op, Read, Trouble, Write, contacts, schema};
use crate::base::private::Lock;

/// An open history. Its lock is an operating system's file lock, so it ends with the process in every case.
#[derive(Debug)]
pub struct Database {
    pub(super) connection: Connection,
    _lock: Lock,
}

impl Database {
    /// Opens or creates the file, and takes its lock.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Self::open_locked(path, schema::lock(path)?)
    }

    /// Opens or creates a file whose lock is held. An older file is backed up and then migrated.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn open_locked(path: &Path, lock: Lock) -> Result<Self, HistoryError> {
        let database = Self { connection: schema::open(path)?, _lock: lock };
        if let Err(error) = database.show_hidden() {
            log::warn!("messages that were hidden stay so: {error}");
        }
        Ok(database)
    }

    /// Runs a batch in one transaction; if it cannot be committed, none of it counts as stored.
    pub fn run(&self, batch: &[Op]) -> Vec<Done> {
        let lasting = batch.iter().any(|op| matches!(op, Op::Write(write) if write.needs_the_disk()));
        if lasting && let Err(error) = self.connection.pragma_update(None, "synchronous", "FULL") {
            log::warn!("the next commit may not outlive a cut of the power: {error}");
        }
        let committed = self.transact(batch);
        if lasting && let Err(error) = self.connection.pragma_update(None, "synchronous", "NORMAL") {
            log::warn!("commits go on waiting for the disk: {error}");
        }
        committed.unwrap_or_else(|error| self.in_parts(batch, &error))
    }

    /// Runs all of the batch in one transaction, or none of it.
    fn transact(&self, batch: &[Op]) -> Result<Vec<Done>, Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut done = Vec::new();
        // The list is read once per batch, no matter how many operations changed it.
        let last = batch.iter().rposition(|op| *op == Op::Read(Read::Conversations));
        for (i, op) in batch.iter().enumerate() {
            match op {
                Op::Read(Read::Conversations) if Some(i) != last => {}
                Op::Read(read) => done.push(self.read(read)?),
                Op::Write(write) => done.extend(self.write(write)?),
            }
        }
        transaction.commit()?;
        Ok(done)
    }

    /// Runs the operations of a batch in smaller parts after the whole batch has failed: a failed read must not prevent
    /// the writes, a full disk can still be read, and an operation that touches a damaged part of the file must not
    /// affect the others. Each operation gets its answer.
    fn in_parts(&self, batch: &[Op], error: &Error) -> Vec<Done> {
        let trouble = Trouble::of(error, &self.path());
        log::error!("the history refused {} operations: {error} ({trouble:?})", batch.len());
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for op in batch {
            match op {
                Op::Read(read) => reads.push(read),
                Op::Write(write) => writes.push(write),
            }
        }
        let mut done = Vec::new();
        let wrote = if reads.is_empty() { Err(trouble) } else { self.commit(&writes) };
        match wrote {
            Ok(all) => done.extend(all),
            Err(Trouble::Damaged) if writes.len() > 1 => {
                for write in writes.chunks(1) {
                    done.extend(self.commit(write).unwrap_or_else(|trouble| refused(write, trouble)));
                }
            }
            Err(trouble) => done.extend(refused(&writes, trouble)),
        }
        let last = reads.iter().rposition(|read| **read == Read::Conversations);
        for (i, read) in reads.into_iter().enumerate() {
            if *read == Read::Conversations && Some(i) != last {
                continue;
            }
            done.push(self.read(read).unwrap_or_else(|error| {
                let trouble = Trouble::of(&error, &self.path());
                Done::NotRead { op: read.clone(), trouble }
            }));
        }
        done
    }

    fn commit(&self, writes: &[&Write]) -> Result<Vec<Done>, Trouble> {
        let committed = || {
            let transaction = self.connection.unchecked_transaction()?;
            let mut done = Vec::new();
            for write in writes {
                done.extend(self.write(write)?);
            }
            transaction.commit()?;
            Ok(done)
        };
        committed().map_err(|error| Trouble::of(&error, &self.path()))
    }

    fn read(&self, read: &Read) -> Result<Done, Error> {
        Ok(match read {
            Read::Conversations => {
                let (list, more) = self.conversations()?;
                Done::Conversations(list, more)
            }
            Read::Settle => Done::Settled,
            Read::Friends => Done::Friends(self.friends()?),
            Read::Profiles => Done::Profiles(self.profiles()?),
            Read::ItemChanges => Done::ItemChanges(self.item_changes()?),
            Read::Drafts => Done::Drafts(self.drafts()?),
            Read::Export(path) => Done::Exported(contacts::write(path, &self.contacts()?)),
            Read::Index(peer) => Done::Index { peer: peer.clone(), rows: self.index(peer)? },
            Read::Oldest(peer) => Done::Oldest { peer: peer.clone(), row: self.oldest(peer)? },
            Read::Page { peer, first, count } => {
                Done::Page { peer: peer.clone(), first: *first, rows: self.page(peer, *first, *count)? }
            }
            Read::Last { peer, count } => Done::Last { peer: peer.clone(), rows: self.last(peer, *count)? },
            Read::Search { text, count } => Done::Found { text: text.clone(), rows: self.found(text, *count)? },
        })
    }

    fn write(&self, write: &Write) -> Result<Option<Done>, Error> {
        let nothing = |()| None;
        match write {
            Write::Outgoing { request, to, text, unix_ms } => self.outgoing(*request, to, text, *unix_ms).map(Some),
            Write::State { id, state, secure } => self.note_state(*id, *state, *secure),
            Write::Refused { id, state } => {
                self.note_state(*id, *state, true)?;
                Ok(Some(Done::Noted { id: *id, noted: true }))
            }
            Write::Received { token, from, server_time, text, raw, repeat, unix_ms, pushed, handed } => {
                let coming = IncomingMessage {
                    from,
                    server_time,
                    text,
                    raw,
                    repeat: *repeat,
                    unix_ms: *unix_ms,
                    handed: handed.as_deref(),
                };
                let (id, known) = self.received(&coming, pushed.as_ref())?;
                Ok(Some(Done::Stored { token: *token, id, known, state: None }))
            }
            Write::Own { token, to, text, pushed, by } => {
                let (id, known) = if self.advance(pushed)? { self.own(to, text, pushed, by)? } else { (None, false) };
                let state = id.map(|id| self.state_now(id)).transpose()?.flatten();
                Ok(Some(Done::Stored { token: *token, id, known, state }))
            }
            Write::Resend { id, to, text } => self.resend(*id, to, text).map(Some),
            Write::Made { peer, made, unix_ms } => {
                let row = self.made(peer, *made, *unix_ms)?;
                Ok(row.map(|row| Done::Made { peer: peer.clone(), row }))
            }
            Write::OwnMade(made) => self.set_own_made(*made).map(nothing),
            Write::Accepted { id, row, state } => {
                self.number_at_server(*id, *row)?;
                self.note_state(*id, *state, true)
            }
            Write::Delivered { version, rows } => self.note_deliveries(*version, rows).map(Some),
            Write::Items(page) => self.take_items(page).map(Some),
            Write::ItemSet { number, taken } => self.item_set(*number, *taken).map(nothing),
            Write::SetItem { kind, key, value } => self.set_own_item(*kind, key, value.as_ref()).map(nothing),
            Write::Profiles(profiles) => self.set_profiles(profiles).map(nothing),
            Write::SettleDifferences { keep_ours } => self.settle_differences(*keep_ours).map(nothing),
            Write::Past { own, peer, messages, more } => {
                self.add_past(own, peer, messages)?;
                Ok(Some(Done::Past { peer: peer.clone(), messages: messages.clone(), more: *more }))
            }
            Write::Begin(row) => self.begin(*row).map(nothing),
            Write::Token(token) => self.set_token(*token).map(nothing),
            Write::NewDevice => Ok(Some(Done::Renamed(Some(self.rename()?)))),
            Write::Withdraw(ids) => Ok(Some(Done::Withdrawn(self.withdraw(ids)?))),
            Write::Unread(n) => self.set_unread(*n).map(nothing),
            Write::Zone(zone) => Ok(Some(Done::Zone { zone: Some(*zone), changed: self.set_zone(*zone)? })),
            Write::Draft { peer, text } => self.set_draft(peer, text).map(nothing),
            Write::Contact(contact) => self.set_contact(contact).map(nothing),
            Write::Block { account, blocked } => {
                let unknown = self.block(account, *blocked)?;
                self.list_changed(account)?;
                Ok(unknown.then(|| Done::Unblocked(account.clone())))
            }
            Write::Forget { account, messages } => self.forget(account, *messages).map(nothing),
            Write::Seen { peer, to } => self.seen(peer, *to).map(nothing),
            Write::Import { path, own } => Ok(Some(Done::Imported(self.import(path, own)?))),
            Write::Outbox => Ok(Some(Done::Outbox(self.outbox()?))),
        }
    }
}

/// Returns the reason, and the answers to the operations that were refused.
fn refused(writes: &[&Write], trouble: Trouble) -> Vec<Done> {
    let words = trouble.words();
    let answers = writes.iter().filter_map(|write| write.refused(&words)).collect::<Vec<_>>();
    std::iter::once(Done::Failed(trouble)).filter(|_| !writes.is_empty()).chain(answers).collect()
}

#[cfg(test)]
mod tests;
