//! Items: values that all devices of an account show alike (the secure dialect, "The same on all devices"). Each change
//! of an account's items gets a version one higher than the last. A removed item stays as a row without a value, so
//! that devices that were away learn of it, until there are many of these.

use rusqlite::{Connection, Error, OptionalExtension, params};
use serde_json::Value;

use super::{AccountId, Done, Outcome, profiles};
use crate::protocol::wire::item::{self, Item, Kind};

/// The most items of one account.
pub(super) const MOST: i64 = 10_000;
/// The most removed items of one account that are remembered; a device that has missed older removals starts afresh.
const REMOVED: i64 = 1_000;
/// The most items of one answer, and the most bytes of their texts: with the names around them they fit into a frame.
const PAGE: (usize, usize) = (256, 24 * 1_024);

/// The answer to a device that has asked what has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemPage {
    /// The version up to which the device then has everything.
    pub version: i64,
    /// Whether the device must forget its items first, because its version is not one of this server's or is too old to
    /// be brought up to date.
    pub anew: bool,
    /// The items that have changed, oldest change first; if `anew`, all items.
    pub items: Vec<Item>,
    /// Whether there are more changes after `version`.
    pub more: bool,
    /// The sum of the digests of all items at the newest version.
    pub digest: u64,
}

/// The outcome of setting an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// The value has changed.
    Changed,
    /// The value was the same before.
    Same,
    /// The account has as many items as it may have.
    TooMany,
}

/// The totals of one account's items.
#[derive(Debug, Clone, Copy, Default)]
struct List {
    version: i64,
    digest: u64,
    live: i64,
    removed: i64,
    /// The version up to which removals have been forgotten.
    floor: i64,
}

fn list(c: &Connection, account: AccountId) -> Result<List, Error> {
    let mut query = c.prepare_cached("SELECT version, digest, live, removed, floor FROM lists WHERE account = ?")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(List {
            version: row.get("version")?,
            digest: row.get::<_, i64>("digest")?.cast_unsigned(),
            live: row.get("live")?,
            removed: row.get("removed")?,
            floor: row.get("floor")?,
        })
    };
    Ok(query.query_row([account], read).optional()?.unwrap_or_default())
}

/// Returns an item's value as JSON; `None` if there is no such item.
pub(super) fn value(c: &Connection, account: AccountId, kind: Kind, key: &str) -> Result<Option<String>, Error> {
    let mut query = c.prepare_cached("SELECT value FROM items WHERE account = ? AND kind = ? AND key = ?")?;
    Ok(query.query_row(params![account, kind.name(), key], |row| row.get(0)).optional()?.flatten())
}

/// Counts the items of a kind that an account has, up to `most`.
pub(super) fn count(c: &Connection, account: AccountId, kind: Kind, most: i64) -> Result<i64, Error> {
    let mut query = c.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM items WHERE account = ? AND kind = ? AND value IS NOT NULL LIMIT ?)",
    )?;
    query.query_row(params![account, kind.name(), most], |row| row.get(0))
}

/// Returns whether an account may have `more` items in addition to those it has.
pub(super) fn has_room(c: &Connection, account: AccountId, more: i64) -> Result<bool, Error> {
    Ok(list(c, account)?.live + more <= MOST)
}

/// Sets an item, or removes it if `value` is `None`. `other` is the account that the item is about, if the item is to
/// be removed when that account is deleted.
pub(super) fn put(
    c: &Connection,
    account: AccountId,
    (kind, key): (&str, &str),
    value: Option<&str>,
    other: Option<AccountId>,
) -> Result<Put, Error> {
    let mut query = c.prepare_cached("SELECT value FROM items WHERE account = ? AND kind = ? AND key = ?")?;
    let before: Option<Option<String>> = query.query_row(params![account, kind, key], |row| row.get(0)).optional()?;
    let was = before.as_ref().and_then(|value| value.as_deref());
    if was == value {
        return Ok(Put::Same);
    }
    let mut list = list(c, account)?;
    if was.is_none() && list.live >= MOST {
        return Ok(Put::TooMany);
    }
    list.version += 1;
    let share = |value: Option<&str>| value.map_or(0, |value| item::digest(kind, key, value));
    list.digest = list.digest.wrapping_sub(share(was)).wrapping_add(share(value));
    list.live += i64::from(value.is_some()) - i64::from(was.is_some());
    list.removed += i64::from(value.is_none()) - i64::from(before.is_some() && was.is_none());
    c.prepare_cached(
        "INSERT INTO items (account, kind, key, value, version, other) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, other = excluded.other",
    )?
    .execute(params![account, kind, key, value, list.version, other])?;
    if list.removed > REMOVED {
        c.prepare_cached("DELETE FROM items WHERE account = ? AND value IS NULL")?.execute([account])?;
        (list.removed, list.floor) = (0, list.version);
    }
    let List { version, digest, live, removed, floor } = list;
    c.prepare_cached(
        "INSERT INTO lists (account, version, digest, live, removed, floor) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET version = excluded.version, digest = excluded.digest, live = excluded.live,
             removed = excluded.removed, floor = excluded.floor",
    )?
    .execute(params![account, version, digest.cast_signed(), live, removed, floor])?;
    Ok(Put::Changed)
}

