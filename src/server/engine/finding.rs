//! Whoever is not in memory is looked for in the store when a request names them, or comes from where a session of theirs
//! may be. The request waits meanwhile, in its address's lane or as the first of its device's frames, and is begun again with
//! the answer; so nobody else is held up, and everything else is written as if all were here.
//!
//! The store answers in the order in which it is asked. So what it says of somebody has in it all that was asked before, and
//! nothing that was asked later: results that come before it concern nobody who is here and change nothing, and those that come
//! after it count as they always do.
//!
//! Made-up names and addresses cost reads: of one network, and of all strangers together, so many a second and no more. That
//! nobody has a name, or a session at an address, is remembered for the latest of them. A look at a full mailbox counts for many.

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

/// Looks into the store that one network may cause; nobody makes up this machine's own addresses.
const OF_ONE: Rate = Rate { per_second: 500.0, burst: 4_000.0 };
/// Looks that all who are not logged in may cause together.
const OF_STRANGERS: Rate = Rate { per_second: 8_000.0, burst: 8_000.0 };
/// Unread messages that are read with a look at no more cost; each so many more count as another look.
const OF_A_LOOK: u64 = 64;
/// Addresses without a session that wait for a look at once; each keeps a lane.
const STRANGERS: usize = 1_024;
/// A session that was silent for so much longer than [`PRESENCE`] may leave the memory: the store counts in seconds, and is not
/// to make anybody present again.
const ROUNDED: Duration = Duration::from_secs(2);

/// What goes on when somebody is found, or is not there.
#[derive(Debug)]
pub(super) enum LookupWaiter {
    /// The first datagram of this lane.
    Lane { from: SocketAddr, stranger: bool },
    /// The first frame that this device has waiting.
    Device(PeerId),
    /// An operator's order, under its ticket.
    Order(u64, Order),
    /// A message whose time had come.
    DelayedMessage(DelayedMessage),
}

/// Who is being looked for, and what that may cost.
#[derive(Debug)]
pub(super) struct Lookups {
    /// Who is looked for, under which number.
    sought: HashMap<PersonKey, u64>,
    of_one: Buckets<IpAddr>,
    of_strangers: Buckets<()>,
    /// How many of those who wait are strangers' lanes.
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
    /// Whether this address may cause a look, which is counted then.
    ///
    /// # Errors
    /// When it may, if it is to wait for that.
    pub(super) fn allows(&mut self, from: SocketAddr, stranger: bool, now: Instant) -> Result<(), Option<Instant>> {
        if let Some(network) = network(from) {
            self.of_one.take_or_when(network, now)?;
        }
        if stranger { self.of_strangers.take_or_when((), now) } else { Ok(()) }
    }

    /// With somebody their mailbox was read: what that cost counts for whoever has caused it. It may be more than there was left;
    /// then nothing is allowed until time has made up for it.
    fn read(&mut self, from: SocketAddr, stranger: bool, unread: u64) {
        let looks = -count(usize::try_from(unread / OF_A_LOOK).unwrap_or(usize::MAX));
        if let Some(network) = network(from) {
            self.of_one.change(&network, looks);
        }
        if stranger {
            self.of_strangers.change(&(), looks);
        }
    }

    /// It is known of them, or cannot be.
    fn found(&mut self, sought: &PersonKey, seekers: &[LookupWaiter]) {
        self.sought.remove(sought);
        let strangers =
            seekers.iter().filter(|seeker| matches!(seeker, LookupWaiter::Lane { stranger: true, .. })).count();
        self.strangers = self.strangers.saturating_sub(strangers);
    }
}

impl Engine {
    /// Who is needed for this request, of those who are here.
    ///
    /// # Errors
    /// Whom the store is to be asked for before this request can be looked at.
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

    /// A datagram waits for somebody, if its address may cause a look now. Who is logged in waits for that too; a stranger's is
    /// dropped, as strangers may be made up.
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

    /// The store is asked for somebody, once for all who wait for the same.
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

    /// Whoever was looked for is found, or is nobody, or cannot be read.
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

    /// The store could not be read. The plain dialect has no word for it: as nothing may be claimed, the client asks again.
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

    /// Whoever the store has found is here, unless they are already, or are being deleted: memory is newer then.
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

    /// A session as the store has it: as silent as it was, so that yesterday's makes nobody present. None if it is over.
    fn restored(&self, now: Now, address: SocketAddr, noted: i64) -> Option<Session> {
        let silent = Duration::from_secs(now.unix.saturating_sub(noted).try_into().unwrap_or(0));
        if silent > SESSION || !self.addresses.is_unknown(address) {
            return None;
        }
        // A machine that started later than that has no such instant.
        let long_ago = || now.instant.checked_sub(PRESENCE + ROUNDED).unwrap_or(now.instant);
        let seen = now.instant.checked_sub(silent).unwrap_or_else(long_ago);
        Some(Session { address, seen, noted, offered: None })
    }

    /// Lets go of whoever is not needed, if there are too many. Called when nothing is half done.
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

    /// Whoever is here, or what somebody waits for concerns.
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
