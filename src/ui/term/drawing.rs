//! The prompt and what is printed above it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use rust_i18n::t;

use super::app::App;
use super::screen::{Prompt, fit, harmless};
use super::terminal::Terminal;
use super::wrap::wrap;
use crate::base::model::Account;
use crate::client::net::clock;
use crate::client::session::Link;

/// How often a flood of messages is drawn.
const DRAW: Duration = Duration::from_millis(10);
impl App {
    /// The prompt: who one is, whom one writes to, and how far the last message has come.
    pub(super) fn prompt(&self) -> Prompt {
        let question = self.ask.prompt();
        if let Some(plain) = question {
            return Prompt { painted: self.style.strong(&plain), plain };
        }
        if let Some(plain) = self.raw_prompt() {
            return Prompt { painted: self.style.warning(&plain), plain };
        }
        let me = self.me.as_ref().filter(|_| self.logged_in).map_or("hongyan", Account::as_str);
        let offline = self.logged_in && matches!(self.client.link(), Link::Offline | Link::LoggedOut);
        let off = match () {
            () if offline => format!(" ({})", t!("main.offline")),
            () if self.logged_in && self.client.is_silent() => format!(" ({})", t!("term.no_connection")),
            () if self.client.is_not_storing() => format!(" ({})", t!("term.not_storing")),
            () => String::new(),
        };
        let me = format!("{}{off}", harmless(&fit(me, 16)));
        let Some(target) = &self.target else {
            let searched = self.line.searching().map(|wanted| format!(" ({}: {wanted})", t!("term.searching")));
            let plain = format!("{me}{}> ", searched.unwrap_or_default());
            return Prompt { painted: self.style.good(&plain), plain };
        };
        let name = harmless(&fit(&self.roster.name(target), 20));
        let mark = self.mark();
        let plain = format!("{me} → {name}{mark}> ");
        let painted = format!("{} {}{mark}> ", self.style.good(&format!("{me} →")), self.style.name(&name));
        Prompt { plain, painted }
    }

    /// To be printed above the line, in whole lines, broken between words.
    pub(super) fn print(&mut self, text: &str) {
        if self.on_terminal() {
            self.print_as_it_is(&wrap(text, self.columns()));
        } else {
            self.print_as_it_is(text);
        }
    }

    /// To be printed above the line: what can be copied as it is, however narrow the window.
    pub(super) fn print_as_it_is(&mut self, text: &str) {
        self.dirty = true;
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    pub(super) fn quiet(&mut self, text: &str) {
        let text = self.style.quiet(text);
        self.print(&text);
    }

    pub(super) fn warn(&mut self, text: &str) {
        let text = self.style.warning(text);
        self.print(&text);
    }

    pub(super) fn error(&mut self, text: &str) {
        log::info!("said: {text}");
        let text = self.style.error(text);
        self.print(&text);
    }

    /// Draws at once after a key and after a pause, else at most every [`DRAW`]; when that is due.
    pub(super) fn flush_soon(&mut self) -> io::Result<Option<Instant>> {
        if !self.dirty {
            return Ok(None);
        }
        let now = clock::now().instant;
        if let Some(at) = self.draw_at.filter(|at| now < *at && !self.keyed && !self.left) {
            return Ok(Some(at));
        }
        self.flush()?;
        self.keyed = false;
        self.draw_at = Some(now + DRAW);
        Ok(None)
    }

    /// Writes what is new, and draws the line again.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.dirty, false) {
            return Ok(());
        }
        if self.cut {
            self.text.clear();
            return Ok(());
        }
        let mut out = String::new();
        if self.terminal.is_some() {
            self.line_kind();
            // What arrives may be quicker than the word of a new size.
            let (columns, rows) = self.terminal.as_ref().map_or((0, 0), Terminal::size);
            self.screen.resize(columns, rows);
            let prompt = self.prompt();
            // What is right is left alone: a terminal may be about to say that it has another size.
            if self.left || !self.text.is_empty() || !self.screen.shows(&prompt, &self.line) {
                self.screen.print(&self.text, &mut out);
                if !self.left {
                    self.screen.draw(&prompt, &self.line, &mut out);
                }
            }
        } else {
            out.push_str(&self.text);
        }
        self.text.clear();
        print(&out)
    }

    /// A password is asked for, or is no more.
    pub(super) fn line_kind(&mut self) {
        let secret = self.ask.is_secret();
        if secret != self.line.is_secret() {
            self.line.begin(secret);
        }
    }

    pub(super) fn columns(&self) -> usize {
        self.screen.columns()
    }
}

pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
