//! Sending datagrams by hand: each line is a datagram, sent from a socket of its own, and everything about it and its
//! answer is shown.
//!
//! Its part:
//!
//! - `late`: replies that come after they were given up. Pure.

mod late;

use std::net::SocketAddr;

use rust_i18n::t;

use self::late::{Late, Whose};
use super::app::App;
use super::remembered::is_kept;
use super::screen::harmless;
use super::would::session_would;
use crate::client::net::{Bell, Now, Socket, clock};
use crate::probe::hand::{Arrived, Expectation, PATIENCE, Trial};
use crate::probe::{CaseReport, Document, Origin, Verdict, markdown, printable};
use crate::protocol::wire::explain::{Colour, explain};
use crate::protocol::wire::{Charset, show};

/// The most rows of a datagram that are shown as bytes.
const ROWS: usize = 8;

/// The socket, and what has been tried so far.
pub(super) struct Raw {
    server: SocketAddr,
    socket: Socket,
    bell: Bell,
    began: String,
    sent: Option<Sent>,
    /// What was said to be expected of the next request.
    expect: Option<Expectation>,
    cases: Vec<CaseReport>,
    /// Requests that were given up but may still be answered.
    late: Late,
}

struct Sent {
    bytes: Vec<u8>,
    trial: Trial,
    at: Now,
}

impl Raw {
    /// Returns when the answer counts as missing.
    pub(super) fn deadline(&self) -> Option<std::time::Instant> {
        self.sent.as_ref().map(|sent| sent.at.instant + PATIENCE)
    }

    fn document(&self) -> Document {
        let (when, cases) = (self.began.clone(), self.cases.clone());
        Document { server: self.server, when, origin: Origin::OwnSocket, cases }
    }
}

impl App {
    /// Begins sending by hand, to the address `name` or, if that is empty, to the present server.
    pub(super) fn begin_raw(&mut self, name: &str) {
        let server = match name {
            "" => Ok(self.server.place.address()),
            name => name.parse::<SocketAddr>(),
        };
        let Ok(server) = server else { return self.warn(&t!("term.raw_address")) };
        let bell = self.wakes.bell();
        match Socket::open(None, server, bell.clone()) {
            Ok(socket) => {
                let began = super::talk::clock_time(clock::now().unix_ms, "%Y-%m-%d %H:%M:%S");
                self.raw = Some(Raw {
                    server,
                    socket,
                    bell,
                    began,
                    sent: None,
                    expect: None,
                    cases: Vec::new(),
                    late: Late::default(),
                });
                self.print(&t!("term.raw_begin", server = server));
            }
            Err(error) => self.error(&crate::base::trouble::words(&error)),
        }
    }

    pub(super) fn raw_prompt(&self) -> Option<String> {
        self.raw.as_ref().map(|raw| format!("raw {}> ", raw.server))
    }

