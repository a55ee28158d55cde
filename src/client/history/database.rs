//! Operations on the file: a batch of them is one transaction.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, Error, params};

use super::look::REPEATED;
use super::moment::Written;
use super::schema::{self, SENDING_SECURELY, number, signed};
use super::{Done, HistoryError, Op, Trouble, Unsent, contacts};
use crate::base::model::{Account, MessageId, SendState};

/// An open history. Its lock is the system's, so it ends with the process, however that ends.
#[derive(Debug)]
pub struct Database {
    pub(super) connection: Connection,
    _lock: File,
}

impl Database {
    /// Opens or makes the file, with its lock.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Self::open_locked(path, schema::lock(path)?)
    }

    /// Opens or makes a file whose lock is held, and brings an older one up to date after a backup.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn open_locked(path: &Path, lock: File) -> Result<Self, HistoryError> {
        let database = Self { connection: schema::open(path)?, _lock: lock };
        if let Err(error) = database.show_hidden() {
            log::warn!("messages that were hidden stay so: {error}");
        }
        Ok(database)
    }

    /// Does a batch in one transaction; if it cannot be committed, nothing of it counts as stored.
    pub fn run(&self, batch: &[Op]) -> Vec<Done> {
        // A cut of the power may take back the last commits, which the server and the device's name make good.
        // Not these: without any row a device is sent only what is unread, under a name forgotten again messages
        // would go twice, and what the server would not have would go after what was written later.
        let lasting = batch.iter().any(|op| match op {
            Op::NewDevice | Op::Begin(_) | Op::Refused { .. } => true,
            Op::Received { pushed, .. } => pushed.is_some_and(|pushed| pushed.after.is_none()),
            Op::Own { pushed, .. } => pushed.after.is_none(),
            _ => false,
        });
        if lasting && let Err(error) = self.connection.pragma_update(None, "synchronous", "FULL") {
            log::warn!("the next commit may not outlive a cut of the power: {error}");
        }
        let committed = self.transact(batch);
        if lasting && let Err(error) = self.connection.pragma_update(None, "synchronous", "NORMAL") {
            log::warn!("commits go on waiting for the disk: {error}");
        }
        committed.unwrap_or_else(|error| self.in_parts(batch, &error))
    }

    /// All of it in one transaction, or nothing.
    fn transact(&self, batch: &[Op]) -> Result<Vec<Done>, Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut done = Vec::new();
        // The list is read once a batch, however many changed it.
        let last = batch.iter().rposition(|op| *op == Op::Conversations);
        for (i, op) in batch.iter().enumerate() {
            if *op == Op::Conversations && Some(i) != last {
                continue;
            }
            done.extend(self.apply(op)?);
        }
        transaction.commit()?;
        Ok(done)
    }

    /// After a failure of a whole batch: what cannot be read keeps nothing from being written, a full disk can still be
    /// read, and what touches the damaged part of a file takes nothing else with it. Each operation is answered.
    fn in_parts(&self, batch: &[Op], error: &Error) -> Vec<Done> {
        let trouble = Trouble::of(error, &self.path());
        log::error!("the history refused {} operations: {error} ({trouble:?})", batch.len());
        let (reads, writes): (Vec<Op>, Vec<Op>) = batch.iter().cloned().partition(Op::is_read);
        let mut done = Vec::new();
        let wrote = if reads.is_empty() { Err(trouble) } else { self.write(&writes) };
        match wrote {
            Ok(all) => done.extend(all),
            Err(Trouble::Damaged) if writes.len() > 1 => {
                for op in writes.chunks(1) {
                    done.extend(self.write(op).unwrap_or_else(|trouble| refused(op, trouble)));
                }
            }
            Err(trouble) => done.extend(refused(&writes, trouble)),
        }
        let last = reads.iter().rposition(|op| *op == Op::Conversations);
        for (i, op) in reads.into_iter().enumerate() {
            if op == Op::Conversations && Some(i) != last {
                continue;
            }
            match self.apply(&op) {
                Ok(answer) => done.extend(answer),
                Err(error) => done.push(Done::NotRead { op, trouble: Trouble::of(&error, &self.path()) }),
            }
        }
        done
    }

    fn write(&self, ops: &[Op]) -> Result<Vec<Done>, Trouble> {
        self.transact(ops).map_err(|error| Trouble::of(&error, &self.path()))
    }

    fn apply(&self, op: &Op) -> Result<Option<Done>, Error> {
        let c = &self.connection;
        Ok(match op {
            Op::Outgoing { request, to, text, unix_ms } => {
                c.prepare_cached(
                    "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, state, seen, made)
                     VALUES (?1, 1, ?2, ?3, ?4, ?5, 1, (SELECT at FROM made WHERE peer = ?1))",
                )?
                .execute(params![
                    to.as_str(),
                    text,
                    text.as_bytes(),
                    unix_ms,
                    number(SendState::Waiting)
                ])?;
                let id = c.last_insert_rowid();
                self.count(to, id, 0)?;
                let made = self.meant(MessageId(id))?;
                Some(Done::Kept { request: *request, id: Some(MessageId(id)), made })
            }
            Op::State { id, state, secure } => {
                let number = if *secure && *state == SendState::Sending { SENDING_SECURELY } else { number(*state) };
                c.prepare_cached("UPDATE messages SET state = ? WHERE id = ? AND outgoing")?
                    .execute(params![number, id.0])?;
                match state {
                    SendState::Sending => Some(Done::Noted { id: *id, noted: true }),
                    SendState::Sent | SendState::Kept => self.delivered_already(*id)?,
                    _ => None,
                }
            }
            Op::Refused { id, state } => {
                self.apply(&Op::State { id: *id, state: *state, secure: true })?;
                Some(Done::Noted { id: *id, noted: true })
            }
            Op::Received { token, from, server_time, text, raw, repeat, unix_ms, pushed, handed } => {
                if let Some(pushed) = pushed
                    && !self.advance(pushed)?
                {
                    return Ok(Some(Done::Stored { token: *token, id: None, known: false, state: None }));
                }
                if let Some(pushed) = pushed
                    && let Some(id) = self.numbered(from, pushed.row)?
                {
                    return Ok(Some(Done::Stored { token: *token, id: Some(id), known: true, state: None }));
                }
                if let Some((pushed, time)) = pushed.as_ref().zip(handed.as_ref())
                    && let Some(id) = self.handed(from, time, text, pushed.row)?
                {
                    return Ok(Some(Done::Stored { token: *token, id: Some(id), known: true, state: None }));
                }
                let plain = pushed.is_none().then_some(server_time);
                let written = match pushed {
                    Some(pushed) => Written { unix_ms: pushed.at.saturating_mul(1_000), face: None, zone: None },
                    None => Written::of(server_time, *unix_ms, self.zone()?),
                };
                c.prepare_cached(
                    "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, came, face, zone, server_time, state,
                         seen, plain, server_row)
                     VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                )?
                .execute(params![
                    from.as_str(),
                    text,
                    raw,
                    written.unix_ms,
                    unix_ms,
                    written.face,
                    written.zone,
                    plain,
                    repeat.then_some(REPEATED),
                    plain,
                    pushed.map(|pushed| signed(pushed.row)),
                ])?;
                let id = c.last_insert_rowid();
                self.count(from, id, 1)?;
                Some(Done::Stored { token: *token, id: Some(MessageId(id)), known: false, state: None })
            }
            Op::Own { token, to, text, pushed, by } => {
                let (id, known) = if self.advance(pushed)? { self.own(to, text, pushed, by)? } else { (None, false) };
                let state = id.map(|id| self.state_now(id)).transpose()?.flatten();
                Some(Done::Stored { token: *token, id, known, state })
            }
            Op::Resend { id, to, text } => Some(self.resend(*id, to, text)?),
            Op::Made { peer, made, unix_ms } => {
                let row = self.made(peer, *made, *unix_ms)?;
                row.map(|row| Done::Made { peer: peer.clone(), row })
            }
            Op::OwnMade(made) => {
                self.set_own_made(*made)?;
                None
            }
            Op::Numbered { id, row, state } => {
                self.number_at_server(*id, *row)?;
                self.apply(&Op::State { id: *id, state: *state, secure: true })?
            }
            Op::Delivered { version, rows } => Some(self.note_deliveries(*version, rows)?),
            Op::Past { own, peer, messages, more } => {
                self.add_past(own, peer, messages)?;
                Some(Done::Past { peer: peer.clone(), messages: messages.clone(), more: *more })
            }
            Op::Oldest(peer) => Some(Done::Oldest { peer: peer.clone(), row: self.oldest(peer)? }),
            Op::Begin(row) => {
                self.begin(*row)?;
                None
            }
            Op::Token(token) => {
                self.set_token(*token)?;
                None
            }
            Op::NewDevice => Some(Done::Renamed(Some(self.rename()?))),
            Op::Withdraw(ids) => Some(Done::Withdrawn(self.withdraw(ids)?)),
            Op::Drafts => Some(Done::Drafts(self.drafts()?)),
            Op::Unread(n) => {
                self.set_unread(*n)?;
                None
            }
            Op::Zone(zone) => Some(Done::Zone { zone: Some(*zone), changed: self.set_zone(*zone)? }),
            Op::Draft { peer, text } => {
                self.set_draft(peer, text)?;
                None
            }
            Op::Contact(contact) => {
                self.set_contact(contact)?;
                None
            }
            Op::Block { account, blocked } => self.block(account, *blocked)?.then(|| Done::Unblocked(account.clone())),
            Op::RemoveContact(account) => {
                self.remove_contact(account)?;
                None
            }
            Op::Forget { account, messages } => {
                self.forget(account, *messages)?;
                None
            }
            Op::Read { peer, to } => {
                let to = to.map_or(i64::MAX, |id| id.0);
                c.prepare_cached("UPDATE messages SET seen = 1 WHERE peer = ? AND NOT seen AND id <= ?")?
                    .execute(params![peer.as_str(), to])?;
                // Others may have come since that was looked at.
                c.prepare_cached(
                    "UPDATE peers SET unread = (SELECT count(*) FROM messages WHERE peer = ?1 AND NOT seen AND NOT repeat)
                     WHERE peer = ?1 AND unread > 0",
                )?
                .execute([peer.as_str()])?;
                None
            }
            Op::Import { path, own } => Some(Done::Imported(self.import(path, own)?)),
            Op::Export(path) => Some(Done::Exported(contacts::write(path, &self.contacts()?))),
            Op::Settle => Some(Done::Settled),
            Op::Conversations => {
                let (list, more) = self.conversations()?;
                Some(Done::Conversations(list, more))
            }
            Op::Index(peer) => Some(Done::Index { peer: peer.clone(), rows: self.index(peer)? }),
            Op::Page { peer, first, count } => {
                Some(Done::Page { peer: peer.clone(), first: *first, rows: self.page(peer, *first, *count)? })
            }
            Op::Last { peer, count } => Some(Done::Last { peer: peer.clone(), rows: self.last(peer, *count)? }),
            Op::Search { text, count } => Some(Done::Found { text: text.clone(), rows: self.found(text, *count)? }),
            Op::Outbox => Some(Done::Outbox(self.outbox()?)),
        })
    }

    fn outbox(&self) -> Result<Vec<Unsent>, Error> {
        let c = &self.connection;
        c.execute(
            "UPDATE messages SET state = ?1 WHERE outgoing AND state IN (0, 1, 7) AND state = ?2",
            params![number(SendState::MaybeSent), number(SendState::Sending)],
        )?;
        let mut query = c.prepare(
            "SELECT id, peer, text, state, made FROM messages WHERE outgoing AND state IN (0, 1, 7) ORDER BY id",
        )?;
        let rows = query.query_map([], |row| {
            let peer: String = row.get(1)?;
            Ok(Unsent {
                id: MessageId(row.get(0)?),
                to: Account::sanitised(&peer),
                text: row.get(2)?,
                again: row.get::<_, i64>(3)? == SENDING_SECURELY,
                made: row.get(4)?,
            })
        })?;
        rows.collect()
    }
}

