//! The prompt, the line being typed, and what is printed above it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use rust_i18n::t;

use super::app::App;
use super::line::Line;
use super::screen::{Prompt, Screen, fit, harmless};
use super::style::Style;
use super::terminal::Terminal;
use super::wrap::wrap;
use crate::base::model::Account;
use crate::client::net::clock;
use crate::client::session::ConnectionState;

/// The shortest time between two drawings during a flood of messages.
const DRAW: Duration = Duration::from_millis(10);

impl App {
    /// Returns the prompt: the user's name, the recipient, and the delivery state of the last message.
    pub(super) fn prompt(&self) -> Prompt {
        let question = self.ask.prompt();
        if let Some(plain) = question {
            return Prompt { painted: self.out.style.strong(&plain), plain };
        }
        if let Some(plain) = self.raw_prompt() {
            return Prompt { painted: self.out.style.warning(&plain), plain };
        }
        let me = self.login.account().map_or("hongyan", Account::as_str);
        let offline =
            self.login.logged_in && matches!(self.client.link(), ConnectionState::Offline | ConnectionState::LoggedOut);
        let off = match () {
            () if offline => format!(" ({})", t!("main.offline")),
            () if self.login.logged_in && self.client.is_silent() => format!(" ({})", t!("term.no_connection")),
            () if self.client.is_not_storing() => format!(" ({})", t!("term.not_storing")),
            () => String::new(),
        };
        let me = format!("{}{off}", harmless(&fit(me, 16)));
        let Some(target) = &self.login.target else {
            let searched = self.line.searching().map(|wanted| format!(" ({}: {wanted})", t!("term.searching")));
            let plain = format!("{me}{}> ", searched.unwrap_or_default());
            return Prompt { painted: self.out.style.good(&plain), plain };
        };
        let name = harmless(&fit(&self.login.roster.name(target), 20));
        let mark = self.login.own.mark();
        let plain = format!("{me} → {name}{mark}> ");
        let painted = format!("{} {}{mark}> ", self.out.style.good(&format!("{me} →")), self.out.style.name(&name));
        Prompt { plain, painted }
    }

    /// Prints whole lines above the prompt, broken between words.
    pub(super) fn print(&mut self, text: &str) {
        self.out.say(text);
    }

    /// Prints above the prompt without breaking lines, so that the text can be copied from a narrow window too.
    pub(super) fn print_as_it_is(&mut self, text: &str) {
        self.out.say_as_it_is(text);
    }

    pub(super) fn quiet(&mut self, text: &str) {
        self.out.say(&self.out.style.quiet(text));
    }

    pub(super) fn warn(&mut self, text: &str) {
        self.out.say(&self.out.style.warning(text));
    }

    pub(super) fn error(&mut self, text: &str) {
        log::info!("said: {text}");
        self.out.say(&self.out.style.error(text));
    }

    /// Draws at once after a key or a pause, else at most every [`DRAW`]. Returns when drawing is due next.
    pub(super) fn flush_soon(&mut self) -> io::Result<Option<Instant>> {
        let now = clock::now().instant;
        match self.out.due(now, self.ending.left) {
            Due::Nothing => Ok(None),
            Due::Later(at) => Ok(Some(at)),
            Due::Now => {
                self.flush()?;
                self.out.drawn(now);
                Ok(None)
            }
        }
    }

    /// Writes what is new, and draws the line again.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.line_kind();
        let prompt = self.prompt();
        self.out.flush(&prompt, &self.line, self.ending.left)
    }

    /// Sets whether the line is an ordinary line, an answer, or a password. While a password is being checked it may be
    /// asked for again, and a person who notices the mistake may already be typing it: what is typed then is the next
    /// password, or is dropped with a notice.
    pub(super) fn line_kind(&mut self) {
        let under_way = self.is_under_way();
        let half = match self.ask.prompt() {
            None if self.line.is_secret() && under_way => {
                self.line.hide_ahead();
                false
            }
            None if self.line.is_answer() => self.line.go_on(),
            None => false,
            Some(question) => self.line.ask(&question, self.ask.is_secret()),
        };
        let whole = !under_way && !self.ask.is_secret() && self.pipe.drop_blind();
        if half || whole {
            self.warn(&t!("term.typed_unseen"));
        }
    }

    pub(super) fn columns(&self) -> usize {
        self.out.screen.columns()
    }

    pub(super) fn on_terminal(&self) -> bool {
        self.out.terminal.is_some()
    }
}

/// When the screen is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    Later(Instant),
    Now,
}

/// The output: text that is not written yet, the prompt with the line, and whether anybody can see it.
pub(super) struct Output {
    pub(super) style: Style,
    terminal: Option<Terminal>,
    screen: Screen,
    /// Text that is not written yet.
    text: String,
    /// Whether something has changed that is to be drawn.
    dirty: bool,
    /// When the screen may be drawn next, unless a key was pressed.
    draw_at: Option<Instant>,
    keyed: bool,
    /// Whether nobody can see the output any more.
    pub(super) cut: bool,
    /// The error that showed this, if it came while writing.
    unwritten: Option<io::Error>,
}

