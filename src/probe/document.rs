//! The test document as values; [`super::markdown`] and [`super::json`] write it down.

use std::net::SocketAddr;
use std::time::Duration;

use rust_i18n::t;

use super::case::Actor;
use super::hand;
use super::rule::Rule;
use super::{json, markdown};

/// The test document of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The server that was tested.
    pub server: SocketAddr,
    /// When the run began, `YYYY-MM-DD HH:MM:SS` in local time.
    pub when: String,
    /// Whether the cases come from the probe's script or were typed by hand.
    pub origin: Origin,
    /// Every case, in the order in which they were tried.
    pub cases: Vec<CaseReport>,
}

/// How the cases of a document came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The probe played its script.
    Script(Run),
    /// A person typed the requests, from a socket used for nothing else.
    OwnSocket,
    /// A person typed the requests into a client, which sent its own requests from the same socket.
    SharedSocket,
}

/// One run of the probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The text that the names of all accounts of this run contain.
    pub mark: String,
    /// How long the run took.
    pub elapsed: Duration,
    /// How many datagrams were repeated because no answer came.
    pub resent: usize,
    /// How many cases were not tried, because the server had gone or the person ended the run.
    pub untried: usize,
    /// Whether all accounts of the run were logged out at the end.
    pub left: bool,
    /// The average time of a reply, if it is longer than clients wait.
    pub slow: Option<Duration>,
}

/// The report on one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The number of the case in the document, from 1.
    pub number: usize,
    /// The fixed name of the case for programs.
    pub id: &'static str,
    /// The requests and replies of the attempt that decided.
    pub exchanges: Vec<Exchange>,
    /// The verdict on a case: passed, failed or unclear.
    pub verdict: Verdict,
    /// How often the case was played: again when the network lost something, and to confirm a failure.
    pub attempts: usize,
    /// Which of several ways that the text allows this server has.
    pub habits: Vec<&'static str>,
}

/// One request and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The actor whose socket sent the request.
    pub from: Actor,
    /// The request's bytes.
    pub sent: Vec<u8>,
    /// Every reply that the text allows, with the digits of a time as letters; `None` is silence. Empty if the exchange
    /// was only made to understand the one before.
    pub expected: Vec<Option<Vec<u8>>>,
    /// The reply's bytes; `None` if none came.
    pub got: Option<Vec<u8>>,
    /// How often the request was sent.
    pub tries: u8,
    /// The time from the last try to the reply.
    pub time: Option<Duration>,
}

/// The verdict on a case: passed, failed or unclear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every reply is one that the text allows.
    Passed,
    /// A rule is broken, and was broken again when the probe repeated the case; or what a person expected is not what
    /// came.
    Failed(Failure),
    /// The case neither passed nor failed, for this reason.
    Unclear(Unclear),
}

/// A broken rule, and how a reply broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The rule; `None` if the text allows the reply and only a person expected another.
    pub rule: Option<Rule>,
    /// The index of the exchange in the case, from 0.
    pub exchange: usize,
    /// How the reply differs from what is expected.
    pub difference: Difference,
}

/// How a reply differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It differs from this byte on, counted from 0.
    Byte(usize),
    /// No reply came, while other requests are answered.
    NoReply,
    /// The reply came to another socket.
    OtherSocket {
        /// The actor whose socket it came to.
        at: Actor,
        /// The bytes that came.
        got: Vec<u8>,
    },
    /// The reply came from an address other than the server's.
    OtherAddress {
        /// The address that it came from.
        from: SocketAddr,
        /// The bytes that came.
        got: Vec<u8>,
    },
    /// More than one reply came; this is the additional one.
    More(Vec<u8>),
    /// Every n-th request, with this n, got no reply throughout the run.
    EachNth(usize),
    /// Each request gets the reply to the request before it.
    Previous,
}

/// Why a case has neither passed nor failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// The server answered nothing at that time.
    NoAnswer,
    /// The network lost or doubled too many datagrams for a judgement.
    Network,
    /// The case could not begin, because this request of its preparation got this reply.
    SetUp {
        /// The request's bytes.
        sent: Vec<u8>,
        /// The reply's bytes, if one came.
        got: Option<Vec<u8>>,
    },
    /// The case failed once and passed twice.
    NotAgain(Failure),
    /// The document was written before it was certain that no reply would come.
    Waiting,
    /// The reply may also belong to another request.
    Whose,
}

