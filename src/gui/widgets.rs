//! The few controls all windows share, drawn flat in the palette's colours.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::draw;
use fltk::enums::{Color, Cursor, Event, Font, FrameType, Key, Shortcut};
use fltk::frame::Frame;
use fltk::group::Group;
use fltk::image::{RgbImage, SvgImage};
use fltk::input::{Input, SecretInput};
use fltk::menu::{MenuButton, MenuFlag};
use fltk::prelude::*;
use fltk::window::Window;

use super::file_chooser::{Purpose, choose};
use super::theme::{self, BODY, CONTROL, Palette, RADIUS, RING, SMALL};
use super::transcript::wrap::{Advances, wrap};
use crate::roster::Presence;

/// Whether the key asks for the menu of what is chosen; few portable computers have the key made for it.
pub fn is_menu_key() -> bool {
    let f10 = Key::from_i32(Key::F1.bits() + 9);
    app::event_key() == Key::Menu || app::event_key() == f10 && app::event_state().contains(Shortcut::Shift)
}

/// Makes text harmless as the label of a frame, where `@` draws symbols.
pub fn escape(text: &str) -> String {
    text.replace('@', "@@")
}

/// Makes text harmless as a menu item, where `&` underlines as well and `/` opens a submenu.
pub fn escape_menu(text: &str) -> String {
    escape(text).replace('&', "&&").replace('\\', "\\\\").replace('/', "\\/")
}

/// What a window manager adds above a window, at most.
const TITLE: i32 = 40;

/// Where a window stands: x, y, width, height.
pub fn place_of(window: &Window) -> [i32; 4] {
    [window.x(), window.y(), window.w(), window.h()]
}

/// A window at its place of last time, as far as that is on the screen, else in the middle.
pub fn window(place: Option<[i32; 4]>, w: i32, h: i32) -> Window {
    let Some([x, y, w, h]) = place else {
        // Its title too has to fit on a small screen.
        let (_, _, wide, high) = app::screen_work_area(app::screen_num(0, 0));
        let (w, h) = (w.min(wide), h.min((high - TITLE).max(320)));
        return iconed(Window::new(0, 0, w, h, None).center_screen());
    };
    let (left, top, wide, high) = app::screen_work_area(app::screen_num(x + w / 2, y + h / 2));
    let (w, h) = (w.clamp(120, wide.max(120)), h.clamp(120, high.max(120)));
    let x = x.clamp(left, (left + wide - w).max(left));
    let y = y.clamp(top, (top + high - h).max(top));
    let mut window = Window::new(x, y, w, h, None);
    window.force_position(true);
    iconed(window)
}

thread_local! {
    /// Drawn once; every window shares it.
    static ICON: Option<RgbImage> = {
        let drawing = SvgImage::from_data(include_str!("../../assets/hongyan.svg")).ok();
        drawing.and_then(|mut svg| {
            svg.normalize();
            svg.to_rgb().ok()
        })
    };
}

fn iconed(mut window: Window) -> Window {
    window.set_icon(ICON.with(Clone::clone));
    window
}

thread_local! {
    /// The menu that is open.
    static MENU: RefCell<Option<MenuButton>> = const { RefCell::new(None) };
}

/// Takes the open menu away, if there is one. FLTK waits for its end by showing it again and again, whatever
/// becomes of the other windows; only that the widget is gone ends that.
pub fn close_menu() {
    if let Some(menu) = MENU.take() {
        MenuButton::delete(menu);
    }
}

/// Opens a menu at the pointer, or at `at` in the window of the event; the entry that was chosen.
/// Blocks in FLTK's loop, so no borrow may be held.
pub fn popup(entries: &[&str], at: Option<(i32, i32)>) -> Option<usize> {
    let colours = theme::palette();
    let (x, y) = at.unwrap_or_else(app::event_coords);
    let current = Group::try_current();
    Group::set_current(None::<&Group>);
    let mut menu = MenuButton::new(x, y, 0, 0, None);
    menu.set_frame(FrameType::BorderBox);
    menu.set_down_frame(FrameType::FlatBox);
    menu.set_color(colours.surface);
    menu.set_selection_color(colours.selected);
    menu.set_text_color(colours.text);
    menu.set_text_size(BODY);
    for entry in entries {
        // Room at both sides, which a menu has no measure for.
        menu.add(&format!("  {}  ", escape_menu(entry)), Shortcut::None, MenuFlag::Normal, |_| {});
    }
    MENU.set(Some(menu.clone()));
    let chosen = menu.popup().is_some().then(|| menu.value());
    close_menu();
    Group::set_current(current.as_ref());
    chosen.and_then(|i| usize::try_from(i).ok())
}

