//! Messages of one's own: how far each has come, what is worth a word of it, and which can be sent again. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_i18n::t;

use crate::base::model::{Account, MessageId, SendState};

/// So many can be sent again by a command; of more those that went well are left out.
const KEPT: usize = 1_000;

/// A message of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) peer: Account,
    pub(super) text: String,
    pub(super) state: SendState,
}

/// All that were seen since the login.
#[derive(Debug, Default)]
pub(super) struct OwnMessages {
    messages: HashMap<MessageId, Own>,
    /// The last one to whom one chats with.
    last: Option<MessageId>,
}

impl OwnMessages {
    /// A message was written, `here` to whom one chats with.
    pub(super) fn written(&mut self, id: MessageId, own: Own, here: bool) {
        if self.messages.len() >= KEPT {
            self.messages.retain(|_, own| !own.state.went_well());
        }
        self.messages.insert(id, own);
        if here {
            self.last = Some(id);
        }
    }

    /// A message of before was shown; one that did not go well can be sent again.
    pub(super) fn of_before(&mut self, id: MessageId, own: Own) {
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
    pub(super) fn came_further(&mut self, id: MessageId, state: SendState) -> Option<(Own, Cow<'static, str>)> {
        let own = self.messages.get_mut(&id)?;
        let before = std::mem::replace(&mut own.state, state);
        let own = own.clone();
        // What went well is news where it was said that it had not yet; of several the newest says it for all before it.
        let newer =
            |(other, o): (&MessageId, &Own)| *other > id && o.peer == own.peer && o.state == SendState::Delivered;
        if state == SendState::Delivered && (words(before).is_none() || self.messages.iter().any(newer)) {
            return None;
        }
        words(state).map(|words| (own, words))
    }

    /// The last one that can be sent again.
    pub(super) fn to_resend(&self) -> Option<(MessageId, Own)> {
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
mod tests {
    use super::*;

    fn own(peer: &str, state: SendState) -> Own {
        Own { peer: Account::person(peer).expect("valid"), text: "hi".into(), state }
    }

    #[test]
    fn the_prompt_shows_the_last_message_of_the_chat_alone() {
        let mut all = OwnMessages::default();
        assert_eq!(all.mark(), "");
        all.written(MessageId(1), own("b", SendState::Waiting), true);
        all.written(MessageId(2), own("c", SendState::Failed), false);
        assert_eq!(all.mark(), " …", "c is somebody else");
        assert_eq!(all.came_further(MessageId(1), SendState::Sent), None);
        assert_eq!(all.mark(), " ✓");
        all.chat_changed();
        assert_eq!(all.mark(), "");
    }

    #[test]
    fn what_went_well_is_said_once_where_it_was_said_that_it_had_not() {
        let mut all = OwnMessages::default();
        let mut said = |id: i64, state| all.came_further(MessageId(id), state).map(|(own, _)| own.peer.to_string());
        assert_eq!(said(1, SendState::Failed), None, "nobody knows that message");
        for id in 1..=3 {
            all.written(MessageId(id), own("b", SendState::Sending), true);
        }
        let mut said = |id: i64, state| all.came_further(MessageId(id), state).is_some();
        assert!(!said(1, SendState::Delivered), "nothing else was said of it");
        assert!(said(2, SendState::Kept) && said(3, SendState::Kept), "it waits for its receiver");
        assert!(said(3, SendState::Delivered), "now it does not");
        assert!(!said(2, SendState::Delivered), "the newer one said so for it");
    }

    #[test]
    fn the_last_that_can_be_is_sent_again_and_what_went_well_makes_room() {
        let mut all = OwnMessages::default();
        all.of_before(MessageId(1), own("b", SendState::Failed));
        all.of_before(MessageId(2), own("c", SendState::MaybeSent));
        all.of_before(MessageId(3), own("d", SendState::Delivered));
        assert_eq!(all.to_resend(), Some((MessageId(2), own("c", SendState::MaybeSent))));
        all.written(MessageId(2), own("c", SendState::Sending), true);
        all.of_before(MessageId(2), own("c", SendState::MaybeSent));
        assert_eq!(all.to_resend().map(|(id, _)| id), Some(MessageId(1)), "what is known is newer than what is read");
        for id in 10..10 + 2 * KEPT as i64 {
            all.written(MessageId(id), own("b", SendState::Sent), true);
        }
        assert!(all.messages.len() <= KEPT, "{}", all.messages.len());
        assert_eq!(all.to_resend().map(|(id, _)| id), Some(MessageId(1)), "what failed stays");
    }
}
