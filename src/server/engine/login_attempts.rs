//! The brake on guessing: wrong passwords, and the logins that wait because of them.
//!
//! Each wrong password of an account from a network after the fifth is answered later, and until that answer
//! is due no other password for the two is looked at, whatever port it comes from. If one were, silence would
//! say "wrong" at once, and the delay would hold up only the honest. Who waits here waits apart from the lane:
//! the address's other requests go on. A newer login of the same address takes the place of the one that
//! waits, since the client has given that up and would take its answer for the new one's.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::jobs::PendingJob;
use super::lanes::LANE;
use super::requests::{NextStep, PendingRequest};
use super::secure::sha256;
use super::sessions::Person;
use super::{Engine, Now};
use crate::base::model::{Account, Password};
use crate::protocol::wire::Reply;
use crate::protocol::wire::reply::{LoggedIn, PasswordChange};
use crate::server::hasher::{Hashed, Job};
use crate::server::limits::{FREE_FAILURES, network, penalty};
use crate::server::store::AccountId;

/// A login that waited longer is not looked at any more: its client has gone, or asks again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Changes of passwords whose answer may have been lost, that are remembered at most.
const CHANGED: usize = 1_024;
/// Most accounts and networks, and most waiting addresses, that are remembered.
const MOST: usize = 65_536;

/// Whose password, tried from which network.
type FailureKey = (AccountId, IpAddr);

#[derive(Debug, Default)]
struct Failures {
    /// Wrong passwords since the last right one.
    count: u32,
    /// Never held up, so that others cannot lock anybody out.
    last_good: Option<IpAddr>,
    /// Passwords being looked at that count.
    checking: u32,
    /// Until when the last answer is held back, and whose it is.
    held: Option<(Instant, SocketAddr)>,
    /// Whose password is looked at next; each stands in [`LoginAttempts::apart`].
    line: VecDeque<SocketAddr>,
}

impl Failures {
    /// Whether a password may be looked at: no answer held back, and none under way that could be.
    fn open(&self) -> bool {
        self.held.is_none() && (self.checking == 0 || self.count + self.checking < FREE_FAILURES)
    }

    fn idle(&self) -> bool {
        self.held.is_none() && self.checking == 0 && self.line.is_empty()
    }
}

/// A login to be looked at.
#[derive(Debug)]
pub(super) struct LoginAttempt {
    pub(super) request: Vec<u8>,
    pub(super) account: AccountId,
    password: Password,
    /// What the password is to be from then on, where it is changed rather than used to log in.
    change: Option<Password>,
    since: Instant,
}

/// A login that keeps no lane busy.
#[derive(Debug)]
enum HeldLogin {
    /// Its answer is held back.
    Refused { request: Vec<u8>, door: FailureKey },
    /// Its password has not been looked at yet.
    Waits(LoginAttempt),
}

/// Everything that wrong passwords leave behind.
#[derive(Debug, Default)]
pub(super) struct LoginAttempts {
    failures: HashMap<FailureKey, Failures>,
    apart: HashMap<SocketAddr, HeldLogin>,
    /// When which answer held back is due; exactly one entry for each [`Failures::held`].
    late: BinaryHeap<Reverse<(Instant, FailureKey)>>,
    /// Who has changed a password just now, by which request, and how long that is remembered.
    changed: VecDeque<(AccountId, SocketAddr, [u8; 32], Instant)>,
}

impl LoginAttempts {
    /// Whether this request has changed a password just now: its answer was lost.
    fn has_changed(&mut self, now: Instant, from: SocketAddr, asked: [u8; 32]) -> bool {
        self.changed.retain(|(.., until)| *until > now);
        self.changed.iter().any(|(_, of, what, _)| *of == from && *what == asked)
    }

    /// A request has changed a password. Of an account's changes the last one alone is remembered: one of before, asked for
    /// again, is another change by now.
    fn note_change(&mut self, now: Instant, account: AccountId, from: SocketAddr, asked: [u8; 32]) {
        self.forget_changes(account);
        if self.changed.len() < CHANGED {
            self.changed.push_back((account, from, asked, now + PATIENCE));
        }
    }

