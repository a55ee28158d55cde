//! Saves what can be read of a damaged history into a new one; the damaged one is kept beside it.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Error, OpenFlags, params_from_iter};
use rust_i18n::t;

use super::schema;
use super::{Database, HistoryError};
use crate::base::migration::{self, copy_of};
use crate::base::private;

/// How many ranges of messages in a row may be unreadable before giving up, after a second or two.
const IN_VAIN: u32 = 1 << 16;
/// The tables that are copied in addition to the messages; the list's figures are counted again.
const TABLES: [(&str, &str); 9] = [
    ("contacts", "account"),
    ("meta", "name"),
    ("names", "name"),
    ("drafts", "peer"),
    ("made", "peer"),
    ("delivered", "peer, first"),
    ("items", "kind, key"),
    ("item_changes", "number"),
    ("profiles", "account"),
];

/// The result of rescuing a damaged history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// The number of messages in the new file.
    pub messages: u64,
    /// How many messages could not be read, as far as their numbers tell.
    pub lost: u64,
    /// The path to which the damaged file was moved.
    pub aside: PathBuf,
}

impl Rescued {
    /// Returns the result as a sentence in the present language.
    #[must_use]
    pub fn sentence(&self) -> String {
        let aside = self.aside.file_name().unwrap_or_default().to_string_lossy();
        t!("error.rescued", messages = self.messages, lost = self.lost, aside = aside).into_owned()
    }
}

/// Returns the newest copy of a history that was made before a migration, if there is one.
#[must_use]
pub fn copy_before(path: &Path) -> Option<PathBuf> {
    (1..=schema::SCHEMA_VERSION).rev().map(|version| copy_of(path, version)).find(|copy| copy.exists())
}

/// Replaces a damaged history by what can be read of it.
///
/// # Errors
/// If another program has it open, nothing at all can be read (then it stays as it is), or the disk fails.
pub fn rescue(path: &Path) -> Result<Rescued, HistoryError> {
    let lock = schema::lock(path)?;
    let error = |error| HistoryError::of(path, error);
    let said = |error| HistoryError::of_io(path, error);
    let new_path = path.with_extension("rescued.sqlite");
    for name in beside(&new_path) {
        remove(&name).map_err(said)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(path, flags).map_err(error)?;
    let version = migration::version(&old).map_err(error)?;
    if version > schema::SCHEMA_VERSION {
        return Err(HistoryError::Newer { found: version, known: schema::SCHEMA_VERSION });
    }
    let new = schema::make(&new_path, version)?;
    let copied = copy(&old, &new).map_err(|error| HistoryError::of(&new_path, error));
    let closed = old.close();
    let (messages, lost) = copied?;
    drop((closed, new));
    // Migrates it, and puts everything into the one file.
    let new = schema::open(&new_path)?;
    let whole = new.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    whole.map_err(|error| HistoryError::of(&new_path, error))?;
    drop(new);
    let aside = put_in_place(&new_path, path).map_err(said)?;
    drop(lock);
    log::warn!("{} was damaged: {messages} messages could be read, {lost} could not", path.display());
    Ok(Rescued { messages, lost, aside })
}

/// Returns the names of a database and of the files that SQLite keeps beside it.
fn beside(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}

/// Renames the history of an account that no longer exists, which no program has open; returns the new path.
///
/// # Errors
/// If another program has it open, or the disk fails; then it stays where it was.
pub fn put_aside(path: &Path) -> Result<PathBuf, HistoryError> {
    let _lock = schema::lock(path)?;
    let said = |error| HistoryError::of_io(path, error);
    // Puts everything into the one file.
    let whole = schema::open(path)?;
    let checked = whole.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    checked.map_err(|error| HistoryError::of(path, error))?;
    drop(whole);
    let name =
        |n: u32| path.with_extension(if n == 1 { "earlier.sqlite".into() } else { format!("earlier-{n}.sqlite") });
    let aside = (1..1_000).map(name).find(|name| !name.exists());
    let aside = aside.ok_or_else(|| said(io::ErrorKind::AlreadyExists.into()))?;
    fs::rename(path, &aside).map_err(said)?;
    // The copies that were made before migrations belong to that account too.
    for version in 1..schema::SCHEMA_VERSION {
        let copy = copy_of(path, version);
        if copy.exists()
            && let Err(error) = fs::rename(&copy, copy_of(&aside, version))
        {
            log::warn!("{} stays where it is: {error}", copy.display());
        }
    }
    private::sync_folder(path).map_err(said)?;
    Ok(aside)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts the new file into place; at every moment there is a history under its name.
fn put_in_place(new: &Path, path: &Path) -> io::Result<PathBuf> {
    fs::File::open(new)?.sync_all()?;
    let name =
        |n: u32| path.with_extension(if n == 1 { "damaged.sqlite".into() } else { format!("damaged-{n}.sqlite") });
    let aside = (1..100).map(name).find(|name| !name.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
    let [old, logs @ ..] = beside(path);
    if fs::hard_link(&old, &aside).is_err() {
        fs::copy(&old, &aside)?;
    }
    // SQLite would apply these files to the new database, but they belong to the old one.
    let [_, aside_logs @ ..] = beside(&aside);
    for (log, to) in logs.iter().zip(aside_logs) {
        if log.exists() {
            fs::rename(log, to)?;
        }
    }
    fs::rename(new, path)?;
    private::sync_folder(path)?;
    Ok(aside)
}

fn columns(of: &Connection, table: &str) -> Result<Vec<String>, Error> {
    let mut query = of.prepare(&format!("PRAGMA table_info({table})"))?;
    query.query_map([], |row| row.get("name"))?.collect()
}

/// Copies rows into a table until none is left, or one cannot be read. Returns how many there were, the first column of
/// the last one, and the error.
/// stood in the first column of the last.
struct Copying<'a> {
    new: &'a Connection,
    table: &'a str,
    columns: Vec<String>,
}

impl Copying<'_> {
    fn rows(&self, old: &Connection, clause: &str, bounds: &[i64]) -> (u64, Option<Value>, Result<(), Error>) {
        let (mut count, mut last) = (0, None);
        let copied = self.copy(old, clause, bounds, &mut count, &mut last);
        (count, last, copied)
    }

    fn copy(
        &self,
        old: &Connection,
        clause: &str,
        bounds: &[i64],
        count: &mut u64,
        last: &mut Option<Value>,
    ) -> Result<(), Error> {
        let (table, names) = (self.table, self.columns.join(", "));
        let marks = vec!["?"; self.columns.len()].join(", ");
        let insert = format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})");
        let mut insert = self.new.prepare_cached(&insert)?;
        let mut query = old.prepare_cached(&format!("SELECT {names} FROM {table} {clause}"))?;
        let mut rows = query.query(params_from_iter(bounds))?;
        while let Some(row) = rows.next()? {
            let values = (0..self.columns.len()).map(|i| row.get(i)).collect::<Result<Vec<Value>, _>>()?;
            *last = values.first().cloned();
            // A value that is not allowed there is damage as well.
            if let Ok(added) = insert.execute(params_from_iter(values)) {
                *count += added as u64;
            }
        }
        Ok(())
    }
}

