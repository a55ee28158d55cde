//! The lines of a form: what each contains, its height, and its distance from the one before.

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

/// The width of a form.
pub const WIDTH: i32 = 320;
/// The margin at the left and right.
const MARGIN: i32 = 24;
/// The distance above the first line and below the last.
pub(super) const EDGE: i32 = 16;
/// The distance between lines.
pub(super) const GAP: i32 = 10;
/// The distance between lines that belong together.
pub(super) const NEAR: i32 = 4;
/// The height of a label.
const LABEL: i32 = 20;
/// The distance between a label and what it belongs to.
const UNDER_LABEL: i32 = 2;
/// The height of a checkbox with its label.
const CHECK: i32 = 24;
/// The distance between two buttons.
const BETWEEN: i32 = 12;
/// The largest width of a button beside another one.
const BUTTON: i32 = 170;

/// Room for a sentence, which becomes higher with it, but never lower than it was made.
#[derive(Clone)]
pub struct Note {
    pub(super) frame: Frame,
    pub(super) least: i32,
}

impl Note {
    /// Makes a note of a frame from [`widgets::note`], never lower than `least`.
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

/// The lines of a form, each made by one call and placed below the one before. The content between the margins is as
/// wide as there is room; the total height is known when the window is made.
#[derive(Clone)]
pub struct Rows {
    pub(super) column: Flex,
    pub(super) wide: i32,
    pub(super) high: Rc<Cell<i32>>,
    /// The distance above the next line.
    gap: i32,
    /// Two buttons side by side, and the largest width of each.
    pair: Option<(Flex, [Button; 2], i32)>,
}

impl Rows {
    /// Begins the lines of a window that wants this width; what is made before the next such call belongs to them.
    pub fn new(wide: i32) -> Self {
        // They are put into their window when all of them are made and the height is known.
        Group::set_current(None::<&Group>);
        let mut column = Flex::new(0, 0, wide, 0, None).column();
        column.set_pad(0);
        Self { column, wide, high: Rc::default(), gap: EDGE, pair: None }
    }

    /// Begins the lines that stay at the foot of a window.
    pub fn foot(wide: i32) -> Self {
        Self { gap: NEAR, ..Self::new(wide) }
    }

    /// Puts the next line close to the one before, as they belong together.
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

    /// Adds a line of this height with what `make` makes, side by side and `pad` apart: as wide as set by
    /// `Flex::fixed`, the others equally wide.
    pub fn row<W>(&mut self, high: i32, pad: i32, make: impl FnOnce(&mut Flex) -> W) -> W {
        let line = Flex::new(0, 0, self.wide, high, None).row();
        self.line(line, high, pad, make)
    }

    /// Adds a label with what `make` makes below it, as high as a control.
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

    /// Adds a label with a field for a text; `hint` is shown in the field while it is empty.
    pub fn field(&mut self, label: &str, hint: &str) -> Input {
        let inner = self.inner();
        self.labelled(label, || widgets::field(0, 0, inner, hint))
    }

    /// Adds a label with a field for a password.
    pub fn secret(&mut self, label: &str, hint: &str) -> SecretInput {
        let inner = self.inner();
        self.labelled(label, || widgets::secret_field(0, 0, inner, hint))
    }

    /// Adds a label, and below it choices that `make` makes, side by side.
    pub fn choices<W>(&mut self, label: &str, make: impl FnOnce() -> W) -> W {
        self.labelled(label, || {
            let mut row = Flex::new(0, 0, 0, theme::CONTROL, None).row();
            row.set_pad(NEAR);
            let made = make();
            row.end();
            made
        })
    }

    /// Adds a label above lines that belong to it.
    pub fn label(&mut self, label: &str) {
        self.row(LABEL, 0, |_| widgets::label(0, 0, 0, label, theme::palette().dim));
        self.near();
    }

    /// Adds a checkbox.
    pub fn check(&mut self, label: &str) -> CheckButton {
        self.row(CHECK, 0, |_| widgets::checkbox(0, 0, 0, label))
    }

    /// Adds room for this many lines of small text.
    pub fn note(&mut self, lines: i32) -> Note {
        let high = lines * text::line_height(theme::SMALL);
        Note::new(self.row(high, 0, |_| widgets::note(0, 0, 0, high)), high)
    }

    /// Adds a button as wide as the form.
    pub fn button(&mut self, label: &str, style: Style) -> Button {
        self.row(theme::CONTROL, 0, |_| widgets::button(0, 0, 0, label, style))
    }

    /// Adds two buttons side by side at the right edge, to refuse and to agree; with `whole`, they are as wide as there
    /// is room.
    pub fn buttons(&mut self, refuse: &str, agree: &str, whole: bool) -> [Button; 2] {
        let most = if whole { self.inner() } else { BUTTON };
        let pair = self.row(theme::CONTROL, BETWEEN, |row| {
            let _free = (!whole).then(|| Frame::new(0, 0, 0, 0, None));
            let buttons = [(refuse, Style::Ghost), (agree, Style::Primary)];
            (row.clone(), buttons.map(|(label, style)| widgets::button(0, 0, 0, label, style)), most)
        });
        self.pair.insert(pair).1.clone()
    }

    /// Adds a line of what `make` makes, which takes the height that the other lines leave in a window that they fill.
    pub fn rest<W>(&mut self, make: impl FnOnce() -> W) -> W {
        let mut line = Flex::new(0, 0, self.wide, 0, None).row();
        line.set_margins(MARGIN, std::mem::replace(&mut self.gap, GAP), MARGIN, 0);
        let made = make();
        line.end();
        made
    }

    /// Puts the lines into a window, which they fill whatever its size.
    pub fn fill(self, window: &mut Window) {
        Group::set_current(None::<&Group>);
        window.add(&self.column);
        let mut rows = self;
        let mut lay_out = move |w: i32, h: i32| rows.lay_out([0, 0, w, h - EDGE]);
        lay_out(window.w(), window.h());
        window.resize_callback(move |_, _, _, w, h| lay_out(w, h));
    }

    /// Adds a rule from edge to edge, with some distance above it.
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

    /// Returns the width of a line between the margins.
    fn inner(&self) -> i32 {
        self.wide - 2 * MARGIN
    }

    /// Returns whether this line is one of them.
    pub(super) fn has(&self, line: &Group) -> bool {
        line.parent().is_some_and(|group| group.as_widget_ptr() == self.column.as_widget_ptr())
    }

    /// Makes a line higher, or lower if `by` is negative.
    pub(super) fn grow(&mut self, line: &Group, by: i32) {
        self.column.fixed(line, line.h() + by);
        self.high.set(self.high.get() + by);
    }

    /// Lays all lines out in this area.
    pub(super) fn lay_out(&mut self, [x, y, w, h]: [i32; 4]) {
        if let Some((row, buttons, most)) = &mut self.pair {
            let wide = ((w - 2 * MARGIN - BETWEEN) / 2).min(*most);
            buttons.iter().for_each(|button| row.fixed(button, wide));
        }
        self.column.resize(x, y, w, h);
    }
}

/// Moves the right end of a line outwards, for a control whose visible part is inside its edge.
pub fn outwards(line: &mut Flex, by: i32) {
    let (left, top, right, bottom) = line.margins();
    line.set_margins(left, top, right - by, bottom);
}
