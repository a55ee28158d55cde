//! A session without a terminal: what a failed login means for the lines behind it, and the exit code.

use rust_i18n::t;

use super::app::App;
use super::commands::Typed;
use super::script::Exit;
use super::server::Leaving;

impl App {
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
