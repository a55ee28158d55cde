//! What every part of the loop works with: the client, the settings, and where windows put what is asked for.

use std::rc::Rc;

use super::super::{Args, Emit};
use crate::base::settings::{Saver, Settings};
use crate::client::Client;
use crate::client::session::{ConnectionState, SpokenDialect};
use crate::local::server_choice::ServerChoice;

/// The client and the settings. Parts get it lent, as they own nothing but their windows.
pub(super) struct Core {
    pub client: Client,
    pub emit: Emit,
    pub args: Args,
    pub settings: Settings,
    pub saver: Saver,
    /// Where the server is, as far as that is known.
    pub server: ServerChoice,
}

impl Core {
    /// For a window that is made.
    pub fn emit(&self) -> Emit {
        Rc::clone(&self.emit)
    }

    /// Puts the settings on disk, on a thread of their own.
    pub fn save(&self) {
        self.saver.save(&self.settings);
    }

    /// Where a window of this name stood last.
    pub fn position(&self, name: &str) -> Option<[i32; 4]> {
        self.settings.windows.get(name).copied()
    }

    /// Takes note of where a window of this name stands; [`Core::save`] keeps it.
    pub fn keep_position(&mut self, name: &str, position: [i32; 4]) {
        self.settings.windows.insert(name.to_owned(), position);
    }

    /// Whether nothing is sent or fetched.
    pub fn is_offline(&self) -> bool {
        matches!(self.client.link(), ConnectionState::Offline | ConnectionState::LoggedOut)
    }

    /// Whether this dialect is spoken.
    pub fn is_spoken(&self, dialect: SpokenDialect) -> bool {
        self.client.connection().speaks == Some(dialect)
    }
}
