//! All keys, in one window.

use fltk::app;
use fltk::draw;
use fltk::enums::{Event, Font, Key};
use fltk::frame::Frame;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::login::Emit;
use super::{UiEvent, theme, widgets};

const ROW: i32 = 24;
const WIDTH: i32 = 460;

/// Where a key works, and what it does; a heading where there is no key.
const KEYS: &[(&str, &str)] = &[
    ("", "keys.everywhere"),
    ("F1  Ctrl+/", "keys.this"),
    ("Ctrl+Shift+L", "keys.wire"),
    ("Tab  Shift+Tab", "keys.tab"),
    ("", "keys.login_window"),
    ("Enter", "keys.submit"),
    ("Ctrl+R", "keys.register"),
    ("Ctrl+L", "keys.language"),
    ("Ctrl+,", "keys.settings"),
    ("", "keys.main_window"),
    ("↑ ↓  Enter", "keys.open"),
    ("← →", "keys.fold"),
    ("Ctrl+K", "keys.search"),
    ("Ctrl+N  F2  Del", "keys.friend"),
    ("F10", "keys.menu"),
    ("F5", "keys.fetch"),
    ("Ctrl+Q", "keys.quit"),
    ("", "keys.chat_window"),
    ("Enter  Shift+Enter", "keys.send"),
    ("PgUp PgDn  Ctrl+End", "keys.scroll"),
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
    ("↑ ↓", "keys.history"),
];

/// The window.
pub struct KeysWindow {
    window: Window,
}

impl KeysWindow {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let height = i32::try_from(KEYS.len()).unwrap_or(0) * ROW + 24;
        let mut window = widgets::window(None, WIDTH, height);
        window.set_label(&t!("keys.title"));
        window.set_color(theme::palette().bg);
        let mut list = Frame::new(0, 0, WIDTH, height, None);
        list.draw(draw_keys);
        window.end();
        let out = emit.clone();
        window.handle(move |_, event| {
            let escape = matches!(event, Event::KeyDown | Event::Shortcut) && app::event_key() == Key::Escape;
            if escape {
                out(UiEvent::KeysClosed);
            }
            escape
        });
        window.set_callback(move |_| emit(UiEvent::KeysClosed));
        window.show();
        Self { window }
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }
}

fn draw_keys(f: &mut Frame) {
    let colours = theme::palette();
    let mut y = f.y() + 12;
    for (key, text) in KEYS {
        let (size, ink) = if key.is_empty() { (theme::SMALL, colours.accent) } else { (theme::BODY, colours.text) };
        draw::set_font(Font::Helvetica, size);
        draw::set_draw_color(ink);
        draw::draw_text(&t!(*text), f.x() + if key.is_empty() { 24 } else { 200 }, y + 17);
        draw::set_font(Font::Helvetica, theme::SMALL);
        draw::set_draw_color(colours.dim);
        draw::draw_text(key, f.x() + 36, y + 17);
        y += ROW;
    }
}
