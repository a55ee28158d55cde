//! Devices: clients of the secure dialect. Accounts, mailboxes and presence are the same as in the plain dialect. What
//! differs is that messages are pushed, acknowledged by row, and sent under a counter of the device.
//!
//! A login normally ends the account's other sessions; with the setting *beside*, devices stay logged in side by side.
//! Then what one sends also goes to the others, as a row of their mailbox that is already read.
//!
//! Source: the secure dialect, "Messages". A device has at most [`WINDOW`] messages that it has not acknowledged; the
//! others stay on disk until it has, so a device that never reads costs nothing.
//!
//! Its parts:
//!
//! - `entering`: registration, login, resumption, and the end of connections.
//! - `held`: frames that wait for a person to be looked up.
//! - `pushing`: messages on their way to a device.
//! - `delivered`: tells the writers' devices what was delivered.
//! - `items`: what all devices of an account show alike.
//! - `friends`: requests to be friends, and their answers.
//! - `people`: the profiles of accounts that a device asks about, and the search for people.
//! - `presence`: who is online.
//! - `sending`: messages on their way from a device.
//! - `settings`: how an account may be used.
//! - `waiting`: what frames wait for, and what becomes of them.

mod delivered;
mod entering;
mod friends;
mod held;
mod items;
mod people;
mod presence;
mod pushing;
mod sending;
mod settings;
mod waiting;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ring::digest;

use self::delivered::DeliveryCursor;
use self::items::ItemCursor;
use self::waiting::By;
pub(super) use self::waiting::PendingFrame;
use super::{Effect, Engine, Now};
use crate::base::model::{Account, Password};
use crate::protocol::link::{PeerId, REFUSED};
use crate::protocol::wire::frame::{Code, Device as DeviceName, FromClient, FromServer, Reason};
use crate::protocol::wire::item::Profile;
use crate::protocol::wire::status::Shown;
use crate::server::store::{AccountId, Change, MessageRow, Op, Write};

/// The most messages that are pushed to a device before it acknowledges the first of them.
const WINDOW: usize = 64;
/// The most jobs of one connection that may wait for the disk; our own clients have up to 64 messages under way and
/// little else.
const MOST_WAITING: usize = 256;
/// The most devices of one account that may be logged in side by side; one more replaces the oldest.
const BESIDE: usize = 8;
/// The most messages of the history in one frame: even the longest fit into a frame.
const PAGE: u32 = 40;
/// How long after a change of presence devices are told, together with other changes until then.
const GATHER: Duration = Duration::from_millis(100);
/// How often presence is looked at without any event, since plain clients leave by falling silent.
const LOOK: Duration = Duration::from_secs(30);
/// The most names in one presence frame.
const NAMES: usize = 500;
/// The most bytes that names and states take in one presence frame, so that with what is around them they fit.
const NAMED: usize = 48 * 1_024;

/// A connection of the secure dialect.
#[derive(Debug)]
struct Device {
    address: SocketAddr,
    /// The keying material that TLS exports for this connection, which a resumption's proof is bound to.
    exported: [u8; 32],
    /// Random bytes for one token.
    random: [u8; 32],
    /// Whether a login, a registration or a resumption is under way.
    busy: bool,
    /// How many of its jobs wait for the store or the hasher.
    waiting: usize,
    who: Option<(AccountId, DeviceName)>,
    /// Whether it has said that its person is away.
    away: bool,
    /// Whether its logins must not end other sessions ([`FromClient::IfFree`]).
    if_free: bool,
    /// Frames that wait for a person to be looked up.
    frames: held::HeldFrames,
    /// The newest row that was pushed, or that the device already has.
    pushed: MessageRow,
    /// The rows that were pushed and are not acknowledged yet.
    window: VecDeque<MessageRow>,
    /// Whether the store is reading more messages for it.
    reading: bool,
    /// Whether the store may have messages that were not pushed yet.
    more: bool,
    told: DeliveryCursor,
    items: ItemCursor,
}

