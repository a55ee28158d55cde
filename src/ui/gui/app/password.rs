//! Changing the password, on plain servers that can.

use std::rc::Rc;

use rust_i18n::t;

use super::super::password_window::{Event, Field, Form, PasswordWindow};
use super::{App, with};
use crate::base::model::Password;
use crate::client::net::clock;
use crate::client::session::PasswordOutcome;

/// Does what the password window asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_password(),
        Event::Change(form) => app.change_password(&form),
        Event::Closed => app.close_password(),
    });
}

impl App {
    pub(super) fn open_password(&mut self) {
        match &self.password {
            Some(window) => window.raise(),
            None => {
                let mut window = PasswordWindow::new(Rc::clone(&self.emit));
                if self.client.changes_passwords().is_none() {
                    log::info!("said: {}", t!("password.unknown"));
                    window.say(&t!("password.unknown"));
                }
                self.password = Some(window);
            }
        }
    }

    /// Built anew in another language or theme; what was typed stays.
    pub(super) fn rebuild_password(&mut self) {
        let Some(form) = self.password.as_ref().map(PasswordWindow::form) else { return };
        self.close_password();
        self.open_password();
        self.password.iter_mut().for_each(|window| window.fill(&form));
    }

    pub(super) fn close_password(&mut self) {
        if let Some(window) = self.password.take() {
            window.close();
        }
    }

    pub(super) fn change_password(&mut self, form: &Form) {
        let parse = |text: &str| Password::parse(text);
        let (old, new, confirm) = (parse(&form.old.0), parse(&form.new.0), parse(&form.confirm.0));
        let Some(window) = &mut self.password else { return };
        match (old, new, confirm) {
            (Ok(old), Ok(new), Ok(_)) if old == new => window.refuse(&t!("password.same"), Field::New),
            (Ok(old), Ok(new), Ok(confirm)) => {
                window.say(&t!("password.changing"));
                self.client.change_password(clock::now(), old, new, confirm);
            }
            (Err(_), ..) => window.refuse(&t!("gui.bad_password"), Field::Old),
            _ => window.refuse(&t!("gui.bad_password"), Field::New),
        }
    }

    pub(super) fn password_changed(&mut self, outcome: &PasswordOutcome) {
        let text = outcome.sentence();
        if *outcome == PasswordOutcome::Done {
            self.close_password();
        }
        log::info!("said: {text}");
        match (&mut self.password, &mut self.main) {
            (Some(window), _) => window.refuse(&text, Field::of(outcome)),
            (None, Some(main)) => main.say(&text),
            (None, None) => {}
        }
    }
}
