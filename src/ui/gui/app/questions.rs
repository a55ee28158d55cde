//! What the main window asks when a connection has ended for good, and what follows from the answers.

use rust_i18n::t;

use super::super::notice::Question;
use super::super::trust_window::{Doubt, Event, TrustWindow};
use super::super::{UiEvent, dialog, lists_window, main_window};
use super::core::Core;
use super::leaving::{Leaving, leave, may_leave};
use super::signed_in::SignedIn;
use super::{App, soon, with};
use crate::base::model::Account;
use crate::client::history::time_of;
use crate::client::net::clock;
use crate::client::session::PlainReason;

/// Why the login has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another device has logged in instead of this one, at this time in seconds since 1970.
    Kicked { address: String, at: i64 },
    /// Another program with a copy of this program's folder has logged in.
    Copied,
    /// The server no longer recognises this device, so the password is needed.
    Password,
    /// The password of this session is no longer accepted.
    PasswordNoMore,
    /// The server may be another one.
    Doubt(Doubt),
}

/// Does what the window of a doubtful server has asked for.
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
                    Doubt::Plain(PlainReason::NoLonger) => (t!("trust.plain_changed"), t!("trust.plain_look")),
                    Doubt::Plain(PlainReason::Only) => (t!("secure.plain_only"), t!("trust.plain_look")),
                    Doubt::Plain(PlainReason::Chosen) => (t!("secure.plain_chosen"), t!("trust.plain_look")),
                };
                let answers = [answer(look.into_owned(), UiEvent::Main(main_window::Event::ShowDoubt)), offline];
                Question { text: text.into_owned(), answers }
            }
        }
    }
}

impl SignedIn {
    /// Asks the person how to go on; the question waits in the main window, which asks for attention.
    fn ask(&mut self, trouble: Trouble) {
        log::info!("asked: {}", trouble.question().text);
        self.trouble = Some(trouble);
        self.show_trouble();
        // The text was about the login that has ended.
        self.main.say("");
        self.main.unseen();
    }

    /// Shows the question in the present main window.
    pub(super) fn show_trouble(&mut self) {
        let question = self.trouble.as_ref().map(Trouble::question);
        self.main.ask(question.or_else(|| self.lists_question()));
    }

    /// Which of two lists it is to be.
    fn lists_question(&self) -> Option<Question> {
        let n = self.main.roster().friends().differences.len();
        let answer = |name: String, event| (name, UiEvent::Lists(event));
        (n > 0 && !self.lists.later).then(|| Question {
            text: t!("people.differences", n = n).into_owned(),
            answers: [
                answer(t!("people.show").into_owned(), lists_window::Event::Open),
                answer(t!("people.later").into_owned(), lists_window::Event::Later),
            ],
        })
    }

    /// Removes the question, because it was answered or has become obsolete.
    pub(super) fn no_trouble(&mut self) {
        if self.trouble.take().is_some() {
            self.trust = None;
            self.show_trouble();
        }
    }

    /// Returns whether another device has logged in instead of this one, and the session can be taken back.
    pub(super) fn is_kicked(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Kicked { .. } | Trouble::Copied))
    }
}

/// Opens the window about a doubtful server.
fn trust_window(doubt: &Doubt, core: &Core) -> TrustWindow {
    TrustWindow::new(&core.server.line(), core.server.is_nearby(), doubt, core.emit())
}

