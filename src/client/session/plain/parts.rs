//! What the session consists of: each part owns what begins and ends together.

use std::collections::VecDeque;
use std::time::Instant;

use super::late::LateAnswers;
use super::repeats::Offered;
use super::request::{Outstanding, Purpose};
use crate::base::model::Account;
use crate::base::timer::{Backoff, Rto};
use crate::client::session::silence::SilenceDetector;
use crate::client::session::{Cause, ConnectionState, Event, ExtensionRequest, Polling, StoreToken, Transmit};
use crate::protocol::wire::Learned;

/// The state of logging in and going offline.
#[derive(Debug, Default)]
pub(super) struct Entering {
    /// The login under way was nobody's wish: it is tried again while the server is silent.
    pub(super) automatic: bool,
    /// How often in a row it was refused because the account is logged in elsewhere.
    pub(super) refused: u8,
    /// A takeover that is refused is tried once more: 02 has just armed it.
    pub(super) taking_over: bool,
    /// Whether the takeover was tried a second time.
    pub(super) took_over: bool,
    /// When a silent server is asked again.
    pub(super) retry_at: Option<Instant>,
    /// Going offline ends then, answered or not.
    pub(super) leave_by: Option<Instant>,
    /// Whether to log in again after going offline.
    pub(super) coming_back: bool,
}

/// The state of receiving messages.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    pub(super) storing: Option<StoreToken>,
    /// What is being stored came a second time.
    pub(super) repeated: bool,
    /// Take on after the message is stored: from one friend, or from anyone.
    pub(super) take_next: Option<Option<Account>>,
    /// This take was not answered: before any other request, the message must be released.
    pub(super) release: Option<Option<Account>>,
    /// The disk refused a message: on some servers any request before that would confirm it.
    pub(super) hold_until: Option<Instant>,
    /// The message that was handed out last.
    pub(super) offered: Option<Offered>,
    /// The last [`Event::Unread`] said more than none.
    pub(super) told_unread: bool,
    /// What 08 said last, less what was taken since.
    pub(super) expected_unread: Option<u64>,
}

/// The outstanding request, those waiting for their turn, and late answers that may still come.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) outstanding: Option<Outstanding>,
    pub(super) wanted: VecDeque<(Purpose, Vec<u8>)>,
    /// What may still be answered, and then answers nothing else.
    pub(super) late: LateAnswers,
    pub(super) rto: Rto,
    /// This operation was asked again, last at this time, and answered as if the tries before were lost.
    pub(super) resent: Option<(u8, Instant)>,
    /// An 08 must be answered before the next 03: a late answer to an earlier 03 may be under way.
    pub(super) fence_due: bool,
    /// On a server not known as ours: no 03 before this, since late answers may still come.
    pub(super) quiet_until: Option<Instant>,
    /// The extension request since which nothing was received, and how many later requests used all their tries
    /// without an answer.
    pub(super) beyond: Option<(ExtensionRequest, u8)>,
    pub(super) contact: SilenceDetector,
}

/// What the server has shown of itself since the session began.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) learned: Learned,
    /// Whether it says who is online and has rooms.
    pub(super) extensions: Option<bool>,
    /// It has shown since the last login that it does; before that login it may have been another program.
    pub(super) is_ours: bool,
    /// Who is online is asked for by itself.
    pub(super) asks_who: bool,
    /// It may have ended at 11, and is not asked for that by itself any more.
    pub(super) suspect: bool,
    /// In a row, `00:00` to `11#`.
    pub(super) denials: u8,
    /// It changes passwords, which is believed from one login to the next, or does not.
    pub(super) changes_passwords: Option<bool>,
    /// The code told last that the protocol does not have.
    pub(super) strange: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            learned: Learned::default(),
            extensions: None,
            is_ours: false,
            asks_who: true,
            suspect: false,
            denials: 0,
            changes_passwords: None,
            strange: None,
        }
    }
}

/// The state of asking who is online.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The accounts on the pages of `11` received so far.
    pub(super) listing: Vec<Account>,
    /// The last whole list.
    pub(super) online: Option<Vec<Account>>,
    /// When to ask for it again, with the poll after that.
    pub(super) who_at: Option<Instant>,
    /// Somebody has asked for it, and is told in any case.
    pub(super) who_wanted: bool,
    /// Since the last login, questions for the extensions that were not answered.
    pub(super) probes: u8,
}

/// When and how unread messages are asked for.
#[derive(Debug)]
pub(super) struct Poll {
    pub(super) polling: Polling,
    pub(super) open_chats: Vec<Account>,
    /// Whether an open chat is visible.
    pub(super) visible: bool,
    pub(super) at: Option<Instant>,
    pub(super) backoff: Backoff,
}

impl Poll {
    pub(super) fn new(polling: Polling) -> Self {
        Self { polling, open_chats: Vec::new(), visible: false, at: None, backoff: Backoff::new(Backoff::POLL) }
    }
}

/// Events and datagrams that wait to be polled, and the connection state last reported.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) events: VecDeque<Event>,
    pub(super) transmits: VecDeque<Transmit>,
    pub(super) link: ConnectionState,
    /// Datagrams that went out.
    pub(super) sent: u64,
    /// How many of them were repeated tries.
    pub(super) again: u64,
}

impl Outputs {
    /// A datagram goes out.
    pub(super) fn transmit(&mut self, transmit: Transmit) {
        self.sent += 1;
        self.again += u64::from(matches!(transmit.cause, Cause::Again(_)));
        self.transmits.push_back(transmit);
    }
}

impl Default for Outputs {
    fn default() -> Self {
        Self { events: VecDeque::new(), transmits: VecDeque::new(), link: ConnectionState::Offline, sent: 0, again: 0 }
    }
}
