//! The state of the connection, as the main window's head and foot show it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{self, Color, Cursor, Font, FrameType};
use fltk::frame::Frame;
use fltk::prelude::*;
use rust_i18n::t;

use super::{FOOT, HEAD, Me};
use crate::client::net::clock;
use crate::client::roster::Presence;
use crate::client::session::{ConnectionState, SpokenDialect};
use crate::protocol::wire::status::Chosen;
use crate::ui::gui::canvas::Canvas;
use crate::ui::gui::theme::Palette;
use crate::ui::gui::widgets::Avatar;
use crate::ui::gui::{Emit, UiEvent, connection_window, screen, theme, widgets};

/// What head and foot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub link: ConnectionState,
    /// The dialect that is spoken, once it is known.
    pub speaks: Option<SpokenDialect>,
    /// Whether the server is silent.
    pub silent: bool,
    /// How the person has chosen to be shown to others.
    pub chosen: Option<Chosen>,
}

/// Makes the connection line, which opens the connection window.
pub(super) fn foot(status: &Rc<RefCell<Status>>, emit: &Emit) -> Frame {
    let mut foot = Frame::new(0, 0, 300, FOOT, None);
    let (status, canvas) = (Rc::clone(status), RefCell::default());
    foot.draw(move |f| draw_foot(f, &status.borrow(), &mut canvas.borrow_mut()));
    foot.set_tooltip(&t!("main.connection_tip"));
    let emit = Rc::clone(emit);
    foot.handle(move |_, event| {
        match event {
            enums::Event::Enter => draw::set_cursor(Cursor::Hand),
            enums::Event::Leave => draw::set_cursor(Cursor::Default),
            // Only a widget that uses the press is told of the release.
            enums::Event::Push => {}
            enums::Event::Released => emit(UiEvent::Connection(connection_window::Event::Open)),
            _ => return false,
        }
        true
    });
    foot
}

/// Makes the head with the user's name and state, which opens the user's own menu.
pub(super) fn head(me: &Rc<RefCell<Me>>, status: &Rc<RefCell<Status>>) -> Button {
    let mut head = Button::new(0, 0, 252, HEAD, None);
    head.set_frame(FrameType::NoBox);
    head.super_draw(false);
    head.set_tooltip(&t!("main.menu_tip"));
    let (me, status) = (Rc::clone(me), Rc::clone(status));
    let canvas: RefCell<Canvas<_>> = RefCell::default();
    head.draw(move |b| {
        let colours = theme::palette();
        let (word, ink, presence) = own_state(&status.borrow(), colours);
        let me = me.borrow();
        let look = (word.to_string(), presence, b.has_focus(), me.name.clone(), me.color);
        canvas.borrow_mut().show(b, look, |x, y| {
            draw::draw_rect_fill(x, y, b.w(), b.h(), colours.bg);
            let shown = me.account.shown();
            let account = shown.as_ref();
            let name = if me.name.is_empty() { account } else { &me.name };
            let whose = Avatar { account, name, color: me.color, presence };
            widgets::avatar(x + 12, y + 12, 44, whose, colours.bg);
            let room = b.w() - 68;
            draw::set_font(Font::Helvetica, 15);
            draw::set_draw_color(colours.text);
            let shown = widgets::fit(name, room);
            draw::draw_text(&shown, x + 66, y + 32);
            let used = draw::width(&shown).ceil() as i32 + 8;
            draw::set_font(Font::Helvetica, theme::SMALL);
            draw::set_draw_color(colours.dim);
            if !me.name.is_empty() {
                draw::draw_text(&widgets::fit(account, room - used), x + 66 + used, y + 32);
            }
            draw::set_draw_color(ink);
            draw::draw_text(&widgets::whole(&format!("{word} ▾"), room), x + 66, y + 50);
            if b.has_focus() {
                widgets::ring(x + 60, y + 10, room, 48);
            }
        });
    });
    head
}

/// Returns the user's own state as a word, its colour, and the dot. If the server is silent, others may not see the
/// user as online either.
fn own_state(status: &Status, colours: &Palette) -> (Cow<'static, str>, Color, Option<Presence>) {
    let gone = matches!(status.link, ConnectionState::Offline | ConnectionState::LoggedOut);
    match status.link {
        _ if status.silent && !gone => (t!("main.lost"), colours.warn, None),
        ConnectionState::Connected { .. } | ConnectionState::Waiting | ConnectionState::Retrying { .. } => {
            match status.chosen {
                None => (t!("main.online"), colours.dim, Some(Presence::Online)),
                Some(Chosen::Busy) => (t!("people.busy"), colours.dim, Some(Presence::Busy)),
                // Who is invisible is there, and for all others offline.
                Some(Chosen::Invisible) => (t!("people.invisible"), colours.dim, Some(Presence::Offline)),
            }
        }
        _ => (t!("main.offline"), colours.dim, Some(Presence::Offline)),
    }
}

/// What decides how the foot looks: its two texts and their colours.
type Foot = [(String, Color); 2];

fn draw_foot(f: &Frame, status: &Status, canvas: &mut Canvas<Foot>) {
    let (link, colours) = (status.link, theme::palette());
    let text = match link {
        ConnectionState::LoggingIn if status.silent => t!("main.link_reconnecting"),
        link => link.sentence(clock::now().instant),
    };
    let colour = match link {
        _ if status.silent && !matches!(link, ConnectionState::Offline | ConnectionState::LoggedOut) => colours.error,
        ConnectionState::Offline | ConnectionState::LoggingIn => colours.dim,
        ConnectionState::Connected { .. } => colours.ok,
        ConnectionState::Waiting => colours.warn,
        ConnectionState::Retrying { .. } | ConnectionState::LoggedOut => colours.error,
    };
    // Whether others can read along is a property of a connection.
    let connected = matches!(link, ConnectionState::Connected { .. } | ConnectionState::Waiting) && !status.silent;
    let (dialect, dialect_ink) = match status.speaks.filter(|_| connected) {
        Some(SpokenDialect::Secure) => (t!("main.encrypted"), colours.ok),
        Some(SpokenDialect::Plain) => (t!("main.unencrypted"), colours.warn),
        None => ("".into(), colours.dim),
    };
    let look = [(text.to_string(), colour), (dialect.to_string(), dialect_ink)];
    canvas.show(f, look, |x, y| {
        draw::draw_rect_fill(x, y, f.w(), f.h(), colours.bg);
        draw::set_draw_color(colours.line);
        draw::draw_xyline(x, y, x + f.w());
        draw::set_draw_color(colour);
        draw::draw_pie(x + 12, y + 11, 9, 9, 0.0, 360.0);
        draw::set_font(Font::Helvetica, theme::TINY);
        let wide = draw::width(&dialect).ceil() as i32;
        draw::set_draw_color(if colour == colours.ok { colours.dim } else { colour });
        draw::draw_text(&widgets::whole(&text, f.w() - 50 - wide), x + 27, y + 20);
        draw::set_draw_color(dialect_ink);
        draw::draw_text(&dialect, x + f.w() - 12 - wide, y + 20);
    });
}

/// Redraws the seconds as long as there are any; otherwise nothing wakes up.
pub(super) fn count_down(mut foot: Frame, window: screen::Life, status: Rc<RefCell<Status>>) {
    app::add_timeout3(1.0, move |_| {
        if !window.is_on() {
            return;
        }
        let ConnectionState::Retrying { at } = status.borrow().link else { return };
        foot.redraw();
        if at < clock::now().instant {
            // The attempt is made now; the next wait comes as a new state.
            return;
        }
        count_down(foot.clone(), window.clone(), Rc::clone(&status));
    });
}
