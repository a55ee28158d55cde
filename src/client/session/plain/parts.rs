//! The parts of the session's state; what begins and ends together is one part.

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
    /// Whether the login under way is automatic, and repeated while the server is silent.
    pub(super) automatic: bool,
    /// How often in a row it was refused because the account is logged in elsewhere.
    pub(super) refused: u8,
    /// Whether a takeover that is refused is tried once more, since the 02 has armed it only now.
    pub(super) taking_over: bool,
    /// Whether the takeover was tried a second time.
    pub(super) took_over: bool,
    /// When a silent server is asked again.
    pub(super) retry_at: Option<Instant>,
    /// When going offline ends, answered or not.
    pub(super) leave_by: Option<Instant>,
    /// Whether to log in again after going offline.
    pub(super) coming_back: bool,
}

/// The state of receiving messages.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    pub(super) storing: Option<StoreToken>,
    /// Whether the message being stored is a repetition.
    pub(super) repeated: bool,
    /// Whose messages are taken next, after this one is stored: one friend's or anyone's.
    pub(super) take_next: Option<Option<Account>>,
    /// A take that was not answered: before any other request, its message must be offered again.
    pub(super) release: Option<Option<Account>>,
    /// When asking goes on after the disk has refused a message; until then on some servers any request would confirm
    /// it.
    pub(super) hold_until: Option<Instant>,
    /// The message that was handed out last.
    pub(super) offered: Option<Offered>,
    /// Whether the last [`Event::Unread`] reported unread messages.
    pub(super) told_unread: bool,
    /// The last count of 08, less the messages that were taken since.
    pub(super) expected_unread: Option<u64>,
}

/// The outstanding request, those waiting for their turn, and late answers that may still come.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) outstanding: Option<Outstanding>,
    pub(super) wanted: VecDeque<(Purpose, Vec<u8>)>,
    /// Requests that may still be answered, whose answers count for nothing else.
    pub(super) late: LateAnswers,
    pub(super) rto: Rto,
    /// The operation that was repeated and whose answer seemed to show that earlier tries were lost, and when it was
    /// sent last.
    pub(super) resent: Option<(u8, Instant)>,
    /// Whether an 08 must be answered before the next 03, because a late answer to an earlier 03 may be under way.
    pub(super) fence_due: bool,
    /// On a server not known to be ours: no 03 goes out before this time, since late answers may still come.
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
    /// Whether it has the extensions, that is, tells who is online and has rooms.
    pub(super) extensions: Option<bool>,
    /// Whether it has shown the extensions since the last login; before that it may have been another program.
    pub(super) is_ours: bool,
    /// Whether it is asked automatically who is online.
    pub(super) asks_who: bool,
    /// Whether it may have ended at 11, which it is not asked automatically any more.
    pub(super) suspect: bool,
    /// How many times in a row it has answered `11#` with `00:00`.
    pub(super) denials: u8,
    /// Whether it changes passwords; a yes is believed until the next login only.
    pub(super) changes_passwords: Option<bool>,
    /// The unknown code that was reported last.
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
    /// The last complete list of who is online.
    pub(super) online: Option<Vec<Account>>,
    /// When to ask for it again, together with the next poll.
    pub(super) who_at: Option<Instant>,
    /// Whether the person has asked for it, and is told in any case.
    pub(super) who_wanted: bool,
    /// How many questions for the extensions have had no answer since the last login.
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
    /// How many datagrams were sent.
    pub(super) sent: u64,
    /// How many of them were repetitions.
    pub(super) again: u64,
}

impl Outputs {
    /// Sends a datagram.
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
