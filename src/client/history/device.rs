//! What this device keeps about itself: its name, its token, and how far it has come with what the server pushes.

use rusqlite::{Error, OptionalExtension, params, types::FromSql};

use super::Database;
use super::delivered::mirrored;
use super::schema::signed;
use crate::base::model::{Account, MessageId};
use crate::client::session::{DeviceState, LastDelivery, Pushed, SentBy};
use crate::protocol::wire::frame::{Device, Key};

impl Database {
    pub(super) fn meta<T: FromSql>(&self, name: &str) -> Result<Option<T>, Error> {
        let mut query = self.connection.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
        query.query_row([name], |row| row.get(0)).optional()
    }

    /// Returns what a login needs.
    pub(super) fn kept(&self) -> Result<DeviceState, Error> {
        let device = match self.meta::<[u8; 16]>("device")? {
            Some(device) => Key(device),
            None => self.rename()?,
        };
        let highest = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'";
        Ok(DeviceState {
            device,
            token: self.meta::<[u8; 32]>("token")?.map(Key),
            cursor: self.cursor()?,
            newest: self.connection.query_row(highest, [], |row| row.get(0)).optional()?.unwrap_or(0),
            delivered: self.deliveries()?,
            items: self.items_version()?,
            made: self.meta("made")?,
        })
    }

    pub(super) fn cursor(&self) -> Result<Option<u64>, Error> {
        Ok(self.meta::<i64>("cursor")?.and_then(|row| u64::try_from(row).ok()))
    }

    /// Moves the cursor to this message, if all before it are here.
    pub(super) fn advance(&self, pushed: &Pushed) -> Result<bool, Error> {
        let Some(row) = i64::try_from(pushed.row).ok().filter(|_| self.cursor().ok() == Some(pushed.after)) else {
            return Ok(false);
        };
        let mut query = self.connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('cursor', ?)")?;
        query.execute([row]).map(|_| true)
    }

    pub(super) fn begin(&self, row: u64) -> Result<(), Error> {
        self.connection.execute("INSERT OR IGNORE INTO meta VALUES ('cursor', ?)", [signed(row)]).map(drop)
    }

