//! Messages of one's own, each with how far it has come: one after the other, noted on disk before it is sent, and never
//! blindly sent twice.

use std::collections::VecDeque;
use std::time::Instant;

use crate::base::model::{Account, MessageId, MessageText};

/// A message of one's own that is not settled.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: MessageId,
    pub(super) to: Account,
    pub(super) text: MessageText,
    pub(super) stage: Stage,
}

/// How far a message has come. All but the first are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Until its turn comes.
    Waiting,
    /// That it is being sent is being written down.
    Noting,
    /// That stands on disk, so that after a crash nobody sends it again unasked; it was not sent yet.
    Noted,
    /// It is on the wire, and its answer is waited for.
    Sent(Copies),
    /// Its answer did not come: before it is sent again that must be impossible.
    Doubtful(Copies),
}

/// What of a message is or was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copies {
    /// When it was sent first.
    pub(super) first: Instant,
    /// When it was sent last.
    pub(super) last: Instant,
    /// How often it was sent after the first time.
    pub(super) again: u32,
}

impl Copies {
    /// How often it was sent.
    pub(super) fn number(self) -> u32 {
        self.again + 1
    }

    /// Whether an answer may be that to another copy.
    pub(super) fn are_several(self) -> bool {
        self.again > 0
    }
}

impl Stage {
    /// What was on the wire, if anything was.
    pub(super) fn copies(self) -> Option<Copies> {
        match self {
            Self::Waiting | Self::Noting | Self::Noted => None,
            Self::Sent(copies) | Self::Doubtful(copies) => Some(copies),
        }
    }

    /// Whether several copies were.
    pub(super) fn has_several(self) -> bool {
        self.copies().is_some_and(Copies::are_several)
    }

    pub(super) fn is_doubtful(self) -> bool {
        match self {
            Self::Doubtful(_) => true,
            Self::Waiting | Self::Noting | Self::Noted | Self::Sent(_) => false,
        }
    }

    /// Sent once, or once more.
    pub(super) fn sent(self, now: Instant) -> Self {
        Self::Sent(match self.copies() {
            None => Copies { first: now, last: now, again: 0 },
            Some(Copies { first, again, .. }) => Copies { first, last: now, again: again + 1 },
        })
    }

    /// Its answer is not waited for any more.
    pub(super) fn unanswered(self) -> Self {
        match self {
            Self::Sent(copies) => Self::Doubtful(copies),
            Self::Waiting | Self::Noting | Self::Noted | Self::Doubtful(_) => self,
        }
    }

    /// The server says that it has not taken the last copy: an earlier one it may have.
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

/// Messages of one's own.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) outbox: VecDeque<Outgoing>,
    /// Messages that were not answered, since one was; a late answer while there is just one is that one's.
    pub(super) given_up: Vec<MessageId>,
    /// The disk refused to note a message: not before this.
    pub(super) note_at: Option<Instant>,
}

impl Sending {
    /// Puts a message in its place; whether it was not there yet. One that waited on disk may come after a new one, and
    /// goes before it; not before one that is under way.
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

    /// How far the first message has come, if there is one.
    pub(super) fn stage(&self) -> Option<Stage> {
        self.outbox.front().map(|message| message.stage)
    }

    /// Whether that a message is being sent is being written down.
    pub(super) fn is_noting(&self) -> bool {
        self.stage() == Some(Stage::Noting)
    }

    /// Whether the first message was sent in vain.
    pub(super) fn is_doubtful(&self) -> bool {
        self.stage().is_some_and(Stage::is_doubtful)
    }

    /// Whether nothing of the first message is known to be on the wire.
    pub(super) fn is_unsent(&self) -> bool {
        self.stage().is_some_and(|stage| stage.copies().is_none())
    }

    /// Moves the first message on; where it is then, if that is another stage than before.
    pub(super) fn turn(&mut self, next: impl FnOnce(Stage) -> Stage) -> Option<(MessageId, Stage)> {
        let message = self.outbox.front_mut()?;
        let before = message.stage;
        message.stage = next(before);
        (before != message.stage).then_some((message.id, message.stage))
    }
}
