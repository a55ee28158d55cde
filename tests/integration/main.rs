//! Real sockets on loopback.

mod layers;
mod server;
