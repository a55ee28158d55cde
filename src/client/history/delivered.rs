//! Which sent messages were delivered: ranges of the server's numbers for each friend, and the version up to which they
//! are stored here. The state of a message itself is not changed, so that one notice of the server costs the same for
//! one message as for ten thousand, and what comes into such a range later, from the server or another device, counts
//! as delivered too.

use rusqlite::{Error, OptionalExtension, params};

use super::schema::{DELIVERED, number, signed};
use super::{Database, Done};
use crate::base::model::{Account, MessageId, SendState};
use crate::protocol::wire::frame::Past;

/// The most messages that are reported one by one; if there are more, a face reads all of them again.
const NAMED: i64 = 200;

/// In SQL: whether a row of `messages` was sent, reached the server, and was delivered.
pub(super) const IS_DELIVERED: &str = "outgoing AND state IN (2, 8) AND EXISTS (SELECT 1 FROM delivered d
    WHERE d.peer = messages.peer AND messages.server_row BETWEEN d.first AND d.last)";

/// Returns how far a sent message has come, as the server says.
#[must_use]
pub fn state_of(past: &Past) -> SendState {
    match past {
        Past { delivered: true, .. } => SendState::Delivered,
        Past { online: Some(false), .. } => SendState::Kept,
        Past { .. } => SendState::Sent,
    }
}

impl Database {
    /// Returns the version up to which deliveries are stored.
    pub(super) fn deliveries(&self) -> Result<u64, Error> {
        Ok(self.meta::<i64>("delivered")?.and_then(|version| u64::try_from(version).ok()).unwrap_or(0))
    }

    /// Stores deliveries, and returns the messages for which they are news.
    pub(super) fn note_deliveries(&self, version: u64, rows: &[(Account, u64, u64)]) -> Result<Done, Error> {
        let c = &self.connection;
        let (mut ids, mut more) = (Vec::new(), false);
        for (peer, first, last) in rows {
            let (first, last) = (signed(*first), signed(*last));
            let known: Option<i64> = c
                .prepare_cached("SELECT last FROM delivered WHERE peer = ? AND first = ?")?
                .query_row(params![peer.as_str(), first], |row| row.get(0))
                .optional()?;
            c.prepare_cached(
                "INSERT INTO delivered VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
            )?
            .execute(params![peer.as_str(), first, last])?;
            let mut news = c.prepare_cached(
                "SELECT id FROM messages WHERE peer = ? AND server_row > ? AND server_row <= ? AND outgoing
                     AND state IN (2, 8) ORDER BY server_row DESC LIMIT ?",
            )?;
            let after = known.unwrap_or_else(|| first.saturating_sub(1));
            let found = news.query_map(params![peer.as_str(), after, last, NAMED], |row| row.get(0).map(MessageId))?;
            let found = found.collect::<Result<Vec<_>, _>>()?;
            more |= i64::try_from(found.len()) == Ok(NAMED);
            ids.extend(found);
        }
        c.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('delivered', ?)")?.execute([signed(version)])?;
        Ok(Done::Deliveries { version: Some(version), ids, more })
    }

    /// Returns the delivery of a message, if that is known already, which may be before the answer to it.
    pub(super) fn delivered_already(&self, id: MessageId) -> Result<Option<Done>, Error> {
        let query = format!("SELECT 1 FROM messages WHERE id = ? AND {IS_DELIVERED}");
        let found = self.connection.prepare_cached(&query)?.exists([id.0])?;
        Ok(found.then_some(Done::Delivered(id)))
    }

    /// Returns how far a sent message has come.
    pub(super) fn state_now(&self, id: MessageId) -> Result<Option<SendState>, Error> {
        let query = format!("SELECT iif({IS_DELIVERED}, {DELIVERED}, state) FROM messages WHERE id = ? AND outgoing");
        let mut query = self.connection.prepare_cached(&query)?;
        let state: Option<i64> = query.query_row([id.0], |row| row.get(0)).optional()?.flatten();
        Ok(state.map(super::schema::state))
    }
}

/// Returns the stored state of a message that another device has sent.
pub(super) fn mirrored(to: &Account, online: Option<bool>) -> i64 {
    // Whether somebody is in the lobby is shown there.
    number(if online == Some(false) && !to.is_room() { SendState::Kept } else { SendState::Sent })
}

#[cfg(test)]
mod tests;
