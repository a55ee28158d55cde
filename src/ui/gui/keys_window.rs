//! All keys, in one window; and those that work in every window.

use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Event, Font, Key, Shortcut};
use fltk::frame::Frame;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::latin;
use super::login::Emit;
use super::sheet::Sheet;
use super::{UiEvent, screen, theme, widgets};

const ROW: i32 = 24;
/// A column: two of them fit on a small screen, one does not.
const COLUMN: i32 = 460;

/// Where a key works, and what it does; a heading where there is no key.
const KEYS: &[(&str, &str)] = &[
    ("", "keys.everywhere"),
    ("F1  Ctrl+/", "keys.this"),
    ("Ctrl+Shift+L", "keys.wire"),
    ("Ctrl+Shift+K", "keys.connection"),
    ("Ctrl+,", "keys.settings"),
    ("Ctrl+K", "keys.search"),
    ("F5", "keys.fetch"),
    ("Ctrl+Q", "keys.quit"),
    ("Tab  Shift+Tab", "keys.tab"),
    ("Menu  Shift+F10", "keys.row_menu"),
    ("Ctrl++  Ctrl+-  Ctrl+0", "keys.zoom"),
    ("", "keys.login_window"),
    ("Enter", "keys.submit"),
    ("Ctrl+R", "keys.register"),
    ("Ctrl+L", "keys.language"),
    ("", "keys.main_window"),
    ("↑ ↓  Enter", "keys.open"),
    ("← →", "keys.fold"),
    ("Ctrl+N  F2  Del", "keys.friend"),
    ("F10", "keys.menu"),
    ("", "keys.chat_window"),
    ("Enter  Shift+Enter", "keys.send"),
    ("PgUp PgDn  Ctrl+End", "keys.scroll"),
    ("Ctrl+Home", "keys.earlier"),
    ("Tab  ↑ ↓", "keys.choose"),
    ("Ctrl+C  Enter", "keys.copy"),
    ("Ctrl+W", "keys.close"),
    ("", "keys.wire_window"),
    ("Alt+1  Alt+2", "keys.pages"),
    ("Ctrl+F", "keys.filter"),
    ("Space  Ctrl+P", "keys.pause"),
    ("Ctrl+T  Ctrl+D", "keys.hand"),
    ("↑ ↓  Shift  Ctrl+A", "keys.rows"),
    ("Ctrl+C  Ctrl+S", "keys.keep"),
    ("Ctrl+Shift+S", "keys.document"),
    ("↑ ↓", "keys.history"),
    ("", "connection.title"),
    ("Enter", "keys.find_out"),
    ("Ctrl+C  PgUp PgDn", "keys.copy_report"),
];

/// The window.
pub struct KeysWindow {
    sheet: Sheet,
}

impl KeysWindow {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let height = columns().map(height_of).into_iter().max().unwrap_or(0);
        let mut sheet = Sheet::new(2 * COLUMN, height);
        let mut window = sheet.window().clone();
        window.set_label(&t!("keys.title"));
        let mut list = Frame::new(0, 0, 2 * COLUMN, height, None);
        list.draw(draw_keys);
        sheet.flow(move |x, y, w| {
            let high = if w < 2 * COLUMN { columns().map(height_of).iter().sum() } else { height };
            list.resize(x, y, w, high);
            high
        });
        sheet.end();
        listen(&mut window, &emit, {
            let mut sheet = sheet.clone();
            move |event| sheet.scrolls(event)
        });
        window.set_callback(move |_| emit(UiEvent::KeysClosed));
        window.show();
        Self { sheet }
    }

    /// Closes the window for good.
    pub fn close(self) {
        screen::close(self.sheet.window().clone());
    }
}

/// Gives a window its own keys and events, and after them the keys that work in every window.
pub fn listen(window: &mut Window, emit: &Emit, mut own: impl FnMut(Event) -> bool + 'static) {
    let emit = Rc::clone(emit);
    // Not shortcuts: FLTK offers those to the window under the pointer, whoever has the keys. And no handler
    // for the whole program: the bindings take any result of one for "used", and Escape would do nothing.
    window.handle(move |_, event| own(event) || screen::zooms(event) || event == Event::KeyDown && everywhere(&emit));
}

fn everywhere(emit: &Emit) -> bool {
    let state = app::event_state();
    let (control, key) = (latin::ctrl(), latin::key());
    let is = |c: char| control && key == Key::from_char(c);
    emit(if is('k') && state.contains(Shortcut::Shift) {
        UiEvent::OpenConnection
    } else if is('l') && state.contains(Shortcut::Shift) {
        UiEvent::OpenWire
    } else if key == Key::F1 || is('/') {
        UiEvent::OpenKeys
    } else if is(',') {
        UiEvent::OpenSettings
    } else if key == Key::F5 {
        UiEvent::Fetch
    } else if is('k') {
        UiEvent::Search
    } else if is('q') {
        UiEvent::Quit
    } else {
        return false;
    });
    true
}

/// The keys of every window, of login and main window; those of the others.
fn columns() -> [&'static [(&'static str, &'static str)]; 2] {
    let chat = KEYS.iter().position(|(_, text)| *text == "keys.chat_window").unwrap_or(KEYS.len());
    let (left, right) = KEYS.split_at(chat);
    [left, right]
}

fn height_of(column: &[(&str, &str)]) -> i32 {
    i32::try_from(column.len()).unwrap_or(0) * ROW + 24
}

/// Beside each other where there is room for both, else one below the other.
fn draw_keys(f: &mut Frame) {
    let mut at = [f.x(), f.y() + 12];
    for column in columns() {
        draw_column(column, at[0], at[1]);
        if f.w() < 2 * COLUMN { at[1] += height_of(column) } else { at[0] += COLUMN }
    }
}

fn draw_column(keys: &[(&str, &str)], x: i32, mut y: i32) {
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
