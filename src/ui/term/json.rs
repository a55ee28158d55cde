//! Lines of JSON for programs: the same keys in every language, one object a line.

use serde_json::{Value, json};

use super::talk::{clock_time, past_row};
use crate::base::json;
use crate::base::model::{Account, SendState, names};
use crate::client::history::{Conversation, Row};
use crate::protocol::wire::frame::Past;

/// Writes a message. Its keys: `account`; `writer`, of others' messages in a room; `remark`; `direction`: `in`, `out`,
/// or `note` for a sentence of this program, such as that the account is another one from here on; `time` and
/// `unix_ms`, when it was written, in RFC 3339 in this computer's zone and in milliseconds since 1970 (where only a
/// server's own clock is known, the time as that wrote it, and null); `came_unix_ms`, of others' messages, when it
/// arrived here; `text`; `state`, of sent messages; and `repeat` (true), of a message that the server had handed out
/// before.
#[must_use]
pub fn message(peer: &Account, remark: &str, row: &Row) -> String {
    let mut value = json!({
        "account": peer.as_str(),
        "remark": remark,
        "direction": if row.note { "note" } else if row.state.is_some() { "out" } else { "in" },
        "time": time(row),
        "unix_ms": row.moment(),
        "text": row.text,
    });
    if let (Some(came), Value::Object(object)) = (row.came_ms, &mut value) {
        object.insert("came_unix_ms".to_owned(), json!(came));
    }
    if let (true, Value::Object(object)) = (row.repeat, &mut value) {
        object.insert("repeat".to_owned(), json!(true));
    }
    if let (Some(state), Value::Object(object)) = (row.state, &mut value) {
        object.insert("state".to_owned(), json!(name(state)));
    }
    name_writer(peer, row, &mut value);
    json::line(&value)
}

/// Splits others' messages in a room into the writer and the text.
fn name_writer(peer: &Account, row: &Row, value: &mut Value) {
    let (writer, text) = names::writer_and_text(&row.text, peer.is_room(), row.state.is_some());
    if let (Some(writer), Value::Object(object)) = (writer, value) {
        object.insert("writer".to_owned(), json!(writer));
        object.insert("text".to_owned(), json!(text));
    }
}

/// Writes a message that the server keeps: as [`message`], with its number at the server as `row`.
#[must_use]
pub fn past(peer: &Account, remark: &str, me: &Account, past: &Past) -> String {
    let row = past_row(me, past);
    let mut value = json!({
        "account": peer.as_str(),
        "remark": remark,
        "direction": if row.state.is_some() { "out" } else { "in" },
        "time": time(&row),
        "unix_ms": row.unix_ms,
        "text": row.text,
        "row": past.row,
    });
    if let (Some(state), Value::Object(object)) = (row.state, &mut value) {
        object.insert("state".to_owned(), json!(name(state)));
    }
    name_writer(peer, &row, &mut value);
    json::line(&value)
}

/// Writes a friend of the list, or a stranger who has written.
#[must_use]
pub fn conversation(conversation: &Conversation) -> String {
    let Conversation { contact, stranger, last, draft, unread } = conversation;
    json::line(&json!({
        "account": contact.account.as_str(),
        "remark": contact.remark,
        "group": contact.group,
        "blocked": contact.blocked,
        "stranger": stranger,
        "unread": unread,
        "last": last.as_ref().map(|(text, unix_ms)| json!({"text": text, "unix_ms": unix_ms})),
        "draft": draft,
    }))
}

fn time(row: &Row) -> String {
    match &row.server_time {
        Some(words) => words.clone(),
        None => clock_time(row.unix_ms, "%Y-%m-%dT%H:%M:%S%:z"),
    }
}

/// Writes that `messages` messages may have been lost on the way, by the server's count: `maybe_lost`.
#[must_use]
pub fn lost(messages: u64) -> String {
    json!({ "maybe_lost": messages }).to_string()
}

fn name(state: SendState) -> &'static str {
    match state {
        SendState::Waiting => "waiting",
        SendState::Sending => "sending",
        SendState::Sent => "sent",
        SendState::OfflineOrUnknown => "offline-or-unknown",
        SendState::Unknown => "no-such-account",
        SendState::MadeAnew => "made-anew",
        SendState::Kept => "kept",
        SendState::Delivered => "delivered",
        SendState::MaybeSentTwice => "maybe-sent-twice",
        SendState::MaybeSent => "maybe-sent",
        SendState::NoAnswer => "no-answer",
        SendState::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::MessageId;

    #[test]
    fn a_rooms_writer_is_no_part_of_the_text() {
        let row = |text: String, state| Row {
            id: MessageId(1),
            text,
            unix_ms: 0,
            came_ms: None,
            server_time: None,
            state,
            repeat: false,
            note: false,
        };
        let read = |peer: &Account, row: &Row| {
            let value: Value = serde_json::from_str(&message(peer, "", row)).expect("JSON");
            (value.get("writer").cloned(), value["text"].clone())
        };
        let said = row(names::framed("b] ok", "[a] hi"), None);
        assert_eq!(read(&Account::lobby(), &said), (Some(json!("b] ok")), json!("[a] hi")));
        let b = Account::parse("b").expect("valid");
        assert_eq!(read(&b, &said), (None, json!("[b:U+005D: ok] [a] hi")), "a person writes what they like");
        let own = row("[x] y".into(), Some(SendState::Sent));
        assert_eq!(read(&Account::lobby(), &own), (None, json!("[x] y")));
    }
}
