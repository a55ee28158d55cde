//! Figures of the connection and the server's keys, for both dialects.

use std::time::{Duration, Instant};

use super::Session;
use crate::client::session::{TappedFrame, plain};
use crate::protocol::link;
use crate::protocol::wire::frame::Key;

impl Session {
    /// The figures of the secure connection; `None` in the plain dialect.
    #[must_use]
    pub fn figures(&self) -> Option<link::Figures> {
        self.state.secure()?.figures()
    }

    /// Returns the next decrypted frame for the protocol window; always `None` in the plain dialect.
    pub fn poll_framed(&mut self) -> Option<TappedFrame> {
        self.state.secure_mut()?.poll_framed()
    }

    /// Returns the mean deviation of the round-trip time in the secure dialect, once it is known.
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        self.state.secure()?.deviation()
    }

    /// Measures the round-trip time in the secure dialect. The plain dialect measures it with its usual requests.
    pub fn measure(&mut self, now: Instant) {
        if let Some(secure) = self.state.secure_mut() {
            secure.measure(now);
        }
        self.listen();
    }

    /// Returns why the secure connection was lost since the last call, if it was.
    pub fn trouble(&mut self) -> Option<link::CloseReason> {
        self.state.secure_mut()?.trouble()
    }

    /// The token that the server gave this device, if it gave one.
    #[must_use]
    pub fn token(&self) -> Option<Key<32>> {
        self.state.secure()?.token()
    }

    /// The figures of the plain dialect; all zero while the secure dialect is spoken.
    #[must_use]
    pub fn plain_figures(&self) -> plain::Figures {
        self.state.text().map(plain::Session::figures).unwrap_or_default()
    }

    /// The server's pins.
    #[must_use]
    pub fn pins(&self) -> &[Vec<u8>] {
        &self.choice.known().pins
    }

    /// Whether the server has ever spoken the secure dialect, as far as is known.
    #[must_use]
    pub fn was_ever_secure(&self) -> bool {
        self.choice.known().secure_only
    }
}
