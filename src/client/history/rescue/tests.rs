use std::io::{Seek, SeekFrom, Write as _};

use super::*;
use crate::base::model::Account;
use crate::client::history::{Done, Op, Read, Trouble, Write};

/// A history of some thousand messages, of which twenty pages are overwritten.
fn damaged(path: &Path, pages: std::ops::Range<u64>) -> Vec<String> {
    let database = Database::open(path).expect("new");
    let to = Account::sanitised("b");
    let text = |n: i64| format!("message {n} {}", "x".repeat(100));
    for n in 0..3_000 {
        let to = if n % 2 == 0 { to.clone() } else { Account::sanitised("c") };
        database.run(&[Op::Write(Write::Outgoing { request: 0, to, text: text(n), unix_ms: n })]);
    }
    let delivered = Op::Write(Write::Delivered { version: 5, rows: vec![(to.clone(), 1, 9)] });
    database.run(&[Op::Write(Write::Draft { peer: to, text: "not sent".into() }), delivered]);
    drop(database);
    let mut file = fs::File::options().write(true).open(path).expect("there");
    file.seek(SeekFrom::Start(pages.start * 4096)).expect("within");
    let noise: Vec<u8> = (0..(pages.end - pages.start) * 4096).map(|n| ((n * 2_654_435_761) >> 13) as u8).collect();
    file.write_all(&noise).expect("written");
    (0..3_000).map(text).collect()
}

#[test]
fn whatever_is_asked_of_a_damaged_history_is_answered_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    damaged(&path, 40..60);
    let database = Database::open(&path).expect("its beginning is whole");
    let b = || Account::sanitised("b");
    let asked = [
        Op::Write(Write::Outgoing { request: 7, to: Account::sanitised("new"), text: "hi".into(), unix_ms: 0 }),
        Op::Read(Read::Index(b())),
        Op::Read(Read::Search { text: "nowhere".into(), count: 9 }),
        Op::Read(Read::Last { peer: Account::sanitised("nobody"), count: 9 }),
    ];
    let done = database.run(&asked);
    let refused = |op: &Op| {
        done.iter()
            .any(|d| matches!(d, Done::NotRead { op: o, trouble: Trouble::Damaged } if Op::Read(o.clone()) == *op))
    };
    assert!(refused(&asked[1]) && refused(&asked[2]), "{done:?}");
    assert!(done.iter().any(|d| matches!(d, Done::Last { rows, .. } if rows.is_empty())), "{done:?}");
    assert!(done.iter().any(|d| matches!(d, Done::Kept { request: 7, id: Some(_), .. })), "{done:?}");
}

#[test]
fn what_can_be_read_is_rescued_and_the_damaged_one_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    let texts = damaged(&path, 40..60);
    let before = fs::read(&path).expect("there");
    let Rescued { messages, lost, aside } = rescue(&path).expect("most can be read");
    assert_eq!(messages + lost, 3_000);
    assert!((100..900).contains(&lost), "twenty pages of some twenty messages and indices: {lost}");
    assert_eq!(fs::read(aside).expect("kept").len(), before.len());
    let database = Database::open(&path).expect("whole");
    let check: String = database.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("ok");
    assert_eq!(check, "ok");
    let mut found = Vec::new();
    for peer in ["b", "c"].map(Account::sanitised) {
        let Some(Done::Last { rows, .. }) = database.run(&[Op::Read(Read::Last { peer, count: 9_999 })]).pop() else {
            panic!()
        };
        found.extend(rows.into_iter().map(|row| (row.unix_ms, row.text)));
    }
    assert_eq!(found.len() as u64, messages);
    assert!(found.iter().all(|(n, text)| texts.get(*n as usize) == Some(text)), "as they were written");
    let done = database.run(&[
        Op::Write(Write::Outgoing { request: 0, to: Account::sanitised("b"), text: "new".into(), unix_ms: 0 }),
        Op::Read(Read::Drafts),
        Op::Read(Read::Conversations),
    ]);
    assert!(matches!(&done[0], Done::Kept { id: Some(id), .. } if id.0 == 3_001), "no number twice: {done:?}");
    let delivered = "SELECT peer || ' ' || first || '-' || last FROM delivered";
    let delivered: String = database.connection.query_row(delivered, [], |row| row.get(0)).expect("there");
    let told = database.kept().expect("read").delivered;
    assert_eq!((&*delivered, told), ("b 1-9", 0), "what may be missing of it is told anew");
    assert!(matches!(&done[1], Done::Drafts(drafts) if drafts.len() == 1), "{done:?}");
    assert!(matches!(&done[2], Done::Conversations(list, _) if list.len() == 2), "{done:?}");
}

#[test]
fn where_no_message_can_be_read_it_ends_all_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    damaged(&path, 2..400);
    let rescued = rescue(&path);
    assert!(rescued.as_ref().is_ok_and(|rescued| rescued.messages == 0), "{rescued:?}");
}

#[test]
fn what_is_no_history_at_all_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.sqlite");
    damaged(&path, 0..3);
    let before = fs::read(&path).expect("there");
    assert!(matches!(rescue(&path), Err(HistoryError::Damaged { .. })));
    assert_eq!(fs::read(&path).expect("there"), before);
    assert!(matches!(Database::open(&path), Err(HistoryError::Damaged { .. })));
}
