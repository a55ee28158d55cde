//! The list: friends, rooms and strangers, with their last message and the number of unread ones. These figures have a
//! table of their own, updated with every message, so that the list costs the same however long the conversations are.

use std::path::Path;

use rusqlite::{Error, Row, params};

use super::look::NOTE;
use super::moment::shown;
use super::{Contact, Conversation, Database, MoreStrangers, contacts};
use crate::base::model::{Account, MessageId};

/// The most strangers that are listed one by one.
const STRANGERS: u32 = 50;
/// The most characters of a last message that a list can show.
const LINE: u32 = 200;

impl Database {
    /// Counts a message in a conversation.
    pub(super) fn count(&self, peer: &Account, id: i64, unread: i64) -> Result<(), Error> {
        self.connection
            .prepare_cached(
                "INSERT INTO peers VALUES (?1, ?2, ?3,
                     NOT EXISTS (SELECT 1 FROM contacts WHERE account = ?1) AND ?1 NOT GLOB '@*')
                 ON CONFLICT (peer) DO UPDATE SET last = ?2, unread = unread + ?3",
            )?
            .execute(params![peer.as_str(), id, unread])
            .map(drop)
    }

    /// Stores a draft.
    pub(super) fn set_draft(&self, peer: &Account, text: &str) -> Result<(), Error> {
        let c = &self.connection;
        match text.trim().is_empty() {
            true => c.prepare_cached("DELETE FROM drafts WHERE peer = ?")?.execute([peer.as_str()]),
            false => {
                c.prepare_cached("INSERT OR REPLACE INTO drafts VALUES (?, ?)")?.execute(params![peer.as_str(), text])
            }
        }
        .map(drop)
    }

    pub(super) fn drafts(&self) -> Result<Vec<(Account, String)>, Error> {
        let mut query = self.connection.prepare_cached("SELECT peer, text FROM drafts")?;
        let rows =
            query.query_map([], |row| Ok((Account::sanitised(&row.get::<_, String>("peer")?), row.get("text")?)))?;
        rows.collect()
    }

    /// Withdraws messages, if none of them was ever on its way; returns whether that was so.
    pub(super) fn withdraw(&self, ids: &[MessageId]) -> Result<bool, Error> {
        let c = &self.connection;
        let mut waits = c.prepare_cached("SELECT 1 FROM messages WHERE id = ? AND outgoing AND state = 0")?;
        for id in ids {
            if !waits.exists([id.0])? {
                return Ok(false);
            }
        }
        let mut delete = c.prepare_cached("DELETE FROM messages WHERE id = ? RETURNING peer")?;
        for id in ids {
            let peer: String = delete.query_row([id.0], |row| row.get(0))?;
            // Once it is removed, the message before is the last one again, if there is one.
            c.prepare_cached("DELETE FROM peers WHERE peer = ? AND last = ?")?.execute(params![peer, id.0])?;
            c.prepare_cached(
                "INSERT OR IGNORE INTO peers SELECT peer, max(id), sum(NOT seen),
                     NOT EXISTS (SELECT 1 FROM contacts WHERE account = ?1) AND ?1 NOT GLOB '@*'
                     FROM messages WHERE peer = ?1 AND NOT repeat AND state IS NOT ?2 GROUP BY peer",
            )?
            .execute(params![peer, NOTE])?;
        }
        Ok(true)
    }

    pub(super) fn set_contact(&self, contact: &Contact) -> Result<(), Error> {
        let Contact { account, remark, group, blocked } = contact;
        self.list(account, Some(remark), Some(group), Some(*blocked))?;
        self.list_changed(account)
    }

    /// Puts somebody into the list. A remark, group or mark that is `None` stays as it is; for a new contact it is
    /// empty.
    pub(super) fn list(
        &self,
        account: &Account,
        remark: Option<&str>,
        group: Option<&str>,
        blocked: Option<bool>,
    ) -> Result<(), Error> {
        let c = &self.connection;
        c.prepare_cached(
            "INSERT INTO contacts VALUES (?1, coalesce(?2, ''), coalesce(?3, ''), coalesce(?4, 0), 1)
             ON CONFLICT (account) DO UPDATE SET remark = coalesce(?2, remark), section = coalesce(?3, section),
                 blocked = coalesce(?4, blocked), listed = 1",
        )?
        .execute(params![account.as_str(), remark, group, blocked])?;
        c.prepare_cached("UPDATE peers SET stranger = 0 WHERE peer = ? AND stranger")?.execute([account.as_str()])?;
        // Somebody who was removed from the list has their messages again.
        c.prepare_cached(
            "INSERT OR IGNORE INTO peers
             SELECT peer, max(id), 0, 0 FROM messages WHERE peer = ? AND NOT repeat AND state IS NOT ? GROUP BY peer",
        )?
        .execute(params![account.as_str(), NOTE])?;
        Ok(())
    }

    /// Hides somebody's messages, or shows them again, and leaves open whether they are in the list. Returns true if
    /// they are shown again and it is not known whether they were in the list: they then stay in the list, because a
    /// friend is harder to find again than a stranger is to remove.
    pub(super) fn block(&self, account: &Account, blocked: bool) -> Result<bool, Error> {
        let c = &self.connection;
        if blocked {
            c.prepare_cached(
                "INSERT INTO contacts VALUES (?1, '', '', 1, 0) ON CONFLICT (account) DO UPDATE SET blocked = 1",
            )?
            .execute([account.as_str()])?;
            c.prepare_cached("UPDATE peers SET stranger = 0 WHERE peer = ?")?.execute([account.as_str()])?;
            return Ok(false);
        }
        c.prepare_cached("UPDATE contacts SET blocked = 0 WHERE account = ?")?.execute([account.as_str()])?;
        let stranger = "SELECT 1 FROM contacts WHERE account = ? AND NOT listed";
        if c.prepare_cached(stranger)?.exists([account.as_str()])? {
            self.remove_contact(account)?;
        }
        let unknown = "UPDATE contacts SET listed = 1 WHERE account = ? AND listed = 2";
        Ok(c.prepare_cached(unknown)?.execute([account.as_str()])? > 0)
    }

    pub(super) fn remove_contact(&self, account: &Account) -> Result<(), Error> {
        let c = &self.connection;
        c.prepare_cached("DELETE FROM contacts WHERE account = ?")?.execute([account.as_str()])?;
        c.prepare_cached("UPDATE peers SET stranger = 1 WHERE peer = ?1 AND ?1 NOT GLOB '@*'")?
            .execute([account.as_str()])?;
        Ok(())
    }

    /// Takes somebody off the list, friend or stranger; their next message brings them back as a stranger. With
    /// `messages` the conversation is deleted too, except this account's messages that are not settled.
    pub(super) fn forget(&self, account: &Account, messages: bool) -> Result<(), Error> {
        let c = &self.connection;
        c.prepare_cached("DELETE FROM contacts WHERE account = ?")?.execute([account.as_str()])?;
        c.prepare_cached("DELETE FROM peers WHERE peer = ?")?.execute([account.as_str()])?;
        c.prepare_cached("UPDATE messages SET seen = 1 WHERE peer = ? AND NOT seen")?.execute([account.as_str()])?;
        if messages {
            c.prepare_cached("DELETE FROM messages WHERE peer = ? AND NOT (outgoing AND state IN (0, 1, 7))")?
                .execute([account.as_str()])?;
            c.prepare_cached("DELETE FROM drafts WHERE peer = ?")?.execute([account.as_str()])?;
        }
        self.list_changed(account)?;
        self.read_changed(account)
    }

    /// Imports everybody in a CSV file except this account itself; if the file is wrong, imports nobody and returns the
    /// reason as a sentence.
    pub(super) fn import(&self, path: &Path, own: &Account) -> Result<Result<usize, String>, Error> {
        let listed = match contacts::read(path) {
            Ok(listed) => listed,
            Err(sentence) => return Ok(Err(sentence)),
        };
        let mut count = 0;
        for one in listed.iter().filter(|one| one.account != *own) {
            count += 1;
            if !one.friend {
                if let Some(blocked) = one.blocked {
                    self.block(&one.account, blocked)?;
                    self.list_changed(&one.account)?;
                }
                continue;
            }
            self.list(&one.account, one.remark.as_deref(), one.group.as_deref(), one.blocked)?;
            self.list_changed(&one.account)?;
        }
        Ok(Ok(count))
    }

    /// Returns everybody who is a friend or blocked, and whether they are a friend.
    pub(super) fn contacts(&self) -> Result<Vec<(Contact, bool)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT account, remark, section, blocked, listed FROM contacts ORDER BY section, account",
        )?;
        query.query_map([], |row| Ok((contact(row)?, row.get("listed")?)))?.collect()
    }

    /// Returns all friends, all rooms and the latest strangers, newest message first, and the number of further
    /// strangers.
    pub(super) fn conversations(&self) -> Result<(Vec<Conversation>, MoreStrangers), Error> {
        let c = &self.connection;
        let mut rows: Vec<(Latest, Conversation)> = Vec::new();
        let mut friends = c.prepare_cached(
            "SELECT c.account AS account, c.remark AS remark, c.section AS section, c.blocked AS blocked, p.last AS last,
                 p.unread AS unread, substr(m.text, 1, ?1) AS text, m.unix_ms AS unix_ms, m.face AS face, m.zone AS zone,
                 m.came AS came, substr(d.text, 1, ?1) AS draft, NOT c.listed AS stranger
             FROM contacts c LEFT JOIN peers p ON p.peer = c.account LEFT JOIN messages m ON m.id = p.last
             LEFT JOIN drafts d ON d.peer = c.account",
        )?;
        for row in friends.query_map([LINE], |row| conversation(row, row.get("stranger")?))? {
            rows.push(row?);
        }
        let mut others = c.prepare_cached(
            "SELECT p.peer AS account, '' AS remark, '' AS section, 0 AS blocked, p.last AS last, p.unread AS unread,
                 substr(m.text, 1, ?1) AS text, m.unix_ms AS unix_ms, m.face AS face, m.zone AS zone, m.came AS came,
                 substr(d.text, 1, ?1) AS draft
             FROM peers p JOIN messages m ON m.id = p.last LEFT JOIN drafts d ON d.peer = p.peer
             WHERE p.peer >= '@' AND p.peer < 'A' AND NOT EXISTS (SELECT 1 FROM contacts WHERE account = p.peer)
             UNION ALL SELECT * FROM (
                 SELECT p.peer, '', '', 0, p.last, p.unread, substr(m.text, 1, ?1), m.unix_ms, m.face, m.zone, m.came,
                     substr(d.text, 1, ?1)
                 FROM peers p JOIN messages m ON m.id = p.last LEFT JOIN drafts d ON d.peer = p.peer
                 WHERE p.stranger ORDER BY p.last DESC LIMIT ?2)
             UNION ALL SELECT d.peer, '', '', 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, substr(d.text, 1, ?1)
             FROM drafts d WHERE NOT EXISTS (SELECT 1 FROM contacts WHERE account = d.peer)
                 AND NOT EXISTS (SELECT 1 FROM peers p WHERE p.peer = d.peer)",
        )?;
        for row in others.query_map([LINE, STRANGERS], |row| conversation(row, true))? {
            rows.push(row?);
        }
        // Blocked ones are none of them.
        let strangers =
            |(_, c): &&(Latest, Conversation)| c.stranger && !c.contact.blocked && !c.contact.account.is_room();
        let shown = rows.iter().filter(strangers);
        let (people, unread) = shown.fold((0, 0), |(people, unread), (_, c)| (people + 1, unread + c.unread));
        let mut more = MoreStrangers::default();
        if people >= u64::from(STRANGERS) {
            let all = "SELECT count(*) AS people, coalesce(sum(unread), 0) AS unread FROM peers WHERE stranger";
            let (n, sum) = c
                .prepare_cached(all)?
                .query_row([], |row| Ok((row.get::<_, i64>("people")?, row.get::<_, i64>("unread")?)))?;
            let rest = |all: i64, shown: u64| u64::try_from(all).unwrap_or(0).saturating_sub(shown);
            more = MoreStrangers { people: rest(n, people), unread: rest(sum, unread) };
        }
        rows.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.contact.account.cmp(&y.contact.account)));
        Ok((rows.into_iter().map(|(_, c)| c).collect(), more))
    }
}

