use super::*;
use crate::base::model::{Account, MessageId, SendState};
use crate::client::history::{Done, Op, Read, Unsent, Write};
use crate::client::session::StoreToken;
use crate::protocol::wire::frame::Past;

fn pushed(token: u64, row: u64, after: Option<u64>) -> Op {
    Op::Write(Write::Received {
        token: StoreToken::Secure(token),
        from: Account::sanitised("b"),
        server_time: String::new(),
        text: row.to_string(),
        raw: Vec::new(),
        repeat: false,
        unix_ms: 0,
        pushed: Some(Pushed { row, after, at: 0 }),
        handed: None,
    })
}

#[test]
fn a_message_and_the_cursor_are_stored_together_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    let new = database.kept().expect("read");
    assert_eq!((new.token, new.cursor, new.newest), (None, None, 0));
    let ops = [pushed(1, 5, None), pushed(2, 8, Some(5)), pushed(3, 12, Some(9)), pushed(4, 13, Some(12))];
    let stored: Vec<_> =
        database.run(&ops).into_iter().map(|done| matches!(done, Done::Stored { id: Some(_), .. })).collect();
    assert_eq!(stored, [true, true, false, false], "none is stored when the one before it is not");
    let token = Some(Key([7; 32]));
    database.run(&[Op::Write(Write::Token(token))]);
    drop(database);
    let database = Database::open(&path).expect("again");
    let kept = database.kept().expect("read");
    assert_eq!(
        kept,
        DeviceState { device: new.device, token, cursor: Some(8), newest: 2, delivered: 0, items: 0, made: None }
    );
    assert_eq!(
        database.run(&[pushed(5, 8, Some(5))]),
        [Done::Stored { token: StoreToken::Secure(5), id: None, known: false, state: None }]
    );
    let renamed = database.run(&[Op::Write(Write::NewDevice)]);
    let kept = database.kept().expect("read");
    assert_eq!(renamed, [Done::Renamed(Some(kept.device))]);
    assert!(kept.device != new.device && kept.token.is_none() && kept.cursor == Some(8));
}

#[test]
fn what_was_handed_out_in_plain_is_known_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let plain = |token: u64, text: &str| match pushed(token, 0, None) {
        Op::Write(Write::Received { token, from, raw, .. }) => {
            let (server_time, text) = ("12:04:58".to_owned(), text.to_owned());
            let (repeat, unix_ms, pushed, handed) = (false, 0, None, None);
            Op::Write(Write::Received { token, from, server_time, text, raw, repeat, unix_ms, pushed, handed })
        }
        other => other,
    };
    let again = |row: u64, said: &str, time: Option<&str>| match pushed(row, row, Some(row - 1).filter(|n| *n > 0)) {
        Op::Write(Write::Received { token, from, server_time, raw, repeat, unix_ms, pushed, .. }) => {
            let (text, handed) = (said.to_owned(), time.map(str::to_owned));
            Op::Write(Write::Received { token, from, server_time, text, raw, repeat, unix_ms, pushed, handed })
        }
        other => other,
    };
    database.run(&[plain(91, "hi"), plain(92, "hi"), plain(93, "ho")]);
    let at = Some("12:04:58");
    let ops = [
        again(1, "hi", at),
        again(2, "hi", at),
        again(3, "hi", at),
        again(4, "ho", None),
        again(5, "ho", Some("12:04:59")),
        again(6, "ho", at),
    ];
    let known: Vec<_> = database
        .run(&ops)
        .into_iter()
        .map(|done| match done {
            Done::Stored { id: Some(MessageId(id)), known, .. } => (id, known),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [(1, true), (2, true), (4, false), (5, false), (6, false), (3, true)];
    assert_eq!(known, expected, "each answers for one, of the same time, that was handed out");
    assert_eq!(database.kept().expect("read").cursor, Some(6));
}

#[test]
fn what_was_handed_out_last_is_known_to_the_next_program() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    let plain = |token: u64| match pushed(token, token, None) {
        Op::Write(Write::Received { token, from, text, repeat, unix_ms, handed, .. }) => Op::Write(Write::Received {
            token,
            from,
            server_time: "12:04:58".to_owned(),
            raw: text.clone().into_bytes(),
            text,
            repeat,
            unix_ms,
            pushed: None,
            handed,
        }),
        other => other,
    };
    database.run(&[plain(1)]);
    assert_eq!(database.handed_last().expect("read"), None, "nobody counted");
    database.run(&[Op::Write(Write::Unread(3)), plain(2), plain(3)]);
    drop(database);
    let database = Database::open(&path).expect("again");
    let last =
        LastDelivery { from: Account::sanitised("b"), time: "12:04:58".into(), raw: b"3".to_vec(), left: Some(1) };
    assert_eq!(database.handed_last().expect("read"), Some(last));
    database.run(&[Op::Write(Write::Unread(0))]);
    assert_eq!(database.handed_last().expect("read"), None, "all is confirmed");
}

