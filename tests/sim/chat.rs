//! Exactly once, in order, and states that are true: people write to each other while everything fails
//! that may, then there is a calm phase, and then nothing may be missing, double or out of order.

use std::collections::BTreeMap;
use std::time::Duration;

use hongyan::model::{Account, SendState};
use hongyan::server::Quotas;

use crate::client::Client;
use crate::machine::Doom;
use crate::network::Faults;
use crate::world::{World, ms, secs};

/// What happened in a run, for whoever looks at many.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    pub written: usize,
    pub received: usize,
    pub failed: usize,
    pub crashes: usize,
    pub power_cuts: usize,
    pub datagrams: u64,
    pub renames: usize,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.received += other.received;
        self.failed += other.failed;
        self.crashes += other.crashes;
        self.power_cuts += other.power_cuts;
        self.datagrams += other.datagrams;
        self.renames += other.renames;
    }
}

struct Chat {
    world: World,
    report: Report,
    /// What is to happen at which time.
    later: BTreeMap<(Duration, usize), Later>,
}

#[derive(Debug, Clone, Copy)]
enum Later {
    StartServer,
    StartClient(usize),
    Join(usize),
    Wake(usize),
}

impl Chat {
    fn later(&mut self, after: Duration, what: Later) {
        let number = self.later.len();
        let mut key = (self.world.time() + after, number);
        while self.later.contains_key(&key) {
            key.1 += 1;
        }
        self.later.insert(key, what);
    }

    /// Runs for so long, doing what is due meanwhile.
    fn run(&mut self, time: Duration) {
        let end = self.world.time() + time;
        while let Some(((at, _), _)) = self.later.first_key_value()
            && *at <= end
            && let Some(((at, _), what)) = self.later.pop_first()
        {
            self.world.run(at.saturating_sub(self.world.time()));
            self.happen(what);
        }
        self.world.run(end.saturating_sub(self.world.time()));
        if !self.world.server.is_up() && !self.later.values().any(|l| matches!(l, Later::StartServer)) {
            // It has died of its own accord, as was asked.
            self.report.crashes += 1;
            let after = ms(self.world.below(3_000));
            self.later(after, Later::StartServer);
        }
    }

    fn happen(&mut self, what: Later) {
        self.world.tell(format_args!("{what:?}"));
        match what {
            Later::StartServer if !self.world.server.is_up() => self.world.restart_server(),
            Later::StartClient(i) if self.world.clients[i].session.is_none() => self.world.act(i, Client::start),
            Later::Join(i) => self.world.network.cut(i, false),
            Later::Wake(i) => {
                self.world.clients[i].asleep = false;
                self.world.act(i, Client::turn);
            }
            Later::StartServer | Later::StartClient(_) => {}
        }
    }

    fn misfortune(&mut self) {
        let n = self.world.clients.len() as u64;
        let i = usize::try_from(self.world.below(n)).expect("small");
        let pause = ms(self.world.below(4_000));
        let what = self.world.below(1_000);
        if what < 142 {
            self.world.tell(format_args!("misfortune {what} of {i} for {pause:?}"));
        }
        match what {
            0..12 if self.world.server.is_up() => {
                self.report.crashes += 1;
                self.world.server.crash();
                self.later(pause, Later::StartServer);
            }
            12..18 => self.world.server.doom = Some(Doom::BeforeCommit),
            18..24 => self.world.server.doom = Some(Doom::AfterCommit),
            24..30 => self.world.server.doom = Some(Doom::BeforeSending),
            30..50 if self.world.clients[i].session.is_some() => {
                self.report.crashes += 1;
                self.world.act(i, |client, _| client.crash());
                self.later(pause, Later::StartClient(i));
            }
            50..56 if self.world.clients[i].session.is_some() => {
                self.report.power_cuts += 1;
                self.world.act(i, |client, _| client.lose_power());
                self.later(pause, Later::StartClient(i));
            }
            56..70 => {
                self.world.network.cut(i, true);
                self.later(pause * 3, Later::Join(i));
            }
            70..95 => self.world.change_port(i),
            95..105 => {
                self.world.change_network(i);
                if self.world.below(2) == 0 {
                    self.world.act(i, |client, now| client.with(now, |session| session.fetch_now(now)));
                }
            }
            105..112 => self.world.act(i, |client, now| client.with(now, |session| session.fetch_now(now))),
            112..118 => self.world.act(i, |client, now| client.with(now, |session| session.go_offline(now))),
            118..130 => self.world.act(i, |client, now| client.with(now, |session| session.go_online(now))),
            130..132 => {
                self.world.clients[i].asleep = true;
                self.later(pause * 20, Later::Wake(i));
            }
            132..140 => {
                self.world.network.faults = match self.world.below(3) {
                    0 => Faults::NONE,
                    1 => Faults { loss: 10, double: 20, late: 50 },
                    _ => Faults::BAD,
                };
            }
            140..142 => self.world.network.rtt = ms(5 + self.world.below(200)),
            _ => {}
        }
    }

