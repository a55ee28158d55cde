//! The windows. Everything here runs on the main thread; windows show and emit, [`app`] applies, and
//! only it talks to the client.
//!
//! Its parts:
//!
//! - `app`: the loop; the only part that talks to the client.
//! - `begin`: how the first window comes quickly.
//! - `login`: the login window and the registration window.
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
//! - `canvas`: pictures of what was painted last.
//! - `shape`: round shapes, painted once.
//! - `latin`: which key a shortcut is, whatever the keyboard writes.
//! - `input_method`: opens FLTK's input method, and anew when another comes. X11.
//! - `x11`: what FLTK has no call for.

mod actions;
pub mod app;
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
pub mod login;
pub mod main_window;
mod menu;
pub mod notice;
pub mod password_window;
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

pub use app::{quit_soon, run};

use crate::base::model::{Account, MessageId};
use crate::base::settings::{Language, Paths};
use crate::client::session::Dialect;
use crate::probe::hand::Expectation;

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

/// What a window asks for. Windows emit these and change nothing by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are named by what they hold")]
pub enum UiEvent {
    /// The login window's button.
    Login { account: String, password: Secret },
    /// Another account stands in the login window.
    LoginAccount(String),
    /// This account shall need its password again on this device.
    ForgetDevice(String),
    /// Opens the registration window.
    OpenRegister,
    /// The registration window's button.
    Register(login::RegisterForm),
    /// The login window was closed.
    LoginClosed,
    /// Chinese instead of English, or the other way round.
    OtherLanguage,
    /// Opens the settings.
    OpenSettings,
    /// The settings window's button.
    SaveSettings(settings_window::SettingsForm),
    /// The settings window was closed.
    SettingsClosed,
    /// The registration window was closed.
    RegisterClosed,
    /// The window for a friend's remark and group: of a known account, or of somebody new.
    EditFriend(String),
    /// That window's button.
    SaveFriend(friend_window::Form),
    /// The password window's button.
    ChangePassword(password_window::Form),
    /// The password window was closed.
    PasswordClosed,
    /// That window was closed.
    FriendClosed,
    /// Takes somebody off the list, after a question.
    RemoveFriend(Account),
    /// The same, with all messages.
    DeletePerson(Account),
    /// Blocks somebody, or not any more.
    Block(Account, bool),
    /// Asks for a file and adds who stands in it.
    ImportFriends,
    /// Asks for a file and writes the list into it.
    ExportFriends,
    /// The menu of a friend's row, at this place of the main window.
    FriendMenu(Box<crate::client::roster::Person>, i32, i32),
    /// One's own menu, at this place of the main window.
    Menu(i32, i32),
    /// Opens or closes a heading of the list.
    Toggle(crate::client::roster::Section),
    /// Opens the chat with somebody.
    OpenChat(Account),
    /// A chat window is looked at.
    Looked(Account),
    /// A transcript needs its rows anew.
    Index(Account),
    /// What the server has of before a chat's first message is wanted.
    Earlier(Account),
    /// A transcript needs texts.
    Page { peer: Account, first: u32, count: u32 },
    /// Sends a text.
    Send { peer: Account, text: String },
    /// Sends a message once more.
    Resend { peer: Account, id: MessageId },
    /// Something was typed to somebody.
    Typed(Account),
    /// A chat window was closed.
    ChatClosed(Account),
    /// Opens the protocol window.
    OpenWire,
    /// That window was closed.
    WireClosed,
    /// A datagram typed there, and what is expected of it.
    ByHand { bytes: Vec<u8>, expectation: Expectation },
    /// What was typed there is to be written into a file as a test document.
    SaveTrials,
    /// The datagrams shown there are to be written into a file.
    SaveWire(String),
    /// That window shows the threads.
    ThreadsWanted,
    /// Opens the connection window.
    OpenConnection,
    /// That window was closed.
    ConnectionClosed,
    /// That window shows how the connection is doing.
    ConnectionWanted,
    /// Why this server cannot be reached, if so.
    FindOut(String),
    /// Opens the list of keys.
    OpenKeys,
    /// That list was closed.
    KeysClosed,
    /// Goes online, or offline.
    SetOnline(bool),
    /// Back to the login window, for another account.
    SwitchAccount,
    /// The same, and this account shall need its password again on this device.
    LeaveDevice,
    /// Opens the password window.
    OpenPassword,
    /// Takes the account's place back from another device.
    TakeBack,
    /// Leaves it there.
    StayOffline,
    /// Back to the login window, as the password is needed.
    LogInAgain,
    /// Whether what can be read of a damaged history is to be rescued.
    AskRescue,
    /// Shows why the server may be somebody else.
    ShowDoubt,
    /// Nothing is sent to it, or that window was closed.
    StayAway,
    /// In plain to a server that was encrypted before, this once.
    SendReadable,
    /// The server may show this key from now on.
    KeyTrusted(Vec<u8>),
    /// Asks the server now.
    Fetch,
    /// The main window's search is to have the keys.
    Search,
    /// What stood over the connection line was seen, and may go.
    NoticeSeen,
    /// The main window is looked at.
    MainLooked,
    /// The main window is to be closed.
    Quit,
}
