//! A part of the server's bench: looking for people, and telling many of one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hongyan::protocol::link::PeerId;
use hongyan::protocol::wire::frame::{FromClient, FromServer, Key, Secret};
use hongyan::protocol::wire::item::{Item, Kind, Profile};
use hongyan::server::engine::{Effect, Engine, Now};
use hongyan::server::hasher::{Hashed, Job, Outcome};
use hongyan::server::store::{Befriend, Done, Found, Op, Party, Read, Store, Write};
use hongyan::server::{OnSecondLogin, Quotas};

use super::measure::{Figures, resident_mib, sized};

/// The commonest characters of names, as some of them are.
const SURNAMES: &str =
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎单覃仇解";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文云辉玲鑫宇浩然子轩梓涵雨欣重行乐朝晟曦";

fn accounts() -> i64 {
    sized(100_000, 1_000)
}

fn friend_count() -> i64 {
    sized(10_000, 100)
}

pub fn measured(dir: &Path, figures: &mut Figures) {
    directory(&dir.join("directory"), figures);
    friends(&dir.join("friends"), figures);
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

fn hashed() -> Hashed {
    Hashed { salt: vec![1; 16], hash: vec![2; 32] }
}

fn directory(data: &Path, figures: &mut Figures) {
    let mut store = Store::open(data).expect("a new database");
    let (surnames, given): (Vec<char>, Vec<char>) = (SURNAMES.chars().collect(), GIVEN.chars().collect());
    let mut ops = Vec::new();
    for n in 0..accounts() {
        let i = n as usize;
        let name = [surnames[i % surnames.len()], given[i / 7 % given.len()], given[i / 311 % given.len()]];
        let profile = Profile::named(&name.iter().collect::<String>()).ok();
        ops.push(Op::Write(Write::Register { job: 1, name: format!("2017{n:06}"), hashed: hashed(), profile, at: 0 }));
    }
    ops.chunks(1_000).for_each(|some| drop(store.run(some)));
    let find = |store: &mut Store, text: &str| {
        let begun = Instant::now();
        let answer = store.run(&[Op::Read(Read::Find { job: 1, text: text.into() })]).done.remove(0);
        let found = if let Done::Found { found, .. } = answer { found } else { None };
        (found, begun.elapsed())
    };
    let (before, begun, mut longest) = (resident_mib(std::process::id()), Instant::now(), Duration::ZERO);
    loop {
        let (found, took) = find(&mut store, "x");
        longest = longest.max(took);
        if found.is_some() {
            break;
        }
    }
    println!("  {} accounts read in {:.0?}", accounts(), begun.elapsed());
    figures.add("the longest piece in which they are read", ms(longest), "ms", ms(longest) <= 20.0);
    let grown = resident_mib(std::process::id()) - before;
    figures.add("memory of a directory of 100,000", grown, "MiB", grown <= 16.0);
    let mut worst = Duration::ZERO;
    for text in [
        "2",
        "2017099999",
        "z",
        "zs",
        "zw",
        "zhang",
        "chongming",
        "x",
        "张",
        "伟",
        "王伟",
        "张w",
        "不在",
        "ei",
        "a",
        "zzzz",
    ] {
        let took = (0..5).map(|_| find(&mut store, text).1).min().unwrap_or_default();
        let Found { people, more } = find(&mut store, text).0.expect("all are read");
        assert!(!people.is_empty() || !["2", "zhang", "张", "伟"].contains(&text), "nobody is found by {text}");
        println!("  {text}: {} found{}, {took:.1?}", people.len(), if more { " and more" } else { "" });
        worst = worst.max(took);
    }
    figures.add("the slowest look among 100,000 accounts", ms(worst), "ms", ms(worst) <= 20.0);
}

/// An engine with its store, both in this thread, and how long the engine was busy with one input at most.
struct World {
    engine: Engine,
    store: Store,
    longest: Duration,
    stored: Duration,
    frames: HashMap<&'static str, usize>,
}

impl World {
    fn now() -> Now {
        Now { instant: Instant::now(), unix: 1_800_000_000 }
    }

    fn timed(&mut self, input: impl FnOnce(&mut Engine)) {
        let begun = Instant::now();
        input(&mut self.engine);
        self.longest = self.longest.max(begun.elapsed());
    }

    fn say(&mut self, peer: u64, frame: &FromClient) {
        let bytes = frame.encode();
        self.timed(|engine| engine.frame(Self::now(), PeerId(peer), &bytes));
        loop {
            let mut ops = Vec::new();
            while let Some(effect) = self.engine.poll_effect() {
                match effect {
                    Effect::Store(op) => ops.push(op),
                    Effect::Hash(Job::Check { job, .. }) => {
                        self.timed(|engine| engine.hashed(Self::now(), Outcome::Checked { job, right: true }));
                    }
                    Effect::Frame { frame, .. } => {
                        let kind = match frame {
                            FromServer::Items { .. } => "items",
                            FromServer::Changes { .. } => "changes",
                            _ => "others",
                        };
                        *self.frames.entry(kind).or_default() += 1;
                    }
                    Effect::Reply { .. } | Effect::Hash(_) | Effect::Close { .. } | Effect::Administered { .. } => {}
                }
            }
            if ops.is_empty() && self.engine.poll_timeout().is_none_or(|at| at > Instant::now()) {
                return;
            }
            self.timed(|engine| engine.handle_timeout(Self::now()));
            let begun = Instant::now();
            let results = self.store.run(&ops).done;
            self.stored = self.stored.max(begun.elapsed());
            results.into_iter().for_each(|done| self.timed(|engine| engine.stored(Self::now(), done)));
        }
    }
}

fn friends(data: &Path, figures: &mut Figures) {
    let mut store = Store::open(data).expect("a new database");
    let party = |n: i64| Party { id: n, name: n.to_string() };
    let register =
        |n| Op::Write(Write::Register { job: 1, name: format!("{n}"), hashed: hashed(), profile: None, at: 0 });
    // Nobody waits for the disk here.
    store.connection().execute_batch("PRAGMA synchronous = OFF").expect("set");
    // As many as there may be, with a profile and a little room beside them.
    let most = friend_count() - 4;
    let mut ops: Vec<Op> = (1..=most + 1).map(register).collect();
    for n in 2..=most + 1 {
        let (who, other) = (party(n), party(1));
        let asked = Befriend { who: who.clone(), other: other.clone(), text: String::new(), answer: None, at: 0 };
        ops.push(Op::Write(Write::Befriend { job: 1, asked }));
        ops.push(Op::Write(Write::AnswerFriend { job: 1, who: other, other: who, accept: true, at: 0 }));
        // A contact comes with each, and takes the room of a friend.
        let key = n.to_string();
        ops.push(Op::Write(Write::SetItem { job: 1, account: 1, kind: Kind::Contact, key, value: None }));
    }
    ops.chunks(1_000).for_each(|some| drop(store.run(some)));
    let snapshot = store.snapshot(i64::MAX).expect("read");
    let engine = Engine::new(OnSecondLogin::default(), Quotas::default(), |_| String::new(), snapshot, World::now());
    let (longest, stored) = (Duration::ZERO, Duration::ZERO);
    let mut world = World { engine, store, longest, stored, frames: HashMap::new() };
    for n in 1..=most + 1 {
        let peer = n as u64;
        // Each from a network of their own, so that none is too many.
        let at = SocketAddr::from(([127, (n / 250) as u8, (n % 250) as u8, 1], 1));
        world.engine.connected(PeerId(peer), at, [0; 32], [0; 32]);
        let login = FromClient::Login {
            id: 1,
            account: n.to_string(),
            password: Secret("x".into()),
            device: Key([7; 16]),
            cursor: None,
            made: None,
        };
        world.say(peer, &login);
        world.say(peer, &FromClient::Items { version: 0 });
        world.say(peer, &FromClient::Items { version: 4 });
    }
    // Who has come is told to all first.
    std::thread::sleep(Duration::from_millis(200));
    world.say(1, &FromClient::Ping { id: 8 });
    let before = world.frames.get("items").copied().unwrap_or_default();
    println!("  the longest turn while they came in: {:.1?}", world.longest);
    (world.longest, world.stored) = (Duration::ZERO, Duration::ZERO);
    let value = Some(serde_json::json!({"name": "王小明"}));
    world.say(1, &FromClient::Set { id: 9, item: Item::new(Kind::Profile, "", value) });
    let told = world.frames.get("items").copied().unwrap_or_default() - before;
    assert!(told as i64 >= friend_count() - 10, "{told} friends told");
    println!("  {told} friends told of another name; the store took {:.0?} at once", world.stored);
    let longest = ms(world.longest);
    figures.add("the longest turn as 10,000 friends hear of a name", longest, "ms", longest <= 5.0);
    let before = world.frames.get("changes").copied().unwrap_or_default();
    world.longest = Duration::ZERO;
    let value = Some(serde_json::json!({"state": "busy", "text": "在图书馆"}));
    world.say(1, &FromClient::Set { id: 10, item: Item::new(Kind::Status, "", value) });
    std::thread::sleep(Duration::from_millis(200));
    world.say(1, &FromClient::Ping { id: 11 });
    let told = world.frames.get("changes").copied().unwrap_or_default() - before;
    assert!(told as i64 >= friend_count() - 10, "{told} devices told");
    println!("  {told} devices told of another state");
    let longest = ms(world.longest);
    figures.add("the longest turn as 10,000 contacts hear of a state", longest, "ms", longest <= 5.0);
}
