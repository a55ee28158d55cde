//! Login: what the window asked for and what the server said.

use std::rc::Rc;

use fltk::app;
use rust_i18n::t;

use super::super::Secret;
use super::super::login_window::{Event, Field, Login, LoginForm};
use super::super::main_window::{MainWindow, Me};
use super::place::Pending;
use super::questions::Trouble;
use super::{App, with};
use crate::base::model::{Account, Password};
use crate::client::history::MoreStrangers;
use crate::client::net::clock;
use crate::client::session::LoginOutcome;
use crate::protocol::wire::reply::LoggedIn;
use crate::ui::gui::notice::Kept;

/// Does what the login window asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::LogIn { account, password } => app.log_in(&account, &password),
        Event::AccountTyped(_) => app.look_whether_known(),
        Event::ForgetDevice(account) => app.forget_device(&account),
        Event::OtherLanguage => app.other_language(),
        Event::Closed => app.login_closed(),
    });
}

impl App {
    /// Opens the login window, filled in or as the settings have it.
    pub(super) fn open_login(&mut self, form: Option<LoginForm>) {
        let form = form.unwrap_or_else(|| LoginForm {
            account: self.args.account.clone().unwrap_or_else(|| self.settings.account.clone()),
            password: Secret::default(),
            remember: self.settings.remember,
            stay: false,
        });
        self.login = Some(Login::new(&form, &self.place.line(), Rc::clone(&self.emit)));
        self.look_whether_known();
    }

    /// Says in the login window whether the account there needs no password.
    pub(super) fn look_whether_known(&mut self) {
        if let Some(login) = &mut self.login {
            let account = Account::person(login.form().account.trim());
            let known = |account: Account| self.place.is_known() && self.client.can_resume(&account);
            login.set_known(account.is_ok_and(known));
        }
    }

    /// Whoever unticked "stay logged in" means it now, whether or not they log in.
    pub(super) fn forget_device(&mut self, account: &str) {
        let Ok(account) = Account::person(account.trim()) else { return };
        if self.client.can_resume(&account) {
            match self.client.forget_token(&account) {
                Ok(()) => self.wait(&t!("gui.device_forgotten")),
                Err(error) => self.say(&error.to_string()),
            }
            self.look_whether_known();
        }
    }

    /// Closing the login window ends the program, unless somebody is logged in.
    pub(super) fn login_closed(&mut self) {
        if self.main.is_none() {
            app::quit();
        }
    }

    pub(super) fn log_in(&mut self, account: &str, password: &Secret) {
        if account.trim().is_empty() {
            return self.refuse_login(&t!("gui.account_missing"), Field::Account);
        }
        let Ok(account) = Account::person(account.trim()) else {
            return self.refuse_login(&t!("gui.bad_account"), Field::Account);
        };
        let Some(form) = self.login.as_ref().map(Login::form) else { return };
        let password = match Password::parse(&password.0) {
            Ok(password) => Some(password),
            Err(_) if password.0.is_empty() && form.stay => None,
            Err(_) if password.0.is_empty() => {
                return self.refuse_login(&t!("gui.password_missing"), Field::Password);
            }
            Err(_) => return self.refuse_login(&t!("gui.bad_password"), Field::Password),
        };
        self.drop_doubt();
        self.wait(&t!("gui.looking_up"));
        self.with_server(Pending::Login { form, account, password });
    }

    /// Says what is missing, with the keys there: whoever goes on typing must not write over what is right.
    fn refuse_login(&mut self, text: &str, field: Field) {
        self.say(text);
        if let Some(login) = &mut self.login {
            login.go_to(field);
        }
    }

    /// Logs in on a server that is there.
    pub(super) fn log_in_now(&mut self, form: &LoginForm, account: Account, password: Option<Password>) {
        if password.is_none() && !self.client.can_resume(&account) {
            return self.refuse_login(&t!("gui.password_missing"), Field::Password);
        }
        self.wait(&t!("gui.logging_in"));
        self.settings.remember = form.remember;
        self.settings.account = if form.remember { account.to_string() } else { String::new() };
        self.saver.save(&self.settings);
        if self.takeover.take().is_some_and(|a| a == account) {
            return self.client.take_over(clock::now());
        }
        self.me = Some(account.clone());
        self.client.stay_logged_in(form.stay);
        let now = clock::now();
        let begun = match password {
            Some(password) => self.client.login(now, account, password),
            None => self.client.resume(now, account),
        };
        if let Err(error) = begun {
            self.say(&error.to_string());
        }
    }

