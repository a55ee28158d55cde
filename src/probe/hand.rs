//! Requests sent by hand, as cases of the test document. What is expected is what the person said, or what the
//! protocol's text allows. Pure.

use std::time::Duration;

use super::case::Actor;
use super::document::{CaseReport, Difference, Exchange, Failure, Unclear, Verdict};
use super::judge::{Mail, Pattern, judge};
use super::rule::Rule;
use crate::protocol::wire::explain::{self, Explanation, Name, Rule as Form};
use crate::protocol::wire::{Charset, looks_like_reply, show};

/// How long a reply is awaited before it counts as missing.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The beginning of the cases' names.
pub(super) const ID: &str = "by-hand";

/// What the user expects in answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expectation {
    /// Any reply that the protocol's text allows.
    #[default]
    Text,
    /// No reply at all.
    Silence,
    /// Exactly this reply.
    Reply(Vec<u8>),
}

impl Expectation {
    /// Parses an expectation as it is typed: a reply, `-` for silence, or an empty text for what the protocol allows.
    /// `None` for anything else.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        match typed.trim() {
            "" => Some(Self::Text),
            "-" => Some(Self::Silence),
            typed => show::unescape(typed).ok().filter(|bytes| looks_like_reply(bytes)).map(Self::Reply),
        }
    }
}

/// What was received in answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// This reply, and how long after the request it came.
    Reply(Vec<u8>, Duration),
    /// This reply, which may also be the reply to another request.
    Perhaps(Vec<u8>),
    /// No reply came within [`PATIENCE`].
    Nothing,
    /// No reply has come yet.
    NotYet,
}

/// One request sent by hand, and the replies it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The request, with its passwords starred.
    sent: Vec<u8>,
    allowed: Vec<Pattern>,
    /// The rule that is broken by a reply which the text does not allow, unless the judge can name it more exactly.
    rule: Rule,
    said: Option<Pattern>,
}

impl Trial {
    /// Makes a trial of a request as it is sent. Its passwords are not kept.
    #[must_use]
    pub fn new(sent: &[u8], expectation: &Expectation) -> Self {
        let (allowed, rule) = allowed(&explain::explain(sent, Charset::Utf8));
        let said = match expectation {
            Expectation::Text => None,
            Expectation::Silence => Some(Pattern::silence()),
            Expectation::Reply(bytes) => Some(Pattern::exactly(bytes)),
        };
        Self { sent: show::starred(sent), allowed, rule, said }
    }

    /// Returns the request with its passwords starred.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// Returns whether silence is expected.
    #[must_use]
    pub fn expects_silence(&self) -> bool {
        self.expected().iter().any(Pattern::silent)
    }

    /// Makes a case of the trial and of what was received.
    #[must_use]
    pub fn case(&self, number: usize, came: &Arrived) -> CaseReport {
        let (got, time) = match came {
            Arrived::Reply(bytes, after) => (Some(bytes), Some(*after)),
            Arrived::Perhaps(bytes) => (Some(bytes), None),
            Arrived::Nothing | Arrived::NotYet => (None, None),
        };
        let verdict = match came {
            Arrived::Reply(bytes, _) => self.judge(bytes),
            Arrived::Perhaps(_) => Verdict::Unclear(Unclear::Whose),
            Arrived::NotYet => Verdict::Unclear(Unclear::Waiting),
            Arrived::Nothing if self.expects_silence() => Verdict::Passed,
            // One missing reply proves nothing, as datagrams get lost.
            Arrived::Nothing => Verdict::Unclear(Unclear::NoAnswer),
        };
        let exchange = Exchange {
            from: Actor::H,
            sent: self.sent.clone(),
            expected: self.expected().iter().map(Pattern::shown).collect(),
            // A server may send back what it received.
            got: got.map(|bytes| show::starred(bytes)),
            tries: 1,
            time,
        };
        let id = if self.said.is_some() { "by-hand-said" } else { ID };
        CaseReport { number, id, exchanges: vec![exchange], verdict, attempts: 1, habits: Vec::new() }
    }

