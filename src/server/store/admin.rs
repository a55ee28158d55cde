//! An operator's commands: accounts, backup, class lists. If the server runs, it is asked to carry them out; else this
//! process does, holding the data directory's lock. [`backup`] only reads, and needs no lock.
//!
//! Its part:
//!
//! - `error`: why a command failed, in sentences.

mod error;

use std::fmt;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

pub use self::error::AdminError;
use super::{
    AccountId, Change, DataLock, MessageRow, Store, StoreError, accounts, class_list, is_locked, lock, profiles,
};
use crate::base::migration;
use crate::base::model::Password;
use crate::base::private;
use crate::protocol::wire::item::Profile;
use crate::server::control::{AccountSummary, Answer, NewAccount, RequestKind};
use crate::server::control::{AskError, ControlClient, Greeting, TRIES};
use crate::server::hasher;

/// Reads the password that an operator gives for an account: the first line of standard input.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn given_password(line: &str) -> Result<Password, AdminError> {
    Password::parse(line.trim_end_matches(['\r', '\n'])).map_err(AdminError::Given)
}

/// Which process carries out a command.
enum Executor {
    /// This process, as the only one that has the database open.
    Here(Box<Store>, DataLock),
    /// The running server.
    Server(ControlClient),
}

impl Executor {
    /// Finds the executor for a database that must exist: a mistyped directory is not made.
    fn of_existing(data: &Path) -> Result<Self, AdminError> {
        let path = super::file(data);
        if !path.exists() {
            return Err(StoreError::Missing(path).into());
        }
        Self::find(data)
    }

    fn find(data: &Path) -> Result<Self, AdminError> {
        let mut error = StoreError::Locked(data.to_owned()).into();
        // The lock is held by a server, which may be starting or ending, or by another command, which is soon done.
        for _ in 0..TRIES {
            match lock(data) {
                Ok(lock) => return Ok(Self::Here(Box::new(Store::open(data)?), lock)),
                Err(StoreError::Locked(_)) => {}
                Err(error) => return Err(error.into()),
            }
            match ControlClient::greet(data)? {
                Greeting::Here(asking) => return Ok(Self::Server(asking)),
                Greeting::Silent => error = AskError::Silent(data.to_owned()).into(),
                Greeting::Nobody => a_moment(),
            }
        }
        Err(error)
    }
}

/// Waits a moment for the process that holds the lock.
fn a_moment() {
    #[allow(clippy::disallowed_methods, reason = "a command has nothing else to do")]
    std::thread::sleep(std::time::Duration::from_millis(250));
}

