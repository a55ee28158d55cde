//! The few controls that all windows share, drawn flat in the palette's colours.

use std::cell::Cell;
use std::rc::Rc;

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::draw;
use fltk::enums::{CallbackTrigger, Color, Cursor, Event, Font, FrameType, Key};
use fltk::group::Group;
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use rust_i18n::t;

use super::canvas::Canvas;
pub use super::canvas::forget_all;
pub use super::dialog::{ask, ask_file, may_be_made};
use super::field_menu;
use super::latin::Edit;
pub use super::menu::{close_menu, escape_menu, is_menu_key, popup};
use super::shape::{self, Mark};
use super::sheet::reveal;
use super::text::baseline;
pub use super::text::{centred, cut_texts, draw_lines, escape, fit, label, line_height, lines, note, tail, whole};
use super::theme::{self, BODY, CONTROL, Palette, RADIUS, RING, SMALL};
use crate::client::roster::Presence;
use crate::protocol::wire::item::COLORS;

/// The look of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// What the window is mainly for: filled with the accent colour.
    Primary,
    /// Anything else: flat until the pointer is over it.
    Ghost,
    /// Text in the accent colour.
    Link,
}

/// Makes a flat, rounded button. Its label is plain text, without symbols or shortcuts.
pub fn button(x: i32, y: i32, w: i32, label: &str, style: Style) -> Button {
    button_on(x, y, w, label, style, |palette| palette.bg)
}

/// Makes such a button on another background than the window's.
pub fn button_on(x: i32, y: i32, w: i32, label: &str, style: Style, on: fn(&Palette) -> Color) -> Button {
    let mut button = Button::new(x, y, w, CONTROL, None).with_label(label);
    button.set_frame(FrameType::NoBox);
    button.super_draw(false);
    let mut canvas = Canvas::default();
    button.draw(move |b| {
        let colours = theme::palette();
        let over = fltk::app::belowmouse::<Button>().is_some_and(|under| under.is_same(b)) && b.active();
        let (ground, ink) = match style {
            Style::Primary if !b.active() => (Some(colours.line), colours.dim),
            Style::Primary if over || b.value() => (Some(mix(colours.accent, colours.text, 12)), colours.on_accent),
            Style::Primary => (Some(colours.accent), colours.on_accent),
            Style::Ghost if over || b.value() => (Some(colours.hover), colours.text),
            Style::Ghost => (None, if b.active() { colours.text } else { colours.dim }),
            Style::Link => (None, if b.active() { colours.accent } else { colours.dim }),
        };
        let ring = if style == Style::Primary { colours.on_accent } else { colours.accent };
        let ring = b.has_focus().then_some(ring);
        let (w, h, label) = (b.w(), b.h(), b.label());
        canvas.show(b, (label.clone(), ground, ink, ring), |x, y| {
            draw::draw_rect_fill(x, y, w, h, on(colours));
            if let Some(ground) = ground {
                shape::filled(x, y, w, h, RADIUS, ground);
            }
            if let Some(ring) = ring {
                let inside = [ring, ground.unwrap_or(on(colours))];
                shape::lined(x + 1, y + 1, w - 2, h - 2, RADIUS, RING, inside);
            }
            if style == Style::Link {
                // Flush with what is above it.
                draw::set_font(Font::Helvetica, SMALL);
                let wide = (draw::width(&label).ceil() as i32 + 8).min(w);
                centred(&label, x + w - wide, y, wide, h, SMALL, ink);
            } else {
                centred(&label, x, y, w, h, BODY, ink);
            }
        });
    });
    button.handle(|b, event| match event {
        Event::Focus => {
            reveal(b);
            false
        }
        Event::Enter | Event::Leave => {
            draw::set_cursor(if event == Event::Enter && b.active() { Cursor::Hand } else { Cursor::Default });
            b.redraw();
            true
        }
        // Enter does what Space does.
        Event::KeyDown if matches!(app::event_key(), Key::Enter | Key::KPEnter) => {
            b.do_callback();
            true
        }
        _ => false,
    });
    button
}

