//! Finding the server, and leaving it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crossbeam_channel::Sender;
use rust_i18n::t;

use super::Input;
use super::app::App;
use super::asks::Pending;
use super::past::Pages;
use super::script::Exit;
use crate::base::model::Account;
use crate::base::settings::{Paths, Settings};
use crate::client::net::{Found, clock};
use crate::client::session::Dialect;
use crate::client::{Client, ClientError, Config};
use crate::local::place::Place;

/// Leaving never depends on the server: the session gives up after a second.
const LEAVE: Duration = Duration::from_millis(1_200);

/// What happens when the server has let us go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    No,
    Quit,
    Logout,
    /// The same, and this device needs the password again.
    Forget,
}

impl App {
    /// Looks for the server, or starts this machine's own, on a thread of its own.
    pub(super) fn find_server(&mut self) -> io::Result<()> {
        let (place, paths, inputs) = (self.place.clone(), self.paths.clone(), self.inputs.clone());
        let search = move || {
            let _ = inputs.send(Input::Found(place.search(&paths)));
        };
        std::thread::Builder::new().name("look-up".into()).spawn(search).map(drop)
    }

    pub(super) fn server_found(&mut self, found: Result<Option<Found>, String>) {
        self.found = true;
        match found {
            Err(error) => {
                self.pending = Pending::Nothing;
                self.failed(Exit::NoAnswer);
                return self.error(&error);
            }
            Ok(None) => {}
            // Two may have looked.
            Ok(Some(_)) if self.logged_in || !self.place.is_to_be_searched() => {}
            Ok(Some(at)) => {
                if !self.place.take(at) {
                    return self.go_on();
                }
                match open(&self.place, self.bind, self.dialect, &self.paths, &self.settings, &self.ring) {
                    Ok(client) => self.client = client,
                    Err(error) => {
                        self.failed(Exit::Trouble);
                        return self.error(&error.to_string());
                    }
                }
            }
        }
        self.go_on();
    }

    pub(super) fn went_offline(&mut self) {
        match self.leaving {
            Leaving::No => self.quiet(&t!("wire.went_offline")),
            Leaving::Quit | Leaving::Logout | Leaving::Forget => self.gone(),
        }
    }

    /// The person has had enough; a pipe's messages are settled first.
    pub(super) fn leave_now(&mut self) {
        if self.terminal.is_none() {
            self.lines.clear();
            self.ended = true;
        } else {
            self.leave(Leaving::Quit);
        }
    }

    /// Goes offline, then ends; at once if it is asked for twice.
    pub(super) fn leave(&mut self, how: Leaving) {
        if self.leaving == Leaving::Quit && how == Leaving::Quit {
            return self.gone();
        }
        self.leaving = how;
        let unsent = self.client.unsent();
        if unsent > 0 {
            self.warn(&t!("term.unsent_later", n = unsent));
        }
        if !self.logged_in && self.pending == Pending::Nothing {
            return self.gone();
        }
        let now = clock::now();
        self.deadline = Some(now.instant + LEAVE);
        match how {
            Leaving::Forget => self.client.forget_device(now),
            _ => self.client.go_offline(now),
        }
    }

    /// The server has let us go, or did not answer in time.
    pub(super) fn gone(&mut self) {
        self.deadline = None;
        match self.leaving {
            // A pipe's last message was not settled in time; it stays in the outbox.
            Leaving::No => {
                if self.exit == Exit::Done {
                    self.exit = Exit::NoAnswer;
                }
                self.leave(Leaving::Quit);
            }
            Leaving::Quit => {
                self.left = true;
                self.client.close_account();
            }
            Leaving::Logout | Leaving::Forget => {
                let said = match self.leaving {
                    Leaving::Forget => t!("term.forgotten"),
                    _ => t!("term.logged_out"),
                };
                self.client.close_account();
                self.leaving = Leaving::No;
                self.forget_account();
                self.quiet(&said);
            }
        }
    }

    pub(super) fn forget_account(&mut self) {
        self.me = None;
        self.logged_in = false;
        self.pending = Pending::Nothing;
        self.target = None;
        self.wanted.clear();
        self.change = None;
        self.settling = false;
        self.pages = Pages::default();
        self.asked_account = false;
        self.own.clear();
        self.last_own = None;
        self.trouble = false;
        self.roster = super::people::roster(Account::sanitised(""));
    }
}

/// A client for this server; it sends nothing before it is asked to.
pub(super) fn open(
    place: &Place,
    bind: Option<SocketAddr>,
    (dialect, allow_plain): (Dialect, bool),
    paths: &Paths,
    settings: &Settings,
    ring: &Sender<()>,
) -> Result<Client, ClientError> {
    let (server, name, data, ring) = (place.address(), place.name(), paths.histories.clone(), ring.clone());
    let config = Config { server, name, bind, data, polling: settings.polling.into(), dialect, allow_plain };
    Client::open(config, move || {
        let _ = ring.try_send(());
    })
}
