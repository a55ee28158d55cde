//! Finding the server, and leaving it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rust_i18n::t;

use super::app::{App, Profile};
use super::asks::Pending;
use super::script::Exit;
use super::{Args, Input};
use crate::base::settings::Settings;
use crate::client::net::reach::Reach;
use crate::client::net::{FoundAddress, clock};
use crate::client::session::{Dialect, KeyChange};
use crate::client::{Client, ClientError, Config};
use crate::local::server_choice::ServerChoice;

/// How long going offline may take; the session gives up after a second, whatever the server does.
const LEAVE: Duration = Duration::from_millis(1_200);

/// What happens after going offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Leaving {
    #[default]
    No,
    Quit,
    Logout,
    /// Logs out, and makes this device forgotten, so that it needs the password again.
    Forget,
}

/// How the program, or the login, ends.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) how: Leaving,
    /// When the server's answer is no longer awaited.
    pub(super) deadline: Option<Instant>,
    /// Whether the main loop ends.
    pub(super) left: bool,
}

/// The server in use, and what is being found out about it.
pub(super) struct Server {
    pub(super) place: ServerChoice,
    bind: Option<SocketAddr>,
    /// The dialects that may be spoken, and whether a password may be sent in plain.
    dialect: (Dialect, bool),
    /// Whether the search for it is done.
    pub(super) found: bool,
    /// A changed key that the server has shown.
    pub(super) changed: Option<KeyChange>,
    /// A diagnosis that is under way.
    pub(super) reach: Option<Reach>,
}

impl Server {
    pub(super) fn new(args: &Args, settings: &Settings) -> Self {
        let place = ServerChoice::of(args.face.server.as_deref(), args.host_lan, settings);
        let dialect = (args.face.dialect(), args.face.allow_plain);
        Self { place, bind: args.face.bind, dialect, found: false, changed: None, reach: None }
    }

    /// Makes a client for the server, which rings this loop; it sends nothing until it is asked to.
    pub(super) fn open(&self, profile: &Profile, ring: &Sender<()>) -> Result<Client, ClientError> {
        let ring = ring.clone();
        let config = Config {
            server: self.place.address(),
            name: self.place.name(),
            bind: self.bind,
            data: profile.paths.histories.clone(),
            polling: profile.settings.polling.into(),
            dialect: self.dialect.0,
            allow_plain: self.dialect.1,
        };
        Client::open(config, move || {
            let _ = ring.try_send(());
        })
    }
}

impl App {
    /// Looks for the server on a thread, or starts this machine's own.
    pub(super) fn find_server(&mut self) -> io::Result<()> {
        let (place, paths, inputs) = (self.server.place.clone(), self.profile.paths.clone(), self.wakes.inputs.clone());
        let search = move || {
            let _ = inputs.send(Input::Found(place.search(&paths)));
        };
        std::thread::Builder::new().name("look-up".into()).spawn(search).map(drop)
    }

    pub(super) fn server_found(&mut self, found: Result<Option<FoundAddress>, String>) {
        self.server.found = true;
        match found {
            Err(error) => return self.gave_up(Exit::NoAnswer, &error),
            Ok(None) => {}
            // Two searches may have run.
            Ok(Some(_)) if self.login.logged_in || !self.server.place.is_to_be_searched() => {}
            Ok(Some(at)) => {
                if !self.server.place.take(at) {
                    return self.go_on();
                }
                match self.server.open(&self.profile, &self.wakes.ring) {
                    Ok(client) => self.client = client,
                    Err(error) => return self.gave_up(Exit::Trouble, &error.to_string()),
                }
            }
        }
        self.go_on();
    }

    pub(super) fn went_offline(&mut self) {
        match self.ending.how {
            Leaving::No => self.quiet(&t!("wire.went_offline")),
            Leaving::Quit | Leaving::Logout | Leaving::Forget => self.gone(),
        }
    }

    /// Ends because the person wants to; messages of a pipe are settled first.
    pub(super) fn leave_now(&mut self) {
        if self.on_terminal() {
            self.leave(Leaving::Quit);
        } else {
            self.pipe.drop_rest();
        }
    }

    /// Goes offline, then ends; at once if it is called a second time.
    pub(super) fn leave(&mut self, how: Leaving) {
        if self.ending.how == Leaving::Quit && how == Leaving::Quit {
            return self.gone();
        }
        self.ending.how = how;
        self.keep_draft();
        let unsent = self.client.unsent();
        if unsent > 0 {
            self.warn(&t!("term.unsent_later", n = unsent));
        }
        if !self.login.logged_in && self.pending == Pending::Nothing {
            return self.gone();
        }
        let now = clock::now();
        self.ending.deadline = Some(now.instant + LEAVE);
        match how {
            Leaving::Forget => self.client.forget_device(now),
            Leaving::No | Leaving::Quit | Leaving::Logout => self.client.go_offline(now),
        }
    }

    /// Called when the program is offline, or the server has not answered in time.
    pub(super) fn gone(&mut self) {
        self.ending.deadline = None;
        match self.ending.how {
            // A pipe's last message was not settled in time; it stays in the outbox.
            Leaving::No => {
                self.pipe.late(Exit::NoAnswer);
                self.leave(Leaving::Quit);
            }
            Leaving::Quit => {
                self.ending.left = true;
                self.client.close_account();
            }
            Leaving::Logout => self.logged_out(&t!("term.logged_out")),
            Leaving::Forget => self.logged_out(&t!("term.forgotten")),
        }
    }

    fn logged_out(&mut self, said: &str) {
        self.end_login();
        self.ending.how = Leaving::No;
        self.pending = Pending::Nothing;
        self.quiet(said);
    }
}
