//! Reads keys of a terminal, or lines of a pipe, on a thread that does nothing else.

use std::io::{self, BufRead};
use std::thread;

use crossbeam_channel::Sender;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Input;
use super::line::Key;

/// How long crossterm may look for events that it has read already; with zero it would not look at all.
#[cfg(unix)]
const BUFFERED: std::time::Duration = std::time::Duration::from_millis(1);

/// Starts the thread that reads keys until the program or the terminal ends. It blocks in the terminal, so it is never
/// joined.
///
/// # Errors
/// If the system cannot start a thread.
pub fn read_keys(inputs: Sender<Input>) -> io::Result<()> {
    let read = move || {
        loop {
            let input = match next() {
                Ok(Some(event)) => match key(event) {
                    Some(key) => Input::Key(key),
                    None => continue,
                },
                Ok(None) => Input::Gone,
                Err(error) => {
                    log::info!("no more keys: {error}");
                    Input::Gone
                }
            };
            let last = input == Input::Gone;
            if inputs.send(input).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(read).map(drop)
}

/// Returns the next event of the terminal; `None` if the terminal has gone away.
///
/// Crossterm only waits while something may be in its own buffer: at the end of a terminal it would read nothing again
/// and again.
///
/// # Errors
/// If the terminal cannot be read.
#[cfg(unix)]
pub(super) fn next() -> io::Result<Option<Event>> {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        if event::poll(BUFFERED)? {
            return event::read().map(Some);
        }
        let stdin = io::stdin();
        let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut terminal, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {
                let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                if terminal.iter().any(|terminal| terminal.revents().intersects(gone)) {
                    return Ok(None);
                }
            }
        }
    }
}

/// Returns the next event of the terminal.
///
/// # Errors
/// If the terminal cannot be read.
#[cfg(not(unix))]
pub(super) fn next() -> io::Result<Option<Event>> {
    event::read().map(Some)
}

/// Starts the thread that reads lines until the input ends.
///
/// # Errors
/// If the system cannot start a thread.
pub fn read_lines(inputs: Sender<Input>) -> io::Result<()> {
    let read = move || {
        let mut stdin = io::stdin().lock();
        let mut bytes = Vec::new();
        while stdin.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // What cannot be sent as it is must not be sent as something else.
            let line = std::str::from_utf8(line).ok().filter(|line| !line.contains('\0')).map(str::to_owned);
            bytes.clear();
            if inputs.send(Input::Line(line)).is_err() {
                return;
            }
        }
        let _ = inputs.send(Input::End);
    };
    thread::Builder::new().name("lines".into()).spawn(read).map(drop)
}

pub(super) fn key(event: Event) -> Option<Key> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key),
        Event::Paste(text) => Some(Key::Paste(text)),
        Event::Resize(columns, rows) => Some(Key::Resize(columns, rows)),
        _ => None,
    }
}

fn pressed(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<Key> {
    let control = modifiers.contains(KeyModifiers::CONTROL);
    let alt = modifiers.contains(KeyModifiers::ALT);
    Some(match code {
        KeyCode::Char(c) if control => match c.to_ascii_lowercase() {
            'a' => Key::Home,
            'b' => Key::Left,
            'c' => Key::Interrupt,
            'd' => Key::EndOfInput,
            'e' => Key::End,
            'f' => Key::Right,
            'g' => Key::Escape,
            'h' => Key::Backspace,
            'j' | 'm' => Key::Enter,
            'k' => Key::EraseToEnd,
            'l' => Key::ClearScreen,
            'n' => Key::Down,
            'p' => Key::Up,
            'r' => Key::Search,
            'u' => Key::EraseToStart,
            'w' => Key::EraseWord,
            'y' => Key::PutBack,
            'z' => Key::Suspend,
            '_' | '7' | '-' => Key::Undo,
            _ => return None,
        },
        KeyCode::Char(c) if alt => match c {
            'b' => Key::WordLeft,
            'f' => Key::WordRight,
            'd' => Key::EraseWordAhead,
            _ => return None,
        },
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter if alt => Key::Break,
        KeyCode::Enter => Key::Enter,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace if alt || control => Key::EraseWord,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete if control || alt => Key::EraseWordAhead,
        KeyCode::Delete => Key::Delete,
        KeyCode::Left if control || alt => Key::WordLeft,
        KeyCode::Right if control || alt => Key::WordRight,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}
