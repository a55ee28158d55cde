//! What the secure dialect adds to the database: devices with their tokens, what each has sent, and
//! messages by row rather than one by one.

use std::collections::HashMap;

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::{AccountId, Done, MessageRow, SentKey, Stored};
use crate::wire::frame::Device;

/// SQLite's integers are signed.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What to answer to a message that this device has sent before, if it has.
pub(super) fn sent_before(c: &Connection, job: u64, key: &SentKey) -> Result<Option<Done>, Error> {
    let found = c
        .prepare_cached("SELECT hash, row, at FROM sent WHERE account = ? AND device = ? AND counter = ?")?
        .query_row(params![key.account, key.device.0, signed(key.counter)], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.map(|(hash, row, sent)| {
        if hash == key.hash { Done::Kept { job, rows: vec![row], sent, again: true } } else { Done::Conflict { job } }
    }))
}

/// Whether this device has sent a message that this one was to come after, and it is not there.
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

pub(super) fn taken_to(c: &Connection, account: AccountId, row: MessageRow, at: i64) -> Result<(), Error> {
    c.prepare_cached("UPDATE messages SET taken = ? WHERE receiver = ? AND id <= ? AND taken IS NULL")?
        .execute(params![at, account, row])?;
    Ok(())
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
        c.prepare_cached("INSERT OR REPLACE INTO devices (account, device, token, since) VALUES (?, ?, ?, ?)")?
            .execute(params![account, device.0, token, at])?;
    }
    let token: Option<Vec<u8>> = c
        .prepare_cached("SELECT token FROM devices WHERE account = ? AND device = ?")?
        .query_row(params![account, device.0], |row| row.get(0))
        .optional()?;
    let highest: Option<i64> = c
        .prepare_cached("SELECT max(counter) FROM sent WHERE account = ? AND device = ?")?
        .query_row(params![account, device.0], |row| row.get(0))?;
    let newest: Option<i64> =
        c.prepare_cached("SELECT max(id) FROM messages WHERE receiver = ?")?.query_row([account], |row| row.get(0))?;
    let newest = newest.unwrap_or(0);
    let start = match cursor {
        // No farther than there are messages: a cursor from another server's data means nothing here.
        Some(cursor) => signed(cursor).min(newest),
        None => {
            let oldest: Option<i64> = c
                .prepare_cached("SELECT min(id) FROM messages WHERE receiver = ? AND taken IS NULL")?
                .query_row([account], |row| row.get(0))?;
            oldest.map_or(newest, |oldest| oldest - 1)
        }
    };
    let mut unread = HashMap::new();
    let mut query = c.prepare_cached(
        "SELECT sender, count(*) FROM messages WHERE receiver = ? AND id > ? AND taken IS NULL GROUP BY sender",
    )?;
    let mut rows = query.query(params![account, start])?;
    while let Some(row) = rows.next()? {
        let count: i64 = row.get(1)?;
        unread.insert(row.get(0)?, u64::try_from(count).unwrap_or(0));
    }
    let token = token.and_then(|token| token.try_into().ok());
    let highest = highest.and_then(|highest| u64::try_from(highest).ok()).unwrap_or(0);
    Ok(Done::Entered { job, token, highest, start, unread })
}

fn message(row: &Row<'_>) -> Result<Stored, Error> {
    Ok(Stored { row: row.get(0)?, sender: row.get(1)?, sent: row.get(2)?, text: row.get(3)?, unread: row.get(4)? })
}

/// Takes one more than wanted, to know whether there is more.
fn bounded(mut messages: Vec<Stored>, count: u32) -> (Vec<Stored>, bool) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let more = messages.len() > count;
    messages.truncate(count);
    (messages, more)
}

pub(super) fn after(
    c: &Connection,
    job: u64,
    account: AccountId,
    after: MessageRow,
    count: u32,
) -> Result<Done, Error> {
    let mut query = c.prepare_cached(
        "SELECT id, sender, sent, text, taken IS NULL FROM messages WHERE receiver = ? AND id > ? ORDER BY id LIMIT ?",
    )?;
    let messages =
        query.query_map(params![account, after, i64::from(count) + 1], message)?.collect::<Result<Vec<_>, _>>()?;
    let (messages, more) = bounded(messages, count);
    Ok(Done::Messages { job, messages, more })
}

pub(super) fn history(
    c: &Connection,
    job: u64,
    (account, name): (AccountId, &str),
    (peer, peer_id): (&str, Option<AccountId>),
    before: Option<MessageRow>,
    count: u32,
) -> Result<Done, Error> {
    // What somebody wrote lies in the receiver's mailbox: one's own in the peer's. Each half is read from its index.
    let mut query = c.prepare_cached(
        "SELECT * FROM (
             SELECT * FROM (SELECT id, sender, sent, text, 0 FROM messages
                 WHERE receiver = ?1 AND sender = ?2 AND id < ?5 ORDER BY id DESC LIMIT ?6)
             UNION ALL
             SELECT * FROM (SELECT id, sender, sent, text, 0 FROM messages
                 WHERE receiver = ?3 AND sender = ?4 AND id < ?5 ORDER BY id DESC LIMIT ?6)
         ) ORDER BY id DESC LIMIT ?6",
    )?;
    let before = before.unwrap_or(i64::MAX);
    // Nobody has row 0; notes to oneself lie in one mailbox and are not to be read twice.
    let other = peer_id.filter(|id| *id != account).unwrap_or(0);
    let rows = query.query_map(params![account, peer, other, name, before, i64::from(count) + 1], message)?;
    let (mut messages, more) = bounded(rows.collect::<Result<Vec<_>, _>>()?, count);
    messages.reverse();
    Ok(Done::Messages { job, messages, more })
}
