//! Changing a password: 01 with four fields, on servers of both editions.

use super::*;
use crate::client::session::PasswordOutcome;

fn password(text: &str) -> Password {
    Password::parse(text).expect("valid")
}

/// How requests that begin so are answered.
type Answered<'a> = &'a [(&'a str, &'a str)];

/// What comes of a change from "x", and what was sent for it.
fn change(old: &str, new: &str, confirm: &str, answers: Answered) -> (Option<PasswordOutcome>, Vec<String>) {
    let answers: Vec<(String, String)> = answers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let mut world = World::online(Polling::Strict, move |time, request: &str| {
        let given = answers.iter().find(|(asked, _)| time > RTT * 10 && request.starts_with(asked.as_str()));
        match given {
            Some((_, answer)) if answer.is_empty() => Vec::new(),
            Some((_, answer)) => at_once(answer),
            None => plain(request),
        }
    });
    world.run(secs(1));
    world.sent.clear();
    world.session.change_password(world.now, password(old), password(new), password(confirm));
    world.run(secs(20));
    let outcome = world.events.iter().find_map(|(_, event)| match event {
        Event::PasswordChanged(outcome) => Some(outcome.clone()),
        _ => None,
    });
    let sent = world.requests().into_iter().filter(|r| r.starts_with("01") || r.starts_with("02"));
    (outcome, sent.map(str::to_owned).collect())
}

#[test]
fn a_password_is_changed_where_that_is_known_and_only_believed_when_it_lets_in() {
    use PasswordOutcome::{Done, NoAnswer, NoSuchAccount, NotHere, PasswordsDiffer, Unclear, WrongPassword};
    let change_request = "01#a#x#y#y#";
    let verified: &[&str] = &[change_request, "02#a#y#"];
    let asked: &[&str] = &[change_request];
    let table: &[(Answered, PasswordOutcome, &[&str])] = &[
        // The edition of 2019; a login from the same address is one already.
        (&[("01", "01:03"), ("02", "02:01")], Done, verified),
        (&[("01", "01:03"), ("02", "02:04")], Done, verified),
        (&[("01", "01:01")], WrongPassword, asked),
        (&[("01", "01:04")], NoSuchAccount, asked),
        // That of 2018 takes it for a registration of an account that exists, or of two passwords that differ.
        (&[("01", "01:03"), ("02", "02:02")], NotHere, verified),
        (&[("01", "01:02")], NotHere, asked),
        (&[("01", "00:00")], NotHere, asked),
        (&[("01", "01:07")], Unclear("01:07".into()), asked),
        (&[("01", "01:03"), ("02", "02:09")], Unclear("02:09".into()), verified),
    ];
    for (answers, outcome, sent) in table {
        let (became, requests) = change("x", "y", "y", answers);
        assert_eq!(became.as_ref(), Some(outcome), "{answers:?}");
        assert_eq!(requests, *sent, "{answers:?}");
    }
    assert_eq!(change("x", "y", "z", &[]), (Some(PasswordsDiffer), Vec::new()));
    let (became, requests) = change("x", "y", "y", &[("01", "")]);
    assert_eq!((became, requests.len()), (Some(NoAnswer), 4));
}

#[test]
fn the_new_password_counts_from_then_on_and_a_lost_answer_is_no_refusal() {
    // The first answer is lost: the second copy finds the old password wrong.
    let mut copies = 0;
    let mut world = World::online(Polling::Strict, move |_, request: &str| {
        copies += usize::from(request.starts_with("01#a#x#y#y#"));
        match request {
            "01#a#x#y#y#" if copies == 1 => Vec::new(),
            "01#a#x#y#y#" => at_once("01:01"),
            "02#a#x#" if copies > 0 => at_once("02:02"),
            request => plain(request),
        }
    });
    world.run(secs(1));
    world.session.change_password(world.now, password("x"), password("y"), password("y"));
    world.run(secs(5));
    assert!(world.has(&Event::PasswordChanged(PasswordOutcome::Done)), "{:?}", world.events);
    world.session.go_offline(world.now);
    world.run(secs(2));
    world.events.clear();
    world.session.go_online(world.now);
    world.run(secs(2));
    assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)), "{:?} {:?}", world.events, world.requests());
}
