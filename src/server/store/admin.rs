//! What whoever runs a server does beside it: accounts, backup, a class list. Every function takes
//! the data directory's lock, so none runs while a server does; apart from [`list`] and [`backup`],
//! which only read.

use std::io;
use std::path::Path;

use rusqlite::{Connection, params};

use super::{DataLock, Store, StoreError, lock, schema};
use crate::base::model::{Account, FieldError, Password, names};
use crate::protocol::wire::Charset;
use crate::server::hasher;

/// Why it was not done; a sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Nobody of that name.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// A text that cannot be an account or a password.
    #[error("line {line}: {field}: {error}")]
    Field {
        /// From 1; 0 when it came from the command line.
        line: u64,
        /// `account` or `password`.
        field: &'static str,
        /// Why.
        error: FieldError,
    },
    /// The file could not be read.
    #[error("the class list: {0}")]
    Read(#[from] io::Error),
    /// It is no list.
    #[error("the class list: {0}")]
    Csv(#[from] csv::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a password")]
    NoRandom,
    /// The backup's file is there already.
    #[error("{0} exists already; nothing was written")]
    Exists(String),
    /// The backup could not be written.
    #[error("the backup {path}: {error}")]
    Backup {
        /// Where to.
        path: String,
        /// Why not.
        error: io::Error,
    },
}

/// An account as `account list` shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// When it was made, seconds since 1970.
    pub created: i64,
    /// Messages that wait for it.
    pub unread: i64,
    /// Whether it has a session, and where.
    pub address: Option<String>,
    /// The plain dialect is closed to it.
    pub secure_only: bool,
}

