use super::*;
use crate::client::tap::{Direction, Record};

fn come(rows: &mut Rows, from: usize, to: usize) {
    for n in from..to {
        let bytes = format!("{}:{n}", if n % 2 == 0 { "08" } else { "09" }).into_bytes();
        rows.push(Line::new(Record { unix_ms: 0, way: Direction::In, bytes, after: None }));
    }
}

fn bytes(rows: &Rows, row: usize) -> &str {
    rows.line(row).map_or("none", |line| &line.bytes)
}

#[test]
fn a_pause_holds_back_and_loses_nothing() {
    let mut rows = Rows::default();
    come(&mut rows, 0, 4);
    rows.toggle_pause();
    come(&mut rows, 4, 10);
    assert_eq!((rows.len(), rows.held()), (4, Some(6)));
    rows.set_filter("op:08");
    assert_eq!((rows.len(), bytes(&rows, 1)), (2, "08:2"), "a filter works in a pause");
    rows.toggle_pause();
    assert_eq!((rows.len(), rows.held()), (5, None));
}

#[test]
fn a_choice_stays_on_its_datagrams() {
    let mut rows = Rows::default();
    come(&mut rows, 0, KEPT);
    rows.choose(5, false, 10);
    rows.choose(7, true, 10);
    assert_eq!((rows.chosen(), rows.top(10)), (Some(5..=7), 5));
    come(&mut rows, KEPT, KEPT + 3);
    assert_eq!((rows.chosen(), rows.top(10), rows.len()), (Some(2..=4), 2, KEPT));
    assert_eq!(bytes(&rows, 2), "09:5");
    rows.set_filter("op:08");
    assert_eq!(rows.chosen().map(|r| bytes(&rows, *r.start()).to_owned()), Some("08:6".into()));
    rows.set_filter("");
    assert_eq!(rows.copied().1, 3);
    come(&mut rows, KEPT + 3, KEPT + 9);
    assert_eq!((rows.chosen(), rows.cursor()), (None, None), "they are gone");
    assert_eq!(rows.copied().1, KEPT, "then all");
}

#[test]
fn the_last_page_follows() {
    let mut rows = Rows::default();
    assert_eq!((rows.top(10), rows.copied()), (0, (String::new(), 0)));
    rows.choose_by(-1, false, 10);
    come(&mut rows, 0, 100);
    assert_eq!(rows.top(10), 90);
    rows.scroll_by(-5, 10);
    come(&mut rows, 100, 120);
    assert_eq!(rows.top(10), 85, "who looks at older ones is left alone");
    rows.scroll_by(1000, 10);
    come(&mut rows, 120, 121);
    assert_eq!(rows.top(10), 111);
    rows.choose_by(0, false, 10);
    rows.choose_by(-30, false, 10);
    assert_eq!((rows.top(10), rows.cursor()), (90, Some(90)));
    rows.choose_by(isize::MIN, true, 10);
    assert_eq!(rows.chosen(), Some(0..=90));
    rows.choose_all();
    assert_eq!(rows.copied().1, 121);
}
