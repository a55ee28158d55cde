//! What whoever runs a server does beside it: accounts, backup, a class list. While the server runs it is asked to do
//! it; else it is done here, with the data directory's lock held. [`backup`] only reads, whoever has the lock.

use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{AccountId, DataLock, MessageRow, Store, StoreError, is_locked, lock, sync_folder};
use crate::base::migration;
use crate::base::model::{Account, FieldError, Password, names};
use crate::protocol::wire::Charset;
use crate::server::control::{ACCOUNTS, Answer, LISTS, NewAccount, Row, Want};
use crate::server::control::{AskError, Asking, Greeting, TRIES};
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
    /// What SQLite says to a running server.
    #[error("the database failed: {0}")]
    NotStored(String),
    /// The running server cannot be asked, or does not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A running server takes no list as long, or no other one for now.
    #[error(
        "the class list: a running server takes {ACCOUNTS} accounts in {LISTS} lists at once, and there would be more; \
         please import it in pieces, in a minute, or beside a stopped server"
    )]
    TooMuch,
    /// The running server has not heard of the list for too long.
    #[error("the class list: it was interrupted on its way to the running server; nothing was imported")]
    Interrupted,
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
        /// What is not allowed in it.
        error: FieldError,
    },
    /// A line of another form, of which it is not known what is the password.
    #[error("line {line}: this is not account,password: fields found {found}, expected {expected}")]
    NotAPair {
        /// From 1.
        line: u64,
        /// Fields it has.
        found: usize,
        /// Fields it is to have: two, or those of the header.
        expected: usize,
    },
    /// A first line that names one of the two columns: half a header.
    #[error(
        "line {0}: a header names both columns, account and password (账号 and 密码), and here one is missing; if it is \
         no header, please put the line account,password before it"
    )]
    HalfHeader(u64),
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

/// Who does what is wanted.
enum Doer {
    /// This process, as the only one who has the database.
    Here(Box<Store>, DataLock),
    /// The server that runs.
    Server(Asking),
}

impl Doer {
    /// Of a database that is there: a mistyped directory is not made.
    fn of_existing(data: &Path) -> Result<Self, AdminError> {
        let path = super::file(data);
        if !path.exists() {
            return Err(StoreError::Missing(path).into());
        }
        Self::find(data)
    }

    fn find(data: &Path) -> Result<Self, AdminError> {
        let mut error = StoreError::Locked(data.to_owned()).into();
        // Whoever has the lock is a server, which may be starting or ending, or another command, which is soon done.
        for _ in 0..TRIES {
            match lock(data) {
                Ok(lock) => return Ok(Self::Here(Box::new(Store::open(data)?), lock)),
                Err(StoreError::Locked(_)) => {}
                Err(error) => return Err(error.into()),
            }
            match Asking::greet(data)? {
                Greeting::Here(asking) => return Ok(Self::Server(asking)),
                Greeting::Silent => error = AskError::Silent(data.to_owned()).into(),
                Greeting::Nobody => a_moment(),
            }
        }
        Err(error)
    }
}

/// Lets the one who has the lock go on.
fn a_moment() {
    #[allow(clippy::disallowed_methods, reason = "a command has nothing else to do")]
    std::thread::sleep(std::time::Duration::from_millis(250));
}

/// What became of one account's change.
fn done(answer: Answer, account: &str) -> Result<(), AdminError> {
    match answer {
        Answer::Done => Ok(()),
        Answer::NoSuchAccount => Err(AdminError::NoSuchAccount(account.to_owned())),
        other => Err(unfit(other)),
    }
}

fn unfit(answer: Answer) -> AdminError {
    match answer {
        Answer::NotStored { error } => AdminError::NotStored(error),
        Answer::ListGone => AdminError::Interrupted,
        _ => AskError::NotUnderstood.into(),
    }
}

/// All accounts, by name. `silent` is told if a server runs that does not say who is here.
///
/// # Errors
/// What the database says, or nobody may look.
pub fn list(data: &Path, silent: impl FnOnce(AskError)) -> Result<Vec<Row>, AdminError> {
    let path = super::file(data);
    if !path.exists() {
        return Err(StoreError::Missing(path).into());
    }
    // This only reads: where no server answers it waits for nobody, and makes nothing.
    for _ in 0..TRIES {
        match Asking::greet(data) {
            Ok(Greeting::Here(mut asking)) => return all(&mut asking),
            Ok(Greeting::Silent) if is_locked(data) => {}
            Ok(Greeting::Nobody | Greeting::Silent) => return look(data),
            Err(error) => {
                silent(error);
                return look(data);
            }
        }
    }
    silent(AskError::Silent(data.to_owned()));
    look(data)
}

