//! Looking for the server, on a thread of its own, and using another one.

use std::thread;

use fltk::app;

use super::super::login_window::LoginForm;
use super::{App, with};
use crate::base::model::{Account, Password};
use crate::client::net::{Found, clock};
use crate::local::place::Place;

/// What waits until the server is there.
pub(super) enum Pending {
    Login { form: LoginForm, account: Account, password: Option<Password> },
    Register { account: Account, password: Password, confirm: Password },
}

impl App {
    /// Does this once the server's address is known, and this machine's own runs: it ends a minute after
    /// its last user, so it may be gone since it was looked for.
    pub(super) fn with_server(&mut self, what: Pending) {
        if !self.place.is_to_be_searched() {
            return self.go_on(what);
        }
        self.pending = Some(what);
        self.find_server();
    }

    fn go_on(&mut self, what: Pending) {
        match what {
            Pending::Login { form, account, password } => self.log_in_now(&form, account, password),
            Pending::Register { account, password, confirm } => {
                self.client.register(clock::now(), account, password, confirm);
            }
        }
    }

    /// Starts this machine's own server again if it has ended.
    pub(super) fn revive_server(&mut self) {
        if self.place.is_local() {
            self.find_server();
        }
    }

    /// Looks the name up, or finds or starts this machine's server; both may take their time.
    pub(super) fn find_server(&mut self) {
        let place = self.place.clone();
        let paths = self.args.paths.clone();
        let search = move || {
            let (address, error) = match place.search(&paths) {
                Ok(address) => (address, None),
                Err(error) => (None, Some(error)),
            };
            app::awake_callback(move || found(&place, address, error.as_deref()));
        };
        if let Err(error) = thread::Builder::new().name("look-up".into()).spawn(search) {
            self.say(&crate::base::trouble::words(&error));
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
        // It was about another server.
        self.close_trust();
        if let Err(error) = self.client.use_server(self.place.address(), self.place.name()) {
            self.say(&error.to_string());
        }
        let line = self.place.line();
        if let Some(login) = &mut self.login {
            login.set_place(&line);
        }
        self.look_whether_known();
    }
}

/// A look-up ended; `place` is what was looked for, which may not be wanted any more.
fn found(place: &Place, at: Option<Found>, error: Option<&str>) {
    with(|app| {
        if app.place != *place {
            return;
        }
        if let Some(error) = error {
            log::error!("{error}");
            app.say(error);
            // One that runs for this machine alone still serves this machine.
            if *place == (Place::Local { lan: true }) {
                app.afterwards = Some(error.to_owned());
            } else {
                app.pending = None;
            }
        }
        if at.is_some_and(|at| app.place.take(at)) {
            app.reopen();
        }
        if let Some(what) = app.pending.take() {
            app.go_on(what);
            app.events();
        }
    });
}
