//! The list of all keys in one window; also the keys that work in every window.

use std::rc::Rc;

use fltk::draw;
use fltk::enums::{self, Font};
use fltk::frame::Frame;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{EVERYWHERE, Line, Table, list, pressed};
use super::sheet::Sheet;
use super::{Emit, UiEvent, screen, theme, widgets};
use super::{
    chat_window, connection_window, file_chooser, friend_list, login_window, main_window, transcript, wire_window,
};

const ROW: i32 = 24;
/// The width of a column: two fit on a small screen side by side, while all keys in one column would be too high.
const COLUMN: i32 = 460;

/// The heading of the keys that work in every window.
const EVERYWHERE_TITLE: &str = "keys.everywhere";

/// The lines of a column: headings and keys.
type Column = Vec<Line>;

/// A heading, and the tables whose keys are below it.
type Section = (&'static str, &'static [&'static dyn Table]);

/// The keys in two columns: of every window, the login window and the main window; and of the others. They come from
/// the tables that dispatch reads; a new table is added here.
const COLUMNS: [&[Section]; 2] = [
    &[
        (EVERYWHERE_TITLE, &[&EVERYWHERE]),
        ("keys.login_window", &[&login_window::ACTIONS]),
        ("keys.main_window", &[&friend_list::KEYS, &main_window::ACTIONS, &friend_list::ACTIONS]),
        ("gui.choose_file", &[&file_chooser::KEYS]),
    ],
    &[
        ("keys.chat_window", &[&chat_window::WRITING, &transcript::KEYS, &transcript::ACTIONS, &chat_window::ACTIONS]),
        ("keys.wire_window", &[&wire_window::ACTIONS, &wire_window::KEYS]),
        ("connection.title", &[&connection_window::ACTIONS]),
    ],
];

fn columns() -> [Column; 2] {
    COLUMNS.map(|sections| sections.iter().flat_map(section).collect())
}

fn section((heading, tables): &Section) -> Column {
    let [mut lines, mut everywhere] = [Vec::new(), Vec::new()];
    tables.iter().for_each(|table| list(&mut lines, *table));
    list(&mut everywhere, &EVERYWHERE);
    // Keys that work everywhere are listed only there.
    lines.retain(|line| *heading == EVERYWHERE_TITLE || !everywhere.contains(line));
    lines.insert(0, (String::new(), *heading));
    lines
}

/// What the list of keys asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The list is to be opened.
    Open,
    /// The list was closed.
    Closed,
}

/// The window with the list of keys.
pub struct KeysWindow {
    /// The window, which closes when this is dropped.
    _window: screen::Owned,
}

impl KeysWindow {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let height = columns().each_ref().map(|column| height_of(column)).into_iter().max().unwrap_or(0);
        let list = || {
            let mut list = Frame::new(0, 0, 2 * COLUMN, height, None);
            list.draw(draw_keys);
            list
        };
        let sheet = Sheet::flowing(&t!("keys.title"), [2 * COLUMN, height], list, move |list, x, y, w| {
            let high =
                if w < 2 * COLUMN { columns().each_ref().map(|column| height_of(column)).iter().sum() } else { height };
            list.resize(x, y, w, high);
            high
        });
        let mut window = sheet.window().clone();
        listen(&mut window, &emit, {
            let mut sheet = sheet.clone();
            move |event| sheet.scrolls(event)
        });
        window.set_callback(move |_| emit(UiEvent::Keys(Event::Closed)));
        window.show();
        Self { _window: sheet.owned() }
    }
}

/// Gives a window its own keys and events, and after them the keys that work in every window.
pub fn listen(window: &mut Window, emit: &Emit, mut own: impl FnMut(enums::Event) -> bool + 'static) {
    let emit = Rc::clone(emit);
    // These are not FLTK's shortcuts, which go to the window under the pointer whatever has the keyboard. Nor are they
    // a handler for the whole program: the bindings take any result of that for "used", and Escape would do nothing.
    window.handle(move |_, event| {
        own(event) || screen::zooms(event) || event == enums::Event::KeyDown && everywhere(&emit)
    });
}

fn everywhere(emit: &Emit) -> bool {
    let event = pressed(EVERYWHERE, false);
    event.inspect(|event| emit(event())).is_some()
}

fn height_of(column: &[Line]) -> i32 {
    i32::try_from(column.len()).unwrap_or(0) * ROW + 24
}

/// Draws the columns side by side if there is room, else one below the other.
fn draw_keys(f: &mut Frame) {
    let mut at = [f.x(), f.y() + 12];
    for column in columns() {
        draw_column(&column, at[0], at[1]);
        if f.w() < 2 * COLUMN { at[1] += height_of(&column) } else { at[0] += COLUMN }
    }
}

fn draw_column(keys: &[Line], x: i32, mut y: i32) {
    let colours = theme::palette();
    for (key, text) in keys {
        let (size, ink) = if key.is_empty() { (theme::SMALL, colours.accent) } else { (theme::BODY, colours.text) };
        draw::set_font(Font::Helvetica, size);
        draw::set_draw_color(ink);
        let left = if key.is_empty() { 24 } else { 200 };
        draw::draw_text(&widgets::whole(&t!(*text), COLUMN - left), x + left, y + 17);
        draw::set_font(Font::Helvetica, theme::SMALL);
        draw::set_draw_color(colours.dim);
        draw::draw_text(&widgets::whole(key, 200 - 36 - 4), x + 36, y + 17);
        y += ROW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::gui::actions::tests::is_whole;

    #[test]
    fn every_table_is_whole() {
        let tables: Vec<_> =
            COLUMNS.iter().flat_map(|sections| sections.iter()).flat_map(|(_, tables)| *tables).collect();
        assert_eq!(tables.len(), 13, "none is left out");
        tables.into_iter().for_each(|table| is_whole(*table));
    }

    #[test]
    fn the_list_shows_what_its_tables_have() {
        let [left, right] = columns();
        let of = |column: &Column, says: &str| {
            column.iter().filter(|line| line.1 == says).map(|line| line.0.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(&left, "keys.friend"), ["Ctrl+N  F2  Del"]);
        assert_eq!(of(&left, "keys.language"), ["Ctrl+L"]);
        assert_eq!((of(&left, "keys.card"), of(&right, "keys.card")), (vec!["Ctrl+I".into()], vec!["Ctrl+I".into()]));
        assert_eq!(of(&right, "keys.scroll"), ["PgUp  PgDn  Ctrl+End"]);
        assert_eq!(of(&right, "keys.pause"), ["Space  Ctrl+P"]);
        assert_eq!(of(&right, "keys.choose"), ["Tab  ↑ ↓"]);
        assert_eq!(of(&right, "keys.copy"), ["Ctrl+C  Enter"]);
        assert_eq!(of(&right, "keys.rows"), ["↑ ↓  Shift  Ctrl+A"]);
        assert_eq!((of(&left, "keys.open"), of(&left, "keys.fold")), (vec!["↑ ↓  Enter".into()], vec!["← →".into()]));
        assert_eq!([&left, &right].map(|column| of(column, "keys.row_menu").len()), [1, 0], "said once");
        assert_eq!(of(&right, "keys.document"), ["Ctrl+Shift+S"]);
        assert_eq!((left.len(), right.len()), (26, 25), "no line is lost: a heading or a text each");
    }
}
