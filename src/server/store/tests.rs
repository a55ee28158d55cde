use std::net::SocketAddr;

use super::*;
use crate::protocol::wire::frame::AccountSettings;
use crate::server::hasher::Hashed;

fn hashed() -> Hashed {
    Hashed { salt: vec![1], hash: vec![2] }
}

fn of_b(raw: Vec<u8>, text: String) -> NewMessage {
    NewMessage {
        receivers: vec![1],
        sender: "b".into(),
        author: 2,
        writer: None,
        raw,
        text,
        sent: 7,
        online: true,
        key: None,
        own: None,
    }
}

#[test]
fn what_was_committed_is_there_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let address: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let mut store = Store::open(dir.path()).expect("a new database");
    let register =
        |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 });
    let message = NewMessage {
        receivers: vec![1],
        sender: "b".into(),
        author: 2,
        writer: None,
        raw: b"hi".to_vec(),
        text: "hi".into(),
        sent: 7,
        online: true,
        key: None,
        own: None,
    };
    let done = store.run(&[
        register(1, "a"),
        register(2, "b"),
        register(3, "a"),
        Op::Write(Write::Session { job: 4, account: 1, address, end: None, at: 0 }),
        Op::Write(Write::Message { job: 5, message }),
        Op::Read(Read::Offer { job: 6, account: 1, from: Some("x".into()) }),
    ]);
    assert_eq!(
        done.done,
        [
            Done::Registered { job: 1, account: Some(1), at: 0 },
            Done::Registered { job: 2, account: Some(2), at: 0 },
            Done::Registered { job: 3, account: None, at: 0 },
            Done::Ok { job: 4 },
            Done::Kept { job: 5, rows: vec![1], own: None, sent: 7, again: false, online: Some(true) },
            Done::Offered { job: 6, message: None },
        ]
    );
    drop(store);
    let mut store = Store::open(dir.path()).expect("the same database");
    let all = store.everybody();
    assert_eq!(
        all.iter().map(|of| (&*of.name, of.session)).collect::<Vec<_>>(),
        [("a", Some((address, 0))), ("b", None)]
    );
    assert_eq!((all[0].id, all[0].unread.get("b")), (1, Some(&1)));
    let offer = Op::Read(Read::Offer { job: 1, account: 1, from: None });
    assert!(
        matches!(&store.run(std::slice::from_ref(&offer)).done[..], [Done::Offered { message: Some(m), .. }] if m.text == "hi")
    );
    store.run(&[Op::Write(Write::Taken { message: 1, at: 9 })]);
    assert_eq!(store.run(&[offer]).done, [Done::Offered { job: 1, message: None }]);
}

#[test]
fn what_somebody_wrote_who_is_just_deleted_is_kept_as_nobodys() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    let register =
        |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 });
    let write = |job| Op::Write(Write::Message { job, message: of_b(b"hi".to_vec(), "hi".into()) });
    store.run(&[register(1, "a"), register(2, "b"), register(3, "c")]);
    let done = store.run(&[write(4), Op::Write(Write::Delete { job: 5, account: 2 }), write(6), register(7, "d")]);
    assert_eq!(done.error, None, "what else is asked is not harmed");
    assert!(matches!(done.done[2], Done::Kept { job: 6, .. }), "{done:?}");
    let query = "SELECT count(*), count(author), (SELECT count(*) FROM delivered) FROM messages";
    let counts = store.connection().query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    assert_eq!(counts, Ok((1, 0, 0)), "what nobody had fetched is gone with them");
}

#[test]
fn at_the_quota_only_what_grows_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    store.limit(Some(120_000)).expect("limited");
    store.run(&[Op::Write(Write::Register { job: 0, name: "a".into(), hashed: hashed(), profile: None, at: 0 })]);
    let message = |job| {
        let raw = vec![b'x'; 900];
        let text = "x".repeat(900);
        Op::Write(Write::Message { job, message: of_b(raw, text) })
    };
    let kept = (1..200).find(|job| store.run(&[message(*job)]).error.is_some()).expect("a limit") - 1;
    assert!((10..60).contains(&kept), "{kept}");
    for n in 1..=kept {
        let offer = Op::Read(Read::Offer { job: 2, account: 1, from: None });
        let results = store.run(&[message(1), offer, Op::Write(Write::Taken { message: n as i64, at: 0 })]);
        let [Done::Failed { job: 1 }, Done::Offered { job: 2, message: Some(offered) }] = &results.done[..] else {
            panic!("{results:?}")
        };
        assert_eq!(offered.row, n as i64);
        assert!(results.error.is_some_and(|error| error.contains("full")));
    }
    store.limit(None).expect("no limit");
    assert!(matches!(&store.run(&[message(1)]).done[..], [Done::Kept { job: 1, .. }]));
}

