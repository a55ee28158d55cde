//! The login window: account and password, one button, and one line that says what is wrong.

use std::rc::Rc;

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::draw;
use fltk::enums::{self, Color, Font, Key};
use fltk::frame::Frame;
use fltk::group::Flex;
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::keys_window::listen;
use super::sheet::{Note, Rows, Sheet, WIDTH, outwards};
use super::widgets::{self, Style, enter_submits, enter_submits_and};
use super::{Emit, Secret, UiEvent, begin, register_window, screen, settings_window, theme};

/// The height of the disc and the program's name.
const HEAD: i32 = 56;
/// The height of a checkbox with a link beside it.
const KEPT: i32 = 30;
/// The width of the link to registration.
const REGISTER: i32 = 84;

type WindowKey = Action<fn() -> UiEvent>;

/// The login window's keys.
pub(super) const ACTIONS: &[WindowKey] = &[
    WindowKey::told(&[Press::Elsewhere("Enter")], "keys.submit"),
    WindowKey::new(&[Press::Ctrl('r')], "keys.register", || UiEvent::Register(register_window::Event::Open)),
    WindowKey::new(&[Press::Ctrl('l')], "keys.language", || UiEvent::Login(Event::OtherLanguage)),
];

/// What the login window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum Event {
    /// The button was pressed.
    LogIn { account: String, password: Secret },
    /// Another account was typed.
    AccountTyped(String),
    /// This device is to be forgotten for this account, so that it needs its password again.
    ForgetDevice(String),
    /// The language is to change from English to Chinese, or the other way round.
    OtherLanguage,
    /// The window was closed.
    Closed,
}

/// What is in the login window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginForm {
    /// The account.
    pub account: String,
    /// The password; empty unless the window is rebuilt.
    pub password: Secret,
    /// Whether the account is filled in next time.
    pub remember: bool,
    /// Whether this device is remembered, so that no password is needed next time.
    pub stay: bool,
}

/// The field that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The account.
    Account,
    /// The password; in the registration window both of them.
    Password,
}

/// The login window.
pub struct Login {
    window: screen::Owned,
    sheet: Sheet,
    account: Input,
    password: SecretInput,
    remember: CheckButton,
    stay: CheckButton,
    /// Whether the account in the field needs no password here, as long as the checkbox is ticked.
    known: bool,
    message: Note,
    server: Note,
}

impl Login {
    /// Opens the window; `server` is the line at the bottom.
    #[must_use]
    pub fn new(form: &LoginForm, server: &str, emit: Emit) -> Self {
        let mut rows = Rows::new(WIDTH);
        let mut head = rows.row(HEAD, 0, |_| Frame::new(0, 0, 0, HEAD, None));
        head.draw(|f| {
            draw_head(f);
            begin::drawn();
        });
        let mut account = rows.field(&t!("gui.account"), &t!("gui.account_hint"));
        account.set_value(&form.account);
        let mut password = rows.secret(&t!("gui.password"), &t!("gui.password_hint"));
        password.set_value(&form.password.0);
        let message = rows.near().note(2);
        let button = rows.near().button(&t!("gui.login"), Style::Primary);
        let (mut remember, mut stay, register) = keeping(&mut rows);
        remember.set_value(form.remember);
        stay.set_value(form.stay);
        let (server_line, language, gear) = login_foot(&mut rows);
        let sheet = Sheet::new(&t!("gui.login_title"), rows, None);
        let mut login = Self {
            window: sheet.owned(),
            sheet,
            account,
            password,
            remember,
            stay,
            known: false,
            message,
            server: server_line,
        };
        login.submits(button, &emit);
        login.keeps(&emit);
        login.leads_on([register, language, gear], emit);
        login.sheet.window().clone().show();
        let empty = form.account.is_empty();
        let _ = if empty { login.account.take_focus() } else { login.password.take_focus() };
        login.set_server(server);
        login
    }

    /// Sets up the ways to log in, and what happens while an account is typed.
    fn submits(&mut self, mut button: Button, emit: &Emit) {
        let submit: Rc<dyn Fn()> = {
            let (account, password, emit) = (self.account.clone(), self.password.clone(), Rc::clone(emit));
            Rc::new(move || {
                emit(UiEvent::Login(Event::LogIn { account: account.value(), password: Secret(password.value()) }));
            })
        };
        let typed: Rc<dyn Fn()> = {
            let (account, emit) = (self.account.clone(), Rc::clone(emit));
            Rc::new(move || emit(UiEvent::Login(Event::AccountTyped(account.value()))))
        };
        enter_submits_and(&mut self.account, &submit, Some(&typed));
        enter_submits(&mut self.password, &submit);
        button.set_callback(move |_| submit());
    }

    /// Sets up the checkboxes: staying logged in includes remembering the account, and ending it makes this device
    /// forgotten at once.
    fn keeps(&mut self, emit: &Emit) {
        let (account, mut remember, emit) = (self.account.clone(), self.remember.clone(), Rc::clone(emit));
        self.stay.set_callback(move |stay| {
            if stay.value() {
                remember.set_value(true);
            } else {
                emit(UiEvent::Login(Event::ForgetDevice(account.value())));
            }
        });
    }

