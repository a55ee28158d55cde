//! A window of fields, notes and buttons: it scrolls what does not fit on the screen, while the buttons at its foot
//! stay, and it grows with what it has to say.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::enums::{Event, FrameType, Key};
use fltk::frame::Frame;
use fltk::group::{Group, Scroll, ScrollType};
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::valuator::Scrollbar;
use fltk::window::Window;

use super::keys_window::listen;
use super::{Emit, UiEvent, screen, text, theme, widgets};

/// How wide a scroll bar is.
pub(super) const BAR: i32 = 8;
/// Kept free above and below what is brought into sight.
const AROUND: i32 = 10;

/// How wide a form is.
pub(super) const WIDTH: i32 = 320;
/// Beside what stands in it.
pub(super) const MARGIN: i32 = 24;
/// What that leaves.
pub(super) const INNER: i32 = WIDTH - 2 * MARGIN;

/// The lines of a form from above: labels, each with its field below.
pub struct Lines {
    y: i32,
    step: i32,
}

impl Lines {
    /// From y on, one every `step` pixels.
    pub const fn new(y: i32, step: i32) -> Self {
        Self { y, step }
    }

    /// The next line, for a text; `hint` stands in the field while it is empty.
    pub fn field(&mut self, label: &str, hint: &str) -> Input {
        widgets::field(MARGIN, self.next(label), INNER, hint)
    }

    /// The next line, for a password.
    pub fn secret(&mut self, label: &str, hint: &str) -> SecretInput {
        widgets::secret_field(MARGIN, self.next(label), INNER, hint)
    }

    fn next(&mut self, label: &str) -> i32 {
        widgets::label(MARGIN, self.y, INNER, label, theme::palette().dim);
        self.y += self.step;
        self.y - self.step + 22
    }
}

/// The window, and its parts.
#[derive(Clone)]
pub struct Sheet {
    window: Window,
    body: Scroll,
    /// All of the body from its very corner on. FLTK takes the corner of what is inside for the place that is scrolled
    /// to, so without this the first margin would count as scrolled, and be gone with the next layout.
    ground: Frame,
    foot: Option<Group>,
    /// What the body and the foot need.
    high: Rc<Cell<[i32; 2]>>,
    flow: Option<Rc<RefCell<Flow>>>,
}

/// Lays the body out from x and y on in this width; how high it is then.
type Flow = dyn FnMut(i32, i32, i32) -> i32;

impl Sheet {
    /// Begins a window that wants to be so large. What is made until [`Sheet::foot`] or [`Sheet::end`] scrolls.
    pub fn new(w: i32, h: i32) -> Self {
        Self::within(screen::window(None, w, h), h)
    }

    /// The same for a question, at the window that asks it.
    pub fn over(w: i32, h: i32) -> Self {
        Self::within(screen::window_over(w, h), h)
    }

    fn within(mut window: Window, h: i32) -> Self {
        window.set_color(theme::palette().bg);
        let mut body = Scroll::new(0, 0, window.w(), window.h(), None);
        body.set_type(ScrollType::Vertical);
        body.set_frame(FrameType::FlatBox);
        body.set_color(theme::palette().bg);
        body.set_scrollbar_size(BAR);
        dress_bar(&mut body.scrollbar());
        let ground = Frame::new(0, 0, 1, h, None);
        Self { window, body, ground, foot: None, high: Rc::new(Cell::new([h, 0])), flow: None }
    }

    /// What depends on the width is laid out by this, from x and y on; it says how high it has become.
    pub fn flow(&mut self, flow: impl FnMut(i32, i32, i32) -> i32 + 'static) {
        self.flow = Some(Rc::new(RefCell::new(flow)));
    }

    /// Begins the part that stays at the window's foot, so high; where it stands.
    pub fn foot(&mut self, high: i32) -> i32 {
        let [all, _] = self.high.get();
        self.high.set([all - high, high]);
        let (w, top) = (self.window.w(), self.window.h() - high);
        self.body.end();
        let mut foot = Group::new(0, top, w, high, None);
        foot.make_resizable(false);
        self.foot = Some(foot);
        top
    }

    /// All is made.
    pub fn end(&mut self) {
        match &self.foot {
            Some(foot) => foot.end(),
            None => self.body.end(),
        }
        self.window.end();
        self.lay_out();
        let sheet = self.clone();
        self.window.resize_callback(move |_, _, _, _, _| sheet.clone().lay_out());
    }