/// Sets an item as a device asks. The mark of how far a conversation was read only rises; if somebody is blocked, their
/// request is removed; a profile is also copied into what others have about the account.
pub(super) fn set_by_device(
    c: &Connection,
    job: u64,
    account: AccountId,
    (kind, key): (Kind, &str),
    value: Option<&str>,
) -> Result<Done, Error> {
    let (mut outcome, mut lists) = (Outcome::Done, Vec::new());
    let row = |value: Option<&str>| value.and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
    if kind == Kind::Read && row(value) <= row(self::value(c, account, kind, key)?.as_deref()) {
        return Ok(Done::Changed { job, outcome, lists, delivered: Vec::new() });
    }
    let mut changed = put(c, account, (kind.name(), key), value, None)?;
    if kind == Kind::Blocked && value.is_some() && changed != Put::TooMany {
        let asked = put(c, account, (Kind::Asked.name(), key), None, None)?;
        changed = if asked == Put::Changed { asked } else { changed };
    }
    match changed {
        Put::Changed => {
            if kind == Kind::Profile {
                lists = profiles::tell(c, account, value)?;
            }
            lists.push(account);
        }
        Put::Same => {}
        Put::TooMany => outcome = Outcome::TooMany,
    }
    Ok(Done::Changed { job, outcome, lists, delivered: Vec::new() })
}

/// Returns the changes of an account's items after a version.
pub(super) fn after(c: &Connection, account: AccountId, after: i64) -> Result<ItemPage, Error> {
    let list = list(c, account)?;
    let anew = after > list.version || after > 0 && after < list.floor;
    let after = if anew { 0 } else { after };
    let mut page = ItemPage { version: list.version, anew, items: Vec::new(), more: false, digest: list.digest };
    if after == list.version {
        return Ok(page);
    }
    let mut query = c.prepare_cached(
        "SELECT kind, key, value, version FROM items WHERE account = ? AND version > ? ORDER BY version LIMIT ?",
    )?;
    let limit = i64::try_from(PAGE.0).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = query.query(params![account, after, limit])?;
    let (mut bytes, mut last) = (0, after);
    while let Some(row) = rows.next()? {
        let (kind, key): (String, String) = (row.get("kind")?, row.get("key")?);
        let text: Option<String> = row.get("value")?;
        bytes += kind.len() + key.len() + text.as_ref().map_or(0, String::len);
        if !page.items.is_empty() && (page.items.len() >= PAGE.0 || bytes > PAGE.1) {
            (page.more, page.version) = (true, last);
            break;
        }
        last = row.get("version")?;
        let value = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        page.items.push(Item { kind, key, value });
    }
    Ok(page)
}

/// Removes the items of others that are about an account which is being deleted: friendships and requests. Returns the
/// accounts whose items change.
pub(super) fn without(c: &Connection, account: AccountId) -> Result<Vec<AccountId>, Error> {
    let mut query = c.prepare_cached("SELECT account, kind, key FROM items WHERE other = ? AND value IS NOT NULL")?;
    let rows = query.query_map([account], |row| Ok((row.get("account")?, row.get("kind")?, row.get("key")?)))?;
    let rows = rows.collect::<Result<Vec<(AccountId, String, String)>, _>>()?;
    let mut changed = Vec::new();
    for (owner, kind, key) in rows {
        put(c, owner, (&kind, &key), None, None)?;
        changed.push(owner);
    }
    changed.sort_unstable();
    changed.dedup();
    Ok(changed)
}

#[cfg(test)]
pub(super) mod tests;
