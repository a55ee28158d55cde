//! Everything together, in virtual time.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hongyan::base::timer::Dice;
use hongyan::protocol::link::Identity;
use hongyan::server::engine::Now;

use crate::client::Client;
use crate::machine::Machine;
use crate::network::Network;

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A run of one seed says what happens.
pub static TELLS: AtomicBool = AtomicBool::new(false);

pub struct World {
    begun: Instant,
    pub now: Instant,
    pub dice: Dice,
    pub network: Network,
    pub server: Machine,
    pub clients: Vec<Client>,
    by_address: HashMap<SocketAddr, usize>,
    wakes: BTreeSet<(Instant, usize)>,
    wake_of: Vec<Option<Instant>>,
    pub steps: u64,
    /// What was sent to others than the clients, by address.
    pub strangers: HashMap<SocketAddr, Vec<Vec<u8>>>,
}

impl World {
    /// A client for each name; the same name twice is two devices of one account.
    pub fn new(seed: u64, names: &[&str]) -> Self {
        let begun = Instant::now();
        let clients: Vec<_> = names.iter().enumerate().map(|(i, name)| Client::new(seed, i, name)).collect();
        let now = Now { instant: begun, unix: 1_000 };
        let by_address = clients.iter().enumerate().map(|(i, client)| (client.address, i)).collect();
        Self {
            begun,
            now: begun,
            dice: Dice::new(seed),
            network: Network::new(seed, clients.len()),
            server: Machine::new(seed, now, Identity::generate().expect("random bytes")),
            wake_of: vec![None; clients.len()],
            clients,
            by_address,
            wakes: BTreeSet::new(),
            steps: 0,
            strangers: HashMap::new(),
        }
    }

    pub fn time(&self) -> Duration {
        self.now - self.begun
    }

    pub fn tell(&self, what: std::fmt::Arguments<'_>) {
        if TELLS.load(Ordering::Relaxed) {
            println!("{:>9.3} {what}", self.time().as_secs_f64());
        }
    }

    pub fn server_now(&self) -> Now {
        Now { instant: self.now, unix: 1_000 + i64::try_from(self.time().as_secs()).expect("short") }
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.dice.roll() >> 16) % n
    }

    /// The network in between gives this client another port.
    pub fn change_port(&mut self, client: usize) {
        let address = &mut self.clients[client].address;
        self.by_address.remove(address);
        address.set_port(if address.port() >= 60_000 { 5_000 } else { address.port() + 1 });
        self.by_address.insert(*address, client);
    }

    /// And here another address altogether.
    pub fn change_network(&mut self, client: usize) {
        let address = &mut self.clients[client].address;
        self.by_address.remove(address);
        if let IpAddr::V4(ip) = address.ip() {
            let [a, b, c, d] = ip.octets();
            address.set_ip(IpAddr::from([a, b, c, d.wrapping_add(1).max(1)]));
        }
        self.by_address.insert(*address, client);
    }

    /// Does something with a client, and everything that follows from it at once.
    pub fn act(&mut self, client: usize, act: impl FnOnce(&mut Client, Instant)) {
        act(&mut self.clients[client], self.now);
        for event in std::mem::take(&mut self.clients[client].noted.told) {
            self.tell(format_args!("client {client}: {event}"));
        }
        self.sent_by(client);
        if std::mem::take(&mut self.clients[client].noted.news) {
            self.look_at_deliveries(client);
        }
    }

    /// Nothing is shown as delivered that its receiver has not had on a disk.
    fn look_at_deliveries(&mut self, client: usize) {
        let (delivered, _) = self.clients[client].sent();
        let new: Vec<_> = delivered.difference(&self.clients[client].noted.looked_at).cloned().collect();
        for (to, text) in new {
            let had = self.clients.iter().any(|other| other.account == to && other.noted.had.contains(&text));
            assert!(had, "device {client} shows {text:?} as delivered to {to}, and it was not");
            self.clients[client].noted.looked_at.insert((to, text));
        }
    }

    fn sent_by(&mut self, index: usize) {
        let client = &mut self.clients[index];
        for bytes in std::mem::take(&mut client.datagrams) {
            self.network.fly(self.now, index, false, client.address, bytes);
        }
        let (old, new) = (self.wake_of[index], client.next());
        if old != new {
            if let Some(old) = old {
                self.wakes.remove(&(old, index));
            }
            self.wakes.extend(new.map(|new| (new, index)));
            self.wake_of[index] = new;
        }
    }

    pub fn sent_by_server(&mut self) {
        for transmit in std::mem::take(&mut self.server.transmits) {
            if let Some(client) = self.by_address.get(&transmit.to) {
                self.network.fly(self.now, *client, true, transmit.to, transmit.bytes);
            } else if let Some(came) = self.strangers.get_mut(&transmit.to) {
                came.push(transmit.bytes);
            }
        }
    }

    pub fn run(&mut self, time: Duration) {
        self.until(time, |_| false);
    }

    /// Until `enough`, or for so long; whether it was enough.
    pub fn until(&mut self, time: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        let mut still = 0;
        loop {
            if enough(self) {
                return true;
            }
            let wake = self.wakes.first().map(|(at, _)| *at);
            let next = [self.network.next(), self.server.next(), wake].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            still = if next > self.now { 0 } else { still + 1 };
            assert!(still < 100_000, "it never comes to rest after {:?}", self.time());
            self.now = self.now.max(next);
            self.steps += 1;
            if self.network.next() == Some(next) {
                self.arrive();
            } else if self.server.next() == Some(next) {
                self.server.turn(self.server_now());
                self.sent_by_server();
            } else if let Some((_, client)) = self.wakes.first().copied() {
                self.act(client, Client::turn);
            }
        }
    }

    fn arrive(&mut self) {
        let Some((_, client, by_server, _, at, bytes)) = self.network.arrive() else { return };
        if !by_server {
            self.server.datagram(self.server_now(), at, &bytes);
            self.sent_by_server();
        } else if self.clients[client].address == at {
            self.act(client, |client, now| client.datagram(now, &bytes));
        }
    }

    pub fn stop_server(&mut self) {
        self.server.stop(self.server_now());
        self.sent_by_server();
    }

    pub fn restart_server(&mut self) {
        self.server.start(self.server_now());
    }
}
