//! Which server, and this machine's own: the only bridge between client and server.
//!
//! - [`place`]: which server, and where it is.
//! - [`host`]: finds or starts this machine's own server.

pub mod host;
pub mod place;
