use super::*;

fn row(id: i64, outgoing: bool, unix_ms: i64) -> Row {
    Row {
        id: MessageId(id),
        text: format!("text {id}"),
        unix_ms,
        came_ms: None,
        server_time: None,
        state: outgoing.then_some(SendState::Waiting),
        repeat: false,
        note: false,
    }
}

fn rows(n: i64) -> (Rows, Vec<Row>) {
    let all: Vec<Row> = (1..=n).map(|i| row(i * 2, i % 2 == 0, i * 1000)).collect();
    let mut rows = Rows::default();
    all.iter().for_each(|r| assert!(rows.push(r.clone())));
    (Rows::new(rows.metas.clone()), all)
}

#[test]
fn pages_come_when_asked_and_go_when_old() {
    let (mut rows, all) = rows(5000);
    assert_eq!(rows.missing(60..70), [0, 1]);
    assert_eq!(rows.missing(60..70), [0_usize; 0]);
    assert!(rows.fill(64, all[64..128].to_vec()));
    assert_eq!(rows.row(70), Some(&all[70]));
    assert_eq!(rows.row(3), None);
    assert!(!rows.fill(0, all[1..65].to_vec()), "not these rows");
    for page in 2..60 {
        assert!(rows.fill(page * PAGE, all[page * PAGE..(page + 1) * PAGE].to_vec()));
    }
    assert!(rows.pages.len() <= KEPT && rows.row(70).is_none());
}

#[test]
fn new_messages_and_states() {
    let (mut rows, _) = rows(3);
    assert!(!rows.push(row(6, true, 0)), "known");
    assert!(rows.push(row(9, true, 4000)));
    assert_eq!(rows.missing(0..4), [0]);
    assert_eq!(rows.set_state(MessageId(9), SendState::Sent), Some(3));
    assert_eq!(rows.set_state(MessageId(8), SendState::Sent), None);
    // A page that was begun here is complete without the history.
    let mut new = Rows::default();
    assert!(new.push(row(1, true, 0)));
    assert!(new.push(row(2, true, 1)));
    assert_eq!(new.missing(0..2), [0_usize; 0]);
    new.set_state(MessageId(2), SendState::Failed);
    assert_eq!(new.row(1).and_then(|r| r.state), Some(SendState::Failed));
}

#[test]
fn what_came_from_the_server_later_stands_where_it_belongs() {
    let meta = |id| RowMeta { id: MessageId(id), chars: 1, breaks: 0, outgoing: true, unix_ms: 0, note: false };
    let mut rows = Rows::new([-3, -2, 4, -1].map(meta).to_vec());
    assert_eq!([-3, -2, 4, -1, 5].map(|id| rows.find(MessageId(id))), [Some(0), Some(1), Some(2), Some(3), None]);
    assert!(!rows.push(row(4, true, 0)), "known");
    assert!(rows.push(row(5, true, 0)));
    assert_eq!(rows.find(MessageId(5)), Some(4));
}

#[test]
fn a_run_ends_where_something_else_became_of_the_next() {
    use SendState::{Delivered, Failed, Kept, Sent, Waiting};
    let mut rows = Rows::default();
    (1..=3).for_each(|id| assert!(rows.push(row(id, true, id * 1000))));
    for (first, second, ends) in [
        (Failed, Delivered, true),
        (Delivered, Failed, true),
        (Sent, Waiting, true),
        (Kept, Delivered, true),
        (Sent, Delivered, false),
        (Delivered, Sent, false),
        (Failed, Failed, false),
        (Waiting, Waiting, false),
    ] {
        rows.set_state(MessageId(1), first);
        rows.set_state(MessageId(2), second);
        rows.set_state(MessageId(3), second);
        assert_eq!([0, 1, 2].map(|n| rows.ends_run(n)), [ends, false, true], "{first:?}, then {second:?}");
    }
}

#[test]
fn days_and_runs() {
    let day = 24 * 3600 * 1000;
    let mut rows = Rows::default();
    for (i, (outgoing, ms)) in
        [(true, 0), (true, 1000), (false, 2000), (false, 2000 + RUN_MS + 1), (false, 2 * day)].iter().enumerate()
    {
        rows.push(row(i as i64 + 1, *outgoing, *ms as i64));
    }
    assert_eq!([0, 1, 2, 3, 4].map(|i| rows.ends_run(i)), [false, true, true, true, true]);
    assert_eq!([0, 1, 2, 4].map(|i| rows.begins_day(i)), [true, false, false, true]);
}