    /// What an account's owner has changed is not claimed any more.
    pub(super) fn forget_changes(&mut self, account: AccountId) {
        self.changed.retain(|(of, ..)| *of != account);
    }

    /// Whose passwords wait to be looked at.
    pub(super) fn needs(&self, needed: &mut HashSet<AccountId>) {
        needed.extend(self.apart.values().filter_map(|apart| match apart {
            HeldLogin::Waits(tried) => Some(tried.account),
            HeldLogin::Refused { .. } => None,
        }));
    }

    fn failures(&mut self, door: FailureKey) -> &mut Failures {
        if self.failures.len() >= MOST && !self.failures.contains_key(&door) {
            self.failures.retain(|_, f| !f.idle() || f.count > FREE_FAILURES);
            if self.failures.len() >= MOST {
                self.failures.retain(|_, f| !f.idle());
            }
        }
        self.failures.entry(door).or_default()
    }
}

impl Engine {
    pub(super) fn login(&mut self, now: Now, from: SocketAddr, account: &Account, password: Password, request: &[u8]) {
        let Some(id) = self.accounts.named(account.as_str()) else {
            self.reply(from, &Reply::Login(LoggedIn::NoSuchAccount));
            return;
        };
        // A login in place of a next take means that the answer was lost: offered again.
        let session = self.accounts.people.get_mut(&id).and_then(|person| person.session.as_mut());
        let offered = session.filter(|s| s.address == from).and_then(|session| session.offered.take());
        self.handed(offered);
        self.attempt(
            from,
            LoginAttempt { request: request.to_vec(), account: id, password, change: None, since: now.instant },
        );
    }

    /// 01 with four fields: a new password for an account, from whatever address. The old one is looked at as that of a
    /// login is, and a wrong one counts as one there.
    pub(super) fn change_password(
        &mut self,
        now: Now,
        from: SocketAddr,
        account: &Account,
        (old, new, confirm): (Password, Password, Password),
        request: &[u8],
    ) {
        let asked = sha256(&[request]);
        if self.login_attempts.has_changed(now.instant, from, asked) {
            // The answer was lost, and the old password is not the old one any more.
            return self.reply(from, &PasswordChange::Done.into());
        }
        if new != confirm {
            return self.reply(from, &PasswordChange::PasswordsDiffer.into());
        }
        let Some(id) = self.accounts.named(account.as_str()) else {
            return self.reply(from, &PasswordChange::NoSuchAccount.into());
        };
        let (request, change, since) = (request.to_vec(), Some(new), now.instant);
        self.attempt(from, LoginAttempt { request, account: id, password: old, change, since });
    }

    fn attempt(&mut self, from: SocketAddr, tried: LoginAttempt) {
        let id = tried.account;
        let waiting = self.login_attempts.apart.len();
        let failures = self.login_attempts.failures((id, network(from)));
        if failures.last_good == Some(from.ip()) {
            self.check(from, tried, false);
        } else if failures.open() {
            failures.checking += 1;
            self.check(from, tried, true);
        } else if failures.line.len() < LANE && waiting < MOST {
            failures.line.push_back(from);
            self.login_attempts.apart.insert(from, HeldLogin::Waits(tried));
        }
    }

    /// Whether this request waits already, for its turn or for its answer.
    pub(super) fn is_apart(&self, from: SocketAddr, request: &[u8]) -> bool {
        self.login_attempts.apart.get(&from).is_some_and(|apart| match apart {
            HeldLogin::Refused { request: waits, .. } | HeldLogin::Waits(LoginAttempt { request: waits, .. }) => {
                waits == request
            }
        })
    }

    /// Has a password looked at; `counted` unless the address is exempt.
    pub(super) fn check(&mut self, from: SocketAddr, tried: LoginAttempt, counted: bool) {
        let LoginAttempt { request, account, password, change, .. } = tried;
        let Some((against, nth)) = self.accounts.people.get(&account).map(|person| (person.hashed.clone(), person.nth))
        else {
            // It was deleted while this waited.
            return self.reply(from, &nobody(change.is_some()));
        };
        let waiting = PendingRequest::Check { account, nth, counted, change };
        self.ask_hasher(PendingJob::Request(from, waiting), |job| Job::Check { job, password, against });
        self.lanes.hashing(from, &request);
    }

