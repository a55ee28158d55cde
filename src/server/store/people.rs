//! People as the engine has them in memory while they are needed: one by one, by name or by where they are; a page of
//! all for operators; and those who were here when the last server ended.

use std::collections::HashMap;
use std::net::SocketAddr;

use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::{AccountId, Done, Store, StoreError};
use crate::protocol::wire::frame::AccountSettings;
use crate::server::hasher::Hashed;

/// Most people that a server begins with; more of them come in as they are heard of.
const HERE: u32 = 4_096;

/// All that the engine has of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// Its row.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// What its password was hashed to.
    pub hashed: Hashed,
    /// How it may be used.
    pub settings: AccountSettings,
    /// When it was made, seconds since 1970.
    pub made: i64,
    /// Unread messages by sender. One that was taken in the plain dialect while that could not be written down is none.
    pub unread: HashMap<String, u64>,
    /// Where a plain client of theirs is, and when it was last noted that it was heard of, seconds since 1970.
    pub session: Option<(SocketAddr, i64)>,
}

/// Whom the engine looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PersonKey {
    /// Who has this name, exactly.
    Name(String),
    /// Whose plain session this address is.
    Address(SocketAddr),
}

/// An account as operators list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Its row.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Messages that wait for it.
    pub unread: u64,
    /// Its plain session, as in [`PersonRecord::session`].
    pub session: Option<(SocketAddr, i64)>,
    /// The plain dialect is closed to it.
    pub secure_only: bool,
}

/// What the engine begins with.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// How many accounts there are.
    pub accounts: usize,
    /// Whoever has a plain session that was heard of lately.
    pub here: Vec<PersonRecord>,
}

/// The columns of [`known`], in its order.
const PERSON: &str = "a.id, a.name, a.salt, a.hash, a.beside, a.secure_only, a.created, s.address, s.since";

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
        unread: HashMap::new(),
        session: address.zip(since),
    })
}

impl Store {
    /// Reads what the engine begins with: of sessions those that were heard of after `since`, seconds since 1970.
    ///
    /// # Errors
    /// What SQLite says.
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

    /// Looks for somebody; a session counts that was heard of after `since`.
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

    /// Unread messages by sender, counted in the part of an index that a full mailbox bounds. What a device has taken while that
    /// could not be written down counts until it is, as the answer then lowers the count.
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

/// The accounts after a name, by name, at most `count`; no name is empty.
pub(super) fn page(c: &Connection, job: u64, after: Option<&str>, count: u32) -> Result<Done, Error> {
    let mut query = c.prepare_cached(
        "SELECT a.id, a.name, s.address, s.since, a.secure_only,
             (SELECT count(*) FROM messages INDEXED BY box WHERE receiver = a.id AND (taken IS NOT NULL) = 0)
         FROM accounts a LEFT JOIN sessions s ON s.account = a.id WHERE a.name > ?1 ORDER BY a.name LIMIT ?2",
    )?;
    let listed = |row: &Row<'_>| {
        let address: Option<String> = row.get(2)?;
        let unread: i64 = row.get(5)?;
        let session = address.and_then(|address| address.parse().ok()).zip(row.get(3)?);
        let unread = u64::try_from(unread).unwrap_or(0);
        Ok(AccountRecord { id: row.get(0)?, name: row.get(1)?, unread, session, secure_only: row.get(4)? })
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
    /// Everybody, by name.
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
