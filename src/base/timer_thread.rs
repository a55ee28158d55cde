//! What a timer thread does, a client's or a server's: it sleeps until the deadline it was told last, says so once, and
//! sleeps again.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

/// Calls `ring` when the deadline that was told last has come. Its owner tells another only if that is earlier, or when
/// the one before has passed. That may not have rung yet: were it kept, it would ring and the later one be forgotten.
/// Returns when nobody can tell any more.
pub(crate) fn run(deadlines: &Receiver<Instant>, mut ring: impl FnMut()) {
    let mut next: Option<Instant> = None;
    loop {
        let told = match next {
            Some(at) => deadlines.recv_deadline(at),
            None => deadlines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match told {
            Ok(at) => next = Some(at),
            Err(RecvTimeoutError::Timeout) => {
                next = None;
                ring();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_told_when_another_has_just_passed_is_kept() {
        let (tell, deadlines) = crossbeam_channel::unbounded();
        let (rang, rings) = crossbeam_channel::unbounded();
        let ring = move || {
            let _ = rang.send(());
        };
        let thread = std::thread::spawn(move || run(&deadlines, ring));
        for round in 0..2_000 {
            let first = Instant::now() + Duration::from_micros(50);
            tell.send(first).expect("the thread is there");
            while Instant::now() < first {
                std::hint::spin_loop();
            }
            // As after a datagram that came at that moment.
            let second = Instant::now() + Duration::from_micros(50);
            tell.send(second).expect("the thread is there");
            while Instant::now() < second {
                assert!(rings.recv_timeout(Duration::from_secs(10)).is_ok(), "round {round}");
            }
            while rings.try_recv().is_ok() {}
        }
        drop(tell);
        thread.join().expect("it ends");
    }
}
