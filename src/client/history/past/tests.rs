use proptest::prelude::*;

use super::*;
use crate::client::history::{Done, Op, Read, Write};
use crate::client::session::{Pushed, StoreToken};

fn account(name: &str) -> Account {
    Account::sanitised(name)
}

fn open(dir: &std::path::Path) -> Database {
    Database::open(&dir.join("me.sqlite")).expect("open")
}

/// Messages with b: the server's row, and who wrote it.
fn page(rows: &[(u64, &str)]) -> Op {
    let past = |&(row, from): &(u64, &str)| Past {
        row,
        from: from.to_owned(),
        writer: None,
        at: 1_000_000 + row as i64,
        text: format!("{from} {row}"),
        online: None,
        delivered: false,
    };
    let messages = rows.iter().map(past).collect();
    Op::Write(Write::Past { own: account("me"), peer: account("b"), messages, more: true })
}

fn pushed(row: u64, after: Option<u64>) -> Op {
    Op::Write(Write::Received {
        token: StoreToken::Secure(row),
        from: account("b"),
        server_time: String::new(),
        text: format!("b {row}"),
        raw: Vec::new(),
        repeat: false,
        unix_ms: 0,
        pushed: Some(Pushed { row, after, at: 0 }),
        handed: None,
    })
}

fn sent(database: &Database, row: u64) {
    let to = account("b");
    let done = database.run(&[Op::Write(Write::Outgoing { request: 1, to, text: format!("me {row}"), unix_ms: 0 })]);
    let Some(Done::Kept { id: Some(id), .. }) = done.first() else { panic!("{done:?}") };
    database.run(&[Op::Write(Write::Accepted { id: *id, row, state: SendState::Sent })]);
}

fn texts(database: &Database) -> Vec<String> {
    let peer = account("b");
    let Some(Done::Index { rows: index, .. }) = database.run(&[Op::Read(Read::Index(peer.clone()))]).pop() else {
        panic!()
    };
    let done = database.run(&[
        Op::Read(Read::Page { peer: peer.clone(), first: 0, count: 999 }),
        Op::Read(Read::Last { peer, count: 999 }),
    ]);
    let [Done::Page { rows, .. }, Done::Last { rows: last, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!(rows, last, "in the same order");
    assert!(index.iter().zip(rows).all(|(meta, row)| meta.id == row.id) && index.len() == rows.len());
    rows.iter().map(|row| row.text.clone()).collect()
}

#[test]
fn a_new_device_gets_the_old_rows_in_their_places_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    // What was unread came by itself; what was said in between on another device did not.
    database.run(&[pushed(10, None), pushed(14, Some(10))]);
    sent(&database, 15);
    assert_eq!(database.oldest(&account("b")), Ok(Some(10)));
    let newest = [(8, "b"), (9, "me"), (10, "b"), (12, "me"), (14, "b"), (15, "me"), (16, "me"), (17, "b")];
    for _ in 0..2 {
        database.run(&[page(&newest)]);
        let all = ["b 8", "me 9", "b 10", "me 12", "b 14", "me 15", "me 16"];
        assert_eq!(texts(&database), all, "17 is going to be pushed");
    }
    database.run(&[pushed(17, Some(14))]);
    sent(&database, 18);
    assert_eq!(database.oldest(&account("b")), Ok(Some(8)));
    database.run(&[page(&[(1, "b"), (2, "me"), (7, "b")])]);
    database.run(&[page(&[(0, "b")])]);
    let all = ["b 0", "b 1", "me 2", "b 7", "b 8", "me 9", "b 10", "me 12", "b 14", "me 15", "me 16", "b 17", "me 18"];
    assert_eq!(texts(&database), all);
    // None counts as a message of this device's own, nor as unread, nor as the last one.
    let kept = database.kept().expect("read");
    assert_eq!(kept.newest, 5);
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    assert_eq!(
        list.iter().map(|c| (c.unread, c.last.as_ref().map(|l| &*l.0))).collect::<Vec<_>>(),
        [(3, Some("me 18"))]
    );
    drop(database);
    assert_eq!(texts(&open(dir.path())), all, "and after a restart");
}

#[test]
fn an_empty_history_becomes_a_conversation() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    let done = database.run(&[Op::Read(Read::Oldest(account("b"))), page(&[(3, "b"), (4, "me")])]);
    assert!(matches!(&done[..], [Done::Oldest { row: None, .. }, Done::Past { more: true, .. }]), "{done:?}");
    assert_eq!(texts(&database), ["b 3", "me 4"]);
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    assert_eq!(
        list.iter().map(|c| (c.unread, c.last.clone())).collect::<Vec<_>>(),
        [(0, Some(("me 4".to_owned(), 1_000_004_000)))]
    );
    sent(&database, 9);
    assert_eq!(texts(&database), ["b 3", "me 4", "me 9"]);
}

