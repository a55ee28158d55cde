//! What the secure dialect adds to the database: devices with their tokens, what each has sent, and reading messages by
//! row.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::delivered::{self, Versions, advance_all};
use super::mailboxes::Mailboxes;
use super::{AccountId, Done, MessageRow, OwnCopy, SentKey, SentMessage, Store, StoredMessage};
use crate::base::model::{Account, names};
use crate::protocol::wire::frame::{Device, Key};
use crate::server::hasher::Hashed;

/// The start of 2026, from which the time within row numbers is counted.
const BEGIN: i64 = 1_767_225_600;
/// How many row numbers each second has; more than a server uses up in the long run.
const ROWS_A_SECOND: i64 = 8_192;
/// The highest row number to begin at, should the clock be wrong; as many again are left above it.
const FARTHEST: i64 = 1 << 52;

impl Store {
    /// Makes the row numbers of new messages higher than any that can exist by now, including those in another copy of
    /// this database: a device takes a message whose row is not higher than its last for one that it has. Called when a
    /// server starts; `unix` is the time in seconds since 1970.
    ///
    /// # Errors
    /// SQLite's error, for example on a full disk.
    pub fn number_on(&self, unix: i64) -> Result<(), Error> {
        let least = unix.saturating_sub(BEGIN).max(0).saturating_mul(ROWS_A_SECOND).min(FARTHEST);
        let c = &self.connection;
        let changed = c.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'messages'", [least])?;
        if changed == 0 {
            c.execute("INSERT INTO sqlite_sequence VALUES ('messages', ?)", [least])?;
        }
        // The same goes for the versions of deliveries; what is delivered from now on belongs to new ranges.
        self.versions.at_least(least);
        let last = c.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'messages'", [], |row| row.get(0))?;
        self.begun.start(last);
        Ok(())
    }
}

/// Converts to SQLite's signed integers.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Returns the answer to a message that this device has sent before; `None` if it has not.
pub(super) fn sent_before(c: &Connection, job: u64, key: &SentKey) -> Result<Option<Done>, Error> {
    let found = c
        .prepare_cached(
            "SELECT hash, row, at, (SELECT online FROM messages WHERE id = row) AS online FROM sent
             WHERE account = ? AND device = ? AND counter = ?",
        )?
        .query_row(params![key.account, key.device.0, signed(key.counter)], |row| {
            Ok((row.get::<_, Vec<u8>>("hash")?, row.get("row")?, row.get("at")?, row.get("online")?))
        })
        .optional()?;
    Ok(found.map(|(hash, row, sent, online)| match hash == key.hash {
        true => Done::Kept { job, rows: vec![row], own: None, sent, again: true, online },
        false => Done::Conflict { job },
    }))
}

/// Returns whether this message comes out of turn: the one it is to follow is not there.
pub(super) fn is_out_of_turn(c: &Connection, key: &SentKey) -> Result<bool, Error> {
    let Some(after) = key.after else { return Ok(false) };
    c.prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM sent WHERE account = ? AND device = ? AND counter = ?)")?
        .query_row(params![key.account, key.device.0, signed(after)], |row| row.get(0))
}

