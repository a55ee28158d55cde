//! Exactly once, in order, and states that are true: people write to each other while everything fails
//! that may, then there is a calm phase, and then nothing may be missing, double or out of order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hongyan::base::model::{Account, SendState};
use hongyan::client::session::{AccountChange, Dialect};
use hongyan::server::Quotas;

use crate::client::Client;
use crate::machine::{Doom, Full};
use crate::network::Faults;
use crate::world::{World, ms, secs};

/// What happened in a run, for a summary of many.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    pub written: usize,
    pub received: usize,
    pub failed: usize,
    pub crashes: usize,
    pub power_cuts: usize,
    pub datagrams: u64,
    pub renames: usize,
    /// Messages that plain clients have twice, each said to be possible.
    pub twice: usize,
    pub takeovers: usize,
    pub full_disks: usize,
    /// Messages that are shown as delivered, on each device of their writer.
    pub delivered: usize,
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
        self.twice += other.twice;
        self.takeovers += other.takeovers;
        self.full_disks += other.full_disks;
        self.delivered += other.delivered;
    }
}

struct Chat {
    world: World,
    report: Report,
    /// What is to happen at which time.
    later: BTreeMap<(Duration, usize), Later>,
    kind: Kind,
    /// The first row of each client.
    begun: Vec<u64>,
}

/// What else happens in a run.
#[derive(Debug, Clone, Copy)]
struct Kind {
    small_mailboxes: bool,
    plain: bool,
    /// Two devices of an account, which take each other's place, or stay beside each other.
    second: bool,
    beside: bool,
    full_disks: bool,
}

