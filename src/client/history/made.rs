//! Tells accounts of one name apart: an account that was deleted and made anew is another one, and differs in when it
//! was made. The time means nothing else; two different times are two accounts, whichever is later.

use rusqlite::{Error, OptionalExtension, params};

use super::look::NOTE;
use super::schema::{MADE_ANEW, number};
use super::{Database, Done, Row};
use crate::base::model::{Account, MessageId, MessageText, SendState};
use crate::client::session::Recipient;

impl Database {
    /// Notes when somebody's account was made. If that is news, the conversation gets a row that is not a message, so
    /// that it keeps its place between the messages.
    pub(super) fn made(&self, peer: &Account, made: i64, unix_ms: i64) -> Result<Option<Row>, Error> {
        let c = &self.connection;
        let known: Option<i64> = c
            .prepare_cached("SELECT at FROM made WHERE peer = ?")?
            .query_row([peer.as_str()], |row| row.get(0))
            .optional()?;
        if known == Some(made) {
            return Ok(None);
        }
        c.prepare_cached("INSERT OR REPLACE INTO made VALUES (?, ?)")?.execute(params![peer.as_str(), made])?;
        if known.is_none() {
            return Ok(None);
        }
        c.prepare_cached(
            "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, came, state, seen, made)
             VALUES (?1, 0, '', '', ?2, ?2, ?3, 1, ?4)",
        )?
        .execute(params![peer.as_str(), unix_ms, NOTE, made])?;
        self.note(MessageId(c.last_insert_rowid())).map(Some)
    }

    /// Returns when the account was made that a sent message is for, if that is known.
    pub(super) fn meant(&self, id: MessageId) -> Result<Option<i64>, Error> {
        let mut query = self.connection.prepare_cached("SELECT made FROM messages WHERE id = ?")?;
        Ok(query.query_row([id.0], |row| row.get(0)).optional()?.flatten())
    }

    /// Prepares a message to be sent again. If its receiver is another account now, the person was told so.
    pub(super) fn resend(&self, id: MessageId, to: &Account, text: &MessageText) -> Result<Done, Error> {
        self.connection
            .prepare_cached(
                "UPDATE messages SET state = ?2,
                     made = iif(state = ?3, (SELECT at FROM made m WHERE m.peer = messages.peer), made)
                 WHERE id = ?1 AND outgoing",
            )?
            .execute(params![id.0, number(SendState::Waiting), MADE_ANEW])?;
        let to = Recipient { account: to.clone(), made: self.meant(id)? };
        Ok(Done::Resent { id, to, text: text.clone() })
    }
}

#[cfg(test)]
mod tests;
