//! Anything may come at any time, from the server and from the person; once both behave again, everything goes on.

use super::*;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const REPLIES: &[&str] = &[
    "00:00",
    "01:01",
    "01:03",
    "02:01",
    "02:02",
    "02:04",
    "03:01",
    "03:02",
    "03:09",
    "04:1",
    "05:01",
    "05:b:2026-11-21 12:04:58:hi",
    "06:01",
    "06:02",
    "07:01",
    "08:0",
    "08:3",
    "08:many",
    "09:01",
    "09:b:2026-11-21 12:04:58:hi",
    "09:c:12:04:ho",
    "11:3:0:a:b",
    "11:2:0:a:b",
    "11:9:5",
    "hello",
    "",
];

const TYPED: &[&str] = &["08#", "06#", "03#b#by hand#", "09#", "nonsense", "02#a#x#", ""];

fn chaos(seed: u64) {
    let mut server = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut person = Dice(server.0.rotate_left(17) | 1);
    let wild = secs(600);
    let polling = [Polling::Adaptive, Polling::Strict, Polling::StrictPerFriend][(seed % 3) as usize];
    let mut world = World::new(polling, |time, request: &str| {
        if time > wild {
            return if seed.is_multiple_of(2) { ours(request) } else { plain(request) };
        }
        let delay = Duration::from_millis(1 + server.roll(3_000));
        match server.roll(10) {
            0..2 => Vec::new(),
            2..5 => vec![(delay, REPLIES[server.roll(REPLIES.len() as u64) as usize].to_owned())],
            5 => vec![(RTT, plain(request).remove(0).1), (delay, plain(request).remove(0).1)],
            _ => vec![(delay / 20, plain(request).remove(0).1)],
        }
    });
    world.disk_takes = Duration::from_millis([0, 30, 2_000][(seed / 3 % 3) as usize]);
    let password = || Password::parse("x").expect("valid");
    let mut id = 0;
    while world.time() < wild {
        let now = world.now;
        world.disk_works = person.roll(20) > 0;
        let what = person.roll(14);
        // With its history, an account is closed, which waits for the disk.
        if matches!(what, 0 | 9) {
            while !world.disk.is_empty() {
                world.disk_done();
                world.drain();
            }
        }
        match what {
            0 => world.session.login(now, account(["a", "d"][person.roll(2) as usize]), password()),
            1 => world.session.go_offline(now),
            2 | 3 => world.session.go_online(now),
            4 => world.session.fetch_now(now),
            5 => world.session.take_over(now),
            6 => world.session.register(now, account("a"), password(), password()),
            7 => world.session.by_hand(now, TYPED[person.roll(TYPED.len() as u64) as usize].into()),
            8 => world.session.set_open_chats(now, vec![account("b")], person.roll(2) == 0),
            9 if person.roll(10) == 0 => world.session.forget(),
            _ => {
                id += 1;
                world.send(id, "b");
            }
        }
        world.drain();
        world.run(Duration::from_millis(person.roll(5_000)));
    }
    // Both are themselves again.
    world.disk_works = true;
    world.run(secs(70));
    if matches!(world.session.link(), ConnectionState::Offline | ConnectionState::LoggedOut) {
        world.session.login(world.now, account("a"), password());
    }
    id += 1;
    world.send(id, "b");
    world.run(secs(120));
    let link = world.session.link();
    assert!(matches!(link, ConnectionState::Connected { .. }), "seed {seed}: {link:?}");
    let settled = |state| !matches!(state, SendState::Waiting | SendState::Sending | SendState::Failed);
    assert!(world.state(id).is_some_and(settled), "seed {seed}: the last is {:?}", world.state(id));
    world.sent.clear();
    world.idle_wakes = 0;
    world.session.set_open_chats(world.now, vec![account("b")], false);
    world.run(secs(300));
    assert!((1..60).contains(&world.sent.len()), "seed {seed}: {:?}", world.sent);
    assert_eq!(world.idle_wakes, 0, "seed {seed}");
}

#[test]
fn after_anything_everything_goes_on() {
    for seed in 0..300 {
        chaos(seed);
    }
}