/// All accounts, by name.
///
/// # Errors
/// What the database says.
pub fn list(data: &Path) -> Result<Vec<Row>, AdminError> {
    let store = Store::look(data)?;
    let mut query = store.connection().prepare(
        "SELECT name, created,
             (SELECT count(*) FROM messages INDEXED BY unread WHERE receiver = a.id AND taken IS NULL),
             s.address, secure_only
         FROM accounts a LEFT JOIN sessions s ON s.account = a.id ORDER BY name",
    )?;
    let rows = query.query_map([], |row| {
        let (name, created, unread, address) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Row { name, created, unread, address, secure_only: row.get(4)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Gives an account a new password and ends its session.
///
/// # Errors
/// No such account, or a server is running on this directory.
pub fn reset(data: &Path, account: &str, password: &Password) -> Result<(), AdminError> {
    let (store, _lock) = existing(data)?;
    let hashed = hasher::hash(password).ok_or(AdminError::NoRandom)?;
    let c = store.connection().unchecked_transaction()?;
    let changed =
        c.execute("UPDATE accounts SET salt = ?, hash = ? WHERE name = ?", params![hashed.salt, hashed.hash, account])?;
    for table in ["sessions", "devices"] {
        c.execute(&format!("DELETE FROM {table} WHERE account = (SELECT id FROM accounts WHERE name = ?)"), [account])?;
    }
    c.commit()?;
    if changed == 0 { Err(AdminError::NoSuchAccount(account.to_owned())) } else { Ok(()) }
}

/// Closes the plain dialect to an account, ending its session there, or opens it again.
///
/// # Errors
/// No such account, or a server is running on this directory.
pub fn secure_only(data: &Path, account: &str, on: bool) -> Result<(), AdminError> {
    let (store, _lock) = existing(data)?;
    let c = store.connection().unchecked_transaction()?;
    let changed = c.execute("UPDATE accounts SET secure_only = ? WHERE name = ?", params![on, account])?;
    c.execute(
        "DELETE FROM sessions WHERE account = (SELECT id FROM accounts WHERE secure_only AND name = ?)",
        [account],
    )?;
    c.commit()?;
    if changed == 0 { Err(AdminError::NoSuchAccount(account.to_owned())) } else { Ok(()) }
}

/// Removes an account with its mailbox, session and devices, and what it wrote and nobody has fetched yet: that would
/// arrive in the name of whoever has the name next. What others have of it stays theirs, and belongs to no name any more.
///
/// # Errors
/// No such account, or a server is running on this directory.
pub fn delete(data: &Path, account: &str) -> Result<(), AdminError> {
    let (store, _lock) = existing(data)?;
    deletes(store.connection(), account)
}

pub(in crate::server) fn deletes(c: &Connection, account: &str) -> Result<(), AdminError> {
    let c = c.unchecked_transaction()?;
    c.execute(
        "DELETE FROM messages WHERE taken IS NULL AND author = (SELECT id FROM accounts WHERE name = ?)",
        [account],
    )?;
    let deleted = c.execute("DELETE FROM accounts WHERE name = ?", [account])?;
    c.commit()?;
    if deleted == 0 { Err(AdminError::NoSuchAccount(account.to_owned())) } else { Ok(()) }
}

/// Writes a consistent copy of the database, also while a server runs.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn backup(data: &Path, to: &Path) -> Result<(), AdminError> {
    let store = Store::look(data)?;
    let path = to.display().to_string();
    schema::copy(store.connection(), to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => AdminError::Exists(path),
        _ => AdminError::Backup { path, error },
    })
}

/// A database that is there, as the only one who has it. A mistyped directory is not made.
fn existing(data: &Path) -> Result<(Store, DataLock), AdminError> {
    let path = super::file(data);
    if !path.exists() {
        return Err(StoreError::Missing(path).into());
    }
    let lock = lock(data)?;
    Ok((Store::open(data)?, lock))
}

/// Registers a class from a CSV file of `account,password` lines, in UTF-8 or GBK as spreadsheets write it; all of
/// it or nothing. Accounts that exist keep their passwords. Returns how many were new.
///
/// # Errors
/// The first line that is not right, by its number.
pub fn import(data: &Path, file: &Path, at: i64) -> Result<usize, AdminError> {
    let _lock = lock(data)?;
    let store = Store::open(data)?;
    let text = Charset::Utf8.decode(&std::fs::read(file)?).0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let transaction = store.connection().unchecked_transaction()?;
    let mut new = 0;
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let (account, password) = (record.get(0).unwrap_or(""), record.get(1).unwrap_or(""));
        if line == 1 && account == "account" {
            continue;
        }
        let wrong = |field| move |error| AdminError::Field { line, field, error };
        // Spreadsheets and class lists come from many systems; a person who types the name composes it.
        let account = Account::new_person(&names::composed(account)).map_err(wrong("account"))?;
        let password = Password::parse(password).map_err(wrong("password"))?;
        let hashed = hasher::hash(&password).ok_or(AdminError::NoRandom)?;
        new += transaction.execute(
            "INSERT INTO accounts (name, salt, hash, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            params![account.as_str(), hashed.salt, hashed.hash, at],
        )?;
    }
    transaction.commit()?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_list_is_all_or_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("class.csv");
        let data = dir.path().join("data");
        std::fs::write(&file, "account,password\na,x\nb#,y\n").expect("written");
        assert!(matches!(import(&data, &file, 0), Err(AdminError::Field { line: 3, field: "account", .. })));
        assert_eq!(list(&data).expect("readable"), []);
        // As spreadsheets save it: with a mark at the beginning, or in GBK.
        std::fs::write(&file, "\u{feff}account,password\r\n学号1,x\r\n").expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 1);
        std::fs::write(&file, Charset::Gb18030.encode("学号1,x\n学号2,x\n")).expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 1);
        let names: Vec<String> = list(&data).expect("readable").into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["学号1", "学号2"]);
        std::fs::write(&file, "account,password\na,x\nb,y\na,z\n").expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 2);
        for on in [true, true, false] {
            secure_only(&data, "b", on).expect("there");
            let all: Vec<_> =
                list(&data).expect("readable").into_iter().map(|row| (row.name, row.secure_only)).collect();
            assert_eq!(all[..2], [("a".to_owned(), false), ("b".to_owned(), on)]);
        }
        assert!(matches!(secure_only(&data, "x", true), Err(AdminError::NoSuchAccount(_))));
        delete(&data, "a").expect("deleted");
        assert!(matches!(delete(&data, "a"), Err(AdminError::NoSuchAccount(_))));
        let copy = dir.path().join("copy.sqlite");
        backup(&data, &copy).expect("written");
        assert!(matches!(backup(&data, &copy), Err(AdminError::Exists(_))));
    }

    #[test]
    fn a_mistyped_directory_is_not_made() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("mistyped");
        let password = Password::parse("x").expect("valid");
        let all = [
            list(&data).err(),
            backup(&data, &dir.path().join("copy")).err(),
            reset(&data, "a", &password).err(),
            delete(&data, "a").err(),
            secure_only(&data, "a", true).err(),
        ];
        for error in all {
            assert!(matches!(error, Some(AdminError::Store(StoreError::Missing(_)))), "{error:?}");
        }
        assert!(!data.exists());
    }
}
