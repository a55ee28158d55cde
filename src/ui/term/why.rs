//! The command that finds out why a server cannot be reached.

use rust_i18n::t;

use super::Input;
use super::app::App;
use super::screen::harmless;
use super::style::Style;
use crate::client::diagnosis::{Mark, Question, Report};
use crate::client::known;
use crate::client::net::reach::Reach;
use crate::protocol::PORT;

/// Returns the whole report in colours.
#[must_use]
pub fn painted(report: &Report, style: Style, locale: &str) -> String {
    let mut text = format!("{}\n", style.strong(&harmless(&report.sentence(locale))));
    for line in report.lines(locale) {
        let said = format!("{} {}", line.mark.sign(), harmless(&line.text));
        text.push_str(&match line.mark {
            Mark::Done => style.good(&said),
            Mark::Warning => style.warning(&said),
            Mark::Failed => style.error(&said),
            Mark::Skipped => style.quiet(&said),
        });
        text.push('\n');
        for more in [line.meaning, line.advice] {
            if !more.is_empty() {
                text.push_str(&format!("  {}\n", harmless(&more)));
            }
        }
    }
    text
}

impl App {
    /// Begins to examine `server`, or the present server if that is empty.
    pub(super) fn why(&mut self, server: &str) {
        let server = if server.is_empty() { self.server.place.typed() } else { server.to_owned() };
        self.quiet(&t!("term.why_begin", server = harmless(&server)));
        let name = server.clone();
        let question = Question { server, port: PORT };
        let (inputs, data) = (self.wakes.inputs.clone(), self.profile.paths.histories.clone());
        let told = move |report: &Report| {
            if report.finished {
                let _ = inputs.send(Input::Reached(Box::new(report.clone())));
            }
        };
        match Reach::start(question, move |at| known(&data, &name, at), told) {
            Ok(reach) => self.server.reach = Some(reach),
            Err(error) => self.error(&crate::base::trouble::words(&error)),
        }
    }

    /// Prints the report when it is complete.
    pub(super) fn reached(&mut self, report: &Report) {
        self.server.reach = None;
        let text = painted(report, self.out.style, &rust_i18n::locale());
        self.print(&text);
    }
}
