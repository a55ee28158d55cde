//! Menus that open over a window, in our colours.

use std::cell::RefCell;

use fltk::enums::{Event, Font, FrameType, Key, Shortcut};
use fltk::group::Group;
use fltk::menu::{MenuButton, MenuFlag};
use fltk::prelude::*;
use fltk::{app, draw};

use super::screen;
use super::text::escape;
use super::theme::{self, BODY};

/// Returns whether a key asks for the menu of what is chosen: the menu key, or Shift+F10, as few laptops have the
/// former.
pub fn is_menu_key() -> bool {
    let f10 = Key::from_i32(Key::F1.bits() + 9);
    app::event_key() == Key::Menu || app::event_key() == f10 && app::event_state().contains(Shortcut::Shift)
}

/// Makes text harmless as a menu entry, where `&` would underline and `/` would open a submenu.
pub fn escape_menu(text: &str) -> String {
    escape(text).replace('&', "&&").replace('\\', "\\\\").replace('/', "\\/")
}

thread_local! {
    /// The menu that is open.
    static MENU: RefCell<Option<MenuButton>> = const { RefCell::new(None) };
}

/// Closes the open menu, if there is one. FLTK waits for it by showing it again and again, whatever happens to other
/// windows; only deleting the widget ends that.
pub fn close_menu() {
    if let Some(menu) = MENU.take() {
        MenuButton::delete(menu);
    }
}

/// Opens a menu at the pointer, or at `at` in the window of the event; returns the entry that was chosen. Blocks in
/// FLTK's loop, so no borrow may be held.
pub fn popup(entries: &[&str], at: Option<(i32, i32)>) -> Option<usize> {
    let entries: Vec<(&str, bool)> = entries.iter().map(|entry| (*entry, true)).collect();
    popup_of(&entries, at)
}

/// As [`popup`], with entries that can be chosen or are greyed out.
pub fn popup_of(entries: &[(&str, bool)], at: Option<(i32, i32)>) -> Option<usize> {
    let colours = theme::palette();
    let (x, y) = at.unwrap_or_else(app::event_coords);
    let current = Group::try_current();
    Group::set_current(None::<&Group>);
    let mut menu = MenuButton::new(x, y, 0, 0, None);
    menu.set_frame(FrameType::BorderBox);
    menu.set_down_frame(FrameType::FlatBox);
    menu.set_color(colours.surface);
    menu.set_selection_color(colours.selected);
    menu.set_text_color(colours.text);
    menu.set_text_size(BODY);
    for (entry, can) in entries {
        let flag = if *can { MenuFlag::Normal } else { MenuFlag::Inactive };
        // The blanks make room at both sides, which FLTK's menus have no setting for.
        menu.add(&format!("  {}  ", escape_menu(entry)), Shortcut::None, flag, |_| {});
    }
    MENU.set(Some(menu.clone()));
    let chosen = match first_of(entries) {
        Some(first) if is_by_key() => by_key(&menu, (x, y), first),
        _ => menu.popup().is_some().then(|| menu.value()),
    };
    close_menu();
    Group::set_current(current.as_ref());
    chosen.and_then(|i| usize::try_from(i).ok())
}

/// Returns whether the last event was a key.
fn is_by_key() -> bool {
    matches!(app::event(), Event::KeyDown | Event::KeyUp | Event::Shortcut)
}

/// Returns the first entry that can be chosen.
fn first_of(entries: &[(&str, bool)]) -> Option<usize> {
    entries.iter().position(|(_, can)| *can)
}

/// Opens a menu at x and y of its window with an entry chosen, so that somebody who uses keys sees where they are and
/// can press Enter. FLTK puts the chosen entry at that place, and does not move such a menu to keep it on the screen.
fn by_key(menu: &MenuButton, (x, y): (i32, i32), first: usize) -> Option<i32> {
    draw::set_font(Font::Helvetica, BODY);
    let high = draw::height() + theme::MENU_GAP;
    let (size, first) = (menu.size() - 1, i32::try_from(first).ok()?);
    // FLTK takes coordinates relative to the window of the last event.
    let below = y + app::event_y_root() - app::event_y() + size * high;
    let [_, top, _, room] = screen::room(app::screen_num(app::event_x_root(), app::event_y_root()));
    let y = y - (below - top - room).max(0) + first * high;
    let chosen = menu.at(0)?.pulldown(x, y, 1, high, menu.at(first), Some(menu))?;
    (0..size).find(|n| menu.at(*n).is_some_and(|entry| entry.label() == chosen.label()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nickname_cannot_draw_symbols() {
        assert_eq!(escape_menu("@->A&B/C\\"), "@@->A&&B\\/C\\\\");
    }
}
