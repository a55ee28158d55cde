//! Delivery receipts: asked for, stored, and asked for again.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

type Asked = Rc<RefCell<Vec<u64>>>;

/// A server that has three changes to tell, one at a time; and what it was asked.
fn world<'a>() -> (World<'a>, Asked) {
    let asked = Asked::default();
    let seen = Rc::clone(&asked);
    let world = World::scripted(1, move |frame| {
        let FromClient::Delivered { version } = frame else { return None };
        seen.borrow_mut().push(*version);
        let next = FromServer::Delivered { version: version + 1, rows: [("b".to_owned(), [3, 9 + version])].into() };
        Some(Vec::from_iter((*version < 3).then_some(next)))
    });
    (world, asked)
}

fn told(world: &World) -> Vec<u64> {
    let version = |(_, e): &(_, Event)| if let Event::Delivered { version, .. } = e { Some(*version) } else { None };
    world.events.iter().filter_map(version).collect()
}

#[test]
fn it_is_asked_for_more_only_after_what_came_is_on_disk() {
    let (mut world, asked) = world();
    world.log_in();
    assert_eq!(*asked.borrow(), [0]);
    world.run(secs(60));
    assert_eq!(*asked.borrow(), [0], "the answer is still on its way to the disk");
    let version = world.kept.delivered + 1;
    world.session.handle_delivered(world.now, Some(version));
    world.run(secs(1));
    let rows = vec![(account("b"), 3, 10)];
    assert!(world.has(&Event::Delivered { version: 2, rows }), "{:?}", world.events);
    assert_eq!(*asked.borrow(), [0, 1]);
    // The disk is full: the same is asked once more later.
    world.session.handle_delivered(world.now, None);
    world.run(DISK - secs(1));
    assert_eq!(*asked.borrow(), [0, 1]);
    world.run(secs(2));
    assert_eq!(*asked.borrow(), [0, 1, 1]);
    for version in [2, 3] {
        world.session.handle_delivered(world.now, Some(version));
        world.run(secs(1));
    }
    assert_eq!((&*asked.borrow(), told(&world)), (&vec![0, 1, 1, 2, 3], vec![2, 2, 3]));
    // Nothing has changed since: a question without an answer holds nothing up.
    world.run(secs(60));
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }) && asked.borrow().len() == 5);
}

#[test]
fn after_a_loss_it_is_asked_again_from_what_is_on_disk() {
    let (mut world, asked) = world();
    world.log_in();
    // What was not on disk when the program was killed is told once more.
    world.restart_client(2);
    world.session.resume(world.now, account("a"), world.kept);
    world.run(secs(1));
    assert_eq!((&*asked.borrow(), told(&world)), (&vec![0, 0], vec![1]));
    world.kept.delivered = 3;
    world.restart_client(3);
    world.session.resume(world.now, account("a"), world.kept);
    world.run(secs(1));
    assert_eq!(*asked.borrow(), [0, 0, 3]);
    world.restart_server();
    world.run(secs(60));
    assert_eq!(*asked.borrow(), [0, 0, 3, 3], "on another connection it is asked for itself");
}

#[test]
fn a_server_that_tells_unasked_or_not_at_all_does_no_harm() {
    // One of an earlier version skips what it does not know.
    let mut world = World::online(1);
    world.send(1, "away");
    world.run(secs(120));
    assert_eq!((world.state(1), told(&world)), (Some(SendState::Kept), vec![]));
    assert!(matches!(world.session.link(), ConnectionState::Connected { .. }));
    let mut world = World::scripted(1, |frame| {
        let told = |version| FromServer::Delivered { version, rows: BTreeMap::new() };
        matches!(frame, FromClient::Delivered { .. }).then(|| (5..5_000).map(told).collect())
    });
    world.log_in();
    world.run(secs(5));
    assert_eq!(told(&world), Vec::<u64>::new(), "the first came with the login, the others nobody asked for");
}
