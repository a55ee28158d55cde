//! When the session asks for messages, and when it does not.

use super::*;

#[test]
fn strictly_one_08_each_thirty_seconds_and_takes_while_there_are_some() {
    let mut unread = 0;
    let server = |time: Duration, request: &str| {
        match request {
            // Three come before the fourth question.
            "08#" if time > secs(100) && time < secs(130) => unread = 3,
            "09#" if unread > 0 => {
                unread -= 1;
                return at_once(&format!("09:b:2026-11-21 12:04:5{unread}:hi"));
            }
            _ => {}
        }
        if request == "08#" { at_once(&format!("08:{unread}")) } else { ours(request) }
    };
    let mut world = World::online(Polling::Strict, server);
    world.run(secs(600));
    let polls: Vec<u64> = world.sent.iter().filter(|(_, r)| r == "08#").map(|(t, _)| t.as_secs()).collect();
    assert_eq!(polls, (1..=20).map(|n| n * 30).collect::<Vec<_>>(), "not a second late after ten minutes");
    assert_eq!((world.count("09"), world.sent.len()), (4, 24), "{:?}", world.requests());
    assert_eq!(world.idle_wakes, 0);
}

#[test]
fn strictly_each_open_chat_and_no_other() {
    let mut waiting = 2;
    let server = |_, request: &str| match request {
        "04#b#" => at_once(&format!("04:{waiting}")),
        "05#b#" if waiting > 0 => {
            waiting -= 1;
            at_once(&format!("05:b:2026-11-21 12:04:5{waiting}:hi"))
        }
        request => plain(request),
    };
    let mut world = World::online(Polling::StrictPerFriend, server);
    world.session.set_open_chats(world.now, vec![account("b"), account("c")], true);
    world.run(secs(65));
    let first = ["04#b#", "05#b#", "05#b#", "05#b#", "04#c#"];
    let mut sorted = world.requests();
    sorted.sort_unstable();
    let mut expected = [&first[..], &["04#b#", "04#c#"]].concat();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    world.session.set_open_chats(world.now, vec![account("c")], true);
    world.sent.clear();
    world.run(secs(300));
    assert_eq!(world.requests(), ["04#c#"; 10]);
    world.session.set_open_chats(world.now, Vec::new(), false);
    world.sent.clear();
    world.run(secs(300));
    assert_eq!(world.requests(), [""; 0]);
}

#[test]
fn between_polls_nothing_wakes_up() {
    for (visible, least, most) in [(false, 20, 30), (true, 290, 310)] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| plain(request));
        world.session.set_open_chats(world.now, vec![account("b")], visible);
        world.run(secs(600));
        let polls = world.count("08");
        assert!((least..=most).contains(&polls) && polls == world.sent.len(), "{polls}: {:?}", world.requests());
        assert_eq!(world.idle_wakes, 0);
    }
}

#[test]
fn an_answer_that_says_nothing_does_not_end_the_polling() {
    let mut world = World::online(Polling::Adaptive, |time, request: &str| {
        if time > secs(1) && time < secs(40) && request == "08#" { at_once("00:00") } else { plain(request) }
    });
    world.run(secs(300));
    assert!(world.sent.last().is_some_and(|(t, _)| *t > secs(240)), "{:?}", world.sent);
}

#[test]
fn a_machine_that_slept_asks_once_and_goes_on() {
    // Some systems' clocks go on while the machine sleeps; a request may have been under way.
    for (polling, most) in [(Polling::Strict, 4), (Polling::Adaptive, 12)] {
        for under_way in [false, true] {
            let mut world = World::online(polling, |_, request: &str| plain(request));
            world.run(secs(100));
            if under_way {
                world.session.fetch_now(world.now);
                world.drain();
            }
            world.now += secs(8 * 3_600);
            let woken = world.now;
            world.coming.iter_mut().for_each(|(at, _)| *at = woken);
            world.sent.clear();
            world.run(secs(120));
            // Again, since no answer came in time, and what was due meanwhile.
            let most = most + if under_way { 2 } else { 1 };
            let polls = world.count("08");
            assert!((4..=most).contains(&polls), "{polling:?}: {:?}", world.sent);
            assert!(
                matches!(world.session.link(), ConnectionState::Connected { rtt } if rtt < secs(2)),
                "{:?}",
                world.session.link()
            );
        }
    }
}
