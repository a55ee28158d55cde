//! The list of friends: rows with discs and sections that open and close, all usable with mouse or keys.
//!
//! Its parts:
//!
//! - `row`: draws a row.

mod row;

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Event, FrameType, Shortcut};
use fltk::misc::Tooltip;
use fltk::prelude::*;
use fltk::widget::Widget;

use super::actions::{Action, Press, pressed};
use super::bar::{self, Bar};
use super::canvas::{Canvas, Painted, joined};
use super::{UiEvent, chat_window, friend_window, main_window, theme, widgets};
use crate::base::model::Account;
use crate::client::friendship::Friendship;
use crate::client::roster::{Entry, Person, Section};
use crate::client::session::FriendRequest;
use row::{draw_line, tip};

const SECTION: i32 = 30;

/// What the list asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRequest {
    /// The chat with this account is to be opened.
    Open(Account),
    /// What a row's key does.
    Do(UiEvent),
    /// A section is to be opened or closed.
    Toggle(Section),
    /// A new friend is to be added.
    Add(String),
    /// The menu of a row is to be opened, at this place of the window.
    Menu(Box<Person>, i32, i32),
    /// A key was typed that begins a search.
    Search(String),
}

/// What a row's menu depends on.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Whether they are in the list because the person added them.
    pub contact: bool,
    /// Whether they are blocked, so that nothing of theirs is shown.
    pub blocked: bool,
    /// Whether they can be removed from the list.
    pub removable: bool,
    /// How the account stands to them.
    pub friendship: Friendship,
    /// It is a room, of which nothing can be edited.
    pub room: bool,
    /// No message of theirs asks for attention.
    pub muted: bool,
    /// They stand at the top of the list.
    pub pinned: bool,
}

type RowAction = Action<fn(&Person) -> UiEvent, Row>;

/// What can be done with the person of a row; rooms have no menu.
pub(super) const ACTIONS: &[RowAction] = &[
    RowAction::entry(
        "people.accept",
        |row| row.friendship == Friendship::Asked,
        |person| answer(person, FriendRequest::Accept),
    ),
    RowAction::entry(
        "people.decline",
        |row| row.friendship == Friendship::Asked,
        |person| answer(person, FriendRequest::Decline),
    ),
    RowAction::entry("main.open", |_| true, |person| UiEvent::Chat(person.account.clone(), chat_window::Event::Open)),
    RowAction::new(&[Press::Ctrl('i')], "keys.card", |person| {
        UiEvent::Friend(friend_window::Event::Card(person.account.clone()))
    })
    .named("people.card", |row| !row.room),
    RowAction::entry(
        "main.pin",
        |row| !row.pinned && (row.contact || row.room) && !row.blocked,
        |person| UiEvent::Main(main_window::Event::Pin(person.account.clone(), true)),
    ),
    RowAction::entry(
        "main.unpin",
        |row| row.pinned,
        |person| UiEvent::Main(main_window::Event::Pin(person.account.clone(), false)),
    ),
    RowAction::entry(
        "main.mute",
        |row| !row.muted && !row.blocked,
        |person| UiEvent::Main(main_window::Event::Mute(person.account.clone(), true)),
    ),
    RowAction::entry(
        "main.unmute",
        |row| row.muted,
        |person| UiEvent::Main(main_window::Event::Mute(person.account.clone(), false)),
    ),
    RowAction::new(&[Press::F(2)], "keys.friend", edit).named("main.edit", |row| row.contact),
    RowAction::entry("main.add", |row| !row.room && !row.contact && row.friendship != Friendship::Asked, edit),
    RowAction::entry(
        "people.befriend",
        |row| row.contact && !row.blocked && matches!(row.friendship, Friendship::None | Friendship::Declined),
        |person| UiEvent::Friend(friend_window::Event::Befriend(person.account.clone())),
    ),
    RowAction::entry(
        "people.withdraw",
        |row| row.friendship == Friendship::Asking,
        |person| answer(person, FriendRequest::End),
    ),
    RowAction::entry(
        "people.end",
        |row| row.friendship == Friendship::Friends,
        |person| UiEvent::Friend(friend_window::Event::End(person.account.clone())),
    ),
    RowAction::entry(
        "main.block",
        |row| !row.room && !row.blocked,
        |person| UiEvent::Main(main_window::Event::Block(person.account.clone(), true)),
    ),
    RowAction::entry(
        "main.unblock",
        |row| row.blocked,
        |person| UiEvent::Main(main_window::Event::Block(person.account.clone(), false)),
    ),
    RowAction::new(&[Press::Delete], "keys.friend", |person| {
        UiEvent::Main(main_window::Event::Remove(person.account.clone()))
    })
    .named("main.remove", |row| row.removable),
    RowAction::entry(
        "main.delete",
        |row| row.removable,
        |person| UiEvent::Main(main_window::Event::Delete(person.account.clone())),
    ),
];

