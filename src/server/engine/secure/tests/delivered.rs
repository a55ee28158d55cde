//! Deliveries, as the writer's devices are told of them.

use super::*;

fn ask(version: u64) -> FromClient {
    FromClient::Delivered { version }
}

fn told(peer: u64, version: u64, rows: &[(&str, u64, u64)]) -> String {
    let rows: Vec<_> = rows.iter().map(|(to, first, last)| format!(r#""{to}":[{first},{last}]"#)).collect();
    format!(r#"{peer} {{"t":"delivered","version":{version},"rows":{{{}}}}}"#, rows.join(","))
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_kept_message_is_delivered_once_its_receiver_has_acknowledged_it() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    assert_eq!(world.say(1, &ask(0)), NOTHING);
    assert_eq!(world.say(1, &send(1, "c", "one")), [accepted(1, 1, 1, false)]);
    assert_eq!(world.say(1, &send(2, "c", "two")), [accepted(1, 2, 2, false)]);
    world.login(3, "c", 3, None);
    assert_eq!(world.heard(), NOTHING, "pushed is not acknowledged");
    world.held = true;
    assert_eq!(world.say(3, &FromClient::Ack { cursor: 1 }), NOTHING, "nor is what is not on disk yet");
    world.release();
    assert_eq!(world.heard(), [told(1, 1, &[("c", 1, 1)])]);
    // It is told what comes next when it has that on disk, and all that came meanwhile at once.
    assert_eq!(world.say(3, &FromClient::Ack { cursor: 2 }), NOTHING);
    world.login(2, "b", 2, None);
    world.say(1, &send(3, "b", "three"));
    world.say(2, &FromClient::Ack { cursor: 3 });
    assert_eq!(world.heard(), NOTHING);
    assert_eq!(world.say(1, &ask(1)), [told(1, 3, &[("b", 3, 3), ("c", 1, 2)])]);
    assert_eq!(world.say(1, &ask(3)), NOTHING);
    // Once more the same is no news.
    world.say(3, &FromClient::Ack { cursor: 2 });
    assert_eq!(world.heard(), NOTHING);
    world.say(1, &send(4, "b", "four"));
    assert_eq!(world.say(2, &FromClient::Ack { cursor: 4 }), [told(1, 4, &[("b", 3, 4)])]);
}

/// A start of the server between two messages begins a new range; an answer has one range of each conversation.
#[test]
fn what_was_written_to_one_before_and_after_a_start_is_told_in_two_answers() {
    for asked in [false, true] {
        let mut world = World::new();
        world.login(1, "a", 1, None);
        world.say(1, &send(1, "c", "one"));
        world.store.number_on(1_767_225_601).expect("numbered");
        assert_eq!(world.say(1, &send(2, "c", "two")), [accepted(1, 2, 8_193, false)]);
        world.login(3, "c", 3, None);
        if asked {
            assert_eq!(world.say(1, &ask(0)), NOTHING);
            let heard = world.say(3, &FromClient::Ack { cursor: 8_193 });
            assert_eq!(heard, [told(1, 8_193, &[("c", 8_193, 8_193)])]);
        } else {
            world.say(3, &FromClient::Ack { cursor: 8_193 });
            assert_eq!(world.say(1, &ask(0)), [told(1, 8_193, &[("c", 8_193, 8_193)])]);
        }
        assert_eq!(world.say(1, &ask(8_193)), [told(1, 8_194, &[("c", 1, 1)])]);
        assert_eq!(world.say(1, &ask(8_194)), NOTHING);
    }
}

#[test]
fn who_was_away_is_told_at_the_next_login_and_each_device_for_itself() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::SetDevices { id: 4, beside: true });
    world.say(1, &send(1, "c", "one"));
    world.engine.lost(world.now, PeerId(1));
    world.login(3, "c", 3, None);
    world.say(3, &FromClient::Ack { cursor: 1 });
    world.login(4, "a", 1, Some(0));
    assert_eq!(world.say(4, &ask(0)), [told(4, 1, &[("c", 1, 1)])]);
    // It did not get to its disk.
    world.engine.lost(world.now, PeerId(4));
    world.login(5, "a", 1, Some(0));
    assert_eq!(world.say(5, &ask(0)), [told(5, 1, &[("c", 1, 1)])]);
    assert_eq!(world.say(5, &ask(1)), NOTHING);
    let own = r#"6 {"t":"own","row":2,"after":0,"to":"c","at":1000,"text":"one","device":"#;
    let other = world.login(6, "a", 6, Some(0));
    assert!(other.iter().any(|line| line.starts_with(own) && line.ends_with(r#""accepted":1,"online":false}"#)));
    assert_eq!(world.say(6, &ask(0)), [told(6, 1, &[("c", 1, 1)])]);
    // One that never asks, as of before there was this, hears nothing of it.
    world.login(7, "a", 7, Some(9));
    assert_eq!(world.say(6, &ask(1)), NOTHING);
    world.say(5, &send(2, "c", "two"));
    assert_eq!(
        world.say(3, &FromClient::Ack { cursor: 3 }),
        [told(5, 2, &[("c", 1, 3)]), told(6, 2, &[("c", 1, 3)])],
        "both, and nobody else"
    );
    // A version that this server has never had is another server's.
    assert_eq!(world.say(5, &ask(900)), [told(5, 2, &[("c", 1, 3)])]);
}

#[test]
fn a_plain_client_that_goes_on_has_taken_it() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &ask(0));
    world.say(1, &send(1, "b", "one"));
    world.say(1, &send(2, "b", "two"));
    world.plainly(50, "02#b#b#");
    assert_eq!(world.plainly(50, "09#"), ["50 09:a:2026-11-21 12:04:58:one"]);
    assert_eq!(world.heard(), NOTHING, "it may not have come");
    assert_eq!(world.plainly(50, "05#a#"), ["50 05:a:2026-11-21 12:04:58:two"]);
    assert_eq!(world.heard(), [told(1, 1, &[("b", 1, 1)])]);
    // Nobody is told of the lobby, where a message goes to many.
    world.say(1, &ask(1));
    world.say(1, &send(3, "@lobby", "all"));
    assert_eq!(world.plainly(50, "05#@lobby#"), ["50 05:@lobby:2026-11-21 12:04:58:[a] all"]);
    assert_eq!(world.heard(), [told(1, 2, &[("b", 1, 2)])]);
    world.say(1, &ask(2));
    world.plainly(50, "08#");
    assert_eq!(world.heard(), NOTHING);
}

#[test]
fn what_is_asked_while_the_store_is_busy_is_answered_in_full() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.login(3, "c", 3, None);
    world.say(1, &send(1, "b", "one"));
    world.say(1, &send(2, "c", "two"));
    world.held = true;
    world.say(2, &FromClient::Ack { cursor: 1 });
    world.say(1, &ask(0));
    world.say(1, &ask(0));
    world.say(3, &FromClient::Ack { cursor: 2 });
    world.release();
    assert_eq!(world.heard(), [told(1, 1, &[("b", 1, 1)])]);
    assert_eq!(world.say(1, &ask(1)), [told(1, 2, &[("c", 2, 2)])]);
    // Nothing is told to a device that is not logged in, nor to one about the account that was logged in on its
    // connection before.
    world.say(1, &ask(2));
    world.say(1, &FromClient::Logout { id: 9, forget: false });
    world.login(4, "b", 2, Some(1));
    assert_eq!(world.say(1, &ask(0)), NOTHING);
}

#[test]
fn the_same_again_is_answered_with_who_was_there_then() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    assert_eq!(world.say(1, &send(1, "b", "one")), [accepted(1, 1, 1, false)]);
    world.login(2, "b", 2, None);
    assert_eq!(world.say(1, &send(1, "b", "one")), [accepted(1, 1, 1, false)], "as the first time");
    let past = FromClient::History { id: 3, peer: "b".into(), before: None, count: 9 };
    let page = |told: &str| {
        format!(
            r#"1 {{"t":"history","id":3,"messages":[{{"row":1,"from":"a","at":1000,"text":"one","online":false{told}}}],"more":false}}"#
        )
    };
    assert_eq!(world.say(1, &past), [page("")]);
    world.say(2, &FromClient::Ack { cursor: 1 });
    assert_eq!(world.say(1, &past), [page(r#","delivered":true"#)]);
}
