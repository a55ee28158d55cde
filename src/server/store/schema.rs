//! The tables of the database and their migrations. [`migration`](crate::base::migration) carries these out.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::StoreError;
use crate::base::migration::Form;

/// The schema version that this program writes, as `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = 15;

/// The size in bytes of the largest file that is checked at each start.
const CHECKED: i64 = 64 * 1024 * 1024;

/// The steps that make each version from the one before; a released step never changes.
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
    // Devices of the secure dialect, and what each has sent under which counter.
    "
    CREATE TABLE devices (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, device BLOB NOT NULL,
        token BLOB NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (account, device)) WITHOUT ROWID;
    CREATE TABLE sent (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, device BLOB NOT NULL,
        counter INTEGER NOT NULL, hash BLOB NOT NULL, row INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (account, device, counter)) WITHOUT ROWID;
    CREATE INDEX conversation ON messages (receiver, sender, id);
    CREATE INDEX mailbox ON messages (receiver, id);",
    // How an account may be used; after which message a device starts; a row of each message for the writer's other
    // devices, with its receiver (`own`), device and counter; whether a message was handed out in the plain dialect.
    "
    ALTER TABLE accounts ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN secure_only INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE devices ADD COLUMN start INTEGER;
    ALTER TABLE messages ADD COLUMN own TEXT;
    ALTER TABLE messages ADD COLUMN device BLOB;
    ALTER TABLE messages ADD COLUMN counter INTEGER;
    ALTER TABLE messages ADD COLUMN plain INTEGER;",
    // One index of unread messages for both queries: a sender's are searched for within a mailbox, whose size is
    // limited. Each index costs every message one more page to write and sync.
    "
    DROP INDEX unread;
    DROP INDEX unread_of;
    CREATE INDEX unread ON messages (receiver, id, sender) WHERE taken IS NULL;",
    // The writer of a message by account number, since the name may belong to another account later. It is unknown for
    // messages that are older than the account of that name, and for those of a room. Also the name of the writer of a
    // room's message, which until now was part of the text.
    "
    ALTER TABLE messages ADD COLUMN author INTEGER REFERENCES accounts ON DELETE SET NULL;
    ALTER TABLE messages ADD COLUMN writer TEXT;
    UPDATE messages SET author =
        (SELECT a.id FROM accounts a WHERE a.name = sender AND a.created <= sent AND own IS NULL);",
    // Whether a receiver was online when a message was sent. Also which messages of one account to another were taken:
    // the first and the last row, and a version that rises with each change.
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
    // When the youngest account was made that has been deleted since: accounts are made later than that, so that no two
    // of one name have the same time.
    "
    CREATE TABLE deleted (only INTEGER PRIMARY KEY CHECK (only = 1), created INTEGER NOT NULL);",
    // Several ranges of delivered messages: each start of the server begins a new one, since a backup that was put back
    // lacks messages.
    "
    CREATE TABLE ranges (author INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        receiver INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, first INTEGER NOT NULL,
        last INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (author, receiver, first)) WITHOUT ROWID;
    INSERT INTO ranges SELECT author, receiver, first, last, version FROM delivered;
    DROP TABLE delivered;
    ALTER TABLE ranges RENAME TO delivered;",
    // What a deleted account wrote and received is found without searching all messages, through the index by which
    // conversations are read, so that a message needs no more indexes than before. A room's messages have an index of
    // their own.
    "
    DROP INDEX conversation;
    CREATE INDEX conversation ON messages (author, receiver, id);
    CREATE INDEX room ON messages (receiver, id) WHERE sender = '@lobby';
    CREATE INDEX delivered_to ON delivered (receiver);",
    // A start reads only what it needs: no version of a delivery is above the reserved one, and sessions are found by
    // address and by time.
    "
    CREATE TABLE versions (only INTEGER PRIMARY KEY CHECK (only = 1), reserved INTEGER NOT NULL);
    INSERT INTO versions SELECT 1, max(0, coalesce(max(version), 0)) FROM delivered;
    CREATE INDEX places ON sessions (address);
    CREATE INDEX heard ON sessions (since);",
    // What was written by accounts that are deleted is found without searching all messages of a mailbox that have no
    // author, such as copies of sent ones. A message enters this index only when its writer is deleted, apart from
    // those older than version 5 whose writer is unknown.
    "
    CREATE INDEX departed ON messages (receiver, sender, id) WHERE author IS NULL AND own IS NULL;",
    // One index for a mailbox: unread messages and taken ones, each in their order. Each index costs every message one
    // more page to write and sync.
    "
    DROP INDEX mailbox;
    DROP INDEX unread;
    CREATE INDEX box ON messages (receiver, (taken IS NOT NULL), id, sender);",
    // What all devices of an account show alike: its items, each with the version of its latest change (without a value
    // if it was removed), and the totals of each account, so that nothing has to be counted. An item that is about
    // another account is removed when that is deleted.
    "
    CREATE TABLE items (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, kind TEXT NOT NULL,
        key TEXT NOT NULL, value TEXT, version INTEGER NOT NULL, other INTEGER REFERENCES accounts ON DELETE SET NULL,
        PRIMARY KEY (account, kind, key)) WITHOUT ROWID;
    CREATE INDEX changed_items ON items (account, version);
    CREATE INDEX items_about ON items (other) WHERE other IS NOT NULL;
    CREATE TABLE lists (account INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE, version INTEGER NOT NULL,
        digest INTEGER NOT NULL, live INTEGER NOT NULL, removed INTEGER NOT NULL, floor INTEGER NOT NULL);",
    // So that all people's names are read without the items that stand between them.
    "
    CREATE INDEX profiles ON items (account, value) WHERE kind = 'profile' AND value IS NOT NULL;",
    // The newest message that was taken while its receiver was invisible, until its writer may know.
    "
    ALTER TABLE delivered ADD COLUMN held INTEGER;",
];