impl Output {
    /// Makes an output on this terminal, or, without one, into a pipe.
    pub(super) fn new(style: Style, terminal: Option<Terminal>) -> Self {
        let (columns, rows) = terminal.as_ref().map_or((0, 0), Terminal::size);
        Self {
            style,
            terminal,
            screen: Screen::new(columns, rows),
            text: String::new(),
            dirty: true,
            draw_at: None,
            keyed: true,
            cut: false,
            unwritten: None,
        }
    }

    /// Prints whole lines; on a terminal they are broken between words.
    fn say(&mut self, text: &str) {
        if self.terminal.is_some() {
            self.say_as_it_is(&wrap(text, self.screen.columns()));
        } else {
            self.say_as_it_is(text);
        }
    }

    /// Prints whole lines as they are.
    fn say_as_it_is(&mut self, text: &str) {
        self.changed();
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Notes that the prompt may have changed.
    pub(super) fn changed(&mut self) {
        self.dirty = true;
    }

    /// Notes that a key was pressed, or something else came that is shown at once.
    pub(super) fn touched(&mut self) {
        (self.dirty, self.keyed) = (true, true);
    }

    /// Returns when to draw; the last drawing is never postponed.
    fn due(&self, now: Instant, last: bool) -> Due {
        if !self.dirty {
            return Due::Nothing;
        }
        match self.draw_at.filter(|at| now < *at && !self.keyed && !last) {
            Some(at) => Due::Later(at),
            None => Due::Now,
        }
    }

    fn drawn(&mut self, now: Instant) {
        self.keyed = false;
        self.draw_at = Some(now + DRAW);
    }

    /// Writes what is new, and the foot below it unless it is the last time.
    fn flush(&mut self, prompt: &Prompt, line: &Line, last: bool) -> io::Result<()> {
        if !std::mem::replace(&mut self.dirty, false) {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        if self.cut {
            return Ok(());
        }
        let Some(terminal) = &self.terminal else { return print(&text) };
        let mut out = String::new();
        // What arrives may be quicker than the word of a new size.
        let (columns, rows) = terminal.size();
        self.screen.resize(columns, rows);
        // What is right is left alone: a terminal may be about to say that it has another size.
        if last || !text.is_empty() || !self.screen.shows(prompt, line) {
            self.screen.print(&text, &mut out);
            if !last {
                self.screen.draw(prompt, line, &mut out);
            }
        }
        print(&out)
    }

    /// Clears the window.
    pub(super) fn clear(&mut self) {
        let mut out = String::new();
        self.screen.clear(&mut out);
        let _ = print(&out);
    }

    /// Stops the program until it is continued, as Ctrl+Z does.
    pub(super) fn suspend(&mut self) {
        let mut out = String::new();
        self.screen.erase(&mut out);
        let _ = print(&out);
        if let Some(terminal) = &self.terminal {
            terminal.suspend();
        }
    }

    /// Notes that output is no longer possible; the program still goes offline.
    pub(super) fn unheard(&mut self, error: io::Error) -> Option<Instant> {
        log::info!("cannot print: {error}");
        (self.cut, self.unwritten) = (true, Some(error));
        None
    }

    /// Erases the prompt and the line.
    ///
    /// # Errors
    /// The error of writing, now or earlier.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if let Some(error) = self.unwritten.take() {
            return Err(error);
        }
        if self.cut {
            return Ok(());
        }
        let mut out = String::new();
        self.screen.erase(&mut out);
        print(&out)
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_drawn_so_often_and_a_key_at_once() {
        let mut out = Output::new(Style::default(), None);
        let begin = Instant::now();
        assert_eq!(out.due(begin, false), Due::Now, "the first time");
        out.dirty = false;
        out.drawn(begin);
        assert_eq!(out.due(begin, false), Due::Nothing);
        out.say("a message");
        assert_eq!(out.due(begin, false), Due::Later(begin + DRAW));
        assert_eq!(out.due(begin + DRAW, false), Due::Now);
        assert_eq!(out.due(begin, true), Due::Now, "the last time is not put off");
        out.touched();
        assert_eq!(out.due(begin, false), Due::Now);
        assert_eq!(out.text, "a message\n");
    }

    #[test]
    fn what_nobody_sees_is_not_kept_and_its_reason_is() {
        let mut out = Output::new(Style::default(), None);
        assert_eq!(out.unheard(io::ErrorKind::BrokenPipe.into()), None);
        out.say("lost");
        assert!(out.flush(&Prompt::default(), &Line::default(), false).is_ok());
        assert_eq!(out.text, "");
        assert_eq!(out.end().map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
    }
}