    fn expected(&self) -> &[Pattern] {
        self.said.as_ref().map_or(&self.allowed, std::slice::from_ref)
    }

    fn judge(&self, got: &[u8]) -> Verdict {
        let by_text = judge(got, &self.allowed, self.rule, &[], &Mail::default());
        let (rule, at) = match (&self.said, by_text) {
            (Some(said), by_text) => match said.difference(got) {
                None => return Verdict::Passed,
                Some(at) => (by_text.err().map(|breach| breach.rule), at),
            },
            (None, Ok(_)) => return Verdict::Passed,
            (None, Err(breach)) => (Some(breach.rule), breach.at),
        };
        Verdict::Failed(Failure { rule, exchange: 0, difference: Difference::Byte(at) })
    }
}

/// Returns the operation of a request, if it is a known one.
pub(super) fn operation(sent: &[u8]) -> Option<u8> {
    explain::explain(sent, Charset::Utf8).operation
}

/// Returns the replies that the text allows to a request, as for the probe, and the rule that any other reply breaks.
fn allowed(explained: &Explanation) -> (Vec<Pattern>, Rule) {
    let mut replies: Vec<&'static str> = Vec::new();
    let (mut silence, mut rule) = (false, Rule::OwnReplies);
    let serves = match explained.operation {
        Some(1) => &["01:01", "01:02", "01:03"][..],
        Some(2) => &["02:01", "02:02", "02:03", "02:04"],
        Some(3) => &["03:01", "03:02", "07:01"],
        Some(4) => &["04:N", "07:01"],
        Some(5) => &["05:FROM:YYYY-MM-DD HH:MM:SS:MESSAGE", "05:01", "07:01"],
        Some(6) => &["06:01", "06:02", "07:01"],
        Some(8) => &["08:N", "07:01"],
        Some(9) => &["09:FROM:YYYY-MM-DD HH:MM:SS:MESSAGE", "09:01", "07:01"],
        Some(10) => &["10:01:Q1:NONCE"],
        Some(11) => &["11:N:N…", "07:01"],
        _ => &[],
    };
    if let Some(broken) = explained.findings.iter().map(|finding| finding.rule).find(|rule| rule.breaks()) {
        rule = breaks(broken);
        replies.push("00:00");
        // A server may check first whether somebody is logged in.
        replies.extend(serves.iter().filter(|reply| **reply == "07:01" && explained.operation != Some(6)));
        silence = explained.is_never_answered();
        if rule == Rule::RequestTooLong {
            replies.extend((explained.operation == Some(2)).then_some("02:02"));
            silence = true;
        } else if silence {
            rule = Rule::ReplyLike;
        }
    } else {
        replies.extend(serves);
        for finding in &explained.findings {
            rule = match finding.rule {
                Form::ClosedTwice | Form::Bare | Form::LineEnd => Rule::Wild,
                Form::PlusSign | Form::Extension => Rule::Extension,
                _ => continue,
            };
            silence |= finding.rule == Form::Bare;
            if !replies.contains(&"00:00") {
                replies.push("00:00");
            }
        }
    }
    let mut patterns: Vec<Pattern> = replies.into_iter().map(Pattern::form).collect();
    patterns.extend(silence.then(Pattern::silence));
    (patterns, rule)
}

/// Returns the rule about what is wrong with a request.
fn breaks(form: Form) -> Rule {
    match form {
        Form::LooksLikeReply => Rule::ReplyLike,
        Form::TooLong { .. } => Rule::RequestTooLong,
        Form::NotClosed { .. } => Rule::Closed,
        Form::Missing { .. } | Form::Surplus { .. } => Rule::FieldCount,
        Form::EmptyField { .. } => Rule::EmptyField,
        Form::FieldTooLong { name: Name::Message, .. } => Rule::BodyTooLong,
        Form::FieldTooLong { .. } | Form::Forbidden { .. } | Form::Reserved => Rule::Fields,
        Form::NotANumber | Form::NumberTooBig | Form::UnknownVersion => Rule::Extension,
        _ => Rule::UnknownOperation,
    }
}

#[cfg(test)]
mod tests;
