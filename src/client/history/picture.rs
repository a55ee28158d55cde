//! Keeps the lists' tables and the account's items equal: who is in the list under which remark, who is blocked, and
//! how far conversations were read. A change of these tables is recorded as a change of items, and a change of items is
//! written to the tables, each in the same transaction.

use std::collections::BTreeSet;

use rusqlite::{Error, OptionalExtension, params};
use serde_json::Value;

use super::Database;
use crate::base::model::Account;
use crate::base::model::names;
use crate::protocol::wire::item::{self, Contact, Item, Kind, SHORT};

impl Database {
    /// Records for the server what a change of somebody's row in the list means for the items.
    pub(super) fn list_changed(&self, account: &Account) -> Result<(), Error> {
        if self.are_items_kept()? { self.note_list(account.as_str(), false) } else { Ok(()) }
    }

    /// Records for the server how far this conversation was read here, if that is farther than the server knows.
    pub(super) fn read_changed(&self, peer: &Account) -> Result<(), Error> {
        if self.are_items_kept()? { self.note_read(peer.as_str()) } else { Ok(()) }
    }

    /// Returns how far somebody's messages were read on any device, as the server's row of the last one read.
    pub(super) fn read_to(&self, peer: &str) -> Result<i64, Error> {
        let current = self.current(Kind::Read, peer)?;
        Ok(current.and_then(|row| row.parse().ok()).unwrap_or(0))
    }

    /// Updates the lists after a change of this item.
    pub(super) fn show_item(&self, item: &Item) -> Result<(), Error> {
        match Kind::named(&item.kind) {
            Some(Kind::Contact | Kind::Blocked) => self.show_person(&item.key),
            Some(Kind::Read) => self.show_read(&item.key),
            // These are read from the items themselves, or are not shown in any list yet.
            Some(
                Kind::Muted
                | Kind::Pinned
                | Kind::Draft
                | Kind::MayAsk
                | Kind::Profile
                | Kind::Status
                | Kind::Friend
                | Kind::Asking
                | Kind::Asked,
            )
            | None => Ok(()),
        }
    }

    /// Compares this device's lists with the items once all items are stored. With `hold`, each difference waits for
    /// the user's decision; without it the server's items are shown.
    pub(super) fn show_all(&self, hold: bool) -> Result<(), Error> {
        let c = &self.connection;
        let here = c.prepare("SELECT account FROM contacts")?.query_map([], |row| row.get(0))?.collect::<Vec<_>>();
        let there = c
            .prepare("SELECT DISTINCT key FROM items WHERE kind IN (?, ?)")?
            .query_map([Kind::Contact, Kind::Blocked].map(Kind::name), |row| row.get(0))?
            .collect::<Vec<_>>();
        for person in here.into_iter().chain(there).collect::<Result<BTreeSet<String>, _>>()? {
            if hold {
                self.note_list(&person, true)?;
            }
            self.show_person(&person)?;
        }
        let read = c
            .prepare("SELECT key FROM items WHERE kind = ? UNION SELECT peer FROM peers")?
            .query_map([Kind::Read.name()], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        for peer in read {
            self.note_read(&peer)?;
            self.show_read(&peer)?;
        }
        Ok(())
    }

    /// Records the differences between somebody's row in the list and the items. If they are `held`, only what is on
    /// this device counts: what is missing here is added from the server's items.
    fn note_list(&self, account: &str, held: bool) -> Result<(), Error> {
        let row = self.list_row(account)?;
        let contact = row.as_ref().filter(|(.., listed)| *listed).and_then(|(remark, group, ..)| {
            item::written(&Contact { remark: short(remark), group: short(group) }).ok()
        });
        let blocked = row.is_some_and(|(_, _, blocked, _)| blocked).then_some(Value::Bool(true));
        for (kind, value) in [(Kind::Contact, contact), (Kind::Blocked, blocked)] {
            if !held || value.is_some() {
                self.change_item(kind, account, value.as_ref(), held)?;
            }
        }
        Ok(())
    }

    /// Returns somebody's remark and group, whether they are blocked, and whether they are in the list.
    fn list_row(&self, account: &str) -> Result<Option<(String, String, bool, bool)>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT remark, section, blocked, listed = 1 AS listed FROM contacts WHERE account = ?")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get("remark")?, row.get("section")?, row.get("blocked")?, row.get("listed")?))
        };
        query.query_row([account], read).optional()
    }

    fn show_person(&self, key: &str) -> Result<(), Error> {
        let Ok(account) = Account::person(key) else { return Ok(()) };
        let contact = self.current(Kind::Contact, key)?.and_then(|value| serde_json::from_str(&value).ok());
        let blocked = self.current(Kind::Blocked, key)?.is_some();
        let shown = self.list_row(key)?;
        match contact {
            Some(Contact { remark, group }) => {
                let wanted = (remark, group, blocked, true);
                if shown.as_ref() != Some(&wanted) {
                    let (remark, group, ..) = wanted;
                    self.list(&account, Some(&remark), Some(&group), Some(blocked))?;
                }
                Ok(())
            }
            None if blocked => {
                if !shown.as_ref().is_some_and(|(_, _, blocked, listed)| *blocked && !listed) {
                    self.block(&account, true)?;
                    let off = "UPDATE contacts SET listed = 0 WHERE account = ? AND listed = 1";
                    self.connection.prepare_cached(off)?.execute([key])?;
                }
                Ok(())
            }
            None if shown.is_some() => self.remove_contact(&account),
            None => Ok(()),
        }
    }

    /// Records how far somebody's messages were read here, if that is farther than on any other device.
    fn note_read(&self, peer: &str) -> Result<(), Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT server_row FROM messages WHERE peer = ? AND server_row IS NOT NULL AND seen AND NOT outgoing
             ORDER BY server_row DESC LIMIT 1",
        )?;
        let seen: Option<i64> = query.query_row([peer], |row| row.get(0)).optional()?;
        match seen {
            Some(row) if row > self.read_to(peer)? => {
                self.change_item(Kind::Read, peer, Some(&Value::from(row)), false)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Marks the messages as read that were read on another device.
    fn show_read(&self, peer: &str) -> Result<(), Error> {
        let c = &self.connection;
        let seen = c
            .prepare_cached(
                "UPDATE messages SET seen = 1 WHERE peer = ? AND NOT seen AND NOT outgoing AND server_row <= ?",
            )?
            .execute(params![peer, self.read_to(peer)?])?;
        if seen > 0 {
            self.count_unread(peer)?;
        }
        Ok(())
    }
}

/// Shortens a remark or a group to what the server accepts.
fn short(text: &str) -> String {
    names::tidy(text).chars().take(SHORT).collect()
}
