//! The part of the registration window: what it has asked for and what the server says.

use std::mem;

use rust_i18n::t;

use super::super::Secret;
use super::super::register_window::{Event, Field, Register, RegisterForm};
use super::core::Core;
use super::entry::Asker;
use super::server::Pending;
use super::{App, profile, with};
use crate::base::model::{Account, FieldError, Password, names};
use crate::client::session::{NewAccount, RegisterOutcome};
use crate::protocol::wire::reply::Registered;

/// The registration window, and what was last asked for, without the passwords.
pub(super) struct Registering {
    pub window: Register,
    asked: RegisterForm,
}

/// Does what the registration window has asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_register(),
        Event::Register(form) => app.register(form),
        Event::Closed => app.close_register(),
    });
}

impl Registering {
    /// Rebuilds the window in another language or theme; what was typed stays.
    pub fn renew(&mut self, core: &Core) {
        self.window = self.window.renewed(core.emit());
    }
}

impl App {
    fn open_register(&mut self) {
        let Some(entry) = self.stage.entry() else { return };
        match &mut entry.register {
            Some(register) => register.window.raise(),
            None => {
                let window = Register::new(self.core.emit());
                entry.register = Some(Registering { window, asked: RegisterForm::default() });
            }
        }
    }

    fn close_register(&mut self) {
        let Some(entry) = self.stage.entry() else { return };
        entry.register = None;
        // A question about what was asked for in the login window stays.
        if mem::replace(&mut entry.asker, Asker::Login) == Asker::Registration && entry.trust.is_some() {
            self.stay_away();
        }
    }

    fn register(&mut self, form: RegisterForm) {
        let fields = (
            Account::new_person(&names::composed(form.account.trim())),
            Password::parse(&form.password.0),
            Password::parse(&form.confirm.0),
        );
        let name = names::tidy(&form.nickname);
        if !profile::is_name(&name) {
            return self.refuse_registration(&t!("people.bad_name"), Field::Name);
        }
        match fields {
            (Ok(account), Ok(password), Ok(confirm)) => {
                self.drop_doubt();
                log::info!("said: {}", t!("gui.registering"));
                let Some(entry) = self.stage.entry() else { return };
                entry.asker = Asker::Registration;
                entry.wait(&t!("gui.registering"));
                if let Some(register) = &mut entry.register {
                    register.asked = RegisterForm { password: Secret::default(), confirm: Secret::default(), ..form };
                }
                self.with_server(Pending::Register(NewAccount { account, password, confirm, name }));
            }
            (Err(FieldError::Name(_)), _, _) => self.refuse_registration(&t!("gui.bad_name"), Field::Account),
            (Err(_), _, _) => self.refuse_registration(&t!("gui.bad_account"), Field::Account),
            _ => self.refuse_registration(&t!("gui.bad_password"), Field::Password),
        }
    }

    fn registering(&mut self) -> Option<&mut Registering> {
        self.stage.entry().and_then(|entry| entry.register.as_mut())
    }

    fn refuse_registration(&mut self, text: &str, field: Field) {
        log::info!("said: {text}");
        if let Some(register) = self.registering() {
            register.window.refuse(text, Some(field));
        }
    }

    /// Shows the outcome of a registration.
    pub(super) fn registered(&mut self, outcome: &RegisterOutcome) {
        match outcome {
            RegisterOutcome::Answered { reply: Registered::Done, .. } => self.go_on_to_login(),
            refused => {
                let text = self.core.client.registration_sentence(refused);
                self.refuse_registration(&text, Field::Password);
            }
        }
    }

    /// Closes the registration window after a success, and fills the account into the login window.
    fn go_on_to_login(&mut self) {
        let Some(entry) = self.stage.entry() else { return };
        let Some(Registering { asked, .. }) = entry.register.take() else { return };
        entry.asker = Asker::Login;
        entry.trust = None;
        let account = asked.account.trim().to_owned();
        let nickname = names::tidy(&asked.nickname);
        if !nickname.is_empty() {
            self.core.settings.nicknames.insert(account.clone(), nickname);
            self.core.save();
        }
        log::info!("said: {}", t!("gui.registered"));
        entry.login.fill(&account);
        entry.login.say(&t!("gui.registered"), false);
    }
}
