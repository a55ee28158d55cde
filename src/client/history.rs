//! The client's database, one file per server and account, and the thread that owns it. Operations
//! go in, results come back after the commit; one commit serves everything that waited.
//!
//! WAL with synchronous=NORMAL: a `kill -9` loses nothing committed. Source: the plain protocol,
//! "What a client owes its user".
//!
//! Its parts:
//!
//! - `database`: operations on the file.
//! - `schema`: the file's form, versions and copies.
//! - `look`: what a face reads: rows, pages, search.
//! - `people`: who is in the list, with figures kept beside the messages.
//! - `device`: this device's name, what lets it in, and its cursor.
//! - `made`: which account a name is, where one was made anew.
//! - `delivered`: which of one's own messages a receiver has.
//! - `past`: what the server had before this device was there.
//! - `same`: which messages of two lists are the same. Pure.
//! - `moment`: when a message was written. Pure.
//! - `contacts`: the list of friends as CSV.
//! - `trouble`: what is wrong with the disk, told apart.
//! - `rescue`: saves what can be read of a damaged file.

pub mod contacts;
mod database;
mod delivered;
mod device;
mod look;
mod made;
pub mod moment;
mod past;
mod people;
mod rescue;
mod same;
mod schema;
mod trouble;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender};

pub use database::Database;
pub use delivered::state_of;
pub use past::time_of;
pub use rescue::{Rescued, copy_before, put_aside, rescue};
pub use trouble::Trouble;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::net::Bell;
use crate::client::session::{Handed, Kept, Pushed, SentBy, StoreToken};
use crate::protocol::wire::frame::{Device, Key, Past};

/// Most operations in one transaction.
const BATCH: usize = 256;

/// Why a history cannot be opened; a sentence for its owner.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder or file cannot be made or written.
    #[error("{}", t!("error.file", path = .path.display(), error = crate::base::trouble::words(.error)))]
    File {
        /// The history's file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The same account is open in another process.
    #[error("{}", t!("error.locked"))]
    Locked,
    /// Written by a later program.
    #[error("{}", t!("error.newer", found = .found, known = .known))]
    Newer {
        /// In the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// The disk is full, or the like.
    #[error("{}", t!("error.history", path = .path.display(), error = .trouble.words()))]
    Trouble {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        trouble: Trouble,
    },
    /// Not a database, or damaged.
    #[error("{}", t!("error.damaged", path = .path.display(), error = .error))]
    Damaged {
        /// The history's file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
}

/// Somebody in the list; in the plain dialect lists are local.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The account that this is about.
    pub account: Account,
    /// What their owner calls them; may be empty.
    pub remark: String,
    /// The section they stand in; may be empty.
    pub group: String,
    /// Their messages are kept but not shown.
    pub blocked: bool,
}

/// A row of the main window's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Who; a stranger has neither remark nor group.
    pub contact: Contact,
    /// Not in the list, but has written or is blocked.
    pub stranger: bool,
    /// The last message and when it was written, in milliseconds since 1970.
    pub last: Option<(String, i64)>,
    /// What is typed to them and not sent.
    pub draft: Option<String>,
    /// Messages that were not looked at.
    pub unread: u64,
}

/// Strangers that are not in the list one by one: a flood of them is one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoreStrangers {
    /// How many people.
    pub people: u64,
    /// Their messages that were not looked at.
    pub unread: u64,
}

/// What a transcript knows of every row before it reads any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowMeta {
    /// Its row.
    pub id: MessageId,
    /// Characters, for the estimate of its height.
    pub chars: u32,
    /// Line breaks.
    pub breaks: u32,
    /// One's own.
    pub outgoing: bool,
    /// As of [`Row`].
    pub unix_ms: i64,
    /// As of [`Row`].
    pub note: bool,
}

