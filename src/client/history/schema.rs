//! The tables of a history's file and their migrations, its lock, and how values are stored.
//! [`migration`](crate::base::migration) carries the migrations out.

use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::{Connection, Error};

use super::HistoryError;
use crate::base::migration::Form;
use crate::base::model::SendState;
use crate::base::private::{self, Lock};

/// The schema version that this program writes, as `PRAGMA user_version`.
pub(super) const SCHEMA_VERSION: i64 = 11;

/// Locks a history for this process; the system releases the lock when the process ends.
///
/// # Errors
/// [`HistoryError::Locked`] if another process holds it; [`HistoryError::File`].
pub(super) fn lock(path: &Path) -> Result<Lock, HistoryError> {
    let file = |error| HistoryError::of_io(path, error);
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(file)?;
    }
    Lock::take(&path.with_extension("lock")).map_err(|error| match error {
        TryLockError::WouldBlock => HistoryError::Locked,
        TryLockError::Error(error) => file(error),
    })
}

/// Opens or makes the file, and migrates an older one after making a backup.
///
/// # Errors
/// [`HistoryError::Damaged`], [`HistoryError::Trouble`], [`HistoryError::Newer`].
pub(super) fn open(path: &Path) -> Result<Connection, HistoryError> {
    // The file contains the login token. The files that SQLite makes beside it get the same permissions.
    private::open(path, File::options().create(true).append(true)).map_err(|e| HistoryError::of_io(path, e))?;
    let connection = Connection::open(path).map_err(|error| HistoryError::of(path, error))?;
    FORM.bring_up_to_date(&connection, path).map_err(|error| HistoryError::of_migration(path, error))?;
    Ok(connection)
}

/// Makes a new file of this version, into which rows are copied.
pub(super) fn make(path: &Path, version: i64) -> Result<Connection, HistoryError> {
    private::open(path, File::options().create(true).append(true)).map_err(|e| HistoryError::of_io(path, e))?;
    let connection = Connection::open(path).map_err(|error| HistoryError::of(path, error))?;
    let form = FORM.of_version(version);
    form.bring_up_to_date(&connection, path).map_err(|error| HistoryError::of_migration(path, error))?;
    Ok(connection)
}

/// Counts the list's figures again, from the messages.
pub(super) fn count_anew(connection: &Connection) -> Result<(), Error> {
    // The first version had no such figures.
    if !connection.table_exists(None, "peers")? {
        return Ok(());
    }
    connection.execute_batch(
        "DELETE FROM peers;
         INSERT INTO peers SELECT peer, max(id), sum(NOT seen),
             NOT EXISTS (SELECT 1 FROM contacts WHERE account = peer) AND peer NOT GLOB '@*'
             FROM messages WHERE NOT repeat AND state IS NOT -2 GROUP BY peer;",
    )
}

const FIRST: &str = "
    CREATE TABLE contacts (account TEXT PRIMARY KEY, remark TEXT NOT NULL, section TEXT NOT NULL,
        blocked INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, outgoing INTEGER NOT NULL,
        text TEXT NOT NULL, raw BLOB NOT NULL, unix_ms INTEGER NOT NULL, server_time TEXT, state INTEGER,
        repeat INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL);
    CREATE INDEX by_peer ON messages (peer, id);
    CREATE INDEX unseen ON messages (peer) WHERE NOT seen;
    CREATE INDEX unsent ON messages (state) WHERE outgoing AND state < 2;";