fn contact(row: &Row<'_>) -> Result<Contact, Error> {
    let account: String = row.get("account")?;
    let account = Account::sanitised(&account);
    Ok(Contact { account, remark: row.get("remark")?, group: row.get("section")?, blocked: row.get("blocked")? })
}

/// The sort key of the list: when the last message was written, though never later than it was received, and its row.
type Latest = (Option<i64>, Option<i64>);

fn conversation(row: &Row<'_>, stranger: bool) -> Result<(Latest, Conversation), Error> {
    let contact = contact(row)?;
    let written: Option<i64> = row.get("unix_ms")?;
    let (face, zone, came) = (row.get("face")?, row.get("zone")?, row.get::<_, Option<i64>>("came")?);
    let when = written.map(|unix_ms| shown(unix_ms, face, zone, None).0);
    let last = row.get::<_, Option<String>>("text")?.zip(when);
    let latest = (written.map(|written| written.min(came.unwrap_or(written))), row.get("last")?);
    // Blocked people's messages are kept, and nobody is to look at them.
    let unread = if contact.blocked { 0 } else { row.get::<_, Option<i64>>("unread")?.unwrap_or(0) };
    let unread = u64::try_from(unread).unwrap_or(0);
    Ok((latest, Conversation { contact, stranger, last, draft: row.get("draft")?, unread }))
}

#[cfg(test)]
mod tests;