/// The form of the database file, for [`migration`](crate::base::migration).
pub(super) const FORM: Form = Form {
    what: "database",
    pragmas: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    steps: &STEPS,
};

/// Checks a file that can be read in a moment, so that damage is found at the start rather than when somebody waits for
/// a message. A large file would delay the start too long.
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

/// Makes the database's file if it is missing. It holds messages and password hashes.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // A new file can be read by its owner alone.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(path).map(drop)
}

/// Returns the path of the database in a data directory.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("hongyand.sqlite")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::migration::{copy, version};
    use crate::server::store::Store;

    fn one(connection: &Connection, query: &str) -> String {
        connection.query_row(query, [], |row| row.get(0)).expect("a row")
    }

    /// A message belongs to the account that had the name when it was written; if that is unknown, to none.
    #[test]
    fn whose_the_messages_of_before_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(4).bring_up_to_date(&connection, &path).expect("version 4");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES (1, 'a', x'', x'', 100), (2, 'b', x'', x'', 0);
                 INSERT INTO messages (receiver, sender, raw, text, sent) VALUES
                    (2, 'a', x'', 'of another a', 50), (2, 'a', x'', 'of a', 100), (1, 'b', x'', 'of b', 7),
                    (2, '@lobby', x'', '[a] hi', 200), (2, 'gone', x'', 'x', 200);
                 INSERT INTO messages (receiver, sender, raw, text, sent, own) VALUES (1, 'a', x'', 'own', 200, 'b');",
            )
            .expect("written");
        FORM.bring_up_to_date(&connection, &path).expect("up to date");
        let all = "SELECT group_concat(text || ' ' || coalesce(author, '-'), ', ') FROM messages";
        let expected = "of another a -, of a 1, of b 2, [a] hi -, x -, own -";
        assert_eq!(one(&connection, all), expected);
        connection.execute("DELETE FROM accounts WHERE id = 1", []).expect("deleted");
        assert_eq!(one(&connection, all), "of another a -, of a -, [a] hi -, x -");
        let copy = Connection::open(dir.path().join("hongyand.v4.sqlite")).expect("beside it");
        assert_eq!((version(&copy), one(&copy, "SELECT count(*) || '' FROM messages")), (Ok(4), "6".into()));
    }

    /// Each part of a mailbox is read from its beginning, in the index's order.
    #[test]
    fn a_mailbox_is_read_from_its_index() {
        use super::super::{devices, messages};
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a new database");
        for (query, parts) in [(messages::OFFER, 1), (messages::OFFER_OF, 1), (devices::NEWEST, 2), (devices::AFTER, 2)]
        {
            let mut plan = store.connection().prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("valid");
            let values = plan.parameter_count();
            let steps =
                plan.query_map(rusqlite::params_from_iter(vec![1; values]), |row| row.get::<_, String>("detail"));
            let steps: Vec<_> = steps.expect("a plan").map(|step| step.expect("a step")).collect();
            let sought = steps.iter().filter(|s| s.contains("INDEX box (receiver=? AND <expr>=?"));
            let whole =
                steps.iter().filter(|s| s.starts_with("SCAN") && !s.contains("subquery") && !s.contains("CONSTANT"));
            assert_eq!((sought.count(), whole.count()), (parts, 0), "{steps:#?}");
            assert!(parts == 2 || !steps.iter().any(|s| s.contains("ORDER BY")), "{steps:#?}");
        }
    }

    /// A profile that was set before the index of profiles was made is found by it.
    #[test]
    fn profiles_of_before_are_read_by_the_new_index() {
        use super::super::{Done, Op, Read};
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(13).bring_up_to_date(&connection, &path).expect("as it was");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES (1, 'a', x'', x'', 0), (2, 'b', x'', x'', 0);
                 INSERT INTO items (account, kind, key, value, version) VALUES
                    (1, 'profile', '', '{\"name\":\"王\"}', 1), (2, 'profile', '', NULL, 2), (2, 'muted', 'w', 'true', 3);",
            )
            .expect("written");
        drop(connection);
        let mut store = Store::open(dir.path()).expect("up to date");
        match store.run(&[Op::Read(Read::Find { job: 1, text: "w".into() })]).done.remove(0) {
            Done::Found { found: Some(found), .. } => {
                let accounts: Vec<_> = found.people.iter().map(|card| card.account.as_str()).collect();
                assert_eq!(accounts, ["a"]);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Deliveries of before are told as they were, and what is taken by who is invisible is held back in the same rows.
    #[test]
    fn deliveries_of_before_are_held_back_as_new_ones() {
        use super::super::{Done, Op, Read, Write};
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(14).bring_up_to_date(&connection, &path).expect("as it was");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES (1, 'a', x'', x'', 0), (2, 'b', x'', x'', 0);
                 INSERT INTO messages (id, receiver, sender, author, raw, text, sent, taken) VALUES
                    (1, 2, 'a', 1, x'', 'taken', 5, 6), (2, 2, 'a', 1, x'', 'waits', 5, NULL);
                 INSERT INTO delivered (author, receiver, first, last, version) VALUES (1, 2, 1, 1, 1);
                 INSERT INTO items (account, kind, key, value, version) VALUES (2, 'status', '', '{\"state\":\"invisible\"}', 1);",
            )
            .expect("written");
        drop(connection);
        let mut store = Store::open(dir.path()).expect("up to date");
        let ops = [
            Op::Write(Write::TakenTo { account: 2, row: 2, at: 7 }),
            Op::Read(Read::Delivered { job: 1, account: 1, after: 0, count: 9 }),
        ];
        match &store.run(&ops).done[..] {
            [Done::Took { delivered: none, .. }, Done::Delivered { delivered, .. }] => {
                assert!(none.is_empty() && delivered.iter().map(|(d, _)| (d.first, d.last)).eq([(1, 1)]));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Mailboxes of two versions ago read the same through the new indexes.
    #[test]
    fn mailboxes_of_before_are_read_by_the_new_indexes() {
        use super::super::{Done, Op, Read};
        use crate::protocol::wire::frame::Key;
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(10).bring_up_to_date(&connection, &path).expect("as it was");
        connection
            .execute_batch(
                "INSERT INTO accounts (id, name, salt, hash, created) VALUES (1, 'a', x'', x'', 0), (2, 'b', x'', x'', 0);
                 INSERT INTO messages (id, receiver, sender, author, raw, text, sent, taken) VALUES
                    (1, 1, 'b', 2, x'', 'taken', 5, 6), (2, 1, 'b', 2, x'', 'waits', 5, NULL),
                    (4, 1, '@lobby', 2, x'', 'for all', 5, 6), (5, 1, 'gone', NULL, x'', 'left', 5, NULL),
                    (6, 2, 'a', 1, x'', 'not a''s', 5, NULL), (7, 1, 'b', 2, x'', 'last', 5, 6);
                 INSERT INTO messages (id, receiver, sender, raw, text, sent, taken, own, device, counter) VALUES
                    (3, 1, 'a', x'', 'own', 5, 5, 'b', zeroblob(16), 1);",
            )
            .expect("written");
        drop(connection);
        let mut store = Store::open(dir.path()).expect("up to date");
        let device = Key([7; 16]);
        let after = |after, count| Op::Read(Read::After { job: 1, account: 1, device, after, count });
        let history = Read::History {
            job: 1,
            account: 1,
            name: "a".into(),
            peer: "gone".into(),
            peer_id: None,
            before: None,
            count: 9,
        };
        let mut rows = |op: Op| match &store.run(&[op]).done[..] {
            [Done::Messages { messages, more, .. }] => (messages.iter().map(|m| m.row).collect::<Vec<_>>(), *more),
            [Done::Offered { message, .. }] => (message.iter().map(|m| m.row).collect(), false),
            other => panic!("{other:?}"),
        };
        assert_eq!(rows(after(0, 9)), (vec![1, 2, 3, 4, 5, 7], false), "taken or not, in their order");
        assert_eq!(rows(after(1, 3)), (vec![2, 3, 4], true));
        assert_eq!(rows(Op::Read(Read::Offer { job: 1, account: 1, from: None })), (vec![2], false));
        assert_eq!(rows(Op::Read(Read::Offer { job: 1, account: 1, from: Some("gone".into()) })), (vec![5], false));
        assert_eq!(rows(Op::Read(history)), (vec![5], false));
        let newest = store.connection().query_row(super::super::devices::NEWEST, [1], |row| row.get(0));
        assert_eq!(newest, Ok(7), "of what was taken, too");
    }

    #[test]
    fn deleting_an_account_reads_no_whole_table() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(8).bring_up_to_date(&connection, &path).expect("as it was");
        FORM.bring_up_to_date(&connection, &path).expect("up to date");
        let mut plan = String::new();
        for query in [super::super::admin::UNFETCHED, super::super::admin::ACCOUNT] {
            let mut query = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("valid");
            let steps = query.query_map([1], |row| row.get::<_, String>("detail")).expect("a plan");
            steps.for_each(|step| plan.push_str(&format!("{}\n", step.expect("a step"))));
        }
        assert!(plan.lines().count() > 5 && !plan.contains("SCAN"), "{plan}");
    }

    #[test]
    fn what_was_taken_before_is_delivered() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(5).bring_up_to_date(&connection, &path).expect("as it was");
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
        FORM.bring_up_to_date(&connection, &path).expect("up to date");
        let all = "SELECT group_concat(author || '>' || receiver || ' ' || first || '-' || iif(last < 0, '', last)
            || ' ' || iif(version < 0, 'none', version), ', ') FROM (SELECT * FROM delivered ORDER BY author, receiver)";
        assert_eq!(one(&connection, all), "1>2 1-3 1, 1>3 7-7 2, 2>1 5- none");
    }

    #[test]
    fn what_cannot_be_copied_is_not_changed_and_a_newer_one_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(dir.path());
        let connection = Connection::open(&path).expect("a new file");
        FORM.of_version(1).bring_up_to_date(&connection, &path).expect("new");
        fs::create_dir(dir.path().join("hongyand.v1.sqlite")).expect("something in the way");
        drop(connection);
        let refused = Store::open(dir.path());
        assert!(matches!(refused, Err(StoreError::Backup { .. })), "{refused:?}");
        let connection = Connection::open(&path).expect("there");
        assert_eq!(version(&connection), Ok(1));
        assert_eq!(one(&connection, "SELECT count(*) || '' FROM accounts"), "0");
        drop(connection);
        fs::remove_dir(dir.path().join("hongyand.v1.sqlite")).expect("out of the way");
        drop(Store::open(dir.path()).expect("up to date"));
        let connection = Connection::open(&path).expect("there");
        connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("as a later program left it");
        let newer = Store::open(dir.path());
        assert!(
            matches!(newer, Err(StoreError::Newer { found, known: SCHEMA_VERSION }) if found == SCHEMA_VERSION + 1)
        );
    }

    #[cfg(unix)]
    #[test]
    fn its_files_are_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a new database");
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
