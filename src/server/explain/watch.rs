//! What an observer would say about a client: who is logged in at which address, what is sent twice, asked too often,
//! or not waited for. It only knows the datagrams it has seen, so it says nothing about what came before, and forgets
//! everything when some were missed. Pure.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rust_i18n::t;

use super::printer::OpenRequest;
use crate::protocol::wire::explain::{Explanation, Name, readable};
use crate::protocol::wire::reply::{Learned, LoggedIn, Reply};

/// The most addresses, and the most accounts, that are remembered; beyond that, everything is forgotten.
const KNOWN: usize = 4_096;
/// After this time the same message is taken for a new one.
const TWICE: Duration = Duration::from_secs(30);
/// How many messages of an address are remembered for that.
const MESSAGES: usize = 16;
/// How many replies in a row without news, each soon after the one before, count as polling without a pause.
const POLLS: u32 = 20;
const POLL_PAUSE: Duration = Duration::from_millis(250);
/// How many logins of an account within [`LOGINS_IN`], without going offline between them, are remarked on.
const LOGINS: usize = 3;
const LOGINS_IN: Duration = Duration::from_secs(60);
/// How many requests that wait for replies at the same time, each younger than [`PIPELINED_IN`], show that the client
/// does not wait.
const PIPELINED: usize = 2;
const PIPELINED_IN: Duration = Duration::from_millis(200);
/// A reply to a login that takes longer than this was delayed because of wrong passwords.
const HELD_BACK: Duration = Duration::from_millis(900);
/// How long after a remark the same one is made to an address again.
const AGAIN: Duration = Duration::from_secs(10);

/// A remark about what a client does, rather than about one datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// `07:01`: the account is logged in at another port of the same machine.
    OtherPort { account: String, there: u16, here: u16 },
    /// `07:01`: the account was logged in here, until it logged in there.
    TakenOver { account: String, by: SocketAddr },
    /// `07:01`: the account was logged in here until its own `06#`.
    WentOffline { account: String },
    /// The same message as request `number`, `ms` milliseconds later; `answered` says whether that one had been
    /// answered.
    Again { number: u64, ms: u128, answered: bool },
    /// A name or a password begins or ends with a blank.
    Blank { field: usize, name: Name },
    /// An account has logged in `times` times in a minute.
    Logins { account: String, times: usize },
    /// `times` requests in a row have brought nothing, within `ms` milliseconds.
    Polling { times: u32, ms: u128 },
    /// `waiting` requests wait for their replies at the same time.
    Pipelined { waiting: usize },
    /// The reply to a login was delayed for `seconds`.
    HeldBack { seconds: u64 },
}

impl Note {
    /// Returns the remark's name for programs.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::OtherPort { .. } => "other_port",
            Self::TakenOver { .. } => "taken_over",
            Self::WentOffline { .. } => "went_offline",
            Self::Again { .. } => "again",
            Self::Blank { .. } => "blank",
            Self::Logins { .. } => "logins",
            Self::Polling { .. } => "polling",
            Self::Pipelined { .. } => "pipelined",
            Self::HeldBack { .. } => "held_back",
        }
    }

    /// Returns the remark as a sentence or two, with names made printable.
    pub(super) fn text(&self, locale: &str) -> String {
        let shown = |name: &str| readable(name.as_bytes());
        match self {
            Self::OtherPort { account, there, here } => {
                t!("explain.note_other_port", locale = locale, account = shown(account), there = there, here = here)
            }
            Self::TakenOver { account, by } => {
                t!("explain.note_taken_over", locale = locale, account = shown(account), by = by)
            }
            Self::WentOffline { account } => {
                t!("explain.note_went_offline", locale = locale, account = shown(account))
            }
            Self::Again { number, ms, answered: true } => {
                t!("explain.note_again_answered", locale = locale, number = number, ms = ms)
            }
            Self::Again { number, ms, answered: false } => {
                t!("explain.note_again_waiting", locale = locale, number = number, ms = ms)
            }
            Self::Blank { field, name } => {
                t!("explain.note_blank", locale = locale, field = field, name = name.text(locale))
            }
            Self::Logins { account, times } => {
                t!("explain.note_logins", locale = locale, account = shown(account), times = times)
            }
            Self::Polling { times, ms } => t!("explain.note_polling", locale = locale, times = times, ms = ms),
            Self::Pipelined { waiting } => t!("explain.note_pipelined", locale = locale, waiting = waiting),
            Self::HeldBack { seconds } => t!("explain.note_held_back", locale = locale, seconds = seconds),
        }
        .into_owned()
    }
}

/// Why a request gets no reply, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It is the same datagram, with a password, as the one that was answered.
    Retransmission,
    /// A newer login of the same address has replaced it.
    GivenUp,
    /// The budget of `00:00` and `07:01` was used up.
    Refusals,
    /// A message that could not be stored is not answered.
    NotStored,
    /// Something else: too many requests at once, or a reply that needed the disk.
    Overload,
}

