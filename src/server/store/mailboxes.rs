//! How full mailboxes are. That is decided in the transaction that keeps a message, so that it holds whoever else writes to the
//! database. What is counted once is remembered: so many more fit for certain, as what is taken only makes more room.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, Error};

use super::AccountId;
use crate::server::Quotas;

/// Mailboxes that are remembered, some megabytes.
const KNOWN: usize = 65_536;

/// How much more fits into which mailbox.
#[derive(Debug)]
pub(super) struct Mailboxes {
    /// Unread messages that one may hold.
    most: u64,
    /// Of so many more it is known that they fit: into a mailbox, or (true) into the lobby's part of it. It was full where this is
    /// none, until something is taken.
    left: RefCell<HashMap<(AccountId, bool), u64>>,
    /// What SQLite counts up when another connection has written.
    version: Cell<i64>,
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self { most: Quotas::default().mailbox, left: RefCell::default(), version: Cell::new(0) }
    }
}

impl Mailboxes {
    /// So many unread messages one may hold from now on, and of the lobby a tenth of that: whoever never reads it is not to lose
    /// what friends write because of it.
    pub(super) fn set_most(&mut self, most: u64) {
        self.most = most;
        self.forget();
    }

    /// A transaction begins: what another server or a command has written meanwhile is not known.
    pub(super) fn begin(&self, c: &Connection) -> Result<(), Error> {
        let version = c.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.version.replace(version) != version {
            self.forget();
        }
        Ok(())
    }

    /// What was known may not be so any more: a transaction has failed, or an account is gone.
    pub(super) fn forget(&self) {
        self.left.borrow_mut().clear();
    }

    /// Something was taken out of a mailbox: one that was full is so no more.
    pub(super) fn took(&self, account: AccountId) {
        let mut left = self.left.borrow_mut();
        for key in [(account, false), (account, true)] {
            if left.get(&key) == Some(&0) {
                left.remove(&key);
            }
        }
    }

    /// Whether one more message fits, of the lobby or of somebody; if so it is counted.
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

    /// How many more fit, before `used` of them are counted.
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
        // All of what was known to fit is used: how much there is really is looked at again.
        if before > 0 && *left == 0 {
            all.remove(&(account, lobby));
        }
        Ok(before)
    }
}

/// How many more fit by what the database has.
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
