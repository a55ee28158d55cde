//! The foot of the protocol window: a datagram to send by hand, the reply that is expected, the test document of such
//! requests, and below them a text about the last one.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{Event, Font, Key};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use rust_i18n::t;

use super::NARROW;
use super::line::without_password;
use crate::probe::hand::Expectation;
use crate::protocol::wire::show::unescape;
use crate::ui::gui::field_menu;
use crate::ui::gui::widgets::{self, Style};
use crate::ui::gui::{Emit, UiEvent, theme, wire_window};

/// Returns its height in a window of this width.
pub(super) fn height(w: i32) -> i32 {
    66 + if w < NARROW { theme::CONTROL + 4 } else { 0 }
}

/// The height of the line for a text.
const LINE: i32 = 20;
const BUTTON: i32 = 150;
/// The most lines typed by hand that the Up key brings back.
const REMEMBERED: usize = 100;

/// The widgets of the foot.
#[derive(Clone)]
pub(super) struct Foot {
    prompt: Frame,
    hand: Input,
    expected: Input,
    document: Button,
    message: Frame,
    remembered: Rc<RefCell<Remembered>>,
    emit: Emit,
}

/// The lines that were sent, oldest first, and which of them is shown.
#[derive(Default)]
struct Remembered {
    sent: Vec<String>,
    at: usize,
    draft: String,
}

impl Foot {
    /// Makes the widgets in the window that is being built.
    pub fn new(emit: &Emit) -> Self {
        let mut prompt = widgets::label(12, 0, 16, "›", theme::palette().accent);
        prompt.set_label_size(theme::BODY + 4);
        let mut hand = widgets::field(28, 4, 300, &t!("wirewin.by_hand"));
        hand.set_text_font(Font::Courier);
        hand.set_tooltip(&t!("wirewin.by_hand_tip"));
        let mut expected = widgets::field(28, 4, 120, &t!("wirewin.expected"));
        expected.set_text_font(Font::Courier);
        expected.set_tooltip(&t!("wirewin.expected_tip"));
        let mut document = widgets::button(0, 4, BUTTON, &t!("wirewin.document"), Style::Ghost);
        document.set_tooltip(&t!("wirewin.document_tip"));
        document.set_callback({
            let emit = Rc::clone(emit);
            move |_| emit(UiEvent::Wire(wire_window::Event::SaveTrials))
        });
        let mut message = Frame::new(0, 4, 100, LINE, None);
        message.super_draw(false);
        message.draw(|f| {
            draw::set_font(Font::Helvetica, theme::SMALL);
            draw::set_draw_color(f.label_color());
            draw::draw_text(&widgets::fit(&f.label().replace("@@", "@"), f.w()), f.x(), f.y() + 14);
        });
        Self { prompt, hand, expected, document, message, remembered: Rc::default(), emit: Rc::clone(emit) }
    }

    /// Lays the foot out in a window of this size.
    pub fn lay_out(&self, w: i32, h: i32) {
        let top = h - height(w) + 4;
        let expected = (w / 5).clamp(116, 190);
        let right = w - 10 - BUTTON;
        // Below the datagram if there is no room beside it.
        let below = top + if w < NARROW { theme::CONTROL + 4 } else { 0 };
        let fields = match w < NARROW {
            true => [(&self.hand, 28, top, w - 38), (&self.expected, 28, below, right - 4 - 28)],
            false => [
                (&self.hand, 28, top, right - 4 - expected - 6 - 28),
                (&self.expected, right - 4 - expected, top, expected),
            ],
        };
        for (field, x, y, wide) in fields {
            field.parent().into_iter().for_each(|mut around| around.resize(x, y, wide, theme::CONTROL));
        }
        self.prompt.clone().resize(12, top - 1, 16, theme::CONTROL);
        self.document.clone().resize(right, below, BUTTON, theme::CONTROL);
        self.message.clone().resize(28, below + theme::CONTROL + 3, w - 38, LINE);
    }