/// What a key does in the list.
type ListKey = Action<fn(&mut View, &Widget) -> KeyOutcome>;

/// Whether an event was used, and what it asks for.
type KeyOutcome = (bool, Option<RowRequest>);

/// The keys that work in the list, whatever row is chosen.
pub(super) const KEYS: &[ListKey] = &[
    ListKey::new(&[Press::Up], "keys.open", View::go_up),
    ListKey::new(&[Press::Down], "keys.open", |view, w| view.go_to(view.chosen.map_or(0, |row| row + 1), w)),
    ListKey::new(&[Press::AnyEnter], "keys.open", View::enter),
    ListKey::new(&[Press::PageUp], "keys.far", |view, w| {
        view.go_to(view.chosen.map_or(0, |row| row.saturating_sub(page(w))), w)
    }),
    ListKey::new(&[Press::PageDown], "keys.far", |view, w| view.go_to(view.chosen.unwrap_or(0) + page(w), w)),
    ListKey::new(&[Press::Home], "keys.far", |view, w| view.go_to(0, w)),
    ListKey::new(&[Press::End], "keys.far", |view, w| view.go_to(usize::MAX, w)),
    ListKey::new(&[Press::Left], "keys.fold", |view, _| view.fold(false)),
    ListKey::new(&[Press::Right], "keys.fold", |view, _| view.fold(true)),
    ListKey::new(&[Press::Menu], "keys.row_menu", |view, w| view.menu(w)),
    ListKey::new(&[Press::Text], "keys.find", |_, _| {
        let typed = app::event_text();
        let searches = !app::event_state().contains(Shortcut::Alt) && !typed.starts_with(' ');
        if searches { (true, Some(RowRequest::Search(typed))) } else { (false, None) }
    }),
];

fn answer(person: &Person, request: FriendRequest) -> UiEvent {
    UiEvent::Friend(friend_window::Event::Answer(person.account.clone(), request))
}

fn edit(person: &Person) -> UiEvent {
    UiEvent::Friend(friend_window::Event::Open(person.account.to_string()))
}

/// What the list shows, and what the pointer is on and what is chosen there.
#[derive(Default)]
pub(super) struct View {
    entries: Vec<Entry>,
    chosen: Option<usize>,
    under: Option<usize>,
    scrolled: i32,
    /// Which part of the scroll bar's thumb is held.
    thumb: Option<i32>,
    /// How far down in the widget the pointer is, while it is over it.
    pointer: Option<i32>,
    /// What the last press has opened.
    pressed: Option<RowRequest>,
    canvas: Canvas<Line>,
    /// The text that is shown if there are no rows.
    nothing: String,
    /// Whether the rows in the picture leave room for the scroll bar.
    barred: bool,
}

/// Everything that decides how a row looks: its entry, and whether it is chosen, under the pointer, and has the
/// keyboard.
type Line = (Entry, [bool; 3]);

/// The widget of the list.
#[derive(Clone)]
pub struct FriendList {
    widget: Widget,
    view: Rc<RefCell<View>>,
}

impl FriendList {
    /// Makes an empty list; `wish` is called from inside callbacks and must not touch the list at once.
    #[must_use]
    pub fn new(x: i32, y: i32, w: i32, h: i32, wish: Rc<dyn Fn(RowRequest)>) -> Self {
        let mut widget = Widget::new(x, y, w, h, None);
        widget.set_frame(FrameType::FlatBox);
        widget.super_handle_first(false);
        let view: Rc<RefCell<View>> = Rc::default();
        {
            let view = Rc::clone(&view);
            widget.draw(move |w| view.borrow_mut().draw(w));
        }
        {
            let view = Rc::clone(&view);
            widget.handle(move |w, event| {
                if event == Event::Push {
                    // Taking the focus calls this handler again, so nothing may be borrowed yet.
                    let _ = w.take_focus();
                }
                let (used, wished) = view.borrow_mut().handle(w, event);
                if matches!(event, Event::Move | Event::MouseWheel) {
                    point(&view, w);
                }
                if let Some(wished) = wished {
                    wish(wished);
                }
                if used {
                    w.redraw();
                }
                used
            });
        }
        Self { widget, view }
    }

