//! The protocol window: what was asked for there, and what it shows.

use std::rc::Rc;
use std::thread;

use chrono::{Local, TimeZone};
use fltk::app;
use rust_i18n::t;

use super::super::file_chooser::Purpose;
use super::super::widgets;
use super::super::wire_window::{Event, WireWindow};
use super::{App, with};
use crate::base::trouble;
use crate::client::net::{ThreadFigures, WaitsFor, clock};
use crate::client::session::Cause;
use crate::client::tap::{Record, Way};
use crate::probe::hand::{Expectation, PATIENCE};
use crate::probe::{Document, Origin, Unclear, Verdict};

/// Does what the protocol window asked for.
pub(super) fn apply(event: Event) {
    match event {
        Event::Open => drop(with(App::open_wire)),
        Event::ByHand { bytes, expectation } => drop(with(|app| app.by_hand(bytes, expectation))),
        Event::Save(text) => save(text),
        Event::SaveTrials => save_trials(),
        Event::ThreadsWanted => drop(with(App::show_threads)),
        Event::Closed => drop(with(App::close_wire)),
    }
}

/// Asks where to put the datagrams, and writes them.
fn save(text: String) {
    save_as(&t!("wirewin.save_as"), "txt", |_| text);
}

/// Asks where to put the test document of what was tried by hand, and writes it.
fn save_trials() {
    let Some(document) = with(App::trials) else { return };
    let Some(document) = document else {
        with(|app| app.say_in_wire(&t!("wirewin.no_trials"), false));
        return;
    };
    save_as(&t!("wirewin.document_as"), "md", |file| document.written(file, &rust_i18n::locale()));
}

/// Asks for a file, and writes it on a thread of its own.
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
            with(|app| app.say_in_wire(&text, wrong));
        });
    };
    if let Err(error) = thread::Builder::new().name("save".into()).spawn(write) {
        log::error!("no thread to save on: {error}");
    }
}

impl App {
    pub(super) fn open_wire(&mut self) {
        if let Some(wire) = &mut self.wire {
            return wire.raise();
        }
        let records = self.client.set_tap(true);
        let place = self.settings.windows.get("protocol").copied();
        let server = self.place.address().to_string();
        self.wire = Some(WireWindow::new(&server, &records, place, Rc::clone(&self.emit)));
        self.show_trial();
    }

    fn say_in_wire(&mut self, text: &str, wrong: bool) {
        if let Some(wire) = &mut self.wire {
            wire.say(text, wrong);
        }
    }

    pub(super) fn close_wire(&mut self) {
        self.client.set_tap(false);
        if let Some(wire) = self.wire.take() {
            self.settings.windows.insert("protocol".to_owned(), wire.place());
            self.saver.save(&self.settings);
            wire.close();
        }
    }

    pub(super) fn show_threads(&mut self) {
        let mut figures = self.client.threads();
        let (queued, handled) = self.saver.figures();
        figures.push(ThreadFigures { name: "settings", waits_for: WaitsFor::Operation, queued, handled, dropped: 0 });
        if let Some(wire) = &mut self.wire {
            wire.set_threads(figures);
        }
    }

    pub(super) fn by_hand(&mut self, bytes: Vec<u8>, expectation: Expectation) {
        self.client.by_hand(clock::now(), bytes, expectation);
    }

    pub(super) fn push_wire(&mut self, record: &Record) {
        if let Some(wire) = &mut self.wire {
            wire.push(record);
        }
        if record.way == Way::Out(Cause::ByHand) {
            self.trial_waits = true;
            // By then it is known whether no answer came.
            app::add_timeout3(PATIENCE.as_secs_f64() + 0.05, |_| {
                with(App::show_waiting_trial);
            });
        }
        self.show_waiting_trial();
    }

    fn show_waiting_trial(&mut self) {
        if self.trial_waits {
            self.show_trial();
        }
    }

    /// Says what became of the last trial by hand.
    fn show_trial(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        let Some(trial) = self.client.last_trial(clock::now()) else { return };
        self.trial_waits = trial.verdict == Verdict::Unclear(Unclear::Waiting);
        wire.set_trial(&trial);
    }

    /// The test document of what was tried by hand, if anything was.
    fn trials(&mut self) -> Option<Document> {
        let (began, cases) = self.client.trials(clock::now())?;
        let when = Local.timestamp_millis_opt(began).earliest();
        let when = when.map_or_else(String::new, |when| when.format("%Y-%m-%d %H:%M:%S").to_string());
        Some(Document { server: self.place.address(), when, origin: Origin::SharedSocket, cases })
    }
}
