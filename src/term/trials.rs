//! Trials made by hand, and the test document made of them: sent, expected, got, verdict. What is
//! expected was said, or is what the protocol's text allows for the request. Pure.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use rust_i18n::t;
use serde_json::{Value, json};

use crate::probe::{Exchange, Who, printable};
use crate::wire::explain::Explanation;
use crate::wire::reply::Learned;
use crate::wire::{Charset, Reply, explain};

/// One request made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// What was sent (passwords starred), may come, and came.
    pub exchange: Exchange,
    /// The expectation was said, not taken from the text.
    pub asked: bool,
    /// Whether what came was expected.
    pub passed: bool,
}

/// A reply as the text writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Exactly(&'static str),
    Count(&'static str),
    Message(&'static str),
    Hello,
    Who,
    Silence,
}

impl Form {
    fn shown(self) -> Option<Vec<u8>> {
        let text = match self {
            Self::Exactly(text) => text.to_owned(),
            Self::Count(operation) => format!("{operation}:N"),
            Self::Message(operation) => format!("{operation}:FROM:YYYY-MM-DD HH:MM:SS:MESSAGE"),
            Self::Hello => "10:01:Q1:NONCE".to_owned(),
            Self::Who => "11:N:N:ACCOUNTS".to_owned(),
            Self::Silence => return None,
        };
        Some(text.into_bytes())
    }

    fn fits(self, reply: Option<&[u8]>) -> bool {
        let Some(bytes) = reply else { return self == Self::Silence };
        let begins = |operation: &str| bytes.starts_with(operation.as_bytes());
        match (self, Reply::decode(bytes, &mut Learned::default())) {
            (Self::Exactly(text), _) => bytes == text.as_bytes(),
            (Self::Count(operation), Reply::Count(_) | Reply::CountAll(_)) => begins(operation),
            (Self::Message(operation), Reply::Take(Some(message)) | Reply::TakeAll(Some(message))) => {
                let digits = |(c, form): (u8, u8)| if form == b'0' { c.is_ascii_digit() } else { c == form };
                let form = *b"0000-00-00 00:00:00";
                begins(operation) && message.time.len() == form.len() && message.time.bytes().zip(form).all(digits)
            }
            (Self::Hello, Reply::Hello { .. }) | (Self::Who, Reply::Who { .. }) => true,
            _ => false,
        }
    }
}

/// What the text allows for a request.
fn allowed(explained: &Explanation) -> Vec<Form> {
    use Form::{Count, Exactly, Hello, Message, Silence, Who};
    if explained.is_never_answered() {
        return vec![Silence];
    }
    if !explained.is_request() {
        return vec![Exactly("00:00")];
    }
    match explained.operation {
        Some(1) => vec![Exactly("01:01"), Exactly("01:02"), Exactly("01:03")],
        Some(2) => vec![Exactly("02:01"), Exactly("02:02"), Exactly("02:03"), Exactly("02:04")],
        Some(3) => vec![Exactly("03:01"), Exactly("03:02"), Exactly("07:01")],
        Some(4) => vec![Count("04"), Exactly("07:01")],
        Some(5) => vec![Message("05"), Exactly("05:01"), Exactly("07:01")],
        Some(6) => vec![Exactly("06:01"), Exactly("06:02"), Exactly("07:01")],
        Some(8) => vec![Count("08"), Exactly("07:01")],
        Some(9) => vec![Message("09"), Exactly("09:01"), Exactly("07:01")],
        // Extensions: a course server does not understand them.
        Some(10) => vec![Hello, Exactly("00:00")],
        Some(11) => vec![Who, Exactly("07:01"), Exactly("00:00")],
        _ => vec![Exactly("00:00")],
    }
}

impl Trial {
    /// Judges one request: `said` is what was expected, `Some(None)` for no reply at all.
    #[must_use]
    pub fn judge(sent: &[u8], said: Option<Option<Vec<u8>>>, got: Option<Vec<u8>>, time: Option<Duration>) -> Self {
        let forms = allowed(&explain::explain(sent, Charset::Utf8));
        let asked = said.is_some();
        let passed = match &said {
            Some(said) => *said == got,
            None => forms.iter().any(|form| form.fits(got.as_deref())),
        };
        let expected = match said {
            Some(said) => vec![said],
            None => forms.into_iter().map(Form::shown).collect(),
        };
        let sent = crate::wire::show::starred(sent);
        let exchange = Exchange { from: Who::S, sent, expected, got, tries: 1, time };
        Self { exchange, asked, passed }
    }

    /// What was expected, in a line.
    #[must_use]
    pub fn expected(&self) -> String {
        let shown = |reply: &Option<Vec<u8>>| match reply {
            Some(bytes) => printable(bytes),
            None => t!("term.silence").into_owned(),
        };
        self.exchange.expected.iter().map(shown).collect::<Vec<_>>().join(" | ")
    }
}

/// What the session would have done at this point, in a line.
#[must_use]
pub fn session_would(request: &[u8], reply: Option<&[u8]>) -> String {
    let operation = explain::explain(request, Charset::Utf8).operation;
    let Some(reply) = reply else {
        return match operation {
            Some(3) => t!("term.would_fence"),
            Some(5 | 9) => t!("term.would_log_in_again"),
            Some(1 | 2 | 4 | 6 | 8) => t!("term.would_resend"),
            _ => t!("term.would_give_up"),
        }
        .into_owned();
    };
    use crate::wire::reply::{Forwarded, LoggedIn, Registered};
    match Reply::decode(reply, &mut Learned::default()) {
        Reply::Register(Registered::Done) => t!("term.would_fill_login"),
        Reply::Register(_) => t!("term.would_ask_again"),
        Reply::Login(LoggedIn::Done) => t!("term.would_poll"),
        Reply::Login(LoggedIn::AlreadyLoggedIn) => t!("term.would_try_served"),
        Reply::Login(_) => t!("term.would_ask_again"),
        Reply::Send(Forwarded::Done) => t!("term.would_mark_sent"),
        Reply::Send(Forwarded::Offline) => t!("term.would_mark_offline"),
        Reply::Count(0) | Reply::CountAll(0) => t!("term.would_wait"),
        Reply::Count(_) | Reply::CountAll(_) => t!("term.would_take"),
        Reply::Take(Some(_)) | Reply::TakeAll(Some(_)) => t!("term.would_store"),
        Reply::Take(None) | Reply::TakeAll(None) => t!("term.would_wait"),
        Reply::Offline { .. } => t!("term.would_be_offline"),
        Reply::NotLoggedIn => t!("term.would_log_in_again"),
        Reply::Hello { .. } | Reply::Who { .. } => t!("term.would_note"),
        Reply::NotUnderstood => t!("term.would_show_bytes"),
        Reply::Other(_) => t!("term.would_ignore"),
    }
    .into_owned()
}

/// The document in Markdown.
#[must_use]
pub fn markdown(server: SocketAddr, when: &str, trials: &[Trial]) -> String {
    let mut text = format!("# {}\n\n", t!("term.trials"));
    let passed = trials.iter().filter(|trial| trial.passed).count();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "- {}", t!("term.trials_server", server = server));
    let _ = writeln!(text, "- {}", t!("term.trials_when", when = when));
    let _ = writeln!(text, "- {}\n", t!("term.trials_counts", total = trials.len(), passed = passed));
    let _ = writeln!(text, "{}\n|---|---|---|---|---|---|", t!("term.trials_head"));
    for (i, trial) in trials.iter().enumerate() {
        let Exchange { sent, expected, got, time, .. } = &trial.exchange;
        let cell = |reply: &Option<Vec<u8>>| reply.as_deref().map_or_else(|| t!("term.silence").into_owned(), code);
        let expected: Vec<String> = expected.iter().map(cell).collect();
        let source = if trial.asked { t!("term.trials_said") } else { t!("term.trials_text") };
        let time = time.map(|time| format!("{:.2} ms", time.as_secs_f64() * 1e3)).unwrap_or_default();
        let verdict = if trial.passed { t!("probe.pass") } else { t!("probe.fail") };
        let (expected, got) = (expected.join(" / "), cell(got));
        let _ = writeln!(text, "| {} | {} | {expected} ({source}) | {got} | {time} | {verdict} |", i + 1, code(sent));
    }
    text
}

