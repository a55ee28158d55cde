//! What is shown above a chat: whom it is with, and whether messages can be sent.

use fltk::draw;
use fltk::enums::Font;
use rust_i18n::t;

use crate::base::model::Account;
use crate::client;
use crate::client::roster::{Presence, with_line};
use crate::ui::gui::widgets::Avatar;
use crate::ui::gui::{theme, widgets};

/// The height of the head.
pub(super) const HEAD: i32 = 56;

/// The user's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnState {
    /// Connected.
    Connected,
    /// Connected, but the server has not said yet who is online.
    Unsure,
    /// The server is silent; messages wait until it is back.
    Lost,
    /// Offline: nothing is sent until one goes online.
    Offline,
    /// The account has been deleted at the server, so nothing can be sent any more.
    Deleted,
}

/// What is shown above a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name of the other person or the room.
    pub name: String,
    /// The colour that they have chosen.
    pub color: Option<u8>,
    /// Whether they are online, at servers that say.
    pub presence: Option<Presence>,
    /// What they say of where they are; may be empty.
    pub line: String,
    /// The user's own state.
    pub own: OwnState,
}

/// What went wrong in a chat. It is shown above it until the person goes on writing there, or until it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is sent or read, since nobody is logged in.
    NotLoggedIn,
    /// The server has no lobby, or, if not `sure`, may have none.
    NoLobby {
        /// Whether the server has shown that it has none.
        sure: bool,
    },
    /// The disk refused a message.
    NotKept,
    /// The messages of this chat cannot be read, for this reason.
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

/// Everything that is shown above a chat.
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
    let (account, name, color, presence) = (peer.as_str(), &*header.name, header.color, header.presence);
    widgets::avatar(x + 14, y + 10, 36, Avatar { account, name, color, presence }, colours.surface);
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
        (_, Some(_)) => (with_line(header.presence, &header.line).into(), colours.dim),
        (_, None) if header.own == OwnState::Unsure => (t!("chat.unsure"), colours.dim),
        (_, None) => (t!("chat.unknown"), colours.dim),
    };
    draw::set_draw_color(ink);
    draw::draw_text(&widgets::whole(&text, w - 72), x + 60, y + 44);
    draw::pop_clip();
}