/// Makes a field for one line of text, with a hint while it is empty.
pub fn field(x: i32, y: i32, w: i32, placeholder: &str) -> Input {
    let (group, inner) = frame_of_field(x, y, w);
    let input = dress(Input::new(inner.0, inner.1, inner.2, inner.3, None), placeholder);
    group.end();
    // If the width changes the field becomes wider, but the space beside it does not.
    group.resizable(&input);
    input
}

/// Makes a field whose text is hidden.
pub fn secret_field(x: i32, y: i32, w: i32, placeholder: &str) -> SecretInput {
    let (group, inner) = frame_of_field(x, y, w);
    let input = dress(SecretInput::new(inner.0, inner.1, inner.2, inner.3, None), placeholder);
    group.end();
    group.resizable(&input);
    input
}

fn frame_of_field(x: i32, y: i32, w: i32) -> (Group, (i32, i32, i32, i32)) {
    let mut group = Group::new(x, y, w, CONTROL, None);
    group.super_draw(false);
    let mut canvas = Canvas::default();
    group.draw(move |g| {
        let colours = theme::palette();
        let focus = g.child(0).is_some_and(|child| child.has_focus());
        canvas.show(g, focus, |x, y| {
            draw::draw_rect_fill(x, y, g.w(), g.h(), colours.bg);
            let (thick, line) = if focus { (RING, colours.accent) } else { (1, colours.line) };
            shape::lined(x, y, g.w(), g.h(), RADIUS, thick, [line, colours.surface]);
        });
        g.draw_children();
    });
    (group, (x + 8, y + 4, w - 16, CONTROL - 8))
}

fn dress<I: InputExt + WidgetBase + Edit + Clone + 'static>(mut input: I, placeholder: &str) -> I {
    input.set_frame(FrameType::FlatBox);
    input.set_text_size(BODY);
    paint(&mut input);
    set_placeholder(&mut input, placeholder);
    input.super_handle_first(false);
    input.handle(|i, event| {
        if event == Event::Focus {
            reveal(i);
        }
        if matches!(event, Event::Focus | Event::Unfocus) {
            // The ring belongs to the frame around the input, which FLTK does not redraw when the focus changes.
            if let Some(mut around) = i.parent() {
                around.redraw();
            }
        }
        field_menu::handles(i, event)
    });
    input
}

/// Sets the hint that is shown while a field is empty.
pub fn set_placeholder<I: InputExt + WidgetBase>(input: &mut I, placeholder: &str) {
    let placeholder = placeholder.to_owned();
    input.draw(move |i| {
        if i.value().is_empty() {
            draw::set_font(Font::Helvetica, BODY);
            draw::set_draw_color(theme::palette().dim);
            draw::push_clip(i.x(), i.y(), i.w(), i.h());
            // At the place of the text.
            draw::draw_text(&whole(&placeholder, i.w() - 2), i.x() + 2, baseline(i.y(), i.h()));
            draw::pop_clip();
        }
    });
    input.redraw();
}

/// Gives an input the palette's colours; called again after a change of theme.
pub fn paint<I: InputExt>(input: &mut I) {
    let colours = theme::palette();
    input.set_color(colours.surface);
    input.set_text_color(colours.text);
    input.set_cursor_color(colours.accent);
    input.set_selection_color(colours.selected);
}

