//! The list of keys.

use super::super::keys_window::{Event, KeysWindow};
use super::with;

/// Does what the list asked for.
pub(super) fn apply(event: Event) {
    with(|app| {
        app.keys = match event {
            Event::Open => {
                // One that is open goes first, so that the new one takes its place.
                app.keys = None;
                Some(KeysWindow::new(app.core.emit()))
            }
            Event::Closed => None,
        };
    });
}
