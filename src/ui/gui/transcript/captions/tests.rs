use super::*;
use crate::base::model::MessageId;

fn row(text: &str, state: Option<SendState>) -> Row {
    Row {
        id: MessageId(1),
        text: text.to_owned(),
        unix_ms: 0,
        came_ms: None,
        server_time: None,
        state,
        repeat: false,
        note: false,
    }
}

#[test]
fn each_message_that_may_be_cut_has_its_hint() {
    let sent = Some(SendState::Sent);
    // On each message of a run of sent ones, not only the last; not on complete ones, nor on others'.
    for (text, state, foreign, cut) in [
        ("one #1", sent, true, true),
        ("two #2", Some(SendState::MaybeSent), true, true),
        ("whole", sent, true, false),
        ("whole", Some(SendState::Delivered), true, false),
        ("kept", Some(SendState::Kept), false, false),
        ("＃ is another sign", sent, true, false),
        ("#", None, true, false),
        ("one #1", sent, false, false),
    ] {
        let row = row(text, state);
        assert_eq!(may_be_cut(&row, foreign), cut, "{text} {state:?}");
        let sent_alone = state.is_none_or(|state| matches!(state, SendState::Sent | SendState::Delivered));
        assert_eq!(super::super::layout::says_more(&row, foreign), cut || !sent_alone, "{text} {state:?}");
    }
}
