//! Changing a password: 01 with four fields, as in the course's edition of 2019. A server of 2018 takes the same bytes
//! for a registration, and answers with the same codes: `01:03` that the account exists, `01:02` that the supposed
//! password and its confirmation differ, `01:01` that it has registered an account. So the answer of a server that has
//! not yet shown that it changes passwords is checked by logging in: with the new password, or else the old one.

use std::time::Instant;

use super::answers::code_of;
use super::request::Purpose;
use super::{Session, State};
use crate::base::model::{Account, Password};
use crate::client::session::{Event, PasswordOutcome};
use crate::protocol::wire::reply::{LoggedIn, PasswordChange};
use crate::protocol::wire::{Reply, Request};

/// A change of password that is under way.
#[derive(Debug)]
pub(super) struct Changing {
    account: Account,
    old: Password,
    new: Password,
    /// The answer to 01 once it is known: none, a code of the edition of 2019, or another.
    answer: Option<Answer>,
    /// Whether the session went offline to try the new password, since some servers say that one is already logged in,
    /// whatever the password.
    away: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Silence,
    Code(PasswordChange),
    Other,
}

impl Session {
    /// Changes the password of the logged-in account; answered by [`Event::PasswordChanged`]. Nothing happens while a
    /// change is under way.
    pub fn change_password(&mut self, now: Instant, old: Password, new: Password, confirm: Password) {
        if self.changing.is_some() {
            return;
        }
        let Some((account, current)) = self.who.clone().filter(|_| self.state == State::Online) else {
            return self.password_is(PasswordOutcome::NotLoggedIn);
        };
        if new != confirm {
            return self.password_is(PasswordOutcome::PasswordsDiffer);
        }
        // A server that registers with 01, even somebody who exists, would make a wrong one the right one.
        if old != current && !self.is_sure_to_change() {
            return self.password_is(PasswordOutcome::NotTheOneOfLogin);
        }
        let request = Request::ChangePassword { account: account.clone(), old: old.clone(), new: new.clone(), confirm };
        self.changing = Some(Changing { account, old, new, answer: None, away: false });
        self.want(Purpose::ChangePassword, &request);
        self.go_on(now);
    }

    /// Returns whether the server changes passwords: ours does, and others if they have shown it since the last login.
    /// Earlier knowledge may be about another program.
    pub(super) fn is_sure_to_change(&self) -> bool {
        self.server.is_ours || self.server.changes_passwords == Some(true)
    }

    fn changes(&mut self, does: bool, shown: bool) {
        if self.server.changes_passwords.replace(does) != Some(does) {
            self.told.events.push_back(Event::ChangesPasswords { does, shown });
        }
    }

    /// Handles the answer to 01 with four fields, which was sent `tries` times.
    pub(super) fn change_answered(&mut self, tries: u8, reply: &Reply) {
        let code = match reply {
            Reply::Register(code) => PasswordChange::from(*code),
            Reply::Other(_) => return self.try_new(Answer::Other),
            _ => return self.changes_none(),
        };
        let sure = self.is_sure_to_change();
        match code {
            PasswordChange::Done if sure => self.changed(),
            // Asked twice, the first one may have been served.
            PasswordChange::WrongPassword if sure && tries == 1 => self.password_is(PasswordOutcome::WrongPassword),
            PasswordChange::NoSuchAccount if sure => self.password_is(PasswordOutcome::NoSuchAccount),
            // They do not differ: it has compared what it takes for a password and its confirmation.
            PasswordChange::PasswordsDiffer => self.changes_none(),
            code => self.try_new(Answer::Code(code)),
        }
    }

    /// Handles that one of these requests got no answer.
    pub(super) fn change_unanswered(&mut self, purpose: &Purpose) {
        if *purpose == Purpose::ChangePassword && !self.is_sure_to_change() {
            // It may not answer what it does not know, or may have ended because of it.
            return self.try_new(Answer::Silence);
        }
        if self.changing.as_ref().is_some_and(|change| change.answer == Some(Answer::Silence)) {
            self.changes(false, false);
        }
        self.password_is(PasswordOutcome::NoAnswer);
    }

    fn changes_none(&mut self) {
        self.changes(false, true);
        self.password_is(PasswordOutcome::NotHere);
    }

    fn try_new(&mut self, answer: Answer) {
        if let Some(change) = &mut self.changing {
            change.answer = Some(answer);
            let (account, password) = (change.account.clone(), change.new.clone());
            self.want(Purpose::TryNew, &Request::Login { account, password });
        }
    }

    /// Handles the answer to 02 with the new password.
    pub(super) fn new_tried(&mut self, now: Instant, reply: Reply) {
        self.offered_again();
        let Some(change) = &mut self.changing else { return };
        match reply {
            Reply::Login(LoggedIn::Done) => {
                self.changes(true, true);
                self.changed();
                if self.state != State::Online {
                    self.log_in(now);
                }
            }
            // It may have said so without a look at the password.
            Reply::Login(LoggedIn::AlreadyLoggedIn) if !change.away => {
                change.away = true;
                self.want(Purpose::TryAway, &Request::Offline);
            }
            Reply::Login(LoggedIn::WrongPassword) => {
                let (account, password) = (change.account.clone(), change.old.clone());
                self.want(Purpose::TryOld, &Request::Login { account, password });
            }
            Reply::Login(LoggedIn::NoSuchAccount) => self.password_is(PasswordOutcome::NoSuchAccount),
            reply => self.unclear(&reply),
        }
    }

    /// Handles any answer to 06: the new password is tried next.
    pub(super) fn away_for_new(&mut self) {
        if let Some(answer) = self.changing.as_ref().and_then(|change| change.answer) {
            self.try_new(answer);
        }
    }

    /// Handles the answer to 02 with the old password, after the new one was refused.
    pub(super) fn old_tried(&mut self, reply: &Reply) {
        self.offered_again();
        let refused = Some(Answer::Code(PasswordChange::WrongPassword));
        match reply {
            Reply::Login(LoggedIn::Done | LoggedIn::AlreadyLoggedIn) => self.changes_none(),
            // It is indeed wrong, and has become so elsewhere.
            Reply::Login(LoggedIn::WrongPassword)
                if self.changing.as_ref().is_some_and(|change| change.answer == refused) =>
            {
                self.changes(true, true);
                self.password_is(PasswordOutcome::WrongPassword);
            }
            reply => self.unclear(reply),
        }
    }

    fn unclear(&mut self, reply: &Reply) {
        let code = match reply {
            Reply::Other(bytes) => code_of(bytes),
            reply => code_of(&reply.encode(Default::default())),
        };
        self.password_is(PasswordOutcome::Unclear(code));
    }

    fn changed(&mut self) {
        if let (Some((account, password)), Some(change)) = (&mut self.who, &self.changing)
            && *account == change.account
        {
            password.clone_from(&change.new);
        }
        self.password_is(PasswordOutcome::Done);
    }

    /// Gives up the change under way and reports it as interrupted.
    pub(super) fn change_no_more(&mut self) {
        if self.changing.is_some() {
            self.password_is(PasswordOutcome::Interrupted);
        }
    }

    fn password_is(&mut self, outcome: PasswordOutcome) {
        self.changing = None;
        self.told.events.push_back(Event::PasswordChanged(outcome));
    }
}