pub(super) fn note_sent(c: &Connection, key: &SentKey, row: MessageRow, at: i64) -> Result<(), Error> {
    c.prepare_cached("INSERT INTO sent (account, device, counter, hash, row, at) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![key.account, key.device.0, signed(key.counter), key.hash, row, at])?;
    Ok(())
}

/// Stores a sent message for the writer's other devices, as already read.
pub(super) fn note_own(c: &Connection, key: &SentKey, own: &OwnCopy, at: i64) -> Result<MessageRow, Error> {
    c.prepare_cached(
        "INSERT INTO messages (receiver, sender, raw, text, sent, taken, own, device, counter)
         VALUES (?1, ?2, x'', ?3, ?4, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![key.account, own.writer, own.text, at, own.to, key.device.0, signed(key.counter)])?;
    Ok(c.last_insert_rowid())
}

pub(super) fn taken_to(
    c: &Connection,
    (versions, mailboxes): (&Versions, &Mailboxes),
    account: AccountId,
    row: MessageRow,
    at: i64,
) -> Result<Option<Done>, Error> {
    let mut query = c.prepare_cached(
        "UPDATE messages INDEXED BY box SET taken = ?
         WHERE receiver = ? AND (taken IS NOT NULL) = 0 AND id <= ?
         RETURNING sender, id, iif(writer IS NULL, author, NULL) AS known",
    )?;
    let mut rows = query.query(params![at, account, row])?;
    let (mut senders, mut authors) = (HashMap::new(), BTreeMap::new());
    while let Some(row) = rows.next()? {
        *senders.entry(row.get(0)?).or_insert(0) += 1;
        // A room's message has no single receiver, so its delivery is not reported.
        if let Some(author) = row.get::<_, Option<AccountId>>(2)? {
            authors.entry(author).or_insert_with(Vec::new).push(row.get(1)?);
        }
    }
    if !senders.is_empty() {
        mailboxes.took(account);
    }
    let mut delivered = Vec::new();
    let hides = !authors.is_empty() && delivered::hides(c, account)?;
    for (author, mut taken) in authors {
        if hides {
            delivered::hold_all(c, (author, account), &mut taken)?;
        } else {
            delivered.extend(advance_all(c, versions, (author, account), &mut taken)?);
        }
    }
    Ok((!senders.is_empty()).then_some(Done::Took { account, senders, delivered }))
}

/// Marks a message as taken by a plain client; the engine has already lowered its count.
pub(super) fn taken(
    c: &Connection,
    (versions, mailboxes): (&Versions, &Mailboxes),
    message: MessageRow,
    at: i64,
) -> Result<Option<Done>, Error> {
    let mut query = c.prepare_cached(
        "UPDATE messages SET taken = ?, plain = 1 WHERE id = ? RETURNING receiver, iif(writer IS NULL, author, NULL) AS known",
    )?;
    let taken =
        query.query_row(params![at, message], |row| Ok((row.get("receiver")?, row.get("known")?))).optional()?;
    let Some((account, author)) = taken else { return Ok(None) };
    mailboxes.took(account);
    let Some(author) = author else { return Ok(None) };
    let mut rows = vec![message];
    if delivered::hides(c, account)? {
        delivered::hold_all(c, (author, account), &mut rows)?;
        return Ok(None);
    }
    let delivered = advance_all(c, versions, (author, account), &mut rows)?;
    Ok((!delivered.is_empty()).then_some(Done::Took { account, senders: HashMap::new(), delivered }))
}

pub(super) fn enter(
    c: &Connection,
    job: u64,
    account: AccountId,
    device: &Device,
    token: Option<[u8; 32]>,
    cursor: Option<u64>,
    at: i64,
) -> Result<Done, Error> {
    if let Some(token) = token {
        c.prepare_cached(
            "INSERT INTO devices (account, device, token, since) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET token = excluded.token, since = excluded.since",
        )?
        .execute(params![account, device.0, token, at])?;
    }
    let known: Option<(Vec<u8>, Option<MessageRow>)> = c
        .prepare_cached("SELECT token, start FROM devices WHERE account = ? AND device = ?")?
        .query_row(params![account, device.0], |row| Ok((row.get("token")?, row.get("start")?)))
        .optional()?;
    let (token, begun) = known.unzip();
    let highest: Option<i64> = c
        .prepare_cached("SELECT max(counter) FROM sent WHERE account = ? AND device = ?")?
        .query_row(params![account, device.0], |row| row.get(0))?;
    let newest = newest(c, account)?;
    let start = match (cursor, begun.flatten()) {
        // Not beyond the newest message: a cursor from another server's data means nothing here.
        (Some(cursor), _) => signed(cursor).min(newest),
        // The device has logged in before, and has stored nothing since.
        (None, Some(begun)) => begun,
        (None, None) => {
            let oldest: Option<i64> = c
                .prepare_cached(
                    "SELECT min(id) FROM messages INDEXED BY box WHERE receiver = ? AND (taken IS NOT NULL) = 0",
                )?
                .query_row([account], |row| row.get(0))?;
            let start = oldest.map_or(newest, |oldest| oldest - 1);
            c.prepare_cached("UPDATE devices SET start = ? WHERE account = ? AND device = ?")?
                .execute(params![start, account, device.0])?;
            start
        }
    };
    let token = token.and_then(|token| token.try_into().ok());
    let highest = highest.and_then(|highest| u64::try_from(highest).ok()).unwrap_or(0);
    Ok(Done::Entered { job, token, highest, start })
}

/// Returns the newest row of a mailbox; 0 if it never had one.
fn newest(c: &Connection, account: AccountId) -> Result<MessageRow, Error> {
    let mut query = c.prepare_cached(NEWEST)?;
    query.query_row([account], |row| row.get(0))
}

/// Selects the newest row of a mailbox, unread or taken; 0 if there is none.
pub(super) const NEWEST: &str = "SELECT max(
    coalesce((SELECT id FROM messages INDEXED BY box
        WHERE receiver = ?1 AND (taken IS NOT NULL) = 0 ORDER BY id DESC LIMIT 1), 0),
    coalesce((SELECT id FROM messages INDEXED BY box
        WHERE receiver = ?1 AND (taken IS NOT NULL) = 1 ORDER BY id DESC LIMIT 1), 0))";

/// Deletes a device's token.
pub(super) fn forget(c: &Connection, account: AccountId, device: &Device) -> Result<(), Error> {
    c.prepare_cached("DELETE FROM devices WHERE account = ? AND device = ?")?
        .execute(params![account, device.0])
        .map(drop)
}

pub(super) fn new_password(
    c: &Connection,
    account: AccountId,
    hashed: &Hashed,
    from: Option<&SocketAddr>,
) -> Result<(), Error> {
    c.prepare_cached("UPDATE accounts SET salt = ?, hash = ? WHERE id = ?")?.execute(params![
        hashed.salt,
        hashed.hash,
        account
    ])?;
    c.prepare_cached("DELETE FROM devices WHERE account = ?")?.execute([account])?;
    c.prepare_cached("DELETE FROM sessions WHERE account = ? AND address IS NOT ?")?
        .execute(params![account, from.map(SocketAddr::to_string)])?;
    Ok(())
}

/// Reads a row of [`after`] or [`history`], which have their columns in this order.
fn message(row: &Row<'_>) -> Result<StoredMessage, Error> {
    let own: Option<String> = row.get(5)?;
    let own = match own {
        Some(to) => Some(SentMessage {
            to,
            device: Key(row.get(6)?),
            counter: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
            accepted: row.get(8)?,
        }),
        None => None,
    };
    let (mut writer, mut text): (Option<String>, String) = (row.get(9)?, row.get(3)?);
    let sender: String = row.get(1)?;
    if own.is_none() && writer.is_none() && sender == Account::LOBBY {
        // Stored before the writer had a column of its own.
        let parts = names::unframed(&text).map(|(who, what)| (who.to_owned(), what.to_owned()));
        if let Some((who, what)) = parts {
            (writer, text) = (Some(who), what);
        }
    }
    Ok(StoredMessage {
        row: row.get(0)?,
        sender,
        writer,
        sent: row.get(2)?,
        text,
        plain: row.get(4)?,
        own,
        online: row.get(10)?,
        delivered: row.get(11)?,
        made: row.get(12)?,
    })
}

/// Cuts off the message beyond `count` that was read to find out whether there are more.
fn bounded(mut messages: Vec<StoredMessage>, count: u32) -> (Vec<StoredMessage>, bool) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let more = messages.len() > count;
    messages.truncate(count);
    (messages, more)
}

