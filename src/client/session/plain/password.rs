//! Changing a password: 01 with four fields, the course's edition of 2019. A server of 2018 takes the same bytes for
//! a registration and may answer with the code that means "changed" here, so the new password is tried before
//! anybody is told.

use std::time::Instant;

use super::answers::code_of;
use super::request::Purpose;
use super::{Session, State};
use crate::base::model::Password;
use crate::client::session::{Event, PasswordOutcome};
use crate::protocol::wire::reply::{LoggedIn, PasswordChange};
use crate::protocol::wire::{Reply, Request};

impl Session {
    /// Changes the password of whoever is logged in; answered by [`Event::PasswordChanged`].
    pub fn change_password(&mut self, now: Instant, old: Password, new: Password, confirm: Password) {
        let Some((account, _)) = self.login.clone().filter(|_| self.state == State::Online) else {
            return self.password_is(PasswordOutcome::NoAnswer);
        };
        if new != confirm {
            return self.password_is(PasswordOutcome::PasswordsDiffer);
        }
        self.new_password = Some(new.clone());
        self.want(Purpose::ChangePassword, &Request::ChangePassword { account, old, new, confirm });
        self.go_on(now);
    }

    /// What came to 01 with four fields, sent so often.
    pub(super) fn change_answered(&mut self, tries: u8, reply: Reply) {
        match reply {
            Reply::Register(code) => match PasswordChange::from(code) {
                PasswordChange::Done => self.verify(),
                // Asked twice, the first one may have been served.
                PasswordChange::WrongPassword if tries > 1 => self.verify(),
                PasswordChange::WrongPassword => self.password_is(PasswordOutcome::WrongPassword),
                PasswordChange::NoSuchAccount => self.password_is(PasswordOutcome::NoSuchAccount),
                // They do not differ: it has compared what it takes for a password and its confirmation.
                PasswordChange::PasswordsDiffer => self.password_is(PasswordOutcome::NotHere),
            },
            Reply::Other(bytes) => self.password_is(PasswordOutcome::Unclear(code_of(&bytes))),
            _ => self.password_is(PasswordOutcome::NotHere),
        }
    }

    fn verify(&mut self) {
        match (self.login.clone(), self.new_password.clone()) {
            (Some((account, _)), Some(password)) => {
                self.want(Purpose::VerifyPassword, &Request::Login { account, password });
            }
            _ => self.password_is(PasswordOutcome::NoAnswer),
        }
    }

    /// What came to 02 with the new password.
    pub(super) fn verified(&mut self, reply: Reply) {
        match reply {
            Reply::Login(LoggedIn::Done | LoggedIn::AlreadyLoggedIn) => {
                if let (Some((_, password)), Some(new)) = (&mut self.login, self.new_password.take()) {
                    *password = new;
                }
                self.password_is(PasswordOutcome::Done);
            }
            Reply::Login(LoggedIn::WrongPassword) => self.password_is(PasswordOutcome::NotHere),
            Reply::Other(bytes) => self.password_is(PasswordOutcome::Unclear(code_of(&bytes))),
            reply => self.password_is(PasswordOutcome::Unclear(code_of(&reply.encode(Default::default())))),
        }
    }

    pub(super) fn password_is(&mut self, outcome: PasswordOutcome) {
        self.new_password = None;
        self.events.push_back(Event::PasswordChanged(outcome));
    }
}
