//! A server that has gone is reported 3 s after something was asked of it, and not before.

use super::*;
use crate::client::session::silence::SILENT;
use crate::protocol::link::ENDED;

/// Returns the reports from a moment on: when, and whether the server is silent.
fn told(world: &World<'_>, from: Duration) -> Vec<(Duration, bool)> {
    let told = |(at, event): &(Duration, Event)| match event {
        Event::Silent(since) if *at >= from => Some((*at - from, since.is_some())),
        _ => None,
    };
    world.events.iter().filter_map(told).collect()
}

fn time(world: &World<'_>) -> Duration {
    world.now - world.start
}

#[test]
fn a_server_that_does_not_answer_is_told_to_be_silent_once() {
    let mut world = World::online(3);
    world.run(secs(100));
    assert_eq!(told(&world, Duration::ZERO), [], "while nothing is lost nothing is told");
    let gone = time(&world);
    world.down = true;
    world.send(1, "b");
    world.run(secs(75));
    let silent = told(&world, gone);
    assert!(matches!(silent[..], [(at, true)] if at >= SILENT && at <= SILENT + ms(50)), "{silent:?}");
    world.down = false;
    let back = time(&world);
    assert!(world.until(secs(60), |w| w.state(1) == Some(SendState::Sent)));
    world.run(secs(1));
    assert_eq!(told(&world, back).iter().map(|(_, silent)| *silent).collect::<Vec<_>>(), [false]);
    // Who is there is told anew, after that.
    let place = |wanted: fn(&Event) -> bool| world.events.iter().rposition(|(_, e)| wanted(e));
    let (ends, online) =
        (place(|e| *e == Event::Silent(None)), place(|e| matches!(e, Event::Online(list) if list.len() == 2)));
    assert!(ends.is_some() && online > ends, "{:?}", world.events);
}

#[test]
fn of_an_idle_connection_the_carrier_finds_out() {
    let mut world = World::online(4);
    world.run(secs(7));
    world.down = true;
    let gone = time(&world);
    world.run(secs(2));
    assert_eq!(told(&world, gone), [], "nothing was asked, so nothing is claimed");
    world.run(secs(17));
    let silent = told(&world, gone);
    assert!(matches!(silent[..], [(at, true)] if at <= secs(15) + SILENT + ms(100)), "{silent:?}");
}

#[test]
fn a_silence_that_ends_before_the_connection_does_needs_no_login() {
    let mut world = World::online(5);
    world.run(secs(1));
    world.events.clear();
    let gone = time(&world);
    world.down = true;
    world.run(secs(20));
    world.down = false;
    world.run(secs(20));
    let all = told(&world, gone);
    assert!(matches!(all[..], [(_, true), (_, false)]), "{all:?}");
    assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::LoggedIn(_))), "{:?}", world.events);
    let last = world.events.iter().rev().find(|(_, e)| matches!(e, Event::Online(_) | Event::Silent(_)));
    assert!(matches!(last, Some((_, Event::Online(list))) if list.len() == 2), "what was known is told again");
}

#[test]
fn who_goes_offline_expects_nobody() {
    let mut world = World::online(6);
    world.down = true;
    world.send(1, "b");
    world.run(secs(10));
    world.session.go_offline(world.now);
    world.run(secs(100));
    let all = told(&world, Duration::ZERO);
    assert!(matches!(all[..], [(_, true), (_, false)]), "{all:?}");
    // A first login is somebody's wish, and is answered as such.
    let mut world = World::new(7);
    world.down = true;
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(30));
    assert_eq!(told(&world, Duration::ZERO), []);
}

/// The server has logged the client out, for example because an operator deleted the account. Logging in again shows
/// this, so it happens at once, but only one time.
#[test]
fn who_is_logged_out_by_the_server_comes_back_at_once_and_not_time_after_time() {
    let mut world = World::online(1);
    let close = |world: &mut World<'_>| {
        let peer = world.seats.last().expect("connected").peer;
        world.server.close(world.now, peer, ENDED, "the password was changed");
    };
    let retrying = |world: &World<'_>| {
        world
            .events
            .iter()
            .filter(|(_, e)| matches!(e, Event::ConnectionState(ConnectionState::Retrying { .. })))
            .count()
    };
    close(&mut world);
    let begun = world.now;
    assert!(world.until(secs(2), |w| w.durable.resumed == 1 && w.session.link() != ConnectionState::LoggingIn));
    assert!(world.now - begun <= RTT * 6 && retrying(&world) == 0, "{:?}: {:?}", world.now - begun, world.events);
    close(&mut world);
    assert!(world.until(secs(2), |w| retrying(w) == 1), "{:?}", world.events);
    assert!(world.until(secs(5), |w| w.durable.resumed == 2), "{:?}", world.events);
}
