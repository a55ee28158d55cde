//! The stage before a login: the login window, what was asked for there, and what the server answered.

use std::collections::{BTreeMap, HashMap};

use fltk::app;
use rust_i18n::t;

use super::super::login_window::{Event, Field, Login, LoginForm};
use super::super::settings_window::SettingsWindow;
use super::super::trust_window::TrustWindow;
use super::super::{Secret, screen};
use super::core::Core;
use super::questions::Trouble;
use super::registration::Registering;
use super::server::Pending;
use super::signed_in::SignedIn;
use super::{App, Stage, with};
use crate::base::model::{Account, Password};
use crate::client::net::clock;
use crate::client::session::LoginOutcome;
use crate::protocol::wire::reply::LoggedIn;
use crate::protocol::wire::status::Shown;

/// The stage before a login: the login and registration windows, and the login that is being tried.
pub(super) struct Entry {
    pub login: Login,
    pub register: Option<Registering>,
    pub trust: Option<TrustWindow>,
    pub settings: Option<SettingsWindow>,
    /// The login or registration that waits until the server has been found.
    pub pending: Option<Pending>,
    /// The last login attempt.
    pub attempt: Option<Attempt>,
    /// The window in which the last request to the server was made.
    pub asker: Asker,
    /// The account whose session elsewhere the next login may end.
    takeover: Option<Account>,
    /// A sentence that the main window shows once it is open.
    pub said_later: Option<String>,
}

/// The window that made a request to the server, in which the answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    Login,
    Registration,
}

/// A login attempt, and what the client has reported about its account meanwhile.
pub(super) struct Attempt {
    pub me: Account,
    pub online: Option<Vec<Account>>,
    /// Those of them who are not simply there without a line.
    pub states: BTreeMap<Account, Shown>,
    /// Unsent texts that the history has kept, each under the account it is for.
    pub drafts: HashMap<Account, String>,
    /// A notice that the main window shows until its reader dismisses it.
    pub kept: Option<String>,
}

/// Does what the login window asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::LogIn { account, password } => app.log_in(&account, &password),
        Event::AccountTyped(_) => {
            if let Some(entry) = app.stage.entry() {
                entry.look_whether_known(&app.core);
            }
        }
        Event::ForgetDevice(account) => app.forget_device(&account),
        Event::OtherLanguage => app.other_language(),
        // Closing the login window ends the program, unless somebody is logged in.
        Event::Closed if !app.stage.is_signed_in() => app::quit(),
        Event::Closed => {}
    });
}

impl Attempt {
    fn new(me: Account) -> Self {
        Self { me, online: None, states: BTreeMap::new(), drafts: HashMap::new(), kept: None }
    }
}

impl Entry {
    /// Opens the login window, filled in or as the settings have it.
    pub fn open(form: Option<LoginForm>, core: &Core) -> Self {
        let form = form.unwrap_or_else(|| LoginForm {
            account: core.args.account.clone().unwrap_or_else(|| core.settings.account.clone()),
            password: Secret::default(),
            remember: core.settings.remember,
            stay: false,
        });
        let login = Login::new(&form, &core.server.line(), core.emit());
        let mut entry = Self {
            login,
            register: None,
            trust: None,
            settings: None,
            pending: None,
            attempt: None,
            asker: Asker::Login,
            takeover: None,
            said_later: None,
        };
        entry.look_whether_known(core);
        entry
    }

    /// Rebuilds the login window after the language or theme has changed; what was typed stays.
    pub fn renew_login(&mut self, core: &Core) {
        self.login = self.login.renewed(&core.server.line(), core.emit());
        self.look_whether_known(core);
    }

    /// Closes the login and registration windows. Called when a login has succeeded.
    fn leave(&mut self) {
        (self.register, self.trust) = (None, None);
        screen::hide(self.login.window());
    }

    /// Says in the login window whether the account there needs no password.
    pub fn look_whether_known(&mut self, core: &Core) {
        let account = Account::person(self.login.form().account.trim());
        let known = |account: Account| core.server.is_known() && core.client.can_resume(&account);
        self.login.set_known(account.is_ok_and(known));
    }

    /// The registration window, if the last request was made there; its answer is shown there, every other one in the
    /// login window.
    pub fn registration(&mut self) -> Option<&mut Registering> {
        self.register.as_mut().filter(|_| self.asker == Asker::Registration)
    }

    /// Shows a sentence in the window that made the last request.
    pub fn say(&mut self, text: &str) {
        match self.registration() {
            Some(register) => register.window.refuse(text, None),
            None => self.login.say(text, true),
        }
    }

    /// Shows what is being waited for in the window that made the last request.
    pub fn wait(&mut self, text: &str) {
        match self.registration() {
            Some(register) => register.window.say(text),
            None => self.login.say(text, false),
        }
    }

    /// Shows in the login window why a login was refused.
    pub fn refuse_login(&mut self, text: &str) {
        log::info!("said: {text}");
        self.login.say(text, true);
    }

    /// Says what is missing, and moves the keyboard focus there, so that further typing does not overwrite a field that
    /// is right.
    fn refuse(&mut self, text: &str, field: Field) {
        self.refuse_login(text);
        self.login.go_to(field);
    }
}

