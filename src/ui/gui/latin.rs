//! Shortcuts go by the Latin letter of a key. If the keyboard types another alphabet (Russian, Greek, Hebrew, Arabic),
//! that is found through a Latin layout beside it, or through the key's place. With Ctrl no key types a character.

use fltk::app;
use fltk::enums::{Event, Key, Shortcut};
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::text::TextEditor;

use super::field_menu::State;

/// Returns whether Ctrl is held without Alt; except on X11, both together type characters.
#[must_use]
pub fn ctrl() -> bool {
    let state = app::event_state();
    state.contains(Shortcut::Ctrl) && !state.contains(Shortcut::Alt)
}

/// Returns the key of the event, with Ctrl or Alt by its Latin letter; a key alone is its own character.
#[must_use]
pub fn key() -> Key {
    let pressed = app::event_key();
    let Ok(symbol) = u32::try_from(pressed.bits()) else { return pressed };
    // Looked up each time, as layouts change; only when it matters, which is at the speed of a person.
    let shortcut = app::event_state().intersects(Shortcut::Ctrl | Shortcut::Alt);
    if !shortcut || !is_character(symbol) || u8::try_from(symbol).is_ok_and(|c| c.is_ascii_alphanumeric()) {
        return pressed;
    }
    let latin = super::x11::keyboard().and_then(|keyboard| keyboard.latin(symbol));
    latin.map_or(pressed, Key::from_char)
}

/// Returns whether an X11 keysym types a character, unlike Return, arrows and the like.
fn is_character(symbol: u32) -> bool {
    matches!(symbol, 0x21..=0xfcff) || symbol >= 0x0100_0000
}

/// What a field can do with Ctrl, and through its menu.
pub trait Edit: WidgetExt + Clone {
    /// Returns what can be done now.
    fn state(&self) -> State;
    /// Returns where its menu opens by a key, in the window: below the field, or below the cursor.
    fn menu_place(&self) -> (i32, i32) {
        (self.x(), self.y() + self.h())
    }
    /// Selects everything.
    fn select_all(&mut self);
    /// Copies the selection to the clipboard.
    fn copy_out(&mut self);
    /// Moves the selection to the clipboard.
    fn cut_out(&mut self);
    /// Undoes the last change, or redoes it if `again`.
    fn take_back(&mut self, again: bool);
}

macro_rules! edit_input {
    ($($input:ty, $secret:expr);*) => {$(
        impl Edit for $input {
            fn state(&self) -> State {
                // FLTK does not tell whether a one-line field has something to undo.
                State {
                    empty: self.value().is_empty(),
                    chosen: self.position() != self.mark(),
                    secret: $secret,
                    changed: true,
                }
            }
            fn select_all(&mut self) {
                let all = i32::try_from(self.value().len()).unwrap_or(i32::MAX);
                let _ = self.set_position(all);
                let _ = self.set_mark(0);
            }
            fn copy_out(&mut self) {
                let _ = self.copy();
            }
            fn cut_out(&mut self) {
                let _ = self.cut();
            }
            fn take_back(&mut self, again: bool) {
                if !again {
                    let _ = self.undo();
                }
            }
        }
    )*};
}
edit_input!(Input, false; SecretInput, true);

impl Edit for TextEditor {
    fn state(&self) -> State {
        let (chosen, changed, empty) = self.buffer().map_or((false, false, true), |mut buffer| {
            let chosen = buffer.selection_position().is_some_and(|(from, to)| from != to);
            (chosen, buffer.get_can_undo(), buffer.length() == 0)
        });
        State { empty, chosen, secret: false, changed }
    }
    fn menu_place(&self) -> (i32, i32) {
        let (x, y) = self.position_to_xy(self.insert_position());
        (x.clamp(self.x(), self.x() + self.w()), (y + self.text_size() + 4).clamp(self.y(), self.y() + self.h()))
    }
    fn select_all(&mut self) {
        self.kf_select_all();
    }
    fn copy_out(&mut self) {
        self.copy();
    }
    fn cut_out(&mut self) {
        self.cut();
    }
    fn take_back(&mut self, again: bool) {
        if again { self.redo() } else { self.undo() }
    }
}

/// Handles Ctrl with a character in a field: edits it, or passes the key to its window. Returns false for what FLTK
/// does itself.
pub fn edits<W: Edit>(field: &mut W) -> bool {
    let pressed = app::event_key();
    if !ctrl() || !u32::try_from(pressed.bits()).is_ok_and(is_character) {
        return false;
    }
    let (meant, again) = (key(), app::event_state().contains(Shortcut::Shift));
    let is = |c: char| meant == Key::from_char(c);
    match () {
        // FLTK knows these by the letter that the keyboard types.
        () if "acvxz".chars().any(is) && pressed == meant => return false,
        () if is('a') => field.select_all(),
        () if is('c') => field.copy_out(),
        () if is('x') => field.cut_out(),
        () if is('v') => app::paste_text(field),
        () if is('z') => field.take_back(again),
        // FLTK would type some of these, and take others for Emacs commands.
        () => {
            if let Some(mut window) = field.top_window().and_then(|w| w.as_group()) {
                let _ = window.handle_event(Event::KeyDown);
            }
        }
    }
    true
}

/// What the keys of a keyboard type, in X11's keycodes and keysyms: for each key one keysym in each column, the first
/// of which is the one that FLTK knows the key by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyboard {
    /// The keycode of the first key.
    pub first: u8,
    /// How many keysyms each key has, one for each level of each layout.
    pub columns: usize,
    /// The keysyms, key by key.
    pub symbols: Vec<u32>,
}

/// The keys with characters, by the keycodes that all PCs have on X11, with the American layout's characters.
const PLACES: [(u8, &str); 4] = [(20, "-="), (24, "qwertyuiop[]"), (38, "asdfghjkl;'`"), (51, "\\zxcvbnm,./")];

impl Keyboard {
    /// Returns the Latin character of the key whose first keysym this is; `None` if it has no other than its own.
    #[must_use]
    pub fn latin(&self, symbol: u32) -> Option<char> {
        let letters = (0..self.columns).find(|column| self.has_letters(*column));
        if letters == Some(0) {
            return None;
        }
        let place = self.keys().position(|key| key.first() == Some(&symbol))?;
        match letters {
            Some(column) => {
                let symbol = self.keys().nth(place)?.get(column).copied()?;
                char::from_u32(symbol).filter(char::is_ascii_graphic)
            }
            None => {
                let key = self.first.checked_add(u8::try_from(place).ok()?)?;
                let row = |(first, row): &(u8, &str)| row.chars().nth(usize::from(key.checked_sub(*first)?));
                PLACES.iter().rev().find(|(first, _)| *first <= key).and_then(row)
            }
        }
    }

    fn keys(&self) -> impl Iterator<Item = &[u32]> {
        self.symbols.chunks(self.columns.max(1))
    }

    /// Returns whether a Latin text can be typed with this column.
    fn has_letters(&self, column: usize) -> bool {
        let has = |letter: char| self.keys().any(|key| key.get(column) == Some(&u32::from(letter)));
        ('a'..='z').all(has)
    }
}

#[cfg(test)]
mod tests;
