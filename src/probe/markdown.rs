//! The test document for people, in Markdown.

use std::fmt::{self, Write};

use rust_i18n::t;

use super::document::{CaseReport, Document, Origin, Verdict, printable};
use super::rule::Rule;

/// The most characters of a request or reply that are shown; of a longer one the beginning and the length.
const SHOWN: usize = 72;

/// Writes the document. `locale` is `en` or `zh-CN`.
#[must_use]
pub fn write(document: &Document, locale: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = whole(&mut text, document, locale);
    text
}

fn whole(out: &mut String, document: &Document, locale: &str) -> fmt::Result {
    let (title, intro) = match document.origin {
        Origin::Script(_) => (t!("probe.title", locale = locale), t!("probe.intro", locale = locale)),
        Origin::OwnSocket => (t!("probe.title_hand", locale = locale), t!("probe.intro_own", locale = locale)),
        Origin::SharedSocket => (t!("probe.title_hand", locale = locale), t!("probe.intro_shared", locale = locale)),
    };
    writeln!(out, "# {title}\n\n{intro}\n")?;
    writeln!(out, "| | |\n|---|---|")?;
    let mut row = |key: &str, value: String| writeln!(out, "| {key} | {value} |");
    row(&t!("probe.server", locale = locale), format!("`{}`", document.server))?;
    row(&t!("probe.date", locale = locale), document.when.clone())?;
    if let Some(run) = document.run() {
        let accounts: Vec<String> = ["A", "B", "C"].map(|who| format!("`Probe{}{who}`", run.mark)).into();
        row(&t!("probe.accounts", locale = locale), accounts.join(", "))?;
        row(&t!("probe.duration", locale = locale), format!("{:.1} s", run.elapsed.as_secs_f64()))?;
        row(&t!("probe.sent_again", locale = locale), run.resent.to_string())?;
    }
    row(&t!("probe.program", locale = locale), concat!("hongyan ", env!("CARGO_PKG_VERSION")).to_owned())?;
    writeln!(out, "\n**{}**\n", summary(document, locale))?;
    if let Some(run) = document.run().filter(|run| run.untried > 0) {
        writeln!(out, "{}\n", t!("probe.untried", locale = locale, n = run.untried))?;
    }
    if document.run().is_some_and(|run| !run.left) {
        writeln!(out, "{}\n", t!("probe.not_left", locale = locale))?;
    }
    if let Some(slow) = slow(document, locale) {
        writeln!(out, "{slow}\n")?;
    }
    trouble(out, document, locale)?;
    habits(out, document, locale)?;
    writeln!(out, "## {}\n", t!("probe.cases", locale = locale))?;
    let legend = match document.origin {
        Origin::Script(_) => t!("probe.legend", locale = locale),
        Origin::OwnSocket | Origin::SharedSocket => t!("probe.legend_hand", locale = locale),
    };
    writeln!(out, "{legend}\n")?;
    for case in &document.cases {
        one(out, case, locale)?;
    }
    Ok(())
}

/// Returns how many cases passed, failed and are unclear, in one line.
#[must_use]
pub fn summary(document: &Document, locale: &str) -> String {
    let (passed, failed, unclear) = document.counts();
    let total = document.cases.len();
    let mut line =
        t!("probe.counts", locale = locale, total = total, passed = passed, failed = failed, unclear = unclear)
            .into_owned();
    if document.chosen() > 0 {
        line += &t!("probe.counts_chosen", locale = locale, n = document.chosen());
    }
    line
}

/// Returns the sentence that replies take long, if they do.
#[must_use]
pub fn slow(document: &Document, locale: &str) -> Option<String> {
    let slow = document.run()?.slow?;
    Some(t!("probe.slow", locale = locale, s = format!("{:.1}", slow.as_secs_f64())).into_owned())
}

/// Lists what failed and what is unclear first, with links to the cases.
fn trouble(out: &mut String, document: &Document, locale: &str) -> fmt::Result {
    let cases: Vec<&CaseReport> = document.cases.iter().filter(|case| case.verdict != Verdict::Passed).collect();
    if cases.is_empty() {
        return Ok(());
    }
    writeln!(out, "## {}\n", t!("probe.trouble", locale = locale))?;
    for case in cases {
        let line = t!(
            "probe.trouble_line",
            locale = locale,
            number = case.number,
            purpose = case.purpose(locale),
            verdict = case.verdict.text(locale),
            reason = reason(case, locale)
        );
        writeln!(out, "- {line}")?;
    }
    writeln!(out)
}

