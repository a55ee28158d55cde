//! Which account of a name it is: one that is deleted and made anew is another one, told from the first by when it was made.

use super::{Account, Event, Session};

/// Accounts whose making is known of a connection; then it is told anew, which changes nothing.
const MOST: usize = 10_000;

impl Session {
    /// The server says when an account was made; told once a connection, so that it is compared at each login.
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
