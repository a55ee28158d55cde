//! The form of a history's file: its lock, its tables from the first version on, and how values stand in it. How a file is
//! brought up to it is [`migration`](crate::base::migration).

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, Error};

use super::HistoryError;
use crate::base::migration::Form;
use crate::base::model::SendState;
use crate::base::private;

/// The schema this program writes; `PRAGMA user_version`.
pub(super) const SCHEMA_VERSION: i64 = 10;

/// Takes a history for this process. The lock is the system's, so it ends with the process.
///
/// # Errors
/// [`HistoryError::Locked`] when another process has it, [`HistoryError::File`].
pub(super) fn lock(path: &Path) -> Result<File, HistoryError> {
    let file = |error| HistoryError::of_io(path, error);
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(file)?;
    }
    let lock = path.with_extension("lock");
    let lock = private::open(&lock, File::options().create(true).truncate(false).write(true)).map_err(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(HistoryError::Locked),
        Err(std::fs::TryLockError::Error(error)) => Err(file(error)),
    }
}

/// Opens or makes the file, and brings an older one up to date after a backup.
///
/// # Errors
/// [`HistoryError::Damaged`], [`HistoryError::Trouble`], [`HistoryError::Newer`].
pub(super) fn open(path: &Path) -> Result<Connection, HistoryError> {
    // It holds what lets its owner in. The files that SQLite makes beside it follow it.
    private::open(path, File::options().create(true).append(true)).map_err(|e| HistoryError::of_io(path, e))?;
    let connection = Connection::open(path).map_err(|error| HistoryError::of(path, error))?;
    FORM.bring_up_to_date(&connection, path).map_err(|error| HistoryError::of_migration(path, error))?;
    Ok(connection)
}

/// A new file of this version, for what is copied into it.
pub(super) fn make(path: &Path, version: i64) -> Result<Connection, HistoryError> {
    private::open(path, File::options().create(true).append(true)).map_err(|e| HistoryError::of_io(path, e))?;
    let connection = Connection::open(path).map_err(|error| HistoryError::of(path, error))?;
    let form = FORM.of_version(version);
    form.bring_up_to_date(&connection, path).map_err(|error| HistoryError::of_migration(path, error))?;
    Ok(connection)
}

