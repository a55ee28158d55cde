//! Hongyan 鸿雁: a classic, synchronous, multithreaded chat program over one blocking UDP socket.
//!
//! The layers, in reading order; none imports one that comes after it:
//!
//! 1. [`model`]: what the protocol forbids cannot be held by these types.
//! 2. [`wire`]: the plain dialect, bytes in and bytes out, pure.
//! 3. [`timer`]: retransmission timeout and backoff as values, pure.
//!    [`link`]: the secure dialect's carrier, sans-IO.
//! 4. [`session`]: the client's half of both dialects, sans-IO.
//!    [`diagnosis`]: why a server cannot be reached, sans-IO.
//!    [`trouble`]: the system's errors in words for a person, for all that follows.
//! 5. [`net`]: the client's socket, receiver thread, timer thread and clock.
//! 6. [`history`]: the client's database and its thread.
//! 7. [`client`]: session, socket and history behind one inbox.
//!    [`tap`]: its traffic as values, for those who want to see it.
//! 8. [`server`]: accounts, sessions and mailboxes, with an engine that is sans-IO.
//! 9. [`host`]: finds or starts this machine's own server.
//!    [`place`]: which server, and where it is.
//! 10. [`roster`]: what stands in a list of friends, for every face.
//!     [`shown`]: other people's texts as they may be shown, pure.
//! 11. `gui`: the windows (feature `gui`).
//! 12. [`term`]: the terminal.
//! 13. [`cli`]: options that programs share; completions and manual pages.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "virtual time begins at some instant"))]
#![cfg_attr(test, allow(clippy::string_slice, reason = "a test fails by panicking"))]

rust_i18n::i18n!("locales", fallback = "en");

mod alarm;
pub mod cli;
pub mod client;
pub mod diagnosis;
pub mod fold;
#[cfg(feature = "gui")]
pub mod gui;
pub mod history;
pub mod host;
mod json;
pub mod link;
pub mod logging;
pub mod model;
pub mod net;
pub mod place;
pub mod private;
pub mod probe;
pub mod roster;
pub mod server;
pub mod session;
pub mod settings;
pub mod shown;
pub mod tap;
pub mod term;
pub mod timer;
pub mod trouble;
pub mod wire;
