//! The client's database, one file per server and account, and the thread that owns it. Operations
//! go in, results come back after the commit; one commit serves everything that waited.
//!
//! WAL with synchronous=NORMAL: a `kill -9` loses nothing committed. Source: the plain protocol,
//! "What a client owes its user".
//!
//! Its parts:
//!
//! - `op`: the operations and their results.
//! - `database`: a batch of operations as one transaction.
//! - `schema`: the tables and their migrations.
//! - `messages`: the operations on messages.
//! - `look`: what a face reads: rows, pages, search.
//! - `people`: the list, with its figures.
//! - `device`: this device's name, token and cursor.
//! - `made`: tells accounts of one name apart.
//! - `delivered`: which sent messages were delivered.
//! - `items`: the account's items on the server, and changes to them that are not sent yet.
//! - `friends`: who is a friend, requests and profiles.
//! - `picture`: converts the items into the lists, and the lists into items.
//! - `past`: messages that the server has from before this device.
//! - `matching`: which messages of two lists are the same. Pure.
//! - `moment`: when a message was written. Pure.
//! - `contacts`: the list of friends as CSV.
//! - `trouble`: what is wrong with the disk, told apart.
//! - `rescue`: saves what can be read of a damaged file.

pub mod contacts;
mod database;
mod delivered;
mod device;
mod friends;
mod items;
mod look;
mod made;
mod matching;
mod messages;
pub mod moment;
mod op;
mod past;
mod people;
mod picture;
mod rescue;
mod schema;
mod trouble;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender};

pub use database::Database;
pub use delivered::state_of;
pub use friends::{Difference, Friends};
pub use items::ItemPage;
pub use op::{Done, Op, Read, Write};
pub use past::time_of;
pub use rescue::{Rescued, copy_before, put_aside, rescue};
pub use trouble::Trouble;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};
use crate::base::private::Lock;
use crate::client::net::Bell;
use crate::client::session::{DeviceState, LastDelivery};

/// The most operations that one transaction holds.
const BATCH: usize = 256;

/// Why a history cannot be opened; a sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder or file cannot be made or written.
    #[error("{}", t!("error.file", path = .path.display(), error = crate::base::trouble::words(.error)))]
    File {
        /// The history's file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The same account is open in another process.
    #[error("{}", t!("error.locked"))]
    Locked,
    /// The file was written by a later program.
    #[error("{}", t!("error.newer", found = .found, known = .known))]
    Newer {
        /// The schema version found in the file.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// The disk is full, or has another trouble.
    #[error("{}", t!("error.history", path = .path.display(), error = .trouble.words()))]
    Trouble {
        /// The history's file.
        path: PathBuf,
        /// What is wrong.
        trouble: Trouble,
    },
    /// The file is damaged or not a database.
    #[error("{}", t!("error.damaged", path = .path.display(), error = .error))]
    Damaged {
        /// The history's file.
        path: PathBuf,
        /// SQLite's error.
        error: rusqlite::Error,
    },
}

/// A contact as the history stores it; in the plain dialect the contact list exists only on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The account that this is about.
    pub account: Account,
    /// The remark; may be empty.
    pub remark: String,
    /// The group; may be empty.
    pub group: String,
    /// Whether they are blocked: messages are kept but not shown.
    pub blocked: bool,
}

/// A row of the main window's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The contact; a stranger has neither remark nor group.
    pub contact: Contact,
    /// Whether they are not in the list, but have written or are blocked.
    pub stranger: bool,
    /// The last message and when it was written, in milliseconds since 1970.
    pub last: Option<(String, i64)>,
    /// The draft, if there is one.
    pub draft: Option<String>,
    /// The number of unread messages.
    pub unread: u64,
}

/// Strangers who are not in the list one by one; a flood of them is shown as one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoreStrangers {
    /// The number of strangers.
    pub people: u64,
    /// The number of their unread messages.
    pub unread: u64,
}

/// What a transcript knows of each row before it reads its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowMeta {
    /// The message's row in the history.
    pub id: MessageId,
    /// The number of characters, from which the transcript estimates the row's height.
    pub chars: u32,
    /// The number of line breaks in the text.
    pub breaks: u32,
    /// Whether this account sent it.
    pub outgoing: bool,
    /// The same value as the field of [`Row`] with this name.
    pub unix_ms: i64,
    /// The same value as the field of [`Row`] with this name.
    pub note: bool,
}

/// A message as a transcript shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The message's row in the history.
    pub id: MessageId,
    /// The message's text.
    pub text: String,
    /// When it was written, in milliseconds since 1970. If only the reading of the server's clock is known, this is the
    /// moment at which this computer's clock shows the same; [`Row::moment`] tells the two apart.
    pub unix_ms: i64,
    /// When it was received, by this computer's clock; `None` for messages that this account sent and for old ones that
    /// the server had.
    pub came_ms: Option<i64>,
    /// The time as a plain server wrote it, if the server's time zone is unknown; otherwise `None`.
    pub server_time: Option<String>,
    /// The delivery state of a message that this account sent; `None` for received ones.
    pub state: Option<SendState>,
    /// Whether this is the previous message again, which the server delivered a second time.
    pub repeat: bool,
    /// Whether this is no message but a notice of the client, in the current language: from here on another account has
    /// this name.
    pub note: bool,
}

/// A message that this account wrote and whose sending is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// The message's row in the history.
    pub id: MessageId,
    /// The recipient's account.
    pub to: Account,
    /// The message's text.
    pub text: String,
    /// Whether the server may have it already; the secure dialect sends it again under the same row.
    pub again: bool,
    /// Which account of the recipient's name it was written to, as in [`crate::client::session::Recipient::made`].
    pub made: Option<i64>,
}

/// Why a history could not be opened; sent by the history's thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpened {
    /// The reason as a sentence in the current language.
    pub sentence: String,
    /// Whether the file is damaged, so that a rescue may save part of it.
    pub damaged: bool,
}

impl From<HistoryError> for NotOpened {
    fn from(error: HistoryError) -> Self {
        Self { sentence: error.to_string(), damaged: matches!(error, HistoryError::Damaged { .. }) }
    }
}

/// The owner's end of the history's thread. Dropping it commits what is waiting and ends the thread.
#[derive(Debug)]
pub struct History {
    // Before the thread: the channel must be closed when the thread is joined.
    ops: Option<Sender<Op>>,
    done: Receiver<Vec<Done>>,
    handled: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl History {
    /// Takes the file's lock and starts the thread. The thread opens the file, because a migration may take some time;
    /// [`Done::Opened`] says when the history can be used. `bell` rings when results are ready.
    ///
    /// # Errors
    /// [`HistoryError::Locked`] and [`HistoryError::File`].
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

    /// The number of operations waiting and the number done so far.
    #[must_use]
    pub fn figures(&self) -> (usize, u64) {
        (self.ops.as_ref().map_or(0, Sender::len), self.handled.load(Ordering::Relaxed))
    }

    /// The next batch of results, if one is ready; the client calls it after the bell has rung.
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

fn run(path: &Path, lock: Lock, todo: &Receiver<Op>, results: &Sender<Vec<Done>>, bell: &Bell, handled: &AtomicU64) {
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