    fn write(&mut self, number: usize) {
        let n = self.world.clients.len() as u64;
        let i = usize::try_from(self.world.below(n)).expect("small");
        let to = match self.world.below(20) {
            0 => Account::lobby(),
            _ => {
                let j = usize::try_from(self.world.below(n)).expect("small");
                self.world.clients[j].account.clone()
            }
        };
        if self.world.clients[i].session.is_some() && !self.world.clients[i].asleep {
            self.report.written += 1;
            self.world.act(i, |client, now| {
                let text = format!("{} writes {number} at device {i}", client.account);
                client.write(now, &to, text);
            });
        }
    }

    fn calm(&mut self) {
        self.world.tell(format_args!("calm"));
        let world = &mut self.world;
        world.network.faults = Faults::NONE;
        world.network.rtt = ms(40);
        world.server.doom = None;
        self.later.clear();
        if !world.server.is_up() {
            world.restart_server();
        }
        for i in 0..world.clients.len() {
            world.network.cut(i, false);
            world.clients[i].asleep = false;
            if world.clients[i].session.is_none() {
                world.act(i, Client::start);
            }
            world.act(i, |client, now| client.with(now, |session| session.go_online(now)));
        }
        world.until(secs(120), |world| world.steps % 64 == 0 && settled(world));
        world.run(secs(10));
    }
}

fn settled(world: &World) -> bool {
    world.clients.iter().all(|c| c.is_online() && c.is_idle() && c.unsettled() == 0) && world.server.unread().is_empty()
}

/// One run. Panics if anything is missing, double, out of order or untrue.
pub fn chat(seed: u64, messages: usize) -> Report {
    let mut world = World::new(seed, &["a", "b", "c"]);
    if seed % 10 == 7 {
        world.server.quotas = Quotas { mailbox: 10, ..Quotas::default() };
        world.server.crash();
        world.restart_server();
    }
    world.network.faults = if seed.is_multiple_of(4) { Faults::NONE } else { Faults::BAD };
    world.network.rtt = ms(10 + seed % 5 * 30);
    let mut chat = Chat { world, report: Report::default(), later: BTreeMap::new() };
    for i in 0..chat.world.clients.len() {
        chat.world.act(i, Client::start);
    }
    chat.world.until(secs(120), |world| world.clients.iter().all(Client::is_online));
    let slowness = 1 + chat.world.below(100);
    for number in 0..messages {
        chat.write(number);
        chat.misfortune();
        let pause = ms(chat.world.below(2 * slowness));
        chat.run(pause);
    }
    chat.calm();
    judge(&mut chat);
    chat.report.datagrams = chat.world.network.datagrams;
    chat.report
}

fn judge(chat: &mut Chat) {
    let world = &chat.world;
    let rows = world.server.messages();
    for client in &world.clients {
        let name = client.account.as_str();
        assert!(client.is_online(), "{name} is not back: {:?}", client.connection);
        assert_eq!(client.unsettled(), 0, "{name} still waits: {:?}", client.disk.outgoing);
        // What is on this disk is what the server has for it, in the same order.
        let mine: Vec<_> = rows.iter().filter(|(_, to, ..)| to == name).collect();
        let mut next = client.disk.messages.iter();
        for (row, _, from, text) in &mine {
            let got = next.next();
            assert_eq!(got, Some(&(*row, from.clone(), text.clone())), "{name} has something else");
        }
        assert_eq!(next.next(), None, "{name} has more than there is");
        chat.report.received += client.disk.messages.len();

        // What is shown of one's own messages is so.
        let prefix = format!("{name} writes ");
        let mut last = BTreeMap::new();
        for (_, to, from, text) in &rows {
            let (said, place) = match text.strip_prefix(&format!("[{name}] ")) {
                Some(said) if from == Account::LOBBY => (said, (from, to)),
                _ => (text.as_str(), (from, to)),
            };
            let Some(number) = said.strip_prefix(&prefix).and_then(|rest| rest.split(' ').next()) else { continue };
            let number: u64 = number.parse().expect("a number");
            let before = last.insert(place, number);
            assert!(before.is_none_or(|before| before < number), "{name} to {place:?}: {number} after {before:?}");
        }
        for (id, (to, text, state)) in &client.disk.outgoing {
            let there = rows.iter().filter(|(_, receiver, _, said)| receiver == to.as_str() && said == text).count();
            match state {
                SendState::Sent | SendState::OfflineOrUnknown if to.as_str() == Account::LOBBY => {}
                SendState::Sent | SendState::OfflineOrUnknown => {
                    assert_eq!(there, 1, "{name}'s message {id}, shown as {state:?}: {text}");
                }
                SendState::Failed => {
                    chat.report.failed += 1;
                    assert_eq!(there, 0, "{name}'s message {id} has arrived and is shown as failed: {text}");
                }
                state => panic!("{name}'s message {id} is shown as {state:?}"),
            }
        }
    }
    // What is nobody's any more was taken from its writer by a cut of the power.
    let known = |text: &str| {
        world.clients.iter().any(|c| c.disk.outgoing.values().any(|(_, mine, _)| text.ends_with(mine.as_str())))
    };
    let forgotten = rows.iter().filter(|(.., text)| !known(text)).count();
    assert!(forgotten == 0 || chat.report.power_cuts > 0, "messages that nobody wrote");
    let quota = world.server.quotas.mailbox >= 10_000;
    assert!(!quota || chat.report.failed == 0, "{} were refused", chat.report.failed);
    chat.report.renames = world.clients.iter().map(Client::renames).sum();
}
