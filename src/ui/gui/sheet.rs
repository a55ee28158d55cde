//! A window of fields, notes and buttons: its lines are below each other, laid out by FLTK's Flex, so that nobody has
//! to compute places. It scrolls what does not fit on the screen, while the lines at its foot stay, and it grows with
//! the texts it shows.
//!
//! Its parts:
//!
//! - `rows`: the lines of a form.

mod rows;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::enums::{Event, FrameType, Key};
use fltk::group::{Group, Scroll, ScrollType};
use fltk::prelude::*;
use fltk::valuator::Scrollbar;
use fltk::window::Window;

use super::keys_window::listen;
use super::{Emit, UiEvent, screen, text, theme};
use rows::{EDGE, GAP, NEAR};
pub use rows::{Note, Rows, WIDTH, outwards};

/// The width of a scroll bar.
pub(super) const BAR: i32 = 8;
/// The distance kept above and below a control that is scrolled into sight.
const REVEAL_MARGIN: i32 = 10;

/// Lays the body out from x and y on in this width, and returns its height.
type Flow = dyn FnMut(i32, i32, i32) -> i32;

/// The content that scrolls.
#[derive(Clone)]
enum Inside {
    /// The lines, and the distance below them.
    Rows(Rows, i32),
    /// A body whose layout depends on the width, and its height.
    Flow(Rc<RefCell<Flow>>, Rc<Cell<i32>>),
}

impl Inside {
    fn high(&self) -> i32 {
        match self {
            Self::Rows(rows, below) => rows.high.get() + below,
            Self::Flow(_, high) => high.get(),
        }
    }

    fn lay_out(&mut self, x: i32, y: i32, w: i32) {
        match self {
            Self::Rows(rows, _) => rows.lay_out([x, y, w, rows.high.get()]),
            Self::Flow(flow, high) => high.set(flow.borrow_mut()(x, y, w)),
        }
    }
}

/// The window, and its parts.
#[derive(Clone)]
pub struct Sheet {
    window: Window,
    body: Scroll,
    inside: Inside,
    foot: Option<Rows>,
}

impl Sheet {
    /// Makes a window of these lines; those of `foot` stay at the bottom.
    pub fn new(title: &str, body: Rows, foot: Option<Rows>) -> Self {
        let below = if foot.is_some() { NEAR } else { EDGE };
        Self::of_rows(title, (body, below), foot, |w, h| screen::window(None, w, h))
    }

    /// Makes such a window for a question, over the window that asks it.
    pub fn over(title: &str, body: Rows, foot: Option<Rows>) -> Self {
        Self::of_rows(title, (body, GAP), foot, screen::window_over)
    }

    fn of_rows(
        title: &str,
        (body, below): (Rows, i32),
        foot: Option<Rows>,
        window: impl FnOnce(i32, i32) -> Window,
    ) -> Self {
        Group::set_current(None::<&Group>);
        let (wide, column) = (body.wide, body.column.clone());
        let inside = Inside::Rows(body, below);
        let window = window(wide, inside.high() + foot_high(foot.as_ref()));
        let mut scroll = scroller(&window);
        scroll.end();
        scroll.add(&column);
        Self::end(window, title, scroll, inside, foot)
    }

