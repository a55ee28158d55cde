use std::net::SocketAddr;

use super::*;
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
    let register = |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), at: 0 });
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
    let snapshot = store.snapshot().expect("readable");
    assert_eq!(snapshot.accounts.len(), 2);
    assert_eq!(snapshot.sessions, [(1, address, 0)]);
    assert_eq!(snapshot.unread.get(&1).and_then(|m| m.get("b")), Some(&1));
    let offer = Op::Read(Read::Offer { job: 1, account: 1, from: None });
    assert!(
        matches!(&store.run(std::slice::from_ref(&offer)).done[..], [Done::Offered { message: Some(m), .. }] if m.text == "hi")
    );
    store.run(&[Op::Write(Write::Taken { message: 1, at: 9 })]);
    assert_eq!(store.run(&[offer]).done, [Done::Offered { job: 1, message: None }]);
}

#[test]
fn at_the_quota_only_what_grows_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    store.limit(Some(100_000)).expect("limited");
    store.run(&[Op::Write(Write::Register { job: 0, name: "a".into(), hashed: hashed(), at: 0 })]);
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
    let account = Op::Write(Write::Register { job: 0, name: "a".into(), hashed: hashed(), at: 0 });
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

/// A class list that does not fit takes nothing else with it.
#[test]
fn what_is_too_large_fails_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a database");
    store.limit(Some(200_000)).expect("set");
    let register = |job, name: &str| Op::Write(Write::Register { job, name: name.into(), hashed: hashed(), at: 0 });
    let account = |n| crate::server::control::NewAccount {
        name: format!("{n:060}"),
        salt: crate::protocol::wire::frame::Key([1; 16]),
        hash: crate::protocol::wire::frame::Key([2; 32]),
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
    assert_eq!(store.snapshot().expect("readable").accounts.len(), 2, "none of the list");
    let done = store.run(&[list(4, 3), list(5, 4)]).done;
    let news: Vec<usize> =
        done.iter().map(|done| if let Done::Imported { new, .. } = done { new.len() } else { 99 }).collect();
    assert_eq!((news, store.snapshot().expect("readable").accounts.len()), (vec![3, 1], 6));
}