impl Kind {
    fn of(seed: u64) -> Self {
        Self {
            small_mailboxes: seed % 10 == 7,
            plain: seed % 3 == 1,
            second: seed % 4 == 2,
            beside: seed % 8 == 6,
            full_disks: seed % 5 >= 3,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Later {
    StartServer,
    StartClient(usize),
    Join(usize),
    Wake(usize),
    Room(Option<usize>),
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
            Later::Room(None) => self.world.server.fill(None),
            Later::Room(Some(i)) => self.world.clients[i].full = false,
            Later::StartServer | Later::StartClient(_) => {}
        }
    }

    fn misfortune(&mut self) {
        let n = self.world.clients.len() as u64;
        let i = usize::try_from(self.world.below(n)).expect("small");
        let pause = ms(self.world.below(4_000));
        let what = self.world.below(1_000);
        if what < 154 {
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
            // What the plain dialect has confirmed is not sent again.
            50..56 if self.world.clients[i].session.is_some() && !self.is_plain(i) => {
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
            142..148 if self.kind.full_disks => {
                self.report.full_disks += 1;
                let full = if self.world.below(2) == 0 { Full::ForMore } else { Full::ForAll };
                self.world.server.fill(Some(full));
                self.later(pause * 2, Later::Room(None));
            }
            148..154 if self.kind.full_disks => {
                self.report.full_disks += 1;
                self.world.clients[i].full = true;
                self.later(pause * 2, Later::Room(Some(i)));
            }
            // The other device of this account.
            154..200 if self.kind.second && !self.is_plain(i) => {
                self.world.act(i, |client, now| client.with(now, |session| session.take_over(now)));
            }
            _ => {}
        }
    }

    fn is_plain(&self, i: usize) -> bool {
        self.world.clients[i].dialect == Dialect::Plain
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

    /// Nothing fails any more. Of two devices that take each other's place each has its time.
    fn calm(&mut self) {
        self.world.tell(format_args!("calm"));
        let world = &mut self.world;
        world.network.faults = Faults::NONE;
        world.network.rtt = ms(40);
        world.server.doom = None;
        world.server.fill(None);
        self.later.clear();
        if !world.server.is_up() {
            world.restart_server();
        }
        for i in 0..world.clients.len() {
            world.network.cut(i, false);
            world.clients[i].asleep = false;
            world.clients[i].full = false;
            if world.clients[i].noted.forgot {
                world.act(i, |client, _| client.crash());
            }
        }
        let second = world.clients.len() - 1;
        for away in [second, 2, second] {
            let away = Some(away).filter(|_| self.kind.second && !self.kind.beside);
            if let Some(away) = away {
                world.act(away, |client, _| client.crash());
            }
            // What it has said is over.
            world.run(secs(1));
            let here: Vec<usize> = (0..world.clients.len()).filter(|i| Some(*i) != away).collect();
            for i in &here {
                // That it was kicked may be news to it.
                world.clients[*i].takes_back = Some(secs(1));
                if world.clients[*i].session.is_none() {
                    world.act(*i, Client::start);
                }
                world.act(*i, |client, now| client.with(now, |session| session.go_online(now)));
            }
            world.until(secs(400), |world| world.steps.is_multiple_of(64) && settled(world, &here));
            // A device with nothing to say finds out at its next keep-alive, after 15 s, that it is not heard any more;
            // one whose disk has refused to note what was delivered asks again after 30 s.
            world.run(secs(40));
            for i in &here {
                assert!(world.clients[*i].is_online(), "{i} is not back: {:?}", world.clients[*i].connection);
            }
            if away.is_none() {
                return;
            }
        }
    }
}

fn settled(world: &World, here: &[usize]) -> bool {
    let mut here = here.iter().map(|i| &world.clients[*i]);
    here.all(|c| c.is_online() && c.is_idle() && c.unsettled() == 0) && world.server.unread().is_empty()
}

/// One run. Panics if anything is missing, double, out of order or untrue.
pub fn chat(seed: u64, messages: usize) -> Report {
    let kind = Kind::of(seed);
    let mut names = vec!["a", "b", "c"];
    names.extend(kind.plain.then_some(["p", "q"]).into_iter().flatten());
    // The other device of c, the last one.
    names.extend(kind.second.then_some("c"));
    let mut world = World::new(seed, &names);
    if kind.plain {
        for i in [3, 4] {
            world.clients[i].dialect = Dialect::Plain;
            world.network.never_double(i);
        }
    }
    if kind.small_mailboxes {
        world.server.quotas = Quotas { mailbox: 10, ..Quotas::default() }.unpaced();
        world.server.crash();
        world.restart_server();
    }
    world.network.faults = if seed.is_multiple_of(4) { Faults::NONE } else { Faults::BAD };
    world.network.rtt = ms(10 + seed % 5 * 30);
    let mut chat = Chat { world, report: Report::default(), later: BTreeMap::new(), kind, begun: Vec::new() };
    for i in 0..names.len() {
        // The other device of its account may come back before it knows that its place was taken, and take it again.
        chat.world.clients[i].takes_back = Some(secs(1));
        chat.world.act(i, Client::start);
        // Each has been in once; of two devices the second takes the first one's place. A new device gets only
        // what nobody has taken, so it begins with this.
        let has_begun = |world: &World| world.clients[i].is_online() && !world.clients[i].disk.messages.is_empty();
        chat.world.until(secs(60), |world| world.clients[i].is_online());
        let to = chat.world.clients[i].account.clone();
        chat.world.act(0, |client, now| client.write(now, &to, format!("a writes 0 at device 0 for {i}")));
        assert!(chat.world.until(secs(300), has_begun), "{i} does not get in");
        chat.world.clients[i].takes_back = None;
    }
    if kind.beside {
        let last = names.len() - 1;
        while !chat.world.server.is_beside("c") {
            chat.world.act(last, |client, now| {
                client.with(now, |session| session.account(now, Some(AccountChange::Beside(true))));
            });
            chat.world.run(secs(1));
        }
    }
    let begun = chat.world.clients.iter().map(|client| client.disk.messages.first().map_or(0, |(row, ..)| *row));
    chat.begun = begun.collect();
    let slowness = 1 + chat.world.below(100);
    for number in 1..=messages {
        chat.write(number);
        chat.misfortune();
        let pause = ms(chat.world.below(2 * slowness));
        chat.run(pause);
    }
    chat.calm();
    judge(&mut chat);
    chat.report.datagrams = chat.world.network.datagrams;
    chat.report.takeovers = chat.world.clients.iter().map(|c| c.noted.kicks).sum();
    chat.report
}

/// A row at the server: its number, receiver, sender and text.
type Row = (u64, String, String, String);

fn judge(chat: &mut Chat) {
    let all = chat.world.server.messages();
    // What an account's devices tell each other is not what others get.
    let own = chat.world.server.own_rows();
    let rows: Vec<Row> = all.iter().filter(|(row, ..)| !own.contains(row)).cloned().collect();
    for i in 0..chat.world.clients.len() {
        assert_eq!(chat.world.clients[i].unsettled(), 0, "{i} still waits: {:?}", chat.world.clients[i].disk.outgoing);
        if chat.is_plain(i) {
            received_plainly(chat, i, &rows)
        } else {
            received(chat, i, &all, &own)
        }
        written(chat, i, &rows);
        if !chat.is_plain(i) {
            let (delivered, kept) = chat.world.clients[i].sent();
            assert!(kept.is_empty(), "taken, and not shown as delivered at device {i}: {kept:?}");
            chat.report.delivered += delivered.len();
        }
    }
    assert!(chat.world.server.unread().is_empty(), "not taken: {:?}", chat.world.server.unread());
    // What is nobody's any more was taken from its writer by a cut of the power.
    let clients = &chat.world.clients;
    let known =
        |text: &str| clients.iter().any(|c| c.disk.outgoing.values().any(|(_, mine, _)| text.ends_with(mine.as_str())));
    let forgotten = rows.iter().filter(|(.., text)| !known(text)).count();
    assert!(forgotten == 0 || chat.report.power_cuts > 0, "messages that nobody wrote");
    assert!(chat.kind.small_mailboxes || chat.report.failed == 0, "{} were refused", chat.report.failed);
    chat.report.renames = chat.world.clients.iter().map(Client::renames).sum();
}

/// What is on this disk is what the server has for it, in the same order; what it has sent itself apart, as that may
/// have come back from the server to a disk that had forgotten it.
fn received(chat: &mut Chat, i: usize, rows: &[Row], own: &BTreeSet<u64>) {
    let client = &chat.world.clients[i];
    let (name, device, begun) = (client.account.as_str(), format!(" at device {i}"), chat.begun[i]);
    let foreign = |row: u64, text: &str| !own.contains(&row) || !text.ends_with(&device);
    let mut next = client.disk.messages.iter().filter(|(row, _, text)| foreign(*row, text));
    let mine = rows.iter().filter(|(row, to, _, text)| to == name && *row >= begun && foreign(*row, text));
    for (row, _, from, text) in mine {
        let got = next.next();
        assert_eq!(got, Some(&(*row, from.clone(), text.clone())), "{i} has something else");
    }
    assert_eq!(next.next(), None, "{i} has more than there is");
    chat.report.received += client.disk.messages.len();
}

/// The plain dialect's weaker promise: all of it is there, in the same order, and some of it twice.
fn received_plainly(chat: &mut Chat, i: usize, rows: &[Row]) {
    let client = &chat.world.clients[i];
    let name = client.account.as_str();
    let mut seen = BTreeSet::new();
    let got = client.disk.messages.iter().map(|(_, from, text)| (from.as_str(), text.as_str()));
    let once: Vec<_> = got.filter(|message| seen.insert(*message)).collect();
    let mut there = BTreeSet::new();
    let mine = rows.iter().filter(|(_, to, ..)| to == name).map(|(_, _, from, text)| (from.as_str(), text.as_str()));
    let mine: Vec<_> = mine.filter(|message| there.insert(*message)).collect();
    assert_eq!(once, mine, "{i}");
    chat.report.received += mine.len();
    chat.report.twice += client.disk.messages.len() - mine.len();
}

/// Checks that the client's own messages are shown correctly and in order.
fn written(chat: &mut Chat, i: usize, rows: &[Row]) {
    let client = &chat.world.clients[i];
    let name = client.account.as_str();
    let plain = client.dialect == Dialect::Plain;
    let (prefix, device) = (format!("{name} writes "), format!(" at device {i}"));
    let (mut last, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for (_, to, from, text) in rows.iter().filter(|(.., text)| text.ends_with(&device)) {
        let (said, place) = match text.strip_prefix(&format!("[{name}] ")) {
            Some(said) if from == Account::LOBBY => (said, (from, to)),
            _ => (text.as_str(), (from, to)),
        };
        let Some(number) = said.strip_prefix(&prefix).and_then(|rest| rest.split(' ').next()) else { continue };
        let number: u64 = number.parse().expect("a number");
        if plain && !seen.insert((place, number)) {
            continue;
        }
        let before = last.insert(place, number);
        let own = || client.disk.outgoing.iter().find(|(_, (_, mine, _))| text.ends_with(mine.as_str()));
        assert!(
            before.is_none_or(|before| before < number),
            "{i} to {place:?}: {number} after {before:?}: {:?}",
            own()
        );
    }
    for (id, (to, text, state)) in &client.disk.outgoing {
        let there = rows.iter().filter(|(_, receiver, _, said)| receiver == to.as_str() && said == text).count();
        let right = match state {
            SendState::Waiting | SendState::Sending => false,
            SendState::MaybeSent => plain,
            SendState::NoAnswer => plain && there <= 2,
            SendState::Failed => {
                chat.report.failed += usize::from(!client.noted.no_room.contains(id));
                there == 0
            }
            SendState::MaybeSentTwice if !plain => false,
            // It goes to the account that is there, under another name.
            _ if to.as_str() == Account::LOBBY => true,
            // In the plain dialect a full mailbox answers as if its owner were away.
            SendState::OfflineOrUnknown | SendState::MaybeSentTwice if plain && chat.kind.small_mailboxes => true,
            _ if plain => there >= 1,
            _ => there == 1,
        };
        assert!(right, "message {id} of {i}, shown as {state:?}, is there {there} times: {text}");
        if plain && there > 1 {
            chat.report.twice += 1;
        }
    }
}
