//! The login window and the registration window: fields, one button, one line that says what is wrong.

use std::rc::Rc;

use fltk::button::Button;
use fltk::draw;
use fltk::enums::{Color, Event, Font};
use fltk::frame::Frame;
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::widgets::{self, Style};
use super::{UiEvent, theme};

/// Where windows put what the person asks for.
pub type Emit = Rc<dyn Fn(UiEvent)>;

const WIDTH: i32 = 320;
const MARGIN: i32 = 24;
const INNER: i32 = WIDTH - 2 * MARGIN;

/// Account and password.
pub struct Login {
    window: Window,
    account: Input,
    password: SecretInput,
    message: Frame,
    button: Button,
}

impl Login {
    /// Opens the window; `place` is the line at its foot.
    #[must_use]
    pub fn new(account: &str, place: &str, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = Window::new(0, 0, WIDTH, 400, None).center_screen();
        window.set_label(&t!("gui.login_title"));
        window.set_color(palette.bg);
        let mut head = Frame::new(MARGIN, 18, INNER, 56, None);
        head.draw(|f| {
            let palette = theme::palette();
            draw::set_draw_color(palette.accent);
            draw::draw_pie(f.x(), f.y(), 48, 48, 0.0, 360.0);
            let letter: String = t!("gui.app").chars().last().into_iter().collect();
            let letter = if letter.is_ascii() { "H".to_owned() } else { letter };
            widgets::centred(&letter, f.x(), f.y(), 48, 48, 20, Color::White);
            draw::set_font(Font::Helvetica, 18);
            draw::set_draw_color(palette.text);
            draw::draw_text(&t!("gui.app"), f.x() + 60, f.y() + 22);
            draw::set_font(Font::Helvetica, theme::SMALL);
            draw::set_draw_color(palette.dim);
            draw::draw_text(&t!("gui.slogan"), f.x() + 60, f.y() + 42);
        });
        widgets::label(MARGIN, 84, INNER, &t!("gui.account"), palette.dim);
        let mut account_field = widgets::field(MARGIN, 106, INNER, &t!("gui.account_hint"));
        account_field.set_value(account);
        widgets::label(MARGIN, 152, INNER, &t!("gui.password"), palette.dim);
        let mut password = widgets::secret_field(MARGIN, 174, INNER, &t!("gui.password_hint"));
        let message = widgets::label(MARGIN, 214, INNER, "", palette.error);
        let mut button = widgets::button(MARGIN, 240, INNER, &t!("gui.login"), Style::Primary);
        let mut register = widgets::button(MARGIN, 288, INNER, &t!("gui.register_new"), Style::Link);
        let mut foot = widgets::label(MARGIN, 366, INNER, place, palette.dim);
        foot.set_label_size(theme::TINY);
        window.end();
        let submit: Rc<dyn Fn()> = {
            let (account, password, emit) = (account_field.clone(), password.clone(), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Login { account: account.value(), password: password.value() }))
        };
        enter_submits(&mut account_field, &submit);
        enter_submits(&mut password, &submit);
        button.set_callback(move |_| submit());
        register.set_callback(move |_| emit(UiEvent::OpenRegister));
        window.show();
        let _ = if account.is_empty() { account_field.take_focus() } else { password.take_focus() };
        Self { window, account: account_field, password, message, button }
    }

    /// Says something about the last try; `wrong` in the colour of errors.
    pub fn say(&mut self, text: &str, wrong: bool) {
        let palette = theme::palette();
        self.message.set_label_color(if wrong { palette.error } else { palette.dim });
        self.message.set_label(&widgets::escape(text));
        self.window.redraw();
    }

    /// Clears the password, and the account too if it does not exist; the cursor stands where to go on.
    pub fn again(&mut self, account_too: bool) {
        self.password.set_value("");
        if account_too {
            self.account.set_value("");
            let _ = self.account.take_focus();
        } else {
            let _ = self.password.take_focus();
        }
    }

    /// Fills in an account that was just registered.
    pub fn fill(&mut self, account: &str) {
        self.account.set_value(account);
        self.again(false);
    }

    /// While a request is under way the button waits.
    pub fn set_busy(&mut self, busy: bool) {
        if busy { self.button.deactivate() } else { self.button.activate() }
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }

    /// Closes the window until [`Login::show`].
    pub fn show(&mut self) {
        self.window.show();
    }
}

/// A new account.
pub struct Register {
    window: Window,
    message: Frame,
    password: SecretInput,
    confirm: SecretInput,
}

impl Register {
    /// Opens the window.
    #[must_use]
    pub fn new(emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = Window::new(0, 0, WIDTH, 330, None).center_screen();
        window.set_label(&t!("gui.register"));
        window.set_color(palette.bg);
        widgets::label(MARGIN, 14, INNER, &t!("gui.account_course"), palette.dim);
        let mut account = widgets::field(MARGIN, 36, INNER, &t!("gui.account_hint"));
        widgets::label(MARGIN, 80, INNER, &t!("gui.password"), palette.dim);
        let mut password = widgets::secret_field(MARGIN, 102, INNER, &t!("gui.password_hint"));
        widgets::label(MARGIN, 146, INNER, &t!("gui.confirm"), palette.dim);
        let mut confirm = widgets::secret_field(MARGIN, 168, INNER, &t!("gui.confirm_hint"));
        let message = widgets::label(MARGIN, 210, INNER, "", palette.error);
        let mut button = widgets::button(MARGIN, 242, INNER, &t!("gui.register"), Style::Primary);
        window.end();
        let submit: Rc<dyn Fn()> = {
            let (account, password, confirm) = (account.clone(), password.clone(), confirm.clone());
            let emit = Rc::clone(&emit);
            Rc::new(move || {
                emit(UiEvent::Register {
                    account: account.value(),
                    password: password.value(),
                    confirm: confirm.value(),
                });
            })
        };
        enter_submits(&mut account, &submit);
        enter_submits(&mut password, &submit);
        enter_submits(&mut confirm, &submit);
        button.set_callback(move |_| submit());
        window.set_callback(move |_| emit(UiEvent::RegisterClosed));
        window.show();
        let _ = account.take_focus();
        Self { window, message, password, confirm }
    }

    /// Says what is wrong; the fields stay for correction, the passwords are cleared.
    pub fn say(&mut self, text: &str, clear: bool) {
        self.message.set_label(&widgets::escape(text));
        if clear {
            self.password.set_value("");
            self.confirm.set_value("");
            let _ = self.password.take_focus();
        }
        self.window.redraw();
    }

    /// Closes the window for good.
    pub fn close(self) {
        Window::delete(self.window);
    }
}

/// Enter in a field does what the button does.
pub(super) fn enter_submits<I: WidgetBase + WidgetExt + InputExt>(input: &mut I, submit: &Rc<dyn Fn()>) {
    let submit = Rc::clone(submit);
    input.set_trigger(fltk::enums::CallbackTrigger::EnterKeyAlways);
    input.set_callback(move |_| {
        if fltk::app::event() == Event::KeyDown {
            submit();
        }
    });
}
