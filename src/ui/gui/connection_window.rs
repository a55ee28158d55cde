//! The connection window: the figures of the connection, and why a server cannot be reached. Shows and emits; what it
//! shows comes as values.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{self, Color, Font, Key};
use fltk::frame::Frame;
use fltk::group::{Group, Scroll, ScrollType};
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::field_menu;
use super::keys_window::listen;
use super::widgets::{self, Style};
use super::{Emit, UiEvent, screen, shape, sheet, theme};
use crate::client::Connection;
use crate::client::diagnosis::{Mark, Report, Verdict};
use crate::client::net::clock;

const WIDTH: i32 = 900;
const HEIGHT: i32 = 450;
const BAR: i32 = 44;
const PAD: i32 = 14;
/// The smallest and the largest width of a figure's name.
const LABEL: [i32; 2] = [78, 104];
/// How far one turn of the wheel or one arrow key scrolls.
const STEP: i32 = 36;

/// What the connection window asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The window is to be opened.
    Open,
    /// The figures of the connection are needed, to be shown.
    FiguresWanted,
    /// It is to be found out why this server cannot be reached.
    FindOut(String),
    /// The window was closed.
    Closed,
}

/// The connection window.
pub struct ConnectionWindow {
    window: screen::Owned,
    field: Input,
    figures: Frame,
    steps: Frame,
    shown: Rc<RefCell<Shown>>,
    message: Frame,
    lay_out: Rc<dyn Fn(i32, i32)>,
}

/// What the window's keys work on.
pub(super) struct KeyTarget {
    emit: Emit,
    /// Scrolls by this many pixels.
    scroll: Rc<dyn Fn(i32)>,
    page: Frame,
    copying: Rc<dyn Fn()>,
}

type WindowKey = Action<fn(&KeyTarget)>;

/// The window's keys; the field for a server handles its own keys first.
pub(super) const ACTIONS: &[WindowKey] = &[
    WindowKey::told(&[Press::Elsewhere("Enter")], "keys.find_out"),
    WindowKey::new(&[Press::Escape, Press::Ctrl('w')], "keys.close", |here| {
        (here.emit)(UiEvent::Connection(Event::Closed))
    }),
    WindowKey::new(&[Press::Ctrl('c')], "keys.copy_report", |here| (here.copying)()).outside_fields(),
    WindowKey::new(&[Press::PageUp], "keys.copy_report", |here| (here.scroll)(STEP - here.page.h())),
    WindowKey::new(&[Press::PageDown], "keys.copy_report", |here| (here.scroll)(here.page.h() - STEP)),
    WindowKey::new(&[Press::Up], "keys.copy_report", |here| (here.scroll)(-STEP)).outside_fields(),
    WindowKey::new(&[Press::Down], "keys.copy_report", |here| (here.scroll)(STEP)).outside_fields(),
];

/// What is shown in the window.
#[derive(Default)]
struct Shown {
    connection: Option<Connection>,
    report: Option<Report>,
    /// How far the steps are scrolled, and how far they can be.
    down: i32,
    most: i32,
    window: Option<screen::Life>,
}

/// The widgets of the window.
#[derive(Clone)]
struct Parts {
    question: Frame,
    /// The field for a server, with its frame.
    field: Option<Group>,
    test: Button,
    copy: Button,
    message: Frame,
    scroll: Scroll,
    figures: Frame,
    steps: Frame,
}

impl Parts {
    /// Lays the window out at this size; `high` returns the height of the figures in a column of some width.
    fn lay_out(&mut self, w: i32, h: i32, high: impl Fn(i32) -> i32) {
        // Without room beside the field, the question is above it.
        let narrow = w < 640;
        let (x, y) = if narrow { (PAD, 30) } else { (186, 4) };
        let top = y + BAR - 4;
        let left = w * 44 / 100;
        self.scroll.resize(0, top, left, h - top);
        self.figures.resize(0, top, left, (h - top).max(high(left)));
        self.scroll.scroll_to(0, 0);
        self.scroll.redraw();
        self.steps.resize(left, top, w - left, h - top);
        self.question.resize(PAD, 4, 170, if narrow { 24 } else { theme::CONTROL });
        self.message.resize(w - 10 - 72 - 80, y, 76, theme::CONTROL);
        self.copy.resize(w - 10 - 72, y, 72, theme::CONTROL);
        let room = (w - 10 - 72 - 84 - 104 - x).clamp(120, 320);
        self.field.iter_mut().for_each(|field| field.resize(x, y, room, theme::CONTROL));
        self.test.resize(x + room + 6, y, 92, theme::CONTROL);
    }
}