/// Converts the server's answer to a change of one account.
fn done(answer: Answer, account: &str) -> Result<(), AdminError> {
    match answer {
        Answer::Done => Ok(()),
        Answer::NoRoom => Err(AdminError::NoRoom),
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

/// Lists all accounts by name. `silent` is called with the reason if a server runs but does not say who is online.
///
/// # Errors
/// If the database cannot be read.
pub fn list(data: &Path, silent: impl FnOnce(AskError)) -> Result<Vec<AccountSummary>, AdminError> {
    let path = super::file(data);
    if !path.exists() {
        return Err(StoreError::Missing(path).into());
    }
    // This only reads: if no server answers, it does not wait for the lock, and makes nothing.
    for _ in 0..TRIES {
        match ControlClient::greet(data) {
            Ok(Greeting::Here(mut asking)) => return all(&mut asking),
            Ok(Greeting::Silent) if is_locked(data) => {}
            // The server is starting or ending, or cannot be asked.
            Ok(Greeting::Nobody) if is_locked(data) => a_moment(),
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

fn all(asking: &mut ControlClient) -> Result<Vec<AccountSummary>, AdminError> {
    let mut all: Vec<AccountSummary> = Vec::new();
    loop {
        let after = all.last().map(|row| row.name.clone());
        match asking.ask(RequestKind::Accounts { after })? {
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

/// Lists the accounts from the database alone.
fn look(data: &Path) -> Result<Vec<AccountSummary>, AdminError> {
    let store = Store::look(data)?;
    let mut query = store.connection().prepare(
        "SELECT name, (SELECT count(*) FROM messages INDEXED BY box WHERE receiver = a.id AND (taken IS NOT NULL) = 0) AS unread,
             s.address AS address, secure_only, i.value AS profile
         FROM accounts a LEFT JOIN sessions s ON s.account = a.id
             LEFT JOIN items i ON i.account = a.id AND i.kind = 'profile' AND i.key = '' ORDER BY name",
    )?;
    let rows = query.query_map([], |row| {
        let (unread, address): (i64, Option<String>) = (row.get("unread")?, row.get("address")?);
        Ok(AccountSummary {
            name: row.get("name")?,
            unread: u64::try_from(unread).unwrap_or(0),
            addresses: address.into_iter().collect(),
            online: false,
            secure_only: row.get("secure_only")?,
            shown: profiles::read(row.get::<_, Option<String>>("profile")?.as_deref()).name,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn id(c: &Connection, account: &str) -> Result<AccountId, AdminError> {
    let found = c.query_row("SELECT id FROM accounts WHERE name = ?", [account], |row| row.get(0)).optional()?;
    found.ok_or_else(|| AdminError::NoSuchAccount(account.to_owned()))
}

/// Sets an account's password, which ends its sessions and makes its devices' tokens invalid.
///
/// # Errors
/// If there is no such account, or the server does not answer.
pub fn reset(data: &Path, account: &str, password: &Password) -> Result<(), AdminError> {
    let doer = Executor::of_existing(data)?;
    let hashed = hasher::hash(password).ok_or(AdminError::NoRandom)?;
    match doer {
        Executor::Server(mut asking) => {
            let new = NewAccount::new(account.to_owned(), &hashed).ok_or(AdminError::NoRandom)?;
            let answer = asking.ask(RequestKind::Reset { account: new }).map_err(|error| match error {
                AskError::Unanswered => AdminError::Unsure("the server does not answer any more"),
                AskError::Ended => AdminError::Unsure("the server ended before it answered"),
                other => other.into(),
            })?;
            done(answer, account)
        }
        Executor::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            super::devices::new_password(&c, id(&c, account)?, &hashed, None)?;
            Ok(c.commit()?)
        }
    }
}

/// Restricts an account to the secure dialect, which ends its plain session, or allows the plain dialect again.
///
/// # Errors
/// If there is no such account, or the server does not answer.
pub fn secure_only(data: &Path, account: &str, on: bool) -> Result<(), AdminError> {
    match Executor::of_existing(data)? {
        Executor::Server(mut asking) => {
            done(asking.ask(RequestKind::SecureOnly { account: account.to_owned(), on })?, account)
        }
        Executor::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            accounts::allow(&c, id(&c, account)?, Change::SecureOnly(on))?;
            Ok(c.commit()?)
        }
    }
}

/// Returns the name under which an account's owner is shown to others; empty if they have none.
///
/// # Errors
/// If there is no such account, or the running server does not answer.
pub fn name(data: &Path, account: &str) -> Result<String, AdminError> {
    match Executor::of_existing(data)? {
        Executor::Server(mut asking) => {
            match asking.ask(RequestKind::Name { account: account.to_owned(), name: None })? {
                Answer::Name { name } => Ok(name),
                other => done(other, account).and(Err(AskError::NotUnderstood.into())),
            }
        }
        Executor::Here(store, _lock) => Ok(profiles::of(store.connection(), id(store.connection(), account)?)?.name),
    }
}

/// Sets the name under which an account's owner is shown to others; an empty one removes their profile.
///
/// # Errors
/// If the name is not fit for a profile, there is no such account, or the running server does not answer.
pub fn set_name(data: &Path, account: &str, name: &str) -> Result<(), AdminError> {
    let name = match name {
        "" => String::new(),
        name => Profile::named(name).map_err(|_| AdminError::GivenName)?.name,
    };
    match Executor::of_existing(data)? {
        Executor::Server(mut asking) => {
            done(asking.ask(RequestKind::Name { account: account.to_owned(), name: Some(name) })?, account)
        }
        Executor::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            let name = Some(name.as_str()).filter(|name| !name.is_empty());
            profiles::rename(&c, id(&c, account)?, name)?.ok_or(AdminError::NoRoom)?;
            Ok(c.commit()?)
        }
    }
}

/// Deletes an account with its mailbox, session and devices, and with what it wrote that nobody has taken yet, which
/// would otherwise arrive in the name of the next account of that name. What others have taken stays with them, but
/// belongs to no account any more.
///
/// # Errors
/// If there is no such account, or the server does not answer.
pub fn delete(data: &Path, account: &str) -> Result<(), AdminError> {
    match Executor::of_existing(data)? {
        Executor::Server(mut asking) => done(asking.ask(RequestKind::Delete { account: account.to_owned() })?, account),
        Executor::Here(store, _lock) => deletes(store.connection(), account),
    }
}

pub(in crate::server) fn deletes(c: &Connection, account: &str) -> Result<(), AdminError> {
    let c = c.unchecked_transaction()?;
    remove(&c, id(&c, account)?)?;
    Ok(c.commit()?)
}

/// Deletes what an account has written and nobody has taken yet, and returns it.
pub(super) const UNFETCHED: &str =
    "DELETE FROM messages WHERE taken IS NULL AND author = ? RETURNING receiver, id, sender";
/// Deletes an account with all its data; what it wrote to others then has no author.
pub(super) const ACCOUNT: &str = "DELETE FROM accounts WHERE id = ?";

/// What a deletion has changed elsewhere.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Messages of the account that nobody had taken: receiver, row, and sender.
    pub(super) messages: Vec<(AccountId, MessageRow, String)>,
    /// The accounts whose items were about it.
    pub(super) lists: Vec<AccountId>,
}

/// Deletes an account, in the caller's transaction.
pub(super) fn remove(c: &Connection, account: AccountId) -> Result<Removed, rusqlite::Error> {
    let lists = super::items::without(c, account)?;
    let mut query = c.prepare_cached(UNFETCHED)?;
    let messages = query.query_map([account], |row| Ok((row.get("receiver")?, row.get("id")?, row.get("sender")?)))?;
    let messages = messages.collect::<Result<_, _>>()?;
    c.prepare_cached(
        "INSERT INTO deleted SELECT 1, created FROM accounts WHERE id = ?
         ON CONFLICT DO UPDATE SET created = max(created, excluded.created)",
    )?
    .execute([account])?;
    c.prepare_cached(ACCOUNT)?.execute([account])?;
    Ok(Removed { messages, lists })
}

/// Returns the time at which an account that is made now counts as made, in seconds since 1970: later than that of any
/// deleted account. This time tells accounts of the same name apart (the secure dialect, "Which account").
pub(super) fn made_at(c: &Connection, at: i64) -> Result<i64, rusqlite::Error> {
    c.prepare_cached("SELECT max(?1, coalesce((SELECT created + 1 FROM deleted), ?1))")?
        .query_row([at], |row| row.get(0))
}

/// Writes a consistent copy of the database, even while a server runs. The file and its name are synced.
///
/// # Errors
/// If the file exists or cannot be written; no incomplete file is left.
pub fn backup(data: &Path, to: &Path) -> Result<(), AdminError> {
    let store = Store::look(data)?;
    let path = to.display().to_string();
    let copied = migration::copy(store.connection(), to).and_then(|()| {
        private::sync_folder(to).inspect_err(|_| {
            let _ = std::fs::remove_file(to);
        })
    });
    copied.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => AdminError::Exists(path),
        _ => AdminError::Backup { path, error },
    })
}

/// The outcome of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// How many accounts were made.
    pub new: usize,
    /// How many accounts existed before; they keep their passwords.
    pub kept: usize,
    /// Of these so many had no name to be shown, and have the list's now.
    pub named: usize,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { new, kept, named } = self;
        write!(f, "{new} new account{}", if *new == 1 { "" } else { "s" })?;
        match kept {
            0 => {}
            1 => write!(f, "; 1 was there before and keeps its password")?,
            _ => write!(f, "; {kept} were there before and keep their passwords")?,
        }
        match named {
            0 => Ok(()),
            1 => write!(f, "; 1 of these has a name now"),
            _ => write!(f, "; {named} of these have a name now"),
        }
    }
}

/// Imports the accounts of a class from a CSV file, in UTF-8 or GBK as spreadsheets write it. Each line is
/// `account,password`, or a header names the two columns and perhaps one of names. Either all new accounts are made or
/// none; accounts that exist keep their passwords, and get a name only if they have none. `at` is the present time in
/// seconds since 1970.
///
/// # Errors
/// Names the first bad line by its number.
pub fn import(data: &Path, file: &Path, at: i64) -> Result<Imported, AdminError> {
    // This first finds out whether it can be done at all; the lock is not held while passwords are hashed.
    drop(Executor::find(data)?);
    let listed = class_list::read(&read(file)?)?;
    let passwords: Vec<Password> = listed.iter().map(|one| one.password.clone()).collect();
    // Hashed here rather than by the server, whose hasher is for logins.
    let hashed = hasher::hash_all(&passwords).ok_or(AdminError::NoRandom)?;
    let account = |one: class_list::Listed, hashed| {
        Some(NewAccount { profile: one.profile, ..NewAccount::new(one.account, hashed)? })
    };
    let accounts = listed.into_iter().zip(&hashed).map(|(one, hashed)| account(one, hashed));
    let accounts = accounts.collect::<Option<Vec<_>>>().ok_or(AdminError::NoRandom)?;
    let imported = |new, named| Imported { new, kept: accounts.len().saturating_sub(new), named };
    match Executor::find(data)? {
        Executor::Server(mut asking) => match asking.import(&accounts)? {
            Answer::Imported { new, named } => Ok(imported(new, named)),
            Answer::TooMuch => Err(AdminError::TooMuch),
            other => Err(unfit(other)),
        },
        Executor::Here(store, _lock) => {
            let c = store.connection().unchecked_transaction()?;
            let Inserted { new, named, .. } = insert(&c, &accounts, made_at(&c, at)?)?;
            c.commit()?;
            Ok(imported(new.len(), named.len()))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, AdminError> {
    std::fs::read(file).map_err(|error| AdminError::Read { path: file.to_owned(), error })
}

/// What an import has changed in the database.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    /// The rows and names of the accounts that were made.
    pub(super) new: Vec<(AccountId, String)>,
    /// The existing accounts that had no name and got the list's.
    pub(super) named: Vec<AccountId>,
    /// The accounts whose items have changed with that.
    pub(super) lists: Vec<AccountId>,
}

/// Makes the accounts of a list that do not exist yet, and gives the list's name to those of the others that have none.
pub(super) fn insert(c: &Connection, list: &[NewAccount], at: i64) -> Result<Inserted, rusqlite::Error> {
    let mut inserted = Inserted::default();
    let mut known = c.prepare_cached("SELECT id FROM accounts WHERE name = ?")?;
    for NewAccount { name, salt, hash, profile } in list {
        let made = accounts::make(c, name, &salt.0, &hash.0, at)?;
        inserted.new.extend(made.map(|id| (id, name.clone())));
        let Some(profile) = profile else { continue };
        let id = match made {
            Some(id) => Some(id),
            None => known.query_row([name], |row| row.get(0)).optional()?,
        };
        let Some(id) = id else { continue };
        if made.is_some() || profiles::of(c, id)?.name.is_empty() {
            let lists = profiles::set(c, id, profile)?.unwrap_or_default();
            if made.is_none() && !lists.is_empty() {
                inserted.named.push(id);
                inserted.lists.extend(lists);
            }
        }
    }
    Ok(inserted)
}

#[cfg(test)]
mod tests;