fn all(asking: &mut Asking) -> Result<Vec<Row>, AdminError> {
    let mut all: Vec<Row> = Vec::new();
    loop {
        let after = all.last().map(|row| row.name.clone());
        match asking.ask(Want::Accounts { after })? {
            Answer::Accounts { rows, more } => {
                let progress = !rows.is_empty();
                all.extend(rows);
                if !more || !progress {
                    return Ok(all);
                }
            }
            other => return Err(unfit(other)),
        }
    }
}

/// As it is on disk.
fn look(data: &Path) -> Result<Vec<Row>, AdminError> {
    let store = Store::look(data)?;
    let mut query = store.connection().prepare(
        "SELECT name, (SELECT count(*) FROM messages INDEXED BY unread WHERE receiver = a.id AND taken IS NULL) AS unread,
             s.address AS address, secure_only
         FROM accounts a LEFT JOIN sessions s ON s.account = a.id ORDER BY name",
    )?;
    let rows = query.query_map([], |row| {
        let (unread, address): (i64, Option<String>) = (row.get("unread")?, row.get("address")?);
        Ok(Row {
            name: row.get("name")?,
            unread: u64::try_from(unread).unwrap_or(0),
            addresses: address.into_iter().collect(),
            online: false,
            secure_only: row.get("secure_only")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn id(c: &Connection, account: &str) -> Result<AccountId, AdminError> {
    let found = c.query_row("SELECT id FROM accounts WHERE name = ?", [account], |row| row.get(0)).optional()?;
    found.ok_or_else(|| AdminError::NoSuchAccount(account.to_owned()))
}

/// Gives an account a new password, which ends its sessions and makes its devices' tokens worthless.
///
/// # Errors
/// No such account, or the server does not answer.
pub fn reset(data: &Path, account: &str, password: &Password) -> Result<(), AdminError> {
    let doer = Doer::of_existing(data)?;
    let hashed = hasher::hash(password).ok_or(AdminError::NoRandom)?;
    match doer {
        Doer::Server(mut asking) => {
            let new = NewAccount::new(account.to_owned(), &hashed).ok_or(AdminError::NoRandom)?;
            done(asking.ask(Want::Reset { account: new })?, account)
        }
        Doer::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            super::devices::new_password(&c, id(&c, account)?, &hashed, None)?;
            Ok(c.commit()?)
        }
    }
}

/// Closes the plain dialect to an account, ending its session there, or opens it again.
///
/// # Errors
/// No such account, or the server does not answer.
pub fn secure_only(data: &Path, account: &str, on: bool) -> Result<(), AdminError> {
    match Doer::of_existing(data)? {
        Doer::Server(mut asking) => done(asking.ask(Want::SecureOnly { account: account.to_owned(), on })?, account),
        Doer::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            let id = id(&c, account)?;
            c.execute("UPDATE accounts SET secure_only = ? WHERE id = ?", params![on, id])?;
            close(&c, id)?;
            Ok(c.commit()?)
        }
    }
}

/// Ends an account's plain session if the plain dialect is closed to it.
pub(super) fn close(c: &Connection, account: AccountId) -> Result<(), rusqlite::Error> {
    c.prepare_cached("DELETE FROM sessions WHERE account = (SELECT id FROM accounts WHERE secure_only AND id = ?)")?
        .execute([account])?;
    Ok(())
}

/// Removes an account with its mailbox, session and devices, and what it wrote and nobody has fetched yet: that would
/// arrive in the name of whoever has the name next. What others have of it stays theirs, and belongs to no name any more.
///
/// # Errors
/// No such account, or the server does not answer.
pub fn delete(data: &Path, account: &str) -> Result<(), AdminError> {
    match Doer::of_existing(data)? {
        Doer::Server(mut asking) => done(asking.ask(Want::Delete { account: account.to_owned() })?, account),
        Doer::Here(store, _lock) => deletes(store.connection(), account),
    }
}

pub(in crate::server) fn deletes(c: &Connection, account: &str) -> Result<(), AdminError> {
    let c = c.unchecked_transaction()?;
    remove(&c, id(&c, account)?)?;
    Ok(c.commit()?)
}

/// Deletes an account; what nobody had fetched of it and is gone with it: whose, which, as whose.
pub(super) fn remove(
    c: &Connection,
    account: AccountId,
) -> Result<Vec<(AccountId, MessageRow, String)>, rusqlite::Error> {
    let mut query =
        c.prepare_cached("DELETE FROM messages WHERE taken IS NULL AND author = ? RETURNING receiver, id, sender")?;
    let messages = query.query_map([account], |row| Ok((row.get("receiver")?, row.get("id")?, row.get("sender")?)))?;
    let messages = messages.collect::<Result<_, _>>()?;
    c.prepare_cached(
        "INSERT INTO deleted SELECT 1, created FROM accounts WHERE id = ?
         ON CONFLICT DO UPDATE SET created = max(created, excluded.created)",
    )?
    .execute([account])?;
    c.prepare_cached("DELETE FROM accounts WHERE id = ?")?.execute([account])?;
    Ok(messages)
}

/// When an account that is made at this moment counts as made, in seconds since 1970: later than any of its name before it.
/// That is what tells them apart (the secure dialect, "Which account").
pub(super) fn made_at(c: &Connection, at: i64) -> Result<i64, rusqlite::Error> {
    c.prepare_cached("SELECT max(?1, coalesce((SELECT created + 1 FROM deleted), ?1))")?
        .query_row([at], |row| row.get(0))
}

/// Writes a consistent copy of the database, also while a server runs.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn backup(data: &Path, to: &Path) -> Result<(), AdminError> {
    let store = Store::look(data)?;
    let path = to.display().to_string();
    migration::copy(store.connection(), to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => AdminError::Exists(path),
        _ => AdminError::Backup { path, error },
    })?;
    sync_folder(to);
    Ok(())
}

/// Registers a class from a CSV file of `account,password` lines, in UTF-8 or GBK as spreadsheets write it; all of
/// it or nothing. Accounts that exist keep their passwords. Returns how many were new. `at` is now, in seconds
/// since 1970.
///
/// # Errors
/// The first line that is not right, by its number.
pub fn import(data: &Path, file: &Path, at: i64) -> Result<usize, AdminError> {
    // Whether it can be done at all is said first; the folder is not held while passwords are hashed.
    drop(Doer::find(data)?);
    let (names, passwords): (Vec<String>, Vec<Password>) = class_list(&std::fs::read(file)?)?.into_iter().unzip();
    // Here, and not by the server, whose hasher is for those who log in.
    let hashed = hasher::hash_all(&passwords).ok_or(AdminError::NoRandom)?;
    let accounts = names.into_iter().zip(&hashed).map(|(name, hashed)| NewAccount::new(name, hashed));
    let accounts = accounts.collect::<Option<Vec<_>>>().ok_or(AdminError::NoRandom)?;
    match Doer::find(data)? {
        Doer::Server(mut asking) => match asking.import(&accounts)? {
            Answer::Imported { new } => Ok(new),
            Answer::TooMuch => Err(AdminError::TooMuch),
            other => Err(unfit(other)),
        },
        Doer::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            let new = insert(&c, &accounts, made_at(&c, at)?)?;
            c.commit()?;
            Ok(new.len())
        }
    }
}