#[test]
fn what_an_earlier_version_hid_is_shown_once_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    database.run(&[pushed(1, 1, None), pushed(2, 2, Some(1))]);
    let shown = |database: &Database| database.last(&Account::sanitised("b"), 9).expect("read").len();
    let c = &database.connection;
    c.execute_batch("UPDATE messages SET repeat = 1 WHERE id = 2; DELETE FROM meta WHERE name = 'repeats_shown'")
        .expect("as it was");
    assert_eq!(shown(&database), 1);
    drop(database);
    assert_eq!(shown(&Database::open(&path).expect("again")), 2);
}

#[test]
fn what_another_device_sent_is_stored_unless_it_was_this_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let was = database.kept().expect("read").device;
    let to = Account::sanitised("b");
    let write = |text: &str| Op::Write(Write::Outgoing { request: 1, to: to.clone(), text: text.into(), unix_ms: 0 });
    database.run(&[write("one"), write("two"), Op::Write(Write::NewDevice), write("three")]);
    let own = |row: u64, text: &str, (device, counter): (Device, u64)| {
        Op::Write(Write::Own {
            token: StoreToken::Secure(row),
            to: to.clone(),
            text: text.into(),
            pushed: Pushed { row, after: Some(row - 1).filter(|n| *n > 0), at: 7 },
            by: SentBy { device, counter, accepted: Some(100 + row), online: None },
        })
    };
    let other = Key([9; 16]);
    let ops = [
        own(1, "two", (was, 2)),
        own(2, "one", (was, 2)),
        own(3, "three", (was, 3)),
        own(4, "one", (other, 1)),
        own(9, "late", (other, 2)),
        own(5, "read back", (other, 3)),
    ];
    // The server's history was read before it came.
    let past = Past {
        row: 105,
        from: "me".into(),
        writer: None,
        at: 7,
        text: "read back".into(),
        online: None,
        delivered: false,
    };
    let (me, b) = (Account::sanitised("me"), to.clone());
    database.run(&[Op::Write(Write::Past { own: me, peer: b, messages: vec![past], more: false })]);
    let known: Vec<_> = database
        .run(&ops)
        .into_iter()
        .map(|done| match done {
            Done::Stored { id, known, .. } => (id.map(|id| id.0), known),
            other => panic!("{other:?}"),
        })
        .collect();
    let new = |id| (Some(id), false);
    assert_eq!(known, [(Some(2), true), new(4), new(5), new(6), (None, false), (Some(-1), true)]);
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer: to.clone(), count: 2 })]).pop()
    else {
        panic!("rows")
    };
    let shown: Vec<_> = rows.iter().map(|row| (row.text.as_str(), row.unix_ms, row.state)).collect();
    assert_eq!(shown, [("three", 7_000, Some(SendState::Sent)), ("one", 7_000, Some(SendState::Sent))]);
    let Some(Done::Outbox(unsent)) = database.run(&[Op::Write(Write::Outbox)]).pop() else { panic!("an outbox") };
    assert_eq!(unsent.len(), 3, "of what this one wrote");
}

#[test]
fn what_went_securely_can_go_again_and_what_went_plainly_cannot() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(&dir.path().join("a.sqlite")).expect("new");
    let to = Account::sanitised("b");
    for request in 1..=4 {
        let (to, text) = (to.clone(), request.to_string());
        database.run(&[Op::Write(Write::Outgoing { request, to, text, unix_ms: 0 })]);
    }
    let state = |id, state, secure| Op::Write(Write::State { id: MessageId(id), state, secure });
    database.run(&[
        state(1, SendState::Sending, false),
        state(2, SendState::Sending, true),
        state(3, SendState::Sent, true),
    ]);
    let unsent = |id: i64, again| Unsent { id: MessageId(id), to: to.clone(), text: id.to_string(), again, made: None };
    assert_eq!(database.run(&[Op::Write(Write::Outbox)]), [Done::Outbox(vec![unsent(2, true), unsent(4, false)])]);
    let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer: to.clone(), count: 9 })]).pop()
    else {
        panic!("rows")
    };
    let states: Vec<_> = rows.iter().filter_map(|row| row.state).collect();
    use SendState::{MaybeSent, Sending, Sent, Waiting};
    assert_eq!(states, [MaybeSent, Sending, Sent, Waiting]);
}

#[cfg(unix)]
#[test]
fn others_cannot_read_what_lets_its_owner_in() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let database = Database::open(&path).expect("new");
    database.run(&[Op::Write(Write::Token(Some(Key([7; 32]))))]);
    for name in ["a.sqlite", "a.sqlite-wal"] {
        let mode = std::fs::metadata(dir.path().join(name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} {mode:o}");
    }
}
