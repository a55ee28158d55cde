//! The main window's menu: what concerns neither one chat nor one friend.

use rust_i18n::t;

use super::{App, Leaving, apply, friends, leave, leave_by, may_leave, quit, with};
use crate::client::Client;
use crate::client::net::clock;
use crate::client::session::{Link, Speaks};
use crate::ui::gui::{UiEvent, widgets};

/// Opens it there, on the screen, and does what is chosen. Nothing may be borrowed.
pub(super) fn own(at: (i32, i32)) {
    let state = |app: &mut App| {
        let stays = app.me.as_ref().is_some_and(|me| app.client.can_resume(me));
        let plain = app.client.connection().speaks == Some(Speaks::Plain);
        (app.client.link(), app.is_kicked(), stays, plain && app.client.changes_passwords() != Some(false))
    };
    let Some((link, kicked, stays, password)) = with(state) else { return };
    let offline = matches!(link, Link::Offline | Link::LoggedOut);
    let state = match offline {
        true if kicked => t!("main.take_back"),
        true => t!("main.go_online"),
        false => t!("main.go_offline"),
    };
    let entries = [
        Some(state),
        Some(t!("main.fetch")),
        Some(t!("main.settings")),
        Some(t!("main.import")),
        Some(t!("main.export")),
        Some(t!("main.wire")),
        Some(t!("main.connection")),
        Some(t!("main.keys")),
        Some(t!("main.switch")),
        password.then(|| t!("main.password")),
        stays.then(|| t!("main.forget_device")),
        Some(t!("main.quit")),
    ];
    // What is not offered keeps its number.
    let numbers: Vec<usize> = (0..entries.len()).filter(|i| entries.get(*i).is_some_and(Option::is_some)).collect();
    let names: Vec<&str> = entries.iter().flatten().map(|entry| &**entry).collect();
    match widgets::popup(&names, Some(at)).and_then(|chosen| numbers.get(chosen)) {
        Some(0) if kicked => apply(UiEvent::TakeBack),
        Some(0) => {
            with(|app| {
                let now = clock::now();
                if offline {
                    app.revive_server();
                    app.client.go_online(now);
                } else {
                    app.client.go_offline(now);
                }
                app.events();
            });
        }
        Some(1) => apply(UiEvent::Fetch),
        Some(2) => apply(UiEvent::OpenSettings),
        Some(3) => friends::import(),
        Some(4) => friends::export(),
        Some(5) => apply(UiEvent::OpenWire),
        Some(6) => apply(UiEvent::OpenConnection),
        Some(7) => apply(UiEvent::OpenKeys),
        Some(8) if may_leave() => leave(Leaving::SwitchAccount),
        Some(9) => {
            with(App::open_password);
        }
        Some(10) if may_leave() => leave_by(Leaving::SwitchAccount, Client::forget_device),
        Some(11) => quit(),
        _ => {}
    }
}
