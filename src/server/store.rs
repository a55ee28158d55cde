//! The server's database: SQLite in WAL mode with synchronous=FULL. Batches of operations come in and results go out.
//! One transaction serves everything that arrived while the last one was being synced (group commit), and results leave
//! only after the commit. When the disk is full, everything that does not make the database grow still works.
//!
//! Its parts:
//!
//! - `schema`: the tables and their migrations.
//! - `people`: reads accounts as the engine keeps them.
//! - `accounts`, `messages`, `devices`, `delivered`, `friends`, `profiles`: the operations on these.
//! - `directory`: the search for people.
//! - `mailboxes`: how full mailboxes are.
//! - `items`: what all devices of an account show alike.
//! - `group`: which operations are committed together.
//! - `op`: the operations and their results.
//! - `admin`: what an operator's command does, in its own process or through the running server.
//! - `class_list`: the file of accounts that an operator imports.
//! - `folder`: the data directory and its lock.
//! - `error`: why the database cannot be used.

mod accounts;
pub mod admin;
mod class_list;
mod delivered;
mod devices;
mod directory;
mod error;
mod folder;
mod friends;
mod group;
mod items;
mod mailboxes;
mod messages;
mod op;
mod people;
mod profiles;
mod schema;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use self::delivered::Delivery;
pub use self::directory::Found;
pub use self::error::StoreError;
use self::folder::is_locked;
pub(super) use self::folder::{DataLock, lock};
use self::folder::{lost, make_folder};
pub use self::friends::{Befriend, Outcome, Party};
use self::group::Group;
pub use self::items::ItemPage;
pub use self::op::{Change, Done, Op, Read, Write};
use self::op::{Growth, WriteFailure};
pub use self::people::{AccountRecord, PersonKey, PersonRecord, Snapshot};
pub use self::schema::{SCHEMA_VERSION, file};
use crate::base::migration;
use crate::protocol::wire::frame::Device;
use crate::protocol::wire::item::Kind;

/// The row of an account.
pub type AccountId = i64;
/// The row of a message.
pub type MessageRow = i64;

/// A message that is to be stored for one or more receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The accounts whose mailboxes it goes to.
    pub receivers: Vec<AccountId>,
    /// The account or room that the receiver sees as the sender.
    pub sender: String,
    /// The account that wrote it.
    pub author: AccountId,
    /// The name of the person who wrote it, if it is a room's message.
    pub writer: Option<String>,
    /// The bytes of the text exactly as they came.
    pub raw: Vec<u8>,
    /// The message's text, decoded.
    pub text: String,
    /// When it was sent, in seconds since 1970.
    pub sent: i64,
    /// Whether at least one of its receivers was online when it was sent.
    pub online: bool,
    /// How a device names this message, so that a repetition is recognised; `None` in the plain dialect.
    pub key: Option<SentKey>,
    /// What the writer's other devices read of it; only of a message with a key.
    pub own: Option<OwnCopy>,
}

/// The copy of a sent message that the writer's other devices read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCopy {
    /// The name of the account that wrote it.
    pub writer: String,
    /// The account or room it was sent to.
    pub to: String,
    /// The message's text.
    pub text: String,
}

/// A message as its sender's device names it (the secure dialect, "Exactly once").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentKey {
    /// The account of the device.
    pub account: AccountId,
    /// The device that sent it.
    pub device: Device,
    /// The counter under which the device sent it.
    pub counter: u64,
    /// SHA-256 of receiver and text: the same counter with another hash is a conflict.
    pub hash: [u8; 32],
    /// The counter of an earlier message; this one is stored only if that one is.
    pub after: Option<u64>,
}

/// A message that nobody has taken yet, read for a plain client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadMessage {
    /// The row of the message.
    pub row: MessageRow,
    /// The account that wrote it, or the room it was written in.
    pub sender: String,
    /// The name of the person who wrote it, if it is a room's message. Before schema 5 it was part of the text.
    pub writer: Option<String>,
    /// When it was sent, in seconds since 1970.
    pub sent: i64,
    /// The message's text.
    pub text: String,
}

