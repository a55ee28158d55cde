//! The request that is outstanding: what it is for, how often it is sent, and what can still come of it.

use std::time::Instant;

use super::late::{self, LateAnswers};
use crate::base::model::Account;
use crate::client::session::ExtensionRequest;

/// Tries of one request before the server counts as silent.
const TRIES: u8 = 4;
/// Tries of `11#`, which some servers do not answer at all; nothing may wait long for it.
const PROBE_TRIES: u8 = 2;
/// Tries of the fence, which waits less for each; together as long as others.
const FENCE_TRIES: u8 = 6;

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Login,
    /// `08#` after `02:04`: are we served?
    Served,
    /// `06#` and then 02 again, to take over the account's other session.
    TakeOver,
    Offline,
    /// 02 after an unanswered take: our server then offers that message again.
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
    /// 02 with the new password: is it changed?
    TryNew,
    /// `06#` before that is asked once more.
    TryAway,
    /// 02 with the old password, where the new one was refused.
    TryOld,
    /// A request typed in the protocol window; its operation, if it has one.
    ByHand(Option<u8>),
}

/// What a request needs, and what follows where it is not answered: one line of the table in [`Purpose::terms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// The digits it begins with, where that is known.
    pub operation: Option<u8>,
    pub tries: Tries,
    /// Whether an answer to it is certain, so that silence is the server's.
    pub certain: Certain,
    /// When it may go out.
    pub turn: Turn,
    /// Any request but a login confirms the message that was handed out last.
    pub confirms: bool,
    /// Whether whoever waits for it says themselves that the answer has an unknown code.
    pub says_itself: bool,
    /// Whether it still waits for its turn where the server does not know the session any more.
    pub outlives_login: bool,
    /// What it is, where it is none of the course's protocol and goes out unasked, or with a warning.
    pub beyond: Option<ExtensionRequest>,
}

/// How often a request is sent before it counts as unanswered, and how long each answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    /// Never by itself a second time: each that arrives is one more, or it is not known what it does.
    Once,
    /// This often, each time for as long as answers take.
    Most(u8),
    /// This often, each time for as long as the answer to a short question takes.
    Questions(u8),
}

/// Whether a request is answered by every server that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certain {
    Always,
    /// By one that knows the extensions.
    ByOurs,
    Never,
}

impl Tries {
    /// How often it is sent at most.
    pub fn most(self) -> u8 {
        match self {
            Self::Once => 1,
            Self::Most(most) | Self::Questions(most) => most,
        }
    }
}

/// When a request that is wanted goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once, also while a message waits for the disk.
    AtOnce,
    /// When nothing waits for the disk that it would confirm.
    Stored,
    /// When nothing else is to be done; on some servers any request confirms the message in hand.
    Idle,
}

impl Purpose {
    /// The table of requests. A new one is a line here; what its answer becomes, [`super::Session::answered`] asks for, and
    /// what silence does, [`super::Session::timed_out`].
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

    /// The digits it begins with, where that is known.
    pub fn operation(&self) -> Option<u8> {
        self.terms().operation
    }
}

#[derive(Debug)]
pub(super) struct Outstanding {
    pub purpose: Purpose,
    pub bytes: Vec<u8>,
    pub tries: u8,
    /// Answers that came meanwhile and were put down to earlier copies of the same bytes.
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
        // As many are under way as were sent and not answered, whichever copies the answers were to. Counted twice they
        // would claim the next tries' answers as well, for ever.
        self.leave(late, self.sent + late::LATE, self.tries.saturating_sub(self.claimed));
    }
}
