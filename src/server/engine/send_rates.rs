//! How fast an account may send. A device is refused and told when to go on; a plain client, which sends one message
//! and waits for its answer, gets that answer later, so nothing is refused that it would have to be told of.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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

/// Accounts that are told apart: only who has sent in the last seconds has a bucket that is not full.
const MOST: usize = 65_536;
/// A device that was refused is told to wait until it can send as many at once, which is less work for both.
const AT_ONCE: f64 = 16.0;
/// The least and the most it is told.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A plain client's message that waits.
#[derive(Debug)]
pub(super) struct DelayedMessage {
    pub(super) from: SocketAddr,
    writer: AccountId,
    to: Account,
    body: Body,
}

/// Items that an account may set a second, in the long run and at once: a list of friends that was on one computer only
/// comes as a whole.
const SETS: Rate = Rate { per_second: 10.0, burst: 3_000.0 };
/// Requests to be friends that an account may make.
const REQUESTS: Rate = Rate { per_second: 0.2, burst: 30.0 };

/// Changes of who somebody is to others, which all their friends are told.
const PROFILES: Rate = Rate { per_second: 0.1, burst: 10.0 };

/// Questions who others are.
const QUESTIONS: Rate = Rate { per_second: 5.0, burst: 30.0 };

/// What everybody has sent lately.
#[derive(Debug)]
pub(super) struct SendRates {
    sets: Buckets<AccountId>,
    requests: Buckets<AccountId>,
    profiles: Buckets<AccountId>,
    cards: Buckets<AccountId>,
    private: Option<Buckets<AccountId>>,
    lobby: Option<Buckets<AccountId>>,
    /// When which of `slow` is due.
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
            cards: Buckets::new(QUESTIONS, MOST),
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

    /// Whether a device may send now; else how long it is to wait, in milliseconds.
    pub(super) fn device(&mut self, now: Now, writer: AccountId, to: &str) -> Result<(), u64> {
        let Some(buckets) = self.of(to) else { return Ok(()) };
        take(buckets, now, writer, AT_ONCE)
    }

    /// Whether an account may set an item now, or answer or end a friendship.
    pub(super) fn set(&mut self, now: Now, account: AccountId) -> bool {
        self.sets.take(account, now.instant)
    }

    /// Whether an account may ask somebody to be a friend now.
    pub(super) fn request(&mut self, now: Now, account: AccountId) -> bool {
        self.requests.take(account, now.instant)
    }

    /// Whether an account may change who it is to others now; else how long it is to wait, in milliseconds.
    pub(super) fn profile(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.profiles, now, account, 1.0)
    }

    /// Whether an account may ask who others are now; else how long it is to wait, in milliseconds.
    pub(super) fn cards(&mut self, now: Now, account: AccountId) -> Result<(), u64> {
        take(&mut self.cards, now, account, 1.0)
    }

    /// To whom messages wait to be sent.
    pub(super) fn waiting_for(&self) -> impl Iterator<Item = &str> {
        self.slow.values().map(|slow| slow.to.as_str())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }
}

/// Takes one token; else how many milliseconds it is until there are `enough`.
fn take(buckets: &mut Buckets<AccountId>, now: Now, account: AccountId, enough: f64) -> Result<(), u64> {
    if buckets.take(account, now.instant) {
        return Ok(());
    }
    let wait = buckets.until(&account, enough, now.instant).clamp(WAIT.0, WAIT.1);
    Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

impl Engine {
    /// 03, at once or when its writer may send again. Until then the address's later requests wait too.
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

    /// What may be sent by now.
    pub(super) fn send_slow(&mut self, now: Now) {
        while self.send_rates.poll_timeout().is_some_and(|at| at <= now.instant) {
            let Some(Reverse((_, n))) = self.send_rates.due.pop() else { return };
            let Some(slow) = self.send_rates.slow.remove(&n) else { continue };
            self.send_waited(now, slow);
        }
    }

    /// A message whose time has come.
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
        // Answered already, or by the store.
        if self.jobs.waiting() == waits {
            self.free(from, now);
        }
    }
}