/// Makes those that are not there yet; which of the list, and their rows.
pub(super) fn insert(
    c: &Connection,
    accounts: &[NewAccount],
    at: i64,
) -> Result<Vec<(usize, AccountId)>, rusqlite::Error> {
    let mut query = c.prepare_cached(
        "INSERT INTO accounts (name, salt, hash, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    let mut new = Vec::new();
    for (i, NewAccount { name, salt, hash }) in accounts.iter().enumerate() {
        if query.execute(params![name, salt.0, hash.0, at])? == 1 {
            new.push((i, c.last_insert_rowid()));
        }
    }
    Ok(new)
}

/// How a class list's header names the column of passwords, in small letters; that of accounts has the names it has in every
/// list.
const PASSWORD_HEADERS: [&str; 2] = ["password", "密码"];

/// The accounts of a class list, or what is wrong with its first wrong line. Where the first line is a header, it says which
/// columns are meant; else each line is two fields, so that nothing else is taken for a password.
fn class_list(bytes: &[u8]) -> Result<Vec<(String, Password)>, AdminError> {
    let text = Charset::Utf8.decode(bytes).0;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut list = Vec::new();
    // Where the account and the password stand, of how many fields.
    let mut columns = (0, 1, 2);
    for (i, record) in reader.records().enumerate() {
        let record = record?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        if i == 0 {
            let place = |names: &[&str]| record.iter().position(|f| names.contains(&f.to_lowercase().as_str()));
            match (place(&names::ACCOUNT_HEADERS), place(&PASSWORD_HEADERS)) {
                (Some(account), Some(password)) => {
                    columns = (account, password, record.len());
                    continue;
                }
                (None, None) => {}
                _ => return Err(AdminError::HalfHeader(line)),
            }
        }
        let (account, password, expected) = columns;
        if record.len() != expected {
            return Err(AdminError::NotAPair { line, found: record.len(), expected });
        }
        let field = |column| record.get(column).unwrap_or_default();
        let wrong = |field| move |error| AdminError::Field { line, field, error };
        // Spreadsheets and class lists come from many systems; a person who types the name composes it.
        let account = Account::new_person(&names::composed(field(account))).map_err(wrong("account"))?;
        let password = Password::parse(field(password)).map_err(wrong("password"))?;
        list.push((account.as_str().to_owned(), password));
    }
    Ok(list)
}

/// The line, from 1, on which a record begins; its position is that of the empty lines before it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    empty.fold(position.line(), |line, _| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(error: AskError) {
        panic!("there is no server: {error}");
    }

    #[test]
    fn a_class_list_is_all_or_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("class.csv");
        let data = dir.path().join("data");
        std::fs::write(&file, "account,password\na,x\nb#,y\n").expect("written");
        assert!(matches!(import(&data, &file, 0), Err(AdminError::Field { line: 3, field: "account", .. })));
        assert_eq!(list(&data, never).expect("readable"), []);
        // As spreadsheets save it: with a mark at the beginning, or in GBK.
        std::fs::write(&file, "\u{feff}account,password\r\n学号1,x\r\n").expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 1);
        std::fs::write(&file, Charset::Gb18030.encode("学号1,x\n学号2,x\n")).expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 1);
        let names: Vec<String> = list(&data, never).expect("readable").into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["学号1", "学号2"]);
        std::fs::write(&file, "account,password\na,x\nb,y\na,z\n").expect("written");
        assert_eq!(import(&data, &file, 0).expect("imported"), 2);
        for on in [true, true, false] {
            secure_only(&data, "b", on).expect("there");
            let all: Vec<_> =
                list(&data, never).expect("readable").into_iter().map(|row| (row.name, row.secure_only)).collect();
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
    fn a_class_list_is_two_columns_or_has_a_header() {
        let read = |text: &str| class_list(text.as_bytes()).map(|list| list.into_iter().collect::<Vec<_>>());
        let pair = |account: &str, password: &str| (account.to_owned(), Password::parse(password).expect("valid"));
        for (text, account, password) in [
            ("20170001,pw\n", "20170001", "pw"),
            ("账号,密码\n王,pw\n", "王", "pw"),
            ("\u{feff}帐号,密码\r\n王,pw\r\n", "王", "pw"),
            ("Account,Password\n王,pw\n", "王", "pw"),
            ("学号,姓名,密码\n20170040,王,pw\n", "20170040", "pw"),
            ("\n密码,账号\npw,王\n", "王", "pw"),
        ] {
            assert_eq!(read(text).expect("a list"), [pair(account, password)], "{text:?}");
        }
        let why = |text: &str| read(text).expect_err("no list").to_string();
        let not = "this is not account,password: fields found";
        for (text, line, found, expected) in [
            ("20170040,王,pw\n", 1, 3, 2),
            ("a,x\nb\n", 2, 1, 2),
            ("a,x\n\n\r\nb,x,\n", 4, 3, 2),
            ("a,x\r\nb，x\r\n", 2, 1, 2),
            ("账号,密码\na,x,y\n", 2, 3, 2),
            ("学号,姓名,密码\n20170040,pw\n", 2, 2, 3),
        ] {
            assert_eq!(why(text), format!("line {line}: {not} {found}, expected {expected}"), "{text:?}");
        }
        for text in ["学号,姓名\n20170040,王\n", "姓名,密码\n王,pw\n"] {
            assert!(why(text).starts_with("line 1: a header names both columns"), "{text:?}");
        }
        assert_eq!(why("\r\n\r\na,x\r\n\r\nb#,x\r\n").split_once(':').expect("a line").0, "line 5");
    }

    #[test]
    fn a_mistyped_directory_is_not_made() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("mistyped");
        let password = Password::parse("x").expect("valid");
        let all = [
            list(&data, never).err(),
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