impl Difference {
    /// Returns whether a network can cause that by itself: the loss of a reply, or a double.
    #[must_use]
    pub fn on_the_way(&self) -> bool {
        matches!(self, Self::NoReply | Self::More(_))
    }
}

impl Document {
    /// Returns the probe's run, if the document comes from the script.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        match &self.origin {
            Origin::Script(run) => Some(run),
            Origin::OwnSocket | Origin::SharedSocket => None,
        }
    }

    /// Returns the document's text for a file of this name: JSON for `.json`, otherwise Markdown.
    #[must_use]
    pub fn written(&self, file: &str, locale: &str) -> String {
        let write = if file.to_lowercase().ends_with(".json") { json::write } else { markdown::write };
        write(self, locale)
    }

    /// Returns how many cases passed, failed and are unclear.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |is: fn(&Verdict) -> bool| self.cases.iter().filter(|case| is(&case.verdict)).count();
        (
            count(|v| matches!(v, Verdict::Passed)),
            count(|v| matches!(v, Verdict::Failed(_))),
            count(|v| matches!(v, Verdict::Unclear(_))),
        )
    }

    /// Returns how many of the failures only break a rule marked ≈.
    #[must_use]
    pub fn chosen(&self) -> usize {
        let chosen = |case: &&CaseReport| matches!(&case.verdict, Verdict::Failed(finding) if finding.rule.is_some_and(Rule::chosen));
        self.cases.iter().filter(chosen).count()
    }

    /// Returns the broken rules, each once, in the order in which they were found.
    #[must_use]
    pub fn broken(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for case in &self.cases {
            if let Verdict::Failed(Failure { rule: Some(rule), .. }) = &case.verdict
                && !rules.contains(rule)
            {
                rules.push(*rule);
            }
        }
        rules
    }

    /// Returns the ways that the server has where the text allows several, with the numbers of the cases.
    #[must_use]
    pub fn habits(&self) -> Vec<(&'static str, Vec<usize>)> {
        let mut habits: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for case in &self.cases {
            for habit in &case.habits {
                match habits.iter_mut().find(|(id, _)| id == habit) {
                    Some((_, cases)) if cases.last() == Some(&case.number) => {}
                    Some((_, cases)) => cases.push(case.number),
                    None => habits.push((habit, vec![case.number])),
                }
            }
        }
        habits
    }
}

impl CaseReport {
    /// Returns the replies allowed to the case's first request, in one line.
    #[must_use]
    pub fn expected(&self, locale: &str) -> String {
        let nothing = || t!("probe.nothing", locale = locale).into_owned();
        let shown = |reply: &Option<Vec<u8>>| reply.as_deref().map_or_else(nothing, printable);
        let expected: Vec<String> =
            self.exchanges.first().map(|e| e.expected.iter().map(shown).collect()).unwrap_or_default();
        expected.join(&t!("probe.or", locale = locale))
    }

    /// Returns what the case is for.
    #[must_use]
    pub fn purpose(&self, locale: &str) -> String {
        let purpose = t!(format!("probe.case.{}", self.id), locale = locale).into_owned();
        let Some(exchange) = self.exchanges.first().filter(|_| self.id.starts_with(hand::ID)) else { return purpose };
        match hand::operation(&exchange.sent).map(|operation| format!("{operation:02}")) {
            Some(known) => t!("probe.purpose_of", locale = locale, operation = known, purpose = purpose),
            None => t!("probe.purpose_of_none", locale = locale, purpose = purpose),
        }
        .into_owned()
    }
}

impl Verdict {
    /// Returns the verdict's fixed name for programs.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed(_) => "fail",
            Self::Unclear(_) => "unclear",
        }
    }

    /// Returns the verdict's name for people, in `locale` (`en` or `zh-CN`).
    #[must_use]
    pub fn text(&self, locale: &str) -> String {
        match self {
            Self::Passed => t!("probe.pass", locale = locale),
            Self::Failed(_) => t!("probe.fail", locale = locale),
            Self::Unclear(_) => t!("probe.unclear", locale = locale),
        }
        .into_owned()
    }
}

