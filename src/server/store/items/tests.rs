use serde_json::json;

use super::*;
use crate::server::store::{Op, Store, Write};

/// Makes a database with these accounts, numbered from 1.
pub(in crate::server::store) fn with(names: &[&str]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(dir.path()).expect("a new database");
    for name in names {
        let hashed = crate::server::hasher::Hashed { salt: vec![1], hash: vec![2] };
        let done =
            store.run(&[Op::Write(Write::Register { job: 1, name: (*name).to_owned(), hashed, profile: None, at: 9 })]);
        assert!(matches!(done.done[0], Done::Registered { account: Some(_), .. }));
    }
    (dir, store)
}

/// Returns all items of an account as a new device gets them, page by page, and checks their digest.
pub(in crate::server::store) fn all(store: &Store, account: AccountId) -> Vec<(String, String, Value)> {
    let (mut found, mut version, mut sum) = (Vec::new(), 0, 0_u64);
    loop {
        let page = after(store.connection(), account, version).expect("read");
        for item in &page.items {
            sum = sum.wrapping_add(item.digest());
        }
        found.extend(page.items.into_iter().filter_map(|item| Some((item.kind, item.key, item.value?))));
        version = page.version;
        if !page.more {
            assert_eq!(sum, page.digest, "the sum of what a device has");
            return found;
        }
    }
}

fn set(store: &Store, kind: Kind, key: &str, value: Option<&str>) -> Put {
    put(store.connection(), 1, (kind.name(), key), value, None).expect("written")
}

#[test]
fn a_device_gets_what_changed_after_its_version_and_the_sum_of_all() {
    let (_dir, store) = with(&["a", "b"]);
    assert_eq!(after(store.connection(), 1, 0).expect("read"), ItemPage::default());
    assert_eq!(set(&store, Kind::Muted, "b", Some("true")), Put::Changed);
    assert_eq!(set(&store, Kind::Muted, "b", Some("true")), Put::Same);
    assert_eq!(set(&store, Kind::Draft, "b", Some("\"x\"")), Put::Changed);
    assert_eq!(set(&store, Kind::Muted, "b", None), Put::Changed);
    assert_eq!(set(&store, Kind::Pinned, "b", None), Put::Same, "it was not there");
    let page = after(store.connection(), 1, 1).expect("read");
    let expected = [Item::new(Kind::Draft, "b", Some(json!("x"))), Item::new(Kind::Muted, "b", None)];
    assert_eq!((page.version, page.anew, page.more), (3, false, false));
    assert_eq!(page.items, expected);
    assert_eq!(page.digest, expected[0].digest());
    assert_eq!(all(&store, 1), [("draft".to_owned(), "b".to_owned(), json!("x"))]);
    assert_eq!(all(&store, 2), []);
}

#[test]
fn a_device_from_a_lost_future_or_a_long_absence_begins_anew() {
    let (_dir, store) = with(&["a"]);
    set(&store, Kind::Pinned, "b", Some("true"));
    let page = after(store.connection(), 1, 7).expect("read");
    assert!(page.anew && page.version == 1 && page.items.len() == 1, "{page:?}");
    for n in 0..=REMOVED {
        set(&store, Kind::Muted, &format!("k{n}"), Some("true"));
        set(&store, Kind::Muted, &format!("k{n}"), None);
    }
    let page = after(store.connection(), 1, 2).expect("read");
    assert!(page.anew && page.items.len() == 1, "what was removed is not remembered any more");
    let rows: i64 = store.connection().query_row("SELECT count(*) FROM items", [], |row| row.get(0)).expect("a count");
    assert_eq!(rows, 1);
    let version = page.version;
    set(&store, Kind::Pinned, "b", None);
    let page = after(store.connection(), 1, version).expect("read");
    assert_eq!((page.anew, page.items.as_slice(), page.digest), (false, &[Item::new(Kind::Pinned, "b", None)][..], 0));
}

#[test]
fn many_items_come_in_pages_that_fit_into_a_frame() {
    let (_dir, store) = with(&["a"]);
    let text = format!("\"{}\"", "\\\"".repeat(1_000));
    for n in 0..600 {
        let long = n % 3 == 0;
        set(&store, Kind::Draft, &format!("k{n:03}"), Some(if long { &text } else { "\"x\"" }));
    }
    assert_eq!(all(&store, 1).len(), 600);
    let page = after(store.connection(), 1, 0).expect("read");
    let frame = crate::protocol::wire::frame::FromServer::Items {
        version: 1,
        anew: true,
        items: page.items,
        more: page.more,
        digest: None,
    };
    let bytes = frame.encode().len();
    assert!(page.more && bytes > 8_000 && bytes < 60_000, "{bytes}");
}

#[test]
fn the_number_of_items_is_bounded_and_removing_one_makes_room() {
    let (_dir, mut store) = with(&["a"]);
    for n in 0..MOST {
        set(&store, Kind::Muted, &format!("k{n}"), Some("true"));
    }
    let one = |store: &mut Store, key: &str, value: Option<&str>| {
        let value = value.map(str::to_owned);
        let write = Write::SetItem { job: 1, account: 1, kind: Kind::Muted, key: key.to_owned(), value };
        store.run(&[Op::Write(write)]).done.remove(0)
    };
    let changed = |outcome, lists| Done::Changed { job: 1, outcome, lists, delivered: Vec::new() };
    assert_eq!(one(&mut store, "more", Some("true")), changed(Outcome::TooMany, vec![]));
    assert_eq!(one(&mut store, "k5", Some("true")), changed(Outcome::Done, vec![]), "as it was");
    let name = Write::Name { job: 1, account: 1, name: Some("x".into()) };
    assert_eq!(store.run(&[Op::Write(name)]).done, [changed(Outcome::TooMany, vec![])], "and the operator hears of it");
    assert_eq!(one(&mut store, "k5", None), changed(Outcome::Done, vec![1]));
    assert_eq!(one(&mut store, "more", Some("true")), changed(Outcome::Done, vec![1]));
}

#[test]
fn what_was_read_only_rises() {
    let (_dir, mut store) = with(&["a"]);
    let mut read = |row: i64| {
        let value = Some(row.to_string());
        let write = Write::SetItem { job: 1, account: 1, kind: Kind::Read, key: "b".into(), value };
        matches!(&store.run(&[Op::Write(write)]).done[0], Done::Changed { lists, .. } if !lists.is_empty())
    };
    assert_eq!([read(5), read(3), read(5), read(7)], [true, false, false, true]);
}
