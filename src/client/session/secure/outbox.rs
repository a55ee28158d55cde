//! Messages to be sent: each is on disk before it is sent, and is sent under the counter of its row until that is
//! answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Account, DISK, Event, MessageId, MessageText, Session, State};
use crate::base::model::SendState;
use crate::client::session::Recipient;
use crate::protocol::wire::frame::{Code, FromClient, Reason};

/// The most messages that may be unanswered at once.
const WINDOW: usize = 64;
/// The longest wait that a server's answer can impose, in milliseconds.
const MOST_WAIT_MS: u64 = 60_000;
/// The pauses after a `try_later`, in seconds.
const LATER: [u64; 5] = [1, 2, 5, 10, 30];

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: MessageId,
    pub(super) to: Account,
    /// When the account that is meant was made.
    made: Option<i64>,
    pub(super) text: MessageText,
    pub(super) stage: Stage,
    pub(super) number: CounterState,
    /// Whether its counter is taken by another message, so that it waits for the device's new name.
    pub(super) refused: bool,
}

/// The stage of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The message waits until those before it are noted.
    Waiting,
    /// The disk is noting that it is being sent.
    Noting,
    /// The note is on disk, so that it can be sent, or sent again.
    Noted,
    /// It was sent on this connection and is not answered.
    Sent,
    /// The server has refused it for good, and the disk has to note this state.
    Over(SendState),
    /// The disk is noting this state.
    OverNoting(SendState),
}

/// What is known of the counter under which a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CounterState {
    /// It was never used.
    New,
    /// The message may be at the server under it already, so only this number is ever used for it.
    Doubtful,
    /// The message may be at the server under it already, and the counter was new when this program sent it, so that
    /// no other message has it.
    Own,
}

impl Outgoing {
    /// Returns whether the server has refused it for good.
    pub(super) fn is_over(&self) -> bool {
        match self.stage {
            Stage::Over(_) | Stage::OverNoting(_) => true,
            Stage::Waiting | Stage::Noting | Stage::Noted | Stage::Sent => false,
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        self.stage == Stage::Sent
    }

    /// Returns whether it may already be at the server.
    pub(super) fn is_doubtful(&self) -> bool {
        self.number != CounterState::New
    }

    /// Notes that an earlier run of this program may have sent it.
    pub(super) fn doubt(&mut self) {
        if self.number == CounterState::New {
            self.number = CounterState::Doubtful;
        }
    }

    /// Prepares it to be sent again, if it was sent.
    fn take_back(&mut self) {
        if self.stage == Stage::Sent {
            self.stage = Stage::Noted;
        }
    }
}

/// Whether the server can store messages, as far as it has said.
#[derive(Debug, Default)]
pub(super) struct Storing {
    /// Whether it could not store a message on this connection, and has stored none since.
    failed: bool,
    /// Whether that was reported.
    told: bool,
}

/// The messages that wait to be sent or acknowledged.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) outbox: VecDeque<Outgoing>,
    /// After the server could not store a message, or told the client to wait: when to send again.
    pub(super) resend_at: Option<Instant>,
    /// How often in a row it has refused a message.
    pub(super) refusals: usize,
    pub(super) storing: Storing,
}

impl Sending {
    /// Called when the connection has ended: messages may be lost, and it is unknown whether the server can store.
    pub(super) fn connection_is_gone(&mut self) {
        self.storing.failed = false;
        self.outbox.iter_mut().for_each(Outgoing::take_back);
    }
}

/// Returns whether this number is among the first `highest`.
pub(super) fn is_used(id: MessageId, highest: u64) -> bool {
    u64::try_from(id.0).is_ok_and(|id| id <= highest)
}

impl Session {
    /// Sends a message that is already stored; answered by [`Event::Outgoing`]. A message that already waits is not
    /// sent twice.
    pub fn send(&mut self, now: Instant, id: MessageId, to: impl Into<Recipient>, text: MessageText) {
        if self.enqueue(id, to.into(), text, false) {
            self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
        }
        self.turn(now);
    }

    /// Sends a message that this dialect may have sent before the program last ended; it is sent under the same
    /// counter, so that it arrives once.
    pub fn send_again(&mut self, now: Instant, id: MessageId, to: impl Into<Recipient>, text: MessageText) {
        self.enqueue(id, to.into(), text, true);
        self.turn(now);
    }

