#![allow(clippy::print_stdout, reason = "figures are shown with --nocapture")]

use super::*;
use crate::base::model::{Account, MessageId, SendState};
use crate::client::history::{Contact, MoreStrangers, Unsent};
use crate::client::session::StoreToken;

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn received(token: u64, from: &str, text: &str, repeat: bool) -> Op {
    let token = StoreToken::Secure(token);
    let server_time = "2026-11-21 12:04:58".to_owned();
    Op::Write(Write::Received {
        token,
        from: account(from),
        server_time,
        text: text.into(),
        raw: b"raw".to_vec(),
        repeat,
        unix_ms: 1,
        pushed: None,
        handed: None,
    })
}

fn outgoing(request: u64, text: &str) -> Op {
    Op::Write(Write::Outgoing { request, to: account("b"), text: text.into(), unix_ms: 2 })
}

#[test]
fn the_outbox_survives_and_what_was_on_its_way_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("server").join("a.sqlite");
    let database = Database::open(&path).expect("new");
    let kept = database.run(&[outgoing(1, "one"), outgoing(2, "two"), outgoing(3, "three")]);
    assert!(matches!(&kept[..], [Done::Kept { request: 1, id: Some(MessageId(1)), .. }, ..]));
    let sending = |id, state| Op::Write(Write::State { id: MessageId(id), state, secure: false });
    database.run(&[sending(1, SendState::Sent), sending(2, SendState::Sending)]);
    assert!(matches!(Database::open(&path), Err(HistoryError::Locked)));
    drop(database);
    let database = Database::open(&path).expect("again");
    let unsent = Unsent { id: MessageId(3), to: account("b"), text: "three".into(), again: false, made: None };
    assert_eq!(database.run(&[Op::Write(Write::Outbox)]), [Done::Outbox(vec![unsent])]);
    let page = Op::Read(Read::Page { peer: account("b"), first: 1, count: 1 });
    assert!(
        matches!(&database.run(&[page])[..], [Done::Page { rows, .. }] if rows[0].state == Some(SendState::MaybeSent))
    );
}

#[test]
fn conversations_count_what_was_not_seen() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let contact =
        |name: &str, blocked| Contact { account: account(name), remark: "友".into(), group: "课".into(), blocked };
    database.run(&[
        Op::Write(Write::Contact(contact("b", false))),
        Op::Write(Write::Contact(contact("c", true))),
        received(1, "b", "hi\nho", false),
        received(2, "b", "hi\nho", true),
        received(3, "c", "spam", false),
        received(4, "d", "who?", false),
    ]);
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
    assert_eq!(seen, [("d", true, 1), ("c", false, 0), ("b", false, 2)]);
    let Some(Done::Index { rows, .. }) = database.run(&[Op::Read(Read::Index(account("b")))]).pop() else {
        panic!("an index")
    };
    assert_eq!(rows.iter().map(|r| (r.chars, r.breaks)).collect::<Vec<_>>(), [(5, 1); 2]);
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer: account("b"), count: 9 })]).pop()
    else {
        panic!("rows")
    };
    let marks: Vec<_> = rows.iter().map(|row| (row.state, row.repeat)).collect();
    assert_eq!(marks, [(None, false), (None, true)], "what came again is there, and marked");
    database.run(&[Op::Write(Write::Seen { peer: account("b"), to: None })]);
    database.remove_contact(&account("b")).expect("off the list");
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    assert!(list.iter().any(|c| c.contact.account == account("b") && c.stranger && c.unread == 0));
}

