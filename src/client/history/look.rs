//! What a face reads: the rows of a conversation, all in short, by pages or the last ones; and messages by their text.

use rusqlite::{Error, params};
use rust_i18n::t;

use super::delivered::IS_DELIVERED;
use super::moment::shown;
use super::schema::{DELIVERED, state};
use super::{Database, Row, RowMeta, time_of};
use crate::base::fold::{fold, holds};
use crate::base::model::{Account, MessageId};

/// The order of a conversation's rows, and the reverse.
const ORDER: &str = "coalesce(place, id), place IS NULL, server_row";
const REVERSE: &str = "coalesce(place, id) DESC, place IS NULL DESC, server_row DESC";

/// The number in the state column for another person's message that the server has offered again. The column `repeat`
/// is older, from when such messages, and others, were hidden.
pub(super) const REPEATED: i64 = -1;

/// The columns that are read of a row; a sent message that was delivered says so, whatever its stored state.
fn columns() -> String {
    format!(
        "id, text, unix_ms, server_time, iif({IS_DELIVERED}, {DELIVERED}, state) AS state, peer, face, zone, came, made"
    )
}

/// The state stored in a row that is not a message but a note: from here on the account is a later one of the same
/// name.
pub(super) const NOTE: i64 = -2;

impl Database {
    /// Returns what is known of every row with `peer` without its text, in order.
    pub(super) fn index(&self, peer: &Account) -> Result<Vec<RowMeta>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT id, length(text) AS chars, length(text) - length(replace(text, char(10), '')) AS breaks, outgoing,
                 unix_ms, face, zone, state
             FROM messages WHERE peer = ? AND NOT repeat ORDER BY {ORDER}",
        ))?;
        // Looked up once, not for each of perhaps a hundred thousand rows.
        let at = |name| query.column_index(name);
        let (id, chars, breaks, outgoing) = (at("id")?, at("chars")?, at("breaks")?, at("outgoing")?);
        let (unix_ms, face, zone, state) = (at("unix_ms")?, at("face")?, at("zone")?, at("state")?);
        let rows = query.query_map([peer.as_str()], |row| {
            Ok(RowMeta {
                id: MessageId(row.get(id)?),
                chars: row.get(chars)?,
                breaks: row.get(breaks)?,
                outgoing: row.get(outgoing)?,
                unix_ms: shown(row.get(unix_ms)?, row.get(face)?, row.get(zone)?, None).0,
                note: row.get::<_, Option<i64>>(state)? == Some(NOTE),
            })
        })?;
        rows.collect()
    }

    /// Returns `count` rows with `peer` from the index `first` on.
    pub(super) fn page(&self, peer: &Account, first: u32, count: u32) -> Result<Vec<Row>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT {} FROM messages WHERE peer = ? AND NOT repeat ORDER BY {ORDER} LIMIT ? OFFSET ?",
            columns()
        ))?;
        let rows = query.query_map(params![peer.as_str(), count, first], |row| read(row).map(|(_, row)| row))?;
        rows.collect()
    }

    /// Returns the last `count` messages with `peer`, oldest first.
    pub(super) fn last(&self, peer: &Account, count: u32) -> Result<Vec<Row>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT {} FROM messages WHERE peer = ? AND NOT repeat ORDER BY {REVERSE} LIMIT ?",
            columns()
        ))?;
        let rows = query.query_map(params![peer.as_str(), count], |row| read(row).map(|(_, row)| row))?;
        let mut rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// Reads a note, a row that is not a message.
    pub(super) fn note(&self, id: MessageId) -> Result<Row, Error> {
        let query = format!("SELECT {} FROM messages WHERE id = ?", columns());
        self.connection.prepare_cached(&query)?.query_row([id.0], |row| read(row).map(|(_, row)| row))
    }

    /// Returns the latest `count` messages that contain `text`, oldest first; compared by [`crate::base::fold`].
    pub(super) fn found(&self, text: &str, count: u32) -> Result<Vec<(Account, Row)>, Error> {
        let wanted = fold(text);
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT {} FROM messages WHERE NOT repeat AND state IS NOT {NOTE} ORDER BY id DESC",
            columns()
        ))?;
        let text_at = query.column_index("text")?;
        let mut rows = query.query([])?;
        let mut found = Vec::new();
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        while found.len() < most
            && let Some(row) = rows.next()?
        {
            if holds(row.get_ref(text_at)?.as_str()?, &wanted) {
                found.push(read(row)?);
            }
        }
        found.reverse();
        Ok(found)
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<(Account, Row), Error> {
    let peer: String = row.get("peer")?;
    let number: Option<i64> = row.get("state")?;
    let (unix_ms, server_time) =
        shown(row.get("unix_ms")?, row.get("face")?, row.get("zone")?, row.get("server_time")?);
    let note = number == Some(NOTE);
    let text = match note {
        true => {
            t!("chat.made_anew", time = time_of(row.get::<_, Option<i64>>("made")?.unwrap_or_default())).into_owned()
        }
        false => row.get("text")?,
    };
    let read = Row {
        id: MessageId(row.get("id")?),
        text,
        unix_ms,
        came_ms: row.get("came")?,
        server_time,
        state: number.filter(|number| *number >= 0).map(state),
        repeat: number == Some(REPEATED),
        note,
    };
    Ok((Account::sanitised(&peer), read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::history::{Op, Write};

    #[test]
    fn the_last_ones_and_by_their_text() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("open");
        let texts = ["one", "100%", "鸿雁 One", "a_b"];
        for (i, text) in (0..).zip(texts) {
            let to = Account::sanitised(if i == 3 { "c" } else { "b" });
            database.run(&[Op::Write(Write::Outgoing { request: 0, to, text: text.into(), unix_ms: i })]);
        }
        let last: Vec<String> =
            database.last(&Account::sanitised("b"), 2).expect("read").into_iter().map(|r| r.text).collect();
        assert_eq!(last, ["100%", "鸿雁 One"]);
        let found = |text| -> Vec<String> {
            database
                .found(text, 9)
                .expect("read")
                .into_iter()
                .map(|(peer, row)| format!("{peer} {}", row.text))
                .collect()
        };
        assert_eq!(found("ONE"), ["b one", "b 鸿雁 One"]);
        assert_eq!(found("ｏｎｅ"), ["b one", "b 鸿雁 One"]);
        assert_eq!(found("%"), ["b 100%"]);
        assert_eq!(found("_"), ["c a_b"]);
        assert_eq!(found("雁"), ["b 鸿雁 One"]);
    }
}