/// Selects the messages of a mailbox after a row, without those that the device has sent: the next ones of both parts
/// of the index, and of these the first. Their rows are chosen before anything else of them is read.
pub(super) const AFTER: &str = "SELECT id, sender, sent, text, plain IS NOT NULL AS plain, own, device, counter,
         coalesce((SELECT row FROM sent s
             WHERE s.account = receiver AND s.device = m.device AND s.counter = m.counter), 0) AS accepted, writer,
         iif(own IS NULL, NULL, (SELECT r.online FROM sent s JOIN messages r ON r.id = s.row
             WHERE s.account = m.receiver AND s.device = m.device AND s.counter = m.counter)) AS online, 0 AS delivered,
         iif(writer IS NULL, (SELECT created FROM accounts a WHERE a.id = m.author), NULL) AS made
     FROM messages m WHERE id IN (SELECT id FROM (
             SELECT * FROM (SELECT id FROM messages INDEXED BY box
                 WHERE receiver = ?1 AND (taken IS NOT NULL) = 0 AND id > ?2 AND device IS NOT ?3 ORDER BY id LIMIT ?4)
             UNION ALL
             SELECT * FROM (SELECT id FROM messages INDEXED BY box
                 WHERE receiver = ?1 AND (taken IS NOT NULL) = 1 AND id > ?2 AND device IS NOT ?3 ORDER BY id LIMIT ?4)
         ) ORDER BY id LIMIT ?4)
     ORDER BY id";

