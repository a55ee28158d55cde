//! The course's programs in `examples/`, each run as a student runs it, against our server on loopback.
//! The ones that are wrong on purpose are shown to be wrong.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test waits in real time and fails by panicking"
)]

mod console;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod desk;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod friends;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod network;
#[path = "../shared/process.rs"]
mod process;
mod program;
#[cfg(target_os = "linux")]
mod sockets;
mod text;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod threads;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod windows;
