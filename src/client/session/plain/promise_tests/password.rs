//! Changing a password: 01 with four fields, on servers of both editions and with habits of their own. What is reported
//! must be the password that works afterwards.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::client::session::PasswordOutcome::{
    self, Done, NoAnswer, NotHere, NotTheOneOfLogin, PasswordsDiffer, WrongPassword,
};

fn password(text: &str) -> Password {
    Password::parse(text).expect("valid")
}

/// How a server understands 01 with four fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Four {
    /// It changes the password, as in the edition of 2019.
    Changes,
    /// It is of 2018: the account exists, the passwords differ, or it does not understand.
    Exists,
    Differs,
    NotUnderstood,
    Silent,
    /// It registers an existing account once more, with the first password or the last.
    RegistersAgain,
    RegistersLast,
    /// It reads greedily and registers another account, whose name contains a `#`.
    RegistersAnother,
    /// It answers with a code of its own.
    Odd,
    /// It ends.
    Dies,
}

/// A server with one account, `a`.
#[derive(Debug)]
struct Served {
    four: Four,
    /// Whether it says that one is already logged in before it checks the password, and keeps the session.
    in_first: bool,
    /// How many answers to 01 are lost.
    lost: usize,
    ours: bool,
    password: String,
    is_in: bool,
    dead: bool,
}

impl Served {
    fn answer(&mut self, request: &str) -> Answers {
        if self.dead {
            return Vec::new();
        }
        let fields: Vec<&str> = request.split('#').collect();
        match fields.as_slice() {
            ["01", "a", old, new, _, ""] => {
                let right = *old == self.password;
                let answer = match self.four {
                    Four::Changes if !right => "01:01",
                    Four::Changes => {
                        self.password = (*new).to_owned();
                        "01:03"
                    }
                    Four::Exists => "01:03",
                    Four::Differs => "01:02",
                    Four::NotUnderstood => "00:00",
                    Four::Silent => return Vec::new(),
                    Four::RegistersAgain | Four::RegistersLast => {
                        let takes = if self.four == Four::RegistersAgain { old } else { new };
                        self.password = (*takes).to_owned();
                        "01:01"
                    }
                    Four::RegistersAnother => "01:01",
                    Four::Odd => "01:07",
                    Four::Dies => {
                        self.dead = true;
                        return Vec::new();
                    }
                };
                if self.lost > 0 {
                    self.lost -= 1;
                    return Vec::new();
                }
                at_once(answer)
            }
            ["02", "a", ..] if self.is_in && self.in_first => at_once("02:04"),
            ["02", "a", password, ""] if *password == self.password => {
                let was = std::mem::replace(&mut self.is_in, true);
                at_once(if was { "02:04" } else { "02:01" })
            }
            ["02", ..] => at_once("02:02"),
            ["11", ..] if self.ours => at_once("11:1:0:a"),
            ["06", ..] if !std::mem::take(&mut self.is_in) => at_once("07:01"),
            ["03" | "08" | "09", ..] if !self.is_in => at_once("07:01"),
            _ => plain(request),
        }
    }
}

/// Changes the password from `old` to "y" while logged in with "x". Returns the outcome, and the requests 01, 02 and 06
/// that were sent for it.
fn change(served: Served, old: &str, confirm: &str) -> (PasswordOutcome, Option<bool>, Served, Vec<String>) {
    let server = Rc::new(RefCell::new(served));
    let answering = Rc::clone(&server);
    let mut world = World::online(Polling::Adaptive, move |_, request: &str| answering.borrow_mut().answer(request));
    world.run(secs(1));
    world.sent.clear();
    world.session.change_password(world.now, password(old), password("y"), password(confirm));
    if world.session.changing.is_some() {
        // A second request, as after a double click, does nothing.
        world.session.change_password(world.now, password(old), password("z"), password("z"));
    }
    world.run(secs(60));
    let told = world.events.iter().filter_map(|(_, event)| match event {
        Event::PasswordChanged(outcome) => Some(outcome.clone()),
        _ => None,
    });
    let told = told.collect::<Vec<_>>();
    let learned = world.events.iter().rev().find_map(|(_, event)| match event {
        Event::ChangesPasswords { does, .. } => Some(*does),
        _ => None,
    });
    let sent = world.requests().into_iter().filter(|r| ["01", "02", "06"].iter().any(|op| r.starts_with(op)));
    let sent = sent.map(str::to_owned).collect();
    // A user who was logged in still is, with the password that the session believes to be valid.
    if !server.borrow().dead {
        world.session.go_offline(world.now);
        world.run(secs(2));
        world.events.clear();
        world.session.go_online(world.now);
        world.run(secs(2));
        assert!(world.has(&Event::LoggedIn(LoginOutcome::Done)), "{server:?} {:?} {told:?}", world.events);
    }
    drop(world);
    let Ok(server) = Rc::try_unwrap(server) else { panic!("nobody else has it") };
    (told.into_iter().next().expect("told"), learned, server.into_inner(), sent)
}

