//! Messages of one's own: how far each has come, what is worth a word of it, and which can be sent again. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};

/// So many can be sent again by a command; of more those that went well are left out.
const KEPT: usize = 1_000;

/// A message of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnMessage {
    pub(super) peer: Account,
    pub(super) text: String,
    pub(super) state: SendState,
}

/// All that were seen since the login.
#[derive(Debug, Default)]
pub(super) struct OwnMessages {
    messages: HashMap<MessageId, OwnMessage>,
    /// The last one to whom one chats with.
    last: Option<MessageId>,
}

impl OwnMessages {
    /// A message was written, `here` to whom one chats with.
    pub(super) fn written(&mut self, id: MessageId, own: OwnMessage, here: bool) {
        if self.messages.len() >= KEPT {
            self.messages.retain(|_, own| !own.state.went_well());
        }
        self.messages.insert(id, own);
        if here {
            self.last = Some(id);
        }
    }

    /// A message of before was shown; one that did not go well can be sent again.
    pub(super) fn of_before(&mut self, id: MessageId, own: OwnMessage) {
        if !own.state.went_well() {
            self.messages.entry(id).or_insert(own);
        }
    }

    /// One chats with somebody else now, or with nobody.
    pub(super) fn chat_changed(&mut self) {
        self.last = None;
    }

    /// How far the last message to whom one chats with has come, for the prompt.
    pub(super) fn mark(&self) -> &'static str {
        match self.last.and_then(|id| self.messages.get(&id)).map(|own| own.state) {
            None => "",
            Some(SendState::Waiting | SendState::Sending) => " …",
            Some(SendState::Sent) => " ✓",
            Some(SendState::Delivered) => " ✓✓",
            Some(SendState::OfflineOrUnknown | SendState::Kept | SendState::Unknown | SendState::MadeAnew) => " ○",
            Some(SendState::MaybeSentTwice | SendState::MaybeSent | SendState::NoAnswer) => " ?",
            Some(SendState::Failed) => " ✗",
        }
    }

    /// A message came further; it and the words for it, if that is worth a word. What went well is seen by the prompt alone.
    pub(super) fn came_further(&mut self, id: MessageId, state: SendState) -> Option<(OwnMessage, Cow<'static, str>)> {
        let own = self.messages.get_mut(&id)?;
        let before = std::mem::replace(&mut own.state, state);
        let own = own.clone();
        // What went well is news where it was said that it had not yet; of several the newest says it for all before it.
        let newer = |(other, o): (&MessageId, &OwnMessage)| {
            *other > id && o.peer == own.peer && o.state == SendState::Delivered
        };
        if state == SendState::Delivered && (words(before).is_none() || self.messages.iter().any(newer)) {
            return None;
        }
        words(state).map(|words| (own, words))
    }

    /// The last one that can be sent again.
    pub(super) fn to_resend(&self) -> Option<(MessageId, OwnMessage)> {
        let chosen = self.messages.iter().filter(|(_, own)| own.state.can_resend()).max_by_key(|(id, _)| **id);
        chosen.map(|(id, own)| (*id, own.clone()))
    }
}

/// What is worth a word about a message of one's own; with the command that sends it again, where only its writer can.
pub(super) fn words(state: SendState) -> Option<Cow<'static, str>> {
    match state {
        SendState::Waiting | SendState::Sending | SendState::Sent => None,
        SendState::OfflineOrUnknown
        | SendState::Unknown
        | SendState::Kept
        | SendState::Delivered
        | SendState::MaybeSentTwice => Some(state.word()),
        SendState::MaybeSent | SendState::NoAnswer | SendState::Failed => {
            Some(t!("term.resend_hint", state = state.word()))
        }
        SendState::MadeAnew => Some(t!("term.state_made_anew")),
    }
}

#[cfg(test)]
mod tests;
