//! Datagrams of the plain dialect, and frames of the secure one (`frame`), to values and back. Pure; bytes
//! from the network are data, so no input whatever makes a function here panic.
//!
//! Source: the plain protocol, "Datagram" and its table; the secure dialect, "Messages".
//!
//! Its parts:
//!
//! - `request`: what a client sends.
//! - `reply`: what a server sends.
//! - `frame`: what both send in the secure dialect.
//! - `item`: values of an account that all its devices show alike.
//! - `status`: whether somebody is there, and what they say of it.
//! - `charset`: UTF-8 and GB18030.
//! - `times`: how servers write times.
//! - `show`: one line for a person about a datagram or frame.
//! - `explain`: which byte breaks which rule; refuses exactly what `Request::decode` refuses.

pub mod charset;
pub mod explain;
pub mod frame;
pub mod item;
pub mod reply;
pub mod request;
pub mod show;
pub mod status;
mod times;

pub use charset::Charset;
pub use reply::{Learned, Reply, TimeFormat};
pub use request::{Request, RequestError, looks_like_reply};

/// The protocol's own reference, in Markdown. `locale` is `en` or `zh-CN`.
#[must_use]
pub fn reference(locale: &str) -> &'static str {
    if locale.starts_with("zh") {
        include_str!("../../docs/protocol.zh-CN.md")
    } else {
        include_str!("../../docs/protocol.md")
    }
}

#[cfg(test)]
mod tests;
