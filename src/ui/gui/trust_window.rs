//! The window about a server that is not what it was, or not what one may expect: it shows another key than before, the
//! file of known keys is damaged, or it does not encrypt any more or never has. It says what may have happened, what
//! there is to compare or to lose, and offers a way on.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{self, Font, Key};
use fltk::frame::Frame;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::bar::Bar;
use super::keys_window::listen;
use super::widgets::{self, Style};
use super::{Emit, UiEvent, screen, shape, theme};
use crate::client::session::{KeyChange, PlainReason};

const WIDTH: i32 = 560;
const MARGIN: i32 = 20;
const FOOT: i32 = 64;
/// The height of a row of words.
const ROW: i32 = 26;
/// The distance between paragraphs.
const GAP: i32 = 10;
/// A box narrower than this has half as many columns of words.
const WIDE: i32 = 220;
/// From this width on the two buttons are side by side.
const BESIDE: i32 = 460;

/// Why the server may be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The server shows another key.
    Key(KeyChange),
    /// What is asked for would be sent unencrypted.
    Plain(PlainReason),
}

impl Doubt {
    /// Returns the doubt as a sentence; nothing was sent to the server.
    #[must_use]
    pub fn head(&self, server: &str) -> Cow<'static, str> {
        match self {
            Self::Key(change) if change.damaged.is_some() => t!("trust.damaged_head", server = server),
            Self::Key(_) => t!("trust.head", server = server),
            Self::Plain(PlainReason::NoLonger) => t!("trust.plain_head", server = server),
            Self::Plain(PlainReason::Only) => t!("trust.only_head", server = server),
            Self::Plain(PlainReason::Chosen) => t!("trust.chosen_head", server = server),
        }
    }

    fn title(&self) -> Cow<'static, str> {
        match self {
            Self::Key(change) if change.damaged.is_some() => t!("trust.damaged_title"),
            Self::Key(_) => t!("trust.title"),
            Self::Plain(PlainReason::NoLonger) => t!("trust.plain_title"),
            Self::Plain(PlainReason::Only | PlainReason::Chosen) => t!("trust.only_title"),
        }
    }

    /// Returns the height that its window wants.
    fn height(&self) -> i32 {
        match self {
            Self::Key(_) => 420,
            Self::Plain(PlainReason::NoLonger) => 396,
            Self::Plain(_) => 360,
        }
    }

    fn why(&self, nearby: bool) -> Cow<'static, str> {
        match (self, nearby) {
            (Self::Key(KeyChange { damaged: Some(file), .. }), _) => t!("trust.damaged_why", file = file),
            (Self::Key(_), true) => t!("trust.nearby"),
            (Self::Key(_), false) => t!("trust.far"),
            (Self::Plain(PlainReason::NoLonger), true) => t!("trust.plain_nearby"),
            (Self::Plain(PlainReason::NoLonger), false) => t!("trust.plain_far"),
            (Self::Plain(PlainReason::Only), _) => t!("trust.only_why"),
            (Self::Plain(PlainReason::Chosen), _) => t!("trust.chosen_why"),
        }
    }

    fn how(&self) -> Cow<'static, str> {
        match self {
            Self::Key(change) if change.damaged.is_some() => t!("trust.damaged_how"),
            Self::Key(_) => t!("trust.how"),
            Self::Plain(PlainReason::NoLonger) => t!("trust.plain_how"),
            Self::Plain(PlainReason::Only) => t!("trust.only_how"),
            Self::Plain(PlainReason::Chosen) => t!("trust.chosen_how"),
        }
    }

    /// Returns the label of the first button, which changes nothing.
    fn away(&self) -> Cow<'static, str> {
        match self {
            Self::Plain(PlainReason::Only | PlainReason::Chosen) => t!("trust.do_not_send"),
            _ => t!("trust.away"),
        }
    }

    /// Returns the label of the second button, and what it does.
    fn go_on(&self) -> (Cow<'static, str>, UiEvent) {
        match self {
            Self::Key(change) => {
                let name = t!("trust.trust");
                (name, UiEvent::Trust(Event::TrustKey(change.shown.clone())))
            }
            Self::Plain(PlainReason::Only) => (t!("trust.only_send"), UiEvent::Trust(Event::SendReadable)),
            Self::Plain(_) => (t!("trust.plain_send"), UiEvent::Trust(Event::SendReadable)),
        }
    }
}

/// What the window of a doubtful server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing is to be sent to the server; also when the window was closed.
    StayAway,
    /// What was asked for is to be sent unencrypted to a server that encrypted before, this once.
    SendReadable,
    /// The server may show this key from now on.
    TrustKey(Vec<u8>),
}

/// What is shown.
struct Body {
    server: String,
    nearby: bool,
    doubt: Doubt,
    /// How many pixels are scrolled out above the window's top.
    scrolled: i32,
}

/// The window of a doubtful server.
pub struct TrustWindow {
    window: screen::Owned,
    doubt: Doubt,
}