/// All connections of the secure dialect.
#[derive(Debug, Default)]
pub(super) struct Devices {
    all: HashMap<PeerId, Device>,
    /// Who is online and in what way, as the devices were told last.
    shown: BTreeMap<String, Shown>,
    telling: presence::Telling,
    look_at: Option<Instant>,
    /// The accounts whose devices have not been told yet that items have changed, and when telling them goes on.
    news: VecDeque<AccountId>,
    news_at: Option<Instant>,
}

impl Devices {
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.all.values().filter_map(|device| device.who.map(|(account, _)| account))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.look_at.into_iter().chain(self.news_at).min()
    }

    pub(super) fn somebody_moved(&mut self, now: Now) {
        if self.accounts().next().is_some() {
            let soon = now.instant + GATHER;
            self.look_at = Some(self.look_at.map_or(soon, |at| at.min(soon)));
        } else {
            // No device listens, so there is no need to look.
            self.look_at = None;
        }
    }
}

/// Converts a row to the number that frames carry.
pub(super) fn number(row: MessageRow) -> u64 {
    u64::try_from(row).unwrap_or(0)
}

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().try_into().unwrap_or_default()
}

impl Engine {
    /// Called when a device has connected. `exported` is the keying material of the connection; `random` becomes its
    /// token.
    pub fn connected(&mut self, peer: PeerId, address: SocketAddr, exported: [u8; 32], random: [u8; 32]) {
        let device = Device {
            address,
            exported,
            random,
            busy: false,
            waiting: 0,
            who: None,
            away: false,
            if_free: false,
            frames: held::HeldFrames::default(),
            pushed: 0,
            window: VecDeque::new(),
            reading: false,
            more: false,
            told: DeliveryCursor::default(),
            items: ItemCursor::default(),
        };
        self.devices.all.insert(peer, device);
    }

    /// Called when a connection has ended. What it has not acknowledged stays unread.
    pub fn lost(&mut self, now: Now, peer: PeerId) {
        if let Some(device) = self.devices.all.remove(&peer)
            && let Some((account, _)) = device.who
        {
            self.leave(now, account, peer);
        }
    }

    /// Returns whether a device still has to acknowledge messages, so that losses on its path are worth finding soon.
    #[must_use]
    pub fn awaits(&self, peer: PeerId) -> bool {
        self.devices.all.get(&peer).is_some_and(|device| !device.window.is_empty())
    }

    /// Returns whether nobody is logged in or logging in on a connection.
    #[must_use]
    pub fn is_stranger(&self, peer: PeerId) -> bool {
        self.devices.all.get(&peer).is_some_and(|device| device.who.is_none() && !device.busy)
    }

    /// Called when a connection has migrated to another address of its device.
    pub fn moved(&mut self, peer: PeerId, address: SocketAddr) {
        if let Some(device) = self.devices.all.get_mut(&peer) {
            device.address = address;
        }
    }

    fn frame_to(&mut self, peer: PeerId, frame: FromServer) {
        self.effects.push_back(Effect::Frame { peer, frame });
    }

    fn fail(&mut self, peer: PeerId, id: u64, code: Code) {
        self.frame_to(peer, FromServer::Error { id, code, reason: None, wait: None });
    }

    /// Answers that something cannot be done now, with the reason.
    fn put_off(&mut self, peer: PeerId, id: u64, reason: Reason) {
        self.frame_to(peer, FromServer::Error { id, code: Code::TryLater, reason: Some(reason), wait: None });
    }

    /// Answers that something cannot be done now, but can be after `wait` milliseconds.
    fn put_off_for(&mut self, peer: PeerId, id: u64, wait: u64) {
        self.frame_to(peer, FromServer::Error { id, code: Code::TryLater, reason: None, wait: Some(wait) });
    }

    /// Handles a frame from a device.
    pub fn frame(&mut self, now: Now, peer: PeerId, bytes: &[u8]) {
        if self.passes(peer, bytes) {
            self.begin_frame(now, peer, bytes);
        }
    }

