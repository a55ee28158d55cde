//! Real sockets on loopback.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and drives real clocks"
)]

mod beside;
mod client;
mod course;
mod crash;
#[cfg(unix)]
mod disk;
mod encrypted;
mod explain;
mod layers;
mod outlive;
#[cfg(unix)]
mod power_cut;
mod probe;
mod protocol_page;
mod reach;
mod secure;
mod secure_page;
mod server;
mod student;