impl TrustWindow {
    /// Opens the window. If the address is `nearby`, another computer has more likely got it than that somebody wants
    /// to read along.
    #[must_use]
    pub fn new(server: &str, nearby: bool, doubt: &Doubt, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window(None, WIDTH, doubt.height());
        window.set_label(&doubt.title());
        window.set_color(palette.bg);
        let body = Body { server: server.to_owned(), nearby, doubt: doubt.clone(), scrolled: 0 };
        let (text, scroll) = text_of(&mut window, body);
        let mut away = widgets::button(0, 0, 0, &doubt.away(), Style::Primary);
        let (name, goes_on) = doubt.go_on();
        let mut go_on = widgets::button(0, 0, 0, &name, Style::Ghost);
        window.end();
        let mut lay_out = laying_out(text, [away.clone(), go_on.clone()], Rc::clone(&scroll));
        lay_out(window.w(), window.h());
        window.resize_callback(move |_, _, _, w, h| lay_out(w, h));
        away.set_callback({
            let emit = Rc::clone(&emit);
            move |_| emit(UiEvent::Trust(Event::StayAway))
        });
        go_on.set_callback({
            let emit = Rc::clone(&emit);
            move |_| emit(goes_on.clone())
        });
        listen(&mut window, &emit, move |event| match event {
            enums::Event::MouseWheel => scroll(app::event_dy_value() * 40),
            enums::Event::KeyDown if app::event_key() == Key::PageDown => scroll(160),
            enums::Event::KeyDown if app::event_key() == Key::PageUp => scroll(-160),
            _ => false,
        });
        window.set_callback(move |_| emit(UiEvent::Trust(Event::StayAway)));
        window.show();
        let _ = away.take_focus();
        Self { window: screen::Owned::of(&window), doubt: doubt.clone() }
    }

    /// Returns what the window is about.
    #[must_use]
    pub fn doubt(&self) -> &Doubt {
        &self.doubt
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }
}

/// Scrolls by this many pixels; returns false if everything is in sight.
type Scroll = Rc<dyn Fn(i32) -> bool>;

/// Makes the text, in a window that becomes as high as it needs, if the screen has room.
fn text_of(window: &mut Window, body: Body) -> (Frame, Scroll) {
    let body = Rc::new(RefCell::new(body));
    let mut text = Frame::new(0, 0, window.w(), window.h() - FOOT, None);
    let content = Rc::new(Cell::new(0));
    if let Some(nowhere) = draw::Offscreen::new(1, 1) {
        nowhere.begin();
        let high = draw_body(&text, &body.borrow());
        nowhere.end();
        screen::wants(window, high + FOOT);
    }
    screen::least(window, 300, 240);
    text.draw({
        let (body, content) = (Rc::clone(&body), Rc::clone(&content));
        move |f| {
            draw::push_clip(f.x(), f.y(), f.w(), f.h());
            let high = draw_body(f, &body.borrow());
            if let Some(bar) = Bar::of(f.h(), high.into(), body.borrow().scrolled.into()) {
                bar.draw([f.x(), f.y(), f.w()], false);
            }
            draw::pop_clip();
            content.set(high);
        }
    });
    let scrolled = text.clone();
    let scroll = move |by: i32| {
        let most = (content.get() - scrolled.h()).max(0);
        let mut body = body.borrow_mut();
        body.scrolled = (body.scrolled + by).clamp(0, most);
        scrolled.clone().redraw();
        most > 0
    };
    (text, Rc::new(scroll))
}

/// Lays the buttons out side by side if there is room, else one below the other.
fn laying_out(mut text: Frame, [mut away, mut go_on]: [Button; 2], scroll: Scroll) -> impl FnMut(i32, i32) {
    move |w, h| {
        let beside = w >= BESIDE;
        let foot = if beside { FOOT } else { FOOT + theme::CONTROL + 4 };
        text.resize(0, 0, w, h - foot);
        let inner = w - 2 * MARGIN;
        if beside {
            let wide = (inner - 12) * 2 / 5;
            away.resize(MARGIN, h - 50, wide, theme::CONTROL);
            go_on.resize(MARGIN + wide + 12, h - 50, inner - wide - 12, theme::CONTROL);
        } else {
            away.resize(MARGIN, h - 50 - theme::CONTROL - 4, inner, theme::CONTROL);
            go_on.resize(MARGIN, h - 50, inner, theme::CONTROL);
        }
        scroll(0);
    }
}

