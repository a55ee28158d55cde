//! The registration window: a new account, its password twice, and one line that says what is wrong.

use std::rc::Rc;

use fltk::enums::Color;
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::keys_window::listen;
use super::sheet::{Note, Rows, Sheet, WIDTH};
use super::widgets::{Style, enter_submits_and};
use super::{Emit, Secret, UiEvent, screen, theme};

/// What the registration window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// The button was pressed.
    Register(RegisterForm),
    /// The window was closed.
    Closed,
}

/// What was typed into the registration window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegisterForm {
    /// The name that others are to be shown, where the server keeps names; may be empty.
    pub nickname: String,
    /// The account.
    pub account: String,
    /// The password.
    pub password: Secret,
    /// The password again; the server compares the two.
    pub confirm: Secret,
}

/// The field that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The name that others are shown.
    Name,
    /// The account.
    Account,
    /// The password and its repetition.
    Password,
}

/// The registration window.
pub struct Register {
    window: screen::Owned,
    sheet: Sheet,
    message: Note,
    nickname: Input,
    account: Input,
    password: SecretInput,
    confirm: SecretInput,
}

impl Register {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let mut body = Rows::new(WIDTH);
        let mut nickname = body.field(&t!("people.register_name"), &t!("people.register_name_hint"));
        let mut account = body.field(&t!("gui.account_course"), &t!("gui.account_hint"));
        let mut password = body.secret(&t!("gui.password"), &t!("gui.password_hint"));
        let mut confirm = body.secret(&t!("gui.confirm"), &t!("gui.confirm_hint"));
        let mut foot = Rows::foot(WIDTH);
        let message = foot.note(2);
        let mut button = foot.button(&t!("gui.register"), Style::Primary);
        let mut about = foot.near().note(2);
        about.set_label_size(theme::TINY);
        about.set_label_color(theme::palette().dim);
        about.set_label(&t!("gui.register_foot"));
        let sheet = Sheet::new(&t!("gui.register"), body, Some(foot));
        let mut window = sheet.window().clone();
        let submit: Rc<dyn Fn()> = {
            let fields = (nickname.clone(), account.clone(), password.clone(), confirm.clone());
            let emit = Rc::clone(&emit);
            Rc::new(move || {
                if to_first_empty(&fields) {
                    return;
                }
                emit(UiEvent::Register(Event::Register(RegisterForm {
                    nickname: fields.0.value(),
                    account: fields.1.value(),
                    password: Secret(fields.2.value()),
                    confirm: Secret(fields.3.value()),
                })));
            })
        };
        let hint: Rc<dyn Fn()> = {
            let (account, password, confirm) = (account.clone(), password.clone(), confirm.clone());
            let (message, sheet) = (message.clone(), sheet.clone());
            Rc::new(move || {
                let mut message = message.clone();
                let text = hint(&account.value(), &password.value(), &confirm.value());
                message.set_label_color(theme::palette().warn);
                sheet.clone().tell(&mut message, &text);
            })
        };
        for input in [&mut nickname, &mut account] {
            enter_submits_and(input, &submit, Some(&hint));
        }
        for input in [&mut password, &mut confirm] {
            enter_submits_and(input, &submit, Some(&hint));
        }
        button.set_callback(move |_| submit());
        listen(&mut window, &emit, |_| false);
        window.set_callback(move |_| emit(UiEvent::Register(Event::Closed)));
        window.show();
        let _ = nickname.take_focus();
        Self { window: sheet.owned(), sheet, message, nickname, account, password, confirm }
    }

    /// Rebuilds the window in another language or theme; what was typed stays.
    #[must_use]
    pub fn renewed(&self, emit: Emit) -> Self {
        // This window closes first, so that the new one takes its place.
        screen::hide(&self.window);
        let mut new = Self::new(emit);
        new.nickname.set_value(&self.nickname.value());
        new.account.set_value(&self.account.value());
        new.password.set_value(&self.password.value());
        new.confirm.set_value(&self.confirm.value());
        new
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
        let _ = self.password.take_focus();
    }

    /// Shows a text about what is going on.
    pub fn say(&mut self, text: &str) {
        self.show(text, theme::palette().dim);
    }

    /// Shows what is wrong, and goes to that field. What was typed stays to be corrected; passwords have to be typed
    /// again.
    pub fn refuse(&mut self, text: &str, field: Option<Field>) {
        match field {
            Some(Field::Name) => {
                let _ = self.nickname.take_focus();
            }
            Some(Field::Account) => {
                let _ = self.account.take_focus();
            }
            Some(Field::Password) => {
                self.password.set_value("");
                self.confirm.set_value("");
                let _ = self.password.take_focus();
            }
            None => {}
        }
        self.show(text, theme::palette().error);
    }

    fn show(&mut self, text: &str, colour: Color) {
        self.message.set_label_color(colour);
        self.sheet.tell(&mut self.message, text);
    }

    /// Returns the text that is shown, for tests.
    #[must_use]
    pub fn said(&self) -> String {
        self.message.label()
    }
}

/// Goes to the first empty field if Enter was pressed too early; returns whether there is one. A nickname is not
/// needed.
fn to_first_empty((_, account, password, confirm): &(Input, Input, SecretInput, SecretInput)) -> bool {
    if account.value().trim().is_empty() {
        return account.clone().take_focus().is_ok();
    }
    [password, confirm]
        .into_iter()
        .find(|field| field.value().is_empty())
        .is_some_and(|field| field.clone().take_focus().is_ok())
}

/// Returns a hint while typing. It never prevents a registration, since the server decides.
fn hint(account: &str, password: &str, confirm: &str) -> String {
    if crate::base::model::Account::person(account.trim()).is_err() && !account.is_empty() {
        t!("gui.bad_account").into_owned()
    } else if password.contains('#') {
        t!("gui.bad_password").into_owned()
    } else if !confirm.is_empty() && password != confirm {
        t!("gui.not_the_same_yet").into_owned()
    } else {
        String::new()
    }
}
