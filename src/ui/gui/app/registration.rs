//! Registration: what the window asked for and what the server said.

use std::rc::Rc;

use rust_i18n::t;

use super::super::Secret;
use super::super::login_window::Field;
use super::super::register_window::{Event, Register, RegisterForm};
use super::place::Pending;
use super::{App, with};
use crate::base::model::{Account, FieldError, Password, names};
use crate::client::session::RegisterOutcome;
use crate::protocol::wire::reply::Registered;

/// Does what the registration window asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_register(),
        Event::Register(form) => app.do_register(form),
        Event::Closed => app.close_register(),
    });
}

impl App {
    pub(super) fn open_register(&mut self) {
        if let Some((window, _)) = &mut self.register {
            return window.raise();
        }
        self.register = Some((Register::new(Rc::clone(&self.emit)), RegisterForm::default()));
    }

    pub(super) fn do_register(&mut self, form: RegisterForm) {
        let fields = (
            Account::new_person(&names::composed(form.account.trim())),
            Password::parse(&form.password.0),
            Password::parse(&form.confirm.0),
        );
        match fields {
            (Ok(account), Ok(password), Ok(confirm)) => {
                self.drop_doubt();
                log::info!("said: {}", t!("gui.registering"));
                if let Some((window, known)) = &mut self.register {
                    window.say(&t!("gui.registering"));
                    *known = RegisterForm { password: Secret::default(), confirm: Secret::default(), ..form };
                }
                self.with_server(Pending::Register { account, password, confirm });
            }
            (Err(FieldError::Name(_)), _, _) => self.refuse_registration(&t!("gui.bad_name"), Field::Account),
            (Err(_), _, _) => self.refuse_registration(&t!("gui.bad_account"), Field::Account),
            _ => self.refuse_registration(&t!("gui.bad_password"), Field::Password),
        }
    }

    fn refuse_registration(&mut self, text: &str, field: Field) {
        log::info!("said: {text}");
        if let Some((register, _)) = &mut self.register {
            register.refuse(text, Some(field));
        }
    }

    fn close_register(&mut self) {
        if let Some((window, _)) = self.register.take() {
            window.close();
        }
        if self.trust.is_some() {
            self.stay_away();
        }
    }

    pub(super) fn registered(&mut self, outcome: &RegisterOutcome) {
        let text = match outcome {
            RegisterOutcome::Answered { reply: Registered::Done, .. } => {
                let Some((window, form)) = self.register.take() else { return };
                window.close();
                self.close_trust();
                let account = form.account.trim().to_owned();
                let nickname = names::tidy(&form.nickname);
                if !nickname.is_empty() {
                    self.settings.nicknames.insert(account.clone(), nickname);
                    self.saver.save(&self.settings);
                }
                log::info!("said: {}", t!("gui.registered"));
                if let Some(login) = &mut self.login {
                    login.fill(&account);
                    login.say(&t!("gui.registered"), false);
                }
                return;
            }
            refused => self.client.registration_sentence(refused),
        };
        self.refuse_registration(&text, Field::Password);
    }
}
