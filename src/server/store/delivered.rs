//! What was delivered: for each writer and receiver, which of the messages a device or a plain client of the receiver
//! has taken. They are taken in their order, so a first and a last row say it, however many messages there are. A
//! version that rises with each change says for which of the writer's devices it is news.
//!
//! The first message after each start of the server begins a new range. If the data were put back from a backup, the
//! messages that are lost have numbers between the backup's last and the first new one (`Store::number_on`), and nobody
//! may be told that these were taken.
//!
//! What an account takes while it is invisible is held back (`held`) until its owner is seen again: nobody may learn from
//! it that they are there.
//!
//! A range is made with its first message, so that messages can be marked as taken even when the disk is full: later
//! changes need no more room.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use rusqlite::{Connection, Error, params};

use super::{AccountId, MessageRow, items};
use crate::protocol::wire::item::Kind;
use crate::protocol::wire::status::Status;

/// The most ranges that are kept for one writer and receiver; each stands for a start of the server after which
/// messages came. Older ones are forgotten: a device that has not been told of them by then never shows these messages
/// as delivered, which says too little but nothing false.
const RANGES: u32 = 32;

/// The most pairs of writer and receiver that are remembered; they take a few megabytes.
const KNOWN: usize = 65_536;

/// Stands for "nothing was taken yet"; as wide in the file as the number that replaces it.
const NONE: i64 = i64::MIN + 1;

/// All messages of `author` to `receiver` from the first row to the last were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The account that wrote them.
    pub author: AccountId,
    /// The account that has taken them.
    pub receiver: AccountId,
    /// The first message from the one to the other since a start of the server. It also tells this range from those of
    /// an earlier account of the same name.
    pub first: MessageRow,
    /// The newest message that was taken; all earlier ones of the range were, too.
    pub last: MessageRow,
    /// The version of this change, higher than that of any earlier one.
    pub version: i64,
}

/// How many versions are reserved at a time. A start of the server skips the rest of them, and the server writes the
/// reservation so rarely that it costs nothing.
const RESERVED: i64 = 1 << 20;

/// Gives out the versions of deliveries. To find the highest one in the table, each start would have to search all of
/// it, and an index would cost each delivery another page; so the database keeps a number that no version exceeds.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The highest version given out; one that was not committed has been told to nobody.
    last: Cell<i64>,
    /// The number in the database that no version exceeds.
    reserved: Cell<i64>,
}

impl Versions {
    /// Continues after all versions that the database has reserved.
    pub(super) fn begin(&self, c: &Connection) -> Result<(), Error> {
        self.last.set(c.query_row("SELECT reserved FROM versions", [], |row| row.get(0))?);
        Ok(())
    }

    /// Makes sure that the next version is higher than this.
    pub(super) fn at_least(&self, version: i64) {
        self.last.set(self.last.get().max(version));
    }

    pub(super) fn last(&self) -> i64 {
        self.last.get()
    }

    /// Called after a failed transaction: what it reserved is not reserved.
    pub(super) fn forget(&self) {
        self.reserved.set(0);
    }

    /// Returns the next version, which [`Versions::took`] marks as used.
    fn next(&self) -> i64 {
        self.last.get().saturating_add(1)
    }

    /// Marks the next version as used.
    fn took(&self, c: &Connection) -> Result<(), Error> {
        let next = self.next();
        if next > self.reserved.get() {
            let reserved = next.saturating_add(RESERVED);
            c.prepare_cached("UPDATE versions SET reserved = max(reserved, ?)")?.execute([reserved])?;
            self.reserved.set(reserved);
        }
        self.last.set(next);
        Ok(())
    }
}

/// Remembers which pairs of writer and receiver have a range of this start of the server.
#[derive(Debug, Default)]
pub(super) struct StartedRanges {
    /// The highest row when the server started.
    start: Cell<MessageRow>,
    /// The pairs of writer and receiver that have one. To ask the database for each message would cost as much as an
    /// index.
    known: RefCell<HashSet<(AccountId, AccountId)>>,
}

impl StartedRanges {
    /// Sets the row after which the server starts.
    pub(super) fn start(&self, row: MessageRow) {
        self.start.set(row);
        self.forget();
    }

    /// Forgets all pairs; called after a failed transaction, and when an account is deleted, whose number another may
    /// get.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// Called for a message that is in the database; it may be the first of its writer to its receiver since the start.
    pub(super) fn note(
        &self,
        c: &Connection,
        conversation: (AccountId, AccountId),
        row: MessageRow,
    ) -> Result<(), Error> {
        if self.known.borrow().contains(&conversation) {
            return Ok(());
        }
        begin(c, self.start.get(), conversation, row)?;
        let mut known = self.known.borrow_mut();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(conversation);
        Ok(())
    }
}

