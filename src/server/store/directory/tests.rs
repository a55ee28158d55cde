use super::super::items::tests::with;
use super::*;
use crate::protocol::wire::frame::Key;
use crate::protocol::wire::item::Kind;
use crate::server::control::NewAccount;
use crate::server::hasher::Hashed;
use crate::server::store::{Done, Op, Read, Store, Write};

fn is_called(account: AccountId, name: &str) -> Op {
    let value = (!name.is_empty()).then(|| format!(r#"{{"name":"{name}"}}"#));
    Op::Write(Write::SetItem { job: 1, account, kind: Kind::Profile, key: String::new(), value })
}

fn register(account: &str, name: &str) -> Op {
    let hashed = Hashed { salt: vec![1], hash: vec![2] };
    Op::Write(Write::Register { job: 1, name: account.into(), hashed, profile: Profile::named(name).ok(), at: 9 })
}

fn find(text: &str) -> Op {
    Op::Read(Read::Find { job: 1, text: text.into() })
}

/// Whom one answer names, and whether there are others.
fn named(done: Done) -> Option<(String, bool)> {
    let Done::Found { found, .. } = done else { panic!("{done:?}") };
    found.map(|Found { people, more }| {
        (people.iter().map(|card| card.account.as_str()).collect::<Vec<_>>().join(" "), more)
    })
}

/// The accounts that are found, as the engine asks for them: until there is an answer.
fn found(store: &mut Store, text: &str) -> String {
    (0..99).find_map(|_| named(store.run(&[find(text)]).done.remove(0))).expect("an answer").0
}

/// The same by what is in memory and by what a server finds that is started now.
#[track_caller]
fn finds(store: &mut Store, text: &str, expected: &str) {
    assert_eq!(found(store, text), expected, "{text}");
    store.directory.forget();
    assert_eq!(found(store, text), expected, "{text}, read anew");
}

#[test]
fn accounts_come_before_names_and_beginnings_before_parts() {
    let (_dir, mut store) = with(&["wang", "wangwei", "z1", "z2", "z3", "z4", "Ｗang2"]);
    store.run(&[
        is_called(3, "王伟明"),
        is_called(4, "小王"),
        is_called(5, "Wang"),
        is_called(6, "老王八"),
        is_called(2, "x"),
    ]);
    finds(&mut store, "WANG", "wang Ｗang2 wangwei z3 z1 z2 z4");
    finds(&mut store, "王", "z1 z2 z4");
    finds(&mut store, "ww", "z1");
    finds(&mut store, "王伟", "z1");
    finds(&mut store, "ＷＡＮＧＷ", "wangwei z1");
    finds(&mut store, "angwei", "");
    finds(&mut store, "z", "z1 z2 z3 z4");
    let Done::Found { found: Some(found), .. } = store.run(&[find("z1")]).done.remove(0) else { panic!("found") };
    assert_eq!(serde_json::to_string(&found.people).expect("JSON"), r#"[{"account":"z1","name":"王伟明"}]"#);
}

#[test]
fn whoever_comes_goes_or_is_called_otherwise_is_found_so_after_the_commit() {
    let (_dir, mut store) = with(&["a", "b"]);
    assert_eq!(found(&mut store, "li"), "");
    store.run(&[register("c", "李四"), is_called(1, "李一")]);
    assert_eq!(found(&mut store, "李"), "a c");
    store.run(&[is_called(1, "王一"), register("c", "taken"), is_called(2, "李二")]);
    assert_eq!(found(&mut store, "李"), "b c");
    // The row of the youngest account is another one's after it.
    store.run(&[Op::Write(Write::Delete { job: 1, account: 3 })]);
    assert_eq!(found(&mut store, "李"), "b");
    store.run(&[register("d", "李五"), is_called(2, "")]);
    assert_eq!(found(&mut store, "李"), "d");
    let new = |name: &str, shown: &str| {
        let (salt, hash) = (Key([1; 16]), Key([2; 32]));
        NewAccount { name: name.into(), salt, hash, profile: Profile::named(shown).ok() }
    };
    let accounts = vec![new("e1", ""), new("e2", "赵六"), new("d", "taken"), new("b", "赵七")];
    store.run(&[Op::Write(Write::Import { job: 1, accounts, at: 9 })]);
    finds(&mut store, "e", "e1 e2");
    finds(&mut store, "d", "d");
    finds(&mut store, "zhao", "b e2");
    store.run(&[Op::Write(Write::Name { job: 1, account: 3, name: Some("赵八".into()) })]);
    finds(&mut store, "赵", "b d e2");
    store.run(&[Op::Write(Write::Name { job: 1, account: 3, name: None })]);
    finds(&mut store, "赵", "b e2");
}

#[test]
fn what_is_not_committed_is_not_found() {
    let (dir, mut store) = with(&["a"]);
    store.run(&[is_called(1, "before")]);
    assert_eq!(found(&mut store, "before"), "a");
    let other = Connection::open(crate::server::store::file(dir.path())).expect("there");
    // Whatever is stored fails from now on; who is new was read in the transaction that fails.
    let fails = "CREATE TEMP TRIGGER fails BEFORE INSERT ON messages BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
    store.connection().execute_batch(fails).expect("a trigger");
    let hashed = Hashed { salt: vec![1], hash: vec![2] };
    let message = crate::server::store::NewMessage {
        receivers: vec![1],
        sender: "a".into(),
        author: 1,
        writer: None,
        raw: vec![],
        text: "x".into(),
        sent: 1,
        online: false,
        key: None,
        own: None,
    };
    let message = Op::Write(Write::Message { job: 2, message });
    let done = store.run(&[is_called(1, "after"), register("ghost", ""), find("ghost"), message]).done;
    assert!(done.contains(&Done::Failed { job: 2 }), "{done:?}");
    store.connection().execute_batch("DROP TRIGGER fails").expect("dropped");
    assert_eq!(
        (found(&mut store, "ghost"), found(&mut store, "before"), found(&mut store, "after")),
        (String::new(), "a".into(), String::new())
    );
    // Another one who writes to the database is noticed.
    other.execute("INSERT INTO accounts (name, salt, hash, created) VALUES ('new', x'', x'', 0)", []).expect("written");
    drop(hashed);
    assert_eq!(found(&mut store, "new"), "new");
}

#[test]
fn many_are_read_piece_by_piece_and_the_best_of_them_named() {
    let (_dir, mut store) = with(&[]);
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT INTO accounts (name, salt, hash, created) SELECT printf('%06d', 900000 - i), x'', x'', 0 FROM n",
        2 * PIECE + 5
    );
    store.connection().execute_batch(&fill).expect("written");
    let asked = (0..9).map(|_| named(store.run(&[find("8")]).done.remove(0))).take_while(Option::is_none).count();
    assert_eq!(asked, 2, "each question reads a piece");
    let (accounts, more) = named(store.run(&[find("89")]).done.remove(0)).expect("all are read");
    let expected: Vec<String> = (0..PEOPLE).map(|n| format!("{:06}", 900_000 - 2 * PIECE - 5 + n)).collect();
    assert_eq!((accounts, more), (expected.join(" "), true));
    assert_eq!(named(store.run(&[find("899999")]).done.remove(0)), Some(("899999".into(), false)));
}

#[test]
fn without_a_directory_only_who_knows_an_account_finds_it() {
    let (_dir, mut store) = with(&["andr\u{e9}", "andrea"]);
    store.run(&[is_called(1, "王")]);
    store.set_directory(false);
    for (text, expected) in
        [("andr\u{e9}", "andr\u{e9}"), ("andre\u{301}", "andr\u{e9}"), ("andr", ""), ("王", ""), ("ANDREA", "")]
    {
        assert_eq!(found(&mut store, text), expected, "{text}");
    }
    store.run(&[register("b", "x")]);
    assert_eq!((store.directory.upto.get(), store.directory.people.borrow().len()), (0, 0), "nothing is kept for it");
}

#[test]
fn long_names_take_bounded_room() {
    let entry = Entry::new(1, &"\u{fdfa}".repeat(21), &"\u{fdfa}".repeat(32));
    assert!(entry.texts.len() <= 2 * KEPT && entry.account().len() > KEPT - 4, "{}", entry.texts.len());
    assert_eq!(size_of::<Entry>(), 32);
}

#[test]
fn the_names_are_read_from_their_index() {
    let (_dir, store) = with(&["a"]);
    store.directory.read_on(store.connection()).expect("read");
    let plan = "EXPLAIN QUERY PLAN SELECT a.id, a.name, i.value FROM accounts a
         LEFT JOIN items i INDEXED BY profiles ON i.account = a.id AND i.kind = 'profile' AND i.value IS NOT NULL
         WHERE a.id > 1 ORDER BY a.id LIMIT 5";
    let mut plan = store.connection().prepare(plan).expect("valid");
    let steps: Vec<String> =
        plan.query_map([], |row| row.get("detail")).expect("a plan").map(|step| step.expect("a step")).collect();
    assert!(steps.iter().any(|step| step.contains("COVERING INDEX profiles (account=?)")), "{steps:#?}");
    assert!(!steps.iter().any(|step| step.contains("B-TREE")), "{steps:#?}");
}