/// The list's figures, from the messages that are there.
pub(super) fn count_anew(connection: &Connection) -> Result<(), Error> {
    // The first version had none.
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
    CREATE INDEX strangers ON peers (last, unread) WHERE stranger;";

/// What a device keeps of itself, and what is not sent, found without looking at every message.
const THIRD: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('device', randomblob(16));
    DROP INDEX unsent;
    CREATE INDEX unsent ON messages (state) WHERE outgoing AND state IN (0, 1, 7);";

/// Names this device had before, each with the last row of that time; and of messages that came in the plain dialect
/// the server's time, until the same was pushed.
const FOURTH: &str = "
    CREATE TABLE names (name BLOB PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE messages ADD COLUMN plain TEXT;
    CREATE INDEX handed ON messages (peer, plain) WHERE plain IS NOT NULL;";

/// Rows know their number at the server; those that came from there later know where they stand too.
const FIFTH: &str = "
    ALTER TABLE messages ADD COLUMN server_row INTEGER;
    ALTER TABLE messages ADD COLUMN place INTEGER;
    CREATE INDEX server_rows ON messages (peer, server_row) WHERE server_row IS NOT NULL;
    DROP INDEX shown;
    CREATE INDEX shown ON messages (peer, coalesce(place, id), place IS NULL, server_row) WHERE NOT repeat;";

/// Whoever is blocked stands among the contacts, and need not be in the list for that. Of those who were
/// blocked before, nobody knows any more who was.
const SIXTH: &str = "
    ALTER TABLE contacts ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;";

/// A message has the moment at which it was written, `unix_ms`, and beside it when it came. Of the plain dialect's there is
/// the server's clock's `face`, as if in UTC, and the `zone`, seconds before UTC, once it is known. Before, others'
/// messages had the time at which they came; what was pushed had its moment as a text in this computer's zone, so
/// it is read as that, but never after it came. And what is typed and not sent.
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

/// Which of one's own messages to somebody were delivered, by their numbers at the server, whatever comes into these places
/// later. Of an account that was made anew there are others, apart from those of before.
const EIGHTH: &str = "
    CREATE TABLE delivered (peer TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (peer, first)) WITHOUT ROWID;";

/// When each person's account was made, as a server said it last, by which one of the same name that was made anew is told
/// from it; and of messages of one's own for which of them they were written.
const NINTH: &str = "
    CREATE TABLE made (peer TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE messages ADD COLUMN made INTEGER;";

/// Of those who were blocked before the sixth version, whoever has a remark or a group was put into the list by hand; of
/// the others nobody knows whether they were in it (2) until somebody says so.
const TENTH: &str = "
    UPDATE contacts SET listed = 2 WHERE blocked AND listed AND remark = '' AND section = '';";

/// From nothing to [`SCHEMA_VERSION`].
const STEPS: [&str; SCHEMA_VERSION as usize] =
    [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH, TENTH];

/// The form of a history.
const FORM: Form =
    Form { what: "history", pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", steps: &STEPS };

/// [`SendState::MadeAnew`].
pub(super) const MADE_ANEW: i64 = 12;

/// [`SendState::Sending`] by the secure dialect.
pub(super) const SENDING_SECURELY: i64 = 7;

/// [`SendState::Delivered`]; where a message stands in `delivered` its own state may be an earlier one.
pub(super) const DELIVERED: i64 = 11;

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

/// A row's number at the server.
pub(super) fn signed(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::history::{Database, Done, Op, Read, Write};

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
        // Left by an attempt that was interrupted.
        std::fs::write(dir.path().join("a.v1.new"), "half a copy").expect("written");
        let database = Database::open(&path).expect("up to date");
        let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
            panic!("a list")
        };
        let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
        assert_eq!(seen, [("c", true, 1), ("b", false, 1)]);
        assert!(!dir.path().join("a.v1.new").exists());
        let backup = Connection::open(dir.path().join("a.v1.sqlite")).expect("beside it");
        assert_eq!(backup.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)), Ok(3));
    }

    #[test]
    fn a_history_that_cannot_be_copied_is_not_changed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        let old = Connection::open(&path).expect("new");
        old.execute_batch(&[FIRST, "PRAGMA user_version = 1;"].concat()).expect("as it was");
        // A folder stands where the copy would be made.
        std::fs::create_dir_all(dir.path().join("a.v1.new/in the way")).expect("made");
        let named = dir.path().join("a.v1.sqlite");
        assert!(matches!(Database::open(&path), Err(HistoryError::File { path, .. }) if path == named));
        let version = |c: &Connection| c.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
        assert_eq!(version(&old), Ok(1));
        std::fs::remove_dir_all(dir.path().join("a.v1.new")).expect("out of the way");
        drop(Database::open(&path).expect("up to date"));
        assert_eq!(version(&old), Ok(SCHEMA_VERSION));
    }

    #[test]
    fn messages_of_before_get_their_moments_as_far_as_they_are_known() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        let old = Connection::open(&path).expect("new");
        FORM.of_version(6).bring_up_to_date(&old, &path).expect("as it was");
        // Pushed, from another zone, handed out in plain, unreadable, one's own, and read back from the server.
        let came = 1_796_049_000_000_i64;
        let at = (came - 3 * 86_400_000) / 1000;
        let rows = [
            ("pushed", 0, came, Some(crate::client::history::time_of(at)), None, Some(5), None),
            (
                "later than it came",
                0,
                came,
                Some(crate::client::history::time_of(at + 4 * 86_400)),
                None,
                Some(6),
                None,
            ),
            ("plain", 0, came, Some("2026-11-27 14:30:00".to_owned()), Some("2026-11-27 14:30:00"), None, None),
            ("unreadable", 0, came, Some("soon".to_owned()), Some("soon"), None, None),
            ("own", 1, came, None, None, None, None),
            ("read back", 0, at * 1000, Some("2026-11-27 14:30:00".to_owned()), None, Some(1), Some(1)),
        ];
        for (text, outgoing, unix_ms, time, plain, server_row, place) in rows {
            old.execute(
                "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, server_time, plain, server_row, place, seen)
                 VALUES ('b', ?, ?, '', ?, ?, ?, ?, ?, 1)",
                rusqlite::params![outgoing, text, unix_ms, time, plain, server_row, place],
            )
            .expect("as it was");
        }
        drop(old);
        let database = Database::open(&path).expect("up to date");
        let peer = crate::base::model::Account::sanitised("b");
        let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer, count: 9 })]).pop() else {
            panic!("rows")
        };
        let known: Vec<_> =
            rows.iter().map(|row| (row.text.as_str(), row.moment(), row.server_time.as_deref())).collect();
        assert_eq!(
            known,
            [
                ("read back", Some(at * 1000), None),
                ("pushed", Some(at * 1000), None),
                ("later than it came", Some(came), None),
                ("plain", None, Some("2026-11-27 14:30:00")),
                ("unreadable", None, Some("soon")),
                ("own", Some(came), None),
            ]
        );
        // Once its zone is known, the one that can be read has its moment.
        database.run(&[Op::Write(Write::Zone(8 * 3600))]);
        let peer = crate::base::model::Account::sanitised("b");
        let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer, count: 9 })]).pop() else {
            panic!("rows")
        };
        let plain = rows.iter().find(|row| row.text == "plain").expect("there");
        assert_eq!(plain.moment(), Some(at * 1000 - 8 * 3_600_000));
    }

    #[test]
    fn of_who_was_blocked_before_it_is_known_or_said_whether_they_are_friends() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        let old = Connection::open(&path).expect("new");
        FORM.of_version(5).bring_up_to_date(&old, &path).expect("as it was");
        old.execute_batch(
            "INSERT INTO contacts VALUES ('friend', '', '', 0), ('named', 'N', '', 1), ('grouped', '', 'G', 1),
                 ('either', '', '', 1), ('kept', '', '', 1);",
        )
        .expect("as it was");
        drop(old);
        let database = Database::open(&path).expect("up to date");
        let account = crate::base::model::Account::sanitised;
        let block = |name: &str, blocked| database.run(&[Op::Write(Write::Block { account: account(name), blocked })]);
        // Since then a friend is known to be one, also without a remark; so is a stranger.
        assert!(block("friend", true).is_empty() && block("stranger", true).is_empty());
        for known in ["friend", "named", "grouped", "stranger"] {
            assert_eq!(block(known, false), [], "{known}");
        }
        assert_eq!(block("either", false), [Done::Unblocked(account("either"))]);
        // Said once; and whoever is put into the list by hand is known to be in it.
        assert!(block("either", true).is_empty() && block("either", false).is_empty());
        let contact = |blocked| crate::client::history::Contact {
            account: account("kept"),
            remark: String::new(),
            group: String::new(),
            blocked,
        };
        database.run(&[Op::Write(Write::Contact(contact(true)))]);
        assert_eq!(block("kept", false), []);
        let friends: Vec<_> = database.contacts().expect("read").into_iter().map(|(c, is)| (c.account, is)).collect();
        let expected = ["either", "friend", "kept", "named", "grouped"].map(|name| (account(name), true));
        assert_eq!(friends, expected);
    }

    #[test]
    fn newer_and_damaged_files_are_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.sqlite");
        drop(Database::open(&path).expect("new"));
        Connection::open(&path).and_then(|c| c.execute_batch("PRAGMA user_version = 11")).expect("changed");
        assert!(matches!(Database::open(&path), Err(HistoryError::Newer { found: 11, .. })));
        let path = dir.path().join("b.sqlite");
        std::fs::write(&path, "this is not a database, but long enough to look at").expect("written");
        assert!(matches!(Database::open(&path), Err(HistoryError::Damaged { .. })));
    }
}