/// Copies what can be read; returns how many messages were copied, and how many are missing.
fn copy(old: &Connection, new: &Connection) -> Result<(u64, u64), Error> {
    let transaction = new.unchecked_transaction()?;
    for (table, key) in TABLES {
        let columns = columns(new, table)?;
        if columns.is_empty() {
            // This version has no such table.
            continue;
        }
        new.execute_batch(&format!("DELETE FROM {table}"))?;
        let copying = Copying { new, table, columns };
        // From both ends, since the damage may be in the middle.
        for order in ["", "DESC"] {
            if let (_, _, Err(error)) = copying.rows(old, &format!("ORDER BY {key} {order}"), &[]) {
                log::warn!("of {table} not all can be read: {error}");
            }
        }
    }
    // Deliveries may be partly missing, and are asked for again.
    if !columns(new, "meta")?.is_empty() {
        new.execute("DELETE FROM meta WHERE name = 'delivered'", [])?;
    }
    let copying = Copying { new, table: "messages", columns: columns(new, "messages")? };
    let number = |query: &str| old.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    let counted = number("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").unwrap_or(0);
    let last = number("SELECT max(id) FROM messages").unwrap_or(0).max(counted).max(0);
    let first = number("SELECT min(id) FROM messages").unwrap_or(-(1 << 20)).min(1);
    // If the end is unknown, what comes after is tried too.
    let last = if last == 0 { 1 << 20 } else { last };
    // The largest range first, so that a file without anything readable is given up before every number was tried.
    let mut ranges = VecDeque::from([(first, last)]);
    let (mut messages, mut in_vain) = (0, 0);
    while let Some((from, to)) = ranges.pop_front().filter(|_| in_vain < IN_VAIN) {
        let (count, found, read) = copying.rows(old, "WHERE id BETWEEN ? AND ? ORDER BY id", &[from, to]);
        messages += count;
        in_vain = if found.is_some() { 0 } else { in_vain + 1 };
        if read.is_ok() {
            continue;
        }
        // The row after the last one read is unreadable, but those after it may be readable.
        let from = match found {
            Some(Value::Integer(id)) => id.saturating_add(1),
            _ => from,
        };
        if from < to {
            let middle = from + (to - from) / 2;
            ranges.extend([(from, middle), (middle + 1, to)]);
        }
    }
    // Messages are never deleted, except those that were written and withdrawn.
    let kept: i64 = new.query_row("SELECT count(*) FROM messages WHERE id > 0", [], |row| row.get(0))?;
    if counted > 0 {
        new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'messages'", [counted])?;
    }
    let lost = u64::try_from(counted.saturating_sub(kept)).unwrap_or(0);
    schema::count_anew(new)?;
    transaction.commit()?;
    Ok((messages, lost))
}

impl Database {
    /// Returns the file's path.
    pub(super) fn path(&self) -> PathBuf {
        self.connection.path().map(PathBuf::from).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
