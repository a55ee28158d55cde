//! Everything at once: a bad network, restarts of both sides, changes of address, lost answers.

use super::*;

const MESSAGES: i64 = 25;

/// What is not settled on the client's disk: sent already, or not.
fn unsettled(world: &World<'_>, settled: &mut Vec<i64>, noted: &mut Vec<i64>) {
    for (_, event) in &world.events {
        if let Event::Outgoing { id, state } | Event::Accepted { id, state, .. } = event {
            match state {
                SendState::Sending => noted.push(id.0),
                SendState::Waiting => noted.retain(|n| *n != id.0),
                SendState::Sent => settled.push(id.0),
                state => panic!("{state:?} of {id:?}"),
            }
        }
    }
}

fn chat(seed: u64) {
    let mut world = World::online(seed);
    world.loss = seed % 4 * 10;
    world.writes.longest = seed % 3 * 300;
    let (mut settled, mut noted) = (Vec::new(), Vec::new());
    for id in 1..=MESSAGES {
        world.send(id, "b");
        world.post(&id.to_string());
        let pause = world.percent() * 8;
        world.run(ms(pause));
        match world.percent() {
            0..8 => world.restart_server(),
            8..14 => world.client_at = at(6_000 + u16::try_from(id).expect("small")),
            // It answers nothing that is under way, and is itself again.
            14..18 => {
                world.flying.retain(|(_, by_server, ..)| !by_server);
                world.restart_server();
            }
            18..22 => {
                world.down = true;
                world.run(secs(2));
                world.down = false;
            }
            22..27 => {
                unsettled(&world, &mut settled, &mut noted);
                world.events.clear();
                world.restart_client(seed + 1_000);
                world.session.resume(world.now, account("a"), world.kept);
                for id in 1..=id {
                    let text = MessageText::parse(&id.to_string()).expect("valid");
                    if settled.contains(&id) {
                    } else if noted.contains(&id) {
                        world.session.send_again(world.now, MessageId(id), account("b"), text);
                    } else {
                        world.send(id, "b");
                    }
                }
            }
            27..30 => world.session.fetch_now(world.now),
            _ => {}
        }
    }
    world.loss = 0;
    world.run(secs(60));
    unsettled(&world, &mut settled, &mut noted);
    settled.sort_unstable();
    let expected: Vec<String> = (1..=MESSAGES).map(|n| n.to_string()).collect();
    assert_eq!(world.durable.texts, expected, "seed {seed}: sent");
    assert_eq!(world.texts(), expected, "seed {seed}: received");
    assert_eq!(settled, (1..=MESSAGES).collect::<Vec<_>>(), "seed {seed}: settled");
    assert_eq!(Some(world.durable.acknowledged), world.kept.cursor, "seed {seed}");
    assert_eq!(world.durable.passwords, 1, "seed {seed}: one password is enough");
    assert!(
        matches!(world.session.link(), ConnectionState::Connected { .. }),
        "seed {seed}: {:?}",
        world.session.link()
    );
}

#[test]
fn whatever_happens_everything_arrives_once_and_in_order() {
    for seed in 0..200 {
        chat(seed);
    }
}

#[test]
fn at_thirty_per_cent_a_message_takes_few_round_trips() {
    let mut took = Vec::new();
    for seed in 0..20 {
        let mut world = World::online(seed);
        world.loss = 30;
        for id in 1..=50 {
            let begun = world.now;
            world.send(id, "b");
            assert!(world.until(secs(20), |w| w.state(id) == Some(SendState::Sent)), "seed {seed}");
            took.push(world.now - begun);
            world.run(ms(100));
        }
    }
    took.sort();
    let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("sent and answered at 30 % loss each way: p50 {p50:?}, p99 {p99:?}");
    assert!(p50 <= ms(250) && p99 <= ms(1_500), "{p50:?} {p99:?}");
}
