//! The database's form, and how a file of an older form is brought up to date: a copy of it is made and
//! synced first, then all steps are one transaction.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::StoreError;

/// The schema this program writes; `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = 7;

/// Bytes of the largest file that is looked through at each start.
const CHECKED: i64 = 64 * 1024 * 1024;

/// What makes each version of the one before it; never changed once released.
const STEPS: [&str; SCHEMA_VERSION as usize] = [
    "
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, salt BLOB NOT NULL,
        hash BLOB NOT NULL, created INTEGER NOT NULL);
    CREATE TABLE sessions (account INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
        address TEXT NOT NULL, since INTEGER NOT NULL);
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
        receiver INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, sender TEXT NOT NULL,
        raw BLOB NOT NULL, text TEXT NOT NULL, sent INTEGER NOT NULL, taken INTEGER);
    CREATE INDEX unread ON messages (receiver, id) WHERE taken IS NULL;
    CREATE INDEX unread_of ON messages (receiver, sender, id) WHERE taken IS NULL;",
    // Devices of the secure dialect, and what each has sent under which number.
    "
    CREATE TABLE devices (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, device BLOB NOT NULL,
        token BLOB NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (account, device)) WITHOUT ROWID;
    CREATE TABLE sent (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, device BLOB NOT NULL,
        counter INTEGER NOT NULL, hash BLOB NOT NULL, row INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (account, device, counter)) WITHOUT ROWID;
    CREATE INDEX conversation ON messages (receiver, sender, id);
    CREATE INDEX mailbox ON messages (receiver, id);",
    // How an account may be used; after which message a device begins; for its writer's other devices a row of each
    // message, with whom it was to (`own`) and what it was sent under; what was handed out in the plain dialect.
    "
    ALTER TABLE accounts ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN secure_only INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE devices ADD COLUMN start INTEGER;
    ALTER TABLE messages ADD COLUMN own TEXT;
    ALTER TABLE messages ADD COLUMN device BLOB;
    ALTER TABLE messages ADD COLUMN counter INTEGER;
    ALTER TABLE messages ADD COLUMN plain INTEGER;",
    // Of the unread one index for both questions: a writer's are found among those of a mailbox, which is bounded. Each
    // index costs a message a page to write and sync.
    "
    DROP INDEX unread;
    DROP INDEX unread_of;
    CREATE INDEX unread ON messages (receiver, id, sender) WHERE taken IS NULL;",
    // Whose a message is, by the account's number: a name may be somebody else's later. Of messages written before the
    // account of that name was made nothing is known, nor of those of a room. And who wrote a message of a room: before,
    // the text said so.
    "
    ALTER TABLE messages ADD COLUMN author INTEGER REFERENCES accounts ON DELETE SET NULL;
    ALTER TABLE messages ADD COLUMN writer TEXT;
    UPDATE messages SET author =
        (SELECT a.id FROM accounts a WHERE a.name = sender AND a.created <= sent AND own IS NULL);",
    // Whether a receiver was here when a message was written. And which of somebody's messages to somebody were taken:
    // from the first row to the last, and a version that rises with each change. What nobody has taken ends none.
    "
    ALTER TABLE messages ADD COLUMN online INTEGER;
    CREATE TABLE delivered (author INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        receiver INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, first INTEGER NOT NULL,
        last INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (author, receiver)) WITHOUT ROWID;
    CREATE TEMP TABLE untaken AS SELECT author, receiver, min(id) AS id FROM messages
        WHERE taken IS NULL AND author IS NOT NULL AND writer IS NULL GROUP BY 1, 2;
    INSERT INTO delivered SELECT m.author, m.receiver, min(m.id),
        coalesce(max(iif(u.id IS NULL OR m.id < u.id, m.id, NULL)), -9223372036854775807), 0
        FROM messages m LEFT JOIN untaken u ON u.author = m.author AND u.receiver = m.receiver
        WHERE m.author IS NOT NULL AND m.writer IS NULL AND m.own IS NULL GROUP BY 1, 2;
    DROP TABLE untaken;
    UPDATE delivered SET version = iif(last < 0, last, n)
        FROM (SELECT author AS a, receiver AS r, row_number() OVER () AS n FROM delivered)
        WHERE author = a AND receiver = r;",
    // When the youngest account was made that was deleted since: those that are made from then on are younger, so that no two of
    // one name have the same moment.
    "
    CREATE TABLE deleted (only INTEGER PRIMARY KEY CHECK (only = 1), created INTEGER NOT NULL);",
];

