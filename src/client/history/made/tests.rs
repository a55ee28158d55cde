use super::*;
use crate::client::history::{Op, Read, Write, put_aside};

fn b() -> Account {
    Account::sanitised("b")
}

fn write(text: &str) -> Op {
    Op::Write(Write::Outgoing { request: 0, to: b(), text: text.into(), unix_ms: 1 })
}

fn made(made: i64, unix_ms: i64) -> Op {
    Op::Write(Write::Made { peer: b(), made, unix_ms })
}

#[test]
fn a_conversation_says_from_where_on_it_is_with_somebody_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    let meant = |done: &[Done]| match done.first() {
        Some(Done::Kept { id: Some(id), made, .. }) => (id.0, *made),
        other => panic!("{other:?}"),
    };
    assert_eq!(meant(&database.run(&[write("to whoever")])), (1, None));
    assert_eq!(database.run(&[made(100, 5_000), made(100, 5_000)]), [], "nothing else was known");
    assert_eq!(meant(&database.run(&[write("to the first")])), (2, Some(100)));
    let done = database.run(&[made(200, 7_000)]);
    let [Done::Made { peer, row }] = &done[..] else { panic!("{done:?}") };
    assert_eq!((peer.as_str(), row.note, row.unix_ms, row.state), ("b", true, 7_000, None));
    assert!(row.text.contains(&crate::client::history::time_of(200)), "{}", row.text);
    assert_eq!(meant(&database.run(&[write("to the second")])), (4, Some(200)));
    drop(database);
    let database = Database::open(&path).expect("again");
    assert_eq!(database.run(&[made(200, 9_000)]), [], "it is known");
    let rows = database.last(&b(), 9).expect("read");
    let told: Vec<_> = rows.iter().map(|row| (row.note, row.state)).collect();
    let waits = Some(SendState::Waiting);
    assert_eq!(told, [(false, waits), (false, waits), (true, None), (false, waits)]);
    assert_eq!(rows, database.page(&b(), 0, 9).expect("read"));
    let notes: Vec<_> = database.index(&b()).expect("read").iter().map(|row| row.note).collect();
    assert_eq!(notes, [false, false, true, false]);
    assert_eq!(database.found("20", 9).expect("read"), [], "it is nobody's message");
    // The last message of the list is one.
    let done = database.run(&[Op::Write(Write::Withdraw(vec![MessageId(4)])), Op::Read(Read::Conversations)]);
    let Some(Done::Conversations(list, _)) = done.last() else { panic!("{done:?}") };
    let last: Vec<_> = list.iter().map(|c| (c.last.as_ref().map(|(text, _)| text.as_str()), c.unread)).collect();
    assert_eq!(last, [(Some("to the first"), 0)]);
}

#[test]
fn only_a_word_of_its_writer_sends_a_message_to_somebody_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    database.run(&[made(100, 0), write("one"), write("two"), made(200, 0)]);
    let outbox = |database: &Database| {
        let Some(Done::Outbox(unsent)) = database.run(&[Op::Write(Write::Outbox)]).pop() else { panic!("an outbox") };
        unsent.iter().map(|m| (m.text.clone(), m.made)).collect::<Vec<_>>()
    };
    assert_eq!(outbox(&database), [("one".into(), Some(100)), ("two".into(), Some(100))]);
    let state = |id, state| Op::Write(Write::State { id: MessageId(id), state, secure: true });
    database.run(&[
        Op::Write(Write::Refused { id: MessageId(1), state: SendState::MadeAnew }),
        state(2, SendState::Failed),
    ]);
    assert_eq!(outbox(&database), [], "nothing goes by itself");
    let again = |id, text: &str| {
        let text = MessageText::parse(text).expect("valid");
        match database.run(&[Op::Write(Write::Resend { id: MessageId(id), to: b(), text })]).pop() {
            Some(Done::Resent { to, .. }) => to.made,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(again(1, "one"), Some(200), "its writer was told");
    assert_eq!(again(2, "two"), Some(100), "and of this one not");
    assert_eq!(outbox(&database), [("one".into(), Some(200)), ("two".into(), Some(100))]);
}

#[test]
fn a_history_is_put_aside_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    for n in 1..=2 {
        let database = Database::open(&path).expect("new");
        assert_eq!(database.kept().expect("read").made, None);
        database.run(&[Op::Write(Write::OwnMade(n)), write(&format!("of {n}"))]);
        assert!(put_aside(&path).is_err(), "it is open");
        drop(database);
        std::fs::write(dir.path().join("a.v3.sqlite"), "a copy of before").expect("written");
        let aside = put_aside(&path).expect("aside");
        let name = if n == 1 { "a.earlier.sqlite" } else { "a.earlier-2.sqlite" };
        assert_eq!(aside, dir.path().join(name));
        assert!(!path.exists() && !dir.path().join("a.v3.sqlite").exists());
        let kept = Database::open(&aside).expect("whole");
        assert_eq!(kept.kept().expect("read").made, Some(n));
        assert_eq!(kept.last(&b(), 9).expect("read").len(), 1);
    }
}
