//! How the account may be used: a setting at the server, for servers that encrypt.

use rust_i18n::t;

use super::app::App;
use crate::client::net::clock;
use crate::client::session::{AccountChange, Link, Speaks};
use crate::protocol::wire::frame::AccountSettings;

impl App {
    /// Asks for both settings, or changes one.
    pub(super) fn account(&mut self, what: &str, state: &str) {
        let on = match state {
            "on" | "开" => Some(true),
            "off" | "关" => Some(false),
            _ => None,
        };
        let change = match (what, on) {
            ("", None) => None,
            ("beside" | "并存", Some(on)) => Some(AccountChange::Beside(on)),
            ("secure-only" | "仅加密", Some(on)) => Some(AccountChange::SecureOnly(on)),
            _ => {
                let form = format!("account {WORDS}");
                return self.warn(&t!("term.usage", form = form, says = t!("term.help_account")));
            }
        };
        if self.client.connection().speaks == Some(Speaks::Plain) {
            return self.warn(&t!("term.account_not_plain"));
        }
        if !matches!(self.client.link(), Link::Connected { .. } | Link::Waiting) {
            return self.error(&t!("gui.no_answer"));
        }
        self.asked_account = true;
        match change {
            Some(change) => self.client.set_account(clock::now(), change),
            None => self.client.account_settings(clock::now()),
        }
    }

    pub(super) fn account_is(&mut self, settings: Option<AccountSettings>) {
        self.asked_account = false;
        let Some(AccountSettings { beside, secure_only }) = settings else {
            return self.error(&t!("term.account_not_kept"));
        };
        let devices = if beside { t!("term.devices_beside") } else { t!("term.devices_in_turn") };
        let plain = if secure_only { t!("term.plain_closed") } else { t!("term.plain_open") };
        self.print(&format!("  {devices}\n  {plain}"));
    }
}

/// What may stand behind the command.
pub(super) const WORDS: &str = "[beside|secure-only on|off]";
