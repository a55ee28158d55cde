//! The results of a diagnosis, as values and in words.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{Local, TimeZone};
use rust_i18n::t;

use crate::protocol::link::words;

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum StepResult {
    /// The text is not a name with a port.
    NoTarget,
    /// The text is a numeric address, so there is nothing to look up.
    Numbers,
    /// The name has these addresses; only those that are tried are listed.
    Found { host: String, addresses: Vec<SocketAddr> },
    /// The name has no address.
    NoSuchName { host: String, error: String },
    /// A server's answer came back, after `questions` questions.
    Answered { at: SocketAddr, questions: u8 },
    /// No program has opened the port there.
    Closed { at: SocketAddr },
    /// No answer came back.
    Silent { at: SocketAddr, questions: u8 },
    /// Answers come, but from another address or port than the one that is asked, so they are not used.
    Elsewhere { at: SocketAddr, from: SocketAddr },
    /// The system cannot send there.
    Unsendable { at: SocketAddr, error: String },
    /// Something came back that is no server's answer; holds its beginning.
    Neither { at: SocketAddr, bytes: Vec<u8> },
    /// The server offers the secure dialect.
    OffersSecure,
    /// The server speaks only the plain dialect.
    Plain,
    /// The server speaks only the plain dialect, although it spoke the secure one before.
    OnlyPlain,
    /// The encrypted connection is established.
    Shaken { rtt: Duration },
    /// The server did not answer the handshake.
    NoHandshake,
    /// The handshake failed, because of a wrong answer or because the other side refused it.
    BadHandshake(String),
    /// The server restarted during the handshake.
    Ended,
    /// The key is a known one.
    KnownKey(Vec<u8>),
    /// No key was known before; this is the server's key.
    NewKey(Vec<u8>),
    /// The key is not a known one.
    ChangedKey { shown: Vec<u8>, known: Vec<Vec<u8>> },
    /// The key is none of those that can be read in the file of known keys, which is damaged.
    DamagedKeys { shown: Vec<u8>, file: String },
    /// By how many seconds the server's clock is ahead of this machine's, if the server tells its time.
    Clock { ahead: Option<i64> },
}

/// The largest difference, in seconds, at which two clocks count as the same; servers tell whole seconds.
const SAME_TIME: u64 = 2;

/// One step of the diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step's result.
    pub what: StepResult,
    /// How long the step took; zero if that means nothing.
    pub took: Duration,
}

/// The step under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The name is looked up.
    LookUp,
    /// This address is asked.
    Ask(SocketAddr),
    /// An encrypted connection is opened.
    Handshake,
}

/// The overall result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The server can be reached, and nobody else can read the messages.
    Secure,
    /// The server can be reached, but anyone on the network path can read the messages.
    Plain,
    /// The server cannot be reached.
    Unreachable,
    /// Something answers that should not be trusted.
    Doubtful,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The step went well.
    Done,
    /// The step went well, with a warning.
    Warning,
    /// The step went badly.
    Failed,
    /// The step was not tried, or could not be.
    Skipped,
}

impl Mark {
    /// Returns a sign for the mark.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Warning => "!",
            Self::Failed => "✗",
            Self::Skipped => "–",
        }
    }
}

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How the step ended.
    pub mark: Mark,
    /// What was found.
    pub text: String,
    /// What the result means; may be empty.
    pub meaning: String,
    /// The advice; may be empty.
    pub advice: String,
}

/// The report of a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The server as the user typed it.
    pub server: String,
    /// This machine's clock at the beginning, in milliseconds since 1970.
    pub unix_ms: i64,
    /// The steps in their order.
    pub steps: Vec<Step>,
    /// The step under way.
    pub stage: Option<Stage>,
    /// Whether the diagnosis is finished.
    pub finished: bool,
}

impl StepResult {
    /// Returns whether this is a result about the key.
    pub(super) fn is_key(&self) -> bool {
        matches!(self, Self::KnownKey(_) | Self::NewKey(_) | Self::ChangedKey { .. } | Self::DamagedKeys { .. })
    }