/// A message as a device reads it, of a mailbox or of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The row of the message.
    pub row: MessageRow,
    /// The account that wrote it, or the room it was written in.
    pub sender: String,
    /// The name of the person who wrote it, if it is a room's message.
    pub writer: Option<String>,
    /// When it was sent, in seconds since 1970.
    pub sent: i64,
    /// The message's text.
    pub text: String,
    /// Whether it was handed out in the plain dialect.
    pub plain: bool,
    /// How it was sent, if the account itself sent it.
    pub own: Option<SentMessage>,
    /// Whether its receiver was online when it was sent, if that is known; only of a sent message.
    pub online: Option<bool>,
    /// Whether its receiver has taken it; only of a sent message.
    pub delivered: bool,
    /// When the writer's account was made, in seconds since 1970; `None` of a room's message and if the account is
    /// gone.
    pub made: Option<i64>,
}

/// How the account itself sent a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The account or room it was sent to.
    pub to: String,
    /// The device that sent it.
    pub device: Device,
    /// The counter under which the device sent it.
    pub counter: u64,
    /// The row under which the server accepted it.
    pub accepted: MessageRow,
}

/// The results of a batch of operations.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BatchResults {
    /// The results in the order of the operations, after those of writes that had failed earlier and were made up for
    /// now.
    pub done: Vec<Done>,
    /// Why part of the batch was not stored, for the log.
    pub error: Option<String>,
}

/// Settings of the connection: 8 MiB of pages stay in memory, so that indexes are not read again for each commit, and a
/// commit moves the WAL into the database once it has 8,192 pages (32 MiB), so that a page that many commits change is
/// moved once.
const PACE: &str = "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 8192;";
/// How many changes make it worthwhile to move the WAL into the database while nobody waits; of messages this is about
/// 4 MB.
const CHECKPOINT: usize = 256;
/// How many compiled statements the connection keeps.
const STATEMENTS: usize = 64;

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Messages that were taken, and when (seconds since 1970), while that could not be written. They are not handed
    /// out again, and are marked as soon as writing works.
    owed: BTreeMap<MessageRow, i64>,
    /// The same of devices: the row up to which an account's messages were taken, and when.
    owed_to: BTreeMap<AccountId, (MessageRow, i64)>,
    versions: delivered::Versions,
    begun: delivered::StartedRanges,
    mailboxes: mailboxes::Mailboxes,
    directory: directory::Directory,
    /// How many changes have been written to the WAL since it was last moved into the database.
    in_wal: usize,
}

