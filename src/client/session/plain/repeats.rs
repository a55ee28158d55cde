//! Recognises a message that came before. Our server offers a message until a request confirms it, and offers it again
//! after a login. So a message equal to the last one is the same, if the count after the login includes it. Everywhere
//! else two equal messages are two messages. Pure.

use std::time::Instant;

use super::{Purpose, Session};
use crate::base::model::Account;
use crate::client::session::{Event, Polling};
use crate::protocol::wire::reply::Delivery;

/// The message that a server handed out last, perhaps to a program before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDelivery {
    /// The sender.
    pub from: Account,
    /// The time as the server wrote it.
    pub time: String,
    /// The message's bytes.
    pub raw: Vec<u8>,
    /// How many other messages the server had then, if it was asked.
    pub left: Option<u64>,
}

/// The last delivery, until a request that confirms it is answered.
#[derive(Debug)]
pub(super) struct Offered {
    handed: LastDelivery,
    /// Whether a request that confirms it was sent.
    asked: bool,
    /// Whether a login has followed, after which an unconfirmed message is offered again.
    again: bool,
    /// Whether the count after that login includes it, so that it was not confirmed.
    counted: bool,
}

impl Session {
    /// Sets the message that the last run was handed and may not have confirmed, as it was saved at [`Event::Unread`];
    /// called after [`Session::login`].
    pub fn set_handed(&mut self, handed: LastDelivery) {
        self.receiving.told_unread = true;
        self.receiving.offered = Some(Offered { handed, asked: true, again: false, counted: false });
    }

    /// Notes a message that was handed out; returns whether it is the last one again.
    pub(super) fn hand_out(&mut self, Delivery { from, time, body }: &Delivery) -> bool {
        let left = self.receiving.expected_unread;
        let handed = LastDelivery { from: from.clone(), time: time.clone(), raw: body.raw.clone(), left };
        let same = |o: &Offered| (&o.handed.from, &o.handed.time, &o.handed.raw) == (from, time, &body.raw);
        let again = |o: &Offered| o.again && (o.counted || !o.asked);
        let repeat = self.server.extensions == Some(true)
            && self.receiving.offered.as_ref().is_some_and(|o| same(o) && again(o));
        self.receiving.offered = Some(Offered { handed, asked: false, again: false, counted: false });
        repeat
    }

    /// Notes that a request goes out.
    pub(super) fn asks(&mut self, purpose: &Purpose) {
        if let Some(offered) = self.receiving.offered.as_mut().filter(|o| !o.again) {
            offered.asked |= purpose.terms().confirms;
        }
    }

    /// Notes that a request was answered, and not by a message.
    pub(super) fn confirmed(&mut self, purpose: &Purpose) {
        if purpose.terms().confirms && self.receiving.offered.as_ref().is_some_and(|o| !o.again) {
            self.receiving.offered = None;
        }
    }

    /// Notes that a login has succeeded.
    pub(super) fn offered_again(&mut self) {
        if let Some(offered) = &mut self.receiving.offered {
            offered.again = true;
        }
    }

    /// Called after a login that was sent because a take was not answered: asks for the count first, if that tells
    /// which message comes next.
    pub(super) fn released(&mut self, now: Instant) {
        self.offered_again();
        self.receiving.take_next = self.receiving.release.take();
        let tells = |o: &Offered| o.asked && !o.counted && o.handed.left.is_some();
        let anyone = self.receiving.take_next == Some(None) && self.poll.polling == Polling::Adaptive;
        if anyone && self.server.extensions == Some(true) && self.receiving.offered.as_ref().is_some_and(tells) {
            self.receiving.take_next = None;
            self.poll.at = Some(now);
        }
    }

    /// Notes how many unread messages the server has, from all senders together.
    pub(super) fn holds(&mut self, unread: u64) {
        if let Some(Offered { handed: LastDelivery { left: Some(left), .. }, again: true, counted, .. }) =
            &mut self.receiving.offered
        {
            *counted = unread > *left;
            if !*counted {
                self.receiving.offered = None;
            }
        }
        if self.server.extensions == Some(true) && (unread > 0 || self.receiving.told_unread) {
            self.receiving.told_unread = unread > 0;
            self.told.events.push_back(Event::Unread(unread));
        }
    }
}