impl ConnectionWindow {
    /// Opens the window; `server` is the one that is examined unless the person types another.
    #[must_use]
    pub fn new(server: &str, place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window(place, WIDTH, HEIGHT);
        window.set_label(&t!("connection.title"));
        window.set_color(palette.bg);
        screen::least(&mut window, 480, 240);
        let shown: Rc<RefCell<Shown>> = Rc::default();
        shown.borrow_mut().window = Some(screen::Life::of(&window));
        let question = widgets::label(PAD, 4, 160, &t!("connection.why"), palette.dim);
        let mut field = widgets::field(0, 4, 250, "HOST:PORT");
        field.set_value(server);
        let mut test = widgets::button(0, 4, 92, &t!("connection.test"), Style::Primary);
        let mut copy = widgets::button(0, 4, 72, &t!("connection.copy"), Style::Ghost);
        let message = widgets::note(0, 4, 80, theme::CONTROL);
        let mut scroll = Scroll::new(0, BAR, WIDTH, HEIGHT - BAR, None);
        scroll.set_type(ScrollType::Vertical);
        scroll.set_scrollbar_size(sheet::BAR);
        sheet::dress_bar(&mut scroll.scrollbar());
        let mut figures = Frame::new(0, BAR, WIDTH, HEIGHT - BAR, None);
        scroll.end();
        let mut steps = Frame::new(0, BAR, WIDTH, HEIGHT - BAR, None);
        figures.draw({
            let shown = Rc::clone(&shown);
            move |f| draw_figures(f, shown.borrow().connection.as_ref())
        });
        steps.draw({
            let shown = Rc::clone(&shown);
            move |f| draw_steps(f, &mut shown.borrow_mut())
        });
        window.end();
        let parts = Parts {
            question,
            field: field.parent(),
            test: test.clone(),
            copy: copy.clone(),
            message: message.clone(),
            scroll,
            figures: figures.clone(),
            steps: steps.clone(),
        };
        let lay_out: Rc<dyn Fn(i32, i32)> = {
            let shown = Rc::clone(&shown);
            Rc::new(move |w, h| parts.clone().lay_out(w, h, |left| height_of(&shown.borrow(), left)))
        };
        lay_out(window.w(), window.h());
        window.resize_callback({
            let lay_out = Rc::clone(&lay_out);
            move |_, _, _, w, h| lay_out(w, h)
        });
        let find_out: Rc<dyn Fn()> = {
            let (field, emit) = (field.clone(), Rc::clone(&emit));
            Rc::new(move || emit(UiEvent::Connection(Event::FindOut(field.value().trim().to_owned()))))
        };
        let copying: Rc<dyn Fn()> = {
            let (shown, message) = (Rc::clone(&shown), message.clone());
            Rc::new(move || {
                let text = text(&shown.borrow());
                app::copy(&text);
                say(&mut message.clone(), &t!("connection.copied"));
            })
        };
        for (button, action) in [(&mut test, &find_out), (&mut copy, &copying)] {
            let action = Rc::clone(action);
            button.set_callback(move |_: &mut Button| action());
        }
        keys(&mut window, &mut field, &mut steps, &shown, [find_out, copying], &emit);
        window.set_callback({
            let emit = Rc::clone(&emit);
            move |_| emit(UiEvent::Connection(Event::Closed))
        });
        window.show();
        let _ = test.take_focus();
        tick(screen::Life::of(&window), emit);
        Self { window: screen::Owned::of(&window), field, figures, steps, shown, message, lay_out }
    }

    /// Shows the figures of the connection.
    pub fn set_connection(&mut self, connection: Connection) {
        let before = height_of(&self.shown.borrow(), self.figures.w());
        self.shown.borrow_mut().connection = Some(connection);
        if before != height_of(&self.shown.borrow(), self.figures.w()) {
            (self.lay_out)(self.window.w(), self.window.h());
        }
        self.figures.redraw();
    }

    /// Shows what was found out so far.
    pub fn set_report(&mut self, report: Report) {
        {
            let mut shown = self.shown.borrow_mut();
            if shown.report.as_ref().is_none_or(|old| old.finished) {
                shown.down = 0;
            }
            shown.report = Some(report);
        }
        say(&mut self.message, "");
        self.steps.redraw();
    }

