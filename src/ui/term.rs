//! The terminal client: the same [`crate::client::Client`] as the windows', behind keys and lines.
//!
//! A thread reads keys, or lines if there is no terminal; the main loop waits for them and for the client's bell, and
//! is the only thread that prints. [`mod@line`], `commands` and [`screen`] are pure.
//!
//! Its parts:
//!
//! - `app`: the main loop, and what events and commands do.
//! - `drawing`: the prompt and what is printed above it.
//! - `keys`: the thread that reads keys or lines.
//! - `terminal`: switches the terminal to single keys and back.
//! - `line`: the line being typed. Pure.
//! - `screen`: where everything stands in the terminal. Pure.
//! - `wrap`: breaks sentences between words. Pure.
//! - `style`: colours.
//! - `commands`: what a typed line means. Pure.
//! - `asks`: questions to the person, such as passwords.
//! - `login`: the state of one login.
//! - `own`: sent messages and how far they have come. Pure.
//! - `talk`: messages.
//! - `drafts`: texts that were typed but not sent.
//! - `past`: messages that the server keeps.
//! - `people`: the list of friends.
//! - `befriending`: friends with consent, and lists that differ.
//! - `profile`: who one is to others.
//! - `state`: how one is shown to others, and being away.
//! - `account`: how the account is used, and its password.
//! - `server`: finding and leaving a server.
//! - `trust`: a changed key, a server without encryption, and another device's login.
//! - `control`: commands about the program.
//! - `why`: the diagnosis of a server that cannot be reached.
//! - `remembered`: lines of earlier runs.
//! - `pipe`: a session without a terminal.
//! - `script`: a single job, for scripts.
//! - `unfit`: what is wrong with the password or the standard input of a job or a chat.
//! - `json`: lines of JSON for programs.
//! - `raw`: sends datagrams by hand, from a socket of its own.
//! - `would`: what the session would do next. Pure.

mod account;
mod app;
mod asks;
mod befriending;
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
mod profile;
mod raw;
mod remembered;
pub mod screen;
pub mod script;
mod server;
mod state;
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

/// How the terminal client is started.
#[derive(Debug, Clone)]
pub struct Args {
    /// The options that both faces have: server, account, folders, language.
    pub face: Face,
    /// Whether this machine's own server listens for the local network.
    pub host_lan: bool,
    /// When to use colours, from `--color`.
    pub colour: Colour,
    /// Whether to start with sending datagrams by hand instead of a login.
    pub raw: bool,
    /// The password from a file or the environment; if there is none, the person is asked.
    pub password: Option<Password>,
}

/// Why the terminal client could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// The folders for its files cannot be found.
    #[error(transparent)]
    Paths(#[from] PathError),
    /// The socket or the history cannot be opened.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system gave no thread, or standard output is closed.
    #[error("{}", crate::base::trouble::words(.0))]
    Io(#[from] io::Error),
}

/// The inputs of the main loop, apart from the client's bell.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Input {
    /// A key, if there is a terminal.
    Key(line::Key),
    /// A line of a pipe; `None` if it is not UTF-8 or holds a NUL.
    Line(Option<String>),
    /// The pipe has ended.
    End,
    /// The terminal has gone away.
    Gone,
    /// The system asks the program to end.
    Leave,
    /// The search for the server is done.
    Found(Result<Option<crate::client::net::FoundAddress>, String>),
    /// The diagnosis of a server is done.
    Reached(Box<crate::client::diagnosis::Report>),
}

/// Chats until the person leaves: with keys on a terminal, else line by line. The exit code tells how the lines of a
/// pipe went.
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

/// Has the line redrawn at SIGWINCH, when the window's size changes, even if no key is pressed.
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

/// How long a program that was told to end may take; leaving never takes as long. It may be blocked by its output: a
/// terminal that was stopped with Ctrl+S, or a pipe that nobody reads.
const INSIST: Duration = Duration::from_secs(8);

/// SIGINT, SIGTERM and SIGHUP make the program go offline first, as Ctrl+C does. If the main loop is blocked, the
/// process ends after [`INSIST`] with this exit code. `again` passes on further signals too, since a second one makes a
/// chat end at once.
#[cfg(unix)]
fn end_by_signals(inputs: Sender<Input>, code: Arc<AtomicI32>, again: bool) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (told, ending) = crossbeam_channel::bounded::<()>(1);
    let wait = move || {
        for _ in signals.forever() {
            // Only the first one starts the time.
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
        // This wait ends early only with the process.
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
