//! The limit on guessing passwords: wrong passwords, and the logins that wait because of them.
//!
//! Each wrong password for an account from one network after the fifth is answered later. Until that answer is due, no
//! other password for the same account from the same network is checked, from whatever port it comes: otherwise a
//! missing answer would say "wrong" at once, and the delay would only hurt honest users. A login that waits here does
//! so outside the lane, so the address's other requests go on. A newer login of the same address replaces the one that
//! waits, since the client has given that up and would take its answer for that of the newer one.

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

/// How long a login may wait for its check; after that its client has gone or has sent it again.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most changes of passwords that are remembered in case their answers are lost.
const CHANGED: usize = 1_024;
/// The most pairs of account and network, and the most waiting addresses, that are remembered.
const MOST: usize = 65_536;

/// An account, and the network from which its password was tried.
type FailureKey = (AccountId, IpAddr);

#[derive(Debug, Default)]
struct Failures {
    /// How many wrong passwords came since the last right one.
    count: u32,
    /// The address of the last right password, which is never delayed, so that others cannot lock the owner out.
    last_good: Option<IpAddr>,
    /// How many of the passwords being checked will count if they are wrong.
    checking: u32,
    /// When the answer that is being delayed is due, and the address it goes to.
    held: Option<(Instant, SocketAddr)>,
    /// The addresses whose passwords are checked next; each has an entry in [`LoginAttempts::apart`].
    line: VecDeque<SocketAddr>,
}

impl Failures {
    /// Returns whether a password may be checked: no answer is delayed, and none of those being checked could be.
    fn open(&self) -> bool {
        self.held.is_none() && (self.checking == 0 || self.count + self.checking < FREE_FAILURES)
    }

    fn idle(&self) -> bool {
        self.held.is_none() && self.checking == 0 && self.line.is_empty()
    }
}

/// A login or a change of password whose password is to be checked.
#[derive(Debug)]
pub(super) struct LoginAttempt {
    pub(super) request: Vec<u8>,
    pub(super) account: AccountId,
    password: Password,
    /// The new password, if this is a change of password.
    change: Option<Password>,
    since: Instant,
}

/// A login that does not hold its address's lane.
#[derive(Debug)]
enum HeldLogin {
    /// The password was wrong and the answer is being delayed.
    Refused { request: Vec<u8>, door: FailureKey },
    /// The password has not been checked yet.
    Waits(LoginAttempt),
}

/// All that is remembered about logins.
#[derive(Debug, Default)]
pub(super) struct LoginAttempts {
    failures: HashMap<FailureKey, Failures>,
    apart: HashMap<SocketAddr, HeldLogin>,
    /// When each delayed answer is due, earliest first; exactly one entry for each [`Failures::held`].
    late: BinaryHeap<Reverse<(Instant, FailureKey)>>,
    /// The latest changes of passwords: account, address, SHA-256 of the request, and until when it is remembered.
    changed: VecDeque<(AccountId, SocketAddr, [u8; 32], Instant)>,
}

impl LoginAttempts {
    /// Returns whether this same request has just changed a password, in which case its answer was lost.
    fn has_changed(&mut self, now: Instant, from: SocketAddr, asked: [u8; 32]) -> bool {
        self.changed.retain(|(.., until)| *until > now);
        self.changed.iter().any(|(_, of, what, _)| *of == from && *what == asked)
    }

    /// Remembers that a request has changed a password. Only the last change of an account is remembered: an earlier
    /// request that comes again asks for another change.
    fn note_change(&mut self, now: Instant, account: AccountId, from: SocketAddr, asked: [u8; 32]) {
        self.forget_changes(account);
        if self.changed.len() < CHANGED {
            self.changed.push_back((account, from, asked, now + PATIENCE));
        }
    }

    /// Forgets the owner's changes of an account's password, so that none is confirmed again.
    pub(super) fn forget_changes(&mut self, account: AccountId) {
        self.changed.retain(|(of, ..)| *of != account);
    }