#[test]
fn what_fails_uses_up_no_room_of_a_mailbox() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    let register =
        |name: &str| Op::Write(Write::Register { job: 0, name: name.into(), hashed: hashed(), profile: None, at: 0 });
    store.run(&[register("a"), register("b")]);
    store.mailboxes.set_most(3);
    let message = |job| Op::Write(Write::Message { job, message: of_b(vec![b'x'; 9_000], "x".repeat(900)) });
    assert!(matches!(&store.run(&[message(1)]).done[..], [Done::Kept { .. }]));
    store.limit(Some(1)).expect("full");
    let failed = store.run(&[message(2), message(3)]);
    assert_eq!(failed.done, [Done::Failed { job: 2 }, Done::Failed { job: 3 }]);
    store.limit(None).expect("room again");
    let done = store.run(&[message(4), message(5), message(6)]).done;
    assert!(
        matches!(&done[..], [Done::Kept { job: 4, .. }, Done::Kept { job: 5, .. }, Done::Full { job: 6 }]),
        "{done:?}"
    );
}

#[test]
fn another_who_writes_to_the_database_is_waited_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    let other = rusqlite::Connection::open(file(dir.path())).expect("the same");
    other.execute_batch("BEGIN IMMEDIATE; UPDATE versions SET reserved = reserved").expect("begun");
    let later = thread::spawn(move || {
        thread::sleep(std::time::Duration::from_millis(300));
        other.execute_batch("COMMIT").expect("committed");
    });
    let results =
        store.run(&[Op::Write(Write::Register { job: 1, name: "a".into(), hashed: hashed(), profile: None, at: 0 })]);
    later.join().expect("no panic");
    assert_eq!((results.done.len(), results.error), (1, None));
}

#[test]
fn damaged_and_newer_files_are_refused_with_a_sentence() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(file(dir.path()), b"this is not a database, but long enough to look at").expect("written");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged { .. })));
    // Damaged where no start-up looks by itself.
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("new");
    let (raw, text) = (vec![b'x'; 900], "x".repeat(900));
    let message = of_b(raw, text);
    let messages = (0..100).map(|job| Op::Write(Write::Message { job, message: message.clone() }));
    let account = Op::Write(Write::Register { job: 0, name: "a".into(), hashed: hashed(), profile: None, at: 0 });
    assert_eq!(store.run(&std::iter::once(account).chain(messages).collect::<Vec<_>>()).error, None);
    drop(store);
    let mut bytes = std::fs::read(file(dir.path())).expect("readable");
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xff);
    std::fs::write(file(dir.path()), bytes).expect("written");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged { .. })));
    let dir = tempfile::tempdir().expect("a folder");
    drop(Store::open(dir.path()).expect("new"));
    Connection::open(file(dir.path())).and_then(|c| c.execute_batch("PRAGMA user_version = 99")).expect("changed");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Newer { found: 99, .. })));
}

/// A class list that does not fit makes nothing else fail.
#[test]
fn what_is_too_large_fails_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a database");
    store.limit(Some(200_000)).expect("set");
    let register =
        |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 });
    let account = |n| crate::server::control::NewAccount {
        name: format!("{n:060}"),
        salt: crate::protocol::wire::frame::Key([1; 16]),
        hash: crate::protocol::wire::frame::Key([2; 32]),
        profile: None,
    };
    let list = |job, n: u32| Op::Write(Write::Import { job, accounts: (0..n).map(account).collect(), at: 0 });
    let results = store.run(&[register(1, "a"), list(2, 5_000), register(3, "b")]);
    assert!(results.error.is_some_and(|error| error.contains("full")));
    assert!(
        matches!(
            results.done[..],
            [
                Done::Registered { job: 1, account: Some(_), .. },
                Done::Failed { job: 2 },
                Done::Registered { job: 3, account: Some(_), .. }
            ]
        ),
        "{:?}",
        results.done
    );
    assert_eq!(store.everybody().len(), 2, "none of the list");
    let done = store.run(&[list(4, 3), list(5, 4)]).done;
    let news: Vec<usize> =
        done.iter().map(|done| if let Done::Imported { new, .. } = done { new.len() } else { 99 }).collect();
    assert_eq!((news, store.everybody().len()), (vec![3, 1], 6));
}

