//! The outstanding request: what it is for, how often it is sent, and what may still be answered.

use std::time::Instant;

use super::late::{self, LateAnswers};
use crate::base::model::Account;
use crate::client::session::ExtensionRequest;

/// The most tries of a request before the server counts as silent.
const TRIES: u8 = 4;
/// The most tries of `11#`, which some servers never answer; nothing may wait long for it.
const PROBE_TRIES: u8 = 2;
/// The most tries of the fence, each of which waits for a shorter time; together they take as long as others.
const FENCE_TRIES: u8 = 6;

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Login,
    /// `08#` after `02:04`: asks whether the session is served.
    Served,
    /// `06#`, to be followed by another 02, to take over the account's other session.
    TakeOver,
    Offline,
    /// 02 after a take without an answer, upon which our server offers the message again.
    Release,
    Probe,
    Poll,
    PollFriend(Account),
    Take,
    TakeFriend(Account),
    Send,
    Fence,
    /// 01 with four fields, to change the password.
    ChangePassword,
    /// 02 with the new password, to see whether it was changed.
    TryNew,
    /// `06#` before 02 is sent once more with the new password.
    TryAway,
    /// 02 with the old password, after the new one was refused.
    TryOld,
    /// A request typed in the protocol window, with its operation if it has one.
    ByHand(Option<u8>),
}

/// The properties of a request: one row of the table in [`Purpose::terms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// The operation that it begins with, if that is known.
    pub operation: Option<u8>,
    pub tries: Tries,
    /// Whether every server answers it, so that silence means that the server is silent.
    pub certain: Certain,
    /// When it may go out.
    pub turn: Turn,
    /// Whether it confirms the message that was handed out last, as any request but a login does.
    pub confirms: bool,
    /// Whether the code that handles its answer reports an unknown code itself.
    pub says_itself: bool,
    /// Whether it still waits for its turn after the server has ended the session.
    pub outlives_login: bool,
    /// The kind of extension it is, if it is not part of the course's protocol and is sent automatically or with a
    /// warning.
    pub beyond: Option<ExtensionRequest>,
}

/// How often a request is sent before it counts as unanswered, and how long each answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    /// Once, and never repeated automatically: each copy that arrives has its own effect, or its effect is unknown.
    Once,
    /// At most this often; each answer may take as long as answers usually do.
    Most(u8),
    /// At most this often; each answer may take as long as that to a short question.
    Questions(u8),
}

/// Which servers answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certain {
    Always,
    /// Servers that know the extensions.
    ByOurs,
    Never,
}

impl Tries {
    /// Returns how often it is sent at most.
    pub fn most(self) -> u8 {
        match self {
            Self::Once => 1,
            Self::Most(most) | Self::Questions(most) => most,
        }
    }
}

/// When a request that waits goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once, even while a message waits for the disk.
    AtOnce,
    /// When no message waits for the disk, which it would confirm.
    Stored,
    /// When nothing else is to be done; on some servers any request confirms the message handed out last.
    Idle,
}

impl Purpose {
    /// The table of requests. A new one is a row here; [`super::Session::answered`] handles its answer and
    /// [`super::Session::timed_out`] its silence.
    pub fn terms(&self) -> Terms {
        let most = Tries::Most(TRIES);
        let (certain, turn) = (Certain::Always, Turn::Stored);
        let usual = |operation| Terms {
            operation: Some(operation),
            tries: most,
            certain,
            turn,
            confirms: true,
            says_itself: false,
            outlives_login: false,
            beyond: None,
        };
        let changes = |operation| Terms { says_itself: true, outlives_login: true, ..usual(operation) };
        match self {
            Self::Register => Terms { turn: Turn::AtOnce, confirms: false, says_itself: true, ..usual(1) },
            Self::Login => Terms { turn: Turn::AtOnce, confirms: false, says_itself: true, ..usual(2) },
            Self::Served => Terms { says_itself: true, ..usual(8) },
            Self::TakeOver | Self::Offline => usual(6),
            Self::Release => Terms { confirms: false, ..usual(2) },
            Self::Probe => Terms {
                tries: Tries::Most(PROBE_TRIES),
                certain: Certain::ByOurs,
                turn: Turn::Idle,
                says_itself: true,
                beyond: Some(ExtensionRequest::Who),
                ..usual(11)
            },
            Self::Poll => usual(8),
            Self::PollFriend(_) => Terms { turn: Turn::Idle, ..usual(4) },
            Self::Take => Terms { tries: Tries::Once, ..usual(9) },
            Self::TakeFriend(_) => Terms { tries: Tries::Once, ..usual(5) },
            Self::Send => Terms { tries: Tries::Once, ..usual(3) },
            Self::Fence => Terms { tries: Tries::Questions(FENCE_TRIES), ..usual(8) },
            Self::ChangePassword => Terms { beyond: Some(ExtensionRequest::ChangePassword), ..changes(1) },
            Self::TryNew | Self::TryOld => changes(2),
            Self::TryAway => changes(6),
            Self::ByHand(operation) => Terms {
                operation: *operation,
                tries: Tries::Once,
                certain: Certain::Never,
                outlives_login: true,
                ..usual(0)
            },
        }
    }

    /// Returns the operation that it begins with, if that is known.
    pub fn operation(&self) -> Option<u8> {
        self.terms().operation
    }
}

#[derive(Debug)]
pub(super) struct Outstanding {
    pub purpose: Purpose,
    pub bytes: Vec<u8>,
    pub tries: u8,
    /// How many answers have come that were attributed to earlier copies of the same bytes.
    pub claimed: u8,
    pub sent: Instant,
    pub due: Instant,
}

impl Outstanding {
    pub fn waited(&self) -> late::AwaitedRequest {
        late::AwaitedRequest {
            mark: late::mark(&self.bytes),
            operation: self.purpose.operation(),
            exact: self.purpose == Purpose::Served,
        }
    }

    /// Stops waiting for it; `copies` of it may still be answered, until `until`.
    pub fn leave(&self, late: &mut LateAnswers, until: Instant, copies: u8) {
        late.expect(self.purpose.operation(), late::mark(&self.bytes), until, copies.into());
    }

    /// Stops waiting for the request when no try was answered; each copy sent may still be answered.
    pub fn leave_unanswered(&self, late: &mut LateAnswers) {
        // As many answers are under way as copies were sent and not answered, whichever copies those answers belonged
        // to. If they were counted twice, they would be taken for answers to the next tries too, for ever.
        self.leave(late, self.sent + late::LATE, self.tries.saturating_sub(self.claimed));
    }
}