fn habits(out: &mut String, document: &Document, locale: &str) -> fmt::Result {
    let habits = document.habits();
    if habits.is_empty() {
        return Ok(());
    }
    writeln!(out, "## {}\n", t!("probe.habits", locale = locale))?;
    writeln!(out, "{}\n", t!("probe.habits_intro", locale = locale))?;
    for (habit, cases) in habits {
        let cases: Vec<String> = cases.iter().map(ToString::to_string).collect();
        let text = t!(format!("probe.habit.{habit}"), locale = locale);
        writeln!(out, "- {text} ({})", cases.join(", "))?;
    }
    writeln!(out)
}

fn one(out: &mut String, case: &CaseReport, locale: &str) -> fmt::Result {
    writeln!(out, "### {}. {}\n", case.number, case.purpose(locale))?;
    if !case.exchanges.is_empty() {
        let heads = ["probe.from", "probe.sent", "probe.expected", "probe.got", "probe.time"];
        let heads = heads.map(|key| t!(key, locale = locale).into_owned());
        writeln!(out, "| | {} |\n|---|---|---|---|---|---|", heads.join(" | "))?;
    }
    for (i, exchange) in case.exchanges.iter().enumerate() {
        let nothing = || t!("probe.nothing", locale = locale).into_owned();
        let shown = |reply: &Option<Vec<u8>>| reply.as_ref().map_or_else(nothing, |bytes| code(bytes, locale));
        let expected: Vec<String> = exchange.expected.iter().map(shown).collect();
        let or = t!("probe.or", locale = locale);
        let time = exchange.time.map(|time| format!("{:.2}", time.as_secs_f64() * 1_000.0)).unwrap_or_default();
        let again = if exchange.tries > 1 { format!(" ×{}", exchange.tries) } else { String::new() };
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {time}{again} |",
            i + 1,
            exchange.from.letter(),
            code(&exchange.sent, locale),
            expected.join(&or),
            shown(&exchange.got),
        )?;
    }
    let gap = if case.exchanges.is_empty() { "" } else { "\n" };
    let line =
        t!("probe.verdict_line", locale = locale, verdict = case.verdict.text(locale), reason = reason(case, locale));
    let attempts = match case.attempts {
        1 => String::new(),
        n => format!(" {}", t!("probe.attempts", locale = locale, n = n)),
    };
    writeln!(out, "{gap}{}{attempts}\n", line.trim_end())
}

/// Returns why a case did not pass: the rule, its section, and the byte.
#[must_use]
pub fn reason(case: &CaseReport, locale: &str) -> String {
    match &case.verdict {
        Verdict::Passed => String::new(),
        Verdict::Failed(finding) => {
            let found = finding.text(&case.exchanges, locale);
            match finding.rule {
                Some(broken) => t!("probe.broken", locale = locale, rule = rule(broken, locale), found = found).into(),
                None => t!("probe.not_as_said", locale = locale, found = found).into_owned(),
            }
        }
        Verdict::Unclear(unclear) => unclear.text(&case.exchanges, locale),
    }
}

fn rule(rule: Rule, locale: &str) -> String {
    let mark = if rule.chosen() { "≈ " } else { "" };
    let (text, section) = (rule.text(locale), rule.section().text(locale));
    t!("probe.rule_in", locale = locale, mark = mark, rule = text, section = section).into_owned()
}

/// Returns bytes as a code span for a table.
fn code(bytes: &[u8], locale: &str) -> String {
    let mut text = printable(bytes);
    let mut more = String::new();
    if let Some((cut, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(cut);
        text.push('…');
        more = format!(" ({})", t!("probe.bytes", locale = locale, n = bytes.len()));
    }
    let text = text.replace('|', "\\|");
    let fence = if text.contains('`') { "``" } else { "`" };
    // A span that begins or ends with a space or a backtick needs one more space, which is not shown.
    let pad = if text.starts_with([' ', '`']) || text.ends_with([' ', '`']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_in_tables() {
        for (bytes, shown) in
            [("03#b#hi#", "`03#b#hi#`"), ("a|b", "`a\\|b`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), (" x", "`  x `")]
        {
            assert_eq!(code(bytes.as_bytes(), "en"), shown);
        }
        let long = code("x".repeat(4_599).as_bytes(), "en");
        assert!(long.chars().count() < 100 && long.ends_with("x…` (4599 bytes)"), "{long}");
    }
}