    fn enqueue(&mut self, id: MessageId, to: Recipient, text: MessageText, again: bool) -> bool {
        if self.sending.outbox.iter().any(|m| m.id == id) {
            return false;
        }
        if let Some(who) = &mut self.login.who {
            who.kept.newest = who.kept.newest.max(id.0);
        }
        // A message of an earlier run may be added after a new one.
        let place = self.sending.outbox.partition_point(|m| m.id < id);
        let message = Outgoing {
            id,
            to: to.account,
            made: to.made,
            text,
            stage: if again { Stage::Noted } else { Stage::Waiting },
            number: if again || is_used(id, self.naming.used) { CounterState::Doubtful } else { CounterState::New },
            refused: false,
        };
        self.sending.outbox.insert(place, message);
        true
    }

    /// Called when the note that this message is [`SendState::Sending`], or [`Event::Refused`], is on disk, or could
    /// not be stored. In that case it and later messages wait until notes can be stored.
    pub fn handle_noted(&mut self, now: Instant, id: MessageId, noted: bool) {
        let Some(message) = self.sending.outbox.iter_mut().find(|m| m.id == id) else { return };
        match message.stage {
            Stage::OverNoting(_) if noted => self.sending.outbox.retain(|m| m.id != id),
            Stage::OverNoting(state) => message.stage = Stage::Over(state),
            Stage::Noting if !noted || matches!(self.state, State::Offline | State::LoggedOut) => {
                // It waits for a later login.
                message.stage = Stage::Waiting;
                self.told.events.push_back(Event::Outgoing { id, state: SendState::Waiting });
            }
            Stage::Noting => message.stage = Stage::Noted,
            Stage::Waiting | Stage::Noted | Stage::Sent | Stage::Over(_) => return,
        }
        if !noted {
            self.sending.resend_at = Some(now + DISK);
        }
        self.turn(now);
    }

    /// Removes and returns the messages that are not settled, in order, and whether each may have arrived.
    pub fn take_outbox(&mut self) -> Vec<(MessageId, Account, MessageText, bool)> {
        self.sending
            .outbox
            .drain(..)
            .filter(|m| !m.is_over())
            .map(|m| (m.id, m.to.clone(), m.text.clone(), m.is_doubtful()))
            .collect()
    }

    /// Sends what can be sent, in order.
    pub(super) fn send_on(&mut self, now: Instant) {
        if self.sending.resend_at.is_some() {
            return;
        }
        self.ask_to_rename();
        let mut asked = false;
        let mut notable = true;
        let renaming = self.naming.wanted;
        // Whether counters are taken by other messages must be known of all, before new messages follow them.
        let used = self.naming.used;
        let settling = self.sending.outbox.iter().any(|m| is_used(m.id, used) && !m.refused);
        for i in 0..WINDOW {
            let Some(message) = self.sending.outbox.get_mut(i) else { break };
            let held = message.refused || renaming && !message.is_doubtful() || settling && !is_used(message.id, used);
            match message.stage {
                Stage::Over(state) => {
                    message.stage = Stage::OverNoting(state);
                    self.told.events.push_back(Event::Refused { id: message.id, state });
                    continue;
                }
                Stage::OverNoting(_) | Stage::Sent => continue,
                Stage::Waiting | Stage::Noting | Stage::Noted if held => continue,
                // Several are noted at once; none overtakes one before it.
                Stage::Waiting => {
                    message.stage = Stage::Noting;
                    self.told.events.push_back(Event::Outgoing { id: message.id, state: SendState::Sending });
                    notable = false;
                    continue;
                }
                Stage::Noting => {
                    notable = false;
                    continue;
                }
                Stage::Noted if !notable => break,
                Stage::Noted => {}
            }
            // After the disk has forgotten something, its counters are used again. The server then refuses this
            // message, and must not accept the next one before it.
            let used = is_used(message.id, used) && message.number != CounterState::Own;
            if used && self.sending.outbox.iter().any(Outgoing::is_sent) {
                break;
            }
            let Some(message) = self.sending.outbox.get(i) else { break };
            // A message does not overtake another to the same receiver that is not settled.
            let before =
                self.sending.outbox.iter().take(i).rfind(|m| m.to == message.to && (m.is_sent() || m.is_over()));
            if before.is_some_and(Outgoing::is_over) {
                continue;
            }
            let number = |m: &Outgoing| u64::try_from(m.id.0).unwrap_or_default();
            let (counter, after) = (number(message), before.map(number));
            let (to, text, made) = (message.to.as_str().to_owned(), message.text.as_str().to_owned(), message.made);
            if !self.say(now, &FromClient::Send { counter, to, text, after, made }) {
                break;
            }
            asked = true;
            if let Some(message) = self.sending.outbox.get_mut(i) {
                message.stage = Stage::Sent;
                message.number = if used { CounterState::Doubtful } else { CounterState::Own };
            }
            if used {
                break;
            }
        }
        // The link waits afresh for a new message.
        if asked
            && self.connection.hurried
            && let Some(peer) = self.connection.peer
        {
            self.carrier.hurry(now, peer, false);
            self.connection.hurried = false;
        }
    }

