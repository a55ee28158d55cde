//! The server's database: SQLite, WAL, synchronous=FULL. Batches in, results out; one transaction
//! serves everything that arrived while the last one was being synced (group commit), and results
//! leave only after the commit. On a full disk everything but storing goes on.
//!
//! Its parts: `schema` (its form), `people` (as the engine has them), `accounts`, `messages`, `devices`, `delivered`, `mailboxes` (how full they are), `items` (what all devices of an account show), `friends`, `profiles`,
//! `group` (what is committed together), `op` (what it is asked and answers), `admin` (what an operator's command does, here or by the running
//! server), `class_list` (the file of accounts that it imports), `folder` (the data directory and its lock), `error`.

mod accounts;
pub mod admin;
mod class_list;
mod delivered;
mod devices;
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

/// An account's row.
pub type AccountId = i64;
/// A message's row.
pub type MessageRow = i64;

/// A message to be kept for one or more receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Whose mailboxes.
    pub receivers: Vec<AccountId>,
    /// As the receiver reads it: an account, or a room.
    pub sender: String,
    /// Whose it is.
    pub author: AccountId,
    /// Of a room's message: who wrote it.
    pub writer: Option<String>,
    /// Exactly as it came.
    pub raw: Vec<u8>,
    /// The message's text, decoded.
    pub text: String,
    /// When, seconds since 1970.
    pub sent: i64,
    /// One of its receivers is here.
    pub online: bool,
    /// By which the same message is known when it comes again; the plain dialect has none.
    pub key: Option<SentKey>,
    /// A row of it for its writer's other devices; of messages with a key.
    pub own: Option<OwnCopy>,
}

/// A message of one's own, as the writer's other devices read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCopy {
    /// Who wrote it.
    pub writer: String,
    /// To whom.
    pub to: String,
    /// The message's text.
    pub text: String,
}

/// A message as its sender's device names it (the secure dialect, "Exactly once").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentKey {
    /// The account that the device belongs to.
    pub account: AccountId,
    /// Which device's.
    pub device: Device,
    /// The device's own number for it.
    pub counter: u64,
    /// SHA-256 of receiver and text: the same number for another message is a conflict.
    pub hash: [u8; 32],
    /// Not to be kept unless the message of this number is.
    pub after: Option<u64>,
}

/// An unread message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadMessage {
    /// Its row.
    pub row: MessageRow,
    /// Who wrote it, or the room it was written in.
    pub sender: String,
    /// Of a room's message: who wrote it. Before schema 5 the text said so.
    pub writer: Option<String>,
    /// When, seconds since 1970.
    pub sent: i64,
    /// The message.
    pub text: String,
}

/// A message of a mailbox or of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its row.
    pub row: MessageRow,
    /// Who wrote it, or the room it was written in.
    pub sender: String,
    /// Of a room's message: who wrote it.
    pub writer: Option<String>,
    /// When, seconds since 1970.
    pub sent: i64,
    /// The message.
    pub text: String,
    /// It was handed out in the plain dialect.
    pub plain: bool,
    /// It is one of the account's own.
    pub own: Option<SentMessage>,
    /// Of the account's own: whether its receiver was here when it was written, if that was noted.
    pub online: Option<bool>,
    /// Of the account's own: it was taken.
    pub delivered: bool,
    /// When the account was made that wrote it to this mailbox; not of a room's, nor of one that is no more.
    pub made: Option<i64>,
}

/// What a message of the account's own was sent as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// To whom.
    pub to: String,
    /// By which device.
    pub device: Device,
    /// Under which number.
    pub counter: u64,
    /// As which row it was accepted.
    pub accepted: MessageRow,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BatchResults {
    /// In the order of the operations, after what was owed from before.
    pub done: Vec<Done>,
    /// Why some of it was not stored, for the log.
    pub error: Option<String>,
}

/// For the connection's life: pages that are kept in memory, 8 MiB, so that indexes are not read again for each commit; and
/// those in the WAL before a commit moves them into the database, 32 MB: a page that many commits change is moved once.
const PACE: &str = "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 8192;";
/// Changes that are moved from the WAL into the database together where there is time for it; of messages some 4 MB.
const CHECKPOINT: usize = 256;
/// Compiled statements that are kept.
const STATEMENTS: usize = 64;

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Messages that were taken, and when, while that could not be written down. They are not handed out
    /// again, and marked once it can be.
    owed: BTreeMap<MessageRow, i64>,
    /// The same of devices: up to which row of an account's.
    owed_to: BTreeMap<AccountId, (MessageRow, i64)>,
    versions: delivered::Versions,
    begun: delivered::StartedRanges,
    mailboxes: mailboxes::Mailboxes,
    /// Changes in the WAL since it was last moved into the database.
    in_wal: usize,
}