    /// A password was looked at, and the account has another one by now, or is gone: what was right is not. The client
    /// asks again.
    pub(super) fn checked_in_vain(
        &mut self,
        now: Now,
        from: SocketAddr,
        (account, changes): (AccountId, bool),
        counted: bool,
    ) {
        if !self.accounts.people.contains_key(&account) {
            self.reply(from, &nobody(changes));
        }
        self.not_checked(now, from, account, counted);
    }

    /// A password was looked at. Answers a wrong one, now or later, and goes on. Where the plain dialect is closed
    /// to the account every password counts as wrong, so that nobody learns there which one is right.
    pub(super) fn checked(
        &mut self,
        now: Now,
        from: SocketAddr,
        (account, change): (AccountId, Option<Password>),
        right: bool,
        counted: bool,
    ) {
        let right = right && self.accounts.people.get(&account).is_some_and(|person| !person.settings.secure_only);
        let door = (account, network(from));
        let failures = self.login_attempts.failures(door);
        if counted {
            failures.checking = failures.checking.saturating_sub(1);
        }
        if right {
            (failures.count, failures.last_good) = (0, Some(from.ip()));
            self.next_try(now, door);
            return match change {
                None => self.admit(now, from, account),
                Some(password) => {
                    let request = self.lanes.take_hashed(from);
                    let nth = self.nth_password(account).unwrap_or_default();
                    let waiting = PendingRequest::Rehash { account, nth, asked: sha256(&[&request]) };
                    self.ask_hasher(PendingJob::Request(from, waiting), |job| Job::New { job, password });
                    self.lanes.hashing(from, &request);
                }
            };
        }
        if counted {
            failures.count = failures.count.saturating_add(1);
        }
        let later = if counted { penalty(failures.count) } else { Duration::ZERO };
        if later.is_zero() {
            let reply = wrong(change.is_some());
            self.reply(from, &reply);
        } else {
            let at = now.instant + later;
            failures.held = Some((at, from));
            self.login_attempts.late.push(Reverse((at, door)));
            let request = self.lanes.take_hashed(from);
            self.login_attempts.apart.insert(from, HeldLogin::Refused { request, door });
        }
        self.next_try(now, door);
        self.free(from, now);
    }

    /// A new password is on disk.
    pub(super) fn password_changed(
        &mut self,
        now: Now,
        from: SocketAddr,
        (account, nth): (AccountId, u64),
        hashed: Hashed,
        asked: [u8; 32],
    ) -> NextStep {
        // An operator's comes after it, or has deleted the account. Nothing is claimed; the client asks again.
        let Some(person) = self.accounts.people.get_mut(&account).filter(|person| person.nth == nth) else {
            self.overtaken(account, hashed);
            return NextStep::Nothing;
        };
        person.renew(hashed);
        // Whoever is in by the old one may be why it was changed.
        let elsewhere = |person: &Person| person.session.as_ref().is_some_and(|session| session.address != from);
        if self.accounts.people.get(&account).is_some_and(elsewhere) {
            self.end_session(account);
        }
        self.addresses.disarm(account);
        self.kick_all(now, account, from);
        self.devices.somebody_moved(now);
        self.login_attempts.note_change(now.instant, account, from, asked);
        NextStep::Reply(PasswordChange::Done.into())
    }

    /// A password will not be looked at after all: the hasher has too much to do.
    pub(super) fn not_checked(&mut self, now: Now, from: SocketAddr, account: AccountId, counted: bool) {
        let door = (account, network(from));
        if counted {
            let failures = self.login_attempts.failures(door);
            failures.checking = failures.checking.saturating_sub(1);
            self.next_try(now, door);
        }
        self.free(from, now);
    }