    /// Lets Enter send from either field; keys that the fields do not use go to `shortcut`, with `true`.
    pub fn listen(&mut self, shortcut: &Rc<dyn Fn(bool) -> bool>) {
        for (field, brings_back) in [(self.hand.clone(), true), (self.expected.clone(), false)] {
            let (foot, shortcut) = (self.clone(), Rc::clone(shortcut));
            let mut field = field;
            field.super_handle_first(false);
            field.handle(move |field, event| {
                if matches!(event, Event::Focus | Event::Unfocus) {
                    field.parent().into_iter().for_each(|mut around| around.redraw());
                }
                if event != Event::KeyDown {
                    return field_menu::handles(field, event);
                }
                match app::event_key() {
                    Key::Enter | Key::KPEnter => foot.send(),
                    Key::Up | Key::Down if brings_back => foot.bring_back(app::event_key() == Key::Up),
                    _ => return shortcut(true) || field_menu::handles(field, event),
                }
                true
            });
        }
    }

    /// Puts the keyboard into the field for the datagram.
    pub fn focus(&self) {
        let _ = self.hand.clone().take_focus();
    }

    /// Takes over what another foot's fields hold and remember.
    pub fn take_over(&self, other: &Self) {
        self.hand.clone().set_value(&other.hand.value());
        self.expected.clone().set_value(&other.expected.value());
        self.remembered.swap(&other.remembered);
        if other.expected.has_focus() {
            let _ = self.expected.clone().take_focus();
        }
    }

    /// Returns the fields, for tests: the datagram, and what is expected of it.
    pub fn fields(&self) -> [&Input; 2] {
        [&self.hand, &self.expected]
    }

    /// Shows a text in one line; the tooltip has all of it.
    pub fn say(&self, text: &str, wrong: bool) {
        let colours = theme::palette();
        let mut message = self.message.clone();
        message.set_label_color(if wrong { colours.error } else { colours.dim });
        message.set_label(&widgets::escape(text));
        message.set_tooltip(&widgets::escape(text));
        if let Some(window) = message.window() {
            window.as_group().into_iter().for_each(|mut group| group.redraw());
        }
    }

    /// Returns the text that is shown.
    pub fn said(&self) -> String {
        self.message.label().replace("@@", "@")
    }

    /// Sets the number of requests in the test document.
    pub fn count(&self, trials: usize) {
        let label = if trials == 0 { t!("wirewin.document") } else { t!("wirewin.document_of", n = trials) };
        if self.document.label() != label {
            let mut document = self.document.clone();
            document.set_label(&label);
            document.redraw();
        }
    }

    fn send(&self) {
        let line = self.hand.value();
        let bytes = match unescape(&line) {
            Ok(bytes) if bytes.is_empty() => return,
            Ok(bytes) => bytes,
            Err(bad) => return self.say(&t!("wirewin.bad_escape", escape = bad), true),
        };
        let Some(expectation) = Expectation::parse(&self.expected.value()) else {
            return self.say(&t!("wirewin.bad_expectation"), true);
        };
        self.say("", false);
        self.remembered.borrow_mut().keep(without_password(&line, &bytes));
        (self.emit)(UiEvent::Wire(wire_window::Event::ByHand { bytes, expectation }));
        self.hand.clone().set_value("");
        self.expected.clone().set_value("");
        self.focus();
    }

    fn bring_back(&self, older: bool) {
        let mut hand = self.hand.clone();
        let line = self.remembered.borrow_mut().bring(older, &hand.value()).to_owned();
        hand.set_value(&line);
        let _ = hand.set_position(i32::try_from(hand.value().len()).unwrap_or(0));
    }
}

impl Remembered {
    fn keep(&mut self, line: String) {
        self.sent.retain(|old| *old != line);
        if self.sent.len() == REMEMBERED {
            self.sent.remove(0);
        }
        self.sent.push(line);
        self.at = self.sent.len();
    }

    fn bring(&mut self, older: bool, shown: &str) -> &str {
        if self.at == self.sent.len() {
            shown.clone_into(&mut self.draft);
        }
        self.at = if older { self.at.saturating_sub(1) } else { (self.at + 1).min(self.sent.len()) };
        self.sent.get(self.at).unwrap_or(&self.draft)
    }
}
