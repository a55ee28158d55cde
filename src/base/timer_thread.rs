//! The loop of the timer threads of client and server: sleep until the last given deadline, call `ring` once, sleep
//! again.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

/// Calls `ring` when the deadline received last has come. The owner sends another deadline only if it is earlier, or
/// after the previous one has passed. A previous deadline that has not rung yet is replaced; otherwise it would ring
/// and the later one would be forgotten. Returns when all senders are gone.
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
