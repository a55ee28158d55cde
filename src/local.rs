//! Which server, and this machine's own: the only bridge between client and server.
//!
//! - [`host`]: finds or starts this machine's own server.
//! - [`place`]: which server, and where it is.

pub mod host;
pub mod place;
