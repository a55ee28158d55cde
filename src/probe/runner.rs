//! Plays the cases. A datagram that gets no answer is sent again; since the server may have had the
//! first one, whatever does not fit after that says nothing, and the whole case is played again with
//! new names. Only what fails without any loss, and fails again, is a failure.
//!
//! Its parts:
//!
//! - `attempt`: one attempt at a case, step by step.
//! - `looks`: what is the network's and what the server's.

mod attempt;
mod looks;

use std::io;
use std::time::Duration;

use super::case::{Actor, Case, Names};
use super::document::{CaseReport, Difference, Exchange, Failure, Unclear, Verdict};
use super::judge::Mail;
use super::line::{CONTROL, Line, desk};
use super::rule::Rule;
use super::transport::Transport;
use looks::{LOOKS, confirmations};

/// How often a judged request is sent at most.
const TRIES: u8 = 3;
/// How often a case is played at most.
const ATTEMPTS: usize = 16;
/// How many attempts must show a wrong reply before it is a failure.
const CONFIRMED: usize = 2;
/// How many attempts without a reply, or with more than one, are a failure, as that happens to datagrams. So is a wrong
/// reply, where the network has lost or doubled something before: not everything doubled can be seen.
const DOUBTED: usize = 3;
/// How long it is listened for what should not come.
const QUIET: Duration = Duration::from_millis(300);
/// Messages taken at most to begin with an empty mailbox, or to see what is in it.
const DRAIN: usize = 40;
/// How long a case may take before it is given up.
const CASE: Duration = Duration::from_secs(60);
/// Longer than clients wait for a reply before they send again.
const SLOW: Duration = Duration::from_secs(1);
/// A network doubles some of what it carries; what doubles more than this of all is the server.
const MOST_DOUBLED: f64 = 0.6;
/// Whether there is somebody to try.
pub(crate) enum Begun {
    /// Nobody answers.
    Silent,
    /// Somebody does.
    Ready,
    /// Each request has the reply of the one before, so nothing else can be judged.
    Previous(Box<CaseReport>),
}

/// Plays cases over a transport.
pub(crate) struct Runner<T> {
    line: Line<T>,
    names: Names,
    /// Something was lost or doubled in this run.
    bad: bool,
    /// Nothing is answered any more.
    gone: bool,
    /// The first request of a look at the replies had its own.
    own: bool,
    /// Which account has logged in from a stranger's socket.
    speaks_for: [Option<Vec<u8>>; CONTROL],
}

/// How one attempt ended.
enum Outcome {
    Passed,
    Breach(Failure),
    SetUp(Obstacle),
    /// Not all of several answers came.
    Lossy,
}

/// What kept a case from beginning.
struct Obstacle {
    sent: Vec<u8>,
    got: Option<Vec<u8>>,
}

#[derive(Default)]
struct Attempt {
    exchanges: Vec<Exchange>,
    habits: Vec<&'static str>,
    mail: Mail,
}

impl Attempt {
    /// Whether a login or an end in it may have moved somebody's session on purpose.
    fn moved(&self) -> bool {
        self.exchanges.iter().any(|exchange| matches!(exchange.sent.as_slice(), [b'0', b'2' | b'6', ..]))
    }
}

impl<T: Transport> Runner<T> {
    /// `mark` is what all names of this run share.
    pub fn new(transport: T, mark: &str, gap: Duration) -> Self {
        let names = Names { mark: mark.to_owned(), attempt: 0 };
        Self {
            line: Line::new(transport, gap),
            names,
            bad: false,
            gone: false,
            own: false,
            speaks_for: Default::default(),
        }
    }

    /// The transport's clock.
    pub fn now(&self) -> Duration {
        self.line.now()
    }

    /// How many datagrams were sent again for want of an answer.
    pub fn resent(&self) -> usize {
        self.line.resent
    }