/// Which version a file has; 0 is a new one.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Makes the tables of a new file, or brings an older one up to date after a backup.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    bring_up_to_date(connection, path, &STEPS)
}

fn bring_up_to_date(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let found = version(connection)?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    let missing = steps.get(usize::try_from(found).unwrap_or(0)..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    if found > 0 {
        let to = path.with_extension(format!("v{found}.sqlite"));
        back_up(connection, &to).map_err(|error| StoreError::Backup { path: to.clone(), error })?;
        log::info!("the database is brought from version {found} to {known}; as it was, it is {}", to.display());
    }
    let transaction = connection.unchecked_transaction()?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// Looks through all of a file that is read in a moment, so that a damaged one is not found out by whoever
/// waits for a message. A large one would keep its server from starting for too long.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?) > CHECKED {
        return Ok(());
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(damaged, Some(found)).into())
}

/// The whole file as it is now, in the place of an older copy: that is of the same version, made before an
/// attempt that failed.
fn back_up(connection: &Connection, to: &Path) -> io::Result<()> {
    let new = to.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    copy(connection, &new)?;
    fs::rename(&new, to)?;
    super::sync_folder(to);
    Ok(())
}

/// Writes a consistent copy to a file that is not there yet. It is on disk afterwards.
pub(super) fn copy(connection: &Connection, to: &Path) -> io::Result<()> {
    let Some(name) = to.to_str() else {
        // SQLite would be given another name than the file made here.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8"));
    };
    // SQLite fills an empty file; so nobody else ever reads what is in it, and nothing is written over.
    let file = private(to, fs::OpenOptions::new().write(true).create_new(true))?;
    let written = connection.execute("VACUUM INTO ?", [name]).map_err(io::Error::other).and_then(|_| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(to);
    }
    super::sync_folder(to);
    written
}

/// Makes the database's file if it is not there: it holds what people write, and their passwords' hashes.
pub(super) fn make(path: &Path) -> io::Result<()> {
    private(path, fs::OpenOptions::new().append(true).create(true)).map(drop)
}

