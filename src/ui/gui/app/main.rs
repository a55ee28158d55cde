//! The part of the main window and its menus.

use super::super::actions::{EVERYWHERE, MenuState, choose};
use super::super::main_window::{Event, MainWindow};
use rust_i18n::t;

use super::core::Core;
use super::leaving::{Leaving, leave, leave_by, may_leave, quit};
use super::signed_in::SignedIn;
use super::{App, friends, questions, with, with_signed_in};
use crate::client::Client;
use crate::client::net::clock;
use crate::client::session::SpokenDialect;
use crate::protocol::wire::status::{Chosen, Status};

/// Does what the main window has asked for.
pub(super) fn apply(event: Event) {
    match event {
        Event::OwnMenu(x, y) => own_menu((x, y)),
        Event::RowMenu(person, x, y) => friends::row_menu(&person, (x, y)),
        Event::Mute(peer, muted) => {
            with(|app| app.core.client.set_muted(&peer, muted));
        }
        Event::Pin(peer, pinned) => {
            with(|app| app.core.client.set_pinned(&peer, pinned));
        }
        Event::Find(text) => {
            with_signed_in(|signed_in, core| signed_in.find(text.trim(), core));
        }
        Event::Toggle(section) => with_main(|main| main.toggle(&section)),
        Event::Block(account, blocked) => {
            with(|app| app.core.client.set_blocked(account, blocked));
        }
        Event::Remove(account) => friends::remove(account, false),
        Event::Delete(account) => friends::remove(account, true),
        Event::Import => friends::import(),
        Event::Export => friends::export(),
        Event::SetOnline(online) => {
            with(|app| app.go(online));
        }
        Event::Choose(state) => {
            with_signed_in(|signed_in, core| signed_in.choose(state, core));
        }
        Event::Fetch => {
            with(App::fetch);
        }
        Event::Search => with_main(MainWindow::search),
        Event::Looked => with_main(MainWindow::looked),
        Event::NoticeSeen => with_main(MainWindow::seen),
        Event::TakeBack => {
            with(App::take_back);
        }
        Event::StayOffline => {
            with(App::stay_offline);
        }
        Event::LogInAgain => questions::log_in_again(),
        Event::ShowDoubt => {
            with(App::show_doubt);
        }
        Event::SwitchAccount if may_leave() => leave(Leaving::SwitchAccount),
        Event::LeaveDevice if may_leave() => leave_by(Leaving::SwitchAccount, Client::forget_device),
        Event::SwitchAccount | Event::LeaveDevice => {}
        Event::Quit => quit(),
    }
}

fn with_main(f: impl FnOnce(&mut MainWindow)) {
    with_signed_in(|signed_in, _| f(&mut signed_in.main));
}

/// Opens the user's own menu at this place of the screen, and does what is chosen. The caller must not hold a borrow.
fn own_menu(at: (i32, i32)) {
    let Some(now) = with(|app| app.own()) else { return };
    if let Some(event) = choose(EVERYWHERE, &now, Some(at)) {
        super::apply(event());
    }
}

impl SignedIn {
    /// Returns how the person has chosen to be shown to others; `None` where the server knows online and offline alone.
    fn chosen(&self) -> Option<Option<Chosen>> {
        let roster = self.main.roster();
        roster.friends().kept_by_server.then(|| roster.friends().status.state)
    }

    /// Sets how others are shown the person; their line stays.
    fn choose(&mut self, state: Option<Chosen>, core: &Core) {
        let status = Status { state, ..self.main.roster().friends().status.clone() };
        core.client.set_status(&status);
        let said = match state {
            None => t!("people.you_are_online"),
            Some(Chosen::Busy) => t!("people.you_are_busy"),
            Some(Chosen::Invisible) => t!("people.you_are_invisible"),
        };
        self.main.say(&said);
    }
}

impl App {
    fn own(&mut self) -> MenuState {
        let signed_in = self.stage.signed_in().map(|signed_in| &*signed_in);
        let client = &self.core.client;
        MenuState {
            offline: self.core.is_offline(),
            kicked: signed_in.is_some_and(SignedIn::is_kicked),
            stays: signed_in.is_some_and(|signed_in| client.can_resume(&signed_in.me)),
            chosen: signed_in.filter(|_| self.core.is_spoken(SpokenDialect::Secure)).and_then(SignedIn::chosen),
            password: self.core.is_spoken(SpokenDialect::Plain) && client.changes_passwords() != Some(false),
        }
    }

    /// Asks the server for messages now.
    fn fetch(&mut self) {
        if self.stage.is_signed_in() {
            self.revive_server();
            self.core.client.fetch_now(clock::now());
        }
    }

    /// Goes online or offline.
    fn go(&mut self, online: bool) {
        let now = clock::now();
        if online {
            self.revive_server();
            self.core.client.go_online(now);
        } else {
            self.core.client.go_offline(now);
        }
    }
}
