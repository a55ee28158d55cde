//! A session without a terminal: what a failed login means for the lines behind it, and the exit code.

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

impl App {
    /// The next line of a pipe, once what came before is done.
    pub(super) fn next_line(&mut self) {
        while !self.busy() {
            let Some(line) = self.lines.pop_front() else { break };
            self.line_number += 1;
            match line {
                Some(line) => self.submit(line),
                None => self.stop(&t!("term.not_utf8")),
            }
            self.events();
        }
        if self.ended && self.lines.is_empty() && !self.busy() && self.leaving == Leaving::No {
            if self.client.unsent() == 0 && !self.who_wanted {
                self.leave(Leaving::Quit);
            } else if self.deadline.is_none() {
                self.deadline = Some(clock::now().instant + SETTLE);
            }
        }
    }

    /// Whether a pipe's next line has to wait.
    pub(super) fn busy(&self) -> bool {
        self.pending != Pending::Nothing
            || !self.wanted.is_empty()
            || self.searching > 0
            || self.settling
            || self.change.is_some()
            || self.raw_waits()
            || self.reach.is_some()
            || self.pages.waits()
            || self.asked_account
            || self.changing_password
            || self.leaving != Leaving::No
            || !self.found && self.ask == Ask::Command
    }

    /// The next line of a pipe, or its end, waits until the disk has done what this one asked of it, or has said why not.
    pub(super) fn wait_for_disk(&mut self) {
        if !self.on_terminal() && self.leaving == Leaving::No {
            self.settling = true;
            self.client.settle();
        }
    }

    /// A login or a registration of a pipe has failed; the next good login takes that back.
    pub(super) fn failed(&mut self, exit: Exit) {
        if !self.on_terminal() {
            self.exit = exit;
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
        !self.on_terminal() && !self.logged_in && self.exit != Exit::Done && !needless
    }

    /// The session ends here: neither this line nor what follows is done. Lines are counted, and not shown, since one
    /// may be a password.
    pub(super) fn stop(&mut self, why: &str) {
        self.error(&t!("term.stopped", why = why, line = self.line_number));
        if self.exit == Exit::Done {
            self.exit = Exit::Usage;
        }
        self.lines.clear();
        self.ended = true;
        self.stopped = true;
        if self.client.unsent() == 0 {
            self.leave(Leaving::Quit);
        }
    }
}
