//! The part of the password window, for plain servers that can change passwords.

use rust_i18n::t;

use super::super::password_window::{Event, Field, Form, PasswordWindow};
use super::core::Core;
use super::signed_in::SignedIn;
use super::with_signed_in;
use crate::base::model::Password;
use crate::client::net::clock;
use crate::client::session::PasswordOutcome;

/// Does what the password window has asked for.
pub(super) fn apply(event: Event) {
    with_signed_in(|signed_in, core| match event {
        Event::Open => signed_in.open_password(core),
        Event::Change(form) => signed_in.change_password(&form, core),
        Event::Closed => signed_in.password = None,
    });
}

impl SignedIn {
    fn open_password(&mut self, core: &Core) {
        match &mut self.password {
            Some(window) => window.raise(),
            None => {
                let mut window = PasswordWindow::new(core.emit());
                if core.client.changes_passwords().is_none() {
                    log::info!("said: {}", t!("password.unknown"));
                    window.say(&t!("password.unknown"));
                }
                self.password = Some(window);
            }
        }
    }

    /// Rebuilds the window in another language or theme; what was typed stays.
    pub(super) fn rebuild_password(&mut self, core: &Core) {
        let Some(form) = self.password.take().map(|window| window.form()) else { return };
        self.open_password(core);
        self.password.iter_mut().for_each(|window| window.fill(&form));
    }

    fn change_password(&mut self, form: &Form, core: &mut Core) {
        let parse = |text: &str| Password::parse(text);
        let (old, new, confirm) = (parse(&form.old.0), parse(&form.new.0), parse(&form.confirm.0));
        let Some(window) = &mut self.password else { return };
        match (old, new, confirm) {
            (Ok(old), Ok(new), Ok(_)) if old == new => window.refuse(&t!("password.same"), Field::New),
            (Ok(old), Ok(new), Ok(confirm)) => {
                window.say(&t!("password.changing"));
                core.client.change_password(clock::now(), old, new, confirm);
            }
            (Err(_), ..) => window.refuse(&t!("gui.bad_password"), Field::Old),
            _ => window.refuse(&t!("gui.bad_password"), Field::New),
        }
    }

    /// Shows the outcome of a change of the password.
    pub(super) fn password_changed(&mut self, outcome: &PasswordOutcome) {
        let text = outcome.sentence();
        log::info!("said: {text}");
        if *outcome == PasswordOutcome::Done {
            self.password = None;
        }
        match &mut self.password {
            Some(window) => window.refuse(&text, Field::of(outcome)),
            None => self.main.say(&text),
        }
    }
}
