//! The account's items: the server is asked what has changed after the version that is on disk here, and answers once
//! something has, as with deliveries. The user's changes wait on disk until the server has accepted them. The session
//! sends them, a few at a time, once the server has answered on this connection and so has shown that it knows items.
//! An earlier server never answers, and is never sent a change.
//!
//! Source: the secure dialect, "The same on all devices".

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{DISK, Event, Session};
use crate::protocol::wire::frame::{Code, FromClient, Key};
use crate::protocol::wire::item::Item;

/// The most changes that are sent and not yet answered; the server stores those that arrive together in one
/// transaction.
const UNDER_WAY: usize = 64;
/// How long no change is sent after the server has put one off without saying for how long.
const PUT_OFF: Duration = Duration::from_secs(2);
/// The longest time that no change is sent after the server has put one off.
const LONGEST: Duration = Duration::from_secs(60);

/// What is known of the account's items on both sides.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// Whether the server was asked on this connection what has changed and has not answered.
    asked: bool,
    /// Whether an answer is being stored.
    storing: bool,
    /// When the server may be asked again, after an answer that could not be stored or was useless.
    pub(super) ask_at: Option<Instant>,
    /// Whether the server has answered on this connection and so has shown that it knows items.
    known: bool,
    /// Whether all items were asked for anew on this connection because the digest of the stored ones was not the
    /// server's; if it differs again, another attempt would not help.
    begun_anew: bool,
    /// The changes that the server has not accepted yet, by the number that the history gave them.
    changes: BTreeMap<u64, Change>,
    /// When changes may be sent again, after the server has put one off.
    pub(super) set_at: Option<Instant>,
}

#[derive(Debug)]
struct Change {
    item: Item,
    /// The id of the frame with which the change was sent on this connection.
    sent: Option<u64>,
}

impl Items {
    /// Notes that the connection has ended, so that nothing sent on it will be answered.
    pub(super) fn connection_is_gone(&mut self) {
        (self.asked, self.known, self.begun_anew) = (false, false, false);
        self.changes.values_mut().for_each(|change| change.sent = None);
    }

    /// Notes that the user has logged in on this connection; an earlier question will not be answered.
    pub(super) fn logged_in(&mut self) {
        self.asked = false;
    }

    /// Returns whether a change was sent and is not answered yet.
    pub(super) fn is_owed(&self) -> bool {
        self.changes.values().any(|change| change.sent.is_some())
    }

    fn sent_as(&self, id: u64) -> Option<u64> {
        self.changes.iter().find(|(_, change)| change.sent == Some(id)).map(|(number, _)| *number)
    }
}

impl Session {
    /// Asks what has changed, and sends the changes made here, as far as either is possible now.
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

    /// Takes in the server's answer to the question what has changed.
    pub(super) fn items(
        &mut self,
        now: Instant,
        version: u64,
        anew: bool,
        items: Vec<Item>,
        (more, digest): (bool, Option<Key<8>>),
    ) {
        // An answer that was not asked for is dropped: otherwise several could wait for the disk.
        if !std::mem::take(&mut self.items.asked) {
            return;
        }
        self.items.known = true;
        let Some(before) = self.login.who.as_ref().map(|who| who.kept.items) else { return };
        if more && !anew && version <= before {
            // A broken server sends this; asking again at once would never end.
            self.items.ask_at = Some(now + DISK);
            return;
        }
        self.items.storing = true;
        let digest = digest.filter(|_| !more && !self.items.begun_anew).map(|digest| u64::from_be_bytes(digest.0));
        self.told.events.push_back(Event::Items { version, anew, items, more, digest });
    }

    /// Notes that the contents of [`Event::Items`] are on disk, so that the device has everything up to this version; 0
    /// if the stored items do not have the digest. `None`: it could not be stored, and the server is asked again later.
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

    /// Sets all changes that are on disk here and that the server has not accepted, by number. The owner calls this
    /// after each change and after each answer of the server. Each change is answered by [`Event::ItemSet`].
    pub fn set_items(&mut self, now: Instant, changes: Vec<(u64, Item)>) {
        let mut before = std::mem::take(&mut self.items.changes);
        let kept = |(number, item)| {
            let sent = before.remove(&number).and_then(|change| change.sent);
            (number, Change { item, sent })
        };
        self.items.changes = changes.into_iter().map(kept).collect();
        self.turn(now);
    }

    /// Takes in the server's answer to the frame with this id, if that was a change, and returns whether it was.
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
