//! Ends a server that nobody uses any more.

use std::time::{Duration, Instant};

use crate::server::engine::{Engine, Now, PRESENCE};

/// Whether the server is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleCheck {
    /// The server does not end by itself.
    Never,
    /// Not yet; look again at this time.
    At(Instant),
    /// Nobody has been present for long enough, so it ends.
    End,
}

/// When a server ends by itself: how long after the last person has left, and when to look next.
#[derive(Debug)]
pub(super) struct IdleExit {
    exit: Option<Duration>,
    look: Option<Instant>,
}

impl IdleExit {
    /// `exit` is how long after the last person has left the server ends; `None` means never.
    pub(super) fn new(exit: Option<Duration>) -> Self {
        Self { exit, look: None }
    }

    /// Returns whether the server is to end. Sessions are only searched when that may matter, not for every datagram.
    pub(super) fn look(&mut self, now: Now, engine: &mut Engine) -> IdleCheck {
        let Some(idle) = self.exit else { return IdleCheck::Never };
        let look = match self.look {
            Some(look) if now.instant < look && !engine.nobody() => look,
            _ => match engine.idle_since(now) {
                Some(since) if now.instant >= since + idle => return IdleCheck::End,
                Some(since) => since + idle,
                None => now.instant + PRESENCE,
            },
        };
        self.look = Some(look);
        IdleCheck::At(look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::Snapshot;
    use crate::server::{OnSecondLogin, Quotas};

    #[test]
    fn it_ends_when_nobody_was_here_for_so_long() {
        let begun = Instant::now();
        let at = |seconds| Now { instant: begun + Duration::from_secs(seconds), unix: 0 };
        let engine =
            || Engine::new(OnSecondLogin::default(), Quotas::default(), |_| String::new(), Snapshot::default(), at(0));
        let (mut never, mut idle) = (IdleExit::new(None), IdleExit::new(Some(Duration::from_secs(10))));
        assert_eq!(never.look(at(1_000), &mut engine()), IdleCheck::Never);
        let mut engine = engine();
        assert_eq!(idle.look(at(3), &mut engine), IdleCheck::At(begun + Duration::from_secs(10)));
        assert_eq!(idle.look(at(10), &mut engine), IdleCheck::End);
    }
}
