//! Looking for the server, on a thread of its own, and using another one.

use std::net::SocketAddr;
use std::thread;

use fltk::app;

use super::{App, open_client, with};
use crate::place::Place;

impl App {
    /// Looks the name up, or finds or starts this machine's server; both may take their time.
    pub(super) fn find_server(&mut self) {
        let place = self.place.clone();
        let data = self.args.paths.server.clone();
        let search = move || {
            let (address, error) = match place.search(&data) {
                Ok(address) => (address, None),
                Err(error) => (None, Some(error)),
            };
            app::awake_callback(move || found(&place, address, error.as_deref()));
        };
        if let Err(error) = thread::Builder::new().name("look-up".into()).spawn(search) {
            self.say(&error.to_string());
        }
    }

    /// Uses the server that the settings name now, with a socket of its own.
    pub(super) fn change_place(&mut self) {
        let place = Place::of(self.args.server.as_deref(), self.args.host_lan, &self.settings);
        if place == self.place || self.main.is_some() {
            return;
        }
        self.place = place;
        self.reopen();
        self.find_server();
    }

    fn reopen(&mut self) {
        match open_client(&self.args, &self.settings, self.place.address()) {
            Ok(client) => {
                self.client = client;
                if self.wire.is_some() {
                    self.close_wire();
                    self.open_wire();
                }
            }
            Err(error) => self.say(&error.to_string()),
        }
        let line = self.place.line();
        if let Some(login) = &mut self.login {
            login.set_place(&line);
        }
    }
}

/// A look-up ended; `place` is what was looked for, which may not be wanted any more.
fn found(place: &Place, at: Option<SocketAddr>, error: Option<&str>) {
    with(|app| {
        if app.place != *place {
            return;
        }
        if let Some(error) = error {
            log::error!("{error}");
            app.pending = None;
            return app.say(error);
        }
        if let (Place::Named { address, .. }, Some(at)) = (&mut app.place, at) {
            *address = Some(at);
            app.reopen();
        }
        if let Some(form) = app.pending.take() {
            app.log_in(&form.account, &form.password);
        }
    });
}
