//! The diagnosis "Why can't I reach …?": the steps from a name to the server's key, one after the other, and the result
//! of each. Sans-IO: [`crate::client::net::reach`] has the socket, the look-up and the clock.
//!
//! Source: the secure dialect, "Finding each other". No password is known here, so none can be sent.
//!
//! Its part:
//!
//! - `report`: what was found, as a value and in words, and what to do.

mod report;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::client::session::{KnownServer, acceptable};
use crate::protocol::link::{CloseReason, Event, Link, PeerId};
use crate::protocol::wire::frame::{FromClient, FromServer};
use crate::protocol::wire::{Charset, Request, looks_like_reply};
pub use report::{Line, Mark, Report, Stage, Step, StepResult, Verdict};

/// The interval between two requests.
const APART: Duration = Duration::from_millis(300);
/// The number of questions for the secure dialect; the next question is one that every server answers.
const HELLOS: u8 = 3;
/// How long the answer to the last question may take.
const LAST: Duration = Duration::from_millis(1_500);
/// The id of the `ping` frame, the only frame that is sent.
const PING: u64 = 1;
/// The most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// The most bytes that are shown of an answer that is not understood.
const SHOWN: usize = 32;

/// The server to diagnose, as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name or address as the user typed it, with or without a port.
    pub server: String,
    /// The port to use if the user gave none.
    pub port: u16,
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The destination; a new destination needs a new socket.
    pub to: SocketAddr,
    /// The datagram's bytes.
    pub bytes: Vec<u8>,
}

/// The questions to one address.
struct AddressQuestions {
    at: SocketAddr,
    began: Instant,
    last: Instant,
    sent: u8,
    next: Instant,
    /// Whether it is asked only what every server answers.
    foreign: bool,
    /// The other address from which answers come, if any.
    elsewhere: Option<SocketAddr>,
    strange: Option<Vec<u8>>,
}

struct Handshake {
    at: SocketAddr,
    began: Instant,
    link: Link,
    peer: PeerId,
    /// When the server was asked for its time, once its key is known.
    asked: Option<Instant>,
}

enum State {
    LookingUp(Instant),
    Asking(AddressQuestions),
    Shaking(Box<Handshake>),
    Finished,
}

/// One diagnosis. After each call the owner calls [`Diagnosis::poll_transmit`] until it returns `None`, and then
/// [`Diagnosis::poll_timeout`]. [`Report::finished`] says when it is over.
pub struct Diagnosis {
    report: Report,
    /// When the report's clock was read.
    began: Instant,
    /// By how many seconds the server's clock is ahead of this machine's.
    ahead: Option<i64>,
    host: String,
    port: u16,
    known: KnownServer,
    nonce: String,
    addresses: VecDeque<SocketAddr>,
    state: State,
    transmits: VecDeque<Transmit>,
}