impl App {
    /// Asks the person how to go on, if somebody is logged in.
    pub(super) fn ask(&mut self, trouble: Trouble) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.ask(trouble);
        }
    }

    fn no_trouble(&mut self) {
        self.stage.signed_in().into_iter().for_each(SignedIn::no_trouble);
    }

    pub(super) fn take_back(&mut self) {
        self.no_trouble();
        self.core.client.take_over(clock::now());
    }

    pub(super) fn stay_offline(&mut self) {
        self.no_trouble();
        self.core.client.go_offline(clock::now());
    }

    /// Handles a damaged history: asks the person, once nothing is borrowed.
    pub(super) fn damaged(&mut self, sentence: String) {
        log::info!("asked: {sentence}");
        self.say(&sentence);
        soon(move || ask_rescue(&sentence));
    }

    /// Saves what can be read of the history of an account that is closed.
    pub(super) fn rescue(&mut self, account: &Account) {
        self.wait(&t!("gui.rescuing"));
        self.core.client.rescue(account);
    }

    /// Shows the outcome of that in the login window.
    pub(super) fn rescued(&mut self, sentence: &str) {
        log::info!("said: {sentence}");
        self.wait(sentence);
    }

    fn wait(&mut self, text: &str) {
        if let Some(entry) = self.stage.entry() {
            entry.wait(text);
        }
    }

    /// Shows a doubt about the server: at once to a person who is logging in, else as a question in the main window.
    pub(super) fn doubt(&mut self, doubt: Doubt) {
        if self.stage.is_signed_in() {
            return self.ask(Trouble::Doubt(doubt));
        }
        log::info!("asked: {}", doubt.head(&self.core.server.line()));
        if let Some(entry) = self.stage.entry() {
            entry.wait("");
        }
        self.open_trust(&doubt);
    }

    pub(super) fn show_doubt(&mut self) {
        let trouble = self.stage.signed_in().and_then(|signed_in| signed_in.trouble.clone());
        if let Some(Trouble::Doubt(doubt)) = trouble {
            self.open_trust(&doubt);
        }
    }

    /// Opens the window about a doubtful server, in place of one that is open.
    fn open_trust(&mut self, doubt: &Doubt) {
        self.close_trust();
        *self.stage.trust() = Some(trust_window(doubt, &self.core));
    }

    pub(super) fn close_trust(&mut self) {
        *self.stage.trust() = None;
    }

    /// Rebuilds the window in another language or theme.
    pub(super) fn rebuild_trust(&mut self) {
        let doubt = self.stage.trust().as_ref().map(|window| window.doubt().clone());
        doubt.iter().for_each(|doubt| self.open_trust(doubt));
    }

    /// Drops the doubt, because the person wants something else; what it was about is not done.
    pub(super) fn drop_doubt(&mut self) {
        self.close_trust();
        self.core.client.refuse_plain();
    }

    /// Does nothing of what was asked for, and does not try again.
    pub(super) fn stay_away(&mut self) {
        self.drop_doubt();
        let doubted = |signed_in: &mut SignedIn| matches!(signed_in.trouble, Some(Trouble::Doubt(_)));
        if self.stage.signed_in().is_none_or(doubted) {
            self.stay_offline();
        }
        let text = t!("trust.not_sent");
        let Some(entry) = self.stage.entry() else { return };
        match entry.registration() {
            Some(register) => register.window.refuse(&text, None),
            None => entry.login.say(&text, false),
        }
    }

    /// Sends what waits in the plain dialect, until the server encrypts again or the program ends.
    fn send_readable(&mut self) {
        self.close_trust();
        self.no_trouble();
        if let Some(entry) = self.stage.entry() {
            let registers = entry.registration().is_some();
            entry.wait(&if registers { t!("gui.registering") } else { t!("gui.logging_in") });
        }
        self.core.client.allow_plain(clock::now());
    }

    /// Remembers the key, and repeats what it had prevented.
    fn trust_key(&mut self, key: Vec<u8>) {
        self.close_trust();
        self.core.client.trust(clock::now(), key);
        let Some(entry) = self.stage.entry() else {
            self.no_trouble();
            return self.core.client.go_online(clock::now());
        };
        if let Some(register) = entry.registration() {
            return register.window.say(&t!("trust.trusted"));
        }
        let form = entry.login.form();
        self.log_in(&form.account, &form.password);
    }
}

/// Asks whether to save what can be read of a damaged history; if so, goes to the login window.
fn ask_rescue(text: &str) {
    if !dialog::ask(text, &t!("gui.rescue"), &t!("gui.not_now")) {
        return;
    }
    if with(|app| app.stage.is_signed_in()) == Some(true) {
        return leave(Leaving::Rescue);
    }
    with(|app| {
        let account = app.stage.entry().and_then(|entry| Account::person(entry.login.form().account.trim()).ok());
        account.iter().for_each(|account| app.rescue(account));
    });
}

/// Goes to the login window, with the account filled in.
pub(super) fn log_in_again() {
    if may_leave() {
        leave(Leaving::LogInAgain);
    }
}
