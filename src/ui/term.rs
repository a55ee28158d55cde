//! The terminal client: the same [`crate::client::Client`] behind keys and lines.
//!
//! A reading thread hands on keys (or lines, without a terminal); the main loop waits for them and for
//! the client's bell, and is the only one that prints. [`mod@line`], [`commands`] and [`screen`] are pure.
//!
//! Its parts:
//!
//! - `app`: the loop.
//! - `drawing`: what it draws.
//! - `keys`: the thread that reads.
//! - `terminal`: its modes.
//! - `line`: what is typed. Pure.
//! - `screen`: where it stands. Pure.
//! - `wrap`: sentences broken between words. Pure.
//! - `style`: colours.
//! - `commands`: what a line means. Pure.
//! - `asks`: questions, passwords.
//! - `login`: what belongs to one login, and is gone with it.
//! - `own`: one's own messages and how far they came. Pure.
//! - `talk`: messages.
//! - `drafts`: what is typed and not sent.
//! - `past`: old messages.
//! - `people`: the list.
//! - `account`: how the account is used.
//! - `server`: finding and leaving a server.
//! - `trust`: another key, another device.
//! - `control`: commands about the program.
//! - `why`: the diagnosis.
//! - `remembered`: commands for later runs.
//! - `pipe`: a session without a terminal.
//! - `script`: one job.
//! - `unfit`: what a job or a chat was given and cannot use.
//! - `json`: lines for programs.
//! - `raw`: the protocol by hand, from a socket of its own.
//! - `would`: what the session would do next. Pure.

mod account;
mod app;
mod asks;
mod commands;
mod control;
mod drafts;
mod drawing;
pub mod json;
mod keys;
pub mod line;
mod login;
mod own;
mod past;
mod people;
mod pipe;
mod raw;
mod remembered;
pub mod screen;
pub mod script;
mod server;
pub mod style;
mod talk;
mod terminal;
mod trust;
mod unfit;
pub mod why;
mod would;
mod wrap;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;

pub use style::Colour;
pub use terminal::give_back;
pub use unfit::Unfit;

use crate::base::cli::Face;
use crate::base::model::Password;
use crate::base::settings::PathError;
use crate::client::ClientError;

/// How the terminal client is run.
#[derive(Debug, Clone)]
pub struct Args {
    /// Server, account, folders, language.
    pub face: Face,
    /// This machine's server listens for the local network.
    pub host_lan: bool,
    /// Whether colours are wanted, from `--color`.
    pub colour: Colour,
    /// Begins with datagrams by hand instead of a login.
    pub raw: bool,
    /// To log in with, from a file or the environment; else it is asked for.
    pub password: Option<Password>,
}

/// Why it could not begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// No folders.
    #[error(transparent)]
    Paths(#[from] PathError),
    /// No socket, no history.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No threads, or nobody reads what is printed.
    #[error("{}", crate::base::trouble::words(.0))]
    Io(#[from] io::Error),
}

/// What the main loop waits for, besides the client's bell.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Input {
    /// From a terminal.
    Key(line::Key),
    /// From a pipe; nothing of one that is not UTF-8 or holds a NUL.
    Line(Option<String>),
    /// The pipe has no more.
    End,
    /// The terminal is not there any more.
    Gone,
    /// The system asks the program to end.
    Leave,
    /// The server was looked for.
    Found(Result<Option<crate::client::net::FoundAddress>, String>),
    /// Why a server could not be reached, or that it can.
    Reached(Box<crate::client::diagnosis::Report>),
}

/// Chats until the person leaves: with keys on a terminal, else line by line. The exit code tells how a pipe's lines went.
///
/// # Errors
/// See [`TermError`].
pub fn run(args: Args) -> Result<script::Exit, TermError> {
    let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && !style::is_dumb();
    let (inputs, waiting) = crossbeam_channel::unbounded();
    #[cfg(unix)]
    end_by_signals(inputs.clone(), Arc::new(AtomicI32::new(script::Exit::Interrupted as i32)), true)?;
    #[cfg(unix)]
    if on_terminal {
        told_of_size(inputs.clone())?;
    }
    let terminal = if on_terminal {
        let terminal = terminal::Terminal::take()?;
        keys::read_keys(inputs.clone())?;
        Some(terminal)
    } else {
        keys::read_lines(inputs.clone())?;
        None
    };
    app::App::new(args, terminal, inputs, waiting)?.run()
}

/// SIGWINCH has the line drawn anew, also while nobody presses a key.
#[cfg(unix)]
fn told_of_size(inputs: Sender<Input>) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGWINCH])?;
    let wait = move || {
        for _ in signals.forever() {
            let (columns, rows) = crossterm::terminal::size().unwrap_or((0, 0));
            if inputs.send(Input::Key(line::Key::Resize(columns, rows))).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("size".into()).spawn(wait).map(drop)
}

/// A program that is told to end has so long for it; more than leaving ever takes. What blocks it then may be its output:
/// a terminal that was stopped with Ctrl+S, or a pipe that nobody reads.
const INSIST: Duration = Duration::from_secs(8);

/// SIGINT, SIGTERM and SIGHUP go offline first, as Ctrl+C does. What blocks the main loop then does not keep the process: after
/// [`INSIST`] it ends with this code. Another signal is told as well `again`, since it has a chat end at once.
#[cfg(unix)]
fn end_by_signals(inputs: Sender<Input>, code: Arc<AtomicI32>, again: bool) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (told, ending) = crossbeam_channel::bounded::<()>(1);
    let wait = move || {
        for _ in signals.forever() {
            // Of more than one the first counts.
            let first = told.try_send(()).is_ok();
            if (first || again) && inputs.send(Input::Leave).is_err() {
                return;
            }
        }
    };
    let insist = move || {
        if ending.recv().is_err() {
            return;
        }
        // Ends early only with the process.
        let _ = crossbeam_channel::never::<()>().recv_timeout(INSIST);
        let _ = crossterm::terminal::disable_raw_mode();
        end_here(code.load(Ordering::Acquire));
    };
    std::thread::Builder::new().name("insist".into()).spawn(insist)?;
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the main loop is blocked, so nobody returns from it")]
fn end_here(code: i32) {
    std::process::exit(code)
}
