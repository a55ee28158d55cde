//! Other people's servers: nothing beyond the course's protocol where that may end them, and what they answer is
//! said as it is.

use super::*;
use crate::client::session::RegisterOutcome;

fn beyond(world: &World) -> usize {
    world.sent.iter().filter(|(_, request)| !request.starts_with('0') || request.starts_with("07")).count()
}

#[test]
fn who_keeps_to_the_course_sends_01_to_09_alone_until_somebody_asks() {
    let mut world = World::new(Polling::Adaptive, |_, request: &str| ours(request));
    world.session.keep_to_the_course();
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.send(1, "b");
    world.run(secs(600));
    world.session.fetch_now(world.now);
    world.run(secs(60));
    assert_eq!((world.state(1), beyond(&world)), (Some(SendState::Sent), 0), "{:?}", world.requests());
    world.session.ask_who(world.now);
    world.run(secs(600));
    assert_eq!(world.count("11"), 1, "once for each wish");
    assert!(world.has(&Event::Online(vec![account("a")])));
}

#[test]
fn a_server_known_as_foreign_is_asked_for_no_list_until_somebody_asks() {
    let mut world = World::new(Polling::Adaptive, |_, request: &str| plain(request));
    world.session.is_foreign();
    world.drain();
    assert!(world.has(&Event::Extensions(false)), "faces know it before the login");
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(600));
    assert_eq!(beyond(&world), 0, "{:?}", world.requests());
    world.events.clear();
    world.session.ask_who(world.now);
    world.run(secs(600));
    assert_eq!(world.count("11"), 1);
    assert!(world.has(&Event::Extensions(false)), "whoever asked is told: {:?}", world.events);
}

#[test]
fn codes_that_nobody_knows_are_told_as_they_came() {
    let code = |text: &str| text.to_owned();
    let mut world = World::new(Polling::Strict, |_, request: &str| match request.get(..2) {
        Some("01") => at_once("01:07"),
        Some("02") => at_once("02:05\r\n"),
        _ => Vec::new(),
    });
    let secret = Password::parse("x").expect("valid");
    world.session.register(world.now, account("a"), secret.clone(), secret.clone());
    world.run(secs(1));
    assert!(world.has(&Event::Registered(RegisterOutcome::Unknown(code("01:07")))), "{:?}", world.events);
    world.session.login(world.now, account("a"), secret);
    world.run(secs(5));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Unknown(code("02:05")))), "{:?}", world.events);
    assert_eq!(LoginOutcome::Unknown(code("02:05")).sentence().matches("02:05").count(), 1);
    let mut world = World::online(Polling::Strict, |time, request: &str| {
        if request.starts_with("03") && time > secs(1) { at_once("03:09") } else { plain(request) }
    });
    world.run(secs(2));
    world.send(1, "b");
    world.run(secs(5));
    assert!(world.has(&Event::UnknownCode(code("03:09"))), "{:?}", world.events);
    assert_eq!(world.state(1), Some(SendState::MaybeSent));
}

#[test]
fn a_takeover_in_vain_is_not_promised_again() {
    let mut world = World::new(Polling::Strict, |_, request: &str| match request.get(..2) {
        Some("02") => at_once("02:04"),
        Some("06") => at_once("06:02"),
        _ => at_once("07:01"),
    });
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(2));
    let elsewhere = Event::LoggedIn(LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn));
    assert!(world.has(&elsewhere), "{:?}", world.events);
    world.events.clear();
    world.session.take_over(world.now);
    world.run(secs(5));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::NotTaken)) && !world.has(&elsewhere), "{:?}", world.events);
    // Whoever tries once more later is asked anew.
    world.events.clear();
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(5));
    assert!(world.has(&elsewhere), "{:?}", world.events);
}