    /// How long a reply takes, if that is longer than clients wait.
    pub fn slow(&self) -> Option<Duration> {
        self.line.round_trip().filter(|rtt| *rtt > SLOW)
    }

    /// The number of the reply that is always missing.
    pub fn nth_missing(&self) -> Option<usize> {
        self.line.counts.nth_missing()
    }

    /// Whether anybody answers at all; then the three persons are registered.
    pub fn begin(&mut self) -> io::Result<Begun> {
        for desk in 0..=CONTROL {
            self.line.reopen(desk)?;
        }
        let resent = self.line.resent;
        let alive = self.alive()?;
        // Lost, late, or not its own: a look at each answer by itself tells.
        if !alive || self.line.resent > resent {
            self.gone = false;
            self.line.reopen(CONTROL)?;
            self.line.calm_down(CONTROL)?;
            // One that is lost on the way makes a look worthless.
            for _ in 0..LOOKS {
                match self.previous()? {
                    Some(report) => return Ok(Begun::Previous(Box::new(report))),
                    None if self.own => break,
                    None => {}
                }
            }
            if !alive && !self.alive()? {
                return Ok(Begun::Silent);
            }
        }
        for who in [Actor::A, Actor::B, Actor::C] {
            let (account, password) = (self.names.account(who), self.names.password());
            self.line.plain(desk(who), format!("01#{account}#{password}#{password}#").as_bytes())?;
            // Once from here with the right password: wrong ones are then not held against this address.
            self.ready(who)?;
        }
        Ok(Begun::Ready)
    }

    /// Whether the server has stopped answering.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Logs everybody out; whether that was answered as it should be.
    pub fn end(&mut self) -> io::Result<bool> {
        if self.gone {
            return Ok(false);
        }
        let mut left = true;
        for who in [Actor::A, Actor::B, Actor::C] {
            let reply = self.line.plain(desk(who), b"06#")?;
            left &= matches!(reply.as_deref(), Some(b"06:01" | b"06:02" | b"07:01"));
        }
        Ok(left)
    }

    /// Plays a case as often as a verdict needs.
    pub fn case(&mut self, number: usize, case: &Case) -> io::Result<CaseReport> {
        let mut failures: Vec<(Failure, Attempt)> = Vec::new();
        let mut passed = 0;
        let mut unclear = Unclear::Network;
        let mut last = Attempt::default();
        let report = |verdict, attempt: Attempt, attempts| CaseReport {
            number,
            id: case.id,
            exchanges: attempt.exchanges,
            verdict,
            attempts,
            habits: attempt.habits,
        };
        let end = self.now() + CASE;
        for n in 1..=ATTEMPTS {
            if n > 1 && self.now() > end {
                return Ok(report(Verdict::Unclear(unclear), last, n - 1));
            }
            let (outcome, attempt) = self.attempt(case)?;
            match outcome {
                // What was missing or doubled before was so on the way.
                Outcome::Passed if failures.iter().all(|(failure, _)| failure.difference.on_the_way()) => {
                    return Ok(report(Verdict::Passed, attempt, n));
                }
                Outcome::Passed => {
                    passed += 1;
                    if passed == CONFIRMED {
                        let (finding, attempt) = failures.swap_remove(0);
                        return Ok(report(Verdict::Unclear(Unclear::NotAgain(finding)), attempt, n));
                    }
                    last = attempt;
                }
                Outcome::Breach(finding) => {
                    let silent = finding.difference == Difference::NoReply;
                    if silent && !self.alive()? {
                        return Ok(report(Verdict::Unclear(Unclear::NoAnswer), attempt, n));
                    } else if self.line.doubtful && !silent {
                        unclear = Unclear::Network;
                        last = attempt;
                    } else {
                        let before = failures
                            .iter()
                            .filter(|(f, _)| (f.rule, f.exchange) == (finding.rule, finding.exchange))
                            .count();
                        let needed = match finding.difference {
                            Difference::NoReply => confirmations(self.line.counts.loss().powi(i32::from(TRIES))),
                            // What doubles everything is the server.
                            Difference::More(_) if self.line.counts.doubling() < MOST_DOUBLED => {
                                confirmations(self.line.counts.doubling())
                            }
                            Difference::More(_) => DOUBTED,
                            // Doubled on the way, and the first copy's answer lost: nobody sees that.
                            _ if self.bad => self.unseen_doubles(),
                            _ => CONFIRMED,
                        };
                        if before + 1 >= needed {
                            if finding.rule == Some(Rule::InOrder) && self.reorders()? {
                                return Ok(report(Verdict::Unclear(Unclear::Network), attempt, n));
                            }
                            return Ok(report(Verdict::Failed(finding), attempt, n));
                        }
                        failures.push((finding, attempt));
                    }
                }
                Outcome::SetUp(Obstacle { got: None, .. }) if !self.alive()? => {
                    return Ok(report(Verdict::Unclear(Unclear::NoAnswer), attempt, n));
                }
                Outcome::SetUp(Obstacle { sent, got }) => {
                    let repeated = matches!(unclear, Unclear::SetUp { .. });
                    unclear = Unclear::SetUp { sent, got };
                    last = attempt;
                    if repeated {
                        return Ok(report(Verdict::Unclear(unclear), last, n));
                    }
                }
                Outcome::Lossy => {
                    unclear = Unclear::Network;
                    last = attempt;
                }
            }
        }
        Ok(report(Verdict::Unclear(unclear), last, ATTEMPTS))
    }

