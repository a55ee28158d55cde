//! How far a message of one's own has come: the states, what each is called, and what may be done with it. Windows and
//! terminal say the same by it.

use std::borrow::Cow;

use rust_i18n::t;

/// How far a message of one's own has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendState {
    /// Stored, not sent yet: the server is silent, or others come first.
    Waiting,
    /// On its way, no answer yet.
    Sending,
    /// `03:01`.
    Sent,
    /// `03:02`: offline, or no such account; the server may keep it.
    OfflineOrUnknown,
    /// There is no such account, says a server that knows (the secure dialect).
    Unknown,
    /// It was not sent: the account it was written to is no more, and somebody has registered the name anew (the secure
    /// dialect). Sent again by its writer it goes to the new one.
    MadeAnew,
    /// Its receiver is offline and will get it: it is on the server's disk (the secure dialect, "Exactly once").
    Kept,
    /// A device of its receiver has it, or a plain client (the secure dialect, "Delivered").
    Delivered,
    /// Sent a second time after the first answer was lost.
    MaybeSentTwice,
    /// On its way when the program ended; only its writer sends it again.
    MaybeSent,
    /// Sent twice, and never answered by a server that answers other requests (the plain dialect). It may have
    /// arrived; only its writer sends it again.
    NoAnswer,
    /// The server refused it, or the user gave it up.
    Failed,
}

impl SendState {
    /// Whether it goes on by itself: nothing is to be said of it yet. The faces count these before somebody leaves.
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

    /// Whether nothing more is to be said of it: the server has taken it, and nobody waits for it.
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

    /// Whether its writer may send it once more, as nobody knows that it arrived just once. Every face offers it for these.
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

    /// What it is called, in a few words of the language of the moment.
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
