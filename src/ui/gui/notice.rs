//! What the main window says above its connection line: texts, and a question with two answers when the person has to
//! decide how to go on. It waits there without taking the keyboard.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use fltk::button::Button;
use fltk::draw;
use fltk::frame::Frame;
use fltk::prelude::*;
use rust_i18n::t;

use super::text::elided;
use super::widgets::{self, Style};
use super::{Emit, UiEvent, main_window, theme};
use crate::client::lost;

const PAD: i32 = 12;
/// The most lines of a momentary text, and of a question or a text that stays.
const LINES: [usize; 2] = [5, 9];
/// The most texts that stay.
const MOST: usize = 50;

/// A decision that the person has to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What has happened.
    pub text: String,
    /// The labels of the two buttons and what each does; the first is what most people will want.
    pub answers: [(String, UiEvent); 2],
}

/// Something that has happened, shown until the person dismisses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A sentence.
    Sentence(String),
    /// This number of messages may have been lost.
    Lost(u64),
}

impl Kept {
    fn text(&self) -> String {
        match self {
            Self::Sentence(text) => text.clone(),
            Self::Lost(n) => lost(*n),
        }
    }
}

#[derive(Default)]
struct Said {
    /// The momentary text.
    text: String,
    /// Whether the momentary text is about trouble with the server.
    trouble: bool,
    /// The texts that stay, oldest first; one is shown at a time.
    kept: VecDeque<Kept>,
    /// The text about a state, shown as long as that lasts.
    state: String,
    question: Option<Question>,
}

/// The lines of each part, from top to bottom.
struct Parts {
    question: Vec<String>,
    kept: Vec<String>,
    state: Vec<String>,
    text: Vec<String>,
}

impl Said {
    fn kept_text(&self) -> String {
        let text = self.kept.front().map(Kept::text).unwrap_or_default();
        if self.kept.len() > 1 { format!("1/{} · {text}", self.kept.len()) } else { text }
    }

    fn parts(&self, w: i32) -> Parts {
        let lines = |text: &str, most: usize| {
            let lines = if text.is_empty() { Vec::new() } else { widgets::lines(text, w - 2 * PAD, theme::SMALL) };
            cut(lines, most, |line| draw::width(line).ceil() as i32 <= w - 2 * PAD)
        };
        let question = self.question.as_ref().map_or("", |question| &question.text);
        Parts {
            question: lines(question, LINES[1]),
            kept: lines(&self.kept_text(), LINES[1]),
            state: lines(&self.state, LINES[0]),
            text: lines(&self.text, LINES[0]),
        }
    }
}

/// Cuts to `most` lines; if there are more, the last one ends with an ellipsis.
fn cut(mut lines: Vec<String>, most: usize, fits: impl Fn(&str) -> bool) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = elided(last, fits);
        }
    }
    lines
}

fn height(lines: &[String]) -> i32 {
    match i32::try_from(lines.len()).unwrap_or(0) {
        0 => 0,
        lines => 8 + lines * widgets::line_height(theme::SMALL),
    }
}

/// The height of a row of buttons.
const FOOT: i32 = theme::CONTROL + PAD;

/// The widgets, which belong to the main window.
#[derive(Clone)]
pub struct Notice {
    frame: Frame,
    buttons: [Button; 2],
    seen: Button,
    said: Rc<RefCell<Said>>,
}

