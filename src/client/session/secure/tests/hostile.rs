//! A server that means harm, or is broken: nothing panics, nothing grows without bound, and a good one is spoken to
//! as before.

use super::*;
use crate::client::session::secure::harmless::{MOST_ARRIVED, MOST_ONLINE};

impl World<'_> {
    /// Sends these bytes as a frame, on the newest connection.
    fn hurl(&mut self, bytes: &[u8]) {
        if let Some(peer) = self.seats.last().map(|seat| seat.peer) {
            self.server.send(self.now, peer, bytes);
            self.run(ms(1));
        }
    }
}

/// A frame that is none, or one that says what cannot be.
fn nonsense(world: &mut World<'_>, genuine: &[Vec<u8>]) -> Vec<u8> {
    let n = usize::try_from(world.dice.roll() % 1_000).expect("small");
    let mut bytes = genuine[n % genuine.len()].clone();
    match n % 5 {
        0 => {
            let (at, byte) = (n % bytes.len(), world.dice.roll());
            bytes[at] = byte.to_le_bytes()[0];
        }
        1 => bytes.truncate(n % bytes.len() + 1),
        2 => bytes.resize(64_000, b' '),
        3 => bytes = vec![b'['; 60_000],
        _ => {}
    }
    bytes
}

#[test]
fn whatever_a_server_says_is_survived() {
    for seed in 0..8 {
        println!("seed {seed}");
        // What it acknowledges may be what it was told falsely.
        let mut world = World::scripted(seed, |frame| matches!(frame, FromClient::Ack { .. }).then(Vec::new));
        world.log_in();
        let numbers = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1];
        let times = [0, -1, i64::MIN, i64::MAX];
        let mut genuine = Vec::new();
        for (n, at) in numbers.into_iter().zip(times.into_iter().cycle()) {
            let (from, text) = ("\u{1b}[2J#:\n".repeat(50), "x".repeat(9_000));
            let past = Past {
                row: n,
                from: from.clone(),
                writer: None,
                at,
                text: text.clone(),
                online: None,
                delivered: false,
            };
            genuine.extend(
                [
                    FromServer::Message {
                        row: n,
                        after: n / 2,
                        from: from.clone(),
                        writer: Some(from.clone()),
                        at,
                        text: text.clone(),
                        plain: Some(text.clone()),
                        made: Some(at),
                    },
                    FromServer::Own {
                        row: n,
                        after: n,
                        to: from.clone(),
                        at,
                        text: text.clone(),
                        device: OTHER,
                        counter: n,
                        accepted: n,
                        online: None,
                    },
                    FromServer::Accepted { counter: n, row: n, at, online: false, made: None },
                    FromServer::Refused { counter: n, code: Code::IdConflict, wait: None, reason: None, made: None },
                    FromServer::LoggedIn {
                        id: n,
                        token: Some(Key([1; 32])),
                        highest: n,
                        ended: Some(text.clone()),
                        start: Some(n),
                        made: Some(at),
                    },
                    FromServer::History { id: n, messages: vec![past], more: true },
                    FromServer::Account { id: n, account: from.clone(), made: at },
                    FromServer::Error { id: n, code: Code::BadToken, reason: None },
                    FromServer::Presence { first: false, online: vec![from; 500] },
                    FromServer::Pong { id: n, at: Some(at) },
                    FromServer::LoggedOut { id: n },
                    FromServer::Registered { id: n },
                ]
                .map(|frame| frame.encode()),
            );
        }
        for _ in 0..200 {
            if world.percent() < 10 {
                world.session.history(world.now, account("b"), None, 40);
                world.session.measure(world.now);
            }
            let bytes = nonsense(&mut world, &genuine);
            world.hurl(&bytes);
        }
        // Not what it has said is asked of it now, but that it is spoken to.
        world.run(secs(40));
        let begun = world.durable.texts.len();
        world.send(100, "b");
        world.run(secs(60));
        assert!(world.durable.texts.len() > begun, "seed {seed}: {:?}", world.session.link());
    }
}

#[test]
fn what_a_server_sends_without_end_is_bounded() {
    let mut world = World::online(1);
    world.disk_time = u64::MAX / 2;
    for row in 1..3_000_u64 {
        let text = "x".to_owned();
        let frame = FromServer::Message {
            row,
            after: row - 1,
            from: "b".into(),
            writer: None,
            at: 7,
            text,
            plain: None,
            made: None,
        };
        world.hurl(&frame.encode());
    }
    assert_eq!((world.session.receiving.arrived.len(), world.writing.len()), (MOST_ARRIVED, MOST_ARRIVED));
    let mut world = World::online(1);
    for n in 0..3 {
        let came: Vec<_> = (0..MOST_ONLINE / 2 + 1).map(|i| format!("{n}-{i}")).collect();
        world.session.changed(&came, &[]);
    }
    assert_eq!(world.session.presence.online.len(), MOST_ONLINE);
}

/// Each login says that somebody else has used the device's name, which nobody can know that was just made up.
#[test]
fn a_device_does_not_take_one_name_after_another_for_ever() {
    let mut id = 0;
    let liar = |frame: &FromClient| match frame {
        FromClient::Login { id, .. } | FromClient::Resume { id, .. } => {
            let token = Some(Key([1; 32]));
            Some(vec![FromServer::LoggedIn {
                id: *id,
                token,
                highest: u64::MAX,
                ended: None,
                start: Some(0),
                made: None,
            }])
        }
        _ => None,
    };
    let mut world = World::scripted(1, liar);
    world.session.login(world.now, account("a"), password(), world.kept);
    world.run(secs(60));
    for (_, event) in &world.events {
        id += u32::from(*event == Event::NameTaken);
    }
    assert!((2..15).contains(&id), "{id} names in a minute");
}
