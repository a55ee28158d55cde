//! Windows of fields: what they say and how they grow moves nothing that stands above it.

use std::time::Duration;

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::input::{Input, SecretInput};
use fltk::prelude::*;
use hongyan::client::session::PasswordOutcome;
use hongyan::ui::gui::Emit;
use hongyan::ui::gui::friend_window::{Befriending, FriendWindow};
use hongyan::ui::gui::login_window::{Login, LoginForm};
use hongyan::ui::gui::password_window::{Field, PasswordWindow};
use hongyan::ui::gui::register_window::Register;
use std::rc::Rc;

use super::every_window::{controls, windows};

/// Lets everything be drawn, as it is before anybody can type.
fn draw() {
    for _ in 0..5 {
        app::redraw();
        let _ = app::wait_for(0.01);
        app::flush();
    }
    std::thread::sleep(Duration::from_millis(5));
}

/// Where the fields of the window in front stand in it.
fn fields() -> Vec<[i32; 2]> {
    let all = windows();
    let window = all.first().expect("a window is open");
    let fields = controls(window).into_iter().filter(|(widget, _)| Input::from_dyn_widget(widget).is_some());
    fields.map(|(widget, _)| [widget.x(), widget.y()]).collect()
}

fn stays(mut say: impl FnMut(&str)) {
    draw();
    let before = fields();
    assert!(before.len() >= 2, "{before:?}");
    for text in ["Short.", &"So long that the window has to grow for it. ".repeat(4), "Short again.", ""] {
        say(text);
        draw();
        assert_eq!(fields(), before, "after {text:?}");
    }
    // Nor does the keyboard, where all there is can be seen.
    for (widget, _) in windows().first().map(controls).unwrap_or_default() {
        let _ = widget.clone().take_focus();
        draw();
        assert_eq!(fields(), before, "the keyboard at {:?}", widget.label());
    }
}

pub fn what_a_window_says_moves_no_field() {
    let emit: Emit = Rc::new(|_| ());
    let mut login = Login::new(&LoginForm::default(), "here", Rc::clone(&emit));
    stays(|text| login.say(text, true));
    drop(login);
    let mut register = Register::new(Rc::clone(&emit));
    stays(|text| register.say(text));
    drop(register);
    let mut password = PasswordWindow::new(emit);
    stays(|text| password.say(text));
    stays(|text| password.refuse(text, Field::New));
    drop(password);
}

/// Fields of a form begin and end at the same edges as its buttons, and are equally far apart.
pub fn lines_of_a_form_stand_in_line() {
    let emit: Emit = Rc::new(|_| ());
    let whole = |window: &str| {
        draw();
        let all = windows().first().map(controls).unwrap_or_default();
        let fields = all.iter().filter(|(widget, _)| Input::from_dyn_widget(widget).is_some());
        let places: Vec<[i32; 3]> =
            fields.filter_map(|(widget, _)| widget.parent()).map(|f| [f.x(), f.y(), f.x() + f.w()]).collect();
        assert!(places.len() >= 3, "{window}: {places:?}");
        let steps: Vec<i32> = places.windows(2).map(|two| two[1][1] - two[0][1]).collect();
        assert!(steps.windows(2).all(|two| two[0] == two[1]), "{window}: {steps:?} apart");
        let buttons = all.iter().filter(|(widget, _)| Button::from_dyn_widget(widget).is_some());
        let buttons = buttons.filter(|(widget, _)| CheckButton::from_dyn_widget(widget).is_none());
        let edges = places.iter().map(|[x, _, r]| [*x, *r]);
        let mut edges: Vec<[i32; 2]> = edges.chain(buttons.map(|(b, _)| [b.x(), b.x() + b.w()])).collect();
        edges.dedup();
        assert_eq!(edges.len(), 1, "{window}: {edges:?}");
    };
    let register = Register::new(Rc::clone(&emit));
    whole("registration");
    drop(register);
    let password = PasswordWindow::new(Rc::clone(&emit));
    whole("password");
    drop(password);
    let friend = FriendWindow::new("ben", None, &[], (true, &Befriending::Asks), emit);
    whole("friend");
    drop(friend);
}

/// What is wrong with the new password is set right there, and the old one only where that is wrong.
pub fn the_keys_go_to_the_password_that_is_wrong() {
    let mut password = PasswordWindow::new(Rc::new(|_| ()));
    let fields: Vec<SecretInput> =
        windows().iter().flat_map(controls).filter_map(|(control, _)| SecretInput::from_dyn_widget(&control)).collect();
    let [old, new, again] = &fields[..] else { panic!("{} fields", fields.len()) };
    for (outcome, field) in [
        (PasswordOutcome::PasswordsDiffer, new),
        (PasswordOutcome::WrongPassword, old),
        (PasswordOutcome::NoAnswer, new),
        (PasswordOutcome::NotTheOneOfLogin, old),
    ] {
        let _ = again.clone().take_focus();
        password.say("…");
        assert!(again.has_focus(), "what goes on takes no keys away");
        password.refuse(&outcome.sentence(), Field::of(&outcome));
        assert!(field.has_focus(), "{outcome:?}");
    }
    drop(password);
}
