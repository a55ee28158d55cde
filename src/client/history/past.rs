//! Messages of a conversation that the server has and this device does not: from before it existed, and those sent by
//! another device.
//!
//! Such a row has a number below zero, so that it is never taken for one of this device's own, and is placed by the
//! server's numbers: before the row of this device that is in its `place`.

use std::collections::HashMap;

use chrono::{Local, TimeZone};
use rusqlite::{Error, OptionalExtension, params};

use super::Database;
use super::delivered::state_of;
use super::look::NOTE;
use super::matching::pairs;
use super::moment::may_be;
use super::schema::{number, signed, state};
use crate::base::model::{Account, MessageId, SendState};
use crate::protocol::wire::frame::Past;

/// How many milliseconds a sent message may differ in time, by two clocks, to be taken for the same one.
const CLOCKS_MS: i64 = 10 * 60 * 1000;

/// A row from before this device knew the server's numbers, or whose number did not come back.
struct Unnumbered {
    id: i64,
    outgoing: bool,
    text: String,
    unix_ms: i64,
    /// The time on the server's clock, if its zone is unknown.
    face: Option<i64>,
    on_its_way: bool,
    never_sent: bool,
}

impl Unnumbered {
    /// Returns how many milliseconds the two differ in time; `None` if they cannot be the same.
    fn gap(&self, past: &Past) -> Option<u64> {
        let at = past.at.saturating_mul(1000);
        if !self.outgoing {
            let same = self.face.map_or(self.unix_ms.div_euclid(1000) == past.at, |face| may_be(face, at));
            return same.then_some(0);
        }
        let later = at.saturating_sub(self.unix_ms);
        // A message that has waited may be much later than it was written, but none is earlier.
        let meant = later >= -CLOCKS_MS && (later <= CLOCKS_MS || self.on_its_way);
        meant.then_some(later.unsigned_abs())
    }
}

/// Messages with the same text, at the server and here.
#[derive(Default)]
struct Alike<'a> {
    messages: Vec<&'a Past>,
    rows: Vec<&'a Unnumbered>,
}

/// Returns the rows here without a number, by the server's number of the same message: of equal texts as many as
/// possible are matched, in their order.
fn known(messages: &[(&Past, bool)], unnumbered: &[Unnumbered]) -> HashMap<u64, MessageId> {
    let mut texts: HashMap<(bool, &str), Alike<'_>> = HashMap::new();
    for &(past, outgoing) in messages {
        texts.entry((outgoing, &past.text)).or_default().messages.push(past);
    }
    for row in unnumbered {
        if let Some(Alike { rows, .. }) = texts.get_mut(&(row.outgoing, row.text.as_str())) {
            rows.push(row);
        }
    }
    let mut known = HashMap::new();
    for Alike { messages, rows } in texts.into_values() {
        let gap = |i: usize, j: usize| rows.get(j)?.gap(messages.get(i)?);
        // Only those that are near in time, since somebody may have said "ok" ten thousand times.
        let near: Vec<usize> = (0..rows.len()).filter(|j| (0..messages.len()).any(|i| gap(i, *j).is_some())).collect();
        let same = pairs(messages.len(), near.len(), |i, j| gap(i, *near.get(j)?));
        known.extend(same.into_iter().filter_map(|(i, j)| {
            let row = rows.get(*near.get(j)?)?;
            Some((messages.get(i)?.row, MessageId(row.id)))
        }));
    }
    known
}

