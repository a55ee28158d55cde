//! The lines of a form: what each has, how high it is, and how far it is from the one before.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use fltk::button::{Button, CheckButton};
use fltk::draw;
use fltk::frame::Frame;
use fltk::group::{Flex, Group};
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use fltk::window::Window;

use crate::ui::gui::widgets::{self, Style};
use crate::ui::gui::{text, theme};

/// How wide a form is.
pub const WIDTH: i32 = 320;
/// Beside what stands in it.
const MARGIN: i32 = 24;
/// Over the first line, and below the last.
pub(super) const EDGE: i32 = 16;
/// Between lines.
pub(super) const GAP: i32 = 10;
/// Between lines that belong together.
pub(super) const NEAR: i32 = 4;
/// How high a label is.
const LABEL: i32 = 20;
/// Between a label and what it is of.
const UNDER_LABEL: i32 = 2;
/// How high a box to tick is with its label.
const CHECK: i32 = 24;
/// Between two buttons.
const BETWEEN: i32 = 12;
/// As wide as a button becomes beside another one.
const BUTTON: i32 = 170;

/// Room for a sentence, which becomes higher with it, and never lower than it was made.
#[derive(Clone)]
pub struct Note {
    pub(super) frame: Frame,
    pub(super) least: i32,
}

impl Note {
    /// A frame that was made by [`widgets::note`], never lower than that.
    pub fn new(frame: Frame, least: i32) -> Self {
        Self { frame, least }
    }
}

impl Deref for Note {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl DerefMut for Note {
    fn deref_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }
}

/// Lines of a form, each made by one call and put below the one before. What a line has between the margins is as wide as there
/// is room; how high all of them are, they say when the window is made.
#[derive(Clone)]
pub struct Rows {
    pub(super) column: Flex,
    pub(super) wide: i32,
    pub(super) high: Rc<Cell<i32>>,
    /// Left free over the next line.
    gap: i32,
    /// Two buttons beside each other, as wide as each may become.
    pair: Option<(Flex, [Button; 2], i32)>,
}

impl Rows {
    /// The lines of a window that wants to be so wide; what is made before the next such call belongs to them.
    pub fn new(wide: i32) -> Self {
        // They come into their window when all are there, and it is known how high that is.
        Group::set_current(None::<&Group>);
        let mut column = Flex::new(0, 0, wide, 0, None).column();
        column.set_pad(0);
        Self { column, wide, high: Rc::default(), gap: EDGE, pair: None }
    }

    /// The lines that stay at the foot of a window.
    pub fn foot(wide: i32) -> Self {
        Self { gap: NEAR, ..Self::new(wide) }
    }

    /// The next line belongs to the one before.
    pub fn near(&mut self) -> &mut Self {
        self.gap = NEAR;
        self
    }

    fn line<W>(&mut self, mut line: Flex, high: i32, pad: i32, make: impl FnOnce(&mut Flex) -> W) -> W {
        let gap = std::mem::replace(&mut self.gap, GAP);
        line.set_margins(MARGIN, gap, MARGIN, 0);
        line.set_pad(pad);
        let made = make(&mut line);
        line.end();
        self.add(&line, gap + high);
        made
    }

    fn add<W: WidgetExt>(&mut self, widget: &W, high: i32) {
        self.column.fixed(widget, high);
        self.high.set(self.high.get() + high);
    }

    /// What `make` makes beside each other in a line so high, `pad` apart: as wide as it says by `Flex::fixed`, the others alike.
    pub fn row<W>(&mut self, high: i32, pad: i32, make: impl FnOnce(&mut Flex) -> W) -> W {
        let line = Flex::new(0, 0, self.wide, high, None).row();
        self.line(line, high, pad, make)
    }

    /// A label, with what `make` makes below it, as high as a control.
    pub fn labelled<W>(&mut self, label: &str, make: impl FnOnce() -> W) -> W {
        let high = LABEL + UNDER_LABEL + theme::CONTROL;
        let line = Flex::new(0, 0, self.wide, high, None).column();
        let inner = self.inner();
        self.line(line, high, UNDER_LABEL, |line| {
            let over = widgets::label(0, 0, inner, label, theme::palette().dim);
            line.fixed(&over, LABEL);
            make()
        })
    }

    /// A label with a field for a text; `hint` stands in the field while it is empty.
    pub fn field(&mut self, label: &str, hint: &str) -> Input {
        let inner = self.inner();
        self.labelled(label, || widgets::field(0, 0, inner, hint))
    }

