//! How fast an account may send. A device is refused and told how long to wait. A plain client, which sends one message
//! and waits for its answer, gets the answer later instead, since the dialect has no such refusal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::accounts::NameLookup;
use super::finding::LookupWaiter;
use super::{Engine, Now};
use crate::base::model::Account;
use crate::protocol::wire::Reply;
use crate::protocol::wire::request::Body;
use crate::server::Quotas;
use crate::server::limits::{Buckets, Rate};
use crate::server::store::AccountId;

/// The most accounts that have a budget at one time: only those that have sent in the last seconds need one.
const MOST: usize = 65_536;
/// A device that was refused is told to wait until it may send this many messages at once, which saves both sides work.
const AT_ONCE: f64 = 16.0;
/// The shortest and the longest wait that a device is told.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A message of a plain client that waits until its writer may send again.
#[derive(Debug)]
pub(super) struct DelayedMessage {
    pub(super) from: SocketAddr,
    writer: AccountId,
    to: Account,
    body: Body,
}

/// How often an account may set items, or answer or end friendships: the burst lets a device send a whole list of
/// friends that only it had.
const SETS: Rate = Rate { per_second: 10.0, burst: 3_000.0 };
/// How often an account may ask others to be friends.
const REQUESTS: Rate = Rate { per_second: 0.2, burst: 30.0 };

/// How often an account may change its profile, of which all its friends are told.
const PROFILES: Rate = Rate { per_second: 0.1, burst: 10.0 };

/// How often an account may choose another state or line, and how often its devices' coming back from being away is told
/// at once: everybody who is online hears of each.
const STATES: Rate = Rate { per_second: 0.5, burst: 10.0 };

/// How often an account may ask for profiles, and how often it may search for people.
const QUESTIONS: Rate = Rate { per_second: 5.0, burst: 30.0 };
/// How often all accounts together may search: one search takes the store's thread up to 10 ms among 100,000 accounts,
/// and it is to have most of its time for messages.
const SEARCHES: Rate = Rate { per_second: 40.0, burst: 80.0 };

/// The budgets of all accounts, and the messages that wait for them.
#[derive(Debug)]
pub(super) struct SendRates {
    sets: Buckets<AccountId>,
    requests: Buckets<AccountId>,
    profiles: Buckets<AccountId>,
    states: Buckets<AccountId>,
    cards: Buckets<AccountId>,
    finds: Buckets<AccountId>,
    searches: Buckets<()>,
    private: Option<Buckets<AccountId>>,
    lobby: Option<Buckets<AccountId>>,
    /// When each message of `slow` is due, by its number there.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    slow: std::collections::HashMap<u64, DelayedMessage>,
    next: u64,
}

impl SendRates {
    pub(super) fn new(quotas: Quotas) -> Self {
        let buckets = |rate: u32| (rate > 0).then(|| Buckets::new(Quotas::rate(rate), MOST));
        Self {
            sets: Buckets::new(SETS, MOST),
            requests: Buckets::new(REQUESTS, MOST),
            profiles: Buckets::new(PROFILES, MOST),
            states: Buckets::new(STATES, MOST),
            cards: Buckets::new(QUESTIONS, MOST),
            finds: Buckets::new(QUESTIONS, MOST),
            searches: Buckets::new(SEARCHES, 1),
            private: buckets(quotas.sending),
            lobby: buckets(quotas.lobby),
            due: BinaryHeap::new(),
            slow: Default::default(),
            next: 0,
        }
    }

    fn of(&mut self, to: &str) -> Option<&mut Buckets<AccountId>> {
        if to == Account::LOBBY { self.lobby.as_mut() } else { self.private.as_mut() }
    }

    /// Returns whether a device may send now; if not, how many milliseconds it is to wait.
    pub(super) fn device(&mut self, now: Now, writer: AccountId, to: &str) -> Result<(), u64> {
        let Some(buckets) = self.of(to) else { return Ok(()) };
        take(buckets, now, writer, AT_ONCE)
    }

