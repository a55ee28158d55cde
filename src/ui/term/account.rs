//! How the account may be used, a setting at servers that encrypt, and its password, which can be changed at plain
//! ones.

use rust_i18n::t;

use super::app::App;
use super::asks::Ask;
use super::commands::Words;
use super::script::Exit;
use crate::client::net::clock;
use crate::client::session::{AccountChange, ConnectionState, PasswordOutcome, SpokenDialect};
use crate::protocol::wire::frame::AccountSettings;

impl App {
    /// Begins to change the password, if that is possible.
    pub(super) fn ask_password(&mut self) {
        if self.client.connection().speaks == Some(SpokenDialect::Secure) {
            return self.warn(&t!("password.encrypted"));
        }
        if !matches!(self.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting) {
            return self.warn(&t!("password.offline"));
        }
        match self.client.changes_passwords() {
            Some(true) => {}
            Some(false) => return self.warn(&t!("password.not_before")),
            None => self.quiet(&t!("password.unknown")),
        }
        self.ask = Ask::OldPassword;
    }

    /// Handles the outcome of a change of the password.
    pub(super) fn password_changed(&mut self, outcome: &PasswordOutcome) {
        self.login.awaits.password = false;
        let sentence = outcome.sentence();
        match outcome {
            PasswordOutcome::Done => return self.print(&sentence),
            PasswordOutcome::NoAnswer | PasswordOutcome::Unclear(_) | PasswordOutcome::Interrupted => {
                self.failed(Exit::NoAnswer);
            }
            PasswordOutcome::WrongPassword
            | PasswordOutcome::PasswordsDiffer
            | PasswordOutcome::NoSuchAccount
            | PasswordOutcome::NotHere
            | PasswordOutcome::NotTheOneOfLogin
            | PasswordOutcome::NotLoggedIn
            | PasswordOutcome::Encrypted => self.failed(Exit::Refused),
        }
        self.error(&sentence);
        let wrong = matches!(outcome, PasswordOutcome::WrongPassword | PasswordOutcome::NotTheOneOfLogin);
        if wrong && self.ask == Ask::Command {
            self.ask_again(Ask::OldPassword);
        }
    }

    /// Asks for both settings, or changes one.
    pub(super) fn account(&mut self, words: &Words<'_>) {
        let on = match words.second() {
            "on" | "开" => Some(true),
            "off" | "关" => Some(false),
            _ => None,
        };
        let change = match (words.first(), on) {
            ("", None) => None,
            ("beside" | "并存", Some(on)) => Some(AccountChange::Beside(on)),
            ("secure-only" | "仅加密", Some(on)) => Some(AccountChange::SecureOnly(on)),
            _ => return self.usage(words.command),
        };
        if self.client.connection().speaks == Some(SpokenDialect::Plain) {
            return self.warn(&t!("term.account_not_plain"));
        }
        if !matches!(self.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting) {
            return self.error(&t!("gui.no_answer"));
        }
        self.login.awaits.account = true;
        match change {
            Some(change) => self.client.set_account(clock::now(), change),
            None => self.client.account_settings(clock::now()),
        }
    }

    pub(super) fn account_is(&mut self, settings: Option<AccountSettings>) {
        self.login.awaits.account = false;
        let Some(AccountSettings { beside, secure_only }) = settings else {
            return self.error(&t!("term.account_not_kept"));
        };
        let devices = if beside { t!("term.devices_beside") } else { t!("term.devices_in_turn") };
        let plain = if secure_only { t!("term.plain_closed") } else { t!("term.plain_open") };
        self.print(&format!("  {devices}\n  {plain}"));
    }
}
