//! The part of the settings window: settings are opened, applied at once, and saved.

use rust_i18n::t;

use super::super::settings_window::{Event, SettingsForm, SettingsWindow};
use super::super::{Args, screen, theme};
use super::core::Core;
use super::{App, with};
use crate::base::settings::{Language, Settings};
use crate::client::diagnosis::{named, target};
use crate::client::net::clock;
use crate::client::session::{AccountChange, ConnectionState, SpokenDialect};
use crate::local::server_choice::lan_address;
use crate::protocol::PORT;
use crate::protocol::wire::frame::AccountSettings;

/// Does what the settings window has asked for.
pub(super) fn apply(event: Event) {
    with(|app| match event {
        Event::Open => app.open_settings(),
        Event::Save(form) => app.save_settings(form),
        Event::Closed => app.close_settings(),
    });
}

pub(super) fn set_theme(dark: bool) {
    theme::set(if dark { theme::Theme::Dark } else { theme::Theme::Light });
}

/// Returns the account's settings that differ from what the server has said.
fn changes((form, told): (AccountSettings, AccountSettings)) -> impl Iterator<Item = AccountChange> {
    let beside = (form.beside != told.beside).then_some(AccountChange::Beside(form.beside));
    let only = (form.secure_only != told.secure_only).then_some(AccountChange::SecureOnly(form.secure_only));
    beside.into_iter().chain(only)
}

/// Makes everything larger or smaller, now and at the next start.
pub(super) fn zoom(change: screen::Zoom) {
    let Some((name, percent)) = screen::zoom(change) else { return };
    with(|app| {
        if percent == 100 {
            app.core.settings.zoom.remove(&name);
        } else {
            app.core.settings.zoom.insert(name, percent);
        }
        app.core.save();
    });
}

/// Returns the settings in force: the command line takes precedence over the saved ones.
fn in_force(args: &Args, settings: &Settings) -> SettingsForm {
    SettingsForm {
        server: args.server.clone().unwrap_or_else(|| settings.server.clone()),
        host_lan: args.host_lan || settings.host_lan,
        language: args.language.unwrap_or(settings.language),
        dark: args.dark || settings.dark,
        polling: settings.polling,
        account: None,
    }
}

/// Puts what the form has changed into force and into the settings. What the command line says is only saved if it was
/// changed in the form.
fn take_over(form: SettingsForm, args: &mut Args, settings: &mut Settings) {
    let shown = in_force(args, settings);
    if form.server != shown.server {
        (args.server, settings.server) = (None, form.server);
    }
    if form.host_lan != shown.host_lan {
        (args.host_lan, settings.host_lan) = (false, form.host_lan);
    }
    if form.language != shown.language {
        (args.language, settings.language) = (None, form.language);
    }
    if form.dark != shown.dark {
        (args.dark, settings.dark) = (false, form.dark);
    }
    settings.polling = form.polling;
}

/// Returns the server that was typed in place of `shown`, with its port; an empty text for this machine's own, and
/// `None` if it is not valid. A text that was not changed stays as it is.
fn server_of(typed: &str, shown: &str) -> Option<String> {
    match typed.trim() {
        "" => Some(String::new()),
        same if same == shown => Some(same.to_owned()),
        typed => target(typed, PORT).map(|(host, port)| named(&host, port)),
    }
}

impl Core {
    pub(super) fn in_force(&self) -> SettingsForm {
        in_force(&self.args, &self.settings)
    }
}

impl App {
    fn settings_window(&mut self) -> Option<&mut SettingsWindow> {
        self.stage.settings().as_mut()
    }

    fn open_settings(&mut self) {
        match self.settings_window() {
            Some(window) => window.raise(),
            None => self.open_settings_with(&self.core.in_force()),
        }
    }

    fn open_settings_with(&mut self, form: &SettingsForm) {
        let secure = self.stage.is_signed_in() && self.core.is_spoken(SpokenDialect::Secure);
        let account =
            secure && matches!(self.core.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting);
        let lan = lan_address();
        let window = SettingsWindow::new(form, lan.as_deref(), account, self.core.emit());
        *self.stage.settings() = Some(window);
        if account {
            self.core.client.account_settings(clock::now());
        }
    }

    /// Shows the account's settings, as the server has answered.
    pub(super) fn account_settings(&mut self, settings: Option<AccountSettings>) {
        match self.settings_window() {
            Some(window) => window.tell(settings),
            None if settings.is_none() => self.say(&t!("settings.account_not_kept")),
            None => {}
        }
    }

