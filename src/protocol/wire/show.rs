//! One line for a person about one datagram, and its bytes with the passwords starred.

use rust_i18n::t;

use super::explain::explain;
use super::frame::{AccountSettings, Code, FromClient, FromServer};
use super::item::Item;
use super::reply::{Forwarded, LoggedIn, PasswordChange, Registered};
use super::{Charset, Learned, Reply, Request};

/// What a request says, e.g. "log in as 20170001". `locale` is `en` or `zh-CN`.
#[must_use]
pub fn request(datagram: &[u8], locale: &str) -> String {
    if encrypted(datagram) {
        return t!("secure.encrypted", locale = locale).into_owned();
    }
    let request = match Request::decode(datagram, Charset::Utf8).0 {
        Ok(request) => request,
        Err(error) => {
            let explained = explain(datagram, Charset::Utf8);
            let broken = explained.findings.iter().find(|f| f.rule.breaks());
            let why = broken.map_or_else(|| error.to_string(), |f| f.advice(&explained, locale));
            return t!("wire.malformed", locale = locale, why = why).into_owned();
        }
    };
    match &request {
        Request::Register { account, .. } => t!("wire.register", locale = locale, account = account),
        Request::ChangePassword { account, .. } => t!("wire.change_password", locale = locale, account = account),
        Request::Login { account, .. } => t!("wire.login", locale = locale, account = account),
        Request::Send { to, .. } => t!("wire.send", locale = locale, account = to),
        Request::Count { from: Some(from) } => t!("wire.count", locale = locale, account = from),
        Request::Take { from: Some(from) } => t!("wire.take", locale = locale, account = from),
        Request::Count { from: None } | Request::CountAll => t!("wire.count_all", locale = locale),
        Request::Take { from: None } | Request::TakeAll => t!("wire.take_all", locale = locale),
        Request::Offline => t!("wire.offline", locale = locale),
        Request::Hello { .. } => t!("wire.hello", locale = locale),
        Request::Who { offset } => t!("wire.who", locale = locale, offset = offset),
    }
    .into_owned()
}

/// What a reply says in answer to this request: a code of 01 means one thing where somebody registers, and
/// another where a password is changed. `locale` is `en` or `zh-CN`.
#[must_use]
pub fn answer(request: &[u8], datagram: &[u8], locale: &str) -> String {
    answered(changes_password(request), datagram, locale)
}

/// What a reply says, if it is known whether its request was a 01 of four fields. `locale` is `en` or `zh-CN`.
#[must_use]
pub fn answered(changes_password: bool, datagram: &[u8], locale: &str) -> String {
    let code = match Reply::decode(datagram, &mut Learned::default()) {
        Reply::Register(code) if changes_password => PasswordChange::from(code),
        _ => return reply(datagram, locale),
    };
    match code {
        PasswordChange::WrongPassword => t!("wire.wrong_old_password", locale = locale),
        PasswordChange::PasswordsDiffer => t!("wire.new_passwords_differ", locale = locale),
        PasswordChange::Done => t!("wire.password_changed", locale = locale),
        PasswordChange::NoSuchAccount => t!("wire.no_such_account", locale = locale),
    }
    .into_owned()
}

/// Whether a datagram is a 01 of four fields; also where its passwords are starred.
#[must_use]
pub fn changes_password(request: &[u8]) -> bool {
    matches!(Request::decode(request, Charset::Utf8).0, Ok(Request::ChangePassword { .. }))
}

/// What a reply says whose request is not known, e.g. "logged in". `locale` is `en` or `zh-CN`.
#[must_use]
pub fn reply(datagram: &[u8], locale: &str) -> String {
    if encrypted(datagram) {
        return t!("secure.encrypted", locale = locale).into_owned();
    }
    match Reply::decode(datagram, &mut Learned::default()) {
        Reply::Register(Registered::Done) => t!("wire.registered", locale = locale),
        Reply::Register(Registered::PasswordsDiffer) => t!("wire.passwords_differ", locale = locale),
        Reply::Register(Registered::AccountExists) => t!("wire.account_exists", locale = locale),
        Reply::Register(Registered::NoSuchAccount) => t!("wire.no_such_account", locale = locale),
        Reply::Login(LoggedIn::Done) => t!("wire.logged_in", locale = locale),
        Reply::Login(LoggedIn::WrongPassword) => t!("wire.wrong_password", locale = locale),
        Reply::Login(LoggedIn::NoSuchAccount) => t!("wire.no_such_account", locale = locale),
        Reply::Login(LoggedIn::AlreadyLoggedIn) => t!("wire.already_logged_in", locale = locale),
        Reply::Send(Forwarded::Done) => t!("wire.forwarded", locale = locale),
        Reply::Send(Forwarded::Offline) => t!("wire.peer_offline", locale = locale),
        Reply::Count(n) | Reply::CountAll(n) => t!("wire.unread", locale = locale, n = n),
        Reply::Take(Some(d)) | Reply::TakeAll(Some(d)) => t!("wire.message", locale = locale, account = d.from),
        Reply::Take(None) | Reply::TakeAll(None) => t!("wire.none_left", locale = locale),
        Reply::Offline { was_online: true } => t!("wire.went_offline", locale = locale),
        Reply::Offline { was_online: false } => t!("wire.was_offline", locale = locale),
        Reply::NotLoggedIn => t!("wire.not_logged_in", locale = locale),
        Reply::Hello { .. } => t!("wire.hello_too", locale = locale),
        Reply::Who { total, .. } => t!("wire.online", locale = locale, n = total),
        Reply::NotUnderstood => t!("wire.not_understood", locale = locale),
        Reply::Other(_) => t!("wire.unknown_reply", locale = locale),
    }
    .into_owned()
}

