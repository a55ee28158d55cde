//! Other people's servers: nothing beyond the course's protocol is sent if it might crash them, and what they answer is
//! shown as it is.

use rust_i18n::t;

use super::*;
use crate::client::session::{ExtensionRequest, RegisterOutcome};

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
    assert!(world.has(&FOREIGN), "faces know it before the login");
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(600));
    assert_eq!(beyond(&world), 0, "{:?}", world.requests());
    world.events.clear();
    world.session.ask_who(world.now);
    world.run(secs(600));
    assert_eq!(world.count("11"), 1);
    assert!(world.has(&FOREIGN), "whoever asked is told: {:?}", world.events);
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
    // A later login asks the user again.
    world.events.clear();
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(5));
    assert!(world.has(&elsewhere), "{:?}", world.events);
}

/// A server that knows the course's requests and ends for good at one that begins with `fatal`; it may be started
/// again.
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
        assert!(world.has(&Event::EndedAt(ExtensionRequest::Who)), "{polling:?} {:?}", world.events);
        assert!(
            !world.events.iter().any(|(_, e)| matches!(e, Event::Extensions { known: false, .. })),
            "nobody knows that"
        );
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
    assert!(world.has(&Event::EndedAt(ExtensionRequest::ChangePassword)), "{:?}", world.events);
    let sentence = |lang: &str| match lang {
        "en" => [ExtensionRequest::Who, ExtensionRequest::ChangePassword].map(|beyond| beyond.sentence().into_owned()),
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

/// Our server, which is silent for this long from the first `11#` on.
fn outage(length: Duration) -> impl FnMut(Duration, &str) -> Answers {
    let mut until = None;
    move |time, request: &str| {
        if request.starts_with("11") {
            until.get_or_insert(time + length);
        }
        if until.is_some_and(|until| time < until) { Vec::new() } else { ours(request) }
    }
}

#[test]
fn an_outage_right_after_the_question_does_not_make_ours_one_that_ends_at_it() {
    for polling in [Polling::Adaptive, Polling::Strict] {
        for seconds in [1, 3, 8] {
            let mut world = World::new(polling, outage(secs(seconds)));
            world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
            world.run(secs(200));
            let case = format!("{polling:?} {seconds} s {:?}", world.requests());
            assert!(!world.events.iter().any(|(_, event)| matches!(event, Event::EndedAt(_))), "{case}");
            if polling == Polling::Adaptive {
                assert!(world.has(&OURS), "{case}");
            }
        }
    }
}

#[test]
fn what_was_suspected_of_ours_is_taken_back_as_soon_as_it_answers_what_it_may_have_ended_at() {
    for by_hand in ["11#0#", "10#Q1#0123456789abcdef#"] {
        let mut world = World::new(Polling::Adaptive, |_, request: &str| {
            if request.starts_with("10") { at_once("10:01:Q1:0123456789abcdef") } else { ours(request) }
        });
        world.session.is_fragile();
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.run(secs(60));
        assert!(world.count("11") == 0 && !world.has(&OURS), "{:?}", world.requests());
        world.session.by_hand(world.now, by_hand.into());
        world.run(secs(60));
        assert!(world.has(&OURS) && world.count("11") > 1, "{by_hand} {:?}", world.requests());
    }
}

#[test]
fn of_a_silent_server_nothing_is_to_be_kept() {
    // It answers no 11; then no 01 with four fields, and nothing after that.
    let mut gone = false;
    let mut world = World::new(Polling::Adaptive, move |_, request: &str| {
        gone |= request.starts_with("01");
        if gone || request.starts_with("11") { Vec::new() } else { plain(request) }
    });
    world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
    world.run(secs(300));
    let (old, new) = (Password::parse("x").expect("valid"), Password::parse("y").expect("valid"));
    world.session.change_password(world.now, old, new.clone(), new);
    world.run(secs(100));
    let shown = |event: &Event| {
        matches!(event, Event::Extensions { shown: true, .. } | Event::ChangesPasswords { shown: true, .. })
    };
    assert!(!world.events.iter().any(|(_, event)| shown(event)), "{:?}", world.events);
    assert!(world.has(&Event::ChangesPasswords { does: false, shown: false }), "nor is it offered in this run");
}

#[test]
fn what_a_server_was_before_a_login_is_not_believed_after_it() {
    // First a Hongyan server, and then another program in its place, which registers with any 01.
    let mut world = World::online(Polling::Strict, |_, request: &str| ours(request));
    assert!(world.session.server.is_ours);
    let mut is_in = false;
    world.server = Box::new(move |_, request: &str| match request.get(..2) {
        Some("11") => Vec::new(),
        Some("01") => at_once("01:03"),
        Some("02") if request == "02#a#y#" => at_once("02:02"),
        Some("02") => {
            is_in = true;
            plain(request)
        }
        _ if !is_in => at_once("07:01"),
        _ => plain(request),
    });
    world.run(secs(32));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)), "{:?}", world.events);
    let (old, new) = (Password::parse("x").expect("valid"), Password::parse("y").expect("valid"));
    world.session.change_password(world.now, old, new.clone(), new);
    world.run(secs(10));
    let told = crate::client::session::PasswordOutcome::NotHere;
    assert!(world.has(&Event::PasswordChanged(told)), "{:?} {:?}", world.events, world.requests());
}
