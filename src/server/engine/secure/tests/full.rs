//! Full mailboxes: the database decides, even if another program has written to it.

use super::*;
use crate::server::store::NewMessage;

/// Writes a message of c through another server on the same database.
fn written_elsewhere(world: &World, receiver: AccountId) {
    let mut other = Store::open(world.folder.path()).expect("the same database");
    let (sender, text) = ("c".to_owned(), "elsewhere".to_owned());
    let raw = text.clone().into_bytes();
    let (receivers, author, writer) = (vec![receiver], 3, None);
    let message =
        NewMessage { receivers, sender, author, writer, raw, text, sent: 7, online: false, key: None, own: None };
    let done = other.run(&[Op::Write(Write::Message { job: 1, message })]).done;
    assert!(matches!(done[..], [Done::Kept { .. }]), "{done:?}");
}

fn full(counter: u64) -> String {
    format!(r#"1 {{"t":"refused","counter":{counter},"code":"mailbox_full"}}"#)
}

#[test]
fn a_mailbox_is_as_full_as_the_database_says() {
    let mut world = World::new();
    world.store.set_mailbox(3);
    world.login(1, "a", 1, None);
    assert_eq!(world.say(1, &send(1, "b", "one")), [accepted(1, 1, 1, false)]);
    written_elsewhere(&world, 2);
    assert_eq!(world.say(1, &send(2, "b", "two")), [accepted(1, 2, 3, false)]);
    assert_eq!(world.say(1, &send(3, "b", "three")), [full(3)]);
    assert_eq!(world.say(1, &send(3, "b", "three")), [full(3)], "and so it stays");
    assert_eq!(world.say(1, &send(2, "b", "two")), [accepted(1, 2, 3, false)], "it was taken before it was full");
    let after = FromClient::Send { counter: 4, to: "b".into(), text: "four".into(), after: Some(3), made: None };
    assert_eq!(world.say(1, &after), [full(4)], "there is no room, whatever came before");
    // In plain it is the word for it; others have their own room.
    assert_eq!(world.plainly(50, "02#c#c#"), ["50 02:01"]);
    assert_eq!(world.plainly(50, "03#b#hi#"), ["50 03:02"]);
    assert_eq!(world.plainly(50, "03#a#hi#"), ["50 03:01"]);
    world.heard();
    // What is taken makes room, for as many.
    world.login(2, "b", 2, None);
    world.say(2, &FromClient::Ack { cursor: 2 });
    assert_eq!(world.say(1, &send(5, "b", "five")).pop(), Some(accepted(1, 5, 5, true)));
    assert_eq!(world.say(1, &send(6, "b", "six")).pop(), Some(accepted(1, 6, 6, true)));
    assert_eq!(world.say(1, &send(7, "b", "seven")), [full(7)]);
    // Nothing was kept beyond that.
    let unread = "SELECT count(*) FROM messages WHERE taken IS NULL AND receiver = 2";
    assert_eq!(world.store.connection().query_row(unread, [], |row| row.get::<_, i64>(0)), Ok(3));
}

#[test]
fn of_a_rooms_message_whoever_has_no_room_gets_nothing() {
    let mut world = World::new();
    world.store.set_mailbox(10);
    world.login(1, "a", 1, None);
    assert_eq!(world.plainly(50, "02#b#b#"), ["50 02:01"]);
    assert_eq!(world.plainly(60, "02#c#c#"), ["60 02:01"]);
    assert_eq!(world.say(1, &send(1, "@lobby", "one")), [accepted(1, 1, 1, true)]);
    assert_eq!(world.plainly(60, "09#"), ["60 09:@lobby:2026-11-21 12:04:58:[a] one"]);
    assert_eq!(world.plainly(60, "08#"), ["60 08:0"]);
    // The lobby's part of b's mailbox is full, c's is not.
    assert_eq!(world.say(1, &send(2, "@lobby", "two")), [accepted(1, 2, 3, true)]);
    assert_eq!(world.plainly(50, "08#"), ["50 08:1"]);
    assert_eq!(world.plainly(60, "08#"), ["60 08:1"]);
    // Now both are: a device is answered as in an empty room, in plain it is said; and the mailboxes have room.
    for _ in 0..2 {
        assert_eq!(world.say(1, &send(3, "@lobby", "three")), [accepted(1, 3, 0, false)]);
    }
    world.say(1, &FromClient::Logout { id: 9, forget: false });
    assert_eq!(world.plainly(60, "03#@lobby#four#"), ["60 03:02"]);
    assert_eq!(world.plainly(60, "03#b#five#"), ["60 03:01"]);
    assert_eq!(world.plainly(50, "08#"), ["50 08:2"]);
}
