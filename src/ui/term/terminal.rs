//! The terminal itself: keys one by one while the program runs, and as it was when it ends, however
//! that happens.

use std::io::{self, Write};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::{execute, terminal};

use super::keys;
use super::line::{Done, Line};

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
pub struct Terminal(());

impl Terminal {
    /// Takes the terminal: keys come one by one and are not echoed.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub fn take() -> io::Result<Self> {
        take()?;
        Ok(Self(()))
    }

    /// Columns and rows; zero where nobody knows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        terminal::size().unwrap_or((0, 0))
    }

    /// Stops the program as Ctrl+Z does elsewhere, until somebody continues it.
    #[cfg(unix)]
    pub fn suspend(&self) {
        give_back();
        if let Err(error) = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP) {
            log::info!("not stopped: {error}");
        }
        if let Err(error) = take() {
            log::error!("the terminal cannot be taken again: {error}");
        }
    }

    /// There is no such thing here.
    #[cfg(not(unix))]
    pub fn suspend(&self) {}
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    // A terminal that does not know it ignores it.
    execute!(io::stdout(), EnableBracketedPaste)
}

/// Asks for a password on standard error, without echo; `None` when it was not given.
///
/// # Errors
/// Standard input is no terminal.
pub(super) fn ask_secret(prompt: &str) -> io::Result<Option<String>> {
    let terminal = Terminal::take()?;
    let mut out = io::stderr();
    out.write_all(prompt.as_bytes())?;
    out.flush()?;
    let mut line = Line::default();
    line.begin(true);
    let typed = loop {
        let Some(event) = keys::next()? else { break None };
        let Some(key) = keys::key(event) else { continue };
        match line.key(key) {
            Done::Line(text) => break Some(text),
            Done::Interrupt | Done::End => break None,
            _ => {}
        }
    };
    drop(terminal);
    out.write_all(b"\n")?;
    Ok(typed)
}

/// Gives the terminal back; also from a panic's hook.
pub fn give_back() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste);
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}