/// Makes a checkbox with its label beside it.
pub fn checkbox(x: i32, y: i32, w: i32, label: &str) -> CheckButton {
    let mut check = CheckButton::new(x, y, w, 24, None).with_label(label);
    check.super_draw(false);
    check.draw(|c| {
        let colours = theme::palette();
        draw::draw_rect_fill(c.x(), c.y(), c.w(), c.h(), colours.bg);
        let (side, top) = (16, c.y() + (c.h() - 16) / 2);
        let ground = if c.value() { colours.accent } else { colours.surface };
        let (thick, line) = match (c.has_focus(), c.value()) {
            (true, true) => (RING, colours.text),
            (true, false) => (RING, colours.accent),
            (false, true) => (1, colours.accent),
            (false, false) => (1, colours.dim),
        };
        shape::lined(c.x() + 1, top, side, side, 4, thick, [line, ground]);
        if c.value() {
            draw::set_draw_color(colours.on_accent);
            draw::set_line_style(draw::LineStyle::Solid, 2);
            draw::draw_line(c.x() + 5, top + 8, c.x() + 8, top + 11);
            draw::draw_line(c.x() + 8, top + 11, c.x() + 13, top + 5);
            draw::set_line_style(draw::LineStyle::Solid, 0);
        }
        draw::set_font(Font::Helvetica, SMALL);
        draw::set_draw_color(colours.dim);
        draw::draw_text(&whole(&c.label(), c.w() - side - 8), c.x() + side + 8, baseline(c.y(), c.h()));
    });
    check.handle(|c, event| {
        if event == Event::Focus {
            reveal(c);
        }
        false
    });
    check
}
/// Makes one of several choices, filled while `value` is its number.
pub fn segment(x: i32, y: i32, w: i32, label: &str, number: usize, value: &Rc<Cell<usize>>) -> Button {
    let mut button = button(x, y, w, label, Style::Ghost);
    let value = Rc::clone(value);
    button.draw(move |b| {
        let colours = theme::palette();
        let chosen = value.get() == number;
        draw::draw_rect_fill(b.x(), b.y(), b.w(), b.h(), colours.bg);
        let ground = if chosen { colours.selected } else { colours.surface };
        let thick = if b.has_focus() { RING } else { 1 };
        let line = if chosen || b.has_focus() { colours.accent } else { colours.line };
        shape::lined(b.x(), b.y(), b.w(), b.h(), RADIUS, thick, [line, ground]);
        centred(&b.label(), b.x(), b.y(), b.w(), b.h(), SMALL, if chosen { colours.text } else { colours.dim });
    });
    button
}

/// Lets Enter in a field do what the button does.
pub(super) fn enter_submits<I: WidgetBase + WidgetExt + InputExt>(input: &mut I, submit: &Rc<dyn Fn()>) {
    enter_submits_and(input, submit, None);
}

/// Does the same, and calls `changed` at any other change of the field.
pub(super) fn enter_submits_and<I>(input: &mut I, submit: &Rc<dyn Fn()>, changed: Option<&Rc<dyn Fn()>>)
where
    I: WidgetBase + WidgetExt + InputExt,
{
    let (submit, changed) = (Rc::clone(submit), changed.cloned());
    input.set_trigger(CallbackTrigger::EnterKeyAlways | CallbackTrigger::Changed);
    input.set_callback(move |_| {
        let enter = matches!(app::event_key(), Key::Enter | Key::KPEnter);
        if app::event() == Event::KeyDown && enter {
            submit();
        } else if let Some(changed) = &changed {
            changed();
        }
    });
}

/// The backgrounds of discs, each dark enough for a white letter.
pub(super) const DISCS: [u32; COLORS as usize] = [
    0x7B5CF5, 0xD9512C, 0x12857A, 0xC2185B, 0x6D4C41, 0x546E7A, 0x1476D4, 0x3F7D20, 0x9C27B0, 0x9A5B00, 0x00758F,
    0x37474F,
];
/// How many of them accounts have by themselves.
const BY_ACCOUNT: usize = 8;

/// Returns the colour of an account's disc: the one that its owner has chosen, else one that follows from the account.
pub fn disc_colour(account: &str, chosen: Option<u8>) -> Color {
    let sum = account.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let number = chosen.map_or(sum % BY_ACCOUNT, usize::from);
    Color::from_hex(DISCS.get(number).copied().unwrap_or(0x1476D4))
}

