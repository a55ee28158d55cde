//! The part of the protocol window: what it asks for and what it shows.

use std::thread;

use chrono::{Local, TimeZone};
use fltk::app;
use rust_i18n::t;

use super::super::file_chooser::Purpose;
use super::super::widgets;
use super::super::wire_window::{Event, WireWindow};
use super::core::Core;
use super::with;
use crate::base::trouble;
use crate::client::net::{ThreadFigures, WaitsFor, clock};
use crate::client::session::Cause;
use crate::client::tap::{Direction, Record};
use crate::probe::hand::PATIENCE;
use crate::probe::{Document, Origin, Unclear, Verdict};

/// The name under which the window's position is saved.
const NAME: &str = "protocol";

/// The window, and whether the last request sent by hand is still waiting for its outcome.
#[derive(Default)]
pub(super) struct Wire {
    window: Option<WireWindow>,
    trial_waits: bool,
}

/// Does what the protocol window has asked for.
pub(super) fn apply(event: Event) {
    let wire = |f: fn(&mut Wire, &mut Core)| {
        with(|app| f(&mut app.wire, &mut app.core));
    };
    match event {
        Event::Open => wire(Wire::open),
        Event::ByHand { bytes, expectation } => {
            with(|app| app.core.client.by_hand(clock::now(), bytes, expectation));
        }
        Event::Save(text) => save(text),
        Event::SaveTrials => save_trials(),
        Event::ThreadsWanted => wire(Wire::show_threads),
        Event::Closed => wire(Wire::close),
    }
}

/// Asks for a file, and writes the datagrams into it.
fn save(text: String) {
    save_as(&t!("wirewin.save_as"), "txt", |_| text);
}

/// Asks for a file, and writes the test document of the requests sent by hand into it.
fn save_trials() {
    let Some(document) = with(|app| trials(&mut app.core)) else { return };
    let Some(document) = document else {
        with(|app| app.wire.say(&t!("wirewin.no_trials"), false));
        return;
    };
    save_as(&t!("wirewin.document_as"), "md", |file| document.written(file, &rust_i18n::locale()));
}

/// Asks for a file, and writes it on a thread.
fn save_as(question: &str, kind: &str, text: impl FnOnce(&str) -> String) {
    let proposal = format!("hongyan-{}.{kind}", Local::now().format("%Y-%m-%d-%H%M%S"));
    let yes = t!("friend.save");
    let Some(file) = widgets::ask_file(question, &proposal, Purpose::Write, &yes, widgets::may_be_made) else {
        return;
    };
    let text = text(&file);
    let write = move || {
        let (text, wrong) = match std::fs::write(&file, text) {
            Ok(()) => (t!("wirewin.saved", file = file), false),
            Err(error) => (t!("wirewin.not_saved", file = file, error = trouble::words(&error)), true),
        };
        app::awake_callback(move || {
            with(|app| app.wire.say(&text, wrong));
        });
    };
    if let Err(error) = thread::Builder::new().name("save".into()).spawn(write) {
        log::error!("no thread to save on: {error}");
    }
}

impl Wire {
    fn open(&mut self, core: &mut Core) {
        if let Some(window) = &mut self.window {
            return window.raise();
        }
        let records = core.client.set_tap(true);
        let server = core.server.address().to_string();
        self.window = Some(WireWindow::new(&server, &records, core.position(NAME), core.emit()));
        self.show_trial(core);
    }

    fn say(&mut self, text: &str, wrong: bool) {
        if let Some(window) = &mut self.window {
            window.say(text, wrong);
        }
    }

    fn close(&mut self, core: &mut Core) {
        core.client.set_tap(false);
        if let Some(window) = self.window.take() {
            core.keep_position(NAME, window.position());
            core.save();
        }
    }

    /// Rebuilds the window in another language or theme; everything in it stays.
    pub(super) fn renew(&mut self, core: &mut Core) {
        if let Some(window) = &mut self.window {
            *window = window.renewed(&core.server.address().to_string(), core.emit());
            self.show_trial(core);
        }
    }

    pub(super) fn window(&self) -> Option<&WireWindow> {
        self.window.as_ref()
    }

    fn show_threads(&mut self, core: &mut Core) {
        let mut figures = core.client.threads();
        let (queued, handled) = core.saver.figures();
        figures.push(ThreadFigures { name: "settings", waits_for: WaitsFor::Operation, queued, handled, dropped: 0 });
        if let Some(window) = &mut self.window {
            window.set_threads(figures);
        }
    }

    /// Shows a datagram that was sent or received.
    pub(super) fn push(&mut self, record: &Record, core: &mut Core) {
        if let Some(window) = &mut self.window {
            window.push(record);
        }
        if record.way == Direction::Out(Cause::ByHand) {
            self.trial_waits = true;
            // By then it is known whether an answer is missing.
            app::add_timeout3(PATIENCE.as_secs_f64() + 0.05, |_| {
                with(|app| app.wire.show_waiting_trial(&mut app.core));
            });
        }
        self.show_waiting_trial(core);
    }

    fn show_waiting_trial(&mut self, core: &mut Core) {
        if self.trial_waits {
            self.show_trial(core);
        }
    }

    /// Shows the outcome of the last request sent by hand.
    fn show_trial(&mut self, core: &mut Core) {
        let Some(window) = &mut self.window else { return };
        let Some(trial) = core.client.last_trial(clock::now()) else { return };
        self.trial_waits = trial.verdict == Verdict::Unclear(Unclear::Waiting);
        window.set_trial(&trial);
    }
}

/// Returns the test document of the requests sent by hand, if there are any.
fn trials(core: &mut Core) -> Option<Document> {
    let (began, cases) = core.client.trials(clock::now())?;
    let when = Local.timestamp_millis_opt(began).earliest();
    let when = when.map_or_else(String::new, |when| when.format("%Y-%m-%d %H:%M:%S").to_string());
    Some(Document { server: core.server.address(), when, origin: Origin::SharedSocket, cases })
}