impl Notice {
    /// Makes a notice that says nothing and needs no room.
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
        let mut seen = widgets::button_on(0, 0, 0, &t!("main.seen"), Style::Ghost, |palette| palette.surface);
        let emit = Rc::clone(emit);
        seen.set_callback(move |_| emit(UiEvent::Main(main_window::Event::NoticeSeen)));
        seen.hide();
        Self { frame, buttons, seen, said }
    }

    /// Shows a momentary text, perhaps about trouble with the server; an empty one removes it.
    pub fn say(&self, text: &str, trouble: bool) {
        let mut said = self.said.borrow_mut();
        (said.text, said.trouble) = (text.to_owned(), trouble);
    }

    /// Removes the text about trouble with the server; other texts stay.
    pub fn trouble_ends(&self) {
        let mut said = self.said.borrow_mut();
        if std::mem::take(&mut said.trouble) {
            said.text.clear();
        }
    }

    /// Shows a text about a state, beside whatever else is shown; an empty one removes it.
    pub fn stand(&self, text: &str) {
        self.said.borrow_mut().state = text.to_owned();
    }

    /// Shows a text that stays until [`Notice::take_away`].
    pub fn keep(&mut self, what: Kept) {
        let mut said = self.said.borrow_mut();
        let kept = &mut said.kept;
        let place = kept.iter().position(|kept| matches!(kept, Kept::Lost(_)));
        if let Kept::Lost(more) = what
            && let Some(Kept::Lost(n)) = place.and_then(|place| kept.get_mut(place))
        {
            *n = n.saturating_add(more);
        } else if !kept.contains(&what) {
            kept.push_back(what);
        }
        // Somebody who never looks gets the first and the last ones of very many.
        if kept.len() > MOST {
            kept.remove(MOST / 2);
        }
        // When a control appears or disappears, FLTK looks again for what is under the pointer.
        drop(said);
        self.seen.show();
    }

    /// Removes the oldest text that stays, since the person has dismissed it.
    pub fn take_away(&mut self) {
        let none = {
            let kept = &mut self.said.borrow_mut().kept;
            kept.pop_front();
            kept.is_empty()
        };
        if none {
            self.seen.hide();
        }
    }

    /// Returns the momentary text, and whether it is about trouble with the server.
    #[must_use]
    pub fn moment(&self) -> (String, bool) {
        let said = self.said.borrow();
        (said.text.clone(), said.trouble)
    }

    /// Returns all texts that stay, for a rebuilt window.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        self.said.borrow().kept.iter().cloned().collect()
    }

    /// Returns the button that dismisses a text, for tests.
    #[must_use]
    pub fn seen(&self) -> &Button {
        &self.seen
    }

    /// Shows a question; `None` removes it.
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

    /// Places itself above `bottom`; returns its height.
    pub fn lay_out(&self, w: i32, bottom: i32) -> i32 {
        let parts = self.said.borrow().parts(w);
        let foot = |lines: &[String]| if lines.is_empty() { 0 } else { FOOT };
        let asked = height(&parts.question) + foot(&parts.question);
        let kept = height(&parts.kept) + foot(&parts.kept);
        let high = asked + kept + height(&parts.state) + height(&parts.text);
        let top = bottom - high;
        self.frame.clone().resize(0, top, w, high);
        let wide = (w - 3 * PAD) / 2;
        let y = top + height(&parts.question) + 2;
        for (mut button, x) in self.buttons.clone().into_iter().zip([PAD, 2 * PAD + wide]) {
            button.resize(x, y, wide, theme::CONTROL);
        }
        self.seen.clone().resize(2 * PAD + wide, top + asked + height(&parts.kept) + 2, wide, theme::CONTROL);
        high
    }

    /// Returns everything it says and asks, for tests.
    #[must_use]
    pub fn text(&self) -> String {
        let said = self.said.borrow();
        let question = said.question.as_ref().map_or("", |question| &question.text);
        [question, &said.kept_text(), &said.state, &said.text]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Returns the buttons of the answers, for tests.
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
    let Parts { question, kept, state, text } = said.parts(f.w());
    let mut top = f.y();
    let said =
        [(question, colours.text, FOOT), (kept, colours.text, FOOT), (state, colours.text, 0), (text, colours.dim, 0)];
    for (lines, ink, foot) in said {
        let high = height(&lines);
        let mut y = top + 4;
        for line in lines {
            widgets::draw_lines(&[line], f.x() + PAD, y, theme::SMALL, ink);
            y += widgets::line_height(theme::SMALL);
        }
        top += if high > 0 { high + foot } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let fits = |line: &str| line.chars().count() <= 4;
        let all = lines(&["abc", "abcd", "文件"]);
        assert_eq!(cut(all.clone(), 3, fits), all, "nothing is missing");
        assert_eq!(cut(all.clone(), 2, fits), lines(&["abc", "abc…"]));
        assert_eq!(cut(all, 1, fits), lines(&["abc…"]));
        assert_eq!(cut(Vec::new(), 1, fits), lines(&[]));
        // What looks like one character is shown in full or not at all.
        assert_eq!(cut(lines(&["ab👩‍👩‍👧", "c"]), 1, fits), lines(&["ab…"]));
    }
}
