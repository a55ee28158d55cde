//! The windows. Everything here runs on the main thread; windows show and emit, [`app`] applies, and
//! only it talks to the client.

pub mod app;
pub mod chat_window;
pub mod login;
pub mod main_window;
pub mod theme;
pub mod widgets;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use app::run;

use crate::model::Account;

/// How the windows are opened.
#[derive(Debug, Clone)]
pub struct Args {
    /// The server.
    pub server: SocketAddr,
    /// The data directory of this machine's own server, if that is the one used.
    pub local_server: Option<PathBuf>,
    /// The local address, if it matters.
    pub bind: Option<SocketAddr>,
    /// Filled into the login window.
    pub account: String,
    /// Where this profile's histories lie.
    pub profile: PathBuf,
    /// `en` or `zh-CN`.
    pub locale: &'static str,
    /// Dark windows.
    pub dark: bool,
}

/// What a window asks for. Windows emit these and change nothing by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UiEvent {
    /// The login window's button.
    Login { account: String, password: String },
    /// Opens the registration window.
    OpenRegister,
    /// The registration window's button.
    Register { account: String, password: String, confirm: String },
    /// Adds somebody to the list.
    AddFriend(String),
    /// Opens the chat with somebody.
    OpenChat(Account),
    /// Sends a text.
    Send { peer: Account, text: String },
    /// A chat window was closed.
    ChatClosed(Account),
    /// Asks the server now.
    Fetch,
    /// The main window is to be closed.
    Quit,
}
