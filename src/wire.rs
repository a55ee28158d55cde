//! Datagrams of the plain dialect, and frames of the secure one (`frame`), to values and back. Pure; bytes
//! from the network are data, so no input whatever makes a function here panic.
//!
//! Source: the plain protocol, "Datagram" and its table; the secure dialect, "Messages".

pub mod charset;
pub mod explain;
pub mod frame;
pub mod reply;
pub mod request;
pub mod show;

pub use charset::Charset;
pub use reply::{Learned, Reply, TimeFormat};
pub use request::{Request, RequestError, looks_like_reply};

#[cfg(test)]
mod tests;
