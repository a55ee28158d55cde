//! Profiles: who people are to others (the secure dialect, "Who somebody is"). A profile is an item of its owner, and
//! the items that others have about them carry a copy, so that their devices learn of a change as of any other. Both
//! change in one transaction.

use std::borrow::Cow;

use rusqlite::{Connection, Error, OptionalExtension, params};
use serde_json::Value;

use super::AccountId;
use super::items::{self, Put};
use crate::base::model::names;
use crate::protocol::wire::item::{Card, Kind, Profile, written};

/// Returns an account's profile; empty if it has none.
pub(super) fn of(c: &Connection, account: AccountId) -> Result<Profile, Error> {
    Ok(read(items::value(c, account, Kind::Profile, "")?.as_deref()))
}

/// Returns the profiles of these accounts, each found by its exact name or with its letters composed; names without an
/// account are left out.
pub(super) fn cards(c: &Connection, accounts: &[String]) -> Result<Vec<Card>, Error> {
    let mut query = c.prepare_cached("SELECT id, name FROM accounts WHERE name = ?")?;
    let mut named =
        |name: &str| query.query_row([name], |row| Ok((row.get::<_, AccountId>("id")?, row.get("name")?))).optional();
    let mut cards = Vec::new();
    for name in accounts {
        let found = match named(name)? {
            None => match names::composed(name) {
                Cow::Owned(composed) => named(&composed)?,
                Cow::Borrowed(_) => None,
            },
            found => found,
        };
        if let Some((id, account)) = found {
            cards.push(Card { account, profile: of(c, id)? });
        }
    }
    Ok(cards)
}

/// Reads a profile from the value of its item.
pub(super) fn read(value: Option<&str>) -> Profile {
    value.and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
}

/// Sets an account's profile when no device of it asks, as at a registration. Returns the accounts whose items change;
/// `None` if the account has as many items as it may have, so that nothing is changed.
pub(super) fn set(c: &Connection, account: AccountId, profile: &Profile) -> Result<Option<Vec<AccountId>>, Error> {
    let value = written(profile).map(|value| value.to_string()).unwrap_or_default();
    match items::put(c, account, (Kind::Profile.name(), ""), Some(&value), None)? {
        Put::Changed => {
            let mut lists = tell(c, account, Some(&value))?;
            lists.push(account);
            Ok(Some(lists))
        }
        Put::Same => Ok(Some(Vec::new())),
        Put::TooMany => Ok(None),
    }
}

/// Sets the name in an account's profile; `None` removes the profile, since none is without a name. Returns as [`set`].
pub(super) fn rename(c: &Connection, account: AccountId, name: Option<&str>) -> Result<Option<Vec<AccountId>>, Error> {
    if let Some(name) = name {
        return set(c, account, &Profile { name: name.to_owned(), ..of(c, account)? });
    }
    let mut lists = tell(c, account, None)?;
    if items::put(c, account, (Kind::Profile.name(), ""), None, None)? == Put::Changed {
        lists.push(account);
    }
    Ok(Some(lists))
}

/// Copies an account's profile into the items that others have about it. Returns the accounts whose items change, which
/// are at most as many as an account can have friends and requests.
pub(super) fn tell(c: &Connection, account: AccountId, value: Option<&str>) -> Result<Vec<AccountId>, Error> {
    let profile = written(&read(value)).unwrap_or_default();
    // A request that was declined is one of these too; contacts and blocked accounts are not.
    let mut query = c.prepare_cached(
        "SELECT account, kind, key, value FROM items
         WHERE other = ? AND kind IN ('friend', 'asking', 'asked') AND value IS NOT NULL",
    )?;
    let rows = query.query_map(params![account], |row| {
        Ok((row.get("account")?, row.get("kind")?, row.get("key")?, row.get("value")?))
    })?;
    let rows = rows.collect::<Result<Vec<(AccountId, String, String, String)>, _>>()?;
    let mut lists = Vec::with_capacity(rows.len());
    for (owner, kind, key, value) in rows {
        let value = with(&value, &profile);
        if items::put(c, owner, (&kind, &key), Some(&value), Some(account))? == Put::Changed {
            lists.push(owner);
        }
    }
    lists.sort_unstable();
    lists.dedup();
    Ok(lists)
}

/// Returns the value of an item about an account, with another profile in it.
fn with(value: &str, profile: &Value) -> String {
    let mut value = serde_json::from_str(value).unwrap_or_default();
    if let (Value::Object(fields), Value::Object(profile)) = (&mut value, profile) {
        for name in ["name", "line", "color"] {
            match profile.get(name) {
                Some(field) => fields.insert(name.to_owned(), field.clone()),
                None => fields.remove(name),
            };
        }
    }
    value.to_string()
}

#[cfg(test)]
mod tests;
