//! The windows. Everything here runs on the main thread; windows show and emit, [`app`] applies, and
//! only it talks to the client.
//!
//! Its parts:
//!
//! - `app`: the loop; the only part that talks to the client.
//! - `begin`: how the first window comes quickly.
//! - `login_window`
//! - `register_window`
//! - `main_window`
//! - `friend_list`: drawing the list.
//! - `notice`: what the main window says over its connection line, and asks.
//! - `chat_window`
//! - `transcript`: what was said, as bubbles.
//! - `friend_window`: remark and group.
//! - `password_window`
//! - `settings_window`
//! - `connection_window`: figures, once a second, and the diagnosis.
//! - `wire_window`: the protocol window.
//! - `trust_window`: why a server may be somebody else, or what would go out readable.
//! - `actions`: what keys and menus do, each an entry of its window's table.
//! - `keys_window`: all keys; and how every window gets its own.
//! - `file_chooser`: every question for a path.
//! - `dialog`: questions that something waits for.
//! - `menu`
//! - `field_menu`: the menu of fields, and what their keys do.
//! - `screen`: where every window stands, how large it is, and whether it is still open.
//! - `sheet`: a window of fields, which scrolls and grows while its buttons stay.
//! - `widgets`: controls that all windows share.
//! - `theme`: colours, measures, font.
//! - `ink`: colours that can be read on their ground. Pure.
//! - `text`: text broken, cut and centred; `whole` for what must not be cut.
//! - `bar`: the scroll bar of what we draw ourselves.
//! - `canvas`: pictures of what was painted last.
//! - `shape`: round shapes, painted once.
//! - `latin`: which key a shortcut is, whatever the keyboard writes.
//! - `input_method`: opens FLTK's input method, and anew when another comes. X11.
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
pub mod login_window;
pub mod main_window;
mod menu;
pub mod notice;
pub mod password_window;
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

/// How the windows are opened: what the command line says goes before the settings, and is not kept.
#[derive(Debug, Clone)]
pub struct Args {
    /// `HOST:PORT`
    pub server: Option<String>,
    /// The local address, if it matters.
    pub bind: Option<SocketAddr>,
    /// Which dialects may be spoken.
    pub dialect: Dialect,
    /// Passwords may go to a server that speaks the plain dialect alone.
    pub allow_plain: bool,
    /// Filled into the login window.
    pub account: Option<String>,
    /// Where everything lies.
    pub paths: Paths,
    /// The language.
    pub language: Option<Language>,
    /// Dark windows.
    pub dark: bool,
    /// This machine's server listens for the local network.
    pub host_lan: bool,
}

/// A password as it was typed, which may be none; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(******)")
    }
}

/// What a window asks for, by the window that does it. Windows emit these and change nothing by themselves; the window's
/// part of `app` does what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UiEvent {
    /// Of the login window.
    Login(login_window::Event),
    /// Of the registration window.
    Register(register_window::Event),
    /// Of the main window.
    Main(main_window::Event),
    /// Of the chat with this account.
    Chat(Account, chat_window::Event),
    /// Of the window for a friend's remark and group.
    Friend(friend_window::Event),
    /// Of the password window.
    Password(password_window::Event),
    /// Of the settings.
    Settings(settings_window::Event),
    /// Of the window about a server that may be somebody else.
    Trust(trust_window::Event),
    /// Of the connection window.
    Connection(connection_window::Event),
    /// Of the protocol window.
    Wire(wire_window::Event),
    /// Of the list of keys.
    Keys(keys_window::Event),
}

/// Where windows put what is asked for.
pub type Emit = Rc<dyn Fn(UiEvent)>;
