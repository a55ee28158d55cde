//! The windows. Everything here runs on the main thread: windows show and emit, [`app`] applies, and only [`app`] talks
//! to the client.
//!
//! Its parts:
//!
//! - `app`: the main loop; the only part that talks to the client.
//! - `begin`: opens the first window quickly.
//! - `login_window`: account and password.
//! - `register_window`: a new account.
//! - `main_window`: the friends, the user's state and the connection.
//! - `friend_list`: the list of friends, drawn.
//! - `notice`: what the main window says and asks above its connection line.
//! - `chat_window`: one chat.
//! - `transcript`: the messages of a chat, as bubbles.
//! - `friend_window`: a friend's remark and group, and a request to be friends.
//! - `lists_window`: shows in what two lists differ.
//! - `profile_window`: who one is to others.
//! - `password_window`: changes the password.
//! - `settings_window`: the settings.
//! - `connection_window`: figures, once a second, and the diagnosis.
//! - `wire_window`: the protocol window.
//! - `trust_window`: why a server may be another one, or what would be sent unencrypted.
//! - `actions`: what keys and menus do, each an entry of its window's table.
//! - `keys_window`: the list of all keys; also gives every window its keys.
//! - `file_chooser`: asks for a file.
//! - `dialog`: questions that something waits for.
//! - `menu`: menus that open over a window.
//! - `field_menu`: the menu of fields, and what their keys do.
//! - `screen`: where every window is, how large it is, and whether it is still open.
//! - `sheet`: a window of fields that scrolls and grows, while its buttons stay.
//! - `widgets`: controls that all windows share.
//! - `theme`: colours, measures and the font.
//! - `ink`: colours that are legible on their background. Pure.
//! - `text`: text broken, cut and centred; `whole` for what must not be cut.
//! - `bar`: the scroll bar of views that we draw ourselves.
//! - `canvas`: pictures of what was painted last.
//! - `shape`: round shapes, painted once.
//! - `latin`: which key a shortcut is, whatever alphabet the keyboard types.
//! - `input_method`: opens FLTK's input method, also when one is restarted. X11.
//! - `x11`: what FLTK has no call for.

mod actions;
pub mod app;
mod bar;
pub mod begin;
mod canvas;
pub mod chat_window;
pub mod connection_window;
mod dialog;
mod field_menu;
pub mod file_chooser;
pub mod friend_list;
pub mod friend_window;
mod ink;
#[cfg(all(unix, not(target_os = "macos")))]
mod input_method;
pub mod keys_window;
mod latin;
pub mod lists_window;
pub mod login_window;
pub mod main_window;
mod menu;
pub mod notice;
pub mod password_window;
pub mod profile_window;
pub mod register_window;
pub mod screen;
pub mod settings_window;
mod shape;
mod sheet;
mod text;
pub mod theme;
pub mod transcript;
pub mod trust_window;
pub mod widgets;
pub mod wire_window;
pub mod x11;

use std::net::SocketAddr;
use std::rc::Rc;

pub use app::{quit_soon, run};

use crate::base::model::Account;
use crate::base::settings::{Language, Paths};
use crate::client::session::Dialect;

/// The options of the command line. They take precedence over the settings, and are not saved.
#[derive(Debug, Clone)]
pub struct Args {
    /// The server, as `HOST:PORT`.
    pub server: Option<String>,
    /// The local address to bind to, if it matters.
    pub bind: Option<SocketAddr>,
    /// The dialects that may be spoken.
    pub dialect: Dialect,
    /// Whether passwords may be sent to a server that only speaks the plain dialect.
    pub allow_plain: bool,
    /// The account that is filled into the login window.
    pub account: Option<String>,
    /// The folders of the program's files.
    pub paths: Paths,
    /// The language, if one is chosen.
    pub language: Option<Language>,
    /// Whether windows are dark.
    pub dark: bool,
    /// Whether this machine's own server listens for the local network.
    pub host_lan: bool,
}

/// A password as it was typed, which may be no valid one; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(******)")
    }
}

/// What a window asks for, grouped by the window whose part of `app` does it. Windows emit these and change nothing by
/// themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UiEvent {
    /// A request to the login window's part.
    Login(login_window::Event),
    /// A request to the registration window's part.
    Register(register_window::Event),
    /// A request to the main window's part.
    Main(main_window::Event),
    /// A request about the chat with this account.
    Chat(Account, chat_window::Event),
    /// A request about the window for a friend's remark and group.
    Friend(friend_window::Event),
    /// A request to the part of the window about two lists.
    Lists(lists_window::Event),
    /// A request to the profile window's part.
    Profile(profile_window::Event),
    /// A request to the password window's part.
    Password(password_window::Event),
    /// A request to the settings' part.
    Settings(settings_window::Event),
    /// A request about the window of a doubtful server.
    Trust(trust_window::Event),
    /// A request to the connection window's part.
    Connection(connection_window::Event),
    /// A request to the protocol window's part.
    Wire(wire_window::Event),
    /// A request to the list of keys' part.
    Keys(keys_window::Event),
}

/// The function by which windows emit what they ask for.
pub type Emit = Rc<dyn Fn(UiEvent)>;