impl Silence {
    /// Returns the reason for a request that was passed over when a later one, or the same one again, was answered.
    pub(super) fn of(asked: &OpenRequest, by_same: bool, logged_in: bool) -> Self {
        match asked.operation {
            _ if by_same => Self::Retransmission,
            Some(2) if asked.is_request => Self::GivenUp,
            Some(1 | 10) if asked.is_request => Self::Overload,
            _ if !asked.is_request || !logged_in => Self::Refusals,
            Some(3) => Self::NotStored,
            _ => Self::Overload,
        }
    }

    /// Returns the reason's name for programs.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::GivenUp => "given_up",
            Self::Refusals => "refusals",
            Self::NotStored => "not_stored",
            Self::Overload => "overload",
        }
    }

    /// Returns the reason as half a sentence.
    pub(super) fn text(self, locale: &str) -> String {
        match self {
            Self::Retransmission => t!("explain.silent_retransmission", locale = locale),
            Self::GivenUp => t!("explain.silent_given_up", locale = locale),
            Self::Refusals => t!("explain.silent_refusals", locale = locale),
            Self::NotStored => t!("explain.silent_not_stored", locale = locale),
            Self::Overload => t!("explain.silent_overload", locale = locale),
        }
        .into_owned()
    }
}

/// How a login at an address has ended: by a login from another address, or by `06#`.
#[derive(Debug, Clone)]
enum LoginEnd {
    By(SocketAddr),
    Offline,
}

#[derive(Debug, Clone)]
struct Message {
    hash: u64,
    number: u64,
    at: Instant,
    answered: bool,
}

/// What is known about one address.
#[derive(Debug, Default)]
struct Client {
    account: Option<String>,
    before: Option<(String, LoginEnd)>,
    /// The account whose session elsewhere `06#` would end.
    armed: Option<String>,
    messages: VecDeque<Message>,
    /// Replies in a row that brought nothing: how many, and the times of the first and the last.
    nothing: Option<(u32, Instant, Instant)>,
    said: HashMap<&'static str, Instant>,
}

/// All that has been seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    clients: HashMap<SocketAddr, Client>,
    /// The address at which each account is logged in, and since when.
    places: HashMap<String, (SocketAddr, Instant)>,
    logins: HashMap<String, VecDeque<Instant>>,
}

impl Watch {
    /// Forgets everything, because some datagrams were not seen.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Returns whether an account is known to be logged in at this address.
    pub(super) fn is_in(&self, peer: SocketAddr) -> bool {
        self.clients.get(&peer).is_some_and(|client| client.account.is_some())
    }

    /// Takes note of a request; `waiting` are those of the same address without a reply so far.
    pub(super) fn request(
        &mut self,
        at: Instant,
        peer: SocketAddr,
        datagram: &[u8],
        explained: &Explanation,
        this: (u64, u64),
        waiting: &VecDeque<OpenRequest>,
    ) -> Vec<Note> {
        let (number, hash) = this;
        let mut notes = Vec::new();
        for (i, field) in explained.fields.iter().enumerate() {
            let body = matches!(field.name, Name::Account | Name::Password | Name::To | Name::From);
            let bytes = datagram.get(field.bytes.clone()).unwrap_or_default();
            let blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            if body && (blank(bytes.first()) || blank(bytes.last())) {
                notes.push(Note::Blank { field: i + 1, name: field.name });
            }
        }
        let fresh = |asked: &&OpenRequest| at.saturating_duration_since(asked.at) < PIPELINED_IN && asked.hash != hash;
        let together = waiting.iter().filter(fresh).count();
        if explained.is_request() && together >= PIPELINED {
            notes.push(Note::Pipelined { waiting: together + 1 });
        }
        if explained.is_request() && explained.operation == Some(3) {
            let client = self.client(peer);
            if let Some(known) = client.messages.iter().rev().find(|message| message.hash == hash) {
                let after = at.saturating_duration_since(known.at);
                if after < TWICE {
                    notes.push(Note::Again { number: known.number, ms: after.as_millis(), answered: known.answered });
                }
            }
            if client.messages.len() == MESSAGES {
                client.messages.pop_front();
            }
            client.messages.push_back(Message { hash, number, at, answered: false });
        }
        self.unsaid(at, peer, notes)
    }

