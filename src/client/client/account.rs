//! The account that is open, until it is closed or another one is opened: its history, the listener that a second
//! program of this machine notifies, and what is on its way between the session and the disk.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use super::names::Names;
use super::{ClientError, Event};
use crate::base::model::{Account, MessageId, MessageText, Password, SendState};
use crate::client::history::{Conversation, Done, History, HistoryError, MoreStrangers, Op, Read, Row, Write};
use crate::client::net::{Bell, InstanceListener, single_instance};
use crate::client::session::StoreToken;

/// The shortest interval between two reads of the contact list while many messages arrive.
const LIST: Duration = Duration::from_millis(100);

/// The credential with which a login is made.
pub(super) enum Credential {
    Password(Password),
    /// The token of the last login, which the history keeps.
    Token,
}

/// A written message that is not on disk yet and is sent once it is.
pub(super) struct UnstoredMessage {
    pub(super) to: Account,
    pub(super) text: MessageText,
    pub(super) unix_ms: i64,
}

/// A message on its way to the disk; also one that another device of this account has sent.
pub(super) struct Incoming {
    pub(super) row: Row,
    /// The conversation that the message belongs to.
    pub(super) from: Account,
    /// Whether the server keeps it until it is on disk here.
    pub(super) kept: bool,
}

pub(super) struct OpenAccount {
    pub(super) name: Account,
    // Before the history: once that is free, another program writes a door of its own.
    door: Option<InstanceListener>,
    history: History,
    /// Results that did not fit into the last turn.
    results: VecDeque<Done>,
    /// The credential of the login that begins once the history is open.
    pub(super) opening: Option<Credential>,
    online: Option<Vec<Account>>,
    /// When the list may be read again; it is read then if something has come since.
    list_at: Option<Instant>,
    list_due: bool,
    next_request: u64,
    keeping: HashMap<u64, UnstoredMessage>,
    incoming: HashMap<StoreToken, Incoming>,
    unsent: HashMap<MessageId, SendState>,
    blocked: Vec<Account>,
    more_strangers: MoreStrangers,
    /// By how many seconds a plain server's clock is before UTC, if that is known.
    pub(super) zone: Option<i32>,
    /// When a plain server last said that no message waits.
    pub(super) nothing_waits: Option<i64>,
    pub(super) names: Names,
    /// Whether the damage of the history was reported.
    pub(super) damaged: bool,
}

impl OpenAccount {
    /// Opens the history on its thread, and asks for the list.
    pub(super) fn open(name: Account, path: &Path, bell: &Bell) -> Result<Self, ClientError> {
        let history = match History::open(path, bell.clone()) {
            Err(HistoryError::Locked) if single_instance::notify(path).is_ok() => return Err(ClientError::AlreadyOpen),
            history => history?,
        };
        let door = match InstanceListener::open(path, bell.clone()) {
            Ok(door) => Some(door),
            Err(error) => {
                log::warn!("a second window of this account will not bring this one to the front: {error}");
                None
            }
        };
        history.submit(Op::Read(Read::Drafts));
        history.submit(Op::Read(Read::Profiles));
        history.submit(Op::Read(Read::Friends));
        history.submit(Op::Read(Read::Conversations));
        Ok(Self {
            name,
            door,
            history,
            results: VecDeque::new(),
            opening: None,
            online: None,
            list_at: None,
            list_due: false,
            next_request: 0,
            keeping: HashMap::new(),
            incoming: HashMap::new(),
            unsent: HashMap::new(),
            blocked: Vec::new(),
            more_strangers: MoreStrangers::default(),
            zone: None,
            nothing_waits: None,
            names: Names::default(),
            damaged: false,
        })
    }

    pub(super) fn submit(&self, op: Op) {
        self.history.submit(op);
    }

    /// Returns the history's next result.
    pub(super) fn done(&mut self) -> Option<Done> {
        if self.results.is_empty() {
            self.results.extend(self.history.done().into_iter().flatten());
        }
        self.results.pop_front()
    }

    /// Returns how many results wait for the next turn.
    pub(super) fn results(&self) -> usize {
        self.results.len()
    }

    /// Returns how many operations wait for the disk, and how many it has done.
    pub(super) fn history_figures(&self) -> (usize, u64) {
        self.history.figures()
    }