    /// Its last two buttons, and it is shown: the one does `submit`; the other, and whoever closes the window, asks for
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

    /// The window, for whoever closes it.
    pub fn owned(&self) -> screen::Owned {
        screen::Owned::of(&self.window)
    }

    /// The window itself.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Says something in a note, which grows with it, to `least` pixels at least: what is below makes room, and
    /// the window grows as far as the screen allows.
    pub fn tell(&mut self, note: &mut Frame, least: i32, text: &str) {
        note.set_label(&text::escape(text));
        let by = text::height(text, note.w(), note.label_size()).max(least) - note.h();
        let Some(group) = note.parent() else { return };
        if by != 0 {
            let below = note.y() + note.h();
            let [bar, other] = [self.body.scrollbar(), self.body.hscrollbar()].map(|bar| bar.as_widget_ptr());
            for n in 0..group.children() {
                let Some(mut child) = group.child(n) else { continue };
                let own = [bar, other].contains(&child.as_widget_ptr());
                if child.y() >= below && !own {
                    let (x, y) = (child.x(), child.y() + by);
                    child.set_pos(x, y);
                }
            }
            note.set_size(note.w(), note.h() + by);
            let [body, foot] = self.high.get();
            let in_foot = self.foot.as_ref().is_some_and(|foot| foot.as_widget_ptr() == group.as_widget_ptr());
            let [body, foot] = if in_foot { [body, foot + by] } else { [body + by, foot] };
            self.high.set([body, foot]);
            if let (true, Some(foot)) = (in_foot, &mut self.foot) {
                // Its own size first, so that its children stay where they were put.
                let (x, y, w, h) = (foot.x(), foot.y(), foot.w(), foot.h() + by);
                foot.resize(x, y, w, h);
            }
            screen::wants(&mut self.window, body + foot);
            self.lay_out();
        }
        if note.visible_r() && !text.is_empty() {
            reveal(note);
        }
        self.window.redraw();
    }

    /// Whether the key or the wheel scrolled it; for windows without controls that have the keys.
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
            Key::Home => -self.high.get()[0],
            Key::End => self.high.get()[0],
            _ => return false,
        };
        self.scroll_by(by)
    }

    fn scroll_by(&mut self, by: i32) -> bool {
        let most = (self.high.get()[0] - self.body.h()).max(0);
        let to = (self.body.yposition() + by).clamp(0, most);
        self.body.scroll_to(0, to);
        most > 0
    }

    fn lay_out(&mut self) {
        let (w, h) = (self.window.w(), self.window.h());
        let [_, high] = self.high.get();
        self.body.resize(0, 0, w, (h - high).max(0));
        if let Some(flow) = &self.flow {
            let (x, y) = (self.body.x() - self.body.xposition(), self.body.y() - self.body.yposition());
            let body = flow.borrow_mut()(x, y, w);
            self.high.set([body, high]);
        }
        let [body, high] = self.high.get();
        let (x, y) = (self.body.x() - self.body.xposition(), self.body.y() - self.body.yposition());
        self.ground.resize(x, y, 1, body);
        // What fits again does not stay scrolled.
        self.scroll_by(0);
        if let Some(foot) = &mut self.foot {
            foot.resize(0, h - high, w, high);
        }
    }
}

/// Brings a control that has the keys into sight.
pub fn reveal<W: WidgetExt>(control: &W) {
    let mut above = control.parent();
    while let Some(group) = above {
        if let Some(mut scroll) = Scroll::from_dyn_widget(&group) {
            let (top, bottom) = (control.y() - AROUND - scroll.y(), control.y() + control.h() + AROUND - scroll.y());
            let by = if top < 0 { top } else { (bottom - scroll.h()).max(0).min(top) };
            if by != 0 {
                let bars = [scroll.scrollbar().as_widget_ptr(), scroll.hscrollbar().as_widget_ptr()];
                let inside = (0..scroll.children()).filter_map(|n| scroll.child(n));
                let inside = inside.filter(|child| !bars.contains(&child.as_widget_ptr()));
                let end = inside.map(|child| child.y() + child.h()).max().unwrap_or(0) - scroll.y();
                // Nor further than there is anything: what fits stays where it is.
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
    // Of the arrows.
    bar.set_label_color(colours.bg);
}