pub(super) fn after(
    c: &Connection,
    job: u64,
    (account, device): (AccountId, &Device),
    after: MessageRow,
    count: u32,
) -> Result<Done, Error> {
    let mut query = c.prepare_cached(AFTER)?;
    let rows = query.query_map(params![account, after, device.0, i64::from(count) + 1], message)?;
    let messages = rows.collect::<Result<Vec<_>, _>>()?;
    let (messages, more) = bounded(messages, count);
    Ok(Done::Messages { job, messages, more })
}

/// The columns of [`message`] when the history is read. Only for sent messages is it known whether the receiver was
/// online and has taken them; what an invisible receiver has taken is held back here as in `delivered`.
macro_rules! past {
    () => {
        "id, sender, sent, text, 0 AS plain, NULL AS own, NULL AS device, NULL AS counter, NULL AS accepted, writer,
             iif(receiver = ?1, NULL, online) AS online, iif(receiver = ?1, 0, taken IS NOT NULL AND NOT EXISTS (SELECT 1 FROM delivered d
                 WHERE d.author = messages.author AND d.receiver = messages.receiver AND d.first <= messages.id
                     AND d.last < messages.id AND d.held >= messages.id))
             AS delivered, NULL AS made"
    };
}

/// Selects the messages of two people. Received ones are in the account's own mailbox, sent ones in the peer's; each
/// half is read from its index. The account number counts, since an earlier account may have had the same name.
const CONVERSATION: &str = concat!(
    "SELECT * FROM (SELECT * FROM (SELECT ",
    past!(),
    " FROM messages INDEXED BY conversation
         WHERE receiver = ?1 AND sender = ?2 AND author = ?7 AND id < ?5 AND own IS NULL ORDER BY id DESC LIMIT ?6)
     UNION ALL SELECT * FROM (SELECT ",
    past!(),
    " FROM messages INDEXED BY conversation
         WHERE receiver = ?3 AND sender = ?4 AND author = ?1 AND id < ?5 ORDER BY id DESC LIMIT ?6)
     ) ORDER BY id DESC LIMIT ?6"
);

/// Selects what was written by an account that is deleted; what was sent to it is gone with its mailbox.
const GONE: &str = concat!(
    "SELECT ",
    past!(),
    " FROM messages INDEXED BY departed
     WHERE receiver = ?1 AND sender = ?2 AND author IS NULL AND own IS NULL AND id < ?3 ORDER BY id DESC LIMIT ?4"
);

/// Selects messages of the lobby, also those from before the writer had a column of its own. The name is in the
/// condition so that the index applies.
const ROOM: &str = concat!(
    "SELECT ",
    past!(),
    " FROM messages INDEXED BY room
     WHERE receiver = ?1 AND sender = '@lobby' AND own IS NULL AND id < ?2 ORDER BY id DESC LIMIT ?3"
);

/// Returns the query that reads the messages with somebody.
pub(super) fn of_past(peer: &str, peer_id: Option<AccountId>) -> &'static str {
    match peer_id {
        _ if peer == Account::LOBBY => ROOM,
        Some(_) => CONVERSATION,
        None => GONE,
    }
}

pub(super) fn history(
    c: &Connection,
    job: u64,
    (account, name): (AccountId, &str),
    (peer, peer_id): (&str, Option<AccountId>),
    before: Option<MessageRow>,
    count: u32,
) -> Result<Done, Error> {
    let before = before.unwrap_or(i64::MAX);
    let count_more = i64::from(count) + 1;
    let mut query = c.prepare_cached(of_past(peer, peer_id))?;
    let messages: Result<Vec<_>, _> = match peer_id {
        _ if peer == Account::LOBBY => query.query_map(params![account, before, count_more], message)?.collect(),
        Some(id) => {
            // No account has row 0; notes to oneself are all in one mailbox and must not be read twice.
            let other = if id == account { 0 } else { id };
            query.query_map(params![account, peer, other, name, before, count_more, id], message)?.collect()
        }
        None => query.query_map(params![account, peer, before, count_more], message)?.collect(),
    };
    let (mut messages, more) = bounded(messages?, count);
    messages.reverse();
    Ok(Done::Messages { job, messages, more })
}