/// What decides how somebody's disc looks.
#[derive(Debug, Clone, Copy)]
pub struct Avatar<'a> {
    /// The account.
    pub account: &'a str,
    /// The name that the account is shown by.
    pub name: &'a str,
    /// The colour that its owner has chosen.
    pub color: Option<u8>,
    /// Whether they are there; `None` draws no dot.
    pub presence: Option<Presence>,
}

/// Draws a disc with the first character of a name, and the presence if that is known, on this background.
pub fn avatar(x: i32, y: i32, diameter: i32, whose: Avatar<'_>, ground: Color) {
    use unicode_segmentation::UnicodeSegmentation;
    let Avatar { account, name, color, presence } = whose;
    let room = account.starts_with('@');
    let colours = theme::palette();
    let dot = presence.map(|presence| match presence {
        Presence::Online => (colours.online, Mark::None),
        Presence::Away => (colours.away, Mark::Hole),
        Presence::Busy => (colours.busy, Mark::Bar),
        Presence::Offline => (colours.offline, Mark::None),
    });
    let disc = if room { Color::from_hex(0x1476D4) } else { disc_colour(account, color) };
    shape::disc(x, y, diameter, disc, dot, ground);
    let first = if room { "#".to_owned() } else { name.graphemes(true).next().unwrap_or("?").to_uppercase() };
    centred(&first, x, y, diameter, diameter, diameter * 2 / 5, Color::White);
}

/// Makes a colour that can be chosen, with a ring while `value` is its number. Without `color` it is the one that follows
/// from the account.
pub fn swatch(account: &str, color: Option<u8>, number: usize, value: &Rc<Cell<usize>>) -> Button {
    let mut button = button(0, 0, 0, "", Style::Ghost);
    button.set_tooltip(&if color.is_none() { t!("people.color_of_account") } else { "".into() });
    let (account, value) = (account.to_owned(), Rc::clone(value));
    button.draw(move |b| {
        let colours = theme::palette();
        draw::draw_rect_fill(b.x(), b.y(), b.w(), b.h(), colours.bg);
        let wide = b.w().min(b.h()) - 6;
        let (x, y) = (b.x() + (b.w() - wide) / 2, b.y() + (b.h() - wide) / 2);
        shape::disc(x, y, wide, disc_colour(&account, color), None, colours.bg);
        if value.get() == number {
            draw::set_draw_color(Color::White);
            draw::set_line_style(draw::LineStyle::Solid, 2);
            let (cx, cy) = (x + wide / 2, y + wide / 2);
            draw::draw_line(cx - 5, cy, cx - 1, cy + 4);
            draw::draw_line(cx - 1, cy + 4, cx + 5, cy - 4);
            draw::set_line_style(draw::LineStyle::Solid, 0);
        }
        if b.has_focus() {
            ring(b.x(), b.y(), b.w(), b.h());
        }
    });
    button
}

/// Draws the ring around what has the focus.
pub fn ring(x: i32, y: i32, w: i32, h: i32) {
    draw::set_draw_color(theme::palette().accent);
    draw::set_line_style(draw::LineStyle::Solid, RING);
    draw::draw_rounded_rect(x, y, w, h, RADIUS);
    draw::set_line_style(draw::LineStyle::Solid, 0);
}

pub(super) fn mix(a: Color, b: Color, percent_of_b: u16) -> Color {
    let (a, b) = (a.to_rgb(), b.to_rgb());
    let one = |a: u8, b: u8| {
        let sum = u16::from(a) * (100 - percent_of_b) + u16::from(b) * percent_of_b;
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    Color::from_rgb(one(a.0, b.0), one(a.1, b.1), one(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_keeps_its_colour() {
        assert_eq!(disc_colour("20170001", None), disc_colour("20170001", None));
        assert_eq!(disc_colour("a", Some(11)), disc_colour("b", Some(11)), "the one that was chosen");
        assert_ne!(disc_colour("a", Some(11)), disc_colour("a", Some(10)));
    }
}