/// A message as a transcript shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its row.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// When it was written, in milliseconds since 1970. Where only the server's own clock is known, the moment at which
    /// this computer's shows the same; [`Row::moment`] tells them apart.
    pub unix_ms: i64,
    /// When it came, by this computer's clock; none for one's own and for what the server had of before.
    pub came_ms: Option<i64>,
    /// The time as a plain server wrote it, where its zone is not known; else none.
    pub server_time: Option<String>,
    /// How far one's own has come; none for others'.
    pub state: Option<SendState>,
    /// It is the message before once more, which the server offered again.
    pub repeat: bool,
    /// It is no message but a sentence of this program's, in the language of the moment: that from here on the account is
    /// another one of the same name.
    pub note: bool,
}

/// A message of one's own that is not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its row.
    pub id: MessageId,
    /// To whom.
    pub to: Account,
    /// The text.
    pub text: String,
    /// It may be at the server already: the secure dialect sends it again under its row.
    pub again: bool,
    /// Which account of the receiver's name it was written to, as [`crate::client::session::Receiver::made`].
    pub made: Option<i64>,
}

/// What is to be stored or read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Op {
    /// A message of one's own, before it is sent.
    Outgoing { request: u64, to: Account, text: String, unix_ms: i64 },
    /// How far it has come. [`SendState::Sending`] is answered by [`Done::Noted`]: only then it may go.
    /// Which dialect it goes by is written down with that: in the secure one it can be sent again.
    State { id: MessageId, state: SendState, secure: bool },
    /// The server will not have it. Answered by [`Done::Noted`] when that is to outlive a cut of the power.
    Refused { id: MessageId, state: SendState },
    /// A message of somebody else's that came at `unix_ms`. One that was pushed is stored together with the server's row
    /// of it, and only if the one before it is there; it brings its moment, others the server's words for it.
    Received {
        token: StoreToken,
        from: Account,
        server_time: String,
        text: String,
        raw: Vec<u8>,
        repeat: bool,
        unix_ms: i64,
        pushed: Option<Pushed>,
        /// The time with which the server has handed this pushed one out in the plain dialect before.
        handed: Option<String>,
    },
    /// What another device of this account has sent; stored as one that was pushed.
    Own { token: StoreToken, to: Account, text: String, pushed: Pushed, by: SentBy },
    /// It is to be sent once more, now to the account that has its receiver's name as far as is known, if its owner was told
    /// that this is another one.
    Resend { id: MessageId, to: Account, text: MessageText },
    /// Somebody's account was made then, in seconds since 1970, and this was learned at `unix_ms`. Where another one of the
    /// name was known, the conversation says so from here on.
    Made { peer: Account, made: i64, unix_ms: i64 },
    /// The same of the account whose history this is.
    OwnMade(i64),
    /// A message of one's own has come so far with this row at the server; one without the other would never be known to
    /// be delivered.
    Numbered { id: MessageId, row: u64, state: SendState },
    /// Of one's own messages to these accounts all from the first to the last row at the server were delivered; with the
    /// version up to which that is known then. Answered by [`Done::Deliveries`].
    Delivered { version: u64, rows: Vec<(Account, u64, u64)> },
    /// What the server has of a conversation, oldest first; what is not here is put into its place, and counts
    /// as read.
    Past { own: Account, peer: Account, messages: Vec<Past>, more: bool },
    /// Reads the server's row of the oldest message with this friend that has one.
    Oldest(Account),
    /// The server's row after which this device begins, if it has come no farther.
    Begin(u64),
    /// What lets this device in without a password, or nothing any more.
    Token(Option<Key<32>>),
    /// Takes another name for this device, and forgets the token, which belonged to the old one.
    NewDevice,
    /// By how many seconds a plain server's clock is before UTC: for what comes from now on, and for what is here without.
    /// How many unread messages a plain server has that offers messages again.
    Unread(u64),
    /// Answered by [`Done::Zone`].
    Zone(i32),
    /// What is typed to somebody and not sent; nothing any more, if it is empty.
    Draft { peer: Account, text: String },
    /// Reads all that is typed and not sent.
    Drafts,
    /// Takes messages of one's own back, if none was ever on its way.
    Withdraw(Vec<MessageId>),
    /// Adds or changes somebody in the list.
    Contact(Contact),
    /// Shows somebody's messages no more, or again; whoever is not in the list does not come into it.
    Block { account: Account, blocked: bool },
    /// Takes somebody off the list; their messages stay.
    RemoveContact(Account),
    /// Takes somebody off the list whether they are a friend or a stranger, until they write again; with their
    /// messages, if that is wanted.
    Forget { account: Account, messages: bool },
    /// Adds everybody of a CSV file but oneself, or nobody.
    Import { path: PathBuf, own: Account },
    /// Writes the list into a CSV file.
    Export(PathBuf),
    /// This friend's messages were looked at, as far as this one; all of them for none.
    Read { peer: Account, to: Option<MessageId> },
    /// Nothing; answered when all before it is done or refused.
    Settle,
    /// Reads the list.
    Conversations,
    /// Reads what is known of every row with this friend.
    Index(Account),
    /// Reads rows with this friend, `count` from the `first` on.
    Page { peer: Account, first: u32, count: u32 },
    /// Reads the last rows with this friend.
    Last { peer: Account, count: u32 },
    /// Reads the latest rows that hold this text.
    Search { text: String, count: u32 },
    /// Reads what was not sent yet. Messages that were on their way by the plain dialect when the program
    /// died become "may have been sent"; only their owner sends those again.
    Outbox,
}

