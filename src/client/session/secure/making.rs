//! Tells accounts of one name apart: an account that was deleted and made anew is another one, and differs in when it
//! was made.

use super::{Account, Event, Session};

/// The most accounts whose time of making is remembered during a connection; beyond that it is reported again, which
/// does no harm.
const MOST: usize = 10_000;

impl Session {
    /// Reports when an account was made, as the server says; once on each connection, so that it is compared after each
    /// login.
    pub(super) fn was_made(&mut self, account: &Account, made: Option<i64>) {
        let Some(made) = made.filter(|made| !account.is_room() && self.connection.made.get(account) != Some(made))
        else {
            return;
        };
        if self.connection.made.len() >= MOST {
            self.connection.made.clear();
        }
        self.connection.made.insert(account.clone(), made);
        self.told.events.push_back(Event::Made { account: account.clone(), made });
    }
}
