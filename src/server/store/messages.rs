//! The operations on messages: storing them for their receivers, and handing them out one by one in the plain dialect.

use rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY;
use rusqlite::{Connection, Error, params};

use super::delivered::StartedRanges;
use super::mailboxes::Mailboxes;
use super::{AccountId, Done, MessageRow, NewMessage, SentKey, Store, UnreadMessage, devices};

/// Stores a message in one row for each receiver, unless its device has sent it before, it is out of turn, or a mailbox
/// is full. A room's message is not stored for receivers whose mailboxes are full, who get row 0. If a device sent it,
/// it is noted even if nobody gets it, so that a repetition gets the same answer.
pub(super) fn keep(
    c: &Connection,
    job: u64,
    (begun, mailboxes): (&StartedRanges, &Mailboxes),
    message: &NewMessage,
) -> Result<Done, Error> {
    let lobby = message.writer.is_some();
    if let Some(key) = &message.key
        && let Some(done) = devices::sent_before(c, job, key)?
    {
        return Ok(done);
    }
    let mut room = true;
    for receiver in message.receivers.iter().filter(|_| !lobby) {
        room &= mailboxes.fits(c, *receiver, false)?;
    }
    if !room {
        return Ok(Done::Full { job });
    }
    if let Some(key) = &message.key
        && devices::is_out_of_turn(c, key)?
    {
        return Ok(Done::OutOfTurn { job });
    }
    let mut rows = Vec::with_capacity(message.receivers.len());
    let mut insert = c.prepare_cached(
        "INSERT INTO messages (receiver, sender, author, writer, raw, text, sent, online)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut author = Some(message.author);
    for receiver in &message.receivers {
        if lobby && !mailboxes.fits(c, *receiver, true)? {
            rows.push(0);
            continue;
        }
        let NewMessage { sender, writer, raw, text, sent, online, .. } = message;
        let mut write = |author| insert.execute(params![receiver, sender, author, writer, raw, text, sent, online]);
        match write(author) {
            // Its writer was deleted a moment ago. Looking the writer up first would cost every message a query.
            Err(error) if is_of_nobody(&error) => {
                author = None;
                write(author)?;
            }
            written => _ = written?,
        }
        let row = c.last_insert_rowid();
        rows.push(row);
        if let (Some(author), None) = (author, writer) {
            begun.note(c, (author, *receiver), row)?;
        }
    }
    // Of a room in which nobody was online for the writer, no row is told, whoever has got it.
    let first = rows.iter().copied().find(|row| *row > 0 && (message.online || !lobby));
    if lobby && message.online && first.is_none() && message.key.is_none() {
        return Ok(Done::Full { job });
    }
    let mut own = None;
    if let Some(key) = &message.key {
        devices::note_sent(c, key, first.unwrap_or(0), message.sent)?;
        own = message.own.as_ref().map(|own| devices::note_own(c, key, own, message.sent)).transpose()?;
    }
    Ok(Done::Kept { job, rows, own, sent: message.sent, again: false, online: Some(message.online) })
}

/// Returns whether a write failed because an account that it refers to does not exist.
fn is_of_nobody(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_CONSTRAINT_FOREIGNKEY)
}

/// Looks up whether a device has sent this message before.
pub(super) fn again(c: &Connection, job: u64, key: &SentKey) -> Result<Done, Error> {
    Ok(devices::sent_before(c, job, key)?.unwrap_or(Done::Ok { job }))
}

/// Marks a message as handed out in the plain dialect.
pub(super) fn handed(c: &Connection, message: MessageRow) -> Result<(), Error> {
    c.prepare_cached("UPDATE messages SET plain = 1 WHERE id = ?")?.execute([message]).map(drop)
}

/// Selects the unread messages of a mailbox in their order.
pub(super) const OFFER: &str = "SELECT id, sender, sent, text, writer FROM messages INDEXED BY box
    WHERE receiver = ? AND (taken IS NOT NULL) = 0 ORDER BY id";
/// Selects the unread messages of one sender in their order.
pub(super) const OFFER_OF: &str = "SELECT id, sender, sent, text, writer FROM messages INDEXED BY box
    WHERE receiver = ? AND sender = ? AND (taken IS NOT NULL) = 0 ORDER BY id";

impl Store {
    /// Returns the oldest unread message, of one sender or of anyone. Messages that were taken are left out even if
    /// that could not be written yet.
    pub(super) fn offer(&self, account: AccountId, from: Option<&str>) -> Result<Option<UnreadMessage>, Error> {
        // The index holds them in this order, so only the rows looked at are read. It is named in the query, or else
        // SQLite would search through all messages the sender ever wrote.
        let mut query = self.connection.prepare_cached(if from.is_some() { OFFER_OF } else { OFFER })?;
        let mut rows = match from {
            Some(from) => query.query(params![account, from])?,
            None => query.query([account])?,
        };
        while let Some(row) = rows.next()? {
            let id = row.get("id")?;
            let taken = self.owed_to.get(&account).is_some_and(|(to, _)| id <= *to);
            if !taken && !self.owed.contains_key(&id) {
                return Ok(Some(UnreadMessage {
                    row: id,
                    sender: row.get("sender")?,
                    writer: row.get("writer")?,
                    sent: row.get("sent")?,
                    text: row.get("text")?,
                }));
            }
        }
        Ok(None)
    }
}
