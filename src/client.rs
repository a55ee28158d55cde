//! The client below its faces. The modules, in reading order; none imports one that comes after it:
//!
//! 1. [`session`]: the client's half of both dialects, sans-IO.
//! 2. [`diagnosis`]: why a server cannot be reached, sans-IO.
//! 3. [`net`]: socket, receiver thread, timer thread and clock.
//! 4. [`history`]: the database and its thread.
//! 5. [`tap`]: the client's traffic as values, for those who want to see it.
//! 6. [`friendship`]: requests to be friends and what becomes of them, in words. Pure.
//! 7. [`roster`]: what stands in a list of friends, for every face. Pure.
//! 8. [`absence`]: whether the person at this device is away. Pure.
//! 9. `client`: session, socket and history behind one inbox: the [`Client`] that a face owns.

pub mod absence;
#[expect(clippy::module_inception, reason = "it is the client; the others are its parts")]
mod client;
pub mod diagnosis;
pub mod friendship;
pub mod history;
pub mod net;
pub mod roster;
pub mod session;
pub mod tap;

pub use client::*;
