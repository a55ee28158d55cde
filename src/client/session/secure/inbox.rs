//! Received messages. A message counts as received once it and all messages before it are on disk.

use std::collections::VecDeque;
use std::time::Instant;

use super::harmless::MOST_ARRIVED;
use super::{Pushed, SentBy, Session, StoreToken};
use crate::base::model::Account;
use crate::client::session::Event;
use crate::protocol::wire::frame::FromClient;

/// How many messages may be on disk before the server is told, while others are on their way there.
const TOLD: u64 = 32;

/// A received message that is not on disk yet.
#[derive(Debug)]
pub(super) struct Arrived {
    token: StoreToken,
    row: u64,
    stored: bool,
}

/// The received messages that are not acknowledged yet.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// The messages that are not on disk yet, in order.
    pub(super) arrived: VecDeque<Arrived>,
    /// The row after which this device begins, until a message is stored.
    pub(super) begins: Option<u64>,
    /// The row of the newest message passed on.
    pub(super) handed: Option<u64>,
    /// The gap that was already asked about; the server knows of nothing in it.
    pub(super) gap: Option<(u64, u64)>,
    /// The disk refused a message: nothing is requested from the server before this time.
    pub(super) hold_until: Option<Instant>,
    /// The number of the last [`StoreToken`].
    pub(super) last_token: u64,
}

impl Session {
    /// Handles a pushed message. `plain` is the time with which it was handed out in the plain dialect before, if it
    /// was.
    pub(super) fn pushed(
        &mut self,
        now: Instant,
        (row, after, at): (u64, u64, i64),
        from: &str,
        text: String,
        (plain, made): (Option<String>, Option<i64>),
    ) {
        let Some((token, pushed)) = self.arrived(now, row, after, at) else { return };
        self.was_made(&Account::sanitised(from), made);
        let (from, raw, pushed) = (Account::sanitised(from), text.clone().into_bytes(), Some(pushed));
        let time = plain.unwrap_or_default();
        self.told.events.push_back(Event::Received { token, from, time, text, raw, repeat: false, pushed });
    }

    /// Handles a message that another device of this account has sent.
    pub(super) fn mirrored(
        &mut self,
        now: Instant,
        (row, after, at): (u64, u64, i64),
        to: &str,
        text: String,
        by: SentBy,
    ) {
        let Some((token, pushed)) = self.arrived(now, row, after, at) else { return };
        self.told.events.push_back(Event::Own { token, to: Account::sanitised(to), text, pushed, by });
    }

    /// Returns whether a pushed message is new and the next in order; if so, it goes to the disk.
    fn arrived(&mut self, now: Instant, row: u64, after: u64, at: i64) -> Option<(StoreToken, Pushed)> {
        if self.receiving.handed.is_some_and(|newest| row <= newest) {
            // It was sent again before the server learned that it is here.
            self.connection.unacknowledged += 1;
            return None;
        }
        if let Some(newest) = self.receiving.handed.filter(|newest| after > *newest)
            && self.receiving.gap.replace((newest, after)) != Some((newest, after))
        {
            log::warn!("after message {newest} comes {row}, which follows {after}");
            self.give_up_connection(now, "a gap");
            self.try_again(now);
            return None;
        }
        if self.receiving.arrived.len() >= MOST_ARRIVED {
            log::warn!("the server sends more than it is told of as stored");
            self.give_up_connection(now, "too much at once");
            self.try_again(now);
            return None;
        }
        self.receiving.last_token += 1;
        let token = StoreToken::Secure(self.receiving.last_token);
        self.receiving.arrived.push_back(Arrived { token, row, stored: false });
        Some((token, Pushed { row, after: self.receiving.handed.replace(row), at }))
    }

    /// Returns the number of the last token given out; see [`super::Config::last_token`].
    pub fn last_token(&self) -> u64 {
        self.receiving.last_token
    }

    /// Called when the message of this token is on disk (`stored`) or could not be stored; in that case the server
    /// keeps it.
    pub fn handle_stored(&mut self, now: Instant, token: StoreToken, stored: bool) {
        let Some(arrived) = self.receiving.arrived.iter_mut().find(|a| a.token == token) else { return };
        arrived.stored = stored;
        if stored {
            self.receiving.begins = None;
        }
        while self.receiving.arrived.front().is_some_and(|first| first.stored)
            && let Some(first) = self.receiving.arrived.pop_front()
        {
            self.connection.unacknowledged += 1;
            if let Some(who) = &mut self.login.who {
                who.kept.cursor = Some(first.row);
            }
        }
        if !stored {
            self.acknowledge(now);
            self.hold(now);
        }
        self.turn(now);
    }

    pub(super) fn acknowledge(&mut self, now: Instant) {
        if self.connection.unacknowledged == 0
            || !self.connection.connected
            || !self.receiving.arrived.is_empty() && self.connection.unacknowledged < TOLD
        {
            return;
        }
        let Some(cursor) = self.login.who.as_ref().and_then(|who| who.kept.cursor) else { return };
        if self.say(now, &FromClient::Ack { cursor }) {
            self.connection.unacknowledged = 0;
        }
    }
}
