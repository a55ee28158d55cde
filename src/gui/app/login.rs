//! Registration and login: what the windows asked for and what the server said.

use std::rc::Rc;

use fltk::app;
use rust_i18n::t;

use super::super::login::{Login, Register};
use super::super::main_window::{MainWindow, Me};
use super::App;
use crate::model::{Account, Password};
use crate::net::clock;
use crate::session::{LoginOutcome, RegisterOutcome};
use crate::wire::reply::{LoggedIn, Registered};

impl App {
    /// Opens the login window.
    pub(super) fn open_login(&mut self) {
        let server = self.args.server;
        let place = match self.args.local_server {
            Some(_) => t!("gui.this_computer", server = server),
            None => t!("gui.server", server = server),
        };
        self.login = Some(Login::new(&self.args.account, &place, Rc::clone(&self.emit)));
    }

    /// Finds or starts this machine's server, if it is the one to be used.
    pub(super) fn start_local_server(&self) {
        let Some(data) = self.args.local_server.clone() else { return };
        let server = self.args.server;
        let started = std::thread::Builder::new().name("host".into()).spawn(move || {
            if let Err(error) = crate::host::ensure(server, &data) {
                log::error!("{error}");
                let text = error.to_string();
                app::awake_callback(move || {
                    super::with(|a| a.say(&text));
                });
            }
        });
        if let Err(error) = started {
            log::error!("no thread for the local server: {error}");
        }
    }

    pub(super) fn open_register(&mut self) {
        if let Some((old, _)) = self.register.take() {
            old.close();
        }
        self.register = Some((Register::new(Rc::clone(&self.emit)), String::new()));
    }

    pub(super) fn do_register(&mut self, account: &str, password: &str, confirm: &str) {
        let fields = (Account::person(account.trim()), Password::parse(password), Password::parse(confirm));
        match fields {
            (Ok(account), Ok(password), Ok(confirm)) => {
                self.say(&t!("gui.registering"));
                if let Some((_, name)) = &mut self.register {
                    account.as_str().clone_into(name);
                }
                self.client.register(clock::now(), account, password, confirm);
            }
            (Err(_), _, _) => self.say(&t!("gui.bad_account")),
            _ => self.say(&t!("gui.bad_password")),
        }
    }

    pub(super) fn log_in(&mut self, account: &str, password: &str) {
        let Ok(account) = Account::person(account.trim()) else { return self.say(&t!("gui.bad_account")) };
        let Ok(password) = Password::parse(password) else { return self.say(&t!("gui.bad_password")) };
        if let Some(login) = &mut self.login {
            login.say(&t!("gui.logging_in"), false);
        }
        if self.takeover.take().is_some_and(|a| a == account) {
            return self.client.take_over(clock::now());
        }
        self.me = Some(account.clone());
        if let Err(error) = self.client.login(clock::now(), account, password) {
            self.say(&error.to_string());
        }
    }

    pub(super) fn registered(&mut self, outcome: &RegisterOutcome) {
        let text = match outcome {
            RegisterOutcome::Answered { reply: Registered::Done, .. } => {
                let Some((window, name)) = self.register.take() else { return };
                window.close();
                if let Some(login) = &mut self.login {
                    login.fill(&name);
                    login.say(&t!("gui.registered"), false);
                }
                return;
            }
            RegisterOutcome::Answered { reply: Registered::PasswordsDiffer, .. } => t!("gui.passwords_differ"),
            // The answer to the first try may have been lost.
            RegisterOutcome::Answered { reply: Registered::AccountExists, after_timeout: true } => {
                t!("gui.maybe_registered")
            }
            RegisterOutcome::Answered { reply: Registered::AccountExists, .. } => t!("gui.account_exists"),
            RegisterOutcome::NotUnderstood => t!("gui.not_understood"),
            RegisterOutcome::NoAnswer => t!("gui.no_answer"),
        };
        if let Some((register, _)) = &mut self.register {
            register.say(&text, true);
        }
    }

    pub(super) fn logged_in(&mut self, outcome: &LoginOutcome) {
        let (text, account_too) = match outcome {
            LoginOutcome::Done => return self.open_main(),
            LoginOutcome::Refused(LoggedIn::WrongPassword | LoggedIn::Done) => (t!("gui.wrong_password"), false),
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) => (t!("gui.no_such_account"), true),
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) => {
                self.takeover.clone_from(&self.me);
                return self.say(&t!("gui.already"));
            }
            LoginOutcome::NotUnderstood => (t!("gui.not_understood"), false),
            // The password may be right: it stays.
            LoginOutcome::NoAnswer => return self.say(&t!("gui.no_answer")),
        };
        self.say(&text);
        if let Some(login) = &mut self.login {
            login.again(account_too);
        }
    }

    fn open_main(&mut self) {
        if let Some(login) = self.login.take() {
            login.close();
        }
        if let Some((register, _)) = self.register.take() {
            register.close();
        }
        if self.main.is_none()
            && let Some(account) = self.me.clone()
        {
            let me = Me { account, nickname: String::new() };
            let mut main = MainWindow::new(&me, None, Rc::clone(&self.emit));
            main.set_link(self.client.link());
            main.set_online(self.online.clone());
            self.main = Some(main);
            self.client.conversations();
        }
    }
}
