use super::*;

fn own(peer: &str, state: SendState) -> OwnMessage {
    OwnMessage { peer: Account::person(peer).expect("valid"), text: "hi".into(), state }
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
