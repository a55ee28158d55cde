//! The part of the list of keys.

use super::super::keys_window::{Event, KeysWindow};
use super::with;

/// Does what the list has asked for.
pub(super) fn apply(event: Event) {
    with(|app| {
        app.keys = match event {
            Event::Open => {
                // The list that is open closes first, so that the new one takes its place.
                app.keys = None;
                Some(KeysWindow::new(app.core.emit()))
            }
            Event::Closed => None,
        };
    });
}