    fn save_settings(&mut self, form: SettingsForm) {
        let shown = self.core.in_force();
        let Some(window) = self.settings_window() else { return };
        let Some(server) = server_of(&form.server, &shown.server) else {
            return window.say(&t!("settings.bad_server"));
        };
        let form = SettingsForm { server, ..form };
        for change in form.account.zip(window.told()).into_iter().flat_map(changes) {
            self.core.client.set_account(clock::now(), change);
        }
        self.close_settings();
        self.choose(form);
        let now = self.core.in_force();
        if shown.polling != now.polling {
            self.core.client.set_polling(clock::now(), now.polling.into());
        }
        if (&shown.server, shown.host_lan) != (&now.server, now.host_lan) {
            if self.stage.is_signed_in() {
                self.tell(&t!("settings.next_login"));
            }
            self.change_server();
        }
    }

    pub(super) fn other_language(&mut self) {
        let now = self.core.in_force();
        let language = if now.language.locale() == "en" { Language::Zh } else { Language::En };
        self.choose(SettingsForm { language, ..now });
    }

    /// Takes over what was chosen, and shows its effects.
    fn choose(&mut self, form: SettingsForm) {
        let looks = |form: &SettingsForm| (form.language, form.dark);
        let before = looks(&self.core.in_force());
        take_over(form, &mut self.core.args, &mut self.core.settings);
        self.core.save();
        if looks(&self.core.in_force()) != before {
            self.renew();
        }
    }

    fn close_settings(&mut self) {
        *self.stage.settings() = None;
    }

    /// Rebuilds the window in another language; the rest of what was chosen stays.
    pub(super) fn rebuild_settings(&mut self) {
        let Some(form) = self.settings_window().map(|window| window.form()) else { return };
        self.close_settings();
        self.open_settings_with(&SettingsForm { language: self.core.in_force().language, ..form });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::settings::{Paths, PollingChoice};
    use crate::client::session::Dialect;

    /// A change that a form can make.
    type Change = fn(&mut SettingsForm);

    fn asked() -> Args {
        let [histories, settings, server, logs] = std::array::from_fn(|_| "nowhere".into());
        Args {
            server: Some("chat.example:9".to_owned()),
            bind: None,
            dialect: Dialect::Auto,
            allow_plain: false,
            account: None,
            paths: Paths { histories, settings, server, logs },
            language: Some(Language::Zh),
            dark: true,
            host_lan: true,
        }
    }

    #[test]
    fn what_the_command_line_says_is_kept_only_where_it_was_changed() {
        let changes: [Change; 6] = [
            |_| (),
            |form| form.server = "192.0.2.7:9".to_owned(),
            |form| form.host_lan = false,
            |form| form.language = Language::En,
            |form| form.dark = false,
            |form| form.polling = PollingChoice::Strict,
        ];
        // The settings in force once the command line says nothing.
        let kept = |settings: &Settings| {
            in_force(&Args { server: None, language: None, dark: false, host_lan: false, ..asked() }, settings)
        };
        for (number, change) in changes.into_iter().enumerate() {
            let (mut args, mut settings) = (asked(), Settings::default());
            settings.server = "kept:9".to_owned();
            let (mut form, mut wanted) = (in_force(&args, &settings), kept(&settings));
            change(&mut form);
            change(&mut wanted);
            take_over(form.clone(), &mut args, &mut settings);
            assert_eq!(in_force(&args, &settings), form, "{number}: what was chosen counts");
            assert_eq!(kept(&settings), wanted, "{number}: and nothing else is kept");
        }
    }

    #[test]
    fn a_server_is_what_the_diagnosis_takes_for_one() {
        for (typed, server) in [
            ("", Some("")),
            (" ", Some("")),
            ("chat.example:9", Some("chat.example:9")),
            (" chat.example ", Some("chat.example:21568")),
            ("192.0.2.7", Some("192.0.2.7:21568")),
            ("2001:db8::7", Some("[2001:db8::7]:21568")),
            ("[2001:db8::7]:9", Some("[2001:db8::7]:9")),
            ("http://chat.example:9", None),
            ("chat example:9", None),
            ("zoe@chat.example:9", None),
            ("chat.example:0", None),
            (":9", None),
        ] {
            assert_eq!(server_of(typed, "").as_deref(), server, "{typed:?}");
            // What is saved is understood the same when it is read again.
            let again = server.and_then(|server| server_of(server, ""));
            assert_eq!(again.as_deref(), server, "{typed:?}");
        }
        assert_eq!(server_of("as it was", "as it was").as_deref(), Some("as it was"));
    }
}