    /// Returns whether an account may now set an item, or answer or end a friendship.
    pub(super) fn set(&mut self, now: Now, account: AccountId) -> bool {
        self.sets.take(account, now.instant)
    }

    /// Returns whether an account may now ask somebody to be a friend.
    pub(super) fn request(&mut self, now: Now, account: AccountId) -> bool {
        self.requests.take(account, now.instant)
    }

    /// Returns whether an account may now change its profile; if not, how many milliseconds it is to wait.
    pub(super) fn profile(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.profiles, now, account, 1.0)
    }

    /// Returns whether an account may now be shown in another way; if not, how many milliseconds it is to wait.
    pub(super) fn state(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.states, now, account, 1.0)
    }

    /// Returns whether an account may now ask for profiles; if not, how many milliseconds it is to wait.
    pub(super) fn cards(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.cards, now, account, 1.0)
    }

    /// Returns whether an account may now search for people; if not, how many milliseconds it is to wait.
    pub(super) fn find(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.finds, now, account, 1.0)?;
        take(&mut self.searches, now, (), 1.0)
    }

    /// Returns the receivers of the messages that wait.
    pub(super) fn waiting_for(&self) -> impl Iterator<Item = &str> {
        self.slow.values().map(|slow| slow.to.as_str())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }
}

/// Takes one token. If there is none, returns how many milliseconds it takes until there are `enough`.
fn take<K: Hash + Eq + Copy>(buckets: &mut Buckets<K>, now: Now, of: K, enough: f64) -> Result<(), u64> {
    if buckets.take(of, now.instant) {
        return Ok(());
    }
    let wait = buckets.until(&of, enough, now.instant).clamp(WAIT.0, WAIT.1);
    Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

impl Engine {
    /// Handles 03: sends the message now, or when its writer may send again. Until then the address's later requests
    /// wait too.
    pub(super) fn send(&mut self, now: Now, from: SocketAddr, writer: AccountId, to: &Account, body: Body) {
        let wait =
            self.send_rates.of(to.as_str()).map_or(Duration::ZERO, |buckets| buckets.take_ahead(writer, now.instant));
        if wait.is_zero() {
            return self.send_now(now, from, writer, to, body);
        }
        self.send_rates.next += 1;
        self.send_rates.due.push(Reverse((now.instant + wait, self.send_rates.next)));
        self.send_rates.slow.insert(self.send_rates.next, DelayedMessage { from, writer, to: to.clone(), body });
        self.lanes.hold(from);
    }

    /// Sends the messages whose time has come.
    pub(super) fn send_slow(&mut self, now: Now) {
        while self.send_rates.poll_timeout().is_some_and(|at| at <= now.instant) {
            let Some(Reverse((_, n))) = self.send_rates.due.pop() else { return };
            let Some(slow) = self.send_rates.slow.remove(&n) else { continue };
            self.send_waited(now, slow);
        }
    }

    /// Sends a message that has waited, unless its writer has logged out meanwhile.
    pub(super) fn send_waited(&mut self, now: Now, slow: DelayedMessage) {
        let found =
            if slow.to.as_str() == Account::LOBBY { NameLookup::Nobody } else { self.accounts.find(slow.to.as_str()) };
        match found.known() {
            Ok(needed) => needed.into_iter().for_each(|id| self.accounts.needed(id)),
            Err(sought) => return self.seek(now, sought, LookupWaiter::DelayedMessage(slow)),
        }
        let DelayedMessage { from, writer, to, body } = slow;
        let waits = self.jobs.waiting();
        if self.addresses.whose(from) == Some(writer) {
            self.send_now(now, from, writer, &to, body);
        } else {
            self.refuse(now, from, &Reply::NotLoggedIn);
        }
        // If no job was added, the request is answered and the lane goes on; else it goes on when the store answers.
        if self.jobs.waiting() == waits {
            self.free(from, now);
        }
    }
}