impl Failure {
    /// Returns what is wrong, in a sentence about the exchanges of the case.
    #[must_use]
    pub fn text(&self, exchanges: &[Exchange], locale: &str) -> String {
        let step = self.exchange + 1;
        match &self.difference {
            Difference::Byte(at) => {
                let exchange = exchanges.get(self.exchange);
                if let Some(Exchange { expected, got: Some(got), .. }) = exchange
                    && !expected.is_empty()
                    && expected.iter().all(Option::is_none)
                {
                    return t!("probe.found_unasked", locale = locale, step = step, got = printable(got)).into_owned();
                }
                let got = exchange.and_then(|e| e.got.as_deref()).unwrap_or_default();
                let from =
                    |bytes: &[u8]| part(bytes, *at).unwrap_or_else(|| t!("probe.the_end", locale = locale).into());
                // The replies that the text allows to a request sent by hand have parts of any length, so no byte of
                // them can be named.
                if exchange.is_some_and(|e| e.from == Actor::H && e.expected.len() > 1) {
                    return t!("probe.found_form", locale = locale, step = step, at = at + 1, got = from(got)).into();
                }
                let like = |other: &[u8]| got.iter().zip(other).take_while(|(a, b)| a == b).count();
                let expected = exchange.map(|e| e.expected.iter().flatten()).into_iter().flatten();
                let expected = expected.max_by_key(|bytes| like(bytes)).map(Vec::as_slice).unwrap_or_default();
                t!(
                    "probe.found_byte",
                    locale = locale,
                    step = step,
                    at = at + 1,
                    expected = from(expected),
                    got = from(got)
                )
            }
            Difference::NoReply => t!("probe.found_nothing", locale = locale, step = step),
            Difference::OtherSocket { at, got } => {
                t!("probe.found_elsewhere", locale = locale, step = step, who = at.letter(), got = printable(got))
            }
            Difference::OtherAddress { from, got } => {
                t!("probe.found_foreign", locale = locale, step = step, from = from, got = printable(got))
            }
            Difference::EachNth(n) => t!("probe.found_nth", locale = locale, n = n),
            Difference::Previous => t!("probe.found_previous", locale = locale, step = step),
            Difference::More(got) => t!("probe.found_more", locale = locale, step = step, got = printable(got)),
        }
        .into_owned()
    }
}

impl Unclear {
    /// Returns the reason, in a sentence about the exchanges of the case.
    #[must_use]
    pub fn text(&self, exchanges: &[Exchange], locale: &str) -> String {
        match self {
            Self::NoAnswer => t!("probe.no_answer", locale = locale).into_owned(),
            Self::Network => t!("probe.network", locale = locale).into_owned(),
            Self::Waiting => t!("probe.waiting", locale = locale).into_owned(),
            Self::Whose => t!("probe.whose", locale = locale).into_owned(),
            Self::SetUp { sent, got } => {
                let got = got.as_deref().map_or_else(|| t!("probe.nothing", locale = locale).into_owned(), printable);
                t!("probe.set_up", locale = locale, sent = printable(sent), got = got).into_owned()
            }
            Self::NotAgain(finding) => {
                let found = finding.text(exchanges, locale);
                let rule = finding.rule.map(|rule| rule.text(locale)).unwrap_or_default();
                t!("probe.not_again", locale = locale, rule = rule, found = found).into_owned()
            }
        }
    }
}

/// Returns a short reply in full, a long one from a byte on; `None` if it ends there.
fn part(bytes: &[u8], at: usize) -> Option<String> {
    const SHORT: usize = 14;
    if bytes.len() <= SHORT {
        return (!bytes.is_empty()).then(|| format!("`{}`", printable(bytes)));
    }
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let shown = rest.get(..SHORT).unwrap_or(rest);
    let more = if shown.len() < rest.len() { "…" } else { "" };
    Some(format!("`{}{}{more}`", if at > 0 { "…" } else { "" }, printable(shown)))
}

/// Returns bytes as text: UTF-8 as it is, and control characters, line breaks and invalid bytes as `\n` or `\x..`.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_text() {
        assert_eq!(printable("03#a#你好\r\n\0#".as_bytes()), "03#a#你好\\r\\n\\x00#");
        assert_eq!(printable(b"\xb1\xe0x"), "\\xb1\\xe0x");
    }
}