    /// Makes a window that wants this size, with the content that `make` makes. `flow` lays it out from x and y on in a
    /// width, and returns its height.
    pub fn flowing<W: 'static>(
        title: &str,
        [w, h]: [i32; 2],
        make: impl FnOnce() -> W,
        mut flow: impl FnMut(&mut W, i32, i32, i32) -> i32 + 'static,
    ) -> Self {
        let window = screen::window(None, w, h);
        let scroll = scroller(&window);
        let mut made = make();
        scroll.end();
        let flow: Rc<RefCell<Flow>> = Rc::new(RefCell::new(move |x, y, w| flow(&mut made, x, y, w)));
        Self::end(window, title, scroll, Inside::Flow(flow, Rc::new(Cell::new(h))), None)
    }

    /// Finishes the window once everything in it is made.
    fn end(mut window: Window, title: &str, body: Scroll, inside: Inside, foot: Option<Rows>) -> Self {
        window.set_label(title);
        window.set_color(theme::palette().bg);
        foot.iter().for_each(|foot| window.add(&foot.column));
        window.end();
        let mut sheet = Self { window, body, inside, foot };
        sheet.lay_out();
        let all = sheet.clone();
        sheet.window.resize_callback(move |_, _, _, _, _| all.clone().lay_out());
        sheet
    }

    /// Sets up the two buttons and shows the window: the first does `submit`; the second, and closing the window, emits
    /// `closed`.
    pub fn open(&self, emit: &Emit, [agree, cancel]: [&mut Button; 2], submit: Rc<dyn Fn()>, closed: &UiEvent) {
        agree.set_callback(move |_| submit());
        let close = || {
            let (emit, closed) = (Rc::clone(emit), closed.clone());
            move || emit(closed.clone())
        };
        let (by_button, by_window) = (close(), close());
        cancel.set_callback(move |_| by_button());
        let mut window = self.window.clone();
        listen(&mut window, emit, |_| false);
        window.set_callback(move |_| by_window());
        window.show();
    }

    /// Returns the window's ownership; dropping that closes it.
    pub fn owned(&self) -> screen::Owned {
        screen::Owned::of(&self.window)
    }

    /// Returns the window itself.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Shows a text in a note, which grows with it: what is below moves down, and the window grows as far as the screen
    /// allows.
    pub fn tell(&mut self, note: &mut Note, text: &str) {
        note.set_label(&text::escape(text));
        let wanted = if text.is_empty() { 0 } else { text::height(text, note.w(), note.label_size()) };
        let by = wanted.max(note.least) - note.h();
        let Some(line) = note.parent() else { return };
        let body = match &mut self.inside {
            Inside::Rows(rows, _) => Some(rows),
            Inside::Flow(..) => None,
        };
        let rows = [body, self.foot.as_mut()].into_iter().flatten().find(|rows| rows.has(&line));
        if let Some(rows) = rows.filter(|_| by != 0) {
            rows.grow(&line, by);
            let wanted = self.inside.high() + foot_high(self.foot.as_ref());
            screen::wants(&mut self.window, wanted);
            self.lay_out();
        }
        if note.visible_r() && !text.is_empty() {
            reveal(&note.frame);
        }
        self.window.redraw();
    }

    /// Handles a key or the wheel by scrolling, for windows without controls that take the keyboard; returns whether it
    /// did.
    pub fn scrolls(&mut self, event: Event) -> bool {
        if event != Event::KeyDown {
            return false;
        }
        let page = (self.body.h() - 40).max(40);
        let by = match app::event_key() {
            Key::Down => 40,
            Key::Up => -40,
            Key::PageDown => page,
            Key::PageUp => -page,
            Key::Home => -self.inside.high(),
            Key::End => self.inside.high(),
            _ => return false,
        };
        self.scroll_by(by)
    }

    fn scroll_by(&mut self, by: i32) -> bool {
        let most = (self.inside.high() - self.body.h()).max(0);
        let to = (self.body.yposition() + by).clamp(0, most);
        self.body.scroll_to(0, to);
        most > 0
    }

    fn lay_out(&mut self) {
        let (w, h) = (self.window.w(), self.window.h());
        let foot = foot_high(self.foot.as_ref());
        self.body.resize(0, 0, w, (h - foot).max(0));
        let (x, y) = (self.body.x() - self.body.xposition(), self.body.y() - self.body.yposition());
        self.inside.lay_out(x, y, w);
        // If everything fits again, it must not stay scrolled.
        self.scroll_by(0);
        if let Some(rows) = &mut self.foot {
            rows.lay_out([0, h - foot, w, rows.high.get()]);
        }
    }
}

fn foot_high(foot: Option<&Rows>) -> i32 {
    foot.map_or(0, |foot| foot.high.get() + EDGE)
}

/// Makes the area that scrolls in a window that was just made; what is made afterwards goes into it.
fn scroller(window: &Window) -> Scroll {
    let mut body = Scroll::new(0, 0, window.w(), window.h(), None);
    body.set_type(ScrollType::Vertical);
    body.set_frame(FrameType::FlatBox);
    body.set_color(theme::palette().bg);
    body.set_scrollbar_size(BAR);
    dress_bar(&mut body.scrollbar());
    body
}

/// Scrolls a control that has the keyboard into sight.
pub fn reveal<W: WidgetExt>(control: &W) {
    let mut above = control.parent();
    while let Some(group) = above {
        if let Some(mut scroll) = Scroll::from_dyn_widget(&group) {
            let (top, bottom) =
                (control.y() - REVEAL_MARGIN - scroll.y(), control.y() + control.h() + REVEAL_MARGIN - scroll.y());
            let by = if top < 0 { top } else { (bottom - scroll.h()).max(0).min(top) };
            if by != 0 {
                let bars = [scroll.scrollbar().as_widget_ptr(), scroll.hscrollbar().as_widget_ptr()];
                let inside = (0..scroll.children()).filter_map(|n| scroll.child(n));
                let inside = inside.filter(|child| !bars.contains(&child.as_widget_ptr()));
                let end = inside.map(|child| child.y() + child.h()).max().unwrap_or(0) - scroll.y();
                // Not further than there is anything: what fits stays where it is.
                let most = (scroll.yposition() + end - scroll.h()).max(0);
                let to = (scroll.yposition() + by).clamp(0, most);
                scroll.scroll_to(scroll.xposition(), to);
            }
            return;
        }
        above = group.parent();
    }
}

/// Gives one of FLTK's scroll bars our looks: a flat thumb without arrows.
pub(super) fn dress_bar(bar: &mut Scrollbar) {
    let colours = theme::palette();
    bar.set_frame(FrameType::FlatBox);
    bar.set_color(colours.bg);
    bar.set_slider_frame(FrameType::RFlatBox);
    bar.set_selection_color(colours.offline);
    // The colour of the arrows.
    bar.set_label_color(colours.bg);
}
