//! What the engine begins with, read from the whole database once.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::{AccountId, Store, StoreError};
use crate::protocol::wire::frame::AccountSettings;
use crate::server::hasher::Hashed;

/// What the engine begins with.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Name, row, password, and when it was made.
    pub accounts: Vec<(String, AccountId, Hashed, i64)>,
    /// Sessions that outlived the last server: whose, where, last noted when (seconds since 1970).
    pub sessions: Vec<(AccountId, SocketAddr, i64)>,
    /// How accounts may be used, where it is not as usual.
    pub settings: Vec<(AccountId, AccountSettings)>,
    /// Unread messages by receiver and sender.
    pub unread: HashMap<AccountId, HashMap<String, u64>>,
}

impl Store {
    /// Reads what the engine begins with.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        let c = &self.connection;
        let mut accounts = c.prepare("SELECT name, id, salt, hash, created FROM accounts")?;
        let mut rows = accounts.query([])?;
        while let Some(row) = rows.next()? {
            let hashed = Hashed { salt: row.get("salt")?, hash: row.get("hash")? };
            snapshot.accounts.push((row.get("name")?, row.get("id")?, hashed, row.get("created")?));
        }
        let mut settings = c.prepare("SELECT id, beside, secure_only FROM accounts WHERE beside OR secure_only")?;
        let mut rows = settings.query([])?;
        while let Some(row) = rows.next()? {
            let settings = AccountSettings { beside: row.get("beside")?, secure_only: row.get("secure_only")? };
            snapshot.settings.push((row.get("id")?, settings));
        }
        let mut sessions = c.prepare("SELECT account, address, since FROM sessions")?;
        let mut rows = sessions.query([])?;
        while let Some(row) = rows.next()? {
            let address: String = row.get("address")?;
            if let Ok(address) = address.parse() {
                snapshot.sessions.push((row.get("account")?, address, row.get("since")?));
            }
        }
        let mut unread = c.prepare(
            "SELECT receiver, sender, count(*) AS unread FROM messages INDEXED BY unread WHERE taken IS NULL
             GROUP BY receiver, sender",
        )?;
        let mut rows = unread.query([])?;
        while let Some(row) = rows.next()? {
            let (count, sender): (i64, String) = (row.get("unread")?, row.get("sender")?);
            let of = snapshot.unread.entry(row.get("receiver")?).or_default();
            of.insert(sender, u64::try_from(count).unwrap_or(0));
        }
        Ok(snapshot)
    }
}
