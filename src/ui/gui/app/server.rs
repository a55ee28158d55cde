//! Looking for the server on a thread, and changing to another one.

use std::thread;

use fltk::app;

use super::super::login_window::LoginForm;
use super::{App, with};
use crate::base::model::{Account, Password};
use crate::client::net::{FoundAddress, clock};
use crate::client::session::NewAccount;
use crate::local::server_choice::ServerChoice;

/// What waits until the server is found.
pub(super) enum Pending {
    Login { form: LoginForm, account: Account, password: Option<Password> },
    Register(NewAccount),
}

impl App {
    /// Does this once the server's address is known and, if it is this machine's own server, once that runs: it ends a
    /// minute after its last user, so it may have ended since it was found.
    pub(super) fn with_server(&mut self, what: Pending) {
        if !self.core.server.is_to_be_searched() {
            return self.go_on(what);
        }
        if let Some(entry) = self.stage.entry() {
            entry.pending = Some(what);
        }
        self.find_server();
    }

    fn go_on(&mut self, what: Pending) {
        match what {
            Pending::Login { form, account, password } => self.log_in_now(&form, account, password),
            Pending::Register(new) => self.core.client.register_as(clock::now(), new),
        }
    }

    /// Starts this machine's own server again if it has ended.
    pub(super) fn revive_server(&mut self) {
        if self.core.server.is_local() {
            self.find_server();
        }
    }

    /// Looks the name up, or finds or starts this machine's own server; either may take a while.
    pub(super) fn find_server(&mut self) {
        let server = self.core.server.clone();
        let paths = self.core.args.paths.clone();
        let search = move || {
            let (address, error) = match server.search(&paths) {
                Ok(address) => (address, None),
                Err(error) => (None, Some(error)),
            };
            app::awake_callback(move || found(&server, address, error.as_deref()));
        };
        if let Err(error) = thread::Builder::new().name("look-up".into()).spawn(search) {
            self.say(&crate::base::trouble::words(&error));
        }
    }

    /// Changes to the server that the settings name, with a new socket.
    pub(super) fn change_server(&mut self) {
        let core = &mut self.core;
        let server = ServerChoice::of(core.args.server.as_deref(), core.args.host_lan, &core.settings);
        if server == core.server || self.stage.is_signed_in() {
            return;
        }
        core.server = server;
        self.reopen();
        self.find_server();
    }

    fn reopen(&mut self) {
        // The question was about another server.
        self.close_trust();
        let core = &mut self.core;
        if let Err(error) = core.client.use_server(core.server.address(), core.server.name()) {
            self.say(&error.to_string());
        }
        if let Some(entry) = self.stage.entry() {
            entry.login.set_server(&self.core.server.line());
            entry.look_whether_known(&self.core);
        }
    }
}

/// Handles the end of a search; `server` is what was searched for, which may be obsolete.
fn found(server: &ServerChoice, at: Option<FoundAddress>, error: Option<&str>) {
    with(|app| {
        if app.core.server != *server {
            return;
        }
        if let Some(error) = error {
            log::error!("{error}");
            app.say(error);
            if let Some(entry) = app.stage.entry() {
                // A server that serves only this machine is still of use here.
                if *server == (ServerChoice::Local { lan: true }) {
                    entry.said_later = Some(error.to_owned());
                } else {
                    entry.pending = None;
                }
            }
        }
        if at.is_some_and(|at| app.core.server.take(at)) {
            app.reopen();
        }
        if let Some(what) = app.stage.entry().and_then(|entry| entry.pending.take()) {
            app.go_on(what);
            app.events();
        }
    });
}
