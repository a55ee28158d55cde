//! Being away: nobody has touched a key or the mouse of this computer for the set time. One timer is armed for when that
//! could be so, and again from how long it has been by then.

use std::cell::Cell;

use fltk::app;

use super::super::x11;
use super::{drain, with};
use crate::client::net::clock;

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Arms the timer, unless it is armed. Called at the start, and whenever somebody has come back.
pub(super) fn arm() {
    let due = with(|app| app.core.absence.due()).flatten();
    let Some(due) = due.filter(|_| !ARMED.get()) else { return };
    ARMED.set(true);
    app::add_timeout3(due.saturating_duration_since(clock::now().instant).as_secs_f64(), |_| {
        ARMED.set(false);
        look();
        arm();
    });
}

fn look() {
    let due = with(|app| app.core.absence.due()).flatten();
    let now = clock::now();
    // The display is not asked before it is time.
    if due.is_none_or(|due| due > now.instant) {
        return;
    }
    let idle = x11::idle();
    with(|app| {
        if app.core.absence.look(now.instant, idle) {
            app.core.client.set_away(now, app.core.absence.is_away());
        }
    });
    drain();
}

/// Notes that the person has done something in a window: whoever was away is back.
pub(super) fn touched() {
    let now = clock::now();
    let was_away = with(|app| {
        let was_away = app.core.absence.touched(now.instant);
        if was_away {
            app.core.client.set_away(now, false);
        }
        was_away
    });
    if was_away == Some(true) {
        arm();
    }
}
