//! Reading people from the store who are not in memory. This happens when a request names them, or comes from an
//! address where they may have a session. The request waits meanwhile, in its address's lane or as the first of its
//! device's frames, and is begun again when the store has answered. So nobody else is delayed, and the rest of the
//! engine is written as if everybody were in memory.
//!
//! The store answers in the order in which it is asked, so a person as it reads them includes everything that was asked
//! before and nothing that was asked after. Results that come earlier concern a person who is not in memory and change
//! nothing; results that come later are counted as always.
//!
//! Invented names and addresses cost reads, so look-ups have a limit for each network and for all who are not logged in
//! together. Names without an account and addresses without a session are remembered, the latest of them. Reading a
//! full mailbox counts as many look-ups.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::jobs::{JobResult, PendingJob};
use super::lanes::Queued;
use super::send_rates::DelayedMessage;
use super::sessions::Session;
use super::throttle::{count, network};
use super::{Effect, Engine, Now, PRESENCE, SESSION};
use crate::base::model::Account;
use crate::protocol::link::PeerId;
use crate::protocol::wire::Request;
use crate::server::control::{Answer, Order};
use crate::server::limits::{Buckets, Rate};
use crate::server::store::{AccountId, Done, Op, PersonKey, PersonRecord, Read, Write};

/// Look-ups that one network may cause; loopback has no limit, since it cannot be forged from outside.
const OF_ONE: Rate = Rate { per_second: 500.0, burst: 4_000.0 };
/// Look-ups that all addresses that are not logged in may cause together.
const OF_STRANGERS: Rate = Rate { per_second: 8_000.0, burst: 8_000.0 };
/// How many unread messages a look-up may read at no extra cost; each further group of this size counts as one more
/// look-up.
const OF_A_LOOK: u64 = 64;
/// The most addresses without a session that may wait for a look-up at one time; each occupies a lane.
const STRANGERS: usize = 1_024;
/// A session is kept in memory until it has been silent for this much longer than [`PRESENCE`]: the store counts in
/// whole seconds, and reading a session back must not make anybody present again.
const ROUNDED: Duration = Duration::from_secs(2);

/// What goes on when a look-up has its answer.
#[derive(Debug)]
pub(super) enum LookupWaiter {
    /// The first datagram of this address's lane. A stranger is an address without a session.
    Lane { from: SocketAddr, stranger: bool },
    /// The first frame in this device's queue.
    Device(PeerId),
    /// An operator's order and its ticket.
    Order(u64, Order),
    /// A message that waited until its writer may send.
    DelayedMessage(DelayedMessage),
}

/// The look-ups that are under way, and their budgets.
#[derive(Debug)]
pub(super) struct Lookups {
    /// The job number of each look-up.
    sought: HashMap<PersonKey, u64>,
    of_one: Buckets<IpAddr>,
    of_strangers: Buckets<()>,
    /// How many strangers' lanes are waiting.
    strangers: usize,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            sought: HashMap::new(),
            of_one: Buckets::new(OF_ONE, 65_536),
            of_strangers: Buckets::new(OF_STRANGERS, 1),
            strangers: 0,
        }
    }
}

impl Lookups {
    /// Returns whether this address may cause a look-up now; if so, it is counted.
    ///
    /// # Errors
    /// The time at which it may; `None` if there are too many addresses.
    pub(super) fn allows(&mut self, from: SocketAddr, stranger: bool, now: Instant) -> Result<(), Option<Instant>> {
        if let Some(network) = network(from) {
            self.of_one.take_or_when(network, now)?;
        }
        if stranger { self.of_strangers.take_or_when((), now) } else { Ok(()) }
    }

    /// Charges the address that caused a look-up for the unread messages that were read. If that exceeds its budget,
    /// nothing more is allowed until the budget has refilled.
    fn read(&mut self, from: SocketAddr, stranger: bool, unread: u64) {
        let looks = -count(usize::try_from(unread / OF_A_LOOK).unwrap_or(usize::MAX));
        if let Some(network) = network(from) {
            self.of_one.change(&network, looks);
        }
        if stranger {
            self.of_strangers.change(&(), looks);
        }
    }

    /// Ends a look-up.
    fn found(&mut self, sought: &PersonKey, seekers: &[LookupWaiter]) {
        self.sought.remove(sought);
        let strangers =
            seekers.iter().filter(|seeker| matches!(seeker, LookupWaiter::Lane { stranger: true, .. })).count();
        self.strangers = self.strangers.saturating_sub(strangers);
    }
}