    /// Takes note of a reply, and of the request it answers if that is certain.
    pub(super) fn reply(&mut self, at: Instant, peer: SocketAddr, bytes: &[u8], to: Option<&OpenRequest>) -> Vec<Note> {
        let reply = Reply::decode(bytes, &mut Learned::default());
        let mut notes = Vec::new();
        if let Some(asked) = to {
            let client = self.client(peer);
            client.messages.iter_mut().filter(|m| m.number == asked.number).for_each(|m| m.answered = true);
            let after = at.saturating_duration_since(asked.at);
            if asked.operation == Some(2) && after > HELD_BACK {
                notes.push(Note::HeldBack { seconds: (after.as_millis() as u64 + 500) / 1_000 });
            }
        }
        match &reply {
            Reply::Login(LoggedIn::Done) => match to.and_then(|asked| asked.account.clone()) {
                Some(account) => notes.extend(self.logged_in(at, peer, account)),
                // Several logins are open, and it is unclear which one this answers.
                None => self.client(peer).account = None,
            },
            Reply::Login(LoggedIn::AlreadyLoggedIn) => {
                self.client(peer).armed = to.and_then(|asked| asked.account.clone());
            }
            Reply::Offline { .. } => self.offline(peer),
            Reply::NotLoggedIn => notes.extend(self.not_logged_in(peer)),
            _ => {}
        }
        let nothing = matches!(reply, Reply::CountAll(0) | Reply::Count(0) | Reply::TakeAll(None) | Reply::Take(None));
        notes.extend(self.polled(at, peer, nothing));
        self.unsaid(at, peer, notes)
    }

    fn client(&mut self, peer: SocketAddr) -> &mut Client {
        if self.clients.len() >= KNOWN && !self.clients.contains_key(&peer) {
            self.forget();
        }
        self.clients.entry(peer).or_default()
    }

    fn logged_in(&mut self, at: Instant, peer: SocketAddr, account: String) -> Option<Note> {
        if let Some((there, _)) = self.places.insert(account.clone(), (peer, at)).filter(|(there, _)| *there != peer) {
            let before = self.client(there);
            if before.account.as_ref() == Some(&account) {
                before.account = None;
                before.before = Some((account.clone(), LoginEnd::By(peer)));
            }
        }
        let client = self.client(peer);
        client.before = None;
        client.armed = None;
        // An address has one session.
        if let Some(other) = client.account.replace(account.clone()).filter(|other| *other != account) {
            self.places.remove(&other);
        }
        if self.places.len() > KNOWN || self.logins.len() > KNOWN {
            self.forget();
        }
        let logins = self.logins.entry(account.clone()).or_default();
        while logins.front().is_some_and(|first| at.saturating_duration_since(*first) > LOGINS_IN) {
            logins.pop_front();
        }
        logins.push_back(at);
        let times = logins.len();
        if times > 16 {
            logins.pop_front();
        }
        (times >= LOGINS).then_some(Note::Logins { account, times })
    }

    fn offline(&mut self, peer: SocketAddr) {
        let client = self.client(peer);
        let (account, armed) = (client.account.take(), client.armed.take());
        if let Some(account) = account {
            client.before = Some((account.clone(), LoginEnd::Offline));
            self.places.remove(&account);
            self.logins.remove(&account);
        }
        // `06#` after a login that was refused ends the session elsewhere.
        if let Some(account) = armed
            && let Some((there, _)) = self.places.remove(&account)
        {
            let other = self.client(there);
            other.account = None;
            other.before = Some((account, LoginEnd::By(peer)));
        }
    }

    fn not_logged_in(&mut self, peer: SocketAddr) -> Option<Note> {
        let client = self.client(peer);
        // What was seen here is out of date, whatever the reason.
        client.account = None;
        if let Some((account, past)) = client.before.clone() {
            return Some(match past {
                LoginEnd::By(by) => Note::TakenOver { account, by },
                LoginEnd::Offline => Note::WentOffline { account },
            });
        }
        let near = self.places.iter().filter(|(_, (there, _))| there.ip() == peer.ip() && *there != peer);
        let (account, (there, _)) = near.max_by_key(|(_, (_, since))| *since)?;
        Some(Note::OtherPort { account: account.clone(), there: there.port(), here: peer.port() })
    }

    fn polled(&mut self, at: Instant, peer: SocketAddr, nothing: bool) -> Option<Note> {
        let client = self.client(peer);
        let goes_on = client.nothing.filter(|(_, _, last)| at.saturating_duration_since(*last) < POLL_PAUSE);
        client.nothing = nothing.then(|| match goes_on {
            Some((times, first, _)) => (times.saturating_add(1), first, at),
            None => (1, at, at),
        });
        let (times, first, _) = client.nothing.filter(|(times, ..)| *times == POLLS)?;
        Some(Note::Polling { times, ms: at.saturating_duration_since(first).as_millis() })
    }

    /// Those that this address has not just been told.
    fn unsaid(&mut self, at: Instant, peer: SocketAddr, mut notes: Vec<Note>) -> Vec<Note> {
        if !notes.is_empty() {
            let said = &mut self.client(peer).said;
            notes.retain(|note| {
                let new = said.get(note.key()).is_none_or(|last| at.saturating_duration_since(*last) > AGAIN);
                // What one message is like says nothing of the next.
                let always = matches!(note, Note::Again { .. } | Note::HeldBack { .. });
                if new {
                    said.insert(note.key(), at);
                }
                new || always
            });
        }
        notes
    }
}
