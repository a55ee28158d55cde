//! A session without a terminal: lines that wait, what a failed login means for the lines after it, and the exit code.

use std::collections::VecDeque;
use std::time::Duration;

use rust_i18n::t;

use super::app::App;
use super::asks::{Ask, Pending};
use super::commands::Typed;
use super::script::Exit;
use super::server::Leaving;
use crate::client::net::clock;

/// How long the program waits, after the end of a pipe, for its messages and questions to be answered.
const SETTLE: Duration = Duration::from_secs(10);

/// A line that has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// An ordinary line.
    Line(String),
    /// A line that was typed while a password was being checked, so that it was not shown: it counts as the password if
    /// that is asked for again, and else is dropped.
    Blind(String),
    /// A line that cannot be read.
    Unreadable,
}

/// The lines that wait, and how the session has gone. Lines that are typed ahead at a terminal wait here as well.
#[derive(Debug)]
pub(super) struct Pipe {
    lines: VecDeque<Arrived>,
    /// The number of the line that was handled last, from 1.
    pub(super) number: usize,
    /// Whether further lines are ignored.
    stopped: bool,
    /// Whether no more lines will come.
    ended: bool,
    /// The exit code so far.
    pub(super) exit: Exit,
}

impl Default for Pipe {
    fn default() -> Self {
        Self { lines: VecDeque::new(), number: 0, stopped: false, ended: false, exit: Exit::Done }
    }
}

impl Pipe {
    /// Adds a line that has arrived.
    pub(super) fn came(&mut self, line: Arrived) {
        if !self.stopped {
            self.lines.push_back(line);
        }
    }

    /// Notes that no more lines will come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Takes the next line.
    pub(super) fn next(&mut self) -> Option<Arrived> {
        let line = self.lines.pop_front()?;
        self.number += 1;
        Some(line)
    }

    /// Returns whether all lines are handled and no more will come.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.lines.is_empty()
    }

    /// Drops lines that were typed blind, since no password is asked for; returns whether there were any.
    pub(super) fn drop_blind(&mut self) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !matches!(line, Arrived::Blind(_)));
        self.lines.len() < before
    }

    /// Drops the lines that wait, and expects no more.
    pub(super) fn drop_rest(&mut self) {
        self.lines.clear();
        self.ended = true;
    }

    /// Ends the pipe, and ignores whatever still comes.
    fn stop(&mut self) {
        self.misused();
        self.drop_rest();
        self.stopped = true;
    }

    /// Notes that a line could not be carried out; an earlier failure stays the exit code.
    pub(super) fn misused(&mut self) {
        self.late(Exit::Usage);
    }

    /// Notes a failure, if there was none before.
    pub(super) fn late(&mut self, exit: Exit) {
        if self.exit == Exit::Done {
            self.exit = exit;
        }
    }
}

impl App {
    /// Handles the next lines of a pipe, as long as nothing has to be waited for.
    pub(super) fn next_line(&mut self) {
        while !self.busy() {
            self.line_kind();
            let Some(line) = self.pipe.next() else { break };
            match line {
                Arrived::Line(line) => self.line_done(line),
                // If no password is asked for here, it was dropped before.
                Arrived::Blind(line) => self.submit(line),
                Arrived::Unreadable => self.stop(&t!("term.not_utf8")),
            }
            self.events();
        }
        if self.pipe.is_over() && !self.busy() && self.ending.how == Leaving::No {
            if self.client.unsent() == 0 && !self.login.awaits.who {
                self.leave(Leaving::Quit);
            } else if self.ending.deadline.is_none() {
                self.ending.deadline = Some(clock::now().instant + SETTLE);
            }
        }
    }

    /// Returns whether the next line of a pipe has to wait.
    pub(super) fn busy(&self) -> bool {
        self.pending != Pending::Nothing
            || self.login.is_busy()
            || self.raw_waits()
            || self.server.reach.is_some()
            || self.ending.how != Leaving::No
            || !self.server.found && self.ask == Ask::Command
    }

    /// Makes the next line of a pipe, or its end, wait until the disk has done what this one asked for, or has said why
    /// not.
    pub(super) fn wait_for_disk(&mut self) {
        if !self.on_terminal() && self.ending.how == Leaving::No {
            self.login.awaits.disk = true;
            self.client.settle();
        }
    }

    /// Notes that a login or a registration of a pipe has failed; the next successful login resets this.
    pub(super) fn failed(&mut self, exit: Exit) {
        if !self.on_terminal() {
            self.pipe.exit = exit;
        }
    }

    /// Returns whether this line of a pipe relies on a login that has failed. Without it a text or a command could mean
    /// something else or reach somebody else, so nothing after it is carried out.
    pub(super) fn relies_on_login(&self, typed: &Typed) -> bool {
        let needless = match typed {
            Typed::Nothing => true,
            Typed::Command(command, _) => !command.needs_login,
            Typed::Say(..)
            | Typed::Text(..)
            | Typed::Usage(_)
            | Typed::Unknown(_)
            | Typed::Nobody(_)
            | Typed::HalfSaid => false,
        };
        !self.on_terminal() && !self.login.logged_in && self.pipe.exit != Exit::Done && !needless
    }

    /// Ends the session: neither this line nor the rest is carried out. The message gives the number of the line and
    /// not its text, which may be a password.
    pub(super) fn stop(&mut self, why: &str) {
        self.error(&t!("term.stopped", why = why, line = self.pipe.number));
        self.pipe.stop();
        if self.client.unsent() == 0 {
            self.leave(Leaving::Quit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_stop_is_not_done() {
        let mut pipe = Pipe::default();
        let line = |text: &str| Arrived::Line(text.into());
        pipe.came(line("login a"));
        pipe.came(Arrived::Unreadable);
        assert_eq!((pipe.next(), pipe.number), (Some(line("login a")), 1));
        pipe.came(line("secret"));
        assert_eq!((pipe.next(), pipe.number), (Some(Arrived::Unreadable), 2));
        assert!(!pipe.is_over());
        pipe.stop();
        pipe.came(line("chat b"));
        assert_eq!((pipe.next(), pipe.number, pipe.exit), (None, 2, Exit::Usage));
        assert!(pipe.is_over());
    }

    #[test]
    fn it_is_over_when_the_last_line_is_done_and_the_first_reason_stays() {
        let mut pipe = Pipe::default();
        pipe.came(Arrived::Line("friends".into()));
        pipe.end();
        assert!(!pipe.is_over());
        assert!(pipe.next().is_some() && pipe.is_over());
        pipe.late(Exit::NoAnswer);
        pipe.misused();
        assert_eq!(pipe.exit, Exit::NoAnswer);
    }
}
