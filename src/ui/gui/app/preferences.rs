//! The settings: opened, applied at once, saved.

use std::rc::Rc;

use rust_i18n::t;

use super::super::settings_window::{SettingsForm, SettingsWindow};
use super::super::{screen, theme};
use super::{App, with};
use crate::base::settings::Language;
use crate::client::net::clock;
use crate::client::session::{AccountChange, Link, Speaks};
use crate::local::place::lan_address;
use crate::protocol::wire::frame::AccountSettings;

pub(super) fn set_theme(dark: bool) {
    theme::set(if dark { theme::Theme::Dark } else { theme::Theme::Light });
}

/// What is not as the server has said.
fn changes((form, told): (AccountSettings, AccountSettings)) -> impl Iterator<Item = AccountChange> {
    let beside = (form.beside != told.beside).then_some(AccountChange::Beside(form.beside));
    let only = (form.secure_only != told.secure_only).then_some(AccountChange::SecureOnly(form.secure_only));
    beside.into_iter().chain(only)
}

/// Everything larger or smaller, now and at the next start.
pub(super) fn zoom(change: screen::Zoom) {
    let Some((name, percent)) = screen::zoom(change) else { return };
    with(|app| {
        if percent == 100 {
            app.settings.zoom.remove(&name);
        } else {
            app.settings.zoom.insert(name, percent);
        }
        app.saver.save(&app.settings);
    });
}

impl App {
    /// What counts now: the command line before the settings.
    fn in_force(&self) -> SettingsForm {
        let (args, settings) = (&self.args, &self.settings);
        SettingsForm {
            server: args.server.clone().unwrap_or_else(|| settings.server.clone()),
            host_lan: args.host_lan || settings.host_lan,
            language: args.language.unwrap_or(settings.language),
            dark: args.dark || settings.dark,
            polling: settings.polling,
            account: None,
        }
    }

    pub(super) fn open_settings(&mut self) {
        if let Some(window) = &mut self.preferences {
            return window.raise();
        }
        let form = self.in_force();
        let secure = self.main.is_some() && self.client.connection().speaks == Some(Speaks::Secure);
        let account = secure && matches!(self.client.link(), Link::Connected { .. } | Link::Waiting);
        let lan = lan_address();
        self.preferences = Some(SettingsWindow::new(&form, lan.as_deref(), account, Rc::clone(&self.emit)));
        if account {
            self.client.account_settings(clock::now());
        }
    }

    pub(super) fn account_settings(&mut self, settings: Option<AccountSettings>) {
        match &mut self.preferences {
            Some(window) => window.tell(settings),
            None if settings.is_none() => self.say(&t!("settings.account_not_kept")),
            None => {}
        }
    }

    pub(super) fn save_settings(&mut self, form: SettingsForm) {
        let shown = self.in_force();
        let good = form.server.is_empty()
            || form.server == shown.server
            || form
                .server
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
        let Some(window) = &mut self.preferences else { return };
        if !good {
            return window.say(&t!("settings.bad_server"));
        }
        if let Some(window) = self.preferences.take() {
            for change in form.account.zip(window.told()).into_iter().flat_map(changes) {
                self.client.set_account(clock::now(), change);
            }
            window.close();
        }
        // What the command line says is kept for good only where it was changed here.
        let looks = (shown.language, shown.dark) != (form.language, form.dark);
        let server = (&shown.server, shown.host_lan) != (&form.server, form.host_lan);
        if looks {
            (self.settings.language, self.settings.dark) = (form.language, form.dark);
        }
        if server {
            (self.settings.server, self.settings.host_lan) = (form.server, form.host_lan);
        }
        self.settings.polling = form.polling;
        self.saver.save(&self.settings);
        self.client.set_polling(clock::now(), form.polling.into());
        if looks {
            // From now on the settings count, not the command line.
            self.args.language = None;
            self.args.dark = false;
            self.rebuild();
        }
        if server {
            self.args.server = None;
            self.args.host_lan = false;
            if self.main.is_some() {
                self.tell(&t!("settings.next_login"));
            }
            self.change_place();
        }
    }

    pub(super) fn other_language(&mut self) {
        let now = self.args.language.unwrap_or(self.settings.language).locale();
        self.settings.language = if now == "en" { Language::Zh } else { Language::En };
        self.args.language = None;
        self.saver.save(&self.settings);
        self.rebuild();
    }

    /// Builds every window anew, in another language or theme; what was typed stays.
    fn rebuild(&mut self) {
        rust_i18n::set_locale(self.settings.language.locale());
        set_theme(self.settings.dark);
        if let Some(login) = self.login.take() {
            let form = login.form();
            login.close();
            self.open_login(Some(form));
        }
        self.rebuild_main();
        self.rebuild_chats();
        if self.wire.is_some() {
            self.close_wire();
            self.open_wire();
        }
        if let Some(doubt) = self.trust.as_ref().map(|window| window.doubt().clone()) {
            self.open_trust(&doubt);
        }
        self.rebuild_connection();
        self.close_keys();
    }
}
