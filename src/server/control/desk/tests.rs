use super::*;
use crate::protocol::wire::frame::Key;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn account(name: &str) -> NewAccount {
    NewAccount { name: name.into(), salt: Key([1; 16]), hash: Key([2; 32]), profile: None }
}

struct World(RequestDesk, Instant);

impl World {
    fn ask(&mut self, number: u8, want: RequestKind) -> Option<Dispatch> {
        let asked = NumberedRequest { number: Key([number; 16]), want };
        self.0.take(self.1, at(1), &serde_json::to_vec(&asked).expect("JSON"))
    }

    fn answer(&mut self, number: u8, want: RequestKind) -> Answer {
        match self.ask(number, want) {
            Some(Dispatch::Answer(NumberedAnswer { answer, .. })) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn part(&mut self, number: u8, list: u8, part: u32, names: &[&str]) -> Answer {
        let accounts = names.iter().map(|name| account(name)).collect();
        self.answer(number, RequestKind::Part { list: Key([list; 16]), part, accounts })
    }
}

fn world() -> World {
    World(RequestDesk::default(), Instant::now())
}

#[test]
fn what_changes_something_is_done_once_however_often_it_comes() {
    let mut world = world();
    let delete = || RequestKind::Delete { account: "a".into() };
    let order = Order::Delete { account: "a".into() };
    assert_eq!(world.ask(1, delete()), Some(Dispatch::Order(1, order)));
    assert_eq!(world.answer(1, delete()), Answer::Working);
    let told = NumberedAnswer { number: Key([1; 16]), answer: Answer::Done };
    assert_eq!(world.0.answered(1, Answer::Done), Some((at(1), told)));
    assert_eq!(world.0.answered(1, Answer::Done), None);
    assert_eq!(world.answer(1, delete()), Answer::Done, "the answer of then, not that nobody has that name now");
    assert_eq!(world.0.take(world.1, at(1), b"no request"), None);
    // What only looks may be asked again and again, and leaves nothing.
    for ticket in 2..2_000 {
        assert_eq!(world.ask(2, RequestKind::Hello), Some(Dispatch::Order(ticket, Order::Hello)));
        world.0.answered(ticket, Answer::Done);
    }
    for n in 0..2_000_u64 {
        let number = Key(u128::from(n + 500).to_be_bytes());
        let asked = serde_json::to_vec(&NumberedRequest { number, want: delete() }).expect("JSON");
        assert!(matches!(world.0.take(world.1, at(1), &asked), Some(Dispatch::Order(..))));
        world.0.answered(world.0.last, Answer::NoSuchAccount);
    }
    let RequestDesk { known, order, tickets, .. } = &world.0;
    assert_eq!((known.len(), order.len(), tickets.len()), (REMEMBERED, REMEMBERED, 0));
}

#[test]
fn a_list_is_whole_or_nothing() {
    let mut world = world();
    assert_eq!(world.part(1, 9, 0, &["a", "b"]), Answer::Done);
    assert_eq!(world.part(2, 9, 0, &["a", "b"]), Answer::Done, "a part that comes again is there once");
    assert_eq!(world.part(3, 9, 2, &["z"]), Answer::ListGone, "none is left out");
    assert_eq!(world.part(4, 9, 1, &["c"]), Answer::Done);
    let import = |parts| RequestKind::Import { list: Key([9; 16]), parts };
    let accounts = ["a", "b", "c"].map(account).to_vec();
    assert_eq!(world.ask(5, import(2)), Some(Dispatch::Order(1, Order::Import { accounts })));
    assert_eq!(world.answer(6, import(2)), Answer::ListGone, "it is taken once");
    assert_eq!(world.part(7, 8, 0, &["a#"]), Answer::NotUnderstood, "no name that nobody could have");
    assert_eq!(world.part(8, 7, 0, &["a"]), Answer::Done);
    assert_eq!(world.answer(9, RequestKind::Import { list: Key([7; 16]), parts: 2 }), Answer::ListGone);
}

#[test]
fn lists_are_bounded_and_forgotten() {
    let mut world = world();
    for list in 0..4 {
        assert_eq!(world.part(list, list, 0, &["a"]), Answer::Done);
    }
    assert_eq!(world.part(9, 9, 0, &["a"]), Answer::TooMuch);
    assert!(world.0.poll_timeout().is_some());
    world.1 += SILENT;
    let now = world.1;
    world.0.handle_timeout(now);
    assert_eq!(world.0.poll_timeout(), None);
    assert_eq!(world.part(1, 1, 1, &["b"]), Answer::ListGone);
    let many = vec!["a"; ACCOUNTS];
    assert_eq!(world.part(2, 2, 0, &many), Answer::Done);
    assert_eq!(world.part(3, 3, 0, &["a"]), Answer::TooMuch);
    assert_eq!(world.part(4, 2, 1, &["a"]), Answer::TooMuch, "and its beginning is not kept");
    assert!(world.0.lists.is_empty());
}