    /// Sets up the ways to registration, the other language and the settings; also the keys, and how the window closes.
    fn leads_on(&self, buttons: [Button; 3], emit: Emit) {
        let events = [
            UiEvent::Register(register_window::Event::Open),
            UiEvent::Login(Event::OtherLanguage),
            UiEvent::Settings(settings_window::Event::Open),
        ];
        for (mut button, event) in buttons.into_iter().zip(events) {
            let emit = Rc::clone(&emit);
            button.set_callback(move |_| emit(event.clone()));
        }
        let (mut window, out) = (self.sheet.window().clone(), Rc::clone(&emit));
        listen(&mut window, &emit, move |event| {
            let event = if event == enums::Event::KeyDown { pressed(ACTIONS, false) } else { None };
            event.inspect(|event| out(event())).is_some()
        });
        window.set_callback(move |_| {
            // Escape does not close this window.
            if app::event_key() != Key::Escape || app::event() == enums::Event::Close {
                emit(UiEvent::Login(Event::Closed));
            }
        });
    }

    /// Rebuilds the window in another language or theme; what was typed stays.
    #[must_use]
    pub fn renewed(&self, server: &str, emit: Emit) -> Self {
        // This window closes first, so that the new one takes its place.
        screen::hide(&self.window);
        Self::new(&self.form(), server, emit)
    }

    /// Sets whether the account in the field can log in without a password here, and ticks the checkbox accordingly.
    pub fn set_known(&mut self, known: bool) {
        if known != std::mem::replace(&mut self.known, known) {
            self.stay.set_value(known);
            let hint = if known { t!("gui.no_password_needed") } else { t!("gui.password_hint") };
            widgets::set_placeholder(&mut self.password, &hint);
            self.sheet.window().clone().redraw();
        }
    }

    /// Keeps the checkbox for staying logged in ticked when the password is needed again.
    pub fn keep_staying(&mut self) {
        self.stay.set_value(true);
        self.stay.redraw();
    }

    /// Sets the line at the bottom, which names the server.
    pub fn set_server(&mut self, server: &str) {
        self.server.set_tooltip(&widgets::escape(server));
        self.sheet.tell(&mut self.server, server);
    }

    /// Returns what is in the fields.
    #[must_use]
    pub fn form(&self) -> LoginForm {
        LoginForm {
            account: self.account.value(),
            password: Secret(self.password.value()),
            remember: self.remember.value(),
            stay: self.stay.value(),
        }
    }

    /// Shows a text about the last try; `wrong` in the colour of errors.
    pub fn say(&mut self, text: &str, wrong: bool) {
        let palette = theme::palette();
        self.message.set_label_color(if wrong { palette.error } else { palette.dim });
        self.sheet.tell(&mut self.message, text);
    }

    /// Returns the text that is shown, for tests.
    #[must_use]
    pub fn said(&self) -> String {
        self.message.label()
    }

    /// Puts the keyboard into the field where something is missing or wrong; its text stays.
    pub fn go_to(&mut self, field: Field) {
        let _ = match field {
            Field::Account => self.account.take_focus(),
            Field::Password => self.password.take_focus(),
        };
    }

    /// Clears the password, and the account too if it does not exist, and puts the cursor where to go on.
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
        self.raise();
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

/// Makes the checkboxes and, beside them, the link to registration, which Tab reaches after both.
fn keeping(rows: &mut Rows) -> (CheckButton, CheckButton, Button) {
    rows.row(2 * KEPT, 0, |row| {
        // Its text, rather than its edge, is flush with the fields.
        outwards(row, 4);
        let mut kept = Flex::new(0, 0, 0, 0, None).column();
        kept.set_pad(0);
        let remember = widgets::checkbox(0, 0, 0, &t!("gui.remember"));
        let mut stay = widgets::checkbox(0, 0, 0, &t!("gui.stay_logged_in"));
        stay.set_tooltip(&t!("gui.stay_tip"));
        kept.end();
        let mut beside = Flex::new(0, 0, 0, 0, None).column();
        beside.set_pad(0);
        let register = widgets::button(0, 0, 0, &t!("gui.register_new"), Style::Link);
        let _below = Frame::new(0, 0, 0, 0, None);
        beside.end();
        row.fixed(&beside, REGISTER);
        (remember, stay, register)
    })
}

/// Makes the line about the server, and the buttons for the other language and the settings.
fn login_foot(rows: &mut Rows) -> (Note, Button, Button) {
    rows.rule();
    rows.row(theme::CONTROL, 4, |row| {
        // The wheel, rather than the highlight around it, is flush with the fields.
        outwards(row, 8);
        let mut place = widgets::note(0, 0, 0, theme::CONTROL);
        place.set_label_color(theme::palette().dim);
        place.set_label_size(theme::TINY);
        let language = widgets::button(0, 0, 0, &t!("gui.other_language"), Style::Link);
        row.fixed(&language, 46);
        let mut gear = widgets::button(0, 0, 0, "⚙", Style::Ghost);
        row.fixed(&gear, theme::CONTROL);
        gear.set_tooltip(&t!("gui.settings_tip"));
        (Note::new(place, theme::CONTROL), language, gear)
    })
}

fn draw_head(f: &mut Frame) {
    let palette = theme::palette();
    draw::set_draw_color(Color::from_hex(0x1476D4));
    draw::draw_pie(f.x(), f.y(), 48, 48, 0.0, 360.0);
    widgets::centred("雁", f.x(), f.y(), 48, 48, 20, Color::White);
    draw::set_font(Font::Helvetica, 18);
    draw::set_draw_color(palette.text);
    draw::draw_text(&t!("gui.app"), f.x() + 60, f.y() + 21);
    draw::set_font(Font::Helvetica, theme::SMALL);
    draw::set_draw_color(palette.dim);
    draw::draw_text(&widgets::whole(&t!("gui.slogan"), f.w() - 60), f.x() + 60, f.y() + 42);
}