/// What a client's frame says, e.g. "everything up to message 7 is on disk"; also of a starred one.
#[must_use]
pub fn said(frame: &[u8], locale: &str) -> String {
    let Ok(frame) = FromClient::decode(&unstarred(frame)) else {
        return t!("wire.frame_unknown", locale = locale).into_owned();
    };
    match frame {
        FromClient::Register { account, .. } => t!("wire.register", locale = locale, account = account),
        FromClient::Login { account, .. } => t!("wire.login", locale = locale, account = account),
        FromClient::Resume { account, .. } => t!("wire.resume", locale = locale, account = account),
        FromClient::IfFree => t!("wire.if_free", locale = locale),
        FromClient::Logout { forget: false, .. } => t!("wire.offline", locale = locale),
        FromClient::Logout { forget: true, .. } => t!("wire.forget", locale = locale),
        FromClient::Send { counter, to, .. } => t!("wire.send_as", locale = locale, n = counter, account = to),
        FromClient::Ack { cursor } => t!("wire.ack", locale = locale, n = cursor),
        FromClient::Delivered { version } => t!("wire.ask_delivered", locale = locale, n = version),
        FromClient::History { peer, .. } => t!("wire.history", locale = locale, account = peer),
        FromClient::AccountSettings { .. } => t!("wire.ask_settings", locale = locale),
        FromClient::SetDevices { beside: true, .. } => t!("wire.set_beside", locale = locale),
        FromClient::SetDevices { beside: false, .. } => t!("wire.set_alone", locale = locale),
        FromClient::SetSecureOnly { on: true, .. } => t!("wire.set_secure_only", locale = locale),
        FromClient::SetSecureOnly { on: false, .. } => t!("wire.set_plain_too", locale = locale),
        FromClient::LookUp { account, .. } => t!("wire.look_up", locale = locale, account = account),
        FromClient::Items { version } => t!("wire.ask_items", locale = locale, n = version),
        FromClient::Set { item, .. } => t!("wire.set_item", locale = locale, what = named(&item)),
        FromClient::Befriend { account, .. } => t!("wire.befriend", locale = locale, account = account),
        FromClient::AnswerFriend { account, accept: true, .. } => t!("wire.accept", locale = locale, account = account),
        FromClient::AnswerFriend { account, accept: false, .. } => {
            t!("wire.decline", locale = locale, account = account)
        }
        FromClient::Unfriend { account, .. } => t!("wire.unfriend", locale = locale, account = account),
        FromClient::People { accounts, .. } => t!("wire.ask_people", locale = locale, n = accounts.len()),
        FromClient::Find { text, .. } => t!("wire.find", locale = locale, text = text),
        FromClient::Here { away: true } => t!("wire.away", locale = locale),
        FromClient::Here { away: false } => t!("wire.here", locale = locale),
        FromClient::Ping { .. } => t!("wire.ping", locale = locale),
        FromClient::Unknown => t!("wire.frame_unknown", locale = locale),
    }
    .into_owned()
}