impl Database {
    /// Notes the server's number of a sent message.
    pub(super) fn number_at_server(&self, id: MessageId, row: u64) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE messages SET server_row = ? WHERE id = ?")?
            .execute(params![signed(row), id.0])
            .map(drop)
    }

    /// Returns the server's number of the oldest message of a conversation that has one.
    pub(super) fn oldest(&self, peer: &Account) -> Result<Option<u64>, Error> {
        let oldest = "SELECT min(server_row) FROM messages WHERE peer = ? AND server_row IS NOT NULL";
        let row: Option<i64> = self.connection.prepare_cached(oldest)?.query_row([peer.as_str()], |row| row.get(0))?;
        Ok(row.and_then(|row| u64::try_from(row).ok()))
    }

    /// Puts messages that the server has into their places, oldest first, if they are not here. Returns how many were
    /// new.
    pub(super) fn add_past(&self, own: &Account, peer: &Account, messages: &[Past]) -> Result<usize, Error> {
        let cursor = self.cursor()?;
        let mut wanted = Vec::new();
        for past in messages {
            let outgoing = past.from == own.as_str() && peer != own;
            // It will be pushed soon, and then counts as unread.
            let later = !outgoing && cursor.is_some_and(|cursor| past.row > cursor);
            if !later && self.numbered(peer, past.row)?.is_none() {
                wanted.push((past, outgoing));
            }
        }
        let known = known(&wanted, &self.unnumbered(peer)?);
        let mut new = 0;
        // The newest first, so that each finds its place before those that are newer.
        for (past, outgoing) in wanted.into_iter().rev() {
            if let Some(same) = known.get(&past.row) {
                self.number_at_server(*same, past.row)?;
                continue;
            }
            self.insert(peer, past, outgoing)?;
            new += 1;
        }
        Ok(new)
    }

    /// Returns the message with this number at the server, if it is here.
    pub(super) fn numbered(&self, peer: &Account, row: u64) -> Result<Option<MessageId>, Error> {
        let known = "SELECT id FROM messages WHERE peer = ? AND server_row = ?";
        let mut query = self.connection.prepare_cached(known)?;
        let found = query.query_row(params![peer.as_str(), signed(row)], |row| row.get(0)).optional()?;
        Ok(found.map(MessageId))
    }

    fn insert(&self, peer: &Account, past: &Past, own: bool) -> Result<(), Error> {
        let c = &self.connection;
        // Before the first newer one; if there is none, before what comes next.
        let next = "SELECT coalesce(
            (SELECT coalesce(place, id) FROM messages WHERE peer = ?1 AND server_row > ?2 ORDER BY server_row LIMIT 1),
            (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'messages'), 1)";
        let place: i64 =
            c.prepare_cached(next)?.query_row(params![peer.as_str(), signed(past.row)], |row| row.get(0))?;
        let id: i64 = c
            .prepare_cached("SELECT min(0, coalesce(min(id), 0)) - 1 FROM messages")?
            .query_row([], |row| row.get(0))?;
        c.prepare_cached(
            "INSERT INTO messages (id, peer, outgoing, text, raw, unix_ms, state, seen, server_row, place)
             VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
        )?
        .execute(params![
            id,
            peer.as_str(),
            own,
            past.text,
            past.text.as_bytes(),
            past.at.saturating_mul(1000),
            own.then(|| number(state_of(past))),
            signed(past.row),
            place,
        ])?;
        c.prepare_cached(
            "INSERT INTO peers VALUES (?1, ?2, 0,
                 NOT EXISTS (SELECT 1 FROM contacts WHERE account = ?1) AND ?1 NOT GLOB '@*')
             ON CONFLICT (peer) DO UPDATE SET last = max(last, ?2)",
        )?
        .execute(params![peer.as_str(), id])
        .map(drop)
    }

    fn unnumbered(&self, peer: &Account) -> Result<Vec<Unnumbered>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, outgoing, text, unix_ms, iif(zone IS NULL, face, NULL) AS face, state FROM messages
             WHERE peer = ? AND NOT repeat AND server_row IS NULL AND state IS NOT ? ORDER BY id",
        )?;
        let rows = query.query_map(params![peer.as_str(), NOTE], |row| {
            let sent: Option<i64> = row.get("state")?;
            Ok(Unnumbered {
                id: row.get("id")?,
                outgoing: row.get("outgoing")?,
                text: row.get("text")?,
                unix_ms: row.get("unix_ms")?,
                face: row.get("face")?,
                on_its_way: sent.map(state) == Some(SendState::Sending),
                never_sent: matches!(
                    sent.map(state),
                    Some(SendState::Waiting | SendState::Failed | SendState::Unknown | SendState::MadeAnew)
                ),
            })
        })?;
        // What has never reached the server is not there.
        let never = |row: &Unnumbered| row.never_sent;
        rows.filter(|row| !row.as_ref().is_ok_and(never)).collect()
    }
}

/// Formats a server's time, in seconds since 1970, in this computer's zone.
#[must_use]
pub fn time_of(unix: i64) -> String {
    let time = Local.timestamp_opt(unix, 0).earliest();
    time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests;