    /// Returns whether somebody has opened this account again since the last call.
    pub(super) fn rung(&self) -> bool {
        self.door.as_ref().is_some_and(InstanceListener::rung)
    }

    /// Returns how often somebody has opened this account again.
    pub(super) fn rings(&self) -> u64 {
        self.door.as_ref().map_or(0, InstanceListener::count)
    }

    /// Reads the list after a message has come. During a flood of messages reading the list would cost more than the
    /// messages, so this happens once per [`LIST`] at most.
    pub(super) fn list(&mut self, now: Instant) {
        self.list_due = self.list_at.is_some_and(|at| now < at);
        if !self.list_due {
            self.list_at = Some(now + LIST);
            self.submit(Op::Read(Read::Conversations));
        }
    }

    /// Returns when [`OpenAccount::list_if_due`] should be called next.
    pub(super) fn list_at(&self) -> Option<Instant> {
        self.list_at.filter(|_| self.list_due)
    }

    pub(super) fn list_if_due(&mut self, now: Instant) {
        if self.list_due {
            self.list(now);
        }
    }

    /// Takes the list that was read, and returns what else changed with it.
    pub(super) fn listed(&mut self, list: &[Conversation], more: MoreStrangers) -> Option<Event> {
        self.blocked = list.iter().filter(|c| c.contact.blocked).map(|c| c.contact.account.clone()).collect();
        let changed = std::mem::replace(&mut self.more_strangers, more) != more;
        (changed || more.people > 0).then_some(Event::MoreStrangers(more))
    }

    /// Puts a message that this account wrote on disk, before it is sent.
    pub(super) fn keep(&mut self, to: &Account, text: MessageText, unix_ms: i64) {
        self.next_request += 1;
        let request = self.next_request;
        self.submit(Op::Write(Write::Outgoing { request, to: to.clone(), text: text.as_str().to_owned(), unix_ms }));
        self.keeping.insert(request, UnstoredMessage { to: to.clone(), text, unix_ms });
    }

    /// Returns the message of this request, which is on disk now or could not be put there.
    pub(super) fn kept(&mut self, request: u64) -> Option<UnstoredMessage> {
        self.keeping.remove(&request)
    }

    /// Notes the new delivery state of a message that this account sent.
    pub(super) fn came_further(&mut self, id: MessageId, state: SendState) {
        if state.is_open() {
            self.unsent.insert(id, state);
        } else {
            self.unsent.remove(&id);
        }
    }

    /// Returns the number of messages of this account that are not settled.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.len() + self.keeping.len()
    }

    /// Takes a message that has arrived; `op` puts it on disk.
    pub(super) fn receive(&mut self, token: StoreToken, incoming: Incoming, op: Op) {
        self.incoming.insert(token, incoming);
        self.submit(op);
    }

    /// Takes the result for a message that arrived: it is on disk, was there before (`known`), or could not be stored.
    /// `state` is the delivery state of a message that another device of this account sent.
    pub(super) fn stored(
        &mut self,
        token: StoreToken,
        id: Option<MessageId>,
        known: bool,
        state: Option<SendState>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(Incoming { mut row, from, kept }) = self.incoming.remove(&token) else { return events };
        row.id = id.unwrap_or(row.id);
        row.state = state.or(row.state);
        // Ours offers it again; elsewhere this is the only time it is seen.
        if id.is_none() && kept {
            return events;
        }
        // Blocked people's messages are kept and not shown; what was there is shown already.
        let shown = row.state.is_some() || !self.blocked.contains(&from);
        if !known && shown {
            events.push(Event::Message { peer: from, row });
        }
        events
    }

    /// Returns who came and who went since the last list of people online; both lists are sorted.
    pub(super) fn comings_and_goings(&mut self, new: &[Account]) -> Vec<Event> {
        let Some(old) = self.online.replace(new.to_vec()) else { return Vec::new() };
        let came = new.iter().filter(|a| old.binary_search(a).is_err()).cloned().map(Event::CameOnline);
        let went = old.iter().filter(|a| new.binary_search(a).is_err()).cloned().map(Event::WentAway);
        came.chain(went).collect()
    }
}