/// People as the engine gets them: by name or by address, with what waits for them.
#[test]
fn somebody_is_found_with_all_that_the_engine_has_of_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a database");
    let register =
        |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 5 });
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let session =
        |account, port, at| Op::Write(Write::Session { job: 0, account, address: address(port), end: None, at });
    let message = |job| Op::Write(Write::Message { job, message: of_b(b"hi".to_vec(), "hi".into()) });
    store.run(&[
        register(1, "a"),
        register(2, "b"),
        register(3, "c"),
        session(1, 9, 70),
        message(4),
        message(5),
        message(6),
    ]);
    let change = Op::Write(Write::Allow { job: 7, account: 1, change: Change::Beside(true) });
    store.run(&[change, Op::Write(Write::Taken { message: 1, at: 9 })]);
    let mut find =
        |sought: PersonKey, since| match &store.run(&[Op::Read(Read::Person { job: 8, sought, since })]).done[..] {
            [Done::Person { job: 8, person }] => person.as_deref().cloned(),
            other => panic!("{other:?}"),
        };
    let (settings, unread) = (AccountSettings { beside: true, secure_only: false }, [("b".to_owned(), 2)].into());
    let a = PersonRecord {
        id: 1,
        name: "a".into(),
        hashed: hashed(),
        settings,
        status: Default::default(),
        made: 5,
        unread,
        session: Some((address(9), 70)),
    };
    assert_eq!(find(PersonKey::Name("a".into()), 70), Some(a.clone()));
    assert_eq!(
        find(PersonKey::Name("a".into()), 71),
        Some(PersonRecord { session: None, ..a.clone() }),
        "that session is over"
    );
    assert_eq!(find(PersonKey::Address(address(9)), 70), Some(a.clone()));
    assert_eq!((find(PersonKey::Address(address(9)), 71), find(PersonKey::Address(address(8)), 0)), (None, None));
    assert_eq!(find(PersonKey::Name("A".into()), 0), None);
    // An address has one session: a login there ends the one before.
    store.run(&[session(2, 9, 80)]);
    let here = |store: &Store, since| {
        let Snapshot { accounts, here } = store.snapshot(since).expect("readable");
        (accounts, here.into_iter().map(|of| of.name).collect::<Vec<_>>())
    };
    assert_eq!((here(&store, 80), here(&store, 81)), ((3, vec!["b".into()]), (3, vec![])));
    // A message taken in the plain dialect no longer counts, even if that cannot be written. One that a device has
    // taken counts until it is written, since the result of the write lowers the count.
    store.connection().pragma_update(None, "query_only", true).expect("set");
    let taken =
        [Op::Write(Write::Taken { message: 2, at: 8 }), Op::Write(Write::TakenTo { account: 1, row: 3, at: 8 })];
    assert!(store.run(&taken).error.is_some());
    let unread = |store: &Store| store.everybody()[0].unread.get("b").copied();
    assert_eq!(unread(&store), Some(1));
    store.connection().pragma_update(None, "query_only", false).expect("set");
    let done = store.run(&[]).done;
    let took = |done: &Done| matches!(done, Done::Took { account: 1, senders, .. } if senders.get("b") == Some(&1));
    assert!(done.iter().any(took), "{done:?}");
    assert_eq!(unread(&store), None);
}

#[test]
fn accounts_are_listed_page_by_page() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a database");
    for (job, name) in (1..).zip(["c", "a", "b"]) {
        store.run(&[Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), profile: None, at: 0 })]);
    }
    store.run(&[Op::Write(Write::Message { job: 5, message: of_b(b"hi".to_vec(), "hi".into()) })]);
    let mut page = |after: Option<&str>| {
        let read = Read::Accounts { job: 9, after: after.map(Into::into), count: 2 };
        match &store.run(&[Op::Read(read)]).done[..] {
            [Done::Accounts { job: 9, rows, more }] => {
                (rows.iter().map(|row| (row.name.clone(), row.id, row.unread)).collect::<Vec<_>>(), *more)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(page(None), (vec![("a".into(), 2, 0), ("b".into(), 3, 0)], true));
    assert_eq!(page(Some("b")), (vec![("c".into(), 1, 1)], false));
    assert_eq!(page(Some("c")), (vec![], false));
}

/// A page of a conversation is read from neighbouring entries of an index, without searching other messages, even if
/// the other account is deleted or never existed.
#[test]
fn a_page_of_a_conversation_looks_through_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("a database");
    for (peer, peer_id, searched) in [
        ("b", Some(2), ["(author=? AND receiver=? AND id<?)"; 2].as_slice()),
        ("gone", None, &["(receiver=? AND sender=? AND id<?)"]),
        ("@lobby", None, &["(receiver=? AND id<?)"]),
    ] {
        let query = devices::of_past(peer, peer_id);
        let mut plan = store.connection().prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("valid");
        let none = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps = plan.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>("detail"));
        let steps: Vec<String> = steps.and_then(Iterator::collect).expect("a plan");
        let looks: Vec<&str> = steps.iter().filter(|step| step.contains(" messages")).map(String::as_str).collect();
        assert_eq!(looks.len(), searched.len(), "{peer}: {steps:?}");
        assert!(
            looks.iter().zip(searched).all(|(look, by)| look.starts_with("SEARCH") && look.ends_with(by)),
            "{steps:?}"
        );
    }
}