/// Asks a question in a window of its own; true for `yes`. Blocks in FLTK's loop, so no borrow may be held.
pub fn ask(question: &str, yes: &str, no: &str) -> bool {
    dialog(question, None, yes, no).is_some()
}

/// Asks for a file, to be typed or looked for, `yes` on the button; none if that is not wanted. Blocks as [`ask`]
/// does.
pub fn ask_file(question: &str, proposal: &str, purpose: Purpose, yes: &str) -> Option<String> {
    let file = Some((proposal, purpose));
    dialog(question, file, yes, &rust_i18n::t!("friend.cancel")).filter(|text| !text.is_empty())
}

fn dialog(question: &str, file: Option<(&str, Purpose)>, yes: &str, no: &str) -> Option<String> {
    let current = Group::try_current();
    Group::set_current(None::<&Group>);
    let wide = if file.is_some() { 520 } else { 360 };
    let mut window = iconed(Window::new(0, 0, wide, 150, None).center_screen());
    window.set_label(&rust_i18n::t!("gui.app"));
    window.set_color(theme::palette().bg);
    let high = if file.is_some() { 28 } else { 70 };
    let mut text = note(24, 14, wide - 48, high);
    text.set_label_size(BODY);
    text.set_label_color(theme::palette().text);
    text.set_label(&escape(question));
    let mut line = file.map(|_| field(24, 46, wide - 160, ""));
    let look = file.map(|_| button(wide - 128, 46, 104, &rust_i18n::t!("gui.browse"), Style::Ghost));
    let mut refuse = button(wide - 324, 98, 144, no, Style::Ghost);
    let mut agree = button(wide - 168, 98, 144, yes, Style::Primary);
    window.end();
    window.make_modal(true);
    let answer = Rc::new(Cell::new(false));
    let agreed: Rc<dyn Fn()> = {
        let (answer, window) = (Rc::clone(&answer), window.clone());
        Rc::new(move || {
            answer.set(true);
            window.clone().hide();
        })
    };
    agree.set_callback({
        let agreed = Rc::clone(&agreed);
        move |_| agreed()
    });
    refuse.set_callback({
        let mut window = window.clone();
        move |_| window.hide()
    });
    if let (Some(line), Some(mut look), Some((proposal, purpose))) = (&mut line, look, file) {
        line.set_value(proposal);
        super::login::enter_submits(line, &agreed);
        let mut line = line.clone();
        look.set_callback(move |_| {
            if let Some(chosen) = choose(&line.value(), purpose) {
                line.set_value(&chosen);
            }
            let _ = line.take_focus();
        });
    }
    window.show();
    let _ = match &mut line {
        Some(line) => line.take_focus(),
        None => refuse.take_focus(),
    };
    while window.shown() && app::wait() {}
    let text = line.map(|line| line.value()).unwrap_or_default();
    Window::delete(window);
    Group::set_current(current.as_ref());
    answer.get().then_some(text)
}

/// How a button presents itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The one thing the window is for: filled with the accent.
    Primary,
    /// Anything else: flat until the pointer is over it.
    Ghost,
    /// Text in the accent's colour.
    Link,
}

/// A flat, rounded button. Its label is plain text; nothing in it is a symbol or a shortcut.
pub fn button(x: i32, y: i32, w: i32, label: &str, style: Style) -> Button {
    button_on(x, y, w, label, style, |palette| palette.bg)
}

