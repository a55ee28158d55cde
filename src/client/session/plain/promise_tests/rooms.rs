//! A message to a room goes to nobody else: another program's server would take the room for a person.

use super::*;
use crate::client::session::ExtensionRequest;

const ROOM: &str = "@lobby";

/// Logs in for the first time, with a message to the room and one to a friend that were stored before.
fn first_time<'a>(
    course: bool,
    polling: Polling,
    server: impl FnMut(Duration, &str) -> Answers + 'a,
    time: Duration,
) -> World<'a> {
    let mut world = World::new(polling, server);
    if course {
        world.session.keep_to_the_course();
    }
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.session.send(world.now, MessageId(1), Account::parse(ROOM).expect("valid"), text("1"));
    world.send(2, "b");
    world.run(time);
    world
}

#[test]
fn a_server_that_may_have_ended_at_11_before_is_not_asked_that_for_a_room() {
    for polling in [Polling::Adaptive, Polling::Strict] {
        let mut world = World::new(polling, |_, request: &str| plain(request));
        world.session.keep_to_the_course();
        world.session.is_fragile();
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.session.send(world.now, MessageId(1), Account::parse(ROOM).expect("valid"), text("1"));
        world.send(2, "b");
        world.run(secs(150));
        assert_eq!((world.count("11"), no_room(&world)), (0, 1), "{polling:?} {:?}", world.requests());
        assert_eq!(world.state(2), Some(SendState::Sent));
    }
}

fn no_room(world: &World) -> usize {
    world.events.iter().filter(|(_, event)| matches!(event, Event::NoRoom { id: MessageId(1), .. })).count()
}

#[test]
fn another_programs_server_is_told_nothing_that_is_for_a_room() {
    for course in [false, true] {
        for polling in [Polling::Adaptive, Polling::Strict] {
            for deaf in [false, true] {
                let server = move |_, request: &str| match request.starts_with("11") {
                    true if deaf => Vec::new(),
                    _ => plain(request),
                };
                let world = first_time(course, polling, server, secs(150));
                let case = format!("course {course} {polling:?} deaf {deaf} {:?}", world.requests());
                assert_eq!((no_room(&world), world.count("03#@")), (1, 0), "{case}");
                assert_eq!(world.state(2), Some(SendState::Sent), "{case}");
                assert_ne!(world.state(1), Some(SendState::Sent), "{case}");
            }
        }
    }
    // Known before, or found out with a message of earlier: the same at once.
    let mut world = World::new(Polling::Adaptive, |_, request: &str| plain(request));
    world.session.is_foreign();
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.session.send(world.now, MessageId(1), Account::parse(ROOM).expect("valid"), text("1"));
    world.run(secs(2));
    assert_eq!((no_room(&world), world.count("03"), world.count("11")), (1, 0, 0));
}

#[test]
fn ours_gets_it_whatever_is_lost_on_the_way() {
    for course in [false, true] {
        for polling in [Polling::Adaptive, Polling::Strict] {
            // The answers to the first question for what it is are lost, with all its tries.
            let mut lost = 0;
            let server = move |_, request: &str| {
                lost += usize::from(request.starts_with("11"));
                if request.starts_with("11") && lost <= 2 { Vec::new() } else { ours(request) }
            };
            let world = first_time(course, polling, server, secs(120));
            let case = format!("course {course} {polling:?} {:?}", world.requests());
            assert_eq!((no_room(&world), world.count("03#@lobby#1#")), (0, 1), "{case}");
            assert_eq!((world.state(1), world.state(2)), (Some(SendState::Sent), Some(SendState::Sent)), "{case}");
        }
    }
}

#[test]
fn of_a_server_that_is_gone_nobody_says_that_it_has_no_room() {
    let mut world = first_time(
        false,
        Polling::Adaptive,
        |_, request: &str| if request.starts_with("02") { plain(request) } else { Vec::new() },
        secs(60),
    );
    assert!(world.has(&Event::EndedAt(ExtensionRequest::Who)), "{:?}", world.events);
    assert_eq!((no_room(&world), world.state(1)), (0, Some(SendState::Waiting)), "it waits for its server");
    // Back, it is not asked once more.
    world.server = Box::new(|_, request: &str| plain(request));
    world.run(secs(60));
    assert_eq!((no_room(&world), world.count("03#@"), world.state(2)), (1, 0, Some(SendState::Sent)));
    assert!(world.has(&Event::NoRoom { id: MessageId(1), sure: false }));
}

#[test]
fn another_program_that_is_started_in_the_place_of_ours_is_told_nothing_either() {
    for course in [false, true] {
        for deaf in [false, true] {
            let mut world = World::new(Polling::Adaptive, |_, request: &str| ours(request));
            if course {
                world.session.keep_to_the_course();
            }
            world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
            world.session.ask_who(world.now);
            world.run(secs(5));
            assert!(world.has(&OURS));
            world.server = Box::new(|_, _: &str| Vec::new());
            world.run_until_retrying();
            world.session.send(world.now, MessageId(1), Account::parse(ROOM).expect("valid"), text("1"));
            let mut is_in = false;
            world.server = Box::new(move |_, request: &str| match request.get(..2) {
                Some("11") if deaf => Vec::new(),
                Some("02") => {
                    is_in = true;
                    plain(request)
                }
                _ if !is_in => at_once("07:01"),
                _ => plain(request),
            });
            world.run(secs(150));
            let case = format!("course {course} deaf {deaf} {:?}", world.requests());
            assert_eq!((no_room(&world), world.count("03#@")), (1, 0), "{case}");
        }
    }
}
