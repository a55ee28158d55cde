//! How people are shown to others: busy, away, with a line, and invisible.

use serde_json::{Value, json};

use super::*;
use crate::protocol::wire::item::{Item, Kind};

fn choose(id: u64, value: Value) -> FromClient {
    FromClient::Set { id, item: Item::new(Kind::Status, "", Some(value)) }
}

fn changes(peer: u64, came: &[&str], went: &[&str], states: &Value) -> String {
    let states = if states == &json!({}) { String::new() } else { format!(",\"states\":{states}") };
    format!(r#"{peer} {{"t":"changes","came":{},"went":{}{states}}}"#, json!(came), json!(went))
}

impl World {
    /// What is sent in this time, of presence alone and to this device alone.
    fn told(&mut self, peer: u64) -> Vec<String> {
        let all = self.pass(GATHER);
        all.into_iter().filter(|line| line.starts_with(&format!("{peer} ")) && line.contains("\"changes\"")).collect()
    }

    /// What this device was told of who is here when it came.
    fn introduced(&mut self, peer: u64, account: &str) -> Vec<String> {
        self.connect(peer);
        let password = Secret(account.into());
        let device = name(u8::try_from(peer).expect("small"));
        let login = FromClient::Login { id: 1, account: account.into(), password, device, cursor: None, made: None };
        self.engine.frame(self.now, PeerId(peer), &login.encode());
        self.work();
        std::mem::take(&mut self.out).into_iter().filter(|line| line.contains("\"presence\"")).collect()
    }
}

#[test]
fn who_is_busy_or_says_something_is_shown_so_to_all_and_at_each_login() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.pass(GATHER);
    assert_eq!(world.say(2, &choose(5, json!({"state": "busy", "text": "在图书馆"}))), [r#"2 {"t":"done","id":5}"#]);
    let state = json!({"b": {"state": "busy", "text": "在图书馆"}});
    assert_eq!(world.told(1), [changes(1, &[], &[], &state)]);
    let listed = format!(r#"3 {{"t":"presence","first":true,"online":["a","b"],"states":{state}}}"#);
    assert_eq!(world.introduced(3, "c"), [listed]);
    world.pass(GATHER);
    world.say(2, &choose(6, json!({"state": "busy", "text": "在图书馆"})));
    assert_eq!(world.told(1), [""; 0], "the same is no news");
    world.say(2, &choose(7, json!({})));
    assert_eq!(world.told(1), [changes(1, &[], &[], &json!({"b": {}}))]);
    // It stands with the account, whoever of it comes in.
    world.say(2, &choose(8, json!({"state": "busy"})));
    world.engine.lost(world.now, PeerId(2));
    assert_eq!(world.told(1), [changes(1, &[], &["b"], &json!({}))]);
    world.login(4, "b", 9, None);
    assert_eq!(world.told(1), [changes(1, &["b"], &[], &json!({"b": {"state": "busy"}}))]);
    world.disk_full = true;
    world.say(4, &choose(9, json!({"text": "lost"})));
    assert_eq!(world.told(1), [""; 0], "what is not on disk is told to nobody");
}

#[test]
fn an_account_is_away_if_all_its_devices_are() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.say(2, &FromClient::SetDevices { id: 4, beside: true });
    world.login(3, "b", 3, None);
    world.pass(GATHER);
    let here = |away| FromClient::Here { away };
    let away = changes(1, &[], &[], &json!({"b": {"state": "away"}}));
    let back = changes(1, &[], &[], &json!({"b": {}}));
    assert_eq!(world.say(2, &here(true)), [""; 0], "it is not answered");
    assert_eq!(world.told(1), [""; 0], "the other one is there");
    world.say(3, &here(true));
    assert_eq!(world.told(1), std::slice::from_ref(&away));
    world.say(3, &here(false));
    assert_eq!(world.told(1), std::slice::from_ref(&back));
    world.engine.lost(world.now, PeerId(3));
    assert_eq!(world.told(1), [away]);
    world.login(4, "b", 3, Some(0));
    assert_eq!(world.told(1), [back], "a new connection has said nothing");
    world.say(4, &choose(5, json!({"state": "busy"})));
    world.say(4, &here(true));
    assert_eq!(world.told(1), [changes(1, &[], &[], &json!({"b": {"state": "busy"}}))], "a choice goes first");
}

#[test]
fn who_says_so_too_often_is_told_of_later() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.pass(GATHER);
    for n in 0..40 {
        world.say(2, &FromClient::Here { away: n % 2 == 0 });
        world.now.instant += GATHER * 2;
    }
    let early = std::mem::take(&mut world.out).len();
    world.pass(LOOK);
    let mut told = 0;
    for n in 0..300 {
        world.say(2, &FromClient::Here { away: n % 2 == 0 });
        told += world.told(1).len();
    }
    assert!(early == 0 && told < 40, "{early} {told}");
    world.say(2, &FromClient::Here { away: true });
    world.say(2, &FromClient::Here { away: false });
    world.say(2, &FromClient::Here { away: true });
    world.pass(LOOK);
    assert!(world.introduced(3, "c")[0].contains(r#""states":{"b":{"state":"away"}}"#));
    let later = (0..12).map(|id| world.say(2, &choose(id, json!({"text": id.to_string()})))).last();
    assert!(later.is_some_and(|heard| heard[0].contains(r#""code":"try_later","wait":"#)));
}

/// What another device, a plain client and somebody who comes newly are told of b, who goes for a while: offline, or
/// invisible without leaving.
fn seen_by_others(hides: bool) -> Vec<String> {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.say(1, &FromClient::SetDevices { id: 4, beside: true });
    world.plainly(50, "02#c#c#");
    world.login(2, "b", 2, None);
    world.say(2, &FromClient::SetDevices { id: 4, beside: true });
    let mut seen = Vec::new();
    let mut watch = |world: &mut World, step: &str| {
        world.work();
        let mut out = std::mem::take(&mut world.out);
        out.extend(world.pass(GATHER));
        // Which device is told first is nobody's business.
        out.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
        seen.push(format!("-- {step}"));
        seen.extend(out.into_iter().filter(|line| !line.starts_with("2 ") && !line.starts_with("22 ")));
        seen.extend(std::mem::take(&mut world.plain));
    };
    let frame = |world: &mut World, peer, frame: &FromClient| {
        world.engine.frame(world.now, PeerId(peer), &frame.encode());
        world.work();
    };
    let plain = |world: &mut World, request: &str| {
        world.engine.datagram(world.now, at(50), request.as_bytes());
        world.work();
    };
    watch(&mut world, "before");
    frame(&mut world, 1, &FromClient::Delivered { version: 0 });
    frame(&mut world, 1, &send(1, "b", "seen"));
    frame(&mut world, 2, &FromClient::Ack { cursor: 1 });
    frame(&mut world, 1, &FromClient::Delivered { version: 1 });
    watch(&mut world, "there");
    if hides {
        frame(&mut world, 2, &choose(5, json!({"state": "invisible", "text": "sh"})));
    } else {
        world.engine.lost(world.now, PeerId(2));
    }
    watch(&mut world, "gone");
    for (counter, text) in [(2, "hidden"), (3, "too")] {
        frame(&mut world, 1, &send(counter, "b", text));
        if hides {
            frame(&mut world, 2, &FromClient::Ack { cursor: 9 });
        }
        watch(&mut world, "written to");
    }
    frame(&mut world, 1, &send(2, "b", "hidden"));
    plain(&mut world, "03#b#hi#");
    if hides {
        frame(&mut world, 2, &FromClient::Ack { cursor: 9 });
        frame(&mut world, 2, &FromClient::Here { away: true });
        frame(&mut world, 2, &FromClient::Here { away: false });
        frame(&mut world, 2, &choose(6, json!({"state": "invisible", "text": "still"})));
        let past = FromClient::History { id: 9, peer: "a".into(), before: None, count: 9 };
        frame(&mut world, 2, &past);
    }
    plain(&mut world, "11#0#");
    questions().iter().for_each(|question| frame(&mut world, 1, question));
    watch(&mut world, "asked for");
    seen_anew(&mut world);
    watch(&mut world, "at a login");
    if hides {
        // Another device, which says where it is.
        world.login(22, "b", 22, Some(9));
        world.engine.lost(world.now, PeerId(22));
        world.pass(LOOK);
    } else {
        world.pass(LOOK);
    }
    watch(&mut world, "later");
    if hides {
        frame(&mut world, 2, &choose(7, json!({})));
    } else {
        world.login(22, "b", 2, Some(1));
        frame(&mut world, 22, &FromClient::Ack { cursor: 9 });
    }
    watch(&mut world, "back");
    frame(&mut world, 1, &FromClient::History { id: 12, peer: "b".into(), before: None, count: 9 });
    plain(&mut world, "11#0#");
    plain(&mut world, "03#b#hi#");
    frame(&mut world, 1, &send(4, "b", "there"));
    watch(&mut world, "written to again");
    seen
}

/// What somebody may ask about b.
fn questions() -> [FromClient; 4] {
    [
        FromClient::History { id: 9, peer: "b".into(), before: None, count: 9 },
        FromClient::Delivered { version: 1 },
        FromClient::LookUp { id: 10, account: "b".into() },
        FromClient::People { id: 11, accounts: vec!["b".into()] },
    ]
}

fn seen_anew(world: &mut World) {
    for line in world.introduced(7, "a") {
        world.out.push(line);
    }
}

/// Frames of `presence`, `changes`, `accepted`, `delivered`, `history`, `account` and `people`, and the plain answers to
/// sending and asking who is there: each as of somebody who has left, in the same order, and so at the return.
#[test]
fn going_invisible_looks_like_going_offline_and_coming_back_like_coming_online() {
    let (left, hidden) = (seen_by_others(false), seen_by_others(true));
    assert_eq!(hidden, left);
    for expected in [
        r#""went":["b"]"#,
        r#""came":["b"]"#,
        r#""online":false"#,
        r#""rows":{"b":[1,5]}"#,
        "03:02",
        "03:01",
        "11:2:0:a:c",
        "11:3:0:a:b:c",
        r#""delivered":true"#,
    ] {
        assert!(left.iter().any(|line| line.contains(expected)), "{expected}: {left:#?}");
    }
}

/// The lobby's messages come to who is invisible; that nobody else is there is what their writers are told.
#[test]
fn a_lobby_in_which_only_invisible_people_are_is_empty_for_who_writes() {
    let written = |hides: bool| {
        let mut world = World::new();
        world.login(1, "a", 1, None);
        world.plainly(50, "02#c#c#");
        world.login(2, "b", 2, None);
        if hides {
            world.say(2, &choose(5, json!({"state": "invisible"})));
        } else {
            world.engine.lost(world.now, PeerId(2));
        }
        // c leaves, so that a is alone.
        world.plainly(50, "06#");
        let to_b = |heard: &[String]| heard.iter().any(|line| line.starts_with("2 ") && line.contains("\"message\""));
        let mut heard = world.say(1, &send(1, "@lobby", "anybody?"));
        assert_eq!(to_b(&heard), hides, "who is invisible reads it");
        heard.extend(world.say(1, &send(1, "@lobby", "anybody?")));
        world.engine.lost(world.now, PeerId(1));
        world.held = true;
        world.plainly(50, "02#c#c#");
        world.release();
        world.plain.clear();
        world.held = true;
        let mut plain = world.plainly(50, "03#@lobby#anybody?#");
        assert_eq!(plain, [""; 0], "either way it is answered when it is on disk");
        world.release();
        plain.append(&mut world.plain);
        (heard.into_iter().filter(|line| line.starts_with("1 ")).collect::<Vec<_>>(), plain)
    };
    let (left, hidden) = (written(false), written(true));
    assert_eq!(hidden, left);
    assert_eq!(left, (vec![accepted(1, 1, 0, false); 2], vec!["50 03:02".to_owned()]));
}

#[test]
fn who_is_invisible_stays_so_in_a_plain_session_and_after_they_left_the_memory() {
    let mut world = World::new();
    world.login(2, "b", 2, None);
    world.say(2, &choose(5, json!({"state": "invisible"})));
    world.engine.lost(world.now, PeerId(2));
    // Others take the room.
    for (peer, account) in [(1, "a"), (3, "c")] {
        world.login(peer, account, 1, None);
    }
    world.engine.lost(world.now, PeerId(3));
    world.plainly(51, "02#b#b#");
    world.plainly(50, "02#c#c#");
    assert_eq!(world.plainly(50, "11#0#"), ["50 11:2:0:a:c"]);
    assert_eq!(world.plainly(50, "03#b#hi#"), ["50 03:02"]);
    assert!(world.plainly(51, "09#").concat().contains("hi"), "and has what was written to them");
}

#[test]
fn many_states_fit_into_frames() {
    let mut before = BTreeMap::new();
    let shown = Shown { text: "\"".repeat(64), ..Shown::default() };
    let wide = Shown { text: "\u{1f600}".repeat(64), ..Shown::default() };
    let here: BTreeMap<_, _> =
        (0..2_000).map(|n| (format!("{n:064}"), if n % 2 == 0 { shown.clone() } else { wide.clone() })).collect();
    for n in 0..700 {
        before.insert(format!("gone{n}"), Shown::default());
    }
    let (mut came, mut went) = (0, 0);
    for presence::Told { came: some, went: left, states } in presence::told(&before, &here) {
        (came, went) = (came + some.len(), went + left.len());
        let frame = FromServer::Changes { came: some, went: left, states };
        assert!(frame.encode().len() <= crate::protocol::link::MAX_FRAME);
    }
    assert_eq!((came, went), (2_000, 700));
}
