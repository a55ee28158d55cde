//! Deliveries of sent messages: the server is asked what has changed after the version on disk, and answers as soon as
//! there is something. Only when that is on disk too is the next question asked; so nothing is lost if the program ends
//! in between, and at most one answer is under way.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{DISK, Event, Session};
use crate::base::model::Account;
use crate::protocol::wire::frame::FromClient;

/// The state of the question for deliveries.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Whether it was asked on this connection and is not answered.
    pub(super) asked: bool,
    /// Whether the answer is being written to disk.
    noting: bool,
    /// After the disk has refused an answer: when to ask again.
    pub(super) retry_at: Option<Instant>,
}

impl Session {
    pub(super) fn ask_for_deliveries(&mut self, now: Instant) {
        let Deliveries { asked, noting, retry_at } = self.deliveries;
        let Some(version) = self.login.who.as_ref().map(|who| who.kept.delivered) else { return };
        if !asked && !noting && retry_at.is_none() {
            self.deliveries.asked = self.say(now, &FromClient::Delivered { version });
        }
    }

    pub(super) fn delivered(&mut self, version: u64, rows: BTreeMap<String, [u64; 2]>) {
        // An answer that nobody asked for would be one more for the disk.
        if std::mem::take(&mut self.deliveries.asked) {
            self.deliveries.noting = true;
            let rows = rows.into_iter().map(|(to, [first, last])| (Account::sanitised(&to), first, last)).collect();
            self.told.events.push_back(Event::Delivered { version, rows });
        }
    }

    /// Called when what [`Event::Delivered`] reported is on disk, with its version; `None` if it could not be stored,
    /// in which case it is asked for again later.
    pub fn handle_delivered(&mut self, now: Instant, version: Option<u64>) {
        if !std::mem::take(&mut self.deliveries.noting) {
            return;
        }
        match (version, &mut self.login.who) {
            (Some(version), Some(who)) => who.kept.delivered = version,
            _ => self.deliveries.retry_at = Some(now + DISK),
        }
        self.turn(now);
    }
}
