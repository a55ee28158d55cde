//! Sent messages: how far each has come, what the person is told about it, and which can be sent again. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};

/// How many messages are remembered; beyond that, those that went well are forgotten.
const KEPT: usize = 1_000;

/// A sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnMessage {
    pub(super) peer: Account,
    pub(super) text: String,
    pub(super) state: SendState,
}

/// All sent messages that were seen since the login.
#[derive(Debug, Default)]
pub(super) struct OwnMessages {
    messages: HashMap<MessageId, OwnMessage>,
    /// The last one to the present chat.
    last: Option<MessageId>,
}

impl OwnMessages {
    /// Adds a message that was just written; `here` if it is to the present chat.
    pub(super) fn written(&mut self, id: MessageId, own: OwnMessage, here: bool) {
        if self.messages.len() >= KEPT {
            self.messages.retain(|_, own| !own.state.went_well());
        }
        self.messages.insert(id, own);
        if here {
            self.last = Some(id);
        }
    }

    /// Adds an earlier message that was shown, if it can be sent again because it did not go well.
    pub(super) fn of_before(&mut self, id: MessageId, own: OwnMessage) {
        if !own.state.went_well() {
            self.messages.entry(id).or_insert(own);
        }
    }

    /// Called when another chat, or none, becomes the present one.
    pub(super) fn chat_changed(&mut self) {
        self.last = None;
    }

    /// Returns the sign in the prompt that shows how far the last message to the present chat has come.
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

    /// Notes how far a message has come. Returns the message and a sentence about it, if there is something to say;
    /// success is otherwise shown by the prompt alone.
    pub(super) fn came_further(&mut self, id: MessageId, state: SendState) -> Option<(OwnMessage, Cow<'static, str>)> {
        let own = self.messages.get_mut(&id)?;
        let before = std::mem::replace(&mut own.state, state);
        let own = own.clone();
        // Delivery is worth a sentence if an earlier one said otherwise; if a newer message was delivered too, that one
        // says it for all.
        let newer = |(other, o): (&MessageId, &OwnMessage)| {
            *other > id && o.peer == own.peer && o.state == SendState::Delivered
        };
        if state == SendState::Delivered && (words(before).is_none() || self.messages.iter().any(newer)) {
            return None;
        }
        words(state).map(|words| (own, words))
    }

    /// Returns the latest message that can be sent again.
    pub(super) fn to_resend(&self) -> Option<(MessageId, OwnMessage)> {
        let chosen = self.messages.iter().filter(|(_, own)| own.state.can_resend()).max_by_key(|(id, _)| **id);
        chosen.map(|(id, own)| (*id, own.clone()))
    }
}

/// Returns what is said about a message, with the command that sends it again if only its writer can decide that.
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
