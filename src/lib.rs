//! Hongyan 鸿雁: a classic, synchronous, multithreaded chat program over one blocking UDP socket.
//!
//! The layers, in reading order. Each is a folder of this name; none imports one that comes after it:
//!
//! 1. [`base`]: what every part may use: types that cannot hold what the protocol forbids, settings, logs, timers.
//! 2. [`protocol`]: both dialects as bytes and values, pure.
//! 3. [`probe`]: tries a whole server and writes the test document.
//! 4. [`server`]: accounts, sessions and mailboxes, with an engine that is sans-IO. It imports nothing of `client`.
//! 5. [`client`]: the client's half of both dialects, its socket, threads and database. It imports nothing of `server`.
//! 6. [`local`]: which server, and this machine's own: the only bridge between client and server.
//! 7. [`ui`]: the windows (feature `gui`) and the terminal. Neither imports the other.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "virtual time begins at some instant"))]
#![cfg_attr(test, allow(clippy::string_slice, reason = "a test fails by panicking"))]

rust_i18n::i18n!("locales", fallback = "en");

pub mod base;
pub mod client;
pub mod local;
pub mod probe;
pub mod protocol;
pub mod server;
pub mod ui;