impl std::fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Diagnosis").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Diagnosis {
    /// Begins a diagnosis. `unix_ms` is this machine's clock; `nonce` is a string of letters and digits that nobody can
    /// guess.
    #[must_use]
    pub fn new(now: Instant, unix_ms: i64, question: Question, nonce: String) -> Self {
        let Question { server, port } = question;
        let target = target(server.trim(), port);
        let (host, port) = target.clone().unwrap_or_default();
        let mut diagnosis = Self {
            report: Report::new(server, unix_ms),
            began: now,
            ahead: None,
            host,
            port,
            known: KnownServer::default(),
            nonce,
            addresses: VecDeque::new(),
            state: State::LookingUp(now),
            transmits: VecDeque::new(),
        };
        if target.is_none() {
            diagnosis.step(Duration::ZERO, StepResult::NoTarget);
            diagnosis.finish();
        } else if let Ok(ip) = diagnosis.host.parse::<IpAddr>() {
            diagnosis.step(Duration::ZERO, StepResult::Numbers);
            diagnosis.addresses.push_back(reachable(SocketAddr::new(ip, diagnosis.port)));
            diagnosis.next_address(now);
        } else {
            diagnosis.report.stage = Some(Stage::LookUp);
        }
        diagnosis
    }

    /// Returns the name and port to look up, if the diagnosis waits for that.
    #[must_use]
    pub fn wants(&self) -> Option<(&str, u16)> {
        matches!(self.state, State::LookingUp(_)).then_some((&*self.host, self.port))
    }

    /// Takes in the result of the look-up.
    pub fn looked_up(&mut self, now: Instant, found: Result<Vec<SocketAddr>, String>) {
        let State::LookingUp(began) = self.state else { return };
        let took = now.saturating_duration_since(began);
        match found {
            Ok(found) if !found.is_empty() => {
                for address in found.iter().copied().map(reachable) {
                    if !self.addresses.contains(&address) && self.addresses.len() < MOST_ADDRESSES {
                        self.addresses.push_back(address);
                    }
                }
                let addresses = self.addresses.iter().copied().collect();
                self.step(took, StepResult::Found { host: self.host.clone(), addresses });
                self.next_address(now);
            }
            found => {
                let error = found.err().unwrap_or_default();
                self.step(took, StepResult::NoSuchName { host: self.host.clone(), error });
                self.finish();
            }
        }
    }

    /// Takes in what is remembered of the address that is asked now; the owner calls it before it sends the first
    /// datagram there. Returns true if another datagram is to be sent instead.
    pub fn remember(&mut self, now: Instant, known: KnownServer) -> bool {
        let foreign = !known.may_be_asked();
        self.known = known;
        let State::Asking(asking) = &mut self.state else { return false };
        if foreign {
            // Some servers crash at requests that the course's protocol does not have.
            (asking.sent, asking.foreign) = (0, true);
            self.transmits.clear();
            self.ask(now);
        }
        foreign
    }

    /// Returns the next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Returns when [`Diagnosis::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Asking(asking) => Some(asking.next),
            State::Shaking(shaking) => {
                shaking.link.poll_timeout().into_iter().chain(shaking.asked.map(|asked| asked + LAST)).min()
            }
            State::LookingUp(_) | State::Finished => None,
        }
    }

    /// Returns what was found so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Handles the deadline of [`Diagnosis::poll_timeout`]; the owner calls it when that time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Asking(asking) if asking.next <= now => {
                if asking.sent <= HELLOS {
                    self.ask(now);
                } else {
                    let (at, took) = (asking.at, now.saturating_duration_since(asking.began));
                    let what = match (asking.strange.take(), asking.elsewhere) {
                        (Some(bytes), _) => StepResult::Neither { at, bytes },
                        (None, Some(from)) => StepResult::Elsewhere { at, from },
                        (None, None) => StepResult::Silent { at, questions: asking.sent },
                    };
                    self.failed(now, took, what);
                }
            }
            State::Shaking(shaking) => {
                shaking.link.handle_timeout(now);
                self.shake(now);
                if let State::Shaking(shaking) = &self.state
                    && shaking.asked.is_some_and(|asked| asked + LAST <= now)
                {
                    self.finish();
                }
            }
            State::LookingUp(_) | State::Asking(_) | State::Finished => {}
        }
    }

    /// Handles a datagram from the address that was asked last.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        match &mut self.state {
            State::Asking(asking) => {
                let offers = bytes == format!("10:01:Q1:{}", self.nonce).as_bytes();
                if !offers && (!looks_like_reply(bytes) || bytes.starts_with(b"10:01:")) {
                    asking.strange.get_or_insert_with(|| bytes.get(..SHOWN).unwrap_or(bytes).to_vec());
                    return;
                }
                let (at, questions) = (asking.at, asking.sent);
                // If several questions were sent, it is unknown which one this answers; the time is counted from the
                // first.
                let since = if questions > 1 { asking.began } else { asking.last };
                self.step(now.saturating_duration_since(since), StepResult::Answered { at, questions });
                self.understood(now, at, offers);
            }
            State::Shaking(shaking) => {
                if crate::protocol::link::is_packet(bytes) {
                    let at = shaking.at;
                    shaking.link.handle_datagram(now, at, bytes);
                    self.shake(now);
                }
            }
            State::LookingUp(_) | State::Finished => {}
        }
    }

    /// Handles a datagram from another address, to a socket that only the address that is asked now knows of.
    pub fn handle_elsewhere(&mut self, from: SocketAddr, bytes: &[u8]) {
        if let State::Asking(asking) = &mut self.state
            && looks_like_reply(bytes)
            && reachable(from) != asking.at
        {
            asking.elsewhere.get_or_insert(reachable(from));
        }
    }

    /// Handles an ICMP message that no program has opened the port.
    pub fn handle_refused(&mut self, now: Instant) {
        match &self.state {
            State::Asking(AddressQuestions { at, began, .. }) => {
                let (at, took) = (*at, now.saturating_duration_since(*began));
                self.failed(now, took, StepResult::Closed { at });
            }
            State::Shaking(shaking) => {
                let took = now.saturating_duration_since(shaking.began);
                self.step(took, StepResult::Ended);
                self.finish();
            }
            State::LookingUp(_) | State::Finished => {}
        }
    }

    /// Handles that the system refuses to send to the address.
    pub fn handle_unsendable(&mut self, now: Instant, error: String) {
        match &self.state {
            State::Asking(AddressQuestions { at, began, .. }) => {
                let (at, took) = (*at, now.saturating_duration_since(*began));
                self.failed(now, took, StepResult::Unsendable { at, error });
            }
            State::Shaking(shaking) => {
                let (at, took) = (shaking.at, now.saturating_duration_since(shaking.began));
                self.step(took, StepResult::Unsendable { at, error });
                self.finish();
            }
            State::LookingUp(_) | State::Finished => {}
        }
    }

    fn step(&mut self, took: Duration, what: StepResult) {
        self.report.steps.push(Step { what, took });
    }

    fn finish(&mut self) {
        self.step(Duration::ZERO, StepResult::Clock { ahead: self.ahead });
        self.report.stage = None;
        self.report.finished = true;
        self.state = State::Finished;
    }

    /// Ends the questions to this address, and goes on with the next one of the same name.
    fn failed(&mut self, now: Instant, took: Duration, what: StepResult) {
        self.step(took, what);
        self.transmits.clear();
        self.next_address(now);
    }

    fn next_address(&mut self, now: Instant) {
        let Some(at) = self.addresses.pop_front() else { return self.finish() };
        self.report.stage = Some(Stage::Ask(at));
        self.state = State::Asking(AddressQuestions {
            at,
            began: now,
            last: now,
            sent: 0,
            next: now,
            foreign: false,
            elsewhere: None,
            strange: None,
        });
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        let State::Asking(asking) = &mut self.state else { return };
        let request = if asking.sent < HELLOS && !asking.foreign {
            // The request is as long as the answer, so that a server cannot be used for amplification.
            Request::Hello { nonce: self.nonce.clone(), padding: 8 }
        } else {
            Request::CountAll
        };
        asking.sent += 1;
        asking.last = now;
        asking.next = now + if asking.sent > HELLOS { LAST } else { APART };
        self.transmits.push_back(Transmit { to: asking.at, bytes: request.encode(Charset::Utf8) });
    }

    fn understood(&mut self, now: Instant, at: SocketAddr, offers: bool) {
        if !offers {
            let what = if self.known.secure_only { StepResult::OnlyPlain } else { StepResult::Plain };
            self.step(Duration::ZERO, what);
            return self.finish();
        }
        self.step(Duration::ZERO, StepResult::OffersSecure);
        self.report.stage = Some(Stage::Handshake);
        let mut link = Link::client(None);
        let peer = link.connect(now, at, acceptable(&self.known.pins, self.known.damaged.is_some()));
        self.state = State::Shaking(Box::new(Handshake { at, began: now, link, peer, asked: None }));
        self.shake(now);
    }

    fn shake(&mut self, now: Instant) {
        let State::Shaking(shaking) = &mut self.state else { return };
        let Handshake { began, link, peer, asked, .. } = &mut **shaking;
        let took = now.saturating_duration_since(*began);
        let mut steps = Vec::new();
        let mut over = false;
        while let Some(event) = link.poll_event() {
            match event {
                Event::Connected { key, .. } => {
                    let rtt = link.figures(*peer).map_or(took, |figures| figures.rtt);
                    steps.push(StepResult::Shaken { rtt });
                    steps.push(if self.known.pins.is_empty() {
                        StepResult::NewKey(key)
                    } else {
                        StepResult::KnownKey(key)
                    });
                    over = !link.send(now, *peer, &FromClient::Ping { id: PING }.encode());
                    *asked = Some(now);
                }
                Event::Frame { bytes, .. } => {
                    let Ok(FromServer::Pong { id: PING, at }) = FromServer::decode(&bytes) else { continue };
                    // The server read its clock half a round trip ago.
                    let way = now.saturating_duration_since(asked.unwrap_or(now)) / 2;
                    let here = now.saturating_duration_since(self.began).saturating_sub(way).as_millis();
                    let here = self.report.unix_ms.saturating_add(i64::try_from(here).unwrap_or(i64::MAX));
                    self.ahead = at.map(|at| at.saturating_sub(here.div_euclid(1_000)));
                    over = true;
                }
                // The key is known, which is all that was wanted.
                Event::Lost { .. } if asked.is_some() => over = true,
                Event::Lost { why: CloseReason::KeyChanged(shown), .. } => {
                    steps.push(match self.known.damaged.clone() {
                        Some(file) => StepResult::DamagedKeys { shown, file },
                        None => StepResult::ChangedKey { shown, known: self.known.pins.clone() },
                    });
                }
                Event::Lost { why, .. } => steps.push(match why {
                    CloseReason::NoAnswer | CloseReason::Silent | CloseReason::Closed => StepResult::NoHandshake,
                    CloseReason::Restarted => StepResult::Ended,
                    CloseReason::ClosedByPeer { reason, .. } | CloseReason::Broken(reason) => {
                        StepResult::BadHandshake(reason)
                    }
                    // Above.
                    CloseReason::KeyChanged(_) | CloseReason::KeysDamaged => continue,
                }),
            }
        }
        over |= steps
            .iter()
            .any(|what| !matches!(what, StepResult::Shaken { .. } | StepResult::NewKey(_) | StepResult::KnownKey(_)));
        if over && asked.is_some() {
            link.close(now, *peer, 0, "only looked");
        }
        while let Some(transmit) = link.poll_transmit() {
            self.transmits.push_back(Transmit { to: transmit.to, bytes: transmit.bytes });
        }
        for what in steps {
            let took = if what.is_key() { Duration::ZERO } else { took };
            self.step(took, what);
        }
        if over {
            self.finish();
        }
    }
}

/// Returns host and port of `HOST`, `HOST:PORT`, `[IPV6]:PORT` or `IPV6`; `port` is used if the text has none.
#[must_use]
pub fn target(text: &str, port: u16) -> Option<(String, u16)> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((address.ip().to_string(), address.port())).filter(|(_, port)| *port > 0);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some((ip.to_string(), port));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) => (host, digits.parse().ok().filter(|port| *port > 0)?),
        None => (text, port),
    };
    let good =
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "[]:/#@".contains(c));
    good.then(|| (host.to_owned(), port))
}

/// Joins a host, as [`target`] returns it, and a port: `HOST:PORT` or `[IPV6]:PORT`.
#[must_use]
pub fn named(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Returns the address that a server's datagrams come from: 0.0.0.0, on which a server may listen, becomes this
/// machine's address, and an IPv4-mapped IPv6 address becomes an IPv4 address.
pub(in crate::client) fn reachable(mut address: SocketAddr) -> SocketAddr {
    address.set_ip(match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    });
    address
}

#[cfg(test)]
mod tests;
