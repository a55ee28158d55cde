//! The form of a history's file: its lock, its tables from the first version on, and how values stand in it.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, Error};

use super::HistoryError;
use crate::model::SendState;

/// The schema this program writes; `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 6;

/// Takes a history for this process. The lock is the system's, so it ends with the process.
///
/// # Errors
/// [`HistoryError::Locked`] when another process has it, [`HistoryError::File`].
pub(super) fn lock(path: &Path) -> Result<File, HistoryError> {
    let file = |error| HistoryError::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(file)?;
    }
    let lock = path.with_extension("lock");
    let lock = File::options().create(true).truncate(false).write(true).open(lock).map_err(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(HistoryError::Locked),
        Err(std::fs::TryLockError::Error(error)) => Err(file(error)),
    }
}

/// Opens or makes the file, and brings an older one up to date after a backup.
///
/// # Errors
/// [`HistoryError::Damaged`], [`HistoryError::Newer`].
pub(super) fn open(path: &Path) -> Result<Connection, HistoryError> {
    let damaged = |error| HistoryError::Damaged { path: path.to_owned(), error };
    only_its_owner(path);
    let connection = Connection::open(path).map_err(damaged)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(damaged)?;
    if found > SCHEMA_VERSION {
        return Err(HistoryError::Newer { found, known: SCHEMA_VERSION });
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;").map_err(damaged)?;
    if found < SCHEMA_VERSION {
        if found > 0 {
            back_up(&connection, &path.with_extension(format!("v{found}.sqlite"))).map_err(damaged)?;
        }
        let missing = STEPS.get(usize::try_from(found).unwrap_or(0)..).unwrap_or_default().concat();
        connection.execute_batch(&["BEGIN;", &missing, "COMMIT;"].concat()).map_err(damaged)?;
    }
    Ok(connection)
}

/// The file holds what lets its owner in. The ones that SQLite makes beside it follow it.
fn only_its_owner(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let made = File::options().create(true).append(true).mode(0o600).open(path);
        if let Err(error) = made.and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600))) {
            log::warn!("others may be able to read {}: {error}", path.display());
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The whole file as it is now, beside it; an older copy of the same version is taken away.
fn back_up(connection: &Connection, to: &Path) -> Result<(), Error> {
    if to.exists() && std::fs::remove_file(to).is_err() {
        log::warn!("an old backup {} is in the way", to.display());
    }
    connection.execute("VACUUM INTO ?", [to.to_string_lossy()]).map(drop)
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

/// The list's figures a peer, else each new message would cost a look at all of them; and an index
/// that pages are counted off in.
const SECOND: &str = "
    CREATE TABLE peers (peer TEXT PRIMARY KEY, last INTEGER NOT NULL, unread INTEGER NOT NULL,
        stranger INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO peers SELECT peer, max(id), sum(NOT seen),
        NOT EXISTS (SELECT 1 FROM contacts WHERE account = peer) AND peer NOT GLOB '@*'
        FROM messages WHERE NOT repeat GROUP BY peer;
    DROP INDEX by_peer;
    CREATE INDEX shown ON messages (peer, id) WHERE NOT repeat;
    CREATE INDEX strangers ON peers (last, unread) WHERE stranger;
    PRAGMA user_version = 2;";

/// What a device keeps of itself, and what is not sent, found without looking at every message.
const THIRD: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('device', randomblob(16));
    DROP INDEX unsent;
    CREATE INDEX unsent ON messages (state) WHERE outgoing AND state IN (0, 1, 7);
    PRAGMA user_version = 3;";

/// Names this device had before, each with the last row of that time; and of messages that came in the plain dialect
/// the server's time, until the same was pushed.
const FOURTH: &str = "
    CREATE TABLE names (name BLOB PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE messages ADD COLUMN plain TEXT;
    CREATE INDEX handed ON messages (peer, plain) WHERE plain IS NOT NULL;
    PRAGMA user_version = 4;";

/// Rows know their number at the server; those that came from there later know where they stand too.
const FIFTH: &str = "
    ALTER TABLE messages ADD COLUMN server_row INTEGER;
    ALTER TABLE messages ADD COLUMN place INTEGER;
    CREATE INDEX server_rows ON messages (peer, server_row) WHERE server_row IS NOT NULL;
    DROP INDEX shown;
    CREATE INDEX shown ON messages (peer, coalesce(place, id), place IS NULL, server_row) WHERE NOT repeat;
    PRAGMA user_version = 5;";

/// Whoever is blocked stands among the contacts, and need not be in the list for that. Of those who were
/// blocked before, nobody knows any more who was.
const SIXTH: &str = "
    ALTER TABLE contacts ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;
    PRAGMA user_version = 6;";

/// From nothing to [`SCHEMA_VERSION`].
const STEPS: [&str; 6] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH];

/// [`SendState::Sending`] by the secure dialect.
pub(super) const SENDING_SECURELY: i64 = 7;

/// The states' numbers in the file; never renumbered.
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
        _ => SendState::Failed,
    }
}

/// A row's number at the server.
pub(super) fn signed(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Database, Done, Op};

    #[test]
    fn an_older_history_is_backed_up_and_brought_up_to_date() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        let old = Connection::open(&path).expect("new");
        old.execute_batch(FIRST).expect("as it was");
        old.execute_batch(
            "INSERT INTO contacts VALUES ('b', '', '', 0);
             INSERT INTO messages (peer, outgoing, text, raw, unix_ms, seen) VALUES
                 ('b', 0, 'one', '', 1, 0), ('b', 1, 'two', '', 2, 1), ('c', 0, 'three', '', 3, 0);
             PRAGMA user_version = 1;",
        )
        .expect("as it was");
        drop(old);
        let database = Database::open(&path).expect("up to date");
        let Some(Done::Conversations(list, _)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
        assert_eq!(seen, [("c", true, 1), ("b", false, 1)]);
        let backup = Connection::open(dir.path().join("a.v1.sqlite")).expect("beside it");
        assert_eq!(backup.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)), Ok(3));
    }

    #[test]
    fn newer_and_damaged_files_are_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        drop(Database::open(&path).expect("new"));
        Connection::open(&path).and_then(|c| c.execute_batch("PRAGMA user_version = 9")).expect("changed");
        assert!(matches!(Database::open(&path), Err(HistoryError::Newer { found: 9, .. })));
        let path = dir.path().join("b.sqlite");
        std::fs::write(&path, "this is not a database, but long enough to look at").expect("written");
        assert!(matches!(Database::open(&path), Err(HistoryError::Damaged { .. })));
    }
}
