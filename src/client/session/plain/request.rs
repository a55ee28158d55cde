//! The request that is outstanding: what it is for, how often it is sent, and what can still come of it.

use std::time::Instant;

use super::late::{self, Late};
use crate::base::model::Account;
use crate::client::session::Beyond;

/// Tries of one request before the server counts as silent.
const TRIES: u8 = 4;
/// Tries of `11#`, which some servers do not answer at all; nothing may wait long for it.
const PROBE_TRIES: u8 = 2;
/// Tries of the fence, which waits less for each; together as long as others.
const FENCE_TRIES: u8 = 6;

/// What the outstanding request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Login,
    /// `08#` after `02:04`: are we served?
    Served,
    /// `06#`, then 02 again.
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
    /// 01 with four fields.
    ChangePassword,
    /// 02 with the new password: is it changed?
    TryNew,
    /// `06#` before that is asked once more.
    TryAway,
    /// 02 with the old password, where the new one was refused.
    TryOld,
    /// Typed in the protocol window; its operation, if it has one.
    ByHand(Option<u8>),
}

impl Purpose {
    /// The digits it begins with, where that is known.
    pub fn operation(&self) -> Option<u8> {
        Some(match self {
            Self::Register | Self::ChangePassword => 1,
            Self::Login | Self::Release | Self::TryNew | Self::TryOld => 2,
            Self::Send => 3,
            Self::PollFriend(_) => 4,
            Self::TakeFriend(_) => 5,
            Self::Offline | Self::TakeOver | Self::TryAway => 6,
            Self::Served | Self::Poll | Self::Fence => 8,
            Self::Take => 9,
            Self::Probe => 11,
            Self::ByHand(operation) => return *operation,
        })
    }

    pub fn most_tries(&self) -> u8 {
        match self {
            Self::Probe => PROBE_TRIES,
            Self::Fence => FENCE_TRIES,
            _ => TRIES,
        }
    }

    /// One of those that change a password.
    pub fn changes_password(&self) -> bool {
        matches!(self, Self::ChangePassword | Self::TryNew | Self::TryAway | Self::TryOld)
    }

    /// What it is, where it is none of the course's protocol and goes out unasked, or with a warning.
    pub fn beyond(&self) -> Option<Beyond> {
        match self {
            Self::Probe => Some(Beyond::Who),
            Self::ChangePassword => Some(Beyond::ChangePassword),
            _ => None,
        }
    }

    /// Asked when nothing else is to be done; on some servers any request confirms the message in hand.
    pub fn can_wait(&self) -> bool {
        matches!(self, Self::Probe | Self::PollFriend(_))
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
    pub fn waited(&self) -> late::Waited {
        late::Waited {
            mark: late::mark(&self.bytes),
            operation: self.purpose.operation(),
            exact: self.purpose == Purpose::Served,
        }
    }

    /// Stops waiting for it; `copies` of it may still be answered, until `until`.
    pub fn leave(&self, late: &mut Late, until: Instant, copies: u8) {
        late.expect(self.purpose.operation(), late::mark(&self.bytes), until, copies.into());
    }

    /// The same where none of them was answered.
    pub fn leave_unanswered(&self, late: &mut Late) {
        // As many are under way as were sent and not answered, whichever copies the answers were to. Counted twice they
        // would claim the next tries' answers as well, for ever.
        self.leave(late, self.sent + late::LATE, self.tries.saturating_sub(self.claimed));
    }
}
