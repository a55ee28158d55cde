//! The list of keys.

use std::rc::Rc;

use super::super::keys_window::{Event, KeysWindow};
use super::{App, with};

/// Does what the list asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_keys(),
        Event::Closed => app.close_keys(),
    });
}

impl App {
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
