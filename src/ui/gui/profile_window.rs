//! The window in which somebody says who they are to others: name, line and colour; and who may ask to be their friend.
//!
//! Its part:
//!
//! - `may_ask`: who may ask.

mod may_ask;

use std::cell::Cell;
use std::rc::Rc;

use fltk::button::Button;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use may_ask::AskPart;

use super::sheet::{Note, Rows, Sheet};
use super::widgets::{self, Style, enter_submits};
use super::{Emit, UiEvent, screen, theme};
use crate::protocol::wire::item::{COLORS, MayAsk, Profile};

const WIDTH: i32 = 420;

/// What was typed and chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileForm {
    /// Who the account's owner is to others.
    pub profile: Profile,
    /// Who may ask to be a friend.
    pub may_ask: MayAsk,
}

/// What the profile window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// The button was pressed.
    Save(ProfileForm),
    /// The window was closed.
    Closed,
}

/// A field of the window, to which the focus goes when something is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The name.
    Name,
    /// The line.
    Line,
    /// The question or its answer.
    Question,
}

/// The profile window.
pub struct ProfileWindow {
    window: screen::Owned,
    sheet: Sheet,
    name: Input,
    line: Input,
    question: Option<Input>,
    message: Note,
    typed: Rc<dyn Fn() -> ProfileForm>,
}

impl ProfileWindow {
    /// Opens the window for `account` with this form. With `shared` others are shown what is typed; else only the name can
    /// be set, which stays on this computer.
    #[must_use]
    pub fn new(account: &str, form: &ProfileForm, shared: bool, emit: &Emit) -> Self {
        let ProfileForm { profile, may_ask } = form;
        let mut body = Rows::new(WIDTH);
        let label = if shared { t!("people.name") } else { t!("gui.nickname") };
        let mut name = body.field(&label, account);
        name.set_value(&profile.name);
        let parts = shared.then(|| {
            let mut line = body.field(&t!("people.line"), &t!("people.line_hint"));
            line.set_value(&profile.line);
            let color = colors(&mut body, account, profile.color);
            (line, color, AskPart::new(&mut body, may_ask))
        });
        let mut foot = Rows::foot(WIDTH);
        let mut message = foot.note(1);
        message.set_label_color(theme::palette().error);
        let mut save = foot.button(&t!("friend.save"), Style::Primary);
        let mut cancel = foot.near().button(&t!("friend.cancel"), Style::Ghost);
        let sheet = Sheet::new(&t!("people.profile"), body, Some(foot));
        let typed: Rc<dyn Fn() -> ProfileForm> = {
            let (name, parts) = (name.clone(), parts.clone());
            Rc::new(move || match &parts {
                Some((line, color, ask)) => ProfileForm {
                    profile: Profile {
                        name: name.value(),
                        line: line.value(),
                        color: color.get().checked_sub(1).and_then(|color| u8::try_from(color).ok()),
                    },
                    may_ask: ask.chosen(),
                },
                None => ProfileForm {
                    profile: Profile { name: name.value(), ..Profile::default() },
                    may_ask: MayAsk::Everybody,
                },
            })
        };
        let submit: Rc<dyn Fn()> = {
            let (typed, emit) = (Rc::clone(&typed), Rc::clone(emit));
            Rc::new(move || emit(UiEvent::Profile(Event::Save(typed()))))
        };
        enter_submits(&mut name, &submit);
        let mut question = None;
        let line = parts.map_or_else(
            || name.clone(),
            |(mut line, _, mut ask)| {
                for field in [&mut line, &mut ask.question, &mut ask.answer] {
                    enter_submits(field, &submit);
                }
                question = Some(ask.question);
                line
            },
        );
        sheet.open(emit, [&mut save, &mut cancel], submit, &UiEvent::Profile(Event::Closed));
        let _ = name.take_focus();
        Self { window: sheet.owned(), sheet, name, line, question, message, typed }
    }

    /// Returns what is typed and chosen.
    #[must_use]
    pub fn form(&self) -> ProfileForm {
        (self.typed)()
    }

    /// Says what is wrong, and gives that field the focus; everything typed stays.
    pub fn refuse(&mut self, text: &str, field: Field) {
        self.sheet.tell(&mut self.message, text);
        let _ = match (field, &mut self.question) {
            (Field::Question, Some(question)) => question.take_focus(),
            (Field::Line, _) => self.line.take_focus(),
            (Field::Name | Field::Question, _) => self.name.take_focus(),
        };
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }
}

/// Makes the row of colours, the first of which is the one that follows from the account; returns the number of the chosen
/// one.
fn colors(body: &mut Rows, account: &str, color: Option<u8>) -> Rc<Cell<usize>> {
    let value = Rc::new(Cell::new(color.map_or(0, |color| usize::from(color) + 1)));
    let choices = (0..=usize::from(COLORS)).map(|n| n.checked_sub(1).and_then(|color| u8::try_from(color).ok()));
    let make = |(n, color): (usize, Option<u8>)| widgets::swatch(account, color, n, &value);
    let mut buttons: Vec<Button> = body.choices(&t!("people.color"), || choices.enumerate().map(make).collect());
    let all = buttons.clone();
    for (n, button) in buttons.iter_mut().enumerate() {
        let (value, mut all) = (Rc::clone(&value), all.clone());
        button.set_callback(move |_| {
            value.set(n);
            all.iter_mut().for_each(WidgetExt::redraw);
        });
    }
    value
}