    fn account(&self, who: Actor) -> Vec<u8> {
        match self.speaks_for.get(desk(who)) {
            Some(Some(account)) => account.clone(),
            _ => self.names.account(who).into_bytes(),
        }
    }

    /// Logged in and without unread messages; else what went wrong.
    fn ready(&mut self, who: Actor) -> io::Result<Option<Obstacle>> {
        let (account, password) = (self.names.account(who), self.names.password());
        let login = format!("02#{account}#{password}#").into_bytes();
        let register = format!("01#{account}#{password}#{password}#").into_bytes();
        let desk = desk(who);
        let mut logins = 0;
        for _ in 0..DRAIN {
            let got = self.line.plain(desk, b"09#")?;
            match got.as_deref() {
                // A server that serves anybody must not keep the login from being made.
                Some(_) if !self.line.is_logged_in(desk) => {}
                Some(b"09:01") => return Ok(None),
                Some(reply) if reply.starts_with(b"09:") => continue,
                // Whatever is the matter with 09, its own cases say it.
                Some(b"07:01") | None => {}
                Some(_) if logins > 0 => return Ok(None),
                Some(_) => {}
            }
            if logins == 3 {
                return Ok(Some(Obstacle { sent: b"09#".to_vec(), got }));
            }
            if logins > 0 {
                // A session of the same account somewhere else: ended, as a client takes over.
                self.line.plain(desk, b"06#")?;
            }
            logins += 1;
            let mut reply = self.line.plain(desk, &login)?;
            if reply.as_deref() == Some(b"02:03") {
                self.line.plain(desk, &register)?;
                reply = self.line.plain(desk, &login)?;
            }
            if !matches!(reply.as_deref(), Some(b"02:01" | b"02:04")) {
                return Ok(Some(Obstacle { sent: login, got: reply }));
            }
        }
        Ok(None)
    }

    /// Whether the server answers anything now; if not, it has gone.
    fn alive(&mut self) -> io::Result<bool> {
        let nobody = format!("02#{}#x#", String::from_utf8_lossy(&self.names.expand("{nobody}")));
        for request in [nobody.as_bytes(), b"08#"] {
            let doubtful = self.line.doubtful;
            let got = self.line.plain(CONTROL, request)?;
            self.line.doubtful = doubtful;
            if got.is_some() {
                return Ok(true);
            }
        }
        self.gone = true;
        Ok(false)
    }
}
