//! What a timer thread does, a client's or a server's: it sleeps until the earliest of the deadlines it was told, says
//! so once, and sleeps again.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

/// Calls `ring` when a deadline has come; all others that were told are forgotten then, and the owner tells the next.
/// Returns when nobody can tell any more.
pub(crate) fn run(deadlines: &Receiver<Instant>, mut ring: impl FnMut()) {
    let mut next: Option<Instant> = None;
    loop {
        let told = match next {
            Some(at) => deadlines.recv_deadline(at),
            None => deadlines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match told {
            Ok(at) => next = Some(next.map_or(at, |n| n.min(at))),
            Err(RecvTimeoutError::Timeout) => {
                next = None;
                ring();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
