//! Other people's servers: nothing beyond the course's protocol where that may end them, and what they answer is
//! said as it is.

use rust_i18n::t;

use super::*;
use crate::client::session::{Beyond, RegisterOutcome};

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

/// A server that knows the course's requests and ends for good at one that begins so; it may be started again.
fn ends_at(fatal: &'static str) -> (std::rc::Rc<std::cell::Cell<bool>>, impl FnMut(Duration, &str) -> Answers) {
    let dead = std::rc::Rc::new(std::cell::Cell::new(false));
    let state = std::rc::Rc::clone(&dead);
    let answer = move |_, request: &str| {
        // 01 with three fields is the course's.
        let asked = request.starts_with(fatal) && (fatal != "01" || request.matches('#').count() == 5);
        state.set(state.get() || asked);
        if state.get() { Vec::new() } else { plain(request) }
    };
    (dead, answer)
}

#[test]
fn a_server_that_ends_at_what_is_no_course_of_its_own_is_told_so_once_and_not_ended_again() {
    for polling in [Polling::Adaptive, Polling::Strict] {
        let (dead, answer) = ends_at("11");
        let mut world = World::new(polling, answer);
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.run(secs(90));
        assert!(world.has(&Event::EndedAt(Beyond::Who)), "{polling:?} {:?}", world.events);
        assert!(!world.has(&Event::Extensions(false)), "nobody knows that");
        // Started again, it lives; and what was asked is not asked any more.
        dead.set(false);
        world.sent.clear();
        world.send(1, "b");
        world.run(secs(600));
        world.session.fetch_now(world.now);
        world.run(secs(60));
        assert_eq!((world.state(1), world.count("11")), (Some(SendState::Sent), 0), "{polling:?}");
        let told = world.events.iter().filter(|(_, event)| matches!(event, Event::EndedAt(_)));
        assert_eq!(told.count(), 1, "{polling:?}");
    }
    let (_dead, answer) = ends_at("01");
    let mut world = World::online(Polling::Adaptive, answer);
    let (old, new) = (Password::parse("x").expect("valid"), Password::parse("y").expect("valid"));
    world.session.change_password(world.now, old, new.clone(), new);
    world.run(secs(90));
    assert!(world.has(&Event::EndedAt(Beyond::ChangePassword)), "{:?}", world.events);
    let sentence = |lang: &str| match lang {
        "en" => [Beyond::Who, Beyond::ChangePassword].map(|beyond| beyond.sentence().into_owned()),
        _ => [t!("gui.ended_at_who", locale = lang), t!("gui.ended_at_password", locale = lang)].map(Into::into),
    };
    for (lang, again) in [("en", "start it again"), ("zh-CN", "重新启动")] {
        assert!(sentence(lang).iter().all(|said| said.contains(again)), "{:?}", sentence(lang));
    }
}

#[test]
fn who_falls_silent_at_something_else_or_only_does_not_say_who_is_online_is_not_suspected() {
    // It does not answer 11, and everything else.
    let mut world = World::online(Polling::Adaptive, |_, request: &str| match request.starts_with("11") {
        true => Vec::new(),
        false => plain(request),
    });
    world.run(secs(300));
    // It has answered everything, and ends on its own; ours too.
    for known in [plain as fn(&str) -> Answers, ours] {
        let mut gone = World::online(
            Polling::Adaptive,
            move |time, request: &str| {
                if time > secs(60) { Vec::new() } else { known(request) }
            },
        );
        gone.run(secs(300));
        assert!(gone.events.iter().any(|(_, event)| matches!(event, Event::Silent(Some(_)))), "{:?}", gone.events);
        world.events.append(&mut gone.events);
    }
    assert!(!world.events.iter().any(|(_, event)| matches!(event, Event::EndedAt(_))), "{:?}", world.events);
}