impl Store {
    /// Opens or makes the database of a data directory whose lock is held, and brings an older one up to date.
    ///
    /// # Errors
    /// A directory that cannot be written, a newer schema, a damaged file.
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

    /// Opens the database to look at it, also while a server has it. Makes and changes nothing.
    ///
    /// # Errors
    /// No database, one of another version, a damaged file.
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
        // More than there are kinds of operations, so that none is compiled twice.
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (owed, owed_to) = (BTreeMap::new(), BTreeMap::new());
        let (versions, begun) = (delivered::Versions::default(), delivered::StartedRanges::default());
        let mailboxes = mailboxes::Mailboxes::default();
        Ok(Self { connection, owed, owed_to, versions, begun, mailboxes, in_wal: 0 })
    }

    /// Lets the database grow to `bytes`, or to any size. What lies in the WAL until it is moved into the
    /// database, up to 32 MB, comes on top.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn limit(&self, bytes: Option<u64>) -> Result<(), StoreError> {
        let page: u32 = self.connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let most = u64::from(u32::MAX - 1);
        let pages = bytes.map_or(most, |bytes| (bytes / u64::from(page.max(1))).clamp(1, most));
        // SQLite makes it at least what is there already, and answers with what it made of it.
        self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Unread messages that a mailbox may hold: [`Quotas::mailbox`](super::Quotas::mailbox), if nothing else is said.
    pub fn set_mailbox(&mut self, most: u64) {
        self.mailboxes.set_most(most);
    }

    /// Whether a device was ever let in, which is after it has taken note of this server's key.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn knows_devices(&self) -> Result<bool, StoreError> {
        let query = "SELECT EXISTS (SELECT 1 FROM devices) OR EXISTS (SELECT 1 FROM sent)";
        Ok(self.connection.query_row(query, [], |row| row.get(0))?)
    }

    /// The connection, for administration.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Does a batch in one transaction. If that cannot be committed, it is tried again without class lists, then without
    /// all that makes the database grow; if that fails too, everything that was to be stored has failed and reads are answered.
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

    /// Moves what lies in the WAL into the database if that is worth it. Called when nobody waits; without it a commit does
    /// it in the end.
    fn tidy(&mut self) {
        if self.in_wal >= CHECKPOINT {
            self.in_wal = 0;
            if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                log::debug!("the WAL stays as it is: {error}");
            }
        }
    }

    /// A change is not on disk: what is owed because of that is kept in mind, and whoever waits is answered.
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

    /// All of it in one transaction, but for what makes the database larger than `most` does; or nothing.
    fn transaction(&mut self, batch: &[Op], most: Growth) -> Result<Vec<Done>, rusqlite::Error> {
        let done = self.committed(batch, most);
        if done.is_err() {
            self.begun.forget();
            self.versions.forget();
            self.mailboxes.forget();
        }
        done
    }

    fn committed(&mut self, batch: &[Op], most: Growth) -> Result<Vec<Done>, rusqlite::Error> {
        // Where something is to be written, another connection that writes is waited for before anything is read: what has
        // been read could not be written to any more.
        let writes =
            batch.iter().any(|op| matches!(op, Op::Write(_))) || !self.owed.is_empty() || !self.owed_to.is_empty();
        let behavior = if writes { TransactionBehavior::Immediate } else { TransactionBehavior::Deferred };
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        self.mailboxes.begin(&self.connection)?;
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
            Read::History { job, account, name, peer, peer_id, before, count } => {
                devices::history(c, *job, (*account, name), (peer, *peer_id), *before, *count)
            }
        }
    }

    fn write(&self, write: &Write) -> Result<Option<Done>, rusqlite::Error> {
        let c = &self.connection;
        match write {
            Write::Register { job, name, hashed, profile, at } => {
                accounts::register(c, *job, name, (hashed, profile.as_ref()), *at).map(Some)
            }
            Write::Password { job, account, hashed, from } => {
                devices::new_password(c, *account, hashed, from.as_ref())?;
                Ok(Some(Done::Ok { job: *job }))
            }
            Write::Import { job, accounts, at } => {
                let at = admin::made_at(c, *at)?;
                Ok(Some(Done::Imported { job: *job, new: admin::insert(c, accounts, at)? }))
            }
            Write::Delete { job, account } => {
                self.begun.forget();
                self.mailboxes.forget();
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
            Write::SetItem { job, account, kind, key, value } => {
                items::set_by_device(c, *job, *account, (*kind, key), value.as_deref()).map(Some)
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

/// Starts the database's thread; it ends when `ops` is closed, after its last commit. What is given at once is committed at
/// once.
///
/// # Errors
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
