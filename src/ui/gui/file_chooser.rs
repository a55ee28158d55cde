//! A window in which to find a file instead of typing its path, in our colours and with keys. FLTK's own chooser is in
//! English only; the system's blocks FLTK's timers while it is open, and we could not close it.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use fltk::app;
use fltk::browser::HoldBrowser;
use fltk::button::Button;
use fltk::enums::{Event, FrameType};
use fltk::frame::Frame;
use fltk::group::Group;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::screen;
use super::sheet::{BAR, Rows, dress_bar};
use super::theme::{self, BODY};
use super::widgets;

const WIDE: i32 = 520;
const HIGH: i32 = 440;
/// The height of the line that names the folder.
const LINE: i32 = 21;

/// What a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be read, so it must exist.
    Read,
    /// To be written, so it may be new.
    Write,
}

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    path: PathBuf,
    shown: String,
    folder: bool,
}

/// Returns the folder above, the folders in this one, and the files with this extension, without hidden ones.
fn entries(folder: &Path, kind: Option<&str>) -> Vec<Entry> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let folder = path.is_dir();
        let fits = folder || kind.is_none_or(|kind| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(kind)));
        let shown = if folder { format!("{name}/") } else { name };
        (fits && !shown.starts_with('.')).then_some(Entry { path, shown, folder })
    });
    let mut all: Vec<Entry> = found.collect();
    all.sort_by_cached_key(|entry| (!entry.folder, entry.shown.to_lowercase()));
    let above = folder.parent().map(|above| Entry { path: above.to_owned(), shown: "../".to_owned(), folder: true });
    above.into_iter().chain(all).collect()
}

/// What a key does in the list, with the function that takes the answer.
type ListKey = Action<fn(&mut List, &dyn Fn(Option<PathBuf>))>;

/// The keys of the list of files; the list handles the arrow keys itself.
pub(super) const KEYS: &[ListKey] = &[
    ListKey::new(&[Press::AnyEnter], "keys.open_file", |list, chosen| chosen(list.open())),
    ListKey::new(&[Press::BackSpace], "keys.folder_above", |list, _| list.up()),
];

/// The list and what it shows.
#[derive(Clone)]
pub(super) struct List {
    kind: Option<String>,
    browser: HoldBrowser,
    head: Frame,
    /// The folder that is shown, and its entries.
    shown: Rc<RefCell<(PathBuf, Vec<Entry>)>>,
}

impl List {
    fn show(&mut self, folder: &Path) {
        let lines = entries(folder, self.kind.as_deref());
        self.browser.clear();
        for line in &lines {
            // What follows `@.` is plain text, without formats.
            self.browser.add(&format!("@.{}", line.shown));
        }
        self.browser.select(1);
        self.head.set_label(&folder.to_string_lossy());
        self.head.redraw();
        *self.shown.borrow_mut() = (folder.to_owned(), lines);
    }

    fn folder(&self) -> PathBuf {
        self.shown.borrow().0.clone()
    }

    /// Returns the selected file; opens it if it is a folder.
    fn open(&mut self) -> Option<PathBuf> {
        let line = usize::try_from(self.browser.value()).ok()?.checked_sub(1)?;
        let Entry { path, folder, .. } = self.shown.borrow().1.get(line).cloned()?;
        if !folder {
            return Some(path);
        }
        self.show(&path);
        None
    }

    fn up(&mut self) {
        if let Some(above) = self.folder().parent() {
            self.show(above);
        }
    }
}

/// Asks for a file, beginning at `path`, among those with its extension. Blocks in FLTK's loop, so no borrow may be
/// held.
pub fn choose(path: &str, purpose: Purpose) -> Option<String> {
    let path = Path::new(path);
    let there = path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let current = Group::try_current();
    Group::set_current(None::<&Group>);
    let (mut window, mut list, [mut refuse, agree]) = chooser(path, purpose);
    list.show(there);
    let answer: Rc<RefCell<Option<PathBuf>>> = Rc::default();
    let chosen: Chosen = {
        let (answer, window) = (Rc::clone(&answer), window.clone());
        Rc::new(move |file| {
            if file.is_some() {
                *answer.borrow_mut() = file;
                window.clone().hide();
            }
        })
    };
    answers(&list, path, purpose, agree, chosen);
    refuse.set_callback({
        let mut window = window.clone();
        move |_| window.hide()
    });
    window.show();
    let _ = list.browser.take_focus();
    while window.shown() && app::wait() {}
    screen::close(window);
    Group::set_current(current.as_ref());
    answer.take().map(|file| file.to_string_lossy().into_owned())
}