/// What became of an [`Op`], after its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Done {
    /// The file is open, and what this device keeps of itself there, or why it cannot be used; the first
    /// result of all but [`Done::Handed`].
    Opened(Result<Kept, NotOpened>),
    /// The message that came last in the plain dialect, if the server may offer it again; before [`Done::Opened`].
    Handed(Option<Handed>),
    /// What is known of a plain server's clock: how many seconds it is before UTC; and whether messages have got their
    /// moments by that. Also after [`Done::Opened`].
    Zone { zone: Option<i32>, changed: bool },
    /// This device's new name; `None` if it is not on disk.
    Renamed(Option<Device>),
    /// The row of an [`Op::Outgoing`]; `None` if it is not on disk; and for which account of the receiver's name it is.
    Kept { request: u64, id: Option<MessageId>, made: Option<i64> },
    /// An [`Op::Resend`] is on disk.
    Resent { id: MessageId, to: crate::client::session::Receiver, text: MessageText },
    /// An [`Op::Made`] that is news: what the conversation says of it.
    Made { peer: Account, row: Row },
    /// The row of an [`Op::Received`] or an [`Op::Own`]; `None` if it is not on disk. `known`: it was there before.
    /// `state`: of an own one, how far it has come.
    Stored { token: StoreToken, id: Option<MessageId>, known: bool, state: Option<SendState> },
    /// The version of an [`Op::Delivered`]; `None` if it is not on disk. To which messages that is news, or that there are
    /// `more` than these.
    Deliveries { version: Option<u64>, ids: Vec<MessageId>, more: bool },
    /// This message, whose [`Op::State`] says less, was delivered: that came first.
    Delivered(MessageId),
    /// That this message is being sent is on disk, or is not.
    Noted { id: MessageId, noted: bool },
    /// As it was given, and on disk if the disk took it.
    Past { peer: Account, messages: Vec<Past>, more: bool },
    /// `None` if none has one.
    Oldest { peer: Account, row: Option<u64> },
    /// The list, the latest first: all friends and rooms, and the latest strangers.
    Conversations(Vec<Conversation>, MoreStrangers),
    /// In the order of the rows.
    Index { peer: Account, rows: Vec<RowMeta> },
    /// In the order of the rows.
    Page { peer: Account, first: u32, rows: Vec<Row> },
    /// Oldest first.
    Last { peer: Account, rows: Vec<Row> },
    /// Oldest first, each with the friend it was exchanged with.
    Found { text: String, rows: Vec<(Account, Row)> },
    /// Oldest first.
    Outbox(Vec<Unsent>),
    /// Whether they were taken back; all or none.
    Withdrawn(bool),
    /// All of them.
    Drafts(Vec<(Account, String)>),
    /// What was asked cannot be read.
    NotRead { op: Op, trouble: Trouble },
    /// How many came, or what is wrong with which line.
    Imported(Result<usize, String>),
    /// Whether it was written.
    Exported(Result<(), String>),
    /// Whoever is not blocked any more may have been a friend or not before; they are one.
    Unblocked(Account),
    /// All before it is done or refused.
    Settled,
    /// The disk refused changes; those that somebody waits for are answered after it.
    Failed(Trouble),
}

