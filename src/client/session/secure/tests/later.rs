//! A server that says "later".

use std::cell::Cell;
use std::rc::Rc;

use super::*;

#[test]
fn why_a_login_is_put_off_is_said_once_and_at_last_instead_of_that_nobody_answers() {
    for reason in [Some(Reason::NotStored), Some(Reason::TooManyTries), Some(Reason::Unknown), None] {
        let refuse = Rc::new(Cell::new(true));
        let refuses = Rc::clone(&refuse);
        let mut world = World::scripted(1, move |frame| match frame {
            FromClient::Login { id, .. } | FromClient::Resume { id, .. } if refuses.get() => {
                Some(vec![FromServer::Error { id: *id, code: Code::TryLater, reason, wait: None }])
            }
            _ => None,
        });
        world.session.login(world.now, account("a"), password(), world.kept);
        world.run(secs(20));
        let put_off = |world: &World| world.events.iter().filter(|(_, e)| *e == Event::LoginPutOff(reason)).count();
        assert_eq!(put_off(&world), 1, "{:?}", world.events);
        world.run(secs(100));
        assert!(world.has(&Event::LoggedIn(LoginOutcome::TryLater(reason))), "{:?}", world.events);
        assert!(!world.has(&Event::LoggedIn(LoginOutcome::NoAnswer)) && put_off(&world) == 1);
        // Another one that is put off is said anew; and the server takes it in the end, by itself.
        world.session.login(world.now, account("a"), password(), world.kept);
        world.run(secs(5));
        assert_eq!(put_off(&world), 2);
        refuse.set(false);
        assert!(world.until(secs(60), |w| w.has(&Event::LoggedIn(LoginOutcome::Done))), "{:?}", world.events);
    }
}
