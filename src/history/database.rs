//! The file itself: schema, transactions, queries.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, Error, params};

use super::{Contact, Conversation, Done, HistoryError, Op, Row, RowMeta, contacts};
use crate::model::{Account, MessageId, SendState};

/// The schema this program writes; `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = 1;

/// An open history. Its lock is the system's, so it ends with the process, however that ends.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    _lock: File,
}

impl Database {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let file = |error| HistoryError::File { path: path.to_owned(), error };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file)?;
        }
        let lock = path.with_extension("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(lock).map_err(file)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(HistoryError::Locked),
            Err(std::fs::TryLockError::Error(error)) => return Err(file(error)),
        }
        let damaged = |error| HistoryError::Damaged { path: path.to_owned(), error };
        let connection = Connection::open(path).map_err(damaged)?;
        let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(damaged)?;
        if found > SCHEMA_VERSION {
            return Err(HistoryError::Newer { found, known: SCHEMA_VERSION });
        }
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;").map_err(damaged)?;
        if found == 0 {
            connection.execute_batch(SCHEMA).map_err(damaged)?;
        }
        Ok(Self { connection, _lock: lock })
    }

    /// Does a batch in one transaction; if it cannot be committed, nothing of it counts as stored.
    pub fn run(&self, batch: &[Op]) -> Vec<Done> {
        let committed = self.connection.unchecked_transaction().and_then(|transaction| {
            let mut done = Vec::new();
            for op in batch {
                done.extend(self.apply(op)?);
            }
            transaction.commit()?;
            Ok(done)
        });
        committed.unwrap_or_else(|error| {
            log::error!("the history refused {} operations: {error}", batch.len());
            batch.iter().filter_map(|op| self.after_failure(op, &error)).collect()
        })
    }

    fn after_failure(&self, op: &Op, error: &Error) -> Option<Done> {
        match op {
            Op::Outgoing { request, .. } => Some(Done::Kept { request: *request, id: None }),
            Op::Received { token, .. } => Some(Done::Stored { token: *token, id: None }),
            Op::State { id, state: SendState::Sending } => Some(Done::Noted { id: *id, noted: false }),
            Op::State { .. } | Op::Contact(_) | Op::RemoveContact(_) | Op::Read(_) | Op::Outbox => {
                Some(Done::Failed(error.to_string()))
            }
            // A full disk can still be read.
            Op::Import(_) => Some(Done::Imported(Err(error.to_string()))),
            Op::Conversations | Op::Export(_) | Op::Index(_) | Op::Page { .. } => self.apply(op).ok().flatten(),
        }
    }

    fn apply(&self, op: &Op) -> Result<Option<Done>, Error> {
        let c = &self.connection;
        Ok(match op {
            Op::Outgoing { request, to, text, unix_ms } => {
                c.prepare_cached(
                    "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, state, seen) VALUES (?, 1, ?, ?, ?, ?, 1)",
                )?
                .execute(params![to.as_str(), text, text.as_bytes(), unix_ms, number(SendState::Waiting)])?;
                Some(Done::Kept { request: *request, id: Some(MessageId(c.last_insert_rowid())) })
            }
            Op::State { id, state } => {
                c.prepare_cached("UPDATE messages SET state = ? WHERE id = ? AND outgoing")?
                    .execute(params![number(*state), id.0])?;
                (*state == SendState::Sending).then_some(Done::Noted { id: *id, noted: true })
            }
            Op::Received { token, from, server_time, text, raw, repeat, unix_ms } => {
                c.prepare_cached(
                    "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, server_time, repeat, seen)
                     VALUES (?, 0, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![from.as_str(), text, raw, unix_ms, server_time, repeat, repeat])?;
                Some(Done::Stored { token: *token, id: Some(MessageId(c.last_insert_rowid())) })
            }
            Op::Contact(contact) => {
                c.prepare_cached(
                    "INSERT OR REPLACE INTO contacts (account, remark, section, blocked) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![
                    contact.account.as_str(),
                    contact.remark,
                    contact.group,
                    contact.blocked
                ])?;
                None
            }
            Op::RemoveContact(account) => {
                c.prepare_cached("DELETE FROM contacts WHERE account = ?")?.execute([account.as_str()])?;
                None
            }
            Op::Read(peer) => {
                c.prepare_cached("UPDATE messages SET seen = 1 WHERE peer = ? AND NOT seen")?
                    .execute([peer.as_str()])?;
                None
            }
            Op::Import(path) => Some(Done::Imported(self.import(path)?)),
            Op::Export(path) => Some(Done::Exported(contacts::write(path, &self.contacts()?))),
            Op::Conversations => Some(Done::Conversations(self.conversations()?)),
            Op::Index(peer) => Some(Done::Index { peer: peer.clone(), rows: self.index(peer)? }),
            Op::Page { peer, first, count } => {
                Some(Done::Page { peer: peer.clone(), first: *first, rows: self.page(peer, *first, *count)? })
            }
            Op::Outbox => Some(Done::Outbox(self.outbox()?)),
        })
    }

    fn import(&self, path: &Path) -> Result<Result<usize, String>, Error> {
        let contacts = match contacts::read(path) {
            Ok(contacts) => contacts,
            Err(sentence) => return Ok(Err(sentence)),
        };
        for contact in &contacts {
            self.apply(&Op::Contact(contact.clone()))?;
        }
        Ok(Ok(contacts.len()))
    }

    fn contacts(&self) -> Result<Vec<Contact>, Error> {
        let mut query =
            self.connection.prepare_cached("SELECT account, remark, section, blocked FROM contacts ORDER BY 3, 1")?;
        let rows = query.query_map([], |row| {
            let account: String = row.get(0)?;
            let account = Account::sanitised(&account);
            Ok(Contact { account, remark: row.get(1)?, group: row.get(2)?, blocked: row.get(3)? })
        })?;
        rows.collect()
    }

    fn conversations(&self) -> Result<Vec<Conversation>, Error> {
        let mut query = self.connection.prepare_cached(
            "WITH peers AS (SELECT account AS peer FROM contacts UNION SELECT DISTINCT peer FROM messages)
             SELECT p.peer, c.remark, c.section, c.blocked, m.text, m.unix_ms,
                 (SELECT count(*) FROM messages WHERE peer = p.peer AND NOT seen)
             FROM peers p LEFT JOIN contacts c ON c.account = p.peer
             LEFT JOIN messages m ON m.id = (SELECT max(id) FROM messages WHERE peer = p.peer AND NOT repeat)
             ORDER BY m.id DESC NULLS LAST, p.peer",
        )?;
        let rows = query.query_map([], |row| {
            let peer: String = row.get(0)?;
            let remark: Option<String> = row.get(1)?;
            let blocked = row.get::<_, Option<bool>>(3)?.unwrap_or(false);
            let last = row.get::<_, Option<String>>(4)?.zip(row.get(5)?);
            let unread = if blocked { 0 } else { u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0) };
            let stranger = remark.is_none();
            let group = row.get::<_, Option<String>>(2)?.unwrap_or_default();
            let contact =
                Contact { account: Account::sanitised(&peer), remark: remark.unwrap_or_default(), group, blocked };
            Ok(Conversation { contact, stranger, last, unread })
        })?;
        rows.collect()
    }

    fn index(&self, peer: &Account) -> Result<Vec<RowMeta>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, length(text), length(text) - length(replace(text, char(10), '')), outgoing, unix_ms
             FROM messages WHERE peer = ? AND NOT repeat ORDER BY id",
        )?;
        let rows = query.query_map([peer.as_str()], |row| {
            Ok(RowMeta {
                id: MessageId(row.get(0)?),
                chars: row.get(1)?,
                breaks: row.get(2)?,
                outgoing: row.get(3)?,
                unix_ms: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    fn page(&self, peer: &Account, first: u32, count: u32) -> Result<Vec<Row>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, text, unix_ms, server_time, state, repeat FROM messages
             WHERE peer = ? AND NOT repeat ORDER BY id LIMIT ? OFFSET ?",
        )?;
        let rows = query.query_map(params![peer.as_str(), count, first], |row| {
            Ok(Row {
                id: MessageId(row.get(0)?),
                text: row.get(1)?,
                unix_ms: row.get(2)?,
                server_time: row.get(3)?,
                state: row.get::<_, Option<i64>>(4)?.map(state),
                repeat: row.get(5)?,
            })
        })?;
        rows.collect()
    }

    fn outbox(&self) -> Result<Vec<(MessageId, Account, String)>, Error> {
        let c = &self.connection;
        c.execute(
            "UPDATE messages SET state = ? WHERE outgoing AND state = ?",
            params![number(SendState::MaybeSent), number(SendState::Sending)],
        )?;
        let mut query = c.prepare("SELECT id, peer, text FROM messages WHERE outgoing AND state = ? ORDER BY id")?;
        let rows = query.query_map([number(SendState::Waiting)], |row| {
            let peer: String = row.get(1)?;
            Ok((MessageId(row.get(0)?), Account::sanitised(&peer), row.get(2)?))
        })?;
        rows.collect()
    }
}

const SCHEMA: &str = "BEGIN;
    CREATE TABLE contacts (account TEXT PRIMARY KEY, remark TEXT NOT NULL, section TEXT NOT NULL,
        blocked INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, outgoing INTEGER NOT NULL,
        text TEXT NOT NULL, raw BLOB NOT NULL, unix_ms INTEGER NOT NULL, server_time TEXT, state INTEGER,
        repeat INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL);
    CREATE INDEX by_peer ON messages (peer, id);
    CREATE INDEX unseen ON messages (peer) WHERE NOT seen;
    CREATE INDEX unsent ON messages (state) WHERE outgoing AND state < 2;
    PRAGMA user_version = 1;
    COMMIT;";

/// The states' numbers in the file; never renumbered.
fn number(state: SendState) -> i64 {
    match state {
        SendState::Waiting => 0,
        SendState::Sending => 1,
        SendState::Sent => 2,
        SendState::OfflineOrUnknown => 3,
        SendState::MaybeSentTwice => 4,
        SendState::Failed => 5,
        SendState::MaybeSent => 6,
    }
}

fn state(number: i64) -> SendState {
    match number {
        0 => SendState::Waiting,
        1 => SendState::Sending,
        2 => SendState::Sent,
        3 => SendState::OfflineOrUnknown,
        4 => SendState::MaybeSentTwice,
        6 => SendState::MaybeSent,
        _ => SendState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::StoreToken;

    fn account(name: &str) -> Account {
        Account::person(name).expect("valid")
    }

    fn received(token: u64, from: &str, text: &str, repeat: bool) -> Op {
        let token = StoreToken(token);
        let server_time = "2026-11-21 12:04:58".to_owned();
        Op::Received {
            token,
            from: account(from),
            server_time,
            text: text.into(),
            raw: b"raw".to_vec(),
            repeat,
            unix_ms: 1,
        }
    }

    fn outgoing(request: u64, text: &str) -> Op {
        Op::Outgoing { request, to: account("b"), text: text.into(), unix_ms: 2 }
    }

    #[test]
    fn the_outbox_survives_and_what_was_on_its_way_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("server").join("a.sqlite");
        let database = Database::open(&path).expect("new");
        let kept = database.run(&[outgoing(1, "one"), outgoing(2, "two"), outgoing(3, "three")]);
        assert!(matches!(&kept[..], [Done::Kept { request: 1, id: Some(MessageId(1)) }, ..]));
        let sending = |id, state| Op::State { id: MessageId(id), state };
        database.run(&[sending(1, SendState::Sent), sending(2, SendState::Sending)]);
        assert!(matches!(Database::open(&path), Err(HistoryError::Locked)));
        drop(database);
        let database = Database::open(&path).expect("again");
        assert_eq!(database.run(&[Op::Outbox]), [Done::Outbox(vec![(MessageId(3), account("b"), "three".into())])]);
        let page = Op::Page { peer: account("b"), first: 1, count: 1 };
        assert!(
            matches!(&database.run(&[page])[..], [Done::Page { rows, .. }] if rows[0].state == Some(SendState::MaybeSent))
        );
    }

    #[test]
    fn conversations_count_what_was_not_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let contact =
            |name: &str, blocked| Contact {
                account: account(name), remark: "友".into(), group: "课".into(), blocked
            };
        database.run(&[
            Op::Contact(contact("b", false)),
            Op::Contact(contact("c", true)),
            received(1, "b", "hi\nho", false),
            received(2, "b", "hi\nho", true),
            received(3, "c", "spam", false),
            received(4, "d", "who?", false),
        ]);
        let Some(Done::Conversations(list)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
        assert_eq!(seen, [("d", true, 1), ("c", false, 0), ("b", false, 1)]);
        let Some(Done::Index { rows, .. }) = database.run(&[Op::Index(account("b"))]).pop() else { panic!("an index") };
        assert_eq!(rows.iter().map(|r| (r.chars, r.breaks)).collect::<Vec<_>>(), [(5, 1)]);
        database.run(&[Op::Read(account("b")), Op::RemoveContact(account("b"))]);
        let Some(Done::Conversations(list)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        assert!(list.iter().any(|c| c.contact.account == account("b") && c.stranger && c.unread == 0));
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
