//! Lines of JSON for programs: the same keys in every language, one object a line.

use serde_json::{Value, json};

use super::talk::{past_row, when_in_full};
use crate::history::{Conversation, Row};
use crate::model::{Account, SendState};
use crate::wire::frame::Past;

/// A message: `account`, `remark`, `direction` (`in`, `out`), `time` (as the server wrote it, else when
/// it was sent), `unix_ms` (this machine's clock), `text`, and `state` of one's own.
#[must_use]
pub fn message(peer: &Account, remark: &str, row: &Row) -> String {
    let time = row.server_time.clone().unwrap_or_else(|| when_in_full(row));
    let mut value = json!({
        "account": peer.as_str(),
        "remark": remark,
        "direction": if row.state.is_some() { "out" } else { "in" },
        "time": time,
        "unix_ms": row.unix_ms,
        "text": row.text,
    });
    if let (Some(state), Value::Object(object)) = (row.state, &mut value) {
        object.insert("state".to_owned(), json!(name(state)));
    }
    value.to_string()
}

/// A message that the server keeps: as [`message`], with `row`, the server's number of it.
#[must_use]
pub fn past(peer: &Account, remark: &str, me: &Account, past: &Past) -> String {
    let row = past_row(me, past);
    json!({
        "account": peer.as_str(),
        "remark": remark,
        "direction": if row.state.is_some() { "out" } else { "in" },
        "time": when_in_full(&row),
        "unix_ms": row.unix_ms,
        "text": row.text,
        "row": past.row,
    })
    .to_string()
}

/// Somebody in the list, or a stranger who has written.
#[must_use]
pub fn conversation(conversation: &Conversation) -> String {
    let Conversation { contact, stranger, last, unread } = conversation;
    json!({
        "account": contact.account.as_str(),
        "remark": contact.remark,
        "group": contact.group,
        "blocked": contact.blocked,
        "stranger": stranger,
        "unread": unread,
        "last": last.as_ref().map(|(text, unix_ms)| json!({"text": text, "unix_ms": unix_ms})),
    })
    .to_string()
}

fn name(state: SendState) -> &'static str {
    match state {
        SendState::Waiting => "waiting",
        SendState::Sending => "sending",
        SendState::Sent => "sent",
        SendState::OfflineOrUnknown => "offline-or-unknown",
        SendState::Unknown => "no-such-account",
        SendState::Kept => "kept",
        SendState::MaybeSentTwice => "maybe-sent-twice",
        SendState::MaybeSent => "maybe-sent",
        SendState::Failed => "failed",
    }
}
