//! The window that shows how this computer's list and the server's list differ, and asks which of them to keep.

use std::rc::Rc;

use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::sheet::{Rows, Sheet};
use super::widgets::Style;
use super::{Emit, UiEvent, keys_window, screen, theme};
use crate::client::history::Difference;

/// The window's width: a line has two remarks and two groups.
const WIDE: i32 = 460;
/// The most differences that are listed one by one.
const LISTED: usize = 200;

/// What the window requests from the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// One of the lists was chosen for all devices.
    Settle {
        /// Whether it is this computer's list, not the server's.
        keep_ours: bool,
    },
    /// The question is to be asked again later.
    Later,
    /// The window was closed.
    Closed,
}

/// The window.
pub struct ListsWindow {
    window: screen::Owned,
}

impl ListsWindow {
    /// Opens the window with these differences.
    #[must_use]
    pub fn new(differences: &[Difference], emit: &Emit) -> Self {
        let mut body = Rows::new(WIDE);
        let mut question = body.note(1);
        question.set_label_size(theme::BODY);
        question.set_label_color(theme::palette().text);
        let mut lines: Vec<String> = differences.iter().take(LISTED).map(|one| format!("· {}", one.line())).collect();
        if differences.len() > LISTED {
            lines.push(t!("people.more_differences", n = differences.len() - LISTED).into_owned());
        }
        let mut notes: Vec<_> = lines.iter().map(|_| body.near().note(1)).collect();
        let mut foot = Rows::foot(WIDE);
        let mut ours = foot.button(&t!("people.keep_ours"), Style::Primary);
        let mut theirs = foot.near().button(&t!("people.keep_theirs"), Style::Ghost);
        let mut sheet = Sheet::new(&t!("people.lists_title"), body, Some(foot));
        for (note, line) in notes.iter_mut().zip(&lines) {
            sheet.tell(note, line);
        }
        sheet.tell(&mut question, &t!("people.differences", n = differences.len()));
        let settle = |keep_ours| {
            let emit = Rc::clone(emit);
            move || emit(UiEvent::Lists(Event::Settle { keep_ours }))
        };
        let (keep, take) = (settle(true), settle(false));
        ours.set_callback(move |_| keep());
        theirs.set_callback(move |_| take());
        let mut window = sheet.window().clone();
        keys_window::listen(&mut window, emit, {
            let mut sheet = sheet.clone();
            move |event| sheet.scrolls(event)
        });
        let emit = Rc::clone(emit);
        window.set_callback(move |_| emit(UiEvent::Lists(Event::Closed)));
        window.show();
        let _ = ours.take_focus();
        Self { window: sheet.owned() }
    }

    /// The window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }
}