/// Begins a range with this row, unless there is one that begins after `start`. Both accounts must exist.
fn begin(
    c: &Connection,
    start: MessageRow,
    (author, receiver): (AccountId, AccountId),
    row: MessageRow,
) -> Result<(), Error> {
    // Most pairs have no range yet, and to find none costs little.
    let (ranges, newest): (u32, Option<MessageRow>) = c
        .prepare_cached("SELECT count(*), max(first) FROM delivered WHERE author = ? AND receiver = ?")?
        .query_row([author, receiver], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if newest.is_some_and(|first| first > start) {
        return Ok(());
    }
    c.prepare_cached("INSERT INTO delivered (author, receiver, first, last, version) VALUES (?1, ?2, ?3, ?4, ?4)")?
        .execute(params![author, receiver, row, NONE])?;
    if ranges >= RANGES {
        c.prepare_cached(
            "DELETE FROM delivered WHERE author = ?1 AND receiver = ?2 AND first <=
                 (SELECT first FROM delivered WHERE author = ?1 AND receiver = ?2 ORDER BY first DESC LIMIT 1 OFFSET ?3)",
        )?
        .execute(params![author, receiver, RANGES])?;
    }
    Ok(())
}

/// Marks all messages of `author` to `receiver` up to this row, within its range, as taken; returns `None` if that was
/// known.
fn advance(
    c: &Connection,
    versions: &Versions,
    (author, receiver): (AccountId, AccountId),
    last: MessageRow,
) -> Result<Option<Delivery>, Error> {
    let next = versions.next();
    let mut query = c.prepare_cached(
        "UPDATE delivered SET last = ?3, version = ?4, held = NULL WHERE author = ?1 AND receiver = ?2 AND last < ?3 AND first =
             (SELECT max(first) FROM delivered WHERE author = ?1 AND receiver = ?2 AND first <= ?3)
         RETURNING first",
    )?;
    let mut rows = query.query(params![author, receiver, last, next])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let first = row.get(0)?;
    versions.took(c)?;
    Ok(Some(Delivery { author, receiver, first, last, version: next }))
}

/// Does the same for several rows, in whatever ranges they are; highest first.
pub(super) fn advance_all(
    c: &Connection,
    versions: &Versions,
    (author, receiver): (AccountId, AccountId),
    rows: &mut Vec<MessageRow>,
) -> Result<Vec<Delivery>, Error> {
    rows.sort_unstable();
    let mut deliveries = Vec::new();
    while let Some(last) = rows.pop() {
        let Some(delivery) = advance(c, versions, (author, receiver), last)? else { continue };
        rows.truncate(rows.partition_point(|row| *row < delivery.first));
        deliveries.push(delivery);
    }
    Ok(deliveries)
}

/// Returns whether what an account takes is to be held back, because its owner is invisible.
pub(super) fn hides(c: &Connection, account: AccountId) -> Result<bool, Error> {
    Ok(items::value(c, account, Kind::Status, "")?.is_some_and(|status| Status::parse(&status).hides()))
}

/// Marks several rows of `author` as taken by `receiver`, who is invisible: nobody is told until [`release`].
pub(super) fn hold_all(
    c: &Connection,
    (author, receiver): (AccountId, AccountId),
    rows: &mut Vec<MessageRow>,
) -> Result<(), Error> {
    rows.sort_unstable();
    let mut query = c.prepare_cached(
        "UPDATE delivered SET held = ?3
         WHERE author = ?1 AND receiver = ?2 AND last < ?3 AND coalesce(held, last) < ?3 AND first =
             (SELECT max(first) FROM delivered WHERE author = ?1 AND receiver = ?2 AND first <= ?3)
         RETURNING first",
    )?;
    while let Some(last) = rows.pop() {
        let mut ranges = query.query(params![author, receiver, last])?;
        if let Some(range) = ranges.next()? {
            let first: MessageRow = range.get(0)?;
            rows.truncate(rows.partition_point(|row| *row < first));
        }
    }
    Ok(())
}

/// Tells what was held back of all that was written to an account, whose owner is visible again. Returns the deliveries.
pub(super) fn release(c: &Connection, versions: &Versions, receiver: AccountId) -> Result<Vec<Delivery>, Error> {
    let mut query = c.prepare_cached(
        "SELECT author, first, held FROM delivered INDEXED BY delivered_to WHERE receiver = ? AND held IS NOT NULL
         ORDER BY author, first",
    )?;
    let held = query.query_map([receiver], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let held = held.collect::<Result<Vec<(AccountId, MessageRow, MessageRow)>, _>>()?;
    let mut update = c.prepare_cached(
        "UPDATE delivered SET last = ?4, version = ?5, held = NULL WHERE author = ?1 AND receiver = ?2 AND first = ?3",
    )?;
    let mut delivered = Vec::with_capacity(held.len());
    for (author, first, last) in held {
        let version = versions.next();
        update.execute(params![author, receiver, first, last, version])?;
        versions.took(c)?;
        delivered.push(Delivery { author, receiver, first, last, version });
    }
    Ok(delivered)
}

/// Returns the changes of an account's deliveries after a version, oldest first, each with the receiver's name.
pub(super) fn after(
    c: &Connection,
    author: AccountId,
    version: i64,
    count: u32,
) -> Result<Vec<(Delivery, String)>, Error> {
    let mut query = c.prepare_cached(
        "SELECT d.receiver, d.first, d.last, d.version, a.name FROM delivered d JOIN accounts a ON a.id = d.receiver
         WHERE d.author = ? AND d.version > ? ORDER BY d.version LIMIT ?",
    )?;
    let rows = query.query_map(params![author, version, count], |row| {
        let (receiver, first, last, version) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((Delivery { author, receiver, first, last, version }, row.get(4)?))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Done, NewMessage, Op, Read, Store, Write};
    use super::*;
    use crate::server::hasher::Hashed;

    fn account(job: u64, name: &str) -> Op {
        Op::Write(Write::Register {
            job,
            name: name.into(),
            hashed: Hashed { salt: vec![1], hash: vec![2] },
            profile: None,
            at: 0,
        })
    }

    /// A message of a, to the account of this number.
    fn message(receiver: AccountId) -> Op {
        let message = NewMessage {
            receivers: vec![receiver],
            sender: "a".into(),
            author: 1,
            writer: None,
            raw: b"hi".to_vec(),
            text: "hi".repeat(400),
            sent: 7,
            online: false,
            key: None,
            own: None,
        };
        Op::Write(Write::Message { job: 9, message })
    }

    fn after(store: &mut Store, after: i64) -> Vec<(AccountId, MessageRow, MessageRow, i64)> {
        match &store.run(&[Op::Read(Read::Delivered { job: 1, account: 1, after, count: 9 })]).done[..] {
            [Done::Delivered { delivered, .. }] => {
                delivered.iter().map(|(d, _)| (d.receiver, d.first, d.last, d.version)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_has_a_version_of_its_own_also_after_a_restart() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        store.run(&[account(1, "a"), account(2, "b"), account(3, "c"), message(2), message(3), message(2)]);
        assert_eq!(after(&mut store, 0), []);
        let done = store.run(&[
            Op::Write(Write::TakenTo { account: 2, row: 1, at: 7 }),
            Op::Write(Write::TakenTo { account: 3, row: 3, at: 7 }),
        ]);
        let versions = |done: &Done| match done {
            Done::Took { delivered, .. } => delivered.iter().map(|d| d.version).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        assert_eq!(done.done.iter().flat_map(versions).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(after(&mut store, 0), [(2, 1, 1, 1), (3, 2, 2, 2)]);
        drop(store);
        let mut store = Store::open(dir.path()).expect("again");
        store.run(&[Op::Write(Write::TakenTo { account: 2, row: 3, at: 8 })]);
        let third = RESERVED + 2;
        assert_eq!(after(&mut store, 1), [(3, 2, 2, 2), (2, 1, 3, third)]);
        assert_eq!(after(&mut store, third), []);
        assert_eq!(after(&mut store, third + 1).len(), 2, "it was never told here");
        // A backup that was put back knows less; what is new there must be new to all the same.
        store.number_on(1_767_225_600 + 1_000).expect("numbered");
        store.run(&[message(3), Op::Write(Write::TakenTo { account: 3, row: i64::MAX, at: 9 })]);
        let new = after(&mut store, third);
        assert!(
            matches!(new[..], [(3, first, last, version)] if first == last && last > 8_000_000 && version > 8_000_000),
            "{new:?}"
        );
        // An account that was made anew begins with what is sent to it.
        store.connection().execute("DELETE FROM accounts WHERE id = 3", []).expect("deleted");
        assert_eq!(after(&mut store, 0), [(2, 1, 3, third)]);
    }

    /// What was lost with a restored backup had numbers between its last and the first one after it.
    #[test]
    fn what_a_copy_that_was_put_back_does_not_have_is_not_delivered() {
        const START: i64 = 1_767_225_600;
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        store.run(&[account(1, "a"), account(2, "b"), message(2), message(2), message(2)]);
        store.run(&[Op::Write(Write::TakenTo { account: 2, row: 2, at: 7 })]);
        drop(store);
        // The backup; rows 4 to 8,192 were in what was lost.
        let mut store = Store::open(dir.path()).expect("again");
        store.number_on(START + 1).expect("numbered");
        store.run(&[message(2), message(2)]);
        // One message from before and both new ones at once.
        let done = store.run(&[Op::Write(Write::TakenTo { account: 2, row: i64::MAX, at: 9 })]).done;
        let [Done::Took { delivered, .. }] = &done[..] else { panic!("{done:?}") };
        let mut ranges: Vec<_> = delivered.iter().map(|d| (d.first, d.last)).collect();
        ranges.sort_unstable();
        assert_eq!(ranges, [(1, 3), (8_193, 8_194)]);
        let mut told: Vec<_> = after(&mut store, 0).into_iter().map(|(_, first, last, _)| (first, last)).collect();
        told.sort_unstable();
        assert_eq!(told, ranges);
        // A plain client takes them one by one. A start without a message begins no range, and an earlier row moves its
        // own range.
        drop(store);
        let mut store = Store::open(dir.path()).expect("again");
        store.number_on(START + 2).expect("numbered");
        store.number_on(START + 3).expect("numbered");
        store.run(&[message(2)]);
        store.run(&[Op::Write(Write::Taken { message: 3 * 8_192 + 1, at: 9 })]);
        let new: Vec<_> = after(&mut store, 0).into_iter().map(|(_, first, last, _)| (first, last)).collect();
        assert!(new.len() == 3 && new.ends_with(&[(24_577, 24_577)]), "{new:?}");
        // There are never more than [`RANGES`]; the oldest go.
        for start in 4..100 {
            store.number_on(START + start).expect("numbered");
            let done = store.run(&[message(2)]).done;
            let [Done::Kept { rows, .. }] = &done[..] else { panic!("{done:?}") };
            store.run(&[Op::Write(Write::Taken { message: rows[0], at: 9 })]);
        }
        let many = store.run(&[Op::Read(Read::Delivered { job: 1, account: 1, after: 0, count: 999 })]).done;
        let [Done::Delivered { delivered, .. }] = &many[..] else { panic!("{many:?}") };
        assert_eq!((delivered.len(), delivered[0].0.first), (32, 68 * 8_192 + 1));
    }

    fn status(value: Option<&str>) -> Op {
        let value = value.map(str::to_owned);
        Op::Write(Write::SetItem { job: 8, account: 2, kind: Kind::Status, key: String::new(), value })
    }

    /// What a reads in the history of what b has taken.
    fn said(store: &mut Store) -> Vec<bool> {
        let (name, peer) = ("a".into(), "b".into());
        let read = Read::History { job: 1, account: 1, name, peer, peer_id: Some(2), before: None, count: 9 };
        match &store.run(&[Op::Read(read)]).done[..] {
            [Done::Messages { messages, .. }] => messages.iter().map(|message| message.delivered).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_an_invisible_receiver_takes_is_told_when_they_are_seen_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        let took = |row| Op::Write(Write::TakenTo { account: 2, row, at: 7 });
        store.run(&[account(1, "a"), account(2, "b"), account(3, "c"), message(2), message(2), message(3)]);
        store.run(&[took(1), status(Some(r#"{"state":"invisible"}"#))]);
        let done = store.run(&[took(2)]).done;
        let told = |done: &[Done]| -> usize {
            let of = |done: &Done| match done {
                Done::Took { delivered, .. } | Done::Changed { delivered, .. } => delivered.len(),
                _ => 0,
            };
            done.iter().map(of).sum()
        };
        assert!(matches!(&done[..], [Done::Took { senders, .. }] if senders.len() == 1), "it is not unread any more");
        assert_eq!((told(&done), after(&mut store, 1), said(&mut store)), (0, vec![], vec![true, false]));
        // Nor after a restart, with which another range begins; in the plain dialect, too.
        drop(store);
        let mut store = Store::open(dir.path()).expect("again");
        store.number_on(1_767_225_601).expect("numbered");
        store.run(&[message(2), message(2)]);
        let row = 8_193;
        assert_eq!(told(&store.run(&[Op::Write(Write::Taken { message: row, at: 8 })]).done), 0);
        assert_eq!(told(&store.run(&[status(Some(r#"{"state":"invisible","text":"x"}"#))]).done), 0, "still");
        assert_eq!((after(&mut store, 1), said(&mut store)), (vec![], vec![true, false, false, false]));
        assert_eq!(told(&store.run(&[status(None)]).done), 2);
        let all: Vec<_> = after(&mut store, 1).into_iter().map(|(_, first, last, _)| (first, last)).collect();
        assert_eq!((all, said(&mut store)), (vec![(1, 2), (row, row)], vec![true, true, true, false]));
        assert_eq!(told(&store.run(&[status(Some(r#"{"state":"busy"}"#))]).done), 0, "once");
        assert_eq!(told(&store.run(&[took(i64::MAX)]).done), 1, "who is busy is there");
    }

    #[test]
    fn a_range_that_was_not_committed_is_begun_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        store.run(&[account(1, "a"), account(2, "b"), account(3, "c")]);
        store.limit(Some(100_000)).expect("limited");
        // The first of these fits, but not all of them together.
        let all: Vec<Op> = (0..200).map(|n| message(2 + n % 2)).collect();
        let results = store.run(&all);
        assert!(results.error.is_some() && results.done.iter().all(|done| matches!(done, Done::Failed { .. })));
        store.limit(None).expect("no limit");
        let done = store.run(&[message(2), message(3), message(2)]).done;
        assert!(matches!(&done[..], [Done::Kept { .. }, Done::Kept { .. }, Done::Kept { .. }]), "{done:?}");
        let taken = |account| Op::Write(Write::TakenTo { account, row: i64::MAX, at: 9 });
        store.run(&[taken(2), taken(3)]);
        assert_eq!(after(&mut store, 0).iter().map(|(of, ..)| *of).collect::<Vec<_>>(), [2, 3]);
        // Nor is one of an account that is gone: the next one has its number.
        store.run(&[Op::Write(Write::Delete { job: 1, account: 3 }), account(4, "d"), message(3), taken(3)]);
        let new: Vec<_> = after(&mut store, 0).iter().map(|(of, first, last, _)| (*of, first == last)).collect();
        assert_eq!(new, [(2, false), (3, true)]);
    }

    #[test]
    fn on_a_full_disk_what_was_taken_is_delivered_all_the_same() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        store.run(&[account(1, "a"), account(2, "b")]);
        store.limit(Some(120_000)).expect("limited");
        let kept = (1..200).take_while(|_| store.run(&[message(2)]).error.is_none()).count();
        assert!((10..100).contains(&kept), "{kept}");
        let last = i64::try_from(kept).expect("few");
        for row in 1..=last {
            let results = store.run(&[message(2), Op::Write(Write::TakenTo { account: 2, row, at: 9 })]);
            let [Done::Failed { .. }, Done::Took { delivered, .. }] = &results.done[..] else { panic!("{results:?}") };
            assert_eq!(delivered.iter().map(|d| (d.first, d.last)).collect::<Vec<_>>(), [(1, row)]);
        }
    }

    #[test]
    fn what_could_not_be_written_down_is_when_it_can_be() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(dir.path()).expect("new");
        store.run(&[account(1, "a"), account(2, "b"), account(3, "c"), message(2), message(2), message(3)]);
        let read_only = |store: &Store, on: bool| {
            store.connection().pragma_update(None, "query_only", on).expect("set");
        };
        read_only(&store, true);
        let ops =
            [Op::Write(Write::TakenTo { account: 2, row: 1, at: 8 }), Op::Write(Write::Taken { message: 3, at: 8 })];
        let results = store.run(&ops);
        assert!(results.done.is_empty() && results.error.is_some(), "{results:?}");
        // What a device has taken is not handed out meanwhile.
        let offer = Op::Read(Read::Offer { job: 1, account: 2, from: None });
        let offered = store.run(&[Op::Write(Write::TakenTo { account: 2, row: 1, at: 8 }), offer]).done;
        assert!(matches!(&offered[..], [Done::Offered { message: Some(m), .. }] if m.row == 2), "{offered:?}");
        read_only(&store, false);
        let done = store.run(&[Op::Write(Write::Seen { sessions: Vec::new() })]).done;
        let took = |done: &Done| match done {
            Done::Took { account, delivered, .. } => (*account, delivered.iter().map(|d| d.last).collect::<Vec<_>>()),
            other => panic!("{other:?}"),
        };
        assert_eq!(done.iter().map(took).collect::<Vec<_>>(), [(3, vec![3]), (2, vec![1])]);
        assert_eq!(store.run(&[Op::Write(Write::Seen { sessions: Vec::new() })]).done, [], "once");
        let unread: Vec<u64> = store.everybody().iter().map(|of| of.unread.values().sum()).collect();
        assert_eq!(unread, [0, 1, 0]);
    }
}
