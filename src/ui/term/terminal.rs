//! The terminal's modes: single keys while the program runs, and the earlier modes when it ends, however it ends.

use std::io::{self, Write};

use crossbeam_channel::{Receiver, select};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::{execute, terminal};

use super::Input;
use super::line::{Done, Line};

/// A terminal in the mode of single keys; dropping it restores the earlier modes.
#[derive(Debug)]
pub struct Terminal(());

impl Terminal {
    /// Switches the terminal to single keys without echo.
    ///
    /// # Errors
    /// If standard input is not a terminal.
    pub fn take() -> io::Result<Self> {
        take()?;
        Ok(Self(()))
    }

    /// Returns columns and rows; zero if they are unknown.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        terminal::size().unwrap_or((0, 0))
    }

    /// Stops the program, as Ctrl+Z does elsewhere, until it is continued.
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

    /// Does nothing, as this system has no such thing.
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
    // Terminals without this mode ignore it.
    execute!(io::stdout(), EnableBracketedPaste)
}

/// The outcome of asking for a password.
#[derive(Debug)]
pub(super) enum Secret {
    Given(String),
    /// Nothing was typed, or the terminal has gone away.
    NotGiven,
    /// The program was told to end.
    Leave,
}

/// Asks for a password on standard error, without echo. `keys` come from the terminal, as `keys::read_keys` reads
/// them; an input in `leave` ends the question.
///
/// # Errors
/// If standard input is not a terminal.
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
            // Nothing of this shows here.
            Done::Edited | Done::Complete | Done::ClearScreen | Done::Suspend | Done::TooLong => {}
        }
    };
    drop(terminal);
    out.write_all(b"\n")?;
    Ok(typed)
}

/// Restores the terminal's earlier modes; a panic's hook calls it too.
pub fn give_back() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste);
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}
