//! What can be read of the connection and of the server's keys, in whichever dialect is spoken.

use std::time::{Duration, Instant};

use super::Session;
use crate::client::session::{TappedFrame, plain};
use crate::protocol::link;
use crate::protocol::wire::frame::Key;

impl Session {
    /// How the secure connection is doing.
    #[must_use]
    pub fn figures(&self) -> Option<link::Figures> {
        self.state.secure()?.figures()
    }

    /// See [`secure::Session::poll_framed`].
    pub fn poll_framed(&mut self) -> Option<TappedFrame> {
        self.state.secure_mut()?.poll_framed()
    }

    /// See [`secure::Session::deviation`].
    #[must_use]
    pub fn deviation(&self) -> Option<Duration> {
        self.state.secure()?.deviation()
    }

    /// See [`secure::Session::measure`]; the plain dialect measures with what it asks anyway.
    pub fn measure(&mut self, now: Instant) {
        if let Some(secure) = self.state.secure_mut() {
            secure.measure(now);
        }
        self.listen();
    }

    /// See [`secure::Session::trouble`].
    pub fn trouble(&mut self) -> Option<link::CloseReason> {
        self.state.secure_mut()?.trouble()
    }

    /// What lets this device in without a password, as far as the server has said.
    #[must_use]
    pub fn token(&self) -> Option<Key<32>> {
        self.state.secure()?.token()
    }

    /// How the plain dialect is doing; nothing of it while the other one is spoken.
    #[must_use]
    pub fn plain_figures(&self) -> plain::Figures {
        self.state.text().map(plain::Session::figures).unwrap_or_default()
    }

    /// The keys the server may show.
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
