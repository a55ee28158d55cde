//! A session without a terminal: what a failed login means for the lines behind it, and the exit code.

use std::collections::VecDeque;
use std::time::Duration;

use rust_i18n::t;

use super::app::App;
use super::asks::{Ask, Pending};
use super::commands::Typed;
use super::script::Exit;
use super::server::Leaving;
use crate::client::net::clock;

/// How long a pipe that has ended waits for what it sent to be settled, and for what it asked the server.
const SETTLE: Duration = Duration::from_secs(10);

/// A line that has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// As it is.
    Line(String),
    /// One that was typed while a password was looked at, so that its writer did not see it: the password once more, if that
    /// is asked for, and nothing else.
    Blind(String),
    /// One that cannot be read.
    Unreadable,
}

/// The lines that wait, and how the session goes. Lines typed ahead at a terminal wait here as well.
#[derive(Debug)]
pub(super) struct Pipe {
    lines: VecDeque<Arrived>,
    /// The line that was done last, counted from 1.
    pub(super) number: usize,
    /// Whether the rest is not done.
    stopped: bool,
    /// Whether no more lines come.
    ended: bool,
    /// How the session went so far.
    pub(super) exit: Exit,
}

impl Default for Pipe {
    fn default() -> Self {
        Self { lines: VecDeque::new(), number: 0, stopped: false, ended: false, exit: Exit::Done }
    }
}

impl Pipe {
    /// A line has come.
    pub(super) fn came(&mut self, line: Arrived) {
        if !self.stopped {
            self.lines.push_back(line);
        }
    }

    /// No more lines come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The line that is to be done now.
    pub(super) fn next(&mut self) -> Option<Arrived> {
        let line = self.lines.pop_front()?;
        self.number += 1;
        Some(line)
    }

    /// Whether all lines are done, and no more come.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.lines.is_empty()
    }

    /// Takes away what was typed blind, since no password is asked for; tells whether there was any.
    pub(super) fn drop_blind(&mut self) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !matches!(line, Arrived::Blind(_)));
        self.lines.len() < before
    }

    /// What waits is not done, and no more is expected.
    pub(super) fn drop_rest(&mut self) {
        self.lines.clear();
        self.ended = true;
    }

    /// It ends here, whatever still comes.
    fn stop(&mut self) {
        self.misused();
        self.drop_rest();
        self.stopped = true;
    }

    /// Something was said that cannot be done. What went wrong before is the better reason.
    pub(super) fn misused(&mut self) {
        self.late(Exit::Usage);
    }

    /// Notes how it went, if all went well so far.
    pub(super) fn late(&mut self, exit: Exit) {
        if self.exit == Exit::Done {
            self.exit = exit;
        }
    }
}

impl App {
    /// The next line of a pipe, once what came before is done.
    pub(super) fn next_line(&mut self) {
        while !self.busy() {
            self.line_kind();
            let Some(line) = self.pipe.next() else { break };
            match line {
                Arrived::Line(line) => self.line_done(line),
                // Where none is asked for there is none any more.
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

    /// Whether a pipe's next line has to wait.
    pub(super) fn busy(&self) -> bool {
        self.pending != Pending::Nothing
            || self.login.is_busy()
            || self.raw_waits()
            || self.server.reach.is_some()
            || self.ending.how != Leaving::No
            || !self.server.found && self.ask == Ask::Command
    }

    /// The next line of a pipe, or its end, waits until the disk has done what this one asked of it, or has said why not.
    pub(super) fn wait_for_disk(&mut self) {
        if !self.on_terminal() && self.ending.how == Leaving::No {
            self.login.awaits.disk = true;
            self.client.settle();
        }
    }

    /// A login or a registration of a pipe has failed; the next good login takes that back.
    pub(super) fn failed(&mut self, exit: Exit) {
        if !self.on_terminal() {
            self.pipe.exit = exit;
        }
    }

    /// Whether this line of a pipe relies on a login that has failed. A text or a command without it would be
    /// taken for something else, or go to somebody else, so nothing behind it is done.
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

    /// The session ends here: neither this line nor what follows is done. Lines are counted, and not shown, since one
    /// may be a password.
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
