//! Plays the cases. A datagram that gets no answer is sent again; since the server may have received the first one,
//! replies that do not fit after that prove nothing, and the whole case is played again with new names. Only what fails
//! without any loss, and fails again, is a failure.
//!
//! Its parts:
//!
//! - `attempt`: one attempt at a case, step by step.
//! - `looks`: tells faults of the network from those of the server.

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

/// The most times that a judged request is sent.
const TRIES: u8 = 3;
/// The most times that a case is played.
const ATTEMPTS: usize = 16;
/// How many attempts must show a wrong reply before the case fails.
const CONFIRMED: usize = 2;
/// How many attempts without a reply, or with too many, make a case fail, since datagrams get lost and doubled. The
/// same number is needed for a wrong reply if the network has lost or doubled something before, as not every double can
/// be seen.
const DOUBTED: usize = 3;
/// How long the probe listens for something that must not come.
const QUIET: Duration = Duration::from_millis(300);
/// The most messages that are taken to empty a mailbox, or to see what is in it.
const DRAIN: usize = 40;
/// How long a case may take before it is given up.
const CASE: Duration = Duration::from_secs(60);
/// Longer than clients wait for a reply before they repeat the request.
const SLOW: Duration = Duration::from_secs(1);
/// A network doubles some datagrams; if more than this share is doubled, the server does it.
const MOST_DOUBLED: f64 = 0.6;
/// Whether the server can be tested.
pub(crate) enum Begun {
    /// The server does not answer.
    Silent,
    /// The server answers.
    Ready,
    /// Each request gets the reply to the one before, so nothing else can be judged.
    Previous(Box<CaseReport>),
}

/// Plays cases over a transport.
pub(crate) struct Runner<T> {
    line: Line<T>,
    names: Names,
    /// Whether anything was lost or doubled in this run.
    bad: bool,
    /// Whether the server has stopped answering.
    gone: bool,
    /// Whether the first request of a look at the replies got its own reply.
    own: bool,
    /// The account that has logged in on each socket without an account of its own.
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

/// What kept a case from beginning: this request of its preparation and its reply.
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
    /// Returns whether a login or a `06#` in it may have moved somebody's session on purpose.
    fn moved(&self) -> bool {
        self.exchanges.iter().any(|exchange| matches!(exchange.sent.as_slice(), [b'0', b'2' | b'6', ..]))
    }
}

impl<T: Transport> Runner<T> {
    /// `mark` is the text that all names of this run contain.
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

    /// Returns the transport's time.
    pub fn now(&self) -> Duration {
        self.line.now()
    }

    /// Returns how many datagrams were repeated because no answer came.
    pub fn resent(&self) -> usize {
        self.line.resent
    }

    /// Returns how long a reply takes, if that is longer than clients wait.
    pub fn slow(&self) -> Option<Duration> {
        self.line.round_trip().filter(|rtt| *rtt > SLOW)
    }

    /// Returns n if every n-th reply is missing.
    pub fn nth_missing(&self) -> Option<usize> {
        self.line.counts.nth_missing()
    }

    /// Finds out whether the server answers at all, and registers the three people.
    pub fn begin(&mut self) -> io::Result<Begun> {
        for desk in 0..=CONTROL {
            self.line.reopen(desk)?;
        }
        let resent = self.line.resent;
        let alive = self.alive()?;
        // An answer was lost, late, or belonged to another request: looking at each by itself tells.
        if !alive || self.line.resent > resent {
            self.gone = false;
            self.line.reopen(CONTROL)?;
            self.line.calm_down(CONTROL)?;
            // A single lost datagram makes such a look worthless.
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
            // Each logs in once from here with the right password, so that wrong ones are not held against this address
            // later.
            self.ready(who)?;
        }
        Ok(Begun::Ready)
    }

    /// Whether the server has stopped answering.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Logs all accounts out; returns whether that was answered correctly.
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
                // What was missing or doubled before was so because of the network.
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
                            // If everything is doubled, the server does it.
                            Difference::More(_) if self.line.counts.doubling() < MOST_DOUBLED => {
                                confirmations(self.line.counts.doubling())
                            }
                            Difference::More(_) => DOUBTED,
                            // A request was doubled and the answer to the first copy lost, which nobody can see.
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

    /// Logs an account in and empties its mailbox; returns what went wrong, if anything.
    fn ready(&mut self, who: Actor) -> io::Result<Option<Obstacle>> {
        let (account, password) = (self.names.account(who), self.names.password());
        let login = format!("02#{account}#{password}#").into_bytes();
        let register = format!("01#{account}#{password}#{password}#").into_bytes();
        let desk = desk(who);
        let mut logins = 0;
        for _ in 0..DRAIN {
            let got = self.line.plain(desk, b"09#")?;
            match got.as_deref() {
                // A server that serves anybody must not keep the account from being logged in.
                Some(_) if !self.line.is_logged_in(desk) => {}
                Some(b"09:01") => return Ok(None),
                Some(reply) if reply.starts_with(b"09:") => continue,
                // If 09 does not work, its own cases report that.
                Some(b"07:01") | None => {}
                Some(_) if logins > 0 => return Ok(None),
                Some(_) => {}
            }
            if logins == 3 {
                return Ok(Some(Obstacle { sent: b"09#".to_vec(), got }));
            }
            if logins > 0 {
                // A session of the same account elsewhere is ended, as a client takes over.
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

    /// Returns whether the server still answers anything.
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