#[test]
fn rows_without_a_number_are_known_by_what_they_say_and_when() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    let to = || account("b");
    let own = |text: &str, unix_ms| Op::Write(Write::Outgoing { request: 1, to: to(), text: text.to_owned(), unix_ms });
    let at = |row: u64| (1_000_000 + row as i64) * 1000;
    database.run(&[own("me 1", at(1) + 60_000), own("me 2", at(2) + 2 * CLOCKS_MS), own("me 3", 0)]);
    let state = |id, state| Op::Write(Write::State { id: MessageId(id), state, secure: true });
    database.run(&[state(1, SendState::Sent), state(2, SendState::Sent), state(3, SendState::Sending)]);
    database.run(&[page(&[(1, "me"), (2, "me"), (3, "me")])]);
    assert_eq!(texts(&database), ["me 1", "me 2", "me 2", "me 3"], "what was written at another time is another");
    // Whose answer had not come is not doubled when it does.
    database.run(&[Op::Write(Write::Accepted { id: MessageId(3), row: 3, state: SendState::Sent })]);
    database.run(&[page(&[(1, "me"), (2, "me"), (3, "me")])]);
    assert_eq!(texts(&database).len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Of a conversation in which much is the same, some was said here, some on another device, and some never
    /// arrived: read in pages, twice, there is as much of each text as on the side that has more.
    #[test]
    fn equal_texts_are_neither_lost_nor_doubled(
        said in proptest::collection::vec((0..2_u8, 0..4_u8, 0..40_i64), 1..14), page_of in 1..20_usize,
    ) {
        let dir = tempfile::tempdir().expect("a folder");
        let database = open(dir.path());
        let (mut time, mut here, mut there) = (1_000_000, Vec::new(), Vec::new());
        for (row, (text, kind, later)) in (1_u64..).zip(&said) {
            time += later;
            let text = if *text == 0 { "ok" } else { "哈哈" };
            let (at_server, sent_here) = (*kind != 3, *kind != 2);
            if sent_here {
                let to = account("b");
                let done = database.run(&[Op::Write(Write::Outgoing { request: 1, to, text: text.into(), unix_ms: time * 1000 })]);
                let Some(Done::Kept { id: Some(id), .. }) = done.first() else { panic!("{done:?}") };
                database.run(&[Op::Write(Write::State { id: *id, state: SendState::MaybeSent, secure: false })]);
                here.push(text);
            }
            if at_server {
                there.push(Past { row, from: "me".into(), writer: None, at: time, text: text.into(), online: None, delivered: false });
            }
        }
        for _ in 0..2 {
            for page in there.rchunks(page_of) {
                let (own, peer) = (account("me"), account("b"));
                database.run(&[Op::Write(Write::Past { own, peer, messages: page.to_vec(), more: true })]);
            }
        }
        let shown = texts(&database);
        let count = |all: &mut dyn Iterator<Item = &str>, text| all.filter(|t| *t == text).count();
        for text in ["ok", "哈哈"] {
            let (n, m) = (count(&mut here.iter().copied(), text), count(&mut there.iter().map(|p| &*p.text), text));
            prop_assert_eq!(count(&mut shown.iter().map(String::as_str), text), n.max(m), "{:?}", shown);
        }
        if page_of >= there.len() && said.iter().all(|(_, kind, later)| *kind != 3 && *later > 0) {
            prop_assert_eq!(shown, there.iter().map(|past| past.text.clone()).collect::<Vec<_>>());
        }
    }
}
