//! The protocol window and the list of keys.

use std::rc::Rc;
use std::thread;

use chrono::Local;
use fltk::app;
use rust_i18n::t;

use super::super::keys_window::KeysWindow;
use super::super::widgets;
use super::super::wire_window::{WireWindow, default_file};
use super::{App, with};
use crate::net::{ThreadFigures, WaitsFor, clock};

/// Asks where to, and writes on a thread of its own.
pub(super) fn save(text: String) {
    let proposal = default_file(&Local::now().format("%Y-%m-%d-%H%M%S").to_string());
    let Some(file) = widgets::ask_text(&t!("wirewin.save_as"), &proposal.to_string_lossy(), &t!("friend.save")) else {
        return;
    };
    let write = move || {
        let (text, wrong) = match std::fs::write(&file, text) {
            Ok(()) => (t!("wirewin.saved", file = file), false),
            Err(error) => (t!("wirewin.not_saved", file = file, error = error), true),
        };
        app::awake_callback(move || {
            with(|app| {
                if let Some(wire) = &mut app.wire {
                    wire.say(&text, wrong);
                }
            });
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

    pub(super) fn by_hand(&mut self, bytes: Vec<u8>) {
        self.client.by_hand(clock::now(), bytes);
    }

    pub(super) fn open_keys(&mut self) {
        self.close_keys();
        self.keys = Some(KeysWindow::new(Rc::clone(&self.emit)));
    }

    pub(super) fn close_keys(&mut self) {
        if let Some(keys) = self.keys.take() {
            keys.close();
        }
    }
}
