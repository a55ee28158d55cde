//! Which server, and where it is: this machine's own, started if need be, or a name that is looked
//! up on a thread of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::thread;

use fltk::app;
use rust_i18n::t;

use super::super::Args;
use super::{App, open_client, with};
use crate::host;
use crate::settings::Settings;

/// The port of this machine's own server.
const PORT: u16 = 21568;

/// The server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On this machine, alone or for the local network too.
    Local {
        /// Listens for others.
        lan: bool,
    },
    /// Somewhere else.
    Named {
        /// As it was typed.
        name: String,
        /// Once it was looked up.
        address: Option<SocketAddr>,
    },
}

impl Place {
    /// What the command line says, else the settings.
    pub(super) fn of(args: &Args, settings: &Settings) -> Self {
        let name = args.server.clone().unwrap_or_else(|| settings.server.clone());
        if name.is_empty() {
            return Self::Local { lan: args.host_lan || settings.host_lan };
        }
        let address = name.parse().ok();
        Self::Named { name, address }
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Named { address: None, .. })
    }

    /// Where datagrams go; nothing is sent before it is known.
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Named { address: Some(address), .. } => *address,
            _ => SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
        }
    }

    /// The line at the foot of the login window.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Local { lan: false } => t!("gui.this_computer", server = self.address()),
            Self::Local { lan: true } => {
                t!("gui.lan_server", server = lan_address().unwrap_or_else(|| self.address().to_string()))
            }
            Self::Named { name, .. } => t!("gui.server", server = name),
        }
        .into_owned()
    }
}

/// What others on the network type to reach this machine's server.
pub(super) fn lan_address() -> Option<String> {
    host::lan_ip().map(|ip| SocketAddr::from((ip, PORT)).to_string())
}

impl App {
    /// Looks the name up, or finds or starts this machine's server; both may take their time.
    pub(super) fn find_server(&mut self) {
        let place = self.place.clone();
        let data = self.args.paths.server.clone();
        let search = move || match &place {
            Place::Local { lan } => {
                let ip: IpAddr = if *lan { Ipv4Addr::UNSPECIFIED.into() } else { Ipv4Addr::LOCALHOST.into() };
                let error = host::ensure(SocketAddr::new(ip, PORT), &data).err().map(|e| e.to_string());
                app::awake_callback(move || found(&place, None, error.as_deref()));
            }
            Place::Named { address: Some(_), .. } => {}
            Place::Named { name, address: None } => {
                let result = name.to_socket_addrs().map(|mut addresses| addresses.next());
                let (address, error) = match result {
                    Ok(Some(address)) => (Some(address), None),
                    Ok(None) => (None, Some(t!("gui.no_address", name = name).into_owned())),
                    Err(error) => (None, Some(format!("{name}: {error}"))),
                };
                app::awake_callback(move || found(&place, address, error.as_deref()));
            }
        };
        if let Err(error) = thread::Builder::new().name("look-up".into()).spawn(search) {
            self.say(&error.to_string());
        }
    }

    /// Uses the server that the settings name now, with a socket of its own.
    pub(super) fn change_place(&mut self) {
        let place = Place::of(&self.args, &self.settings);
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