impl Engine {
    /// Returns the account that this request needs, if it is in memory.
    ///
    /// # Errors
    /// The key that the store is to be asked for before the request can be handled.
    pub(super) fn missing(&self, from: SocketAddr, request: &Request) -> Result<Option<AccountId>, PersonKey> {
        let found = match request {
            Request::Hello { .. } => return Ok(None),
            Request::Register { account, password, confirm } => {
                if password != confirm {
                    return Ok(None);
                }
                self.accounts.find_exactly(account.as_str())
            }
            Request::Login { account, .. } | Request::ChangePassword { account, .. } => {
                self.accounts.find(account.as_str())
            }
            _ if self.addresses.is_unknown(from) => return Err(PersonKey::Address(from)),
            Request::Send { to, .. } if self.addresses.whose(from).is_some() && to.as_str() != Account::LOBBY => {
                self.accounts.find(to.as_str())
            }
            Request::Send { .. }
            | Request::Count { .. }
            | Request::CountAll
            | Request::Take { .. }
            | Request::TakeAll
            | Request::Who { .. }
            | Request::Offline => return Ok(None),
        };
        found.known()
    }

    /// Lets a datagram wait for a look-up. If its address has used up its budget, a logged-in client waits for that as
    /// well, while a stranger's datagram is dropped, since its address may be forged.
    pub(super) fn seek_for_lane(&mut self, now: Now, from: SocketAddr, sought: PersonKey, bytes: &[u8]) {
        let stranger = self.addresses.whose(from).is_none();
        if stranger && self.finding.strangers >= STRANGERS {
            return;
        }
        let allowed = self.finding.allows(from, stranger, now.instant);
        if stranger && allowed.is_err() || allowed == Err(None) {
            return;
        }
        self.lanes.hold(from);
        self.lanes.put_back(from, Queued::Again(bytes.to_vec()));
        match allowed {
            Err(Some(at)) => self.wait_for_turn(from, at),
            _ => {
                self.finding.strangers += usize::from(stranger);
                self.seek(now, sought, LookupWaiter::Lane { from, stranger });
            }
        }
    }

    /// Asks the store for a person, once for all who wait for the same.
    pub(super) fn seek(&mut self, now: Now, sought: PersonKey, seeker: LookupWaiter) {
        if let Some(job) = self.finding.sought.get(&sought) {
            return self.jobs.join(*job, seeker);
        }
        let since = now.unix.saturating_sub(i64::try_from(SESSION.as_secs()).unwrap_or(i64::MAX));
        let asked = PendingJob::Person(sought.clone(), vec![seeker]);
        let whom = sought.clone();
        let job = self.ask_store(asked, |job| Op::Read(Read::Person { job, sought: whom, since }));
        self.finding.sought.insert(sought, job);
    }

    /// Handles the answer to a look-up, and lets all who waited for it go on.
    pub(super) fn person_came(&mut self, now: Now, sought: PersonKey, seekers: Vec<LookupWaiter>, came: JobResult) {
        self.finding.found(&sought, &seekers);
        let JobResult::Stored(Done::Person { person, .. }) = came else {
            return seekers.into_iter().for_each(|seeker| self.seek_in_vain(now, seeker));
        };
        if let Some(known) = person {
            let by = match seekers.first() {
                Some(LookupWaiter::Lane { from, stranger }) => Some((*from, *stranger)),
                Some(LookupWaiter::Device(peer)) => {
                    self.device_address(*peer).map(|from| (from, self.is_stranger(*peer)))
                }
                Some(LookupWaiter::Order(..) | LookupWaiter::DelayedMessage(_)) | None => None,
            };
            if let Some((from, stranger)) = by {
                self.finding.read(from, stranger, known.unread.values().sum());
            }
            self.know(now, *known);
        }
        match sought {
            PersonKey::Name(name) if self.accounts.of_name(&name).is_none() => self.accounts.nobody_has(name),
            PersonKey::Address(address) if self.addresses.whose(address).is_none() => {
                self.addresses.nobody_is_at(address)
            }
            PersonKey::Name(_) | PersonKey::Address(_) => {}
        }
        for seeker in seekers {
            match seeker {
                LookupWaiter::Lane { from, .. } => self.free(from, now),
                LookupWaiter::Device(peer) => self.go_on(now, peer),
                LookupWaiter::Order(ticket, order) => self.administer(now, ticket, order),
                LookupWaiter::DelayedMessage(slow) => self.send_waited(now, slow),
            }
        }
    }