/// Why a history is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpened {
    /// A sentence for its owner.
    pub sentence: String,
    /// What can be read of it can be rescued.
    pub damaged: bool,
}

impl From<HistoryError> for NotOpened {
    fn from(error: HistoryError) -> Self {
        Self { sentence: error.to_string(), damaged: matches!(error, HistoryError::Damaged { .. }) }
    }
}

/// The owner's end of the history's thread. Dropping it commits what waits and ends the thread.
#[derive(Debug)]
pub struct History {
    // Before the thread: the channel must be closed when the thread is joined.
    ops: Option<Sender<Op>>,
    done: Receiver<Vec<Done>>,
    handled: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl History {
    /// Takes the file's lock and starts the thread, which opens it, since a migration may take its
    /// time: [`Done::Opened`] says when it can be used. `bell` rings when results are there.
    ///
    /// # Errors
    /// [`HistoryError::Locked`], [`HistoryError::File`].
    pub fn open(path: &Path, bell: Bell) -> Result<Self, HistoryError> {
        let lock = schema::lock(path)?;
        let (ops, todo) = crossbeam_channel::unbounded();
        let (results, done) = crossbeam_channel::unbounded();
        let file = |error| HistoryError::of_io(path, error);
        let handled = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&handled);
        let thread = thread::Builder::new()
            .name("history".into())
            .spawn({
                let path = path.to_owned();
                move || run(&path, lock, &todo, &results, &bell, &count)
            })
            .map_err(file)?;
        Ok(Self { ops: Some(ops), done, handled, thread: Some(thread) })
    }

    /// Hands over an operation; never waits.
    pub fn submit(&self, op: Op) {
        if let Some(ops) = &self.ops {
            let _ = ops.send(op);
        }
    }

    /// Operations that wait, and those done so far.
    #[must_use]
    pub fn figures(&self) -> (usize, u64) {
        (self.ops.as_ref().map_or(0, Sender::len), self.handled.load(Ordering::Relaxed))
    }

    /// The next results, if there are any.
    #[must_use]
    pub fn done(&self) -> Option<Vec<Done>> {
        self.done.try_recv().ok()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.ops = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(path: &Path, lock: File, todo: &Receiver<Op>, results: &Sender<Vec<Done>>, bell: &Bell, handled: &AtomicU64) {
    let (database, opened) = match Database::open_locked(path, lock) {
        Ok(database) => {
            let kept = database.kept().map_err(|error| HistoryError::of(path, error).into());
            let zone = Done::Zone { zone: database.zone().unwrap_or_default(), changed: false };
            let handed = Done::Handed(database.handed_last().unwrap_or_default());
            (Some(database), vec![handed, Done::Opened(kept), zone])
        }
        Err(error) => (None, vec![Done::Opened(Err(error.into()))]),
    };
    if results.send(opened).is_ok() {
        bell.ring();
    }
    let Some(database) = database else { return };
    let mut batch = Vec::new();
    while let Ok(op) = todo.recv() {
        batch.push(op);
        batch.extend(todo.try_iter().take(BATCH - 1));
        let done = database.run(&batch);
        handled.fetch_add(batch.len() as u64, Ordering::Relaxed);
        batch.clear();
        if !done.is_empty() && results.send(done).is_ok() {
            bell.ring();
        }
    }
}
