//! Calling a server: several attempts race, since on a bad network the first packets of one may be
//! lost again and again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quinn_proto::{ClientConfig, ConnectionHandle};

use super::{CloseReason, settings, tls};

/// How much later than the one before a further attempt begins.
const AGAIN: Duration = Duration::from_millis(250);
/// How many attempts race at most.
const MOST: usize = 10;
/// How long no answer may come before the call is given up.
const GIVE_UP: Duration = Duration::from_secs(10);

pub(super) struct Dial {
    to: SocketAddr,
    pins: Vec<Vec<u8>>,
    attempts: Vec<ConnectionHandle>,
    begun: usize,
    next: Instant,
    give_up: Instant,
    /// A key that is none of the pins.
    shown: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Dial {
    pub(super) fn new(now: Instant, to: SocketAddr, pins: Vec<Vec<u8>>) -> Self {
        let shown = Arc::default();
        Self { to, pins, attempts: Vec::new(), begun: 0, next: now, give_up: now + GIVE_UP, shown }
    }

    pub(super) fn to(&self) -> SocketAddr {
        self.to
    }

    pub(super) fn deadline(&self) -> Instant {
        if self.begun < MOST { self.next } else { self.give_up }
    }

    pub(super) fn given_up(&self, now: Instant) -> Option<CloseReason> {
        (now >= self.give_up).then_some(CloseReason::NoAnswer)
    }

    /// What to begin the next attempt with, if it is time.
    pub(super) fn attempt(&mut self, now: Instant) -> Option<ClientConfig> {
        if now < self.next || self.begun >= MOST {
            return None;
        }
        self.begun += 1;
        self.next = now + AGAIN;
        let crypto = tls::client(self.pins.clone(), Arc::clone(&self.shown))?;
        Some(settings::client(crypto))
    }

    pub(super) fn began(&mut self, handle: ConnectionHandle) {
        self.attempts.push(handle);
    }

    pub(super) fn ended(&mut self, handle: ConnectionHandle) {
        self.attempts.retain(|h| *h != handle);
    }

    pub(super) fn take_attempts(&mut self) -> Vec<ConnectionHandle> {
        std::mem::take(&mut self.attempts)
    }

    pub(super) fn shown_instead(&self) -> Option<Vec<u8>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
