use super::*;
use crate::client::history::{Database, Done, Op, Read, Write};

#[test]
fn an_older_history_is_backed_up_and_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let old = Connection::open(&path).expect("new");
    old.execute_batch(FIRST).expect("as it was");
    old.execute_batch(
        "INSERT INTO contacts VALUES ('b', '', '', 0);
         INSERT INTO messages (peer, outgoing, text, raw, unix_ms, seen) VALUES
             ('b', 0, 'one', '', 1, 0), ('b', 1, 'two', '', 2, 1), ('c', 0, 'three', '', 3, 0);
         PRAGMA user_version = 1;",
    )
    .expect("as it was");
    drop(old);
    // Left by an attempt that was interrupted.
    std::fs::write(dir.path().join("a.v1.new"), "half a copy").expect("written");
    let database = Database::open(&path).expect("up to date");
    let Some(Done::Conversations(list, _)) = database.run(&[Op::Read(Read::Conversations)]).pop() else {
        panic!("a list")
    };
    let seen: Vec<_> = list.iter().map(|c| (c.contact.account.as_str(), c.stranger, c.unread)).collect();
    assert_eq!(seen, [("c", true, 1), ("b", false, 1)]);
    assert!(!dir.path().join("a.v1.new").exists());
    let backup = Connection::open(dir.path().join("a.v1.sqlite")).expect("beside it");
    assert_eq!(backup.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)), Ok(3));
}

#[test]
fn a_history_that_cannot_be_copied_is_not_changed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let old = Connection::open(&path).expect("new");
    old.execute_batch(&[FIRST, "PRAGMA user_version = 1;"].concat()).expect("as it was");
    // A folder stands where the copy would be made.
    std::fs::create_dir_all(dir.path().join("a.v1.new/in the way")).expect("made");
    let named = dir.path().join("a.v1.sqlite");
    assert!(matches!(Database::open(&path), Err(HistoryError::File { path, .. }) if path == named));
    let version = |c: &Connection| c.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    assert_eq!(version(&old), Ok(1));
    std::fs::remove_dir_all(dir.path().join("a.v1.new")).expect("out of the way");
    drop(Database::open(&path).expect("up to date"));
    assert_eq!(version(&old), Ok(SCHEMA_VERSION));
}

#[test]
fn messages_of_before_get_their_moments_as_far_as_they_are_known() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let old = Connection::open(&path).expect("new");
    FORM.of_version(6).bring_up_to_date(&old, &path).expect("as it was");
    // Pushed, from another zone, handed out in plain, unreadable, one's own, and read back from the server.
    let came = 1_796_049_000_000_i64;
    let at = (came - 3 * 86_400_000) / 1000;
    let rows = [
        ("pushed", 0, came, Some(crate::client::history::time_of(at)), None, Some(5), None),
        ("later than it came", 0, came, Some(crate::client::history::time_of(at + 4 * 86_400)), None, Some(6), None),
        ("plain", 0, came, Some("2026-11-27 14:30:00".to_owned()), Some("2026-11-27 14:30:00"), None, None),
        ("unreadable", 0, came, Some("soon".to_owned()), Some("soon"), None, None),
        ("own", 1, came, None, None, None, None),
        ("read back", 0, at * 1000, Some("2026-11-27 14:30:00".to_owned()), None, Some(1), Some(1)),
    ];
    for (text, outgoing, unix_ms, time, plain, server_row, place) in rows {
        old.execute(
            "INSERT INTO messages (peer, outgoing, text, raw, unix_ms, server_time, plain, server_row, place, seen)
             VALUES ('b', ?, ?, '', ?, ?, ?, ?, ?, 1)",
            rusqlite::params![outgoing, text, unix_ms, time, plain, server_row, place],
        )
        .expect("as it was");
    }
    drop(old);
    let database = Database::open(&path).expect("up to date");
    let peer = crate::base::model::Account::sanitised("b");
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer, count: 9 })]).pop() else {
        panic!("rows")
    };
    let known: Vec<_> = rows.iter().map(|row| (row.text.as_str(), row.moment(), row.server_time.as_deref())).collect();
    assert_eq!(
        known,
        [
            ("read back", Some(at * 1000), None),
            ("pushed", Some(at * 1000), None),
            ("later than it came", Some(came), None),
            ("plain", None, Some("2026-11-27 14:30:00")),
            ("unreadable", None, Some("soon")),
            ("own", Some(came), None),
        ]
    );
    // Once its zone is known, the one that can be read has its moment.
    database.run(&[Op::Write(Write::Zone(8 * 3600))]);
    let peer = crate::base::model::Account::sanitised("b");
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer, count: 9 })]).pop() else {
        panic!("rows")
    };
    let plain = rows.iter().find(|row| row.text == "plain").expect("there");
    assert_eq!(plain.moment(), Some(at * 1000 - 8 * 3_600_000));
}

#[test]
fn of_who_was_blocked_before_it_is_known_or_said_whether_they_are_friends() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let old = Connection::open(&path).expect("new");
    FORM.of_version(5).bring_up_to_date(&old, &path).expect("as it was");
    old.execute_batch(
        "INSERT INTO contacts VALUES ('friend', '', '', 0), ('named', 'N', '', 1), ('grouped', '', 'G', 1),
             ('either', '', '', 1), ('kept', '', '', 1);",
    )
    .expect("as it was");
    drop(old);
    let database = Database::open(&path).expect("up to date");
    let account = crate::base::model::Account::sanitised;
    let block = |name: &str, blocked| database.run(&[Op::Write(Write::Block { account: account(name), blocked })]);
    // Since then a friend is known to be one, also without a remark; so is a stranger.
    assert!(block("friend", true).is_empty() && block("stranger", true).is_empty());
    for known in ["friend", "named", "grouped", "stranger"] {
        assert_eq!(block(known, false), [], "{known}");
    }
    assert_eq!(block("either", false), [Done::Unblocked(account("either"))]);
    // This is reported once; somebody who is added by hand is known to be in the list.
    assert!(block("either", true).is_empty() && block("either", false).is_empty());
    let contact = |blocked| crate::client::history::Contact {
        account: account("kept"),
        remark: String::new(),
        group: String::new(),
        blocked,
    };
    database.run(&[Op::Write(Write::Contact(contact(true)))]);
    assert_eq!(block("kept", false), []);
    let friends: Vec<_> = database.contacts().expect("read").into_iter().map(|(c, is)| (c.account, is)).collect();
    let expected = ["either", "friend", "kept", "named", "grouped"].map(|name| (account(name), true));
    assert_eq!(friends, expected);
}

#[test]
fn newer_and_damaged_files_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    drop(Database::open(&path).expect("new"));
    let newer = SCHEMA_VERSION + 1;
    Connection::open(&path).and_then(|c| c.pragma_update(None, "user_version", newer)).expect("changed");
    assert!(matches!(Database::open(&path), Err(HistoryError::Newer { found, .. }) if found == newer));
    let path = dir.path().join("b.sqlite");
    std::fs::write(&path, "this is not a database, but long enough to look at").expect("written");
    assert!(matches!(Database::open(&path), Err(HistoryError::Damaged { .. })));
}