    /// Handles a look-up that failed because the store could not be read. The plain dialect has no reply for that, so
    /// the client is not answered and sends its request again.
    fn seek_in_vain(&mut self, now: Now, seeker: LookupWaiter) {
        match seeker {
            LookupWaiter::Lane { from, .. } => {
                self.lanes.drop_again(from);
                self.free(from, now);
            }
            LookupWaiter::Device(peer) => self.go_on_without(now, peer),
            LookupWaiter::Order(ticket, _) => self.tell(ticket, Answer::NotStored { error: String::new() }),
            LookupWaiter::DelayedMessage(slow) => self.free(slow.from, now),
        }
    }

    /// Puts a person into memory as read from the store, unless they are there or are being deleted: memory is newer
    /// then.
    pub(super) fn know(&mut self, now: Now, known: PersonRecord) {
        let id = known.id;
        if self.accounts.person(id).is_some() {
            return;
        }
        let session = known.session.and_then(|(address, noted)| self.restored(now, address, noted));
        self.accounts.know(known);
        if let Some(session) = session {
            self.addresses.restore(session.address, id);
            if let Some(person) = self.accounts.people.get_mut(&id) {
                person.session = Some(session);
            }
        }
    }

    /// Returns a session as the store has it, silent since it was last noted, so that an old session does not count as
    /// present; `None` if it has ended.
    fn restored(&self, now: Now, address: SocketAddr, noted: i64) -> Option<Session> {
        let silent = Duration::from_secs(now.unix.saturating_sub(noted).try_into().unwrap_or(0));
        if silent > SESSION || !self.addresses.is_unknown(address) {
            return None;
        }
        // A machine that was started less than that long ago has no such instant.
        let long_ago = || now.instant.checked_sub(PRESENCE + ROUNDED).unwrap_or(now.instant);
        let seen = now.instant.checked_sub(silent).unwrap_or_else(long_ago);
        Some(Session { address, seen, noted, offered: None })
    }

    /// Removes people from memory who are not needed, if there are too many. Called when no input is half handled.
    pub(super) fn make_room(&mut self, now: Now) {
        if !self.accounts.is_crowded() {
            return;
        }
        let over = |session: &Session| now.instant.saturating_duration_since(session.seen) > SESSION;
        let people = self.accounts.people.iter();
        let ended: Vec<_> = people.filter(|(_, p)| p.session.as_ref().is_some_and(over)).map(|(id, _)| *id).collect();
        ended.into_iter().for_each(|id| self.end_session(id));
        let needed = self.needed(now);
        let mut silent = Vec::new();
        for id in self.accounts.too_many(&needed) {
            let Some(session) = self.accounts.remove(id).and_then(|person| person.session) else { continue };
            self.addresses.forget(session.address);
            self.addresses.last_present = self.addresses.last_present.max(session.seen + PRESENCE);
            let seen = now.instant.saturating_duration_since(session.seen).as_secs();
            let seen = now.unix.saturating_sub(i64::try_from(seen).unwrap_or(0));
            if seen > session.noted {
                silent.push((id, seen));
            }
        }
        if !silent.is_empty() {
            self.effects.push_back(Effect::Store(Op::Write(Write::Seen { sessions: silent })));
        }
    }

    /// Returns the accounts that must stay in memory: those who are online, and those that something waits for.
    fn needed(&self, now: Now) -> HashSet<AccountId> {
        let mut needed = HashSet::new();
        let heard = |session: &Session| {
            session.offered.is_some() || now.instant.saturating_duration_since(session.seen) <= PRESENCE + ROUNDED
        };
        for (id, person) in &self.accounts.people {
            if !person.devices.is_empty() || person.session.as_ref().is_some_and(heard) {
                needed.insert(*id);
            }
        }
        self.jobs.needs(&mut needed);
        self.login_attempts.needs(&mut needed);
        self.lanes.needs(&mut needed);
        needed.extend(self.send_rates.waiting_for().filter_map(|name| self.accounts.named(name)));
        needed
    }
}