/// Draws the text; returns its height.
fn draw_body(f: &Frame, body: &Body) -> i32 {
    let colours = theme::palette();
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.bg);
    let (x, inner) = (f.x() + MARGIN, f.w() - 2 * MARGIN);
    let begin = f.y() - body.scrolled + MARGIN - 4;
    let mut y = begin;
    let paragraph = |text: &str, size: i32, ink, y: &mut i32| {
        let lines = widgets::lines(text, inner, size);
        widgets::draw_lines(&lines, x, *y, size, ink);
        *y += i32::try_from(lines.len()).unwrap_or(0) * widgets::line_height(size) + GAP;
    };
    // Servers of the course are like that, which is no sign of bad intentions.
    let usual = matches!(body.doubt, Doubt::Plain(PlainReason::Only | PlainReason::Chosen));
    let ink = if body.nearby || usual { colours.warn } else { colours.error };
    paragraph(&body.doubt.head(&body.server), theme::BODY + 1, ink, &mut y);
    paragraph(&body.doubt.why(body.nearby), theme::SMALL + 1, colours.text, &mut y);
    y += GAP
        + match &body.doubt {
            Doubt::Key(change) => draw_keys(x, y, inner, change),
            Doubt::Plain(_) => draw_readable(x, y, inner),
        };
    paragraph(&body.doubt.how(), theme::SMALL + 1, colours.text, &mut y);
    y - begin + MARGIN
}

/// Draws the words of both keys side by side, or of the only one; returns their height.
fn draw_keys(x: i32, y: i32, inner: i32, change: &KeyChange) -> i32 {
    let chinese = rust_i18n::locale().starts_with("zh");
    let ((shown, known), (shown_too, known_too)) = (change.words(chinese), change.words(!chinese));
    if change.known.is_empty() {
        return draw_words([x, y, inner], &t!("trust.shown"), &shown, &shown_too, chinese);
    }
    let wide = (inner - 12) / 2;
    let known = draw_words([x, y, wide], &t!("trust.known"), &known, &known_too, chinese);
    let shown = draw_words([x + inner - wide, y, wide], &t!("trust.shown"), &shown, &shown_too, chinese);
    known.max(shown)
}

/// Draws the list of what would be sent unencrypted; returns its height.
fn draw_readable(x: i32, y: i32, w: i32) -> i32 {
    let colours = theme::palette();
    let each = [t!("trust.plain_password"), t!("trust.plain_messages"), t!("trust.plain_people")];
    let lines: Vec<String> = each.iter().flat_map(|text| widgets::lines(text, w - 24, theme::BODY)).collect();
    let step = widgets::line_height(theme::BODY);
    let high = i32::try_from(lines.len()).unwrap_or(0) * step;
    let (top, foot) = draw_box([x, y, w], &t!("trust.plain_readable"), high);
    widgets::draw_lines(&lines, x + 12, top, theme::BODY, colours.text);
    foot - y
}

/// Draws a box of this width with a title and room of this height; returns where the room begins and where the box
/// ends.
fn draw_box([x, y, w]: [i32; 3], title: &str, room: i32) -> (i32, i32) {
    let colours = theme::palette();
    let top = y + 10 + widgets::line_height(theme::SMALL) + 4;
    let foot = top + room + 10;
    shape::lined(x, y, w, foot - y, theme::RADIUS, 1, [colours.line, colours.surface]);
    widgets::draw_lines(&[title.to_owned()], x + 12, y + 10, theme::SMALL, colours.dim);
    (top, foot)
}

/// Draws a box with a key's words, numbered as they are read aloud, and below them the same in the other language;
/// returns its height.
fn draw_words([x, y, w]: [i32; 3], title: &str, words: &str, too: &str, chinese: bool) -> i32 {
    let colours = theme::palette();
    let words: Vec<String> = if chinese {
        words.chars().map(String::from).collect()
    } else {
        words.split_whitespace().map(str::to_owned).collect()
    };
    let columns = if chinese { 4 } else { 2 } / if w >= WIDE { 1 } else { 2 };
    let rows = i32::try_from(words.len().div_ceil(columns)).unwrap_or(0);
    let below = widgets::lines(too, w - 24, theme::SMALL);
    let small = widgets::line_height(theme::SMALL);
    let room = rows * ROW + 6 + i32::try_from(below.len()).unwrap_or(0) * small;
    let (top, foot) = draw_box([x, y, w], title, room);
    let step = (w - 24) / i32::try_from(columns).unwrap_or(1);
    let rows_of = usize::try_from(rows).unwrap_or(1).max(1);
    for (n, word) in words.iter().enumerate() {
        // Chinese is read along the rows, a list of words down its columns.
        let (column, row) = if chinese { (n % columns, n / columns) } else { (n / rows_of, n % rows_of) };
        let left = x + 12 + i32::try_from(column).unwrap_or(0) * step;
        let base = top + i32::try_from(row).unwrap_or(0) * ROW + 18;
        draw::set_font(Font::Helvetica, theme::TINY);
        draw::set_draw_color(colours.dim);
        draw::draw_text(&(n + 1).to_string(), left, base);
        draw::set_font(Font::Helvetica, if chinese { 18 } else { theme::BODY });
        draw::set_draw_color(colours.text);
        draw::draw_text(word, left + 14, base);
    }
    widgets::draw_lines(&below, x + 12, top + rows * ROW + 6, theme::SMALL, colours.dim);
    foot - y
}
