//! Rebuilds all windows in another language or theme, from the back to the front, so that they stand behind each other
//! as before and the one in front has the keyboard.

use fltk::window::Window;

use super::super::connection_window::ConnectionWindow;
use super::super::friend_window::FriendWindow;
use super::super::lists_window::ListsWindow;
use super::super::password_window::PasswordWindow;
use super::super::profile_window::ProfileWindow;
use super::super::settings_window::{SettingsForm, SettingsWindow};
use super::super::trust_window::TrustWindow;
use super::super::wire_window::WireWindow;
use super::super::x11;
use super::preferences::set_theme;
use super::{App, Stage};
use crate::base::model::Account;

/// A window that is rebuilt; the list of keys is not.
enum OpenWindow {
    Login,
    Registration,
    Settings,
    Trust,
    Main,
    Chat(Account),
    Friend,
    Lists,
    Profile,
    Password,
    Connection,
    Wire,
}

impl App {
    /// Rebuilds all windows in the present language and theme; what was typed stays.
    pub(super) fn renew(&mut self) {
        let SettingsForm { language, dark, .. } = self.core.in_force();
        let (which, windows): (Vec<OpenWindow>, Vec<Window>) = self.open().into_iter().unzip();
        let order = x11::from_back(&windows);
        rust_i18n::set_locale(language.locale());
        set_theme(dark);
        self.keys = None;
        order.into_iter().filter_map(|number| which.get(number)).for_each(|which| self.renew_one(which));
        self.refresh_headers();
    }

    /// Returns the windows that are open.
    fn open(&self) -> Vec<(OpenWindow, Window)> {
        let mut open = Vec::new();
        let mut add =
            |which: OpenWindow, window: Option<&Window>| open.extend(window.map(|window| (which, window.clone())));
        let (settings, trust) = match &self.stage {
            Stage::Entry(entry) => {
                add(OpenWindow::Login, Some(entry.login.window()));
                add(OpenWindow::Registration, entry.register.as_ref().map(|registering| registering.window.window()));
                (&entry.settings, &entry.trust)
            }
            Stage::SignedIn(signed_in) => {
                add(OpenWindow::Main, Some(signed_in.main.window()));
                signed_in.chats.windows.iter().for_each(|(peer, chat)| {
                    add(OpenWindow::Chat(peer.clone()), Some(chat.window()));
                });
                add(OpenWindow::Friend, signed_in.friend.as_ref().map(FriendWindow::window));
                add(OpenWindow::Lists, signed_in.lists.window.as_ref().map(ListsWindow::window));
                add(OpenWindow::Profile, signed_in.profile.as_ref().map(ProfileWindow::window));
                add(OpenWindow::Password, signed_in.password.as_ref().map(PasswordWindow::window));
                (&signed_in.settings, &signed_in.trust)
            }
        };
        add(OpenWindow::Settings, settings.as_ref().map(SettingsWindow::window));
        add(OpenWindow::Trust, trust.as_ref().map(TrustWindow::window));
        add(OpenWindow::Connection, self.connection.window().map(ConnectionWindow::window));
        add(OpenWindow::Wire, self.wire.window().map(WireWindow::window));
        open
    }

    fn renew_one(&mut self, which: &OpenWindow) {
        let core = &mut self.core;
        match (which, &mut self.stage) {
            (OpenWindow::Settings, _) => self.rebuild_settings(),
            (OpenWindow::Trust, _) => self.rebuild_trust(),
            (OpenWindow::Connection, _) => self.connection.renew(core),
            (OpenWindow::Wire, _) => self.wire.renew(core),
            (OpenWindow::Login, Stage::Entry(entry)) => entry.renew_login(core),
            (OpenWindow::Registration, Stage::Entry(entry)) => {
                entry.register.iter_mut().for_each(|one| one.renew(core))
            }
            (OpenWindow::Main, Stage::SignedIn(signed_in)) => signed_in.renew_main(core),
            (OpenWindow::Chat(peer), Stage::SignedIn(signed_in)) => signed_in.renew_chat(peer, core),
            (OpenWindow::Friend, Stage::SignedIn(signed_in)) => signed_in.rebuild_friend(core),
            (OpenWindow::Lists, Stage::SignedIn(signed_in)) => signed_in.open_lists(core),
            (OpenWindow::Profile, Stage::SignedIn(signed_in)) => signed_in.rebuild_profile(core),
            (OpenWindow::Password, Stage::SignedIn(signed_in)) => signed_in.rebuild_password(core),
            _ => {}
        }
    }
}
