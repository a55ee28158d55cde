//! Which server, and this machine's own: the only bridge between client and server.
//!
//! - [`own_server`]: finds or starts this machine's own server.
//! - [`server_choice`]: which server, and where it is.

pub mod own_server;
pub mod server_choice;