/// A new file is its owner's alone.
fn private(path: &Path, options: &mut fs::OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// The database's file in a data directory.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("hongyand.sqlite")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: &str = "ALTER TABLE accounts ADD COLUMN nickname TEXT; UPDATE accounts SET nickname = name || '!';";

    fn one(connection: &Connection, query: &str) -> String {
        connection.query_row(query, [], |row| row.get(0)).expect("a row")
    }

    #[test]
    fn an_older_file_is_copied_before_it_changes() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let (copied, left) = (dir.path().join("hongyand.v1.sqlite"), dir.path().join("hongyand.v1.new"));
        let connection = Connection::open(&path).expect("a new file");
        bring_up_to_date(&connection, &path, &STEPS[..1]).expect("new");
        assert!(!copied.exists(), "a new file is not copied");
        connection.execute("INSERT INTO accounts VALUES (1, 'a', x'', x'', 0)", []).expect("stored");
        // What an attempt left that was cut off.
        fs::write(&left, "half a copy").expect("written");

        bring_up_to_date(&connection, &path, &[STEPS[0], "nonsense"]).expect_err("no step of ours");
        assert_eq!((version(&connection).ok(), one(&connection, "SELECT name FROM accounts")), (Some(1), "a".into()));
        connection.execute("UPDATE accounts SET name = 'b'", []).expect("it goes on as it was");

        for _ in 0..2 {
            bring_up_to_date(&connection, &path, &[STEPS[0], SECOND]).expect("up to date");
            assert_eq!(version(&connection).ok(), Some(2));
            assert_eq!(one(&connection, "SELECT nickname FROM accounts"), "b!");
            let copy = Connection::open(&copied).expect("beside it");
            assert_eq!((version(&copy).ok(), one(&copy, "SELECT name FROM accounts")), (Some(1), "b".into()));
            assert!(!left.exists());
        }
        let older = bring_up_to_date(&connection, &path, &STEPS[..1]);
        assert!(matches!(older, Err(StoreError::Newer { found: 2, known: 1 })));
    }

    /// A message is of the account that had the name when it was written, and of nobody where that is not known.
    #[test]
    fn whose_the_messages_of_before_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        bring_up_to_date(&connection, &path, &STEPS[..4]).expect("version 4");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES (1, 'a', x'', x'', 100), (2, 'b', x'', x'', 0);
                 INSERT INTO messages (receiver, sender, raw, text, sent) VALUES
                    (2, 'a', x'', 'of another a', 50), (2, 'a', x'', 'of a', 100), (1, 'b', x'', 'of b', 7),
                    (2, '@lobby', x'', '[a] hi', 200), (2, 'gone', x'', 'x', 200);
                 INSERT INTO messages (receiver, sender, raw, text, sent, own) VALUES (1, 'a', x'', 'own', 200, 'b');",
            )
            .expect("written");
        bring_up_to_date(&connection, &path, &STEPS).expect("up to date");
        let all = "SELECT group_concat(text || ' ' || coalesce(author, '-'), ', ') FROM messages";
        let expected = "of another a -, of a 1, of b 2, [a] hi -, x -, own -";
        assert_eq!(one(&connection, all), expected);
        connection.execute("DELETE FROM accounts WHERE id = 1", []).expect("deleted");
        assert_eq!(one(&connection, all), "of another a -, of a -, [a] hi -, x -");
        let copy = Connection::open(dir.path().join("hongyand.v4.sqlite")).expect("beside it");
        assert_eq!((version(&copy).ok(), one(&copy, "SELECT count(*) || '' FROM messages")), (Some(4), "6".into()));
    }

    #[test]
    fn what_was_taken_before_is_delivered() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        bring_up_to_date(&connection, &path, &STEPS[..5]).expect("as it was");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES
                    (1, 'a', x'', x'', 0), (2, 'b', x'', x'', 0), (3, 'c', x'', x'', 0);
                 INSERT INTO messages (receiver, sender, author, writer, raw, text, sent, taken, own) VALUES
                    (2, 'a', 1, NULL, x'', '', 1, 9, NULL), (2, '@lobby', 1, 'a', x'', '', 1, 9, NULL),
                    (2, 'a', 1, NULL, x'', '', 1, 9, NULL), (2, 'a', 1, NULL, x'', '', 1, NULL, NULL),
                    (1, 'b', 2, NULL, x'', '', 1, NULL, NULL), (3, 'a', NULL, NULL, x'', '', 1, 9, NULL),
                    (3, 'a', 1, NULL, x'', '', 1, 9, NULL), (1, 'a', NULL, NULL, x'', '', 1, 1, 'b');",
            )
            .expect("written");
        bring_up_to_date(&connection, &path, &STEPS).expect("up to date");
        let all = "SELECT group_concat(author || '>' || receiver || ' ' || first || '-' || iif(last < 0, '', last)
            || ' ' || iif(version < 0, 'none', version), ', ') FROM (SELECT * FROM delivered ORDER BY author, receiver)";
        assert_eq!(one(&connection, all), "1>2 1-3 1, 1>3 7-7 2, 2>1 5- none");
    }

    #[test]
    fn what_cannot_be_copied_is_not_changed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        bring_up_to_date(&connection, &path, &STEPS[..1]).expect("new");
        fs::create_dir(dir.path().join("hongyand.v1.sqlite")).expect("something in the way");
        let refused = bring_up_to_date(&connection, &path, &[STEPS[0], SECOND]);
        assert!(matches!(refused, Err(StoreError::Backup { .. })), "{refused:?}");
        assert_eq!(version(&connection).ok(), Some(1));
    }

    #[cfg(unix)]
    #[test]
    fn its_files_are_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let store = super::super::Store::open(dir.path()).expect("a new database");
        let copied = dir.path().join("copy.sqlite");
        copy(store.connection(), &copied).expect("copied");
        assert!(copy(store.connection(), &copied).is_err(), "nothing is written over");
        let odd = dir.path().join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"c\xffpy"));
        assert!(copy(store.connection(), &odd).is_err() && !odd.exists());
        for path in [file(dir.path()), file(dir.path()).with_extension("sqlite-wal"), copied] {
            assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }
}
