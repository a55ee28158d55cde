//! Questions whose answer depends on the dialect alone.

use std::time::Instant;

use super::Session;
use crate::base::model::Account;
use crate::client::session::{Event, Found, Speaks};

impl Session {
    /// See [`secure::Session::look_up`]; in the plain dialect nobody can ask.
    pub fn look_up(&mut self, now: Instant, account: Account) {
        let plain = self.speaks() == Some(Speaks::Plain);
        match self.spoken() {
            Some(secure) => secure.look_up(now, account),
            None => {
                let found = if plain { Found::NotHere } else { Found::Unanswered };
                self.events.push_back(Event::LookedUp { asked: account, found });
            }
        }
    }
}
