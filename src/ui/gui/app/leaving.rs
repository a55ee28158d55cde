//! How the program ends, and how an account is left for the login window.

use std::mem;

use fltk::app;
use rust_i18n::t;

use super::super::login_window::LoginForm;
use super::super::{Secret, widgets};
use super::entry::Entry;
use super::{App, Stage, with};
use crate::base::model::Account;
use crate::client::Client;
use crate::client::net::{Now, clock};

/// What happens after going offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Leaving {
    /// Nothing, since nobody is leaving.
    #[default]
    No,
    /// The program ends.
    Quit,
    /// The login window opens, for another account.
    SwitchAccount,
    /// The login window opens, with the same account.
    LogInAgain,
    /// The login window opens with the same account, after what can be read of its history is saved.
    Rescue,
}

/// Ends the program, after asking if messages are unsent.
pub(super) fn quit() {
    if with(|app| !app.stage.is_signed_in()) == Some(true) {
        return app::quit();
    }
    if may_leave() {
        leave(Leaving::Quit);
    }
}

/// Asks if messages are unsent; returns true if there are none, or if they may wait.
pub(super) fn may_leave() -> bool {
    match with(|app| app.core.client.unsent()) {
        None => false,
        Some(0) => true,
        Some(n) => widgets::ask(&t!("gui.unsent", n = n), &t!("gui.close"), &t!("gui.stay")),
    }
}

/// Goes offline, and then goes on as `how` says.
pub(super) fn leave(how: Leaving) {
    leave_by(how, Client::go_offline);
}

/// Does the same, with another function for going offline.
pub(super) fn leave_by(how: Leaving, going: fn(&mut Client, Now)) {
    with(|app| {
        app.leaving = how;
        going(&mut app.core.client, clock::now());
        app.events();
    });
    // Leaving does not depend on the server's answer.
    app::add_timeout3(1.0, |_| {
        with(App::left);
    });
}

impl App {
    /// Called when the session is offline, or the server has not answered in time.
    pub(super) fn left(&mut self) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.chats.keep_drafts(&mut self.core);
        }
        match mem::take(&mut self.leaving) {
            Leaving::No => {}
            Leaving::Quit => {
                self.keep_positions();
                app::quit();
                widgets::close_menu();
            }
            how @ (Leaving::SwitchAccount | Leaving::LogInAgain | Leaving::Rescue) => self.log_out(how),
        }
    }

    fn keep_positions(&mut self) {
        if let Some(signed_in) = self.stage.signed_in() {
            signed_in.keep_positions(&mut self.core);
        }
    }

    /// Ends the login: closes its windows and opens the login window.
    fn log_out(&mut self, how: Leaving) {
        self.keep_positions();
        let Some(signed_in) = self.stage.signed_in() else { return };
        // These windows close first, so that no other has to make room for them.
        signed_in.leave();
        let me = signed_in.me.clone();
        self.core.client.close_account();
        let again = (how != Leaving::SwitchAccount).then_some(me);
        let stays = |account: &Account| how == Leaving::LogInAgain || self.core.client.can_resume(account);
        let stay = again.as_ref().is_some_and(stays);
        let rescued = again.clone().filter(|_| how == Leaving::Rescue);
        let form = again.map(|account| LoginForm {
            account: account.to_string(),
            password: Secret::default(),
            remember: self.core.settings.remember,
            stay,
        });
        self.stage = Stage::Entry(Box::new(Entry::open(form, &self.core)));
        if let Some(account) = rescued {
            self.rescue(&account);
        }
        // The settings may name another server by now.
        self.change_server();
    }
}
