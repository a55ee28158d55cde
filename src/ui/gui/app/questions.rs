//! What the main window asks when a connection has ended for good, and what its owner answers.

use std::rc::Rc;

use rust_i18n::t;

use super::super::login_window::Login;
use super::super::notice::Question;
use super::super::trust_window::{Doubt, Event, TrustWindow};
use super::super::{UiEvent, dialog, main_window};
use super::{App, Leaving, leave, soon, with};
use crate::base::model::Account;
use crate::client::history::time_of;
use crate::client::net::clock;
use crate::client::session::Plainly;

/// Why nobody is logged in any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another device took this account's place, then.
    Kicked { address: String, at: i64 },
    /// Another program with a copy of this one's folder did.
    Copied,
    /// The server does not know this device any more.
    Password,
    /// Nor the password that this session began with.
    PasswordNoMore,
    /// It may be another one.
    Doubt(Doubt),
}

/// Does what the window of a doubtful server asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::StayAway => app.stay_away(),
        Event::SendReadable => app.send_readable(),
        Event::TrustKey(key) => app.trust_key(key),
    });
}

impl Trouble {
    fn question(&self) -> Question {
        let answer = |name: String, event| (name, event);
        let offline = answer(t!("main.stay_offline").into_owned(), UiEvent::Main(main_window::Event::StayOffline));
        match self {
            Self::Kicked { address, at } => Question {
                text: t!("main.kicked", address = address, time = time_of(*at)).into_owned(),
                answers: [
                    answer(t!("main.take_back").into_owned(), UiEvent::Main(main_window::Event::TakeBack)),
                    offline,
                ],
            },
            Self::Copied => Question {
                text: t!("secure.copied").into_owned(),
                answers: [
                    answer(t!("main.take_back").into_owned(), UiEvent::Main(main_window::Event::TakeBack)),
                    offline,
                ],
            },
            Self::Password | Self::PasswordNoMore => Question {
                text: match self {
                    Self::PasswordNoMore => t!("gui.password_no_more").into_owned(),
                    _ => t!("main.password_needed").into_owned(),
                },
                answers: [
                    answer(t!("main.log_in_again").into_owned(), UiEvent::Main(main_window::Event::LogInAgain)),
                    offline,
                ],
            },
            Self::Doubt(doubt) => {
                let (text, look) = match doubt {
                    Doubt::Key(change) if change.damaged.is_some() => (t!("trust.damaged"), t!("trust.look")),
                    Doubt::Key(_) => (t!("trust.changed"), t!("trust.look")),
                    Doubt::Plain(Plainly::NoLonger) => (t!("trust.plain_changed"), t!("trust.plain_look")),
                    Doubt::Plain(Plainly::Only) => (t!("secure.plain_only"), t!("trust.plain_look")),
                    Doubt::Plain(Plainly::Chosen) => (t!("secure.plain_chosen"), t!("trust.plain_look")),
                };
                let answers = [answer(look.into_owned(), UiEvent::Main(main_window::Event::ShowDoubt)), offline];
                Question { text: text.into_owned(), answers }
            }
        }
    }
}

impl App {
    /// Asks its owner how to go on; it waits in the main window, which asks for attention.
    pub(super) fn ask(&mut self, trouble: Trouble) {
        log::info!("asked: {}", trouble.question().text);
        self.trouble = Some(trouble);
        self.show_trouble();
        if let Some(main) = &mut self.main {
            // It was about the login that has ended.
            main.say("");
            main.unseen();
        }
    }

    /// In the main window as it is now.
    pub(super) fn show_trouble(&mut self) {
        if let Some(main) = &mut self.main {
            main.ask(self.trouble.as_ref().map(Trouble::question));
        }
    }

    /// It is decided, or over by itself.
    pub(super) fn no_trouble(&mut self) {
        if self.trouble.take().is_some() {
            self.close_trust();
            self.show_trouble();
        }
    }