    /// Returns the widget itself, for its window's layout.
    #[must_use]
    pub fn widget(&self) -> &Widget {
        &self.widget
    }

    /// Shows these rows; the chosen person stays chosen.
    pub fn set(&mut self, entries: Vec<Entry>) {
        let mut view = self.view.borrow_mut();
        if view.entries == entries {
            return;
        }
        let chosen = view.chosen.and_then(|i| view.entries.get(i)).map(identity);
        view.entries = entries;
        // Somebody who is not recent any more is still in their group.
        let place = |id: &(u8, String)| view.entries.iter().position(|e| identity(e) == *id);
        view.chosen = chosen.and_then(|id| place(&id).or_else(|| (id.0 == 4).then(|| place(&(1, id.1)))?));
        if self.widget.has_focus() {
            view.choose_any();
        }
        drop(view);
        point(&self.view, &mut self.widget);
        self.widget.redraw();
    }

    /// Sets the text that is shown if there are no rows.
    pub fn set_nothing(&mut self, text: &str) {
        let mut view = self.view.borrow_mut();
        if view.nothing != text {
            text.clone_into(&mut view.nothing);
            drop(view);
            self.widget.redraw();
        }
    }

    /// Returns the first row that can be opened, for Enter in the search field.
    #[must_use]
    pub fn first(&self) -> Option<RowRequest> {
        self.view.borrow().entries.iter().find_map(opened)
    }

    /// Returns the person that Enter would open.
    #[must_use]
    pub fn chosen(&self) -> Option<Person> {
        self.view.borrow().chosen_person().cloned()
    }

    /// Returns the rows that are shown, from the first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.view.borrow().entries.clone()
    }

    /// Takes the keyboard, and chooses the first row if none is chosen.
    pub fn focus(&mut self) {
        self.view.borrow_mut().choose_any();
        let _ = self.widget.take_focus();
    }
}

fn identity(entry: &Entry) -> (u8, String) {
    match entry {
        Entry::Section { section, .. } => (0, format!("{section:?}")),
        Entry::Person(person) if person.recent => (4, person.account.to_string()),
        Entry::Request(person) => (5, person.account.to_string()),
        Entry::Found(person) => (6, person.account.to_string()),
        Entry::Person(person) => (1, person.account.to_string()),
        Entry::Add(name) => (2, name.clone()),
        Entry::More(..) => (3, String::new()),
    }
}

fn opened(entry: &Entry) -> Option<RowRequest> {
    match entry {
        // A request is answered from its menu, which is at the row.
        Entry::Section { .. } | Entry::More(..) | Entry::Request(_) => None,
        Entry::Person(person) => Some(RowRequest::Open(person.account.clone())),
        Entry::Found(person) => Some(RowRequest::Add(person.account.to_string())),
        Entry::Add(name) => Some(RowRequest::Add(name.clone())),
    }
}

/// Returns how many rows fit into sight.
fn page(w: &Widget) -> usize {
    usize::try_from(w.h() / theme::ROW).unwrap_or(1)
}

fn height(entry: &Entry) -> i32 {
    if matches!(entry, Entry::Section { .. }) { SECTION } else { theme::ROW }
}

/// Updates the highlight and the tooltip for the row under the pointer.
fn point(view: &RefCell<View>, w: &mut Widget) {
    let (changed, over) = {
        let mut view = view.borrow_mut();
        (view.point(w), view.pointer.is_some())
    };
    let Some(text) = changed else { return };
    w.set_tooltip(&text);
    w.redraw();
    // The tooltip that is shown is about another row. When it disappears, FLTK tells the list at once where the pointer
    // is, so nothing may be borrowed.
    if let (true, Some(group)) = (over, w.parent()) {
        Tooltip::current(&group);
    }
}

impl View {
    /// Returns the new row's tooltip, perhaps empty, if the row under the pointer has changed.
    fn point(&mut self, w: &Widget) -> Option<String> {
        let before = self.under.take();
        self.under = self.pointer.and_then(|y| self.at(y));
        let person = match self.under.and_then(|i| self.entries.get(i)) {
            Some(Entry::Person(person) | Entry::Request(person) | Entry::Found(person)) => Some(person),
            _ => None,
        };
        let text = person.map(tip).unwrap_or_default();
        (before != self.under || w.tooltip().unwrap_or_default() != text).then_some(text)
    }

    fn content(&self) -> i32 {
        self.entries.iter().map(height).sum()
    }

    fn scroll_to(&mut self, y: i32, h: i32) {
        self.scrolled = y.clamp(0, (self.content() - h).max(0));
    }

