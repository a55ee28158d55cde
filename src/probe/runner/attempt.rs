//! One attempt at a case: its steps are played, and each reply is judged.

use std::io;

use super::{Attempt, DRAIN, Obstacle, Outcome, QUIET, Runner, TRIES};
use crate::probe::case::{Actor, Ask, Case, Need, Step};
use crate::probe::document::{Difference, Exchange, Failure};
use crate::probe::judge::{Pattern, SentMessage, delivery, judge};
use crate::probe::line::{SETTLE, desk};
use crate::probe::rule::Rule;
use crate::probe::transport::Transport;

impl<T: Transport> Runner<T> {
    pub(super) fn attempt(&mut self, case: &Case) -> io::Result<(Outcome, Attempt)> {
        self.names.attempt += 1;
        let mut attempt = Attempt::default();
        for who in [Actor::S, Actor::T] {
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
        for who in [Actor::S, Actor::T] {
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
                Step::Quiet(who) => self.line.receive(desk(*who), QUIET)?.map(|more| Failure {
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

    fn ask(&mut self, ask: &Ask, attempt: &mut Attempt) -> io::Result<Option<Failure>> {
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
            return Ok(Some(Failure { rule: Some(rule), exchange, difference }));
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
                // It was served, and is not any more, though nobody went offline or logged in elsewhere.
                if served && got == b"07:01" && !attempt.moved() {
                    rule = Rule::Stays;
                }
                if matches!(rule, Rule::CountAll | Rule::CountOne | Rule::Oldest) {
                    rule = self.look_closer(ask.who, rule, attempt)?;
                }
                Ok(Some(Failure { rule: Some(rule), exchange, difference: Difference::Byte(breach.at) }))
            }
        }
    }

    /// Finds out whether a wrong count or order comes from a lost or doubled message, by taking all that is left.
    fn look_closer(&mut self, who: Actor, rule: Rule, attempt: &mut Attempt) -> io::Result<Rule> {
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
            let letter = SentMessage { to: reader.clone(), from: from.to_vec(), body: body.to_vec() };
            if attempt.mail.spent(&letter) {
                return Ok(Rule::NotTwice);
            }
            self.note(who, &sent, got.as_deref().unwrap_or_default(), attempt);
        }
        Ok(if attempt.mail.left(&reader).is_empty() { rule } else { Rule::NotLost })
    }

    /// Sends several requests at once. `Err` if not exactly one answer to each came.
    fn burst(&mut self, asks: &[Ask], attempt: &mut Attempt) -> io::Result<Result<Option<Failure>, ()>> {
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
        // There is one answer too many, and it cannot be known which is the double.
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
                return Ok(Ok(Some(Failure {
                    rule: Some(rule),
                    exchange: i,
                    difference: Difference::Byte(breach.at),
                })));
            }
            self.note(who, &sent, &got, attempt);
        }
        Ok(Ok(None))
    }

    /// Returns whether the answer to 11 names only the probe's own accounts, and is complete.
    fn alone(&self, reply: &[u8]) -> bool {
        let text = String::from_utf8_lossy(reply);
        let Some((total, rest)) = text.strip_prefix("11:").and_then(|rest| rest.split_once(":0:")) else {
            return false;
        };
        let own = format!("Probe{}", self.names.mark);
        rest.split(':').all(|name| name.starts_with(&own)) && total == rest.split(':').count().to_string()
    }

    /// Notes the messages of an exchange, and which account has logged in where.
    fn note(&mut self, who: Actor, sent: &[u8], got: &[u8], attempt: &mut Attempt) {
        let me = self.account(who);
        if let Some((from, body)) = delivery(got) {
            attempt.mail.handed.push(SentMessage { to: me, from: from.to_vec(), body: body.to_vec() });
        } else if got == b"03:01"
            && let Some(rest) = sent.strip_prefix(b"03#").and_then(|rest| rest.strip_suffix(b"#"))
        {
            let mut fields = rest.splitn(2, |b| *b == b'#');
            if let (Some(to), Some(body)) = (fields.next(), fields.next()) {
                attempt.mail.sent.push(SentMessage { to: to.to_vec(), from: me, body: body.to_vec() });
            }
        } else if sent.starts_with(b"02#")
            && matches!(got, b"02:01" | b"02:04")
            && matches!(who, Actor::S | Actor::T)
            && let Some(account) = sent.split(|b| *b == b'#').nth(1)
            && let Some(place) = self.speaks_for.get_mut(desk(who))
        {
            *place = Some(account.to_vec());
        }
    }
}