    /// Returns whether an answer is awaited.
    pub(super) fn raw_waits(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.sent.is_some())
    }

    /// Handles a line typed by hand.
    pub(super) fn raw_line(&mut self, line: &str) {
        let (text, expected) = split_expected(line);
        if let Some(command) = line.strip_prefix('/') {
            self.echo_raw(line);
            return self.raw_command(command);
        }
        let bytes = match show::unescape(text) {
            Ok(bytes) if bytes.is_empty() => return,
            Ok(bytes) => bytes,
            Err(what) => return self.warn(&t!("term.raw_escape", what = harmless(&what))),
        };
        let starred = show::starred(&bytes);
        // A password is neither shown again nor brought back by the arrow keys.
        let shown = if starred == bytes { line.to_owned() } else { printable(&starred) };
        self.line.remember(&shown);
        if is_kept(&shown) {
            self.keep_line(&shown);
        }
        self.echo_raw(&shown);
        let mut text = self.dump(&starred);
        let explained = explain(&bytes, Charset::Utf8);
        let locale = rust_i18n::locale();
        for line in explained.lines(&locale, Colour::None) {
            text.push_str(&format!("  {}\n", harmless(&line)));
        }
        // The text shown has stars in place of the password, and so another length.
        let hidden = if starred == bytes { "" } else { " · ******" };
        let sent = format!("{}{hidden}", t!("term.raw_sent", n = bytes.len()));
        self.print(&format!("{} {}", self.out.style.strong("→"), sent));
        let text = self.out.style.quiet(text.trim_end());
        self.print(&text);
        let at = clock::now();
        if let Some(raw) = &mut self.raw {
            let expected = expected.or_else(|| raw.expect.take()).unwrap_or_default();
            match raw.socket.send(&bytes) {
                Ok(()) => raw.sent = Some(Sent { trial: Trial::new(&bytes, &expected), bytes, at }),
                Err(error) => self.error(&crate::base::trouble::words(&error)),
            }
        }
    }

    /// Returns rows of bytes that fit the window.
    fn dump(&self, bytes: &[u8]) -> String {
        let across = match self.columns() {
            75.. => 16,
            42.. => 8,
            _ => 4,
        };
        dump(bytes, across)
    }

    fn echo_raw(&mut self, line: &str) {
        if self.on_terminal() {
            let prompt = self.raw_prompt().unwrap_or_default();
            let text = self.out.style.quiet(&format!("{prompt}{}", harmless(line)));
            self.print_as_it_is(&text);
        }
    }

    fn raw_command(&mut self, command: &str) {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "leave" | "离开" => {
                self.raw = None;
            }
            "quit" | "退出" => self.leave_now(),
            "expect" | "期望" => {
                let expected = Expectation::parse(rest).filter(|said| *said != Expectation::Text);
                if let (Some(raw), Some(expected)) = (&mut self.raw, expected) {
                    raw.expect = Some(expected);
                } else {
                    self.warn(&t!("term.raw_help"));
                }
            }
            "trials" | "记录" => {
                let text = self.raw.as_ref().map(|raw| markdown::write(&raw.document(), &rust_i18n::locale()));
                self.print_as_it_is(&text.unwrap_or_default());
            }
            "save" | "保存" if !rest.is_empty() => self.save_trials(rest),
            _ => self.print(&t!("term.raw_help")),
        }
    }

    fn save_trials(&mut self, file: &str) {
        let Some(raw) = &self.raw else { return };
        let text = raw.document().written(file, &rust_i18n::locale());
        let n = raw.cases.len();
        match std::fs::write(file, text) {
            Ok(()) => self.quiet(&t!("term.raw_saved", n = n, file = harmless(file))),
            Err(error) => self.error(&format!("{}: {}", harmless(file), crate::base::trouble::words(&error))),
        }
    }

    /// Handles what has arrived at the socket, and an answer that is missing.
    pub(super) fn raw_turn(&mut self) {
        let Some(raw) = &mut self.raw else { return };
        raw.bell.answer();
        let mut arrived = Vec::new();
        while let Some(arrival) = raw.socket.arrival() {
            let waiting = raw.sent.as_ref().map(|sent| sent.bytes.as_slice());
            let whose = raw.late.whose(arrival.at.instant, &arrival.bytes, waiting);
            let sent = raw.sent.take_if(|_| !matches!(whose, Whose::Late(..)));
            arrived.push((whose, sent, arrival));
        }
        for (whose, sent, arrival) in arrived {
            match (whose, sent) {
                (Whose::Unclear, Some(sent)) => self.raw_answered(&sent, Arrived::Perhaps(arrival.bytes)),
                (_, Some(sent)) => {
                    let time = arrival.at.instant.saturating_duration_since(sent.at.instant);
                    self.raw_answered(&sent, Arrived::Reply(arrival.bytes, time));
                }
                (Whose::Late(number, after), None) => {
                    let (bytes, after) =
                        (printable(&show::starred(&arrival.bytes)), format!("{:.1}", after.as_secs_f64()));
                    self.warn(&t!("term.raw_late", bytes = harmless(&bytes), number = number, n = after));
                }
                (_, None) => {
                    let bytes = printable(&show::starred(&arrival.bytes));
                    self.warn(&t!("term.raw_unasked", bytes = harmless(&bytes)));
                }
            }
        }
        let overdue = self.raw.as_ref().and_then(Raw::deadline).is_some_and(|end| end <= clock::now().instant);
        if overdue
            && let Some(raw) = &mut self.raw
            && let Some(sent) = raw.sent.take()
        {
            raw.late.give_up(raw.cases.len() + 1, &sent.bytes, sent.at.instant);
            self.raw_answered(&sent, Arrived::Nothing);
        }
    }

    fn raw_answered(&mut self, sent: &Sent, came: Arrived) {
        let (reply, took) = match &came {
            Arrived::Reply(reply, time) => (Some(reply), format!(" · {:.2} ms", time.as_secs_f64() * 1e3)),
            Arrived::Perhaps(reply) => (Some(reply), String::new()),
            Arrived::Nothing | Arrived::NotYet => (None, String::new()),
        };
        match reply {
            Some(reply) => {
                let starred = show::starred(reply);
                let meaning = harmless(&show::answer(&sent.bytes, reply, &rust_i18n::locale()));
                let shown = self.out.style.name(&harmless(&printable(&starred)));
                self.print(&format!("{} {shown}{took} · {meaning}", self.out.style.strong("←")));
                let text = self.out.style.quiet(self.dump(&starred).trim_end());
                self.print(&text);
            }
            None => {
                self.print(&format!("{} {}", self.out.style.strong("←"), t!("term.raw_silent", n = PATIENCE.as_secs())))
            }
        }
        let would = session_would(&sent.bytes, reply.map(Vec::as_slice));
        let number = self.raw.as_ref().map_or(0, |raw| raw.cases.len()) + 1;
        let case = sent.trial.case(number, &came);
        let locale = rust_i18n::locale();
        let reason = harmless(&markdown::reason(&case, &locale));
        match &case.verdict {
            Verdict::Passed => {
                let text = self.out.style.good(&t!("term.raw_expected"));
                self.print(&format!("  {text}"));
            }
            Verdict::Failed(_) => {
                let expected = harmless(&case.expected(&locale));
                self.error(&format!("  {}\n  {reason}", t!("term.raw_unexpected", expected = expected)));
            }
            Verdict::Unclear(_) => self.warn(&format!("  {reason}")),
        }
        self.quiet(&format!("  {}", t!("term.raw_session", would = would)));
        if let Some(raw) = &mut self.raw {
            raw.cases.push(case);
        }
    }
}