    /// Rebuilds the window in another language or theme, with the server that was typed, the figures, and what was
    /// found out.
    #[must_use]
    pub fn renewed(&self, emit: Emit) -> Self {
        let new = Self::new(&self.field.value(), Some(self.position()), emit);
        {
            let (mut shown, old) = (new.shown.borrow_mut(), self.shown.borrow());
            (shown.connection, shown.report) = (old.connection.clone(), old.report.clone());
            (shown.down, shown.most) = (old.down, old.most);
        }
        (new.lay_out)(new.window.w(), new.window.h());
        if self.field.has_focus() {
            let _ = new.field.clone().take_focus();
        }
        screen::hide(&self.window);
        new
    }

    /// Returns the field for a server, for tests.
    #[must_use]
    pub fn field(&self) -> &Input {
        &self.field
    }

    /// Returns all of the text, as it is copied.
    #[must_use]
    pub fn text(&self) -> String {
        text(&self.shown.borrow())
    }

    /// Returns the steps' widget, for tests.
    #[must_use]
    pub fn steps(&self) -> &Frame {
        &self.steps
    }

    /// Returns the window's place, to be saved.
    #[must_use]
    pub fn position(&self) -> [i32; 4] {
        screen::position_of(&self.window)
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

fn say(message: &mut Frame, text: &str) {
    message.set_label_color(theme::palette().dim);
    message.set_label(text);
    message.window().into_iter().filter_map(|w| w.as_group()).for_each(|mut group| group.redraw());
}

fn text(shown: &Shown) -> String {
    let locale = rust_i18n::locale();
    let figures = shown.connection.as_ref().map(|c| c.text(clock::now().instant, &locale));
    let report = shown.report.as_ref().map(|report| report.text(&locale));
    figures.into_iter().chain(report).collect::<Vec<_>>().join("\n")
}

/// Sets up the window's keys, those of its field, and the wheel over the steps.
fn keys(
    window: &mut Window,
    field: &mut Input,
    steps: &mut Frame,
    shown: &Rc<RefCell<Shown>>,
    [find_out, copying]: [Rc<dyn Fn()>; 2],
    emit: &Emit,
) {
    let scroll: Rc<dyn Fn(i32)> = {
        let (shown, steps) = (Rc::clone(shown), steps.clone());
        Rc::new(move |by| {
            {
                let mut shown = shown.borrow_mut();
                shown.down = (shown.down + by).clamp(0, shown.most);
            }
            steps.clone().redraw();
        })
    };
    steps.handle({
        let scroll = Rc::clone(&scroll);
        move |_, event| {
            if event == enums::Event::MouseWheel {
                scroll(app::event_dy_value() * STEP);
            }
            event == enums::Event::MouseWheel
        }
    });
    let here = KeyTarget { emit: Rc::clone(emit), scroll, page: steps.clone(), copying: Rc::clone(&copying) };
    let shortcut: Rc<dyn Fn(bool) -> bool> =
        Rc::new(move |editing| pressed(ACTIONS, editing).inspect(|does| does(&here)).is_some());
    field.super_handle_first(false);
    field.handle({
        let shortcut = Rc::clone(&shortcut);
        move |field, event| {
            if matches!(event, enums::Event::Focus | enums::Event::Unfocus) {
                field.parent().into_iter().for_each(|mut around| around.redraw());
            }
            if event != enums::Event::KeyDown {
                return field_menu::handles(field, event);
            }
            if matches!(app::event_key(), Key::Enter | Key::KPEnter) {
                find_out();
                return true;
            }
            shortcut(true) || field_menu::handles(field, event)
        }
    });
    listen(window, emit, move |event| event == enums::Event::KeyDown && shortcut(false));
}

/// Asks for the figures now and once a second while the window is open.
fn tick(window: screen::Life, emit: Emit) {
    if !window.is_on() {
        return;
    }
    emit(UiEvent::Connection(Event::FiguresWanted));
    app::add_timeout3(1.0, move |_| tick(window.clone(), Rc::clone(&emit)));
}

fn draw_figures(f: &Frame, connection: Option<&Connection>) {
    let colours = theme::palette();
    draw::push_clip(f.x(), f.y(), f.w(), f.h());
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(f.x(), f.y(), f.x() + f.w());
    let mut y = f.y() + 10;
    for (label, value, high) in rows(connection, f.w()) {
        widgets::draw_lines(&label, f.x() + PAD, y + 1, theme::SMALL, colours.dim);
        widgets::draw_lines(&value, f.x() + PAD + label_of(f.w()), y, theme::BODY - 1, colours.text);
        y += high;
    }
    draw::pop_clip();
}

/// Returns the names and values of the figures, in lines, and the height of each, in a column of this width.
fn rows(connection: Option<&Connection>, w: i32) -> Vec<(Vec<String>, Vec<String>, i32)> {
    let rows = connection.map(|c| c.rows(clock::now().instant, &rust_i18n::locale())).unwrap_or_default();
    let row = |(what, value): (String, String)| {
        let label = widgets::lines(&what, label_of(w) - 8, theme::SMALL);
        let value = widgets::lines(&value, w - label_of(w) - 2 * PAD, theme::BODY - 1);
        let high = |lines: &[String], size| i32::try_from(lines.len()).unwrap_or(1) * widgets::line_height(size);
        let high = high(&label, theme::SMALL).max(high(&value, theme::BODY - 1)) + 7;
        (label, value, high)
    };
    rows.into_iter().map(row).collect()
}

/// Returns the width of the names in a column of this width: a narrow column leaves more room for the values.
fn label_of(w: i32) -> i32 {
    let [least, most] = LABEL;
    (w * 3 / 10).clamp(least, most)
}

/// Returns the height of the figures in a column of this width.
fn height_of(shown: &Shown, w: i32) -> i32 {
    10 + rows(shown.connection.as_ref(), w).iter().map(|(.., high)| high).sum::<i32>()
}

fn draw_steps(f: &Frame, shown: &mut Shown) {
    let colours = theme::palette();
    draw::push_clip(f.x(), f.y(), f.w(), f.h());
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(f.x(), f.y(), f.x() + f.w());
    draw::draw_yxline(f.x(), f.y(), f.y() + f.h());
    let room = f.w() - 2 * PAD;
    let top = f.y() + 10;
    let at = Cell::new(top - shown.down);
    let write = |text: &str, indent: i32, size: i32, colour: Color| {
        let lines = widgets::lines(text, room - indent, size);
        widgets::draw_lines(&lines, f.x() + PAD + indent, at.get(), size, colour);
        at.set(at.get() + i32::try_from(lines.len()).unwrap_or(1) * widgets::line_height(size));
    };
    match &shown.report {
        None => write(&t!("connection.hint"), 0, theme::SMALL, colours.dim),
        Some(report) => {
            let locale = rust_i18n::locale();
            let ink = match report.verdict() {
                _ if !report.finished => colours.dim,
                Verdict::Secure => colours.ok,
                Verdict::Plain => colours.warn,
                Verdict::Unreachable | Verdict::Doubtful => colours.error,
            };
            write(&report.sentence(&locale), 0, theme::BODY + 1, ink);
            at.set(at.get() + 6);
            for line in report.lines(&locale) {
                let (sign, ink) = match line.mark {
                    Mark::Done => (colours.ok, colours.text),
                    Mark::Warning => (colours.warn, colours.text),
                    Mark::Failed => (colours.error, colours.text),
                    Mark::Skipped => (colours.dim, colours.dim),
                };
                draw::set_font(Font::Helvetica, theme::BODY - 1);
                let signs = [line.mark.sign().to_owned()];
                widgets::draw_lines(&signs, f.x() + PAD, at.get(), theme::BODY - 1, sign);
                write(&line.text, 20, theme::BODY - 1, ink);
                for (more, ink) in [(&line.meaning, colours.dim), (&line.advice, colours.accent)] {
                    if !more.is_empty() {
                        write(more, 20, theme::SMALL, ink);
                    }
                }
                at.set(at.get() + 6);
            }
        }
    }
    let height = at.get() + shown.down - top;
    shown.most = (height + 20 - f.h()).max(0);
    if shown.most > 0 {
        let high = f.h() * f.h() / (height + 20).max(1);
        let down = shown.down * (f.h() - high) / shown.most.max(1);
        shape::filled(f.x() + f.w() - 7, f.y() + down, 5, high.max(20), 2, colours.line);
    }
    draw::pop_clip();
    // A larger window shows more, so that nothing is left empty.
    if shown.down > shown.most {
        shown.down = shown.most;
        let (mut frame, window) = (f.clone(), shown.window.clone());
        app::add_timeout3(0.0, move |_| {
            if window.as_ref().is_some_and(screen::Life::is_on) {
                frame.redraw();
            }
        });
    }
}
