//! The terminal itself: keys one by one while the program runs, and as it was when it ends, however
//! that happens.

use std::io::{self, Write};

use crossbeam_channel::{Receiver, select};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::{execute, terminal};

use super::Input;
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

/// What became of a question for a password.
#[derive(Debug)]
pub(super) enum Secret {
    Given(String),
    /// Nothing was typed, or the terminal is gone.
    NotGiven,
    /// The program is told to end.
    Leave,
}

/// Asks for a password on standard error, without echo. `keys` are the terminal's, as [`keys::read_keys`] reads them; what
/// comes in `leave` ends the question.
///
/// # Errors
/// Standard input is no terminal.
pub(super) fn ask_secret(prompt: &str, keys: &Receiver<Input>, leave: &Receiver<Input>) -> io::Result<Secret> {
    let terminal = Terminal::take()?;
    let mut out = io::stderr();
    out.write_all(prompt.as_bytes())?;
    out.flush()?;
    let mut line = Line::default();
    line.begin(true);
    let typed = loop {
        let key = select! {
            recv(keys) -> input => input,
            recv(leave) -> _ => break Secret::Leave,
        };
        let Ok(Input::Key(key)) = key else { break Secret::NotGiven };
        match line.key(key) {
            Done::Line(text) => break Secret::Given(text),
            Done::Interrupt | Done::End => break Secret::NotGiven,
            // Nothing of it is seen here.
            Done::Edited | Done::Complete | Done::ClearScreen | Done::Suspend | Done::TooLong => {}
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
