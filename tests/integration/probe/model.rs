//! A small server of its own, written from the text alone: right in several ways, or wrong in one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::faults::Fault;
use super::memory::{Machine, Sent, at};

const TIME: &str = "2026-11-21 12:04:58";

/// What the text leaves to a server.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// A second login moves the session at once.
    pub moves: bool,
    /// Messages to somebody offline wait for them.
    pub keeps: bool,
    /// GBK is converted; else bytes go in and come out.
    pub converts: bool,
    /// 08##, 09## and bare 04# and 05# are served.
    pub careless: bool,
    /// What looks like a reply, or is very short, is answered.
    pub talkative: bool,
    /// 06 without login is 07:01, and 07:01 comes before 00:00.
    pub login_first: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { moves: false, keeps: true, converts: true, careless: true, talkative: false, login_first: false }
    }
}

type Bytes = Vec<u8>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct SentMessage {
    from: Bytes,
    body: Bytes,
}

pub struct Model {
    pub habits: Habits,
    pub fault: Option<Fault>,
    accounts: HashMap<Bytes, Bytes>,
    /// In the order of their logins.
    sessions: Vec<(Bytes, SocketAddr)>,
    unread: HashMap<Bytes, Vec<SentMessage>>,
    /// The letter taken last, for a fault.
    taken: HashMap<Bytes, SentMessage>,
    forwarded: u64,
    last_other: Option<SocketAddr>,
    replies: u64,
    previous: Option<Bytes>,
}

