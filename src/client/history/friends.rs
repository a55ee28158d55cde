//! What the account's items and the server's answers say of people: who is a friend, requests, profiles, and in what the lists
//! here and at the server differ.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Error, params};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Database;
use super::items::value;
use crate::base::model::Account;
use crate::protocol::wire::item::{Friend, Item, Kind, MayAsk, Profile, Request};
use crate::protocol::wire::status::Status;

/// What is known of an account's friends and of requests to be friends; only the server changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Friends {
    /// Whether the server keeps these lists, and has sent all of them once.
    pub kept_by_server: bool,
    /// The account's friends.
    pub friends: BTreeMap<Account, Friend>,
    /// The requests that the account has sent.
    pub asking: BTreeMap<Account, Request>,
    /// The requests that the account has received.
    pub asked: BTreeMap<Account, Request>,
    /// Who the account's owner is to others; `None` if they never said.
    pub profile: Option<Profile>,
    /// How the account's owner has chosen to be shown to others.
    pub status: Status,
    /// Who may ask to be a friend; `None` if this was never chosen, which means everybody.
    pub may_ask: Option<MayAsk>,
    /// The conversations of which no notices are shown.
    pub muted: BTreeSet<Account>,
    /// The conversations that stand at the top of the list.
    pub pinned: BTreeSet<Account>,
    /// The differences between the lists here and on the server, until the user decides between them.
    pub differences: Vec<Difference>,
}

/// An item that is here but not on the server, or that has another value there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The item as it is here.
    pub here: Item,
    /// The server's value; `None` if it has none.
    pub there: Option<Value>,
}

impl Database {
    /// Returns what is known of friends and requests.
    pub(super) fn friends(&self) -> Result<Friends, Error> {
        let c = &self.connection;
        let mut friends = Friends { kept_by_server: self.are_items_kept()?, ..Friends::default() };
        let mut query = c.prepare_cached("SELECT kind, key, value FROM items WHERE kind IN (?, ?, ?)")?;
        let kinds = [Kind::Friend, Kind::Asking, Kind::Asked].map(Kind::name);
        let rows = query.query_map(kinds, |row| {
            Ok(Item { kind: row.get("kind")?, key: row.get("key")?, value: value(row.get("value")?) })
        })?;
        for item in rows {
            let item = item?;
            let who = Account::sanitised(&item.key);
            match Kind::named(&item.kind) {
                Some(Kind::Friend) => {
                    let friend = item.read().map(|one: Friend| Friend { profile: one.profile.harmless(), ..one });
                    friends.friends.extend(friend.map(|friend| (who, friend)));
                }
                Some(Kind::Asking) => friends.asking.extend(request(&item).map(|request| (who, request))),
                Some(Kind::Asked) => friends.asked.extend(request(&item).map(|request| (who, request))),
                _ => {}
            }
        }
        friends.may_ask = self.account_wide(Kind::MayAsk)?;
        friends.profile = self.account_wide(Kind::Profile)?.map(|profile: Profile| profile.harmless());
        friends.muted = self.marked(Kind::Muted)?;
        friends.pinned = self.marked(Kind::Pinned)?;
        friends.status = self.account_wide(Kind::Status)?.unwrap_or_default();
        friends.differences = self.differences()?;
        Ok(friends)
    }

    /// The conversations that have an item of this kind, as it was changed here or else as the server has it.
    fn marked(&self, kind: Kind) -> Result<BTreeSet<Account>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT key FROM items i WHERE kind = ?1 AND NOT EXISTS (
                 SELECT 1 FROM item_changes c WHERE c.kind = i.kind AND c.key = i.key)
             UNION SELECT key FROM item_changes WHERE kind = ?1 AND value IS NOT NULL",
        )?;
        let rows = query.query_map([kind.name()], |row| row.get::<_, String>(0))?;
        rows.map(|key| key.map(|key| Account::sanitised(&key))).collect()
    }

    /// What the account's owner has set for the whole account.
    fn account_wide<T: DeserializeOwned>(&self, kind: Kind) -> Result<Option<T>, Error> {
        let current = self.current(kind, "")?;
        Ok(current.and_then(|text| Item::new(kind, "", value(Some(text))).read()))
    }

    /// The profiles of everybody who was asked about.
    pub(super) fn profiles(&self) -> Result<Vec<(Account, Profile)>, Error> {
        let mut query = self.connection.prepare_cached("SELECT account, name, line, color FROM profiles")?;
        let rows = query.query_map([], |row| {
            let (name, line, color) = (row.get("name")?, row.get("line")?, row.get("color")?);
            let account: String = row.get("account")?;
            Ok((Account::sanitised(&account), Profile { name, line, color }.harmless()))
        })?;
        rows.collect()
    }

    pub(super) fn set_profiles(&self, profiles: &[(Account, Profile)]) -> Result<(), Error> {
        let c = &self.connection;
        for (account, profile) in profiles {
            if *profile == Profile::default() {
                c.prepare_cached("DELETE FROM profiles WHERE account = ?")?.execute([account.as_str()])?;
                continue;
            }
            let Profile { name, line, color } = profile;
            c.prepare_cached("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?)")?.execute(params![
                account.as_str(),
                name,
                line,
                color
            ])?;
        }
        Ok(())
    }

    fn differences(&self) -> Result<Vec<Difference>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT c.kind, c.key, c.value AS here, i.value AS there FROM item_changes c
             LEFT JOIN items i ON i.kind = c.kind AND i.key = c.key WHERE c.held ORDER BY c.number",
        )?;
        let rows = query.query_map([], |row| {
            let here = Item { kind: row.get("kind")?, key: row.get("key")?, value: value(row.get("here")?) };
            Ok(Difference { here, there: value(row.get("there")?) })
        })?;
        rows.collect()
    }
}

fn request(item: &Item) -> Option<Request> {
    item.read().map(|one: Request| Request { profile: one.profile.harmless(), ..one })
}
