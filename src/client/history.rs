//! The client's database, one file per server and account, and the thread that owns it. Operations
//! go in, results come back after the commit; one commit serves everything that waited.
//!
//! WAL with synchronous=NORMAL: a `kill -9` loses nothing committed. Source: the plain protocol,
//! "What a client owes its user".
//!
//! Its parts:
//!
//! - `op`: what it is asked and answers, reads apart from writes.
//! - `database`: a batch of these as one transaction, and which function does which.
//! - `schema`: the file's form.
//! - `messages`: messages on their way.
//! - `look`: what a face reads: rows, pages, search.
//! - `people`: who is in the list, with figures kept beside the messages.
//! - `device`: this device's name, what lets it in, and its cursor.
//! - `made`: which account a name is, where one was made anew.
//! - `delivered`: which of one's own messages a receiver has.
//! - `past`: what the server had before this device was there.
//! - `matching`: which messages of two lists are the same. Pure.
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
mod matching;
mod messages;
pub mod moment;
mod op;
mod past;
mod people;
mod rescue;
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
pub use op::{Done, Op, Read, Write};
pub use past::time_of;
pub use rescue::{Rescued, copy_before, put_aside, rescue};
pub use trouble::Trouble;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};
use crate::client::net::Bell;
use crate::client::session::{DeviceState, LastDelivery};

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
