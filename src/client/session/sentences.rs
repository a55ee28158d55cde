//! Outcomes as sentences in the current language, the same in every face.

use std::borrow::Cow;
use std::time::Instant;

use rust_i18n::t;

use super::{ConnectionState, ExtensionRequest, LoginOutcome, PasswordOutcome, RegisterOutcome};
use crate::protocol::link::{CloseReason, ENDED, GOING_DOWN};
use crate::protocol::wire::frame::Reason;
use crate::protocol::wire::reply::{LoggedIn, Registered};

impl ConnectionState {
    /// The connection's state as a sentence in the current language.
    #[must_use]
    pub fn sentence(self, now: Instant) -> Cow<'static, str> {
        match self {
            Self::Offline => t!("main.link_offline"),
            Self::LoggingIn => t!("main.link_logging_in"),
            // Nothing is measured before the first request that was answered and not sent again.
            Self::Connected { rtt } if rtt.is_zero() => t!("main.link_connected_only"),
            Self::Connected { rtt } if rtt.as_millis() == 0 => t!("main.link_connected", ms = "< 1"),
            Self::Connected { rtt } => t!("main.link_connected", ms = rtt.as_millis()),
            Self::Waiting => t!("main.link_waiting"),
            Self::Retrying { at } => match at.saturating_duration_since(now).as_secs_f64().ceil() {
                0.0 => t!("main.link_reconnecting"),
                left => t!("main.link_retrying", n = left),
            },
            Self::LoggedOut => t!("main.link_logged_out"),
        }
    }
}

impl CloseReason {
    /// Why the connection ended, as a sentence for the connection window.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::NoAnswer => t!("connection.no_answer"),
            Self::Silent => t!("connection.silent"),
            Self::Restarted => t!("connection.restarted"),
            Self::ClosedByPeer { code, .. } if *code == u64::from(GOING_DOWN) => t!("connection.going_down"),
            Self::ClosedByPeer { code, .. } if *code == u64::from(ENDED) => t!("connection.ended"),
            Self::ClosedByPeer { reason, .. } => t!("connection.closed_by", why = short(reason)),
            Self::KeyChanged(_) => t!("secure.key_changed"),
            Self::KeysDamaged => t!("secure.keys_damaged"),
            Self::Broken(why) => t!("connection.broken", why = short(why)),
            Self::Closed => t!("connection.closed_here"),
        }
    }
}

/// Makes a reason given by the server or the link safe to show on one line.
fn short(why: &str) -> String {
    why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect()
}

/// Returns the sentence why a server answered "later", as far as it gave a reason.
pub(in crate::client) fn later(why: Option<Reason>) -> Cow<'static, str> {
    match why {
        Some(Reason::NotStored) => t!("secure.try_later"),
        Some(Reason::TooManyTries) => t!("secure.too_many_tries"),
        Some(Reason::Unknown) | None => t!("secure.busy"),
    }
}

impl ExtensionRequest {
    /// The sentence that the server may have crashed at this request.
    #[must_use]
    pub fn sentence(self) -> Cow<'static, str> {
        match self {
            Self::Who => t!("gui.ended_at_who"),
            Self::ChangePassword => t!("gui.ended_at_password"),
        }
    }
}

impl RegisterOutcome {
    /// The outcome of a registration as a sentence in the current language.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::Answered { reply: Registered::Done, .. } => t!("gui.registered"),
            Self::Answered { reply: Registered::PasswordsDiffer, .. } => t!("gui.passwords_differ"),
            // The answer to the first try may have been lost.
            Self::Answered { reply: Registered::AccountExists, after_timeout: true } => t!("gui.maybe_registered"),
            Self::Answered { reply: Registered::AccountExists, .. } => t!("gui.account_exists"),
            Self::Answered { reply: Registered::NoSuchAccount, .. } => t!("gui.unknown_code", code = "01:04"),
            Self::NotUnderstood => t!("gui.not_understood"),
            Self::Unknown(code) => t!("gui.unknown_code", code = code),
            Self::NoAnswer => t!("gui.no_answer"),
            Self::Unheard => t!("gui.unheard"),
            Self::TryLater(why) => format!("{} {}", later(*why), t!("secure.later")).into(),
            Self::KeyChanged => t!("secure.key_changed"),
            Self::KeysDamaged => t!("secure.keys_damaged"),
        }
    }
}

impl LoginOutcome {
    /// The outcome of a login as a sentence in the current language.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::Done | Self::Refused(LoggedIn::Done) => t!("wire.logged_in"),
            Self::Refused(LoggedIn::WrongPassword) => t!("gui.wrong_password"),
            Self::Refused(LoggedIn::NoSuchAccount) => t!("gui.no_such_account"),
            Self::Refused(LoggedIn::AlreadyLoggedIn) => t!("wire.already_logged_in"),
            Self::NotUnderstood => t!("gui.not_understood"),
            Self::Unknown(code) => t!("gui.unknown_code", code = code),
            Self::NoAnswer => t!("gui.no_answer"),
            Self::Unheard => t!("gui.unheard"),
            Self::TryLater(why) => format!("{} {}", later(*why), t!("secure.later")).into(),
            Self::NotTaken => t!("gui.not_taken"),
            Self::PasswordNeeded => t!("secure.password_needed"),
            Self::KeyChanged => t!("secure.key_changed"),
            Self::KeysDamaged => t!("secure.keys_damaged"),
            Self::EncryptedOnly => t!("secure.encrypted_only"),
        }
    }

    /// The sentence for an automatic login that was refused after the connection was lost; `None` where
    /// [`LoginOutcome::sentence`] fits as well. Both faces call it.
    #[must_use]
    pub fn on_return(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Refused(LoggedIn::WrongPassword) => Some(t!("gui.password_no_more")),
            Self::Refused(LoggedIn::NoSuchAccount) => Some(t!("gui.account_no_more")),
            Self::Refused(LoggedIn::Done | LoggedIn::AlreadyLoggedIn) => None,
            Self::Done
            | Self::NotUnderstood
            | Self::Unknown(_)
            | Self::NoAnswer
            | Self::Unheard
            | Self::TryLater(_)
            | Self::NotTaken
            | Self::PasswordNeeded
            | Self::KeyChanged
            | Self::KeysDamaged
            | Self::EncryptedOnly => None,
        }
    }
}

impl PasswordOutcome {
    /// The outcome of a change of password as a sentence in the current language.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::Done => t!("password.changed"),
            Self::WrongPassword => t!("password.wrong"),
            Self::PasswordsDiffer => t!("gui.passwords_differ"),
            Self::NoSuchAccount => t!("gui.no_such_account"),
            Self::NotHere => t!("password.not_here"),
            Self::NotTheOneOfLogin => t!("password.not_of_login"),
            Self::NotLoggedIn => t!("password.offline"),
            Self::Unclear(code) => t!("password.unclear", code = code),
            Self::NoAnswer => t!("password.no_answer"),
            Self::Interrupted => t!("password.interrupted"),
            Self::Encrypted => t!("password.encrypted"),
        }
    }
}
