//! Questions that are answered once: registering, pages of older messages, how the account may be used.

use std::time::Instant;

use super::{Account, Event, Password, Session};
use crate::base::model::names;
use crate::client::session::{AccountChange, RegisterOutcome};
use crate::protocol::wire::frame::{AccountSettings, Code, FromClient, Past, Secret};
use crate::protocol::wire::reply::Registered;

#[derive(Debug)]
pub(super) struct Registering {
    account: Account,
    password: Password,
    pub(super) began: Instant,
    pub(super) asked: Option<u64>,
    /// How often it was asked.
    times: u32,
}

#[derive(Debug)]
pub(super) struct PastWish {
    peer: Account,
    before: Option<u64>,
    count: u32,
    pub(super) sent: bool,
}

/// A question of how the account may be used, or a change of that.
#[derive(Debug)]
pub(super) struct AccountAsk {
    change: Option<AccountChange>,
    pub(super) sent: bool,
}

impl Session {
    /// Registers; answered by [`Event::Registered`].
    pub fn register(&mut self, now: Instant, account: Account, password: Password, confirm: &Password) {
        if password != *confirm {
            let reply = Registered::PasswordsDiffer;
            let outcome = RegisterOutcome::Answered { reply, after_timeout: false };
            return self.events.push_back(Event::Registered(outcome));
        }
        self.registering = Some(Registering { account, password, began: now, asked: None, times: 0 });
        self.retry_at = None;
        self.turn(now);
    }

    pub(super) fn ask_to_register(&mut self, now: Instant) {
        let Some(registering) = self.registering.as_ref().filter(|r| r.asked.is_none()) else { return };
        let account = registering.account.as_str().to_owned();
        let password = Secret(registering.password.reveal().to_owned());
        let id = self.next_id();
        if self.say(now, &FromClient::Register { id, account, password })
            && let Some(registering) = &mut self.registering
        {
            registering.asked = Some(id);
            registering.times += 1;
        }
    }

    pub(super) fn registered(&mut self, id: u64, failed: Option<Code>) {
        let Some(registering) = self.registering.take_if(|r| r.asked == Some(id)) else { return };
        let answered = |reply| RegisterOutcome::Answered { reply, after_timeout: registering.times > 1 };
        let outcome = match failed {
            None => answered(Registered::Done),
            Some(Code::AccountExists) => answered(Registered::AccountExists),
            Some(Code::TryLater) => RegisterOutcome::TryLater,
            Some(_) => RegisterOutcome::NotUnderstood,
        };
        self.events.push_back(Event::Registered(outcome));
    }

    pub(super) fn not_registered(&mut self) {
        if self.registering.take().is_some() {
            self.events.push_back(Event::Registered(RegisterOutcome::NoAnswer));
        }
    }

    /// Asks for the `count` newest messages with somebody that are older than `before` at the server;
    /// answered by [`Event::History`], with none if the server has none or will not say.
    pub fn history(&mut self, now: Instant, peer: Account, before: Option<u64>, count: u32) {
        let id = self.next_id();
        self.pasts.insert(id, PastWish { peer, before, count, sent: false });
        self.turn(now);
    }

    pub(super) fn ask_for_pasts(&mut self, now: Instant) {
        let unsent = self.pasts.iter().filter(|(_, past)| !past.sent);
        let frames: Vec<_> = unsent
            .map(|(id, PastWish { peer, before, count, .. })| {
                let peer = peer.as_str().to_owned();
                (*id, FromClient::History { id: *id, peer, before: *before, count: *count })
            })
            .collect();
        for (id, frame) in frames {
            if self.say(now, &frame)
                && let Some(past) = self.pasts.get_mut(&id)
            {
                past.sent = true;
            }
        }
    }

    pub(super) fn past(&mut self, id: u64, messages: Vec<Past>, more: bool) {
        if let Some(PastWish { peer, .. }) = self.pasts.remove(&id) {
            // As those that are pushed.
            let framed = |past: Past| match past.writer {
                Some(writer) => Past { text: names::framed(&writer, &past.text), writer: None, ..past },
                None => past,
            };
            let messages = messages.into_iter().map(framed).collect();
            self.events.push_back(Event::History { peer, messages, more });
        }
    }

    /// Asks how this account may be used; answered by [`Event::AccountSettings`].
    pub fn account_settings(&mut self, now: Instant) {
        self.ask_account(now, None);
    }

    /// Changes how this account may be used; answered by [`Event::AccountSettings`].
    pub fn set_account(&mut self, now: Instant, change: AccountChange) {
        self.ask_account(now, Some(change));
    }

    fn ask_account(&mut self, now: Instant, change: Option<AccountChange>) {
        let id = self.next_id();
        self.account_asks.insert(id, AccountAsk { change, sent: false });
        self.turn(now);
    }

    /// In their order, since a later change is to win.
    pub(super) fn ask_about_account(&mut self, now: Instant) {
        let unsent = self.account_asks.iter().filter(|(_, ask)| !ask.sent);
        let frames: Vec<_> = unsent
            .map(|(id, ask)| match (*id, ask.change) {
                (id, None) => (id, FromClient::AccountSettings { id }),
                (id, Some(AccountChange::Beside(beside))) => (id, FromClient::SetDevices { id, beside }),
                (id, Some(AccountChange::SecureOnly(on))) => (id, FromClient::SetSecureOnly { id, on }),
            })
            .collect();
        for (id, frame) in frames {
            if !self.say(now, &frame) {
                break;
            }
            if let Some(ask) = self.account_asks.get_mut(&id) {
                ask.sent = true;
            }
        }
    }

    pub(super) fn account_answered(&mut self, id: u64, settings: Option<AccountSettings>) {
        if self.account_asks.remove(&id).is_some() {
            self.events.push_back(Event::AccountSettings(settings));
        }
    }
}
