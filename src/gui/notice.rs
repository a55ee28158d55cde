//! What the main window says over its connection line: a sentence, and a question with two answers while
//! its owner has to decide how to go on. It waits there, and takes no key from anybody.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::button::Button;
use fltk::draw;
use fltk::frame::Frame;
use fltk::prelude::*;

use super::login::Emit;
use super::widgets::{self, Style};
use super::{UiEvent, theme};

const PAD: i32 = 12;
/// Lines of a sentence, and of a question.
const LINES: [usize; 2] = [5, 9];

/// Something to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What happened.
    pub text: String,
    /// What the answers' buttons are called, and what each does; the first is what most will want.
    pub answers: [(String, UiEvent); 2],
}

#[derive(Default)]
struct Said {
    text: String,
    question: Option<Question>,
}

impl Said {
    /// The lines, and whether each is dim.
    fn lines(&self, w: i32) -> Vec<(String, bool)> {
        let lines = |text: &str, dim: bool| {
            let lines = if text.is_empty() { Vec::new() } else { widgets::lines(text, w - 2 * PAD, theme::SMALL) };
            let most = if dim { LINES[0] } else { LINES[1] };
            lines.into_iter().take(most).map(move |line| (line, dim)).collect::<Vec<_>>()
        };
        let question = self.question.as_ref().map_or("", |question| &question.text);
        [lines(question, false), lines(&self.text, true)].concat()
    }

    fn text_height(&self, w: i32) -> i32 {
        match i32::try_from(self.lines(w).len()).unwrap_or(0) {
            0 => 0,
            lines => 8 + lines * widgets::line_height(theme::SMALL),
        }
    }
}

/// The widgets; made among the window's own.
#[derive(Clone)]
pub struct Notice {
    frame: Frame,
    buttons: [Button; 2],
    said: Rc<RefCell<Said>>,
}

impl Notice {
    /// Says nothing yet, and needs no room.
    #[must_use]
    pub fn new(emit: &Emit) -> Self {
        let said: Rc<RefCell<Said>> = Rc::default();
        let mut frame = Frame::new(0, 0, 0, 0, None);
        frame.draw({
            let said = Rc::clone(&said);
            move |f| draw_lines(f, &said.borrow())
        });
        let button = |number: usize| {
            let style = if number == 0 { Style::Primary } else { Style::Ghost };
            let mut button = widgets::button_on(0, 0, 0, "", style, |palette| palette.surface);
            let (said, emit) = (Rc::clone(&said), Rc::clone(emit));
            button.set_callback(move |_| {
                let answer = said.borrow().question.as_ref().and_then(|q| q.answers.get(number).cloned());
                answer.into_iter().for_each(|(_, event)| emit(event));
            });
            button.hide();
            button
        };
        let buttons = [button(0), button(1)];
        Self { frame, buttons, said }
    }

    /// Says something; empty to take it away.
    pub fn say(&self, text: &str) {
        self.said.borrow_mut().text = text.to_owned();
    }

    /// Asks something, or nothing any more.
    pub fn ask(&mut self, question: Option<Question>) {
        for (number, button) in self.buttons.iter_mut().enumerate() {
            match question.as_ref().and_then(|question| question.answers.get(number)) {
                Some((name, _)) => {
                    button.set_label(name);
                    button.show();
                }
                None => button.hide(),
            }
        }
        self.said.borrow_mut().question = question;
    }

    /// Takes its place over `bottom`; how high it is.
    pub fn lay_out(&self, w: i32, bottom: i32) -> i32 {
        let said = self.said.borrow();
        let text = said.text_height(w);
        let foot = if said.question.is_some() { theme::CONTROL + PAD } else { 0 };
        let (high, top) = (text + foot, bottom - text - foot);
        self.frame.clone().resize(0, top, w, high);
        let wide = (w - 3 * PAD) / 2;
        for (mut button, x) in self.buttons.clone().into_iter().zip([PAD, 2 * PAD + wide]) {
            button.resize(x, top + text + 2, wide, theme::CONTROL);
        }
        high
    }

    /// All it says and asks, for tests.
    #[must_use]
    pub fn text(&self) -> String {
        let said = self.said.borrow();
        let question = said.question.as_ref().map_or("", |question| &question.text);
        [question, &said.text].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The buttons of the answers, for tests.
    #[must_use]
    pub fn buttons(&self) -> &[Button; 2] {
        &self.buttons
    }
}

fn draw_lines(f: &Frame, said: &Said) {
    let colours = theme::palette();
    draw::draw_rect_fill(f.x(), f.y(), f.w(), f.h(), colours.surface);
    draw::set_draw_color(colours.line);
    draw::draw_xyline(f.x(), f.y(), f.x() + f.w());
    let mut y = f.y() + 4;
    for (line, dim) in said.lines(f.w()) {
        let ink = if dim { colours.dim } else { colours.text };
        widgets::draw_lines(&[line], f.x() + PAD, y, theme::SMALL, ink);
        y += widgets::line_height(theme::SMALL);
    }
}
