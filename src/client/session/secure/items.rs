//! The account's items: the server is asked what has changed after the version that is on disk here, and answers once
//! there is something, as with deliveries. What the person changes here waits on disk until the server has taken it; the
//! session sends those changes, a few at a time, once the server has answered on this connection, by which it has shown
//! that it knows items. An earlier server never answers, and is never sent one.
//!
//! Source: the secure dialect, "The same on all devices".

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{DISK, Event, Session};
use crate::protocol::wire::frame::{Code, FromClient, Key};
use crate::protocol::wire::item::Item;

/// The most changes that are sent and not answered; the server stores those that arrive together in one transaction.
const UNDER_WAY: usize = 64;
/// How long no change is sent after the server has put one off, where it does not say; and at most.
const PUT_OFF: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// What is known of the account's items on both sides.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// The server was asked on this connection what has changed, and has not answered.
    asked: bool,
    /// An answer is being stored.
    storing: bool,
    /// An answer could not be stored, or led nowhere; the server is not asked again before this time.
    pub(super) ask_at: Option<Instant>,
    /// The server has answered on this connection, so it knows items.
    known: bool,
    /// The items stored here did not sum up to the server's digest on this connection, and were asked for from the
    /// beginning; another difference would not be mended by doing that again.
    begun_anew: bool,
    /// Changes that the server has not taken yet, by the number that the history gave them.
    changes: BTreeMap<u64, Change>,
    /// The server has put a change off; none is sent before this time.
    pub(super) set_at: Option<Instant>,
}

#[derive(Debug)]
struct Change {
    item: Item,
    /// The id of the frame with which the change was sent on this connection.
    sent: Option<u64>,
}

impl Items {
    /// The connection has ended: nothing on it will be answered.
    pub(super) fn connection_is_gone(&mut self) {
        (self.asked, self.known, self.begun_anew) = (false, false, false);
        self.changes.values_mut().for_each(|change| change.sent = None);
    }

    /// Somebody has logged in on this connection; what the server was asked for before is not answered.
    pub(super) fn logged_in(&mut self) {
        self.asked = false;
    }

    /// Whether the server owes an answer to a change.
    pub(super) fn is_owed(&self) -> bool {
        self.changes.values().any(|change| change.sent.is_some())
    }

    fn sent_as(&self, id: u64) -> Option<u64> {
        self.changes.iter().find(|(_, change)| change.sent == Some(id)).map(|(number, _)| *number)
    }
}

impl Session {
    /// Asks what has changed, and sends what was changed here, as far as either can be done now.
    pub(super) fn keep_items(&mut self, now: Instant) {
        let Some(version) = self.login.who.as_ref().map(|who| who.kept.items) else { return };
        let Items { asked, storing, ask_at, .. } = self.items;
        if !asked && !storing && ask_at.is_none() {
            self.items.asked = self.say(now, &FromClient::Items { version });
        }
        if !self.items.known || self.items.set_at.is_some() {
            return;
        }
        let under_way = self.items.changes.values().filter(|change| change.sent.is_some()).count();
        let waiting = self.items.changes.iter().filter(|(_, change)| change.sent.is_none());
        let next: Vec<(u64, Item)> = waiting
            .take(UNDER_WAY.saturating_sub(under_way))
            .map(|(number, change)| (*number, change.item.clone()))
            .collect();
        for (number, item) in next {
            let id = self.next_id();
            if !self.say(now, &FromClient::Set { id, item }) {
                return;
            }
            if let Some(change) = self.items.changes.get_mut(&number) {
                change.sent = Some(id);
            }
        }
    }

    /// The server's answer to what has changed.
    pub(super) fn items(
        &mut self,
        now: Instant,
        version: u64,
        anew: bool,
        items: Vec<Item>,
        (more, digest): (bool, Option<Key<8>>),
    ) {
        // One that nobody asked for would be one more that waits for the disk.
        if !std::mem::take(&mut self.items.asked) {
            return;
        }
        self.items.known = true;
        let Some(before) = self.login.who.as_ref().map(|who| who.kept.items) else { return };
        if more && !anew && version <= before {
            // From a broken server: to ask at once would go on for ever.
            self.items.ask_at = Some(now + DISK);
            return;
        }
        self.items.storing = true;
        let digest = digest.filter(|_| !more && !self.items.begun_anew).map(|digest| u64::from_be_bytes(digest.0));
        self.told.events.push_back(Event::Items { version, anew, items, more, digest });
    }

    /// What [`Event::Items`] said is on disk, and the device has everything up to this version, 0 if the items stored do
    /// not sum up to the digest; `None` if it could not be stored: then the server is asked again later.
    pub fn handle_items(&mut self, now: Instant, version: Option<u64>) {
        if !std::mem::take(&mut self.items.storing) {
            return;
        }
        match (version, &mut self.login.who) {
            (Some(version), Some(who)) => {
                self.items.begun_anew |= version == 0 && who.kept.items > 0;
                who.kept.items = version;
            }
            _ => self.items.ask_at = Some(now + DISK),
        }
        self.turn(now);
    }

    /// All changes that are on disk here and that the server has not taken, by number; the owner calls it after each
    /// change and with each answer of the server. Each is answered by [`Event::ItemSet`].
    pub fn set_items(&mut self, now: Instant, changes: Vec<(u64, Item)>) {
        let mut before = std::mem::take(&mut self.items.changes);
        let kept = |(number, item)| {
            let sent = before.remove(&number).and_then(|change| change.sent);
            (number, Change { item, sent })
        };
        self.items.changes = changes.into_iter().map(kept).collect();
        self.turn(now);
    }

    /// The server has answered the frame with this id, taking the change or refusing it; whether it was a change.
    pub(super) fn item_answered(&mut self, now: Instant, id: u64, refused: Option<(Code, Option<u64>)>) -> bool {
        let Some(number) = self.items.sent_as(id) else { return false };
        match refused {
            Some((Code::TryLater, wait)) => {
                let wait = wait.map_or(PUT_OFF, |wait| Duration::from_millis(wait).min(LONGEST));
                self.items.set_at = Some(now + wait);
                if let Some(change) = self.items.changes.get_mut(&number) {
                    change.sent = None;
                }
            }
            refused => {
                self.items.changes.remove(&number);
                self.told.events.push_back(Event::ItemSet { number, refused: refused.map(|(code, _)| code) });
            }
        }
        true
    }
}
