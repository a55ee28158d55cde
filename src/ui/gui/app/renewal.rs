//! All windows once more, in another language or theme: one after the other from the back on, so that they stand behind
//! each other as before, and the one in front has the keys.

use fltk::window::Window;

use super::super::connection_window::ConnectionWindow;
use super::super::friend_window::FriendWindow;
use super::super::password_window::PasswordWindow;
use super::super::settings_window::{SettingsForm, SettingsWindow};
use super::super::trust_window::TrustWindow;
use super::super::wire_window::WireWindow;
use super::super::x11;
use super::preferences::set_theme;
use super::{App, Stage};
use crate::base::model::Account;

/// A window that is built anew; the list of keys is not.
enum Which {
    Login,
    Registration,
    Settings,
    Trust,
    Main,
    Chat(Account),
    Friend,
    Password,
    Connection,
    Wire,
}

impl App {
    /// In the language and theme that count now; what was typed stays.
    pub(super) fn renew(&mut self) {
        let SettingsForm { language, dark, .. } = self.core.in_force();
        let (which, windows): (Vec<Which>, Vec<Window>) = self.open().into_iter().unzip();
        let order = x11::from_back(&windows);
        rust_i18n::set_locale(language.locale());
        set_theme(dark);
        self.keys = None;
        order.into_iter().filter_map(|number| which.get(number)).for_each(|which| self.renew_one(which));
        self.refresh_headers();
    }

    /// The windows there are.
    fn open(&self) -> Vec<(Which, Window)> {
        let mut open = Vec::new();
        let mut add = |which: Which, window: Option<&Window>| open.extend(window.map(|window| (which, window.clone())));
        let (settings, trust) = match &self.stage {
            Stage::Entry(entry) => {
                add(Which::Login, Some(entry.login.window()));
                add(Which::Registration, entry.register.as_ref().map(|registering| registering.window.window()));
                (&entry.settings, &entry.trust)
            }
            Stage::SignedIn(signed_in) => {
                add(Which::Main, Some(signed_in.main.window()));
                signed_in.chats.windows.iter().for_each(|(peer, chat)| {
                    add(Which::Chat(peer.clone()), Some(chat.window()));
                });
                add(Which::Friend, signed_in.friend.as_ref().map(FriendWindow::window));
                add(Which::Password, signed_in.password.as_ref().map(PasswordWindow::window));
                (&signed_in.settings, &signed_in.trust)
            }
        };
        add(Which::Settings, settings.as_ref().map(SettingsWindow::window));
        add(Which::Trust, trust.as_ref().map(TrustWindow::window));
        add(Which::Connection, self.connection.window().map(ConnectionWindow::window));
        add(Which::Wire, self.wire.window().map(WireWindow::window));
        open
    }

    fn renew_one(&mut self, which: &Which) {
        let core = &mut self.core;
        match (which, &mut self.stage) {
            (Which::Settings, _) => self.rebuild_settings(),
            (Which::Trust, _) => self.rebuild_trust(),
            (Which::Connection, _) => self.connection.renew(core),
            (Which::Wire, _) => self.wire.renew(core),
            (Which::Login, Stage::Entry(entry)) => entry.renew_login(core),
            (Which::Registration, Stage::Entry(entry)) => entry.register.iter_mut().for_each(|one| one.renew(core)),
            (Which::Main, Stage::SignedIn(signed_in)) => signed_in.renew_main(core),
            (Which::Chat(peer), Stage::SignedIn(signed_in)) => signed_in.renew_chat(peer, core),
            (Which::Friend, Stage::SignedIn(signed_in)) => signed_in.rebuild_friend(core),
            (Which::Password, Stage::SignedIn(signed_in)) => signed_in.rebuild_password(core),
            _ => {}
        }
    }
}