/// The document in JSON.
#[must_use]
pub fn json(server: SocketAddr, when: &str, trials: &[Trial]) -> String {
    let text = |reply: &Option<Vec<u8>>| reply.as_deref().map(printable);
    let one = |trial: &Trial| -> Value {
        let Exchange { sent, expected, got, time, .. } = &trial.exchange;
        json!({
            "sent": printable(sent),
            "expected": expected.iter().map(text).collect::<Vec<_>>(),
            "expected_from": if trial.asked { "said" } else { "text" },
            "got": text(got),
            "milliseconds": time.map(|time| time.as_secs_f64() * 1e3),
            "verdict": if trial.passed { "pass" } else { "fail" },
        })
    };
    let trials: Vec<Value> = trials.iter().map(one).collect();
    format!("{:#}\n", json!({"format": 1, "server": server.to_string(), "date": when, "trials": trials}))
}

/// Bytes as a code span in a table.
fn code(bytes: &[u8]) -> String {
    let text = printable(bytes).replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_judged_by_the_text_or_by_what_was_said() {
        let reply = |text: &str| Some(text.as_bytes().to_vec());
        // Sent, said (`-` for nothing at all), got, passed.
        let cases: [(&str, Option<&str>, Option<&str>, bool); 15] = [
            ("02#20170001#secret#", None, Some("02:01"), true),
            ("02#20170001#secret#", None, Some("02:04"), true),
            ("02#20170001#secret#", None, Some("02:05"), false),
            ("02#20170001#secret#", Some("02:01"), Some("02:04"), false),
            ("02#20170001#secret", None, Some("00:00"), true),
            ("02#20170001#secret", None, Some("02:01"), false),
            ("08#", None, Some("08:12"), true),
            ("08#", None, Some("08:x"), false),
            ("08#", None, Some("07:01"), true),
            ("09#", None, Some("09:bob:2026-11-21 08:00:00:a:b"), true),
            ("09#", None, Some("09:bob:08:00:a"), false),
            ("09#", None, Some("05:bob:2026-11-21 08:00:00:a"), false),
            ("06#", None, None, false),
            ("06:01", None, None, true),
            ("06#", Some("-"), None, true),
        ];
        for (sent, said, got, passed) in cases {
            let said = said.map(|said| if said == "-" { None } else { reply(said) });
            let trial = Trial::judge(sent.as_bytes(), said, got.and_then(reply), None);
            assert_eq!(trial.passed, passed, "{sent} {got:?}, expected {}", trial.expected());
        }
    }

    #[test]
    fn the_document_keeps_no_password_and_breaks_no_table() {
        let time = Some(Duration::from_micros(1_500));
        let trials = [
            Trial::judge(b"02#a#secret#", None, Some(b"02:01".to_vec()), time),
            Trial::judge(b"03#b#x|y`z#", Some(None), Some(b"03:01".to_vec()), time),
        ];
        let server = SocketAddr::from(([127, 0, 0, 1], 21568));
        let text = markdown(server, "2026-11-21 08:00:00", &trials);
        assert!(!text.contains("secret") && text.contains("`02#a#******#`"), "{text}");
        let row = text.lines().find(|line| line.starts_with("| 2 ")).expect("a row");
        assert_eq!(row.replace("\\|", "").matches('|').count(), 7, "{row}");
        let value: Value = serde_json::from_str(&json(server, "", &trials)).expect("JSON");
        assert_eq!(
            (&value["trials"][1]["verdict"], &value["trials"][1]["expected"][0]),
            (&json!("fail"), &Value::Null)
        );
    }
}
