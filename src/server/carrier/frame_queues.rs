//! Frames that come faster than their device's budget allows wait for their turn, in order. A client that waits for
//! answers never has more under way than fits here.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use crate::protocol::link::PeerId;
use crate::server::limits::{Buckets, Rate};

/// The rate of frames of one device.
const FRAMES: Rate = Rate { per_second: 2_000.0, burst: 4_000.0 };
/// The most frames of one device that wait: our own clients have 64 messages under way.
const MOST: usize = 256;
const MOST_BYTES: usize = 256 << 10;

/// What happens to a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// The frame is handled now.
    Now(Vec<u8>),
    /// The frame waits.
    Later,
    /// Too many wait already: the client does not wait for answers.
    TooMany,
}

#[derive(Debug)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    at: Instant,
}

/// The frames that wait, by connection.
#[derive(Debug)]
pub(super) struct FrameQueues {
    budget: Buckets<PeerId>,
    queues: HashMap<PeerId, Queue>,
    due: BTreeSet<(Instant, PeerId)>,
}

impl Default for FrameQueues {
    fn default() -> Self {
        Self { budget: Buckets::new(FRAMES, 65_536), queues: HashMap::new(), due: BTreeSet::new() }
    }
}

impl FrameQueues {
    /// Takes a frame. None is kept for a connection that is not logged in (`stranger`).
    pub(super) fn frame(&mut self, now: Instant, peer: PeerId, bytes: Vec<u8>, stranger: bool) -> Admission {
        if let Some(queue) = self.queues.get_mut(&peer) {
            if queue.frames.len() >= MOST || queue.bytes + bytes.len() > MOST_BYTES {
                return Admission::TooMany;
            }
            queue.bytes += bytes.len();
            queue.frames.push_back(bytes);
            return Admission::Later;
        }
        if self.budget.take(peer, now) {
            return Admission::Now(bytes);
        }
        match self.budget.ready(peer, 1.0, now) {
            Some(at) if !stranger => {
                self.due.insert((at, peer));
                self.queues.insert(peer, Queue { bytes: bytes.len(), frames: VecDeque::from([bytes]), at });
                Admission::Later
            }
            _ => Admission::TooMany,
        }
    }

    /// Returns the next frame whose time has come.
    pub(super) fn next(&mut self, now: Instant) -> Option<(PeerId, Vec<u8>)> {
        let (at, peer) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, peer));
        let queue = self.queues.get_mut(&peer)?;
        let frame = queue.frames.pop_front();
        self.budget.take(peer, now);
        queue.bytes -= frame.as_ref().map_or(0, Vec::len);
        if queue.frames.is_empty() {
            self.queues.remove(&peer);
        } else {
            queue.at = self.budget.ready(peer, 1.0, now).unwrap_or(now);
            self.due.insert((queue.at, peer));
        }
        frame.map(|frame| (peer, frame))
    }

    /// Forgets a connection and its frames.
    pub(super) fn forget(&mut self, peer: PeerId) {
        if let Some(queue) = self.queues.remove(&peer) {
            self.due.remove(&(queue.at, peer));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waits_for_answers_is_served_in_order_and_a_flood_is_not_kept() {
        let (begun, peer) = (Instant::now(), PeerId(1));
        let (mut waiting, mut now) = (FrameQueues::default(), begun);
        // 64 frames under way at a time, and the next one after each answer.
        let (mut sent, mut served) = (0_u32, 0);
        while served < 20_000 {
            while sent < served + 64 {
                match waiting.frame(now, peer, sent.to_be_bytes().to_vec(), false) {
                    Admission::Now(bytes) => {
                        assert_eq!(bytes, served.to_be_bytes());
                        served += 1;
                    }
                    turn => assert_eq!(turn, Admission::Later),
                }
                sent += 1;
            }
            now = waiting.poll_timeout().expect("some wait");
            while let Some((_, bytes)) = waiting.next(now) {
                assert_eq!(bytes, served.to_be_bytes());
                served += 1;
            }
        }
        let took = now - begun;
        assert!(took > Duration::from_millis(7_800) && took < Duration::from_millis(8_200), "{took:?}");
        let kept = (0..10_000).take_while(|_| waiting.frame(now, peer, vec![0; 8], false) == Admission::Later).count();
        assert!(kept < MOST, "{kept}");
        waiting.forget(peer);
        assert_eq!((waiting.poll_timeout(), waiting.next(now + Duration::from_secs(9))), (None, None));
        // Fewer long frames are kept.
        let long = |waiting: &mut FrameQueues| waiting.frame(now, peer, vec![0; 60_000], false);
        while matches!(long(&mut waiting), Admission::Now(_)) {}
        assert_eq!((0..10).filter(|_| long(&mut waiting) == Admission::Later).count(), 3);
        let stranger = PeerId(2);
        while matches!(waiting.frame(now, stranger, vec![0], true), Admission::Now(_)) {}
        assert_eq!(waiting.frame(now, stranger, vec![0], true), Admission::TooMany);
    }
}