/// Takes the file that was chosen as the answer; `None` if the person cancels.
type Chosen = Rc<dyn Fn(Option<PathBuf>)>;

/// Makes the window, its list of files beginning at `path`, and the two buttons.
fn chooser(path: &Path, purpose: Purpose) -> (Window, List, [Button; 2]) {
    let mut window = screen::window_over(WIDE, HIGH);
    window.end();
    window.set_label(&t!("gui.choose_file"));
    window.set_color(theme::palette().bg);
    let mut rows = Rows::new(WIDE);
    let mut head = rows.row(LINE, 0, |_| Frame::new(0, 0, 0, LINE, None));
    head.super_draw(false);
    head.draw(|f| {
        widgets::draw_lines(&[widgets::tail(&f.label(), f.w(), BODY)], f.x(), f.y(), BODY, theme::palette().dim)
    });
    let browser = rows.near().rest(list_of_files);
    let yes = if purpose == Purpose::Read { t!("gui.open_file") } else { t!("gui.this_folder") };
    let buttons = rows.buttons(&t!("friend.cancel"), &yes, false);
    rows.fill(&mut window);
    window.make_modal(true);
    let kind = path.extension().map(|kind| kind.to_string_lossy().into_owned());
    (window, List { kind, browser, head, shown: Rc::default() }, buttons)
}

/// Sets up keys, double clicks and the button that confirms.
fn answers(list: &List, path: &Path, purpose: Purpose, mut agree: Button, chosen: Chosen) {
    list.browser.clone().handle({
        let (mut list, chosen) = (list.clone(), Rc::clone(&chosen));
        move |_, event| match event {
            Event::KeyDown => pressed(KEYS, false).inspect(|does| does(&mut list, &*chosen)).is_some(),
            Event::Released if app::event_clicks() => {
                chosen(list.open());
                true
            }
            _ => false,
        }
    });
    agree.set_callback({
        let (mut list, name) = (list.clone(), path.file_name().map(PathBuf::from));
        move |_| match purpose {
            Purpose::Read => chosen(list.open()),
            Purpose::Write => chosen(name.as_ref().map(|name| list.folder().join(name))),
        }
    });
}

fn list_of_files() -> HoldBrowser {
    let colours = theme::palette();
    let mut browser = HoldBrowser::default();
    browser.set_frame(FrameType::FlatBox);
    browser.set_color(colours.surface);
    browser.set_selection_color(colours.selected);
    browser.set_text_size(BODY);
    browser.set_scrollbar_size(BAR);
    dress_bar(&mut browser.scrollbar());
    dress_bar(&mut browser.hscrollbar());
    browser
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_shows_the_way_up_its_folders_and_the_files_that_fit() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["b.csv", "A.CSV", "@x&.csv", "notes.txt", ".hidden.csv", "班级.csv"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        fs::create_dir(dir.path().join("zoo")).expect("made");
        let shown =
            |kind| entries(dir.path(), kind).into_iter().map(|e| (e.shown, e.folder)).collect::<Vec<(String, bool)>>();
        let line = |name: &str| (name.to_owned(), name.ends_with('/'));
        assert_eq!(shown(Some("csv")), ["../", "zoo/", "@x&.csv", "A.CSV", "b.csv", "班级.csv"].map(line));
        assert_eq!(shown(None).len(), 7);
        assert_eq!(entries(Path::new("/"), None).iter().filter(|e| e.shown == "../").count(), 0);
        assert_eq!(entries(&dir.path().join("not there"), None).len(), 1, "and the way up");
    }
}
