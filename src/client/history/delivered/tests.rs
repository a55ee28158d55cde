use super::*;
use crate::client::history::{Op, Read, Write};
use crate::client::session::{Pushed, SentBy, StoreToken};
use crate::protocol::wire::frame::Key;
use SendState::{Delivered, Failed, Kept, MaybeSentTwice, Sent};

fn b() -> Account {
    Account::sanitised("b")
}

fn open(dir: &std::path::Path) -> Database {
    Database::open(&dir.join("me.sqlite")).expect("open")
}

/// Stores a message that this account sent to b and that the server has in this row.
fn sent(database: &Database, row: u64, state: SendState) -> Vec<Done> {
    let written =
        database.run(&[Op::Write(Write::Outgoing { request: 1, to: b(), text: format!("own {row}"), unix_ms: 0 })]);
    let Some(Done::Kept { id: Some(id), .. }) = written.first() else { panic!("{written:?}") };
    database.run(&[Op::Write(Write::Accepted { id: *id, row, state })])
}

fn mirrored(database: &Database, row: u64, accepted: u64, online: Option<bool>) -> Option<SendState> {
    let pushed = Pushed { row, after: database.cursor().expect("read"), at: 7 };
    let by = SentBy { device: Key([9; 16]), counter: row, accepted: Some(accepted), online };
    let text = format!("mirrored {accepted}");
    match &database.run(&[Op::Write(Write::Own { token: StoreToken::Secure(row), to: b(), text, pushed, by })])[..] {
        [Done::Stored { id: Some(_), state, .. }] => *state,
        other => panic!("{other:?}"),
    }
}

fn deliver(database: &Database, version: u64, rows: &[(u64, u64)]) -> Vec<i64> {
    let rows = rows.iter().map(|(first, last)| (b(), *first, *last)).collect();
    match &database.run(&[Op::Write(Write::Delivered { version, rows })])[..] {
        [Done::Deliveries { version: Some(noted), ids, more: false }] if *noted == version => {
            ids.iter().map(|id| id.0).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// By what is read in each way, oldest first.
fn states(database: &Database) -> Vec<SendState> {
    let done = database.run(&[
        Op::Read(Read::Last { peer: b(), count: 99 }),
        Op::Read(Read::Page { peer: b(), first: 0, count: 99 }),
        Op::Read(Read::Search { text: String::new(), count: 99 }),
    ]);
    let [Done::Last { rows, .. }, Done::Page { rows: page, .. }, Done::Found { rows: found, .. }] = &done[..] else {
        panic!("{done:?}")
    };
    let of = |row: &crate::client::history::Row| (row.id, row.state);
    assert_eq!(rows, page);
    let mut by_number: Vec<_> = rows.iter().map(of).collect();
    by_number.sort_by_key(|(id, _)| *id);
    assert_eq!(by_number, found.iter().map(|(_, row)| of(row)).collect::<Vec<_>>());
    rows.iter().filter_map(|row| row.state).collect()
}

#[test]
fn what_is_delivered_is_so_whenever_it_comes_into_the_history() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    sent(&database, 3, Kept);
    sent(&database, 5, Sent);
    sent(&database, 8, Kept);
    assert_eq!(states(&database), [Kept, Sent, Kept]);
    assert_eq!(deliver(&database, 4, &[(3, 5)]), [2, 1], "the newest first");
    assert_eq!(states(&database), [Delivered, Delivered, Kept]);
    assert_eq!(deliver(&database, 4, &[(3, 5)]), [0; 0], "no news");
    assert_eq!(deliver(&database, 6, &[(3, 9)]), [3]);
    // The answer to a message may come after what became of it, and so may what another device has sent.
    assert_eq!(sent(&database, 9, Kept), [Done::Delivered(MessageId(4))]);
    assert_eq!(sent(&database, 10, Kept), []);
    assert_eq!(mirrored(&database, 1, 7, Some(false)), Some(Delivered));
    assert_eq!(mirrored(&database, 2, 11, Some(false)), Some(Kept));
    assert_eq!(mirrored(&database, 3, 12, Some(true)), Some(Sent));
    assert_eq!(mirrored(&database, 4, 13, None), Some(Sent), "an earlier server does not say");
    let all = [Delivered, Delivered, Delivered, Delivered, Kept, Delivered, Kept, Sent, Sent];
    assert_eq!(states(&database), all);
    assert_eq!(database.kept().expect("read").delivered, 6);
    drop(database);
    let database = open(dir.path());
    assert_eq!((states(&database), database.kept().expect("read").delivered), (all.to_vec(), 6));
}

#[test]
fn only_what_the_server_had_is_delivered_and_of_a_new_account_only_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    for (row, state) in [(3, Failed), (4, MaybeSentTwice), (5, Kept), (6, Kept)] {
        sent(&database, row, state);
    }
    database.run(&[Op::Write(Write::Outgoing { request: 1, to: b(), text: "not sent".into(), unix_ms: 0 })]);
    deliver(&database, 1, &[(3, 5)]);
    assert_eq!(states(&database), [Failed, MaybeSentTwice, Delivered, Kept, SendState::Waiting]);
    // b was deleted with what it had not fetched, and is somebody else now.
    sent(&database, 20, Kept);
    assert_eq!(deliver(&database, 2, &[(20, 20)]), [6]);
    assert_eq!(states(&database), [Failed, MaybeSentTwice, Delivered, Kept, SendState::Waiting, Delivered]);
}

#[test]
fn of_many_at_once_the_newest_are_named_and_all_are_delivered() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    for row in 1..=250 {
        sent(&database, row, Kept);
    }
    let done = database.run(&[Op::Write(Write::Delivered { version: 1, rows: vec![(b(), 1, 250)] })]);
    let [Done::Deliveries { ids, more: true, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!((ids.len(), ids.first(), ids.last()), (200, Some(&MessageId(250)), Some(&MessageId(51))));
    let shown = database.page(&b(), 0, 250).expect("read");
    assert!(shown.len() == 250 && shown.iter().all(|row| row.state == Some(Delivered)));
}

#[test]
fn what_the_server_has_of_before_says_how_far_it_has_come() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = open(dir.path());
    let past = |row: u64, from: &str, online, delivered| {
        let (from, text) = (from.to_owned(), format!("{from} {row}"));
        Past { row, from, writer: None, at: 7, text, online, delivered }
    };
    let messages = vec![
        past(1, "me", None, false),
        past(2, "me", Some(true), true),
        past(3, "b", None, false),
        past(4, "me", Some(false), false),
        past(5, "me", Some(true), false),
    ];
    database.run(&[Op::Write(Write::Past { own: Account::sanitised("me"), peer: b(), messages, more: false })]);
    assert_eq!(states(&database), [Sent, Delivered, Kept, Sent]);
    deliver(&database, 1, &[(1, 4)]);
    assert_eq!(states(&database), [Delivered, Delivered, Delivered, Sent]);
}
