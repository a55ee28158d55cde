//! The operations on messages: sent ones before they are sent, received ones when they come, and how far each has come.

use rusqlite::{Error, params};

use super::look::REPEATED;
use super::moment::WrittenTime;
use super::schema::{SENDING_SECURELY, number, signed};
use super::{Database, Done, Unsent};
use crate::base::model::{Account, MessageId, SendState};
use crate::client::session::Pushed;

/// A received message, as it is stored.
pub(super) struct IncomingMessage<'a> {
    /// The sender.
    pub from: &'a Account,
    /// The time as the server wrote it.
    pub server_time: &'a str,
    /// The message's text.
    pub text: &'a str,
    /// The bytes as they were received.
    pub raw: &'a [u8],
    /// Whether it repeats the message before it, which the server offered again.
    pub repeat: bool,
    /// When it was received, in milliseconds since 1970.
    pub unix_ms: i64,
    /// The time with which the server handed out this pushed message in the plain dialect earlier, if it did.
    pub handed: Option<&'a str>,
}

impl Database {
    /// Stores a message before it is sent.
    pub(super) fn outgoing(&self, request: u64, to: &Account, text: &str, unix_ms: i64) -> Result<Done, Error> {
        let c = &self.connection;
        c.prepare_cached(
            "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, state, seen, made)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, 1, (SELECT at FROM made WHERE peer = ?1))",
        )?
        .execute(params![to.as_str(), text, text.as_bytes(), unix_ms, number(SendState::Waiting)])?;
        let id = c.last_insert_rowid();
        self.count(to, id, 0)?;
        let made = self.meant(MessageId(id))?;
        Ok(Done::Kept { request, id: Some(MessageId(id)), made })
    }

    /// Notes how far a sent message has come.
    pub(super) fn note_state(&self, id: MessageId, state: SendState, secure: bool) -> Result<Option<Done>, Error> {
        let noted = if secure && state == SendState::Sending { SENDING_SECURELY } else { number(state) };
        self.connection
            .prepare_cached("UPDATE messages SET state = ? WHERE id = ? AND outgoing")?
            .execute(params![noted, id.0])?;
        match state {
            SendState::Sending => Ok(Some(Done::Noted { id, noted: true })),
            SendState::Sent | SendState::Kept => self.delivered_already(id),
            SendState::Waiting
            | SendState::OfflineOrUnknown
            | SendState::MaybeSentTwice
            | SendState::Failed
            | SendState::MaybeSent
            | SendState::Unknown
            | SendState::NoAnswer
            | SendState::Delivered
            | SendState::MadeAnew => Ok(None),
        }
    }

    /// Stores a message that has come. Returns its row, or `None` if it is out of turn; and whether it was there
    /// before.
    pub(super) fn received(
        &self,
        coming: &IncomingMessage<'_>,
        pushed: Option<&Pushed>,
    ) -> Result<(Option<MessageId>, bool), Error> {
        let IncomingMessage { from, server_time, text, raw, repeat, unix_ms, handed } = *coming;
        if let Some(pushed) = pushed {
            if !self.advance(pushed)? {
                return Ok((None, false));
            }
            if let Some(id) = self.numbered(from, pushed.row)? {
                return Ok((Some(id), true));
            }
            if let Some(time) = handed
                && let Some(id) = self.handed(from, time, text, pushed.row)?
            {
                return Ok((Some(id), true));
            }
        }
        let plain = pushed.is_none().then_some(server_time);
        let written = match pushed {
            Some(pushed) => WrittenTime { unix_ms: pushed.at.saturating_mul(1_000), face: None, zone: None },
            None => WrittenTime::of(server_time, unix_ms, self.zone()?),
        };
        // Another device may have read it before it came here.
        let read = match pushed {
            Some(pushed) => signed(pushed.row) <= self.read_to(from.as_str())?,
            None => false,
        };
        let c = &self.connection;
        c.prepare_cached(
            "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, came, face, zone, server_time, state,
                 seen, plain, server_row)
             VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            from.as_str(),
            text,
            raw,
            written.unix_ms,
            unix_ms,
            written.face,
            written.zone,
            plain,
            repeat.then_some(REPEATED),
            read,
            plain,
            pushed.map(|pushed| signed(pushed.row)),
        ])?;
        let id = c.last_insert_rowid();
        self.count(from, id, i64::from(!read))?;
        Ok((Some(MessageId(id)), false))
    }

    /// Marks the messages of a conversation as read up to this one; `None` means all of them.
    pub(super) fn seen(&self, peer: &Account, to: Option<MessageId>) -> Result<(), Error> {
        let c = &self.connection;
        let to = to.map_or(i64::MAX, |id| id.0);
        c.prepare_cached("UPDATE messages SET seen = 1 WHERE peer = ? AND NOT seen AND id <= ?")?
            .execute(params![peer.as_str(), to])?;
        // Others may have come since then.
        self.count_unread(peer.as_str())?;
        self.read_changed(peer)
    }

    /// Counts somebody's unread messages anew, after some were read.
    pub(super) fn count_unread(&self, peer: &str) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "UPDATE peers SET unread = (SELECT count(*) FROM messages WHERE peer = ?1 AND NOT seen AND NOT repeat)
                 WHERE peer = ?1 AND unread > 0",
            )?
            .execute([peer])
            .map(drop)
    }

    /// Returns the messages that were not sent yet; those that were being sent in the plain dialect may have been, and
    /// are left out.
    pub(super) fn outbox(&self) -> Result<Vec<Unsent>, Error> {
        let c = &self.connection;
        c.execute(
            "UPDATE messages SET state = ?1 WHERE outgoing AND state IN (0, 1, 7) AND state = ?2",
            params![number(SendState::MaybeSent), number(SendState::Sending)],
        )?;
        let mut query = c.prepare(
            "SELECT id, peer, text, state, made FROM messages WHERE outgoing AND state IN (0, 1, 7) ORDER BY id",
        )?;
        let rows = query.query_map([], |row| {
            let peer: String = row.get("peer")?;
            Ok(Unsent {
                id: MessageId(row.get("id")?),
                to: Account::sanitised(&peer),
                text: row.get("text")?,
                again: row.get::<_, i64>("state")? == SENDING_SECURELY,
                made: row.get("made")?,
            })
        })?;
        rows.collect()
    }
}
