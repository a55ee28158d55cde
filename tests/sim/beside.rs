//! Two devices of one account beside each other, and a friend: each device has everything that was said once and in
//! order, what the other one sent too, whatever fails.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;

use hongyan::base::model::SendState;
use hongyan::client::session::{AccountChange, FriendRequest};
use hongyan::protocol::wire::item::{Item, Kind};
use serde_json::{Value, json};

use crate::ALONE;
use crate::client::Client;
use crate::machine::Doom;
use crate::network::Faults;
use crate::world::{TELLS, World, ms, secs};

const MESSAGES: usize = 150;

fn misfortune(world: &mut World, cuts: &mut usize) {
    let i = usize::try_from(world.below(3)).expect("small");
    match world.below(60) {
        0 => world.act(i, |client, _| client.crash()),
        1 => {
            *cuts += 1;
            world.act(i, |client, _| client.lose_power());
        }
        2..5 if world.clients[i].session.is_none() => world.act(i, Client::start),
        5 => world.network.cut(i, true),
        6 | 7 => world.network.cut(i, false),
        8 => world.change_port(i),
        9 if world.server.is_up() => {
            let dooms = [Doom::BeforeCommit, Doom::AfterCommit, Doom::BeforeSending];
            world.server.doom = Some(dooms[usize::try_from(world.below(3)).expect("small")]);
        }
        10..14 if !world.server.is_up() => world.restart_server(),
        _ => {}
    }
}

/// Somebody changes the list, or asks somebody to be a friend, accepts, declines or ends it.
fn rearrange(world: &mut World) {
    let i = usize::try_from(world.below(3)).expect("small");
    let other = world.clients[if i == 2 { 0 } else { 2 }].account.clone();
    if world.clients[i].session.is_none() {
        return;
    }
    let (key, remark, roll) = (format!("x{}", world.below(5)), world.below(9), world.below(12));
    let item = |kind, value| Item::new(kind, &key, value);
    let change = match roll {
        0..3 => item(Kind::Contact, Some(json!({"group": "", "remark": remark.to_string()}))),
        3 => item(Kind::Contact, None),
        4 => item(Kind::Muted, (remark > 4).then_some(json!(true))),
        5 => item(Kind::Blocked, (remark > 4).then_some(json!(true))),
        _ => {
            let request = match roll {
                6 | 7 => FriendRequest::Ask { text: remark.to_string(), answer: None },
                8 | 9 => FriendRequest::Accept,
                10 => FriendRequest::Decline,
                _ => FriendRequest::End,
            };
            return world.act(i, |client, now| client.with(now, |session| session.friend(now, other, request)));
        }
    };
    world.act(i, |client, now| client.change(now, change));
}

fn one(seed: u64) -> (usize, usize) {
    let mut world = World::new(seed, &["a", "a", "b"]);
    world.act(0, Client::start);
    world.act(2, Client::start);
    assert!(world.until(secs(60), |w| w.clients[0].is_online() && w.clients[2].is_online()), "seed {seed}");
    world.act(0, |client, now| client.with(now, |session| session.account(now, Some(AccountChange::Beside(true)))));
    world.run(secs(2));
    world.act(1, Client::start);
    assert!(world.until(secs(60), |w| w.clients[1].is_online()), "seed {seed}");
    world.network.faults = Faults::BAD;
    let (mut written, mut cuts) = (0, 0);
    for number in 0..MESSAGES {
        let i = usize::try_from(world.below(3)).expect("small");
        let to = world.clients[if i == 2 { 0 } else { 2 }].account.clone();
        if world.clients[i].session.is_some() {
            written += 1;
            world.act(i, |client, now| client.write(now, &to, format!("{number} of {i}")));
        }
        rearrange(&mut world);
        misfortune(&mut world, &mut cuts);
        let pause = ms(world.below(80));
        world.run(pause);
    }
    world.network.faults = Faults::NONE;
    world.server.doom = None;
    if !world.server.is_up() {
        world.restart_server();
    }
    for i in 0..3 {
        world.network.cut(i, false);
        if world.clients[i].session.is_none() {
            world.act(i, Client::start);
        }
        world.act(i, |client, now| client.with(now, |session| session.go_online(now)));
    }
    let settled = |w: &World| {
        let is = |c: &Client| c.unsettled() == 0 && c.disk.lists.changes().is_empty();
        w.clients.iter().all(|c| c.is_online() && c.is_idle() && is(c))
    };
    let calm = world.until(secs(200), |w| w.steps.is_multiple_of(64) && settled(w));
    let state = |c: &Client| (c.connection, c.is_idle(), c.unsettled(), c.disk.lists.changes());
    assert!(calm, "seed {seed}: {:#?}", world.clients.iter().map(state).collect::<Vec<_>>());
    world.run(secs(20));
    judge(&world, seed, cuts);
    judge_lists(&world, seed);
    (written, cuts)
}

