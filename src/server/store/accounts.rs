//! The operations on accounts and their plain sessions.

use std::net::SocketAddr;

use rusqlite::{Connection, Error, params};

use super::{AccountId, Change, Done, admin, profiles};
use crate::protocol::wire::item::Profile;
use crate::server::hasher::Hashed;

/// Adds an account, with the profile that its owner has given, unless there is one of its name.
pub(super) fn register(
    c: &Connection,
    job: u64,
    name: &str,
    (hashed, profile): (&Hashed, Option<&Profile>),
    at: i64,
) -> Result<Done, Error> {
    let at = admin::made_at(c, at)?;
    let account = make(c, name, &hashed.salt, &hashed.hash, at)?;
    if let Some((account, profile)) = account.zip(profile) {
        profiles::set(c, account, profile)?;
    }
    Ok(Done::Registered { job, account, at })
}

/// Adds an account's row and returns it; `None` if there is one of its name.
pub(super) fn make(c: &Connection, name: &str, salt: &[u8], hash: &[u8], at: i64) -> Result<Option<AccountId>, Error> {
    let inserted = c
        .prepare_cached("INSERT INTO accounts (name, salt, hash, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")?
        .execute(params![name, salt, hash, at])?;
    Ok((inserted == 1).then(|| c.last_insert_rowid()))
}

/// Makes an address the session of an account; ends the session of `end`, and any other session of that address.
pub(super) fn bind(
    c: &Connection,
    account: AccountId,
    address: SocketAddr,
    end: Option<AccountId>,
    at: i64,
) -> Result<(), Error> {
    if let Some(end) = end {
        end_session(c, end)?;
    }
    c.prepare_cached("DELETE FROM sessions WHERE address = ? AND account IS NOT ?")?
        .execute(params![address.to_string(), account])?;
    // Not if the account was deleted or restricted to the secure dialect while this waited.
    c.prepare_cached(
        "INSERT OR REPLACE INTO sessions (account, address, since)
         SELECT id, ?2, ?3 FROM accounts WHERE id = ?1 AND NOT secure_only",
    )?
    .execute(params![account, address.to_string(), at])?;
    Ok(())
}

pub(super) fn end_session(c: &Connection, account: AccountId) -> Result<(), Error> {
    c.prepare_cached("DELETE FROM sessions WHERE account = ?")?.execute([account]).map(drop)
}

/// Sets when sessions were last heard from.
pub(super) fn seen(c: &Connection, sessions: &[(AccountId, i64)]) -> Result<(), Error> {
    let mut update = c.prepare_cached("UPDATE sessions SET since = ? WHERE account = ?")?;
    for (account, at) in sessions {
        update.execute([at, account])?;
    }
    Ok(())
}

/// Changes how an account may be used; an account that may only use the secure dialect loses its plain session.
pub(super) fn allow(c: &Connection, account: AccountId, change: Change) -> Result<(), Error> {
    let (query, on) = match change {
        Change::Beside(on) => ("UPDATE accounts SET beside = ? WHERE id = ?", on),
        Change::SecureOnly(on) => ("UPDATE accounts SET secure_only = ? WHERE id = ?", on),
    };
    c.prepare_cached(query)?.execute(params![on, account])?;
    c.prepare_cached("DELETE FROM sessions WHERE account = (SELECT id FROM accounts WHERE secure_only AND id = ?)")?
        .execute([account])?;
    Ok(())
}
