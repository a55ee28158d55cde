//! The client's socket, receiver thread, timer thread and clock: the only place on the client's side
//! that knows any of them. The receiver only receives and stamps; the timer only says that a deadline
//! has come; both ring the main loop's bell, which empties their lanes.
//!
//! Its parts:
//!
//! - `receiver`: the socket and the thread that only receives.
//! - `timer`: the thread that waits for a deadline.
//! - `clock`: the only place where the clock is read.
//! - `lookup`: which of a name's addresses answers: all are asked, a little apart.
//! - `reach`: the diagnosis with a socket, a look-up and a clock, on a thread that nobody joins, as a look-up cannot
//!   be ended.
//! - `single_instance`: an account that is opened twice.

pub mod clock;
pub mod lookup;
pub mod reach;
pub mod receiver;
pub mod single_instance;
pub mod timer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use clock::Now;
pub use lookup::FoundAddress;
pub use receiver::{Arrival, Socket};
pub use single_instance::InstanceListener;
pub use timer::Timer;

/// What a thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// Windows' events, or the bell.
    Bell,
    /// A datagram, in `recv_from`.
    Datagram,
    /// The next deadline, or an earlier one.
    Deadline,
    /// Something to store or read.
    Operation,
}

/// The figures of one thread, for the protocol window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadFigures {
    /// The thread's name, as the operating system shows it.
    pub name: &'static str,
    /// What the thread blocks on.
    pub waits_for: WaitsFor,
    /// How many inputs wait in its queue; for the receiver, how many datagrams wait in the inbox.
    pub queued: usize,
    /// How many inputs it has handled so far.
    pub handled: u64,
    /// How many inputs it has dropped so far.
    pub dropped: u64,
}

/// Wakes the main loop once for however much has arrived: the waker is called only when nobody has
/// called it since the loop last looked.
#[derive(Clone)]
pub struct Bell(Arc<Inner>);

struct Inner {
    pending: AtomicBool,
    waker: Box<dyn Fn() + Send + Sync>,
}

impl Bell {
    /// `waker` is called on any thread; it must not block.
    #[must_use]
    pub fn new(waker: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { pending: AtomicBool::new(false), waker: Box::new(waker) }))
    }

    /// Wakes the main loop; a thread calls it after it has put something into a queue.
    pub fn ring(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            (self.0.waker)();
        }
    }

    /// The main loop calls this *before* it empties the lanes, so that what comes during the emptying
    /// rings again.
    pub fn answer(&self) {
        // Read as well as written (acquire): a thread that found the bell already rung has put something into a lane
        // before, and this must be seen now, because the bell does not ring for it again.
        self.0.pending.swap(false, Ordering::AcqRel);
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("pending", &self.0.pending).finish_non_exhaustive()
    }
}
