//! Both dialects as bytes and values, pure: no socket, no clock, no thread.
//!
//! - [`wire`]: the plain dialect, and the frames of the secure one.
//! - [`link`]: the secure dialect's carrier, QUIC driven sans-IO.

pub mod link;
pub mod wire;
