//! The account's items as the server has them, and the changes that were made here and that the server has not accepted
//! yet. A list shows the items with these changes applied; `picture` keeps the lists' tables equal to that.
//! Until a server has sent all items once, no change is recorded: with a server that has no items, as in the plain
//! dialect, lists stay on this device. After that, each difference between this device and the server becomes a change
//! that is *held*: it is shown to the user, who sends it to the server or drops it.

use rusqlite::{Error, OptionalExtension, params};
use serde_json::Value;

use super::schema::signed;
use super::{Database, Done};
use crate::protocol::wire::item::{self, Item, Kind};

/// A page of items from the server, as in [`crate::client::session::Event::Items`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    /// The version up to which the device has everything once the page is stored.
    pub version: u64,
    /// Whether all stored items are deleted first.
    pub anew: bool,
    /// The changed items, oldest change first.
    pub items: Vec<Item>,
    /// Whether more pages follow at once.
    pub more: bool,
    /// The sum of the digests of all items after this page, if it is to be compared.
    pub digest: Option<u64>,
}

/// How much of the server's items is stored here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The server has never sent all of them.
    Never,
    /// Everything that the server has sent is stored here.
    Whole,
    /// The server is sending all of them anew; before that, this device had the items up to this version.
    Anew(i64),
}

/// The state of the items' table, kept in `meta`.
#[derive(Debug, Clone, Copy)]
struct State {
    version: i64,
    /// The sum of the digests of all items.
    digest: u64,
    progress: Progress,
}

impl Database {
    /// Returns the version up to which the account's items are stored here.
    pub(super) fn items_version(&self) -> Result<u64, Error> {
        Ok(u64::try_from(self.items_state()?.version).unwrap_or(0))
    }

    fn items_state(&self) -> Result<State, Error> {
        let number = |name| self.meta::<i64>(name);
        let progress = match (number("items_whole")?, number("items_before")?) {
            (None, _) => Progress::Never,
            (Some(_), None) => Progress::Whole,
            (Some(_), Some(before)) => Progress::Anew(before),
        };
        let digest = number("items_digest")?.unwrap_or(0).cast_unsigned();
        Ok(State { version: number("items_version")?.unwrap_or(0), digest, progress })
    }

    fn set_items_state(&self, state: State) -> Result<(), Error> {
        let State { version, digest, progress } = state;
        let mut set = self.connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?;
        set.execute(params!["items_version", version])?;
        set.execute(params!["items_digest", digest.cast_signed()])?;
        match progress {
            Progress::Never => {}
            Progress::Whole => {
                set.execute(params!["items_whole", 1])?;
                self.connection.prepare_cached("DELETE FROM meta WHERE name = 'items_before'")?.execute([])?;
            }
            Progress::Anew(before) => {
                set.execute(params!["items_before", before])?;
            }
        }
        Ok(())
    }

    /// Stores a page of items, and brings the lists up to date with it.
    pub(super) fn take_items(&self, page: &ItemPage) -> Result<Done, Error> {
        let mut state = self.items_state()?;
        if page.anew {
            self.forget_items(&mut state)?;
        }
        for item in &page.items {
            self.take_item(&mut state, item)?;
        }
        state.version = signed(page.version);
        if page.digest.is_some_and(|digest| digest != state.digest) {
            log::warn!("the items here are not those that the server has; they are asked for from the beginning");
            self.forget_items(&mut state)?;
            state.version = 0;
            self.set_items_state(state)?;
            return Ok(Done::Items { version: Some(0), lists: false });
        }
        let lists = match state.progress {
            Progress::Never | Progress::Anew(_) if page.more => false,
            Progress::Whole => {
                for item in &page.items {
                    self.show_item(item)?;
                }
                true
            }
            // A server that has less than this device once had was restored from a backup.
            Progress::Never => self.compare(&mut state, true)?,
            Progress::Anew(before) => self.compare(&mut state, before > signed(page.version))?,
        };
        self.set_items_state(state)?;
        Ok(Done::Items { version: Some(page.version), lists })
    }

    fn compare(&self, state: &mut State, hold: bool) -> Result<bool, Error> {
        state.progress = Progress::Whole;
        self.set_items_state(*state)?;
        self.show_all(hold)?;
        Ok(true)
    }

    fn forget_items(&self, state: &mut State) -> Result<(), Error> {
        self.connection.execute("DELETE FROM items", [])?;
        state.digest = 0;
        state.progress = match state.progress {
            Progress::Never => Progress::Never,
            Progress::Whole => Progress::Anew(state.version),
            Progress::Anew(before) => Progress::Anew(before.max(state.version)),
        };
        Ok(())
    }

    fn take_item(&self, state: &mut State, item: &Item) -> Result<(), Error> {
        let Item { kind, key, value } = item;
        let before = self.item(kind, key)?.map_or(0, |value| item::digest(kind, key, &value));
        state.digest = state.digest.wrapping_sub(before).wrapping_add(item.digest());
        let c = &self.connection;
        match value {
            Some(value) => c.prepare_cached("INSERT OR REPLACE INTO items VALUES (?, ?, ?)")?.execute(params![
                kind,
                key,
                value.to_string()
            ]),
            None => c.prepare_cached("DELETE FROM items WHERE kind = ? AND key = ?")?.execute(params![kind, key]),
        }
        .map(drop)
    }

