//! People as the engine keeps them in memory: looked up one by one, by name or address; those with a recent session,
//! for the start; and pages of all accounts, for operators.

use std::collections::HashMap;
use std::net::SocketAddr;

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::{AccountId, Done, Store, StoreError, profiles};
use crate::protocol::wire::frame::AccountSettings;
use crate::protocol::wire::status::Status;
use crate::server::hasher::Hashed;

/// The most people that are read at the start; the others are read when they are needed.
const HERE: u32 = 4_096;

/// All that the engine keeps of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// The account's row.
    pub id: AccountId,
    /// The account's name.
    pub name: String,
    /// The salt and the hash of its password.
    pub hashed: Hashed,
    /// How the account may be used.
    pub settings: AccountSettings,
    /// How its owner has chosen to be shown to others.
    pub status: Status,
    /// When the account was made, in seconds since 1970.
    pub made: i64,
    /// The number of unread messages by sender. A message that was taken in the plain dialect does not count, even if
    /// that could not be written yet.
    pub unread: HashMap<String, u64>,
    /// The address of the plain session, and when it was last noted that it was heard from, in seconds since 1970.
    pub session: Option<(SocketAddr, i64)>,
}

/// By what a person is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PersonKey {
    /// By exactly this name.
    Name(String),
    /// By the address of their plain session.
    Address(SocketAddr),
}

/// An account as operators list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account's row.
    pub id: AccountId,
    /// The account's name.
    pub name: String,
    /// How many messages wait for it.
    pub unread: u64,
    /// The plain session, as in [`PersonRecord::session`].
    pub session: Option<(SocketAddr, i64)>,
    /// Whether the account may only use the secure dialect.
    pub secure_only: bool,
    /// The name under which its owner is shown to others; empty if none is known.
    pub shown: String,
}

/// What the engine starts with.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// How many accounts there are.
    pub accounts: usize,
    /// The people whose plain session was heard from recently.
    pub here: Vec<PersonRecord>,
}

/// The columns that [`known`] reads, in its order.
const PERSON: &str = "a.id, a.name, a.salt, a.hash, a.beside, a.secure_only, a.created, s.address, s.since,
    (SELECT value FROM items i WHERE i.account = a.id AND i.kind = 'status' AND i.key = '')";

fn known(row: &Row<'_>) -> Result<PersonRecord, Error> {
    let address: Option<String> = row.get(7)?;
    let address = address.and_then(|address| address.parse().ok());
    let since: Option<i64> = row.get(8)?;
    Ok(PersonRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        hashed: Hashed { salt: row.get(2)?, hash: row.get(3)? },
        settings: AccountSettings { beside: row.get(4)?, secure_only: row.get(5)? },
        made: row.get(6)?,
        status: row.get::<_, Option<String>>(9)?.as_deref().map(Status::parse).unwrap_or_default(),
        unread: HashMap::new(),
        session: address.zip(since),
    })
}