/// The list's figures for each conversation, since each new message would otherwise cost a search through all of them;
/// also an index for reading pages.
const SECOND: &str = "
    CREATE TABLE peers (peer TEXT PRIMARY KEY, last INTEGER NOT NULL, unread INTEGER NOT NULL,
        stranger INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO peers SELECT peer, max(id), sum(NOT seen),
        NOT EXISTS (SELECT 1 FROM contacts WHERE account = peer) AND peer NOT GLOB '@*'
        FROM messages WHERE NOT repeat GROUP BY peer;
    DROP INDEX by_peer;
    CREATE INDEX shown ON messages (peer, id) WHERE NOT repeat;
    CREATE INDEX strangers ON peers (last, unread) WHERE stranger;";

/// What a device keeps about itself; also an index of unsent messages.
const THIRD: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('device', randomblob(16));
    DROP INDEX unsent;
    CREATE INDEX unsent ON messages (state) WHERE outgoing AND state IN (0, 1, 7);";

/// The names that this device had before, each with the last row of that time; and, for messages that came in the plain
/// dialect, the server's time, until the same message is pushed.
const FOURTH: &str = "
    CREATE TABLE names (name BLOB PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE messages ADD COLUMN plain TEXT;
    CREATE INDEX handed ON messages (peer, plain) WHERE plain IS NOT NULL;";

/// The server's number of each row, and a place for rows that came from the server later.
const FIFTH: &str = "
    ALTER TABLE messages ADD COLUMN server_row INTEGER;
    ALTER TABLE messages ADD COLUMN place INTEGER;
    CREATE INDEX server_rows ON messages (peer, server_row) WHERE server_row IS NOT NULL;
    DROP INDEX shown;
    CREATE INDEX shown ON messages (peer, coalesce(place, id), place IS NULL, server_row) WHERE NOT repeat;";

/// Blocked accounts are among the contacts, but need not be in the list. Of those who were blocked before, it is
/// unknown who was.
const SIXTH: &str = "
    ALTER TABLE contacts ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;";

/// The time at which a message was written, `unix_ms`, and the time at which it came. For messages of the plain dialect
/// also the reading of the server's clock, `face`, as if it were UTC, and its `zone` in seconds before UTC once that is
/// known. Until now others' messages had the time at which they came; pushed ones had their time as a text in this
/// computer's zone, which is read as such, but never as later than they came. Also drafts.
const SEVENTH: &str = "
    ALTER TABLE messages ADD COLUMN came INTEGER;
    ALTER TABLE messages ADD COLUMN face INTEGER;
    ALTER TABLE messages ADD COLUMN zone INTEGER;
    UPDATE messages SET came = unix_ms WHERE NOT outgoing AND place IS NULL;
    UPDATE messages SET server_time = NULL WHERE place IS NOT NULL;
    UPDATE messages SET server_time = NULL,
        unix_ms = min(unix_ms, coalesce(strftime('%s', server_time, 'utc') * 1000, unix_ms))
        WHERE NOT outgoing AND server_row IS NOT NULL AND plain IS NULL AND server_time IS NOT NULL;
    UPDATE messages SET face = strftime('%s', server_time) * 1000
        WHERE server_time GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]';
    CREATE INDEX zoneless ON messages (id) WHERE face IS NOT NULL AND zone IS NULL;
    CREATE TABLE drafts (peer TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;";

/// Which sent messages were delivered, by their numbers at the server, whatever is stored in these places later. An
/// account that was made anew has other numbers than the earlier one.
const EIGHTH: &str = "
    CREATE TABLE delivered (peer TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (peer, first)) WITHOUT ROWID;";

/// When each person's account was made, as the server said last, which tells it from another account of the same name;
/// and, for sent messages, for which of these they were written.
const NINTH: &str = "
    CREATE TABLE made (peer TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE messages ADD COLUMN made INTEGER;";

/// Of those who were blocked before the sixth version, the ones with a remark or a group had been put into the list by
/// hand; of the others it is unknown (2) until the person says so.
const TENTH: &str = "
    UPDATE contacts SET listed = 2 WHERE blocked AND listed AND remark = '' AND section = '';";

/// The account's items as the server has them, and the changes that were made here and that it has not taken; of these
/// `held` ones wait for the account's owner. And who people are, as the server said last.
const ELEVENTH: &str = "
    CREATE TABLE items (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key))
        WITHOUT ROWID;
    CREATE TABLE item_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,
        value TEXT, held INTEGER NOT NULL, UNIQUE (kind, key));
    CREATE TABLE profiles (account TEXT PRIMARY KEY, name TEXT NOT NULL, line TEXT NOT NULL, color INTEGER)
        WITHOUT ROWID;";

/// The steps from an empty file to [`SCHEMA_VERSION`].
const STEPS: [&str; SCHEMA_VERSION as usize] =
    [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH, TENTH, ELEVENTH];

/// The form of a history's file.
const FORM: Form =
    Form { what: "history", pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", steps: &STEPS };

/// The number of [`SendState::MadeAnew`].
pub(super) const MADE_ANEW: i64 = 12;

/// The number of [`SendState::Sending`] in the secure dialect.
pub(super) const SENDING_SECURELY: i64 = 7;

/// The number of [`SendState::Delivered`]; a message in a range of `delivered` may itself have an earlier state.
pub(super) const DELIVERED: i64 = 11;

/// Returns the number of a state in the file; these numbers never change.
pub(super) fn number(state: SendState) -> i64 {
    match state {
        SendState::Waiting => 0,
        SendState::Sending => 1,
        SendState::Sent => 2,
        SendState::OfflineOrUnknown => 3,
        SendState::MaybeSentTwice => 4,
        SendState::Failed => 5,
        SendState::MaybeSent => 6,
        SendState::Kept => 8,
        SendState::Unknown => 9,
        SendState::NoAnswer => 10,
        SendState::Delivered => DELIVERED,
        SendState::MadeAnew => MADE_ANEW,
    }
}

pub(super) fn state(number: i64) -> SendState {
    match number {
        0 => SendState::Waiting,
        1 | SENDING_SECURELY => SendState::Sending,
        2 => SendState::Sent,
        3 => SendState::OfflineOrUnknown,
        4 => SendState::MaybeSentTwice,
        6 => SendState::MaybeSent,
        8 => SendState::Kept,
        9 => SendState::Unknown,
        10 => SendState::NoAnswer,
        DELIVERED => SendState::Delivered,
        MADE_ANEW => SendState::MadeAnew,
        _ => SendState::Failed,
    }
}

/// Converts a row's number at the server to SQLite's signed integers.
pub(super) fn signed(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
