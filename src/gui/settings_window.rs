//! The settings: server, local network, language, theme, how unread messages are asked for.

use std::cell::Cell;
use std::rc::Rc;

use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::keys_window::listen;
use super::login::{Emit, enter_submits};
use super::widgets::{self, Style};
use super::{UiEvent, theme};
use crate::settings::{Language, PollingChoice};

const WIDTH: i32 = 380;
const MARGIN: i32 = 24;
const INNER: i32 = WIDTH - 2 * MARGIN;

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in the settings themselves")]
pub struct SettingsForm {
    pub server: String,
    pub host_lan: bool,
    pub language: Language,
    pub dark: bool,
    pub polling: PollingChoice,
}

/// The window.
pub struct SettingsWindow {
    window: Window,
    server: Input,
    message: fltk::frame::Frame,
}

impl SettingsWindow {
    /// Opens the window. `lan` is what others must type to reach a server on this machine.
    #[must_use]
    pub fn new(form: &SettingsForm, lan: Option<&str>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = widgets::window(None, WIDTH, 476);
        window.set_label(&t!("settings.title"));
        window.set_color(palette.bg);
        widgets::label(MARGIN, 14, INNER, &t!("settings.server"), palette.dim);
        let mut server = widgets::field(MARGIN, 36, INNER, &t!("settings.server_hint"));
        server.set_value(&form.server);
        let mut host = widgets::checkbox(MARGIN, 80, INNER, &t!("settings.host_lan"));
        host.set_value(form.host_lan);
        let mut lan_line = widgets::note(MARGIN, 104, INNER, 52);
        lan_line.set_label_color(palette.dim);
        let others = lan.map_or_else(|| t!("settings.no_lan"), |lan| t!("settings.lan", address = lan));
        lan_line.set_label(&widgets::escape(&others));
        widgets::label(MARGIN, 164, INNER, &t!("settings.language"), palette.dim);
        let language = segments(
            186,
            &[&t!("settings.system"), "中文", "English"],
            match form.language {
                Language::System => 0,
                Language::Zh => 1,
                Language::En => 2,
            },
        );
        widgets::label(MARGIN, 232, INNER, &t!("settings.theme"), palette.dim);
        let theme = segments(254, &[&t!("settings.light"), &t!("settings.dark")], usize::from(form.dark));
        widgets::label(MARGIN, 300, INNER, &t!("settings.polling"), palette.dim);
        let choices = [t!("settings.adaptive"), t!("settings.strict"), t!("settings.per_friend")];
        let polling = segments(
            322,
            &[&choices[0], &choices[1], &choices[2]],
            match form.polling {
                PollingChoice::Adaptive => 0,
                PollingChoice::Strict => 1,
                PollingChoice::StrictPerFriend => 2,
            },
        );
        let message = widgets::note(MARGIN, 366, INNER, 36);
        let mut cancel = widgets::button(MARGIN, 416, INNER / 2 - 6, &t!("friend.cancel"), Style::Ghost);
        let mut save = widgets::button(MARGIN + INNER / 2 + 6, 416, INNER / 2 - 6, &t!("friend.save"), Style::Primary);
        window.end();
        let submit: Rc<dyn Fn()> = {
            let (server, emit) = (server.clone(), Rc::clone(&emit));
            Rc::new(move || {
                emit(UiEvent::SaveSettings(SettingsForm {
                    server: server.value().trim().to_owned(),
                    host_lan: host.value(),
                    language: match language.get() {
                        1 => Language::Zh,
                        2 => Language::En,
                        _ => Language::System,
                    },
                    dark: theme.get() == 1,
                    polling: match polling.get() {
                        1 => PollingChoice::Strict,
                        2 => PollingChoice::StrictPerFriend,
                        _ => PollingChoice::Adaptive,
                    },
                }));
            })
        };
        enter_submits(&mut server, &submit);
        save.set_callback(move |_| submit());
        cancel.set_callback({
            let emit = Rc::clone(&emit);
            move |_| emit(UiEvent::SettingsClosed)
        });
        listen(&mut window, &emit, |_| false);
        window.set_callback(move |_| emit(UiEvent::SettingsClosed));
        window.show();
        let _ = server.take_focus();
        Self { window, server, message }
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
        let _ = self.server.take_focus();
    }

    /// Says what is wrong; everything typed stays.
    pub fn say(&mut self, text: &str) {
        self.message.set_label_color(theme::palette().error);
        self.message.set_label(&widgets::escape(text));
        self.window.redraw();
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }
}

/// A row of choices of which one is chosen; which one, by number.
fn segments(y: i32, labels: &[&str], chosen: usize) -> Rc<Cell<usize>> {
    let value = Rc::new(Cell::new(chosen));
    let count = i32::try_from(labels.len()).unwrap_or(1).max(1);
    let gap = 4;
    let w = (INNER + gap) / count;
    let mut buttons = Vec::new();
    for (i, label) in labels.iter().enumerate() {
        let x = MARGIN + i32::try_from(i).unwrap_or(0) * w;
        buttons.push(widgets::segment(x, y, w - gap, label, i, &value));
    }
    let all = buttons.clone();
    for (i, button) in buttons.iter_mut().enumerate() {
        let (value, mut all) = (Rc::clone(&value), all.clone());
        button.set_callback(move |_| {
            value.set(i);
            all.iter_mut().for_each(fltk::prelude::WidgetExt::redraw);
        });
    }
    value
}