    /// The same for a password.
    pub fn secret(&mut self, label: &str, hint: &str) -> SecretInput {
        let inner = self.inner();
        self.labelled(label, || widgets::secret_field(0, 0, inner, hint))
    }

    /// A label, and what can be chosen beside each other, of what `make` makes.
    pub fn choices<W>(&mut self, label: &str, make: impl FnOnce() -> W) -> W {
        self.labelled(label, || {
            let mut row = Flex::new(0, 0, 0, theme::CONTROL, None).row();
            row.set_pad(NEAR);
            let made = make();
            row.end();
            made
        })
    }

    /// A label over lines that belong to it.
    pub fn label(&mut self, label: &str) {
        self.row(LABEL, 0, |_| widgets::label(0, 0, 0, label, theme::palette().dim));
        self.near();
    }

    /// A box to tick.
    pub fn check(&mut self, label: &str) -> CheckButton {
        self.row(CHECK, 0, |_| widgets::checkbox(0, 0, 0, label))
    }

    /// Room for so many lines of small text.
    pub fn note(&mut self, lines: i32) -> Note {
        let high = lines * text::line_height(theme::SMALL);
        Note::new(self.row(high, 0, |_| widgets::note(0, 0, 0, high)), high)
    }

    /// A button as wide as the form.
    pub fn button(&mut self, label: &str, style: Style) -> Button {
        self.row(theme::CONTROL, 0, |_| widgets::button(0, 0, 0, label, style))
    }

    /// What refuses and what agrees, beside each other at the right edge; or both as wide as there is room, with `whole`.
    pub fn buttons(&mut self, refuse: &str, agree: &str, whole: bool) -> [Button; 2] {
        let most = if whole { self.inner() } else { BUTTON };
        let pair = self.row(theme::CONTROL, BETWEEN, |row| {
            let _free = (!whole).then(|| Frame::new(0, 0, 0, 0, None));
            let buttons = [(refuse, Style::Ghost), (agree, Style::Primary)];
            (row.clone(), buttons.map(|(label, style)| widgets::button(0, 0, 0, label, style)), most)
        });
        self.pair.insert(pair).1.clone()
    }

    /// What `make` makes takes the room that the other lines leave in a window that they fill.
    pub fn rest<W>(&mut self, make: impl FnOnce() -> W) -> W {
        let mut line = Flex::new(0, 0, self.wide, 0, None).row();
        line.set_margins(MARGIN, std::mem::replace(&mut self.gap, GAP), MARGIN, 0);
        let made = make();
        line.end();
        made
    }

    /// They fill a window, however large it becomes.
    pub fn fill(self, window: &mut Window) {
        Group::set_current(None::<&Group>);
        window.add(&self.column);
        let mut rows = self;
        let mut lay_out = move |w: i32, h: i32| rows.lay_out([0, 0, w, h - EDGE]);
        lay_out(window.w(), window.h());
        window.resize_callback(move |_, _, _, w, h| lay_out(w, h));
    }

    /// A line from edge to edge, with air over it.
    pub fn rule(&mut self) {
        let high = EDGE + 1;
        let mut rule = Frame::new(0, 0, self.wide, high, None);
        rule.draw(|f| {
            draw::set_draw_color(theme::palette().line);
            draw::draw_xyline(f.x(), f.y() + EDGE, f.x() + f.w());
        });
        self.add(&rule, high);
        self.gap = NEAR;
    }

    /// How wide a line is between the margins.
    fn inner(&self) -> i32 {
        self.wide - 2 * MARGIN
    }

    /// Whether this line is one of them.
    pub(super) fn has(&self, line: &Group) -> bool {
        line.parent().is_some_and(|group| group.as_widget_ptr() == self.column.as_widget_ptr())
    }

    /// A line becomes higher, or lower where negative.
    pub(super) fn grow(&mut self, line: &Group, by: i32) {
        self.column.fixed(line, line.h() + by);
        self.high.set(self.high.get() + by);
    }

    /// Puts all of them there.
    pub(super) fn lay_out(&mut self, [x, y, w, h]: [i32; 4]) {
        if let Some((row, buttons, most)) = &mut self.pair {
            let wide = ((w - 2 * MARGIN - BETWEEN) / 2).min(*most);
            buttons.iter().for_each(|button| row.fixed(button, wide));
        }
        self.column.resize(x, y, w, h);
    }
}

/// Moves the right end of a line outwards, where not the edge of its last control is seen but what is drawn in it.
pub fn outwards(line: &mut Flex, by: i32) {
    let (left, top, right, bottom) = line.margins();
    line.set_margins(left, top, right - by, bottom);
}
