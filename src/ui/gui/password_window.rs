//! The window to change the password: the old one, and the new one twice.

use std::rc::Rc;

use fltk::input::SecretInput;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::sheet::{Note, Rows, Sheet, WIDTH};
use super::widgets::{Style, enter_submits};
use super::{Emit, Secret, UiEvent, screen, theme};
use crate::client::session::PasswordOutcome;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The old password.
    pub old: Secret,
    /// The new password.
    pub new: Secret,
    /// The new password again.
    pub confirm: Secret,
}

/// What the password window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// The button was pressed.
    Change(Form),
    /// The window was closed.
    Closed,
}

/// The password window.
pub struct PasswordWindow {
    window: screen::Owned,
    sheet: Sheet,
    old: SecretInput,
    new: SecretInput,
    confirm: SecretInput,
    message: Note,
}

/// The password that a message is about, which gets the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The old password.
    Old,
    /// The new password.
    New,
}

impl Field {
    /// Returns where to go on after this outcome.
    #[must_use]
    pub fn of(outcome: &PasswordOutcome) -> Self {
        match outcome {
            PasswordOutcome::WrongPassword | PasswordOutcome::NotTheOneOfLogin => Self::Old,
            _ => Self::New,
        }
    }
}

impl PasswordWindow {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let mut body = Rows::new(WIDTH);
        let mut old = body.secret(&t!("password.old"), "");
        let mut new = body.secret(&t!("password.new"), "");
        let mut confirm = body.secret(&t!("password.again"), "");
        let mut foot = Rows::foot(WIDTH);
        let message = foot.note(2);
        let mut change = foot.button(&t!("password.title"), Style::Primary);
        let mut cancel = foot.near().button(&t!("friend.cancel"), Style::Ghost);
        let sheet = Sheet::new(&t!("password.title"), body, Some(foot));
        let submit: Rc<dyn Fn()> = {
            let (old, new, confirm, emit) = (old.clone(), new.clone(), confirm.clone(), Rc::clone(&emit));
            Rc::new(move || {
                // If Enter was pressed too early, go on with what is still empty.
                let empty = [&old, &new, &confirm].into_iter().find(|field| field.value().is_empty());
                if let Some(field) = empty {
                    let _ = field.clone().take_focus();
                    return;
                }
                let secret = |field: &SecretInput| Secret(field.value());
                let form = Form { old: secret(&old), new: secret(&new), confirm: secret(&confirm) };
                emit(UiEvent::Password(Event::Change(form)));
            })
        };
        for field in [&mut old, &mut new, &mut confirm] {
            enter_submits(field, &submit);
        }
        sheet.open(&emit, [&mut change, &mut cancel], submit, &UiEvent::Password(Event::Closed));
        let _ = old.take_focus();
        Self { window: sheet.owned(), sheet, old, new, confirm, message }
    }

    /// Returns what is typed.
    #[must_use]
    pub fn form(&self) -> Form {
        let secret = |field: &SecretInput| Secret(field.value());
        Form { old: secret(&self.old), new: secret(&self.new), confirm: secret(&self.confirm) }
    }

    /// Fills what was typed into a rebuilt window.
    pub fn fill(&mut self, form: &Form) {
        self.old.set_value(&form.old.0);
        self.new.set_value(&form.new.0);
        self.confirm.set_value(&form.confirm.0);
    }

    /// Shows a text about what is going on; the keyboard stays where it is.
    pub fn say(&mut self, text: &str) {
        self.message.set_label_color(theme::palette().dim);
        self.sheet.tell(&mut self.message, text);
    }

    /// Shows what is wrong, in the colour of errors, and puts the keyboard where it can be corrected; everything typed
    /// stays.
    pub fn refuse(&mut self, text: &str, field: Field) {
        self.message.set_label_color(theme::palette().error);
        self.sheet.tell(&mut self.message, text);
        let _ = match field {
            Field::Old => self.old.take_focus(),
            Field::New => self.new.take_focus(),
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
