//! The question for a file.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::group::Group;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::widget::Widget;
use hongyan::client::history::contacts;
use hongyan::ui::gui::file_chooser::Purpose;
use hongyan::ui::gui::widgets;

fn all(group: &Group, found: &mut Vec<Widget>) {
    for child in (0..group.children()).filter_map(|i| group.child(i)) {
        if let Some(inner) = child.as_group() {
            all(&inner, found);
        }
        found.push(child);
    }
}

fn shown() -> Vec<Widget> {
    let mut found = Vec::new();
    for window in app::windows().unwrap_or_default().iter().filter(|window| window.shown()) {
        window.as_group().iter().for_each(|group| all(group, &mut found));
    }
    found
}

fn press(name: &str) -> bool {
    shown().into_iter().find(|child| child.label() == name).map(|mut button| button.do_callback()).is_some()
}

fn line() -> Input {
    shown().iter().find_map(Input::from_dyn_widget).expect("a field")
}

/// It says why, and waits with what was typed; and proposes nothing that is not there.
pub fn a_file_that_is_not_there_keeps_its_question() {
    for (locale, yes, why) in [("en", "Add", "there is no such file"), ("zh-CN", "导入", "没有这个文件")] {
        rust_i18n::set_locale(locale);
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let (missing, there) = (at("missing.csv"), at("friends.csv"));
        std::fs::write(&there, "account\nann\n").expect("written");
        let steps: Rc<RefCell<Vec<String>>> = Rc::default();
        app::add_timeout3(0.3, {
            let (steps, missing, there) = (Rc::clone(&steps), missing.clone(), there.clone());
            move |_| {
                let says = |text: &str| shown().iter().any(|child| child.label().contains(text));
                let step = |what: &str, good: bool| steps.borrow_mut().push(format!("{what}: {good}"));
                step("proposes nothing", line().value().is_empty());
                step("pressed", press(yes));
                line().set_value(&missing);
                step("pressed", press(yes));
                step("stays, and says why", says(why) && line().value() == missing);
                line().set_value(&there);
                step("pressed", press(yes));
            }
        });
        let check = |file: &str| contacts::read(std::path::Path::new(file)).map(drop);
        let answer = widgets::ask_file("?", &missing, Purpose::Read, yes, check);
        assert_eq!(answer, Some(there));
        assert!(steps.borrow().len() == 5 && steps.borrow().iter().all(|s| s.ends_with("true")), "{steps:?}");
    }
    rust_i18n::set_locale("en");
}
