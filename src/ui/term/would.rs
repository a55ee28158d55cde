//! What the session would have done at this point, for requests sent by hand. Pure.

use rust_i18n::t;

use crate::base::model::SendState;
use crate::protocol::wire::reply::{Forwarded, Learned, LoggedIn, PasswordChange, Registered};
use crate::protocol::wire::{Charset, Reply, explain, show};

/// Returns what the session would have done after this request and reply, in one line.
#[must_use]
pub fn session_would(request: &[u8], reply: Option<&[u8]>) -> String {
    let operation = explain::explain(request, Charset::Utf8).operation;
    let Some(reply) = reply else {
        return match operation {
            Some(3) => t!("term.would_fence"),
            Some(5 | 9) => t!("term.would_log_in_again"),
            Some(1 | 2 | 4 | 6 | 8) => t!("term.would_resend"),
            _ => t!("term.would_give_up"),
        }
        .into_owned();
    };
    match Reply::decode(reply, &mut Learned::default()) {
        Reply::Register(code) if show::changes_password(request) => match PasswordChange::from(code) {
            PasswordChange::Done => t!("wire.password_changed"),
            PasswordChange::WrongPassword | PasswordChange::PasswordsDiffer | PasswordChange::NoSuchAccount => {
                t!("term.would_ask_again")
            }
        },
        Reply::Register(Registered::Done) => t!("term.would_fill_login"),
        Reply::Register(Registered::PasswordsDiffer | Registered::AccountExists | Registered::NoSuchAccount) => {
            t!("term.would_ask_again")
        }
        Reply::Login(LoggedIn::Done) => t!("term.would_poll"),
        Reply::Login(LoggedIn::AlreadyLoggedIn) => t!("term.would_try_served"),
        Reply::Login(LoggedIn::WrongPassword | LoggedIn::NoSuchAccount) => t!("term.would_ask_again"),
        Reply::Send(Forwarded::Done) => t!("term.would_mark_sent"),
        Reply::Send(Forwarded::Offline) => t!("term.would_mark", state = SendState::OfflineOrUnknown.word()),
        Reply::Count(0) | Reply::CountAll(0) => t!("term.would_wait"),
        Reply::Count(_) | Reply::CountAll(_) => t!("term.would_take"),
        Reply::Take(Some(_)) | Reply::TakeAll(Some(_)) => t!("term.would_store"),
        Reply::Take(None) | Reply::TakeAll(None) => t!("term.would_wait"),
        Reply::Offline { .. } => t!("term.would_be_offline"),
        Reply::NotLoggedIn => t!("term.would_log_in_again"),
        Reply::Hello { .. } | Reply::Who { .. } => t!("term.would_note"),
        Reply::NotUnderstood => t!("term.would_show_bytes"),
        Reply::Other(_) => t!("term.would_ignore"),
    }
    .into_owned()
}