    /// How the step ended.
    #[must_use]
    pub fn mark(&self) -> Mark {
        match self {
            Self::Numbers
            | Self::Found { .. }
            | Self::Answered { .. }
            | Self::OffersSecure
            | Self::Shaken { .. }
            | Self::KnownKey(_) => Mark::Done,
            Self::Plain | Self::NewKey(_) => Mark::Warning,
            Self::NoTarget
            | Self::NoSuchName { .. }
            | Self::Closed { .. }
            | Self::Silent { .. }
            | Self::Elsewhere { .. }
            | Self::Unsendable { .. }
            | Self::Neither { .. }
            | Self::OnlyPlain
            | Self::NoHandshake
            | Self::BadHandshake(_)
            | Self::Ended
            | Self::ChangedKey { .. }
            | Self::DamagedKeys { .. } => Mark::Failed,
            Self::Clock { ahead: None } => Mark::Skipped,
            Self::Clock { ahead: Some(ahead) } if ahead.unsigned_abs() <= SAME_TIME => Mark::Done,
            Self::Clock { .. } => Mark::Warning,
        }
    }

    /// Returns the advice; empty if there is nothing to do.
    fn advice(&self, locale: &str) -> Cow<'static, str> {
        match self {
            Self::Numbers
            | Self::Found { .. }
            | Self::Answered { .. }
            | Self::OffersSecure
            | Self::Plain
            | Self::Shaken { .. }
            | Self::KnownKey(_)
            | Self::Clock { ahead: None } => Cow::Borrowed(""),
            Self::NoTarget => t!("diagnosis.no_target_do", locale = locale),
            Self::NoSuchName { .. } => t!("diagnosis.no_name_do", locale = locale),
            Self::Closed { .. } | Self::Neither { .. } => t!("diagnosis.closed_do", locale = locale),
            Self::Elsewhere { from, .. } => t!("diagnosis.elsewhere_do", locale = locale, from = from),
            Self::Silent { at, .. } if at.ip().is_loopback() => t!("diagnosis.hangs_do", locale = locale),
            Self::Silent { at, .. } => t!("diagnosis.silent_do", locale = locale, port = at.port()),
            Self::Unsendable { .. } => t!("diagnosis.unsendable_do", locale = locale),
            Self::OnlyPlain => t!("diagnosis.only_plain_do", locale = locale),
            Self::NoHandshake => t!("diagnosis.no_handshake_do", locale = locale),
            Self::BadHandshake(_) => t!("diagnosis.bad_handshake_do", locale = locale),
            Self::Ended => t!("diagnosis.ended_do", locale = locale),
            Self::NewKey(_) => t!("diagnosis.new_key_do", locale = locale),
            Self::ChangedKey { .. } => t!("diagnosis.changed_key_do", locale = locale),
            Self::DamagedKeys { .. } => t!("diagnosis.damaged_keys_do", locale = locale),
            Self::Clock { ahead: Some(ahead) } if ahead.unsigned_abs() <= SAME_TIME => Cow::Borrowed(""),
            Self::Clock { .. } => t!("diagnosis.other_clock_do", locale = locale),
        }
    }
}

impl Report {
    pub(super) fn new(server: String, unix_ms: i64) -> Self {
        Self { server, unix_ms, steps: Vec::new(), stage: None, finished: false }
    }