    fn bar(&self, h: i32) -> Option<Bar> {
        Bar::of(h, self.content().into(), self.scrolled.into())
    }

    fn drag_to(&mut self, y: i32, h: i32) {
        if let Some((held, bar)) = self.thumb.zip(self.bar(h)) {
            self.scroll_to(i32::try_from(bar.dragged(held, y)).unwrap_or(i32::MAX), h);
        }
    }

    fn at(&self, y: i32) -> Option<usize> {
        let mut top = -self.scrolled;
        self.entries.iter().position(|entry| {
            top += height(entry);
            y < top
        })
    }

    fn top_of(&self, row: usize) -> i32 {
        self.entries.iter().take(row).map(height).sum()
    }

    fn choose(&mut self, row: usize, h: i32) {
        let row = row.min(self.entries.len().saturating_sub(1));
        self.chosen = Some(row);
        let top = self.top_of(row);
        let bottom = top + self.entries.get(row).map_or(0, height);
        if top < self.scrolled {
            self.scroll_to(if row == 1 { 0 } else { top }, h);
        } else if bottom > self.scrolled + h {
            self.scroll_to(bottom - h, h);
        }
    }

    /// Chooses the first row that can be opened if none is chosen, so that it can be seen where keys work.
    fn choose_any(&mut self) {
        if self.chosen.is_none() {
            self.chosen = self.entries.iter().position(|e| !matches!(e, Entry::Section { .. }));
        }
    }

    fn activate(&self, row: usize) -> Option<RowRequest> {
        match self.entries.get(row)? {
            Entry::Section { section, .. } => Some(RowRequest::Toggle(section.clone())),
            entry => opened(entry),
        }
    }

    fn handle(&mut self, w: &Widget, event: Event) -> KeyOutcome {
        let (x, y, h) = (app::event_x() - w.x(), app::event_y() - w.y(), w.h());
        match event {
            Event::Focus => {
                self.choose_any();
                (true, None)
            }
            Event::Unfocus | Event::Enter => (true, None),
            Event::Leave => {
                self.pointer = None;
                self.under = None;
                (true, None)
            }
            Event::Move => {
                self.pointer = Some(y);
                // What looks different is redrawn by then.
                (false, None)
            }
            Event::MouseWheel => {
                self.scroll_to(self.scrolled + app::event_dy_value() * 48, h);
                (true, None)
            }
            Event::Push => {
                if let Some(bar) = self.bar(h).filter(|_| x > w.w() - bar::WIDTH) {
                    self.thumb = Some(bar.grab(y));
                    self.drag_to(y, h);
                    return (true, None);
                }
                let right = || app::event_mouse_button() == app::MouseButton::Right;
                // The second press of a double click has brought this window before the chat that the first press
                // opened; rows may have moved meanwhile.
                if app::event_clicks_num() > 0 && !right() {
                    return (true, self.pressed.clone());
                }
                self.pressed = None;
                let Some(row) = self.at(y) else { return (true, None) };
                self.chosen = Some(row);
                match self.entries.get(row) {
                    Some(Entry::Person(person) | Entry::Request(person) | Entry::Found(person)) if right() => {
                        let (x, y) = app::event_coords();
                        (true, Some(RowRequest::Menu(Box::new(person.clone()), x, y)))
                    }
                    Some(Entry::Request(person)) => {
                        let (x, y) = app::event_coords();
                        (true, Some(RowRequest::Menu(Box::new(person.clone()), x, y)))
                    }
                    entry => {
                        self.pressed = entry.and_then(opened);
                        (true, self.activate(row))
                    }
                }
            }
            Event::Drag if self.thumb.is_some() => {
                self.drag_to(y, h);
                (true, None)
            }
            Event::Released => (self.thumb.take().is_some(), None),
            Event::KeyDown => self.key(w),
            _ => (false, None),
        }
    }

    fn key(&mut self, w: &Widget) -> KeyOutcome {
        if let Some(event) = pressed(ACTIONS, false) {
            // A room has nothing to edit, and cannot be removed.
            let person = self.chosen_person().filter(|person| !person.account.is_room());
            return (true, person.map(|person| RowRequest::Do(event(person))));
        }
        pressed(KEYS, false).map_or((false, None), |does| does(self, w))
    }

    fn chosen_person(&self) -> Option<&Person> {
        match self.entries.get(self.chosen?)? {
            Entry::Person(person) | Entry::Request(person) | Entry::Found(person) => Some(person),
            Entry::Section { .. } | Entry::Add(_) | Entry::More(..) => None,
        }
    }

