//! Both dialects as bytes and values, pure: no socket, no clock, no thread.
//!
//! - [`link`]: the secure dialect's carrier, QUIC driven sans-IO.
//! - [`wire`]: the plain dialect, and the frames of the secure one.

pub mod link;
pub mod wire;

/// The UDP port where a server of ours listens unless it is told otherwise, and where a name without a port is looked
/// for.
pub const PORT: u16 = 21568;
