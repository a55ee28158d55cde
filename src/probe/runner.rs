//! Plays the cases. A datagram that gets no answer is sent again; since the server may have had the
//! first one, whatever does not fit after that says nothing, and the whole case is played again with
//! new names. Only what fails without any loss, and fails again, is a failure.
//!
//! Its part:
//!
//! - `looks`: what is the network's and what the server's.

mod looks;

use std::io;
use std::time::Duration;

use super::case::{Ask, Case, Names, Need, Step, Who};
use super::document::{CaseReport, Difference, Exchange, Finding, Unclear, Verdict};
use super::judge::{Letter, Mail, Pattern, delivery, judge};
use super::line::{CONTROL, Line, SETTLE, desk};
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
    Breach(Finding),
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
        for who in [Who::A, Who::B, Who::C] {
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
        for who in [Who::A, Who::B, Who::C] {
            let reply = self.line.plain(desk(who), b"06#")?;
            left &= matches!(reply.as_deref(), Some(b"06:01" | b"06:02" | b"07:01"));
        }
        Ok(left)
    }

    /// Plays a case as often as a verdict needs.
    pub fn case(&mut self, number: usize, case: &Case) -> io::Result<CaseReport> {
        let mut failures: Vec<(Finding, Attempt)> = Vec::new();
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

    fn attempt(&mut self, case: &Case) -> io::Result<(Outcome, Attempt)> {
        self.names.attempt += 1;
        let mut attempt = Attempt::default();
        for who in [Who::S, Who::T] {
            self.line.reopen(desk(who))?;
        }
        for need in &case.needs {
            let who = match need {
                Need::Online(who) | Need::Offline(who) => *who,
            };
            let failed = match self.ready(who)? {
                Some(failed) => Some(failed),
                None if *need == Need::Offline(who) => {
                    let got = self.line.plain(desk(who), b"06#")?;
                    let done = matches!(got.as_deref(), Some(b"06:01" | b"06:02" | b"07:01"));
                    (!done).then(|| Obstacle { sent: b"06#".to_vec(), got })
                }
                None => None,
            };
            if let Some(obstacle) = failed {
                return Ok((Outcome::SetUp(obstacle), attempt));
            }
        }
        self.line.settle()?;
        let outcome = self.play(case, &mut attempt)?;
        let doubtful = self.line.doubtful;
        self.bad |= doubtful;
        for who in [Who::S, Who::T] {
            if self.line.is_logged_in(desk(who)) {
                self.line.plain(desk(who), b"06#")?;
            }
            if let Some(account) = self.speaks_for.get_mut(desk(who)) {
                *account = None;
            }
        }
        self.line.doubtful = doubtful;
        Ok((outcome, attempt))
    }

    fn play(&mut self, case: &Case, attempt: &mut Attempt) -> io::Result<Outcome> {
        for step in &case.steps {
            let breach = match step {
                Step::Alone(who, habit) => {
                    let asked = self.line.plain(desk(*who), b"11#0#")?;
                    if !self.alone(asked.as_deref().unwrap_or_default()) {
                        attempt.habits.push(habit);
                        return Ok(Outcome::Passed);
                    }
                    None
                }
                Step::Ask(ask) => self.ask(ask, attempt)?,
                Step::Burst(asks) => match self.burst(asks, attempt)? {
                    Ok(breach) => breach,
                    Err(()) => return Ok(Outcome::Lossy),
                },
                Step::Quiet(who) => self.line.receive(desk(*who), QUIET)?.map(|more| Finding {
                    rule: Some(Rule::OneReply),
                    exchange: attempt.exchanges.len().saturating_sub(1),
                    difference: Difference::More(more),
                }),
            };
            if let Some(finding) = breach {
                return Ok(Outcome::Breach(finding));
            }
        }
        Ok(Outcome::Passed)
    }

    fn ask(&mut self, ask: &Ask, attempt: &mut Attempt) -> io::Result<Option<Finding>> {
        let sent = self.names.expand(ask.send);
        let patterns: Vec<Pattern> = ask.accept.iter().map(|accept| Pattern::new(accept, &self.names)).collect();
        let refusal = patterns.iter().any(Pattern::refusal);
        let served = self.line.is_served(desk(ask.who));
        self.line.may_be_silent = patterns.iter().any(Pattern::silent);
        let answer = self.line.exchange(desk(ask.who), &sent, refusal, TRIES);
        self.line.may_be_silent = false;
        let answer = answer?;
        let exchange = attempt.exchanges.len();
        attempt.exchanges.push(Exchange {
            from: ask.who,
            sent: sent.clone(),
            expected: patterns.iter().map(Pattern::shown).collect(),
            got: answer.got.clone(),
            tries: answer.tries,
            time: answer.time,
        });
        let Some(got) = answer.got else {
            if answer.stray.is_none()
                && let Some(silent) = patterns.iter().find(|pattern| pattern.silent())
            {
                attempt.habits.extend(silent.habit);
                return Ok(None);
            }
            let (rule, difference) = match answer.stray {
                Some(stray @ Difference::OtherAddress { .. }) => (Rule::FromAsked, stray),
                Some(stray) => (Rule::ToSender, stray),
                None => (ask.rule, Difference::NoReply),
            };
            return Ok(Some(Finding { rule: Some(rule), exchange, difference }));
        };
        let reader = self.account(ask.who);
        let judged = judge(&got, &patterns, ask.rule, &reader, &attempt.mail);
        self.note(ask.who, &sent, &got, attempt);
        match judged {
            Ok(place) => {
                attempt.habits.extend(patterns.get(place).and_then(|pattern| pattern.habit));
                Ok(None)
            }
            Err(breach) => {
                let mut rule = breach.rule;
                // Was served, and is not any more, though nobody went offline or logged in elsewhere.
                if served && got == b"07:01" && !attempt.moved() {
                    rule = Rule::Stays;
                }
                if matches!(rule, Rule::CountAll | Rule::CountOne | Rule::Oldest) {
                    rule = self.look_closer(ask.who, rule, attempt)?;
                }
                Ok(Some(Finding { rule: Some(rule), exchange, difference: Difference::Byte(breach.at) }))
            }
        }
    }

    /// A wrong count or order may come from a message that is lost or doubled: takes all that is left.
    fn look_closer(&mut self, who: Who, rule: Rule, attempt: &mut Attempt) -> io::Result<Rule> {
        let reader = self.account(who);
        for _ in 0..DRAIN {
            let answer = self.line.exchange(desk(who), b"09#", false, TRIES)?;
            let got = answer.got.clone();
            let (sent, expected) = (b"09#".to_vec(), Vec::new());
            attempt.exchanges.push(Exchange {
                from: who,
                sent: sent.clone(),
                expected,
                got: answer.got,
                tries: answer.tries,
                time: answer.time,
            });
            let Some((from, body)) = got.as_deref().and_then(delivery) else { break };
            let letter = Letter { to: reader.clone(), from: from.to_vec(), body: body.to_vec() };
            if attempt.mail.spent(&letter) {
                return Ok(Rule::NotTwice);
            }
            self.note(who, &sent, got.as_deref().unwrap_or_default(), attempt);
        }
        Ok(if attempt.mail.left(&reader).is_empty() { rule } else { Rule::NotLost })
    }

    /// Several requests at once. `Err` when not exactly one answer to each came.
    fn burst(&mut self, asks: &[Ask], attempt: &mut Attempt) -> io::Result<Result<Option<Finding>, ()>> {
        let Some(who) = asks.first().map(|ask| ask.who) else { return Ok(Ok(None)) };
        let patterns: Vec<Vec<Pattern>> = asks
            .iter()
            .map(|ask| ask.accept.iter().map(|accept| Pattern::new(accept, &self.names)).collect())
            .collect();
        let began = self.line.now();
        self.line.counts.lose_count();
        for (ask, patterns) in asks.iter().zip(&patterns) {
            let sent = self.names.expand(ask.send);
            self.line.send(desk(who), &sent)?;
            attempt.exchanges.push(Exchange {
                from: who,
                sent,
                expected: patterns.iter().map(Pattern::shown).collect(),
                got: None,
                tries: 1,
                time: None,
            });
        }
        let first = attempt.exchanges.len() - asks.len();
        for i in first..attempt.exchanges.len() {
            let Some(got) = self.line.receive(desk(who), self.line.patience())? else { return Ok(Err(())) };
            let time = self.line.now().saturating_sub(began);
            if let Some(exchange) = attempt.exchanges.get_mut(i) {
                (exchange.got, exchange.time) = (Some(got), Some(time));
            }
        }
        // One too many: which of them is the doubled one cannot be known.
        if self.line.receive(desk(who), SETTLE)?.is_some() {
            return Ok(Err(()));
        }
        let reader = self.account(who);
        for (i, (ask, own)) in (first..).zip(asks.iter().zip(&patterns)) {
            let Some(Exchange { sent, got: Some(got), .. }) = attempt.exchanges.get(i).cloned() else { break };
            let fits = |patterns: &[Pattern]| judge(&got, patterns, ask.rule, &reader, &attempt.mail);
            if let Err(breach) = fits(own) {
                let swapped = patterns.iter().any(|other| fits(other).is_ok());
                let rule = if swapped { Rule::InOrder } else { breach.rule };
                return Ok(Ok(Some(Finding {
                    rule: Some(rule),
                    exchange: i,
                    difference: Difference::Byte(breach.at),
                })));
            }
            self.note(who, &sent, &got, attempt);
        }
        Ok(Ok(None))
    }

    /// Whether the answer to 11 names nobody but the probe's own accounts, and all at once.
    fn alone(&self, reply: &[u8]) -> bool {
        let text = String::from_utf8_lossy(reply);
        let Some((total, rest)) = text.strip_prefix("11:").and_then(|rest| rest.split_once(":0:")) else {
            return false;
        };
        let own = format!("Probe{}", self.names.mark);
        rest.split(':').all(|name| name.starts_with(&own)) && total == rest.split(':').count().to_string()
    }

    /// Keeps account of messages, and of who speaks from where.
    fn note(&mut self, who: Who, sent: &[u8], got: &[u8], attempt: &mut Attempt) {
        let me = self.account(who);
        if let Some((from, body)) = delivery(got) {
            attempt.mail.handed.push(Letter { to: me, from: from.to_vec(), body: body.to_vec() });
        } else if got == b"03:01"
            && let Some(rest) = sent.strip_prefix(b"03#").and_then(|rest| rest.strip_suffix(b"#"))
        {
            let mut fields = rest.splitn(2, |b| *b == b'#');
            if let (Some(to), Some(body)) = (fields.next(), fields.next()) {
                attempt.mail.sent.push(Letter { to: to.to_vec(), from: me, body: body.to_vec() });
            }
        } else if sent.starts_with(b"02#")
            && matches!(got, b"02:01" | b"02:04")
            && matches!(who, Who::S | Who::T)
            && let Some(account) = sent.split(|b| *b == b'#').nth(1)
            && let Some(place) = self.speaks_for.get_mut(desk(who))
        {
            *place = Some(account.to_vec());
        }
    }

    fn account(&self, who: Who) -> Vec<u8> {
        match self.speaks_for.get(desk(who)) {
            Some(Some(account)) => account.clone(),
            _ => self.names.account(who).into_bytes(),
        }
    }

    /// Logged in and without unread messages; else what went wrong.
    fn ready(&mut self, who: Who) -> io::Result<Option<Obstacle>> {
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