    /// Chooses this row, or the nearest one there is.
    fn go_to(&mut self, row: usize, w: &Widget) -> KeyOutcome {
        self.choose(row, w.h());
        (true, None)
    }

    /// Moves the choice up; above the first row is the search field.
    fn go_up(&mut self, w: &Widget) -> KeyOutcome {
        match self.chosen {
            None | Some(0) => (true, Some(RowRequest::Search(String::new()))),
            Some(row) => self.go_to(row - 1, w),
        }
    }

    /// Opens or closes the chosen section, unless it already is so.
    fn fold(&self, opens: bool) -> KeyOutcome {
        let wish = match self.chosen.and_then(|row| self.entries.get(row)) {
            Some(Entry::Section { section, open, .. }) if *open != opens => Some(RowRequest::Toggle(section.clone())),
            _ => None,
        };
        (true, wish)
    }

    fn enter(&mut self, w: &Widget) -> KeyOutcome {
        match self.chosen.and_then(|row| self.entries.get(row)) {
            Some(Entry::Request(_)) => self.menu(w),
            Some(_) | None => (true, self.chosen.and_then(|row| self.activate(row))),
        }
    }

    fn menu(&self, w: &Widget) -> KeyOutcome {
        let top = self.chosen.map_or(0, |row| self.top_of(row) - self.scrolled);
        let wish = |person: &Person| RowRequest::Menu(Box::new(person.clone()), w.x() + 60, w.y() + top + 40);
        (true, self.chosen_person().map(wish))
    }

    fn draw(&mut self, widget: &mut Widget) {
        let (x, y, w, h) = (widget.x(), widget.y(), widget.w(), widget.h());
        self.scroll_to(self.scrolled, h);
        let mut rows: Vec<Painted<Line>> = Vec::new();
        let mut top = -self.scrolled;
        for (n, entry) in self.entries.iter().enumerate() {
            let height = height(entry);
            if top + height > 0 && top < h {
                let chosen = self.chosen == Some(n);
                let how = [chosen, self.under == Some(n), chosen && widget.has_focus()];
                rows.push(Painted { look: (entry.clone(), how), y: top, height, link: None });
            }
            top += height;
        }
        let screen = widget.window().map_or(0, |window| window.screen_num());
        let bar = self.bar(h);
        // Rows are as wide as the bar leaves room for.
        let wide = if bar.is_some() { w - bar::WIDTH } else { w };
        let anew = std::mem::replace(&mut self.barred, bar.is_some()) != bar.is_some();
        let begun = self.canvas.begin([x, y, w, h], screen, wide, &rows, anew);
        let (left, top) = (begun.left, begun.top);
        self.canvas.bar(&begun, [w, h], bar.map(|bar| (bar, self.thumb.is_some())));
        // Rows are painted as a whole, since the border between a copied and a painted part might be visible.
        let touched =
            |row: &&Painted<Line>| begun.bands.iter().any(|[from, to]| row.y < *to && row.y + row.height > *from);
        let touched = rows.iter().filter(touched).map(|row| [row.y.max(0), (row.y + row.height).min(h)]);
        let bands = joined(begun.bands.iter().copied().chain(touched).collect());
        let colours = theme::palette();
        for [from, to] in bands {
            draw::push_clip(left, top + from, wide, to - from);
            draw::draw_rect_fill(left, top + from, wide, to - from, colours.bg);
            for row in rows.iter().filter(|row| row.y < to && row.y + row.height > from) {
                draw_line(&row.look, left, top + row.y, [w, wide, row.height]);
            }
            draw::pop_clip();
        }
        if rows.is_empty() && !self.nothing.is_empty() {
            draw::draw_rect_fill(left, top, w, h, colours.bg);
            let lines = widgets::lines(&self.nothing, w - 24, theme::SMALL);
            widgets::draw_lines(&lines, left + 12, top + 8, theme::SMALL, colours.dim);
        }
        self.canvas.end(&begun, [x, y, w, h], rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumb_is_held_where_it_was_taken() {
        let entries = (0..50).map(|n| Entry::Add(n.to_string())).collect();
        let mut view = View { entries, ..View::default() };
        let content = view.content();
        view.thumb = view.bar(200).map(|bar| bar.grab(10));
        for (y, scrolled) in [(10, 0), (9, 0), (10 + 200, content - 200), (10, 0)] {
            view.drag_to(y, 200);
            assert_eq!(view.scrolled, scrolled, "{y}");
        }
    }
}
