//! The delivery state of a sent message: the states, their names, and what may be done in each. Windows and terminal
//! use the same words from here.

use std::borrow::Cow;

use rust_i18n::t;

/// The delivery state of a message that this account sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendState {
    /// Stored and not sent yet: the server does not answer, or earlier messages come first.
    Waiting,
    /// Sent and not answered yet.
    Sending,
    /// The server forwarded the message (`03:01`).
    Sent,
    /// The recipient is offline or does not exist (`03:02`); the server may keep the message.
    OfflineOrUnknown,
    /// The recipient's account does not exist (the secure dialect).
    Unknown,
    /// The message was not sent: the recipient's account was deleted and its name registered anew (the secure
    /// dialect). If its writer sends it again, it goes to the new account.
    MadeAnew,
    /// Its receiver is offline and will get it: it is on the server's disk (the secure dialect, "Exactly once").
    Kept,
    /// A device of the recipient, or a client of the plain dialect, has received the message (the secure dialect,
    /// "Delivered").
    Delivered,
    /// Sent a second time after the first answer was lost.
    MaybeSentTwice,
    /// The program ended before the answer came; only the writer can send the message again.
    MaybeSent,
    /// Sent twice, and never answered by a server that answers other requests (the plain dialect). It may have
    /// arrived; only its writer sends it again.
    NoAnswer,
    /// The server refused it, or the user gave it up.
    Failed,
}

impl SendState {
    /// Whether sending is still under way. The faces count these messages before the program is closed.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Sending => true,
            Self::Sent
            | Self::OfflineOrUnknown
            | Self::Unknown
            | Self::MadeAnew
            | Self::Kept
            | Self::Delivered
            | Self::MaybeSentTwice
            | Self::MaybeSent
            | Self::NoAnswer
            | Self::Failed => false,
        }
    }

    /// Whether the server has accepted the message.
    #[must_use]
    pub fn went_well(self) -> bool {
        match self {
            Self::Sent | Self::Delivered => true,
            Self::Waiting
            | Self::Sending
            | Self::OfflineOrUnknown
            | Self::Unknown
            | Self::MadeAnew
            | Self::Kept
            | Self::MaybeSentTwice
            | Self::MaybeSent
            | Self::NoAnswer
            | Self::Failed => false,
        }
    }

    /// Whether the writer may send the message again because it is not known to have arrived exactly once. Every face
    /// offers this.
    #[must_use]
    pub fn can_resend(self) -> bool {
        match self {
            Self::Failed
            | Self::MaybeSentTwice
            | Self::MaybeSent
            | Self::NoAnswer
            | Self::OfflineOrUnknown
            | Self::Unknown
            | Self::MadeAnew => true,
            Self::Waiting | Self::Sending | Self::Sent | Self::Kept | Self::Delivered => false,
        }
    }

    /// The state's name in the current language.
    #[must_use]
    pub fn word(self) -> Cow<'static, str> {
        match self {
            Self::Waiting => t!("chat.waiting"),
            Self::Sending => t!("chat.sending"),
            Self::Sent => t!("chat.sent"),
            Self::OfflineOrUnknown => t!("chat.offline"),
            Self::Unknown => t!("chat.unknown_account"),
            Self::MadeAnew => t!("chat.not_sent_anew"),
            Self::Kept => t!("chat.kept"),
            Self::Delivered => t!("chat.delivered"),
            Self::MaybeSentTwice => t!("chat.twice"),
            Self::MaybeSent => t!("chat.maybe"),
            Self::NoAnswer => t!("chat.no_answer"),
            Self::Failed => t!("chat.failed"),
        }
    }
}