    /// Returns an item's value as the server has it, as JSON.
    pub(super) fn item(&self, kind: &str, key: &str) -> Result<Option<String>, Error> {
        let mut query = self.connection.prepare_cached("SELECT value FROM items WHERE kind = ? AND key = ?")?;
        query.query_row(params![kind, key], |row| row.get(0)).optional()
    }

    /// Returns an item's value as it is shown: as it was changed here, otherwise as the server has it.
    pub(super) fn current(&self, kind: Kind, key: &str) -> Result<Option<String>, Error> {
        let mut query = self.connection.prepare_cached("SELECT value FROM item_changes WHERE kind = ? AND key = ?")?;
        let changed: Option<Option<String>> =
            query.query_row(params![kind.name(), key], |row| row.get(0)).optional()?;
        match changed {
            Some(value) => Ok(value),
            None => self.item(kind.name(), key),
        }
    }

    /// Returns whether changes are recorded for the server, which they are once it has sent all items.
    pub(super) fn are_items_kept(&self) -> Result<bool, Error> {
        Ok(self.items_state()?.progress != Progress::Never)
    }

    /// Records a change of an item to this value, if it has another one. The change is sent to the server or, if
    /// `held`, waits until the user was asked. A value that the server would refuse stays on this device.
    pub(super) fn change_item(&self, kind: Kind, key: &str, value: Option<&Value>, held: bool) -> Result<(), Error> {
        let Ok(checked) = kind.checked(key, value) else { return Ok(()) };
        let value = checked.map(|value| value.to_string());
        if value == self.current(kind, key)? {
            return Ok(());
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO item_changes (kind, key, value, held) VALUES (?, ?, ?, ?)")?
            .execute(params![kind.name(), key, value, held])
            .map(drop)
    }

    /// Sets an item that no table of a list shows. What marks a conversation is noted without a server that keeps items
    /// too, as it counts on this device anyway; the rest would count nowhere.
    pub(super) fn set_own_item(&self, kind: Kind, key: &str, value: Option<&Value>) -> Result<(), Error> {
        let counts_here = match kind {
            Kind::Muted | Kind::Pinned => true,
            Kind::Contact
            | Kind::Blocked
            | Kind::Draft
            | Kind::Read
            | Kind::MayAsk
            | Kind::Profile
            | Kind::Status
            | Kind::Friend
            | Kind::Asking
            | Kind::Asked => false,
        };
        if counts_here || self.are_items_kept()? { self.change_item(kind, key, value, false) } else { Ok(()) }
    }

    /// Returns the changes to send to the server, in the order in which they were made, with their numbers.
    pub(super) fn item_changes(&self) -> Result<Vec<(u64, Item)>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT number, kind, key, value FROM item_changes WHERE NOT held ORDER BY number")?;
        let rows = query.query_map([], |row| {
            let (number, kind, key): (i64, _, _) = (row.get("number")?, row.get("kind")?, row.get("key")?);
            Ok((u64::try_from(number).unwrap_or(0), Item { kind, key, value: value(row.get("value")?) }))
        })?;
        rows.collect()
    }

    /// Notes that the server has accepted the change with this number, or has refused it for good; after a refusal the
    /// server's value is shown again.
    pub(super) fn item_set(&self, number: u64, taken: bool) -> Result<(), Error> {
        let mut query =
            self.connection.prepare_cached("DELETE FROM item_changes WHERE number = ? RETURNING kind, key, value")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Item { kind: row.get("kind")?, key: row.get("key")?, value: value(row.get("value")?) })
        };
        // If the change is gone, the item was changed once more since it was sent.
        let Some(item) = query.query_row([signed(number)], read).optional()? else { return Ok(()) };
        if taken {
            // The server sends it again with the next items, after this answer and before any later change of the same
            // item.
            let mut state = self.items_state()?;
            self.take_item(&mut state, &item)?;
            return self.set_items_state(state);
        }
        self.show_item(&item)
    }

    /// Carries out the user's decision about the differences: this device's values are sent to the server or, without
    /// `keep_ours`, the server's are shown here.
    pub(super) fn settle_differences(&self, keep_ours: bool) -> Result<(), Error> {
        let c = &self.connection;
        if keep_ours {
            return c.execute("UPDATE item_changes SET held = 0 WHERE held", []).map(drop);
        }
        let mut query = c.prepare("DELETE FROM item_changes WHERE held RETURNING kind, key")?;
        let rows = query.query_map([], |row| Ok(Item { kind: row.get("kind")?, key: row.get("key")?, value: None }))?;
        for item in rows.collect::<Result<Vec<_>, _>>()? {
            self.show_item(&item)?;
        }
        Ok(())
    }
}

pub(super) fn value(text: Option<String>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}

#[cfg(test)]
mod tests;
