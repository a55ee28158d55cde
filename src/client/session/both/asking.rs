//! Requests that only the secure dialect has; in the plain dialect they are answered here.

use std::time::Instant;

use super::Session;
use super::state::State;
use crate::base::model::Account;
use crate::client::session::{AccountChange, Event, FriendOutcome, FriendRequest, LookUpResult};

impl Session {
    /// Looks for people by account, name or pinyin; answered by [`Event::Found`]. The plain dialect has no such request.
    pub fn find(&mut self, now: Instant, text: String) {
        match &mut self.state {
            State::Sought(_) | State::Plain(_) => self.tell(Event::Found { text, people: None, more: false }),
            State::Secure(secure) => secure.session.find(now, text),
        }
        self.listen();
    }

    /// Asks who these accounts are; answered by [`Event::People`]. The plain dialect has no such request.
    pub fn people(&mut self, now: Instant, accounts: Vec<Account>) {
        match &mut self.state {
            State::Sought(_) | State::Plain(_) => self.tell(Event::People { asked: accounts, profiles: None }),
            State::Secure(secure) => secure.session.people(now, accounts),
        }
        self.listen();
    }

    /// Sets whether the person at this device is away. The plain dialect has no word for that, and a session that becomes
    /// a secure one is told again by its owner.
    pub fn set_away(&mut self, now: Instant, away: bool) {
        if let State::Secure(secure) = &mut self.state {
            secure.session.set_away(now, away);
        }
        self.listen();
    }

    /// Asks somebody to be a friend, answers their request, or ends it; answered by [`Event::Friend`].
    pub fn friend(&mut self, now: Instant, account: Account, request: FriendRequest) {
        let unasked = |outcome| Event::Friend { account: account.clone(), request: request.clone(), outcome };
        match &mut self.state {
            State::Sought(_) => self.tell(unasked(FriendOutcome::Unanswered)),
            State::Plain(_) => self.tell(unasked(FriendOutcome::NotHere)),
            State::Secure(secure) => secure.session.friend(now, account, request),
        }
        self.listen();
    }

    /// Asks whether an account exists; answered by [`Event::LookedUp`]. The plain dialect has no such request.
    pub fn look_up(&mut self, now: Instant, account: Account) {
        match &mut self.state {
            State::Sought(_) => self.tell(Event::LookedUp { asked: account, found: LookUpResult::Unanswered }),
            State::Plain(_) => self.tell(Event::LookedUp { asked: account, found: LookUpResult::NotHere }),
            State::Secure(secure) => secure.session.look_up(now, account),
        }
        self.listen();
    }

    /// Asks for the `count` newest messages of a conversation that are older than the server's row `before`; answered
    /// by [`Event::History`]. The plain dialect has no such request.
    pub fn history(&mut self, now: Instant, peer: Account, before: Option<u64>, count: u32) {
        match self.state.secure_mut() {
            Some(secure) => secure.history(now, peer, before, count),
            None => self.tell(Event::History { peer, messages: Vec::new(), more: false }),
        }
        self.listen();
    }

    /// Asks for this account's settings or, with a change, changes them; answered by [`Event::AccountSettings`]. The
    /// plain dialect has no settings.
    pub fn account(&mut self, now: Instant, change: Option<AccountChange>) {
        match (self.state.secure_mut(), change) {
            (Some(secure), None) => secure.account_settings(now),
            (Some(secure), Some(change)) => secure.set_account(now, change),
            (None, _) => self.tell(Event::AccountSettings(None)),
        }
        self.listen();
    }
}