    /// Notes how many unread messages the server has; those stored from now on are of these.
    pub(super) fn set_unread(&self, unread: u64) -> Result<(), Error> {
        let c = &self.connection;
        c.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('unread', ?)")?.execute([signed(unread)])?;
        c.prepare_cached(
            "INSERT OR REPLACE INTO meta SELECT 'unread_after', coalesce((SELECT seq FROM sqlite_sequence
                 WHERE name = 'messages'), 0)",
        )?
        .execute([])
        .map(drop)
    }

    /// Returns the last of these messages, if there were any; the server may not know yet that it is here.
    pub(super) fn handed_last(&self) -> Result<Option<LastDelivery>, Error> {
        let Some(unread) = self.meta::<i64>("unread")?.filter(|unread| *unread > 0) else { return Ok(None) };
        let after = self.meta::<i64>("unread_after")?.unwrap_or(i64::MAX);
        let taken = "FROM messages WHERE id > ? AND NOT outgoing AND plain IS NOT NULL";
        let count: i64 = self.connection.query_row(&format!("SELECT count(*) {taken}"), [after], |row| row.get(0))?;
        let mut query =
            self.connection.prepare(&format!("SELECT peer, plain, raw {taken} ORDER BY id DESC LIMIT 1"))?;
        let last = query.query_row([after], |row| {
            let from: String = row.get("peer")?;
            let left = u64::try_from(unread.saturating_sub(count)).ok();
            Ok(LastDelivery { from: Account::sanitised(&from), time: row.get("plain")?, raw: row.get("raw")?, left })
        });
        last.optional()
    }

    /// Shows messages that an earlier version has hidden, taking them for repetitions; done once.
    pub(super) fn show_hidden(&self) -> Result<(), Error> {
        let c = &self.connection;
        if c.execute("INSERT OR IGNORE INTO meta VALUES ('repeats_shown', 1)", [])? > 0 {
            c.execute("UPDATE messages SET repeat = 0 WHERE repeat", [])?;
        }
        Ok(())
    }

    /// Returns by how many seconds a plain server's clock is before UTC, if that is known.
    pub(super) fn zone(&self) -> Result<Option<i32>, Error> {
        self.meta("zone")
    }

    /// Stores that, and works out the times of messages of which only the clock's reading was known. Returns whether
    /// there were any.
    pub(super) fn set_zone(&self, zone: i32) -> Result<bool, Error> {
        let c = &self.connection;
        c.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('zone', ?)")?.execute([zone])?;
        // No message was written after it came.
        let changed = c
            .prepare_cached(
                "UPDATE messages SET zone = ?1, unix_ms = face - ?1 * 1000 WHERE face IS NOT NULL AND zone IS NULL
                     AND face - ?1 * 1000 <= came + 15 * 60 * 1000",
            )?
            .execute([zone])?;
        Ok(changed > 0)
    }

    /// Stores when this account was made.
    pub(super) fn set_own_made(&self, made: i64) -> Result<(), Error> {
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('made', ?)", [made]).map(drop)
    }

    pub(super) fn set_token(&self, token: Option<Key<32>>) -> Result<(), Error> {
        match token {
            Some(Key(token)) => {
                self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('token', ?)", params![token])?
            }
            None => self.connection.execute("DELETE FROM meta WHERE name = 'token'", [])?,
        };
        Ok(())
    }

    /// Returns the row of this message, if it has already come in the plain dialect; each row answers for one message.
    pub(super) fn handed(&self, from: &Account, time: &str, text: &str, row: u64) -> Result<Option<MessageId>, Error> {
        let c = &self.connection;
        let mut query = c.prepare_cached(
            "SELECT id FROM messages WHERE peer = ? AND plain = ? AND text = ? ORDER BY state IS NOT NULL, id LIMIT 1",
        )?;
        let found = query.query_row(params![from.as_str(), time, text], |row| row.get(0)).optional()?;
        if let Some(id) = found {
            c.prepare_cached("UPDATE messages SET plain = NULL, server_row = ? WHERE id = ?")?
                .execute(params![signed(row), id])?;
        }
        Ok(found.map(MessageId))
    }

    /// Stores a message that another device of this account has sent. If that device was this one under an earlier
    /// name, as in a folder restored from a backup, the message may be here; then its row is returned, and that it was
    /// known.
    pub(super) fn own(
        &self,
        to: &Account,
        text: &str,
        pushed: &Pushed,
        SentBy { device, counter, accepted, online }: &SentBy,
    ) -> Result<(Option<MessageId>, bool), Error> {
        let c = &self.connection;
        let counter = i64::try_from(*counter).unwrap_or(i64::MAX);
        let mut query = c.prepare_cached(
            "SELECT id FROM messages JOIN names ON name = ? AND id <= newest
             WHERE id = ? AND outgoing AND peer = ? AND text = ?",
        )?;
        let known = query.query_row(params![device.0, counter, to.as_str(), text], |row| row.get(0)).optional()?;
        // Or it has already been read back from the server.
        let known = match (known, accepted) {
            (None, Some(row)) => self.numbered(to, *row)?,
            (known, _) => known.map(MessageId),
        };
        if known.is_some() {
            return Ok((known, true));
        }
        let unix_ms = pushed.at.saturating_mul(1_000);
        c.prepare_cached(
            "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, state, seen, server_row)
             VALUES (?, 1, ?, ?, ?, ?, 1, ?)",
        )?
        .execute(params![
            to.as_str(),
            text,
            text.as_bytes(),
            unix_ms,
            mirrored(to, *online),
            accepted.map(signed)
        ])?;
        let id = c.last_insert_rowid();
        self.count(to, id, 0)?;
        Ok((Some(MessageId(id)), false))
    }

    pub(super) fn rename(&self) -> Result<Device, Error> {
        self.set_token(None)?;
        self.connection.execute(
            "INSERT OR REPLACE INTO names SELECT value, coalesce((SELECT seq FROM sqlite_sequence
                 WHERE name = 'messages'), 0) FROM meta WHERE name = 'device'",
            [],
        )?;
        let new = "INSERT OR REPLACE INTO meta VALUES ('device', randomblob(16)) RETURNING value";
        self.connection.query_row(new, [], |row| row.get(0)).map(Key)
    }
}

#[cfg(test)]
mod tests;
