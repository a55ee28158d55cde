//! Several devices of one account, and the account's settings.

use std::cell::Cell;

use super::*;
use crate::client::session::AccountChange;

fn settings(world: &World) -> Vec<Option<AccountSettings>> {
    let settings = |(_, e): &(_, Event)| if let Event::AccountSettings(settings) = e { Some(*settings) } else { None };
    world.events.iter().filter_map(settings).collect()
}

#[test]
fn what_another_device_sent_comes_once_and_in_its_place() {
    for seed in 0..40 {
        let mut world = World::online(seed);
        (world.loss, world.writes.longest) = (20, 30);
        for n in 0..30 {
            world.post(&if n % 3 == 0 { format!("own {n}") } else { n.to_string() });
            if n % 7 == 0 {
                world.restart_client(seed + n);
                world.session.resume(world.now, account("a"), world.kept);
            }
            world.run(ms(20));
        }
        assert!(world.until(secs(60), |w| w.disk.len() == 30), "seed {seed}: {:?}", world.texts());
        world.loss = 0;
        world.run(secs(10));
        let expected: Vec<String> =
            (0..30).map(|n| if n % 3 == 0 { format!("own {n}") } else { n.to_string() }).collect();
        assert_eq!(world.texts(), expected, "seed {seed}");
        assert_eq!(Some(world.durable.acknowledged), world.kept.cursor, "seed {seed}");
    }
    let mut world = World::online(1);
    world.post("own");
    world.post("own words");
    world.run(secs(1));
    let own = |e: &Event| match e {
        Event::Own { to, text, pushed, by, .. } => Some((to.clone(), text.clone(), pushed.row, *by)),
        _ => None,
    };
    let by = SentBy { device: OTHER, counter: 4, accepted: Some(1), online: Some(true) };
    let own: Vec<_> = world.events.iter().filter_map(|(_, e)| own(e)).collect();
    assert_eq!(own, [(account("b"), "own words".into(), 4, by)]);
}

#[test]
fn how_the_account_may_be_used_is_asked_and_changed_on_the_server() {
    let mut world = World::online(1);
    world.session.account_settings(world.now);
    world.run(secs(1));
    assert_eq!(settings(&world), [Some(AccountSettings::default())]);
    // Changes wait for the connection, and go in their order.
    world.down = true;
    world.restart_server();
    for change in [AccountChange::Beside(false), AccountChange::SecureOnly(true), AccountChange::Beside(true)] {
        world.session.set_account(world.now, change);
    }
    world.run(secs(30));
    assert_eq!(world.durable.settings, AccountSettings::default());
    world.down = false;
    world.run(secs(60));
    let both = AccountSettings { beside: true, secure_only: true };
    assert_eq!((world.durable.settings, settings(&world).last()), (both, Some(&Some(both))));
    assert_eq!(settings(&world).len(), 4);
}

#[test]
fn a_server_that_does_not_know_of_settings_is_no_reason_to_begin_anew() {
    let mut world = World::scripted(1, |frame| match frame {
        FromClient::AccountSettings { .. } | FromClient::SetDevices { .. } => Some(Vec::new()),
        FromClient::SetSecureOnly { id, .. } => {
            Some(vec![FromServer::Error { id: *id, code: Code::TryLater, reason: None, wait: None }])
        }
        _ => None,
    });
    world.log_in();
    world.events.clear();
    world.session.account_settings(world.now);
    world.session.set_account(world.now, AccountChange::Beside(true));
    world.run(secs(60));
    // The device that asked is told, and nothing else has happened.
    assert_eq!((settings(&world).len(), world.events.len()), (2, 2), "{:?}", world.events);
    assert_eq!((settings(&world), world.durable.passwords, world.durable.resumed), (vec![None, None], 1, 0));
    world.events.clear();
    world.session.set_account(world.now, AccountChange::SecureOnly(true));
    world.run(secs(1));
    assert_eq!(settings(&world), [None]);
}

#[test]
fn a_server_that_falls_silent_at_a_question_is_noticed() {
    let ask: [fn(&mut World<'_>); 4] = [
        |w| w.session.account_settings(w.now),
        |w| w.session.set_account(w.now, AccountChange::Beside(true)),
        |w| w.session.look_up(w.now, account("b")),
        |w| w.session.history(w.now, account("b"), None, 10),
    ];
    for ask in ask {
        // Its carrier goes on; who answers nothing is the server.
        let silent = Cell::new(false);
        let mut world = World::scripted(1, |_| silent.get().then(Vec::new));
        world.log_in();
        silent.set(true);
        ask(&mut world);
        assert!(world.until(secs(3), |w| w.session.link() == ConnectionState::Waiting), "{:?}", world.events);
        // Nor does its link: the client reconnects, and the device that asked is told.
        let mut world = World::online(1);
        ask(&mut world);
        world.down = true;
        assert!(world.until(secs(8), |w| !w.session.connection.connected), "{:?}", world.events);
        world.down = false;
        assert!(world.until(secs(60), |w| matches!(w.session.link(), ConnectionState::Connected { .. })));
    }
}

#[test]
fn where_a_device_begins_is_said_until_something_is_stored_after_it() {
    let mut world = World::new(1);
    world.disk_works = false;
    world.log_in();
    world.post("hi");
    world.run(secs(10));
    assert_eq!((world.kept.cursor, world.texts().len()), (None, 0));
    world.disk_works = true;
    world.run(secs(60));
    assert_eq!((world.kept.cursor, world.texts()), (Some(2), vec!["hi"]));
    world.restart_client(2);
    world.events.clear();
    world.session.resume(world.now, account("a"), world.kept);
    world.run(secs(1));
    assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::Begins(_))), "it has a cursor");
}