/// The same on another ground than the window's.
pub fn button_on(x: i32, y: i32, w: i32, label: &str, style: Style, on: fn(&Palette) -> Color) -> Button {
    let mut button = Button::new(x, y, w, CONTROL, None).with_label(label);
    button.set_frame(FrameType::NoBox);
    button.super_draw(false);
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
        draw::draw_rect_fill(b.x(), b.y(), b.w(), b.h(), on(colours));
        if let Some(ground) = ground {
            draw::set_draw_color(ground);
            draw::draw_rounded_rectf(b.x(), b.y(), b.w(), b.h(), RADIUS);
        }
        if b.has_focus() {
            let ring = if style == Style::Primary { colours.on_accent } else { colours.accent };
            rounded_ring(b.x() + RING, b.y() + RING, b.w() - 2 * RING, b.h() - 2 * RING, ring);
        }
        if style == Style::Link {
            // Flush with what stands over it.
            draw::set_font(Font::Helvetica, SMALL);
            let w = draw::width(&b.label()).ceil() as i32 + 8;
            centred(&b.label(), b.x() + b.w() - w, b.y(), w, b.h(), SMALL, ink);
        } else {
            centred(&b.label(), b.x(), b.y(), b.w(), b.h(), BODY, ink);
        }
    });
    button.handle(|b, event| match event {
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

/// A field for one line of text, with a hint that shows while it is empty.
pub fn field(x: i32, y: i32, w: i32, placeholder: &str) -> Input {
    let (group, inner) = frame_of_field(x, y, w);
    let input = dress(Input::new(inner.0, inner.1, inner.2, inner.3, None), placeholder);
    group.end();
    input
}

/// A field whose text is not shown.
pub fn secret_field(x: i32, y: i32, w: i32, placeholder: &str) -> SecretInput {
    let (group, inner) = frame_of_field(x, y, w);
    let input = dress(SecretInput::new(inner.0, inner.1, inner.2, inner.3, None), placeholder);
    group.end();
    input
}

fn frame_of_field(x: i32, y: i32, w: i32) -> (Group, (i32, i32, i32, i32)) {
    let mut group = Group::new(x, y, w, CONTROL, None);
    group.super_draw(false);
    group.draw(|g| {
        let colours = theme::palette();
        draw::draw_rect_fill(g.x(), g.y(), g.w(), g.h(), colours.bg);
        draw::set_draw_color(colours.surface);
        draw::draw_rounded_rectf(g.x(), g.y(), g.w(), g.h(), RADIUS);
        if g.child(0).is_some_and(|child| child.has_focus()) {
            rounded_ring(g.x() + 1, g.y() + 1, g.w() - 2, g.h() - 2, colours.accent);
        } else {
            draw::set_draw_color(colours.line);
            draw::draw_rounded_rect(g.x(), g.y(), g.w(), g.h(), RADIUS);
        }
        g.draw_children();
    });
    (group, (x + 8, y + 4, w - 16, CONTROL - 8))
}

fn dress<I: InputExt + WidgetBase + Clone + 'static>(mut input: I, placeholder: &str) -> I {
    input.set_frame(FrameType::FlatBox);
    input.set_text_size(BODY);
    paint(&mut input);
    set_placeholder(&mut input, placeholder);
    input.super_handle_first(false);
    input.handle(|i, event| {
        if matches!(event, Event::Focus | Event::Unfocus) {
            // The ring belongs to the frame around the input, which FLTK does not redraw for a focus change.
            if let Some(mut around) = i.parent() {
                around.redraw();
            }
        }
        event == Event::KeyDown && for_the_window(i)
    });
    input
}

/// The hint that shows while a field is empty.
pub fn set_placeholder<I: InputExt + WidgetBase>(input: &mut I, placeholder: &str) {
    let placeholder = placeholder.to_owned();
    input.draw(move |i| {
        if i.value().is_empty() {
            draw::set_font(Font::Helvetica, BODY);
            draw::set_draw_color(theme::palette().dim);
            draw::push_clip(i.x(), i.y(), i.w(), i.h());
            // Where the text will stand.
            draw::draw_text(&placeholder, i.x() + 2, baseline(i.y(), i.h()));
            draw::pop_clip();
        }
    });
    input.redraw();
}

/// Ctrl with a letter that FLTK would write into a field as a control character: it goes to the window.
pub fn for_the_window<W: WidgetExt>(field: &W) -> bool {
    let written = || "ijlm".chars().any(|c| app::event_key() == Key::from_char(c));
    let passed = app::event_state().contains(Shortcut::Ctrl) && written();
    if passed && let Some(mut window) = field.top_window().and_then(|w| w.as_group()) {
        let _ = window.handle_event(Event::KeyDown);
    }
    passed
}

/// Gives an input the palette's colours; again after a change of theme.
pub fn paint<I: InputExt>(input: &mut I) {
    let colours = theme::palette();
    input.set_color(colours.surface);
    input.set_text_color(colours.text);
    input.set_cursor_color(colours.accent);
    input.set_selection_color(colours.selected);
}

/// A box to tick, with its label beside it.
pub fn checkbox(x: i32, y: i32, w: i32, label: &str) -> CheckButton {
    let mut check = CheckButton::new(x, y, w, 24, None).with_label(label);
    check.super_draw(false);
    check.draw(|c| {
        let colours = theme::palette();
        draw::draw_rect_fill(c.x(), c.y(), c.w(), c.h(), colours.bg);
        let (side, top) = (16, c.y() + (c.h() - 16) / 2);
        draw::set_draw_color(if c.value() { colours.accent } else { colours.surface });
        draw::draw_rounded_rectf(c.x() + 1, top, side, side, 4);
        if c.has_focus() {
            rounded_ring(c.x() + 1, top, side, side, if c.value() { colours.text } else { colours.accent });
        } else if !c.value() {
            draw::set_draw_color(colours.dim);
            draw::draw_rounded_rect(c.x() + 1, top, side, side, 4);
        }
        if c.value() {
            draw::set_draw_color(colours.on_accent);
            draw::set_line_style(draw::LineStyle::Solid, 2);
            draw::draw_line(c.x() + 5, top + 8, c.x() + 8, top + 11);
            draw::draw_line(c.x() + 8, top + 11, c.x() + 13, top + 5);
            draw::set_line_style(draw::LineStyle::Solid, 0);
        }
        draw::set_font(Font::Helvetica, SMALL);
        draw::set_draw_color(colours.dim);
        draw::draw_text(&c.label(), c.x() + side + 8, baseline(c.y(), c.h()));
    });
    check
}

/// A line of small text over or under a field.
pub fn label(x: i32, y: i32, w: i32, text: &str, colour: Color) -> Frame {
    let mut frame = note(x, y, w, 20);
    frame.set_label_color(colour);
    frame.set_label(&escape(text));
    frame
}

/// Room for a sentence that may need several lines. FLTK breaks at spaces alone, and Chinese has none.
pub fn note(x: i32, y: i32, w: i32, h: i32) -> Frame {
    let mut frame = Frame::new(x, y, w, h, None);
    frame.set_label_size(SMALL);
    frame.super_draw(false);
    frame.draw(|f| {
        let text = f.label().replace("@@", "@");
        let size = f.label_size();
        let lines = lines(&text, f.w(), size);
        draw::push_clip(f.x(), f.y(), f.w(), f.h());
        let high = line_height(size);
        let count = i32::try_from(lines.len()).unwrap_or(1);
        draw_lines(&lines, f.x(), f.y() + ((f.h() - count * high) / 2).max(0), size, f.label_color());
        draw::pop_clip();
    });
    frame
}

/// The height of a line of text of this size.
pub fn line_height(size: i32) -> i32 {
    size * 3 / 2
}

/// Draws lines one below the other.
pub fn draw_lines(lines: &[String], x: i32, y: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    for (line, top) in lines.iter().zip((y..).step_by(usize::try_from(line_height(size)).unwrap_or(18))) {
        draw::draw_text(line, x, baseline(top, line_height(size)));
    }
}

/// A text of this size in lines that fit.
pub fn lines(text: &str, room: i32, size: i32) -> Vec<String> {
    draw::set_font(Font::Helvetica, size);
    if !text.contains('\n') && draw::width(text) <= f64::from(room) {
        return vec![text.to_owned()];
    }
    let mut advances = Advances::new(draw::width);
    let lines = wrap(text, f64::from(room.max(1)), &mut advances);
    lines.into_iter().map(|line| text.get(line.bytes).unwrap_or_default().to_owned()).collect()
}

/// One of several choices, filled while `value` is its number.
pub fn segment(x: i32, y: i32, w: i32, label: &str, number: usize, value: &Rc<Cell<usize>>) -> Button {
    let mut button = button(x, y, w, label, Style::Ghost);
    let value = Rc::clone(value);
    button.draw(move |b| {
        let colours = theme::palette();
        let chosen = value.get() == number;
        draw::draw_rect_fill(b.x(), b.y(), b.w(), b.h(), colours.bg);
        draw::set_draw_color(if chosen { colours.selected } else { colours.surface });
        draw::draw_rounded_rectf(b.x(), b.y(), b.w(), b.h(), RADIUS);
        if b.has_focus() {
            rounded_ring(b.x() + 1, b.y() + 1, b.w() - 2, b.h() - 2, colours.accent);
        } else {
            draw::set_draw_color(if chosen { colours.accent } else { colours.line });
            draw::draw_rounded_rect(b.x(), b.y(), b.w(), b.h(), RADIUS);
        }
        centred(&b.label(), b.x(), b.y(), b.w(), b.h(), SMALL, if chosen { colours.text } else { colours.dim });
    });
    button
}

/// Grounds for the discs, each dark enough for a white letter.
pub(super) const DISCS: [u32; 8] = [0x7B5CF5, 0xD9512C, 0x12857A, 0xC2185B, 0x6D4C41, 0x546E7A, 0x1476D4, 0x3F7D20];

/// The disc that stands for an account: the same account always has the same colour.
pub fn disc_colour(account: &str) -> Color {
    let sum = account.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    Color::from_hex(DISCS.get(sum % DISCS.len()).copied().unwrap_or(0x1476D4))
}

/// Draws an account's disc, the first character of its name on it, and its presence where that is known.
pub fn avatar(x: i32, y: i32, diameter: i32, account: &str, name: &str, presence: Option<Presence>) {
    avatar_on(x, y, diameter, account, name, presence, theme::palette().bg);
}

/// The same on another ground than the window's.
pub fn avatar_on(x: i32, y: i32, diameter: i32, account: &str, name: &str, presence: Option<Presence>, ground: Color) {
    use unicode_segmentation::UnicodeSegmentation;
    let room = account.starts_with('@');
    draw::set_draw_color(if room { Color::from_hex(0x1476D4) } else { disc_colour(account) });
    draw::draw_pie(x, y, diameter, diameter, 0.0, 360.0);
    let first = if room { "#".to_owned() } else { name.graphemes(true).next().unwrap_or("?").to_uppercase() };
    centred(&first, x, y, diameter, diameter, diameter * 2 / 5, Color::White);
    if let Some(presence) = presence {
        let colours = theme::palette();
        let dot = diameter / 4;
        let (left, top) = (x + diameter - dot, y + diameter - dot);
        draw::set_draw_color(ground);
        draw::draw_pie(left - 2, top - 2, dot + 4, dot + 4, 0.0, 360.0);
        draw::set_draw_color(match presence {
            Presence::Online => colours.online,
            Presence::Away => colours.away,
            Presence::Busy => colours.busy,
            Presence::Offline => colours.offline,
        });
        draw::draw_pie(left, top, dot, dot, 0.0, 360.0);
    }
}

/// A text in the current font, cut with an ellipsis where it is wider than `room`.
pub fn fit(text: &str, room: i32) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let room = f64::from(room.max(0));
    if draw::width(text) <= room {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut = |n: usize| format!("{}…", ends.get(n).and_then(|at| text.get(..*at)).unwrap_or_default().trim_end());
    let (mut fits, mut not) = (0, ends.len());
    while not > fits + 1 {
        let middle = fits.midpoint(not);
        if draw::width(&cut(middle)) <= room { fits = middle } else { not = middle }
    }
    cut(fits)
}

/// Text in the middle of a box, drawn as it is: no symbols, no shortcuts.
pub fn centred(text: &str, x: i32, y: i32, w: i32, h: i32, size: i32, colour: Color) {
    draw::set_font(Font::Helvetica, size);
    draw::set_draw_color(colour);
    let width = draw::width(text).ceil() as i32;
    draw::draw_text(text, x + (w - width) / 2, baseline(y, h));
}

/// The baseline that centres a line of the current font.
fn baseline(y: i32, h: i32) -> i32 {
    y + (h + draw::height()) / 2 - draw::descent()
}

/// The ring around what has the focus.
pub fn ring(x: i32, y: i32, w: i32, h: i32) {
    rounded_ring(x, y, w, h, theme::palette().accent);
}

fn rounded_ring(x: i32, y: i32, w: i32, h: i32, colour: Color) {
    draw::set_draw_color(colour);
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
    fn a_nickname_cannot_draw_symbols() {
        assert_eq!(escape("@->A&B"), "@@->A&B");
        assert_eq!(escape_menu("@->A&B/C\\"), "@@->A&&B\\/C\\\\");
    }

    #[test]
    fn an_account_keeps_its_colour() {
        assert_eq!(disc_colour("20170001"), disc_colour("20170001"));
    }
}