/// Splits a line into the request and, after ` => `, what is expected of the answer.
fn split_expected(line: &str) -> (&str, Option<Expectation>) {
    let said = line.rsplit_once(" => ").and_then(|(text, said)| Some((text, Expectation::parse(said)?)));
    match said.filter(|(_, said)| *said != Expectation::Text) {
        Some((text, said)) => (text.trim_end(), Some(said)),
        None => (line, None),
    }
}

/// Writes rows of bytes in hexadecimal and as text.
fn dump(bytes: &[u8], across: usize) -> String {
    let mut text = String::new();
    for (i, row) in bytes.chunks(across).take(ROWS).enumerate() {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let read: String = row
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        text.push_str(&format!("  {:04}  {:<wide$}  {read}\n", i * across, hex.join(" "), wide = across * 3 - 1));
    }
    if bytes.len() > across * ROWS {
        text.push_str("  …\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_may_stand_behind_the_request() {
        assert_eq!(split_expected("02#a#b# => 02:01"), ("02#a#b#", Some(Expectation::Reply(b"02:01".to_vec()))));
        assert_eq!(split_expected("02#a#b => -"), ("02#a#b", Some(Expectation::Silence)));
        assert_eq!(split_expected("03#b#a => b#"), ("03#b#a => b#", None));
    }

    #[test]
    fn bytes_stand_in_rows() {
        assert_eq!(dump(b"08#\n", 16), format!("  0000  {:<47}  08#.\n", "30 38 23 0a"));
        assert_eq!(dump(&[0; 1000], 8).lines().count(), ROWS + 1);
    }
}