impl Store {
    /// Opens or makes the database of a data directory whose lock is held, and migrates an older one.
    ///
    /// # Errors
    /// If the directory cannot be written, the schema is newer than this program's, or the file is damaged.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let directory = |error| StoreError::Directory { path: data.to_owned(), error };
        make_folder(data).map_err(directory)?;
        let path = file(data);
        lost(data, &path)?;
        schema::make(&path).map_err(directory)?;
        let store = Self::with(&path, |connection| {
            schema::FORM.bring_up_to_date(connection, &path)?;
            schema::check(connection)
        })?;
        store.versions.begin(&store.connection)?;
        Ok(store)
    }

    /// Opens the database for reading, even while a server uses it. Makes and changes nothing.
    ///
    /// # Errors
    /// If there is no database, its schema is another version's, or the file is damaged.
    pub fn look(data: &Path) -> Result<Self, StoreError> {
        let path = file(data);
        if !path.exists() {
            return Err(StoreError::Missing(path));
        }
        Self::with(&path, |connection| match migration::version(connection)? {
            SCHEMA_VERSION => Ok(()),
            found if found > SCHEMA_VERSION => Err(StoreError::Newer { found, known: SCHEMA_VERSION }),
            found => Err(StoreError::Older { found, known: SCHEMA_VERSION }),
        })
    }

    fn with(path: &Path, prepare: impl Fn(&Connection) -> Result<(), StoreError>) -> Result<Self, StoreError> {
        let damaged = |error| StoreError::Damaged { path: path.to_owned(), error };
        let connection = Connection::open(path).map_err(damaged)?;
        prepare(&connection).map_err(|error| match error {
            StoreError::Sqlite(error) => damaged(error),
            other => other,
        })?;
        connection.execute_batch(PACE)?;
        // More than there are kinds of operations, so that no statement is compiled twice.
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (owed, owed_to) = (BTreeMap::new(), BTreeMap::new());
        let (versions, begun) = (delivered::Versions::default(), delivered::StartedRanges::default());
        let mailboxes = mailboxes::Mailboxes::default();
        let directory = directory::Directory::default();
        Ok(Self { connection, owed, owed_to, versions, begun, mailboxes, directory, in_wal: 0 })
    }

    /// Limits the database to `bytes`; `None` removes the limit. The WAL, up to 32 MiB, comes on top.
    ///
    /// # Errors
    /// SQLite's error.
    pub fn limit(&self, bytes: Option<u64>) -> Result<(), StoreError> {
        let page: u32 = self.connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let most = u64::from(u32::MAX - 1);
        let pages = bytes.map_or(most, |bytes| (bytes / u64::from(page.max(1))).clamp(1, most));
        // SQLite never sets it below the present size, and answers with the limit it has set.
        self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Sets how many unread messages a mailbox may hold; until then it is the default of
    /// [`Quotas::mailbox`](super::Quotas::mailbox).
    pub fn set_mailbox(&mut self, most: u64) {
        self.mailboxes.set_most(most);
    }

    /// Opens or closes the directory: whether people are found by a part of their account or name, or only by their
    /// whole account.
    pub fn set_directory(&mut self, open: bool) {
        self.directory.set_open(open);
    }

    /// Returns whether a device has ever logged in, and so has pinned this server's key.
    ///
    /// # Errors
    /// SQLite's error.
    pub fn knows_devices(&self) -> Result<bool, StoreError> {
        let query = "SELECT EXISTS (SELECT 1 FROM devices) OR EXISTS (SELECT 1 FROM sent)";
        Ok(self.connection.query_row(query, [], |row| row.get(0))?)
    }

    /// The connection, for administration.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs a batch in one transaction. If it cannot be committed, it is tried again without class lists, then without
    /// anything that makes the database grow. If that fails too, all writes have failed, and each read is answered by
    /// itself.
    pub fn run(&mut self, batch: &[Op]) -> BatchResults {
        let error = match self.transaction(batch, Growth::Large) {
            Ok(done) => return BatchResults { done, error: None },
            Err(error) => Some(error.to_string()),
        };
        let largest =
            batch.iter().filter_map(|op| if let Op::Write(write) = op { Some(write.size()) } else { None }).max();
        if largest == Some(Growth::Large)
            && let Ok(done) = self.transaction(batch, Growth::Grows)
        {
            return BatchResults { done, error };
        }
        if let Ok(done) = self.transaction(batch, Growth::Small) {
            return BatchResults { done, error };
        }
        let mut done = Vec::with_capacity(batch.len());
        for op in batch {
            match op {
                Op::Read(read) => done.push(self.read(read).unwrap_or_else(|_| read.failed())),
                Op::Write(write) => done.extend(self.not_stored(write)),
            }
        }
        BatchResults { done, error }
    }

    /// Moves the WAL into the database if enough has gathered. Called while nobody waits; without it a commit would do
    /// so later.
    fn tidy(&mut self) {
        if self.in_wal >= CHECKPOINT {
            self.in_wal = 0;
            if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                log::debug!("the WAL stays as it is: {error}");
            }
        }
    }

    /// Handles a write that is not on disk: remembers what is to be made up for, and returns the answer for whom waits.
    fn not_stored(&mut self, write: &Write) -> Option<Done> {
        match write.unstored() {
            WriteFailure::Told(job) => return Some(Done::Failed { job }),
            WriteFailure::Taken(message, at) => {
                self.owed.insert(message, at);
            }
            WriteFailure::TakenTo(account, row, at) => {
                let owed = self.owed_to.entry(account).or_insert((row, at));
                *owed = (*owed).max((row, at));
            }
            WriteFailure::Nothing => {}
        }
        None
    }

    /// Runs a batch in one transaction, without the writes that make the database grow by more than `most`. On failure
    /// nothing of it is stored.
    fn transaction(&mut self, batch: &[Op], most: Growth) -> Result<Vec<Done>, rusqlite::Error> {
        let done = self.committed(batch, most);
        if done.is_err() {
            self.begun.forget();
            self.versions.forget();
            self.mailboxes.forget();
            self.directory.rolled_back();
        }
        done
    }

    fn committed(&mut self, batch: &[Op], most: Growth) -> Result<Vec<Done>, rusqlite::Error> {
        // A transaction that will write has to wait for other writers before it reads: SQLite refuses to write after a
        // read that has become stale.
        let writes =
            batch.iter().any(|op| matches!(op, Op::Write(_))) || !self.owed.is_empty() || !self.owed_to.is_empty();
        let behavior = if writes { TransactionBehavior::Immediate } else { TransactionBehavior::Deferred };
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        if self.mailboxes.begin(&self.connection)? {
            self.directory.forget();
        }
        let mut done = Vec::with_capacity(batch.len());
        for (message, at) in &self.owed {
            done.extend(self.write(&Write::Taken { message: *message, at: *at })?);
        }
        for (account, (row, at)) in &self.owed_to {
            done.extend(self.write(&Write::TakenTo { account: *account, row: *row, at: *at })?);
        }
        for op in batch {
            match op {
                Op::Read(read) => done.push(self.read(read)?),
                Op::Write(write) if write.size() > most => {
                    if let WriteFailure::Told(job) = write.unstored() {
                        done.push(Done::Failed { job });
                    }
                }
                Op::Write(write) => done.extend(self.write(write)?),
            }
        }
        transaction.commit()?;
        self.directory.committed(&self.connection);
        self.owed.clear();
        self.owed_to.clear();
        self.in_wal += batch.iter().filter(|op| matches!(op, Op::Write(_))).count();
        Ok(done)
    }

    fn read(&self, read: &Read) -> Result<Done, rusqlite::Error> {
        let c = &self.connection;
        match read {
            Read::Again { job, key } => messages::again(c, *job, key),
            Read::Offer { job, account, from } => {
                let message = self.offer(*account, from.as_deref())?;
                Ok(Done::Offered { job: *job, message })
            }
            Read::Person { job, sought, since } => self.person(*job, sought, *since),
            Read::Accounts { job, after, count } => people::page(c, *job, after.as_deref(), *count),
            Read::After { job, account, device, after, count } => {
                devices::after(c, *job, (*account, device), *after, *count)
            }
            Read::Delivered { job, account, after, count } => {
                // A version from another server's data means nothing here.
                let after = if *after > self.versions.last() { 0 } else { *after };
                Ok(Done::Delivered { job: *job, delivered: delivered::after(c, *account, after, *count)? })
            }
            Read::Items { job, account, after } => {
                Ok(Done::Items { job: *job, page: items::after(c, *account, *after)? })
            }
            Read::Cards { job, accounts } => Ok(Done::Cards { job: *job, cards: profiles::cards(c, accounts)? }),
            Read::Find { job, text } => Ok(Done::Found { job: *job, found: self.directory.find(c, text)? }),
            Read::History { job, account, name, peer, peer_id, before, count } => {
                devices::history(c, *job, (*account, name), (peer, *peer_id), *before, *count)
            }
        }
    }

    fn write(&self, write: &Write) -> Result<Option<Done>, rusqlite::Error> {
        let c = &self.connection;
        match write {
            Write::Register { job, name, hashed, profile, at } => {
                let done = accounts::register(c, *job, name, (hashed, profile.as_ref()), *at)?;
                if let Done::Registered { account: Some(account), .. } = &done {
                    self.directory.change(*account);
                }
                Ok(Some(done))
            }
            Write::Password { job, account, hashed, from } => {
                devices::new_password(c, *account, hashed, from.as_ref())?;
                Ok(Some(Done::Ok { job: *job }))
            }
            Write::Import { job, accounts, at } => {
                let at = admin::made_at(c, *at)?;
                let admin::Inserted { new, named, lists } = admin::insert(c, accounts, at)?;
                new.iter()
                    .map(|(account, _)| account)
                    .chain(&named)
                    .for_each(|account| self.directory.change(*account));
                let new = new.into_iter().map(|(_, name)| name).collect();
                Ok(Some(Done::Imported { job: *job, new, named: named.len(), lists }))
            }
            Write::Delete { job, account } => {
                self.begun.forget();
                self.mailboxes.forget();
                self.directory.change(*account);
                let admin::Removed { messages, lists } = admin::remove(c, *account)?;
                Ok(Some(Done::Deleted { job: *job, messages, lists }))
            }
            Write::Session { job, account, address, end, at } => {
                accounts::bind(c, *account, *address, *end, *at)?;
                Ok(Some(Done::Ok { job: *job }))
            }
            Write::EndSession { job, account } => {
                accounts::end_session(c, *account)?;
                Ok(Some(Done::Ok { job: *job }))
            }
            Write::Message { job, message } => {
                messages::keep(c, *job, (&self.begun, &self.mailboxes), message).map(Some)
            }
            Write::Seen { sessions } => accounts::seen(c, sessions).map(|()| None),
            Write::Handed { message } => messages::handed(c, *message).map(|()| None),
            Write::Taken { message, at } => devices::taken(c, (&self.versions, &self.mailboxes), *message, *at),
            Write::Enter { job, account, device, token, cursor, at } => {
                devices::enter(c, *job, *account, device, *token, *cursor, *at).map(Some)
            }
            Write::Forget { account, device } => devices::forget(c, *account, device).map(|()| None),
            Write::Allow { job, account, change } => {
                accounts::allow(c, *account, *change)?;
                Ok(Some(Done::Ok { job: *job }))
            }
            Write::Name { job, account, name } => {
                self.directory.change(*account);
                let lists = profiles::rename(c, *account, name.as_deref())?;
                let outcome = if lists.is_some() { Outcome::Done } else { Outcome::TooMany };
                Ok(Some(Done::Changed { job: *job, outcome, lists: lists.unwrap_or_default(), delivered: Vec::new() }))
            }
            Write::SetItem { job, account, kind, key, value } => {
                if *kind == Kind::Profile {
                    self.directory.change(*account);
                }
                let mut done = items::set_by_device(c, *job, *account, (*kind, key), value.as_deref())?;
                if let Done::Changed { delivered, .. } = &mut done
                    && *kind == Kind::Status
                    && !delivered::hides(c, *account)?
                {
                    *delivered = delivered::release(c, &self.versions, *account)?;
                }
                Ok(Some(done))
            }
            Write::Befriend { job, asked } => friends::befriend(c, *job, asked).map(Some),
            Write::AnswerFriend { job, who, other, accept, at } => {
                friends::answer(c, *job, (who, other), *accept, *at).map(Some)
            }
            Write::Unfriend { job, who, other } => friends::unfriend(c, *job, (who, other)).map(Some),
            Write::TakenTo { account, row, at } => {
                devices::taken_to(c, (&self.versions, &self.mailboxes), *account, *row, *at)
            }
        }
    }
}

/// Starts the store's thread, which ends after its last commit once `ops` is closed. Operations that come in one `Vec`
/// are committed together.
///
/// # Errors
/// If the system cannot start a thread.
/// When the system gives no thread.
pub fn start(
    mut store: Store,
    ops: Receiver<Vec<Op>>,
    done: Sender<BatchResults>,
    wake: impl Fn() + Send + 'static,
    now: fn() -> Instant,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("store".into()).spawn(move || {
        let mut group = Group::new(now);
        while let Ok(mut batch) = ops.recv() {
            group.collect(&mut batch, &ops);
            let results = group.commit(&batch, |batch| store.run(batch));
            if done.send(results).is_err() {
                return;
            }
            wake();
            if group.is_quiet() && ops.is_empty() {
                store.tidy();
            }
        }
    })
}

#[cfg(test)]
mod tests;
