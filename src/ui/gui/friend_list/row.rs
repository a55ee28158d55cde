//! Draws a row of the list: a section, a person, or somebody who can be added.

use fltk::draw;
use fltk::enums::{Color, Font};
use rust_i18n::t;

use super::Line;
use crate::base::shown;
use crate::client::roster::{Entry, Person, with_line};
use crate::ui::gui::widgets::Avatar;
use crate::ui::gui::{shape, theme, widgets};

/// Draws a row at x and y with this width, its width without a bar, and this height.
pub(super) fn draw_line((entry, [chosen, under, keys]): &Line, x: i32, y: i32, [w, wide, high]: [i32; 3]) {
    let colours = theme::palette();
    let ground = match (chosen, under) {
        (true, _) => colours.selected,
        (false, true) => colours.hover,
        _ => colours.bg,
    };
    draw::draw_rect_fill(x, y, wide, high, ground);
    draw_entry(entry, x, y, w, ground);
    if *keys {
        draw::set_draw_color(colours.accent);
        draw::set_line_style(draw::LineStyle::Solid, theme::RING);
        draw::draw_rect(x + 1, y + 1, wide - 2, high - 2);
        draw::set_line_style(draw::LineStyle::Solid, 0);
    }
}

/// Returns the tooltip, with what a row has no room for.
pub(super) fn tip(person: &Person) -> String {
    if person.account.is_room() {
        return widgets::escape(&t!("chat.room"));
    }
    let word = with_line(person.presence, &person.line);
    widgets::escape(&format!("{} {word}", shown::within(&person.account.shown())))
}

fn draw_entry(entry: &Entry, x: i32, y: i32, w: i32, ground: Color) {
    let colours = theme::palette();
    match entry {
        Entry::Section { title, count, open, unread, .. } => {
            draw::set_font(Font::Helvetica, theme::SMALL);
            draw::set_draw_color(colours.dim);
            let tail = format!(" {} {count}", if *open { "▾" } else { "▸" });
            let room = w - 24 - draw::width(&tail).ceil() as i32 - if *unread > 0 { 40 } else { 0 };
            draw::draw_text(&format!("{}{tail}", widgets::fit(&shown::line(title), room)), x + 12, y + 20);
            badge(*unread, x + w - 12, y + 6, colours.accent, ground);
        }
        Entry::More(n, unread) => {
            text(&t!("main.more_strangers", n = n), x + 62, y + 33, w - 110, theme::SMALL, colours.dim);
            badge(*unread, x + w - 12, y + 20, colours.accent, ground);
        }
        Entry::Add(name) => {
            shape::disc(x + 12, y + 8, theme::DISC, colours.accent, None, ground);
            widgets::centred("+", x + 12, y + 8, theme::DISC, theme::DISC, 20, colours.on_accent);
            text(
                &t!("main.add_named", name = shown::within(name)),
                x + 62,
                y + 33,
                w - 74,
                theme::BODY,
                colours.accent,
            );
        }
        Entry::Person(person) | Entry::Request(person) | Entry::Found(person) => {
            let name = &person.name;
            let Person { color, presence, .. } = *person;
            let whose = Avatar { account: person.account.as_str(), name, color, presence };
            widgets::avatar(x + 12, y + 8, theme::DISC, whose, ground);
            draw::set_font(Font::Helvetica, theme::TINY);
            let time = draw::width(&person.time).ceil() as i32;
            draw::set_draw_color(colours.dim);
            draw::draw_text(&person.time, x + w - 12 - time, y + 23);
            let quiet = if person.blocked { colours.dim } else { colours.text };
            // The name is centred if nothing else is known of them.
            let at = if person.last.is_empty() { 33 } else { 24 };
            text(name, x + 62, y + at, w - 62 - 24 - time, theme::BODY, quiet);
            // Of a muted conversation there is a number and nothing that calls.
            let ink = if person.muted { colours.dim } else { colours.accent };
            let badge = badge(person.unread, x + w - 12, y + 31, ink, ground);
            text(&person.last, x + 62, y + 43, w - 62 - 20 - badge, theme::SMALL, colours.dim);
        }
    }
}

/// Draws a text, cut with an ellipsis if it is too wide.
fn text(text: &str, x: i32, baseline: i32, room: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    draw::draw_text(&widgets::fit(text, room), x, baseline);
}

/// Draws the number of unread messages with its right edge at `right`; returns its width.
fn badge(unread: u64, right: i32, y: i32, ink: Color, ground: Color) -> i32 {
    if unread == 0 {
        return 0;
    }
    let colours = theme::palette();
    let count = if unread > 99 { "99+".to_owned() } else { unread.to_string() };
    draw::set_font(Font::Helvetica, theme::TINY);
    let w = (draw::width(&count).ceil() as i32 + 10).max(18);
    shape::badge(right - w, y, w, 18, ink, ground);
    widgets::centred(&count, right - w, y, w, 18, theme::TINY, colours.on_accent);
    w
}