impl Op {
    /// Whether it changes nothing in the file.
    fn is_read(&self) -> bool {
        matches!(
            self,
            Self::Conversations
                | Self::Drafts
                | Self::Export(_)
                | Self::Index(_)
                | Self::Oldest(_)
                | Self::Page { .. }
                | Self::Last { .. }
                | Self::Search { .. }
                | Self::Settle
        )
    }
}

/// Why, and what those that wait for these changes are told.
fn refused(ops: &[Op], trouble: Trouble) -> Vec<Done> {
    let words = trouble.words();
    let answer = |op: &Op| match op {
        Op::Outgoing { request, .. } => Some(Done::Kept { request: *request, id: None, made: None }),
        Op::State { id, state: SendState::Sending, .. } | Op::Refused { id, .. } => {
            Some(Done::Noted { id: *id, noted: false })
        }
        Op::Received { token, .. } | Op::Own { token, .. } => {
            Some(Done::Stored { token: *token, id: None, known: false, state: None })
        }
        Op::Delivered { .. } => Some(Done::Deliveries { version: None, ids: Vec::new(), more: false }),
        Op::NewDevice => Some(Done::Renamed(None)),
        Op::Withdraw(_) => Some(Done::Withdrawn(false)),
        Op::Past { peer, messages, more, .. } => {
            Some(Done::Past { peer: peer.clone(), messages: messages.clone(), more: *more })
        }
        Op::Import { .. } => Some(Done::Imported(Err(words.clone()))),
        _ => None,
    };
    let answers = ops.iter().filter_map(answer).collect::<Vec<_>>();
    std::iter::once(Done::Failed(trouble)).filter(|_| !ops.is_empty()).chain(answers).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::print_stdout, reason = "figures are shown with --nocapture")]

    use super::*;
    use crate::client::history::{Contact, MoreStrangers};
    use crate::client::session::StoreToken;

    fn account(name: &str) -> Account {
        Account::person(name).expect("valid")
    }

    fn received(token: u64, from: &str, text: &str, repeat: bool) -> Op {
        let token = StoreToken::Secure(token);
        let server_time = "2026-11-21 12:04:58".to_owned();
        Op::Received {
            token,
            from: account(from),
            server_time,
            text: text.into(),
            raw: b"raw".to_vec(),
            repeat,
            unix_ms: 1,
            pushed: None,
            handed: None,
        }
    }

    fn outgoing(request: u64, text: &str) -> Op {
        Op::Outgoing { request, to: account("b"), text: text.into(), unix_ms: 2 }
    }

    #[test]
    fn the_outbox_survives_and_what_was_on_its_way_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("server").join("a.sqlite");
        let database = Database::open(&path).expect("new");
        let kept = database.run(&[outgoing(1, "one"), outgoing(2, "two"), outgoing(3, "three")]);
        assert!(matches!(&kept[..], [Done::Kept { request: 1, id: Some(MessageId(1)), .. }, ..]));
        let sending = |id, state| Op::State { id: MessageId(id), state, secure: false };
        database.run(&[sending(1, SendState::Sent), sending(2, SendState::Sending)]);
        assert!(matches!(Database::open(&path), Err(HistoryError::Locked)));
        drop(database);
        let database = Database::open(&path).expect("again");
        let unsent = Unsent { id: MessageId(3), to: account("b"), text: "three".into(), again: false, made: None };
        assert_eq!(database.run(&[Op::Outbox]), [Done::Outbox(vec![unsent])]);
        let page = Op::Page { peer: account("b"), first: 1, count: 1 };
        assert!(
            matches!(&database.run(&[page])[..], [Done::Page { rows, .. }] if rows[0].state == Some(SendState::MaybeSent))
        );
    }

    #[test]
    fn conversations_count_what_was_not_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let contact =
            |name: &str, blocked| Contact {
                account: account(name), remark: "友".into(), group: "课".into(), blocked
            };
        database.run(&[
            Op::Contact(contact("b", false)),
            Op::Contact(contact("c", true)),
            received(1, "b", "hi\nho", false),
            received(2, "b", "hi\nho", true),
            received(3, "c", "spam", false),
            received(4, "d", "who?", false),
        ]);
        let Some(Done::Conversations(list, _)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
        assert_eq!(seen, [("d", true, 1), ("c", false, 0), ("b", false, 2)]);
        let Some(Done::Index { rows, .. }) = database.run(&[Op::Index(account("b"))]).pop() else { panic!("an index") };
        assert_eq!(rows.iter().map(|r| (r.chars, r.breaks)).collect::<Vec<_>>(), [(5, 1); 2]);
        let Some(Done::Last { rows, .. }) = database.run(&[Op::Last { peer: account("b"), count: 9 }]).pop() else {
            panic!("rows")
        };
        let marks: Vec<_> = rows.iter().map(|row| (row.state, row.repeat)).collect();
        assert_eq!(marks, [(None, false), (None, true)], "what came again is there, and marked");
        database.run(&[Op::Read { peer: account("b"), to: None }, Op::RemoveContact(account("b"))]);
        let Some(Done::Conversations(list, _)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        assert!(list.iter().any(|c| c.contact.account == account("b") && c.stranger && c.unread == 0));
    }

    #[test]
    fn what_was_not_looked_at_stays_unread() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let unread = || match database.run(&[Op::Conversations]).pop() {
            Some(Done::Conversations(list, _)) => list.first().map(|c| c.unread),
            other => panic!("{other:?}"),
        };
        let hi = |n: u64| received(n, "b", &format!("hi {n}"), false);
        let Some(Done::Stored { id: second, .. }) = database.run(&[hi(1), hi(2)]).pop() else { panic!("stored") };
        let looked = || Op::Read { peer: account("b"), to: second };
        // A third one comes while the first two are looked at.
        database.run(&[hi(3), hi(4), looked()]);
        assert_eq!(unread(), Some(2));
        database.run(&[looked()]);
        assert_eq!(unread(), Some(2));
        database.run(&[hi(5), Op::Read { peer: account("b"), to: None }]);
        assert_eq!(unread(), Some(0));
    }

    #[test]
    fn messages_of_several_days_stand_under_their_own() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        // Written on four days, fetched at once; and one by a server whose clock is a day ahead.
        let came = 1_796_049_000_000;
        let days = [4, 3, 1, 0].map(|ago| came / 1000 - ago * 86_400);
        let push = |row: u64, from: &str, at: i64| match received(row, from, "hi", false) {
            Op::Received { token, from, server_time, text, raw, repeat, handed, .. } => {
                let pushed = Some(crate::client::session::Pushed { row, after: (row > 1).then(|| row - 1), at });
                Op::Received { token, from, server_time, text, raw, repeat, unix_ms: came, pushed, handed }
            }
            other => other,
        };
        let mut ops: Vec<Op> = (1..).zip(days).map(|(row, at)| push(row, "b", at)).collect();
        ops.push(push(5, "early", days[0]));
        ops.push(push(6, "ahead", came / 1000 + 86_400));
        database.run(&ops);
        let Some(Done::Index { rows, .. }) = database.run(&[Op::Index(account("b"))]).pop() else { panic!("an index") };
        assert_eq!(rows.iter().map(|row| row.unix_ms).collect::<Vec<_>>(), days.map(|at| at * 1000));
        let Some(Done::Conversations(list, _)) = database.run(&[Op::Conversations]).pop() else { panic!("a list") };
        let list: Vec<_> = list.iter().filter_map(|c| Some((c.contact.account.as_str(), c.last.as_ref()?.1))).collect();
        assert_eq!(list, [("ahead", came + 86_400_000), ("b", came), ("early", days[0] * 1000)]);
    }

    #[test]
    fn a_flood_of_strangers_is_a_few_rows_and_a_number() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let mut ops: Vec<Op> = (0..200).map(|n| received(n, &format!("s{n:03}"), "buy", false)).collect();
        let lobby = Op::Outgoing { request: 0, to: Account::lobby(), text: "hi".into(), unix_ms: 0 };
        ops.insert(0, lobby);
        database.run(&ops);
        let list = |database: &Database| match database.run(&[Op::Conversations, Op::Conversations]).pop() {
            Some(Done::Conversations(list, more)) => (list, more),
            other => panic!("{other:?}"),
        };
        let (rows, more) = list(&database);
        assert_eq!((rows.len(), more), (51, MoreStrangers { people: 150, unread: 150 }));
        assert_eq!(rows.first().map(|c| c.contact.account.as_str()), Some("s199"));
        assert!(rows.last().is_some_and(|c| c.contact.account.is_room()), "a room is never a stranger");
        // In the list they are none, and off it again they are.
        let s0 = Contact { account: account("s000"), remark: String::new(), group: String::new(), blocked: false };
        database.run(&[Op::Contact(s0)]);
        assert_eq!(list(&database).1, MoreStrangers { people: 149, unread: 149 });
        database.run(&[Op::RemoveContact(account("s000")), Op::Read { peer: account("s000"), to: None }]);
        assert_eq!(list(&database).1, MoreStrangers { people: 150, unread: 149 });
    }

    #[test]
    fn an_import_adds_and_changes_only_what_it_says() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let old = Contact { account: account("b"), remark: "old".into(), group: "网络课".into(), blocked: true };
        database.run(&[Op::Contact(old.clone())]);
        let path = dir.path().join("list.csv");
        let import = || Op::Import { path: path.clone(), own: account("me") };
        std::fs::write(&path, "b,new\nc,third\nme,myself\n").expect("written");
        assert_eq!(database.run(&[import()]), [Done::Imported(Ok(2))]);
        let list = database.contacts().expect("read");
        assert_eq!(list.iter().map(|(c, _)| c.account.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(list.last(), Some(&(Contact { remark: "new".into(), ..old }, true)));
        std::fs::write(&path, "d,fourth\na:b,wrong\n").expect("written");
        assert!(
            matches!(&database.run(&[import()])[..], [Done::Imported(Err(why))] if why.contains("line 2")),
            "all or nothing"
        );
        assert_eq!(database.contacts().expect("read").len(), 2);
    }

    #[test]
    fn long_histories_and_floods_stay_quick() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
        let b: Vec<Op> =
            (0..100_000).map(|n| received(n, "b", "some forty characters of a usual message", false)).collect();
        let strangers: Vec<Op> = (0..10_000).map(|n| received(n, &format!("s{n}"), "buy", false)).collect();
        database.run(&b);
        database.run(&strangers);
        let time = |what: &str, op: Op| {
            let begun = std::time::Instant::now();
            let done = database.run(std::slice::from_ref(&op));
            let took = begun.elapsed();
            println!("{what}: {took:?}");
            assert_eq!(done.len(), usize::from(!matches!(op, Op::Read { .. })));
            took
        };
        let first = time("the first page", Op::Page { peer: account("b"), first: 0, count: 50 });
        let last = time("the last page", Op::Page { peer: account("b"), first: 99_950, count: 50 });
        let index = time("the index", Op::Index(account("b")));
        let list = time("the list", Op::Conversations);
        time("a search that finds nothing", Op::Search { text: "nowhere".into(), count: 50 });
        let one = time("one more message", received(0, "b", "hi", false));
        time("reading it all", Op::Read { peer: account("b"), to: None });
        // Far above what it takes, and far below what a look at every message would.
        for took in [first, last, list, one] {
            assert!(took < index.max(std::time::Duration::from_millis(50)), "{took:?}");
        }
    }
}
