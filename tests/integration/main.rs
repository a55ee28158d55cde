//! Real sockets on loopback.

mod client;
mod layers;
mod server;
