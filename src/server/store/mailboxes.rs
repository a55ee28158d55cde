//! How full mailboxes are. This is decided in the transaction that stores a message, so that it is right even if others
//! write to the database. A count that was made once is remembered as a lower bound of the free room: messages that are
//! taken later only add to it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, Error};

use super::AccountId;
use crate::server::Quotas;

/// The most mailboxes whose free room is remembered; they take a few megabytes.
const KNOWN: usize = 65_536;

/// The free room of mailboxes, as far as it is known.
#[derive(Debug)]
pub(super) struct Mailboxes {
    /// How many unread messages a mailbox may hold.
    most: u64,
    /// How many more messages are known to fit into a mailbox or, with `true`, into the lobby's share of it. Zero means
    /// that it was full when it was counted and that nothing has been taken since.
    left: RefCell<HashMap<(AccountId, bool), u64>>,
    /// SQLite's `data_version`, which changes when another connection has written.
    version: Cell<i64>,
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self { most: Quotas::default().mailbox, left: RefCell::default(), version: Cell::new(0) }
    }
}

impl Mailboxes {
    /// Sets how many unread messages a mailbox may hold. A tenth of that is the lobby's share, so that an unread lobby
    /// does not keep out the messages of friends.
    pub(super) fn set_most(&mut self, most: u64) {
        self.most = most;
        self.forget();
    }

    /// Called when a transaction begins: forgets all counts if another connection has written since the last one, and
    /// returns whether one has.
    pub(super) fn begin(&self, c: &Connection) -> Result<bool, Error> {
        let version = c.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        let written = self.version.replace(version) != version;
        if written {
            self.forget();
        }
        Ok(written)
    }

    /// Forgets all counts; called after a failed transaction and when an account is deleted.
    pub(super) fn forget(&self) {
        self.left.borrow_mut().clear();
    }

    /// Called when messages were taken out of a mailbox: if it was full, it is counted again.
    pub(super) fn took(&self, account: AccountId) {
        let mut left = self.left.borrow_mut();
        for key in [(account, false), (account, true)] {
            if left.get(&key) == Some(&0) {
                left.remove(&key);
            }
        }
    }

    /// Returns whether one more message fits, sent to the lobby or by a person; if so, the message is counted.
    pub(super) fn fits(&self, c: &Connection, account: AccountId, lobby: bool) -> Result<bool, Error> {
        if lobby && self.left(c, account, true, 0)? == 0 {
            return Ok(false);
        }
        let fits = self.left(c, account, false, 1)? > 0;
        if fits && lobby {
            self.left(c, account, true, 1)?;
        }
        Ok(fits)
    }

    /// Returns how many more messages fit, and then counts `used` of them as stored.
    fn left(&self, c: &Connection, account: AccountId, lobby: bool, used: u64) -> Result<u64, Error> {
        let mut all = self.left.borrow_mut();
        if all.len() >= KNOWN && !all.contains_key(&(account, lobby)) {
            all.clear();
        }
        let left = match all.entry((account, lobby)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(count(c, account, lobby, self.most)?),
        };
        let before = *left;
        *left = before.saturating_sub(used);
        // The known room is used up; the next message has the database counted again.
        if before > 0 && *left == 0 {
            all.remove(&(account, lobby));
        }
        Ok(before)
    }
}

/// Counts in the database how many more messages fit.
fn count(c: &Connection, account: AccountId, lobby: bool, most: u64) -> Result<u64, Error> {
    let (query, most) = if lobby {
        let query = "SELECT count(*) FROM messages INDEXED BY box
             WHERE receiver = ? AND (taken IS NOT NULL) = 0 AND sender = '@lobby'";
        (query, most.div_ceil(10))
    } else {
        ("SELECT count(*) FROM messages INDEXED BY box WHERE receiver = ? AND (taken IS NOT NULL) = 0", most)
    };
    let unread: i64 = c.prepare_cached(query)?.query_row([account], |row| row.get(0))?;
    Ok(most.saturating_sub(u64::try_from(unread).unwrap_or(0)))
}