    /// Whether a device at this address may try a password now; whether the try counts.
    pub(super) fn device_may_try(&mut self, account: AccountId, from: SocketAddr) -> Option<bool> {
        let failures = self.login_attempts.failures((account, network(from)));
        if failures.last_good == Some(from.ip()) {
            return Some(false);
        }
        let open = failures.open();
        failures.checking += u32::from(open);
        open.then_some(true)
    }

    /// What became of a device's try; `None` if nobody looked. A wrong one is answered at once, and holds the
    /// door closed for as long as a plain client's answer would be held back.
    pub(super) fn device_tried(
        &mut self,
        now: Now,
        account: AccountId,
        from: SocketAddr,
        counted: bool,
        right: Option<bool>,
    ) {
        let door = (account, network(from));
        let failures = self.login_attempts.failures(door);
        if counted {
            failures.checking = failures.checking.saturating_sub(1);
        }
        match right {
            Some(true) => (failures.count, failures.last_good) = (0, Some(from.ip())),
            Some(false) if counted => {
                failures.count = failures.count.saturating_add(1);
                let later = penalty(failures.count);
                if !later.is_zero() {
                    failures.held = Some((now.instant + later, from));
                    self.login_attempts.late.push(Reverse((now.instant + later, door)));
                }
            }
            Some(false) | None => {}
        }
        self.next_try(now, door);
    }

    /// The address goes on without the answer to its login.
    pub(super) fn give_up_try(&mut self, from: SocketAddr) {
        if let Some(HeldLogin::Waits(tried)) = self.login_attempts.apart.remove(&from)
            && let Some(failures) = self.login_attempts.failures.get_mut(&(tried.account, network(from)))
        {
            failures.line.retain(|address| *address != from);
        }
    }

    /// Lets in as many of the line as may be looked at. Each takes its address's lane again from here on.
    fn next_try(&mut self, now: Now, door: FailureKey) {
        while let Some(failures) = self.login_attempts.failures.get_mut(&door).filter(|failures| failures.open())
            && let Some(from) = failures.line.pop_front()
        {
            let Some(HeldLogin::Waits(tried)) = self.login_attempts.apart.remove(&from) else { continue };
            if now.instant.saturating_duration_since(tried.since) > PATIENCE {
                continue;
            }
            failures.checking += 1;
            if let Some(tried) = self.lanes.pass_try(from, tried) {
                self.check(from, tried, true);
            }
        }
    }

    /// When [`Engine::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let late = self.login_attempts.late.peek().map(|Reverse((at, _))| *at);
        late.into_iter()
            .chain(self.devices.poll_timeout())
            .chain(self.send_rates.poll_timeout())
            .chain(self.throttle.poll_timeout())
            .min()
    }

    /// Answers that were held back for wrong passwords, messages that had to wait, and news of who is here.
    pub fn handle_timeout(&mut self, now: Now) {
        self.presence(now);
        self.send_slow(now);
        self.look_at_waiting(now);
        while self.login_attempts.late.peek().is_some_and(|Reverse((at, _))| *at <= now.instant) {
            let Some(Reverse((_, door))) = self.login_attempts.late.pop() else { return };
            let held = self.login_attempts.failures.get_mut(&door).and_then(|failures| failures.held.take());
            // Not if the address has gone on to another login, or offline.
            if let Some((_, to)) = held
                && matches!(self.login_attempts.apart.get(&to), Some(HeldLogin::Refused { door: of, .. }) if *of == door)
            {
                let apart = self.login_attempts.apart.remove(&to);
                let changes = matches!(apart, Some(HeldLogin::Refused { request, .. }) if request.starts_with(b"01#"));
                self.reply(to, &wrong(changes));
            }
            self.next_try(now, door);
        }
    }
}

/// The answer where there is no account, to whoever wanted to change its password, or to log in.
fn nobody(changes: bool) -> Reply {
    if changes { PasswordChange::NoSuchAccount.into() } else { Reply::Login(LoggedIn::NoSuchAccount) }
}

/// The answer to a wrong password, to whoever wanted to change it, or to log in.
fn wrong(changes: bool) -> Reply {
    if changes { PasswordChange::WrongPassword.into() } else { Reply::Login(LoggedIn::WrongPassword) }
}