fn served(four: Four) -> Served {
    Served { four, in_first: false, lost: 0, ours: false, password: "x".into(), is_in: false, dead: false }
}

#[test]
fn what_is_told_of_a_change_is_what_lets_in_and_what_the_server_can_is_remembered() {
    for in_first in [false, true] {
        for lost in [0, 1, 2] {
            for (four, outcome, lets_in, learned) in [
                (Four::Changes, Done, "y", Some(true)),
                (Four::Exists, NotHere, "x", Some(false)),
                (Four::Differs, NotHere, "x", Some(false)),
                (Four::NotUnderstood, NotHere, "x", Some(false)),
                (Four::Silent, NotHere, "x", Some(false)),
                (Four::RegistersAgain, NotHere, "x", Some(false)),
                // Whatever it takes it for, the new one lets in.
                (Four::RegistersLast, Done, "y", Some(true)),
                (Four::RegistersAnother, NotHere, "x", Some(false)),
                (Four::Odd, NotHere, "x", Some(false)),
                (Four::Dies, NoAnswer, "x", Some(false)),
            ] {
                let (told, knows, server, sent) = change(Served { in_first, lost, ..served(four) }, "x", "y");
                let case = format!("{four:?} in first: {in_first} lost: {lost} {sent:?}");
                assert_eq!((told, &*server.password, knows), (outcome, lets_in, learned), "{case}");
            }
        }
    }
}

#[test]
fn a_change_is_asked_for_in_so_many_words_and_tried_only_where_its_answer_may_mean_something_else() {
    let asked = |four, ours| change(Served { ours, ..served(four) }, "x", "y").3;
    assert_eq!(asked(Four::Changes, true), ["01#a#x#y#y#"], "ours means what it says");
    // Of others the answer to 02 may be the same for every password, until one is out.
    assert_eq!(asked(Four::Changes, false), ["01#a#x#y#y#", "02#a#y#", "06#", "02#a#y#"]);
    assert_eq!(asked(Four::Exists, false), ["01#a#x#y#y#", "02#a#y#", "02#a#x#"]);
    assert_eq!(asked(Four::Differs, false), ["01#a#x#y#y#"]);
    assert_eq!(asked(Four::NotUnderstood, false), ["01#a#x#y#y#"]);
}

#[test]
fn what_need_not_be_asked_is_not() {
    let (told, knows, _, sent) = change(served(Four::Changes), "x", "z");
    assert_eq!((told, knows, sent.len()), (PasswordsDiffer, None, 0));
    // A server that registers again would take a wrong one for the right one from then on.
    let (told, knows, server, sent) = change(served(Four::RegistersAgain), "w", "y");
    assert_eq!((told, knows, sent.len(), &*server.password), (NotTheOneOfLogin, None, 0, "x"));
    // Ours judges by itself.
    let (told, knows, server, sent) = change(Served { ours: true, ..served(Four::Changes) }, "w", "y");
    assert_eq!((told, knows, &*server.password), (WrongPassword, None, "x"));
    assert_eq!(sent, ["01#a#w#y#y#"]);
    let mut world = World::new(Polling::Adaptive, |_, request: &str| plain(request));
    world.session.change_password(world.now, password("x"), password("y"), password("y"));
    world.run(secs(1));
    assert!(world.has(&Event::PasswordChanged(PasswordOutcome::NotLoggedIn)) && world.sent.is_empty());
}

#[test]
fn a_password_that_was_changed_elsewhere_is_wrong_and_the_server_has_shown_what_it_can() {
    let server = Rc::new(RefCell::new(served(Four::Changes)));
    let answering = Rc::clone(&server);
    let mut world = World::online(Polling::Adaptive, move |_, request: &str| answering.borrow_mut().answer(request));
    world.run(secs(1));
    server.borrow_mut().password = "elsewhere".into();
    world.session.change_password(world.now, password("x"), password("y"), password("y"));
    world.run(secs(5));
    assert!(world.has(&Event::PasswordChanged(WrongPassword)), "{:?}", world.events);
    assert!(world.has(&Event::ChangesPasswords { does: true, shown: true }));
    // From now on it is believed, also of a password that is not the one of the login.
    world.sent.clear();
    world.session.change_password(world.now, password("elsewhere"), password("y"), password("y"));
    world.run(secs(5));
    assert!(world.has(&Event::PasswordChanged(Done)), "{:?}", world.events);
    assert_eq!((world.count("01"), world.count("02")), (1, 0));
}

#[test]
fn whoever_leaves_while_a_password_is_changed_is_told_that_nobody_knows() {
    for leaves in [|session: &mut Session, now| session.go_offline(now), |session: &mut Session, _| session.forget()] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| match request.starts_with("01") {
            true => Vec::new(),
            false => plain(request),
        });
        world.session.change_password(world.now, password("x"), password("y"), password("y"));
        world.run(Duration::from_millis(100));
        leaves(&mut world.session, world.now);
        world.run(secs(2));
        assert!(world.has(&Event::PasswordChanged(PasswordOutcome::Interrupted)), "{:?}", world.events);
    }
}
