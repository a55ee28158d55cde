//! What stands over a chat: who it is with, and whether what is written goes out.

use fltk::draw;
use fltk::enums::Font;
use rust_i18n::t;

use crate::base::model::Account;
use crate::client;
use crate::client::roster::Presence;
use crate::ui::gui::{theme, widgets};

/// How high it is.
pub(super) const HEAD: i32 = 56;

/// How one is connected oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnState {
    /// As one should be.
    Connected,
    /// The same, and the server has not said yet who is online now.
    Unsure,
    /// The server is silent: what is written waits until it is back.
    Lost,
    /// Nothing is sent until its owner goes online.
    Offline,
    /// Nothing is sent any more: the account is not at the server any more.
    Deleted,
}

/// What stands over a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the peer is called.
    pub name: String,
    /// Whether they are online, on servers that say.
    pub presence: Option<Presence>,
    /// Whether what is written goes out.
    pub own: OwnState,
}

/// What went wrong in a chat. It is said over it until whoever writes there goes on, or until it is over by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is sent or fetched, as nobody is logged in.
    NotLoggedIn,
    /// The server has no lobby; where that is not `sure`, it may have none.
    NoLobby {
        /// Whether the server has shown that it has none.
        sure: bool,
    },
    /// The disk refused a message.
    NotKept,
    /// What was said here cannot be read, for this reason.
    NotRead(String),
    /// There is no such account at the server.
    Nobody,
}

impl Trouble {
    fn text(&self, peer: &Account) -> String {
        match self {
            Self::NotLoggedIn => t!("gui.not_logged_in").into_owned(),
            Self::NoLobby { sure } => client::Event::NoLobby { sure: *sure }.notice().unwrap_or_default(),
            Self::NotKept => t!("gui.not_kept").into_owned(),
            Self::NotRead(why) => t!("gui.not_read", error = why).into_owned(),
            Self::Nobody => t!("friend.nobody", name = peer.shown()).into_owned(),
        }
    }
}

/// Everything that stands over a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub header: Header,
    pub trouble: Option<Trouble>,
}

pub(super) fn draw_head(x: i32, y: i32, w: i32, peer: &Account, head: &Head) {
    let (header, colours) = (&head.header, theme::palette());
    draw::draw_rect_fill(x, y, w, HEAD, colours.surface);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(x, y + HEAD - 1, x + w);
    widgets::avatar_on(x + 14, y + 10, 36, peer.as_str(), &header.name, header.presence, colours.surface);
    draw::push_clip(x, y, w - 12, HEAD);
    draw::set_font(Font::Helvetica, theme::BODY);
    draw::set_draw_color(colours.text);
    draw::draw_text(&widgets::fit(&header.name, w - 72), x + 60, y + 25);
    draw::set_font(Font::Helvetica, theme::SMALL);
    let (text, ink) = match (&head.trouble, header.presence) {
        (Some(trouble), _) => (trouble.text(peer).into(), colours.warn),
        _ if header.own == OwnState::Offline => (t!("chat.self_offline"), colours.warn),
        _ if header.own == OwnState::Deleted => (t!("gui.account_no_more"), colours.warn),
        _ if header.own == OwnState::Lost => (t!("chat.lost"), colours.warn),
        _ if peer.is_room() => (t!("chat.room"), colours.dim),
        (_, Some(Presence::Online)) => (t!("main.online"), colours.dim),
        (_, Some(_)) => (t!("main.not_online"), colours.dim),
        (_, None) if header.own == OwnState::Unsure => (t!("chat.unsure"), colours.dim),
        (_, None) => (t!("chat.unknown"), colours.dim),
    };
    draw::set_draw_color(ink);
    draw::draw_text(&widgets::whole(&text, w - 72), x + 60, y + 44);
    draw::pop_clip();
}