    pub(super) fn wait(&mut self, text: &str) {
        if let Some(login) = &mut self.login {
            login.say(text, false);
        }
    }

    pub(super) fn logged_in(&mut self, outcome: &LoginOutcome) {
        let account_too = match outcome {
            LoginOutcome::Done => {
                self.takeover = None;
                return self.open_main();
            }
            // Not asked for here: the session tries again by itself, and ends nobody's.
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) if self.main.is_some() => {
                return self.say(&t!("gui.elsewhere"));
            }
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) => {
                self.takeover.clone_from(&self.me);
                return self.say(&t!("gui.already"));
            }
            // Its question says more.
            LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged if self.main.is_some() => return,
            LoginOutcome::PasswordNeeded if self.main.is_some() => return self.ask(Trouble::Password),
            LoginOutcome::Refused(LoggedIn::WrongPassword) if self.main.is_some() => {
                return self.ask(Trouble::PasswordNoMore);
            }
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) if self.main.is_some() => return self.deleted(outcome),
            // The password may be right: it stays.
            LoginOutcome::NoAnswer
            | LoginOutcome::Unheard
            | LoginOutcome::TryLater(_)
            | LoginOutcome::NotTaken
            | LoginOutcome::KeyChanged
            | LoginOutcome::KeysDamaged
            | LoginOutcome::EncryptedOnly => {
                return self.say(&self.client.login_sentence(outcome));
            }
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) => true,
            LoginOutcome::Refused(_)
            | LoginOutcome::NotUnderstood
            | LoginOutcome::Unknown(_)
            | LoginOutcome::PasswordNeeded => false,
        };
        if account_too {
            self.say(&t!("gui.not_registered"));
        } else {
            self.say(&self.client.login_sentence(outcome));
        }
        if let Some(login) = &mut self.login {
            login.again(account_too);
        }
        self.look_whether_known();
        if let Some(login) = self.login.as_mut().filter(|_| *outcome == LoginOutcome::PasswordNeeded) {
            login.keep_staying();
        }
    }

    /// The account that is logged in is no more.
    fn deleted(&mut self, outcome: &LoginOutcome) {
        self.deleted = true;
        self.say(&outcome.on_return().unwrap_or_default());
        self.refresh_headers();
    }

    /// Another account has this one's name: what is shown was the earlier one's. What stands in the fields stays there, and
    /// goes nowhere before somebody who has been told presses Enter.
    pub(super) fn made_anew(&mut self, text: String) {
        self.drafts.clear();
        self.online = None;
        if let Some(main) = &mut self.main {
            main.set_conversations(Vec::new());
            main.set_more_strangers(MoreStrangers::default());
            main.unseen();
            self.tell(&text);
        } else {
            self.kept_for_main = Some(text);
        }
        self.rebuild_chats();
        self.typed.extend(self.chats.keys().cloned());
        self.keep_drafts();
    }

    pub(super) fn open_main(&mut self) {
        if let Some(login) = self.login.take() {
            login.close();
        }
        if let Some((register, _)) = self.register.take() {
            register.close();
        }
        if self.main.is_none()
            && let Some(me) = self.who()
        {
            let place = self.settings.windows.get("main").copied();
            let mut main = MainWindow::new(&me, place, Rc::clone(&self.emit));
            main.set_link(self.client.link());
            main.set_speaks(self.client.connection().speaks);
            main.set_not_storing(self.client.is_not_storing());
            main.set_online(self.online.clone());
            main.set_silent(self.client.is_silent());
            if let Some(text) = self.afterwards.take() {
                main.say(&text);
            }
            if let Some(text) = self.kept_for_main.take() {
                main.keep(Kept::Sentence(text));
            }
            self.main = Some(main);
            self.show_trouble();
            self.client.conversations();
        }
    }

    /// Builds the main window anew, in another language or theme.
    pub(super) fn rebuild_main(&mut self) {
        let Some(me) = self.who() else { return };
        self.main = self.main.take().map(|main| main.renewed(&me, Rc::clone(&self.emit)));
        if let Some(main) = &mut self.main {
            main.set_not_storing(self.client.is_not_storing());
        }
        self.show_trouble();
    }

    fn who(&self) -> Option<Me> {
        let account = self.me.clone()?;
        let nickname = self.settings.nicknames.get(account.as_str()).cloned().unwrap_or_default();
        Some(Me { account, nickname })
    }
}
