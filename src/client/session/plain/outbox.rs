//! Messages to be sent and how far each has come. They are sent one after the other, noted on disk before that, and
//! never sent twice blindly.

use std::collections::VecDeque;
use std::time::Instant;

use crate::base::model::{Account, MessageId, MessageText};

/// A message that is not settled.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: MessageId,
    pub(super) to: Account,
    pub(super) text: MessageText,
    pub(super) stage: Stage,
}

/// How far a message has come. All messages but the first are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The message waits for its turn.
    Waiting,
    /// The disk is noting that the message is being sent.
    Noting,
    /// The note is on disk, so that nothing sends the message again unasked after a crash; it has not been sent yet.
    Noted,
    /// The message has been sent, and its answer is waited for.
    Sent(Copies),
    /// The answer has not come; the message is only sent again once it can no longer come.
    Doubtful(Copies),
}

/// The copies of a message that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copies {
    /// When the first copy was sent.
    pub(super) first: Instant,
    /// When the last copy was sent.
    pub(super) last: Instant,
    /// How many copies were sent after the first.
    pub(super) again: u32,
}

impl Copies {
    /// Returns how many copies were sent.
    pub(super) fn number(self) -> u32 {
        self.again + 1
    }

    /// Returns whether there are several, so that an answer may belong to another copy.
    pub(super) fn are_several(self) -> bool {
        self.again > 0
    }
}

impl Stage {
    /// Returns the copies that were sent, if any were.
    pub(super) fn copies(self) -> Option<Copies> {
        match self {
            Self::Waiting | Self::Noting | Self::Noted => None,
            Self::Sent(copies) | Self::Doubtful(copies) => Some(copies),
        }
    }

    /// Returns whether several copies were sent.
    pub(super) fn has_several(self) -> bool {
        self.copies().is_some_and(Copies::are_several)
    }

    pub(super) fn is_doubtful(self) -> bool {
        match self {
            Self::Doubtful(_) => true,
            Self::Waiting | Self::Noting | Self::Noted | Self::Sent(_) => false,
        }
    }

    /// Returns the stage after one more copy is sent.
    pub(super) fn sent(self, now: Instant) -> Self {
        Self::Sent(match self.copies() {
            None => Copies { first: now, last: now, again: 0 },
            Some(Copies { first, again, .. }) => Copies { first, last: now, again: again + 1 },
        })
    }

    /// Returns the stage when the answer is no longer waited for.
    pub(super) fn unanswered(self) -> Self {
        match self {
            Self::Sent(copies) => Self::Doubtful(copies),
            Self::Waiting | Self::Noting | Self::Noted | Self::Doubtful(_) => self,
        }
    }

    /// Returns the stage after the server has said that it did not accept the last copy; it may have accepted an
    /// earlier one.
    pub(super) fn not_taken(self) -> Self {
        match self {
            Self::Sent(copies) | Self::Doubtful(copies) if copies.are_several() => {
                Self::Doubtful(Copies { again: copies.again - 1, ..copies })
            }
            Self::Sent(_) | Self::Doubtful(_) => Self::Waiting,
            Self::Waiting | Self::Noting | Self::Noted => self,
        }
    }
}

/// The messages to be sent.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) outbox: VecDeque<Outgoing>,
    /// Messages without an answer since the last answer to one; a late answer belongs to it if there is only one.
    pub(super) given_up: Vec<MessageId>,
    /// After the disk refused a note: when to try again.
    pub(super) note_at: Option<Instant>,
}

impl Sending {
    /// Adds a message in its place; returns false if it is there already. An earlier message that waited on disk may be
    /// added after a newer one, and goes before it, but not before one that is under way.
    pub(super) fn add(&mut self, id: MessageId, to: Account, text: MessageText) -> bool {
        if self.outbox.iter().any(|m| m.id == id) {
            return false;
        }
        let under_way = usize::from(self.stage().is_some_and(|stage| stage != Stage::Waiting));
        let later = self.outbox.iter().skip(under_way).position(|m| m.id > id);
        let place = later.map_or(self.outbox.len(), |place| under_way + place);
        self.outbox.insert(place, Outgoing { id, to, text, stage: Stage::Waiting });
        true
    }

    /// Returns how far the first message has come, if there is one.
    pub(super) fn stage(&self) -> Option<Stage> {
        self.outbox.front().map(|message| message.stage)
    }

    /// Returns whether the disk is noting that a message is being sent.
    pub(super) fn is_noting(&self) -> bool {
        self.stage() == Some(Stage::Noting)
    }

    /// Returns whether the first message was sent without an answer.
    pub(super) fn is_doubtful(&self) -> bool {
        self.stage().is_some_and(Stage::is_doubtful)
    }

    /// Returns whether nothing of the first message is known to have been sent.
    pub(super) fn is_unsent(&self) -> bool {
        self.stage().is_some_and(|stage| stage.copies().is_none())
    }

    /// Moves the first message to its next stage; returns it if the stage has changed.
    pub(super) fn turn(&mut self, next: impl FnOnce(Stage) -> Stage) -> Option<(MessageId, Stage)> {
        let message = self.outbox.front_mut()?;
        let before = message.stage;
        message.stage = next(before);
        (before != message.stage).then_some((message.id, message.stage))
    }
}
