//! Questions in a window of their own, whose answer something waits for.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::group::Group;
use fltk::input::Input;
use fltk::prelude::*;
use rust_i18n::t;

use super::file_chooser::{Purpose, choose};
use super::screen;
use super::sheet::{Note, Rows, Sheet};
use super::theme::{self, BODY};
use super::widgets::{self, Style};

/// Asks a question in a window of its own; returns true for `yes`. Blocks in FLTK's loop, so no borrow may be held.
pub fn ask(question: &str, yes: &str, no: &str) -> bool {
    dialog(question, None, yes, no).is_some()
}

/// Returns what is wrong with a file, as a sentence.
type Check = Rc<dyn Fn(&str) -> Result<(), String>>;

/// Asks for a file, to be typed or chosen; the button is called `yes`. Returns `None` if the person cancels. A proposed
/// name is taken to be in the documents folder. What `check` objects to is shown in the window, which stays open.
/// Blocks as [`ask`] does.
pub fn ask_file(
    question: &str,
    proposal: &str,
    purpose: Purpose,
    yes: &str,
    check: impl Fn(&str) -> Result<(), String> + 'static,
) -> Option<String> {
    let proposal = documents().join(proposal);
    let file = Some((&*proposal.to_string_lossy(), purpose, Rc::new(check) as Check));
    dialog(question, file, yes, &t!("friend.cancel"))
}

/// Returns the folder where people keep their documents.
fn documents() -> PathBuf {
    let home = directories::UserDirs::new();
    home.map(|home| home.document_dir().unwrap_or_else(|| home.home_dir()).to_owned()).unwrap_or_default()
}

/// Checks whether a file can be made, as far as that can be seen beforehand: its folder exists, and its name is not a
/// folder's.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn may_be_made(file: &str) -> Result<(), String> {
    let path = Path::new(file);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wrong = match folder.metadata() {
        Ok(found) if !found.is_dir() => std::io::ErrorKind::NotADirectory.into(),
        Ok(_) if path.is_dir() => std::io::ErrorKind::IsADirectory.into(),
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    Err(format!("{file}: {}", crate::base::trouble::words(&wrong)))
}

/// The width of a question.
const WIDE: i32 = 360;
/// The width of a question for a file, whose path is long.
const WITH_FILE: i32 = 520;
/// The width of the button that opens the file chooser.
const LOOK: i32 = 104;

/// Makes the rows for a file: the field, the button beside it, and the note about what is wrong.
fn file_rows(rows: &mut Rows) -> (Input, Button, Note) {
    let (line, look) = rows.row(theme::CONTROL, 8, |row| {
        let line = widgets::field(0, 0, WITH_FILE - LOOK, "");
        let look = widgets::button(0, 0, LOOK, &t!("gui.browse"), Style::Ghost);
        row.fixed(&look, LOOK);
        (line, look)
    });
    let mut wrong = rows.near().note(0);
    wrong.set_label_color(theme::palette().error);
    (line, look, wrong)
}

fn dialog(question: &str, file: Option<(&str, Purpose, Check)>, yes: &str, no: &str) -> Option<String> {
    let current = Group::try_current();
    Group::set_current(None::<&Group>);
    let wide = if file.is_some() { WITH_FILE } else { WIDE };
    let mut rows = Rows::new(wide);
    let mut text = rows.note(2);
    text.set_label_size(BODY);
    text.set_label_color(theme::palette().text);
    let of_file = file.as_ref().map(|_| file_rows(&mut rows));
    let (mut line, look, wrong) =
        of_file.map_or((None, None, None), |(line, look, wrong)| (Some(line), Some(look), Some(wrong)));
    let mut foot = Rows::foot(wide);
    let [mut refuse, mut agree] = foot.buttons(no, yes, false);
    let mut sheet = Sheet::over(&t!("gui.app"), rows, Some(foot));
    let mut window = sheet.window().clone();
    sheet.tell(&mut text, question);
    window.make_modal(true);
    let answer = Rc::new(Cell::new(false));
    let agreed: Rc<dyn Fn()> = {
        let (answer, window, sheet) = (Rc::clone(&answer), window.clone(), sheet.clone());
        let told = line.clone().zip(wrong).zip(file.as_ref().map(|(_, _, check)| Rc::clone(check)));
        Rc::new(move || {
            if let Some(((line, wrong), check)) = &told {
                let file = line.value();
                let said = if file.is_empty() { Err(t!("gui.which_file").into_owned()) } else { check(&file) };
                if let Err(sentence) = said {
                    sheet.clone().tell(&mut wrong.clone(), &sentence);
                    let _ = line.clone().take_focus();
                    return;
                }
            }
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
    if let (Some(line), Some(mut look), Some((proposal, purpose, _))) = (&mut line, look, file) {
        // A file that does not exist cannot be read, but its folder is a good place to begin looking.
        if purpose == Purpose::Write || Path::new(proposal).is_file() {
            line.set_value(proposal);
        }
        let proposal = proposal.to_owned();
        super::widgets::enter_submits(line, &agreed);
        let mut line = line.clone();
        look.set_callback(move |_| {
            let typed = line.value();
            if let Some(chosen) = choose(if typed.is_empty() { &proposal } else { &typed }, purpose) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_made_is_said_before_it_is_tried() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        assert_eq!(may_be_made(&at("new.csv")), Ok(()));
        assert_eq!(may_be_made("new.csv"), Ok(()));
        for wrong in [at("no/such/new.csv"), at("")] {
            let said = may_be_made(&wrong).expect_err("no file can be there");
            assert!(said.starts_with(&wrong) && !said.contains("os error"), "{said}");
        }
        std::fs::write(at("file"), "").expect("written");
        assert!(may_be_made(&at("file/new.csv")).is_err(), "a file is no folder");
    }
}
