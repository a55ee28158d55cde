//! Real sockets on loopback.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and drives real clocks"
)]

#[cfg(target_os = "linux")]
mod addresses;
mod anew;
mod beside;
mod client;
mod course;
mod crash;
mod daemon;
#[cfg(unix)]
mod disk;
mod encrypted;
mod explain;
mod layers;
mod lists;
mod logging;
#[cfg(target_os = "linux")]
mod namespace;
mod outlive;
mod people;
#[cfg(unix)]
mod power_cut;
mod probe;
#[path = "../shared/process.rs"]
mod process;
mod protocol_page;
mod reach;
mod running;
mod secure;
mod secure_page;
mod server;
mod student;