#[test]
fn what_was_not_looked_at_stays_unread() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let unread = || match database.run(&[Op::Read(Read::Conversations)]).pop() {
        Some(Done::Conversations(list, _)) => list.first().map(|c| c.unread),
        other => panic!("{other:?}"),
    };
    let hi = |n: u64| received(n, "b", &format!("hi {n}"), false);
    let Some(Done::Stored { id: second, .. }) = database.run(&[hi(1), hi(2)]).pop() else { panic!("stored") };
    let looked = || Op::Write(Write::Seen { peer: account("b"), to: second });
    // A third one comes while the first two are looked at.
    database.run(&[hi(3), hi(4), looked()]);
    assert_eq!(unread(), Some(2));
    database.run(&[looked()]);
    assert_eq!(unread(), Some(2));
    database.run(&[hi(5), Op::Write(Write::Seen { peer: account("b"), to: None })]);
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
        Op::Write(Write::Received { token, from, server_time, text, raw, repeat, handed, .. }) => {
            let pushed = Some(crate::client::session::Pushed { row, after: (row > 1).then(|| row - 1), at });
            Op::Write(Write::Received { token, from, server_time, text, raw, repeat, unix_ms: came, pushed, handed })
        }
        other => other,
    };
    let mut ops: Vec<Op> = (1..).zip(days).map(|(row, at)| push(row, "b", at)).collect();
    ops.push(push(5, "early", days[0]));
    ops.push(push(6, "ahead", came / 1000 + 86_400));
    database.run(&ops);
    let Some(Done::Index { rows, .. }) = database.run(&[Op::Read(Read::Index(account("b")))]).pop() else {
        panic!("an index")
    };
    assert_eq!(rows.iter().map(|row| row.unix_ms).collect::<Vec<_>>(), days.map(|at| at * 1000));
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    let list: Vec<_> = list.iter().filter_map(|c| Some((c.contact.account.as_str(), c.last.as_ref()?.1))).collect();
    assert_eq!(list, [("ahead", came + 86_400_000), ("b", came), ("early", days[0] * 1000)]);
}

#[test]
fn a_flood_of_strangers_is_a_few_rows_and_a_number() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let mut ops: Vec<Op> = (0..200).map(|n| received(n, &format!("s{n:03}"), "buy", false)).collect();
    let lobby = Op::Write(Write::Outgoing { request: 0, to: Account::lobby(), text: "hi".into(), unix_ms: 0 });
    ops.insert(0, lobby);
    database.run(&ops);
    let list =
        |database: &Database| match database.run(&[Op::Read(Read::Conversations), Op::Read(Read::Conversations)]).pop()
        {
            Some(Done::Conversations(list, more)) => (list, more),
            other => panic!("{other:?}"),
        };
    let (rows, more) = list(&database);
    assert_eq!((rows.len(), more), (51, MoreStrangers { people: 150, unread: 150 }));
    assert_eq!(rows.first().map(|c| c.contact.account.as_str()), Some("s199"));
    assert!(rows.last().is_some_and(|c| c.contact.account.is_room()), "a room is never a stranger");
    // In the list they are none, and off it again they are.
    let s0 = Contact { account: account("s000"), remark: String::new(), group: String::new(), blocked: false };
    database.run(&[Op::Write(Write::Contact(s0))]);
    assert_eq!(list(&database).1, MoreStrangers { people: 149, unread: 149 });
    database.remove_contact(&account("s000")).expect("off the list");
    database.run(&[Op::Write(Write::Seen { peer: account("s000"), to: None })]);
    assert_eq!(list(&database).1, MoreStrangers { people: 150, unread: 149 });
}

#[test]
fn an_import_adds_and_changes_only_what_it_says() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let old = Contact { account: account("b"), remark: "old".into(), group: "网络课".into(), blocked: true };
    database.run(&[Op::Write(Write::Contact(old.clone()))]);
    let path = dir.path().join("list.csv");
    let import = || Op::Write(Write::Import { path: path.clone(), own: account("me") });
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
        assert_eq!(done.len(), usize::from(!matches!(op, Op::Write(Write::Seen { .. }))));
        took
    };
    let first = time("the first page", Op::Read(Read::Page { peer: account("b"), first: 0, count: 50 }));
    let last = time("the last page", Op::Read(Read::Page { peer: account("b"), first: 99_950, count: 50 }));
    let index = time("the index", Op::Read(Read::Index(account("b"))));
    let list = time("the list", Op::Read(Read::Conversations));
    time("a search that finds nothing", Op::Read(Read::Search { text: "nowhere".into(), count: 50 }));
    let one = time("one more message", received(0, "b", "hi", false));
    time("reading it all", Op::Write(Write::Seen { peer: account("b"), to: None }));
    // Far above what it takes, and far below what a look at every message would.
    for took in [first, last, list, one] {
        assert!(took < index.max(std::time::Duration::from_millis(50)), "{took:?}");
    }
}