    /// Whether another device has this account's place, and it can be taken back.
    pub(super) fn is_kicked(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Kicked { .. } | Trouble::Copied))
    }

    pub(super) fn take_back(&mut self) {
        self.no_trouble();
        self.client.take_over(clock::now());
    }

    pub(super) fn stay_offline(&mut self) {
        self.no_trouble();
        self.client.go_offline(clock::now());
    }

    /// The account's history is damaged: its owner is asked, once nothing is borrowed.
    pub(super) fn damaged(&mut self, sentence: String) {
        log::info!("asked: {sentence}");
        self.say(&sentence);
        self.damaged = Some(sentence);
        soon(ask_rescue);
    }

    /// Saves what can be read, of an account that is closed.
    pub(super) fn rescue(&mut self, account: &Account) {
        self.wait(&t!("gui.rescuing"));
        self.client.rescue(account);
    }

    /// What became of it, where its owner logs in again.
    pub(super) fn rescued(&mut self, sentence: &str) {
        log::info!("said: {sentence}");
        self.wait(sentence);
    }

    /// Whoever has just asked for something sees at once why it was not done; else it waits.
    pub(super) fn doubt(&mut self, doubt: Doubt) {
        if self.main.is_some() {
            return self.ask(Trouble::Doubt(doubt));
        }
        log::info!("asked: {}", doubt.head(&self.place.line()));
        self.wait("");
        if let Some((register, _)) = &mut self.register {
            register.say("");
        }
        self.open_trust(&doubt);
    }

    pub(super) fn show_doubt(&mut self) {
        if let Some(Trouble::Doubt(doubt)) = self.trouble.clone() {
            self.open_trust(&doubt);
        }
    }

    pub(super) fn open_trust(&mut self, doubt: &Doubt) {
        self.close_trust();
        let (server, nearby) = (self.place.line(), self.place.is_nearby());
        self.trust = Some(TrustWindow::new(&server, nearby, doubt, Rc::clone(&self.emit)));
    }

    /// Somebody wants something else than what the question was about, which is not done then.
    pub(super) fn drop_doubt(&mut self) {
        self.close_trust();
        self.client.refuse_plain();
    }

    pub(super) fn close_trust(&mut self) {
        if let Some(window) = self.trust.take() {
            window.close();
        }
    }

    /// What was asked for is not done, and not tried again.
    pub(super) fn stay_away(&mut self) {
        self.close_trust();
        self.client.refuse_plain();
        if self.main.is_none() || matches!(self.trouble, Some(Trouble::Doubt(_))) {
            self.stay_offline();
        }
        match &mut self.register {
            Some((register, _)) => register.refuse(&t!("trust.not_sent"), None),
            None => self.wait(&t!("trust.not_sent")),
        }
    }

    /// In plain what waits for that, until the server encrypts again or the program ends.
    pub(super) fn send_readable(&mut self) {
        self.close_trust();
        self.no_trouble();
        match &mut self.register {
            Some((register, _)) => register.say(&t!("gui.registering")),
            None => self.wait(&t!("gui.logging_in")),
        }
        self.client.allow_plain(clock::now());
    }

    /// Remembers the key and does again what it was in the way of.
    pub(super) fn trust_key(&mut self, key: Vec<u8>) {
        self.close_trust();
        self.client.trust(clock::now(), key);
        if self.main.is_some() {
            self.no_trouble();
            self.client.go_online(clock::now());
        } else if let Some((register, _)) = &mut self.register {
            register.say(&t!("trust.trusted"));
        } else if let Some(form) = self.login.as_ref().map(Login::form) {
            self.log_in(&form.account, &form.password);
        }
    }
}

/// Whether what can be read of a damaged history is to be rescued; then to the login window.
fn ask_rescue() {
    let Some(Some(text)) = with(|app| app.damaged.take()) else { return };
    if !dialog::ask(&text, &t!("gui.rescue"), &t!("gui.not_now")) {
        return;
    }
    if with(|app| app.main.is_some()) == Some(true) {
        return leave(Leaving::Rescue);
    }
    with(|app| {
        let account = app.login.as_ref().and_then(|login| Account::person(login.form().account.trim()).ok());
        if let Some(account) = account {
            app.rescue(&account);
        }
    });
}

/// To the login window, with the account filled in.
pub(super) fn log_in_again() {
    if super::may_leave() {
        leave(Leaving::LogInAgain);
    }
}