impl Model {
    pub fn new(habits: Habits, fault: Option<Fault>) -> Self {
        let (accounts, unread, taken) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self {
            habits,
            fault,
            accounts,
            sessions: Vec::new(),
            unread,
            taken,
            forwarded: 0,
            last_other: None,
            replies: 0,
            previous: None,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn who(&self, from: SocketAddr) -> Option<Bytes> {
        self.sessions.iter().find(|(_, at)| *at == from).map(|(name, _)| name.clone())
    }

    /// `None` for no answer at all.
    fn answer(&mut self, from: SocketAddr, request: &[u8]) -> Option<Bytes> {
        let unclosed = [request, b"#"].concat();
        let request = if self.has(Fault::UnclosedServed) && !request.ends_with(b"#") { &unclosed } else { request };
        let malformed = || Some(b"00:00".to_vec());
        let short = request.len() < 5 || request.get(2) == Some(&b':');
        let fields = match request.strip_suffix(b"#") {
            Some(inner) if request.get(2) == Some(&b'#') && request.len() <= 1_400 => {
                inner.split(|b| *b == b'#').collect::<Vec<_>>()
            }
            _ if short && !self.habits.talkative => return None,
            _ if self.has(Fault::UnknownSilent) && !request.contains(&b'#') => return None,
            _ if self.has(Fault::LongSilent) && request.len() > 1_400 => return None,
            _ if self.has(Fault::UnclosedLogsOut) && request.starts_with(b"06#") => {
                self.sessions.retain(|(_, at)| *at != from);
                return malformed();
            }
            _ => return malformed(),
        };
        let me = self.who(from);
        let (operation, fields) = fields.split_first().expect("split gives one");
        let stranger = me.is_none() && !self.has(Fault::ServesAnybody);
        let login = matches!(*operation, b"03" | b"04" | b"05" | b"08" | b"09");
        if stranger && login && self.has(Fault::StrangerSilent) {
            return None;
        }
        if stranger && login && self.habits.login_first {
            return self.not_logged_in();
        }
        let extra = self.has(Fault::ExtraFields);
        let fields: Vec<&[u8]> = fields.to_vec();
        let me_or = me.clone().unwrap_or_else(|| b"nobody".to_vec());
        let known = matches!(*operation, b"01" | b"02" | b"03" | b"04" | b"05" | b"06" | b"08" | b"09");
        match (*operation, fields.as_slice()) {
            (b"01", [name, password, confirm]) => Some(self.register(name, password, confirm)),
            (b"01", [name, password, confirm, _]) if extra => Some(self.register(name, password, confirm)),
            (b"02", [name, password]) => Some(self.login(from, name, password)),
            (b"02", [name, password, _]) if extra => Some(self.login(from, name, password)),
            (b"06", []) => Some(self.offline(from, me)),
            (b"03", [to, _, ..]) => {
                let start = 3 + to.len() + 1;
                let body = &request[start..request.len() - 1];
                let empty = body.is_empty() && !self.has(Fault::EmptyForwarded);
                if to.is_empty() || empty || (body.len() > 936 && !self.has(Fault::AnyLength)) {
                    return malformed();
                }
                if stranger { self.not_logged_in() } else { self.send(&me_or, to, body) }
            }
            (b"04" | b"05" | b"08" | b"09", fields) => {
                let friend = match (*operation, fields) {
                    (b"04" | b"05", [friend]) if !friend.is_empty() => Some(*friend),
                    (b"08" | b"09", []) => None,
                    (b"08" | b"09", [b""]) | (b"04" | b"05", []) if self.habits.careless => None,
                    _ => return malformed(),
                };
                if stranger {
                    return self.not_logged_in();
                }
                Some(match *operation {
                    b"04" | b"08" => self.count(&me_or, operation, friend),
                    _ => self.take(&me_or, operation, friend),
                })
            }
            _ if !known && self.has(Fault::UnknownIsSeven) => Some(b"07:01".to_vec()),
            _ if !known && self.has(Fault::UnknownSilent) => None,
            _ => malformed(),
        }
    }

    fn not_logged_in(&self) -> Option<Bytes> {
        Some(if self.has(Fault::StrangerMalformed) { b"00:00".to_vec() } else { b"07:01".to_vec() })
    }

    fn register(&mut self, name: &[u8], password: &[u8], confirm: &[u8]) -> Bytes {
        let text = std::str::from_utf8(name).unwrap_or_default();
        let colon = name.contains(&b':') && !self.has(Fault::ColonAccount);
        let control = name.iter().chain(password).any(u8::is_ascii_control);
        if text.is_empty() || name.len() > 64 || password.is_empty() || colon || name[0] == b'@' || control {
            return b"00:00".to_vec();
        }
        if self.has(Fault::NonAsciiAccount) && !text.is_ascii() {
            return b"00:00".to_vec();
        }
        let exists = self.accounts.contains_key(name);
        let key = name.to_vec();
        let reply = match () {
            () if self.has(Fault::ExistsFirst) && exists => "01:03",
            () if password != confirm && !self.has(Fault::ConfirmIgnored) => {
                if self.has(Fault::DifferRegisters) && !exists {
                    self.accounts.insert(key, password.to_vec());
                }
                "01:02"
            }
            () if exists => {
                if self.has(Fault::ExistsOverwritten) {
                    self.accounts.insert(key, password.to_vec());
                }
                if self.has(Fault::ExistsDone) { "01:01" } else { "01:03" }
            }
            () if self.has(Fault::NewExists) => "01:03",
            () => {
                self.accounts.insert(key, password.to_vec());
                if self.has(Fault::NewIsZero) { "01:00" } else { "01:01" }
            }
        };
        reply.as_bytes().to_vec()
    }

    fn login(&mut self, from: SocketAddr, name: &[u8], password: &[u8]) -> Bytes {
        if name.is_empty() || password.is_empty() {
            return b"00:00".to_vec();
        }
        let reply = match self.accounts.get(name) {
            None if self.has(Fault::UnknownIsWrong) => "02:02",
            None => "02:03",
            Some(right) => {
                let cut = |p: &[u8]| p.split(|b| *b == b':').next().unwrap_or_default().to_vec();
                let same = if self.has(Fault::PasswordCut) { cut(right) == cut(password) } else { right == password };
                let here = self.sessions.iter().any(|(n, _)| n == name);
                match () {
                    () if !same && self.has(Fault::WrongIsUnknown) => "02:03",
                    () if !same && !self.has(Fault::AnyPassword) => "02:02",
                    () if self.has(Fault::LoginForgotten) => "02:01",
                    () if here && !self.has(Fault::NeverAlready) => {
                        if self.habits.moves {
                            self.sessions.retain(|(n, at)| n != name && *at != from);
                            self.sessions.push((name.to_vec(), from));
                        }
                        "02:04"
                    }
                    () => {
                        self.sessions.retain(|(n, at)| n != name && *at != from);
                        self.sessions.push((name.to_vec(), from));
                        "02:01"
                    }
                }
            }
        };
        reply.as_bytes().to_vec()
    }

    fn offline(&mut self, from: SocketAddr, me: Option<Bytes>) -> Bytes {
        let reply = match me {
            Some(_) if self.has(Fault::OfflineIsAlready) => {
                self.sessions.retain(|(_, at)| *at != from);
                "06:02"
            }
            Some(_) => {
                if !self.has(Fault::SessionStays) {
                    self.sessions.retain(|(_, at)| *at != from);
                }
                "06:01"
            }
            None if self.has(Fault::AlwaysOfflineDone) => "06:01",
            None if self.habits.login_first => "07:01",
            None => "06:02",
        };
        reply.as_bytes().to_vec()
    }

    fn send(&mut self, me: &[u8], to: &[u8], body: &[u8]) -> Option<Bytes> {
        let exists = self.accounts.contains_key(to);
        if !exists {
            return Some(if self.has(Fault::UnknownForwarded) { b"03:01".to_vec() } else { b"03:02".to_vec() });
        }
        let utf8 = std::str::from_utf8(body).is_ok();
        if !utf8 && self.has(Fault::GbkDropped) {
            return None;
        }
        let mut body = body.to_vec();
        if !utf8 && self.has(Fault::GbkMangled) {
            body = String::from_utf8_lossy(&body).into_owned().into_bytes();
        } else if !utf8 && self.habits.converts {
            body = encoding_rs::GB18030.decode(&body).0.into_owned().into_bytes();
        }
        let cut = |body: &[u8], at: u8| body.split(|b| *b == at).next().unwrap_or_default().to_vec();
        match self.fault {
            Some(Fault::CutAtColon) => body = cut(&body, b':'),
            Some(Fault::CutAtHash) => body = cut(&body, b'#'),
            Some(Fault::NewlineStripped) if body.last() == Some(&b'\n') => body.truncate(body.len() - 1),
            Some(Fault::SpacesStripped) => {
                while body.first() == Some(&b' ') {
                    body.remove(0);
                }
            }
            Some(Fault::LongCut) => body.truncate(900),
            Some(Fault::BodyLowered) => body.make_ascii_lowercase(),
            _ => {}
        }
        let online = self.sessions.iter().any(|(name, _)| name == to);
        let letter = SentMessage { from: me.to_vec(), body };
        if online || self.habits.keeps {
            self.forwarded += 1;
            let lost = self.has(Fault::SomeLost) && self.forwarded.is_multiple_of(3);
            let everybody = self.has(Fault::ToEverybody);
            let receivers: Vec<Bytes> = if everybody {
                self.sessions.iter().map(|(name, _)| name.clone()).filter(|name| name != me).collect()
            } else {
                vec![to.to_vec()]
            };
            for receiver in receivers {
                let mailbox = self.unread.entry(receiver).or_default();
                let again = self.fault == Some(Fault::EqualCollapsed) && mailbox.contains(&letter);
                if self.fault == Some(Fault::OneSlot) {
                    mailbox.clear();
                }
                if !lost && !again {
                    mailbox.push(letter.clone());
                }
            }
        }
        let done = (online && !self.has(Fault::OnlineIsOffline)) || self.has(Fault::OfflineForwarded);
        Some(if done { b"03:01".to_vec() } else { b"03:02".to_vec() })
    }

    fn count(&self, me: &[u8], operation: &[u8], friend: Option<&[u8]>) -> Bytes {
        let letters = self.unread.get(me).map(Vec::as_slice).unwrap_or_default();
        let friend = if self.has(Fault::FourCountsAll) { None } else { friend };
        let mut n = letters.iter().filter(|letter| friend.is_none_or(|f| letter.from == f)).count();
        if operation == b"08" {
            if self.has(Fault::EightCountsPeople) {
                let mut people: Vec<&Bytes> = letters.iter().map(|letter| &letter.from).collect();
                people.sort();
                people.dedup();
                n = people.len();
            }
            if self.has(Fault::EightOneMore) && n > 0 {
                n += 1;
            }
        }
        let padded = self.has(Fault::CountPadded);
        let n = if padded { format!("{n:02}") } else { n.to_string() };
        [operation, n.as_bytes()].join(&b':')
    }

    fn take(&mut self, me: &[u8], operation: &[u8], friend: Option<&[u8]>) -> Bytes {
        let friend = if self.has(Fault::FiveTakesAny) { None } else { friend };
        let fits = |letter: &SentMessage| friend.is_none_or(|f| letter.from == f);
        let last_first = self.has(Fault::LastFirst);
        let keeps = self.has(Fault::FiveKeeps) && operation == b"05";
        let letters = self.unread.entry(me.to_vec()).or_default();
        let place = if last_first { letters.iter().rposition(fits) } else { letters.iter().position(fits) };
        let letter = match place {
            Some(place) if keeps => letters[place].clone(),
            Some(place) => letters.remove(place),
            None => {
                if self.has(Fault::LastAgain)
                    && let Some(letter) = self.taken.remove(me)
                {
                    return self.show(me, operation, &letter);
                }
                let none = match operation {
                    b"09" if self.has(Fault::NineNoneIsZero) => ":00",
                    b"05" if self.has(Fault::FiveNoneIsZero) => ":00",
                    _ => ":01",
                };
                return [operation, none.as_bytes()].concat();
            }
        };
        self.taken.insert(me.to_vec(), letter.clone());
        self.show(me, operation, &letter)
    }

    fn show(&self, me: &[u8], operation: &[u8], letter: &SentMessage) -> Bytes {
        let mut from = letter.from.clone();
        let time = match self.fault {
            Some(Fault::TimeShort) => "12:04",
            Some(Fault::TimeSlashes) => "2026/11/21 12:04:58",
            Some(Fault::TimeImpossible) => "2026-21-11 12:04:58",
            _ => TIME,
        };
        match self.fault {
            Some(Fault::FromLowered) => from.make_ascii_lowercase(),
            Some(Fault::FromIsReceiver) => from = me.to_vec(),
            _ => {}
        }
        let (time, body) = (time.as_bytes(), letter.body.as_slice());
        match self.fault {
            Some(Fault::TimeLast) => [operation, &from, body, time].join(&b':'),
            Some(Fault::TimeFirst) => [operation, time, &from, body].join(&b':'),
            Some(Fault::NoTime) => [operation, &from, body].join(&b':'),
            _ => [operation, &from, time, body].join(&b':'),
        }
    }
}

impl Machine for Model {
    fn datagram(&mut self, _: Duration, from: SocketAddr, bytes: &[u8]) -> Vec<Sent> {
        let before: Vec<SocketAddr> = self.sessions.iter().map(|(_, at)| *at).filter(|at| *at != from).collect();
        self.last_other = before.last().copied().or(self.last_other);
        let mut sent: Vec<Sent> = self.answer(from, bytes).map(|reply| Sent::new(from, reply)).into_iter().collect();
        match self.fault {
            Some(Fault::Nul) => sent.iter_mut().for_each(|s| s.bytes.push(0)),
            Some(Fault::Newline) => sent.iter_mut().for_each(|s| s.bytes.push(b'\n')),
            Some(Fault::ClosedLikeRequest) => sent.iter_mut().for_each(|s| s.bytes.push(b'#')),
            Some(Fault::NoLeadingZero) => sent.iter_mut().for_each(|s| {
                if s.bytes.first() == Some(&b'0') {
                    s.bytes.remove(0);
                }
            }),
            Some(Fault::Twice) => sent.extend(sent.first().map(|s| Sent::new(from, s.bytes.clone()))),
            Some(Fault::OtherPort) => sent.iter_mut().for_each(|s| s.from = Some(at(9))),
            // To the session that logged in last before.
            Some(Fault::WrongAddress) if bytes.starts_with(b"08#") => {
                if let Some(other) = self.last_other {
                    sent.iter_mut().for_each(|s| s.to = other);
                }
            }
            Some(Fault::Slow03) if bytes.starts_with(b"03#") => {
                sent.iter_mut().for_each(|s| s.later = Duration::from_millis(20));
            }
            Some(Fault::SendForgets) if sent.iter().any(|s| s.bytes.starts_with(b"03:")) => {
                self.sessions.retain(|(_, at)| *at != from);
            }
            Some(Fault::EachFifthMissing) => {
                self.replies += sent.len() as u64;
                if self.replies.is_multiple_of(5) {
                    sent.clear();
                }
            }
            Some(Fault::PreviousReply) => {
                let this = sent.first().map(|s| s.bytes.clone());
                let previous = std::mem::replace(&mut self.previous, this);
                sent = previous.map(|bytes| Sent::new(from, bytes)).into_iter().collect();
            }
            Some(Fault::Pushes) if sent.iter().any(|s| s.bytes == b"03:01") => {
                let to = bytes.split(|b| *b == b'#').nth(1).unwrap_or_default();
                let receiver = self.sessions.iter().find(|(name, _)| name == to).map(|(_, at)| *at);
                sent.extend(receiver.map(|at| Sent::new(at, b"08:1")));
            }
            _ => {}
        }
        sent
    }
}