    /// Adds the accounts whose passwords wait to be checked.
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
        // A login where the next take was expected means that the last answer was lost: its message will be offered
        // again.
        let session = self.accounts.people.get_mut(&id).and_then(|person| person.session.as_mut());
        let offered = session.filter(|s| s.address == from).and_then(|session| session.offered.take());
        self.handed(offered);
        self.attempt(
            from,
            LoginAttempt { request: request.to_vec(), account: id, password, change: None, since: now.instant },
        );
    }

    /// Handles 01 with four fields, which sets a new password for an account, from any address. The old password is
    /// checked as in a login, and a wrong one counts the same.
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
            // The answer was lost, and the old password given is no longer the account's.
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

    /// Returns whether this request already waits for its check or its delayed answer.
    pub(super) fn is_apart(&self, from: SocketAddr, request: &[u8]) -> bool {
        self.login_attempts.apart.get(&from).is_some_and(|apart| match apart {
            HeldLogin::Refused { request: waits, .. } | HeldLogin::Waits(LoginAttempt { request: waits, .. }) => {
                waits == request
            }
        })
    }

    /// Has a password checked; `counted` unless the address is exempt from the limit.
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

    /// Handles a check against a password that the account no longer has. The client sends its request again.
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

    /// Handles the result of a check: logs in, changes the password, or answers a wrong one now or later. If the
    /// account allows only the secure dialect every password counts as wrong, so that nobody can find out here which
    /// one is right.
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

    /// Handles a changed password that is on disk: ends the account's other sessions and answers.
    pub(super) fn password_changed(
        &mut self,
        now: Now,
        from: SocketAddr,
        (account, nth): (AccountId, u64),
        hashed: Hashed,
        asked: [u8; 32],
    ) -> NextStep {
        // An operator has set another password meanwhile or deleted the account. Nothing is confirmed; the client sends
        // its request again.
        let Some(person) = self.accounts.people.get_mut(&account).filter(|person| person.nth == nth) else {
            self.overtaken(account, hashed);
            return NextStep::Nothing;
        };
        person.renew(hashed);
        // Sessions that used the old password may be why it was changed.
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

    /// Handles a password that could not be checked, because the hasher has too much to do.
    pub(super) fn not_checked(&mut self, now: Now, from: SocketAddr, account: AccountId, counted: bool) {
        let door = (account, network(from));
        if counted {
            let failures = self.login_attempts.failures(door);
            failures.checking = failures.checking.saturating_sub(1);
            self.next_try(now, door);
        }
        self.free(from, now);
    }

    /// Returns whether a wrong password would count for a device at this address; `None` if it may not try now.
    pub(super) fn device_may_try(&mut self, account: AccountId, from: SocketAddr) -> Option<bool> {
        let failures = self.login_attempts.failures((account, network(from)));
        if failures.last_good == Some(from.ip()) {
            return Some(false);
        }
        let open = failures.open();
        failures.checking += u32::from(open);
        open.then_some(true)
    }

    /// Notes the result of a device's login; `None` if the password was not checked. A wrong password is answered at
    /// once, and then no other is checked for as long as a plain client's answer would be delayed.
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

    /// Drops the login that waits for this address, because the client has sent another request instead.
    pub(super) fn give_up_try(&mut self, from: SocketAddr) {
        if let Some(HeldLogin::Waits(tried)) = self.login_attempts.apart.remove(&from)
            && let Some(failures) = self.login_attempts.failures.get_mut(&(tried.account, network(from)))
        {
            failures.line.retain(|address| *address != from);
        }
    }

    /// Has the passwords checked that may be checked now. Each login holds its address's lane again from here on.
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

    /// Returns when [`Engine::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let late = self.login_attempts.late.peek().map(|Reverse((at, _))| *at);
        late.into_iter()
            .chain(self.devices.poll_timeout())
            .chain(self.send_rates.poll_timeout())
            .chain(self.throttle.poll_timeout())
            .min()
    }

    /// Does what is due: delayed answers to wrong passwords, messages that had to wait, requests that came too early,
    /// and news of who is online and of changed items.
    pub fn handle_timeout(&mut self, now: Now) {
        self.presence(now);
        self.tell_news(now);
        self.send_slow(now);
        self.look_at_waiting(now);
        while self.login_attempts.late.peek().is_some_and(|Reverse((at, _))| *at <= now.instant) {
            let Some(Reverse((_, door))) = self.login_attempts.late.pop() else { return };
            let held = self.login_attempts.failures.get_mut(&door).and_then(|failures| failures.held.take());
            // Not if the address has sent another login or has gone offline since.
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

/// Returns the answer if there is no such account, to a change of password or a login.
fn nobody(changes: bool) -> Reply {
    if changes { PasswordChange::NoSuchAccount.into() } else { Reply::Login(LoggedIn::NoSuchAccount) }
}

/// Returns the answer to a wrong password, to a change of password or a login.
fn wrong(changes: bool) -> Reply {
    if changes { PasswordChange::WrongPassword.into() } else { Reply::Login(LoggedIn::WrongPassword) }
}
