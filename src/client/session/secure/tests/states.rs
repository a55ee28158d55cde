//! In what way people are online, and being away.

use super::*;
use crate::protocol::wire::status::{Online, Shown};

#[test]
fn in_what_way_somebody_is_online_is_told_before_that_they_are() {
    let mut world = World::online(1);
    let shown = |state, text: &str| Shown { state, text: text.into() };
    let busy = shown(Online::Busy, "在图书馆");
    let mut tell = |came: &[&str], went: &[&str], states: &[(&str, Shown)]| {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let states = states.iter().map(|(name, shown)| ((*name).to_owned(), shown.clone())).collect();
        let peer = world.seats.last().expect("connected").peer;
        let frame = FromServer::Changes { came: names(came), went: names(went), states };
        let before = world.events.len();
        world.server.send(world.now, peer, &frame.encode());
        world.run(secs(1));
        let told = world.events[before..].iter().map(|(_, event)| event.clone());
        told.filter(|event| matches!(event, Event::Online(_) | Event::States(_))).collect::<Vec<_>>()
    };
    let states = |all: &[(&str, &Shown)]| {
        Event::States(all.iter().map(|(name, shown)| (account(name), (*shown).clone())).collect())
    };
    let away = shown(Online::Away, "");
    let online = Event::Online(vec![account("a"), account("b"), account("c")]);
    assert_eq!(tell(&["c"], &[], &[("c", busy.clone())]), [states(&[("c", &busy)]), online]);
    assert_eq!(tell(&[], &[], &[("b", away.clone())]), [states(&[("b", &away), ("c", &busy)])], "nobody came");
    assert_eq!(tell(&[], &[], &[("b", Shown::default()), ("nobody", busy.clone())]), [states(&[("c", &busy)])]);
    let left = Event::Online(vec![account("a"), account("b")]);
    assert_eq!(tell(&[], &["c"], &[]), [states(&[]), left]);
    assert_eq!(tell(&["c"], &[], &[]).len(), 1, "who comes again has no state of before");
}

#[test]
fn who_is_away_says_so_once_on_each_connection() {
    let mut world = World::online(1);
    let said = |world: &World| world.durable.here.clone();
    world.session.set_away(world.now, false);
    world.run(secs(1));
    assert_eq!(said(&world), [false; 0], "that is what a server takes for granted");
    world.session.set_away(world.now, true);
    world.session.set_away(world.now, true);
    world.run(secs(1));
    assert_eq!(said(&world), [true]);
    world.session.go_offline(world.now);
    world.run(secs(1));
    world.session.set_away(world.now, false);
    world.session.set_away(world.now, true);
    world.session.go_online(world.now);
    assert!(world.until(secs(10), |world| world.durable.here.len() == 2));
    world.session.set_away(world.now, false);
    world.run(secs(1));
    assert_eq!(said(&world), [true, true, false]);
}
