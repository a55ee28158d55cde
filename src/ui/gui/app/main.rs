//! The main window and its menus: what was asked for there.

use super::super::main_window::{Event, MainWindow};
use super::{App, Leaving, apply as apply_any, friends, leave, leave_by, may_leave, questions, quit, with};
use crate::client::Client;
use crate::client::net::clock;
use crate::client::session::{Link, Speaks};
use crate::ui::gui::actions::{EVERYWHERE, Own, choose};

/// Does what the main window asked for.
pub(super) fn apply(event: Event) {
    match event {
        Event::OwnMenu(x, y) => own((x, y)),
        Event::RowMenu(person, x, y) => friends::row_menu(&person, (x, y)),
        Event::Toggle(section) => with_main(|main| main.toggle(&section)),
        Event::Block(account, blocked) => drop(with(|app| app.client.set_blocked(account, blocked))),
        Event::Remove(account) => friends::remove(account, false),
        Event::Delete(account) => friends::remove(account, true),
        Event::Import => friends::import(),
        Event::Export => friends::export(),
        Event::SetOnline(online) => drop(with(|app| app.go(online))),
        Event::Fetch => drop(with(App::fetch)),
        Event::Search => with_main(MainWindow::search),
        Event::Looked => with_main(MainWindow::looked),
        Event::NoticeSeen => with_main(MainWindow::seen),
        Event::TakeBack => drop(with(App::take_back)),
        Event::StayOffline => drop(with(App::stay_offline)),
        Event::LogInAgain => questions::log_in_again(),
        Event::ShowDoubt => drop(with(App::show_doubt)),
        Event::SwitchAccount if may_leave() => leave(Leaving::SwitchAccount),
        Event::LeaveDevice if may_leave() => leave_by(Leaving::SwitchAccount, Client::forget_device),
        Event::SwitchAccount | Event::LeaveDevice => {}
        Event::Quit => quit(),
    }
}

fn with_main(f: impl FnOnce(&mut MainWindow)) {
    with(|app| app.main.as_mut().map(f));
}

/// Opens one's own menu there, on the screen, and does what is chosen. Nothing may be borrowed.
pub(super) fn own(at: (i32, i32)) {
    let Some(now) = with(|app| app.own()) else { return };
    if let Some(event) = choose(EVERYWHERE, &now, Some(at)) {
        apply_any(event());
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

    /// Asks the server for messages now.
    fn fetch(&mut self) {
        if self.main.is_some() {
            self.revive_server();
            self.client.fetch_now(clock::now());
        }
    }

    /// Online, or offline.
    fn go(&mut self, online: bool) {
        let now = clock::now();
        if online {
            self.revive_server();
            self.client.go_online(now);
        } else {
            self.client.go_offline(now);
        }
    }
}