    fn position(&self, counter: u64) -> Option<usize> {
        self.sending.outbox.iter().position(|m| u64::try_from(m.id.0) == Ok(counter))
    }

    pub(super) fn accepted(&mut self, counter: u64, row: u64, online: bool, made: Option<i64>) {
        let Some(message) = self.position(counter).and_then(|i| self.sending.outbox.remove(i)) else { return };
        self.was_made(&message.to, made);
        self.sending.refusals = 0;
        self.sending.storing.failed = false;
        // Whether somebody is in the lobby is shown there.
        let state = if online || message.to.is_room() { SendState::Sent } else { SendState::Kept };
        self.told.events.push_back(Event::Accepted { id: message.id, row, state });
    }

    /// Reports whether messages wait here because the server cannot store them, if that has changed.
    pub(super) fn look_at_storing(&mut self) {
        let here = self.state == State::Online && self.connection.connected && !self.health.contact.is_silent();
        let waits = here && self.sending.storing.failed && self.sending.outbox.iter().any(|m| !m.is_over());
        if std::mem::replace(&mut self.sending.storing.told, waits) != waits {
            self.told.events.push_back(Event::NotStoring(waits));
        }
    }

    pub(super) fn refused(
        &mut self,
        now: Instant,
        counter: u64,
        code: Code,
        (wait, reason): (Option<u64>, Option<Reason>),
        made: Option<i64>,
    ) {
        let Some(i) = self.position(counter) else { return };
        if code == Code::IdConflict {
            self.naming.wanted = true;
            // What follows it was written later still.
            let this = self.sending.outbox.get(i).map(|m| m.id);
            for message in
                self.sending.outbox.iter_mut().skip(i).filter(|m| m.number != CounterState::Own || Some(m.id) == this)
            {
                message.refused = true;
                message.take_back();
            }
            return;
        }
        let Some(message) = self.sending.outbox.get_mut(i) else { return };
        match code {
            Code::TryLater => {
                message.take_back();
                // The rate is used up for now; sending goes on by itself.
                if let Some(wait) = wait {
                    let wait = Duration::from_millis(wait.min(MOST_WAIT_MS));
                    // Reported once for all that were under way.
                    if self.sending.resend_at.is_none() {
                        self.told.events.push_back(Event::Paced(wait));
                    }
                    self.sending.resend_at = self.sending.resend_at.max(Some(now + wait));
                    return;
                }
                self.sending.storing.failed |= reason == Some(Reason::NotStored);
                let step = LATER.get(self.sending.refusals).or(LATER.last()).copied().unwrap_or_default();
                self.sending.refusals += 1;
                self.sending.resend_at = Some(now + self.dice.spread(Duration::from_secs(step)));
            }
            Code::NotLoggedIn => {
                self.give_up_connection(now, "not logged in");
                self.try_again(now);
            }
            Code::OutOfTurn => message.take_back(),
            code => {
                let state = match code {
                    Code::NoAccount => SendState::Unknown,
                    Code::MadeAnew => SendState::MadeAnew,
                    Code::MailboxFull | Code::BadField | Code::Malformed | Code::Unknown => SendState::Failed,
                    // None of these codes answers a message.
                    Code::AccountExists | Code::WrongPassword | Code::BadToken | Code::InUse => SendState::Failed,
                    Code::Yourself | Code::AlreadyFriends | Code::NotWanted | Code::WrongAnswer | Code::TooMany => {
                        SendState::Failed
                    }
                    // These were handled above.
                    Code::IdConflict | Code::NotLoggedIn | Code::TryLater | Code::OutOfTurn => SendState::Failed,
                };
                message.stage = Stage::Over(state);
                let to = message.to.clone();
                self.was_made(&to, made);
            }
        }
    }
}
