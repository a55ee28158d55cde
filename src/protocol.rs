//! Both dialects as bytes and values, pure: no socket, no clock, no thread.
//!
//! - [`link`]: the secure dialect's carrier, QUIC driven sans-IO.
//! - [`wire`]: the plain dialect, and the frames of the secure one.

pub mod link;
pub mod wire;

/// The UDP port on which a Hongyan server listens by default, and which a server's name without a port stands for.
pub const PORT: u16 = 21568;
