//! What was delivered of one's own messages: the server is asked what has changed after the version that is on disk here,
//! and answers once there is something. Only when that is on disk too, it is asked for more; so nothing is lost by
//! whatever ends in between, and at most one answer is under way.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{DISK, Event, Session};
use crate::base::model::Account;
use crate::protocol::wire::frame::FromClient;

/// How far the question has come.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// It was asked on this connection, and is not answered.
    pub(super) asked: bool,
    /// The answer is on its way to the disk.
    noting: bool,
    /// The disk has refused one; not before this.
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
        // One that nobody asked for would be one more that waits for the disk.
        if std::mem::take(&mut self.deliveries.asked) {
            self.deliveries.noting = true;
            let rows = rows.into_iter().map(|(to, [first, last])| (Account::sanitised(&to), first, last)).collect();
            self.told.events.push_back(Event::Delivered { version, rows });
        }
    }

    /// What [`Event::Delivered`] said is on disk, with this version; or could not be stored: then it is asked again later.
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
