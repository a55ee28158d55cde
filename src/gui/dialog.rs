//! Questions in a window of their own, that something waits for.

use std::cell::Cell;
use std::rc::Rc;

use fltk::app;
use fltk::group::Group;
use fltk::prelude::*;

use super::file_chooser::{Purpose, choose};
use super::screen;
use super::sheet::Sheet;
use super::theme::{self, BODY};
use super::widgets::{Style, button, field, note};

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
    let mut sheet = Sheet::new(wide, if file.is_some() { 150 } else { 130 });
    let mut window = sheet.window().clone();
    // A narrower screen has a narrower window.
    let wide = window.w();
    window.set_label(&rust_i18n::t!("gui.app"));
    let mut text = note(24, 14, wide - 48, 28);
    text.set_label_size(BODY);
    text.set_label_color(theme::palette().text);
    let mut line = file.map(|_| field(24, 48, wide - 160, ""));
    let look = file.map(|_| button(wide - 128, 48, 104, &rust_i18n::t!("gui.browse"), Style::Ghost));
    let y = sheet.foot(64);
    let half = (wide - 60) / 2;
    let button_wide = half.min(170);
    let mut refuse = button(wide - 24 - 2 * button_wide - 12, y + 10, button_wide, no, Style::Ghost);
    let mut agree = button(wide - 24 - button_wide, y + 10, button_wide, yes, Style::Primary);
    sheet.end();
    sheet.tell(&mut text, 28, question);
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
    screen::close(window);
    Group::set_current(current.as_ref());
    answer.get().then_some(text)
}
