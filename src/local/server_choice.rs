//! The choice of a server and the search for its address: this machine's own server, started if necessary, or a name
//! to be looked up. Windows and terminal search on a separate thread.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use rust_i18n::t;

use crate::base::settings::{Paths, Settings};
use crate::client::net::{FoundAddress, lookup};
use crate::client::used_before;
use crate::local::own_server;
use crate::protocol::PORT;

/// The server that the user chose, and its address once that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerChoice {
    /// This machine's own server.
    Local {
        /// Whether it listens for the local network too.
        lan: bool,
    },
    /// A server elsewhere, by name or address.
    Named {
        /// The name or address as the user typed it.
        name: String,
        /// The address, once the name was looked up.
        found: Option<FoundAddress>,
    },
}

impl ServerChoice {
    /// The choice of the command line or, without one, of the settings.
    #[must_use]
    pub fn of(server: Option<&str>, host_lan: bool, settings: &Settings) -> Self {
        let name = server.unwrap_or(&settings.server);
        if name.is_empty() {
            return Self::Local { lan: host_lan || settings.host_lan };
        }
        let found = name.parse().ok().map(|address| FoundAddress { address, sure: true });
        Self::Named { name: name.to_owned(), found }
    }

    /// Whether datagrams can be sent there.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Named { found: None, .. })
    }

    /// Whether [`ServerChoice::search`] is worth its time before a login: a name none of whose addresses has answered
    /// yet, or this machine's server, which may have ended.
    #[must_use]
    pub fn is_to_be_searched(&self) -> bool {
        !matches!(self, Self::Named { found: Some(FoundAddress { sure: true, .. }), .. })
    }

    /// Takes over the result of a search; true if the address has changed.
    pub fn take(&mut self, new: FoundAddress) -> bool {
        match self {
            Self::Named { found, .. } => {
                let before = found.replace(new);
                before.map(|found| found.address) != Some(new.address)
            }
            Self::Local { .. } => false,
        }
    }

    /// The server's name with its port; `None` for a plain address. What is remembered of a server belongs to its
    /// name, whichever address the name has.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Named { name, .. } if name.parse::<SocketAddr>().is_err() => Some(name.clone()),
            _ => None,
        }
    }

    /// Whether it is this machine's own server.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }

    /// The server as a user would type it.
    #[must_use]
    pub fn typed(&self) -> String {
        match self {
            Self::Named { name, .. } => name.clone(),
            Self::Local { .. } => self.address().to_string(),
        }
    }

    /// Where datagrams go; nothing is sent before it is known.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Named { found: Some(found), .. } => found.address,
            _ => SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
        }
    }

    /// Whether it is on this machine or in a private network, where an address may be another computer's
    /// tomorrow.
    #[must_use]
    pub fn is_nearby(&self) -> bool {
        match self.address().ip().to_canonical() {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
            }
        }
    }

    /// A line of text that names the server.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Local { lan: false } => t!("gui.this_computer", server = self.address()),
            Self::Local { lan: true } => {
                t!("gui.lan_server", server = lan_address().unwrap_or_else(|| self.address().to_string()))
            }
            Self::Named { name, .. } => t!("gui.server", server = name),
        }
        .into_owned()
    }

    /// Looks the name up and asks which of its addresses answers, or finds or starts this machine's server; what was
    /// found of a name. Both may take their time: call it on a thread of its own.
    ///
    /// # Errors
    /// A sentence for the user who wants to log in.
    pub fn search(&self, paths: &Paths) -> Result<Option<FoundAddress>, String> {
        match self {
            Self::Local { lan } => {
                let ip: IpAddr = if *lan { Ipv4Addr::UNSPECIFIED.into() } else { Ipv4Addr::LOCALHOST.into() };
                own_server::ensure(SocketAddr::new(ip, PORT), &paths.server).map(|()| None).map_err(|e| e.to_string())
            }
            Self::Named { found: Some(FoundAddress { sure: true, .. }), .. } => Ok(None),
            Self::Named { name, .. } => {
                let resolve = |name: &str| name.to_socket_addrs().map(Iterator::collect);
                let preferred = |at| used_before(&paths.histories, at);
                lookup::find(name, resolve, preferred).map(Some).map_err(|error| {
                    log::warn!("{name}: {error}");
                    t!("gui.no_address", name = name).into_owned()
                })
            }
        }
    }
}

/// The address that users on the local network type to reach this machine's server.
#[must_use]
pub fn lan_address() -> Option<String> {
    own_server::lan_ip().map(|ip| SocketAddr::from((ip, PORT)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearby_is_where_an_address_may_be_anybodys_tomorrow() {
        let nearby = |name| ServerChoice::of(Some(name), false, &Settings::default()).is_nearby();
        let [near, far] = [
            ["", "127.0.0.1:9", "10.1.2.3:9", "172.31.0.1:9", "192.168.1.7:9", "[::1]:9", "[fe80::1]:9", "[fd00::7]:9"],
            [
                "8.8.8.8:9",
                "172.32.0.1:9",
                "192.0.2.7:9",
                "198.51.100.1:9",
                "[2001:db8::1]:9",
                "[::ffff:8.8.8.8]:9",
                "1.1.1.1:9",
                "[64::1]:9",
            ],
        ];
        assert_eq!(near.map(nearby), [true; 8]);
        assert_eq!(far.map(nearby), [false; 8]);
    }
}
