//! Which server, and where it is: this machine's own, started if need be, or a name to be looked up.
//! Windows and terminal look on a thread of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use rust_i18n::t;

use crate::host;
use crate::settings::Settings;

/// The port of this machine's own server.
pub const PORT: u16 = 21568;

/// The server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
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
    #[must_use]
    pub fn of(server: Option<&str>, host_lan: bool, settings: &Settings) -> Self {
        let name = server.unwrap_or(&settings.server);
        if name.is_empty() {
            return Self::Local { lan: host_lan || settings.host_lan };
        }
        Self::Named { name: name.to_owned(), address: name.parse().ok() }
    }

    /// Whether datagrams can be sent there.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Named { address: None, .. })
    }

    /// Where datagrams go; nothing is sent before it is known.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Named { address: Some(address), .. } => *address,
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

    /// Which server that is, in a line.
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

    /// Looks the name up, or finds or starts this machine's server with its `data`; the address, if it
    /// was not known. Both may take their time: call it on a thread of its own.
    ///
    /// # Errors
    /// A sentence for whoever wants to log in.
    pub fn search(&self, data: &Path) -> Result<Option<SocketAddr>, String> {
        match self {
            Self::Local { lan } => {
                let ip: IpAddr = if *lan { Ipv4Addr::UNSPECIFIED.into() } else { Ipv4Addr::LOCALHOST.into() };
                host::ensure(SocketAddr::new(ip, PORT), data).map(|()| None).map_err(|e| e.to_string())
            }
            Self::Named { address: Some(_), .. } => Ok(None),
            Self::Named { name, address: None } => match name.to_socket_addrs().map(|mut found| found.next()) {
                Ok(Some(address)) => Ok(Some(address)),
                Ok(None) => Err(t!("gui.no_address", name = name).into_owned()),
                Err(error) => {
                    log::warn!("{name}: {error}");
                    Err(t!("gui.no_address", name = name).into_owned())
                }
            },
        }
    }
}

/// What others on the network type to reach this machine's server.
#[must_use]
pub fn lan_address() -> Option<String> {
    host::lan_ip().map(|ip| SocketAddr::from((ip, PORT)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearby_is_where_an_address_may_be_anybodys_tomorrow() {
        let nearby = |name| Place::of(Some(name), false, &Settings::default()).is_nearby();
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