    /// Handles a frame whose turn it is.
    fn begin_frame(&mut self, now: Now, peer: PeerId, bytes: &[u8]) {
        let Some(device) = self.devices.all.get(&peer) else { return };
        let (who, busy, crowded) = (device.who, device.busy, device.waiting >= MOST_WAITING);
        let frame = match FromClient::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => {
                // The position only, and not the content, which may be a password.
                log::debug!("a frame of {} is none, from byte {} on", device.address, error.column());
                return self.effects.push_back(Effect::Close { peer, code: REFUSED, reason: "not a frame" });
            }
        };
        match self.missing_for(&frame, who.is_some(), (busy, crowded)) {
            Ok(needed) => needed.into_iter().for_each(|id| self.accounts.needed(id)),
            Err(sought) => return self.seek_for_frame(now, peer, sought, frame, bytes),
        }
        match (frame, who) {
            (FromClient::Register { id, .. } | FromClient::Login { id, .. } | FromClient::Resume { id, .. }, _)
                if busy =>
            {
                self.fail(peer, id, Code::TryLater);
            }
            (FromClient::Register { id, account, password, name }, _) => {
                let profile = name.as_deref().map(Profile::named).transpose();
                match (Account::new_person(&account), Password::parse(&password.0), profile) {
                    (Ok(account), Ok(password), Ok(profile)) => {
                        self.device_registers(peer, id, (account, profile), password);
                    }
                    _ => self.fail(peer, id, Code::BadField),
                }
            }
            (FromClient::Login { id, account, password, device, cursor, made }, _) => {
                match (self.accounts.named(&account), Password::parse(&password.0)) {
                    (Some(account), Ok(password)) => {
                        self.device_logs_in(peer, id, account, password, device, (cursor, made));
                    }
                    // This gives nothing away: anyone can find out who is registered in the plain dialect, or by
                    // registering.
                    (None, _) => self.fail(peer, id, Code::NoAccount),
                    (Some(_), Err(_)) => self.fail(peer, id, Code::WrongPassword),
                }
            }
            (FromClient::Resume { id, account, device, proof, cursor }, _) => match self.accounts.named(&account) {
                Some(account) => self.enter(now, peer, id, account, device, cursor, By::Proof(proof)),
                // A client does not ask for another password of an account that is gone.
                None => self.fail(peer, id, Code::NoAccount),
            },
            (FromClient::Ping { id }, _) => self.frame_to(peer, FromServer::Pong { id, at: Some(now.unix) }),
            (FromClient::IfFree, _) => self.ends_nobody(peer),
            (FromClient::Unknown, _) => {}
            (frame, Some(who)) => self.frame_of(now, peer, who, crowded, frame),
            (frame, None) => self.frame_of_nobody(peer, frame),
        }
    }

    /// Handles a frame of a device that is logged in. `crowded`: too many of its jobs wait for the disk, so this one is
    /// refused, lest one device fill the queue.
    fn frame_of(&mut self, now: Now, peer: PeerId, who: (AccountId, DeviceName), crowded: bool, frame: FromClient) {
        let account = who.0;
        match frame {
            FromClient::Send { counter, .. } if crowded => self.refuse_now(peer, counter, Code::TryLater, None),
            FromClient::History { id, .. }
            | FromClient::SetDevices { id, .. }
            | FromClient::SetSecureOnly { id, .. }
            | FromClient::Set { id, .. }
            | FromClient::Befriend { id, .. }
            | FromClient::AnswerFriend { id, .. }
            | FromClient::Unfriend { id, .. }
            | FromClient::People { id, .. }
            | FromClient::Find { id, .. }
                if crowded =>
            {
                self.fail(peer, id, Code::TryLater);
            }
            // The rate comes first: only the disk knows whether the message was taken before.
            FromClient::Send { counter, to, text, after, made } => match self.send_rates.device(now, account, &to) {
                Err(wait) => self.refuse_now(peer, counter, Code::TryLater, Some(wait)),
                Ok(()) => self.device_sends(now, peer, who, (counter, after), (&to, made), &text),
            },
            FromClient::Ack { cursor } => self.device_acknowledges(now, peer, account, cursor),
            FromClient::Delivered { version } => self.device_asks_for_deliveries(peer, version),
            FromClient::LookUp { id, account: other } => self.look_up(now, peer, id, account, &other),
            FromClient::History { id, peer: other, before, count } => {
                self.device_reads(peer, id, account, other, before, count);
            }
            FromClient::Items { version } => self.device_asks_for_items(peer, version),
            FromClient::Set { id, item } => self.device_sets(now, peer, id, account, &item),
            FromClient::Befriend { id, account: other, text, answer } => {
                self.device_befriends(now, peer, id, account, &other, (&text, answer));
            }
            FromClient::AnswerFriend { id, account: other, accept } => {
                self.device_answers_friend(now, peer, id, account, &other, accept);
            }
            FromClient::Unfriend { id, account: other } => self.device_unfriends(now, peer, id, account, &other),
            FromClient::People { id, accounts } => self.device_asks_who(now, peer, id, account, accounts),
            FromClient::Here { away } => self.device_is_here(now, peer, account, away),
            FromClient::Find { id, text } => self.device_finds(now, peer, id, account, &text),
            FromClient::Logout { id, forget } => self.device_leaves(now, peer, id, who, forget),
            FromClient::AccountSettings { id } => self.tell_settings(peer, id, account),
            FromClient::SetDevices { id, beside } => self.device_allows(peer, id, account, Change::Beside(beside)),
            FromClient::SetSecureOnly { id, on } => self.device_allows(peer, id, account, Change::SecureOnly(on)),
            FromClient::Register { .. }
            | FromClient::Login { .. }
            | FromClient::Resume { .. }
            | FromClient::Ping { .. }
            | FromClient::IfFree
            | FromClient::Unknown => {}
        }
    }

    /// Handles a frame of a device that is not logged in.
    fn frame_of_nobody(&mut self, peer: PeerId, frame: FromClient) {
        match frame {
            FromClient::Send { counter, .. } => self.refuse_now(peer, counter, Code::NotLoggedIn, None),
            FromClient::LookUp { id, .. }
            | FromClient::AccountSettings { id }
            | FromClient::SetDevices { id, .. }
            | FromClient::SetSecureOnly { id, .. }
            | FromClient::Set { id, .. }
            | FromClient::Befriend { id, .. }
            | FromClient::AnswerFriend { id, .. }
            | FromClient::Unfriend { id, .. }
            | FromClient::People { id, .. }
            | FromClient::Find { id, .. }
            | FromClient::History { id, .. } => self.fail(peer, id, Code::NotLoggedIn),
            FromClient::Logout { id, .. } => self.frame_to(peer, FromServer::LoggedOut { id }),
            FromClient::Ack { .. }
            | FromClient::Here { .. }
            | FromClient::Delivered { .. }
            | FromClient::Items { .. }
            | FromClient::Register { .. }
            | FromClient::Login { .. }
            | FromClient::Resume { .. }
            | FromClient::Ping { .. }
            | FromClient::IfFree
            | FromClient::Unknown => {}
        }
    }

    fn device_leaves(&mut self, now: Now, peer: PeerId, id: u64, who: (AccountId, DeviceName), forget: bool) {
        let (account, device) = who;
        if let Some(device) = self.devices.all.get_mut(&peer) {
            device.who = None;
            device.window.clear();
        }
        if forget {
            self.effects.push_back(Effect::Store(Op::Write(Write::Forget { account, device })));
        }
        self.leave(now, account, peer);
        self.frame_to(peer, FromServer::LoggedOut { id });
    }
}

#[cfg(test)]
mod tests;