impl App {
    /// Applies an unticked "stay logged in" at once, whether or not the user logs in.
    fn forget_device(&mut self, account: &str) {
        let Ok(account) = Account::person(account.trim()) else { return };
        let Some(entry) = self.stage.entry() else { return };
        if self.core.client.can_resume(&account) {
            match self.core.client.forget_token(&account) {
                Ok(()) => entry.login.say(&t!("gui.device_forgotten"), false),
                Err(error) => entry.refuse_login(&error.to_string()),
            }
            entry.look_whether_known(&self.core);
        }
    }

    pub(super) fn log_in(&mut self, account: &str, password: &Secret) {
        let Some(entry) = self.stage.entry() else { return };
        if account.trim().is_empty() {
            return entry.refuse(&t!("gui.account_missing"), Field::Account);
        }
        let Ok(account) = Account::person(account.trim()) else {
            return entry.refuse(&t!("gui.bad_account"), Field::Account);
        };
        let form = entry.login.form();
        let password = match Password::parse(&password.0) {
            Ok(password) => Some(password),
            Err(_) if password.0.is_empty() && form.stay => None,
            Err(_) if password.0.is_empty() => {
                return entry.refuse(&t!("gui.password_missing"), Field::Password);
            }
            Err(_) => return entry.refuse(&t!("gui.bad_password"), Field::Password),
        };
        entry.asker = Asker::Login;
        entry.wait(&t!("gui.looking_up"));
        self.drop_doubt();
        self.with_server(Pending::Login { form, account, password });
    }

    /// Logs in to a server that has been found.
    pub(super) fn log_in_now(&mut self, form: &LoginForm, account: Account, password: Option<Password>) {
        let Some(entry) = self.stage.entry() else { return };
        let core = &mut self.core;
        if password.is_none() && !core.client.can_resume(&account) {
            return entry.refuse(&t!("gui.password_missing"), Field::Password);
        }
        entry.login.say(&t!("gui.logging_in"), false);
        core.settings.remember = form.remember;
        core.settings.account = if form.remember { account.to_string() } else { String::new() };
        core.save();
        if entry.takeover.take().is_some_and(|a| a == account) {
            return core.client.take_over(clock::now());
        }
        entry.attempt = Some(Attempt::new(account.clone()));
        core.client.stay_logged_in(form.stay);
        let now = clock::now();
        let begun = match password {
            Some(password) => core.client.login(now, account, password),
            None => core.client.resume(now, account),
        };
        if let Err(error) = begun {
            entry.refuse_login(&error.to_string());
        }
    }

    pub(super) fn logged_in(&mut self, outcome: &LoginOutcome) {
        match self.stage.signed_in() {
            Some(_) if *outcome == LoginOutcome::Done => {}
            Some(_) => self.refused_again(outcome),
            None if *outcome == LoginOutcome::Done => self.enter(),
            None => self.refused(outcome),
        }
    }

    /// Replaces the login window by the main window. Called when a login has succeeded.
    fn enter(&mut self) {
        let Some(entry) = self.stage.entry() else { return };
        let Some(attempt) = entry.attempt.take() else { return };
        let (settings, said_later) = (entry.settings.take(), entry.said_later.take());
        // Its windows go first, so that no other has to make room for them.
        entry.leave();
        self.stage = Stage::SignedIn(Box::new(SignedIn::open(attempt, settings, said_later, &mut self.core)));
    }

    /// Not asked for here: the session tries again by itself, and ends nobody's.
    fn refused_again(&mut self, outcome: &LoginOutcome) {
        match outcome {
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) => self.say(&t!("gui.elsewhere")),
            // Its question says more.
            LoginOutcome::KeyChanged | LoginOutcome::KeysDamaged => {}
            LoginOutcome::PasswordNeeded => self.ask(Trouble::Password),
            LoginOutcome::Refused(LoggedIn::WrongPassword) => self.ask(Trouble::PasswordNoMore),
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) => self.deleted(outcome),
            _ => self.say(&self.core.client.login_sentence(outcome)),
        }
    }

    /// Shows why the server refused a login from the login window.
    fn refused(&mut self, outcome: &LoginOutcome) {
        let Some(entry) = self.stage.entry() else { return };
        let account_too = match outcome {
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) => {
                entry.takeover = entry.attempt.as_ref().map(|attempt| attempt.me.clone());
                return entry.refuse_login(&t!("gui.already"));
            }
            // The password may be right: it stays.
            LoginOutcome::NoAnswer
            | LoginOutcome::Unheard
            | LoginOutcome::TryLater(_)
            | LoginOutcome::NotTaken
            | LoginOutcome::KeyChanged
            | LoginOutcome::KeysDamaged
            | LoginOutcome::EncryptedOnly => {
                return entry.refuse_login(&self.core.client.login_sentence(outcome));
            }
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) => true,
            LoginOutcome::Done
            | LoginOutcome::Refused(_)
            | LoginOutcome::NotUnderstood
            | LoginOutcome::Unknown(_)
            | LoginOutcome::PasswordNeeded => false,
        };
        if account_too {
            entry.refuse_login(&t!("gui.not_registered"));
        } else {
            entry.refuse_login(&self.core.client.login_sentence(outcome));
        }
        entry.login.again(account_too);
        entry.look_whether_known(&self.core);
        if *outcome == LoginOutcome::PasswordNeeded {
            entry.login.keep_staying();
        }
    }

    /// Shows that the account of the current login no longer exists at the server.
    fn deleted(&mut self, outcome: &LoginOutcome) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.deleted = true;
        }
        self.say(&outcome.on_return().unwrap_or_default());
        self.refresh_headers();
    }
}
