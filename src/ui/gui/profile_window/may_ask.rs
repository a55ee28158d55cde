//! Who may ask to be a friend: everybody, who answers a question, or nobody.

use std::cell::Cell;
use std::rc::Rc;

use fltk::button::Button;
use fltk::input::Input;
use fltk::prelude::*;
use rust_i18n::t;

use crate::protocol::wire::item::MayAsk;
use crate::ui::gui::sheet::Rows;
use crate::ui::gui::{theme, widgets};

/// The part about who may ask, which only servers that keep friends have.
#[derive(Clone)]
pub(super) struct AskPart {
    chosen: Rc<Cell<usize>>,
    pub(super) question: Input,
    pub(super) answer: Input,
}

impl AskPart {
    pub(super) fn new(body: &mut Rows, may_ask: &MayAsk) -> Self {
        let number = match may_ask {
            MayAsk::Everybody => 0,
            MayAsk::Question { .. } => 1,
            MayAsk::Nobody => 2,
        };
        let labels = [t!("people.everybody"), t!("people.by_question"), t!("people.nobody")];
        let chosen = Rc::new(Cell::new(number));
        let segment = |(n, label)| widgets::segment(0, 0, 0, label, n, &chosen);
        let mut buttons: Vec<Button> = body
            .choices(&t!("people.may_ask"), || labels.iter().map(|label| &**label).enumerate().map(segment).collect());
        let mut question = body.field(&t!("people.own_question"), &t!("people.own_question_hint"));
        let mut answer = body.field(&t!("people.own_answer"), &t!("people.own_answer_hint"));
        if let MayAsk::Question { question: asked, answer: wanted } = may_ask {
            question.set_value(asked);
            answer.set_value(wanted);
        }
        let part = Self { chosen, question, answer };
        part.show();
        let all = buttons.clone();
        for (n, button) in buttons.iter_mut().enumerate() {
            let (part, mut all) = (part.clone(), all.clone());
            button.set_callback(move |_| {
                part.chosen.set(n);
                part.show();
                all.iter_mut().for_each(WidgetExt::redraw);
            });
        }
        part
    }

    /// Lets the fields of the question be filled in only where it is asked.
    fn show(&self) {
        for mut field in [self.question.clone(), self.answer.clone()] {
            let asked = self.chosen.get() == 1;
            field.set_readonly(!asked);
            let colours = theme::palette();
            field.set_text_color(if asked { colours.text } else { colours.dim });
            if asked {
                field.set_visible_focus()
            } else {
                field.clear_visible_focus()
            }
            field.redraw();
        }
    }

    pub(super) fn chosen(&self) -> MayAsk {
        match self.chosen.get() {
            0 => MayAsk::Everybody,
            1 => MayAsk::Question { question: self.question.value(), answer: self.answer.value() },
            _ => MayAsk::Nobody,
        }
    }
}
