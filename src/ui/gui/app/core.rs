//! What every part of the loop works with: the client, the settings, and where windows put what is asked for.

use std::rc::Rc;

use super::super::{Args, Emit};
use crate::base::settings::{Saver, Settings};
use crate::client::Client;
use crate::client::absence::Absence;
use crate::client::session::{ConnectionState, SpokenDialect};
use crate::local::server_choice::ServerChoice;

/// The client and the settings, which every part of the loop borrows; a part itself owns only its windows.
pub(super) struct Core {
    pub client: Client,
    pub emit: Emit,
    pub args: Args,
    pub settings: Settings,
    pub saver: Saver,
    /// The server's name, and its address once that is known.
    pub server: ServerChoice,
    /// Whether somebody is at this computer.
    pub absence: Absence,
}

impl Core {
    /// The callback by which a new window emits its events.
    pub fn emit(&self) -> Emit {
        Rc::clone(&self.emit)
    }

    /// Saves the settings to disk on the settings thread.
    pub fn save(&self) {
        self.saver.save(&self.settings);
    }

    /// The last position of the window of this name, if it has ever been noted.
    pub fn position(&self, name: &str) -> Option<[i32; 4]> {
        self.settings.windows.get(name).copied()
    }

    /// Notes the position of the window of this name; [`Core::save`] writes it to disk.
    pub fn keep_position(&mut self, name: &str, position: [i32; 4]) {
        self.settings.windows.insert(name.to_owned(), position);
    }

    /// Whether the client is offline or logged out, so that nothing is sent or fetched.
    pub fn is_offline(&self) -> bool {
        matches!(self.client.link(), ConnectionState::Offline | ConnectionState::LoggedOut)
    }

    /// Whether the server is spoken to in this dialect now.
    pub fn is_spoken(&self, dialect: SpokenDialect) -> bool {
        self.client.connection().speaks == Some(dialect)
    }
}
