//! The test document for programs, in JSON. Keys and ids are the same in every language; bytes are given as text and in
//! hexadecimal, and positions count from 0.

use serde_json::{Value, json};

use super::document::{CaseReport, Difference, Document, Exchange, Failure, Unclear, Verdict, printable};
use super::rule::Rule;
use rust_i18n::t;

/// Writes the document, its sentences in `locale` (`en` or `zh-CN`).
#[must_use]
pub fn write(document: &Document, locale: &str) -> String {
    let (passed, failed, unclear) = document.counts();
    let habits: Vec<Value> = document
        .habits()
        .into_iter()
        .map(|(id, cases)| json!({"id": id, "text": t!(format!("probe.habit.{id}"), locale = locale), "cases": cases}))
        .collect();
    let run = document.run();
    let cases: Vec<Value> = document.cases.iter().map(|report| case(report, locale)).collect();
    let value = json!({
        "format": 1,
        "program": concat!("hongyan ", env!("CARGO_PKG_VERSION")),
        "server": document.server.to_string(),
        "date": document.when,
        // Requests sent by hand are not part of a run.
        "mark": run.map(|run| &run.mark),
        "milliseconds": run.map(|run| milliseconds(run.elapsed)),
        "sent_again": run.map(|run| run.resent),
        "untried": run.map(|run| run.untried),
        "logged_out": run.map(|run| run.left),
        "passed": passed,
        "failed": failed,
        "failed_chosen": document.chosen(),
        "unclear": unclear,
        "habits": habits,
        "cases": cases,
    });
    format!("{value:#}\n")
}

fn case(case: &CaseReport, locale: &str) -> Value {
    let mut value = json!({
        "number": case.number,
        "id": case.id,
        "purpose": case.purpose(locale),
        "verdict": case.verdict.id(),
        "attempts": case.attempts,
        "habits": case.habits,
        "exchanges": case.exchanges.iter().map(exchange).collect::<Vec<_>>(),
    });
    let why = match &case.verdict {
        Verdict::Passed => return value,
        Verdict::Failed(found) => finding(found, case, locale),
        Verdict::Unclear(unclear) => {
            let mut why = json!({"text": unclear.text(&case.exchanges, locale)});
            if let (Unclear::NotAgain(found), Some(why)) = (unclear, why.as_object_mut()) {
                why.insert("seen_once".to_owned(), finding(found, case, locale));
            }
            why
        }
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("why".to_owned(), why);
    }
    value
}

fn finding(finding: &Failure, case: &CaseReport, locale: &str) -> Value {
    let (kind, offset, got) = match &finding.difference {
        Difference::Byte(at) => ("byte", Some(at), None),
        Difference::NoReply => ("no-reply", None, None),
        Difference::OtherSocket { got, .. } => ("other-socket", None, Some(got)),
        Difference::OtherAddress { got, .. } => ("other-address", None, Some(got)),
        Difference::EachNth(_) => ("each-nth", None, None),
        Difference::Previous => ("previous", None, None),
        Difference::More(got) => ("more", None, Some(got)),
    };
    json!({
        "rule": finding.rule.map(Rule::id),
        "chosen": finding.rule.is_some_and(Rule::chosen),
        "section": finding.rule.map(|rule| rule.section().text(locale)),
        "rule_text": finding.rule.map(|rule| rule.text(locale)),
        "exchange": finding.exchange,
        "difference": kind,
        "offset": offset,
        "got": got.map(|got| bytes(got)),
        "text": finding.text(&case.exchanges, locale),
    })
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "from": exchange.from.letter(),
        "sent": bytes(&exchange.sent),
        "expected": exchange.expected.iter().map(|reply| reply.as_deref().map(printable)).collect::<Vec<_>>(),
        "got": exchange.got.as_deref().map(bytes),
        "tries": exchange.tries,
        "milliseconds": exchange.time.map(milliseconds),
    })
}

fn bytes(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"text": printable(bytes), "hex": hex})
}

fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
