//! What the main window asks when a connection has ended for good, and what its owner answers.

use rust_i18n::t;

use super::super::UiEvent;
use super::super::notice::Question;
use super::{App, Leaving, leave};
use crate::client::time_of;
use crate::net::clock;

/// Why nobody is logged in any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another device took this account's place, then.
    Kicked { address: String, at: i64 },
    /// The server does not know this device any more.
    Password,
}

impl Trouble {
    fn question(&self) -> Question {
        let answer = |name: String, event| (name, event);
        let offline = answer(t!("main.stay_offline").into_owned(), UiEvent::StayOffline);
        match self {
            Self::Kicked { address, at } => Question {
                text: t!("main.kicked", address = address, time = time_of(*at)).into_owned(),
                answers: [answer(t!("main.take_back").into_owned(), UiEvent::TakeBack), offline],
            },
            Self::Password => Question {
                text: t!("main.password_needed").into_owned(),
                answers: [answer(t!("main.log_in_again").into_owned(), UiEvent::LogInAgain), offline],
            },
        }
    }
}

impl App {
    /// Asks its owner how to go on; it waits in the main window, which asks for attention.
    pub(super) fn ask(&mut self, trouble: Trouble) {
        log::info!("asked: {trouble:?}");
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
            self.show_trouble();
        }
    }

    /// Whether another device has this account's place, and it can be taken back.
    pub(super) fn is_kicked(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Kicked { .. }))
    }

    pub(super) fn take_back(&mut self) {
        self.no_trouble();
        self.client.take_over(clock::now());
    }

    pub(super) fn stay_offline(&mut self) {
        self.no_trouble();
        self.client.go_offline(clock::now());
    }
}

/// To the login window, with the account filled in.
pub(super) fn log_in_again() {
    if super::may_leave() {
        leave(Leaving::LogInAgain);
    }
}
