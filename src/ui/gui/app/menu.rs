//! The main window's menu: what concerns neither one chat nor one friend.

use super::{App, apply, with};
use crate::client::net::clock;
use crate::client::session::{Link, Speaks};
use crate::ui::gui::actions::{EVERYWHERE, Own, choose};

/// Opens it there, on the screen, and does what is chosen. Nothing may be borrowed.
pub(super) fn own(at: (i32, i32)) {
    let Some(now) = with(|app| app.own()) else { return };
    if let Some(event) = choose(EVERYWHERE, &now, Some(at)) {
        apply(event());
    }
}

impl App {
    fn own(&self) -> Own {
        let plain = self.client.connection().speaks == Some(Speaks::Plain);
        Own {
            offline: matches!(self.client.link(), Link::Offline | Link::LoggedOut),
            kicked: self.is_kicked(),
            stays: self.me.as_ref().is_some_and(|me| self.client.can_resume(me)),
            password: plain && self.client.changes_passwords() != Some(false),
        }
    }

    /// Online, or offline.
    pub(super) fn go(&mut self, online: bool) {
        let now = clock::now();
        if online {
            self.revive_server();
            self.client.go_online(now);
        } else {
            self.client.go_offline(now);
        }
    }
}