/// What a server's frame says, e.g. "message 7 from bob".
#[must_use]
pub fn heard(frame: &[u8], locale: &str) -> String {
    let Ok(frame) = FromServer::decode(&unstarred(frame)) else {
        return t!("wire.frame_unknown", locale = locale).into_owned();
    };
    match frame {
        FromServer::Registered { .. } => t!("wire.registered", locale = locale),
        FromServer::LoggedIn { .. } => t!("wire.logged_in", locale = locale),
        FromServer::LoggedOut { .. } => t!("wire.went_offline", locale = locale),
        FromServer::Accepted { counter, row, .. } => t!("wire.accepted", locale = locale, n = counter, row = row),
        FromServer::Refused { counter, code, .. } => {
            t!("wire.refused", locale = locale, n = counter, why = why(code, locale))
        }
        FromServer::Message { row, from, .. } => t!("wire.message_row", locale = locale, row = row, account = from),
        FromServer::Own { row, to, .. } => t!("wire.own_row", locale = locale, row = row, account = to),
        FromServer::AccountSettings { settings: AccountSettings { beside, secure_only }, .. } => {
            let devices = if beside { "wire.set_beside" } else { "wire.set_alone" };
            let plain = if secure_only { "wire.set_secure_only" } else { "wire.set_plain_too" };
            let (devices, plain) = (t!(devices, locale = locale), t!(plain, locale = locale));
            t!("wire.settings", locale = locale, devices = devices, plain = plain)
        }
        FromServer::Delivered { rows, .. } => t!("wire.delivered", locale = locale, n = rows.len()),
        FromServer::Presence { online, .. } => t!("wire.online", locale = locale, n = online.len()),
        FromServer::Changes { came, went, states } if came.is_empty() && went.is_empty() => {
            t!("wire.states", locale = locale, n = states.len())
        }
        FromServer::Changes { came, went, .. } => {
            t!("wire.changes", locale = locale, came = came.len(), went = went.len())
        }
        FromServer::Kicked { address, .. } => t!("wire.kicked", locale = locale, address = address),
        FromServer::History { messages, .. } => t!("wire.past", locale = locale, n = messages.len()),
        FromServer::Account { account, .. } => t!("wire.there_is", locale = locale, account = account),
        FromServer::Items { version, items, .. } => {
            t!("wire.items", locale = locale, n = items.len(), version = version)
        }
        FromServer::Done { .. } => t!("wire.done", locale = locale),
        FromServer::Question { text, .. } => t!("wire.question", locale = locale, text = text),
        FromServer::People { people, .. } => t!("wire.people", locale = locale, n = people.len()),
        FromServer::Found { people, .. } => t!("wire.found", locale = locale, n = people.len()),
        FromServer::Error { code, .. } => t!("wire.failed", locale = locale, why = why(code, locale)),
        FromServer::Pong { .. } => t!("wire.pong", locale = locale),
        FromServer::Unknown => t!("wire.frame_unknown", locale = locale),
    }
    .into_owned()
}

/// An item as a person reads it: its kind, and what it is about.
fn named(item: &Item) -> String {
    if item.key.is_empty() { item.kind.clone() } else { format!("{} {}", item.kind, item.key) }
}

/// Stars are no token and no proof; zeros are.
fn unstarred(frame: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(frame).into_owned();
    for name in ["token", "proof"] {
        text = text.replace(&format!(r#""{name}":"******""#), &format!(r#""{name}":"{}""#, "00".repeat(32)));
    }
    text.into_bytes()
}

fn why(code: Code, locale: &str) -> String {
    match code {
        Code::AccountExists => t!("wire.account_exists", locale = locale),
        Code::NoAccount => t!("wire.no_such_account", locale = locale),
        Code::MadeAnew => t!("wire.made_anew", locale = locale),
        Code::WrongPassword => t!("wire.wrong_password", locale = locale),
        Code::BadToken => t!("wire.bad_token", locale = locale),
        Code::InUse => t!("wire.already_logged_in", locale = locale),
        Code::NotLoggedIn => t!("wire.not_logged_in", locale = locale),
        Code::IdConflict => t!("wire.id_conflict", locale = locale),
        Code::MailboxFull => t!("wire.mailbox_full", locale = locale),
        Code::BadField => t!("wire.bad_field", locale = locale),
        Code::Malformed => t!("wire.not_understood", locale = locale),
        Code::TryLater => t!("wire.try_later", locale = locale),
        Code::OutOfTurn => t!("wire.out_of_turn", locale = locale),
        Code::Yourself => t!("wire.yourself", locale = locale),
        Code::AlreadyFriends => t!("wire.already_friends", locale = locale),
        Code::NotWanted => t!("wire.not_wanted", locale = locale),
        Code::WrongAnswer => t!("wire.wrong_answer", locale = locale),
        Code::TooMany => t!("wire.too_many", locale = locale),
        Code::Unknown => t!("wire.unknown_reply", locale = locale),
    }
    .into_owned()
}

/// Whether a datagram belongs to the secure dialect, which only the two ends can read.
#[must_use]
pub fn encrypted(datagram: &[u8]) -> bool {
    crate::protocol::link::is_packet(datagram) && std::str::from_utf8(datagram).is_err()
}

/// The datagram with every field of 01 and 02 after the account replaced by six stars, in malformed
/// ones too; what logs, the wire view and line histories keep.
#[must_use]
pub fn starred(datagram: &[u8]) -> Vec<u8> {
    if !(datagram.starts_with(b"01#") || datagram.starts_with(b"02#")) {
        return datagram.to_vec();
    }
    let mut shown = Vec::with_capacity(datagram.len());
    for (i, field) in datagram.split(|b| *b == b'#').enumerate() {
        if i > 0 {
            shown.push(b'#');
        }
        if i < 2 || field.is_empty() {
            shown.extend_from_slice(field);
        } else {
            shown.extend_from_slice(b"******");
        }
    }
    shown
}

/// A datagram as it is typed: `\n`, `\r`, `\t`, `\\` and `\xNN`; the rest as it is.
///
/// # Errors
/// A sentence that names the invalid escape.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                let hex = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| hex);
                bytes.push(byte.ok_or_else(|| format!("\\x{digits}"))?);
            }
            other => return Err(format!("\\{}", other.map_or_else(String::new, String::from))),
        }
    }
    Ok(bytes)
}