    /// Returns the overall result so far.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let has = |is: &dyn Fn(&StepResult) -> bool| self.steps.iter().any(|step| is(&step.what));
        if has(&|w| matches!(w, StepResult::Shaken { .. })) {
            Verdict::Secure
        } else if has(&|w| matches!(w, StepResult::Plain)) {
            Verdict::Plain
        } else if has(&|w| {
            matches!(w, StepResult::OnlyPlain | StepResult::ChangedKey { .. } | StepResult::BadHandshake(_))
        }) || has(&|w| matches!(w, StepResult::Neither { .. } | StepResult::DamagedKeys { .. }))
        {
            Verdict::Doubtful
        } else {
            Verdict::Unreachable
        }
    }

    /// Returns the overall result in one sentence; during the diagnosis, what is being done.
    #[must_use]
    pub fn sentence(&self, locale: &str) -> String {
        match (self.stage, self.verdict()) {
            (Some(Stage::LookUp), _) => t!("diagnosis.looking_up", locale = locale),
            (Some(Stage::Ask(at)), _) => t!("diagnosis.asking", locale = locale, at = at),
            (Some(Stage::Handshake), _) => t!("diagnosis.shaking", locale = locale),
            (None, Verdict::Secure) => t!("diagnosis.secure", locale = locale),
            (None, Verdict::Plain) => t!("diagnosis.plain", locale = locale),
            (None, Verdict::Unreachable) => t!("diagnosis.unreachable", locale = locale),
            (None, Verdict::Doubtful) => t!("diagnosis.doubtful", locale = locale),
        }
        .into_owned()
    }

    /// Returns the steps in words, including those that were not reached.
    #[must_use]
    pub fn lines(&self, locale: &str) -> Vec<Line> {
        let mut lines: Vec<Line> = self.steps.iter().map(|step| self.line(step, locale)).collect();
        let has = |is: fn(&StepResult) -> bool| self.steps.iter().any(|step| is(&step.what));
        if self.finished && !has(|w| matches!(w, StepResult::Shaken { .. } | StepResult::Plain)) {
            let answered = has(|w| matches!(w, StepResult::Answered { .. }));
            let shaking = has(|w| matches!(w, StepResult::OffersSecure));
            let mut missing = Vec::new();
            if !answered {
                missing.push(t!("diagnosis.no_dialect", locale = locale));
            }
            if !shaking {
                missing.push(t!("diagnosis.no_connection", locale = locale));
            }
            if !has(StepResult::is_key) {
                missing.push(t!("diagnosis.no_key", locale = locale));
            }
            let at = lines.len().saturating_sub(1);
            let skipped = missing.into_iter().map(|text| Line {
                mark: Mark::Skipped,
                text: text.into_owned(),
                meaning: String::new(),
                advice: String::new(),
            });
            // Before the clock, which is always the last.
            lines.splice(at..at, skipped);
        }
        lines
    }

    /// Returns the whole report as text, for copying.
    #[must_use]
    pub fn text(&self, locale: &str) -> String {
        let title = t!("diagnosis.title", locale = locale, server = shown(&self.server));
        let mut text = format!("{title}\n{}\n", self.sentence(locale));
        for line in self.lines(locale) {
            text.push_str(&format!("{} {}\n", line.mark.sign(), line.text));
            for more in [line.meaning, line.advice] {
                if !more.is_empty() {
                    text.push_str(&format!("  {more}\n"));
                }
            }
        }
        text
    }

    fn line(&self, step: &Step, locale: &str) -> Line {
        let apart = !step.took.is_zero() && !matches!(step.what, StepResult::Shaken { .. });
        let took = if apart { format!(" · {}", duration(step.took)) } else { String::new() };
        Line {
            mark: step.what.mark(),
            text: format!("{}{took}", self.found(step, locale)),
            meaning: self.meaning(&step.what, locale).into_owned(),
            advice: step.what.advice(locale).into_owned(),
        }
    }

    /// Returns the result of a step in words.
    fn found(&self, step: &Step, locale: &str) -> Cow<'static, str> {
        let chinese = locale.starts_with("zh");
        let words = |key: &[u8]| words(key, chinese);
        match &step.what {
            StepResult::NoTarget => t!("diagnosis.no_target", locale = locale, server = shown(&self.server)),
            StepResult::Numbers => t!("diagnosis.numbers", locale = locale),
            StepResult::Found { host, addresses } => {
                let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let list = list.join(if chinese { "、" } else { ", " });
                t!("diagnosis.found", locale = locale, host = shown(host), addresses = list)
            }
            StepResult::NoSuchName { host, error } => {
                t!("diagnosis.no_name", locale = locale, host = shown(host), error = shown(error))
            }
            StepResult::Answered { at, questions: 1 } => t!("diagnosis.answered", locale = locale, at = at),
            StepResult::Answered { at, questions } => {
                t!("diagnosis.answered_late", locale = locale, at = at, n = questions)
            }
            StepResult::Closed { at } => t!("diagnosis.closed", locale = locale, at = at),
            StepResult::Elsewhere { at, from } => t!("diagnosis.elsewhere", locale = locale, at = at, from = from),
            StepResult::Silent { at, questions } => t!("diagnosis.silent", locale = locale, at = at, n = questions),
            StepResult::Unsendable { at, error } => {
                t!("diagnosis.unsendable", locale = locale, at = at, error = shown(error))
            }
            StepResult::Neither { at, bytes } => {
                t!("diagnosis.neither", locale = locale, at = at, bytes = bytes.escape_ascii())
            }
            StepResult::OffersSecure => t!("diagnosis.offers", locale = locale),
            StepResult::Plain => t!("diagnosis.is_plain", locale = locale),
            StepResult::OnlyPlain => t!("diagnosis.only_plain", locale = locale),
            StepResult::Shaken { rtt } => {
                t!("diagnosis.shaken", locale = locale, rtt = duration(*rtt), took = duration(step.took))
            }
            StepResult::NoHandshake => t!("diagnosis.no_handshake", locale = locale),
            StepResult::BadHandshake(reason) => t!("diagnosis.bad_handshake", locale = locale, reason = shown(reason)),
            StepResult::Ended => t!("diagnosis.ended", locale = locale),
            StepResult::KnownKey(key) => t!("diagnosis.known_key", locale = locale, words = words(key)),
            StepResult::NewKey(key) => t!("diagnosis.new_key", locale = locale, words = words(key)),
            StepResult::ChangedKey { shown, known } => {
                let list: Vec<String> = known.iter().map(|key| words(key)).collect();
                t!("diagnosis.changed_key", locale = locale, shown = words(shown), known = list.join(" / "))
            }
            StepResult::DamagedKeys { shown, file: _ } => {
                t!("diagnosis.damaged_keys", locale = locale, shown = words(shown))
            }
            StepResult::Clock { ahead: None } => t!("diagnosis.clock", locale = locale),
            StepResult::Clock { ahead: Some(ahead) } if ahead.unsigned_abs() <= SAME_TIME => {
                t!("diagnosis.same_clock", locale = locale, time = clock(self.unix_ms))
            }
            StepResult::Clock { ahead: Some(ahead) } if *ahead > 0 => {
                t!("diagnosis.clock_behind", locale = locale, by = span(ahead.unsigned_abs()))
            }
            StepResult::Clock { ahead: Some(ahead) } => {
                t!("diagnosis.clock_ahead", locale = locale, by = span(ahead.unsigned_abs()))
            }
        }
    }

    /// Returns what the result means; empty if it needs no explanation.
    fn meaning(&self, what: &StepResult, locale: &str) -> Cow<'static, str> {
        match what {
            StepResult::NoTarget
            | StepResult::Numbers
            | StepResult::Found { .. }
            | StepResult::Answered { questions: 1, .. }
            | StepResult::OffersSecure
            | StepResult::Shaken { .. }
            | StepResult::Ended
            | StepResult::KnownKey(_)
            | StepResult::NewKey(_) => Cow::Borrowed(""),
            StepResult::NoSuchName { .. } => t!("diagnosis.no_name_is", locale = locale),
            StepResult::Answered { .. } => t!("diagnosis.answered_late_is", locale = locale),
            StepResult::Closed { .. } => t!("diagnosis.closed_is", locale = locale),
            StepResult::Elsewhere { .. } => t!("diagnosis.elsewhere_is", locale = locale),
            StepResult::Silent { at, .. } if at.ip().is_loopback() => t!("diagnosis.hangs_is", locale = locale),
            StepResult::Silent { .. } => t!("diagnosis.silent_is", locale = locale),
            StepResult::Unsendable { .. } => t!("diagnosis.unsendable_is", locale = locale),
            StepResult::Neither { .. } => t!("diagnosis.neither_is", locale = locale),
            StepResult::Plain => t!("diagnosis.is_plain_is", locale = locale),
            StepResult::OnlyPlain => t!("diagnosis.only_plain_is", locale = locale),
            StepResult::NoHandshake => t!("diagnosis.no_handshake_is", locale = locale),
            StepResult::BadHandshake(_) => t!("diagnosis.bad_handshake_is", locale = locale),
            StepResult::ChangedKey { .. } => t!("diagnosis.changed_key_is", locale = locale),
            StepResult::DamagedKeys { file, .. } => {
                t!("diagnosis.damaged_keys_is", locale = locale, file = shown(file))
            }
            StepResult::Clock { ahead: None } => t!("diagnosis.clock_is", locale = locale, time = clock(self.unix_ms)),
            StepResult::Clock { ahead: Some(ahead) } if ahead.unsigned_abs() <= SAME_TIME => Cow::Borrowed(""),
            StepResult::Clock { .. } => t!("diagnosis.other_clock_is", locale = locale, time = clock(self.unix_ms)),
        }
    }
}

/// Makes text from another machine safe to show on one line.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Writes a duration in milliseconds with three significant digits.
fn duration(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 {
        format!("{ms:.2} ms")
    } else if ms < 100.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}

/// Writes a number of seconds as hours, minutes and seconds.
fn span(seconds: u64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Writes a time with its difference to UTC, because a wrong time zone looks like a wrong clock.
fn clock(unix_ms: i64) -> String {
    let time = Local.timestamp_millis_opt(unix_ms).single();
    time.map(|time| time.format("%Y-%m-%d %H:%M:%S (UTC%:z)").to_string()).unwrap_or_default()
}