impl Store {
    /// Reads what the engine starts with, including the sessions that were heard from after `since`, in seconds since
    /// 1970.
    ///
    /// # Errors
    /// SQLite's error.
    pub fn snapshot(&self, since: i64) -> Result<Snapshot, StoreError> {
        let c = &self.connection;
        let accounts: i64 = c.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0))?;
        let mut query = c.prepare(&format!(
            "SELECT {PERSON} FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.since >= ?
             ORDER BY s.since DESC LIMIT ?"
        ))?;
        let here = query.query_map(params![since, HERE], known)?;
        let mut here = here.collect::<Result<Vec<_>, _>>()?;
        for person in &mut here {
            person.unread = self.unread(person.id)?;
        }
        Ok(Snapshot { accounts: usize::try_from(accounts).unwrap_or(0), here })
    }

    /// Looks up a person; their session counts if it was heard from after `since`, in seconds since 1970.
    pub(super) fn person(&self, job: u64, sought: &PersonKey, since: i64) -> Result<Done, Error> {
        let c = &self.connection;
        let found = match sought {
            PersonKey::Name(name) => c
                .prepare_cached(&format!(
                    "SELECT {PERSON} FROM accounts a LEFT JOIN sessions s ON s.account = a.id AND s.since >= ?2
                     WHERE a.name = ?1"
                ))?
                .query_row(params![name, since], known)
                .optional()?,
            PersonKey::Address(address) => c
                .prepare_cached(&format!(
                    "SELECT {PERSON} FROM sessions s JOIN accounts a ON a.id = s.account
                     WHERE s.address = ?1 AND s.since >= ?2 ORDER BY s.since DESC LIMIT 1"
                ))?
                .query_row(params![address.to_string(), since], known)
                .optional()?,
        };
        let person = match found {
            Some(mut person) => {
                person.unread = self.unread(person.id)?;
                Some(Box::new(person))
            }
            None => None,
        };
        Ok(Done::Person { job, person })
    }

    /// Counts unread messages by sender, reading a part of an index whose size the mailbox limits. Messages that a
    /// device has taken still count while that cannot be written, since the result of that write will lower the count.
    fn unread(&self, account: AccountId) -> Result<HashMap<String, u64>, Error> {
        let mut unread: HashMap<String, u64> = HashMap::new();
        let mut query = self.connection.prepare_cached(
            "SELECT id, sender FROM messages INDEXED BY box WHERE receiver = ? AND (taken IS NOT NULL) = 0",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            if self.owed.contains_key(&row.get(0)?) {
                continue;
            }
            let sender = row.get_ref(1)?.as_str()?;
            match unread.get_mut(sender) {
                Some(count) => *count += 1,
                None => {
                    unread.insert(sender.to_owned(), 1);
                }
            }
        }
        Ok(unread)
    }
}

/// Reads at most `count` accounts after a name, in the order of names; as no name is empty, an empty one means all.
pub(super) fn page(c: &Connection, job: u64, after: Option<&str>, count: u32) -> Result<Done, Error> {
    let mut query = c.prepare_cached(
        "SELECT a.id, a.name, s.address, s.since, a.secure_only,
             (SELECT count(*) FROM messages INDEXED BY box WHERE receiver = a.id AND (taken IS NOT NULL) = 0), i.value
         FROM accounts a LEFT JOIN sessions s ON s.account = a.id
             LEFT JOIN items i ON i.account = a.id AND i.kind = 'profile' AND i.key = '' WHERE a.name > ?1 ORDER BY a.name LIMIT ?2",
    )?;
    let listed = |row: &Row<'_>| {
        let address: Option<String> = row.get(2)?;
        let unread: i64 = row.get(5)?;
        let session = address.and_then(|address| address.parse().ok()).zip(row.get(3)?);
        let unread = u64::try_from(unread).unwrap_or(0);
        let shown = profiles::read(row.get::<_, Option<String>>(6)?.as_deref()).name;
        Ok(AccountRecord { id: row.get(0)?, name: row.get(1)?, unread, session, secure_only: row.get(4)?, shown })
    };
    let rows = query.query_map(params![after.unwrap_or_default(), i64::from(count) + 1], listed)?;
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let more = rows.len() > count;
    rows.truncate(count);
    Ok(Done::Accounts { job, rows, more })
}

#[cfg(test)]
impl Store {
    /// Returns all accounts in the order of names, for tests.
    pub(crate) fn everybody(&self) -> Vec<PersonRecord> {
        let mut query = self.connection.prepare("SELECT name FROM accounts ORDER BY name").expect("the schema");
        let names: Vec<String> = query.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("readable");
        let one = |name| match self.person(0, &PersonKey::Name(name), i64::MIN) {
            Ok(Done::Person { person: Some(person), .. }) => *person,
            other => panic!("{other:?}"),
        };
        names.into_iter().map(one).collect()
    }
}