fn judge(world: &World, seed: u64, cuts: usize) {
    let (rows, own) = (world.server.messages(), world.server.own_rows());
    assert!(world.server.unread().is_empty(), "seed {seed}");
    assert!(world.clients.iter().all(|client| client.noted.kicks == 0), "seed {seed}: nobody takes anybody's place");
    for (i, client) in world.clients.iter().enumerate() {
        let name = client.account.as_str();
        let theirs = |row: &u64| !own.contains(row);
        let mine = rows.iter().filter(|(row, to, ..)| to == name && theirs(row));
        let mine: Vec<_> = mine.map(|(row, _, by, text)| (*row, by, text)).collect();
        let here = client.disk.messages.iter().filter(|(row, ..)| theirs(row));
        let here: Vec<_> = here.map(|(row, by, text)| (*row, by, text)).collect();
        assert_eq!(here, mine, "seed {seed}: device {i}");
        assert!(client.disk.messages.iter().is_sorted_by_key(|(row, ..)| row), "seed {seed}: device {i}: in order");
        for (id, (_, text, state)) in &client.disk.outgoing {
            assert!(
                matches!(state, SendState::Sent | SendState::Kept | SendState::OfflineOrUnknown),
                "seed {seed}: {id} {state:?}"
            );
            let there = rows.iter().filter(|(row, .., said)| said == text && theirs(row)).count();
            assert_eq!(there, 1, "seed {seed}: {text}");
        }
        // Of what the account has sent, each of its devices has everything once, as its own or as the other's.
        let mut had: BTreeMap<&str, usize> = BTreeMap::new();
        let mirrored = client.disk.messages.iter().filter(|(row, ..)| own.contains(row)).map(|(.., text)| text);
        for text in client.disk.outgoing.values().map(|(_, text, _)| text).chain(mirrored) {
            *had.entry(text).or_default() += 1;
        }
        for (.., text) in rows.iter().filter(|(row, to, ..)| to == name && own.contains(row)) {
            let of_it = text.ends_with(&format!("of {i}"));
            match had.remove(text.as_str()) {
                Some(1) => {}
                // A cut of the power took it from its writer.
                None if of_it && cuts > 0 => {}
                other => panic!("seed {seed}: device {i} has {text:?} {other:?} times"),
            }
        }
        let (delivered, kept) = client.sent();
        assert!(kept.is_empty() && (i == 2 || !delivered.is_empty()), "seed {seed}: device {i} shows {kept:?} as kept");
        assert!(name != "a" || had.is_empty(), "seed {seed}: device {i}: {had:?} was never sent");
    }
}

/// Every device shows what the server has, nothing waits, and two are friends of each other or neither is.
fn judge_lists(world: &World, seed: u64) {
    for (i, client) in world.clients.iter().enumerate() {
        let here: Vec<Item> = client.disk.lists.items().collect();
        assert_eq!(client.disk.lists.changes(), [], "seed {seed}: device {i} waits");
        assert_eq!(client.disk.lists.doubts, 0, "seed {seed}: device {i} began anew");
        assert_eq!(here, world.server.items(client.account.as_str()), "seed {seed}: device {i}");
    }
    let has = |of: &str, kind: Kind, about: &str| {
        let items = world.server.items(of);
        items.into_iter().find(|item| item.kind == kind.name() && item.key == about).and_then(|item| item.value)
    };
    let since = |of, about| has(of, Kind::Friend, about).map(|value| value["since"].clone());
    assert_eq!(since("a", "b"), since("b", "a"), "seed {seed}: friends");
    for (asker, asked) in [("a", "b"), ("b", "a")] {
        let asking = has(asker, Kind::Asking, asked).filter(|value| value.get("declined").is_none());
        let text = |value: Option<Value>| value.map(|value| value["text"].clone());
        assert_eq!(text(asking), text(has(asked, Kind::Asked, asker)), "seed {seed}: a request of {asker}");
    }
}

fn seeds(which: Range<u64>) {
    let alone = std::env::var(ALONE).ok().map(|seed| seed.parse().expect("a number"));
    let which = alone.map_or(which, |seed| {
        TELLS.store(true, Ordering::Relaxed);
        seed..seed + 1
    });
    let (mut written, mut cuts) = (0, 0);
    for seed in which.clone() {
        let (more, cut) = one(seed);
        (written, cuts) = (written + more, cuts + cut);
    }
    println!("beside each other: seeds {which:?}, {written} messages, {cuts} cuts of the power");
}

#[test]
fn devices_beside_each_other_have_everything_once() {
    seeds(0..60);
}

#[test]
#[ignore = "a minute"]
fn devices_beside_each_other_of_a_thousand_seeds() {
    seeds(0..1_000);
}
